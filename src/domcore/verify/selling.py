"""What channels were told of stock, and which balances are noted as low or over."""

from __future__ import annotations

from typing import Final

from domcore.store.operations.selling import BASIS, CURSOR, OFFERS
from domcore.store.rows import NEVER, CoverRow, CursorRow, PublishedRow
from domcore.store.values import UNSURE
from domcore.store.waiting_rows import OfferRow
from domcore.verify.catalog import Catalog
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken

_MOST_BASIS: Final = 2**60
_OTHERS: Final = {"wake:": NEVER, "hurry:": 1, "rules:": _MOST_BASIS, "plugin:": 3}
"""How far cursors stand that are no channel's."""


def check_selling(source: Source, catalog: Catalog, entries: int) -> Violations:
    """Every row of both tables, and how far each channel was told of the ledger's `entries`."""
    offers = [OfferRow._make(row) for row in source.rows("offer")]
    last = max((row.seq for row in offers), default=0)
    for row in offers:
        if row.item_id not in catalog.items or row.seq < 1:
            yield broken("reference", f"offer of item {row.item_id}", "is of no known item")
    for cursor in map(CursorRow._make, source.rows("cursor")):
        most = {CURSOR: entries, BASIS: _MOST_BASIS, OFFERS: last, **_OTHERS}.get(
            cursor.consumer.partition(":")[0] + ":"
        )
        if most is not None and not 0 <= cursor.seq <= most:
            message = f"stands at {cursor.seq}, of {most} there are"
            yield broken("cursor", f"cursor {cursor.consumer}", message)
    for told in map(PublishedRow._make, source.rows("published")):
        place = f"published {told.channel} item {told.item_id} at node {told.node_id}"
        if told.item_id not in catalog.items or not (
            told.node_id == 0 or told.node_id in catalog.nodes
        ):
            yield broken("reference", place, "is of no known item and node")
        if not 0 <= told.quantity <= UNSURE:
            yield broken("published", place, f"nobody was told {told.quantity} units")
    for noted in map(CoverRow._make, source.rows("cover")):
        place = f"cover of item {noted.item_id} at node {noted.node_id}"
        if noted.item_id not in catalog.items or noted.node_id not in catalog.nodes:
            yield broken("reference", place, "is of no known item and node")
        if noted.state not in ("low", "over") or noted.since < 0:
            yield broken("cover", place, f"is {noted.state!r} since {noted.since}")
