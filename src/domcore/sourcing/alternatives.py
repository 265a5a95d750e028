"""What it would have cost to use a node that was not chosen.

Asked about every candidate, this must not cost a planning each: all but the node somebody asks
about are planned among few nodes, those of the plan and the best at hand of each line.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

from domcore.sourcing.planner.problem import Offer, Problem, Solution
from domcore.sourcing.planner.solve import solve

AT_HAND: Final = 3
"""Nodes of each line, besides those of the plan, that a quick look plans with."""

QUICK_LINES: Final = 3
"""Lines that a quick look gives to the node in turn."""

QUICK_SHARE: Final = 20
"""A quick look takes this part of the step budget for each of them."""

FULL_LINES: Final = 6
"""Lines that a whole look gives to the node in turn."""


@frozen(slots=True)
class Alternative:
    """The best plan found that uses a node, None where none was; `proven` says that there is no
    better one."""

    solution: Solution | None
    proven: bool


class Alternatives:
    """Plans that use a node which was not chosen, for one pass of the planner.

    In them the node ships as much as it can of some line: each line that it offers is given to it
    in turn, the rest of the order is planned anew around that, and the best of these plans counts.
    """

    def __init__(self, problem: Problem, solution: Solution, *, step_limit: int) -> None:
        """Args: solution: the plan of the pass; step_limit: its budget."""
        self._problem = problem
        self._limit = step_limit
        self._solution = solution
        self._core: frozenset[int] | None = None
        self._now = _unit_costs(problem, solution)

    def glance(self, at: int) -> Alternative:
        """A plan with the node among few others."""
        if self._core is None:
            self._core = frozenset(self._at_hand())
        nodes = self._core | {at}
        offers = [[each for each in row if each[0] in nodes] for row in self._problem.offers]
        fewer = sum(map(len, offers)) < sum(map(len, self._problem.offers))
        limit = max(1, self._limit // QUICK_SHARE)
        found = self._best(evolve(self._problem, offers=offers), at, QUICK_LINES, limit)
        return evolve(found, proven=False) if fewer else found

    def look(self, at: int) -> Alternative:
        """The best plan with the node among all nodes."""
        return self._best(self._problem, at, FULL_LINES, self._limit)

    def _best(self, problem: Problem, at: int, most: int, limit: int) -> Alternative:
        own = self._lines(problem, at)
        best: Solution | None = None
        proven = len(own) <= most
        for line, offer in own[:most]:
            forced = _forced(problem, line, offer, problem.quantities[line])
            solution = _as_one(solve(forced, step_limit=limit), len(problem.quantities), line)
            proven = proven and solution.proven
            if not any(node == at for node, _, _ in solution.take):
                continue
            if best is None or _rank(problem, solution) < _rank(problem, best):
                best = solution
        return Alternative(best, proven)

    def _lines(self, problem: Problem, at: int) -> list[tuple[int, Offer]]:
        """The lines a node offers, first those where its units cost least more than they do now."""
        found: list[tuple[int, int, Offer]] = []
        for line, row in enumerate(problem.offers):
            own = next((offer for offer in row if offer[0] == at), None)
            given = 0 if own is None else min(own[1], problem.quantities[line])
            if own is not None and given:
                more = own[2] + own[3] * given - self._now[line] * given
                found.append((more, line, own))
        return [(line, own) for _, line, own in sorted(found)]

    def _at_hand(self) -> set[int]:
        """The nodes of the plan, and of each line those that could ship it alone for least."""
        problem = self._problem
        nodes = {at for at, _, _ in self._solution.take}
        for line, row in enumerate(problem.offers):
            wanted = problem.quantities[line]
            ranked = sorted(
                (-min(units, wanted), problem.parcel[at] + touch + each * wanted, at)
                for at, units, touch, each in row
            )
            nodes.update(at for _, _, at in ranked[:AT_HAND])
        return nodes


def terms_of(problem: Problem, solution: Solution) -> dict[str, int]:
    """What a solution is judged by, most important first: short units, objective, then cost."""
    values = {
        "short": sum(solution.short),
        "cost": solution.cost,
        "parcels": len(solution.parcels),
        "nodes": len({node for node, _, _ in solution.take} - set(problem.opened) - problem.used),
    }
    return {name: values[name] for name in ("short", *problem.objective, "cost")}


def _unit_costs(problem: Problem, solution: Solution) -> list[int]:
    """What a unit of each line costs now, parcels shared out by units."""
    packed: dict[int, int] = {}
    for at, _, units in solution.take:
        packed[at] = packed.get(at, 0) + units
    costs, counts = [0] * len(problem.quantities), [0] * len(problem.quantities)
    for at, line, units in solution.take:
        _, _, touch, each = next(offer for offer in problem.offers[line] if offer[0] == at)
        costs[line] += touch + each * units + problem.parcel[at] * units // packed[at]
        counts[line] += units
    return [cost // count if count else 0 for cost, count in zip(costs, counts, strict=True)]


def _forced(problem: Problem, line: int, own: Offer, wanted: int) -> Problem:
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
