"""The store's questions, answered once for every backend. Nothing lazy but `audit`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from domcore.codec.stored import Bodies, load_event
from domcore.codec.text import is_text
from domcore.errors import NotFound, StoreError, StoreReason
from domcore.model.clock import from_micros
from domcore.model.decision import Decision, OrderSummary
from domcore.model.event import Event
from domcore.model.network import Network
from domcore.model.order import Order
from domcore.store import views
from domcore.store.audit import AUDITED, PAGE
from domcore.store.backend import Backend
from domcore.store.changes import Row
from domcore.store.operations.waiting import ahead
from domcore.store.protocol import (
    OpenOrder,
    OrderFilter,
    OrderView,
    StockFilter,
    StockRow,
    StockView,
    StoredItem,
    StoredNetwork,
)
from domcore.store.rows import CursorRow, DecisionRow
from domcore.store.seals import SEALS
from domcore.store.used_nodes import NONE_USED, begun, used_nodes
from domcore.store.waiting_rows import BEFORE_ALL
from domcore.store.work_views import refusals


class Queries:
    """The reading half of `domcore.store.protocol.Store`."""

    def __init__(self, backend: Backend) -> None:
        self._backend: Final = backend
        self._bodies: Final = Bodies()
        # Content under a digest never changes, so the last network read need not be read again.
        self._last_network = StoredNetwork(Network(()), (), "")

    def network(self) -> StoredNetwork:
        """The network last saved; one without nodes before the first."""
        with self._backend.reading():
            return self._network()

    def _network(self) -> StoredNetwork:
        found = self._backend.select("network", "id", [1])
        if not found:
            return StoredNetwork(Network(()), (), "")
        digest = found[0][1]
        if self._last_network.digest == digest:
            return self._last_network
        ((_, _, body),) = self._backend.select("blob", "digest", [digest])
        network = self._bodies.network.load(body)
        ids = {code: node_id for node_id, code in self._backend.nodes().items()}
        node_ids = tuple(ids[node.id] for node in network.nodes)
        self._last_network = StoredNetwork(network, node_ids, digest)
        return self._last_network

    def items(self, owner: str, skus: Iterable[str]) -> dict[str, StoredItem]:
        """See `Store.items`."""
        with self._backend.reading():
            owner_id = self._backend.owner_id(owner)
            rows = [] if owner_id is None else self._backend.items(owner_id, list(skus))
        load = self._bodies.item.load
        return {row.sku: StoredItem(row.id, load(row.body)) for row in rows}

    def blob(self, digest: str) -> bytes:
        """See `Store.blob`."""
        with self._backend.reading():
            rows = self._backend.select("blob", "digest", [digest])
        if not rows:
            raise NotFound(f"nothing is kept under {digest}")
        body: bytes = rows[0][2]
        return body

    def stock_of(self, item_ids: Iterable[int]) -> list[StockRow]:
        """See `Store.stock_of`."""
        with self._backend.reading():
            rows = self._backend.select("stock", "item_id", list(item_ids))
        return [StockRow._make(row[:6]) for row in rows]

    def stock_cursor(self) -> int:
        """See `Store.stock_cursor`."""
        with self._backend.reading():
            return self._backend.last_id("ledger")

    def stock_since(self, cursor: int) -> tuple[int, list[StockRow]]:
        """See `Store.stock_since`."""
        with self._backend.reading():
            now_at = self._backend.last_id("ledger")
            rows = self._backend.changed_stock(cursor) if now_at > cursor else []
        return now_at, [StockRow._make(row[:6]) for row in rows]

    def changes_elsewhere(self) -> int:
        """See `Store.changes_elsewhere`."""
        return self._backend.write_count()

    def writes(self) -> int:
        """See `Store.writes`."""
        return self._backend.written

    def open_orders(
        self,
        *,
        now: int,
        limit: int,
        after: tuple[int, int] = BEFORE_ALL,
        order_ids: Sequence[int] | None = None,
    ) -> list[OpenOrder]:
        """See `Store.open_orders`."""
        backend = self._backend
        with backend.reading():
            held: frozenset[int] = frozenset()
            if order_ids is None:
                rows = backend.queue(now, after, limit)
            else:
                rows, held = views.queue_rows(backend, sorted(set(order_ids)))
            ids = [row[0] for row in rows]
            lines = backend.select("order_line", "order_id", ids)
            holds = backend.select("hold", "order_id", ids)
            excluded, woken = backend.glance()
            wanted = views.open_items(lines) if excluded else ()
            refused = refusals(backend, ids, wanted, now, excluded=excluded)
            some_placed = begun(lines)
            used = used_nodes(backend, some_placed) if some_placed else NONE_USED
        found = views.open_orders(rows, lines, holds, self._bodies, held, used, woken=woken)
        if refused.lines or refused.items:
            found = [refused.of(order) for order in found]
        return found[:limit] if order_ids is not None else found

    def ahead(self, order_ids: Sequence[int], *, limit: int) -> list[int]:
        """See `Store.ahead`."""
        with self._backend.reading():
            return ahead(self._backend, order_ids, limit)

    def find_order(self, reference: str, *, owner: str | None = None) -> list[int]:
        """See `Store.find_order`."""
        if not is_text(reference):
            return []
        with self._backend.reading():
            owner_id = None if owner is None else self._backend.owner_id(owner)
            if owner is not None and owner_id is None:
                return []
            return views.find_order(self._backend, reference, owner_id)

    def order(self, order_id: int) -> OrderView:
        """See `Store.order`."""
        with self._backend.reading():
            return views.order_view(self._backend, self._bodies, order_id)

    def revision(self, order_id: int, revision: int) -> Order:
        """See `Store.revision`."""
        with self._backend.reading():
            rows = [
                row
                for table in ("order_body", "order_revision")
                for row in self._backend.select(table, "order_id", [order_id])
                if row[1] == revision
            ]
        if not rows:
            raise NotFound(f"order {order_id} has no revision {revision}")
        return self._bodies.order.load(rows[0][3])

    def find_orders(
        self, wanted: OrderFilter, *, limit: int, after: int = 0, newest: bool = False
    ) -> list[OrderSummary]:
        """See `Store.find_orders`."""
        with self._backend.reading():
            filters = views.order_filters(self._backend, wanted)
            if filters is None:
                return []
            page = self._backend.order_page(filters, after, limit, newest=newest)
            return views.summaries(self._backend, page)

    def find_stock(
        self, wanted: StockFilter, *, limit: int, after: tuple[int, int] = (0, 0)
    ) -> list[StockView]:
        """See `Store.find_stock`."""
        with self._backend.reading():
            filters = views.stock_filters(self._backend, wanted)
            if filters is None:
                return []
            rows = self._backend.stock_page(filters, after, limit)
            owners, nodes = self._backend.owners(), self._backend.nodes()
        return [
            StockView(owners[row[0]], row[1], nodes[row[3]], *_amounts(row), (row[2], row[3]))
            for row in rows
        ]

    def decisions(self, order_id: int) -> list[Decision]:
        """See `Store.decisions`."""
        with self._backend.reading():
            found = self._backend.select("decision", "order_id", [order_id])
        rows = [DecisionRow(*row) for row in found]
        return [
            Decision(row.order_id, row.sequence, from_micros(row.at), row.purpose, row.record)
            for row in rows
        ]

    def events(
        self, *, after: int = 0, limit: int = 1000, order_id: int | None = None
    ) -> list[Event]:
        """See `Store.events`."""
        with self._backend.reading():
            rows = self._backend.events(after, limit, order_id)
        return [
            Event(seq, kind, about, from_micros(at), load_event(body), by)
            for seq, kind, about, at, body, by in rows
        ]

    def read_cursor(self, consumer: str) -> int:
        """See `Store.read_cursor`."""
        with self._backend.reading():
            rows = self._backend.select("cursor", "consumer", [consumer])
        return CursorRow(*rows[0]).seq if rows else 0

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `Store.snapshot`."""
        with self._backend.reading():
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `Store.together`."""
        with self._backend.together():
            yield

    def unsealed(self, table: str) -> list[tuple[Any, ...]]:
        """See `Store.unsealed`."""
        if table not in SEALS:
            return []
        with self._backend.reading():
            return self._backend.unsealed(table)

    def audit(self, table: str) -> Iterator[tuple[Any, ...]]:
        """See `Store.audit`."""
        if table not in AUDITED:
            raise StoreError(
                f"there is no table {table!r}; see domcore.store.audit", reason=StoreReason.MISUSED
            )
        columns, key = AUDITED[table]
        after: tuple[Any, ...] | None = None
        while True:
            with self._backend.reading():
                rows = self._backend.page(table, columns, after, PAGE)
            yield from rows
            if len(rows) < PAGE:
                return
            after = tuple(rows[-1][place] for place in key)

    def health(self) -> Mapping[str, str]:
        """See `Store.health`."""
        return self._backend.health()

    def close(self) -> None:
        """Give back connections and files; the store cannot be used afterwards."""
        self._backend.close()


def _amounts(row: Row) -> tuple[int, int, int, int]:
    """On hand, reserved, blocked, safety of a row of `Reader.stock_page`."""
    return row[4], row[5], row[6], row[7]
