"""News of stock: counts as of a time, and deltas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domcore.codec.stored import dump_event
from domcore.errors import PayloadError, Problem
from domcore.model.clock import to_micros
from domcore.model.command import ObserveStock, StockCount
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.order_work import OrderWork, load_work
from domcore.store.rows import MOST, StockBalance

CLOCKS_APART: Final = 5 * 60 * 1_000_000
"""Microseconds by which a counting clock may run ahead of ours: a count from the future would make
every later one look old."""


def check_counts(
    command: ObserveStock, item_ids: Mapping[str, int], node_ids: Mapping[str, int], now: int
) -> None:
    """Refuse what cannot be meant.

    Raises:
        PayloadError: every bad field of every count.
    """
    problems: list[Problem] = []
    for number, count in enumerate(command.counts):
        path = f"$.counts[{number}]"
        if count.sku not in item_ids:
            problems.append(Problem(f"{path}.sku", "no such item"))
        if count.node not in node_ids:
            problems.append(Problem(f"{path}.node", "no such node"))
        if (count.on_hand is None) == (count.delta is None):
            problems.append(Problem(path, "give exactly one of on_hand and delta"))
        for name, value, least in (
            ("on_hand", count.on_hand, 0),
            ("delta", count.delta, -MOST),
            ("safety", count.safety, 0),
        ):
            if value is not None and not (type(value) is int and least <= value <= MOST):
                problems.append(Problem(f"{path}.{name}", f"must be from {least} to {MOST}"))
        if count.as_of is not None and count.as_of.tzinfo is None:
            problems.append(Problem(f"{path}.as_of", "must say its time zone"))
        elif count.as_of is not None and to_micros(count.as_of) > now + CLOCKS_APART:
            problems.append(Problem(f"{path}.as_of", "lies in the future"))
    if problems:
        raise PayloadError("this news of stock cannot be taken in", problems)


class Observe:
    """Applies counts one after the other to a working copy of the balances they speak of."""

    def __init__(self, reader: Reader, changes: Changes, now: int) -> None:
        self.applied = 0
        self.dropped = 0
        self._reader: Final = reader
        self._changes: Final = changes
        self._now: Final = now
        self._balances: dict[tuple[int, int], StockBalance] = {}
        self._orders: dict[int, OrderWork] = {}
        self._moved: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def load(self, keys: list[tuple[int, int]]) -> None:
        """Read the balances; those that do not exist begin at zero."""
        for row in self._reader.balances(keys):
            self._balances[row[0], row[1]] = StockBalance(*row)
        for key in keys:
            if key not in self._balances:
                self._balances[key] = StockBalance(*key, 0, 0, 0, 0, 0)
                self._changes.add("new_stock", self._balances[key])

    def take(self, key: tuple[int, int], count: StockCount) -> None:
        """Apply one count or delta."""
        balance = self._balances[key]
        at = self._now if count.as_of is None else to_micros(count.as_of)
        if at < balance.counted_at:
            # A later count has seen this already.
            self.dropped += 1
            return
        self.applied += 1
        if count.safety is not None and count.safety != balance.safety:
            self._changes.move(key, "safety", self._now, safety=count.safety - balance.safety)
            balance = balance._replace(safety=count.safety)
        if count.on_hand is not None:
            balance = self._recount(key, balance, count.on_hand, at)
        elif count.delta:
            self._moved.setdefault(key, []).append((at, count.delta))
            balance = self._bring(key, balance, balance.on_hand + count.delta, "delta", at)
        self._balances[key] = balance

    def _recount(
        self, key: tuple[int, int], balance: StockBalance, counted: int, at: int
    ) -> StockBalance:
        """Set what is on hand to a count, plus what has moved since; a count settles what was
        blocked, for it has looked."""
        moved = self._reader.moved_since(key, at)
        moved += sum(units for when, units in self._moved.get(key, ()) if when > at)
        if balance.blocked:
            self._changes.move(key, "count", self._now, blocked=-balance.blocked)
        if at != balance.counted_at:
            self._changes.add("counted", (at, *key))
        balance = balance._replace(blocked=0, counted_at=at)
        return self._bring(key, balance, counted + moved, "count", at)

    def _bring(
        self, key: tuple[int, int], balance: StockBalance, wanted: int, kind: str, at: int
    ) -> StockBalance:
        """Bring on hand to `wanted`, but never below what is reserved or blocked: first the
        youngest reservations that are not handed over give way, then the books stay above the
        shelf until the nodes report."""
        target = min(max(wanted, 0), MOST)
        missing = balance.reserved + balance.blocked - target
        if missing > 0:
            freed = self._free(key, missing)
            balance = balance._replace(reserved=balance.reserved - freed)
            target = max(target, balance.reserved + balance.blocked)
            self._tell_shortfall(key, missing, freed)
        self._changes.move(key, kind, at, on_hand=target - balance.on_hand)
        return balance._replace(on_hand=target)

    def _free(self, key: tuple[int, int], most: int) -> int:
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

    def _tell_shortfall(self, key: tuple[int, int], missing: int, freed: int) -> None:
        body = dump_event({"item_id": key[0], "node_id": key[1], "units": missing, "freed": freed})
        self._changes.add("events", (None, "stock.shortfall", None, self._now, body))

    def finish(self) -> None:
        """Send the orders that lost stock back to the queue."""
        for work in self._orders.values():
            if work.changed:
                work.close_emptied_work(self._now)
                work.finish(work.queued(self._now))
