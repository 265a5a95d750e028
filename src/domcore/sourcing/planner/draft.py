"""A plan while it is being changed, priced at true tariffs as it goes.

What a node charges for a parcel depends on its load alone, so moving units costs two look-ups. Only
where a node may want several parcels does the packing matter: there `price` is what the load would
cost if goods could be poured, nowhere above the truth, and `settle` puts it right.
"""

from __future__ import annotations

from collections.abc import Iterable

from domcore.sourcing.planner.instance import Instance, Take
from domcore.sourcing.planner.packing import Packer

_Saved = dict[int, tuple[dict[int, int], int, int]]


class Draft:
    """Units by node and line, with what they cost.

    `units[node]` maps lines to units, `load[node]` is in grams, `paid[node]` what its parcels cost
    (0: not used), `total` all of that with what touched lines and units cost, `short` the units not
    placed, by line, and `unplaced` their sum. `opened` are the nodes in use, `prices[node]` the
    prices known by load.
    `offers[line]` has ``(node, available, if touched, per unit)`` at true unit costs.
    """

    __slots__ = (
        "_before",
        "_extra",
        "_instance",
        "_saved",
        "load",
        "offers",
        "opened",
        "paid",
        "prices",
        "short",
        "terms",
        "total",
        "units",
        "unplaced",
        "used",
        "weights",
    )

    def __init__(self, instance: Instance) -> None:
        count = len(instance.nodes)
        self._instance = instance
        self.prices = _shared_prices(instance)
        self._extra = [instance.counts[node] * instance.weight["nodes"] for node in range(count)]
        self._saved: _Saved = {}
        self.weights = instance.grams
        self.offers = [
            [
                (node, units, touch, instance.true_unit[node].get(line, each))
                if instance.packers[node]
                else (node, units, touch, each)
                for node, units, touch, each in row
            ]
            for line, row in enumerate(instance.offers)
        ]
        self.terms = [{node: (touch, each) for node, _, touch, each in row} for row in self.offers]
        self.units: list[dict[int, int]] = [{} for _ in range(count)]
        self.load = [0] * count
        self.paid = [0] * count
        self.opened: set[int] = set()
        self.total = 0
        self.used = 0
        self.short = list(instance.need)
        self.unplaced = sum(self.short)
        self._before = (0, 0, self.unplaced, self.short.copy())

    @property
    def cost(self) -> int:
        """All of it, units short included; right once it is settled."""
        return self.total + self.unplaced * self._instance.penalty

    def take(self) -> Take:
        """The plan."""
        return [
            (node, line, self.units[node][line])
            for node in sorted(self.opened)
            for line in sorted(self.units[node])
        ]

    def load_plan(self, take: Take) -> None:
        """Start from a plan; nothing may be placed yet."""
        for node, line, units in take:
            self.add(node, line, units)
        self.settle()
        self.keep()

    def price(self, node: int, load: int) -> int:
        """What the parcels of a used node cost at a load."""
        known = self.prices[node].get(load)
        if known is None:
            packer = self._instance.packers[node]
            if packer is None:
                known = self._instance.opening[node]
            else:
                known = packer.poured(load) + self._extra[node]
            self.prices[node][load] = known
        return known

    def add(self, node: int, line: int, count: int) -> None:
        """Place `count` more units of a line at a node (negative: fewer)."""
        here = self.units[node]
        if node not in self._saved:
            self._saved[node] = (here.copy(), self.load[node], self.paid[node])
        touch, each = self.terms[line][node]
        before = here.get(line, 0)
        after = before + count
        total = self.total + each * count - self.paid[node]
        if not before:
            total += touch
            if not here:
                self.used += self._instance.counts[node]
                self.opened.add(node)
        if after:
            here[line] = after
        else:
            del here[line]
            total -= touch
            if not here:
                self.used -= self._instance.counts[node]
                self.opened.discard(node)
        self.short[line] -= count
        self.unplaced -= count
        load = self.load[node] = self.load[node] + self.weights[line] * count
        if here:
            paid = self.prices[node].get(load)
            if paid is None:
                paid = self.price(node, load)
            self.paid[node] = paid
            self.total = total + paid
        else:
            self.paid[node] = 0
            self.total = total

    def take_out(self, lines: Iterable[int]) -> None:
        """Nothing of these lines is placed any longer."""
        changed = set()
        all_units, saved = self.units, self._saved
        for line in lines:
            grams = self.weights[line]
            for node, _, touch, each in self.offers[line]:
                here = all_units[node]
                if line not in here:
                    continue
                if node not in saved:
                    saved[node] = (here.copy(), self.load[node], self.paid[node])
                count = here.pop(line)
                self.total -= touch + each * count
                self.load[node] -= grams * count
                self.short[line] += count
                self.unplaced += count
                changed.add(node)
        for node in changed:
            if all_units[node]:
                paid = self.price(node, self.load[node])
            else:
                paid = 0
                self.used -= self._instance.counts[node]
                self.opened.discard(node)
            self.total += paid - self.paid[node]
            self.paid[node] = paid

    def settle(self) -> None:
        """Price the nodes that were changed and may ship several parcels as they are packed."""
        for node in self._saved:
            packer = self._instance.packers[node]
            if packer is not None and self.units[node] and not packer.in_one(self.load[node]):
                packed = packer.cheapest(sorted(self.units[node].items()))[0]
                self.total += packed + self._extra[node] - self.paid[node]
                self.paid[node] = packed + self._extra[node]

    def keep(self) -> None:
        """What was changed stays."""
        self._saved.clear()
        self._before = (self.total, self.used, self.unplaced, self.short.copy())

    def undo(self) -> None:
        """What was changed since `keep` is as it was."""
        for node, (units, load, paid) in self._saved.items():
            self.units[node], self.load[node], self.paid[node] = units, load, paid
            if units:
                self.opened.add(node)
            else:
                self.opened.discard(node)
        self._saved.clear()
        self.total, self.used, self.unplaced, short = self._before
        self.short = short.copy()


def _shared_prices(instance: Instance) -> list[dict[int, int]]:
    """A dictionary of prices by load for every node, one for all nodes that charge the same."""
    known: dict[tuple[Packer, int], dict[int, int]] = {}
    prices: list[dict[int, int]] = []
    for packer, counts in zip(instance.packers, instance.counts, strict=True):
        prices.append({} if packer is None else known.setdefault((packer, counts), {}))
    return prices
