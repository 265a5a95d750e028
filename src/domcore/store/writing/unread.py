"""Writing what came and could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domcore.store.changes import Changes
from domcore.store.operations.setbacks import find_parked
from domcore.store.operations.unread import (
    NAMING,
    forget_unread,
    headers_of,
    keep_unread,
    superseded,
    unread_at,
)
from domcore.store.rows import OutboxRow, UnreadRow
from domcore.store.values import Unread
from domcore.store.writing.common import Writes

MOST_READ: Final = 10_000
"""Deliveries looked at in one transaction."""


class UnreadWrites(Writes):
    """Deliveries that wait for a person."""

    def keep_unread(self, unread: Unread, *, now: int) -> tuple[str, bool] | None:
        """See `Store.keep_unread`."""
        changes = Changes()
        with self._backend.writing():
            kept = keep_unread(self._backend, changes, unread, now)
            self._backend.apply(changes)
        return kept

    def unread(self, name: str) -> Unread | None:
        """See `Store.unread`."""
        with self._backend.reading():
            row = find_parked(self._backend, name)
            if isinstance(row, OutboxRow):
                return None
            found = unread_at(self._backend, row.consumer, row.seq)
        if found is None or not found.body:
            return None
        told = (found.external_id, found.number, found.revision, found.body)
        return Unread(found.consumer, row.note, *told, headers_of(found))

    def forget_superseded(self, *, now: int) -> int:
        """See `Store.forget_superseded`."""
        with self._backend.reading():
            if not self._backend.page("unread", NAMING, None, 1):
                return 0
        changes = Changes()
        with self._backend.writing():
            rows = self._backend.page("unread", NAMING, None, MOST_READ)
            gone = superseded(self._backend, [UnreadRow._make((*row, b"", b"")) for row in rows])
            for row in gone:
                forget_unread(changes, row)
            self._backend.apply(changes)
        if gone:
            self._backend.forget_erased()
        return len(gone)

    def _kept(self, consumers: Sequence[str]) -> set[tuple[str, int]]:
        """Of which setbacks what came is kept."""
        rows = map(UnreadRow._make, self._backend.select("unread", "consumer", consumers))
        return {(row.consumer, row.seq) for row in rows if row.body}
