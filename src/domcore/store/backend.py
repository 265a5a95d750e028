"""What a store's engine must offer: look-ups, one way to write, and transactions.

The operations themselves are written once on top of this (`domcore.store.base`). Rows are plain
tuples in the column order of `domcore.store.rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

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

    def tombstone(self, owner_id: int, channel: str, external_id: str) -> Row | None: ...

    def balances(self, keys: Sequence[tuple[int, int]]) -> list[Row]:
        """The stock rows of these ``(item id, node id)`` that exist."""
        ...

    def stocked_nodes(self) -> set[int]:
        """Nodes with goods on hand or unfinished work."""
        ...

    def moved_since(self, key: tuple[int, int], at: int) -> int:
        """Units of on-hand moved after `at` other than by a count."""
        ...

    def reserved_at(self, key: tuple[int, int]) -> list[ReservationRow]:
        """Open reservations of one balance, youngest first."""
        ...

    def expired(self, now: int, limit: int) -> list[ReservationRow]:
        """Open reservations whose time is over, oldest first."""
        ...

    def changed_stock(self, cursor: int) -> list[Row]:
        """Stock rows with a ledger entry after `cursor`, by key."""
        ...

    def queue(self, now: int, after: int, limit: int) -> list[Row]:
        """``(order id, version, sequence, revision, body)`` of orders due for routing, by id."""
        ...

    def due(self, topic: str, now: int, limit: int) -> list[Row]:
        """Outbox rows that are due, oldest first."""
        ...

    def events(self, after: int, limit: int, order_id: int | None) -> list[Row]: ...

    def order_page(self, filters: Mapping[str, Any], after: int, limit: int) -> list[OrderRow]:
        """Orders by id; filter names are those of `OrderFilter`, with owner and node as ids."""
        ...

    def stock_page(
        self, filters: Mapping[str, Any], after: tuple[int, int], limit: int
    ) -> list[Row]:
        """``(owner id, sku, item id, node id, on hand, reserved, blocked, safety)`` by key."""
        ...

    def page(
        self, table: str, columns: Sequence[str], after: Sequence[Any] | None, limit: int
    ) -> list[Row]:
        """A page of a table in key order, after the key `after`."""
        ...


class Backend(Reader, Protocol):
    """Look-ups and writing. `written` counts the transactions of this object."""

    written: int

    def reading(self) -> AbstractContextManager[None]:
        """Several look-ups inside see one state."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """One transaction: look-ups inside see it, leaving by an exception undoes it.

        Raises:
            StoreError: the database cannot be written.
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
