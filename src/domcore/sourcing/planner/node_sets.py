"""Nodes within a limit that hold everything together: an exact search over sets of nodes.

Plans are searched for by cost, and where few sets of nodes can fill an order, none of the plans
met may be on one of them. Here only quantities matter. The line that fewest nodes can still help
with is branched on: each of these nodes in turn joins the set and is left out of the branches after
it, so no set is met twice. A branch ends where even the best nodes left, as many as the limit
allows, do not hold enough, of one line or in all.
"""

from __future__ import annotations

from attrs import frozen

from domcore.sourcing.planner.instance import Instance
from domcore.sourcing.planner.open_sets import members

SET_STEPS = 150_000
"""Offers that one search looks at, at most."""


@frozen(slots=True)
class Covering:
    """What came of a search: `nodes`, ascending, hold all that is needed and keep to the limit.

    `nodes` is None where no set was met; `proven` then says that there is none. `steps` are the
    offers looked at.
    """

    nodes: list[int] | None
    proven: bool
    steps: int


def covering_nodes(instance: Instance, step_limit: int = SET_STEPS) -> Covering:
    """The first set of nodes met that holds every line's units within the limit of nodes."""
    search = _Sets(instance, step_limit)
    found = search.find()
    spent = search.steps > step_limit
    return Covering(found, found is not None or not spent, min(search.steps, step_limit))


class _Sets:
    """One search; sets of nodes are bit masks, units still needed are lists by line."""

    __slots__ = ("_holders", "_instance", "_limit", "steps")

    def __init__(self, instance: Instance, limit: int) -> None:
        self._instance = instance
        self._limit = limit
        # Most units first: the best that so many nodes can do is read off the front.
        self._holders = [
            sorted(
                [(units, node) for node, units, _, _ in row], key=lambda each: (-each[0], each[1])
            )
            for row in instance.offers
        ]
        self.steps = 0

    def find(self) -> list[int] | None:
        """The set, ascending; nodes that count against no limit are always in it."""
        instance = self._instance
        every = range(len(instance.nodes))
        left = list(instance.need)
        free = [node for node in every if not instance.counts[node]]
        for node in free:
            left = self._without(left, node)
        room = len(every) if instance.limit is None else instance.limit
        able = sum([1 << node for node in every if instance.counts[node]])
        chosen = self._choose(left, able, room)
        return None if chosen is None else sorted([*free, *members(chosen)])

    def _choose(self, left: list[int], able: int, room: int) -> int | None:
        """At most `room` of the nodes `able` that hold what is left, or None."""
        if not any(left):
            return 0
        ranked = self._candidates(left, able, room)
        for node in ranked:
            able &= ~(1 << node)
            rest = self._choose(self._without(left, node), able, room - 1)
            if rest is not None:
                return rest | 1 << node
            if self.steps > self._limit:
                break
        return None

    def _candidates(self, left: list[int], able: int, room: int) -> list[int]:
        """The helpers of the line that has fewest, those that help most with all lines first.

        None of them where the nodes left cannot do it.
        """
        helps: dict[int, int] = {}
        fewest: list[int] | None = None
        for line, units in enumerate(left):
            if not units:
                continue
            helpers: list[int] = []
            best = 0
            for held, node in self._holders[line]:
                self.steps += 1
                if able >> node & 1:
                    if len(helpers) < room:
                        best += held
                    helpers.append(node)
                    helps[node] = helps.get(node, 0) + (held if held < units else units)
            if best < units or self.steps > self._limit:
                return []
            if fewest is None or len(helpers) < len(fewest):
                fewest = helpers
        if fewest is None or sum(sorted(helps.values(), reverse=True)[:room]) < sum(left):
            return []
        return sorted(fewest, key=lambda node: (-helps[node], node))

    def _without(self, left: list[int], node: int) -> list[int]:
        """What is left once a node has given all it holds."""
        rest = left.copy()
        for line, units, _, _ in self._instance.held[node]:
            rest[line] = max(0, rest[line] - units)
        return rest
