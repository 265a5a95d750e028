"""The rows of stock: balances, what they cannot say, and their movements. See `store.rows`."""

from __future__ import annotations

from typing import NamedTuple


class StockBalance(NamedTuple):
    """The guarded balance; `counted_at` is the as-of time of the last count (0: never)."""

    item_id: int
    node_id: int
    on_hand: int
    reserved: int
    blocked: int
    safety: int
    counted_at: int


class ShortfallRow(NamedTuple):
    """What a balance cannot say while more is promised than is on the shelf.

    `missing`: units on hand in the books that are not there. `unfit`: units that cannot be sold,
    beyond those that are blocked, for they are promised. There is no row where both are 0.
    """

    item_id: int
    node_id: int
    missing: int
    unfit: int


class LedgerRow(NamedTuple):
    """One signed movement of a balance; never changed. `at` is when it happened in the world.

    `kind`: reserve, free, expire, ship, count, delta, block, safety, return, shortfall, elsewhere.
    An order's `return` brings units back on hand, `blocked` where they cannot be sold again; its
    `elsewhere` takes off units that somebody else has sent from there. The sums of `shortfall` are
    those of `ShortfallRow`: on hand by `missing`, blocked less `unfit`.
    """

    seq: int | None
    item_id: int
    node_id: int
    on_hand: int
    reserved: int
    blocked: int
    safety: int
    kind: str
    order_id: int | None
    sequence: int | None
    at: int
