"""Pieces of work to hand over in tests, from a small world: `make_handover`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from domcore.model import (
    Destination,
    FulfillmentOrder,
    Handover,
    Node,
    Order,
    OrderLine,
    Person,
    Point,
)

HANDED_OVER_AT: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

BUYER: Final = Person(
    name="Ottilie Quist",
    company="Quist & Daughters",
    email="ottilie@quist.example",
    phone="+1 555 0134",
    street=("17 Juniper Row", "Flat 4"),
    city="Hudson",
    region="NY",
    postal="12534",
    country="US",
)
"""Who the work of `make_handover` goes to."""


def make_handover(
    key: str = "7-1-NYC",
    *,
    lines: Mapping[str, int] | None = None,
    person: Person | None = BUYER,
    connector: str = "partner",
    number: str = "#1007",
    **more: Any,
) -> Handover:
    """One piece of work: two lines for node NYC, unless `lines` (SKU to units) say otherwise.

    Args:
        key: the key it is handed over under, which is the fulfillment order's id.
        connector: the name of the connector that the node names.
        more: further fields of `Handover`, such as ``attempt=2``.
    """
    wanted = {"MUG": 2, "KETTLE": 1} if lines is None else lines
    named = [(f"L{at}", sku, units) for at, (sku, units) in enumerate(wanted.items(), 1)]
    order_id, sequence, node = _parts(key)
    order = Order(
        "main",
        "web",
        f"ext-{order_id}",
        revision=1,
        placed_at=HANDED_OVER_AT,
        currency="USD",
        lines=tuple(OrderLine(line, sku, units, price=10_000_000) for line, sku, units in named),
        destination=Destination("US", "NY", "12534", Point.from_degrees(42.25, -73.79)),
        number=number,
    )
    place = Node(node, "3pl", Point.from_degrees(40.71, -74.0), country="US", connector=connector)
    work = FulfillmentOrder(key, order_id, sequence, node, "requested", tuple(named))
    return Handover(key, work, order, place, person, **{"now": HANDED_OVER_AT, **more})


def _parts(key: str) -> tuple[int, int, str]:
    order, _, rest = key.partition("-")
    sequence, _, node = rest.partition("-")
    if order.isdecimal() and sequence.isdecimal() and node:
        return int(order), int(sequence), node
    raise ValueError("a key is ORDER-SEQUENCE-NODE, such as 7-1-NYC")
