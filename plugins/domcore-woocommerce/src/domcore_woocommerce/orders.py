"""An order body as commands. Pure: the same body and options give the same commands."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any, Final

from attrs import evolve, frozen

from domcore.codec.scalars import Refused, strict_moment
from domcore.errors import Problem
from domcore.model import (
    Attribute,
    CancelOrder,
    CaptureOrder,
    Command,
    Destination,
    Hold,
    Ignore,
    Order,
    Person,
    postal_prefix,
)
from domcore.model.clock import to_micros
from domcore.model.order import PICKUP
from domcore.plugin_kit.payments import UNPAID
from domcore_woocommerce.delivery import Delivery, moment
from domcore_woocommerce.elsewhere import sent_elsewhere
from domcore_woocommerce.lines import mapped, positive, read_lines
from domcore_woocommerce.options import Options
from domcore_woocommerce.payload import Address, OrderBody
from domcore_woocommerce.text import first_line, one_line

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_SLOT: Final = 100_000
_PROGRESS: Final = {
    "checkout-draft": 0,
    "auto-draft": 0,
    "pending": 0,
    "failed": 1,
    "on-hold": 2,
    "processing": 3,
    "completed": 5,
    "refunded": 6,
    "cancelled": 7,
    "trash": 8,
}
_OTHER: Final = 4
_LONGEST_WORDS: Final = 1_000
_PICKUP: Final = ("local_pickup", "pickup_location", "local pickup")


@frozen(slots=True)
class OrderReader:
    """Turns bodies of one channel into commands."""

    channel: str
    owner: str
    options: Options
    postal_digits: int = 0

    def commands(self, body: OrderBody, delivery: Delivery, problems: list[Problem]) -> Command:
        """One command for one order, by its status; what cannot be read is added to `problems`."""
        external_id = str(body.id)
        action = self.options.action(body.status)
        if action == "ignore":
            status = one_line(body.status)[:40]
            return Ignore(f"order {external_id} is {status} (statuses)", delivery.key)
        revision = delivery.revision
        if revision is None:
            revision = revision_of(body, delivery.path, problems)
        if action == "cancel":
            return CancelOrder(
                owner=self.owner,
                channel=self.channel,
                external_id=external_id,
                revision=revision,
                reason=one_line(body.status)[:40],
                key=delivery.key,
            )
        if action == "shipped":
            return sent_elsewhere(body, self.channel, self.owner, self.options, delivery, revision)
        order = self._order(body, delivery, revision, problems)
        # Of an order from which nothing may leave, nobody's name is needed.
        person = None if action == "nothing" else _person(body, order.service, self.options)
        holds: tuple[Hold, ...] = ()
        if action == "hold":
            stage = "release" if self.options.reserve_unpaid else "route"
            holds = (Hold(UNPAID, f"the shop says {one_line(body.status)[:40]}", stage),)
        return CaptureOrder(order, person, delivery.key, holds=holds)

    def all_commands(
        self, body: OrderBody, delivery: Delivery, problems: list[Problem]
    ) -> tuple[Command, ...]:
        """What a body says of its order; and, where that had been completed before, that what was
        said of its goods then does not hold any more."""
        command = self.commands(body, delivery, problems)
        if not isinstance(command, CaptureOrder) or body.date_completed_gmt is None:
            return (command,)
        revision = command.order.revision
        nothing = evolve(delivery, key="")
        back = sent_elsewhere(
            body, self.channel, self.owner, self.options, nothing, revision, left=False
        )
        return (command, back)

    def _order(
        self, body: OrderBody, delivery: Delivery, revision: int, problems: list[Problem]
    ) -> Order:
        path, options = delivery.path, self.options
        wanted = options.action(body.status) in ("capture", "hold")
        service = _service(body, options)
        return Order(
            owner=self.owner,
            channel=self.channel,
            external_id=str(body.id),
            revision=revision,
            placed_at=moment(body.date_created_gmt, f"{path}.date_created_gmt", problems),
            currency=_currency(body.currency, path, problems),
            lines=read_lines(body, options, delivery.refunded, path, problems, wanted=wanted),
            destination=self._destination(body, service, path, problems),
            number=one_line(body.number),
            service=service,
            attributes=_attributes(body, options),
            shipping=positive(body.shipping_total),
            shipping_tax=positive(body.shipping_tax),
            total=positive(body.total),
        )

    def _destination(
        self, body: OrderBody, service: str, path: str, problems: list[Problem]
    ) -> Destination | None:
        """None without an address, or with one that does not even name a country."""
        name, address = address_of(body, service)
        country = one_line(address.country).upper()
        if not country:
            return None
        if not (len(country) == 2 and country.isascii() and country.isalpha()):
            problems.append(Problem(f"{path}.{name}.country", "must be two letters, such as US"))
        region = one_line(address.state).upper().removeprefix(f"{country}-")[:100]
        postal = one_line(address.postcode).upper()
        kept = postal_prefix(postal, self.postal_digits)[:20].strip()
        return Destination(country=country, region=region, postal=kept)


def address_of(body: OrderBody, service: str) -> tuple[str, Address]:
    """Where it goes: the shipping address, or where that is empty the billing address. What the
    customer fetches goes nowhere: who pays for it does not want it sent home."""
    shipping = body.shipping or Address()
    if service == PICKUP or one_line(shipping.country) or one_line(shipping.address_1):
        return "shipping", shipping
    return "billing", body.billing or Address()


def revision_of(body: OrderBody, path: str, problems: list[Problem]) -> int:
    """``date_modified_gmt`` in microseconds.

    WooCommerce gives whole seconds. Within one, an order that is further on its way is the later
    one; what decides between two contents of one status is only that it is the same every time.
    """
    at = to_micros(moment(body.date_modified_gmt, f"{path}.date_modified_gmt", problems))
    progress = _PROGRESS.get(body.status.removeprefix("wc-"), _OTHER)
    content = zlib.crc32(repr(body).encode("utf-8", "replace"))
    return at // 1_000_000 * 1_000_000 + progress * _SLOT + content % _SLOT


def changed_at(order: Any) -> int:
    """When an order changed, as microseconds of a whole second, of a body that may be no good; 0
    if nobody can tell."""
    try:
        return to_micros(strict_moment(f"{order['date_modified_gmt']}Z")) // _SECOND * _SECOND
    except (Refused, TypeError, KeyError):
        return 0


def last_revision(order: Any) -> int:
    """The last revision an order may have had when it changed; 0 if nobody can tell."""
    at = changed_at(order)
    return at + _SECOND - 1 if at else 0


def _currency(currency: str, path: str, problems: list[Problem]) -> str:
    if not (currency.isascii() and currency.isalpha() and currency.isupper()):
        problems.append(Problem(f"{path}.currency", "must be a currency code, such as USD"))
    return currency


def _service(body: OrderBody, options: Options) -> str:
    """The service of the first shipping line that is mapped, by its method's id or title."""
    services = {name.casefold(): service for name, service in options.services.items()}
    services |= dict.fromkeys((*_PICKUP, *(name.casefold() for name in options.pickup)), PICKUP)
    for line in body.shipping_lines or ():
        for name in (line.method_id, line.method_title):
            service = services.get(one_line(name).casefold())
            if service:
                return service
    return options.default_service


def _attributes(body: OrderBody, options: Options) -> tuple[tuple[str, Attribute], ...]:
    found: dict[str, Attribute] = {"status": one_line(body.status)}
    if body.created_via:
        found["source"] = one_line(body.created_via)
    if body.payment_method:
        found["payment_method"] = one_line(body.payment_method)
    found |= mapped(body.meta_data, options.order_meta)
    return tuple(sorted(found.items()))


def _person(body: OrderBody, service: str, options: Options) -> Person | None:
    """Who it goes to; mail address and telephone stand only in the billing address."""
    _, address = address_of(body, service)
    billing = body.billing or Address()
    street = (first_line(address.address_1), first_line(address.address_2))
    person = Person(
        name=first_line(_full_name(address), _full_name(billing)),
        company=first_line(address.company),
        email=first_line(address.email, billing.email),
        phone=first_line(address.phone, billing.phone),
        street=tuple(part for part in street if part),
        city=first_line(address.city),
        region=first_line(address.state),
        postal=first_line(address.postcode),
        country=first_line(address.country).upper(),
        gift_message=_gift_message(body, options),
        instructions=(body.customer_note or "").strip()[:_LONGEST_WORDS]
        if options.customer_note == "instructions"
        else "",
    )
    return None if person == Person() else person


def _gift_message(body: OrderBody, options: Options) -> str:
    if options.customer_note == "gift_message":
        return (body.customer_note or "").strip()[:_LONGEST_WORDS]
    key = options.gift_message
    found = mapped(body.meta_data, {key: key}, longest=_LONGEST_WORDS) if key else {}
    value = found.get(key, "")
    return value if isinstance(value, str) else ""


def _full_name(address: Address) -> str:
    return f"{address.first_name or ''} {address.last_name or ''}"
