"""Good plans where a tariff prices parcels: a table over whole lines, then single moves.

These are starting points for the exact walk, and the answer where that does not finish.
"""

from __future__ import annotations

from domcore.sourcing.planner.instance import Instance, Take, Units
from domcore.sourcing.planner.whole_lines import partition

# Pricing a node packs its lines several ways.
_STEPS_A_LINE = 4


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


def improve(instance: Instance, take: Take, step_limit: int) -> tuple[Take, int]:
    """Move one line's units from one node to another while that saves: ``(plan, steps)``.

    Costs are the true ones of the two nodes concerned; every line they ship is a step.
    """
    plan: list[dict[int, int]] = [{} for _ in instance.nodes]
    for node, line, units in take:
        plan[node][line] = plan[node].get(line, 0) + units
    room = [{line: units for line, units, _, _ in rows} for rows in instance.held]
    cost = [_cost(instance, node, units) for node, units in enumerate(plan)]
    used = sum(instance.counts[node] for node, units in enumerate(plan) if units)
    steps = 0
    moved = True
    while moved and steps < step_limit:
        moved = False
        for node, line in [(n, li) for n, m in enumerate(plan) for li in m]:
            # Moves since the sweep began may have taken these units, or brought further ones.
            units = plan[node].get(line, 0)
            if not units:
                continue
            for other, _, _, _ in instance.offers[line]:
                steps += 1
                if steps >= step_limit:
                    break
                if other == node or room[other][line] < units + plan[other].get(line, 0):
                    continue
                opens = instance.counts[other] if not plan[other] else 0
                closes = instance.counts[node] if len(plan[node]) == 1 else 0
                if instance.limit is not None and used + opens - closes > instance.limit:
                    continue
                there = {**plan[other], line: units + plan[other].get(line, 0)}
                here = {key: count for key, count in plan[node].items() if key != line}
                new = _cost(instance, other, there), _cost(instance, node, here)
                steps += _STEPS_A_LINE * (len(there) + len(here))
                if sum(new) < cost[other] + cost[node]:
                    plan[other], plan[node] = there, here
                    cost[other], cost[node] = new
                    used += opens - closes
                    moved = True
                    break
            if steps >= step_limit:
                break
    return sorted((n, li, u) for n, units in enumerate(plan) for li, u in units.items()), steps


def _cost(instance: Instance, node: int, units: dict[int, int]) -> int:
    return instance.node_cost(node, sorted(units.items())) if units else 0
