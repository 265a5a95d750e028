"""A table in memory: rows by key, the indexes its look-ups need, and an undo log."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from domcore.errors import ConflictError
from domcore.store.changes import Row
from domcore.store.rows import (
    MOST,
    OPEN,
    TABLES,
    LineRow,
    OutboxRow,
    ReservationRow,
    ShortfallRow,
    StateRow,
    StockBalance,
)
from domcore.store.table import Table
from domcore.store.waiting_rows import WOKEN

Key = tuple[Any, ...]
Index = Callable[[Any], Hashable | None]
"""The value a row is found by; None leaves it out of the index."""

_INDEXES: Final[Mapping[str, Mapping[str, Index]]] = {
    "item": {"sku": lambda row: (row.owner_id, row.sku)},
    "orders": {"identity": lambda row: (row.owner_id, row.channel, row.external_id)},
    "order_state": {"queue": lambda row: None if row.retry_at is None else True},
    "waiting": {
        "line": lambda row: (row.stage, row.item_id),
        "woken": lambda row: True if row.stage == WOKEN else None,
    },
    "ledger": {"movement": lambda row: (row.item_id, row.node_id) if row.on_hand else None},
    "reservation": {
        "place": lambda row: (row.item_id, row.node_id) if row.state == OPEN else None,
        "expiring": lambda row: True if row.state == OPEN and row.expires_at is not None else None,
    },
    "outbox": {
        "pending": lambda row: row.topic if row.done_at is None else None,
        "parked": lambda row: None if row.parked_at is None else True,
    },
    "straggler": {"parked": lambda row: None if row.parked_at is None else True},
}


def _stock_is_sound(row: StockBalance) -> bool:
    return (
        0 <= row.on_hand <= MOST
        and min(row.reserved, row.blocked) >= 0
        and 0 <= row.safety <= MOST
        and row.reserved + row.blocked <= row.on_hand
    )


def _shortfall_is_sound(row: ShortfallRow) -> bool:
    return 0 <= row.missing <= 2 * MOST and 0 <= row.unfit <= MOST and row.missing + row.unfit > 0


def _line_is_sound(row: LineRow) -> bool:
    parts = row[4:8]
    return (
        0 <= row.ordered <= MOST
        and 0 <= row.wanted <= MOST
        and min(parts) >= 0
        and sum(parts) == row.ordered
    )


def _reservation_is_sound(row: ReservationRow) -> bool:
    return 1 <= row.quantity <= MOST and row.part >= 0


def _state_is_sound(row: StateRow) -> bool:
    return row.version >= 1 and row.sequence >= 0


def _entry_is_sound(row: OutboxRow) -> bool:
    return row.attempts >= 0


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "stock": _stock_is_sound,
    "shortfall": _shortfall_is_sound,
    "elsewhere_line": lambda row: 1 <= row.units <= MOST,
    "order_line": _line_is_sound,
    "reservation": _reservation_is_sound,
    "order_state": _state_is_sound,
    "outbox": _entry_is_sound,
}


class MemoryTable:
    """Rows by key. Writing goes through `put` and `remove`, which write down how to undo it."""

    def __init__(self, table: Table, undo: list[Callable[[], None]]) -> None:
        self.last = 0
        self.rows: Final[dict[Key, Any]] = {}
        self._table: Final = table
        self._undo: Final = undo
        self._check = _CHECKS.get(table.name)
        self._places = tuple(table.columns.index(column) for column in table.key)
        self._getters: dict[str, Index] = dict(_INDEXES.get(table.name, {}))
        for column in dict.fromkeys((table.key[0], *table.by)):
            if len(table.key) > 1 or column not in table.key:
                self._getters[column] = _column(table.columns.index(column))
        self._found: dict[str, dict[Hashable, dict[Key, None]]] = {
            name: {} for name in self._getters
        }
        self._sorted: list[Key] | None = None

    def key_of(self, row: Row) -> Key:
        """The primary key in a row."""
        return tuple(row[place] for place in self._places)

    def put(self, values: Iterable[Any], *, replace: bool) -> None:
        """Insert a row, or replace the one with its key.

        Raises:
            ConflictError: the key is taken, or a check forbids the row.
        """
        row = self._table.row._make(values)
        if self._table.numbered and row[0] is None:
            row = self._table.row._make((self.last + 1, *row[1:]))
        key = self.key_of(row)
        old = self.rows.get(key)
        if old is not None and not replace:
            raise ConflictError(f"{self._table.name} {key} is there already")
        if self._check is not None and not self._check(row):
            raise ConflictError(f"{self._table.name} {key}: a check forbids this write")
        last = self.last
        self._undo.append(lambda: self._restore(key, old, last))
        self._set(key, old, row)
        if self._table.numbered:
            self.last = max(last, key[0])

    def remove(self, key: Key) -> bool:
        """Remove a row; whether there was one."""
        old = self.rows.get(key)
        if old is None:
            return False
        last = self.last
        self._undo.append(lambda: self._restore(key, old, last))
        self._set(key, old, None)
        return True

    def _restore(self, key: Key, old: Any, last: int) -> None:
        self._set(key, self.rows.get(key), old)
        self.last = last

    def _set(self, key: Key, old: Any, new: Any) -> None:
        if (old is None) != (new is None):
            self._sorted = None
        for name, getter in self._getters.items():
            before = None if old is None else getter(old)
            after = None if new is None else getter(new)
            if before == after:
                continue
            found = self._found[name]
            if before is not None:
                del found[before][key]
                if not found[before]:
                    del found[before]
            if after is not None:
                found.setdefault(after, {})[key] = None
        if new is None:
            del self.rows[key]
        else:
            self.rows[key] = new

    def by(self, index: str, value: Hashable) -> list[Any]:
        """Rows found by an index, in key order."""
        return [self.rows[key] for key in sorted(self._found[index].get(value, ()))]

    def has(self, index: str, value: Hashable) -> bool:
        """Whether an index finds any row."""
        return value in self._found[index]

    def among(self, column: str, values: Sequence[Any]) -> list[Any]:
        """Rows whose `column` is among `values`, in key order."""
        if (column,) == self._table.key:
            return [self.rows[key] for key in sorted({(v,) for v in values}) if key in self.rows]
        found = self._found[column]
        keys = [key for value in set(values) for key in found.get(value, ())]
        return [self.rows[key] for key in sorted(keys)]

    def keys(self) -> list[Key]:
        """All keys in order."""
        if self._sorted is None:
            self._sorted = sorted(self.rows)
        return self._sorted

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows.values())


def _column(place: int) -> Index:
    return lambda row: row[place]


def new_tables(undo: list[Callable[[], None]]) -> dict[str, MemoryTable]:
    """Every table, empty, writing into one undo log."""
    return {name: MemoryTable(table, undo) for name, table in TABLES.items()}
