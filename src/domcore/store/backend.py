"""What a store's engine must offer: look-ups, one way to write, and transactions.

The operations themselves are written once on top of this (`domcore.store.base`). Rows are plain
tuples in the column order of `domcore.store.rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from domcore.store.acting import Acting
from domcore.store.changes import Changes, Row
from domcore.store.rows import ItemRow, OrderRow, ReservationRow


class Reader(Protocol):
    """Look-ups, all answering whole lists."""

    def select(self, table: str, column: str, values: Sequence[Any]) -> list[Row]:
        """Rows of `table` whose `column` is among `values`, in key order."""
        ...

    def owner_id(self, name: str) -> int | None: ...

    def owners(self) -> dict[int, str]: ...

    def nodes(self) -> dict[int, str]:
        """Every node ever known: id -> code."""
        ...

    def last_id(self, table: str) -> int:
        """The largest key of a numbered table; 0 when it is empty."""
        ...

    def items(self, owner_id: int, skus: Sequence[str]) -> list[ItemRow]: ...

    def aliases(self, owner_id: int, channel: str, names: Sequence[str]) -> dict[str, str]:
        """Channel item id -> SKU."""
        ...

    def find_order(self, owner_id: int, channel: str, external_id: str) -> OrderRow | None: ...

    def inbox(self, owner_id: int, source: str, key: str) -> Row | None: ...

    def foretold(self, owner_id: int, channel: str, external_id: str) -> tuple[int | None, bool]:
        """The revision of a cancellation of this order, and whether a hold, that came before it."""
        ...

    def kept(self, external_ids: Sequence[str]) -> tuple[list[Row], list[Row], list[Row]]:
        """Rows of ``amendment`` and of ``elsewhere`` for orders of these external ids, by key, and
        ``(owner id, channel, external id)`` of each waiting row of ``kept_return``."""
        ...

    def balances(self, keys: Sequence[tuple[int, int]]) -> list[Row]:
        """The stock rows of these ``(item id, node id)`` that exist."""
        ...

    def unbegun(self, node_ids: Sequence[int], after: int, limit: int) -> list[int]:
        """Orders after `after` with work at one of these nodes that is requested or on hold."""
        ...

    def stocked_nodes(self) -> set[int]:
        """Nodes with goods on hand or unfinished work."""
        ...

    def item_ids(self, owner_id: int, skus: Sequence[str]) -> dict[str, int]:
        """SKU -> id, of those that exist."""
        ...

    def movements(self, keys: Sequence[tuple[int, int]], since: int) -> list[Row]:
        """``(item id, node id, at, units)``: on-hand moved at these keys after `since`, other than
        by a count, or by what only the books say (``shortfall``)."""
        ...

    def shipped_since(self, item_ids: Sequence[int], since: int) -> dict[tuple[int, int], int]:
        """Units shipped after `since`, by ``(item id, node id)``."""
        ...

    def waiting_returns(self) -> dict[int, int]:
        """Units of open returns that have not arrived, by node id."""
        ...

    def reserved_at(self, key: tuple[int, int]) -> list[ReservationRow]:
        """Open reservations of one balance, youngest first."""
        ...

    def expired(self, now: int, limit: int) -> list[ReservationRow]:
        """Open reservations whose time is over, oldest first."""
        ...

    def changed_stock(self, cursor: int, until: int | None = None) -> list[Row]:
        """Stock rows with a ledger entry after `cursor`, and not after `until`, by key."""
        ...

    def published(self, channel: str, item_ids: Sequence[int]) -> list[Row]:
        """What a channel was told of these items, by key."""
        ...

    def moved_before(self, keys: Sequence[tuple[int, int]], at: int) -> set[tuple[int, int]]:
        """Those of the keys whose on-hand moved at or before `at`."""
        ...

    def queue(self, now: int, after: tuple[int, int], limit: int) -> list[Row]:
        """``(order id, version, sequence, revision, body, reason, due)`` of orders due for routing,
        by ``(due, id)`` after `after`."""
        ...

    def glance(self) -> tuple[bool, bool]:
        """Whether any item is excluded anywhere, and whether any order has been woken."""
        ...

    def waited_for(self, item_ids: Sequence[int]) -> list[int]:
        """Those of the items that an order in line waits for."""
        ...

    def in_line(
        self, item_id: int, stage: int, after: tuple[int, int] | None, limit: int
    ) -> list[Row]:
        """Rows of ``waiting`` for an item at a stage, by ``(placed at, order id)``."""
        ...

    def waited_units(self, item_ids: Sequence[int]) -> dict[int, int]:
        """Units that orders wait for, by item; items that nobody waits for are left out."""
        ...

    def undecided(self, now: int) -> dict[int, int]:
        """Open units of orders that are due and wait for nothing, by item."""
        ...

    def last_offer(self) -> int:
        """The last change of ``offer``; 0 before the first."""
        ...

    def offers(self, cursor: int, limit: int) -> list[Row]:
        """Rows of ``offer`` after `cursor`, by ``(seq, item id)``."""
        ...

    def ended_exclusions(self, now: int, limit: int) -> list[Row]:
        """Rows of ``item_exclusion`` whose time is over, by ``(until, item id, node id)``."""
        ...

    def due(self, topic: str, now: int, limit: int) -> list[Row]:
        """Outbox rows that are due, oldest first."""
        ...

    def due_after(self, topic: str, after: int) -> list[Row]:
        """Outbox rows that are not done and due after a time, but not never."""
        ...

    def queued_after(self, after: int) -> list[Row]:
        """``(order id, version, retry at)`` of orders due for routing after a time, but not
        never."""
        ...

    def parked(self, table: str, limit: int) -> list[Row]:
        """Rows of ``outbox`` (that are not done) or ``straggler`` that are parked, oldest first."""
        ...

    def events(self, after: int, limit: int, order_id: int | None) -> list[Row]: ...

    def order_page(
        self, filters: Mapping[str, Any], after: int, limit: int, *, newest: bool = False
    ) -> list[OrderRow]:
        """Orders by rising or falling id, after that id unless it is 0.

        Filter names are those of `OrderFilter`, with owner and node as ids.
        """
        ...

    def stock_page(
        self, filters: Mapping[str, Any], after: tuple[int, int], limit: int
    ) -> list[Row]:
        """``(owner id, sku, item id, node id, on hand, reserved, blocked, safety)`` by key."""
        ...

    def waiting(
        self, kind: str, owner_id: int | None, before: int, after: Sequence[int], limit: int
    ) -> list[Row]:
        """What waits for a person: ``(order id, sequence, node id, number, since, note)`` by its
        first four, after those of `after`; the number is that of an outbox entry or of trouble. For
        ``stuck``, nothing newer than `before`; for ``late``, promises up to then. `since` 0 leaves
        it to the order's events."""
        ...

    def count_waiting(self, kind: str, owner_id: int | None, before: int) -> int:
        """How many `waiting` would answer."""
        ...

    def shortfalls(self, first: int, limit: int) -> list[Row]:
        """Rows of ``stock.shortfall`` events after `first`, by seq."""
        ...

    def backlog(self, owner_id: int | None) -> list[Row]:
        """``(node id, orders, units, oldest decision)`` of work that is not finished, by node."""
        ...

    def outbox_counts(self) -> list[Row]:
        """``(node id, waiting, parked, unknown)`` of outbox entries that are not done, by node."""
        ...

    def unsealed(self, table: str) -> list[Row]:
        """Keys of the rows of a sealed table that are not as they were written, in order."""
        ...

    def page(
        self, table: str, columns: Sequence[str], after: Sequence[Any] | None, limit: int
    ) -> list[Row]:
        """A page of a table in key order, after the key `after`."""
        ...


class Backend(Reader, Protocol):
    """Look-ups and writing. `written` counts the transactions of this object, `acting` says for
    whom its threads write: `apply` seals changes with that."""

    written: int
    acting: Acting

    def reading(self) -> AbstractContextManager[None]:
        """Several look-ups inside see one state."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """One transaction: look-ups inside see it, leaving by an exception undoes it.

        Raises:
            StoreError: the database cannot be written.
        """
        ...

    def together(self) -> AbstractContextManager[None]:
        """One transaction for all that this thread writes inside: each `writing` is a part of it
        that can be undone alone.

        Raises:
            StoreError: the database cannot be written, or a transaction is open already.
        """
        ...

    def apply(self, changes: Changes) -> None:
        """Write, inside `writing`.

        Raises:
            StaleSupply: stock has gone.
            ConflictError: a row that had to be there was not, or a check forbids it.
        """
        ...

    def write_count(self) -> int:
        """Differs when somebody else may have written since it was last asked."""
        ...

    def forget_erased(self) -> None:
        """Remove what has been deleted from every copy the engine keeps."""
        ...

    def health(self) -> Mapping[str, str]: ...

    def close(self) -> None: ...


Pages = Iterator[tuple[Any, ...]]
