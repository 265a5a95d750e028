"""What `Store.audit` streams: every table's columns, in key order.

The columns of table ``t`` are ``columns("t")``; they are those of the row description in
`domcore.store.rows`, except that personal data is left out.
"""

from __future__ import annotations

from typing import Final

from domcore.store.rows import TABLES
from domcore.store.table import Table

PAGE: Final = 1000
"""Rows held in memory at a time."""

_WITHHELD: Final = {"person": ("body", "told"), "unread": ("headers", "body")}


def _columns(table: Table) -> tuple[str, ...]:
    withheld = _WITHHELD.get(table.name, ())
    return tuple(column for column in table.columns if column not in withheld)


def _entry(table: Table) -> tuple[tuple[str, ...], tuple[int, ...]]:
    columns = _columns(table)
    return columns, tuple(columns.index(name) for name in table.key)


AUDITED: Final[dict[str, tuple[tuple[str, ...], tuple[int, ...]]]] = {
    name: _entry(table) for name, table in TABLES.items()
}
"""Table -> (columns in order, positions of the key's columns)."""


def columns(table: str) -> tuple[str, ...]:
    """The columns of the rows of `table` that `Store.audit` yields."""
    return AUDITED[table][0]
