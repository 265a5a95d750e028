"""What a node with a weight tariff truly costs: lines packed into parcels, and a bound on it.

``cheapest`` is the least cost of packing a set of lines: up to `EXACT_LINES` of them by the
recursion over the parcel that holds the lowest line (3**n steps), beyond that the best of a few
fillings. `minorant` is a straight line that lies nowhere above the tariff.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from domcore.sourcing.planner.problem import Tariff

EXACT_LINES = 9
"""Lines at one node up to which every packing is considered."""

Parcels = list[tuple[bool, list[int]]]
"""``[(joins the open parcel, lines)]``."""


class Packer:
    """Prices one node's weight tariff, weighted for the objective.

    `money` is the weight of cost, `parcel` the weighted cost of one new parcel, `opened` the grams
    of the parcel that is open already (None: there is none), `weights` grams per unit by line.
    `minorant` is a straight line below the tariff for every parcel that can occur.
    """

    __slots__ = (
        "_known",
        "_money",
        "_opened",
        "_parcel",
        "_slope",
        "_tariff",
        "_two_starts",
        "_weights",
    )

    def __init__(
        self,
        tariff: Tariff,
        money: int,
        parcel: int,
        opened: int | None,
        weights: Sequence[int],
        minorant: tuple[int, int] = (0, 0),
    ) -> None:
        self._tariff = tariff
        self._money = money
        self._parcel = parcel
        self._opened = opened
        self._weights = weights
        self._known: dict[int, int] = {}
        start, slope = minorant
        self._two_starts = 2 * (parcel + money * start)
        self._slope = money * slope

    def cheapest(self, units: Iterable[tuple[int, int]]) -> tuple[int, Parcels]:
        """The cheapest packing of ``[(line, units)]``: weighted cost and the parcels."""
        lines = [line for line, _ in units]
        grams = [self._weights[line] * count for line, count in units]
        if self._opened is None:
            load = sum(grams)
            together = self.new(load)
            # Two parcels or more cost at least two starts of the straight line and its weight.
            if len(lines) == 1 or together <= self._two_starts + self._slope * load:
                return together, [(False, lines)]
        if len(lines) <= EXACT_LINES:
            total, groups = self._exact(grams)
        else:
            total, groups = self._filled(grams)
        return total, [(joins, [lines[at] for at in group]) for joins, group in groups]

    def single(self, units: Iterable[tuple[int, int]]) -> int:
        """All of it in one parcel: the open one, where there is one."""
        load = sum(self._weights[line] * count for line, count in units)
        return self.new(load) if self._opened is None else self.join(load)

    def new(self, grams: int) -> int:
        """One new parcel."""
        known = self._known.get(grams)
        if known is None:
            known = self._known[grams] = self._parcel + self._money * self._tariff.price(grams)
        return known

    def join(self, grams: int) -> int:
        """The same grams put into the open parcel."""
        opened = self._opened or 0
        return self._money * (self._tariff.price(opened + grams) - self._tariff.price(opened))

    def _exact(self, grams: list[int]) -> tuple[int, Parcels]:
        size = 1 << len(grams)
        load = [0] * size
        best = [0] * size
        chosen = [0] * size
        new = [0] * size
        for whole in range(1, size):
            lowest = whole & -whole
            load[whole] = load[whole ^ lowest] + grams[lowest.bit_length() - 1]
            least, part = self.new(load[whole]), whole
            new[whole] = least
            # Every proper part that keeps the lowest line: the rest runs over the other lines.
            rest = others = whole ^ lowest
            floor = new[lowest]
            while rest and floor < least:
                total = new[whole ^ rest] + best[rest]
                if total < least:
                    least, part = total, whole ^ rest
                rest = (rest - 1) & others
            best[whole] = least
            chosen[whole] = part
        least, joined = best[-1], 0
        if self._opened is not None:
            for part in range(1, size):
                total = self.join(load[part]) + best[size - 1 ^ part]
                if total < least or (not joined and total == least):
                    least, joined = total, part
        groups: Parcels = [(True, _members(joined))] if joined else []
        rest = size - 1 ^ joined
        while rest:
            groups.append((False, _members(chosen[rest])))
            rest ^= chosen[rest]
        return least, groups

    def _filled(self, grams: list[int]) -> tuple[int, Parcels]:
        """The best of: one parcel; parcels filled heaviest first up to each of the limits."""
        total = sum(grams)
        heaviest = sorted(range(len(grams)), key=lambda at: (-grams[at], at))
        choices: list[Parcels] = [[(False, list(range(len(grams))))]]
        choices += [
            [(False, group) for group in _first_fit(grams, heaviest, limit)]
            for limit in [limit for limit, _ in self._tariff.steps if limit < total][-8:]
        ]
        if self._opened is not None:
            choices += [
                [(at == 0, group) for at, (_, group) in enumerate(groups)] for groups in choices
            ]
        best, found = -1, choices[0]
        for groups in choices:
            cost = 0
            for joins, group in groups:
                load = sum(grams[at] for at in group)
                cost += self.join(load) if joins else self.new(load)
            if best < 0 or cost < best:
                best, found = cost, groups
        return best, [(joins, sorted(group)) for joins, group in found]


def _first_fit(grams: list[int], order: list[int], limit: int) -> list[list[int]]:
    """First-fit-decreasing parcels of at most `limit` grams; a heavier line rides alone."""
    groups: list[list[int]] = []
    loads: list[int] = []
    for at in order:
        for number, load in enumerate(loads):
            if load + grams[at] <= limit:
                groups[number].append(at)
                loads[number] += grams[at]
                break
        else:
            groups.append([at])
            loads.append(grams[at])
    return groups


def _members(mask: int) -> list[int]:
    return [at for at in range(mask.bit_length()) if mask >> at & 1]


def minorant(
    tariff: Tariff, least: int, most: int, target: int, opened: int | None
) -> tuple[int, int]:
    """``(start, per gram)``, both >= 0, with ``start + per gram * g <= price(g)``.

    Valid for every parcel of `least` to `most` grams and as high as can be at `target`. With a
    parcel open at the node there is no start, and joining it (whose price is a difference) is
    bounded too.
    """
    prices = [(grams, tariff.price(grams)) for grams in _corners(tariff, least, most)]
    flat = min((price // grams for grams, price in prices if grams), default=0)
    if opened is not None:
        base = tariff.price(opened)
        for grams in _corners(tariff, opened + least, opened + most):
            if grams > opened:
                flat = min(flat, (tariff.price(grams) - base) // (grams - opened))
        return 0, flat
    hull: list[tuple[int, int]] = []
    for grams, price in prices:
        while len(hull) > 1 and _above(hull[-2], hull[-1], (grams, price)):
            hull.pop()
        hull.append((grams, price))
    slope = 0
    for (left, low), (right, high) in pairwise(hull):
        if left <= target or not slope:
            slope = (high - low) // (right - left)
    start = min(price - slope * grams for grams, price in prices)
    return (start, slope) if start >= 0 else (0, flat)


def _above(left: tuple[int, int], middle: tuple[int, int], right: tuple[int, int]) -> bool:
    """Whether the middle point lies on or above the line from the left to the right one."""
    return (middle[1] - left[1]) * (right[0] - left[0]) >= (right[1] - left[1]) * (
        middle[0] - left[0]
    )


def _corners(tariff: Tariff, least: int, most: int) -> list[int]:
    """Grams between which the tariff is straight: ends, limits, and where the minimum ends."""
    edges = {least, most}
    for limit, _ in tariff.steps:
        if least <= limit < most:
            edges.add(limit)
            edges.add(limit + 1)
    ends = sorted(edges)
    if tariff.price(least) > tariff.minimum:
        return ends
    # The price never falls, so the last gram at the minimum is found by halving.
    low, high = least, most
    while low < high:
        middle = (low + high + 1) // 2
        if tariff.price(middle) <= tariff.minimum:
            low = middle
        else:
            high = middle - 1
    edges.add(low)
    edges.add(min(low + 1, most))
    return sorted(edges)
