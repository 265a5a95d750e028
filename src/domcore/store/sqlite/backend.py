"""Transactions on SQLite: a fair writer lock, BEGIN IMMEDIATE, and no doubt about a commit."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from domcore.errors import ConflictError, StaleSupply, StoreError, StoreReason
from domcore.store.acting import Acting
from domcore.store.changes import Changes, Row, Write
from domcore.store.sqlite.connection import (
    SOUND,
    Connection,
    Connections,
    Settings,
    create_private,
)
from domcore.store.sqlite.faults import BROKEN, explain, explained, is_busy
from domcore.store.sqlite.reader import SqlReader
from domcore.store.sqlite.statements import write_plan
from domcore.store.sqlite.version import is_current, migrate_if_behind, refuse_foreign
from domcore.store.sqlite.witness import find_witness

_log = logging.getLogger(__name__)

T = TypeVar("T")

_PART: Final = "domcore_part"


class SqlWriter(SqlReader):
    """Carries out a `Changes` on whatever connection `_raw` answers."""

    def __init__(self) -> None:
        self._plan: Final = write_plan()
        self._places: Final = {name: step.place for name, step in self._plan.items()}
        self.acting = Acting()

    def apply(self, changes: Changes) -> None:
        """Write everything, one statement per kind of write, counting the rows that were hit."""
        connection = self._raw()
        rows_of = changes.seal(self.acting.by)
        for name in sorted(rows_of, key=self._places.__getitem__):
            rows, step = rows_of[name], self._plan[name]
            if not rows:
                continue
            written = rows if step.seal is None else step.seal(rows)
            if len(written) == 1:
                hit = connection.execute(step.sql, written[0]).rowcount
            else:
                hit = connection.executemany(step.sql, written).rowcount
            if hit != len(rows):
                raise self._missed(name, step.write, rows)

    def _missed(self, name: str, write: Write, rows: list[Row]) -> Exception:
        if write.failure == "stale":
            return ShortRows(rows)
        return ConflictError(f"{name}: somebody else has changed what this was decided on")

    def short_keys(self, rows: list[Row]) -> list[tuple[int, int]]:
        """The balances that cannot give what the ``take`` rows ask; run on the untouched state."""
        found = {(row[0], row[1]): row for row in self.balances([(row[1], row[2]) for row in rows])}
        short = []
        for total, item_id, node_id, need, _ in rows:
            row = found.get((item_id, node_id))
            available = row[2] - row[3] - row[4] if row else 0
            if available < need or available - (row[5] if row else 0) < total:
                short.append((item_id, node_id))
        return short or [(row[1], row[2]) for row in rows]


class ShortRows(Exception):  # noqa: N818 - never leaves this package
    """Some balance did not give; which one is found after undoing."""

    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self.rows = rows


def stale(keys: list[tuple[int, int]]) -> StaleSupply:
    """The exception that names the balances that ran short."""
    return StaleSupply(f"stock has gone at {len(keys)} (item, node) keys; plan again", keys)


class SqliteBackend(SqlWriter):
    """A database file of our own: one connection per thread, one writer at a time."""

    def __init__(self, path: Path, settings: Settings) -> None:
        super().__init__()
        self._connections: Final = Connections(path, settings)
        self._local = threading.local()
        self.written = 0

    def _raw(self) -> sqlite3.Connection:
        return self._connections.get().raw

    def _again(self, run: Callable[[], T]) -> T:
        return self._connections.get().patiently(run)

    def prepare(self) -> None:
        """Check the schema, and migrate it in one transaction when it is behind.

        Raises:
            StoreError: the schema is newer or not ours.
        """
        path = str(self._connections.path)
        create_private(self._connections.path)
        with self.reading():
            current = is_current(self._raw(), path)
            if not current:
                refuse_foreign(self._raw(), path)
        if not current:
            with self.writing():
                migrate_if_behind(self._raw(), path)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several look-ups inside see one state. Never held open across a caller's code."""
        raw, path = self._connections.get().raw, self._connections.name
        if raw.in_transaction:
            with explained(path):
                yield
            return
        self._connections.check_place()
        try:
            try:
                raw.execute("BEGIN")
                try:
                    yield
                finally:
                    if raw.in_transaction:
                        raw.execute("COMMIT")
            except sqlite3.Error as error:
                raise explain(error, path) from error
        except StoreError as error:
            if error.reason in BROKEN:
                self._connections.drop()
            raise

    def writing(self) -> AbstractContextManager[None]:
        """One transaction behind the writer lock, or one part of `together`."""
        return self._part() if self._is_together() else self._transaction()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep this thread's place in front of all writers, for a transaction of the caller's."""
        lock = self._connections.get().lock
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction of several parts, each a savepoint."""
        with self._transaction():
            self._local.together = True
            try:
                yield
            finally:
                self._local.together = False

    def _is_together(self) -> bool:
        return getattr(self._local, "together", False)

    @contextmanager
    def _part(self) -> Iterator[None]:
        """A savepoint. Of the changes that are not undone, those are kept that can tell later
        whether all of it was written."""
        raw, path = self._connections.get().raw, str(self._connections.path)
        if not raw.in_transaction:
            raise StoreError(
                f"{path}: the database has undone what was to be written together",
                reason=StoreReason.IO,
            )
        before, self._local.together, self._local.changes = self._local.changes, False, None
        undone = True
        try:
            raw.execute(f"SAVEPOINT {_PART}")
            yield
            raw.execute(f"RELEASE {_PART}")
            undone = False
        except ShortRows as error:
            _roll_back_part(raw)
            raise stale(self.short_keys(error.rows)) from None
        except sqlite3.Error as error:
            _roll_back_part(raw)
            raise explain(error, path) from error
        except BaseException:
            _roll_back_part(raw)
            raise
        finally:
            changes = self._local.changes
            if undone or changes is None or find_witness(changes) is None:
                self._local.changes = before
            self._local.together = True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        connection = self._connections.get()
        raw, path = connection.raw, self._connections.name
        if raw.in_transaction:
            raise StoreError(
                f"{path}: a store operation was called from inside another one",
                reason=StoreReason.MISUSED,
            )
        connection.lock.acquire()
        broken = False
        try:
            self._local.changes = None
            try:
                try:
                    raw.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if not is_busy(error):
                        raise
                    connection.begin_patiently()
                yield
            except ShortRows as error:
                raise stale(self._short_after_undo(raw, error.rows)) from None
            except sqlite3.Error as error:
                raise explain(error, path) from error
            else:
                self._connections.check_place()
                self._commit(connection)
                self.written += 1
        except StoreError as error:
            broken = error.reason in BROKEN
            if error.reason is not StoreReason.MOVED:
                # What cannot be read may be what is left of a file that is gone.
                self._connections.check_place()
            raise
        finally:
            try:
                if connection.usable and connection.raw.in_transaction:
                    _roll_back(connection.raw)
            finally:
                connection.lock.release()
                if broken and connection.usable:
                    self._connections.drop()

    def _short_after_undo(self, raw: sqlite3.Connection, rows: list[Row]) -> list[tuple[int, int]]:
        _roll_back(raw)
        return self.short_keys(rows)

    def _commit(self, connection: Connection) -> None:
        """Commit. An error does not say that nothing was written: look, and only then report."""
        try:
            connection.raw.execute("COMMIT")
        except sqlite3.Error as error:
            path = str(self._connections.path)
            if connection.raw.in_transaction:
                # Still open, so certainly not written; the caller rolls it back.
                raise explain(error, path) from error
            changes: Changes | None = getattr(self._local, "changes", None)
            witness = None if changes is None else find_witness(changes)
            try:
                connection.reopen()
            except StoreError:
                self._connections.forget()
                raise
            if witness is None:
                raise StoreError(
                    f"{path}: the disk failed while this was written, and nothing tells whether "
                    "it was; read the state before you repeat it",
                    reason=StoreReason.IO,
                ) from error
            if not witness.is_written(connection.raw):
                raise explain(error, path) from error
            told = {"event": "store.doubtful_commit", "store": str(path)}
            _log.warning(
                "%s: COMMIT failed but the transaction is there (%s)", path, error, extra=told
            )

    def apply(self, changes: Changes) -> None:
        """Write, and note a row by which a doubtful commit can be settled."""
        super().apply(changes)
        self._local.changes = changes

    def write_count(self) -> int:
        """SQLite's count of other connections' commits. Two connections' counts are not
        comparable, so each thread's answers lie in a range of their own."""
        connection = self._connections.get()
        try:
            (version,) = connection.raw.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise explain(error, self._connections.name) from error
        return connection.serial << 32 | int(version)

    def forget_erased(self) -> None:
        """Empty the write-ahead log, which still holds the pages as they were.

        Raises:
            StoreError: a reader still needs the log; the data is gone from the database itself.
                Or, inside `together`, nothing is final yet that could be forgotten.
        """
        connection = self._connections.get()
        if self._is_together():
            raise StoreError(
                f"{self._connections.path}: erase on its own, not together with others",
                reason=StoreReason.MISUSED,
            )
        connection.lock.acquire()
        try:
            with explained(str(self._connections.path)):
                busy, *_ = connection.patiently(
                    lambda: connection.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                )
        finally:
            connection.lock.release()
        if busy:
            raise StoreError(
                "the personal data is removed, but a long reader keeps an old copy in the "
                "write-ahead log; erase again when it has finished",
                reason=StoreReason.LOCKED,
            )

    def health(self) -> Mapping[str, str]:
        """Facts for `doctor`."""
        raw = self._raw()

        def pragma(name: str) -> str:
            return str(raw.execute(f"PRAGMA {name}").fetchone()[0])

        facts = {
            "engine": f"SQLite {sqlite3.sqlite_version}",
            "path": str(self._connections.path),
            "journal": pragma("journal_mode"),
            "synchronous": {"1": "NORMAL", "2": "FULL", "3": "EXTRA"}[pragma("synchronous")],
            "schema version": pragma("user_version"),
            "size": str(int(pragma("page_count")) * int(pragma("page_size"))),
        }
        if sqlite3.sqlite_version_info < SOUND:
            facts["hazard"] = (
                f"SQLite {sqlite3.sqlite_version} has the WAL-reset race (fixed in 3.51.3): let "
                "only domcore write to this file; its writer lock keeps checkpoints apart"
            )
        return facts

    def close(self) -> None:
        """Close every thread's connection."""
        self._connections.close()


def _roll_back(raw: sqlite3.Connection) -> None:
    try:
        raw.execute("ROLLBACK")
    except sqlite3.Error:
        # SQLite has rolled back by itself (disk full, I/O error).
        if raw.in_transaction:
            raise


def _roll_back_part(raw: sqlite3.Connection) -> None:
    # A full disk makes SQLite roll the whole transaction back by itself.
    if raw.in_transaction:
        raw.execute(f"ROLLBACK TO {_PART}")
        raw.execute(f"RELEASE {_PART}")
