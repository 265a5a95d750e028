"""Work at nodes that are closed."""

from __future__ import annotations

from domcore.store.changes import Changes
from domcore.store.operations.order_work import load_work
from domcore.store.operations.recall import closed_nodes, recall
from domcore.store.rows import OutboxRow
from domcore.store.writing.common import Writes

MOST_DUE = 10_000
"""Due words to nodes that are looked at."""


class RecallWrites(Writes):
    """Taking work back."""

    def recall(self, *, now: int, limit: int, after: int = 0) -> int:
        """See `Store.recall`."""
        backend = self._backend
        with backend.reading():
            closed = closed_nodes(self._network(), backend.nodes())
            ids = backend.unbegun(sorted(closed), after, limit) if closed else []
        self._recall(ids, now)
        return ids[-1] if ids else 0

    def recall_due(self, *, now: int) -> int:
        """See `Store.recall_due`."""
        backend = self._backend
        with backend.reading():
            closed = closed_nodes(self._network(), backend.nodes())
            due = map(OutboxRow._make, backend.due("release", now, MOST_DUE)) if closed else ()
            ids = sorted({row.order_id for row in due if row.node_id in closed})
        return self._recall(ids, now)

    def _recall(self, order_ids: list[int], now: int) -> int:
        if not order_ids:
            return 0
        backend, changes, units = self._backend, Changes(), 0
        with backend.writing():
            nodes = backend.nodes()
            closed = closed_nodes(self._network(), nodes)
            for work in load_work(backend, changes, order_ids).values():
                units += recall(work, closed, nodes, now)
            self._apply(changes, now)
        return units
