"""A good plan where a tariff prices parcels: a table over whole lines.

It is where the exact walk starts from.
"""

from __future__ import annotations

from domcore.sourcing.planner.instance import Instance, Take, Units
from domcore.sourcing.planner.whole_lines import partition


def whole_line_parcels(instance: Instance) -> Take | None:
    """The cheapest whole-line plan, every group a parcel of its own at the true tariff.

    The same recursion as for fixed parcel costs, for any price of a parcel: a node that appears
    twice ships two parcels. Joining open parcels is left to the pricing of the plan. None where
    some line has no full holder.
    """
    size = 1 << len(instance.need)
    group = [-1] * size
    owner = [-1] * size
    for node, rows in enumerate(instance.held):
        sets: list[tuple[int, Units, int]] = [(0, [], 0)]
        packer = instance.packers[node]
        for line, available, touch, each in rows:
            need = instance.need[line]
            if available >= need:
                extra = touch + need * (instance.true_unit[node][line] if packer else each)
                sets += [
                    (mask | 1 << line, [*units, (line, need)], cost + extra)
                    for mask, units, cost in sets
                ]
        opening = instance.counts[node] * instance.weight["nodes"]
        for mask, units, cost in sets[1:]:
            cost += packer.single(units) + opening if packer else instance.opening[node]
            if group[mask] < 0 or cost < group[mask]:
                group[mask] = cost
                owner[mask] = node
    if any(group[1 << line] < 0 for line in range(len(instance.need))):
        return None
    _, parts = partition(group)
    return sorted(
        (owner[part], line, need)
        for part in parts
        for line, need in enumerate(instance.need)
        if part >> line & 1
    )
