"""The look-ups, in SQL. Everything is fetched at once: no cursor is left holding a snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from domcore.store.changes import Row
from domcore.store.rows import (
    NEVER,
    TABLES,
    ItemRow,
    OrderRow,
    ReservationRow,
)
from domcore.store.sqlite.counting import HOLD_TEST, LATE_TEST, STATUS_TEST, SqlCounting
from domcore.store.sqlite.sealing import unsealed_sql
from domcore.store.sqlite.searching import WORD_TEST
from domcore.store.sqlite.statements import page_sql, select_sql
from domcore.store.waiting_rows import BEFORE_ALL, IN_LINE, WOKEN

_STOCK = "item_id, node_id, on_hand, reserved, blocked, safety, counted_at"
_RESERVATION = "order_id, sequence, line_no, node_id, part, item_id, quantity, state, expires_at"
_ORDER = "o.id, o.owner_id, o.channel, o.external_id, o.number, o.placed_at, o.captured_at"
_WAITING = ", ".join(TABLES["waiting"].columns)
_OUTBOX = ", ".join(TABLES["outbox"].columns)


def _kept_sql(wanted: str) -> str:
    # One statement, for every capture asks for all, and they are hardly ever there.
    return (
        f"SELECT 0, {', '.join(TABLES['amendment'].columns)}, NULL, NULL FROM amendment "
        f"WHERE external_id {wanted} UNION ALL "
        f"SELECT 1, {', '.join(TABLES['elsewhere'].columns)} FROM elsewhere "
        f"WHERE external_id {wanted} UNION ALL "
        "SELECT 2, owner_id, channel, external_id, name, NULL, NULL, NULL, NULL, NULL, NULL "
        f"FROM kept_return WHERE settled = '' AND external_id {wanted} "
        "ORDER BY 1, 2, 3, 4, 5"
    )


_KEPT_OF_ONE = _kept_sql("= ?1")
_KEPT = _kept_sql("IN (SELECT value FROM json_each(?1))")

_ORDER_FILTERS = {
    "owner_id": "o.owner_id = ?",
    "channel": "o.channel = ?",
    "number": "o.number = ?",
    "placed_from": "o.placed_at >= ?",
    "placed_until": "o.placed_at < ?",
    "captured_from": "o.captured_at >= ?",
    "captured_until": "o.captured_at < ?",
    "node_id": "EXISTS (SELECT 1 FROM reservation r WHERE r.order_id = o.id "
    "AND r.node_id = ? AND r.state IN (0, 1))",
    "sku": "EXISTS (SELECT 1 FROM order_line l JOIN item i ON i.id = l.item_id "
    "WHERE l.order_id = o.id AND i.sku = ?)",
    "hold": HOLD_TEST,
    "status": STATUS_TEST,
    "late": LATE_TEST,
    "words": WORD_TEST,
}

_STOCK_FILTERS = {
    "owner_id": "i.owner_id = ?",
    "sku": "i.sku = ?",
    "node_id": "s.node_id = ?",
    "below": "s.on_hand - s.reserved - s.blocked < ?",
}


class SqlReader(SqlCounting):
    """Look-ups on whatever connection `_raw` answers."""

    def select(self, table: str, column: str, values: Sequence[Any]) -> list[Row]:
        """Rows of `table` whose `column` is among `values`, in key order."""
        if not values:
            return []
        several = len(values) > 1
        sql = select_sql(TABLES[table], column, several=several)
        return self._all(sql, (json.dumps(list(values)) if several else values[0],))

    def owner_id(self, name: str) -> int | None:
        """The owner's id, if there is such an owner."""
        rows = self._all("SELECT id FROM owner WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else None

    def owners(self) -> dict[int, str]:
        """Id -> name."""
        return dict(self._all("SELECT id, name FROM owner ORDER BY id"))

    def nodes(self) -> dict[int, str]:
        """Id -> code, of every node ever known."""
        return dict(self._all("SELECT id, code FROM node ORDER BY id"))

    def last_id(self, table: str) -> int:
        """The largest key of a numbered table; 0 when it is empty."""
        found = TABLES[table]
        rows = self._all(f"SELECT coalesce(max({found.key[0]}), 0) FROM {found.name}")
        return int(rows[0][0])

    def items(self, owner_id: int, skus: Sequence[str]) -> list[ItemRow]:
        """The items that exist."""
        rows = self._all(
            "SELECT id, owner_id, sku, body, saved_at FROM item WHERE owner_id = ? "
            "AND sku IN (SELECT value FROM json_each(?)) ORDER BY id",
            (owner_id, json.dumps(list(skus))),
        )
        return [ItemRow(*row) for row in rows]

    def aliases(self, owner_id: int, channel: str, names: Sequence[str]) -> dict[str, str]:
        """Channel item id -> SKU."""
        return dict(
            self._all(
                "SELECT a.external_id, i.sku FROM alias a JOIN item i ON i.id = a.item_id "
                "WHERE a.owner_id = ? AND a.channel = ? "
                "AND a.external_id IN (SELECT value FROM json_each(?))",
                (owner_id, channel, json.dumps(list(names))),
            )
        )

    def find_order(self, owner_id: int, channel: str, external_id: str) -> OrderRow | None:
        """The order with this identity."""
        rows = self._all(
            f"SELECT {_ORDER} FROM orders o WHERE external_id = ? AND channel = ? AND owner_id = ?",
            (external_id, channel, owner_id),
        )
        return OrderRow(*rows[0]) if rows else None

    def inbox(self, owner_id: int, source: str, key: str) -> Row | None:
        """The command that came under this key."""
        rows = self._all(
            "SELECT owner_id, source, key, digest, outcome, order_id, detail, at FROM inbox "
            "WHERE owner_id = ? AND source = ? AND key = ?",
            (owner_id, source, key),
        )
        return rows[0] if rows else None

    def foretold(self, owner_id: int, channel: str, external_id: str) -> tuple[int | None, bool]:
        """The revision of a cancellation, and whether a hold, that came before the order."""
        ((cancelled, held),) = self._all(
            "SELECT (SELECT revision FROM tombstone WHERE owner_id = ?1 AND channel = ?2 "
            "AND external_id = ?3), EXISTS (SELECT 1 FROM asked_hold WHERE external_id = ?3 "
            "AND channel = ?2 AND owner_id = ?1)",
            (owner_id, channel, external_id),
        )
        return cancelled, bool(held)

    def kept(self, external_ids: Sequence[str]) -> tuple[list[Row], list[Row], list[Row]]:
        """See `Reader.kept`."""
        if len(external_ids) == 1:
            rows = self._all(_KEPT_OF_ONE, (external_ids[0],))
        else:
            rows = self._all(_KEPT, (json.dumps(list(external_ids)),)) if external_ids else []
        if not rows:
            return [], [], []
        width = len(TABLES["amendment"].columns)
        return (
            [row[1 : 1 + width] for row in rows if not row[0]],
            [row[1:] for row in rows if row[0] == 1],
            [row[1:4] for row in rows if row[0] == 2],
        )

    def balances(self, keys: Sequence[tuple[int, int]]) -> list[Row]:
        """The stock rows of these keys that exist."""
        sql = f"SELECT {_STOCK} FROM stock WHERE item_id = ? AND node_id = ?"
        execute = self._raw().execute
        return [row for key in keys for row in execute(sql, key).fetchall()]

    def unbegun(self, node_ids: Sequence[int], after: int, limit: int) -> list[int]:
        """Orders with work at one of these nodes that is requested or on hold."""
        rows = self._all(
            "SELECT DISTINCT order_id FROM fulfillment_order WHERE order_id > ? "
            "AND status IN ('requested', 'on_hold') "
            "AND node_id IN (SELECT value FROM json_each(?)) ORDER BY order_id LIMIT ?",
            (after, json.dumps(list(node_ids)), limit),
        )
        return [row[0] for row in rows]

    def stocked_nodes(self) -> set[int]:
        """Nodes with goods on hand or unfinished work."""
        rows = self._all(
            "SELECT DISTINCT node_id FROM stock WHERE on_hand > 0 UNION "
            "SELECT DISTINCT node_id FROM fulfillment_order WHERE status IN "
            "('requested', 'accepted', 'on_hold', 'in_progress', 'partially_shipped', "
            "'exception', 'cancel_requested')"
        )
        return {row[0] for row in rows}

    def item_ids(self, owner_id: int, skus: Sequence[str]) -> dict[str, int]:
        """SKU -> id, of those that exist."""
        return dict(
            self._all(
                "SELECT sku, id FROM item WHERE owner_id = ? "
                "AND sku IN (SELECT value FROM json_each(?))",
                (owner_id, json.dumps(list(skus))),
            )
        )

    def movements(self, keys: Sequence[tuple[int, int]], since: int) -> list[Row]:
        """On-hand moved at these keys after `since`, other than by a count or in the books only."""
        return self._all(
            "SELECT l.item_id, l.node_id, l.at, l.on_hand FROM json_each(?) k CROSS JOIN ledger l "
            "ON l.item_id = json_extract(k.value, '$[0]') "
            "AND l.node_id = json_extract(k.value, '$[1]') "
            "WHERE l.at > ? AND l.on_hand <> 0 AND l.kind NOT IN ('count', 'shortfall')",
            (json.dumps(keys), since),
        )

    def shipped_since(self, item_ids: Sequence[int], since: int) -> dict[tuple[int, int], int]:
        """Units shipped after `since`, by item and node."""
        rows = self._all(
            "SELECT item_id, node_id, -sum(on_hand) FROM ledger WHERE on_hand <> 0 AND item_id IN "
            "(SELECT value FROM json_each(?)) AND at > ? AND kind = 'ship' GROUP BY 1, 2",
            (json.dumps(list(item_ids)), since),
        )
        return {(item_id, node_id): units for item_id, node_id, units in rows}

    def waiting_returns(self) -> dict[int, int]:
        """Units of open returns that have not arrived, by node."""
        rows = self._all(
            "SELECT r.node_id, sum(l.units - l.restocked - l.blocked - l.written_off) "
            "FROM return_order r JOIN return_line l ON l.return_id = r.id "
            "WHERE r.closed_at IS NULL GROUP BY 1"
        )
        return {node_id: units for node_id, units in rows if units}

    def reserved_at(self, key: tuple[int, int]) -> list[ReservationRow]:
        """Open reservations of one balance, youngest first."""
        rows = self._all(
            f"SELECT {_RESERVATION} FROM reservation WHERE item_id = ? AND node_id = ? "
            "AND state = 0 ORDER BY order_id DESC, sequence DESC, line_no DESC, part DESC",
            key,
        )
        return [ReservationRow(*row) for row in rows]

    def expired(self, now: int, limit: int) -> list[ReservationRow]:
        """Open reservations whose time is over, oldest first."""
        rows = self._all(
            f"SELECT {_RESERVATION} FROM reservation WHERE state = 0 AND expires_at IS NOT NULL "
            "AND expires_at <= ? ORDER BY expires_at, order_id, sequence, line_no, node_id, part "
            "LIMIT ?",
            (now, limit),
        )
        return [ReservationRow(*row) for row in rows]

    def changed_stock(self, cursor: int, until: int | None = None) -> list[Row]:
        """Stock rows with a ledger entry after `cursor`, and not after `until`, by key."""
        return self._all(
            f"SELECT {_STOCK} FROM stock WHERE (item_id, node_id) IN "
            "(SELECT item_id, node_id FROM ledger WHERE seq > ? AND seq <= ?) "
            "ORDER BY item_id, node_id",
            (cursor, 2**62 if until is None else until),
        )

    def published(self, channel: str, item_ids: Sequence[int]) -> list[Row]:
        """What a channel was told of these items, by key."""
        return self._all(
            "SELECT channel, item_id, node_id, quantity FROM published WHERE channel = ? "
            "AND item_id IN (SELECT value FROM json_each(?)) ORDER BY item_id, node_id",
            (channel, json.dumps(list(item_ids))),
        )

    def moved_before(self, keys: Sequence[tuple[int, int]], at: int) -> set[tuple[int, int]]:
        """Those of the keys whose on-hand moved at or before `at`."""
        sql = (
            "SELECT 1 FROM ledger WHERE item_id = ? AND node_id = ? AND at <= ? AND on_hand <> 0 "
            "LIMIT 1"
        )
        execute = self._raw().execute
        return {key for key in keys if execute(sql, (*key, at)).fetchall()}

    def queue(self, now: int, after: tuple[int, int], limit: int) -> list[Row]:
        """Orders due for routing, by when they became due."""
        return self._all(
            "SELECT s.order_id, s.version, s.sequence, s.revision, b.body, s.reason, s.retry_at "
            "FROM order_state s INDEXED BY order_queue JOIN order_body b USING (order_id) "
            "WHERE s.retry_at IS NOT NULL AND (s.retry_at, s.order_id) > (?, ?) "
            "AND s.retry_at <= ? ORDER BY s.retry_at, s.order_id LIMIT ?",
            (*after, now, limit),
        )

    def glance(self) -> tuple[bool, bool]:
        """Whether any item is excluded anywhere, and whether any order has been woken."""
        ((excluded, woken),) = self._all(
            "SELECT EXISTS (SELECT 1 FROM item_exclusion), "
            f"EXISTS (SELECT 1 FROM waiting WHERE stage = {WOKEN})"
        )
        return bool(excluded), bool(woken)

    def waited_for(self, item_ids: Sequence[int]) -> list[int]:
        """Those of the items that an order in line waits for."""
        rows = self._all(
            "SELECT value FROM json_each(?) WHERE EXISTS "
            f"(SELECT 1 FROM waiting w WHERE w.stage = {IN_LINE} AND w.item_id = value)",
            (json.dumps(list(item_ids)),),
        )
        return sorted(row[0] for row in rows)

    def in_line(
        self, item_id: int, stage: int, after: tuple[int, int] | None, limit: int
    ) -> list[Row]:
        """Rows of ``waiting`` for an item at a stage, the oldest order first."""
        return self._all(
            f"SELECT {_WAITING} FROM waiting WHERE stage = ? AND item_id = ? "
            "AND (placed_at, order_id) > (?, ?) ORDER BY placed_at, order_id LIMIT ?",
            (stage, item_id, *(after or BEFORE_ALL), limit),
        )

    def waited_units(self, item_ids: Sequence[int]) -> dict[int, int]:
        """Units that orders wait for, by item."""
        return dict(
            self._all(
                "SELECT item_id, sum(units) FROM waiting WHERE item_id IN "
                "(SELECT value FROM json_each(?)) GROUP BY item_id",
                (json.dumps(list(item_ids)),),
            )
        )

    def undecided(self, now: int) -> dict[int, int]:
        """Open units of orders that are due and wait for nothing, by item."""
        return dict(
            self._all(
                "SELECT l.item_id, sum(l.open) FROM order_state s INDEXED BY order_queue "
                "JOIN order_line l ON l.order_id = s.order_id WHERE s.retry_at IS NOT NULL "
                "AND s.retry_at <= ? AND s.reason = '' AND s.hold = 0 AND l.open > 0 "
                "AND l.item_id IS NOT NULL GROUP BY l.item_id ORDER BY l.item_id",
                (now,),
            )
        )

    def last_offer(self) -> int:
        """The last change of ``offer``."""
        return int(self._all("SELECT coalesce(max(seq), 0) FROM offer")[0][0])

    def offers(self, cursor: int, limit: int) -> list[Row]:
        """Rows of ``offer`` after `cursor`, in order."""
        return self._all(
            "SELECT item_id, seq FROM offer WHERE seq > ? ORDER BY seq, item_id LIMIT ?",
            (cursor, limit),
        )

    def ended_exclusions(self, now: int, limit: int) -> list[Row]:
        """Rows of ``item_exclusion`` whose time is over."""
        return self._all(
            "SELECT item_id, node_id, until, reason FROM item_exclusion WHERE until <= ? "
            "ORDER BY until, item_id, node_id LIMIT ?",
            (now, limit),
        )

    def due(self, topic: str, now: int, limit: int) -> list[Row]:
        """Outbox rows that are due, oldest first."""
        return self._all(
            f"SELECT {_OUTBOX} FROM outbox WHERE done_at IS NULL AND topic = ? AND due_at <= ? "
            "ORDER BY due_at, id LIMIT ?",
            (topic, now, limit),
        )

    def due_after(self, topic: str, after: int) -> list[Row]:
        """Outbox rows that are not done and due after a time, but not never."""
        return self._all(
            f"SELECT {_OUTBOX} FROM outbox WHERE done_at IS NULL AND topic = ? "
            f"AND due_at > ? AND due_at < {NEVER} ORDER BY due_at, id",
            (topic, after),
        )

    def queued_after(self, after: int) -> list[Row]:
        """``(order id, version, retry at)`` of orders due for routing after a time."""
        return self._all(
            "SELECT order_id, version, retry_at FROM order_state INDEXED BY order_queue "
            f"WHERE retry_at IS NOT NULL AND retry_at > ? AND retry_at < {NEVER} "
            "ORDER BY retry_at, order_id",
            (after,),
        )

    def parked(self, table: str, limit: int) -> list[Row]:
        """Rows that are parked, oldest first."""
        found = TABLES[table]
        still = " AND done_at IS NULL" if table == "outbox" else ""
        return self._all(
            f"SELECT {', '.join(found.columns)} FROM {found.name} "
            f"WHERE parked_at IS NOT NULL{still} "
            f"ORDER BY parked_at, {', '.join(found.key)} LIMIT ?",
            (limit,),
        )

    def events(self, after: int, limit: int, order_id: int | None) -> list[Row]:
        """Events after `after`, of one order or of all."""
        columns = "SELECT seq, kind, order_id, at, body, by FROM event WHERE seq > ?"
        if order_id is None:
            return self._all(f"{columns} ORDER BY seq LIMIT ?", (after, limit))
        return self._all(
            f"{columns} AND order_id = ? ORDER BY seq LIMIT ?", (after, order_id, limit)
        )

    def order_page(
        self, filters: Mapping[str, Any], after: int, limit: int, *, newest: bool = False
    ) -> list[OrderRow]:
        """Orders by id that match every filter."""
        begin = "(? = 0 OR o.id < ?)" if newest else "o.id > ?"
        tests, values = [begin], [after, after] if newest else [after]
        for name, value in filters.items():
            wanted = value if name == "words" else (value,)
            tests += [_ORDER_FILTERS[name]] * len(wanted)
            values += wanted
        order = "o.id DESC" if newest else "o.id"
        rows = self._all(
            f"SELECT {_ORDER} FROM orders o WHERE {' AND '.join(tests)} ORDER BY {order} LIMIT ?",
            (*values, limit),
        )
        return [OrderRow(*row) for row in rows]

    def stock_page(
        self, filters: Mapping[str, Any], after: tuple[int, int], limit: int
    ) -> list[Row]:
        """Balances by key that match every filter."""
        tests = [_STOCK_FILTERS[name] for name in filters]
        where = " AND ".join(["(s.item_id, s.node_id) > (?, ?)", *tests])
        return self._all(
            "SELECT i.owner_id, i.sku, s.item_id, s.node_id, s.on_hand, s.reserved, s.blocked, "
            f"s.safety FROM stock s JOIN item i ON i.id = s.item_id WHERE {where} "
            "ORDER BY s.item_id, s.node_id LIMIT ?",
            (*after, *filters.values(), limit),
        )

    def unsealed(self, table: str) -> list[Row]:
        """Keys of the rows of a sealed table that are not as they were written, in order."""
        return self._all(unsealed_sql(table), ())

    def page(
        self, table: str, columns: Sequence[str], after: Sequence[Any] | None, limit: int
    ) -> list[Row]:
        """A page of a table in key order, after the key `after`."""
        sql = page_sql(TABLES[table], tuple(columns), first=after is None)
        return self._all(sql, (*(after or ()), limit))
