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
SELECT f.order_id, f.sequence, f.node_id, n.code, f.status, f.news_at
FROM fulfillment_order f JOIN node n ON n.id = f.node_id
WHERE f.handed_over = 1 AND f.status IN ('exception', 'on_hold')
ORDER BY f.order_id, f.sequence, f.node_id
"""


def raise_known_trouble(database: Database) -> None:
    """What nodes have told before there was such a table. Their next news says it in their own
    words."""
    numbers: dict[int, int] = {}
    for order_id, sequence, node_id, code, status, at in database.execute(_TOLD).fetchall():
        number = numbers[order_id] = numbers.get(order_id, 0) + 1
        note = f"{code} has told so before; see the timeline"
        row = (order_id, number, sequence, node_id, status, at, note, b"[]", None, None)
        database.execute(f"INSERT INTO trouble VALUES ({', '.join('?' * len(row))})", row)
        body = {
            "format": 1,
            "trouble": number,
            "kind": status,
            "since": at,
            "fulfillment_order": f"{order_id}-{sequence}-{code}",
            "node": code,
            "lines": [],
            "note": note,
        }
        database.execute(
            "INSERT INTO event (kind, order_id, at, body) VALUES ('trouble.raised', ?, ?, ?)",
            (order_id, at, json.dumps(body, separators=(",", ":")).encode()),
        )
