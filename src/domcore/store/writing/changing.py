"""What becomes of telling nodes that an order's person has changed."""

from __future__ import annotations

from collections.abc import Callable

from domcore.errors import NotFound
from domcore.store.changes import Changes
from domcore.store.operations.changing import node_knows, stop_instead
from domcore.store.operations.notices import split_id
from domcore.store.operations.order_work import OrderWork, load_work
from domcore.store.writing.common import Writes


class ChangingWrites(Writes):
    """Nodes that were told, or cannot be."""

    def told_change(self, fulfillment_order: str, *, now: int) -> None:
        """See `Store.told_change`."""

        def settle(work: OrderWork, key: tuple[int, int]) -> None:
            node_knows(self._backend, work, key, now)

        self._with_work(fulfillment_order, settle, now)

    def stop_instead(self, fulfillment_order: str, *, now: int) -> None:
        """See `Store.stop_instead`."""

        def stop(work: OrderWork, key: tuple[int, int]) -> None:
            stop_instead(work, key, self._backend.nodes(), now)

        self._with_work(fulfillment_order, stop, now)

    def _with_work(
        self, name: str, do: Callable[[OrderWork, tuple[int, int]], None], now: int
    ) -> None:
        order_id, sequence, code = split_id(name)
        backend, changes = self._backend, Changes()
        with backend.writing():
            ids = {node: node_id for node_id, node in backend.nodes().items()}
            key = (sequence, ids.get(code, 0))
            known = backend.select("orders", "id", [order_id])
            work = load_work(backend, changes, [order_id] if known else []).get(order_id)
            if work is None or key not in work.work:
                raise NotFound(f"there is no fulfillment order {name[:100]!r}")
            do(work, key)
            self._apply(changes, now)
