"""What a store must do: a few coarse operations, each one transaction.

Ids are integer surrogates inside the store; texts stand at the door. Times are integer
microseconds since 1970, UTC. Every writing operation either happens whole or leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from domcore.model.command import CancelOrder, CaptureOrder, ObserveStock
from domcore.model.decision import Decision, OrderSummary
from domcore.model.event import Event
from domcore.model.item import Alias, Item
from domcore.model.network import Network
from domcore.model.order import Order
from domcore.model.policy import Hold
from domcore.store.values import (
    Commit,
    Draw,
    Lease,
    OpenOrder,
    OrderFilter,
    OrderView,
    Outcome,
    Resolution,
    StockFilter,
    StockRow,
    StockView,
    StoredItem,
    StoredNetwork,
)

__all__ = [
    "Commit",
    "Draw",
    "Lease",
    "OpenOrder",
    "OrderFilter",
    "OrderView",
    "Outcome",
    "Resolution",
    "StockFilter",
    "StockRow",
    "StockView",
    "Store",
    "StoredItem",
    "StoredNetwork",
]


@runtime_checkable
class Store(Protocol):
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

    def observe_stock(self, command: ObserveStock, *, now: int) -> Outcome:
        """Counts and deltas: counts older than the last are dropped, later shipments reapplied;
        below what is reserved frees the youngest reservations and records ``stock.shortfall``.

        Raises: PayloadError: unknown SKU or node, quantity out of range (nothing is written).
        """
        ...

    def stock_of(self, item_ids: Iterable[int]) -> list[StockRow]:
        """Every balance of these items, by (item id, node id)."""
        ...

    def stock_cursor(self) -> int:
        """Where the ledger stands now."""
        ...

    def stock_since(self, cursor: int) -> tuple[int, list[StockRow]]:
        """The balances that changed after `cursor`, as they are now, and the new cursor."""
        ...

    def changes_elsewhere(self) -> int:
        """A cheap number that differs when another connection may have written since."""
        ...

    def writes(self) -> int:
        """How many transactions this store object has written so far."""
        ...

    # --- orders --------------------------------------------------------------------------------

    def capture(self, commands: Sequence[CaptureOrder], *, now: int) -> list[Outcome]:
        """Take orders in, all or none: new, amended (later revision), duplicate or stale.

        Raises:
            ConflictError: the same revision or key with other content.
            PayloadError: an unknown SKU, by line.
        """
        ...

    def cancel(self, command: CancelOrder, *, now: int) -> Outcome:
        """Cancel what has not left: open units, and reservations whose work is not handed over.
        Nodes that already work on it are asked (outbox ``cancel``). Before its order it leaves a
        tombstone. A cancelled order stays cancelled whatever revision comes later.

        Raises: ConflictError: the key came with other content.
        """
        ...

    def approve(self, order_id: int, *, by: str, now: int) -> tuple[Hold, ...]:
        """Lift all holds (returned) for this revision; work held at ``release`` is requested."""
        ...

    def open_orders(
        self, *, now: int, limit: int, after: int = 0, order_ids: Sequence[int] | None = None
    ) -> list[OpenOrder]:
        """Orders with open units, not held, whose retry time has come, by rising id after `after`;
        or exactly those of `order_ids` that have open units, whatever their hold or retry time.
        A held one cannot be committed to."""
        ...

    def find_order(self, reference: str, *, owner: str | None = None) -> list[int]:
        """Ids of the orders that `reference` may mean: ``owner/channel/external id``,
        ``channel/external id``, an external id, a number such as ``#1001``, or the store's own id
        as text."""
        ...

    def order(self, order_id: int) -> OrderView:
        """Raises: NotFound."""
        ...

    def revision(self, order_id: int, revision: int) -> Order:
        """An order as it was at one of its revisions.

        Raises: NotFound: no such order or revision.
        """
        ...

    def find_orders(self, wanted: OrderFilter, *, limit: int, after: int = 0) -> list[OrderSummary]:
        """Orders by rising id after `after`. A filter by status looks at orders until `limit` are
        found, for statuses are not stored."""
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

    def resolve(self, resolution: Resolution, *, now: int) -> Outcome:
        """Take a node's word on a fulfillment order; units that are open again queue for routing.

        Raises:
            NotFound: no such fulfillment order.
            ConflictError: it is finished, more units than are still there, or the key came with
                other content.
        """
        ...

    # --- events and outbox ---------------------------------------------------------------------

    def events(
        self, *, after: int = 0, limit: int = 1000, order_id: int | None = None
    ) -> list[Event]:
        """Events by rising seq after `after`."""
        ...

    def read_cursor(self, consumer: str) -> int:
        """What `consumer` has seen; 0 at first."""
        ...

    def advance_cursor(self, consumer: str, seq: int) -> None:
        """Remember that `consumer` has seen everything up to `seq`; never moves backwards."""
        ...

    def lease_due(self, topic: str, *, now: int, until: int, limit: int) -> list[Lease]:
        """Take due outbox entries; nobody else gets them before `until`. Attempts are counted
        before the work is done."""
        ...

    def settle(self, entry: int, *, now: int, retry_at: int | None = None, note: str = "") -> None:
        """Done (no `retry_at`), or to be tried again then. Settling twice is harmless.

        Raises: NotFound: there is no such entry.
        """
        ...

    # --- keeping ------------------------------------------------------------------------------

    def snapshot(self) -> AbstractContextManager[None]:
        """Every read of this thread inside the block sees one state, `audit` too; writing in it
        raises StoreError. Keep it short: it may keep others' logs from shrinking."""
        ...

    def audit(self, table: str) -> Iterator[tuple[Any, ...]]:
        """Every row of one table in key order, in bounded memory. See `domcore.store.audit`."""
        ...

    def health(self) -> Mapping[str, str]:
        """Facts for `doctor`: engine version, journal mode, durability, hazards."""
        ...

    def close(self) -> None:
        """Give back connections and files; using it afterwards raises StoreError."""
        ...
