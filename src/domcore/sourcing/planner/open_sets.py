"""Plans seen as the set of nodes they open: linear costs separate by line once it is fixed.

`OpenSets` prices any set of open nodes exactly and remembers each line's share by the holders of
that line that are open, so changing one node costs only the lines that node holds. Open sets are
bit masks over local node numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from domcore.sourcing.planner.cover import Row, cover
from domcore.sourcing.planner.instance import Instance, Take, Units


class OpenSets:
    """Prices and improves open sets of one instance (tariff nodes at their straight line).

    `steps` counts the line prices asked for; `exact` turns False when one of them may be above
    the least.
    """

    __slots__ = ("_known", "_rows", "exact", "holders", "instance", "steps")

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._rows: list[list[Row]] = [
            sorted((each, touch, units, node) for node, units, touch, each in row)
            for row in instance.offers
        ]
        self.holders = [sum(1 << row[3] for row in rows) for rows in self._rows]
        self._known: list[dict[int, int]] = [{} for _ in self._rows]
        self.steps = 0
        self.exact = True

    def line_cost(self, line: int, opened: int) -> int:
        """The line's least cost from open nodes, units short at the penalty."""
        self.steps += 1
        opened &= self.holders[line]
        known = self._known[line].get(opened)
        if known is None:
            rows = [row for row in self._rows[line] if opened >> row[3] & 1]
            known, _, floor = cover(self.instance.need[line], rows, self.instance.penalty)
            self.exact = self.exact and floor == known
            self._known[line][opened] = known
        return known

    def cost(self, opened: int) -> int:
        """Openings plus every line's least cost."""
        total = sum(self.line_cost(line, opened) for line in range(len(self._rows)))
        return total + sum(self.instance.opening[node] for node in members(opened))

    def flip_gain(self, opened: int, changed: int) -> int:
        """What flipping the nodes of `changed` saves (negative: costs)."""
        after = opened ^ changed
        saved = 0
        lines: set[int] = set()
        for node in members(changed):
            opening = self.instance.opening[node]
            saved += opening if opened >> node & 1 else -opening
            lines.update(row[0] for row in self.instance.held[node])
        for line in lines:
            saved += self.line_cost(line, opened) - self.line_cost(line, after)
        return saved

    def plan(self, opened: int) -> tuple[int, Take]:
        """The cheapest plan from an open set, and its cost without nodes it has no use for."""
        instance = self.instance
        total = used = 0
        taken = []
        for line, rows in enumerate(self._rows):
            usable = [row for row in rows if opened >> row[3] & 1]
            cost, units, _ = cover(instance.need[line], usable, instance.penalty)
            total += cost
            for node, count in units:
                used |= 1 << node
                taken.append((node, line, count))
        taken.sort()
        return total + sum([instance.opening[node] for node in members(used)]), taken

    def fits(self, opened: int) -> bool:
        """Whether the set keeps to the limit of nodes."""
        instance = self.instance
        if instance.limit is None:
            return True
        return sum(instance.counts[node] for node in members(opened)) <= instance.limit

    def mend(self, opened: int) -> int:
        """Open the best further nodes, one after another, until every line is served."""
        instance = self.instance
        rows = instance.offers
        for line, need in enumerate(instance.need):
            left = need - sum([row[1] for row in rows[line] if opened >> row[0] & 1])
            while left > 0:
                # The node that serves the line's rest cheapest by the unit.
                ranked = []
                for node, held, touch, each in rows[line]:
                    if not opened >> node & 1:
                        units = min(held, left)
                        total = each * units + touch + instance.opening[node]
                        ranked.append((total // units, node, units))
                _, node, units = min(ranked)
                opened |= 1 << node
                left -= units
        return opened

    def descend(self, opened: int, step_limit: int) -> int:
        """Add, drop or swap single nodes while that saves anything.

        The best add or drop first; where none helps, the first swap that does.
        """
        nodes = range(len(self.instance.nodes))
        stop = self.steps + step_limit
        while self.steps < stop:
            best, change = 0, 0
            for node in nodes:
                bit = 1 << node
                if not opened & bit and not self.fits(opened | bit):
                    continue
                saved = self.flip_gain(opened, bit)
                if saved > best:
                    best, change = saved, bit
            if not change:
                change = self._swap(opened, stop)
            if not change:
                break
            opened ^= change
        return opened

    def _swap(self, opened: int, stop: int) -> int:
        outside = [node for node in range(len(self.instance.nodes)) if not opened >> node & 1]
        for node in members(opened):
            rows = self.instance.held[node]
            mine = {row[0] for row in rows}
            for other in outside:
                if self.steps >= stop:
                    return 0
                # Nodes without a common line are worth no more than the drop and the add alone.
                if mine.isdisjoint(row[0] for row in self.instance.held[other]):
                    continue
                change = 1 << node | 1 << other
                if self.fits(opened ^ change) and self.flip_gain(opened, change) > 0:
                    return change
        return 0


def greedy_cover(instance: Instance, wanted: Sequence[int] | None = None) -> Take:
    """The usual heuristic: the node that covers most of what is open, the cheapest of those.

    Lines a node covers whole count first, then units; a node takes all it can. No answer of the
    planner may be dearer than this one.

    Args:
        wanted: units by line; None is what can be placed at all. What is short of more than that
            is never covered whole, so other nodes may come first.
    """
    left = list(instance.need if wanted is None else wanted)
    free = instance.limit
    take: Take = []
    unused = set(range(len(instance.nodes)))
    while any(left):
        best: tuple[int, int, int, int] | None = None
        for node in sorted(unused):
            if free is not None and instance.counts[node] > free:
                continue
            units = _offered(instance, node, left)
            if units:
                whole = sum([count == left[line] for line, count in units])
                rank = (-whole, -sum([count for _, count in units]))
                # Only what a node of the same rank has to be compared by is priced.
                if best is None or rank <= best[:2]:
                    found = (*rank, instance.one_parcel(node, units), node)
                    best = found if best is None else min(best, found)
        if best is None:
            break
        node = best[3]
        unused.discard(node)
        if free is not None:
            free -= instance.counts[node]
        for line, count in _offered(instance, node, left):
            take.append((node, line, count))
            left[line] -= count
    return sorted(take)


def _offered(instance: Instance, node: int, left: Sequence[int]) -> Units:
    """What a node has of what is left."""
    return [
        (line, min(available, left[line]))
        for line, available, _, _ in instance.held[node]
        if left[line]
    ]


def opened_by(take: Take) -> int:
    """The set of nodes a plan uses."""
    opened = 0
    for node, _, _ in take:
        opened |= 1 << node
    return opened


def members(opened: int) -> list[int]:
    """The nodes of a set, ascending."""
    nodes = []
    while opened:
        lowest = opened & -opened
        nodes.append(lowest.bit_length() - 1)
        opened ^= lowest
    return nodes
