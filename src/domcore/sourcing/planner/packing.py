"""What a node with a weight tariff truly costs: lines packed into parcels, and a bound on it.

``cheapest`` is the least cost of packing a set of lines: up to `EXACT_LINES` of them by the
recursion over the parcel that holds the lowest line (3**n steps), beyond that the best of a few
fillings. `minorant` is a straight line that lies nowhere above the tariff.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from domcore.sourcing.planner.problem import Tariff

EXACT_LINES = 9
"""Lines at one node up to which every packing is considered."""

Segment = tuple[int, int, int, int, bool]
"""``(grams at least, at most, price of the least, rate by the gram above that, exact)``."""

Parcels = list[tuple[bool, list[int]]]
"""``[(joins the open parcel, lines)]``."""


class Packer:
    """Prices one node's weight tariff, weighted for the objective.

    `money` is the weight of cost, `parcel` the weighted cost of one new parcel, `opened` the grams
    of the parcel that is open already (None: there is none), `weights` grams per unit by line.
    `minorant` is a straight line below the tariff for every parcel that can occur, `most` the
    grams of all that can be shipped. `exact` turns False when a packing may not be the cheapest.
    """

    __slots__ = (
        "_fills",
        "_known",
        "_money",
        "_opened",
        "_packed",
        "_parcel",
        "_slope",
        "_tariff",
        "_two_starts",
        "_weights",
        "_whole",
        "exact",
        "limits",
    )

    def __init__(
        self,
        tariff: Tariff,
        money: int,
        parcel: int,
        opened: int | None,
        weights: Sequence[int],
        minorant: tuple[int, int] = (0, 0),
        most: int = 0,
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
        self.limits = [limit for limit, _ in tariff.steps]
        self._fills: list[tuple[int, int]] = []
        self._whole = most if opened is None else -1
        self._packed: dict[tuple[tuple[int, int], ...], tuple[int, Parcels]] = {}
        self.exact = True
        if opened is None and self.limits:
            self._whole = self._one_parcel_up_to(most)

    def cheapest(self, units: Sequence[tuple[int, int]]) -> tuple[int, Parcels]:
        """The cheapest packing of ``[(line, units)]``: weighted cost and the parcels."""
        lines = [line for line, _ in units]
        grams = [self._weights[line] * count for line, count in units]
        load = sum(grams)
        if self._opened is None:
            together = self.new(load)
            # Two parcels or more cost at least two starts of the straight line and its weight.
            if (
                len(lines) == 1
                or load <= self._whole
                or together <= self._two_starts + self._slope * load
            ):
                return together, [(False, lines)]
        key = tuple(units)
        packed = self._packed.get(key)
        if packed is None:
            few = len(lines) <= EXACT_LINES
            packed = self._packed[key] = self._exact(grams) if few else self._filled(grams)
        total, groups = packed
        self.exact = self.exact and len(lines) <= EXACT_LINES
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

    def in_one(self, load: int) -> bool:
        """Whether no packing of this load is cheaper than one parcel, whatever it consists of."""
        return load <= self._whole

    def poured(self, load: int) -> int:
        """About what a load costs if it could be divided at will between parcels.

        The open parcel, where there is one, takes all of it.
        """
        if self._opened is not None:
            return self.join(load)
        price = self.new(load)
        if load <= self._whole or not self.limits:
            return price
        if not self._fills:
            self._fills = self._filled_parcels()
        fills, by_weight = self._fills, self._money * self._tariff.per_gram
        last = fills[-1][0]
        # Of a very large load, parcels filled to the last limit come off first.
        many = max(0, -((last - load) // self.limits[-1]))
        rest = load - many * self.limits[-1]
        several = fills[bisect_left(fills, (rest,))][1] + by_weight * rest
        several += many * self.new(self.limits[-1])
        return min(price, several)

    def _filled_parcels(self) -> list[tuple[int, int]]:
        """``(grams, cost apart from rates by the gram)`` of two or three full parcels, ascending.

        Only those that no heavier ones beat.
        """
        by_weight = self._money * self._tariff.per_gram
        ones = [(limit, self.new(limit) - by_weight * limit) for limit in self.limits]
        twos = [(a + b, x + y) for a, x in ones for b, y in ones]
        every = twos + [(a + b, x + y) for a, x in twos for b, y in ones]
        every.sort(key=lambda fill: (-fill[0], fill[1]))
        kept: list[tuple[int, int]] = []
        for fill in every:
            if not kept or fill[1] < kept[-1][1]:
                kept.append(fill)
        return kept[::-1]

    def segments(self, most: int) -> list[Segment]:
        """What loads up to `most` grams cost, nowhere above the truth.

        Pieces are exact where one parcel is always cheapest. The last stands for several parcels,
        or for all that joins an open one.
        """
        if self._opened is not None:
            return [(0, most, 0, self._slope, False)]
        ends = set(_corners(self._tariff, 0, most)) - {limit + 1 for limit in self.limits} - {0}
        ends.add(most)
        pieces: list[Segment] = []
        low = 0
        for end in sorted(ends):
            first, last = self.new(low), self.new(end)
            rate = (last - first) // (end - low) if end > low else 0
            pieces.append((low, end, first, rate, True))
            low = end + 1
        if most > self._whole:
            low = self._whole + 1
            pieces.append((low, most, self._two_starts + self._slope * low, self._slope, False))
        return pieces

    def _one_parcel_up_to(self, most: int) -> int:
        """The load up to which two parcels never cost less than one, however they are divided.

        Between corners all prices are straight, so looking at corners is enough.
        """
        corners = _corners(self._tariff, 1, most) if most > 1 else [1]
        if all(self.new(load) <= self._two_starts + self._slope * load for load in corners):
            return most
        parts = [load for load in corners if load < most]
        loads = {*corners, *(one + other for one in parts for other in corners)}
        loads.update([load + 1 for load in loads])
        safe = 0
        for load in sorted(load for load in loads if load <= most):
            whole = self.new(load)
            if any(self.new(part) + self.new(load - part) < whole for part in parts if part < load):
                return safe
            safe = load
        return most

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
