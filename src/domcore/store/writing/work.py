"""Writing the news of nodes."""

from __future__ import annotations

import hashlib

from domcore.errors import NotFound
from domcore.model.handover import Notice
from domcore.store.changes import Changes
from domcore.store.operations.inbox import remember, seen_before
from domcore.store.operations.notices import split_id, with_units
from domcore.store.operations.order_work import load_work
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.operations.record import papers_of, record
from domcore.store.operations.typed import content_of, typed
from domcore.store.protocol import Outcome
from domcore.store.rows import OrderRow
from domcore.store.writing.common import Writes


class WorkWrites(Writes):
    """News."""

    def record(self, notice: Notice, *, now: int, exclude_until: int | None = None) -> Outcome:
        """See `Store.record`."""
        notice = with_units(typed(notice, Notice, "this notice"))
        backend, changes = self._backend, Changes(notice.by)
        digest = hashlib.sha256(content_of(notice)).digest()
        order_id, sequence, code = split_id(notice.fulfillment_order)
        with backend.writing():
            nodes = {name: node_id for node_id, name in backend.nodes().items()}
            orders = backend.select("orders", "id", [order_id])
            place = (sequence, nodes.get(code, 0))
            work = load_work(backend, changes, [order_id] if orders else []).get(order_id)
            if work is None or place not in work.work:
                raise NotFound(f"there is no fulfillment order {notice.fulfillment_order[:100]!r}")
            owner_id, source = orders[0][1], f"node {code}"
            key = notice.key or f"content {digest.hex()}"
            repeat = seen_before(backend, owner_id, source, key, digest)
            if repeat is not None:
                return repeat
            (body,) = backend.select("order_body", "order_id", [order_id])
            name = fulfillment_id(order_id, sequence, code)
            order = self._bodies.order.load(body[3])
            papers = papers_of(backend, name, code, work.work[place], order)
            outcome = record(backend, self._bodies, work, papers, notice, now, exclude_until)
            remember(changes, owner_id, source, key, digest, outcome, now)
            self._apply(changes, now)
            self._take_up(OrderRow._make(orders[0]), now)
        return outcome
