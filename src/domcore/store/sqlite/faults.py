"""Turns what SQLite says into what domcore says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from domcore.errors import ConflictError, DomcoreError, StoreError, StoreReason

_MOVED: Final = 1032
"""SQLITE_READONLY_DBMOVED, which older Pythons do not name."""

_KNOWN: Final[Mapping[int, tuple[StoreReason, str]]] = {
    sqlite3.SQLITE_BUSY: (
        StoreReason.LOCKED,
        (
            "another process holds the write lock; nothing was written. "
            "Try again, and find the process that keeps a transaction open"
        ),
    ),
    sqlite3.SQLITE_LOCKED: (
        StoreReason.LOCKED,
        "another connection holds a lock; nothing was written. Try again",
    ),
    sqlite3.SQLITE_PROTOCOL: (
        StoreReason.LOCKED,
        "other processes keep the locks busy; nothing was written. Try again",
    ),
    sqlite3.SQLITE_FULL: (
        StoreReason.FULL,
        "the disk is full; nothing was written. Make room and try again",
    ),
    sqlite3.SQLITE_READONLY: (
        StoreReason.READ_ONLY,
        (
            "the database is read-only for this process; "
            "check the permissions of the file and its folder"
        ),
    ),
    sqlite3.SQLITE_NOTADB: (
        StoreReason.FOREIGN,
        "this file is not a SQLite database; check the path",
    ),
    sqlite3.SQLITE_CORRUPT: (
        StoreReason.DAMAGED,
        (
            "the database file is damaged; restore a backup, "
            "and look at it with `PRAGMA integrity_check`"
        ),
    ),
    sqlite3.SQLITE_CANTOPEN: (
        StoreReason.UNREACHABLE,
        "the database cannot be opened; check that its folder exists and may be written",
    ),
    sqlite3.SQLITE_IOERR: (StoreReason.IO, "the disk reported an error; nothing was acknowledged"),
    sqlite3.SQLITE_PERM: (
        StoreReason.UNREACHABLE,
        "access to the database was refused; check its permissions",
    ),
    _MOVED: (
        StoreReason.MOVED,
        (
            "the database was moved or deleted while it was in use; nothing was written. "
            "Put it back, or start again with its new path"
        ),
    ),
}
"""By SQLite's code: the extended one where it is known, else the primary one."""


def explain(error: sqlite3.Error, where: str) -> DomcoreError:
    """The house exception for a SQLite error, saying what to do about it."""
    if isinstance(error, sqlite3.IntegrityError):
        return ConflictError(f"{where}: the database's own checks forbid this write ({error})")
    code = getattr(error, "sqlite_errorcode", None) or 0
    other = (StoreReason.OTHER, f"SQLite cannot do this: {error}")
    reason, text = _KNOWN.get(code) or _KNOWN.get(code & 0xFF) or other
    return StoreError(f"{where}: {text}", reason=reason)


BROKEN: Final = frozenset(
    {StoreReason.READ_ONLY, StoreReason.IO, StoreReason.UNREACHABLE, StoreReason.DAMAGED}
)
"""After these a connection is opened anew: what it knows of the file may be of a bad moment. One
that was opened while the file could not be written stays read-only for good."""


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else holds a lock."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    return code & 0xFF == sqlite3.SQLITE_BUSY


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Raise house exceptions in place of SQLite's."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, where) from error
