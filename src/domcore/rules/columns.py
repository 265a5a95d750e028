"""One fact of every node, asked as a whole: comparisons answer with a node mask.

A column keeps an index from value to mask and, for comparisons by size, the values in order with
the masks added up, so one comparison costs a lookup however many nodes there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from domcore.rules.tree import Leaf, holds


class Column:
    """Values by node position; None, and a position that is left out, are missing."""

    __slots__ = ("_index", "_present", "_sums", "_values", "values")

    def __init__(self, values: dict[int, Any]) -> None:
        self.values = values
        self._index: dict[Any, int] | None = None
        self._present: int | None = None
        self._values: list[Any] | None = None
        self._sums: list[int] = []

    def put(self, position: int, value: Any) -> None:
        """Replace the value of one node."""
        old = self.values.get(position)
        if old == value:
            return
        self.values[position] = value
        self._values = self._present = None
        if self._index is not None:
            bit = 1 << position
            for key in _keys(old):
                self._index[key] &= ~bit
            for key in _keys(value):
                self._index[key] = self._index.get(key, 0) | bit

    def compare(self, op: str, value: Any) -> int:
        """Nodes whose value stands in relation `op` to `value`; with None, no node."""
        if value is None:
            return 0
        if op == "eq":
            return self._masks().get(value, 0)
        if op == "ne":
            return self.present & ~self._masks().get(value, 0)
        ordered = self._ordered()
        cut = (bisect_left if op in ("lt", "gte") else bisect_right)(ordered, value)
        below = self._sums[cut]
        return below if op in ("lt", "lte") else self._sums[-1] & ~below

    def among(self, values: Iterable[Any] | None) -> int:
        """Nodes whose value (or one of whose texts) is one of `values`."""
        mask, index = 0, self._masks()
        for value in values or ():
            mask |= index.get(value, 0)
        return mask

    def probe(self, leaf: Leaf) -> int:
        """Nodes for whose value a leaf with a constant is true."""
        mask = 0
        for value, nodes in self._masks().items():
            if holds(leaf, value, None):
                mask |= nodes
        return mask

    @property
    def present(self) -> int:
        """Nodes that have a value at all (for lists: that have the fact)."""
        if self._present is None:
            self._present = sum(
                1 << position for position, value in self.values.items() if value is not None
            )
        return self._present

    def _masks(self) -> dict[Any, int]:
        if self._index is None:
            index: dict[Any, int] = {}
            self._index = index
            for position, value in self.values.items():
                bit = 1 << position
                for key in _keys(value):
                    index[key] = index.get(key, 0) | bit
        return self._index

    def _ordered(self) -> list[Any]:
        if self._values is None:
            index = self._masks()
            self._values = sorted(index)
            total, self._sums = 0, [0]
            for value in self._values:
                total |= index[value]
                self._sums.append(total)
        return self._values


def paired(leaf: Leaf, left: Mapping[int, Any], right: Mapping[int, Any]) -> int:
    """Nodes for which a leaf between two columns is true."""
    mask = 0
    for position, value in left.items():
        if holds(leaf, value, right.get(position)):
            mask |= 1 << position
    return mask


def _keys(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)
