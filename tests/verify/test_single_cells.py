"""Change one cell of a store by hand, any cell: `verify` finds it, or the column says why not."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import pytest
from tests.verify.conftest import BUSY_LIFE, HOUR, Shop

from domcore.model import Notice
from domcore.store.rows import NEVER, TABLES
from domcore.store.sqlite.sealing import beside
from domcore.store.values import CoverNote, Straggler, Told
from domcore.verify import verify

EXEMPT: Final[Mapping[str, str]] = {
    "outbox.id": "a number the database gives out; nothing refers to it but a worker's lease",
}
"""Columns of which `verify` need not find a change, and why."""

ROWS: Final = 2
"""Rows of which each column is changed."""

LEAST: Final = 0.95


class Cell(NamedTuple):
    """One cell, before and after."""

    table: str
    column: str
    key: tuple[Any, ...]
    before: Any
    after: Any

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


class Hand:
    """Somebody with a SQLite shell."""

    def __init__(self, path: str, seed: int) -> None:
        self.raw = sqlite3.connect(path, isolation_level=None)
        self.raw.execute("PRAGMA ignore_check_constraints = ON")
        self.raw.execute("PRAGMA foreign_keys = OFF")
        self.random = random.Random(seed)
        self.triggers = self.raw.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        columns = ", ".join(all_columns(table))
        return self.raw.execute(f"SELECT {columns} FROM {table}").fetchall()

    def change(self, cell: Cell) -> Cell | None:
        """Make the change; the cell that undoes it, or None where the database refuses."""
        key = TABLES[cell.table].key
        tests = " AND ".join(f"{name} IS ?" for name in key)
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            for name, _ in self.triggers:
                self.raw.execute(f"DROP TRIGGER {name}")
            sql = f"UPDATE {cell.table} SET {cell.column} = ? WHERE {tests}"
            assert self.raw.execute(sql, (cell.after, *cell.key)).rowcount == 1
            for _, definition in self.triggers:
                self.raw.execute(definition)
        except sqlite3.IntegrityError:
            self.raw.execute("ROLLBACK")
            return None
        self.raw.execute("COMMIT")
        moved = dict(zip(key, cell.key, strict=True))
        if cell.column in moved:
            moved[cell.column] = cell.after
        return cell._replace(key=tuple(moved.values()), before=cell.after, after=cell.before)

    def cells(self, table: str, most: int) -> Iterator[Cell]:
        """Each column of some rows, with another value of its kind."""
        columns, rows = all_columns(table), self.rows(table)
        for row in self.random.sample(rows, min(most, len(rows))):
            values = dict(zip(columns, row, strict=True))
            key = tuple(values[name] for name in TABLES[table].key)
            for column in columns:
                known = [other[columns.index(column)] for other in rows]
                yield Cell(table, column, key, values[column], self.another(values[column], known))

    def another(self, value: Any, known: list[Any]) -> Any:
        choose = self.random.choice
        if value is None:
            kinds = {type(other) for other in known if other is not None} or {int}
            return "x" if str in kinds else b"x" if bytes in kinds else choose((0, 1, NEVER - 1))
        if type(value) is int:
            return choose([value + 1, abs(value - 1) + 2 * (value == 0), value + 86_400_000_000])
        if type(value) is str:
            others = [other for other in known if other and other != value]
            return choose([*others[:3], f"{value}x"])
        if not value:
            return b"x"
        place = choose([at for at, byte in enumerate(value) if chr(byte).isalnum()] or [0])
        other = choose([letter for letter in b"123456789abcdef" if letter != value[place]])
        return value[:place] + bytes([other]) + value[place + 1 :]


def all_columns(table: str) -> tuple[str, ...]:
    return (*TABLES[table].columns, *beside(table))


def a_rich_store(shop: Shop) -> Shop:
    """A bit of everything, and what only workers write."""
    shop.live((*BUSY_LIFE, ("count", 0, 9, 2), ("capture", 40, 0, 0), ("route_one", 40, 0, 0)))
    store, now = shop.dom.store, shop.now
    work = shop.dom.order("web/40").fulfillment_orders
    shop.dom.record(Notice(work[0].id, "exception", shop.clock(), detail="torn"))
    before = store.publication("web")
    told = Told(1, 1, None, 5)
    store.publish("web", [told], before=before, after=before)
    store.note_cover([CoverNote((1, 1), "low", {})], now=now)
    task = store.lease_task("pull:web", now=now, until=now + HOUR)
    assert task is not None
    store.settle_task(task, now=now, due_at=now + HOUR, cursor="page 2")
    store.set_aside("pull:web", error="cannot be read", now=now, position="page 1", number=3)
    (event,) = store.events(after=2, limit=1)
    behind = Straggler("mail", 3, event.order_id, now, 1, None, "busy")
    store.advance_cursor("mail", 3, stragglers=[behind], now=now)
    return shop


def test_a_change_of_any_single_cell_is_found(shops: Any, capsys: pytest.CaptureFixture) -> None:
    shop = a_rich_store(shops("sqlite"))
    assert [str(each) for each in shop.dom.verify()] == []
    hand = Hand(shop.dom.settings.store, seed=7)
    empty = [table for table in TABLES if not hand.rows(table)]
    assert empty == [], "the store is not rich enough"
    found: dict[str, list[bool]] = {}
    for table in TABLES:
        for cell in list(hand.cells(table, ROWS)):
            undo = hand.change(cell)
            if undo is None:
                continue
            found.setdefault(cell.name, []).append(bool(list(verify(shop.dom.store))))
            assert hand.change(undo) is not None
    assert list(shop.dom.verify()) == []
    every = [each for some in found.values() for each in some]
    must = [each for name, some in found.items() if name not in EXEMPT for each in some]
    missed = sorted(name for name, some in found.items() if not all(some) and name not in EXEMPT)
    with capsys.disabled():
        told = f"{sum(every)} of {len(every)} changes of {len(found)} columns found"
        print(f"\n{told} ({sum(every) / len(every):.1%}); beside what is exempt: ", end="")
        print(f"{sum(must) / len(must):.1%}, not: {', '.join(missed) or 'none'}")
    assert sum(must) / len(must) >= LEAST, missed
    assert len(found) >= sum(len(all_columns(table)) for table in TABLES) - len(TABLES)
