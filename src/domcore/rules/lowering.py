"""From typed conditions to engine tests over flat fields.

Tests are collected by where they run: on the order, on each line, on the lines of a loop, on each
node; equal tests are kept once. What an engine does not do - long lists, prefixes, tags, loops -
becomes one boolean field that is computed before the engine sees the fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import Factory, define, field, frozen

from domcore.errors import ConfigurationError
from domcore.rules.engines import protocol as engine
from domcore.rules.readers import LineReader, NodeReader, OrderReader, Readers, Sitting
from domcore.rules.strata import derived_reads
from domcore.rules.tree import (
    COMPARE,
    PROBES,
    All,
    Any_,
    Condition,
    FactRef,
    ForLines,
    Leaf,
    Not,
    entities,
    holds,
)

SHORT_LIST: Final = 3
"""``in`` with so few values is left to the engine."""

_FIELD_TYPES: Final[Mapping[str, engine.FieldType]] = {
    "bool": "bool", "int": "int", "decimal": "int", "money": "int", "time": "int", "text": "str",
}  # fmt: skip


@frozen(slots=True)
class Field:
    """One flat field: its name and type for the engine, whose it is, and how it is read."""

    name: str
    type: engine.FieldType
    entity: str
    read: Any = field(eq=False)


@define(slots=True)
class TestSet:
    """Distinct tests that run together on one kind of fact, with the fields they need.

    `authors` names, by test number, the rule that asked for it first.
    """

    tests: dict[engine.Test, int] = Factory(dict)
    authors: list[str] = Factory(list)
    fields: dict[str, Field] = Factory(dict)

    def add(self, test: engine.Test, fields: Sequence[Field], author: str) -> int:
        """The number of a test; an equal one is shared."""
        for needed in fields:
            self.fields[needed.name] = needed
        if test not in self.tests:
            self.tests[test] = len(self.tests)
            self.authors.append(author)
        return self.tests[test]

    def of(self, entity: str) -> list[tuple[str, Any]]:
        """``(name, reader)`` of the fields of one entity."""
        return [(f.name, f.read) for f in self.fields.values() if f.entity == entity]

    def compile(self, with_engine: engine.RuleEngine) -> engine.Matcher:
        """A matcher for all tests.

        Raises:
            ConfigurationError: a test is beyond the engine's limits; it names the rule.
        """
        try:
            return with_engine.compile(tuple(self.tests), self.types())
        except ConfigurationError:
            for test, author in zip(self.tests, self.authors, strict=True):
                try:
                    with_engine.compile((test,), self.types()).close()
                except ConfigurationError as error:
                    raise ConfigurationError(
                        error.message, source=f"engine {with_engine.name}", place=f"rule {author}"
                    ) from None
            raise

    def types(self) -> dict[str, engine.FieldType]:
        """The declaration engines want."""
        return {found.name: found.type for found in self.fields.values()}


@define(slots=True)
class StageTests:
    """What one stage of chaining runs: loop bodies first, then the order, then each line."""

    bodies: TestSet = Factory(TestSet)
    order: TestSet = Factory(TestSet)
    line: TestSet = Factory(TestSet)
    loops: dict[ForLines, tuple[str, int]] = Factory(dict)


class Lowering:
    """Collects the tests of a whole program."""

    def __init__(self, readers: Readers, levels: Mapping[str, int]) -> None:
        self.readers = readers
        self.levels = levels
        self.stages: dict[int, StageTests] = {}
        self.nodes = TestSet()
        self.author = ""
        self._fields: dict[Any, Field] = {}

    def context_test(self, condition: Condition, stage: int) -> tuple[bool, int]:
        """Register an order or line test: whether it runs per line, and its number there."""
        per_line = "line" in entities(condition)
        tests = self._stage(stage)
        used: list[Field] = []
        test = self._test(condition, used, stage)
        target = tests.line if per_line else tests.order
        return per_line, target.add(test, used, self.author)

    def node_test(self, condition: Condition) -> int:
        """Register a test over node facts."""
        used: list[Field] = []
        test = self._test(condition, used, 0)
        return self.nodes.add(test, used, self.author)

    def stage_of(self, condition: Condition) -> int:
        """The first stage at which every fact a condition reads is complete."""
        reads = derived_reads(condition, self.levels)
        return max((self.levels[name] + 1 for name, _ in reads), default=0)

    def _stage(self, number: int) -> StageTests:
        return self.stages.setdefault(number, StageTests())

    def _test(self, condition: Condition, used: list[Field], stage: int) -> engine.Test:
        if isinstance(condition, All):
            return engine.All(tuple(self._test(part, used, stage) for part in condition.parts))
        if isinstance(condition, Any_):
            return engine.Any(tuple(self._test(part, used, stage) for part in condition.parts))
        if isinstance(condition, Not):
            return engine.Not(self._test(condition.part, used, stage))
        if isinstance(condition, ForLines):
            return self._loop(condition, used, stage)
        return self._leaf(condition, used)

    def _loop(self, loop: ForLines, used: list[Field], stage: int) -> engine.Test:
        """A loop over lines is one boolean field of the order, made from its body's matches."""
        tests = self._stage(stage)
        if loop not in tests.loops:
            body_fields: list[Field] = []
            body = self._test(loop.body, body_fields, stage)
            name = f"loop{stage}x{len(tests.loops)}"
            tests.loops[loop] = (name, tests.bodies.add(body, body_fields, self.author))
        name = tests.loops[loop][0]
        found = Field(name, "bool", "order", lambda sitting: sitting.for_lines[name])
        used.append(found)
        return engine.Leaf(name, "eq", True)

    def _leaf(self, leaf: Leaf, used: list[Field]) -> engine.Test:
        if _is_lookup(leaf):
            found = self._lookup(leaf)
            used.append(found)
            return engine.Leaf(found.name, "eq", True)
        left = self._field(leaf.fact)
        used.append(left)
        if leaf.op == "true":
            return engine.Leaf(left.name, "eq", True)
        if leaf.op == "exists":
            return engine.Leaf(left.name, "exists")
        if leaf.op == "in":
            assert isinstance(leaf.value, tuple)  # by the checker
            return engine.Any(tuple(engine.Leaf(left.name, "eq", v) for v in leaf.value))
        if leaf.other is not None:
            right = self._field(leaf.other)
            used.append(right)
            return engine.Leaf(left.name, leaf.op, ref=right.name)  # type: ignore[arg-type]
        return engine.Leaf(left.name, leaf.op, leaf.value)  # type: ignore[arg-type]

    def _field(self, fact: FactRef) -> Field:
        if fact.key not in self._fields:
            reader = self._reader(fact)
            entity = _home(fact.entity)
            name = f"f{len(self._fields)}"
            self._fields[fact.key] = Field(name, _FIELD_TYPES[fact.type], entity, reader)
        return self._fields[fact.key]

    def _lookup(self, leaf: Leaf) -> Field:
        if leaf not in self._fields:
            homes = {_home(fact.entity) for fact in leaf.facts}
            entity = "line" if "line" in homes else homes.pop()
            probe = self._probe(leaf, entity)
            self._fields[leaf] = Field(f"f{len(self._fields)}", "bool", entity, probe)
        return self._fields[leaf]

    def _probe(self, leaf: Leaf, entity: str) -> Any:
        """A reader that answers a whole leaf with true or false."""
        if leaf.op == "in" and isinstance(leaf.value, tuple):
            leaf = Leaf("in", leaf.fact, frozenset(leaf.value), text=leaf.text)  # type: ignore[arg-type]
        left = self._read_at(leaf.fact, entity)
        if leaf.other is None:
            probe, value = PROBES[leaf.op], leaf.value
            return lambda *place: (found := left(*place)) is not None and probe(found, value)
        right = self._read_at(leaf.other, entity)
        return lambda *place: holds(leaf, left(*place), right(*place))

    def _reader(self, fact: FactRef) -> OrderReader | LineReader | NodeReader:
        home = _home(fact.entity)
        if home == "order":
            return self.readers.order(fact)
        return self.readers.line(fact) if home == "line" else self.readers.node(fact)

    def _read_at(self, fact: FactRef, entity: str) -> Callable[..., Any]:
        """A fact's reader, callable where `entity` is read: an order fact is also a line's."""
        reader: Any = self._reader(fact)
        if entity == "line" and _home(fact.entity) == "order":
            return lambda sitting, _number: reader(sitting)
        return reader  # type: ignore[no-any-return]


def _home(entity: str) -> str:
    return "order" if entity == "destination" else entity


def _is_lookup(leaf: Leaf) -> bool:
    if leaf.op == "in":
        return not isinstance(leaf.value, tuple) or len(leaf.value) > SHORT_LIST
    if leaf.op == "exists":
        return leaf.fact.type == "texts"
    return leaf.op not in COMPARE and leaf.op != "true"


def flat_order(fields: list[tuple[str, Any]], sitting: Sitting) -> dict[str, Any]:
    """The order's fields that have a value."""
    fact = {}
    for name, read in fields:
        value = read(sitting)
        if value is not None:
            fact[name] = value
    return fact


def flat_line(
    fields: list[tuple[str, Any]], shared: dict[str, Any], sitting: Sitting, number: int
) -> dict[str, Any]:
    """One line's fields that have a value, on top of the order's."""
    fact = shared.copy()
    for name, read in fields:
        value = read(sitting, number)
        if value is not None:
            fact[name] = value
    return fact
