"""Opening the SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from os import PathLike
from pathlib import Path

from domcore.errors import StoreError, StoreReason
from domcore.store.base import OperationStore
from domcore.store.sqlite.backend import SqliteBackend
from domcore.store.sqlite.connection import Settings
from domcore.store.sqlite.faults import explained
from domcore.store.sqlite.joined import JoinedBackend, check_joins, plain_rows
from domcore.store.sqlite.version import migrate_if_behind


class SqliteStore(OperationStore):
    """A store in one SQLite file, for any number of threads and up to about eight processes.

    Args:
        path: the database file; it is created, with its tables, when it is not there.
        settings: lock time-out and durability.

    Raises:
        StoreError: not a database, written by a newer domcore, read-only, locked, full.
    """

    def __init__(self, path: str | PathLike[str], settings: Settings | None = None) -> None:
        self._path = Path(path)
        if not self._path.name or self._path.is_dir():
            raise StoreError(
                f"{self._path}: this is a folder; give the path of a file in it",
                reason=StoreReason.MISUSED,
            )
        if not self._path.parent.is_dir():
            raise StoreError(
                f"{self._path}: its folder does not exist; create it first",
                reason=StoreReason.UNREACHABLE,
            )
        # A process may go to another folder, and its threads open connections after that.
        self._path = self._path.absolute()
        backend = SqliteBackend(self._path, settings or Settings())
        self._file = backend
        super().__init__(backend)
        try:
            with explained(str(self._path)):
                backend.prepare()
        except BaseException:
            backend.close()
            raise

    def turn(self) -> AbstractContextManager[None]:
        """A place in the queue of writers, for a transaction of the caller's own.

        domcore's writers stand behind a lock file, so that each gets its turn; a connection that
        begins by itself stands beside the queue, and may be kept waiting by it, or keep it waiting.
        Inside the block nobody else of domcore's writes, on this file, in any process.

        Raises:
            StoreError: the others have taken longer than the time-out.
        """
        return self._file.turn()

    def check_same_file(self, connection: sqlite3.Connection) -> None:
        """Refuse a connection to another database than this store's.

        Raises:
            ConfigurationError: naming both files.
        """
        check_joins(connection, self._path)

    @staticmethod
    def migrate(connection: sqlite3.Connection) -> None:
        """Create domcore's tables in a caller's database, for joined mode.

        Inside the caller's transaction if one is open, else in one of its own.

        Raises:
            StoreError: a newer schema, or tables of another program with our names.
        """
        with plain_rows(connection):
            _migrate(connection)

    @staticmethod
    @contextmanager
    def joined(connection: sqlite3.Connection) -> Iterator[OperationStore]:
        """A store in the caller's connection and transaction.

        The caller has begun with ``BEGIN IMMEDIATE`` (or has written already) and commits or
        rolls back itself, after the block; every operation is a savepoint inside. Nothing is
        delivered from here: the outbox is worked on when the caller has committed. The store must
        not be used after the block.

        Raises:
            ConfigurationError: no transaction is open, it does not hold the write lock, or the
                tables are not there.
        """
        backend = JoinedBackend(connection)
        try:
            yield OperationStore(backend)
        finally:
            backend.close()


def _migrate(connection: sqlite3.Connection) -> None:
    where = "the caller's database"
    with explained(where):
        if connection.in_transaction:
            migrate_if_behind(connection, where)
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrate_if_behind(connection, where)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
