"""Plans at true weight tariffs.

1. First plans: the greedy cover, and the whole-line table over parcels where that is small.
2. Prices by dual ascent at the tariffs' straight lines, made better where every node chooses its
   step, then the walk at the true costs: that settles most short orders.
3. Where that is too wide: the nodes that descent opens at the straight lines, from several starts,
   each plan priced truly; lines are taken out and put back; and the walk again with what is left
   of the gap.

Every phase has a length of its own. What a larger budget does first is what a smaller one does, and
a plan only ever gives way to a cheaper one, so more steps never make the answer dearer.
"""

from __future__ import annotations

from domcore.sourcing.planner.duals import Dual, ascend
from domcore.sourcing.planner.instance import Instance, Take
from domcore.sourcing.planner.labels import walk
from domcore.sourcing.planner.linear import DESCENT, FIRST_WALK, Found
from domcore.sourcing.planner.open_sets import OpenSets, greedy_cover, opened_by
from domcore.sourcing.planner.parcels import whole_line_parcels
from domcore.sourcing.planner.reinsert import Reinsertion
from domcore.sourcing.planner.steps import StepBound
from domcore.sourcing.planner.whole_lines import MOST_LINES

ROUNDS = 30
"""Lagrangian steps each time the bound is made better."""

LAST_WALK = 120_000
"""Steps of the walk from the best plan."""

FEW_LINES = 12
"""Lines up to which the last walk is tried however wide the gap."""

LONG_ORDER = 80
"""Lines beyond which only the best of the first plans is gone on from."""

FIRST_TRIES, TRIES = 20, 90
"""Attempts in a row without success that end the search from a first plan, and from the best, for
an order of no lines and nodes: larger ones have more that can be tried."""


def tariff_plan(instance: Instance, step_limit: int) -> Found:
    """The best plan at the true tariffs, exactly as far as the steps reach."""
    return _Search(instance, step_limit).run()


class _Search:
    """One order: its best plan, its bound, and what has been spent."""

    __slots__ = (
        "_bound", "_ceiling", "_dual", "_instance", "_limit", "_short_allowed", "cost", "steps",
        "take",
    )  # fmt: skip

    def __init__(self, instance: Instance, step_limit: int) -> None:
        self._instance = instance
        self._limit = step_limit
        self._short_allowed = instance.limit is not None
        self._ceiling = instance.penalty if self._short_allowed else None
        self._bound = StepBound(instance)
        self._dual = Dual([], [], 0, 0)
        self.take = greedy_cover(instance)
        self.cost = instance.cost(self.take)
        self.steps = self._bound.round

    def run(self) -> Found:
        """All phases, until one settles it or the steps are used up."""
        instance = self._instance
        short = len(instance.need) <= MOST_LINES
        if short:
            parcels = whole_line_parcels(instance)
            if parcels is not None and instance.allows(parcels):
                self._offer(parcels, instance.cost(parcels))
        self._dual = ascend(instance, instance.opening, ceiling=self._ceiling)
        self.steps += self._dual.steps
        self._tighten()
        if self._settled():
            return self._found("prices")
        if short and self._walk(FIRST_WALK):
            return self._found("walk")
        plans = self._first_plans()
        if not self._settled():
            self._reinsert(plans)
        if not self._settled():
            self._tighten()
        if not self._settled() and self._is_near() and self._walk(LAST_WALK):
            return self._found("walk")
        return self._found("descent")

    def _first_plans(self) -> list[Take]:
        """The best plan so far, and what descent makes of some sets of nodes.

        Descent goes by the straight lines, so a plan counts only once all of them are whole.
        """
        sets = OpenSets(self._instance)
        left = self._limit - self.steps
        plans = [self.take]
        for start in self._starts():
            if sets.fits(start):
                opened = sets.descend(start, min(DESCENT, left - sets.steps))
                plans.append(sets.plan(opened)[1])
        self.steps += sets.steps
        if self.steps < self._limit:
            for plan in plans:
                self._offer(plan, self._instance.cost(plan))
        return plans

    def _starts(self) -> list[int]:
        """Sets of nodes: the best plan's, those that prices leave without slack, or with little."""
        near = max(0, self.cost - self._dual.floor) // 50
        starts = [opened_by(self.take)]
        for most in (0, near):
            tight = [node for node, slack in enumerate(self._dual.slack) if slack <= most]
            starts.append(sum([1 << node for node in tight]))
        return list(dict.fromkeys(starts))

    def _reinsert(self, plans: list[Take]) -> None:
        """Take lines out and put them back, from every plan for a while, then from the best."""
        instance = self._instance
        if len(instance.need) > LONG_ORDER:
            plans = [self.take]
        searches: list[Reinsertion] = []
        for plan in plans:
            if all(plan != other.take for other in searches):
                left = self._limit - self.steps
                search = Reinsertion(instance, plan, self._dual.slack, left)
                self.steps += search.steps
                self._go_on(search, FIRST_TRIES + len(instance.nodes) // 2)
                searches.append(search)
        if self.steps < self._limit:
            best = min(searches, key=lambda each: each.cost)
            best.limit = best.steps + self._limit - self.steps
            self._go_on(best, TRIES + 2 * (len(instance.need) + len(instance.nodes)))

    def _go_on(self, search: Reinsertion, tries: int) -> None:
        before = search.steps
        search.run(tries)
        self.steps += search.steps - before
        self._offer(search.take, search.cost)

    def _offer(self, take: Take, cost: int) -> None:
        if cost < self.cost:
            self.cost, self.take = cost, take

    def _tighten(self) -> None:
        steps = ROUNDS * self._bound.round
        if self.steps + steps >= self._limit:
            self.steps = self._limit
            return
        dual = self._bound.tighten(self._dual.prices, self.cost, self._ceiling, ROUNDS)
        self.steps += dual.steps
        if dual.floor > self._dual.floor:
            self._dual = dual

    def _settled(self) -> bool:
        return self.cost <= self._dual.floor or self.steps >= self._limit

    def _is_near(self) -> bool:
        """Whether the walk may have an end."""
        gap = self.cost - self._dual.floor
        return len(self._instance.need) <= FEW_LINES or gap * 30 < self.cost

    def _walk(self, steps: int) -> bool:
        """Walk from the best plan; True where that settles it."""
        left = min(steps, self._limit - self.steps)
        packers = [packer for packer in self._instance.packers if packer is not None]
        for packer in packers:
            packer.exact = True
        walked = walk(
            self._instance,
            self._dual,
            self.cost,
            self._short_allowed,
            left,
            self._bound.segments,
        )
        self.steps += walked.steps
        if walked.take is not None:
            self._offer(walked.take, self._instance.cost(walked.take))
        if walked.finished and all(packer.exact for packer in packers):
            self._dual = Dual(self._dual.prices, self._dual.slack, self.cost, 0)
            return True
        return False

    def _found(self, method: str) -> Found:
        floor = min(self._dual.floor, self.cost)
        return Found(self.take, self.cost, floor, method, self.steps)
