"""Joined mode: the caller's connection, the caller's transaction, savepoints only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from domcore.errors import ConfigurationError, StoreError, StoreReason
from domcore.store.sqlite.backend import ShortRows, SqlWriter, stale
from domcore.store.sqlite.faults import explain, explained
from domcore.store.sqlite.version import is_current

_SAVEPOINT: Final = "domcore_operation"
_TOGETHER: Final = "domcore_operations"
_WHERE: Final = "the caller's transaction"


class JoinedBackend(SqlWriter):
    """Works inside a transaction that somebody else has begun and will end."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection: sqlite3.Connection | None = connection
        self._writing = False
        self._together = False
        self.written = 0
        check_joinable(connection)

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
        """The caller may have a row factory; ours are tuples."""
        connection = self._raw()
        kept, connection.row_factory = connection.row_factory, None
        try:
            yield connection
        finally:
            connection.row_factory = kept

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


def check_joinable(connection: sqlite3.Connection) -> None:
    """Refuse a connection that could lose the write lock, or ours, half way.

    Raises:
        ConfigurationError: no transaction, not the write lock, or no tables.
    """

    def refuse(message: str) -> ConfigurationError:
        return ConfigurationError(message, source="joined mode")

    if not connection.in_transaction:
        raise refuse("no transaction is open; begin one with BEGIN IMMEDIATE")
    kept, connection.row_factory = connection.row_factory, None
    try:
        if not is_current(connection, "the caller's database"):
            raise refuse("domcore's tables are missing or old; call SqliteStore.migrate() first")
        (path,) = (row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main")
        if path and _can_write_beside(path):
            raise refuse(
                "the transaction does not hold the write lock; begin it with BEGIN IMMEDIATE"
            )
        # Holds when there is no file to probe, and proves that this connection may write.
        connection.execute("UPDATE cursor SET seq = seq WHERE consumer = ''")
    except sqlite3.Error as error:
        raise refuse(f"this connection cannot write: {error}") from error
    finally:
        connection.row_factory = kept


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
