"""Small worlds for tests and examples: a network, items, stock and orders in a few words.

::

    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", NYC=5, LAX=2)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from domcore.app import Domcore
from domcore.model import (
    Band,
    Destination,
    Handling,
    Item,
    Network,
    Node,
    ObserveStock,
    Order,
    OrderLine,
    Point,
    RateCard,
    StockCount,
    micros,
)
from domcore.settings import Settings

NEW_YORK = Destination("US", "NY", "10001", Point.from_degrees(40.75, -74.0))
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def forward(self, **amount: float) -> None:
        """Move by a `timedelta`: ``clock.forward(minutes=5)``."""
        self.now += timedelta(**amount)


class World:
    """Collects nodes, items and stock; `open` makes an application that knows them."""

    def __init__(self, currency: str = "USD") -> None:
        self.currency = currency
        self.clock = Clock()
        self.nodes: list[Node] = []
        self.items: list[Item] = []
        self.counts: list[StockCount] = []
        self.rate_cards = [
            RateCard("parcel", currency, (Band(base=4_000_000, per_km=2_000, per_kg=500_000),))
        ]

    def node(self, id: str, *, at: tuple[float, float], kind: str = "dc", **more: Any) -> Self:
        """Add a node; amounts of ``handling=(parcel, line, unit)`` are decimal text."""
        handling = Handling(*(micros(text) for text in more.pop("handling", ())))
        more.setdefault("rate_card", "parcel")
        more.setdefault("country", "US")
        point = Point.from_degrees(*at)
        self.nodes.append(Node(id, kind, point, handling=handling, **more))
        return self

    def item(self, sku: str, **more: Any) -> Self:
        """Add an item."""
        self.items.append(Item(sku, **more))
        return self

    def stock(self, sku: str, *, safety: int | None = None, **on_hand: int) -> Self:
        """Count a SKU at nodes: ``stock("MUG", NYC=5, LAX=2)``."""
        for node, units in on_hand.items():
            self.counts.append(StockCount(sku, node, on_hand=units, safety=safety))
        return self

    def network(self) -> Network:
        """All nodes so far."""
        return Network(tuple(self.nodes), tuple(self.rate_cards))

    def order(
        self, external_id: str, *, lines: Mapping[str, int] | None = None, **more: Any
    ) -> Order:
        """An order to New York; further keywords are fields of `Order`, or SKUs with units."""
        fields = {name: more.pop(name) for name in list(more) if hasattr(Order, name)}
        owner, channel = fields.pop("owner", "main"), fields.pop("channel", "web")
        wanted = {**(lines or {}), **more}
        details: dict[str, Any] = {
            "revision": 1,
            "placed_at": self.clock(),
            "currency": self.currency,
            "destination": NEW_YORK,
            "number": f"#{external_id}",
            "lines": tuple(
                OrderLine(f"{external_id}-{number}", sku, units, price=10_000_000)
                for number, (sku, units) in enumerate(wanted.items(), 1)
            ),
        } | fields
        return Order(owner, channel, external_id, **details)

    def open(self, settings: Settings | None = None, **more: Any) -> Domcore:
        """An application on a store in memory (or what `settings` name) that knows this world."""
        more.setdefault("load_plugins", False)
        more.setdefault("clock", self.clock)
        dom = Domcore(
            settings or Settings(store="memory:", owners={"main": self.currency}),
            **more,
        )
        dom.load_network(self.network())
        dom.load_items(self.items)
        if self.counts:
            dom.observe(ObserveStock("main", tuple(self.counts)))
        return dom
