"""Fetches the signals that rules read: open work of nodes, and what has left them lately."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domcore.model.clock import to_micros
from domcore.rules.signals import COVER, WORK, Signals
from domcore.sourcing.supply import Supply
from domcore.store.protocol import Store


class Signaller:
    """Asks the store once per look at the stock, and only for what some rule reads.

    What this application plans meanwhile is counted in at once, so that the orders of one batch see
    each other's work.

    Args:
        days: over how many days demand is counted.
    """

    def __init__(self, store: Store, days: int) -> None:
        self._store = store
        self._days = max(1, days)
        self._work: dict[str, list[int]] | None = None
        self._shipped: dict[int, dict[int, int]] = {}

    @property
    def knows_work(self) -> bool:
        """Whether open work has been asked for since the last look."""
        return self._work is not None

    def forget(self) -> None:
        """The store is looked at anew: ask again when next needed."""
        self._work = None
        self._shipped.clear()

    def of(
        self, reads: frozenset[str], items: Sequence[tuple[str, int]], supply: Supply, now: datetime
    ) -> Signals | None:
        """The signals that a program reads, of the nodes that hold any of the items.

        Args:
            reads: the names of the facts it reads.
            items: ``(SKU, item id)`` of what is open.
        """
        asks_work, asks_cover = not WORK.isdisjoint(reads), COVER in reads
        if not (asks_work or asks_cover):
            return None
        holders = sorted({at for _, item_id in items for at in supply.available[item_id]})
        work = self._open_work() if asks_work else {}
        nodes = supply.field.nodes
        of_node = {at: work[nodes[at].id] for at in holders if nodes[at].id in work}
        shipped = self._left(items, now) if asks_cover else {}
        position = supply.field.by_node_id
        return Signals(
            {at: (orders, units) for at, (orders, units) in of_node.items()},
            self._days if asks_cover else 0,
            {
                sku: {
                    position[node_id]: units
                    for node_id, units in sorted(shipped[item_id].items())
                    if node_id in position and position[node_id] in supply.available[item_id]
                }
                for sku, item_id in items
                if item_id in shipped
            },
        )

    def take(self, planned: Iterable[tuple[str, int]], sign: int) -> None:
        """Count in what an order was planned to take: ``(node, units)``; -1 takes it back."""
        if self._work is None:
            return
        seen = set()
        for node, units in planned:
            here = self._work.setdefault(node, [0, 0])
            here[0] += 0 if node in seen else sign
            here[1] += sign * units
            seen.add(node)

    def _open_work(self) -> dict[str, list[int]]:
        if self._work is None:
            self._work = {row.node: [row.orders, row.units] for row in self._store.backlog()}
        return self._work

    def _left(self, items: Sequence[tuple[str, int]], now: datetime) -> dict[int, dict[int, int]]:
        unknown = sorted({item_id for _, item_id in items} - self._shipped.keys())
        if unknown:
            since = max(0, to_micros(now - timedelta(days=self._days)))
            self._shipped.update({item_id: {} for item_id in unknown})
            for (item_id, node_id), units in self._store.shipped_since(unknown, since).items():
                if units > 0:
                    self._shipped[item_id][node_id] = units
        return self._shipped
