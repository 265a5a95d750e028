"""Which part of a condition belongs where.

A condition is a conjunction. The parts that read only the order and its lines are its *guard*:
they say whether the rule speaks. The parts that read only the node are a node test, matched once
per node state. What is left mixes both: its pure sub-conditions still go to the engine, and only
leaves that compare two entities or read a candidate fact are native. Node parts and native leaves
all answer with a node mask, so the whole is a few ``&``, ``|`` and ``~``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import frozen

from domcore.rules.builtin_facts import PER_LINE_CANDIDATE
from domcore.rules.columns import Column, paired
from domcore.rules.lists import PackList
from domcore.rules.lowering import Lowering
from domcore.rules.tree import (
    COMPARE,
    MIRRORED,
    TRUE,
    All,
    Any_,
    Condition,
    FactRef,
    Leaf,
    Not,
    entities,
    joined,
    leaves,
)

if TYPE_CHECKING:
    from domcore.rules.judge import Judging

NodeMask = Callable[["Judging", int], int]
"""Nodes for which something is true of the order, or of the line of that number."""

Guard = tuple[bool, int, int]

CONTEXT = frozenset({"order", "destination", "line"})
NODE = frozenset({"node"})


@frozen(slots=True)
class Scope:
    """How one condition is asked.

    Args:
        per_line: whether it is asked line by line.
        guard: ``(per line, stage, number)`` of the order or line test, or None.
        node_test: number of the node test, or None.
        rest: what mixes both sides, or None.
        native: the leaves that no engine sees, as written.
    """

    per_line: bool
    guard: Guard | None
    node_test: int | None
    rest: NodeMask | None
    native: tuple[str, ...]

    @property
    def speaks_of_nodes(self) -> bool:
        """Whether the condition tells nodes apart."""
        return self.node_test is not None or self.rest is not None


def reads_line(condition: Condition) -> bool:
    """Whether a condition can differ from line to line."""
    return "line" in entities(condition) or any(
        fact.name in PER_LINE_CANDIDATE for leaf in leaves(condition) for fact in leaf.facts
    )


def is_native(leaf: Leaf) -> bool:
    """Whether a leaf compares two entities or reads a candidate fact."""
    found = frozenset(fact.entity for fact in leaf.facts)
    return not (found <= CONTEXT or found == NODE)


def native_leaves(condition: Condition) -> tuple[str, ...]:
    """The texts of the leaves that no engine sees."""
    return tuple(dict.fromkeys(leaf.text for leaf in leaves(condition) if is_native(leaf)))


class Scoping:
    """Splits conditions and registers their tests."""

    def __init__(self, lowering: Lowering) -> None:
        self.lowering = lowering
        self.columns: dict[str, FactRef] = {}

    def split(self, condition: Condition) -> Scope:
        """Sort the parts of a condition by what they read."""
        guards: list[Condition] = []
        nodes: list[Condition] = []
        mixed: list[Condition] = []
        for part in conjuncts(condition):
            found = entities(part)
            (guards if found <= CONTEXT else nodes if found == NODE else mixed).append(part)
        guard = self._context(joined(guards, every=True)) if guards else None
        node_test = self.lowering.node_test(joined(nodes, every=True)) if nodes else None
        rest = self._mask(joined(mixed, every=True)) if mixed else None
        return Scope(reads_line(condition), guard, node_test, rest, native_leaves(condition))

    def assignment_guard(self, condition: Condition, level: int) -> Guard | None:
        """The guard of a rule that sets a fact of that level; None is always.

        Where the rule reads facts of its own level they help each other: it runs with them.
        """
        if condition == TRUE:
            return None
        return self._context(condition, min(level, self.lowering.stage_of(condition)))

    def _context(self, condition: Condition, stage: int | None = None) -> Guard:
        if stage is None:
            stage = self.lowering.stage_of(condition)
        per_line, number = self.lowering.context_test(condition, stage)
        return per_line, stage, number

    def _mask(self, condition: Condition) -> NodeMask:
        found = entities(condition)
        if found <= CONTEXT:
            return _either(*self._context(condition))
        if found == NODE:
            test = self.lowering.node_test(condition)
            return lambda judging, _line: judging.state.tests[test]
        if isinstance(condition, Not):
            part = self._mask(condition.part)
            return lambda judging, line: judging.state.everywhere & ~part(judging, line)
        if isinstance(condition, All):
            return _meet(tuple(self._mask(part) for part in self._grouped(condition)))
        if isinstance(condition, Any_):
            return _union(tuple(self._mask(part) for part in condition.parts))
        assert isinstance(condition, Leaf)  # a loop over lines reads the order only
        return self._native(condition)

    def _grouped(self, condition: All) -> list[Condition]:
        """The parts with those of one side joined, cheapest side first."""
        context = [part for part in condition.parts if entities(part) <= CONTEXT]
        nodes = [part for part in condition.parts if entities(part) == NODE]
        rest = [part for part in condition.parts if part not in context and part not in nodes]
        groups = [joined(group, every=True) for group in (context, nodes) if group]
        return [*groups, *rest]

    def _native(self, leaf: Leaf) -> NodeMask:
        left = leaf.fact
        if leaf.other is None:
            return self._constant(leaf, left)
        right = leaf.other
        if left.entity in ("node", "candidate") and right.entity in ("node", "candidate"):
            first, second = self._column(left), self._column(right)
            return lambda judging, line: paired(
                leaf, first(judging, line).values, second(judging, line).values
            )
        if left.entity in ("node", "candidate"):
            column, scalar = self._column(left), self._scalar(right)
            op = "eq" if leaf.op == "has" else leaf.op
            return lambda judging, line: column(judging, line).compare(op, scalar(judging, line))
        column, scalar = self._column(right), self._scalar(left)
        if leaf.op == "has":
            return lambda judging, line: column(judging, line).among(scalar(judging, line))
        op = MIRRORED[leaf.op]
        return lambda judging, line: column(judging, line).compare(op, scalar(judging, line))

    def _constant(self, leaf: Leaf, fact: FactRef) -> NodeMask:
        column, value = self._column(fact), leaf.value
        if leaf.op in COMPARE:
            op = leaf.op
            return lambda judging, line: column(judging, line).compare(op, value)
        if leaf.op in ("true", "has"):
            sought = True if leaf.op == "true" else value
            return lambda judging, line: column(judging, line).compare("eq", sought)
        if leaf.op == "in" and not isinstance(value, PackList):
            return lambda judging, line: column(judging, line).among(value)  # type: ignore[arg-type]
        if leaf.op == "exists":
            return lambda judging, line: column(judging, line).present
        return lambda judging, line: column(judging, line).probe(leaf)

    def _column(self, fact: FactRef) -> Callable[[Judging, int], Column]:
        key = fact.key
        self.columns[key] = fact
        if fact.entity == "node":
            return lambda judging, _line: judging.state.columns[key]
        if fact.name in PER_LINE_CANDIDATE:
            return lambda judging, line: judging.candidate_column(key, line)
        return lambda judging, _line: judging.candidate_column(key, -1)

    def _scalar(self, fact: FactRef) -> Callable[[Judging, int], Any]:
        if fact.entity == "line":
            line_reader = self.lowering.readers.line(fact)
            return lambda judging, line: line_reader(judging.sitting, line)
        reader = self.lowering.readers.order(fact)
        return lambda judging, _line: reader(judging.sitting)


def _either(per_line: bool, stage: int, number: int) -> NodeMask:
    bit = 1 << number
    if per_line:
        return lambda judging, line: (
            judging.state.everywhere if judging.line_hits[stage][line] & bit else 0
        )
    return lambda judging, _line: judging.state.everywhere if judging.order_hits[stage] & bit else 0


def _meet(masks: tuple[NodeMask, ...]) -> NodeMask:
    def meet(judging: Judging, line: int) -> int:
        found = judging.state.everywhere
        for mask in masks:
            found &= mask(judging, line)
            if not found:
                break
        return found

    return meet


def _union(masks: tuple[NodeMask, ...]) -> NodeMask:
    def union(judging: Judging, line: int) -> int:
        found = 0
        for mask in masks:
            found |= mask(judging, line)
        return found

    return union


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """The parts of a conjunction; ``not (a or b)`` is one too."""
    if isinstance(condition, All):
        for part in condition.parts:
            yield from conjuncts(part)
    elif isinstance(condition, Not) and isinstance(condition.part, Any_):
        for part in condition.part.parts:
            yield from conjuncts(part.part if isinstance(part, Not) else Not(part))
    else:
        yield condition
