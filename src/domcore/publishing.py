"""Availability, back to the channels: what each may sell, and only what has changed of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from domcore.contracts import Channel, PublishesStock
from domcore.errors import ConfigurationError, NotFound
from domcore.model import StockLevel
from domcore.model.clock import to_micros
from domcore.settings import ChannelSettings
from domcore.store.protocol import Publication, Sellable, StockRow, Store, StoredNetwork, Told
from domcore.store.values import UNSURE
from domcore.withholding import NOTHING, Withheld, Withholding

if TYPE_CHECKING:
    from domcore.verbs.core import Core

BATCH: Final = 100
"""Levels handed to a channel at a time."""

PAGE: Final = 500
"""Items, or entries of the ledger, looked at at a time."""

TOTAL: Final = 0
"""The node id under which the sum over all nodes is kept."""

_SIXTY_BITS: Final = 2**60 - 1


@frozen(slots=True)
class Availability:
    """How much of a SKU a channel may sell, and what it was told last (None: nothing yet).

    `node` is empty for the sum over the channel's nodes. `cursor` is where the row stands.
    """

    sku: str
    node: str
    available: int
    told: int | None
    external_ids: tuple[str, ...]
    cursor: int


class Shelves:
    """The nodes that feed one channel, and how much of what is there it may sell: on hand -
    reserved - blocked - safety or protected - what orders wait for, nothing of a node that may not
    ship it.

    Raises:
        ConfigurationError: the settings name a node that the network does not have.
    """

    def __init__(
        self, stored: StoredNetwork, settings: ChannelSettings, withholding: Withholding, now: int
    ) -> None:
        self.settings: Final = settings
        self._withholding: Final = withholding
        self._now: Final = now
        nodes = stored.network.nodes
        strangers = sorted(set(settings.nodes) - {node.id for node in nodes})
        if strangers:
            raise ConfigurationError(
                f"node {strangers[0]!r} is not in the network",
                place=f"channels.{settings.name}.nodes",
            )
        self.codes: Final = {
            node_id: node.id
            for node, node_id in zip(nodes, stored.node_ids, strict=True)
            if node.enabled
            and (not node.owners or settings.owner in node.owners)
            and (not settings.nodes or node.id in settings.nodes)
        }

    @property
    def basis(self) -> int:
        """A digest of all that levels depend on besides stock; never 0."""
        settings = self.settings
        rules = self._withholding.basis
        codes = sorted(self.codes.items())
        parts = (settings.publish, settings.share, settings.owner, codes, rules)
        digest = hashlib.sha256(json.dumps(parts).encode()).digest()
        return int.from_bytes(digest[:8], "big") & _SIXTY_BITS or 1

    def levels(
        self, page: Sequence[Sellable], undecided: Mapping[int, int]
    ) -> list[tuple[Sellable, dict[int, int]]]:
        """Of each item: node id (or `TOTAL`) -> units the channel may sell.

        Args:
            undecided: units by item id of orders that were not decided yet.
        """
        withheld = self._withholding.of(page)
        return [
            (item, self._level(item, withheld.get(item.item_id, NOTHING), undecided))
            for item in page
        ]

    def _level(
        self, item: Sellable, withheld: Withheld, undecided: Mapping[int, int]
    ) -> dict[int, int]:
        settings = self.settings
        if item.owner != settings.owner:
            return {}
        refused = {node_id for node_id, until in item.excluded if until > self._now}
        free = {
            row.node_id: _free(row, withheld) if row.node_id not in refused else 0
            for row in item.balances
            if row.node_id in self.codes
        }
        spoken_for = item.waiting + undecided.get(item.item_id, 0)
        if settings.publish == "nodes":
            left = _less(free, spoken_for)
            return {node_id: units * settings.share // 100 for node_id, units in left.items()}
        return {TOTAL: max(0, sum(free.values()) - spoken_for) * settings.share // 100}


def _free(row: StockRow, withheld: Withheld) -> int:
    """Units of one balance that an order could have."""
    if row.node_id in withheld.barred:
        return 0
    floor = max(row.safety, withheld.floors.get(row.node_id, 0))
    return max(0, row.on_hand - row.reserved - row.blocked - floor)


def _less(free: Mapping[int, int], units: int) -> dict[int, int]:
    """What is left at nodes for new orders: older ones take from where most is."""
    left = dict(free)
    for node_id in sorted(left, key=lambda each: (-left[each], each)):
        taken = min(units, left[node_id])
        left[node_id] -= taken
        units -= taken
    return left


def shelves_of(dom: Core, settings: ChannelSettings) -> Shelves:
    """The shelves of a channel as they stand."""
    now = dom.now()
    # The network may have been written by somebody else.
    dom._kit.look(())
    withholding = Withholding(dom._kit, settings.owner, settings.name, now)
    return Shelves(dom.store.network(), settings, withholding, to_micros(now))


class StockPublisher:
    """Tells channels what they may sell: ``[channels.NAME]`` says how (`ChannelSettings`)."""

    def __init__(self, dom: Core) -> None:
        self._dom = dom

    def publish(
        self, channel: Channel, settings: ChannelSettings, *, most: int | None = None
    ) -> int:
        """Tell a channel every level that differs from what it was told last.

        The first time, and when its settings, its aliases, the network or rules that withhold
        goods have changed, all items are compared; otherwise only those whose stock has moved,
        that more or fewer orders wait for, or that a node refuses or is asked for again. A level of
        zero is told where the channel knows the item (it has an alias there) or was told something
        else before. Levels are remembered once the channel has taken them; after a failure they
        come again.

        Args:
            most: stop after about so many levels; the next call goes on.

        Returns:
            How many levels were sent; 0 where the channel takes none or is switched off.

        Raises:
            ConfigurationError: the settings name a node that is not there.
            ConnectorError: the channel could not take them.
        """
        if settings.publish == "off" or not isinstance(channel, PublishesStock):
            return 0
        store = self._dom.store
        shelves = shelves_of(self._dom, settings)
        before = store.publication(channel.name)
        after = Publication(store.stock_cursor(), shelves.basis, store.offer_cursor())
        undecided = store.undecided(now=to_micros(self._dom.now()))
        teller = _Teller(store, channel, shelves, before, undecided)
        pages = (
            self._changed(channel.name, before, after, sorted(undecided))
            if before.basis == after.basis
            else self._all(channel.name, after)
        )
        for page, reached in pages:
            teller.tell(page)
            if reached is not None:
                teller.reached(reached)
            if most is not None and teller.sent >= most:
                break
        teller.flush()
        return teller.sent

    def _all(
        self, name: str, after: Publication
    ) -> Iterator[tuple[list[Sellable], Publication | None]]:
        last = 0
        while page := self._dom.store.sellable(name, after=last, limit=PAGE):
            last = page[-1].item_id
            yield page, None
        yield [], after

    def _changed(
        self, name: str, before: Publication, after: Publication, undecided: Sequence[int]
    ) -> Iterator[tuple[list[Sellable], Publication | None]]:
        """What has moved; then what orders wait for or nodes refuse; then what new orders want, who
        have left no trace yet."""
        store, reached = self._dom.store, before
        while reached.cursor < after.cursor:
            cursor, page = store.sellable_changes(name, reached.cursor, limit=PAGE)
            reached = reached._replace(cursor=cursor)
            yield page, reached
        while reached.offers < after.offers:
            offers, ids = store.offer_changes(reached.offers, limit=PAGE)
            reached = reached._replace(offers=offers)
            for start in range(0, len(ids), PAGE):
                yield store.sellable_items(name, ids[start : start + PAGE]), None
            yield [], reached
        for start in range(0, len(undecided), PAGE):
            yield store.sellable_items(name, undecided[start : start + PAGE]), None


class _Teller:
    """Hands a channel the levels that differ, a batch at a time, and remembers those it took."""

    def __init__(
        self,
        store: Store,
        channel: PublishesStock,
        shelves: Shelves,
        before: Publication,
        undecided: Mapping[int, int],
    ) -> None:
        self.sent = 0
        self._store = store
        self._channel = channel
        self._name = shelves.settings.name
        self._shelves = shelves
        self._undecided = undecided
        self._before = before
        self._levels: list[StockLevel] = []
        self._told: list[Told] = []

    def tell(self, page: Sequence[Sellable]) -> None:
        """Tell what differs of these items."""
        for item, wanted in self._shelves.levels(page, self._undecided):
            known = {node_id: units for node_id, _, units in item.told}
            codes = {node_id: code for node_id, code, _ in item.told} | self._shelves.codes
            for node_id in sorted(wanted.keys() | known.keys()):
                self._compare(item, node_id, codes, wanted, known)
                if len(self._told) >= BATCH:
                    self.flush()

    def _compare(
        self,
        item: Sellable,
        node_id: int,
        codes: Mapping[int, str],
        wanted: Mapping[int, int],
        known: Mapping[int, int],
    ) -> None:
        before, units = known.get(node_id), wanted.get(node_id, 0)
        by_node = self._shelves.settings.publish == "nodes"
        if (node_id == TOTAL) == by_node:
            # Told in the other way, before the settings were changed.
            self._told.append(Told(item.item_id, node_id, before, None))
            return
        if units == before or (before is None and not units and not item.names):
            return
        code = codes[node_id] if by_node else ""
        self._levels.append(StockLevel(item.sku, item.names, code, units))
        self._told.append(Told(item.item_id, node_id, before, units))

    def reached(self, after: Publication) -> None:
        """Everything up to here has been told."""
        self.flush()
        if after != self._before:
            self._store.publish(self._name, (), before=self._before, after=after)
            self._before = after

    def flush(self) -> None:
        """Hand over what is gathered."""
        if self._levels:
            self._channel.publish_stock(tuple(self._levels))
            self.sent += len(self._levels)
        if self._told:
            self._store.publish(self._name, self._told, before=self._before)
        self._levels, self._told = [], []


def settings_of(dom: Core, channel: str) -> ChannelSettings:
    """The settings of a channel; those of one that only a plugin knows are the defaults.

    Raises:
        NotFound: nobody knows it.
    """
    for each in dom.settings.channels:
        if each.name == channel:
            return each
    if channel in dom._intake.channels():
        return ChannelSettings(channel, "")
    named = ", ".join(sorted(each.name for each in dom.settings.channels)) or "none"
    raise NotFound(f"there is no channel {channel!r} (there are: {named})")


def availability(
    dom: Core, channel: str, *, sku: str | None, limit: int, after: int
) -> list[Availability]:
    """See `Domcore.availability`."""
    settings = settings_of(dom, channel)
    if settings.publish == "off":
        settings = evolve(settings, publish="total")
    shelves = shelves_of(dom, settings)
    undecided = dom.store.undecided(now=to_micros(dom.now()))
    found: list[Availability] = []
    if sku is not None:
        known = dom.store.items(settings.owner, [sku])
        pages = iter(
            [dom.store.sellable(channel, after=known[sku].item_id - 1, limit=1)] if known else []
        )
    else:
        pages = _pages(dom.store, channel, after, max(limit, PAGE))
    for page in pages:
        for item, levels in shelves.levels(page, undecided):
            if len(found) >= limit:
                return found
            if item.owner == settings.owner:
                found += _rows(shelves, item, levels)
    return found


def _pages(store: Store, channel: str, after: int, size: int) -> Iterator[list[Sellable]]:
    while page := store.sellable(channel, after=after, limit=size):
        after = page[-1].item_id
        yield page


def _rows(shelves: Shelves, item: Sellable, levels: Mapping[int, int]) -> Iterator[Availability]:
    told = {node_id: units for node_id, _, units in item.told}
    for node_id, units in sorted(levels.items()):
        known = told.get(node_id)
        yield Availability(
            item.sku,
            shelves.codes.get(node_id, ""),
            units,
            None if known == UNSURE else known,
            item.names,
            item.item_id,
        )
