"""Network, items and stock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve

from domcore.model import (
    Alias,
    Item,
    Network,
    ObserveStock,
)
from domcore.model.postal import normal_node
from domcore.publishing import Availability, availability
from domcore.sourcing.rates import Rates
from domcore.store.protocol import (
    Outcome,
    StockFilter,
    StockView,
)
from domcore.telemetry import traced
from domcore.validity import check_network, checked_items
from domcore.verbs.core import Core

RECALLED: Final = 500
"""Orders whose work is taken back from closed nodes in one transaction."""

CHANGES_AT_ONCE: Final = 5000
"""Entries of the ledger looked at at a time."""


class GoodsVerbs(Core):
    """What is where."""

    def load_network(self, network: Network, *, by: str = "") -> int:
        """Replace the network; returns how many nodes it has.

        Work that nobody has begun at nodes that are switched off, or not named any more, is taken
        back, and its orders are routed anew.

        Raises:
            ConfigurationError: a node or rate card cannot be used (see `check_network` and
                `Rates`); nothing is changed.
        """
        check_network(network)
        nodes = sorted(map(normal_node, network.nodes), key=lambda node: node.id)
        network = evolve(network, nodes=tuple(nodes))
        Rates(network)
        with self.acting(by):
            self.store.save_network(network, now=self._micros())
            after = 0
            while after := self.store.recall(now=self._micros(), limit=RECALLED, after=after):
                pass
        self._kit.forget()
        return len(network.nodes)

    def network(self) -> Network:
        """The network as it stands."""
        return self.store.network().network

    def load_items(
        self,
        items: Iterable[Item],
        aliases: Iterable[Alias] = (),
        *,
        owner: str = "main",
        by: str = "",
    ) -> int:
        """Insert or replace items and aliases of an owner; returns how many items were written.

        Raises:
            PayloadError: an item is none, or an alias names none; nothing is changed.
        """
        self._kit.currency(owner)
        with self.acting(by):
            now = self._micros()
            written = self.store.save_items(owner, checked_items(items), aliases, now=now)
        self._kit.forget()
        return written

    @traced
    def observe(self, command: ObserveStock, *, by: str = "") -> Outcome:
        """Take in counts and deltas of stock.

        Raises:
            PayloadError: an unknown SKU or node, or a quantity out of range.
        """
        with self.acting(by):
            return self._intake.observe(command)

    def stock(
        self, wanted: StockFilter | None = None, *, limit: int = 50,
        after: tuple[int, int] = (0, 0),
    ) -> list[StockView]:  # fmt: skip
        """Balances, a page at a time."""
        return self.store.find_stock(wanted or StockFilter(), limit=limit, after=after)

    def stock_changes(
        self, cursor: int, wanted: StockFilter | None = None
    ) -> tuple[int, list[StockView]]:
        """The balances that have changed since `cursor`, as they are now, and the new cursor; a
        burst comes in parts. `Store.stock_cursor` says where to begin."""
        cursor, views = self.store.stock_changes(cursor, limit=CHANGES_AT_ONCE)
        return cursor, [view for view in views if matches(view, wanted or StockFilter())]

    def availability(
        self, channel: str, *, sku: str | None = None, limit: int = 50, after: int = 0
    ) -> list[Availability]:
        """What a channel may sell, and what it was told last, a page at a time.

        Raises:
            NotFound: there is no such channel.
            ConfigurationError: its settings name a node that is not there.
        """
        return availability(self, channel, sku=sku, limit=limit, after=after)


def matches(view: StockView, wanted: StockFilter) -> bool:
    """Whether a balance is among those wanted."""
    return (
        wanted.owner in (None, view.owner)
        and wanted.sku in (None, view.sku)
        and wanted.node in (None, view.node)
        and (wanted.below is None or view.available < wanted.below)
    )
