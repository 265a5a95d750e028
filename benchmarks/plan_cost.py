"""What plans cost: domcore's against routing by node priority and against a greedy cover.

Each way routes the same orders on stock of its own, at the same rates, whole or not at all. All
nodes charge the same for weight, so what the weight of the goods costs is the same whoever ships
them: the comparison that says something leaves it out, and both are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import define
from captured import fill, open_app, settings_for
from workload import Workload

from domcore.model import Order
from domcore.sourcing.distance import from_place
from domcore.sourcing.field import Field

PER_GRAM = 350
"""Micros, at every node."""

Take = dict[int, dict[str, int]]
"""Units by SKU, by node position."""

Choose = Callable[["Shelf", dict[str, int], dict[int, int]], Take]


@define
class Tally:
    """Totals of one way of routing."""

    cost: int = 0
    grams: int = 0
    units: int = 0
    placed: int = 0

    @property
    def moving(self) -> int:
        """Micros that depend on which nodes ship: parcels and distance."""
        return self.cost - self.grams * PER_GRAM

    def row(self, name: str, exact: Tally) -> tuple[object, ...]:
        """As a line of the report."""
        return (
            name,
            f"{self.moving / 1e6:,.2f}",
            f"{exact.moving / self.moving:.4f}",
            f"{self.cost / 1e6:,.2f}",
            f"{exact.cost / self.cost:.4f}",
            self.placed,
            self.units,
        )


HEADS = (
    "routing", "parcels and distance", "domcore's part", "with weight", "domcore's part",
    "orders placed", "units",
)  # fmt: skip


@define
class Shelf:
    """Stock above safety, and what a parcel costs."""

    field: Field
    available: dict[str, dict[int, int]]
    grams: dict[str, int]

    @classmethod
    def of(cls, work: Workload) -> Shelf:
        """The workload's stock, untouched."""
        field = Field(work.network)
        available: dict[str, dict[int, int]] = {item.sku: {} for item in work.items}
        for count in work.stock.counts:
            free = (count.on_hand or 0) - (count.safety or 0)
            if free > 0:
                available[count.sku][field.position[count.node]] = free
        return cls(field, available, {item.sku: item.weight for item in work.items})

    def parcel(self, at: int, order: Order, distance: int) -> tuple[int, int]:
        """Micros of a parcel from a node before its weight, and micros per gram."""
        node = self.field.nodes[at]
        assert order.destination is not None
        quote = self.field.rates.quotes(
            order.service, order.currency, order.destination, {at: distance}
        ).get(at)
        assert quote is not None
        return quote[0] + node.handling.parcel, quote[1]

    def offered(self, wanted: dict[str, int]) -> dict[int, dict[str, int]]:
        """What each holder could give of what is wanted."""
        found: dict[int, dict[str, int]] = {}
        for sku, units in wanted.items():
            for at, free in self.available[sku].items():
                found.setdefault(at, {})[sku] = min(units, free)
        return found


def by_priority(shelf: Shelf, wanted: dict[str, int], _fixed: dict[int, int]) -> Take:
    """The first node by priority gives all it can, then the next."""
    take: Take = {}
    offered = shelf.offered(wanted)
    for at in sorted(offered, key=lambda at: shelf.field.nodes[at].priority):
        give = {sku: min(units, wanted[sku]) for sku, units in offered[at].items() if wanted[sku]}
        for sku, units in give.items():
            wanted[sku] -= units
        if give:
            take[at] = give
    return take


def by_greed(shelf: Shelf, wanted: dict[str, int], fixed: dict[int, int]) -> Take:
    """The node with the least cost per unit gives all it can, then the next."""
    take: Take = {}
    while offered := shelf.offered({sku: units for sku, units in wanted.items() if units}):
        for at in take:
            offered.pop(at, None)
        best, best_score = -1, (float("inf"), 0)
        for at, give in offered.items():
            weight = sum(shelf.grams[sku] * units for sku, units in give.items())
            score = ((fixed[at] + PER_GRAM * weight) / sum(give.values()), at)
            if score < best_score:
                best, best_score = at, score
        if best < 0:
            return take
        take[best] = offered[best]
        for sku, units in offered[best].items():
            wanted[sku] -= units
    return take


def route_by(choose: Choose, work: Workload, orders: Iterable[Order]) -> Tally:
    """Route by one of the simple ways."""
    shelf, tally = Shelf.of(work), Tally()
    for order in orders:
        wanted: dict[str, int] = {}
        for line in order.lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
        if any(sum(shelf.available[sku].values()) < units for sku, units in wanted.items()):
            continue
        assert order.destination is not None
        assert order.destination.point is not None
        holders = {at for sku in wanted for at in shelf.available[sku]}
        distances = from_place(order.destination.point, shelf.field.vectors, holders)
        prices = {at: shelf.parcel(at, order, distances[at]) for at in holders}
        take = choose(shelf, wanted, {at: price[0] for at, price in prices.items()})
        for at, give in take.items():
            tally.cost += prices[at][0]
            for sku, units in give.items():
                tally.cost += prices[at][1] * shelf.grams[sku] * units
                tally.grams += shelf.grams[sku] * units
                tally.units += units
                left = shelf.available[sku][at] - units
                if left:
                    shelf.available[sku][at] = left
                else:
                    del shelf.available[sku][at]
        tally.placed += 1
    return tally


def route_exactly(work: Workload, orders: int | None) -> Tally:
    """domcore on a store in memory, cost only."""
    with open_app(settings_for("memory:")) as dom:
        fill(dom, work, orders)
        grams: list[int] = []
        report = dom.route(
            progress=lambda routed: grams.extend(parcel.weight for parcel in routed.plan.parcels)
        )
    return Tally(report.cost, sum(grams), report.units, report.placed)


def compare(work: Workload, orders: int | None = None) -> list[tuple[object, ...]]:
    """Rows of the report, see `HEADS`."""
    exact = route_exactly(work, orders)
    priority = route_by(by_priority, work, work.orders[:orders])
    greedy = route_by(by_greed, work, work.orders[:orders])
    if len({(each.placed, each.units) for each in (exact, priority, greedy)}) > 1:
        raise SystemExit("the three ways did not place the same orders")
    return [
        exact.row("domcore", exact),
        priority.row("node priority", exact),
        greedy.row("greedy cover", exact),
    ]
