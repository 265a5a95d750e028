"""The look-ups behind the queue, the line and what may be sold, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from domcore.store.changes import Row
from domcore.store.memory.table import MemoryTable
from domcore.store.waiting_rows import BEFORE_ALL, IN_LINE


class MemoryWaiting:
    """See `domcore.store.backend.Reader`."""

    _tables: dict[str, MemoryTable]

    def queue(self, now: int, after: tuple[int, int], limit: int) -> list[Row]:
        """Orders due for routing, by when they became due."""
        bodies = self._tables["order_body"].rows
        rows = self._tables["order_state"].by("queue", True)
        due = [
            (row.retry_at, row.order_id, row)
            for row in rows
            if row.retry_at <= now and (row.retry_at, row.order_id) > after
        ]
        return [
            (*row[:1], row.version, row.sequence, row.revision, bodies[row[:1]].body,
             row.reason, row.retry_at)
            for _, _, row in sorted(due)[:limit]
        ]  # fmt: skip

    def glance(self) -> tuple[bool, bool]:
        """Whether any item is excluded anywhere, and whether any order has been woken."""
        return bool(self._tables["item_exclusion"].rows), self._tables["waiting"].has("woken", True)

    def waited_for(self, item_ids: Sequence[int]) -> list[int]:
        """Those of the items that an order in line waits for."""
        has = self._tables["waiting"].has
        return sorted(each for each in set(item_ids) if has("line", (IN_LINE, each)))

    def in_line(
        self, item_id: int, stage: int, after: tuple[int, int] | None, limit: int
    ) -> list[Row]:
        """Rows of ``waiting`` for an item at a stage, the oldest order first."""
        rows = self._tables["waiting"].by("line", (stage, item_id))
        found = [(row.placed_at, row.order_id, row) for row in rows]
        return [row for *key, row in sorted(found) if tuple(key) > (after or BEFORE_ALL)][:limit]

    def waited_units(self, item_ids: Sequence[int]) -> dict[int, int]:
        """Units that orders wait for, by item."""
        wanted, found = set(item_ids), dict[int, int]()
        for row in self._tables["waiting"]:
            if row.item_id in wanted:
                found[row.item_id] = found.get(row.item_id, 0) + row.units
        return found

    def undecided(self, now: int) -> dict[int, int]:
        """Open units of orders that are due and wait for nothing, by item."""
        states = self._tables["order_state"].by("queue", True)
        due = [s.order_id for s in states if s.retry_at <= now and not (s.reason or s.hold)]
        found: dict[int, int] = {}
        for line in self._tables["order_line"].among("order_id", due):
            if line.open and line.item_id is not None:
                found[line.item_id] = found.get(line.item_id, 0) + line.open
        return dict(sorted(found.items()))

    def last_offer(self) -> int:
        """The last change of ``offer``."""
        return max((row.seq for row in self._tables["offer"]), default=0)

    def offers(self, cursor: int, limit: int) -> list[Row]:
        """Rows of ``offer`` after `cursor`, in order."""
        rows = [row for row in self._tables["offer"] if row.seq > cursor]
        return sorted(rows, key=lambda row: (row.seq, row.item_id))[:limit]

    def ended_exclusions(self, now: int, limit: int) -> list[Row]:
        """Rows of ``item_exclusion`` whose time is over."""
        rows = [row for row in self._tables["item_exclusion"] if row.until <= now]
        return sorted(rows, key=lambda row: (row.until, *row[:2]))[:limit]
