"""An advisory lock in front of SQLite's own, so that every writer gets its turn.

SQLite's busy handler sleeps and tries again, so under load one process may write thousands of
times while another waits for its whole time-out. Here a writer that has to wait stands alone at
the lock, with a gate closed behind it: whoever has just written comes back to the gate, behind
all others, and cannot take the lock twice in a row while somebody waits.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from domcore.errors import StoreError, StoreReason

try:
    import fcntl
except ImportError:  # no flock on this platform: SQLite's busy handler has to do
    fcntl = None  # type: ignore[assignment]

FIRST_NAP: Final = 0.000_05
LONGEST_NAP: Final = 0.001
"""Seconds between two tries: short enough for a hand-over within a commit's own time."""


class WriterLock:
    """The lock and gate files beside a database. One per connection: handles of its own.

    Args:
        path: the lock file; None for a database that is nobody else's.
        timeout: seconds to wait for our turn.
    """

    def __init__(self, path: Path | None, timeout: float = 10.0) -> None:
        self._path = path
        self._timeout = timeout
        self._lock = -1
        self._gate = -1
        self._depth = 0

    def acquire(self, *, wait: bool = True) -> None:
        """Wait for our turn; without `wait`, take it only if it is free.

        Without flock, or without a folder we may write to, there is no queue. Holders keep the
        lock for one short transaction, and the kernel takes it from a process that dies.

        Who has it already has it once more, and releases it as often.

        Raises:
            StoreError: somebody has held it for longer than the time-out; we hold nothing.
        """
        if self._depth:
            self._depth += 1
            return
        if self._path is None or fcntl is None or not self._open(self._path):
            return
        if not wait:
            self._depth = int(_try(self._lock))
            return
        try:
            deadline = 0.0
            if not _try(self._gate):
                deadline = monotonic() + self._timeout
                _take(self._gate, deadline)
            if not _try(self._lock):
                _take(self._lock, deadline or monotonic() + self._timeout)
            self._depth = 1
        except TimeoutError:
            raise StoreError(
                f"{self._path}: another process or thread has held the write lock for"
                f" {self._timeout:g} seconds; nothing was written. Find it, and try again",
                reason=StoreReason.LOCKED,
            ) from None
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _open(self, path: Path) -> bool:
        if self._lock < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            try:
                self._lock = os.open(path, flags, 0o660)
                self._gate = os.open(path.with_name(path.name + "-gate"), flags, 0o660)
            except OSError:
                self.close()
                return False
        return True

    def release(self) -> None:
        """Let the next one in, once as often released as acquired."""
        self._depth -= 1
        if self._depth > 0:
            return
        self._depth = 0
        if self._lock >= 0 and fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the handles back, and with them the lock."""
        for handle in (self._lock, self._gate):
            if handle >= 0:
                os.close(handle)
        self._lock = self._gate = -1
        self._depth = 0


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(handle: int, deadline: float) -> None:
    nap = FIRST_NAP
    while not _try(handle):
        if monotonic() >= deadline:
            raise TimeoutError
        sleep(nap)
        nap = min(nap * 2, LONGEST_NAP)
