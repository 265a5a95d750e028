"""One or two passes of the planner: all rules first, then what is short without the soft ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define

from domcore.model import Policy, Terms
from domcore.sourcing.assemble import Prices, assemble
from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.planner.solve import solve
from domcore.sourcing.question import Options, Past
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
    seen: Survey,
    supply: Supply,
    policy: Policy,
    prices: Prices,
    options: Options,
    past: Past | None = None,
) -> tuple[list[Pass], list[Box]]:
    """Plan the order under the policy; what comes out as boxes is what will be shipped.

    First-pass allocations stand; in the second pass their parcels are free to join and their
    nodes count. Where that leaves units short which a plan without the soft rules from the start
    would place, that plan is the answer: what is soft gives way, what is hard does not. Where both
    place as much, the first one keeps more of the soft rules.
    """
    wanted = [pool.quantity for pool in seen.pools]
    asked = (seen, supply, prices, options, past)
    first = _run(*asked, policy.first, wanted, {}, {})
    passes, boxes = [first], _fill([], first.solution)
    if policy.second is None or not any(first.solution.short):
        return passes, boxes
    taken = {(pool, at): units for at, pool, units in first.solution.take}
    opened = {box.at: _grams(seen, box) for box in boxes}
    passes.append(_run(*asked, policy.second, first.solution.short, taken, opened))
    _fill(boxes, passes[1].solution)
    if taken and any(passes[1].solution.short):
        afresh = _run(*asked, policy.second, wanted, {}, {})
        if sum(afresh.solution.short) < sum(passes[1].solution.short):
            return [afresh], _fill([], afresh.solution)
    return passes, boxes


def _run(
    seen: Survey,
    supply: Supply,
    prices: Prices,
    options: Options,
    past: Past | None,
    terms: Terms,
    wanted: Sequence[int],
    taken: Mapping[tuple[int, int], int],
    opened: Mapping[int, int],
) -> Pass:
    """Plan so many units a pool, beside what an earlier pass has taken and opened."""
    problem = assemble(seen, supply, terms, prices, options.objective, wanted, taken, opened, past)
    return Pass(terms, problem, solve(problem, step_limit=options.step_limit))


def _fill(boxes: list[Box], solution: Solution) -> list[Box]:
    """Put what a pass takes into its parcels, and into those it joins."""
    units = {(at, pool): count for at, pool, count in solution.take}
    last = {box.at: box for box in boxes}
    for at, pools in solution.joined:
        contents = last[at].units
        for pool in pools:
            contents[pool] = contents.get(pool, 0) + units[at, pool]
    for at, pools in solution.parcels:
        boxes.append(Box(at, {pool: units[at, pool] for pool in pools}))
    return boxes


def _grams(seen: Survey, box: Box) -> int:
    return sum(seen.pools[pool].item.weight * units for pool, units in box.units.items())
