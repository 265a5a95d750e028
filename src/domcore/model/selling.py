"""What goes between us and a channel besides orders: pages of news, and levels of stock."""

from __future__ import annotations

from attrs import frozen

from domcore.model.command import Command


@frozen(slots=True)
class Pulled:
    """A page of what a channel had: commands, where to go on, and whether there is more at once."""

    commands: tuple[Command, ...] = ()
    cursor: str = ""
    more: bool = False


@frozen(slots=True)
class StockLevel:
    """How much of a SKU a channel may sell.

    Args:
        external_ids: the channel's own ids of the item, from its aliases; may be empty.
        node: where, for a channel that sells by node; empty is the sum over its nodes.
        available: units, after safety stock and the channel's share; never negative.
    """

    sku: str
    external_ids: tuple[str, ...]
    node: str
    available: int
