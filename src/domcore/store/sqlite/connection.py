"""Opens connections the way domcore needs them, and checks that it got what it asked for."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from attrs import frozen

from domcore.errors import StoreError, StoreReason
from domcore.store.sqlite.faults import explain, explained, is_busy
from domcore.store.sqlite.lock import WriterLock
from domcore.store.sqlite.own_transaction import callers_own, maybe_ours
from domcore.store.sqlite.sealing import know_seals

OLDEST: Final = (3, 37, 0)
"""STRICT tables came with this SQLite."""

SOUND: Final = (3, 51, 3)
"""From here on, several writers in WAL mode cannot meet the WAL-reset corruption race."""


T = TypeVar("T")

_OWN: Final = (
    "the caller itself holds the write lock: it has a transaction of its own open on this file, and"
    " a verb cannot write beside that. Nothing was written. Work inside that transaction with"
    " Domcore.joined(connection), or call the verb after its commit"
)
_MAYBE: Final = (
    "a connection of this very process holds the write lock; nothing was written. If it is the"
    " caller's own transaction, work inside it with Domcore.joined(connection), or call the verb"
    " after its commit; else find the thread that keeps a transaction open"
)


@frozen(slots=True)
class Settings:
    """How the database is used.

    Args:
        busy_timeout: milliseconds to wait for a lock somebody else holds.
        synchronous: ``FULL`` survives a power cut; ``NORMAL`` may lose acknowledged work in one.
    """

    busy_timeout: int = 10_000
    synchronous: str = "FULL"

    def pragmas(self) -> tuple[tuple[str, str | int, str | int], ...]:
        """``(name, value to set, value to read back)``."""
        levels = {"NORMAL": 1, "FULL": 2, "EXTRA": 3}
        if self.synchronous not in levels:
            raise StoreError(
                "synchronous must be FULL, EXTRA or NORMAL", reason=StoreReason.MISUSED
            )
        return (
            ("busy_timeout", self.busy_timeout, self.busy_timeout),
            ("synchronous", self.synchronous, levels[self.synchronous]),
            ("foreign_keys", "ON", 1),
            ("trusted_schema", "OFF", 0),
            ("cell_size_check", "ON", 1),
            ("recursive_triggers", "ON", 1),
            # What is erased must not be readable in the file afterwards.
            ("secure_delete", "ON", 1),
        )


FIRST_WAIT: Final = 100
"""Milliseconds that a statement waits for a lock before it is asked who holds it."""

Identity = tuple[int, int]
"""Device and inode of a file: a file of the same name may be another one."""


def identity_of(path: str) -> Identity | None:
    """Which file the path names now; None where it names none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def create_private(path: Path) -> None:
    """Create an empty database file that only its owner may read: it will hold names and
    addresses. SQLite gives its side files the same mode. One that exists keeps its own."""
    try:
        # Through a link that points to where the file is to be.
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = StoreReason.FULL if full else StoreReason.UNREACHABLE
        message = f"{path}: cannot be created: {error.strerror}"
        raise StoreError(message, reason=reason) from error


def mend_side_files(path: Path) -> None:
    """Let the log and its index be written where the database may be.

    SQLite gives them the database's mode when it makes them, and a process that may not write
    cannot remove them: once the database could not be written for a moment, they stay read-only
    behind it, and every later connection with them.
    """
    if not os.access(path, os.W_OK):
        return
    for name in (f"{path}-wal", f"{path}-shm"):
        if os.path.exists(name) and not os.access(name, os.W_OK):
            with suppress(OSError):  # somebody else's: the first write will say so
                os.chmod(name, os.stat(path).st_mode & 0o777)


class Connection:
    """A SQLite connection of one thread, with the writer lock that belongs to it."""

    def __init__(self, path: Path, settings: Settings, serial: int) -> None:
        self.serial: Final = serial
        self.pid: Final = os.getpid()
        self.lock: Final = WriterLock(
            path.with_name(path.name + ".lock"), settings.busy_timeout / 1000
        )
        self._path = path
        self._settings = settings
        self.usable = True
        if sqlite3.sqlite_version_info < OLDEST:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or later is needed",
                reason=StoreReason.OTHER,
            )
        try:
            # check_same_thread: a store is closed by one thread for all.
            self.raw = self._connect()
        except sqlite3.Error as error:
            raise explain(error, str(path)) from error
        try:
            self._configure()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        mend_side_files(self._path)
        # Never created here: where the file has been taken away, an empty one in its place would
        # look like a store without orders.
        return sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self._settings.busy_timeout / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )

    def reopen(self) -> None:
        """Start again on a fresh handle, keeping the writer lock: what the old one knew of the
        file cannot be trusted after a failed COMMIT."""
        self.usable = False
        with explained(str(self._path)):
            self.raw.close()
            self.raw = self._connect()
        self._configure()
        self.usable = True

    def _configure(self) -> None:
        with explained(str(self._path)):
            know_seals(self.raw)
            for name, wanted, expected in self._settings.pragmas():
                self.raw.execute(f"PRAGMA {name} = {wanted}").fetchall()
                got = self.raw.execute(f"PRAGMA {name}").fetchone()
                if got is None or got[0] != expected:
                    raise StoreError(
                        f"{self._path}: SQLite refuses PRAGMA {name} = {wanted}",
                        reason=StoreReason.OTHER,
                    )
            self._use_wal()
            self._wait(min(FIRST_WAIT, self._settings.busy_timeout))

    def _wait(self, milliseconds: int) -> None:
        self.raw.execute(f"PRAGMA busy_timeout = {milliseconds}").fetchall()

    def patiently(self, run: Callable[[], T]) -> T:
        """Try again what has waited for a moment in vain, now for the whole of the time-out."""
        self._wait(max(0, self._settings.busy_timeout - FIRST_WAIT))
        try:
            return run()
        finally:
            self._wait(min(FIRST_WAIT, self._settings.busy_timeout))

    def begin_patiently(self) -> None:
        """Begin to write when whoever holds the write lock lets go of it.

        Raises:
            StoreError: that is the caller itself, or it does not within the time-out.
        """
        if callers_own(self._path, self.raw):
            raise StoreError(f"{self._path}: {_OWN}", reason=StoreReason.LOCKED)
        try:
            self.patiently(lambda: self.raw.execute("BEGIN IMMEDIATE"))
        except sqlite3.OperationalError as error:
            if is_busy(error) and maybe_ours(self._path, self.raw):
                raise StoreError(f"{self._path}: {_MAYBE}", reason=StoreReason.LOCKED) from error
            raise

    def _use_wal(self) -> None:
        """Readers must not stop the writer. Switching needs the file alone, so it queues."""
        (mode,) = self.raw.execute("PRAGMA journal_mode").fetchone()
        if mode == "wal":
            return
        self.lock.acquire()
        try:
            (mode,) = self.raw.execute("PRAGMA journal_mode = WAL").fetchone()
        finally:
            self.lock.release()
        if mode != "wal":
            raise StoreError(
                f"{self._path}: this file system cannot keep a write-ahead log (got {mode}); "
                "use a local disk",
                reason=StoreReason.OTHER,
            )

    def close(self, *, wait: bool = True) -> None:
        """Close, unless it is another process's: its file handles are not ours to touch."""
        if self.pid != os.getpid():
            return
        # The last connection to leave checkpoints, which only the writer may do.
        self.lock.acquire(wait=wait)
        try:
            self.raw.close()
        except sqlite3.ProgrammingError:
            pass
        finally:
            self.lock.release()
            self.lock.close()

    def __del__(self) -> None:
        # Not waiting: the collector may run in the middle of another connection's transaction of
        # this thread. Then this is not the last one to leave, and there is nothing to checkpoint.
        if hasattr(self, "raw"):
            self.close(wait=False)


class Connections:
    """One connection per thread, opened on first use; none is used after a fork."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path: Final = path
        self.name: Final = str(path)
        self._settings = settings
        self._local = threading.local()
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._serials = count(1)
        self._closed = False
        self._pid = os.getpid()
        self._identity: Identity | None = None
        """Which file the first connection opened: all others must have the same."""

    def get(self) -> Connection:
        """The connection of the calling thread.

        Raises:
            StoreError: the store is closed, or the database cannot be opened.
        """
        connection: Connection | None = getattr(self._local, "connection", None)
        if self._pid != os.getpid():
            # SQLite's locks are the parent's: to use them here could corrupt the file.
            raise StoreError(
                f"{self.path}: this store was opened before a fork; close it before forking and "
                "open another in the child, or start processes with spawn",
                reason=StoreReason.CLOSED,
            )
        if connection is not None:
            return connection
        if self._closed:
            raise StoreError(f"{self.path}: this store is closed", reason=StoreReason.CLOSED)
        connection = self._connect()
        self._local.connection = connection
        with self._guard:
            self._open.add(connection)
        return connection

    def _connect(self) -> Connection:
        before = identity_of(self.name)
        if self._identity is not None and before != self._identity:
            raise self._moved()
        connection = Connection(self.path, self._settings, next(self._serials))
        if identity_of(self.name) != before:
            connection.close()
            raise self._moved()
        self._identity = before
        return connection

    def check_place(self) -> None:
        """The path still names the file that is open: what is written to one that was moved or
        deleted would be acknowledged and lost.

        Raises:
            StoreError: it names another file, or none.
        """
        if identity_of(self.name) != self._identity:
            raise self._moved()

    def _moved(self) -> StoreError:
        what = "is not there any more" if not self.path.exists() else "is another one now"
        return StoreError(
            f"{self.path}: the file that this process opened was moved, replaced or deleted: the "
            f"one of this name {what}; nothing was written. Put it back, or start this process "
            "again to work with what is there",
            reason=StoreReason.MOVED,
        )

    def drop(self) -> None:
        """Close this thread's connection; the next use opens another."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            connection.close()

    def forget(self) -> None:
        """Leave this thread's connection, which cannot be used any more; the next use opens one."""
        self._local.connection = None

    def close(self) -> None:
        """Close all of them."""
        self._closed = True
        with self._guard:
            for connection in list(self._open):
                connection.close()
            self._open.clear()
        self._local = threading.local()
