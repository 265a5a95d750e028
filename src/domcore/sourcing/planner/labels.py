"""Split quantities, exactly: a walk over the nodes that keeps the cheapest way to each remainder.

A state is what is still needed of each line (and how many nodes may still be used), its value the
least sum of reduced costs on the way. Node by node, each state is extended by each of the node's
columns. A state is dropped when its reduced costs reach the gap between the best plan and the
bound, or when the nodes to come cannot serve it. Nothing else is dropped, so the walk is exact
for any node cost; on the linear costs of most orders a handful of states survive.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from domcore.sourcing.planner.columns import Column, Layout, columns, lift
from domcore.sourcing.planner.duals import Dual
from domcore.sourcing.planner.instance import Instance, Take
from domcore.sourcing.planner.packing import Segment

MOST_COLUMNS = 4_000
"""Columns of one node beyond which the walk is not tried."""

_Stage = tuple[int, int, list[Column]]
"""One node on the way: ``(node, reduced cost of not using it, columns)``."""


@frozen(slots=True)
class Walk:
    """How a walk ended: a better plan or None, the bound it proves, and whether it finished.

    `cost` is that of the better plan, or what there was to beat.
    """

    take: Take | None
    cost: int
    bound: int
    finished: bool
    steps: int


def walk(
    instance: Instance,
    dual: Dual,
    best: int,
    short_allowed: bool,
    step_limit: int,
    segments: list[list[Segment]] | None = None,
) -> Walk:
    """The cheapest plan below `best`, if there is one.

    `short_allowed` lets units stay short at the penalty, which only a limit of nodes can call for.
    `segments` are the pieces of every node's price by load, where there are tariffs.
    """
    layout = Layout.of(instance.need, instance.limit)
    floor = dual.floor
    stages: list[_Stage] = []
    steps = 0
    for node, slack in enumerate(dual.slack):
        pieces = None if segments is None else segments[node]
        found = columns(instance, layout, node, dual, best - floor, MOST_COLUMNS, pieces)
        if found is None or steps > step_limit:
            return Walk(None, best, min(best, floor), False, steps)
        steps += len(found)
        if found:
            stages.append((node, -slack if slack < 0 else 0, found))
        elif slack < 0:
            # Nothing better uses this node, and doing without it has its price.
            floor -= slack
    if not short_allowed and not any(stage[1] for stage in stages):
        gained, lifted = lift(layout, [stage[2] for stage in stages])
        floor += gained
        stages = [(stage[0], 0, found) for stage, found in zip(stages, lifted, strict=True)]
    gap = best - floor
    if gap <= 0:
        return Walk(None, best, best, True, steps)
    short_cost = [instance.penalty - price for price in dual.prices] if short_allowed else None
    search = _Search(instance, layout, short_cost, gap, step_limit - steps)
    finished = search.run(_ordered(instance, stages, gap))
    steps += search.steps
    cost = floor + search.gap
    proved = cost if finished else min(cost, floor)
    return Walk(search.take() if search.gap < gap else None, cost, proved, finished, steps)


def _ordered(instance: Instance, stages: list[_Stage], gap: int) -> list[_Stage]:
    """Nodes in the order in which lines finish early: the line with fewest holders first.

    Once a line's last holder is behind, every state that still needs it is dropped. Columns are
    sorted, cheapest first, and cut at the gap.
    """
    left = {}
    for node, skip, found in stages:
        found = sorted([column for column in found if column[0] < gap])
        if found or skip:
            left[node] = (node, skip, found)
    holders = [[offer[0] for offer in row if offer[0] in left] for row in instance.offers]
    ordered = []
    for row in sorted(holders, key=len):
        ordered += [left.pop(node) for node in row if node in left]
    return ordered


class _Search:
    """One walk: its gap shrinks whenever a better plan is met."""

    __slots__ = ("_chain", "_instance", "_layout", "_limit", "_short_cost", "gap", "steps")

    def __init__(
        self,
        instance: Instance,
        layout: Layout,
        short_cost: list[int] | None,
        gap: int,
        step_limit: int,
    ) -> None:
        self._instance = instance
        self._layout = layout
        self._chain: Any = None
        self._limit = step_limit
        self._short_cost = short_cost
        self.gap = gap
        self.steps = 0

    def run(self, stages: list[_Stage]) -> bool:
        """Walk all nodes; False when the step limit ended it."""
        ahead = self._ahead(stages)
        states: dict[int, tuple[int, Any]] = {self._layout.goal: (0, None)}
        self._close(self._layout.goal, sum([skip for _, skip, _ in stages]), None)
        for stage, (served, skips) in zip(stages, ahead, strict=True):
            states = self._extend(states, stage, served, skips)
            if self.steps > self._limit:
                return False
            if not states:
                break
        return True

    def take(self) -> Take:
        """The best plan met."""
        take = []
        chain = self._chain
        while chain is not None:
            chain, node, key = chain
            take += [(node, line, units) for line, units in self._layout.unpack(key)]
        return sorted(take)

    def _extend(
        self, states: dict[int, tuple[int, Any]], stage: _Stage, served: int, skips: int
    ) -> dict[int, tuple[int, Any]]:
        """All states after one node. `served` and `skips` are what the nodes after it hold."""
        node, skip, found = stage
        guards, lines = self._layout.guards, self._layout.lines
        served |= guards
        # With units allowed to stay short, nothing is ever out of reach.
        bounded = self._short_cost is None
        gap = self.gap
        grown = {}
        for key, state in states.items():
            cost = state[0] + skip
            if cost < gap and (not bounded or (served - key) & guards == guards):
                grown[key] = (cost, state[1])
        for key, (cost, chain) in states.items():
            guarded = key | guards
            room = gap - cost
            for extra, units in found:
                if extra >= room:
                    break
                self.steps += 1
                rest = guarded - units
                if rest & guards != guards:
                    continue
                rest ^= guards
                if not rest & lines:
                    if extra + skips < room:
                        gap = self.gap = cost + extra + skips
                        room = gap - cost
                        self._chain = (chain, node, units)
                    continue
                if bounded and (served - rest) & guards != guards:
                    continue
                known = grown.get(rest)
                if known is None or cost + extra < known[0]:
                    grown[rest] = (cost + extra, (chain, node, units))
                    if not bounded:
                        self._close(rest, cost + extra + skips, (chain, node, units))
                        gap = self.gap
                        room = gap - cost
            if self.steps > self._limit:
                break
        return grown

    def _close(self, key: int, cost: int, chain: Any) -> None:
        """Where units may stay short: the plan that ends here."""
        if self._short_cost is not None:
            for line, units in self._layout.unpack(key):
                cost += self._short_cost[line] * units
            if cost < self.gap:
                self.gap = cost
                self._chain = chain

    def _ahead(self, stages: list[_Stage]) -> list[tuple[int, int]]:
        """For each node, of those after it: units they serve, packed, never above the need, and
        the reduced cost of using none of them.
        """
        layout, need = self._layout, self._instance.need
        reach = [0] * len(need)
        nodes_left = layout.goal >> layout.shifts[-1] << layout.shifts[-1]
        packed = nodes_left
        skips = 0
        ahead = []
        for node, skip, _ in reversed(stages):
            ahead.append((packed, skips))
            skips += skip
            for line, units, _, _ in self._instance.held[node]:
                more = min(units, need[line] - reach[line])
                reach[line] += more
                packed += more << layout.shifts[line]
        return ahead[::-1]
