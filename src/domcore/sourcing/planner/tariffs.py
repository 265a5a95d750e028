"""Plans at true weight tariffs.

1. The whole-line table over parcels (the greedy cover where a line has no full holder).
2. Prices by dual ascent at the tariffs' straight lines, then the walk at the true costs.
3. Where that is too wide: the best plan at the straight lines, single moves at the true costs,
   and the walk again.
"""

from __future__ import annotations

from domcore.sourcing.planner.duals import ascend
from domcore.sourcing.planner.instance import Instance
from domcore.sourcing.planner.labels import walk
from domcore.sourcing.planner.linear import FIRST_WALK, Found, linear_plan
from domcore.sourcing.planner.open_sets import greedy_cover
from domcore.sourcing.planner.parcels import improve, whole_line_parcels
from domcore.sourcing.planner.subgradient import tighten
from domcore.sourcing.planner.whole_lines import MOST_LINES


def tariff_plan(instance: Instance, step_limit: int) -> Found:
    """The best plan at the true tariffs, exactly as far as the steps reach."""
    short_allowed = instance.limit is not None
    ceiling = instance.penalty if short_allowed else None
    dual = ascend(instance, instance.opening, ceiling=ceiling)
    steps = dual.steps
    take = greedy_cover(instance)
    cost = instance.cost(take)
    if len(instance.need) <= MOST_LINES:
        parcels = whole_line_parcels(instance)
        if parcels is not None and instance.allows(parcels):
            cost, take = min((instance.cost(parcels), parcels), (cost, take))
        walked = walk(instance, dual, cost, short_allowed, min(FIRST_WALK, step_limit - steps))
        steps += walked.steps
        if walked.take is not None:
            cost, take = walked.cost, walked.take
        if walked.finished:
            return Found(take, cost, cost, "walk", steps)
    linear = linear_plan(instance, (step_limit - steps) // 2)
    steps += linear.steps
    floor = max(linear.floor, dual.floor)
    for start in (take, linear.take):
        better, more = improve(instance, start, step_limit // 8)
        steps += more
        cost, take = min((instance.cost(better), better), (cost, take))
    if cost > floor:
        dual = tighten(instance, dual, cost, ceiling, step_limit // 4)
        steps += dual.steps
        floor = max(floor, dual.floor)
    if cost <= floor or steps >= step_limit:
        return Found(take, cost, min(floor, cost), "descent", steps)
    walked = walk(instance, dual, cost, short_allowed, step_limit - steps)
    if walked.take is not None:
        cost, take = walked.cost, walked.take
    method = "walk" if walked.finished else "descent"
    return Found(take, cost, max(floor, walked.bound), method, steps + walked.steps)
