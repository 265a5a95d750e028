"""The part of the schema that keeps trouble: the tables, and what a store of before has of it."""

from __future__ import annotations

import json
from typing import Final

from sqlite_utils import Database

SCRIPT: Final = """
ALTER TABLE task ADD COLUMN failed_at INTEGER;

UPDATE task SET failed_at = coalesce(well_at, due_at) WHERE attempts > 0 AND note <> '';

CREATE TABLE trouble (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  number INTEGER NOT NULL CHECK (number >= 1),
  sequence INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  kind TEXT NOT NULL
    CHECK (kind IN ('exception', 'on_hold', 'returned', 'left', 'revived', 'changed')),
  at INTEGER NOT NULL,
  note TEXT NOT NULL,
  lines BLOB NOT NULL,
  settled_at INTEGER,
  settled_by TEXT,
  PRIMARY KEY (order_id, number),
  CHECK ((settled_at IS NULL) = (settled_by IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX trouble_standing ON trouble (order_id, number) WHERE settled_at IS NULL;
"""

_TOLD: Final = """
SELECT f.order_id, f.sequence, f.node_id, n.code, f.status, f.news_at, 0
FROM fulfillment_order f JOIN node n ON n.id = f.node_id
WHERE f.handed_over = 1 AND f.status IN ('exception', 'on_hold')
UNION ALL
SELECT f.order_id, f.sequence, f.node_id, n.code, 'returned', f.news_at, 0
FROM fulfillment_order f JOIN node n ON n.id = f.node_id
WHERE f.status = 'returned'
  AND NOT EXISTS (SELECT 1 FROM return_order r WHERE r.order_id = f.order_id)
UNION ALL
SELECT f.order_id, f.sequence, f.node_id, n.code, 'left', f.news_at, (
    SELECT min(e.seq) FROM event e WHERE e.order_id = f.order_id AND e.kind = 'order.cancelled')
FROM order_state s JOIN fulfillment_order f ON f.order_id = s.order_id
  JOIN node n ON n.id = f.node_id
WHERE s.cancelled = 1
ORDER BY 1, 2, 3, 5
"""
"""Work, what may be the matter with it, and the event from which on goods should not have left."""

_NOTES: Final = {
    "returned": "came back to {}, and the customer has none of it: no return knows of it",
    "left": "left {} although the order was cancelled; see the timeline",
}
_NOTE: Final = "{} has told so before; see the timeline"


def raise_known_trouble(database: Database) -> None:
    """What nodes have told before there was such a table, goods that came back and no return knows
    of, and goods that left after their order was cancelled. The next news of nodes says what they
    tell in their own words."""
    numbers: dict[int, int] = {}
    for order_id, sequence, node_id, code, kind, at, since in database.execute(_TOLD).fetchall():
        work = f"{order_id}-{sequence}-{code}"
        lines = _shipped(database, order_id, work, since) if kind in _NOTES else []
        if kind in _NOTES and not lines:
            continue
        number = numbers[order_id] = numbers.get(order_id, 0) + 1
        note = _NOTES.get(kind, _NOTE).format(code)
        row = (order_id, number, sequence, node_id, kind, at, note, _dump(lines), None, None)
        database.execute(f"INSERT INTO trouble VALUES ({', '.join('?' * len(row))})", row)
        body = {
            "format": 1,
            "trouble": number,
            "kind": kind,
            "since": at,
            "fulfillment_order": work,
            "node": code,
            "lines": lines,
            "note": note,
        }
        database.execute(
            "INSERT INTO event (kind, order_id, at, body) VALUES ('trouble.raised', ?, ?, ?)",
            (order_id, at, _dump(body)),
        )


def _shipped(
    database: Database, order_id: int, work: str, since: int | None
) -> list[tuple[str, int]]:
    """Units by line id of one piece of work that have left since an event."""
    found: dict[str, int] = {}
    rows = database.execute(
        "SELECT body FROM event WHERE order_id = ? AND seq > ? AND kind LIKE 'fulfillment.%' "
        "ORDER BY seq",
        (order_id, since),
    )
    for (stored,) in rows.fetchall():
        body = json.loads(stored)
        if body.get("fulfillment_order") == work and "named" in body:
            for line, word, units in body["lines"]:
                if word == "shipped":
                    found[line] = found.get(line, 0) + units
    return [(line, units) for line, units in found.items() if units > 0]


def _dump(value: object) -> bytes:
    """As the store writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
