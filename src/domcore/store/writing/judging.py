"""Judging held orders anew."""

from __future__ import annotations

from collections.abc import Collection

from domcore.errors import NotFound
from domcore.model.policy import Hold
from domcore.store.changes import Changes
from domcore.store.hold_rows import HoldRow
from domcore.store.operations.asked import asked_of
from domcore.store.operations.judging import rejudge
from domcore.store.operations.order_work import load_work
from domcore.store.writing.common import Writes


class JudgingWrites(Writes):
    """For holds that were mistakes."""

    def rejudge(self, order_id: int, *, codes: Collection[str], now: int) -> tuple[Hold, ...]:
        """See `Store.rejudge`."""
        backend, changes = self._backend, Changes()
        with backend.writing():
            work = load_work(backend, changes, [order_id]).get(order_id)
            if work is None:
                raise NotFound(f"there is no order {order_id}")
            holds = [HoldRow(*row) for row in backend.select("hold", "order_id", [order_id])]
            (order,) = backend.select("orders", "id", [order_id])
            asked = asked_of(backend, order[1:4], now, backend.acting.by)
            lifted = rejudge(work, holds, asked.rows, codes, now)
            if lifted:
                self._apply(changes, now)
        return lifted
