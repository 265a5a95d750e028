"""Arithmetic on "how many of each": shortage, coverage and remainder without loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final


class Quantities(Mapping[str, int]):
    """An immutable map from SKU to a positive count. What is not in it counts as zero.

    ``a + b`` adds; ``a - b`` is what remains of `a` (never below zero); ``a & b`` is what both can
    give (the smaller of each). So with `want` and `have`: coverage is ``want & have``, shortage is
    ``want - have``, the remainder on the shelf is ``have - want``.
    """

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        kept: dict[str, int] = {}
        for sku, count in sorted((counts or {}).items()):
            if type(count) is not int:
                raise TypeError(f"quantity of {sku!r} must be an int")
            if count < 0:
                raise ValueError(f"quantity of {sku!r} is negative")
            if count:
                kept[sku] = count
        self._counts: Final = kept

    def __getitem__(self, sku: str) -> int:
        return self._counts.get(sku, 0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __contains__(self, sku: object) -> bool:
        return sku in self._counts

    def __add__(self, other: Mapping[str, int]) -> Quantities:
        return Quantities({sku: self[sku] + other.get(sku, 0) for sku in {*self._counts, *other}})

    def __sub__(self, other: Mapping[str, int]) -> Quantities:
        return Quantities(
            {sku: max(0, count - other.get(sku, 0)) for sku, count in self._counts.items()}
        )

    def __and__(self, other: Mapping[str, int]) -> Quantities:
        return Quantities(
            {sku: min(count, other.get(sku, 0)) for sku, count in self._counts.items()}
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Quantities):
            return self._counts == other._counts
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._counts.items()))

    def __repr__(self) -> str:
        return f"Quantities({self._counts!r})"

    @property
    def total(self) -> int:
        """Units of all SKUs together."""
        return sum(self._counts.values())
