"""What one node may contribute: every set of units that can still be part of a better plan.

A column is ``(reduced cost, packed units)``: the node's true cost of those units less their
price, against the best the node could do at these prices. Units are packed into one integer, a
bit field a line with a guard bit above it, so that "fits into what is still needed" is one
subtraction and one mask (`Layout`).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from domcore.sourcing.planner.duals import Dual
from domcore.sourcing.planner.instance import Instance, Units
from domcore.sourcing.planner.packing import Segment
from domcore.sourcing.planner.steps import Row, bounds_of, true_rows

Column = tuple[int, int]


@frozen(slots=True)
class Layout:
    """Where each line's units sit in a packed integer; the last field is the nodes still free."""

    shifts: tuple[int, ...]
    guards: int
    goal: int
    lines: int

    @classmethod
    def of(cls, need: Sequence[int], limit: int | None) -> Layout:
        """Fields wide enough for `need` and, last, for `limit` nodes."""
        shifts = []
        at = guards = goal = 0
        for units in [*need, limit or 0]:
            shifts.append(at)
            goal |= units << at
            at += units.bit_length()
            guards |= 1 << at
            at += 1
        return cls(tuple(shifts), guards, goal, (1 << shifts[-1]) - 1)

    def unpack(self, packed: int) -> Units:
        """``[(line, units)]`` of a packed integer, lines without units left out."""
        ends = [*self.shifts[1:], 0]
        units = []
        for line, shift in enumerate(self.shifts[:-1]):
            count = (packed >> shift) & ((1 << (ends[line] - shift)) - 1)
            if count:
                units.append((line, count))
        return units


def columns(
    instance: Instance,
    layout: Layout,
    node: int,
    dual: Dual,
    gap: int,
    most: int,
    segments: list[Segment] | None = None,
) -> list[Column] | None:
    """The node's columns of reduced cost below `gap`; None if they are more than `most`.

    A column's reduced cost is taken against the best the node can do. `segments` are the pieces
    of the node's price by load; None: its straight line, on which it costs what it costs.
    """
    shift = min(0, dual.slack[node])
    room = gap + shift
    if segments is None:
        rows = [(line, units, touch, each, 0) for line, units, touch, each in instance.held[node]]
        pieces: list[Segment] = [(0, 0, instance.opening[node], 0, instance.packers[node] is None)]
    else:
        rows = true_rows(instance, node)
        pieces = segments
    found: list[Column] = []
    bounds = bounds_of(pieces, rows, dual.prices)
    for piece, bound in zip(pieces, bounds, strict=True):
        if bound >= room:
            continue
        grown = _on_piece(layout, piece, rows, dual.prices, room, most - len(found))
        if grown is None:
            return None
        if not piece[4]:
            grown = _true_columns(instance, layout, node, dual.prices, room, grown)
        found += grown
    if shift:
        found = [(cost - shift, key) for cost, key in found]
    if instance.limit is not None and instance.counts[node]:
        one = 1 << layout.shifts[-1]
        found = [(cost, key | one) for cost, key in found]
    return found


def _on_piece(
    layout: Layout,
    piece: Segment,
    rows: Sequence[Row],
    prices: Sequence[int],
    gap: int,
    most_columns: int,
) -> list[Column] | None:
    """All sets of units whose load is on one piece of the price and whose cost is below `gap`."""
    low, most, start, rate, _ = piece
    lines = []
    start -= rate * low
    rest = ahead = 0
    for line, units, touch, each, grams in rows:
        weight = grams // units
        margin = each + rate * weight - prices[line]
        best = touch + margin * units
        if best > 0:
            best = 0
        rest += best
        ahead += grams
        lines.append((layout.shifts[line], units, touch, margin, best, weight))
    if start + rest >= gap or ahead < low:
        return []
    found = [(start, 0, 0)]
    for at, units, touch, margin, best, weight in lines:
        # What the lines still to come may save at most: keep only what can end below the gap,
        # and only loads that can still end on this piece.
        rest -= best
        ahead -= weight * units
        room = gap - rest
        grown = [one for one in found if one[0] < room and one[2] + ahead >= low]
        for count in _counts(units, margin, room - touch - min(found)[0]):
            extra = touch + margin * count
            part = count << at
            load = weight * count
            below, above = room - extra, most - load
            short = low - load - ahead
            grown += [
                (cost + extra, key + part, grams + load)
                for cost, key, grams in found
                if cost < below and short <= grams <= above
            ]
            if len(grown) > most_columns:
                return None
        found = grown
        if not found:
            return []
    return [(cost, key) for cost, key, _ in found if key]


def _counts(units: int, margin: int, spare: int) -> range:
    """The counts up to `units` for which ``margin * count < spare``."""
    if margin > 0:
        return range(1, min(units, (spare - 1) // margin) + 1)
    if margin < 0:
        return range(max(1, spare // margin + 1), units + 1)
    return range(1, units + 1) if spare > 0 else range(0)


def _true_columns(
    instance: Instance,
    layout: Layout,
    node: int,
    prices: Sequence[int],
    gap: int,
    found: list[Column],
) -> list[Column]:
    """The same columns at the node's tariff instead of the line below it."""
    exact = []
    for _, key in found:
        units = layout.unpack(key)
        cost = instance.node_cost(node, units)
        cost -= sum(prices[line] * count for line, count in units)
        if cost < gap:
            exact.append((cost, key))
    return exact


def lift(layout: Layout, by_node: list[list[Column]]) -> tuple[int, list[list[Column]]]:
    """Raise prices as far as the columns themselves allow, line by line: ``(bound gained, same)``.

    Columns that were dropped cannot be part of a better plan, so prices that are feasible for the
    rest still bound every better plan. Only where no node has negative slack.
    """
    gained = 0
    for line, shift in enumerate(layout.shifts[:-1]):
        mask = (1 << (layout.shifts[line + 1] - shift)) - 1
        room = -1
        for found in by_node:
            for cost, key in found:
                units = (key >> shift) & mask
                if units and (room < 0 or cost < room * units):
                    room = cost // units
                    if not room:
                        break
            if not room:
                break
        if room > 0:
            gained += room * ((layout.goal >> shift) & mask)
            by_node = [
                [(cost - room * ((key >> shift) & mask), key) for cost, key in found]
                for found in by_node
            ]
    return gained, by_node
