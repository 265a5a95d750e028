"""What goes into a store's operations and what comes out of them.

Ids are integer surrogates inside the store; texts stand at the door. Times are integer
microseconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from attrs import field, frozen

from domcore.model.decision import FulfillmentOrder, OrderSummary, Reservation
from domcore.model.item import Item
from domcore.model.network import Network
from domcore.model.order import Order, Person
from domcore.model.policy import Hold
from domcore.model.status import Buckets


class StockRow(NamedTuple):
    """One balance. ``available = on_hand - reserved - blocked``; `safety` is a floor under it."""

    item_id: int
    node_id: int
    on_hand: int
    reserved: int
    blocked: int
    safety: int


class StoredNetwork(NamedTuple):
    """The network with the store's ids of its nodes, by position, and a digest of its content."""

    network: Network
    node_ids: tuple[int, ...]
    digest: str


class StoredItem(NamedTuple):
    """An item and the store's id of it."""

    item_id: int
    item: Item


class OpenOrder(NamedTuple):
    """An order with open units, as the router needs it.

    `open` and `item_ids` are by line position (item 0 where a line needs no shipping); `sequence`
    is the last decision's (0 before the first); `approved` names the hold codes a person has
    approved for this revision. One that is `held` must be approved or amended before it can be
    decided on.
    """

    order_id: int
    version: int
    sequence: int
    order: Order
    open: tuple[int, ...]
    approved: tuple[str, ...]
    item_ids: tuple[int, ...]
    held: bool = False


class Draw(NamedTuple):
    """Take `quantity` for line `line`; at least `floor` (or safety, if more) stays at the node."""

    line: int
    item_id: int
    node_id: int
    quantity: int
    floor: int


@frozen(slots=True)
class Commit:
    """A decision on its way into the store.

    Args:
        version: the order's version it was decided on; a different one is a ConflictError.
        sequence: the new decision's, last + 1.
        record: the decision's JSON.
        draws: what is taken, empty for a held or wholly short order.
        holds: reasons to stop, without those that have been approved for this revision. With a
            ``route`` hold there are no draws.
        release: node ids whose connector must be told: one outbox row each (unless held at
            ``release``, when it is written by `approve`).
        expires_at: for a reservation only; None routes.
        retry_at: when open units should be tried again; None leaves them to the operator.
        reason: why units stay open, empty when none do.
        event: ``(kind, JSON body)`` to record.
    """

    order_id: int
    version: int
    sequence: int
    at: int
    record: bytes = field(repr=False)
    draws: tuple[Draw, ...] = ()
    holds: tuple[Hold, ...] = ()
    release: tuple[int, ...] = ()
    purpose: str = "route"
    expires_at: int | None = None
    retry_at: int | None = None
    reason: str = ""
    event: tuple[str, bytes] = ("order.routed", b'{"format":1}')


@frozen(slots=True)
class Resolution:
    """What a node says has become of a fulfillment order.

    Args:
        fulfillment_order: its id, ``order-sequence-node``.
        status: one of `domcore.model.FULFILLMENT_STATUSES`.
        units: ``(line id, "shipped" | "freed" | "blocked", units)``. Units not named stay as they
            are, but with status ``shipped`` they are shipped, with ``rejected`` and ``cancelled``
            freed. Freed and blocked units are open again; blocked ones stay out of what is
            available at the node until its next count.
        at: when it happened, microseconds; stock counted as of an earlier time is corrected by it.
        reference: the partner's own id; empty leaves the one that is known.
        key: makes it safe to repeat.
        body: JSON values for the event, never personal data.
    """

    fulfillment_order: str
    status: str
    at: int
    units: tuple[tuple[str, str, int], ...] = ()
    reference: str = ""
    key: str = ""
    body: Mapping[str, Any] = field(factory=dict)


class Outcome(NamedTuple):
    """What became of one command: ``captured, amended, duplicate, stale, cancelled, ignored,
    observed, recorded``, the order it concerns (None for stock), and a word for people."""

    outcome: str
    order_id: int | None = None
    detail: str = ""


@frozen(slots=True)
class OrderFilter:
    """Which orders to list; every field that is given must match."""

    owner: str | None = None
    channel: str | None = None
    status: str | None = None
    node: str | None = None
    sku: str | None = None
    number: str | None = None
    placed_from: int | None = None
    placed_until: int | None = None


@frozen(slots=True)
class StockFilter:
    """Which balances to list."""

    owner: str | None = None
    sku: str | None = None
    node: str | None = None
    below: int | None = None


class StockView(NamedTuple):
    """One balance, in words."""

    owner: str
    sku: str
    node: str
    on_hand: int
    reserved: int
    blocked: int
    safety: int
    key: tuple[int, int]
    """(item id, node id): give the last row's to `Store.find_stock` as `after`."""

    @property
    def available(self) -> int:
        """Units a new order could draw, before floors."""
        return self.on_hand - self.reserved - self.blocked


@frozen(slots=True)
class OrderView:
    """One order with everything that happened to it."""

    summary: OrderSummary
    order: Order
    version: int
    sequence: int
    lines: tuple[Buckets, ...]
    """By line position."""
    reservations: tuple[Reservation, ...] = ()
    fulfillment_orders: tuple[FulfillmentOrder, ...] = ()
    approved: tuple[str, ...] = ()
    person: Person | None = field(default=None, repr=False)


class Lease(NamedTuple):
    """An outbox entry that is ours until its lease ends. `key` is stable across retries."""

    entry: int
    topic: str
    key: str
    order_id: int
    node_id: int | None
    attempts: int
