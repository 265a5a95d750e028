"""A Shopify shop as a channel: checks who a delivery is from, and reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from cattrs import Converter

from domcore.codec.intake import read_json
from domcore.codec.scalars import Refused, strict_line
from domcore.codec.strict import Line, structure
from domcore.errors import PayloadError, Problem, SignatureError
from domcore.model import Command, Envelope, Ignore
from domcore.plugin_kit import order_named, unreadable
from domcore_shopify.holding import HoldReader
from domcore_shopify.news import NewsReader
from domcore_shopify.options import Options
from domcore_shopify.orders import Delivery, OrderReader, changed_at
from domcore_shopify.payload import (
    DisputeBody,
    FulfillmentBody,
    FulfillmentHoldBody,
    InventoryBody,
    OneOrder,
    OrderBody,
    RefundBody,
)
from domcore_shopify.refunds import RefundReader
from domcore_shopify.signing import (
    DELIVERY,
    EVENT,
    NEWER_PREFIX,
    PREFIX,
    SHOP,
    SIGNATURE,
    TOPIC,
    TRIGGERED,
    is_signed,
)

CANCELLED = "orders/cancelled"
WEBHOOK_HEADERS = tuple(
    prefix + name
    for prefix in (PREFIX, NEWER_PREFIX)
    for name in (SIGNATURE, TOPIC, DELIVERY, EVENT, TRIGGERED)
)
FOLLOWED = ("orders/create", "orders/updated", "orders/paid", CANCELLED)
REFUNDED = "refunds/create"
STOCK = "inventory_levels/update"
FULFILLED = ("fulfillments/create", "fulfillments/update")
DISPUTED = ("disputes/create", "disputes/update")
HELD = ("fulfillment_orders/placed_on_hold", "fulfillment_orders/hold_released")
NOT_FOLLOWED = {
    "orders/edited": "orders/edited tells only the difference; orders/updated brings the order",
    "orders/delete": "orders/delete names an order that Shopify no longer shows; cancel it by hand",
}
_HEADER = Line(255)
_T = TypeVar("_T")


class ShopifyChannel:
    """One shop. `receive` is pure: no store, no network, no clock.

    A webhook is believed only by the signature of its body. Topic, delivery id, time and shop are
    not signed, so they decide nothing that the body can contradict: an order is cancelled because
    its body says so, and a repeated body is the same revision under any delivery id.
    """

    def __init__(
        self, name: str, owner: str, options: Options, *, postal_digits: int, converter: Converter
    ) -> None:
        self.name = name
        self.owner = owner
        self._options = options
        self._converter = converter
        digits = postal_digits if options.postal_digits is None else options.postal_digits
        self._reader = OrderReader(name, owner, options, digits)
        self._refunds = RefundReader(name, owner, options)
        self._holds = HoldReader(name, owner)
        self._news = NewsReader(name, owner, options)

    def __repr__(self) -> str:
        return f"ShopifyChannel(name={self.name!r}, owner={self.owner!r})"

    def receive(self, envelope: Envelope) -> tuple[Command, ...]:
        """Read a webhook, or an Admin API body where the options accept them.

        Raises:
            SignatureError: the body is not signed with any of the secrets, or not at all.
            PayloadError: it cannot be read; every bad field with its path.
        """
        headers = {name.lower(): value for name, value in envelope.headers.items()}
        # Any header of a webhook makes it one, and then it must be signed.
        if any(name in headers for name in WEBHOOK_HEADERS):
            return self._receive_webhook(envelope.body, headers)
        return self._receive_api_body(envelope.body)

    def _receive_webhook(self, body: bytes, headers: Mapping[str, str]) -> tuple[Command, ...]:
        self._check_signature(body, headers)
        self._check_size(body)
        topic = self._header(headers, TOPIC)
        self._check_shop(headers)
        if not topic:
            raise self._refused(Problem(f"header {PREFIX}{TOPIC}", "is missing"))
        delivery = Delivery(self._key(headers, topic))
        if topic in FOLLOWED:
            return self._order(self._json(body), topic, delivery)
        if topic == REFUNDED:
            return self._refunds.commands(self._body(body, RefundBody), delivery)
        if topic == STOCK:
            return (self._news.stock(self._body(body, InventoryBody), delivery),)
        if topic in DISPUTED:
            return (self._holds.dispute(self._body(body, DisputeBody), delivery.key),)
        if topic in HELD:
            held = self._body(body, FulfillmentHoldBody)
            return (self._holds.fulfillment(held, delivery.key),)
        if topic in FULFILLED:
            return self._fulfillment(self._body(body, FulfillmentBody), delivery)
        reason = NOT_FOLLOWED.get(topic, f"topic {topic} is not followed")
        return (Ignore(reason, delivery.key),)

    def _check_size(self, body: bytes) -> None:
        if len(body) > self._options.most_bytes:
            raise self._refused(Problem("$", f"larger than {self._options.most_bytes} bytes"))

    def _order(self, value: Any, topic: str, delivery: Delivery) -> tuple[Command, ...]:
        """The order in a webhook.

        Raises:
            PayloadError: it cannot be read; the error says which order it is, if that can be.
        """
        try:
            order = structure(self._converter, value, OrderBody, source=self.name)
            if topic == CANCELLED and order.cancelled_at is None:
                raise self._refused(
                    Problem("$.cancelled_at", "is not there, though the topic says so")
                )
            return self._commands(order, delivery)
        except PayloadError as error:
            raise error.about(*order_named(value, number="name"), changed_at(value)) from None

    def _fulfillment(self, body: FulfillmentBody, delivery: Delivery) -> tuple[Command, ...]:
        problems: list[Problem] = []
        command = self._news.fulfillment(body, delivery, problems)
        if problems:
            raise self._refused(*problems)
        return (command,)

    def _body(self, body: bytes, cls: type[_T]) -> _T:
        return structure(self._converter, self._json(body), cls, source=self.name)

    def _check_signature(self, body: bytes, headers: Mapping[str, str]) -> None:
        signatures = self._spellings(headers, SIGNATURE)
        if not signatures:
            raise SignatureError("the delivery is not signed", source=self.name)
        if len(signatures) > 1 or not is_signed(body, signatures.pop(), self._options.secrets):
            raise SignatureError(
                "the signature fits none of the channel's secrets", source=self.name
            )

    def _receive_api_body(self, body: bytes) -> tuple[Command, ...]:
        if self._options.api_bodies != "accept":
            raise SignatureError(
                "the delivery is not signed (api_bodies = 'accept' takes unsigned API bodies)",
                source=self.name,
            )
        self._check_size(body)
        value = self._json(body)
        if isinstance(value, dict) and isinstance(value.get("orders"), list):
            orders = enumerate(value["orders"])
            pages = [self._of_page(order, f"$.orders[{at}]") for at, order in orders]
            return tuple(command for commands in pages for command in commands)
        try:
            one = structure(self._converter, value, OneOrder, source=self.name).order
            return self._commands(one, Delivery(path="$.order"))
        except PayloadError as error:
            order = value.get("order") if isinstance(value, dict) else None
            raise error.about(*order_named(order, number="name"), changed_at(order)) from None

    def _of_page(self, order: Any, path: str) -> tuple[Command, ...]:
        """One order of a page; one that cannot be read does not stop the others."""
        try:
            body = structure(self._converter, order, OrderBody, source=self.name)
            return self._commands(body, Delivery(path=path))
        except PayloadError as error:
            return (unreadable(order, error, number="name", revision=changed_at(order)),)

    def _commands(self, order: OrderBody, delivery: Delivery) -> tuple[Command, ...]:
        problems: list[Problem] = []
        commands = self._reader.all_commands(order, delivery, problems)
        if problems:
            raise self._refused(*problems)
        return commands

    def _json(self, body: bytes) -> Any:
        return read_json(body, limit=self._options.most_bytes, source=self.name)

    def _refused(self, *problems: Problem) -> PayloadError:
        return PayloadError("the delivery cannot be accepted", problems, source=self.name)

    def _spellings(self, headers: Mapping[str, str], name: str) -> set[str]:
        names = (PREFIX + name, NEWER_PREFIX + name)
        return {headers[each].strip() for each in names if headers.get(each, "").strip()}

    def _header(self, headers: Mapping[str, str], name: str) -> str:
        """A header in either spelling, or nothing; two that differ are refused."""
        found = self._spellings(headers, name)
        if len(found) > 1:
            raise self._refused(Problem(f"header {PREFIX}{name}", "comes twice, and differs"))
        try:
            return strict_line(found.pop(), _HEADER) if found else ""
        except Refused as error:
            raise self._refused(Problem(f"header {PREFIX}{name}", str(error))) from None

    def _key(self, headers: Mapping[str, str], topic: str) -> str:
        """The delivery's id; one event may be delivered under several topics."""
        delivery = self._header(headers, DELIVERY)
        event = self._header(headers, EVENT)
        return delivery or (f"{event}:{topic}" if event else "")

    def _check_shop(self, headers: Mapping[str, str]) -> None:
        shop = self._header(headers, SHOP)
        if self._options.shop and shop and shop.lower() != self._options.shop.lower():
            raise self._refused(Problem(f"header {PREFIX}{SHOP}", "names another shop"))
