"""Work at its node: what is handed over, and the news that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from domcore.model.decision import FulfillmentOrder
from domcore.model.network import Node
from domcore.model.order import Order, Person
from domcore.model.package import Package

REJECTION_REASONS: Final = ("not_found", "damaged", "no_capacity", "closed", "other")
"""Why a node does not ship: the first two block the units until the next count, the others free
them."""

BLOCKING_REASONS: Final = REJECTION_REASONS[:2]


@frozen(slots=True)
class Notice:
    """News of a fulfillment order. Taking one in twice, or in any order, ends in the same state.

    Args:
        fulfillment_order: its id (``order-sequence-node``), which is also the key it was released
            under.
        status: one of `FULFILLMENT_STATUSES`.
        at: when it happened, aware UTC.
        lines: ``(line id or SKU, units)`` that this news is about; empty is all that is left.
            Rejected lines are a short pick: the rest of the work goes on.
        packages: the boxes, for ``shipped``, ``partially_shipped``, ``delivered``, ``exception``.
        reason: one of `REJECTION_REASONS` where it is rejected.
        reference: the partner's own id of the work.
        vendor_status: the partner's own word, kept beside ours.
        detail: for people; never personal data.
        key: the partner's id of this message; without one the content is the key.
        by: who caused it, see `domcore.model.actor`; no part of its content.
    """

    fulfillment_order: str
    status: str
    at: datetime
    lines: tuple[tuple[str, int], ...] = ()
    packages: tuple[Package, ...] = ()
    reason: str = ""
    reference: str = ""
    vendor_status: str = ""
    detail: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class Handover:
    """Everything a connector is told about one piece of work.

    Args:
        key: stable across retries: the partner must treat the same key as the same work. It is the
            fulfillment order's id.
        reference: the partner's own id of it, once one is known.
        attempt: 1 for the first try.
        now: the time by the application's clock.
    """

    key: str
    fulfillment_order: FulfillmentOrder
    order: Order
    node: Node
    person: Person | None = field(default=None, repr=False)
    reference: str = ""
    attempt: int = 1
    now: datetime | None = None


@frozen(slots=True)
class Receipt:
    """What a partner answered at once.

    Args:
        status: what has become of the work: ``requested`` (taken in, not yet decided),
            ``accepted``, ``rejected``, ``in_progress``, ``cancelled``, ``cancel_requested`` ...;
            for `reconcile` and `cancel` also ``unknown_here``: the partner has never heard of it.
        reference: the partner's own id.
        notices: further news that came with the answer.
    """

    status: str
    reference: str = ""
    reason: str = ""
    vendor_status: str = ""
    detail: str = ""
    notices: tuple[Notice, ...] = ()


@frozen(slots=True)
class Polled:
    """A page of news: what came, where to go on, and whether there is more at once.

    `notices` are of work; they may also be `domcore.model.ObserveStock`, of stock at nodes that
    name the connector.
    """

    notices: tuple[Any, ...] = ()
    cursor: str = ""
    more: bool = False


@frozen(slots=True)
class ShipmentNews:
    """What a channel is told when goods of its order have left, changed or come back.

    Args:
        key: stable across retries.
        order: the order it is about, at its present revision.
        kind: the event's kind, such as ``fulfillment.shipped`` or ``order.cancelled``.
        fulfillment_order, node: whose work it is; empty for news of the whole order.
        lines: ``(line id, units)`` that the news is about.
        body: the event's own values.
    """

    key: str
    order: Order
    kind: str
    fulfillment_order: str
    node: str
    at: datetime
    lines: tuple[tuple[str, int], ...] = ()
    packages: tuple[Package, ...] = ()
    body: Mapping[str, Any] = field(factory=dict)
