"""Proof for long orders and large quantities: branch and bound over the set of open nodes.

Each branch decides one node, open (its opening is spent) or closed; the bound of a branch is a
dual ascent of its own, because prices only rise in one and an opened node wants lower ones. Only
for instances with linear costs.
"""

from __future__ import annotations

from attrs import frozen

from domcore.sourcing.planner.duals import ascend
from domcore.sourcing.planner.instance import Instance
from domcore.sourcing.planner.open_sets import OpenSets, members

MOST_NODES = 400
"""Nodes up to which the tree is tried: it goes one call deeper for every node it decides."""


@frozen(slots=True)
class Branching:
    """The best open set found, its cost, the bound proven and whether the tree was exhausted."""

    opened: int
    cost: int
    bound: int
    finished: bool
    steps: int


def branch(
    sets: OpenSets, opened: int, cost: int, ceiling: int | None, step_limit: int
) -> Branching:
    """Improve on the open set `opened` of cost `cost`, or prove that nothing does."""
    tree = _Tree(sets, opened, cost, ceiling, step_limit)
    tree.set_toll()
    floor = tree.grow(0, 0) if tree.steps <= step_limit else 0
    finished = tree.steps <= step_limit
    return Branching(
        tree.opened,
        tree.cost,
        tree.cost if finished else min(floor, tree.cost),
        finished,
        tree.steps,
    )


class _Tree:
    __slots__ = (
        "_ceiling",
        "_instance",
        "_limit",
        "_offers",
        "_sets",
        "_toll",
        "cost",
        "opened",
        "steps",
    )

    def __init__(
        self, sets: OpenSets, opened: int, cost: int, ceiling: int | None, step_limit: int
    ) -> None:
        self._sets = sets
        self._instance: Instance = sets.instance
        self._ceiling = ceiling
        self._limit = step_limit
        self._toll = 0
        # What has to be looked at for any bound, whatever is decided.
        self._offers = sum([len(rows) for rows in self._instance.held])
        self.opened = opened
        self.cost = cost
        self.steps = 0

    def grow(self, taken: int, closed: int) -> int:
        """Search below (nodes open, nodes closed); returns a lower bound on what is there.

        The bound is only as good as the search got: beyond the step limit, this branch's own.
        """
        taken, closed, pinned = self._pin(taken, closed)
        if not pinned:
            return self.cost
        floor, slack = self._bound(taken, closed, self._toll)
        if floor >= self.cost:
            return self.cost
        self._try(taken | sum(1 << node for node, left in enumerate(slack) if left <= 0))
        if floor >= self.cost or self.steps > self._limit:
            return min(floor, self.cost)
        free = []
        for node, left in enumerate(slack):
            bit = 1 << node
            if (taken | closed) & bit:
                continue
            # What costs the whole gap, used or unused, is decided.
            if floor + left >= self.cost:
                closed |= bit
            elif floor - left >= self.cost:
                taken |= bit
            else:
                free.append(node)
        if not free:
            self._try(taken)
            return self.cost
        node = min(free, key=lambda at: (abs(slack[at]), -len(self._instance.held[at]), at))
        inside = self.grow(taken | 1 << node, closed)
        outside = self.grow(taken, closed | 1 << node)
        return max(floor, min(inside, outside))

    def set_toll(self) -> None:
        """Where nodes are limited: the price of a node that gives the best bound at the root.

        Every node that counts pays the toll and the limit times it is handed back (a Lagrangian
        relaxation of the limit). What a node is worth is what it keeps from being short.
        """
        instance = self._instance
        if instance.limit is None:
            return
        most = max(sum(row[1] for row in rows) for rows in instance.held)
        best, _ = self._bound(0, 0, 0)
        for halves in range(1, 2 * most + 1):
            toll = instance.penalty * halves // 2
            floor, _ = self._bound(0, 0, toll)
            if floor <= best or self.steps > self._limit:
                break
            best, self._toll = floor, toll

    def _bound(self, taken: int, closed: int, toll: int) -> tuple[int, list[int]]:
        """A lower bound on every plan that opens `taken` and nothing of `closed`; the slack."""
        instance = self._instance
        prices = [
            cost + toll * counts
            for cost, counts in zip(instance.opening, instance.counts, strict=True)
        ]
        spent = sum(prices[node] for node in members(taken)) - toll * (instance.limit or 0)
        opening = [0 if taken >> node & 1 else cost for node, cost in enumerate(prices)]
        dual = ascend(instance, opening, closed, ceiling=self._ceiling)
        self.steps += dual.steps + self._offers
        return spent + dual.floor, dual.slack

    def _pin(self, taken: int, closed: int) -> tuple[int, int, bool]:
        """Open what a line cannot do without; False where a line or the limit cannot be met."""
        instance = self._instance
        if self._ceiling is None:
            for line, offers in enumerate(instance.offers):
                left = [offer for offer in offers if not closed >> offer[0] & 1]
                spare = sum(offer[1] for offer in left) - instance.need[line]
                if spare < 0:
                    return taken, closed, False
                for node, units, _, _ in left:
                    if units > spare:
                        taken |= 1 << node
        if not self._sets.fits(taken):
            return taken, closed, False
        if instance.limit is not None and self._full(taken):
            every = (1 << len(instance.nodes)) - 1
            uncounted = sum(1 << node for node, one in enumerate(instance.counts) if not one)
            closed |= every & ~taken & ~uncounted
        return taken, closed, True

    def _full(self, taken: int) -> bool:
        used = sum(self._instance.counts[node] for node in members(taken))
        return used == self._instance.limit

    def _try(self, opened: int) -> None:
        """Price an open set and keep it if it is the best so far."""
        sets = self._sets
        before = sets.steps
        if sets.fits(opened):
            cost = sets.cost(opened)
            for node in members(opened):
                saved = sets.flip_gain(opened, 1 << node)
                if saved > 0:
                    opened ^= 1 << node
                    cost -= saved
            if cost < self.cost:
                self.opened, self.cost = opened, cost
        self.steps += sets.steps - before
