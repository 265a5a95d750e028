"""Whether the write lock that a verb waits for is held by its own caller.

A transaction of the calling thread ends only after the verb: to wait for it is to wait in vain. It
is looked for once a verb has waited for a moment, so that nobody pays for it who need not wait.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_LOCKS: Final = Path("/proc/locks")
_WRITE_LOCK: Final = "120"
"""The byte of the ``-shm`` file that SQLite locks while it writes in WAL mode."""


def callers_own(path: Path, ours: sqlite3.Connection) -> bool:
    """Whether a transaction that only the calling thread can end holds the write lock on `path`.

    False where nobody can know: a connection that threads share may be another thread's.

    Args:
        ours: the connection that waits.
    """
    if _this_process_writes(path) is False:
        return False
    alone = len(sys._current_frames()) == 1
    return any((alone or _only_here(each)) and _is_on(each, path) for each in _open_here(ours))


def maybe_ours(path: Path, ours: sqlite3.Connection) -> bool:
    """Whether this process holds the lock by a connection that the calling thread may use."""
    return _this_process_writes(path) is not False and any(_open_here(ours))


def _open_here(ours: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Connections with a transaction that the calling thread may use."""
    for found in gc.get_objects():
        # The type is asked, not the object: proxies answer with what they stand for.
        if issubclass(type(found), sqlite3.Connection) and found is not ours:
            with suppress(sqlite3.Error):  # closed, or another thread's
                found.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
                if found.in_transaction:
                    yield found


def _only_here(connection: sqlite3.Connection) -> bool:
    """Whether no other thread may use it: another one is asked to try, and ends."""
    refused = []

    def use() -> None:
        try:
            connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
        except sqlite3.ProgrammingError:
            refused.append(True)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    return bool(refused)


def _is_on(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether one of its databases is that file."""
    cursor = sqlite3.Cursor(connection)
    cursor.row_factory = None
    with suppress(sqlite3.Error):
        for row in cursor.execute("PRAGMA database_list").fetchall():
            with suppress(OSError, TypeError, ValueError):
                if row[2] and os.path.samefile(row[2], path):
                    return True
    return False


def _this_process_writes(path: Path) -> bool | None:
    """Whether this process holds SQLite's write lock; None where the system does not tell."""
    try:
        inode = os.stat(f"{path}-shm").st_ino
        lines = _LOCKS.read_text("ascii").splitlines()
    except (OSError, ValueError):
        return None
    for line in lines:
        parts = line.split()
        if len(parts) == 8 and parts[5].endswith(f":{inode}") and parts[3] == "WRITE":
            first, last = parts[6], parts[7]
            if first == _WRITE_LOCK or (first.isdigit() and int(first) < 120 <= int(last)):
                return parts[4] == str(os.getpid())
    return None
