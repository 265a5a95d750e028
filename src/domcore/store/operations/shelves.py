"""The balances that news of work moves: what a count has seen, and what is short afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domcore.codec.stored import dump_event
from domcore.store.backend import Reader
from domcore.store.operations.observe import seen_by_count
from domcore.store.operations.order_work import OrderWork, load_work
from domcore.store.operations.shortfalls import Shelf, shelves_at
from domcore.store.rows import ReservationRow, StockBalance

Key = tuple[int, int]


class Shelves:
    """Stock that news of one order is about; of the balances named, those that there are."""

    def __init__(self, reader: Reader, work: OrderWork, keys: Iterable[Key], now: int) -> None:
        self._reader: Final = reader
        self._work: Final = work
        self._now: Final = now
        found = (StockBalance(*row) for row in reader.balances(sorted(set(keys))))
        self._rows: dict[Key, StockBalance] = {row[:2]: row for row in found}
        self._before: Final = shelves_at(reader, self._rows)

    def known(self, key: Key) -> bool:
        """Whether the shelf was ever heard of."""
        return key in self._rows

    def counted(self, key: Key, at: int) -> bool:
        """Whether a count of a later time has seen what happened then."""
        return seen_by_count(self._rows[key].counted_at, at, self._now)

    def blocked(self, row: ReservationRow, at: int) -> int:
        """Units that are blocked of those that were blocked at a time: a later count settles it."""
        key = (row.item_id, row.node_id)
        return 0 if self.counted(key, at) else self._present(key).unsellable

    def _present(self, key: Key) -> Shelf:
        """What is true with all that has been changed so far."""
        before, moved = self._before[key], self._work.changes.moved(key)
        return Shelf(*(units + more for units, more in zip(before, moved, strict=True)))

    def balance(self) -> None:
        """Goods that left twice are nowhere: reservations that no node works on give way, the
        youngest first."""
        others = {self._work.state.order_id: self._work}
        for key in self._rows:
            missing = self._present(key).sound().gap - self._before[key].gap
            if missing > 0:
                freed = self._free(key, missing, others)
                self._tell_shortfall(key, missing, freed)
        del others[self._work.state.order_id]
        for work in others.values():
            if work.changed:
                work.close_emptied_work(self._now)
                work.finish(work.queued(self._now))

    def _free(self, key: Key, most: int, others: dict[int, OrderWork]) -> int:
        rows = self._reader.reserved_at(key)
        unknown = sorted({row.order_id for row in rows} - others.keys())
        others.update(load_work(self._reader, self._work.changes, unknown))
        freed = 0
        for order_id in dict.fromkeys(row.order_id for row in rows):
            work = others[order_id]
            for row in work.open_reservations():
                units = min(row.quantity, most - freed)
                if (row.item_id, row.node_id) == key and units > 0 and not work.handed_over(row):
                    work.resolve(row, units, "freed", at=self._now)
                    freed += units
        return freed

    def _tell_shortfall(self, key: Key, missing: int, freed: int) -> None:
        body = {"item_id": key[0], "node_id": key[1], "units": missing, "freed": freed}
        self._work.changes.add(
            "events", (None, "stock.shortfall", None, self._now, dump_event(body))
        )
