"""Whole lines, exactly: which node ships which set of lines, by a table over line sets.

With fixed parcel costs this is uncapacitated facility location. ``group[A]`` is the cheapest
single node for the line set A; ``best[A]`` the cheapest partition of A into such groups, by the
recursion over the group that holds A's lowest line. A node that appears twice only pays its
parcel twice, so counting it once is never dearer and the table is exact.

A node that holds too little of a line counts here as if it held all of it. Sending a split line
wholly to the cheapest of its nodes never costs more, so the table's figure is a lower bound on
every plan with split lines; when its partition uses full holders only, it is the optimum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from attrs import define

from domcore.sourcing.planner.problem import Offer

MOST_LINES = 8
"""Lines up to which the table of ``2**lines`` sets is worth its steps."""

# A partial holder adds one to a cost shifted by this many bits: full holders win ties, and the
# low bits of a total tell how many partial holders it uses (at most MOST_LINES of them).
SHIFT = 4
FLAGS = (1 << SHIFT) - 1

# Above every price of a line.
_NEVER = 1 << 500

Group = tuple[int, int]
"""``(node, line set as a bit mask)``."""

Table = tuple[int, list[Group], bool]
"""``(lower bound, cheapest partition, every node holds what it is given)``."""


def cheapest_holder(
    quantity: int, offers: Sequence[Offer], opening: Mapping[int, int]
) -> tuple[int, int, bool]:
    """The cheapest node for one whole line: ``(cost, node, holds all of it)``; node -1 if none."""
    least, best, full = -1, -1, False
    for node, available, fixed, unit in offers:
        if available > 0:
            cost = opening[node] + fixed + unit * quantity
            holds = available >= quantity
            if cost < least or best < 0 or (cost == least and holds and not full):
                least, best, full = cost, node, holds
    return least, best, full


@cache
def lines_of(mask: int) -> tuple[int, ...]:
    """The lines of a set, ascending."""
    return tuple([line for line in range(mask.bit_length()) if mask >> line & 1])


@define(slots=True)
class Relaxed:
    """The tables over line sets. Prices carry a count of partial holders in their low bits.

    ``best[A]`` is the least price of A, ``chosen[A]`` the group that holds A's lowest line there,
    ``owner[A]`` the node that ships A as one group; ``prices[line][node]`` is what the whole line
    costs at a node without the opening, and `shared` the nodes that hold two lines or more.
    """

    best: list[int]
    chosen: list[int]
    owner: list[int]
    prices: list[dict[int, int]]
    shared: set[int]

    def groups(self, lines: int) -> list[Group]:
        """The cheapest partition of a line set."""
        found = []
        while lines:
            part = self.chosen[lines]
            found.append((self.owner[part], part))
            lines ^= part
        return found

    def table(self) -> Table:
        """The answer for all lines together."""
        total = self.best[-1]
        return total >> SHIFT, self.groups(len(self.best) - 1), not total & FLAGS


def cheapest_partition(
    quantities: Sequence[int],
    offers: Sequence[Sequence[Offer]],
    opening: Mapping[int, int],
) -> Relaxed | None:
    """The cheapest partition of every line set into one group a node, partial holders included.

    None where a line has no holder at all. `opening` is what using a node costs, by node.
    """
    size = 1 << len(quantities)
    group = [-1] * size
    owner = [-1] * size
    prices: list[dict[int, int]] = []
    bit = 1
    for quantity, row in zip(quantities, offers, strict=True):
        least, owned = _NEVER, -1
        here: dict[int, int] = {}
        for node, available, fixed, unit in row:
            if available <= 0:
                continue
            cost = (fixed + unit * quantity) << SHIFT
            if available < quantity:
                cost += 1
            here[node] = cost
            cost += opening[node] << SHIFT
            if cost < least:
                least, owned = cost, node
        if owned < 0:
            return None
        group[bit] = least
        owner[bit] = owned
        bit <<= 1
        prices.append(here)
    seen = set(prices[0])
    shared = seen.intersection(prices[1]) if len(prices) > 1 else set()
    for last, here in enumerate(prices[2:], 1):
        seen.update(prices[last])
        shared.update(seen.intersection(here))
    for node in shared:
        _add_groups(node, opening[node] << SHIFT, prices, group, owner)
    best, chosen = partitions(group)
    return Relaxed(best, chosen, owner, prices, shared)


def _add_groups(
    node: int, opening: int, prices: list[dict[int, int]], group: list[int], owner: list[int]
) -> None:
    """Enter the node's price for every set of two or more of its lines.

    A line whose own best parcel costs no more than adding it here gains nothing from this node.
    """
    bit = 1
    sets = [(0, opening)]
    for here in prices:
        if node in here:
            cost = here[node]
            if cost < group[bit]:
                sets += [(mask | bit, total + cost) for mask, total in sets]
        bit <<= 1
    # Singletons are entered already: their figure is at most the one here, so nothing happens.
    for at in range(3, len(sets)):
        mask, total = sets[at]
        known = group[mask]
        if known < 0 or total < known or (total == known and node < owner[mask]):
            group[mask] = total
            owner[mask] = node


def partition(group: list[int]) -> tuple[int, list[int]]:
    """The cheapest split of the full set into sets with a price (-1: none): price and sets."""
    best, chosen = partitions(group)
    parts = []
    rest = len(group) - 1
    while rest:
        parts.append(chosen[rest])
        rest ^= chosen[rest]
    return best[-1], parts


def partitions(group: list[int]) -> tuple[list[int], list[int]]:
    """For every line set its least price in groups, and the group with its lowest line.

    `group` is -1 for a set without a price; every single line has one.
    """
    size = len(group)
    best = [0] * size
    chosen = [0] * size
    last = size >> 1
    best[last], chosen[last] = group[last], last
    bit = last >> 1
    while bit:
        # All sets with this lowest line, from those of the lines above it: the line by itself,
        step = bit << 1
        alone = group[bit]
        best[bit::step] = [alone + rest for rest in best[::step]]
        chosen[bit::step] = [bit] * (size // step)
        # then every group with further lines that its own parts do not beat.
        for some in range(bit + step, size, step):
            price = group[some]
            if price < 0 or price > best[some]:
                continue
            best[some], chosen[some] = price, some
            others = rest = (size - step) & ~some
            while rest:
                total = price + best[rest]
                if total < best[some | rest]:
                    best[some | rest], chosen[some | rest] = total, some
                rest = (rest - 1) & others
        bit >>= 1
    return best, chosen
