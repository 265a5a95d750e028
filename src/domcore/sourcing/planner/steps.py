"""A lower bound in which every node chooses its step.

At a price per unit of each line a node stands alone: on each step of its tariff it earns what its
goods are worth at these prices, as far as the step holds them, less what the step costs. The best
step is what the node does (Lagrangian duality, as in `duals`). A straight line below the tariff
lets a parcel of half the weight cost half as much; here a step is paid whole, so the bound is
closer where a node cannot fill its parcels. Goods are divided at will within a step, which keeps
it a bound and makes it quick. All integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from domcore.sourcing.planner.duals import Dual
from domcore.sourcing.planner.instance import Instance
from domcore.sourcing.planner.packing import Segment

ROUNDS = 60
"""Lagrangian steps at most; each looks at every offer once."""

_PATIENCE = 4
"""Rounds without a better bound after which steps are halved."""

Row = tuple[int, int, int, int, int]
"""``(line, units, if touched, per unit, grams of all units)`` at true unit costs."""

_Gain = tuple[float, int, int, int, int]
"""``(gain by the gram, gain, grams, line, units)``."""


class StepBound:
    """The bound for one instance.

    `segments` are by node, `round` is the steps that one look at all offers takes.
    """

    __slots__ = ("_instance", "_rows", "round", "segments")

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.segments = [segments_of(instance, node) for node in range(len(instance.nodes))]
        self._rows = [true_rows(instance, node) for node in range(len(instance.nodes))]
        # An offer is looked at in half the time that placing units there takes.
        self.round = 1 + sum([len(rows) for rows in self._rows]) // 2

    def at(self, prices: Sequence[int]) -> Dual:
        """The bound that these prices prove."""
        value, _, slack = self._respond(prices)
        return Dual(list(prices), slack, value, self.round)

    def tighten(self, start: Sequence[int], target: int, ceiling: int | None, rounds: int) -> Dual:
        """The best bound met in so many Lagrangian steps; `target` is the cost of a plan."""
        prices = list(start)
        best: Dual | None = None
        # The step length is a fraction of the gap: halved by doubling what it is divided by.
        divisor, waited, steps = 1, 0, 0
        for _ in range(rounds):
            value, left, slack = self._respond(prices)
            steps += self.round
            if best is None or value > best.floor:
                best, waited = Dual(list(prices), slack, value, steps), 0
            else:
                waited += 1
                if waited == _PATIENCE:
                    divisor, waited = divisor * 2, 0
            norm = sum([units * units for units in left])
            step = max(0, target - value) // (divisor * norm) if norm else 0
            if not step or value >= target:
                break
            for line, units in enumerate(left):
                price = max(0, prices[line] + step * units)
                prices[line] = price if ceiling is None or price < ceiling else ceiling
        assert best is not None
        return Dual(best.prices, best.slack, best.floor, steps)

    def _respond(self, prices: Sequence[int]) -> tuple[int, list[int], list[int]]:
        """The bound, what is left unsold of each line, and every node's slack."""
        left = list(self._instance.need)
        value = sum([price * units for price, units in zip(prices, left, strict=True)])
        slack = []
        for segments, rows in zip(self.segments, self._rows, strict=True):
            least, sold = _best_step(segments, rows, prices)
            slack.append(least)
            if least < 0:
                value += least
                for line, units in sold:
                    left[line] -= units
        return value, left, slack


def _best_step(
    segments: list[Segment], rows: list[Row], prices: Sequence[int]
) -> tuple[int, list[tuple[int, int]]]:
    """The least a node can come to, used, and what it then sells."""
    gains, totals = _on_segments(segments, rows, prices)
    least, first, room = min(totals)
    sold = [(line, units) for _, _, _, line, units in gains[:first]]
    if first < len(gains):
        _, _, grams, line, units = gains[first]
        sold.append((line, units * room // grams if grams else units))
    return least, sold


def bounds_of(segments: list[Segment], rows: list[Row], prices: Sequence[int]) -> list[int]:
    """For each piece of a node's price, the least that the node comes to on it."""
    return [total for total, _, _ in _on_segments(segments, rows, prices)[1]]


def _on_segments(
    segments: list[Segment], rows: list[Row], prices: Sequence[int]
) -> tuple[list[_Gain], list[tuple[int, int, int]]]:
    """What there is to gain, best by the gram first, and for each piece the least, how many gains
    are taken whole there, and the grams of the next.
    """
    gains = []
    weight = 0
    for line, units, touch, each, grams in rows:
        gain = (prices[line] - each) * units - touch
        if gain > 0:
            gains.append((gain / grams if grams else inf, gain, grams, line, units))
            weight += grams
    if weight > segments[0][1] or segments[0][3]:
        gains.sort(reverse=True)
    count = len(gains)
    totals = []
    at = full = earned = 0
    for low, most, total, rate, _ in segments:
        if rate:
            totals.append(_sloped(gains, low, most, total, rate))
            continue
        while at < count and full + gains[at][2] <= most:
            earned += gains[at][1]
            full += gains[at][2]
            at += 1
        total -= earned
        if at < count:
            # Part of the next; rounded up, since less is no bound.
            total -= gains[at][1] * (most - full) // gains[at][2] + 1
        totals.append((total, at, most - full))
    return gains, totals


def _sloped(gains: list[_Gain], low: int, most: int, total: int, rate: int) -> tuple[int, int, int]:
    """The least on a piece whose price rises by the gram: it, full gains taken, grams after."""
    full = 0
    for at, (_, gain, grams, _, _) in enumerate(gains):
        free = max(0, min(grams, low - full))
        paid = grams - free
        if paid and gain <= rate * grams:
            # What lies above the piece's start is not worth its price.
            part = gain * free // grams + 1 if free else 0
            return total - part, at, free
        if full + grams > most:
            room = most - full
            part = gain * room // grams + 1 - rate * max(0, room - free)
            return total - part, at, room
        total -= gain - rate * paid
        full += grams
    return total, len(gains), 0


def true_rows(instance: Instance, node: int) -> list[Row]:
    """What a node offers at true unit costs, with grams."""
    if instance.packers[node] is None:
        return [(line, units, touch, each, 0) for line, units, touch, each in instance.held[node]]
    true, grams = instance.true_unit[node], instance.grams
    return [
        (line, units, touch, true[line], grams[line] * units)
        for line, units, touch, _ in instance.held[node]
    ]


def segments_of(instance: Instance, node: int) -> list[Segment]:
    """What a node's parcels cost by load, piece by piece; nowhere above the truth."""
    packer = instance.packers[node]
    most = sum([row[4] for row in true_rows(instance, node)])
    if packer is None:
        return [(0, most, instance.opening[node], 0, True)]
    extra = instance.counts[node] * instance.weight["nodes"]
    return [
        (least, limit, price + extra, rate, exact)
        for least, limit, price, rate, exact in packer.segments(most)
    ]
