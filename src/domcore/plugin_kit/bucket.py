"""How fast a partner may be asked: a bucket of calls that refills itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from domcore.errors import ConnectorError

SLOWEST: Final = 0.01
FASTEST: Final = 1000.0


class Bucket:
    """So many calls at once, and so many a second; `take` waits while it is empty.

    Args:
        size: calls that may be made at once, after a rest.
        rate: calls that come back each second.
        longest: seconds that a caller is made to wait at most; None is as long as it takes.
        clock: seconds that only ever grow.
        sleep: waits so many of them.
    """

    def __init__(
        self,
        size: float,
        rate: float,
        *,
        longest: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.size = float(size)
        self.rate = float(rate)
        self._longest = longest
        self._clock = clock
        self._sleep = sleep
        self._left = self.size
        self._at = clock()
        self._lock = threading.Lock()

    def take(self, patience: float | None = None) -> None:
        """Use one call up, after the wait that it costs.

        Args:
            patience: seconds that this caller would wait at most.

        Raises:
            ConnectorError: it would take longer; nothing was used up, `retry_after` says how long.
        """
        with self._lock:
            now = self._clock()
            refilled = self._left + max(now - self._at, 0) * self.rate
            self._left, self._at = min(self.size, refilled), now
            wait = max(0.0, (1 - self._left) / self.rate)
            allowed = [each for each in (patience, self._longest) if each is not None]
            if allowed and wait > min(allowed):
                raise ConnectorError("the rate limit is used up", retry_after=wait)
            self._left -= 1
        if wait:
            self._sleep(wait)

    def hear(self, used: int, size: int) -> None:
        """The partner's own count of the calls in its bucket; it counts where it is the lower."""
        with self._lock:
            if size > 0:
                self.size = float(size)
                self._left = min(self._left, float(size - used))

    def learn(self, told: str) -> None:
        """The partner's own rate in calls a second, as a header tells it; taken if it is one."""
        try:
            rate = float(told)
        except ValueError:
            return
        if SLOWEST <= rate <= FASTEST:
            self.rate = rate

    def empty(self) -> None:
        """The partner says that it was too much: begin again from nothing."""
        with self._lock:
            self._left, self._at = min(self._left, 0.0), self._clock()
