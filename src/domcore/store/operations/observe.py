"""News of stock: counts as of a time, and deltas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from domcore.codec.stored import dump_event
from domcore.codec.text import is_text
from domcore.errors import PayloadError, Problem
from domcore.model.clock import to_micros
from domcore.model.command import ObserveStock, StockCount
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.order_work import OrderWork, load_work
from domcore.store.operations.shortfalls import Shelf, shelves_at
from domcore.store.rows import MOST, StockBalance

CLOCKS_APART: Final = 5 * 60 * 1_000_000
"""Microseconds by which a counting clock may run ahead of ours: a count from the future would make
every later one look old."""

Key = tuple[int, int]


def seen_by_count(counted_at: int, at: int, now: int) -> bool:
    """Whether the last count of a shelf is of a later time than `at`.

    Nobody may tell of a time that lies further ahead than clocks differ: a count of such a time was
    dated by our own clock while that was wrong, and has seen nothing of what is told now.
    """
    return at < counted_at <= now + CLOCKS_APART


def check_counts(
    command: ObserveStock, item_ids: Mapping[str, int], node_ids: Mapping[str, int], now: int
) -> None:
    """Refuse what cannot be meant.

    Raises:
        PayloadError: every bad field of every count.
    """
    problems = bad_counts(command, item_ids, node_ids, now)
    if problems:
        raise refusal(problems)


def refusal(problems: Mapping[int, Sequence[Problem]]) -> PayloadError:
    """What is said of counts that cannot be meant."""
    found = [each for some in problems.values() for each in some]
    return PayloadError("this news of stock cannot be taken in", found)


def place_of(command: ObserveStock, number: int) -> str:
    """Where a count stands: file and line where those were told, else its place in the news."""
    if number < len(command.rows):
        return f"{command.source}:{command.rows[number]}"
    return f"$.counts[{number}]"


def bad_counts(
    command: ObserveStock, item_ids: Mapping[str, int], node_ids: Mapping[str, int], now: int
) -> dict[int, list[Problem]]:
    """What is wrong with counts, by their place in the command."""
    found: dict[int, list[Problem]] = {}
    latest = now + CLOCKS_APART
    for number, count in enumerate(command.counts):
        if not (count.sku in item_ids and count.node in node_ids and _is_plain(count, latest)):
            path = place_of(command, number)
            problems = list(_problems(path, count, item_ids, node_ids, latest))
            if problems:
                found[number] = problems
    return found


def check_types(command: ObserveStock) -> None:
    """Refuse what is no news of stock at all, before anything of it is looked up.

    Raises:
        PayloadError: a name, key or count that is not of its type, or cannot be stored.
    """
    texts = (command.owner, command.key, command.channel, command.source)
    counts = command.counts if type(command.counts) in (tuple, list) else (None,)
    placed = type(command.rows) is tuple and all(type(row) is int for row in command.rows)
    placed = placed and len(command.rows) in (0, len(counts))
    if not (placed and all(map(is_text, texts)) and all(map(_is_count, counts))):
        raise PayloadError(
            "this news of stock cannot be taken in",
            [Problem("$", "a field is not of its type; see domcore.model.ObserveStock")],
        )


def _is_count(count: object) -> bool:
    if not isinstance(count, StockCount):
        return False
    timed = count.as_of is None or isinstance(count.as_of, datetime)
    return timed and is_text(count.sku) and is_text(count.node)


def _is_plain(count: StockCount, latest: int) -> bool:
    """Whether it is a count of units and nothing else, with nothing wrong: what most are."""
    units, as_of = count.on_hand, count.as_of
    return (
        type(units) is int
        and 0 <= units <= MOST
        and count.delta is None
        and count.safety is None
        and count.blocked is None
        and (as_of is None or (as_of.utcoffset() is not None and to_micros(as_of) <= latest))
    )


def _problems(
    path: str,
    count: StockCount,
    item_ids: Mapping[str, int],
    node_ids: Mapping[str, int],
    latest: int,
) -> Iterator[Problem]:
    if count.sku not in item_ids:
        yield Problem(f"{path}.sku", "no such item")
    if count.node not in node_ids:
        yield Problem(f"{path}.node", "no such node")
    told = (count.on_hand, count.delta, count.safety, count.blocked)
    if count.on_hand is not None and count.delta is not None:
        yield Problem(path, "give on_hand or delta, not both")
    elif all(value is None for value in told):
        yield Problem(path, "give at least one of on_hand, delta, blocked and safety")
    fits = True
    for name, value, least in (
        ("on_hand", count.on_hand, 0),
        ("delta", count.delta, -MOST),
        ("safety", count.safety, 0),
        ("blocked", count.blocked, 0),
    ):
        if value is not None and not (type(value) is int and least <= value <= MOST):
            yield Problem(f"{path}.{name}", f"must be from {least} to {MOST}")
            fits = False
    if fits and count.on_hand is not None and (count.blocked or 0) > count.on_hand:
        yield Problem(f"{path}.blocked", "is part of on_hand and cannot be more")
    if count.as_of is not None and count.as_of.utcoffset() is None:
        yield Problem(f"{path}.as_of", "must say its time zone")
    elif count.as_of is not None and to_micros(count.as_of) > latest:
        yield Problem(f"{path}.as_of", "lies in the future")


class Observe:
    """Applies counts one after the other to a working copy of the shelves they speak of."""

    def __init__(self, reader: Reader, changes: Changes, now: int) -> None:
        self.applied = 0
        self.dropped = 0
        self.short = 0
        self.freed = 0
        self._reader: Final = reader
        self._changes: Final = changes
        self._now: Final = now
        self._balances: dict[Key, StockBalance] = {}
        self._shelves: dict[Key, Shelf] = {}
        self._new: set[Key] = set()
        self._counted: dict[Key, int] = {}
        self._orders: dict[int, OrderWork] = {}
        self._moved: dict[Key, list[tuple[int, int]]] = {}

    def take_all(self, command: ObserveStock, keys: Sequence[Key]) -> None:
        """Apply every count, in order; `keys` are their (item id, node id)."""
        times = [
            self._now if count.as_of is None else to_micros(count.as_of) for count in command.counts
        ]
        self._load(sorted(set(keys)))
        recounts = {
            key: at
            for key, count, at in zip(keys, command.counts, times, strict=True)
            if count.on_hand is not None and key not in self._new
        }
        if recounts:
            oldest = min(
                at
                for count, at in zip(command.counts, times, strict=True)
                if count.on_hand is not None
            )
            self._load_movements(recounts, oldest)
        for key, count, at in zip(keys, command.counts, times, strict=True):
            self._take(key, count, at, command.owner)
        self._finish()

    def _load(self, keys: list[Key]) -> None:
        """Read the balances; those that do not exist begin at zero."""
        for row in self._reader.balances(keys):
            self._balances[row[0], row[1]] = StockBalance._make(row)
        for key in keys:
            if key not in self._balances:
                self._balances[key] = StockBalance(*key, 0, 0, 0, 0, 0)
                self._new.add(key)
        self._shelves = shelves_at(self._reader, self._balances)

    def _load_movements(self, keys: Iterable[Key], since: int) -> None:
        """Read what has moved since; what a wrong clock dated had moved before it was right."""
        for item_id, node_id, at, units in self._reader.movements(list(keys), since):
            if at <= self._now + CLOCKS_APART:
                self._moved.setdefault((item_id, node_id), []).append((at, units))

    def _take(self, key: Key, count: StockCount, at: int, owner: str) -> None:
        """Apply one count or delta."""
        balance, before = self._balances[key], self._shelves[key]
        if seen_by_count(balance.counted_at, at, self._now):
            # A later count has seen this already.
            self.dropped += 1
            return
        self.applied += 1
        if count.safety is not None and count.safety != balance.safety:
            self._changes.move(key, "safety", self._now, safety=count.safety - balance.safety)
            balance = balance._replace(safety=count.safety)
        if count.on_hand is not None and at != balance.counted_at:
            self._counted[key] = at
            balance = balance._replace(counted_at=at)
        self._balances[key] = balance
        told = self._told(key, before, count, at)
        if told == before and count.on_hand is None:
            return
        shelf = told.sound()
        self._write(key, before, told, shelf, "count" if count.delta is None else "delta", at)
        short = shelf.gap if count.on_hand is not None else shelf.gap - before.gap
        if short > 0:
            freed = self._free(key, short)
            shelf = shelf._replace(reserved=shelf.reserved - freed)
            self._tell_shortfall(key, short, freed, (count, owner))
        self._shelves[key] = shelf
        missing, unfit = shelf.missing - before.missing, shelf.unfit - before.unfit
        self._changes.fall_short(key, self._now, missing=missing, unfit=unfit)

    def _told(self, key: Key, shelf: Shelf, count: StockCount, at: int) -> Shelf:
        """What is true after a count or a delta. A count is of its time: what has moved since is
        added; and it settles what cannot be sold, for it has looked."""
        unsellable = shelf.unsellable if count.blocked is None else count.blocked
        if count.on_hand is not None:
            since = sum(units for when, units in self._moved.get(key, ()) if when > at)
            return Shelf(count.on_hand + since, shelf.reserved, count.blocked or 0)
        if count.delta:
            self._moved.setdefault(key, []).append((at, count.delta))
        return Shelf(shelf.there + (count.delta or 0), shelf.reserved, unsellable)

    def _write(
        self, key: Key, before: Shelf, told: Shelf, shelf: Shelf, kind: str, at: int
    ) -> None:
        """A delta goes into the ledger whole, for an older count that comes later must find it;
        what cannot be is corrected beside it."""
        if kind == "delta":
            self._changes.move(key, kind, at, on_hand=told.there - before.there)
            self._changes.move(key, "count", self._now, on_hand=shelf.there - told.there)
        else:
            self._changes.move(key, kind, at, on_hand=shelf.there - before.there)
        unfit = shelf.unsellable - before.unsellable
        self._changes.move(key, "count", self._now, blocked=unfit)

    def _free(self, key: Key, most: int) -> int:
        freed = 0
        rows = self._reader.reserved_at(key)
        unknown = sorted({row.order_id for row in rows} - self._orders.keys())
        self._orders.update(load_work(self._reader, self._changes, unknown))
        for order_id in dict.fromkeys(row.order_id for row in rows):
            work = self._orders[order_id]
            for row in work.open_reservations():
                if (row.item_id, row.node_id) != key or work.handed_over(row):
                    continue
                units = min(row.quantity, most - freed)
                if units > 0:
                    work.resolve(row, units, "freed", at=self._now)
                    freed += units
        return freed

    def _tell_shortfall(
        self, key: Key, missing: int, freed: int, about: tuple[StockCount, str]
    ) -> None:
        count, owner = about
        self.short += missing
        self.freed += freed
        body = dump_event(
            {
                "item_id": key[0],
                "node_id": key[1],
                "owner": owner,
                "sku": count.sku,
                "node": count.node,
                "units": missing,
                "freed": freed,
            }
        )
        self._changes.add("events", (None, "stock.shortfall", None, self._now, body))

    def _finish(self) -> None:
        """Write what is new and when it was counted; send the orders that lost stock back to the
        queue."""
        for key in sorted(self._new):
            counted_at = self._counted.pop(key, 0)
            self._changes.add("new_stock", StockBalance(*key, 0, 0, 0, 0, counted_at))
        for key, at in self._counted.items():
            self._changes.add("counted", (at, *key))
        for work in self._orders.values():
            if work.changed:
                work.close_emptied_work(self._now)
                work.finish(work.queued(self._now))
