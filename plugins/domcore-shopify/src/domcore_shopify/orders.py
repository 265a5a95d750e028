"""An order body as commands. Pure: the same body and options give the same commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import frozen

from domcore.codec.scalars import Refused, strict_moment
from domcore.errors import Problem
from domcore.model import (
    Attribute,
    CancelOrder,
    CaptureOrder,
    Command,
    Destination,
    Ignore,
    Order,
    Person,
    postal_prefix,
)
from domcore.model.clock import to_micros
from domcore.model.order import PICKUP
from domcore_shopify.amounts import shipping, total
from domcore_shopify.elsewhere import sent_elsewhere
from domcore_shopify.holding import holds_of, is_picked_up
from domcore_shopify.lines import mapped, read_lines
from domcore_shopify.options import Options
from domcore_shopify.payload import Address, OrderBody
from domcore_shopify.text import one_line, split_tags

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_MOST_PARCELS = 899_999
"""So that it stays before what a pull tells as a later content of the same second."""
_BEFORE_PAID: Final = {"pending": 3_000, "authorized": 2_000, "partially_paid": 1_000}
"""Microseconds before the second in which an order was changed; no other body lies there."""

_LONGEST_PERSONAL = 500
_LONGEST_WORDS = 1_000


@frozen(slots=True)
class Delivery:
    """What is known of a delivery beside its body.

    Args:
        path: where the order stands in the body, for errors.
        revision: the revision to tell, where it is known better than from the body.
    """

    key: str = ""
    path: str = "$"
    revision: int | None = None

    def revision_of(self, body: OrderBody) -> int:
        """The revision of the order in `body`."""
        return revision_of(body) if self.revision is None else self.revision


@frozen(slots=True)
class OrderReader:
    """Turns bodies of one channel into commands."""

    channel: str
    owner: str
    options: Options
    postal_digits: int = 0

    def commands(self, body: OrderBody, delivery: Delivery, problems: list[Problem]) -> Command:
        """One command for one order; what cannot be read is added to `problems`.

        * a test order is ignored
        * one with a cancel time is cancelled, whatever the delivery says it is about
        * one that has left whole is ignored: there is nothing in it to route
        * any other is captured
        """
        external_id = str(body.id)
        if body.test and self.options.test_orders == "ignore":
            return Ignore(f"test order {external_id}", delivery.key)
        if body.cancelled_at is not None:
            return CancelOrder(
                owner=self.owner,
                channel=self.channel,
                external_id=external_id,
                revision=delivery.revision_of(body),
                reason=body.cancel_reason or "",
                key=delivery.key,
            )
        if self.options.fulfilled_orders == "ignore" and has_left_whole(body):
            return Ignore(f"order {external_id} is fulfilled: nothing is left", delivery.key)
        order = self._order(body, delivery, problems)
        holds = holds_of(body, self.options)
        return CaptureOrder(order, _person(body, self.options), delivery.key, holds=holds)

    def all_commands(
        self, body: OrderBody, delivery: Delivery, problems: list[Problem]
    ) -> tuple[Command, ...]:
        """What an order's body says of the order, and of goods of it that have left."""
        command = self.commands(body, delivery, problems)
        if body.test and self.options.test_orders == "ignore":
            return (command,)
        sent = sent_elsewhere(body, self.channel, self.owner, self.options)
        return (command, *sent)

    def _order(self, body: OrderBody, delivery: Delivery, problems: list[Problem]) -> Order:
        delivered, rebate, tax = shipping(body)
        return Order(
            owner=self.owner,
            channel=self.channel,
            external_id=str(body.id),
            revision=delivery.revision_of(body),
            placed_at=body.processed_at or body.created_at,
            currency=_currency(body.currency, delivery.path, problems),
            lines=read_lines(body, self.options.line_properties, delivery.path, problems),
            destination=self._destination(body.shipping_address, delivery.path, problems),
            number=one_line(body.name),
            service=_service(body, self.options),
            customer_tier=_tier(body, self.options.tiers),
            tags=split_tags(body.tags),
            attributes=_attributes(body, self.options.note_attributes),
            shipping=delivered,
            shipping_discount=rebate,
            shipping_tax=tax,
            total=total(body),
        )

    def _destination(
        self, address: Address | None, path: str, problems: list[Problem]
    ) -> Destination | None:
        """None without an address, or with one that does not even name a country."""
        country = one_line(address.country_code).upper() if address else ""
        if address is None or not country:
            return None
        if not (len(country) == 2 and country.isascii() and country.isalpha()):
            problems.append(
                Problem(f"{path}.shipping_address.country_code", "must be two letters, such as US")
            )
        region = one_line(address.province_code).upper().removeprefix(f"{country}-")
        postal = one_line(address.zip).upper()
        kept = postal_prefix(postal, self.postal_digits)[:20].strip()
        return Destination(country=country, region=region, postal=kept)


def has_left_whole(body: OrderBody) -> bool:
    """Whether every unit ever ordered is fulfilled.

    Shopify also says "fulfilled" where the rest of an order was taken off it after some units had
    left. That is news: the rest must not ship, so such an order is captured like any other.
    """
    untouched = all(line.current_quantity in (None, line.quantity) for line in body.line_items)
    return body.fulfillment_status == "fulfilled" and untouched


def revision(updated_at: datetime) -> int:
    """A time in microseconds since 1970."""
    return (updated_at - _EPOCH) // _MICROSECOND


def revision_of(body: OrderBody) -> int:
    """``updated_at`` in microseconds since 1970, and within that second how far the order is.

    Shopify gives whole seconds, in which an order is often changed twice. The trigger time of the
    delivery would tell the two apart, but it stands in a header that nobody has signed. So what
    only grows in a body does: its parcels. An order that waits for its payment comes before the
    same order paid. A cancellation of the same second counts either way.
    """
    micros = revision(body.updated_at)
    if micros % _SECOND or body.cancelled_at is not None:
        return micros
    parcels = min(len(body.fulfillments or ()), _MOST_PARCELS)
    return micros + parcels - _BEFORE_PAID.get(body.financial_status or "", 0)


def changed_at(order: Any) -> int:
    """When an order changed, in microseconds, of a body that may be no good; 0 if nobody can
    tell."""
    try:
        return to_micros(strict_moment(order["updated_at"]))
    except (Refused, TypeError, KeyError):
        return 0


def _currency(currency: str, path: str, problems: list[Problem]) -> str:
    if not (currency.isascii() and currency.isalpha() and currency.isupper()):
        problems.append(Problem(f"{path}.currency", "must be a currency code, such as USD"))
    return currency


def _service(body: OrderBody, options: Options) -> str:
    """The service of the first shipping line that is mapped, by its code or its title."""
    if is_picked_up(body, options):
        return PICKUP
    services = {name.casefold(): service for name, service in options.services.items()}
    for line in body.shipping_lines or ():
        for name in (line.code, line.title) if not line.is_removed else ():
            service = services.get(one_line(name).casefold())
            if service:
                return service
    return options.default_service


def _tier(body: OrderBody, tiers: Mapping[str, str]) -> str:
    """The tier of the first tag, in the options' order, that the customer or the order has."""
    if not tiers:
        return ""
    of_customer = body.customer.tags if body.customer else None
    tags = {tag.casefold() for tag in (*split_tags(of_customer), *split_tags(body.tags))}
    return next((tier for tag, tier in tiers.items() if tag.casefold() in tags), "")


def _attributes(
    body: OrderBody, note_attributes: Mapping[str, str]
) -> tuple[tuple[str, Attribute], ...]:
    found: dict[str, Attribute] = {}
    if body.financial_status:
        found["financial_status"] = body.financial_status
    if body.source_name:
        found["source"] = body.source_name
    found |= mapped(body.note_attributes, note_attributes)
    return tuple(sorted(found.items()))


def _person(body: OrderBody, options: Options) -> Person | None:
    """Who it goes to: the shipping address, and what the customer gave beside it."""
    address = body.shipping_address or Address()
    customer = body.customer
    emails = (body.email, body.contact_email, customer.email if customer else None)
    phones = (address.phone, body.phone, customer.phone if customer else None)
    names = (
        address.name,
        _full_name(address.first_name, address.last_name),
        _full_name(customer.first_name, customer.last_name) if customer else None,
    )
    street = (_first(address.address1), _first(address.address2))
    person = Person(
        name=_first(*names),
        company=_first(address.company),
        email=_first(*emails),
        phone=_first(*phones),
        street=tuple(part for part in street if part),
        city=_first(address.city),
        region=_first(address.province_code, address.province),
        postal=_first(address.zip),
        country=_first(address.country_code).upper(),
        gift_message=_words(body, options.gift_message),
        instructions=_words(body, options.instructions),
    )
    return None if person == Person() else person


def _words(body: OrderBody, name: str) -> str:
    """What the customer wrote into the order's note, or into a note attribute of this name."""
    if name == "note":
        return (body.note or "").strip()[:_LONGEST_WORDS]
    found = mapped(body.note_attributes, {name: name}, longest=_LONGEST_WORDS) if name else {}
    value = found.get(name, "")
    return value if isinstance(value, str) else ""


def _full_name(first: str | None, last: str | None) -> str:
    return f"{first or ''} {last or ''}"


def _first(*texts: str | None) -> str:
    """The first text that has anything in it, on one line."""
    for text in texts:
        clean = one_line(text)[:_LONGEST_PERSONAL]
        if clean:
            return clean
    return ""
