"""What goes into a store's operations and what comes out of them.

Ids are integer surrogates inside the store; texts stand at the door. Times are integer
microseconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from attrs import define, field, frozen

from domcore.model.decision import FulfillmentOrder, OrderSummary, Reservation
from domcore.model.item import Item
from domcore.model.network import Network
from domcore.model.order import Order, Person
from domcore.model.policy import Hold
from domcore.model.status import Buckets
from domcore.store.rows import NEVER


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
    decided on. `excluded` are ``(line position, node id, reason)`` of nodes that have rejected the
    line, `avoided` of nodes that have lately rejected its item for another order; `rejections` is
    how often nodes have rejected work of the order. `standing` are holds that were asked for: at
    ``release`` they stop the work that is made of it. `reason` is why the last decision left units
    open (empty: none did), `due` since when it queues (0: it does not; `NEVER`: it is a cart);
    `others_woken` says that some order has been woken that may be older, see `Store.ahead`.
    `placed` are the units by line
    position that are allocated or have left (empty where none are), `used` the ids of the nodes
    that they are at or have left from, as far as that is known. `chosen` are ``(line position,
    node id)`` where a person has said which node is to ship the line.
    """

    order_id: int
    version: int
    sequence: int
    order: Order
    open: tuple[int, ...]
    approved: tuple[str, ...]
    item_ids: tuple[int, ...]
    held: bool = False
    excluded: tuple[tuple[int, int, str], ...] = ()
    avoided: tuple[tuple[int, int, str], ...] = ()
    rejections: int = 0
    reason: str = ""
    due: int = 0
    others_woken: bool = False
    standing: tuple[Hold, ...] = ()
    chosen: tuple[tuple[int, int], ...] = ()
    placed: tuple[int, ...] = ()
    used: tuple[int, ...] = ()

    @property
    def cart(self) -> bool:
        """Whether it is routed only when somebody asks for it."""
        return self.due == NEVER


class Draw(NamedTuple):
    """Take `quantity` for line `line`; at least `floor` (or safety, if more) stays at the node."""

    line: int
    item_id: int
    node_id: int
    quantity: int
    floor: int


@define(slots=True)  # not frozen: every order builds one, and that doubles the cost
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
        retry_at: when open units should be tried again; None leaves them to the operator. A cart
            that is only reserved for stays one: it is not tried again by itself.
        reason: why units stay open, empty when none do.
        reason_before: that of the order as it was decided on (`OpenOrder.reason`); another is a
            ConflictError.
        event: ``(kind, JSON body)`` to record.
        standing: holds that were asked for before and stop what is decided now.
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
    reason_before: str = ""
    event: tuple[str, bytes] = ("order.routed", b'{"format":1}')
    standing: tuple[Hold, ...] = ()


class Outcome(NamedTuple):
    """What became of one command: ``captured, amended, duplicate, stale, cancelled, nothing,
    ignored, observed, recorded``, the order it concerns (None for stock), and a word for people."""

    outcome: str
    order_id: int | None = None
    detail: str = ""


@frozen(slots=True)
class OrderFilter:
    """Which orders to list; every field that is given must match.

    Times are microseconds. `late` finds orders with units that have not left and a promise
    (``ship_by`` or ``deliver_by``) up to then; `hold` is the code of a standing hold. Each of
    `words` is part of the order's number, external id or channel, of a SKU on it, of a node that
    ships some of it, or of what is known of its customer (name, address, phone, e-mail); the case
    of the letters A to Z does not matter.
    """

    owner: str | None = None
    channel: str | None = None
    status: str | None = None
    node: str | None = None
    sku: str | None = None
    number: str | None = None
    placed_from: int | None = None
    placed_until: int | None = None
    captured_from: int | None = None
    captured_until: int | None = None
    hold: str | None = None
    late: int | None = None
    words: tuple[str, ...] = ()


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
    sequence: int = 0
    called_at: int | None = None
    """Until when the partner may have been asked to begin, without our knowing its answer."""
    connector: str = ""
    """Whom to ask: who was asked to begin; empty where nobody was, and the node says."""


class Parked(NamedTuple):
    """Something that was set aside for a person.

    `id` is ``outbox/12`` (a word to a node; `kind` is its topic), ``event/CONSUMER/34``,
    ``setback/TASK/34`` (something that came and could not be taken in) or ``return/7`` (a return
    that is kept until it can be carried out; nobody has set that aside). `parked_at` None: it is
    not set aside, but waits for a plugin that is not there.
    """

    id: str
    kind: str
    order_id: int | None
    note: str
    attempts: int
    parked_at: int | None
    unknown: bool
    fulfillment_order: str = ""
    kept: bool = False
    """Whether what came is kept, so that it can be read again."""


class Unread(NamedTuple):
    """Something that came and could not be read.

    `task` is ``receive:CHANNEL`` or ``pull:CHANNEL``, and for the latter `position` is the cursor
    before its page and `place` its place there. `external_id`, `number` and `revision` tell of
    which order, as far as that could be read (0: it could not), and `name` is that of an edit or
    refund, which tells only a difference. `error` holds no personal data;
    `body` and `headers` are the delivery as it came, empty where its sender is asked again.
    """

    task: str
    error: str
    external_id: str = ""
    number: str = ""
    revision: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = {}
    position: str = ""
    place: int = 0
    name: str = ""


class Task(NamedTuple):
    """Something done again and again. `attempts` counts those since it was last well; while it is
    leased, `due_at` is the end of the lease. `failed_at` is when the first of them failed."""

    name: str
    due_at: int
    attempts: int
    cursor: str
    well_at: int | None
    note: str
    failed_at: int | None = None


class Trouble(NamedTuple):
    """Trouble with an order that a person must look at, by `number` within its order.

    `kind` is one of `domcore.store.operations.troubles.KINDS`; `fulfillment_order` and `node` are
    empty where it is about the whole order; `lines` are ``(line id, units)``. It stands while
    `settled_at` is None.
    """

    id: str
    order_id: int
    number: int
    kind: str
    fulfillment_order: str
    node: str
    at: int
    note: str
    lines: tuple[tuple[str, int], ...]
    settled_at: int | None
    settled_by: str | None


class Rescheduled(NamedTuple):
    """What was due later than any wait explains, and is no more.

    Args:
        newest: when the newest event happened, by the clock of its moment.
        behind: microseconds that the clock is behind it; 0 where that is no more than usual.
        work, orders, tasks: how many of each were moved.
    """

    newest: int
    behind: int
    work: int
    orders: int
    tasks: int


class Straggler(NamedTuple):
    """An event that a consumer could not take, or that waits for one of its order."""

    consumer: str
    seq: int
    order_id: int | None
    due_at: int
    attempts: int
    parked_at: int | None
    note: str


class Wait(NamedTuple):
    """Something that waits for a person; see `Store.waiting`.

    `key` is ``(order id, sequence, node id, outbox id)``, 0 where there is none; `since` 0 leaves
    it to the order's events.
    """

    kind: str
    key: tuple[int, int, int, int]
    node: str
    fulfillment_order: str
    since: int
    note: str


@frozen(slots=True)
class Promises:
    """What a channel has promised, as an order's body says it."""

    ship_by: datetime | None = None
    deliver_by: datetime | None = None


class OrderFacts(NamedTuple):
    """What figures are made of: one order with its events as stored, and its work by status."""

    order_id: int
    owner: str
    captured_at: int
    promises: Promises
    buckets: Buckets
    events: list[tuple[str, int, bytes]]
    """``(kind, at, body)`` in order."""
    work: dict[str, str]
    """Fulfillment order -> status."""
    nodes: int = 0
    """How many nodes it is shipped from, over all its decisions and by others (see `OpenOrder`)."""


class Backlog(NamedTuple):
    """Work that a node has not finished; `oldest` is when the oldest of it was decided."""

    node: str
    orders: int
    units: int
    oldest: int


class Outgoing(NamedTuple):
    """Words to a node that are not done: waiting, set aside, and of unknown outcome."""

    node: str
    waiting: int
    parked: int
    unknown: int


UNSURE: Final = 1_000_000_001
"""In `Sellable.told`: it was told a number, but perhaps under another name or by two at once."""


class Sellable(NamedTuple):
    """An item as a channel may sell it: its balances, the channel's own ids of it, and what the
    channel was told last, as ``(node id, node, units)`` with node 0 for the sum; the units that
    orders wait for, and the nodes that have refused it, as ``(node id, until)``."""

    item_id: int
    owner: str
    sku: str
    names: tuple[str, ...]
    balances: tuple[StockRow, ...]
    told: tuple[tuple[int, str, int], ...]
    waiting: int = 0
    excluded: tuple[tuple[int, int], ...] = ()


class Told(NamedTuple):
    """What a channel has been told: `units` where it was told `before`, None each for nothing."""

    item_id: int
    node_id: int
    before: int | None
    units: int | None


class Publication(NamedTuple):
    """How far a channel has been told: up to which ledger entry, on which basis (a digest of
    settings, network and rules; 0: it must all be compared), and up to which other change of what
    may be sold (see `Store.offer_cursor`)."""

    cursor: int = 0
    basis: int = 0
    offers: int = 0


class Covered(NamedTuple):
    """A balance and the demand on it.

    `shipped` units have left since the time asked for; `tried` says that goods have been there
    since before it; `counted` that it was ever counted; `state` is what was last noted, empty for
    steady.
    """

    key: tuple[int, int]
    owner: str
    sku: str
    node: str
    available: int
    shipped: int
    tried: bool
    counted: bool
    state: str


class CoverNote(NamedTuple):
    """A balance is now ``low``, ``over`` or ``steady``; `body` is the event's."""

    key: tuple[int, int]
    state: str
    body: Mapping[str, Any]
