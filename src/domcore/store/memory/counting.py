"""The look-ups behind lists, exceptions and figures, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from domcore.codec.stored import Bodies
from domcore.model.clock import to_micros
from domcore.model.correction import BY_HAND
from domcore.store.changes import Row
from domcore.store.memory.table import MemoryTable
from domcore.store.operations.order_work import FINISHED
from domcore.store.rows import OPEN

_SECOND = 1_000_000


class MemoryCounting:
    """Look-ups over many orders."""

    _tables: dict[str, MemoryTable]

    def waiting(
        self, kind: str, owner_id: int | None, before: int, after: Sequence[int], limit: int
    ) -> list[Row]:
        """See `Reader.waiting`."""
        rows = self._waiting(kind, owner_id, before)
        return sorted(row for row in rows if row[:4] > tuple(after))[:limit]

    def count_waiting(self, kind: str, owner_id: int | None, before: int) -> int:
        """See `Reader.count_waiting`."""
        return len(self._waiting(kind, owner_id, before))

    def _waiting(self, kind: str, owner_id: int | None, before: int) -> list[tuple[Any, ...]]:
        find: Callable[[int], Iterator[tuple[Any, ...]]] = getattr(self, f"_{kind}")
        orders = self._tables["orders"].rows
        return [
            row for row in find(before) if owner_id is None or orders[row[0],].owner_id == owner_id
        ]

    def _held(self, _: int) -> Iterator[tuple[Any, ...]]:
        for state in self._tables["order_state"]:
            if state.hold:
                since = [
                    hold.placed_at
                    for hold in self._tables["hold"].among("order_id", [state.order_id])
                    if hold.revision == state.revision and hold.approved_at is None
                ]
                yield state.order_id, 0, 0, 0, min(since, default=None), ""

    def _short(self, _: int) -> Iterator[tuple[Any, ...]]:
        for state in self._tables["order_state"]:
            if state.reason and not state.cancelled and self._units(state.order_id, "open"):
                yield state.order_id, 0, 0, 0, 0, state.reason

    def _unknown(self, _: int) -> Iterator[tuple[Any, ...]]:
        for entry in self._tables["outbox"]:
            if entry.done_at is None and entry.unknown:
                yield entry.order_id, entry.sequence, entry.node_id, entry.id, 0, entry.note

    def _rejected(self, _: int) -> Iterator[tuple[Any, ...]]:
        lines = self._tables["order_line"].rows
        last: dict[int, int] = {}
        for each in self._tables["line_exclusion"]:
            if lines[each.order_id, each.line_no].open and each.reason not in BY_HAND:
                last[each.order_id] = max(each.at, last.get(each.order_id, each.at))
        for order_id, at in last.items():
            yield order_id, 0, 0, 0, at, ""

    def _trouble(self, _: int) -> Iterator[tuple[Any, ...]]:
        for row in self._tables["trouble"]:
            if row.settled_at is None:
                yield row.order_id, row.sequence, row.node_id, row.number, row.at, row.note

    def _stuck(self, before: int) -> Iterator[tuple[Any, ...]]:
        for work in self._tables["fulfillment_order"]:
            if work.status in FINISHED or (work.status == "on_hold" and not work.handed_over):
                continue
            entries = [
                entry
                for entry in self._tables["outbox"].among("order_id", [work.order_id])
                if (entry.sequence, entry.node_id) == (work.sequence, work.node_id)
            ]
            if any(e.done_at is None and (e.unknown or e.parked_at is not None) for e in entries):
                continue
            holds = self._tables["hold"].among("order_id", [work.order_id])
            decision = self._tables["decision"].rows.get((work.order_id, work.sequence))
            since = max(
                work.news_at,
                decision.at if decision else 0,
                max((entry.done_at or 0 for entry in entries), default=0),
                max((hold.approved_at or 0 for hold in holds), default=0),
            )
            if since <= before:
                yield *work[:3], 0, since, work.status

    def _late(self, before: int) -> Iterator[tuple[Any, ...]]:
        for row in self._tables["orders"]:
            promise = self._promise(row.id)
            if promise is not None and promise <= before:
                yield row.id, 0, 0, 0, promise, ""

    def _promise(self, order_id: int) -> int | None:
        """The earliest promise of an order with units that have not left, in whole seconds."""
        if not (self._units(order_id, "open") or self._units(order_id, "allocated")):
            return None
        order = Bodies().order.load(self._tables["order_body"].rows[order_id,].body)
        promises = [to_micros(at) for at in (order.ship_by, order.deliver_by) if at is not None]
        return min(promises) // _SECOND * _SECOND if promises else None

    def _has_hold(self, order_id: int, code: str) -> bool:
        state = self._tables["order_state"].rows[order_id,]
        waits = not state.cancelled and self._units(order_id, "open")
        return bool(state.hold or waits) and any(
            hold.code == code and hold.revision == state.revision and hold.approved_at is None
            for hold in self._tables["hold"].among("order_id", [order_id])
        )

    def _units(self, order_id: int, bucket: str) -> int:
        lines = self._tables["order_line"].among("order_id", [order_id])
        return sum(getattr(line, bucket) for line in lines)

    def shortfalls(self, first: int, limit: int) -> list[Row]:
        """See `Reader.shortfalls`."""
        table = self._tables["event"]
        rows = (table.rows[seq,] for seq in range(first + 1, table.last + 1))
        return [row for row in rows if row.kind == "stock.shortfall"][:limit]

    def backlog(self, owner_id: int | None) -> list[Row]:
        """See `Reader.backlog`."""
        work, orders = self._tables["fulfillment_order"].rows, self._tables["orders"].rows
        found: dict[int, tuple[set[int], list[int], list[int]]] = {}
        for row in self._tables["reservation"]:
            mine = work.get((row.order_id, row.sequence, row.node_id))
            if row.state != OPEN or mine is None or mine.status in FINISHED:
                continue
            if owner_id is not None and orders[row.order_id,].owner_id != owner_id:
                continue
            ids, units, times = found.setdefault(row.node_id, (set(), [], []))
            ids.add(row.order_id)
            units.append(row.quantity)
            times.append(self._tables["decision"].rows[row.order_id, row.sequence].at)
        return [
            (node_id, len(ids), sum(units), min(times))
            for node_id, (ids, units, times) in sorted(found.items())
        ]

    def outbox_counts(self) -> list[Row]:
        """See `Reader.outbox_counts`."""
        found: dict[int, list[int]] = {}
        for entry in self._tables["outbox"]:
            if entry.done_at is None:
                counts = found.setdefault(entry.node_id, [0, 0, 0])
                counts[entry.parked_at is not None] += 1
                counts[2] += entry.unknown
        return [(node_id, *counts) for node_id, counts in sorted(found.items())]
