"""What a store must do: a few coarse operations, each one transaction.

Ids are integer surrogates inside the store; texts stand at the door. Times are integer
microseconds since 1970, UTC. Every writing operation either happens whole or leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from domcore.model.command import (
    AmendOrder,
    CancelOrder,
    CaptureOrder,
    ObserveStock,
    ShippedElsewhere,
)
from domcore.model.decision import Decision, OrderSummary
from domcore.model.event import Event
from domcore.model.handover import Notice
from domcore.model.item import Alias, Item
from domcore.model.network import Network
from domcore.model.order import Order
from domcore.store.correcting import Correcting
from domcore.store.handing import Handing
from domcore.store.holding import Holding
from domcore.store.minding import Minding
from domcore.store.offering import Offering
from domcore.store.taking_back import TakingBack
from domcore.store.values import (
    Backlog,
    Commit,
    Covered,
    CoverNote,
    Draw,
    Lease,
    OpenOrder,
    OrderFacts,
    OrderFilter,
    OrderView,
    Outcome,
    Outgoing,
    Parked,
    Publication,
    Sellable,
    StockFilter,
    StockRow,
    StockView,
    StoredItem,
    StoredNetwork,
    Straggler,
    Task,
    Told,
    Trouble,
    Wait,
)
from domcore.store.waiting_rows import BEFORE_ALL

__all__ = [
    "BEFORE_ALL",
    "Backlog",
    "Commit",
    "CoverNote",
    "Covered",
    "Draw",
    "Lease",
    "OpenOrder",
    "OrderFacts",
    "OrderFilter",
    "OrderView",
    "Outcome",
    "Outgoing",
    "Parked",
    "Publication",
    "Sellable",
    "StockFilter",
    "StockRow",
    "StockView",
    "Store",
    "StoredItem",
    "StoredNetwork",
    "Straggler",
    "Task",
    "Told",
    "Trouble",
    "Wait",
]


@runtime_checkable
class Store(Correcting, Handing, Holding, Offering, Minding, TakingBack, Protocol):
    """The operations. See `domcore.testing.StoreSuite` for what each must guarantee."""

    # --- configuration -------------------------------------------------------------------------

    def save_network(self, network: Network, *, now: int) -> StoredNetwork:
        """Replace the network. Nodes that are gone stay known (disabled) while stock or work
        refers to them; saving an equal network changes nothing."""
        ...

    def network(self) -> StoredNetwork:
        """The network last saved; one without nodes, with an empty digest, before the first."""
        ...

    def save_items(
        self, owner: str, items: Iterable[Item], aliases: Iterable[Alias] = (), *, now: int
    ) -> int:
        """Insert or replace items and aliases in bounded memory; returns how many items came.
        Lines of orders that wait for one of them are open for routing from then on.

        Raises: PayloadError: an alias of an item that is not there (nothing is written).
        """
        ...

    def items(self, owner: str, skus: Iterable[str]) -> dict[str, StoredItem]:
        """The items among `skus` that exist."""
        ...

    def put_blob(self, kind: str, body: bytes) -> str:
        """Keep `body` under its SHA-256 (hex) for ever; the same body twice is one row."""
        ...

    def blob(self, digest: str) -> bytes:
        """Raises: NotFound."""
        ...

    # --- stock ---------------------------------------------------------------------------------

    def observe_stock(self, command: ObserveStock, *, now: int, task: str = "") -> Outcome:
        """Counts and deltas: counts older than the last are dropped, later shipments reapplied;
        below what is reserved frees the youngest reservations and records ``stock.shortfall``.

        With the `task` that brought it (``poll:nyc``), counts that cannot be taken in are kept as
        one setback of it (`Unread.body` is the news of them alone) and the others are taken; the
        outcome's detail names it. Where none can be, or no more can be kept, all are refused.

        Raises: PayloadError: unknown SKU or node, quantity out of range (nothing is written).
        """
        ...

    def stock_of(self, item_ids: Iterable[int]) -> list[StockRow]:
        """Every balance of these items, by (item id, node id)."""
        ...

    def shipped_since(self, item_ids: Sequence[int], since: int) -> dict[tuple[int, int], int]:
        """Units shipped after `since` by ``(item id, node id)``; pairs without any are left out."""
        ...

    def stock_cursor(self) -> int:
        """Where the ledger stands now."""
        ...

    def stock_since(self, cursor: int) -> tuple[int, list[StockRow]]:
        """The balances that changed after `cursor`, as they are now, and the new cursor."""
        ...

    def stock_changes(self, cursor: int, *, limit: int) -> tuple[int, list[StockView]]:
        """Like `stock_since` in words, looking at no more than `limit` entries of the ledger: call
        it again until the cursor stays."""
        ...

    def cover(self, *, since: int, after: tuple[int, int] = (0, 0), limit: int) -> list[Covered]:
        """Balances by rising key, with what has shipped after `since`."""
        ...

    def has_cover(self) -> bool:
        """Whether any balance is noted as low or over."""
        ...

    def note_cover(self, notes: Sequence[CoverNote], *, now: int) -> int:
        """Note balances as low, over or steady again and record ``stock.low``, ``stock.over``,
        ``stock.steady``; returns how many were news."""
        ...

    def changes_elsewhere(self) -> int:
        """A cheap number that differs when another connection may have written since."""
        ...

    def writes(self) -> int:
        """How many transactions this store object has written so far."""
        ...

    # --- orders --------------------------------------------------------------------------------

    def capture(self, commands: Sequence[CaptureOrder], *, now: int) -> list[Outcome]:
        """Take orders in, all or none: new, amended (later revision), duplicate or stale. Nodes
        that work on an order whose person has changed are told (outbox ``change``), or asked to
        stop where its destination has; until they are known to know, that is trouble (``changed``).

        A line whose SKU is neither an item nor an alias of one is kept as it came and stays open
        until the item is saved; the outcome's detail says so. A line that has an item keeps it,
        whatever later revisions call it.

        Raises:
            ConflictError: the same revision or key with other content.
            PayloadError: a double line id, a quantity out of range; nothing is taken in.
        """
        ...

    def amend(self, command: AmendOrder, *, now: int) -> Outcome:
        """Take units off an order: ``amended``, or ``stale`` where its last whole revision is later
        and knows of it, ``recorded`` where there is nothing (yet) to take off, ``duplicate``.

        The state of an order is its latest whole revision less every amendment later than that, in
        whatever order they came. What has left stays; what is handed over is asked back.

        Raises:
            ConflictError: the same name or key with other content.
            PayloadError: a quantity or revision out of range.
        """
        ...

    def ship_elsewhere(
        self, command: ShippedElsewhere, *, now: int, by_hand: bool = False
    ) -> Outcome:
        """Goods of an order that others have sent: ``recorded``, or ``duplicate`` where that says
        nothing new. They count as shipped: first units that are open, then those that no node was
        told of; nodes that work on them are asked to stop (outbox ``cancel``, and an event
        ``fulfillment.exception``). With a node they leave its shelf, unless a later count has
        seen that. Before its order it is kept. What counts is a function of all shipments told, of
        what nodes have shipped, and of what the order wants: the order of news does not matter.

        With `by_hand` a person says it of an order that is there: a shipment without a name gets a
        free one, ``by-hand-N``, which the outcome's detail says, and one that was told before is
        replaced whatever its revision is.

        Raises:
            PayloadError: an unknown node, a field out of range.
            ConflictError: the key came with other content; by hand: others would have sent more of
                a line than the order ever had.
            NotFound: by hand: no such order, or no shipment of that name to take back.
        """
        ...

    def cancel(self, command: CancelOrder, *, now: int) -> Outcome:
        """Cancel what has not left: open units, and reservations whose work is not handed over.
        Nodes that already work on it are asked (outbox ``cancel``). Where all of it has left the
        outcome is ``nothing``, where it was cancelled before ``duplicate``; the detail counts what
        was cancelled, what nodes are asked for, and what has left. Before its order it leaves a
        tombstone. A cancelled order stays cancelled whatever revision comes later.

        Raises: ConflictError: the key came with other content.
        """
        ...

    def open_orders(
        self,
        *,
        now: int,
        limit: int,
        after: tuple[int, int] = BEFORE_ALL,
        order_ids: Sequence[int] | None = None,
    ) -> list[OpenOrder]:
        """Orders with open units, not held, whose retry time has come, by ``(due, order id)`` after
        `after`; or exactly those of `order_ids` that have open units, whatever their hold or retry
        time, by id. A held one cannot be committed to.

        What is to be decided at once (new, amended, freed, approved, woken) is due since it was
        placed: of those, the oldest order comes first.
        """
        ...

    def ahead(self, order_ids: Sequence[int], *, limit: int) -> list[int]:
        """Orders that are older than (some of) these, wait for an item that these have open, and
        have been woken since units of it have come: they are to be decided first."""
        ...

    def wake(self, gained: Mapping[int, int], *, now: int) -> None:
        """Have those who wait longest decided at once, for so many units by item id that they were
        decided without; whatever changes stock does that by itself."""
        ...

    def wake_all(self, *, basis: int, limit: int, now: int) -> int:
        """Have all orders in line decided anew, about `limit` of them at a time by rising id, since
        `basis` (a digest of the network and the rules, below 2^60) is another than the last one;
        returns how many it looked at, 0 when all are through. The first basis wakes nobody."""
        ...

    def find_order(self, reference: str, *, owner: str | None = None) -> list[int]:
        """Ids of the orders that `reference` may mean: ``owner/channel/external id``,
        ``channel/external id``, an external id, a number such as ``#1001``, or the store's own id
        written ``id:15``, which names that order and no other. A bare number is never an id of the
        store."""
        ...

    def order(self, order_id: int) -> OrderView:
        """Raises: NotFound."""
        ...

    def revision(self, order_id: int, revision: int) -> Order:
        """An order as it was at one of its revisions.

        Raises: NotFound: no such order or revision.
        """
        ...

    def find_orders(
        self, wanted: OrderFilter, *, limit: int, after: int = 0, newest: bool = False
    ) -> list[OrderSummary]:
        """Orders by rising id after `after`; with `newest` by falling id, those before `after`
        unless it is 0. Statuses are not stored: a filter by status looks at
        every order from `after` on until `limit` are found."""
        ...

    def find_stock(
        self, wanted: StockFilter, *, limit: int, after: tuple[int, int] = (0, 0)
    ) -> list[StockView]:
        """Balances by rising key after the key `after` (see `StockView.key`)."""
        ...

    def erase(self, order_id: int) -> bool:
        """Remove the personal data of an order for good; False when there was none.

        Raises: StoreError: it is removed, but a reader still keeps an old copy; call it again.
        """
        ...

    # --- decisions -----------------------------------------------------------------------------

    def commit(self, commits: Sequence[Commit]) -> None:
        """Write decisions, all or none, one transaction.

        Raises:
            StaleSupply: stock has gone; carries the keys.
            ConflictError: an order is no longer at the version decided on, it is cancelled, or more
                is drawn than is open.
        """
        ...

    def decisions(self, order_id: int) -> list[Decision]:
        """An order's decisions by sequence."""
        ...

    def expire(self, *, now: int, limit: int) -> int:
        """Free reservations whose time is over; their units are open again."""
        ...

    def keep(self, order_id: int, *, now: int) -> Outcome:
        """Make work of an order's reservations that expire and are in time, where they are: they
        stay for good, each node has its fulfillment order (on hold while a hold stands) and its
        connector is told; what a node has that is closed by now is free, and the order queues for
        it. Outcome ``kept``, or ``nothing``; the detail says how many units.

        Raises: NotFound.
        """
        ...

    def free(self, order_id: int, *, now: int) -> Outcome:
        """Free an order's reservations that expire: ``freed``, or ``nothing``.

        Raises: NotFound.
        """
        ...

    def extend(self, order_id: int, *, expires_at: int, now: int) -> Outcome:
        """Let an order's reservations that expire do so at `expires_at`: ``recorded``, or
        ``nothing`` where there are none.

        Raises: NotFound.
        """
        ...

    def record(self, notice: Notice, *, now: int, exclude_until: int | None = None) -> Outcome:
        """Take in news of a fulfillment order: ``recorded``, ``duplicate`` (the same key, or the
        same content without one), or ``stale`` (kept as an event, nothing changed).

        All notices of a fulfillment order end in the same state in whatever order they come.
        Units that are open again queue for routing; a node that rejected them, or cancelled them
        although nobody asked it to stop, is not asked for the line again, nor, until
        `exclude_until`, for the item.

        Raises:
            NotFound: no such fulfillment order.
            PayloadError: a field is not of its type; an unknown status, reason, line or SKU; a time
                without its zone.
            ConflictError: more units than there are, fewer have left than come back as returns, or
                the key came with other content.
        """
        ...

    # --- events and outbox ---------------------------------------------------------------------

    def events(
        self, *, after: int = 0, limit: int = 1000, order_id: int | None = None
    ) -> list[Event]:
        """Events by rising seq after `after`."""
        ...

    # --- seeing --------------------------------------------------------------------------------

    def waiting(
        self,
        kind: str,
        *,
        before: int,
        owner: str | None = None,
        after: tuple[int, int, int, int] = (0, 0, 0, 0),
        limit: int,
    ) -> list[Wait]:
        """What waits for a person, by rising key after `after`. `kind` is ``held`` (a standing
        hold), ``short`` (open units with a reason), ``unknown`` (a word to a node whose outcome is
        not known), ``rejected`` (rejected units that are still open), ``trouble`` (that nobody has
        settled; see `troubles`), ``stuck`` (unfinished work without news since `before`) or
        ``late`` (units that have not left, promised up to `before`)."""
        ...

    def count_waiting(self, kind: str, *, before: int, owner: str | None = None) -> int:
        """How many `waiting` would answer."""
        ...

    def rejections(self, order_ids: Sequence[int]) -> list[tuple[int, str, str, int]]:
        """``(order id, node, reason, at)`` of lines that nodes have rejected and that are still
        open."""
        ...

    def shortfalls(self, order_id: int, *, limit: int = 1000) -> list[Event]:
        """``stock.shortfall`` events, since it came in, of balances that an order draws from; their
        bodies also name the ``sku`` and the ``node``."""
        ...

    def facts(self, wanted: OrderFilter, *, limit: int, after: int = 0) -> list[OrderFacts]:
        """Orders by rising id after `after`, with their events: what figures are made of."""
        ...

    def backlog(self, *, owner: str | None = None) -> list[Backlog]:
        """What nodes have not finished, by node."""
        ...

    def outgoing(self) -> list[Outgoing]:
        """Words to nodes that are not done, by node."""
        ...

    # --- keeping ------------------------------------------------------------------------------

    def acting(self, by: str) -> AbstractContextManager[None]:
        """Events that this thread writes inside the block are caused by `by` (see
        `domcore.model.actor`), unless a command names somebody itself.

        Raises: PayloadError: `by` is no name.
        """
        ...

    def together(self) -> AbstractContextManager[None]:
        """What this thread writes inside the block is one transaction: after the block all of it is
        there, or, where the block or its commit fails, nothing. Each operation inside still happens
        whole or leaves nothing, and one that is refused does not undo the others.

        Keep it short and call no stranger in it: nobody else can write meanwhile. A block in a
        block, or one inside `snapshot`, raises StoreError; so may `erase` in it.
        """
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Every read of this thread inside the block sees one state, `audit` too; writing in it
        raises StoreError. Keep it short: it may keep others' logs from shrinking."""
        ...

    def audit(self, table: str) -> Iterator[tuple[Any, ...]]:
        """Every row of one table in key order, in bounded memory. See `domcore.store.audit`."""
        ...

    def unsealed(self, table: str) -> Sequence[tuple[Any, ...]]:
        """Keys of the rows of one table that are not as they were written: somebody else has
        changed them. A store nobody else can reach into has none."""
        ...

    def health(self) -> Mapping[str, str]:
        """Facts for `doctor`: engine version, journal mode, durability, hazards."""
        ...

    def close(self) -> None:
        """Give back connections and files; using it afterwards raises StoreError."""
        ...
