"""What the lines of orders name: SKUs and channels' own ids, looked up for a whole batch at once.

One look-up for a batch costs little more than one for an order. Whatever a batch has not announced
is looked up when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domcore.codec.text import is_text
from domcore.model.order import Order, OrderLine
from domcore.store.backend import Reader


class Naming:
    """Finds the items of lines. It remembers them, so it must not outlive its transaction.

    Args:
        orders: those whose lines are going to be asked for.
    """

    def __init__(self, reader: Reader, orders: Sequence[Order]) -> None:
        self._reader: Final = reader
        self._orders: Final = orders
        self._found: Final[dict[tuple[int, str], _Found]] = {}

    def find(
        self, owner_id: int, order: Order, names: Sequence[str]
    ) -> tuple[Mapping[str, str], dict[str, int]]:
        """What these names of the order's channel stand for: the SKU of each that is an alias, and
        the item id of each SKU that is an item."""
        key = (owner_id, order.channel)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = _Found({}, {}, set())
            self._look(key, found, _names_in(self._orders, order) or names)
        if not found.names.issuperset(names):
            self._look(key, found, [name for name in names if name not in found.names])
        ids = found.item_ids
        if not found.aliases:
            return {}, {name: ids[name] for name in names if name in ids}
        aliases = {name: found.aliases[name] for name in names if name in found.aliases}
        skus = [aliases.get(name, name) for name in names]
        return aliases, {sku: ids[sku] for sku in skus if sku in ids}

    def _look(self, key: tuple[int, str], found: _Found, names: Sequence[str]) -> None:
        owner_id, channel = key
        aliases = self._reader.aliases(owner_id, channel, names)
        skus = list(dict.fromkeys(aliases.get(name, name) for name in names))
        found.aliases.update(aliases)
        found.item_ids.update(self._reader.item_ids(owner_id, skus))
        found.names.update(names)


class _Found:
    """What has been looked up for one owner and channel."""

    __slots__ = ("aliases", "item_ids", "names")

    def __init__(self, aliases: dict[str, str], item_ids: dict[str, int], names: set[str]) -> None:
        self.aliases = aliases
        self.item_ids = item_ids
        self.names = names


def _names_in(orders: Sequence[Order], like: Order) -> list[str]:
    """What the lines of all orders of one owner and channel name. They have not been checked yet:
    what is no line or no text is left out."""
    names = dict.fromkeys(
        line.sku
        for order in orders
        if order.owner == like.owner and order.channel == like.channel
        if type(order.lines) is tuple
        for line in order.lines
        if type(line) is OrderLine and type(line.sku) is str and line.ships
    )
    if is_text("".join(names)):
        return list(names)
    return [name for name in names if is_text(name)]
