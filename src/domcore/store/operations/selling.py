"""What a channel has been told of stock, and when it must be told anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from domcore.model.item import Alias
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.waiting import wake_for
from domcore.store.rows import CursorRow, ItemExclusionRow, PublishedRow, StockBalance
from domcore.store.values import UNSURE, Publication, Told

CURSOR: Final = "publish:"
BASIS: Final = "publish-basis:"
OFFERS: Final = "publish-offers:"
"""Before a channel's name: the rows of ``cursor`` that hold its `Publication`."""


def note_offers(reader: Reader, changes: Changes) -> None:
    """Write down of which items channels may sell more or less, other than by their stock."""
    if changes.offered:
        seq = reader.last_offer() + 1
        changes.add_all("offers", [(item_id, seq) for item_id in sorted(changes.offered)])


def lift_exclusions(
    reader: Reader, changes: Changes, nodes: Collection[int], now: int, limit: int
) -> int:
    """Ask nodes again for items whose exclusion is over, wake those who wait for what is there, as
    far as it is at `nodes`, which are open; returns how many exclusions ended."""
    ended = [ItemExclusionRow._make(row) for row in reader.ended_exclusions(now, limit)]
    gained: dict[int, int] = {}
    for row in ended:
        changes.add("forget_item_exclusions", row[:2])
        changes.offered.add(row.item_id)
    for stock in map(StockBalance._make, reader.balances([row[:2] for row in ended])):
        units = stock.on_hand - stock.reserved - stock.blocked - stock.safety
        if stock.node_id in nodes:
            gained[stock.item_id] = gained.get(stock.item_id, 0) + max(0, units)
    wake_for(reader, changes, {item: units for item, units in gained.items() if units}, now)
    return len(ended)


def read_publication(reader: Reader, channel: str) -> Publication:
    """How far a channel has been told; nothing at all at first."""
    names = [CURSOR + channel, BASIS + channel, OFFERS + channel]
    rows = map(CursorRow._make, reader.select("cursor", "consumer", names))
    found = {row.consumer: row.seq for row in rows}
    return Publication(*(found.get(name, 0) for name in names))


def write_publication(changes: Changes, channel: str, publication: Publication) -> None:
    """Remember it."""
    changes.add("cursors", (CURSOR + channel, publication.cursor))
    changes.add("cursors", (BASIS + channel, publication.basis))
    changes.add("cursors", (OFFERS + channel, publication.offers))


def publish_changes(
    reader: Reader,
    changes: Changes,
    channel: str,
    told: Sequence[Told],
    before: Publication,
    after: Publication | None,
) -> None:
    """See `Store.publish`."""
    rows = map(PublishedRow._make, reader.published(channel, [each.item_id for each in told]))
    known = {(row.item_id, row.node_id): row.quantity for row in rows}
    sure = True
    for each in told:
        key = (each.item_id, each.node_id)
        present = known.get(key)
        if present != each.before:
            sure = False
            changes.add("published", (channel, *key, UNSURE))
        elif each.units is not None:
            changes.add("published", (channel, *key, each.units))
        elif present is not None:
            changes.add("forget_published", (channel, *key))
    now_at = read_publication(reader, channel)
    if not sure:
        write_publication(changes, channel, now_at._replace(basis=0))
    elif after is not None and now_at.basis == before.basis:
        write_publication(changes, channel, after)


def renamed(
    reader: Reader, changes: Changes, owner_id: int, aliases: Sequence[Alias], ids: dict[str, int]
) -> None:
    """Have channels told anew what they were told under another name, or not at all.

    `ids` are those of the aliases' SKUs.
    """
    by_channel: dict[str, list[Alias]] = {}
    for alias in aliases:
        by_channel.setdefault(alias.channel, []).append(alias)
    for channel, some in by_channel.items():
        publication = read_publication(reader, channel)
        if publication == Publication():
            continue
        names = [alias.external_id for alias in some]
        known = reader.aliases(owner_id, channel, names)
        new = [alias for alias in some if known.get(alias.external_id) != alias.sku]
        if not new:
            continue
        left = reader.item_ids(
            owner_id, [known[each.external_id] for each in new if each.external_id in known]
        )
        touched = {ids[alias.sku] for alias in new} | set(left.values())
        for row in map(PublishedRow._make, reader.published(channel, sorted(touched))):
            changes.add("published", row._replace(quantity=UNSURE))
        write_publication(changes, channel, publication._replace(basis=0))
