"""Figures 7 and 8: a million stock positions counted, and the snapshot caught up.

    python benchmarks/stock.py

100,000 SKUs at 10 nodes. The first count of every position is observed 2,000 to a commit, then all
are counted again; the yardstick is a bare sqlite3 upsert of the same rows into one table, in the
same batches and with the same durability, which keeps no ledger. Then 1,000 positions change and a
snapshot that holds them all catches up; the yardstick reads 1,000 rows by key.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from measure import machine, measured, median, parser, scratch, table

from domcore.model import Item, Network, Node, ObserveStock, Point, StockCount
from domcore.store import open_store
from domcore.store.protocol import Store
from domcore.supply_cache import SupplyCache

NODES = 10
BATCH = 2000
CHANGES = 1000
NOW = 1_767_225_600_000_000

UPSERT = (
    "INSERT INTO position VALUES (?, ?, ?, ?) ON CONFLICT (item_id, node_id) "
    "DO UPDATE SET on_hand = excluded.on_hand, counted_at = excluded.counted_at"
)


def counts(skus: int, more: int) -> Iterator[StockCount]:
    """One count of every position."""
    for item in range(skus):
        for node in range(NODES):
            units = (item + node) % 7 + more
            yield StockCount(f"SKU-{item:06d}", f"NODE-{node}", on_hand=units)


def shop(path: Path, skus: int) -> Store:
    """A store with items and nodes, and nothing on its shelves."""
    store = open_store(str(path))
    nodes = tuple(Node(f"NODE-{node}", "dc", Point(0, 0)) for node in range(NODES))
    store.save_network(Network(nodes), now=NOW)
    store.save_items("main", (Item(f"SKU-{item:06d}") for item in range(skus)), now=NOW)
    return store


def observe_all(store: Store, skus: int, more: int, now: int) -> float:
    """Seconds to observe a count of every position."""
    coming = counts(skus, more)
    with measured() as clock:
        while batch := tuple(islice(coming, BATCH)):
            store.observe_stock(ObserveStock("main", batch), now=now)
    return clock.wall


def upsert_all(path: Path, skus: int, more: int, now: int) -> float:
    """Seconds for the yardstick."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS position (item_id INTEGER, node_id INTEGER, "
        "on_hand INTEGER, counted_at INTEGER, PRIMARY KEY (item_id, node_id)) WITHOUT ROWID"
    )
    rows = (
        (item, node, (item + node) % 7 + more, now) for item in range(skus) for node in range(NODES)
    )
    with measured() as clock:
        while batch := list(islice(rows, BATCH)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(UPSERT, batch)
            connection.execute("COMMIT")
    connection.close()
    return clock.wall


def counted(folder: Path, skus: int) -> Store:
    """Print the figures of counting; the store that was filled."""
    store, rows = shop(folder / "shop.db", skus), []
    for what, more, now in (("first count", 5, NOW + 1), ("every position again", 6, NOW + 2)):
        bare = upsert_all(folder / "bare.db", skus, more, now)
        spent = observe_all(store, skus, more, now)
        each = spent / (skus * NODES) * 1e6
        rows.append((what, f"{spent:.1f}", f"{each:.1f}", f"{bare:.1f}", f"{spent / bare:.1f}"))
    heads = (f"{skus * NODES:,} counts", "s", "us each", "bare upsert s", "ratio")
    table(heads, rows)
    if sum(row[2] for row in store.audit("stock")) != sum(c.on_hand or 0 for c in counts(skus, 6)):
        raise SystemExit("the balances are not what was counted")
    return store


def caught_up(store: Store, skus: int, rounds: int) -> None:
    """Print the figures of the snapshot."""
    cache = SupplyCache(store)
    cache.refresh()
    cache.fetch("main", (f"SKU-{item:06d}" for item in range(skus)))
    refreshed, rereads, bare = [], [], []
    changes = min(CHANGES, skus)
    for number in range(rounds * 2):
        now = NOW + 100 + number
        news = tuple(
            StockCount(f"SKU-{at:06d}", f"NODE-{at % NODES}", on_hand=20 + number)
            for at in range(0, skus, skus // changes)
        )[:changes]
        store.observe_stock(ObserveStock("main", news), now=now)
        look, into = (cache.refresh, refreshed) if number % 2 else (cache.reread, rereads)
        started = time.perf_counter()
        look()
        into.append(time.perf_counter() - started)
        item_id = store.items("main", [news[-1].sku])[news[-1].sku].item_id
        if 20 + number not in cache.supply.available[item_id].values():
            raise SystemExit("the snapshot has not caught up")
        bare.append(_read_rows(store, changes))
    ms = [f"{median(each) * 1000:.1f}" for each in (refreshed, rereads, bare)]
    table(
        (f"{changes:,} changes of {skus * NODES:,} positions", "ms", "under", "bare read ms"),
        [("refresh", ms[0], "20", ms[2]), ("reread", ms[1], "20", ms[2])],
    )


def _read_rows(store: Store, changes: int) -> float:
    path = store.health()["path"]
    connection = sqlite3.connect(path)
    keys = connection.execute(
        "SELECT item_id, node_id FROM ledger ORDER BY seq DESC LIMIT ?", (changes,)
    ).fetchall()
    started = time.perf_counter()
    for key in keys:
        connection.execute("SELECT * FROM stock WHERE item_id = ? AND node_id = ?", key).fetchone()
    spent = time.perf_counter() - started
    connection.close()
    return spent


def main() -> None:
    """Print both tables."""
    asked = parser(__doc__).parse_args()
    skus = 1_000 if asked.smoke else 100_000
    print(f"stock: {machine()}\n")
    with scratch() as folder:
        store = counted(folder, skus)
        caught_up(store, skus, 2 if asked.smoke else max(asked.rounds, 5))
        store.close()


if __name__ == "__main__":
    main()
