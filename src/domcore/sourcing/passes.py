"""One or two passes of the planner: all rules first, then what is short without the soft ones."""

from __future__ import annotations

from attrs import define

from domcore.model import Policy, Terms
from domcore.sourcing.assemble import Prices, assemble
from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.planner.solve import solve
from domcore.sourcing.question import Options
from domcore.sourcing.supply import Supply
from domcore.sourcing.survey import Survey


@define(slots=True)  # not frozen: every order builds one, and that doubles the cost
class Pass:
    """One run of the planner: under which terms, what was asked, what it answered."""

    terms: Terms
    problem: Problem
    solution: Solution


@define(slots=True)
class Box:
    """A parcel while it is being filled: units by pool, and which pass opened it."""

    at: int
    units: dict[int, int]


def run_passes(
    seen: Survey, supply: Supply, policy: Policy, prices: Prices, options: Options
) -> tuple[list[Pass], list[Box]]:
    """Plan the order under the policy; what comes out as boxes is what will be shipped.

    First-pass allocations stand; in the second pass their parcels are free to join and their
    nodes count.
    """
    wanted = [pool.quantity for pool in seen.pools]
    problem = assemble(seen, supply, policy.first, prices, options.objective, wanted, {}, {})
    solution = solve(problem, step_limit=options.step_limit)
    passes = [Pass(policy.first, problem, solution)]
    boxes: list[Box] = []
    _fill(boxes, solution)
    if policy.second is not None and any(solution.short):
        taken = {(pool, at): units for at, pool, units in solution.take}
        opened = {box.at: _grams(seen, box) for box in boxes}
        problem = assemble(
            seen,
            supply,
            policy.second,
            prices,
            options.objective,
            solution.short,
            taken,
            opened,
        )
        solution = solve(problem, step_limit=options.step_limit)
        passes.append(Pass(policy.second, problem, solution))
        _fill(boxes, solution)
    return passes, boxes


def _fill(boxes: list[Box], solution: Solution) -> None:
    units = {(at, pool): count for at, pool, count in solution.take}
    last = {box.at: box for box in boxes}
    for at, pools in solution.joined:
        contents = last[at].units
        for pool in pools:
            contents[pool] = contents.get(pool, 0) + units[at, pool]
    for at, pools in solution.parcels:
        boxes.append(Box(at, {pool: units[at, pool] for pool in pools}))


def _grams(seen: Survey, box: Box) -> int:
    return sum(seen.pools[pool].item.weight * units for pool, units in box.units.items())
