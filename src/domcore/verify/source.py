"""Where the checks read from: every table as a sorted stream, all of one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

from domcore.store.audit import AUDITED
from domcore.store.protocol import Store
from domcore.store.sqlite import SqliteStore
from domcore.store.sqlite.faults import explain
from domcore.store.sqlite.sealing import know_seals, unsealed_sql
from domcore.store.sqlite.version import SCHEMA_DIGEST, schema_digest
from domcore.verify.violation import Violations, broken

WAIT: Final = 10.0
"""Seconds to wait for a lock."""

MOST_COMPLAINTS: Final = 100
"""How many of SQLite's own complaints are passed on."""

Rows = Iterator[tuple[Any, ...]]


class Source(Protocol):
    """A store to be checked."""

    def rows(self, table: str) -> Rows:
        """Every row of one table in key order."""
        ...

    def unsealed(self, table: str) -> Rows:
        """Keys of the rows of a sealed table that are not as they were written."""
        ...

    def own_checks(self) -> Violations:
        """What this kind of store can say about itself."""
        ...


class AuditSource:
    """Any store, by its `audit` streams. Nobody may write to it meanwhile."""

    def __init__(self, store: Store) -> None:
        self._store: Final = store

    def rows(self, table: str) -> Rows:
        """See `Store.audit`."""
        return self._store.audit(table)

    def unsealed(self, table: str) -> Rows:
        """See `Store.unsealed`."""
        return iter(self._store.unsealed(table))

    def own_checks(self) -> Violations:
        """None."""
        return iter(())


class SqliteSource:
    """A SQLite file in one read-only transaction, so that others may write while it is checked.

    The rows are those of `Store.audit`; a connection of its own keeps the application's free.
    """

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection: Final = connection
        self._path: Final = path

    def rows(self, table: str) -> Rows:
        """The audited columns of one table in key order."""
        columns, key = AUDITED[table]
        order = ", ".join(columns[place] for place in key)
        try:
            yield from self._connection.execute(
                f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"
            )
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    def unsealed(self, table: str) -> Rows:
        """As the table's seals say."""
        try:
            yield from self._connection.execute(unsealed_sql(table))
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    def own_checks(self) -> Violations:
        """The file's pages and indexes, its foreign keys, its tables' definitions."""
        try:
            for (line,) in self._connection.execute(f"PRAGMA integrity_check({MOST_COMPLAINTS})"):
                if line != "ok":
                    yield broken("integrity", self._path, str(line))
            complaints = self._connection.execute("PRAGMA foreign_key_check")
            for table, row, parent, _ in complaints.fetchmany(MOST_COMPLAINTS):
                where = table if row is None else f"{table} row {row}"
                yield broken("foreign-key", where, f"refers to a {parent} that is not there")
            if schema_digest(self._connection) != SCHEMA_DIGEST:
                yield broken("schema", self._path, "its tables are not those domcore creates")
        except sqlite3.Error as error:
            raise explain(error, self._path) from error


@contextmanager
def source_of(store: Store) -> Iterator[Source]:
    """The best source there is for `store`.

    Raises:
        StoreError: the database cannot be read.
    """
    path = _sqlite_path(store)
    connection = None if path is None else _open(path)
    if connection is None:
        yield AuditSource(store)
        return
    with closing(connection):
        yield SqliteSource(connection, str(path))


def _sqlite_path(store: Store) -> Path | None:
    """The file behind a plain SQLite store. A store that lives in its caller's transaction has
    rows that no other connection sees: it is read by its own streams."""
    return Path(store.health()["path"]).absolute() if type(store) is SqliteStore else None


def _open(path: Path) -> sqlite3.Connection | None:
    """A read-only connection with its snapshot taken; None where SQLite cannot give one."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        timeout=WAIT,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        know_seals(connection)
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            return None
        raise explain(error, str(path)) from error
    return connection
