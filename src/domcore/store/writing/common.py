"""What all writing operations share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Final, TypeVar

from domcore.codec.text import is_text
from domcore.errors import PayloadError, Problem
from domcore.store.changes import Changes
from domcore.store.operations.kept_returns import take_up
from domcore.store.operations.recall import open_nodes
from domcore.store.operations.selling import note_offers
from domcore.store.operations.shortfalls import settle_shortfalls
from domcore.store.operations.waiting import wake
from domcore.store.queries import Queries
from domcore.store.rows import OrderRow

T = TypeVar("T")

_NAME: Final = "must be text that can be stored"

BATCH: Final = 1000
"""Items read from the caller at a time."""


class Writes(Queries):
    """Reading, for whom is written, and the owner a write belongs to."""

    def acting(self, by: str) -> AbstractContextManager[None]:
        """See `Store.acting`."""
        return self._backend.acting.as_by(by)

    def _owner(self, name: str) -> int:
        """The owner's id; a name never seen is a new owner. Inside `writing`."""
        if not is_text(name):
            raise PayloadError("nothing is taken in for this owner", [Problem("$.owner", _NAME)])
        owner_id = self._backend.owner_id(name)
        if owner_id is None:
            owner_id = self._backend.last_id("owner") + 1
            changes = Changes()
            changes.add("owners", (owner_id, name))
            self._backend.apply(changes)
        return owner_id

    def _apply(self, changes: Changes, now: int) -> None:
        """Write what may move stock: the balances it moves end as they must, and who waits for
        what it makes available is woken. Inside `writing`."""
        settle_shortfalls(self._backend, changes, now)
        wake(self._backend, changes, self._open_nodes, now)
        note_offers(self._backend, changes)
        self._backend.apply(changes)

    def _open_nodes(self) -> frozenset[int]:
        """The nodes that may ship. Inside `reading` or `writing`."""
        return open_nodes(self._network())

    def _take_up(self, order: OrderRow | None, now: int) -> None:
        """Carry out what is kept of an order's returns, and can be by now. Inside `writing`, after
        what has made it possible was written."""
        if order is not None:
            take_up(self._backend, self._bodies, order, now, lambda made: self._apply(made, now))


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """Values a thousand at a time."""
    iterator = iter(values)
    while batch := list(islice(iterator, BATCH)):
        yield batch
