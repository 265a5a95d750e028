"""What was decided and what came of it: decisions, reservations, fulfillment orders."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from domcore.model.package import Package
from domcore.model.policy import Hold
from domcore.model.status import Buckets


@frozen(slots=True)
class Decision:
    """A stored plan, immutable. ``(order_id, sequence)`` is its identity.

    `record` is the JSON it was decided from and what was decided, byte for byte; `purpose` is
    ``route`` or ``reserve``; `at` is the decision's `now`, aware UTC.
    """

    order_id: int
    sequence: int
    at: datetime
    purpose: str
    record: bytes = field(repr=False)


@frozen(slots=True)
class Reservation:
    """Stock taken by a decision at one node for one line; resolved exactly once.

    `state` is one of ``open, shipped, freed, expired``; a partial resolution splits the row, so
    `part` counts from 0.
    """

    order_id: int
    sequence: int
    line: int
    node: str
    part: int
    sku: str
    quantity: int
    state: str
    expires_at: datetime | None = None


@frozen(slots=True)
class FulfillmentOrder:
    """What one node is told to ship. `id` is ``order-sequence-node`` and stable across retries.

    `lines` holds ``(line id, sku, units still to ship)``. `reference` is the partner's own id,
    `vendor_status` its own last word; `handed_over` says that somebody may be working on it.
    """

    id: str
    order_id: int
    sequence: int
    node: str
    status: str
    lines: tuple[tuple[str, str, int], ...]
    reference: str = ""
    vendor_status: str = ""
    handed_over: bool = False
    packages: tuple[Package, ...] = ()


@frozen(slots=True)
class OrderSummary:
    """One row of an order list."""

    order_id: int
    owner: str
    channel: str
    external_id: str
    number: str
    placed_at: datetime
    status: str
    buckets: Buckets
    nodes: tuple[str, ...]
    holds: tuple[Hold, ...]
    reason: str = ""
