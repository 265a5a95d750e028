"""Better plans at true tariffs: nodes are closed, opened or put on another step, lines go anew.

Single moves end where no line is better off alone. So one to three nodes are given another step of
their tariff: none at all, a lower one that some units must leave, a higher one that is paid in
advance. The lines concerned are taken out and go back one after another where they cost least; the
result stays if it is cheaper. Which nodes, and in what order lines go back, is drawn from a fixed
seed, so the same order has the same plan, and a larger budget only goes on where a smaller ended.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from random import Random

from domcore.sourcing.planner.draft import Draft
from domcore.sourcing.planner.instance import Instance, Take
from domcore.sourcing.planner.moves import single_moves
from domcore.sourcing.planner.refill import Refill

SEED = 20_011
"""Any number; plans of released versions depend on it."""

NEAR = 100
"""A plan that is dearer than the best by less than this part of it may be gone on from."""

_SHARES = (0.0, 0.2, 0.5)
"""How many of the lines that no change concerns go anew with the others."""

MOST_NODES = 40
"""Nodes that are tried, those in use apart."""


class Reinsertion:
    """A search from one plan; `cost` and `take` are the best met, `steps` the offers looked at."""

    __slots__ = (
        "_dice",
        "_draft",
        "_instance",
        "_levels",
        "_nodes",
        "_refill",
        "_spent",
        "cost",
        "limit",
        "take",
    )

    def __init__(
        self, instance: Instance, take: Take, slack: Sequence[int], step_limit: int
    ) -> None:
        """From the plan `take`; nodes of least `slack` are worth opening most."""
        self._instance = instance
        self._dice = Random(SEED).random
        self.limit = step_limit
        ranked = sorted(range(len(slack)), key=lambda node: (slack[node], node))
        self._nodes = sorted(ranked[:MOST_NODES])
        self._draft = Draft(instance)
        self._draft.load_plan(take)
        self._levels = [_levels(instance, node) for node in range(len(instance.nodes))]
        self._refill = Refill(instance, self._draft, self._levels)
        self._spent = sum([len(rows) for rows in instance.held])
        self.take = take
        self.cost = self._draft.cost
        self._settle()

    @property
    def steps(self) -> int:
        """Steps taken."""
        return self._spent + self._refill.steps

    def run(self, patience: int) -> None:
        """Go on until so many attempts in a row have found nothing."""
        waited = 0
        while waited < patience and self.steps < self.limit:
            waited = 0 if self._attempt() else waited + 1

    def _settle(self) -> bool:
        """Single moves, and keep the plan if it is the best."""
        draft = self._draft
        self._spent += single_moves(self._instance, draft, self.limit - self.steps)
        if self.steps <= self.limit and draft.cost < self.cost:
            self.cost, self.take = draft.cost, draft.take()
            return True
        return False

    def _attempt(self) -> bool:
        """One to three nodes on another step."""
        draft, dice = self._draft, self._dice
        caps: dict[int, int] = {}
        for _ in range(1 + int(dice() * dice() * 3)):
            node = self._some_node()
            caps[node] = self._other_level(node)
        out = self._taken_out(caps)
        for node, cap in caps.items():
            if cap and not draft.units[node] and not self._may_open(node):
                caps[node] = 0
        near = self.cost + self.cost // NEAR
        placed = self._refill.place(self._in_turn(out, caps), caps, near)
        if placed and self.steps <= self.limit and draft.cost < near:
            draft.settle()
            if draft.cost < self.cost:
                draft.keep()
                self.cost, self.take = draft.cost, draft.take()
                self._settle()
                return True
            if draft.cost < near:
                draft.keep()
                return False
        draft.undo()
        return False

    def _may_open(self, node: int) -> bool:
        limit, counts = self._instance.limit, self._instance.counts
        return limit is None or self._draft.used + counts[node] <= limit

    def _some_node(self) -> int:
        """An open node or one worth opening, each with the same chance."""
        dice = self._dice
        opened = sorted(self._draft.opened)
        if opened and dice() < 0.5:
            return opened[int(dice() * len(opened))]
        return self._nodes[int(dice() * len(self._nodes))]

    def _other_level(self, node: int) -> int:
        """The grams that a node may take from now on; 0 closes it."""
        levels, draft, dice = self._levels[node], self._draft, self._dice
        at = bisect_left(levels, draft.load[node])
        if not draft.units[node]:
            # Mostly a step that its goods can fill, or nearly.
            return levels[int(dice() * len(levels))]
        if dice() < 0.4 or len(levels) == 1:
            return 0
        if at and dice() < 0.6:
            return levels[at - 1]
        return levels[min(at + 1, len(levels) - 1)]

    def _taken_out(self, caps: dict[int, int]) -> list[int]:
        """The lines that go anew: all of a changed node's, most of what it could take over."""
        draft, dice = self._draft, self._dice
        lines: set[int] = set()
        for node, cap in caps.items():
            lines.update(draft.units[node])
            if cap:
                for line, _, _, _ in self._instance.held[node]:
                    if dice() < 0.7:
                        lines.add(line)
        share = _SHARES[int(dice() * len(_SHARES))]
        if share:
            for line in range(len(draft.short)):
                if dice() < share:
                    lines.add(line)
        out = sorted(lines)
        draft.take_out(out)
        self._spent += sum([len(draft.offers[line]) for line in out])
        if self._instance.limit is not None:
            out = sorted({*out, *(line for line, units in enumerate(draft.short) if units)})
        return out

    def _in_turn(self, lines: list[int], caps: dict[int, int]) -> list[int]:
        """Heavy lines and those with few open holders mostly first."""
        draft, dice = self._draft, self._dice
        units = draft.units
        rank = {}
        for line in lines:
            choices = 1
            for node, _, _, _ in draft.offers[line]:
                if caps[node] if node in caps else units[node]:
                    choices += 1
            grams = 1 + draft.weights[line] * draft.short[line]
            rank[line] = (0.2 + dice()) * grams / (choices * choices)
        return sorted(lines, key=lambda line: (-rank[line], line))


def _levels(instance: Instance, node: int) -> list[int]:
    """The loads at which a node's steps end, as far as its goods reach; the last is no limit."""
    most = sum(instance.grams[line] * units for line, units, _, _ in instance.held[node])
    packer = instance.packers[node]
    limits = [] if packer is None else [limit for limit in packer.limits if limit < most]
    return [*limits, most]
