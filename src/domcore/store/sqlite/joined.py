"""Joined mode: the caller's connection, the caller's transaction, savepoints only."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from domcore.errors import ConfigurationError, StoreError, StoreReason
from domcore.store.sqlite.backend import ShortRows, SqlWriter, stale
from domcore.store.sqlite.faults import explain, explained
from domcore.store.sqlite.sealing import know_seals
from domcore.store.sqlite.version import is_current

_SAVEPOINT: Final = "domcore_operation"
_TOGETHER: Final = "domcore_operations"
_WHERE: Final = "the caller's transaction"


@contextmanager
def plain_rows(connection: sqlite3.Connection) -> Iterator[None]:
    """The caller may have a row factory and a text factory; our rows are tuples of texts."""
    rows, texts = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, str
    try:
        yield
    finally:
        connection.row_factory, connection.text_factory = rows, texts


class JoinedBackend(SqlWriter):
    """Works inside a transaction that somebody else has begun and will end."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        check_joinable(connection)
        super().__init__()
        self._connection: sqlite3.Connection | None = connection
        self._writing = False
        self._together = False
        self.written = 0
        know_seals(connection)

    def _raw(self) -> sqlite3.Connection:
        connection = self._connection
        if connection is None:
            raise StoreError(
                "a joined store cannot be used after its block", reason=StoreReason.CLOSED
            )
        if not connection.in_transaction:
            raise ConfigurationError(
                "the caller's transaction has ended inside the block; commit or roll back after it",
                source="joined mode",
            )
        return connection

    @contextmanager
    def _plain_rows(self) -> Iterator[sqlite3.Connection]:
        connection = self._raw()
        with plain_rows(connection):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[None]:
        """The caller's transaction is one state already."""
        with explained(_WHERE), self._plain_rows():
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One savepoint."""
        if self._writing:
            raise StoreError(
                "a store operation was called from inside another one", reason=StoreReason.MISUSED
            )
        with self._plain_rows() as connection:
            with explained(_WHERE):
                connection.execute(f"SAVEPOINT {_SAVEPOINT}")
            self._writing = True
            try:
                yield
                connection.execute(f"RELEASE {_SAVEPOINT}")
                self.written += 1
            except ShortRows as error:
                _undo(connection, _SAVEPOINT)
                raise stale(self.short_keys(error.rows)) from None
            except sqlite3.Error as error:
                _undo(connection, _SAVEPOINT)
                raise explain(error, _WHERE) from error
            except BaseException:
                _undo(connection, _SAVEPOINT)
                raise
            finally:
                self._writing = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """A savepoint around those of its operations."""
        if self._writing or self._together:
            raise StoreError(
                "a store operation was called from inside another one", reason=StoreReason.MISUSED
            )
        connection = self._raw()
        with explained(_WHERE):
            connection.execute(f"SAVEPOINT {_TOGETHER}")
        self._together = True
        try:
            yield
            with explained(_WHERE):
                connection.execute(f"RELEASE {_TOGETHER}")
        except BaseException:
            _undo(connection, _TOGETHER)
            raise
        finally:
            self._together = False

    def write_count(self) -> int:
        """Nobody else can write while the caller's transaction is open."""
        return 0

    def forget_erased(self) -> None:
        """The caller has yet to commit: the write-ahead log is emptied by the next `erase` or
        checkpoint after that."""

    def health(self) -> Mapping[str, str]:
        """Facts for `doctor`."""
        return {"engine": f"SQLite {sqlite3.sqlite_version}", "mode": "joined"}

    def close(self) -> None:
        """Let go of the caller's connection, which stays open."""
        self._connection = None


def _undo(connection: sqlite3.Connection, savepoint: str) -> None:
    # A full disk makes SQLite roll the whole transaction back by itself.
    if connection.in_transaction:
        connection.execute(f"ROLLBACK TO {savepoint}")
        connection.execute(f"RELEASE {savepoint}")


def _refusal(message: str) -> ConfigurationError:
    return ConfigurationError(message, source="joined mode")


def check_is_connection(connection: object) -> None:
    """Refuse what is no connection of the standard library's sqlite3.

    Raises:
        ConfigurationError: it is something else; says where frameworks keep theirs.
    """
    if isinstance(connection, sqlite3.Connection):
        return
    kind = f"{type(connection).__module__}.{type(connection).__qualname__}"
    raise _refusal(
        f"a sqlite3.Connection is wanted, and this is {'None' if connection is None else kind}; "
        "Django keeps it in django.db.connection.connection (once ensure_connection() was called), "
        "SQLAlchemy in session.connection().connection.driver_connection, a cursor in "
        "cursor.connection"
    )


def check_joins(connection: sqlite3.Connection, store: Path) -> None:
    """Refuse a connection whose database is another file than the store's.

    Raises:
        ConfigurationError: naming both.
    """
    check_is_connection(connection)
    path = _main_file(connection)
    same = False
    if path:
        with suppress(OSError):
            same = os.path.samefile(path, store)
    if not same:
        raise _refusal(
            f"this connection is to {path or 'a database without a file'}, and the application's "
            f"store is {store}: to be committed together both must be one file"
        )


def _main_file(connection: sqlite3.Connection) -> str:
    """The file of its main database; empty where it has none."""
    try:
        with plain_rows(connection):
            files = connection.execute("PRAGMA database_list").fetchall()
    except sqlite3.Error as error:
        raise _refusal(f"this connection cannot be used here: {error}") from error
    return next((row[2] or "" for row in files if row[1] == "main"), "")


def check_joinable(connection: sqlite3.Connection) -> None:
    """Refuse a connection that could lose the write lock, or ours, half way.

    Raises:
        ConfigurationError: no connection, no transaction, not the write lock, or no tables.
    """
    check_is_connection(connection)
    path = _main_file(connection)
    if not connection.in_transaction:
        raise _refusal("no transaction is open; begin one with BEGIN IMMEDIATE")
    try:
        with plain_rows(connection):
            converted = _converted(connection)
            if converted:
                raise _refusal(
                    f"this connection hands {converted} columns to a converter (detect_types, and "
                    f"sqlite3.register_converter for {converted}), so domcore would not read what "
                    "it wrote; join one that was opened without detect_types"
                )
            if not is_current(connection, "the caller's database"):
                raise _refusal(
                    "domcore's tables are missing or old; call SqliteStore.migrate() first"
                )
            if path and _can_write_beside(path):
                raise _refusal(
                    "the transaction does not hold the write lock; begin it with BEGIN IMMEDIATE"
                )
            # Holds when there is no file to probe, and proves that this connection may write.
            connection.execute("UPDATE cursor SET seq = seq WHERE consumer = ''")
    except sqlite3.Error as error:
        raise _refusal(f"this connection cannot write: {error}") from error


def _converted(connection: sqlite3.Connection) -> str:
    """The first of our column types that this connection hands to a converter; empty for none.

    Converters are registered for the whole process, but only a connection with `detect_types`
    uses them, and nothing says whether it has: a table of its own is asked.
    """
    ours = [kind for kind in ("TEXT", "INTEGER", "BLOB") if kind in sqlite3.converters]
    if not ours:
        return ""
    values = {"TEXT": "a", "INTEGER": 1, "BLOB": b"a"}
    connection.execute("CREATE TEMP TABLE domcore_probe (TEXT TEXT, INTEGER INTEGER, BLOB BLOB)")
    try:
        connection.execute("INSERT INTO domcore_probe VALUES ('a', 1, x'61')")
        for kind in ours:
            try:
                (value,) = connection.execute(f"SELECT {kind} FROM domcore_probe").fetchone()
            except Exception:  # the converter's own
                return kind
            if type(value) is not type(values[kind]) or value != values[kind]:
                return kind
    finally:
        connection.execute("DROP TABLE domcore_probe")
    return ""


def _can_write_beside(path: str) -> bool:
    """Whether somebody else could begin to write now."""
    probe = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        probe.execute("BEGIN IMMEDIATE")
        probe.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY:
            return False
        raise
    finally:
        probe.close()
    return True
