"""One line over a given set of open nodes: a knapsack cover with fixed charges.

For a fixed choice of touched nodes the units are cheapest taken in ascending unit cost, so every
touched node but the dearest gives all it has. Walking the rows in that order, a state is
``(units covered, cost)`` with full nodes only, and only states not beaten in both are kept; the
last node gives what is left. Exact for any quantity, without a table over units, unless more than
`MOST_STATES` states are worth keeping: then the most promising stay, and the floor says so.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import Any

Row = tuple[int, int, int, int]
"""``(per unit, micros if touched, units, node)``: sorted, it is the order of the walk."""

MOST_STATES = 1_000
"""States kept beyond a row."""

_MANY_STATES = 32

_State = tuple[int, int, Any]
"""``(units covered, cost, chain of what was taken)``."""


def cover(need: int, rows: list[Row], penalty: int) -> tuple[int, list[tuple[int, int]], int]:
    """The cheapest way to take `need` units: ``(cost, [(node, units)], proven floor)``.

    `rows` ascend; every unit left short costs `penalty`, which is above every unit's cost.
    """
    best = floor = need * penalty
    chain: Any = None
    front: list[_State] = [(0, 0, None)]
    for at, (unit, fixed, units, node) in enumerate(rows):
        if len(front) > _MANY_STATES:
            front, dropped = _promising(front, rows[at:], need, best, penalty)
            floor = min(floor, dropped)
        grown = []
        for covered, cost, taken in front:
            left = need - covered
            total = cost + fixed
            if units >= left:
                total += unit * left
                if total < best:
                    best, chain = total, (taken, node, left)
                continue
            total += unit * units
            left -= units
            if total + left * penalty < best:
                best, chain = total + left * penalty, (taken, node, units)
            if total + left * unit < best:
                grown.append((covered + units, total, (taken, node, units)))
        if grown:
            front = _undominated(front + grown)
    taken_units = []
    while chain is not None:
        chain, node, units = chain
        taken_units.append((node, units))
    return best, taken_units, min(best, floor)


def _undominated(front: list[_State]) -> list[_State]:
    """Only states that no other one beats or equals in both units and cost."""
    front.sort(key=lambda state: (-state[0], state[1]))
    kept: list[_State] = []
    for state in front:
        if not kept or state[1] < kept[-1][1]:
            kept.append(state)
    return kept


def _promising(
    front: list[_State], rows: list[Row], need: int, best: int, penalty: int
) -> tuple[list[_State], int]:
    """The states that can still beat `best`, at most `MOST_STATES`, and a floor on the others.

    What is left costs at least what it does when a node's touch is spread over all its units and
    nodes may give any part of them.
    """
    spread = sorted([(unit + fixed // units, units) for unit, fixed, units, _ in rows])
    held = [0, *accumulate([units for _, units in spread])]
    paid = [0, *accumulate([each * units for each, units in spread])]
    ranked = []
    for number, (covered, cost, _) in enumerate(front):
        left = need - covered
        full = bisect_left(held, left) - 1
        each = spread[full][0] if full < len(spread) else penalty
        least = cost + paid[full] + each * (left - held[full])
        if least < best:
            ranked.append((least, number))
    ranked.sort()
    dropped = ranked[MOST_STATES:]
    kept = sorted([number for _, number in ranked[:MOST_STATES]])
    return [front[number] for number in kept], dropped[0][0] if dropped else best
