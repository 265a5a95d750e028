"""A command that goes on until it is asked to end: signals, waiting, and a store in trouble."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from domcore.cli.pipes import reader_gone
from domcore.errors import StoreError, StoreReason

if TYPE_CHECKING:
    from domcore.app import Domcore

_SLICE: Final = 0.1
_JITTER: Final = 0.1

LONGEST: Final = 60.0
"""Seconds between two looks at a store in trouble, where rounds are not farther apart anyway."""


class Stop:
    """Whether a signal has asked for the end."""

    def __init__(self) -> None:
        self.signal = 0

    def hear(self, number: int, _frame: Any) -> None:
        """Remember the first signal; a second Ctrl-C ends at once."""
        if self.signal and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number

    def __call__(self) -> bool:
        return bool(self.signal)

    def sleep(self, seconds: float) -> None:
        """Wait, but not past a signal."""
        until = time.monotonic() + seconds
        while not self.signal and (left := until - time.monotonic()) > 0:
            time.sleep(min(_SLICE, left))


@contextmanager
def patiently() -> Iterator[Stop]:
    """Inside, signals wait for the piece of work in hand."""
    stop = Stop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [(number, signal.signal(number, stop.hear)) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def pause(every: float, troubles: int) -> float:
    """Seconds until the next round, after so many in a row in which the store could not be used:
    twice as long each time, up to a minute."""
    if not troubles:
        return every
    return max(every, min(every * 2.0 ** min(troubles, 20), LONGEST))


class Loop:
    """Round after round with an application.

    A store that cannot be used for the moment - locked, full, not mounted - is told, and tried
    again after longer and longer. Unless it was only locked, it is opened anew: what an old
    connection knows of a disk that came back cannot be trusted.

    Args:
        open: gives the application.
        round: one round; its exit code.
        told: takes the error of a round that could not be done.
        every: seconds between rounds.
    """

    def __init__(
        self,
        open: Callable[[], Domcore],
        round: Callable[[Domcore], int],
        told: Callable[[StoreError], int],
        *,
        every: float,
    ) -> None:
        self._open: Final = open
        self._round: Final = round
        self._told: Final = told
        self._every: Final = every
        self._troubles = 0
        self._dom: Domcore | None = None

    def run(self, stop: Stop) -> int:
        """Go on until a signal, or until nobody reads any more; the last round's exit code.

        Raises:
            StoreError: waiting will not help; or there is no store when it begins.
        """
        self._dom = self._open()
        try:
            code = self._next()
            while not (stop.signal or reader_gone()):
                jitter = random.uniform(1 - _JITTER, 1 + _JITTER)
                stop.sleep(pause(self._every, self._troubles) * jitter)
                if not stop.signal:
                    code = self._next()
        finally:
            self._close()
        return code

    def _next(self) -> int:
        try:
            if self._dom is None:
                self._dom = self._open()
            code = self._round(self._dom)
        except StoreError as error:
            if not error.passing:
                raise
            self._troubles += 1
            if error.reason is not StoreReason.LOCKED:
                self._close()
            return self._told(error)
        self._troubles = 0
        return code

    def _close(self) -> None:
        dom, self._dom = self._dom, None
        if dom is not None:
            # A store in trouble may not let go in order either; the next one is opened anew.
            with suppress(StoreError):
                dom.close()
