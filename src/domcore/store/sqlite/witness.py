"""Settles a doubtful commit: a row that is in the database exactly if the transaction is.

The writer lock is still held, so nobody else can have written such a row in the meantime.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from attrs import frozen

from domcore.store.changes import WRITES, Changes, Row, Write
from domcore.store.rows import TABLES

_TELLING: Final = (
    "decisions",
    "inbox",
    "orders",
    "next_states",
    "set_outbox",
    "counted",
    "new_stock",
    "cursors",
    "tasks",
    "stragglers",
    "tombstones",
    "asked_holds",
    "items",
    "aliases",
    "network",
    "blobs",
)
"""Writes whose rows were certainly not there before, the most telling first."""


@frozen(slots=True)
class Witness:
    """One row that a transaction wrote."""

    write: Write
    row: Row

    def is_written(self, connection: sqlite3.Connection) -> bool:
        """Whether the database holds the row."""
        table = TABLES[self.write.table]
        if self.write.kind == "set":
            columns = (*self.write.columns, *self.write.where)
            told = self.row[len(self.write.sums) :]
            # A column that is both set and tested (a version) now holds the value it was set to.
            wanted = dict(reversed(list(zip(columns, told, strict=True))))
        else:
            wanted = dict(zip(table.columns, self.row, strict=True))
        tests = " AND ".join(f"{column} IS ?" for column in wanted)
        found = connection.execute(
            f"SELECT 1 FROM {table.name} WHERE {tests}", tuple(wanted.values())
        ).fetchone()
        return found is not None


def find_witness(changes: Changes) -> Witness | None:
    """The most telling row of a transaction, if it has one."""
    rows_of = changes.seal()
    for name in _TELLING:
        if rows_of.get(name):
            return Witness(WRITES[name], rows_of[name][-1])
    return None
