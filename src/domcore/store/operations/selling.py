"""What a channel has been told of stock, and when it must be told anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domcore.model.item import Alias
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.rows import CursorRow, PublishedRow
from domcore.store.values import UNSURE, Publication, Told

CURSOR: Final = "publish:"
BASIS: Final = "publish-basis:"
"""Before a channel's name: the rows of ``cursor`` that hold its `Publication`."""


def read_publication(reader: Reader, channel: str) -> Publication:
    """How far a channel has been told; nothing at all at first."""
    rows = reader.select("cursor", "consumer", [CURSOR + channel, BASIS + channel])
    found = {row.consumer: row.seq for row in map(CursorRow._make, rows)}
    return Publication(found.get(CURSOR + channel, 0), found.get(BASIS + channel, 0))


def write_publication(changes: Changes, channel: str, publication: Publication) -> None:
    """Remember it."""
    changes.add("cursors", (CURSOR + channel, publication.cursor))
    changes.add("cursors", (BASIS + channel, publication.basis))


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
