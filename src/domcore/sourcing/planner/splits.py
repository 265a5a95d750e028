"""Split lines, exactly and straight from the whole-line table: the orders of every day.

The table counts a partial holder as full. Where its plan uses one, that line is branched on: every
set of nodes that can ship it, with what they pay and what the table says of the lines left, for
which the nodes that are open by then cost no opening. The same argument as for the table makes
that a lower bound, and where its plan has full holders only it is a plan. So a branch ends when
it is no better than the best plan met, or when it is one, and mostly the first line settles it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domcore.sourcing.planner.cover import Row, cover
from domcore.sourcing.planner.problem import Problem
from domcore.sourcing.planner.whole_lines import FLAGS, SHIFT, Relaxed, lines_of

MOST_STEPS = 1_500
"""Steps beyond which the dual prices of the longer way prune better."""

Take = list[tuple[int, int, int]]
"""``[(node, line, units)]``."""

_Rides = dict[int, tuple[int, int]]
"""What a line costs whole at the cheapest node that is open: line bit to ``(price, node)``."""

_Pattern = tuple[tuple[int, int], ...]
"""One way to ship a line: ``((node, units), ...)``."""

_State = tuple[int, Any, int, _Rides, int, int]
"""Some lines shipped, and the bound's plan for the rest: ``(cost so far, chain of line bits and
patterns, lines left, what open nodes charge for them, nodes open, lines that take that)``.
"""


class TooWide(Exception):  # noqa: N818 - a turn of the search, not an error
    """The step limit was reached."""


class Splits:
    """The search of one problem at fixed parcel costs in which every line can be placed in full.

    `cost` and `take` are the best plan met, `steps` the patterns and bounds looked at.
    """

    __slots__ = ("_limit", "_opening", "_problem", "_relaxed", "_rows", "cost", "steps", "take")

    def __init__(
        self, problem: Problem, opening: Mapping[int, int], relaxed: Relaxed, limit: int
    ) -> None:
        self._problem = problem
        self._opening = opening
        self._relaxed = relaxed
        self._rows: dict[int, list[Row]] = {}
        self._limit = limit
        self.cost = -1
        self.take: Take = []
        self.steps = 0

    def first_plan(self) -> bool:
        """The table's plan with its partial holders helped out; False if a line must be short."""
        relaxed, quantities, openings = self._relaxed, self._problem.quantities, self._opening
        prices = relaxed.prices
        opened: set[int] = set()
        cost = 0
        take: Take = []
        partial = []
        for node, part in relaxed.groups(len(relaxed.best) - 1):
            for line in lines_of(part):
                price = prices[line][node]
                if price & FLAGS:
                    partial.append(line)
                    continue
                opened.add(node)
                cost += price >> SHIFT
                take.append((node, line, quantities[line]))
        cost += sum([openings[node] for node in opened])
        for line in partial:
            rows = self._rows_of(line)
            if sum([row[2] for row in rows]) < quantities[line]:
                return False
            priced = [
                row if row[3] in opened else (row[0], row[1] + openings[row[3]], row[2], row[3])
                for row in rows
            ]
            dearest = 1 + sum([row[1] for row in priced]) + priced[-1][0] * quantities[line]
            more, taken, _ = cover(quantities[line], priced, dearest)
            cost += more
            for node, units in taken:
                opened.add(node)
                take.append((node, line, units))
        self.cost, self.take = cost, take
        return True

    def run(self) -> None:
        """Improve on the first plan until nothing is better; raises `TooWide`."""
        full = len(self._relaxed.best) - 1
        self._branch((0, None, full, {}, 0, 0))

    def _branch(self, state: _State) -> None:
        """Every way to ship one of the state's lines, best bound first."""
        spent, chain, lines, rides, opened, riding = state
        bit = self._partial(lines ^ riding, rides, riding)
        rest = lines ^ bit
        base = self._bound(rest, rides)
        shared = self._relaxed.shared
        waiting: list[tuple[int, int, _State]] = []
        for cost, pattern in self._patterns(bit, opened, spent, self._least(bit, rest, rides)):
            known, after = rides, opened
            for node, _ in pattern:
                if not after >> node & 1:
                    after |= 1 << node
                    if node in shared:
                        known = self._joined(known, node, rest)
            bound, ride = base if known is rides else self._bound(rest, known)
            low = cost + (bound >> SHIFT)
            if low >= self.cost:
                continue
            grown = (cost, (chain, bit, pattern), rest, known, after, ride)
            if bound & FLAGS:
                waiting.append((low, len(waiting), grown))
            else:
                self.cost = low
                self._keep(grown)
        waiting.sort()
        for low, _, grown in waiting:
            if low >= self.cost:
                break
            self._branch(grown)

    def _least(self, bit: int, rest: int, rides: _Rides) -> int:
        """A lower bound on the lines of `rest`, whichever nodes ship the line `bit`."""
        shared = self._relaxed.shared
        for row in self._rows_of(bit.bit_length() - 1):
            if row[3] in shared:
                rides = self._joined(rides, row[3], rest)
        return self._bound(rest, rides)[0] >> SHIFT

    def _patterns(self, bit: int, opened: int, spent: int, rest: int) -> list[tuple[int, _Pattern]]:
        """The ways to ship a line that may be part of a better plan, with the cost so far.

        Of the nodes a line touches all but the dearest by the unit give all they have. `rest` is
        a lower bound on the other lines.
        """
        line = bit.bit_length() - 1
        room = self.cost - rest
        front: list[tuple[int, int, _Pattern]] = [(self._problem.quantities[line], spent, ())]
        found = []
        for each, touch, units, node in self._rows_of(line):
            fee = touch if opened >> node & 1 else touch + self._opening[node]
            self.steps += len(front)
            if self.steps > self._limit:
                raise TooWide
            for left, cost, taken in front.copy():
                total = cost + fee + each * left
                # A node that gives less than is left costs at least this much in the end.
                if total >= room:
                    continue
                if units >= left:
                    found.append((total, (*taken, (node, left))))
                else:
                    front.append((left - units, cost + fee + each * units, (*taken, (node, units))))
        return found

    def _bound(self, lines: int, rides: _Rides) -> tuple[int, int]:
        """The least price of a line set given what open nodes ask, and the lines they get."""
        self.steps += 1
        best = self._relaxed.best
        least, riding = best[lines], 0
        if rides:
            sets = [(0, 0)]
            for bit, (price, _) in rides.items():
                if bit & lines:
                    sets += [(mask | bit, total + price) for mask, total in sets]
            for mask, total in sets:
                total += best[lines ^ mask]
                if total < least:
                    least, riding = total, mask
        return least, riding

    def _partial(self, grouped: int, rides: _Rides, riding: int) -> int:
        """The first line (as a bit) that a bound's plan leaves to a partial holder."""
        for bit, (price, _) in rides.items():
            if bit & riding and price & FLAGS:
                return bit
        prices = self._relaxed.prices
        for node, part in self._relaxed.groups(grouped):
            for line in lines_of(part):
                if prices[line][node] & FLAGS:
                    return 1 << line
        raise AssertionError("a bound with partial holders has one somewhere")

    def _keep(self, state: _State) -> None:
        """Write down a plan: the branched lines, those that ride and the groups of the table."""
        _, chain, rest, rides, _, riding = state
        quantities = self._problem.quantities
        take: Take = []
        while chain is not None:
            chain, bit, pattern = chain
            take += [(node, bit.bit_length() - 1, units) for node, units in pattern]
        groups = self._relaxed.groups(rest ^ riding)
        groups += [(node, bit) for bit, (_, node) in rides.items() if bit & riding]
        for node, part in groups:
            take += [(node, line, quantities[line]) for line in lines_of(part)]
        self.take = take

    def _rows_of(self, line: int) -> list[Row]:
        """The line's holders, cheapest by the unit first."""
        rows = self._rows.get(line)
        if rows is None:
            offers = self._problem.offers[line]
            rows = self._rows[line] = sorted(
                [(each, touch, units, node) for node, units, touch, each in offers if units > 0]
            )
        return rows

    def _joined(self, rides: _Rides, node: int, lines: int) -> _Rides:
        """What open nodes ask once `node` is one of them; the same object if nothing changes."""
        grown = rides
        best, prices = self._relaxed.best, self._relaxed.prices
        for line in lines_of(lines):
            here = prices[line]
            bit = 1 << line
            # Dearer than a parcel of its own: never worth it.
            if node in here and here[node] < best[bit]:
                price = here[node]
                if bit not in grown or price < grown[bit][0]:
                    if grown is rides:
                        grown = dict(rides)
                    grown[bit] = (price, node)
        return grown
