"""The demand as captured, and the personal data that is kept apart from it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import frozen

from domcore.model.item import Attribute
from domcore.model.place import Destination

PICKUP: Final = "pickup"
"""The service of an order that its customer fetches: it is captured, and held until it is
served."""


@frozen(slots=True)
class OrderLine:
    """One line of an order. Its identity is the channel's line id, never the SKU.

    Args:
        id: the channel's id of the line.
        sku: the owner's SKU (aliases are resolved at capture).
        quantity: units still wanted, 0 or more (an edited-away line stays with 0).
        price: micros per unit, in the order's currency.
        ships: False for gift cards, digital goods and services: kept, shown, never sourced.
    """

    id: str
    sku: str
    quantity: int
    price: int = 0
    ships: bool = True
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Attribute], ...] = ()


@frozen(slots=True)
class Order:
    """One revision of an order, frozen; routing never changes it.

    Args:
        owner: whose order it is.
        channel: the channel it came in by.
        external_id: the channel's id; ``(owner, channel, external_id)`` is its identity.
        revision: the channel's version, or its update time in microseconds since 1970; a later
            revision replaces an earlier one and never the other way round.
        placed_at: aware UTC.
        number: what people call it, such as ``"#1001"``.
        destination: None when the channel gave no address.
        ship_by, deliver_by: what the channel has promised, aware UTC; None where it has not.
    """

    owner: str
    channel: str
    external_id: str
    revision: int
    placed_at: datetime
    currency: str
    lines: tuple[OrderLine, ...]
    destination: Destination | None = None
    number: str = ""
    service: str = "standard"
    customer_tier: str = ""
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Attribute], ...] = ()
    ship_by: datetime | None = None
    deliver_by: datetime | None = None

    @property
    def value(self) -> int:
        """Goods value in micros: price times quantity over all lines."""
        return sum(line.price * line.quantity for line in self.lines)

    @property
    def key(self) -> tuple[str, str, str]:
        """``(owner, channel, external_id)``."""
        return (self.owner, self.channel, self.external_id)

    @property
    def key_text(self) -> str:
        """``owner/channel/external_id``: what answers fetched for it are filed under."""
        return "/".join(self.key)


@frozen(slots=True)
class Person:
    """Who an order goes to. Stored in one table only, by surrogate key, and erasable."""

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    street: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    postal: str = ""
    country: str = ""
