"""The demand as captured, and the personal data that is kept apart from it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from domcore.model.item import Attribute
from domcore.model.money import half_even
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
        price: micros per unit before discounts, in the order's currency.
        discount, tax: micros for all its units together; None where the channel does not tell.
        ships: False for gift cards, digital goods and services: kept, shown, never sourced.
    """

    id: str
    sku: str
    quantity: int
    price: int = 0
    ships: bool = True
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Attribute], ...] = ()
    discount: int | None = None
    tax: int | None = None

    @property
    def value(self) -> int:
        """Goods value in micros: price times quantity, less the discount where it is told."""
        return max(0, self.price * self.quantity - (self.discount or 0))

    def less(self, units: int) -> OrderLine:
        """The line with units taken off, at most what it wants, and as much less of its amounts."""
        return self.wanting(max(0, self.quantity - units)) if self.quantity else self

    def wanting(self, units: int) -> OrderLine:
        """The line with so many units, and as much of its amounts; those of no units stay."""
        if units == self.quantity:
            return self
        if not self.quantity:
            return evolve(self, quantity=units)
        discount, tax = (
            None if amount is None else half_even(amount * units, self.quantity)
            for amount in (self.discount, self.tax)
        )
        return evolve(self, quantity=units, discount=discount, tax=tax)


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
        shipping, shipping_discount, shipping_tax: what delivery costs the customer before
            discounts, what is taken off it, and its tax; micros, None where it is not told.
        total: all that the customer pays for the order, in micros; None where it is not told.
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
    shipping: int | None = None
    shipping_discount: int | None = None
    shipping_tax: int | None = None
    total: int | None = None

    @property
    def value(self) -> int:
        """Goods value in micros: that of all lines, after discounts where they are told."""
        return sum(line.value for line in self.lines)

    @property
    def discount(self) -> int | None:
        """What is taken off the goods, in micros; None where no line tells."""
        told = [line.discount for line in self.lines if line.discount is not None]
        return sum(told) if told else None

    @property
    def key(self) -> tuple[str, str, str]:
        """``(owner, channel, external_id)``."""
        return (self.owner, self.channel, self.external_id)

    @property
    def key_text(self) -> str:
        """``owner/channel/external_id``: what answers fetched for it are filed under."""
        return "/".join(self.key)


def without_amounts(order: Order) -> Order:
    """The order as it was told before channels told what the customer pays."""
    lines = tuple(evolve(line, discount=None, tax=None) for line in order.lines)
    return evolve(
        order, lines=lines, shipping=None, shipping_discount=None, shipping_tax=None, total=None
    )


@frozen(slots=True)
class Person:
    """Who an order goes to. Stored in one table only, by surrogate key, and erasable.

    Args:
        gift_message: what the customer wants to have written to whom it goes.
        instructions: what the customer says about the delivery, for who brings it.
    """

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    street: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    postal: str = ""
    country: str = ""
    gift_message: str = ""
    instructions: str = ""
