"""What describes a table: its row, its key, and by what else rows are found."""

from __future__ import annotations

from typing import Any

from attrs import frozen


@frozen(slots=True)
class Table:
    """One table.

    Args:
        row: its NamedTuple; the columns in order.
        key: the columns of its primary key; an ``id`` or ``seq`` given as None is assigned.
        by: further columns rows are looked up by.
    """

    name: str
    row: Any
    key: tuple[str, ...]
    by: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in order."""
        fields: tuple[str, ...] = self.row._fields
        return fields

    @property
    def numbered(self) -> bool:
        """Whether the store assigns the key."""
        return self.key in (("id",), ("seq",))
