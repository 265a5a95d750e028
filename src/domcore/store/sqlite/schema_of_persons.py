"""The tables of what persons change by hand; a part of `domcore.store.sqlite.schema`."""

from __future__ import annotations

from typing import Final

CORRECTIONS: Final = """
CREATE TABLE correction (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  subject TEXT NOT NULL,
  told BLOB NOT NULL,
  said BLOB NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  seal INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, subject)
) STRICT, WITHOUT ROWID;

ALTER TABLE person ADD COLUMN told BLOB NOT NULL DEFAULT x'';
"""
