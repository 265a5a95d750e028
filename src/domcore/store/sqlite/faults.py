"""Turns what SQLite says into what domcore says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from domcore.errors import ConflictError, DomcoreError, StoreError


def explain(error: sqlite3.Error, where: str) -> DomcoreError:
    """The house exception for a SQLite error, saying what to do about it."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if isinstance(error, sqlite3.IntegrityError):
        return ConflictError(f"{where}: the database's own checks forbid this write ({error})")
    texts = {
        sqlite3.SQLITE_BUSY: "another process holds the write lock; nothing was written. "
        "Try again, and find the process that keeps a transaction open",
        sqlite3.SQLITE_LOCKED: "another connection holds a lock; nothing was written. Try again",
        sqlite3.SQLITE_FULL: "the disk is full; nothing was written. Make room and try again",
        sqlite3.SQLITE_READONLY: "the database is read-only for this process; "
        "check the permissions of the file and its folder",
        sqlite3.SQLITE_NOTADB: "this file is not a SQLite database; check the path",
        sqlite3.SQLITE_CORRUPT: "the database file is damaged; restore a backup, "
        "and look at it with `PRAGMA integrity_check`",
        sqlite3.SQLITE_CANTOPEN: "the database cannot be opened; "
        "check that its folder exists and may be written",
        sqlite3.SQLITE_IOERR: "the disk reported an error; nothing was acknowledged",
        sqlite3.SQLITE_PERM: "access to the database was refused; check its permissions",
    }
    return StoreError(f"{where}: {texts.get(code, f'SQLite cannot do this: {error}')}")


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Raise house exceptions in place of SQLite's."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, where) from error
