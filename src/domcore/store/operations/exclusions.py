"""Nodes that are not asked again: for a line of an order, and for an item for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from domcore.model.correction import BY_HAND
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.news import Claim, Names, Share
from domcore.store.rows import ItemExclusionRow, LineExclusionRow, LineRow


class Exclusions:
    """The exclusions of one order at one node, while news of it is taken in.

    Args:
        until: how long a rejected item is not asked for; None does not exclude it.
        elsewhere: finds the rejections that stand of other work of the order at this node, by line.
    """

    def __init__(
        self,
        reader: Reader,
        changes: Changes,
        order_id: int,
        node_id: int,
        now: int,
        until: int | None,
        elsewhere: Callable[[], Mapping[int, Claim]],
    ) -> None:
        self._reader: Final = reader
        self._changes: Final = changes
        self._order_id: Final = order_id
        self._node_id: Final = node_id
        self._now: Final = now
        self._until: Final = until
        self._elsewhere: Final = elsewhere
        rows = reader.select("line_exclusion", "order_id", [order_id])
        self._lines = {row[1]: LineExclusionRow(*row) for row in rows if row[2] == node_id}
        self._items: dict[int, int] = {}
        self._left: set[int] = set()

    def settle(
        self, number: int, item_id: int, before: Share, after: Share, claim: Claim | None
    ) -> bool:
        """Exclude the node for a line where it has rejected units of it, or no longer where these
        have left all the same; whether anything changed.

        Args:
            claim: the rejection, of several the last; None where none was of this line.
        """
        self._items[number] = item_id
        if after.refused and claim is not None:
            written = self._exclude_line(number, claim)
            if (written or after.refused > before.refused) and self._until is not None:
                self._exclude_item(item_id, claim.reason, self._until)
            return written
        if before.refused and number in self._lines and not self._by_hand(number):
            return self._lift_line(number, item_id)
        return False

    def _lift_line(self, number: int, item_id: int) -> bool:
        """The line's units have left; only what other work says speaks against the node now."""
        known = self._lines.pop(number)
        other = self._elsewhere().get(number)
        if other is None:
            key = (self._order_id, number, self._node_id)
            self._changes.add("forget_line_exclusions", key)
            self._left.add(item_id)
            return True
        return self._exclude_line(number, other) and self._lines[number] != known

    def finish(self) -> None:
        """Ask the node again for items that have left it all the same, where nothing else that it
        has rejected lately speaks against that: no other line, of this order or of others."""
        here = {
            item_id
            for number, item_id in self._items.items()
            if number in self._lines and not self._by_hand(number)
        }
        for item_id in sorted(self._left - here):
            if self._item(item_id) is not None and not self._is_rejected_elsewhere(item_id):
                self._changes.add("forget_item_exclusions", (item_id, self._node_id))
                self._changes.offered.add(item_id)

    def _is_rejected_elsewhere(self, item_id: int) -> bool:
        """Whether the node has rejected the item for another order, no longer ago than an exclusion
        lasts."""
        if self._until is None:
            return False
        since = self._now - (self._until - self._now)
        rows = self._reader.select("line_exclusion", "node_id", [self._node_id])
        lately = {
            row[:2]
            for row in map(LineExclusionRow._make, rows)
            if row.at > since and row.order_id != self._order_id and row.reason not in BY_HAND
        }
        orders = sorted({order_id for order_id, _ in lately})
        lines = map(LineRow._make, self._reader.select("order_line", "order_id", orders))
        return any(line[:2] in lately and line.item_id == item_id for line in lines)

    def _exclude_line(self, number: int, claim: Claim) -> bool:
        row = LineExclusionRow(self._order_id, number, self._node_id, claim.at, claim.reason)
        known = self._lines.get(number)
        if known is not None and not self._by_hand(number) and known[3:] >= row[3:]:
            return False
        self._lines[number] = row
        self._changes.add("line_exclusions", row)
        return True

    def _by_hand(self, number: int) -> bool:
        """Whether it is a person's word; a node's own refusal takes its place."""
        return self._lines[number].reason in BY_HAND

    def _item(self, item_id: int) -> ItemExclusionRow | None:
        rows = self._reader.select("item_exclusion", "item_id", [item_id])
        found = (ItemExclusionRow(*row) for row in rows if row[1] == self._node_id)
        return next(found, None)

    def _exclude_item(self, item_id: int, reason: str, until: int) -> None:
        known = self._item(item_id)
        if known is None or known.until <= until:
            row = ItemExclusionRow(item_id, self._node_id, until, reason)
            self._changes.add("item_exclusions", row)
            self._changes.offered.add(item_id)


def rejection_of(number: int, claims: Sequence[Claim], names: Names) -> Claim | None:
    """The last refusal that is about a line."""
    mine = [
        claim
        for claim in claims
        if claim.is_refusal
        and (claim.whole or any(number in names.get(name, ()) for name, _ in claim.lines))
    ]
    return max(mine, key=lambda claim: (claim.at, claim.reason), default=None)
