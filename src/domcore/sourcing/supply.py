"""The snapshot that planning reads: items and physical availability by node position."""

from __future__ import annotations

from collections.abc import Iterable

from domcore.model import Item
from domcore.sourcing.field import Field

Balance = tuple[int, int, int, int, int, int]
"""item id, node id, on hand, reserved, blocked, safety: a row of the store's balances."""


class Supply:
    """What is where. Planning only reads it; its keeper feeds it rows and takes what it plans.

    `available` holds, by item id and node position, on hand - reserved - blocked where that is
    positive; `safety` the safety stock where there is any. An item id that is in neither has not
    been fetched yet.
    """

    __slots__ = ("available", "field", "items", "safety")

    def __init__(self, field: Field) -> None:
        self.field = field
        self.items: dict[tuple[str, str], tuple[int, Item]] = {}
        self.available: dict[int, dict[int, int]] = {}
        self.safety: dict[int, dict[int, int]] = {}

    def put_items(self, owner: str, found: Iterable[tuple[str, tuple[int, Item]]]) -> None:
        """Remember items by SKU."""
        for sku, entry in found:
            self.items[owner, sku] = entry

    def expect(self, item_ids: Iterable[int]) -> None:
        """Mark items as fetched, with nothing anywhere until rows say otherwise."""
        for item_id in item_ids:
            self.available[item_id] = {}
            self.safety.pop(item_id, None)

    def put_rows(self, rows: Iterable[Balance]) -> None:
        """Set balances as they are now; rows of items never asked for are passed over."""
        position = self.field.by_node_id
        available, safety = self.available, self.safety
        for item_id, node_id, on_hand, reserved, blocked, floor in rows:
            here = available.get(item_id)
            at = position.get(node_id)
            if here is None or at is None:
                continue
            free = on_hand - reserved - blocked
            if free > 0:
                here[at] = free
            else:
                here.pop(at, None)
            if floor:
                safety.setdefault(item_id, {})[at] = floor
            elif item_id in safety:
                safety[item_id].pop(at, None)

    def copied(self, owner: str, skus: Iterable[str]) -> Supply:
        """What there is of these SKUs now, in a snapshot of its own."""
        copy = Supply(self.field)
        for sku in skus:
            entry = self.items.get((owner, sku))
            if entry is not None:
                copy.put_items(owner, [(sku, entry)])
                copy.available[entry[0]] = dict(self.available[entry[0]])
                if entry[0] in self.safety:
                    copy.safety[entry[0]] = dict(self.safety[entry[0]])
        return copy

    def take(self, item_id: int, at: int, quantity: int) -> None:
        """A plan takes units; negative gives them back."""
        here = self.available[item_id]
        left = here.get(at, 0) - quantity
        if left > 0:
            here[at] = left
        else:
            here.pop(at, None)
