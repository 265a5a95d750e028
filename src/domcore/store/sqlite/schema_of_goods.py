"""Scripts of migrations about goods: see `schema`, which numbers them."""

from __future__ import annotations

from typing import Final

SHORTFALLS: Final = """
CREATE TABLE shortfall (
  item_id INTEGER NOT NULL REFERENCES item (id),
  node_id INTEGER NOT NULL REFERENCES node (id),
  missing INTEGER NOT NULL CHECK (missing BETWEEN 0 AND 2000000000),
  unfit INTEGER NOT NULL CHECK (unfit BETWEEN 0 AND 1000000000),
  PRIMARY KEY (item_id, node_id),
  CHECK (missing + unfit > 0)
) STRICT, WITHOUT ROWID;
"""

ELSEWHERE: Final = """
CREATE TABLE elsewhere (
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  channel TEXT NOT NULL,
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  at INTEGER NOT NULL,
  total INTEGER NOT NULL CHECK (total IN (0, 1)),
  node_id INTEGER NOT NULL,
  lines BLOB NOT NULL,
  tracking BLOB NOT NULL,
  seal INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (owner_id, channel, external_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX elsewhere_order ON elsewhere (external_id);

CREATE TABLE elsewhere_line (
  order_id INTEGER NOT NULL,
  line_no INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  units INTEGER NOT NULL CHECK (units BETWEEN 1 AND 1000000000),
  at INTEGER NOT NULL,
  seal INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, line_no, node_id),
  FOREIGN KEY (order_id, line_no) REFERENCES order_line (order_id, line_no)
) STRICT, WITHOUT ROWID;
"""

KEPT_RETURNS: Final = """
CREATE TABLE kept_return (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER NOT NULL REFERENCES owner (id),
  channel TEXT NOT NULL,
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('authorize', 'receive')),
  came_at INTEGER NOT NULL,
  digest BLOB NOT NULL,
  body BLOB NOT NULL,
  settled_at INTEGER,
  settled TEXT NOT NULL CHECK (settled IN ('', 'applied', 'dropped')),
  seal INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX kept_return_order ON kept_return (external_id);

CREATE INDEX kept_return_settled ON kept_return (settled);
"""
