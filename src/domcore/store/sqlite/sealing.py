"""Seals in SQL: the function that makes them, and the statements that write and compare them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Final

from domcore.store.rows import TABLES
from domcore.store.seals import (
    CHAIN,
    CHAINED,
    DIGESTED,
    LASTING,
    SALTED,
    SEALS,
    digest_of,
    link_of,
    seal_of,
)

_SEAL: Final = "domcore_seal"
_DIGEST: Final = "domcore_digest"


def know_seals(connection: sqlite3.Connection) -> None:
    """Teach a connection to make seals; it forgets it when it is closed."""
    connection.create_function(_SEAL, -1, seal_of, deterministic=True)
    connection.create_function(_DIGEST, -1, digest_of, deterministic=True)


def beside(table: str) -> tuple[str, ...]:
    """The columns that stand beside a table's own."""
    if table not in SEALS:
        return ()
    return ("salt", "seal") if table == SALTED else ("seal",)


def seal_sql(table: str, new: Mapping[str, str] | None = None) -> str:
    """The seal of a row, as an expression; `new` has the expressions of columns that change."""
    new = new or {}
    names = ("salt", *SEALS[table]) if table == SALTED else SEALS[table]
    function = _DIGEST if table in DIGESTED else _SEAL
    seal = f"{function}({', '.join(new.get(name, name) for name in names)})"
    if table in CHAINED:
        return f"CASE WHEN order_id IS NULL THEN {seal} ELSE 0 END"
    if table == LASTING:
        expires = new.get("expires_at", "expires_at")
        return f"CASE WHEN {expires} IS NULL THEN 0 ELSE {seal} END"
    return seal


def unsealed_sql(table: str) -> str:
    """The keys of the rows whose seal is not theirs."""
    key = ", ".join(TABLES[table].key)
    return f"SELECT {key} FROM {table} WHERE seal IS NOT {seal_sql(table)} ORDER BY {key}"


def seal_everything(connection: sqlite3.Connection) -> None:
    """Make every seal and every chain anew, after a migration has changed rows."""
    know_seals(connection)
    for table in SEALS:
        if table not in ("order_state", *CHAINED):
            connection.execute(f"UPDATE {table} SET seal = {seal_sql(table)}")
    for table in CHAINED:
        _seal_orderless(connection, table)
    connection.execute("UPDATE order_state SET chain = 0")
    for table in CHAINED:
        _add_links(connection, table)
    connection.execute(f"UPDATE order_state SET seal = {seal_sql('order_state')}")


def _seal_orderless(connection: sqlite3.Connection, table: str) -> None:
    """Without the triggers that keep the ledger as it is, for as long as this lasts."""
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(f"UPDATE {table} SET seal = {seal_sql(table)} WHERE order_id IS NULL")
    for _, sql in triggers:
        connection.execute(sql)


def _add_links(connection: sqlite3.Connection, table: str) -> None:
    columns = TABLES[table].columns
    about = columns.index("order_id")
    rows = connection.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE order_id IS NOT NULL ORDER BY order_id"
    )
    connection.executemany(
        f"UPDATE order_state SET chain = (chain + ?) % {CHAIN} WHERE order_id = ?",
        (
            (sum(link_of(table, row) for row in group) % CHAIN, order_id)
            for order_id, group in groupby(rows, itemgetter(about))
        ),
    )
