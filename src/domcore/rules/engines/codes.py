"""Turns a fact into small ints that compare as its values do.

All that a list of tests can see of a value is how it stands to the constants it is compared
with. So a field becomes one number: its position among those constants (odd when it equals
one, even when it lies between two), and two fields that are compared with each other become one
number: less, equal or greater. Missing is -1. Facts with the same numbers pass the same tests.

An engine that is given only these numbers never meets a string, a large int or a missing
property, whatever the fact held.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, NamedTuple

from domcore.rules.engines.protocol import FlatFact, FlatValue, Leaf
from domcore.rules.engines.terms import ORDER, Group, Literal

MISSING: Final = -1
_LESS, _EQUAL, _GREATER = 0, 1, 2
_MIRRORED: Final = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte", "eq": "eq", "ne": "ne"}
_NEGATED: Final = {"gte": "lt", "lt": "gte", "eq": "neq", "neq": "eq"}

Key = tuple[int, ...]
"""A fact's numbers, in the order of the `Coder`'s sources."""


class Atom(NamedTuple):
    """One comparison of a number with a constant: ``source op bound``.

    `down` counts from the other end (``top - number``), so that missing, which is -1 both
    ways, is on the false side of "less than" as well as of "greater than".
    """

    source: int
    down: bool
    op: str
    bound: int

    def negated(self) -> Atom:
        """The atom that is true exactly when this one is false, of missing values too."""
        return Atom(self.source, self.down, _NEGATED[self.op], self.bound)


class _Positions(dict[object, int]):
    """Value -> its number: 2i+1 for the i-th constant, 2i for a value just below it."""

    def __init__(self, constants: Iterable[FlatValue], ordered: bool) -> None:
        self.constants: list[FlatValue] = sorted(constants)
        self.ordered = ordered
        super().__init__((value, 2 * i + 1) for i, value in enumerate(self.constants))
        self[None] = MISSING

    def __missing__(self, value: FlatValue) -> int:
        # Not stored: the values facts bring have no end.
        return 2 * bisect_left(self.constants, value) if self.ordered else 0

    @property
    def top(self) -> int:
        return 2 * len(self.constants)


class Coder:
    """The sources of a list of tests, and the numbers they give for a fact."""

    def __init__(self, forms: Iterable[Group]) -> None:
        constants: dict[str, set[FlatValue]] = {}
        ordered: set[str] = set()
        pairs: dict[tuple[str, str], None] = {}
        for leaf in _leaves(forms):
            if leaf.ref is not None:
                pairs[_pair(leaf)] = None
                continue
            known = constants.setdefault(leaf.field, set())
            if leaf.value is not None:
                known.add(leaf.value)
            if leaf.op in ORDER:
                ordered.add(leaf.field)
        self._fields = [
            (name, _Positions(known, name in ordered)) for name, known in constants.items()
        ]
        self._pairs = list(pairs)
        self._field_source = {name: i for i, (name, _) in enumerate(self._fields)}
        self._pair_source = {pair: len(self._fields) + i for i, pair in enumerate(self._pairs)}
        self.tops = [positions.top for _, positions in self._fields] + [_GREATER] * len(pairs)
        """The largest number each source gives."""

    def key(self, fact: FlatFact) -> Key:
        """The fact's numbers.

        Raises:
            TypeError: a value is of a type its field does not have.
        """
        get = fact.get
        numbers = [positions[get(name)] for name, positions in self._fields]
        for left, right in self._pairs:
            a, b = get(left), get(right)
            if a is None or b is None:
                numbers.append(MISSING)
            elif a == b:
                numbers.append(_EQUAL)
            else:
                numbers.append(_LESS if a < b else _GREATER)  # type: ignore[operator]
        return tuple(numbers)

    def branches(self, literal: Literal) -> list[frozenset[Atom]]:
        """The literal as an "any" of "all"s of atoms."""
        atoms = self._atoms(literal.leaf)
        if literal.negated:
            return [frozenset((atom.negated(),)) for atom in atoms]
        return [frozenset(atoms)]

    def _atoms(self, leaf: Leaf) -> tuple[Atom, ...]:
        """The leaf as an "all" of atoms."""
        op = leaf.op
        if leaf.ref is not None:
            pair = _pair(leaf)
            source, here = self._pair_source[pair], _EQUAL
            mirrored = pair[0] != leaf.field
            compare = _MIRRORED[op] if mirrored else op
        else:
            source = self._field_source[leaf.field]
            if op == "exists":
                return (Atom(source, False, "gte", 0),)
            if op == "missing":
                return (Atom(source, False, "lt", 0),)
            here, compare = self._fields[source][1][leaf.value], op
        below_top = self.tops[source] - here
        if compare == "eq":
            return (Atom(source, False, "eq", here),)
        if compare == "ne":
            return (Atom(source, False, "neq", here), Atom(source, False, "gte", 0))
        if compare in ("gt", "gte"):
            return (Atom(source, False, "gte", here + (compare == "gt")),)
        return (Atom(source, True, "gte", below_top + (compare == "lt")),)


def _pair(leaf: Leaf) -> tuple[str, str]:
    """The two fields in one order, so that a < b and b > a share a source."""
    assert leaf.ref is not None
    return (leaf.field, leaf.ref) if leaf.field <= leaf.ref else (leaf.ref, leaf.field)


def _leaves(forms: Iterable[Group]) -> Iterable[Leaf]:
    waiting = list(forms)
    while waiting:
        for part in waiting.pop().parts:
            if isinstance(part, Literal):
                yield part.leaf
            else:
                waiting.append(part)


def column_texts(name: str, top: int, down: bool) -> list[str]:
    """For each number, and as last entry for missing (-1), the JSON of that property."""
    numbers = [*(range(top, -1, -1) if down else range(top + 1)), MISSING]
    return [f',"{name}":{number}' for number in numbers]
