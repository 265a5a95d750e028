"""The SQL of every kind of write and of every plain look-up, derived from the row descriptions.

All names come from `TABLES` and `WRITES`; values are always bound.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter

from attrs import frozen

from domcore.store.changes import WRITES, Row, Write
from domcore.store.rows import TABLES
from domcore.store.seals import (
    CHAIN,
    CHAINED,
    DIGESTED,
    FOR_GOOD,
    LASTING,
    SALTED,
    SEALS,
    sealed_by,
    sealer,
)
from domcore.store.sqlite.sealing import beside, seal_sql
from domcore.store.table import Table


def write_sql(write: Write) -> str:
    """The statement that carries out one kind of write."""
    table = TABLES[write.table]
    if write.kind in ("insert", "upsert"):
        return _insert(table, write)
    if write.kind == "take":
        return (
            "UPDATE stock SET reserved = reserved + ? WHERE item_id = ? AND node_id = ? "
            "AND on_hand - reserved - blocked >= ? AND on_hand - reserved - blocked - safety >= ?"
        )
    if write.kind == "allocate":
        return (
            "UPDATE order_line SET open = open - ?, allocated = allocated + ? "
            "WHERE order_id = ? AND line_no = ? AND item_id = ? AND open >= ?"
        )
    if write.kind == "delete":
        return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{k} = ?' for k in table.key)}"
    return _update(table, write)


def _update(table: Table, write: Write) -> str:
    new: dict[str, str] = {}
    for number, column in enumerate((*write.sums, *write.columns), 1):
        if column in write.sums:
            new[column] = f"({column} + ?{number}) % {CHAIN}"
        elif write.kind == "add":
            new[column] = f"{column} + ?{number}"
        else:
            new[column] = f"?{number}"
    assigned = [f"{column} = {value}" for column, value in new.items()]
    if new.keys() & set(SEALS.get(table.name, ())):
        known = seal_places(write)
        last = len(new) + len(write.where) + 1
        assigned.append(f"seal = {f'?{last}' if known else seal_sql(table.name, new)}")
    found = [f"{column} = ?{number}" for number, column in enumerate(write.where, len(new) + 1)]
    return f"UPDATE {table.name} SET {', '.join(assigned)} WHERE {' AND '.join(found)}"


def _insert(table: Table, write: Write) -> str:
    own = table.columns[1:] if table.name in CHAINED else table.columns
    columns = (*own, *beside(table.name))
    marks = ", ".join("?" * len(columns))
    if table.name == LASTING:
        marks = marks[: -len("?, ?")] + f"nullif(?, {FOR_GOOD}), ?"
    sql = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"
    if write.kind == "upsert":
        others = [column for column in columns if column not in table.key]
        kept = ", ".join(f"{column} = excluded.{column}" for column in others)
        sql += f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {kept}"
    return sql


def select_sql(table: Table, column: str, *, several: bool) -> str:
    """Rows of `table` whose `column` is the value (or among a JSON array of them), by key."""
    if column not in (*table.key, *table.by):
        raise ValueError(f"{table.name} is not looked up by {column}")
    test = "IN (SELECT value FROM json_each(?))" if several else "= ?"
    return (
        f"SELECT {', '.join(table.columns)} FROM {table.name} "
        f"WHERE {column} {test} ORDER BY {', '.join(table.key)}"
    )


def page_sql(table: Table, columns: tuple[str, ...], *, first: bool) -> str:
    """A page of a table in key order; ``?`` is the key it starts after, then the page size."""
    key = ", ".join(table.key)
    start = "" if first else f"WHERE ({key}) > ({', '.join('?' * len(table.key))}) "
    return f"SELECT {', '.join(columns)} FROM {table.name} {start}ORDER BY {key} LIMIT ?"


def seal_places(write: Write) -> tuple[int, ...]:
    """Where the rows of an update have what is sealed, if they have all of it: then the seal is
    made from them, which is cheaper than in SQL. Empty where they do not."""
    if write.table in (*DIGESTED, *CHAINED, SALTED, LASTING):
        return ()
    # Of a column that is both set and tested, the first is what it is set to.
    columns = (*write.sums, *write.columns, *write.where)
    sealed_columns = SEALS.get(write.table, ())
    if write.kind != "set" or not set(write.columns) & set(sealed_columns):
        return ()
    if not set(sealed_columns) <= set(columns):
        return ()
    return tuple(columns.index(name) for name in sealed_columns)


def sealing(write: Write) -> Callable[[list[Row]], list[Row]] | None:
    """What puts the seals into the rows of a write, where they have to be in there."""
    if write.kind in ("insert", "upsert"):
        return sealer(write.table) if write.table in SEALS else None
    places = seal_places(write)
    return partial(sealed_by, itemgetter(*places)) if places else None


@frozen(slots=True)
class Step:
    """One kind of write: its place in the order of all, its SQL, and what seals its rows."""

    place: int
    sql: str
    write: Write
    seal: Callable[[list[Row]], list[Row]] | None


def write_plan() -> dict[str, Step]:
    """Every kind of write by name."""
    return {
        name: Step(place, write_sql(write), write, sealing(write))
        for place, (name, write) in enumerate(WRITES.items())
    }
