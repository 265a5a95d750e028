"""Writing down many small results in one transaction, without keeping any of them waiting.

A transaction costs what the disk takes to be sure of it, whatever is in it. So the answers of
partners, and the pieces of a page of news, are written several at a time; each is still taken in,
or refused, by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from domcore.errors import StoreError
from domcore.working.round import SECOND, Round

MOST_ANSWERS: Final = 25
"""Answers of partners in one transaction: as many are in doubt when a worker dies."""

MOST_PIECES: Final = 100
"""Pieces of news in one transaction."""

LONGEST: Final = SECOND // 5
"""Microseconds after which what there is gets written, however little it is."""


class Answers:
    """What partners have answered and is not written yet, for one round."""

    def __init__(self, round: Round) -> None:
        self._round: Final = round
        self._waiting: list[Callable[[], None]] = []
        self._orders: set[int] = set()
        self._began = 0

    def expect(self, order_id: int) -> None:
        """Work for this order comes next. It sees every answer of the order, and where calls are
        slow, what has been answered before is not kept waiting by it."""
        if order_id in self._orders:
            self.write()
        if not self._waiting:
            self._began = self._round.now()

    def add(self, order_id: int, write: Callable[..., None], *given: Any) -> None:
        """Have this written, with others or at once."""
        self._waiting.append(lambda: write(*given))
        self._orders.add(order_id)
        late = self._round.now() - self._began >= LONGEST
        if late or len(self._waiting) >= MOST_ANSWERS:
            self.write()

    def write(self) -> None:
        """Write everything, in order.

        Raises:
            StoreError: nothing is written; what was answered is in doubt until it is looked up.
        """
        waiting, self._waiting = self._waiting, []
        self._orders.clear()
        if not waiting:
            return
        unexpected: Exception | None = None
        with self._round.dom.store.together():
            for write in waiting:
                try:
                    write()
                except StoreError:
                    raise
                except Exception as error:
                    # It must not undo the answers of others; it is told when they are safe.
                    unexpected = unexpected or error
        if unexpected is not None:
            raise unexpected


def take_together(
    round: Round, pieces: Iterable[Any], take: Callable[[Any], None], alone: Callable[[Any], bool]
) -> None:
    """Take pieces in, in order, many to a transaction; those that are `alone` in one of their own.

    `take` must deal with what it cannot take in.
    """
    waiting = deque(pieces)
    while waiting:
        if alone(waiting[0]):
            take(waiting.popleft())
            continue
        until, taken = round.now() + LONGEST, 0
        with round.dom.store.together():
            while waiting and taken < MOST_PIECES and not alone(waiting[0]):
                take(waiting.popleft())
                taken += 1
                if round.now() >= until:
                    break
