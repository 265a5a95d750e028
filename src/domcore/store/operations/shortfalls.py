"""What a shelf holds and what its balance says: they differ while more is promised than is there.

A balance never says less than it has promised. So where a count, a delta or news of work leaves
less on a shelf than nodes are working on, the balance says more than is there, and a row of
``shortfall`` remembers by how much. It is worked off as the promises end, however they end: what
was gone when somebody looked does not come back because an order is cancelled.

What is there is a sum: the last count and what has moved since. The balance and its shortfall
follow from that, from what is reserved and from what cannot be sold, and from nothing else; so it
does not matter in which order the news came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.rows import MOST, ShortfallRow, StockBalance

Key = tuple[int, int]
"""(item id, node id)"""

_NOTHING: Final = (0, 0)


class Shelf(NamedTuple):
    """What is true of a shelf, in units.

    `there`: by the last count and what moved since; less than nothing where more has left than was
    ever seen. `unsellable`: of those that are there, as far as anybody knows.
    """

    there: int
    reserved: int
    unsellable: int

    @property
    def gap(self) -> int:
        """Units that are promised and are not there, or cannot be sold."""
        return max(0, self.reserved + self.unsellable - self.there)

    def sound(self) -> Shelf:
        """The same within what can be: goods that are not there cannot be unsellable."""
        there = min(max(self.there, -MOST), MOST)
        return Shelf(there, self.reserved, max(0, min(self.unsellable, there)))

    @property
    def missing(self) -> int:
        """Units that the balance holds above the shelf."""
        return max(self.there, self.reserved, 0) - self.there

    @property
    def unfit(self) -> int:
        """Unsellable units that the balance cannot block, for they are promised."""
        return max(0, self.unsellable - max(self.there - self.reserved, 0))


def shelf_of(balance: StockBalance, shortfall: ShortfallRow | None) -> Shelf:
    """What is true where a balance says this."""
    missing, unfit = _NOTHING if shortfall is None else shortfall[2:]
    return Shelf(balance.on_hand - missing, balance.reserved, balance.blocked + unfit)


def shortfalls_at(reader: Reader, keys: Iterable[Key]) -> dict[Key, ShortfallRow]:
    """The shortfalls of these balances that have one."""
    wanted = set(keys)
    rows = reader.select("shortfall", "item_id", sorted({item_id for item_id, _ in wanted}))
    return {row[:2]: ShortfallRow._make(row) for row in rows if row[:2] in wanted}


def settle_shortfalls(reader: Reader, changes: Changes, now: int) -> None:
    """Bring the balances that `changes` moves back to what they must say.

    Every operation that moves stock ends with this: it moves what is true, and here the balance is
    kept above what is promised, or a shortfall is worked off.
    """
    moved = {key: changes.moved(key) for key in changes.moved_keys()}
    if not moved:
        return
    known = shortfalls_at(reader, moved)
    keys = [key for key, (hand, reserved, blocked) in moved.items() if hand < reserved + blocked]
    keys = sorted({*keys, *known})
    balances = {row[:2]: StockBalance._make(row) for row in reader.balances(keys)}
    for key in keys:
        balance = balances.get(key, StockBalance(*key, 0, 0, 0, 0, 0))
        _settle(changes, balance, known.get(key), now)


def _settle(
    changes: Changes, balance: StockBalance, shortfall: ShortfallRow | None, now: int
) -> None:
    key = balance[:2]
    on_hand, reserved, blocked = changes.moved(key)
    before = shelf_of(balance, shortfall)
    told = Shelf(before.there + on_hand, before.reserved + reserved, before.unsellable + blocked)
    shelf = told.sound()
    changes.move(
        key,
        "count",
        now,
        on_hand=shelf.there - told.there,
        blocked=shelf.unsellable - told.unsellable,
    )
    missing, unfit = _NOTHING if shortfall is None else shortfall[2:]
    more = changes.fallen_short(key)
    changes.fall_short(
        key,
        now,
        missing=shelf.missing - missing - more[0],
        unfit=shelf.unfit - unfit - more[1],
    )
    if (shelf.missing, shelf.unfit) == (missing, unfit):
        return
    if shelf.missing or shelf.unfit:
        changes.add("shortfalls", ShortfallRow(*key, shelf.missing, shelf.unfit))
    else:
        changes.add("forget_shortfalls", key)


def shelves_at(reader: Reader, balances: Mapping[Key, StockBalance]) -> dict[Key, Shelf]:
    """What is true where these balances are kept."""
    known = shortfalls_at(reader, balances)
    return {key: shelf_of(row, known.get(key)) for key, row in balances.items()}
