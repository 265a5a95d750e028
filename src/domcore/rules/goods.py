"""What nodes have of an order's lines: candidate facts of goods, in two readings.

* Physical: on hand, not reserved and not blocked.
* What may be taken: above the floors (safety stock and what rules protect), and after the other
  open lines of the same SKU, since units of one SKU are alike and cannot be given twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domcore.rules.request import OpenLine, Request

Floor = tuple[int, int, int]
"""Line or -1 for all, node mask, units: see `domcore.model.Terms`."""

FLOORED: Final = frozenset(
    {
        "candidate.available",
        "candidate.covers_line",
        "candidate.covers_order",
        "candidate.lines_covered",
    }
)
"""Facts of what may be taken: they are known once every `protect` has spoken."""

PHYSICAL: Final = frozenset({"candidate.physical", "candidate.holds_line", "candidate.holds_order"})


class Goods:
    """The facts of some nodes for one request.

    Args:
        positions: the nodes that matter.
        floors: what rules protect, as far as it is known.
    """

    __slots__ = ("_floors", "_positions", "_request", "_same")

    def __init__(
        self, request: Request, positions: Sequence[int], floors: Sequence[Floor] = ()
    ) -> None:
        self._request: Final = request
        self._positions: Final = positions
        self._floors: Final = floors
        by_sku: dict[str, list[int]] = {}
        for number, line in enumerate(request.lines):
            by_sku.setdefault(line.line.sku, []).append(number)
        self._same: Final = [by_sku[line.line.sku] for line in request.lines]

    def values(self, name: str, number: int) -> dict[int, int]:
        """One fact by node position, for the line of that number where it differs by line."""
        if name == "candidate.physical":
            return self._physical(number)
        if name == "candidate.available":
            return self._available(number)
        if name in ("candidate.holds_line", "candidate.covers_line"):
            units = self._units(name, number)
            return _reached(units, self._wanted(name, number))
        covered = dict.fromkeys(self._positions, 0)
        for each in range(len(self._request.lines)):
            found = _reached(self._units(name, each), self._wanted(name, each))
            for at, reached in found.items():
                covered[at] += reached
        if name == "candidate.lines_covered":
            return covered
        return _reached(covered, len(self._request.lines))

    def _units(self, name: str, number: int) -> dict[int, int]:
        return self._physical(number) if name in PHYSICAL else self._available(number)

    def _wanted(self, name: str, number: int) -> int:
        """What the line needs; physically, lines of one SKU need the sum of them."""
        lines: Sequence[OpenLine] = self._request.lines
        if name not in PHYSICAL:
            return lines[number].open
        return sum(lines[each].open for each in self._same[number])

    def _physical(self, number: int) -> dict[int, int]:
        available = self._request.available
        if number >= len(available):
            return dict.fromkeys(self._positions, 0)
        units = available[number].get
        return {at: units(at, 0) for at in self._positions}

    def _available(self, number: int) -> dict[int, int]:
        """Physical units less the floor and what the other lines of the SKU ask for."""
        found = self._physical(number)
        same, safety = self._same[number], self._request.safety
        kept = safety[number].get if number < len(safety) else None
        floors = [(mask, units) for line, mask, units in self._floors if line < 0 or line in same]
        others = sum(self._request.lines[each].open for each in same if each != number)
        if kept is None and not (floors or others):
            return found
        for at in found:
            floor = 0 if kept is None else kept(at, 0)
            for mask, units in floors:
                if units > floor and mask >> at & 1:
                    floor = units
            found[at] = max(0, found[at] - floor - others)
        return found


def _reached(units: dict[int, int], wanted: int) -> dict[int, int]:
    """1 or 0, as True and False."""
    return {at: some >= wanted for at, some in units.items()}
