"""The look-ups behind lists, exceptions and figures, in SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from domcore.store.changes import Row
from domcore.store.operations.order_work import FINISHED
from domcore.store.sqlite.faults import is_busy

T = TypeVar("T")

_OVER: Final = ", ".join(f"'{status}'" for status in FINISHED)

STATUS_TEST: Final = """(
SELECT CASE
  WHEN coalesce(sum(l.open + l.allocated + l.shipped + l.cancelled), 0) = 0 THEN 'empty'
  WHEN sum(l.open) = 0 AND sum(l.allocated) = 0 THEN
    CASE WHEN sum(l.shipped) > 0 THEN 'shipped' ELSE 'cancelled' END
  WHEN sum(l.open) = 0 THEN CASE
    WHEN sum(l.shipped) > 0 THEN 'partly shipped'
    WHEN EXISTS (SELECT 1 FROM reservation r WHERE r.order_id = o.id AND r.state = 0
      AND r.expires_at IS NOT NULL) THEN 'reserved'
    WHEN (SELECT s.hold FROM order_state s WHERE s.order_id = o.id) > 0 THEN 'held'
    ELSE 'allocated' END
  WHEN (SELECT s.hold FROM order_state s WHERE s.order_id = o.id) > 0 THEN 'held'
  WHEN sum(l.shipped) > 0 THEN 'partly shipped'
  WHEN sum(l.allocated) > 0 THEN 'partly allocated'
  WHEN (SELECT s.reason FROM order_state s WHERE s.order_id = o.id) <> '' THEN 'short'
  ELSE 'open' END
FROM order_line l WHERE l.order_id = o.id) = ?"""
"""The same as `domcore.model.order_status`, by the engine; the suite of stores compares them."""

_UNSHIPPED: Final = (
    "EXISTS (SELECT 1 FROM order_line l WHERE l.order_id = o.id AND l.open + l.allocated > 0)"
)
_PROMISE: Final = """(
SELECT min(coalesce(p.ship, p.deliver), coalesce(p.deliver, p.ship)) FROM (
  SELECT CAST(strftime('%s', json_extract(CAST(b.body AS TEXT), '$.ship_by')) AS INTEGER) AS ship,
    CAST(strftime('%s', json_extract(CAST(b.body AS TEXT), '$.deliver_by')) AS INTEGER) AS deliver
  FROM order_body b WHERE b.order_id = o.id AND (instr(b.body, CAST('"ship_by":"' AS BLOB))
    OR instr(b.body, CAST('"deliver_by":"' AS BLOB)))) p)"""
"""Of most orders nothing is promised, and looking for the words is cheaper than reading JSON."""

LATE_TEST: Final = f"{_UNSHIPPED} AND {_PROMISE} <= ?"
"""Units have not left and the earliest promise is before a time, in seconds."""

HOLD_TEST: Final = (
    "EXISTS (SELECT 1 FROM order_state s JOIN hold h ON h.order_id = s.order_id "
    "AND h.revision = s.revision WHERE s.order_id = o.id "
    "AND (s.hold > 0 OR (s.cancelled = 0 AND EXISTS (SELECT 1 FROM order_line l "
    "WHERE l.order_id = s.order_id AND l.open > 0))) AND h.approved_at IS NULL AND h.code = ?)"
)

# Each answers (order id, sequence, node id, entry, since, note) by that key; `:before` is a time.
_HELD: Final = """
SELECT s.order_id AS a, 0 AS b, 0 AS c, 0 AS d,
  (SELECT min(h.placed_at) FROM hold h WHERE h.order_id = s.order_id AND h.revision = s.revision
    AND h.approved_at IS NULL) AS since, '' AS note
FROM order_state s WHERE s.hold > 0 AND :before IS NOT NULL"""

_SHORT: Final = """
SELECT s.order_id AS a, 0 AS b, 0 AS c, 0 AS d, 0 AS since, s.reason AS note
FROM order_state s WHERE s.reason <> '' AND s.cancelled = 0 AND :before IS NOT NULL
  AND EXISTS (SELECT 1 FROM order_line l WHERE l.order_id = s.order_id AND l.open > 0)"""

_UNKNOWN: Final = """
SELECT order_id AS a, sequence AS b, node_id AS c, id AS d, 0 AS since, note
FROM outbox WHERE done_at IS NULL AND unknown = 1 AND :before IS NOT NULL"""

_REJECTED: Final = """
SELECT e.order_id AS a, 0 AS b, 0 AS c, 0 AS d, max(e.at) AS since, '' AS note
FROM line_exclusion e JOIN order_line l ON l.order_id = e.order_id AND l.line_no = e.line_no
WHERE l.open > 0 AND e.reason NOT IN ('moved', 'chosen') AND :before IS NOT NULL
GROUP BY e.order_id"""

_TROUBLE: Final = """
SELECT order_id AS a, sequence AS b, node_id AS c, number AS d, at AS since, note
FROM trouble WHERE settled_at IS NULL AND :before IS NOT NULL"""

_STUCK: Final = f"""
SELECT a, b, c, 0 AS d, since, note FROM (
SELECT f.order_id AS a, f.sequence AS b, f.node_id AS c, f.status AS note, max(f.news_at,
  coalesce((SELECT max(x.at) FROM decision x WHERE x.order_id = f.order_id
    AND x.sequence = f.sequence), 0),
  coalesce((SELECT max(t.done_at) FROM outbox t WHERE t.order_id = f.order_id
    AND t.sequence = f.sequence AND t.node_id = f.node_id), 0),
  coalesce((SELECT max(h.approved_at) FROM hold h WHERE h.order_id = f.order_id), 0)) AS since
FROM fulfillment_order f
WHERE f.status NOT IN ({_OVER}) AND (f.status <> 'on_hold' OR f.handed_over = 1)
  AND NOT EXISTS (SELECT 1 FROM outbox t WHERE t.order_id = f.order_id
    AND t.sequence = f.sequence AND t.node_id = f.node_id AND t.done_at IS NULL
    AND (t.unknown = 1 OR t.parked_at IS NOT NULL))
) WHERE since <= :before"""

_LATE: Final = f"""
SELECT a, b, c, d, since, note FROM (
SELECT o.id AS a, 0 AS b, 0 AS c, 0 AS d, {_PROMISE} * 1000000 AS since, '' AS note
FROM orders o WHERE {_UNSHIPPED}
) WHERE since <= :before"""

_WAITING: Final = {
    "held": _HELD,
    "short": _SHORT,
    "unknown": _UNKNOWN,
    "rejected": _REJECTED,
    "trouble": _TROUBLE,
    "stuck": _STUCK,
    "late": _LATE,
}

_OWNED: Final = (
    "(:owner IS NULL OR EXISTS (SELECT 1 FROM orders q WHERE q.id = w.a AND q.owner_id = :owner))"
)


class SqlCounting:
    """Look-ups over many orders, on whatever connection `_raw` answers."""

    def _raw(self) -> sqlite3.Connection:
        raise NotImplementedError

    def _again(self, run: Callable[[], T]) -> T:
        """Try once more a look-up that somebody's lock has stopped for a moment."""
        return run()

    def _all(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        try:
            return self._raw().execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            return self._again(lambda: self._raw().execute(sql, values).fetchall())

    def waiting(
        self, kind: str, owner_id: int | None, before: int, after: Sequence[int], limit: int
    ) -> list[Row]:
        """See `Reader.waiting`."""
        sql = (
            f"SELECT a, b, c, d, since, note FROM ({_WAITING[kind]}) w WHERE {_OWNED} "
            "AND a >= :a AND (a, b, c, d) > (:a, :b, :c, :d) ORDER BY a, b, c, d LIMIT :limit"
        )
        key = dict(zip("abcd", after, strict=True))
        return self._all(sql, {"owner": owner_id, "before": before, "limit": limit, **key})

    def count_waiting(self, kind: str, owner_id: int | None, before: int) -> int:
        """See `Reader.count_waiting`."""
        sql = f"SELECT count(*) FROM ({_WAITING[kind]}) w WHERE {_OWNED}"
        return int(self._all(sql, {"owner": owner_id, "before": before})[0][0])

    def shortfalls(self, first: int, limit: int) -> list[Row]:
        """See `Reader.shortfalls`."""
        return self._all(
            "SELECT seq, kind, order_id, at, body, by FROM event WHERE seq > :first "
            "AND kind = 'stock.shortfall' ORDER BY seq LIMIT :limit",
            {"first": first, "limit": limit},
        )

    def backlog(self, owner_id: int | None) -> list[Row]:
        """See `Reader.backlog`."""
        return self._all(
            "SELECT r.node_id, count(DISTINCT r.order_id), sum(r.quantity), min(x.at) "
            "FROM reservation r JOIN fulfillment_order f ON f.order_id = r.order_id "
            "AND f.sequence = r.sequence AND f.node_id = r.node_id "
            "JOIN decision x ON x.order_id = r.order_id AND x.sequence = r.sequence "
            f"WHERE r.state = 0 AND f.status NOT IN ({_OVER}) AND (:owner IS NULL OR EXISTS "
            "(SELECT 1 FROM orders q WHERE q.id = r.order_id AND q.owner_id = :owner)) "
            "GROUP BY r.node_id ORDER BY r.node_id",
            {"owner": owner_id},
        )

    def outbox_counts(self) -> list[Row]:
        """See `Reader.outbox_counts`."""
        return self._all(
            "SELECT node_id, sum(parked_at IS NULL), sum(parked_at IS NOT NULL), sum(unknown) "
            "FROM outbox WHERE done_at IS NULL GROUP BY node_id ORDER BY node_id",
            {},
        )
