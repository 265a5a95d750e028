"""Notifications: FULFILLMENT_ORDER_STATUS, as it is or as a queue or an event bus wraps it.

They say which order has changed, not which units are in which box. So what has left, and what was
cancelled without having left, is told by the next poll; everything else is news at once.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from attrs import frozen

from domcore.codec.intake import read_json
from domcore.codec.strict import Line, make_converter, structure
from domcore.errors import PayloadError, Problem, SignatureError
from domcore.model import Envelope, Notice
from domcore_amazon_mcf.bodies import Names
from domcore_amazon_mcf.options import Options
from domcore_amazon_mcf.payload import Id, Text
from domcore_amazon_mcf.words import ON_THE_WAY, REASON, order_status, plain

KIND: Final = "FULFILLMENT_ORDER_STATUS"
BODY: Final = "FulfillmentOrderStatusNotification"
HEADER: Final = "x-api-key"
MOST_BYTES: Final = 1024 * 1024
DEEPEST: Final = 5
LISTS: Final = ("Messages", "Records")
TEXTS: Final = ("Body", "Message")


@frozen(slots=True)
class OrderStatus:
    """The part of a notification that is read."""

    SellerFulfillmentOrderId: Id
    FulfillmentOrderStatus: Text
    StatusUpdatedDateTime: datetime


@frozen(slots=True)
class Metadata:
    """About the notification itself."""

    NotificationId: Annotated[str, Line(200)] = ""


def read_notifications(
    envelope: Envelope, name: str, options: Options, names: Names
) -> tuple[Notice, ...]:
    """The notices in a delivery. Pure.

    Raises:
        SignatureError: it does not show one of the secrets, and unsigned ones are not accepted.
        PayloadError: it is no notification.
    """
    _check_sender(envelope, name, options)
    value = read_json(envelope.body, limit=MOST_BYTES, source=name)
    converter = make_converter(forbid_extra_keys=False)
    found = []
    for each in _unwrapped(value, DEEPEST, name):
        if each.get("NotificationType") != KIND:
            continue
        payload = _capital(each.get("Payload"))
        told = structure(converter, _capital(payload.get(BODY)), OrderStatus, source=name)
        about = structure(converter, _capital(each.get("NotificationMetadata")), Metadata)
        notice = _notice(told, about.NotificationId, names)
        if notice is not None:
            found.append(notice)
    return tuple(found)


def _notice(told: OrderStatus, message: str, names: Names) -> Notice | None:
    word = told.FulfillmentOrderStatus
    key, status = names.key(told.SellerFulfillmentOrderId), order_status(word)
    if key is None or status is None or status == "cancelled":
        return None
    return Notice(
        key,
        "in_progress" if status in ON_THE_WAY else status,
        told.StatusUpdatedDateTime,
        reason=REASON.get(plain(word), ""),
        reference=told.SellerFulfillmentOrderId,
        vendor_status=word,
        key=message,
    )


def _check_sender(envelope: Envelope, name: str, options: Options) -> None:
    if options.notification_secrets:
        given = envelope.headers.get(HEADER, "").encode("utf-8", "surrogatepass")
        found = False
        for secret in options.notification_secrets:
            found |= hmac.compare_digest(secret.encode("utf-8"), given)
        if not found:
            raise SignatureError(f"the header {HEADER} holds none of the secrets", source=name)
    elif options.notifications != "accept":
        raise SignatureError(
            "nobody vouches for the notification (notifications = 'accept' takes those of a queue"
            " that you read yourself)",
            source=name,
        )


def _unwrapped(value: Any, depth: int, name: str) -> Iterator[Mapping[str, Any]]:
    """The notifications in what a queue or an event bus has made of them."""
    row = _capital(value)
    if not depth or not row:
        raise PayloadError(
            "the delivery cannot be accepted", [Problem("$", "is no notification")], source=name
        )
    if "NotificationType" in row:
        yield row
    elif isinstance(row.get("Detail"), dict):
        yield from _unwrapped(row["Detail"], depth - 1, name)
    elif isinstance(batch := _first(row, LISTS), list):
        for each in batch:
            yield from _unwrapped(each, depth - 1, name)
    elif isinstance(text := _first(row, TEXTS), str):
        inner = read_json(text.encode("utf-8"), limit=MOST_BYTES, source=name)
        yield from _unwrapped(inner, depth - 1, name)
    else:
        yield from _unwrapped(None, depth, name)


def _first(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((row[key] for key in keys if key in row), None)


def _capital(value: Any) -> dict[str, Any]:
    """An object with the first letters of its keys in capitals, as both spellings are in use."""
    if not isinstance(value, dict):
        return {}
    return {key[:1].upper() + key[1:]: each for key, each in value.items()}
