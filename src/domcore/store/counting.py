"""The store's answers about many orders: what waits for a person, and what happened to each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domcore.codec.stored import load_event
from domcore.model.clock import from_micros
from domcore.model.correction import BY_HAND
from domcore.model.event import Event
from domcore.model.status import Buckets
from domcore.store import views
from domcore.store.backend import Reader
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.protocol import OrderFilter
from domcore.store.queries import Queries
from domcore.store.rows import LineRow, OrderRow
from domcore.store.used_nodes import used_nodes
from domcore.store.values import Backlog, OrderFacts, Outgoing, Promises, Wait


class Counting(Queries):
    """Lists, exceptions and figures."""

    def waiting(
        self,
        kind: str,
        *,
        before: int,
        owner: str | None = None,
        after: tuple[int, int, int, int] = (0, 0, 0, 0),
        limit: int,
    ) -> list[Wait]:
        """See `Store.waiting`."""
        backend = self._backend
        with backend.reading():
            owner_id = None if owner is None else backend.owner_id(owner)
            if owner is not None and owner_id is None:
                return []
            rows = backend.waiting(kind, owner_id, before, after, limit)
            nodes = backend.nodes()
        return [
            Wait(
                kind,
                (row[0], row[1], row[2], row[3]),
                nodes.get(row[2], ""),
                fulfillment_id(row[0], row[1], nodes[row[2]]) if row[2] else "",
                row[4] or 0,
                row[5],
            )
            for row in rows
        ]

    def count_waiting(self, kind: str, *, before: int, owner: str | None = None) -> int:
        """See `Store.count_waiting`."""
        with self._backend.reading():
            owner_id = None if owner is None else self._backend.owner_id(owner)
            if owner is not None and owner_id is None:
                return 0
            return self._backend.count_waiting(kind, owner_id, before)

    def rejections(self, order_ids: Sequence[int]) -> list[tuple[int, str, str, int]]:
        """See `Store.rejections`."""
        backend = self._backend
        with backend.reading():
            nodes = backend.nodes()
            lines = {
                row[:2]: LineRow(*row)
                for row in backend.select("order_line", "order_id", order_ids)
            }
            rows = backend.select("line_exclusion", "order_id", order_ids)
        return [
            (row[0], nodes[row[2]], row[4], row[3])
            for row in rows
            if lines[row[0], row[1]].open and row[4] not in BY_HAND
        ]

    def shortfalls(self, order_id: int, *, limit: int = 1000) -> list[Event]:
        """See `Store.shortfalls`."""
        backend = self._backend
        with backend.reading():
            taken = {
                (row[5], row[3]) for row in backend.select("reservation", "order_id", [order_id])
            }
            first = backend.events(0, 1, order_id) if taken else []
            if not first:
                return []
            rows = backend.shortfalls(first[0][0], limit)
            names = {
                row[0]: row[2]
                for row in backend.select("item", "id", sorted({item_id for item_id, _ in taken}))
            }
            nodes = backend.nodes()
        found = []
        for seq, kind, about, at, raw, by in rows:
            body = load_event(raw)
            key = body.get("item_id"), body.get("node_id")
            if key in taken:
                told = {**body, "sku": names[key[0]], "node": nodes[key[1]]}
                found.append(Event(seq, kind, about, from_micros(at), told, by))
        return found

    def facts(self, wanted: OrderFilter, *, limit: int, after: int = 0) -> list[OrderFacts]:
        """See `Store.facts`."""
        with self._backend.reading():
            filters = views.order_filters(self._backend, wanted)
            if filters is None:
                return []
            return _facts(self._backend, self._backend.order_page(filters, after, limit))

    def backlog(self, *, owner: str | None = None) -> list[Backlog]:
        """See `Store.backlog`."""
        with self._backend.reading():
            owner_id = None if owner is None else self._backend.owner_id(owner)
            if owner is not None and owner_id is None:
                return []
            rows, nodes = self._backend.backlog(owner_id), self._backend.nodes()
        return [Backlog(nodes[row[0]], *row[1:]) for row in rows]

    def outgoing(self) -> list[Outgoing]:
        """See `Store.outgoing`."""
        with self._backend.reading():
            rows, nodes = self._backend.outbox_counts(), self._backend.nodes()
        return [Outgoing(nodes[row[0]], *row[1:]) for row in rows]


def _facts(reader: Reader, rows: Sequence[OrderRow]) -> list[OrderFacts]:
    """One page of orders, with a few look-ups for all of them together."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    used = used_nodes(reader, ids)
    nodes, owners = reader.nodes(), reader.owners()
    read = msgspec.json.Decoder(Promises).decode
    bodies = {row[0]: read(row[3]) for row in reader.select("order_body", "order_id", ids)}
    units: dict[int, list[int]] = {order_id: [0, 0, 0, 0] for order_id in ids}
    for line in reader.select("order_line", "order_id", ids):
        total = units[line[0]]
        for place in range(4):
            total[place] += line[4 + place]
    events: dict[int, list[tuple[str, int, bytes]]] = {order_id: [] for order_id in ids}
    for _, kind, order_id, at, body, _ in reader.select("event", "order_id", ids):
        events[order_id].append((kind, at, body))
    work: dict[int, dict[str, str]] = {order_id: {} for order_id in ids}
    for each in reader.select("fulfillment_order", "order_id", ids):
        work[each[0]][fulfillment_id(each[0], each[1], nodes[each[2]])] = each[3]
    return [
        OrderFacts(
            row.id,
            owners[row.owner_id],
            row.captured_at,
            bodies[row.id],
            Buckets(*units[row.id]),
            events[row.id],
            work[row.id],
            len(used[row.id]),
        )
        for row in rows
    ]
