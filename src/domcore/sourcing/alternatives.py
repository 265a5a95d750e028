"""What it would have cost to use a node that was not chosen."""

from __future__ import annotations

from attrs import evolve

from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.planner.solve import solve


def cheapest_with(problem: Problem, at: int, *, step_limit: int) -> Solution | None:
    """The best plan in which node `at` ships as much as it can of some line; None if it cannot.

    Each line that the node offers is given to it in turn, the rest of the order is planned anew
    around that, and the best of these plans is returned.
    """
    best: Solution | None = None
    for line, offers in enumerate(problem.offers):
        own = next((offer for offer in offers if offer[0] == at), None)
        wanted = problem.quantities[line]
        if own is None or not wanted:
            continue
        forced = _forced(problem, line, own, wanted)
        solution = _as_one(solve(forced, step_limit=step_limit), len(problem.quantities), line)
        if not any(node == at for node, _, _ in solution.take):
            continue
        if best is None or _rank(problem, solution) < _rank(problem, best):
            best = solution
    return best


def terms_of(problem: Problem, solution: Solution) -> dict[str, int]:
    """What a solution is judged by, most important first: short units, objective, then cost."""
    values = {
        "short": sum(solution.short),
        "cost": solution.cost,
        "parcels": len(solution.parcels),
        "nodes": len({node for node, _, _ in solution.take} - set(problem.opened) - problem.used),
    }
    return {name: values[name] for name in ("short", *problem.objective, "cost")}


def _forced(problem: Problem, line: int, own: tuple[int, int, int, int], wanted: int) -> Problem:
    """The line's units that the node can give are offered by it alone; others give the rest."""
    given = min(own[1], wanted)
    quantities = list(problem.quantities)
    offers = [list(row) for row in problem.offers]
    weights = list(problem.weights)
    quantities[line] = given
    rest = [offer for offer in offers[line] if offer[0] != own[0]]
    offers[line] = [own]
    if wanted > given:
        quantities.append(wanted - given)
        offers.append(rest)
        if weights:
            weights.append(weights[line])
    return evolve(problem, quantities=tuple(quantities), offers=offers, weights=tuple(weights))


def _as_one(solution: Solution, extra: int, line: int) -> Solution:
    """Units of the extra line belong to the line that was split in two."""
    if len(solution.short) == extra:
        return solution
    short = list(solution.short[:extra])
    short[line] += solution.short[extra]
    take = [(at, line if each == extra else each, units) for at, each, units in solution.take]
    return evolve(solution, take=tuple(sorted(take)), short=tuple(short))


def _rank(problem: Problem, solution: Solution) -> tuple[int, ...]:
    return tuple(terms_of(problem, solution).values())
