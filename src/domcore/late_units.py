"""Units that came while orders were planned that then were decided short.

Whoever makes units available wakes those who wait; but an order that is being planned does not wait
yet. So after such a decision is written, stock is looked at once more: what had come before was
not seen by the plan and woke nobody, what comes later wakes the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from domcore.planning import PlanningKit
from domcore.store.protocol import Commit, OpenOrder


def late_units(
    kit: PlanningKit, orders: Sequence[OpenOrder], commits: Iterable[Commit]
) -> dict[int, int]:
    """Units by item, of what these orders are short of, that are there now and were not when they
    were planned. Nothing is read where no order is short."""
    short = {commit.order_id for commit in commits if commit.reason}
    if not short:
        return {}
    items = {
        item_id
        for order in orders
        if order.order_id in short
        for item_id, units in zip(order.item_ids, order.open, strict=True)
        if units and item_id
    }
    field = kit.field
    before = _free(kit, items)
    kit.look(())
    if kit.field is not field:
        # The network has changed; that wakes everybody.
        return {}
    found: dict[int, int] = {}
    for (item_id, at), units in _free(kit, items).items():
        more = units - before.get((item_id, at), 0)
        if more > 0:
            found[item_id] = found.get(item_id, 0) + more
    return found


def _free(kit: PlanningKit, items: Iterable[int]) -> Mapping[tuple[int, int], int]:
    """Units above safety stock by item and node position, as the snapshot has them."""
    supply = kit.supply
    return {
        (item_id, at): units - supply.safety.get(item_id, {}).get(at, 0)
        for item_id in items
        for at, units in supply.available.get(item_id, {}).items()
    }
