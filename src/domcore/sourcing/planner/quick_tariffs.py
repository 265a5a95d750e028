"""Weight tariffs without a search: orders of single units, and orders of one line.

Single units cannot be split, so a table over line sets is exact for any price of a parcel; a node
that appears twice ships two parcels. One line needs a table over its units only.
"""

from __future__ import annotations

from domcore.sourcing.planner.answer import nothing, parcels_answer, single_line
from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.planner.whole_lines import MOST_LINES, partition

MOST_UNITS = 24
"""Units of one line up to which the table over units is used."""


def quick_tariff_answer(problem: Problem) -> Solution | None:
    """The proven optimum, or None where it takes a search. Only at cost alone."""
    count = len(problem.quantities)
    if problem.opened or not 0 < count <= MOST_LINES:
        return None
    if all(quantity == 1 for quantity in problem.quantities):
        return _single_units(problem)
    return _one_line(problem) if count == 1 else None


def _single_units(problem: Problem) -> Solution | None:
    """The cheapest partition of the lines into parcels; None where a line has no holder."""
    held: dict[int, list[tuple[int, int, int]]] = {}
    bit = 1
    for grams, row in zip(problem.weights, problem.offers, strict=True):
        for node, available, touch, each in row:
            if available > 0:
                held.setdefault(node, []).append((bit, grams, touch + each))
        bit <<= 1
    group = [-1] * bit
    owner = [-1] * bit
    for node in sorted(held):
        sets = [(0, 0, problem.parcel[node])]
        for line, grams, extra in held[node]:
            sets += [(mask | line, load + grams, cost + extra) for mask, load, cost in sets]
        tariff = problem.tariffs.get(node)
        for mask, load, cost in sets:
            if tariff is not None:
                cost += tariff.price(load)
            if mask and (cost < group[mask] or group[mask] < 0):
                group[mask] = cost
                owner[mask] = node
    if any(group[1 << line] < 0 for line in range(len(problem.quantities))):
        return None
    cost, parts = partition(group)
    nodes = {owner[part] for part in parts}
    if problem.max_nodes is not None and len(nodes | problem.used) > problem.max_nodes:
        return None
    return parcels_answer(problem, [(owner[part], part) for part in parts], cost)


def _one_line(problem: Problem) -> Solution | None:
    """The cheapest way to take the line's units from its holders, node by node."""
    quantity = problem.quantities[0]
    held = [offer for offer in problem.offers[0] if offer[1] > 0]
    need = min(quantity, sum([offer[1] for offer in held]))
    if not need or (need < quantity and problem.ship_complete):
        return nothing(problem, proven=True, method="nothing to place")
    if need > MOST_UNITS:
        return None
    # By units placed so far: cost and the chain of (node, units); -1: out of reach.
    chains: list[tuple[int, tuple[tuple[int, int], ...]]] = [(-1, ())] * (need + 1)
    chains[0] = (0, ())
    for node, available, touch, each in held:
        prices = _prices(problem, node, min(available, need), touch, each)
        for placed in range(need, 0, -1):
            least, chain = chains[placed]
            for units in range(1, min(available, placed) + 1):
                before, earlier = chains[placed - units]
                total = before + prices[units]
                if before >= 0 and (least < 0 or total < least):
                    least, chain = total, (*earlier, (node, units))
            chains[placed] = (least, chain)
    cost, taken = chains[need]
    nodes = {node for node, _ in taken}
    if problem.max_nodes is not None and len(nodes | problem.used) > problem.max_nodes:
        return None
    return single_line(problem, taken, cost)


def _prices(problem: Problem, node: int, most: int, touch: int, each: int) -> list[int]:
    """What 0 to `most` units of the only line cost at a node."""
    tariff = problem.tariffs.get(node)
    fixed = problem.parcel[node] + touch
    if tariff is None:
        return [fixed + each * units for units in range(most + 1)]
    grams = problem.weights[0]
    return [fixed + each * units + tariff.price(grams * units) for units in range(most + 1)]
