"""Look-ups and writing in memory. One writer or several readers' turns at a time: one lock."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from domcore.errors import ConflictError, StaleSupply, StoreError, StoreReason
from domcore.store import views
from domcore.store.acting import Acting
from domcore.store.changes import WRITES, Changes, Row, Write
from domcore.store.kept_rows import WAITS
from domcore.store.memory.counting import MemoryCounting
from domcore.store.memory.searching import said_of_order
from domcore.store.memory.table import Key, MemoryTable, new_tables
from domcore.store.memory.waiting import MemoryWaiting
from domcore.store.operations.order_work import FINISHED
from domcore.store.rows import (
    NEVER,
    OPEN,
    SHIPPED,
    TABLES,
    ItemRow,
    OrderRow,
    ReservationRow,
)
from domcore.store.seals import CHAIN
from domcore.store.searching import is_said


class MemoryReader(MemoryCounting, MemoryWaiting):
    """The look-ups."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._tables: dict[str, MemoryTable] = new_tables(self._undo)

    def select(self, table: str, column: str, values: Sequence[Any]) -> list[Row]:
        """Rows of `table` whose `column` is among `values`, in key order."""
        found = TABLES[table]
        if column not in (*found.key, *found.by):
            raise ValueError(f"{table} is not looked up by {column}")
        return self._tables[table].among(column, values)

    def owner_id(self, name: str) -> int | None:
        """The owner's id, if there is such an owner."""
        rows = self._tables["owner"].by("name", name)
        return rows[0].id if rows else None

    def owners(self) -> dict[int, str]:
        """Id -> name."""
        return {row.id: row.name for row in self._tables["owner"]}

    def nodes(self) -> dict[int, str]:
        """Id -> code, of every node ever known."""
        return {row.id: row.code for row in self._tables["node"]}

    def last_id(self, table: str) -> int:
        """The largest key of a numbered table; 0 when it is empty."""
        return self._tables[table].last

    def items(self, owner_id: int, skus: Sequence[str]) -> list[ItemRow]:
        """The items that exist, by id."""
        by = self._tables["item"].by
        return sorted(row for sku in set(skus) for row in by("sku", (owner_id, sku)))

    def aliases(self, owner_id: int, channel: str, names: Sequence[str]) -> dict[str, str]:
        """Channel item id -> SKU."""
        rows, items = self._tables["alias"].rows, self._tables["item"].rows
        found = {name: rows.get((owner_id, channel, name)) for name in names}
        return {name: items[row.item_id,].sku for name, row in found.items() if row is not None}

    def find_order(self, owner_id: int, channel: str, external_id: str) -> OrderRow | None:
        """The order with this identity."""
        rows = self._tables["orders"].by("identity", (owner_id, channel, external_id))
        return rows[0] if rows else None

    def inbox(self, owner_id: int, source: str, key: str) -> Row | None:
        """The command that came under this key."""
        return self._tables["inbox"].rows.get((owner_id, source, key))

    def foretold(self, owner_id: int, channel: str, external_id: str) -> tuple[int | None, bool]:
        """The revision of a cancellation, and whether a hold, that came before the order."""
        stone = self._tables["tombstone"].rows.get((owner_id, channel, external_id))
        cancelled = None if stone is None else stone.revision
        held = self._tables["asked_hold"].among("external_id", [external_id])
        return cancelled, any(row[1:3] == (channel, owner_id) for row in held)

    def kept(self, external_ids: Sequence[str]) -> tuple[list[Row], list[Row], list[Row]]:
        """See `Reader.kept`."""
        tables = self._tables["amendment"], self._tables["elsewhere"]
        amendments, elsewhere = (table.among("external_id", external_ids) for table in tables)
        returns = self._tables["kept_return"].among("external_id", external_ids)
        waiting = sorted(row[1:4] for row in returns if row.settled == WAITS)
        return amendments, elsewhere, waiting

    def balances(self, keys: Sequence[tuple[int, int]]) -> list[Row]:
        """The stock rows of these keys that exist."""
        rows = self._tables["stock"].rows
        return [rows[key] for key in keys if key in rows]

    def unbegun(self, node_ids: Sequence[int], after: int, limit: int) -> list[int]:
        """Orders with work at one of these nodes that is requested or on hold."""
        found = {
            row.order_id
            for row in self._tables["fulfillment_order"]
            if row.order_id > after
            and row.node_id in node_ids
            and row.status in ("requested", "on_hold")
        }
        return sorted(found)[:limit]

    def stocked_nodes(self) -> set[int]:
        """Nodes with goods on hand or unfinished work."""
        busy = {row.node_id for row in self._tables["stock"] if row.on_hand > 0}
        work = self._tables["fulfillment_order"]
        return busy | {row.node_id for row in work if row.status not in FINISHED}

    def item_ids(self, owner_id: int, skus: Sequence[str]) -> dict[str, int]:
        """SKU -> id, of those that exist."""
        by = self._tables["item"].by
        return {sku: row.id for sku in set(skus) for row in by("sku", (owner_id, sku))}

    def movements(self, keys: Sequence[tuple[int, int]], since: int) -> list[Row]:
        """On-hand moved at these keys after `since`, other than by a count or in the books only."""
        by = self._tables["ledger"].by
        return [
            (*key, row.at, row.on_hand)
            for key in keys
            for row in by("movement", key)
            if row.at > since and row.kind not in ("count", "shortfall")
        ]

    def shipped_since(self, item_ids: Sequence[int], since: int) -> dict[tuple[int, int], int]:
        """Units shipped after `since`, by item and node."""
        wanted, found = set(item_ids), dict[tuple[int, int], int]()
        for row in self._tables["ledger"]:
            if row.kind == "ship" and row.at > since and row.item_id in wanted and row.on_hand:
                key = (row.item_id, row.node_id)
                found[key] = found.get(key, 0) - row.on_hand
        return found

    def waiting_returns(self) -> dict[int, int]:
        """Units of open returns that have not arrived, by node."""
        nodes = {
            row.id: row.node_id for row in self._tables["return_order"] if row.closed_at is None
        }
        found: dict[int, int] = {}
        for line in self._tables["return_line"]:
            left = line.units - sum(line[4:7])
            if line.return_id in nodes and left:
                node_id = nodes[line.return_id]
                found[node_id] = found.get(node_id, 0) + left
        return found

    def reserved_at(self, key: tuple[int, int]) -> list[ReservationRow]:
        """Open reservations of one balance, youngest first."""
        return self._tables["reservation"].by("place", key)[::-1]

    def expired(self, now: int, limit: int) -> list[ReservationRow]:
        """Open reservations whose time is over, oldest first."""
        rows = self._tables["reservation"].by("expiring", True)
        over = [row for row in rows if row.expires_at <= now]
        return sorted(over, key=lambda row: (row.expires_at, row[:5]))[:limit]

    def changed_stock(self, cursor: int, until: int | None = None) -> list[Row]:
        """Stock rows with a ledger entry after `cursor`, and not after `until`, by key."""
        ledger = self._tables["ledger"]
        last = ledger.last if until is None else min(until, ledger.last)
        rows = (ledger.rows[seq,] for seq in range(cursor + 1, last + 1))
        return self.balances(sorted({(row.item_id, row.node_id) for row in rows}))

    def published(self, channel: str, item_ids: Sequence[int]) -> list[Row]:
        """What a channel was told of these items, by key."""
        rows = self._tables["published"].among("item_id", item_ids)
        return [row for row in rows if row.channel == channel]

    def moved_before(self, keys: Sequence[tuple[int, int]], at: int) -> set[tuple[int, int]]:
        """Those of the keys whose on-hand moved at or before `at`."""
        by = self._tables["ledger"].by
        return {key for key in keys if any(row.at <= at for row in by("movement", key))}

    def due(self, topic: str, now: int, limit: int) -> list[Row]:
        """Outbox rows that are due, oldest first."""
        rows = [row for row in self._tables["outbox"].by("pending", topic) if row.due_at <= now]
        return sorted(rows, key=lambda row: (row.due_at, row.id))[:limit]

    def due_after(self, topic: str, after: int) -> list[Row]:
        """Outbox rows that are not done and due after a time, but not never."""
        rows = self._tables["outbox"].by("pending", topic)
        found = [row for row in rows if after < row.due_at < NEVER]
        return sorted(found, key=lambda row: (row.due_at, row.id))

    def queued_after(self, after: int) -> list[Row]:
        """``(order id, version, retry at)`` of orders due for routing after a time."""
        rows = self._tables["order_state"].by("queue", True)
        found = [row for row in rows if after < row.retry_at < NEVER]
        found.sort(key=lambda row: (row.retry_at, row.order_id))
        return [(row.order_id, row.version, row.retry_at) for row in found]

    def parked(self, table: str, limit: int) -> list[Row]:
        """Rows that are parked, oldest first."""
        rows = [
            row
            for row in self._tables[table].by("parked", True)
            if table != "outbox" or row.done_at is None
        ]
        return sorted(rows, key=lambda row: row.parked_at)[:limit]

    def events(self, after: int, limit: int, order_id: int | None) -> list[Row]:
        """Events after `after`, of one order or of all."""
        table = self._tables["event"]
        if order_id is not None:
            return [row for row in table.by("order_id", order_id) if row.seq > after][:limit]
        last = min(table.last, after + limit)
        return [table.rows[seq,] for seq in range(after + 1, last + 1)]

    def order_page(
        self, filters: Mapping[str, Any], after: int, limit: int, *, newest: bool = False
    ) -> list[OrderRow]:
        """Orders by id that match every filter."""
        found: list[OrderRow] = []
        rows = self._after("orders", (0 if newest else after,))
        if newest:
            rows = (row for row in reversed(list(rows)) if not after or row.id < after)
        for row in rows:
            if len(found) == limit:
                break
            if all(self._order_matches(row, name, value) for name, value in filters.items()):
                found.append(row)
        return found

    def _order_matches(self, row: OrderRow, name: str, value: Any) -> bool:
        if name == "placed_from":
            return bool(row.placed_at >= value)
        if name == "placed_until":
            return bool(row.placed_at < value)
        if name == "captured_from":
            return bool(row.captured_at >= value)
        if name == "captured_until":
            return bool(row.captured_at < value)
        if name == "hold":
            return self._has_hold(row.id, value)
        if name == "status":
            return bool(views.summaries(self, [row])[0].status == value)
        if name == "late":
            promise = self._promise(row.id)
            return promise is not None and promise // 1_000_000 <= value
        if name == "node_id":
            taken = self._tables["reservation"].among("order_id", [row.id])
            return any(r.node_id == value and r.state in (OPEN, SHIPPED) for r in taken)
        if name == "words":
            said = list(said_of_order(self._tables, row))
            return all(is_said(word, said) for word in value)
        if name == "sku":
            lines = self._tables["order_line"].among("order_id", [row.id])
            items = self._tables["item"].rows
            return any(line.item_id and items[line.item_id,].sku == value for line in lines)
        return bool(getattr(row, name) == value)

    def stock_page(
        self, filters: Mapping[str, Any], after: tuple[int, int], limit: int
    ) -> list[Row]:
        """Balances by key that match every filter."""
        found: list[Row] = []
        items = self._tables["item"].rows
        for row in self._after("stock", after):
            if len(found) == limit:
                break
            item = items[row.item_id,]
            seen = {
                "owner_id": item.owner_id,
                "sku": item.sku,
                "node_id": row.node_id,
            }
            available = row.on_hand - row.reserved - row.blocked
            if all(
                available < value if name == "below" else seen[name] == value
                for name, value in filters.items()
            ):
                found.append((item.owner_id, item.sku, *row[:6]))
        return found

    def unsealed(self, table: str) -> list[Row]:
        """No keys: nobody but the store reaches into this memory, so it keeps no seals."""
        return []

    def page(
        self, table: str, columns: Sequence[str], after: Sequence[Any] | None, limit: int
    ) -> list[Row]:
        """A page of a table in key order, after the key `after`."""
        places = [TABLES[table].columns.index(column) for column in columns]
        found: list[Row] = []
        for row in self._after(table, None if after is None else tuple(after)):
            if len(found) == limit:
                break
            found.append(tuple(row[place] for place in places))
        return found

    def _after(self, table: str, after: Key | None) -> Iterator[Any]:
        source = self._tables[table]
        keys = source.keys()
        start = 0 if after is None else bisect_right(keys, after)
        return (source.rows[keys[place]] for place in range(start, len(keys)))


class MemoryBackend(MemoryReader):
    """Look-ups, and transactions that undo themselves."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._writing = False
        self._together = False
        self._reading = 0
        self.written = 0
        self.acting = Acting()
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several look-ups inside see one state."""
        with self._lock:
            self._refuse_when_closed()
            self._reading += 1
            try:
                yield
            finally:
                self._reading -= 1

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, or one part of `together`."""
        with self._lock:
            self._refuse_when_closed()
            if self._writing or self._reading:
                raise StoreError(
                    "a store operation was called from inside another one",
                    reason=StoreReason.MISUSED,
                )
            self._writing = True
            try:
                with self._undoing():
                    yield
                self.written += not self._together
            finally:
                self._writing = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction of several parts."""
        with self._lock:
            self._refuse_when_closed()
            if self._writing or self._reading or self._together:
                raise StoreError(
                    "a store operation was called from inside another one",
                    reason=StoreReason.MISUSED,
                )
            self._together = True
            try:
                with self._undoing():
                    yield
                self.written += 1
            finally:
                self._together = False
                self._undo.clear()

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        """What is written inside is undone when it is left by an exception."""
        before = len(self._undo)
        try:
            yield
        except BaseException:
            while len(self._undo) > before:
                self._undo.pop()()
            raise
        finally:
            if not self._together:
                self._undo.clear()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreError("this store is closed", reason=StoreReason.CLOSED)

    def apply(self, changes: Changes) -> None:
        """Write everything; every row must hit exactly one row of its table."""
        rows_of = changes.seal(self.acting.by)
        for name, write in WRITES.items():
            rows = rows_of.get(name)
            if rows:
                self._carry_out(name, write, rows)

    def _carry_out(self, name: str, write: Write, rows: list[Row]) -> None:
        table = self._tables[write.table]
        if write.kind in ("insert", "upsert"):
            for row in rows:
                table.put(row, replace=write.kind == "upsert")
            return
        if write.kind == "take":
            self._take(table, rows)
            return
        for row in rows:
            if write.kind == "delete":
                hit = table.remove(tuple(row))
            elif write.kind == "allocate":
                hit = _allocate(table, row)
            else:
                hit = _update(table, write, row)
            if not hit:
                raise ConflictError(f"{name}: somebody else has changed what this was decided on")

    def _take(self, table: MemoryTable, rows: list[Row]) -> None:
        short = []
        for total, item_id, node_id, need, _ in rows:
            row = table.rows.get((item_id, node_id))
            available = row.on_hand - row.reserved - row.blocked if row else 0
            if available < need or available - (row.safety if row else 0) < total:
                short.append((item_id, node_id))
        if short:
            raise StaleSupply(
                f"stock has gone at {len(short)} (item, node) keys; plan again", short
            )
        for total, item_id, node_id, *_ in rows:
            row = table.rows[item_id, node_id]
            table.put(row._replace(reserved=row.reserved + total), replace=True)

    def write_count(self) -> int:
        """Nobody else can write to this memory."""
        return 0

    def forget_erased(self) -> None:
        """Nothing to do: there are no copies."""

    def health(self) -> Mapping[str, str]:
        """Facts for `doctor`."""
        return {"engine": "memory", "durability": "none: everything is lost when it is closed"}

    def close(self) -> None:
        """Refuse further use."""
        self._closed = True


def _allocate(table: MemoryTable, row: Row) -> bool:
    quantity, _, order_id, line_no, item_id, _ = row
    line = table.rows.get((order_id, line_no))
    if line is None or line.item_id != item_id or line.open < quantity:
        return False
    table.put(
        line._replace(open=line.open - quantity, allocated=line.allocated + quantity),
        replace=True,
    )
    return True


def _update(table: MemoryTable, write: Write, row: Row) -> bool:
    amounts, row = row[: len(write.sums)], row[len(write.sums) :]
    values, wanted = row[: len(write.columns)], row[len(write.columns) :]
    tests = dict(zip(write.where, wanted, strict=True))
    key = tuple(tests[column] for column in TABLES[write.table].key)
    found = table.rows.get(key)
    if found is None or any(getattr(found, name) != value for name, value in tests.items()):
        return False
    new = dict(zip(write.columns, values, strict=True))
    for name, amount in zip(write.sums, amounts, strict=True):
        new[name] = (getattr(found, name) + amount) % CHAIN
    if write.kind == "add":
        new = {name: getattr(found, name) + value for name, value in new.items()}
    table.put(found._replace(**new), replace=True)
    return True
