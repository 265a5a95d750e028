"""What comes in: an envelope as it arrived, and the commands a channel reads from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from domcore.model.order import Order, Person


@frozen(slots=True)
class Envelope:
    """One delivery, untouched: raw body and headers as they came.

    `headers` has lower-case names. `received_at` is aware UTC.
    """

    channel: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    received_at: datetime | None = None


@frozen(slots=True)
class CaptureOrder:
    """Take in an order, or a later revision of one that is known.

    `key` is the delivery's own id (a webhook id); a repeat of it changes nothing. SKUs may be the
    channel's own item ids: aliases are resolved when it is applied.
    """

    order: Order
    person: Person | None = None
    key: str = ""


@frozen(slots=True)
class CancelOrder:
    """Cancel what has not left. For an order not seen yet it leaves a tombstone."""

    owner: str
    channel: str
    external_id: str
    revision: int
    reason: str = ""
    key: str = ""


@frozen(slots=True)
class StockCount:
    """How much of a SKU a node has: counted, or changed by.

    Args:
        on_hand: units counted, or None.
        delta: units to add (negative: to take away), or None; exactly one of the two is given.
        safety: new safety stock, or None to leave it.
        as_of: when it was true, aware UTC; None is now. A count older than the last is dropped.
    """

    sku: str
    node: str
    on_hand: int | None = None
    delta: int | None = None
    safety: int | None = None
    as_of: datetime | None = None


@frozen(slots=True)
class ObserveStock:
    """News of stock. `key` makes deltas safe to repeat."""

    owner: str
    counts: tuple[StockCount, ...]
    key: str = ""


@frozen(slots=True)
class Ignore:
    """Nothing to do, and why: a test order, a topic we do not follow."""

    reason: str
    key: str = ""


Command = CaptureOrder | CancelOrder | ObserveStock | Ignore
