"""What a store must do about what channels may sell: a part of `domcore.store.protocol.Store`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domcore.store.values import Publication, Sellable, Told


class Offering(Protocol):
    """Items as channels may sell them, what has changed of that, and what channels were told."""

    def sellable(self, channel: str, *, after: int = 0, limit: int) -> list[Sellable]:
        """Items of all owners by rising id after `after`, as `channel` may sell them."""
        ...

    def sellable_changes(
        self, channel: str, cursor: int, *, limit: int
    ) -> tuple[int, list[Sellable]]:
        """The items whose stock has changed in the `limit` ledger entries after `cursor`, and the
        new cursor."""
        ...

    def sellable_items(self, channel: str, item_ids: Sequence[int]) -> list[Sellable]:
        """Like `sellable`, of the items named."""
        ...

    def offer_cursor(self) -> int:
        """How many changes there were of what may be sold, other than of stock: orders that wait or
        no longer do, nodes that refuse an item or are asked for it again."""
        ...

    def offer_changes(self, cursor: int, *, limit: int) -> tuple[int, list[int]]:
        """The ids of items with such a change after `cursor`, about `limit` of them, and the new
        cursor; call it again until the cursor stays."""
        ...

    def undecided(self, *, now: int) -> dict[int, int]:
        """Open units, by item id, of orders that are due and were not decided yet."""
        ...

    def lift_exclusions(self, *, now: int, limit: int) -> int:
        """End exclusions of items whose time is over (see `record`), and wake the orders that wait
        for what is there; returns how many ended."""
        ...

    def publication(self, channel: str) -> Publication:
        """How far a channel has been told."""
        ...

    def publish(
        self,
        channel: str,
        told: Sequence[Told],
        *,
        before: Publication,
        after: Publication | None = None,
    ) -> None:
        """Remember what a channel has taken, and how far it has been told with that.

        Where somebody else has told it something since it was read, nobody knows what it heard
        last: it counts as `UNSURE`, and all of the channel will be compared. It will, too, where
        its basis is not that of `before` any more, for an alias has changed meanwhile.
        """
        ...
