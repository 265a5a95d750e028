"""Lines that were taken out of a plan go back where they cost least further.

Some nodes are given a cap on their load, and what a parcel of that load costs counts as paid, so
that goods gather there. Where a line would cost too much, room is made for it: units of another
line move from a node that could take it to one that has room left on its step.
"""

from __future__ import annotations

from bisect import bisect_left

from domcore.sourcing.planner.draft import Draft
from domcore.sourcing.planner.instance import Instance

Caps = dict[int, int]
"""Grams that a node may take at most; 0: it is closed."""


class Refill:
    """Puts lines back into one draft; `steps` counts the offers looked at."""

    __slots__ = ("_draft", "_instance", "_least", "_levels", "_paid", "caps", "steps")

    def __init__(self, instance: Instance, draft: Draft, levels: list[list[int]]) -> None:
        self._instance = instance
        self._draft = draft
        self._levels = levels
        self._least = [min([each for _, _, _, each in row]) for row in draft.offers]
        self._paid: dict[int, int] = {}
        self.caps: Caps = {}
        self.steps = 0

    def place(self, lines: list[int], caps: Caps, near: int) -> bool:
        """Put back all that is short of these lines; False once it is bound to cost `near`."""
        draft, least = self._draft, self._least
        self.caps = caps
        self._paid = {node: self._in_advance(node, cap) for node, cap in caps.items() if cap}
        rest = sum([least[line] * draft.short[line] for line in lines])
        for line in lines:
            rest -= least[line] * draft.short[line]
            if not self._place_line(line, near - rest):
                return False
        return True

    def _in_advance(self, node: int, cap: int) -> int:
        """What counts as paid: the whole step, or where the last one begins."""
        levels = self._levels[node]
        start = levels[-2] + 1 if len(levels) > 1 and cap == levels[-1] else cap
        return self._draft.price(node, start)

    def _place_line(self, line: int, near: int) -> bool:
        draft = self._draft
        while draft.short[line]:
            node, units, extra = self._cheapest(line, draft.short[line])
            if draft.total + extra >= near or not units:
                if not self._make_room(line):
                    return not units and draft.total < near
                if draft.total >= near:
                    return False
            else:
                draft.add(node, line, units)
        return True

    def _cheapest(self, line: int, left: int) -> tuple[int, int, int]:
        """Where to place units of a line next, how many, and what that costs more."""
        draft, caps, paid = self._draft, self.caps, self._paid
        grams = draft.weights[line]
        all_units, all_load, all_paid = draft.units, draft.load, draft.paid
        prices = draft.prices
        limit, counts = self._instance.limit, self._instance.counts
        whole: tuple[int, int] | None = None
        part: tuple[float, int, int, int] | None = None
        offers = draft.offers[line]
        self.steps += len(offers)
        for node, available, touch, each in offers:
            here = all_units[node]
            before = here.get(line, 0)
            units = available - before
            if units <= 0:
                continue
            if units > left:
                units = left
            load, spent = all_load[node], all_paid[node]
            if node in caps:
                cap = caps[node]
                if not cap:
                    continue
                if load + grams * units > cap:
                    units = (cap - load) // grams
                    if units <= 0:
                        continue
                if spent < paid[node]:
                    spent = paid[node]
            if not here and limit is not None and draft.used + counts[node] > limit:
                continue
            if before:
                touch = 0
            after = load + grams * units
            price = prices[node].get(after)
            more = (draft.price(node, after) if price is None else price) - spent
            if more <= 0:
                extra = each * units + touch
            else:
                extra = each * units + touch + more
                if units > 1 and grams and here:
                    # What still fits on the node's step costs nothing by weight.
                    fits = (self._top(node) - load) // grams
                    if 0 < fits < units:
                        rate = each + touch / fits
                        if part is None or rate < part[0]:
                            part = rate, node, fits, each * fits + touch
            if units == left:
                if whole is None or extra < whole[0]:
                    whole = extra, node
            else:
                rate = extra / units
                if part is None or rate < part[0]:
                    part = rate, node, units, extra
        if part is not None and (whole is None or part[0] * left < whole[0]):
            return part[1:]
        if whole is not None:
            return whole[1], left, whole[0]
        return 0, 0, 0

    def _top(self, node: int) -> int:
        """The load that the node takes without paying more."""
        cap = self.caps.get(node)
        if cap is not None:
            return cap
        levels, load = self._levels[node], self._draft.load[node]
        at = bisect_left(levels, load)
        return levels[at] if at < len(levels) else load

    def _make_room(self, line: int) -> bool:
        """Move another line on within the steps so that this one fits at a node, and place it."""
        draft = self._draft
        grams, left = draft.weights[line], draft.short[line]
        if not grams:
            return False
        ready = draft.opened.union(node for node, cap in self.caps.items() if cap)
        room = {node: self._top(node) - draft.load[node] for node in ready}
        widest = max(room.values(), default=0)
        best: tuple[int, int, int, int, int, int] | None = None
        for node, available, touch, each in draft.offers[line]:
            here = draft.units[node]
            units = min(left, available - here.get(line, 0))
            if node not in room or units <= 0:
                continue
            needed = grams * units - room[node]
            cost = each * units + (0 if line in here else touch)
            for other, held in here.items():
                weight = draft.weights[other]
                count = max(1, -(-needed // weight)) if weight else 0
                if other == line or not 0 < count <= held or weight * count > widest:
                    continue
                found = self._elsewhere(other, node, count, room)
                if found is not None and (best is None or cost + found[0] < best[0]):
                    best = cost + found[0], node, units, other, count, found[1]
        if best is None:
            return False
        _, node, units, other, count, target = best
        draft.add(node, other, -count)
        draft.add(target, other, count)
        draft.add(node, line, units)
        return True

    def _may_use(self, node: int) -> bool:
        """Whether the node is in use, or the limit of nodes has room for it."""
        draft, limit = self._draft, self._instance.limit
        if limit is None or draft.units[node]:
            return True
        return draft.used + self._instance.counts[node] <= limit

    def _elsewhere(
        self, line: int, node: int, count: int, room: dict[int, int]
    ) -> tuple[int, int] | None:
        """What it costs to have units elsewhere on a step that holds them, and where."""
        draft = self._draft
        needed = draft.weights[line] * count
        away = draft.terms[line][node][1] * count
        best: tuple[int, int] | None = None
        self.steps += len(draft.offers[line])
        for other, available, touch, each in draft.offers[line]:
            if other == node or room.get(other, -1) < needed or not self._may_use(other):
                continue
            before = draft.units[other].get(line, 0)
            if available - before >= count:
                cost = each * count - away + (0 if before else touch)
                if best is None or cost < best[0]:
                    best = cost, other
        return best
