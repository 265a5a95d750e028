"""Which schema a database has, and whether it is the one this domcore works with."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Final

from domcore.errors import StoreError, StoreReason
from domcore.store.rows import TABLES

SCHEMA_VERSION: Final = 14
"""How many migrations this domcore knows; `PRAGMA user_version` of a database up to date."""

SCHEMA_DIGEST: Final = "e8b4b44028c6166673b6851e71eaf871e52f3de3d2a7763343eda1c90fd4c63a"
"""`schema_digest` of a database after all of them."""


def schema_digest(connection: sqlite3.Connection) -> str:
    """SHA-256 of the definitions of domcore's tables, indexes and triggers, and of nothing else."""
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
        "AND tbl_name IN (SELECT value FROM json_each(?)) ORDER BY type, name",
        (json.dumps(sorted(TABLES)),),
    ).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def is_current(connection: sqlite3.Connection, where: str) -> bool:
    """Whether the schema is the present one; False when migrations are due.

    Raises:
        StoreError: it is newer, belongs to another program, or was changed by hand.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{where}: written by a newer domcore or by another program (schema {version}, this "
            f"domcore knows {SCHEMA_VERSION}); upgrade domcore, or check the path",
            reason=StoreReason.NEWER,
        )
    if version < SCHEMA_VERSION:
        return False
    if schema_digest(connection) != SCHEMA_DIGEST:
        raise StoreError(
            f"{where}: its tables are not the ones domcore made; undo the change that was made "
            "to them by hand, or restore a backup",
            reason=StoreReason.DAMAGED,
        )
    return True


def refuse_foreign(connection: sqlite3.Connection, where: str) -> None:
    """Leave another program's database alone: being opened must not fill it with tables.

    Raises:
        StoreError: it has tables, and none of domcore's schemas.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise StoreError(
            f"{where}: another program's database, not a domcore store; check the path, or call "
            "SqliteStore.migrate(connection) to keep domcore's tables in it",
            reason=StoreReason.FOREIGN,
        )


def migrate_if_behind(connection: sqlite3.Connection, where: str) -> None:
    """Create or bring up to date all tables, inside the transaction that is open.

    Raises:
        StoreError: as `is_current`, or a table of another program has one of our names.
    """
    if is_current(connection, where):
        return
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    taken = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(TABLES)),),
    ).fetchall()
    if version == 0 and taken:
        names = ", ".join(sorted(row[0] for row in taken))
        raise StoreError(
            f"{where}: another program has tables called {names} here; give domcore its own file",
            reason=StoreReason.FOREIGN,
        )
    # Heavy, and only needed now.
    from domcore.store.sqlite.schema import apply_migrations

    apply_migrations(connection)
