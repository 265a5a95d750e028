"""The engine that is always there: each list of tests becomes generated Python functions.

What is generated is a closed grammar over numbered names. Field names and string constants
never appear in the text; they are looked up in the namespace the functions run in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from attrs import define, field

from domcore.rules.engines.protocol import FieldType, FlatFact, FlatValue, Leaf, Test
from domcore.rules.engines.terms import Group, Literal, Node, normal_forms

_LEAVES_PER_FUNCTION: Final = 2_000
"""CPython's compiler needs memory and time that grow faster than a function's length."""

_WORD: Final = 30
"""Tests whose bits are collected in one local: an int of one machine digit is cheap to change."""

_SYMBOLS: Final = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_OPPOSITE: Final = {"eq": "ne", "ne": "eq", "lt": "gte", "gte": "lt", "gt": "lte", "lte": "gt"}

_Run = Callable[[Callable[[str], FlatValue | None]], int]


class PythonEngine:
    """Compiles tests to Python functions. Pure, needs no build tools."""

    name = "python"

    def compile(self, tests: Sequence[Test], fields: Mapping[str, FieldType]) -> PythonMatcher:
        """Check and compile.

        Raises:
            ConfigurationError: a test does not fit `fields`, is too deep or too long.
        """
        return PythonMatcher(_functions(normal_forms(tests, fields)))


class PythonMatcher:
    """Compiled tests. It holds no state between calls, so it may even be shared by threads."""

    __slots__ = ("_closed", "_functions")

    def __init__(self, functions: list[tuple[int, _Run]]) -> None:
        self._functions = functions
        self._closed = False

    def match(self, facts: Sequence[FlatFact]) -> list[int]:
        """For each fact a bit mask: bit ``i`` is set when test ``i`` is true of it.

        Raises:
            ValueError: the matcher is closed.
        """
        if self._closed:
            raise ValueError("match on a closed matcher")
        if len(self._functions) == 1:
            _, run = self._functions[0]
            return [run(fact.get) for fact in facts]
        masks = []
        for fact in facts:
            get = fact.get
            mask = 0
            for base, run in self._functions:
                mask |= run(get) << base
            masks.append(mask)
        return masks

    def close(self) -> None:
        """Forget the functions. Calling it twice is harmless."""
        self._closed = True
        self._functions = []


def _functions(forms: Sequence[Group]) -> list[tuple[int, _Run]]:
    """One function per run of tests, each with the number of its first test."""
    functions = []
    for base, chunk in _chunks(forms):
        text, namespace = _Writer().function(chunk)
        exec(compile(text, "<domcore rules>", "exec"), namespace)
        functions.append((base, namespace["run"]))
    return functions  # type: ignore[return-value]  # what exec defines is not typed


def _chunks(forms: Sequence[Group]) -> Iterator[tuple[int, Sequence[Group]]]:
    """Runs of consecutive tests of about `_LEAVES_PER_FUNCTION` leaves, with their start."""
    start = leaves = 0
    for index, form in enumerate(forms):
        size = _count(form)
        if index > start and leaves + size > _LEAVES_PER_FUNCTION:
            yield start, forms[start:index]
            start, leaves = index, 0
        leaves += size
    if start < len(forms):
        yield start, forms[start:]


def _count(node: Node) -> int:
    return 1 if isinstance(node, Literal) else 1 + sum(map(_count, node.parts))


@define(slots=True)
class _Writer:
    """Writes one function; numbers the names it needs."""

    namespace: dict[str, object] = field(factory=lambda: {"__builtins__": {}})
    fields: dict[str, str] = field(factory=dict)
    strings: dict[str, str] = field(factory=dict)

    def function(self, forms: Sequence[Group]) -> tuple[str, dict[str, object]]:
        """The text of ``run(get) -> mask`` and the namespace it must be executed in."""
        body = []
        words = []
        for index, form in enumerate(forms):
            word = f"w{index // _WORD}"
            if index % _WORD == 0:
                words.append(f"{word} << {index}" if index else word)
                body.append(f" {word} = 0")
            body.append(f" if {self.node(form)}: {word} |= {1 << index % _WORD}")
        loads = [f" {local} = get(n{local})" for local in self.fields.values()]
        lines = ["def run(get):", *loads, *body, " return " + " | ".join(words)]
        return "\n".join(lines), self.namespace

    def node(self, node: Node) -> str:
        """An expression that is true when the node is. Depth is bounded by the normal form."""
        if isinstance(node, Literal):
            return self.literal(node.leaf, node.negated)
        if not node.parts:
            return str(node.every)
        word = " and " if node.every else " or "
        return "(" + word.join(map(self.node, node.parts)) + ")"

    def literal(self, leaf: Leaf, negated: bool) -> str:
        """A comparison guarded against missing sides, with as few guards as it needs."""
        left = self.local(leaf.field)
        if leaf.op in ("exists", "missing"):
            present = (leaf.op == "exists") is not negated
            return f"{left} is not None" if present else f"{left} is None"
        op = _OPPOSITE[leaf.op] if negated else leaf.op
        right = self.local(leaf.ref) if leaf.ref is not None else self.constant(leaf.value)
        test = f"{left} {_SYMBOLS[op]} {right}"
        sides = [left] if leaf.ref is None or leaf.op == "eq" else [left, right]
        if leaf.op == "eq" and leaf.ref is None:
            # None equals no constant: a missing side already gives the right answer.
            return test
        if negated:
            return "(" + " or ".join([*(f"{side} is None" for side in sides), test]) + ")"
        return "(" + " and ".join([*(f"{side} is not None" for side in sides), test]) + ")"

    def local(self, name: str) -> str:
        """The local variable that holds a field's value."""
        local = self.fields.get(name)
        if local is None:
            local = self.fields[name] = f"f{len(self.fields)}"
            self.namespace[f"n{local}"] = name
        return local

    def constant(self, value: FlatValue | None) -> str:
        """Ints and bools as they are printed; strings by number."""
        if not isinstance(value, str):
            # hex: decimal text of a huge int is quadratic and refused beyond 4,300 digits.
            return hex(value) if type(value) is int else str(value)
        name = self.strings.get(value)
        if name is None:
            name = self.strings[value] = f"s{len(self.strings)}"
            self.namespace[name] = value
        return name
