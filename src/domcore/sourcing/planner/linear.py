"""Plans at fixed parcel costs: find a good one, then prove it or beat it.

1. The whole-line table, exact where its plan needs no partial holder, a bound otherwise.
2. Its nodes, mended until every line is served: a first plan.
3. Prices by dual ascent, then the walk over the nodes with what the prices leave.
4. Where that is too wide: descent on the open set, the walk again, branch and bound.

Every phase has a length of its own, so a larger budget only goes on where a smaller one ends.
"""

from __future__ import annotations

from attrs import frozen

from domcore.sourcing.planner.branch import MOST_NODES, branch
from domcore.sourcing.planner.cover import cover
from domcore.sourcing.planner.duals import Dual, ascend
from domcore.sourcing.planner.instance import Instance, Take
from domcore.sourcing.planner.labels import walk
from domcore.sourcing.planner.open_sets import OpenSets, greedy_cover, opened_by
from domcore.sourcing.planner.subgradient import ROUNDS, tighten
from domcore.sourcing.planner.whole_lines import MOST_LINES, Table, cheapest_partition

FIRST_WALK = 3_000
"""Steps of the walk from the first plan, before a better plan is looked for."""

DESCENT = 25_000
"""Steps of the descent from one set of open nodes."""

LATER_WALK = 25_000
"""Steps of each walk after that."""


@frozen(slots=True)
class Found:
    """A plan, its true weighted cost, a weighted lower bound, and how they were found."""

    take: Take
    cost: int
    floor: int
    method: str
    steps: int

    @property
    def proven(self) -> bool:
        """Whether no plan is better."""
        return self.floor >= self.cost


def linear_plan(instance: Instance, step_limit: int, table: Table | None = None) -> Found:
    """The best plan at fixed parcel costs.

    `table` is the whole-line table, if it is known already.
    """
    need = instance.need
    if len(need) == 1 and instance.limit is None:
        return _one_line(instance)
    floor = opened = 0
    if len(need) <= MOST_LINES and instance.limit is None:
        if table is None:
            opening = dict(enumerate(instance.opening))
            relaxed = cheapest_partition(need, instance.offers, opening)
            assert relaxed is not None, "every line that is left has a holder"
            table = relaxed.table()
        floor, groups, full = table
        if full:
            lines = range(len(need))
            take = [(node, at, need[at]) for node, mask in groups for at in lines if mask >> at & 1]
            return Found(sorted(take), floor, floor, "whole lines", 0)
        for node, _ in groups:
            opened |= 1 << node
    return _searched(instance, opened, floor, step_limit)


def _one_line(instance: Instance) -> Found:
    rows = sorted(
        (each, touch + instance.opening[node], units, node)
        for node, units, touch, each in instance.offers[0]
    )
    cost, units, floor = cover(instance.need[0], rows, instance.penalty)
    take = sorted((node, 0, count) for node, count in units)
    return Found(take, cost, floor, "one line", len(rows))


def _searched(instance: Instance, opened: int, floor: int, step_limit: int) -> Found:
    """From the nodes of the whole-line table (none: from the greedy cover) to the optimum."""
    sets = OpenSets(instance)
    short_allowed = instance.limit is not None
    ceiling = instance.penalty if short_allowed else None
    dual = ascend(instance, instance.opening, ceiling=ceiling)
    steps = dual.steps
    floor = max(floor, dual.floor)
    if opened:
        cost, take = sets.plan(sets.mend(opened))
        if cost <= floor:
            return Found(take, cost, cost, "prices", steps)
        walked = walk(instance, dual, cost, short_allowed, min(FIRST_WALK, step_limit - steps))
        steps += walked.steps
        if walked.take is not None:
            take = walked.take
        if walked.finished:
            return Found(take, walked.cost, walked.cost, "walk", steps)
        opened = opened_by(take)
    wide = _Search(instance, sets, ceiling, step_limit, dual, floor, steps)
    return wide.run({opened, opened_by(greedy_cover(instance))})


class _Search:
    """The long way: descent, better prices, the walk in widening gaps, branch and bound."""

    __slots__ = ("_ceiling", "_dual", "_instance", "_limit", "_sets", "cost", "floor", "steps")

    def __init__(
        self,
        instance: Instance,
        sets: OpenSets,
        ceiling: int | None,
        step_limit: int,
        dual: Dual,
        floor: int,
        steps: int,
    ) -> None:
        self._instance = instance
        self._sets = sets
        self._ceiling = ceiling
        self._limit = step_limit
        self._dual = dual
        self.floor = floor
        self.steps = steps
        self.cost = 0

    def run(self, starts: set[int]) -> Found:
        """From open sets to start with to the best plan the steps allow."""
        opened = self._descend(starts)
        opened = self._tighten(opened)
        take = self._sets.plan(opened)[1]
        if self._settled():
            return self._found(take, "descent")
        take, method = self._walk(take)
        if self._settled() or len(self._instance.nodes) > MOST_NODES:
            return self._found(take, method)
        left = self._limit - self.steps
        tree = branch(self._sets, opened_by(take), self.cost, self._ceiling, left)
        self.steps += tree.steps
        if self._sets.exact:
            self.floor = max(self.floor, tree.bound)
        if tree.cost < self.cost:
            self.cost = tree.cost
            take = self._sets.plan(tree.opened)[1]
        return self._found(take, "branch and bound")

    def _settled(self) -> bool:
        return self.cost <= self.floor or self.steps >= self._limit

    def _found(self, take: Take, method: str) -> Found:
        return Found(take, self.cost, min(self.floor, self.cost), method, self.steps)

    def _descend(self, starts: set[int]) -> int:
        """The best open set that descent reaches from any of the starts."""
        sets, best, least = self._sets, 0, -1
        before = sets.steps
        for start in sorted(starts):
            left = self._limit - self.steps - (sets.steps - before)
            opened = sets.descend(start, min(DESCENT, left))
            cost = sets.cost(opened)
            if least < 0 or cost < least:
                best, least = opened, cost
        self.steps += sets.steps - before
        self.cost = least
        return best

    def _tighten(self, opened: int) -> int:
        """Better prices, and one more descent from the nodes that they leave without slack."""
        instance, cost = self._instance, self.cost
        if cost <= self.floor:
            return opened
        whole = ROUNDS * sum([len(rows) for rows in instance.held])
        if self.steps + whole >= self._limit:
            self.steps = self._limit
            return opened
        self._dual = tighten(instance, self._dual, cost, self._ceiling, whole)
        self.steps += self._dual.steps
        self.floor = max(self.floor, self._dual.floor)
        if cost <= self.floor:
            return opened
        near = (cost - self.floor) // 50
        tight = sum(1 << node for node, left in enumerate(self._dual.slack) if left <= near)
        if self._sets.fits(tight):
            other = self._descend({tight})
            if self.cost < cost:
                return other
        self.cost = cost
        return opened

    def _walk(self, take: Take) -> tuple[Take, str]:
        """Walk in widening gaps: a narrow one is cheap, and settles it or lifts the bound."""
        floor, gap = self.floor, self.cost - self.floor
        for part in (1, 2, 4):
            target = floor + -(-gap * part // 4)
            if target <= self.floor:
                continue
            left = min(LATER_WALK, self._limit - self.steps)
            walked = walk(self._instance, self._dual, target, self._ceiling is not None, left)
            self.steps += walked.steps
            self.floor = max(self.floor, walked.bound)
            if walked.take is not None:
                self.cost, take = walked.cost, walked.take
                return take, "walk"
            if not walked.finished:
                return take, "descent"
        return take, "walk"
