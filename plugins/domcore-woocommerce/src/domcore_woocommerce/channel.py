"""A WooCommerce shop as a channel: checks who a delivery is from, and reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from cattrs import Converter

from domcore.codec.intake import read_json
from domcore.codec.scalars import Refused, strict_line
from domcore.codec.strict import Line, structure
from domcore.errors import PayloadError, Problem, SignatureError
from domcore.model import CancelOrder, Command, Envelope, Ignore
from domcore.plugin_kit import order_named
from domcore_woocommerce.delivery import Delivery
from domcore_woocommerce.options import Options
from domcore_woocommerce.orders import OrderReader, last_revision
from domcore_woocommerce.payload import DeletedBody, OrderBody
from domcore_woocommerce.signing import DELIVERY, SIGNATURE, SOURCE, TOPIC, is_signed

FOLLOWED: Final = ("order.created", "order.updated", "order.restored")
DELETED: Final = "order.deleted"
_PING: Final = re.compile(rb"webhook_id=\d{1,20}")
_HEADER: Final = Line(255)


class WooChannel:
    """One shop. `receive` is pure: no store, no network, no clock.

    A webhook is believed only by the signature of its body. Its headers are not signed, so they
    decide nothing that the body can contradict.
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

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, owner={self.owner!r})"

    def receive(self, envelope: Envelope) -> tuple[Command, ...]:
        """Read a webhook.

        Raises:
            SignatureError: the body is not signed with any of the secrets, or not at all.
            PayloadError: it cannot be read; every bad field with its path.
        """
        headers = {name.lower(): value for name, value in envelope.headers.items()}
        body = envelope.body
        if SIGNATURE not in headers and _PING.fullmatch(body):
            # Sent once, unsigned and not as JSON, when a webhook is saved; it says nothing.
            return (Ignore("the shop tries the webhook's address"),)
        self._check_signature(body, headers)
        if len(body) > self._options.most_bytes:
            raise self._refused(Problem("$", f"larger than {self._options.most_bytes} bytes"))
        self._check_source(headers)
        return self._read(body, headers)

    def _read(self, body: bytes, headers: Mapping[str, str]) -> tuple[Command, ...]:
        topic, key = self._header(headers, TOPIC), self._header(headers, DELIVERY)
        if _PING.fullmatch(body):
            return (Ignore("the shop tries the webhook's address", key),)
        if not topic:
            raise self._refused(Problem(f"header {TOPIC}", "is missing"))
        if topic == DELETED:
            return (self._deleted(body, key),)
        if topic not in FOLLOWED:
            return (Ignore(f"topic {topic} is not followed", key),)
        value = read_json(body, limit=self._options.most_bytes, source=self.name)
        try:
            return self._order(value, key)
        except PayloadError as error:
            raise error.about(*order_named(value), last_revision(value)) from None

    def _order(self, value: Any, key: str) -> tuple[Command, ...]:
        order = structure(self._converter, value, OrderBody, source=self.name)
        if order.refunds and self._options.key:
            # A webhook does not tell what was refunded; a pull asks.
            return (Ignore(f"order {order.id} has refunds: the next pull brings it", key),)
        problems: list[Problem] = []
        commands = self._reader.all_commands(order, Delivery(key), problems)
        if problems:
            raise self._refused(*problems)
        return commands

    def _deleted(self, body: bytes, key: str) -> Command:
        value = read_json(body, limit=self._options.most_bytes, source=self.name)
        gone = structure(self._converter, value, DeletedBody, source=self.name)
        if len(value) > 1:
            # The topic is not signed: whoever changes it must not cancel what the body brings.
            raise self._refused(Problem("$", f"holds more than an id, though {DELETED} says so"))
        if self._options.action("trash") != "cancel":
            return Ignore(f"order {gone.id} is deleted (statuses)", key)
        return CancelOrder(self.owner, self.name, str(gone.id), 0, reason="deleted", key=key)

    def _check_signature(self, body: bytes, headers: Mapping[str, str]) -> None:
        signature = headers.get(SIGNATURE, "").strip()
        if not signature:
            raise SignatureError("the delivery is not signed", source=self.name)
        if not is_signed(body, signature, self._options.webhook_secrets):
            raise SignatureError(
                "the signature fits none of the channel's secrets", source=self.name
            )

    def _check_source(self, headers: Mapping[str, str]) -> None:
        """Guards against a wrong set-up: the header itself is not signed."""
        try:
            source = urlsplit(self._header(headers, SOURCE)).hostname
        except ValueError:
            source = "unreadable"
        if self._options.url and source and source != urlsplit(self._options.url).hostname:
            raise self._refused(Problem(f"header {SOURCE}", "names another shop"))

    def _header(self, headers: Mapping[str, str], name: str) -> str:
        try:
            return strict_line(headers.get(name, "").strip(), _HEADER)
        except Refused as error:
            raise self._refused(Problem(f"header {name}", str(error))) from None

    def _refused(self, *problems: Problem) -> PayloadError:
        return PayloadError("the delivery cannot be accepted", problems, source=self.name)
