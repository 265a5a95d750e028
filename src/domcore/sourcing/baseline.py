"""What routing every item to its nearest node would cost: the yardstick of a plan's saving."""

from __future__ import annotations

from domcore.sourcing.decide import Working
from domcore.sourcing.outcome import parcels_of
from domcore.sourcing.passes import Box


def nearest_node_cost(working: Working) -> int | None:
    """Micros for the same order, item by item from the nearest node that may ship it.

    Same stock, same policy, same rates; one parcel per node. None where it would place other
    units than the plan does, so the two cannot be compared.
    """
    if len(working.passes) != 1:
        return None
    seen, asked = working.seen, working.passes[0]
    taken: dict[int, dict[int, int]] = {}
    placed = 0
    for number, offers in enumerate(asked.problem.offers):
        wanted = asked.problem.quantities[number]
        for at, units, _, _ in sorted(offers, key=lambda offer: (seen.distances[offer[0]], offer)):
            some = min(units, wanted)
            if some <= 0:
                continue
            taken.setdefault(at, {})[number] = some
            wanted -= some
            placed += some
    if placed != sum(units for _, _, units in asked.solution.take):
        return None
    boxes = [Box(at, units) for at, units in sorted(taken.items())]
    supply = working.question.supply
    return sum(parcel.cost for parcel in parcels_of(seen, supply, working.prices, boxes))
