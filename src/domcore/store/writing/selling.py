"""Stock as channels sell it, and how it covers demand."""

from __future__ import annotations

from collections.abc import Sequence

from domcore.codec.stored import dump_event
from domcore.store.changes import Changes, Row
from domcore.store.operations.selling import (
    lift_exclusions,
    publish_changes,
    read_publication,
)
from domcore.store.rows import AliasRow, CoverRow, ItemExclusionRow, PublishedRow, StockBalance
from domcore.store.values import (
    Covered,
    CoverNote,
    Publication,
    Sellable,
    StockRow,
    StockView,
    Told,
)
from domcore.store.waiting_rows import OfferRow
from domcore.store.writing.common import Writes

_ALL = 2**31
_ITEM = ("id", "owner_id", "sku")


class SellingWrites(Writes):
    """What channels are told, and days of cover."""

    # --- what has changed ------------------------------------------------------------------------

    def stock_changes(self, cursor: int, *, limit: int) -> tuple[int, list[StockView]]:
        """See `Store.stock_changes`."""
        backend = self._backend
        with backend.reading():
            until, rows = self._changed(cursor, limit)
            items = self._items_of([row.item_id for row in rows])
            owners, nodes = backend.owners(), backend.nodes()
        return until, [
            StockView(
                owners[items[row.item_id][1]],
                items[row.item_id][2],
                nodes[row.node_id],
                *row[2:6],
                row[:2],
            )
            for row in rows
        ]

    def _changed(self, cursor: int, limit: int) -> tuple[int, list[StockBalance]]:
        until = min(self._backend.last_id("ledger"), cursor + limit)
        if until <= cursor:
            return cursor, []
        rows = self._backend.changed_stock(cursor, until)
        return until, [StockBalance._make(row) for row in rows]

    def _items_of(self, item_ids: Sequence[int]) -> dict[int, Row]:
        """Id, owner and SKU, by id."""
        rows = self._backend.select("item", "id", sorted(set(item_ids)))
        return {row[0]: row[:3] for row in rows}

    # --- publishing ------------------------------------------------------------------------------

    def sellable(self, channel: str, *, after: int = 0, limit: int) -> list[Sellable]:
        """See `Store.sellable`."""
        with self._backend.reading():
            start = (after,) if after else None
            return self._sellable(channel, self._backend.page("item", _ITEM, start, limit))

    def sellable_changes(
        self, channel: str, cursor: int, *, limit: int
    ) -> tuple[int, list[Sellable]]:
        """See `Store.sellable_changes`."""
        with self._backend.reading():
            until, rows = self._changed(cursor, limit)
            items = self._items_of([row.item_id for row in rows])
            return until, self._sellable(channel, list(items.values()))

    def sellable_items(self, channel: str, item_ids: Sequence[int]) -> list[Sellable]:
        """See `Store.sellable_items`."""
        with self._backend.reading():
            return self._sellable(channel, list(self._items_of(item_ids).values()))

    def offer_cursor(self) -> int:
        """See `Store.offer_cursor`."""
        with self._backend.reading():
            return self._backend.last_offer()

    def offer_changes(self, cursor: int, *, limit: int) -> tuple[int, list[int]]:
        """See `Store.offer_changes`."""
        with self._backend.reading():
            rows = [OfferRow._make(row) for row in self._backend.offers(cursor, limit)]
            if len(rows) < limit:
                reached = rows[-1].seq if rows else cursor
            elif rows[0].seq < rows[-1].seq:
                # The last change may go on behind the page.
                rows = [row for row in rows if row.seq < rows[-1].seq]
                reached = rows[-1].seq
            else:
                return self._whole_change(rows[0].seq)
            return reached, [row.item_id for row in rows]

    def _whole_change(self, seq: int) -> tuple[int, list[int]]:
        """All items of one change, however many."""
        rows = map(OfferRow._make, self._backend.offers(seq - 1, _ALL))
        return seq, [row.item_id for row in rows if row.seq == seq]

    def undecided(self, *, now: int) -> dict[int, int]:
        """See `Store.undecided`."""
        with self._backend.reading():
            return self._backend.undecided(now)

    def lift_exclusions(self, *, now: int, limit: int) -> int:
        """See `Store.lift_exclusions`."""
        backend, changes = self._backend, Changes()
        with backend.reading():
            if not backend.ended_exclusions(now, 1):
                return 0
        with backend.writing():
            ended = lift_exclusions(backend, changes, self._open_nodes(), now, limit)
            self._apply(changes, now)
        return ended

    def _sellable(self, channel: str, items: Sequence[Row]) -> list[Sellable]:
        backend = self._backend
        ids = [row[0] for row in items]
        owners, nodes = backend.owners(), backend.nodes()
        names: dict[int, list[str]] = {}
        for alias in map(AliasRow._make, backend.select("alias", "item_id", ids)):
            if alias.channel == channel:
                names.setdefault(alias.item_id, []).append(alias.external_id)
        balances: dict[int, list[StockRow]] = {}
        for row in backend.select("stock", "item_id", ids):
            balances.setdefault(row[0], []).append(StockRow._make(row[:6]))
        told: dict[int, list[tuple[int, str, int]]] = {}
        for known in map(PublishedRow._make, backend.published(channel, ids)):
            entry = (known.node_id, nodes.get(known.node_id, ""), known.quantity)
            told.setdefault(known.item_id, []).append(entry)
        refused: dict[int, list[tuple[int, int]]] = {}
        for row in map(ItemExclusionRow._make, backend.select("item_exclusion", "item_id", ids)):
            refused.setdefault(row.item_id, []).append((row.node_id, row.until))
        waiting = backend.waited_units(ids) if ids else {}
        return [
            Sellable(
                item_id,
                owners[owner_id],
                sku,
                tuple(sorted(names.get(item_id, ()))),
                tuple(balances.get(item_id, ())),
                tuple(told.get(item_id, ())),
                waiting.get(item_id, 0),
                tuple(refused.get(item_id, ())),
            )
            for item_id, owner_id, sku in items
        ]

    def publication(self, channel: str) -> Publication:
        """See `Store.publication`."""
        with self._backend.reading():
            return read_publication(self._backend, channel)

    def publish(
        self,
        channel: str,
        told: Sequence[Told],
        *,
        before: Publication,
        after: Publication | None = None,
    ) -> None:
        """See `Store.publish`."""
        backend, changes = self._backend, Changes()
        with backend.writing():
            publish_changes(backend, changes, channel, told, before, after)
            backend.apply(changes)

    # --- cover -----------------------------------------------------------------------------------

    def cover(self, *, since: int, after: tuple[int, int] = (0, 0), limit: int) -> list[Covered]:
        """See `Store.cover`."""
        backend = self._backend
        with backend.reading():
            found = backend.page("stock", StockBalance._fields, after, limit)
            rows = [StockBalance._make(row) for row in found]
            ids = sorted({row.item_id for row in rows})
            items, shipped = self._items_of(ids), backend.shipped_since(ids, since)
            idle = [row[:2] for row in rows if row[:2] not in shipped and row.on_hand]
            tried = backend.moved_before(idle, since)
            noted = map(CoverRow._make, backend.select("cover", "item_id", ids))
            states = {row[:2]: row.state for row in noted}
            owners, nodes = backend.owners(), backend.nodes()
        return [
            Covered(
                row[:2],
                owners[items[row.item_id][1]],
                items[row.item_id][2],
                nodes[row.node_id],
                row.on_hand - row.reserved - row.blocked,
                shipped.get(row[:2], 0),
                row[:2] in tried,
                row.counted_at > 0,
                states.get(row[:2], ""),
            )
            for row in rows
        ]

    def has_cover(self) -> bool:
        """See `Store.has_cover`."""
        with self._backend.reading():
            return bool(self._backend.page("cover", ("item_id", "node_id"), None, 1))

    def note_cover(self, notes: Sequence[CoverNote], *, now: int) -> int:
        """See `Store.note_cover`."""
        backend, changes, written = self._backend, Changes(), 0
        if not notes:
            return 0
        with backend.writing():
            ids = sorted({note.key[0] for note in notes})
            rows = map(CoverRow._make, backend.select("cover", "item_id", ids))
            known = {row[:2]: row.state for row in rows}
            for note in notes:
                if known.get(note.key, "steady") == note.state:
                    continue
                written += 1
                if note.state == "steady":
                    changes.add("forget_covers", note.key)
                else:
                    changes.add("covers", (*note.key, note.state, now))
                known[note.key] = note.state
                body = dump_event(note.body)
                changes.add("events", (None, f"stock.{note.state}", None, now, body))
            backend.apply(changes)
        return written
