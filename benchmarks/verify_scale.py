"""How fast `verify` is, and how much memory it takes, on a store with many orders.

    python benchmarks/verify_scale.py --orders 1000000

Ten thousand orders are captured and routed; SQL then copies them, each copy with identities of
its own, until there are as many as wanted. The check runs in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from domcore.settings import RoutingSettings, Settings
from domcore.store import open_store
from domcore.testing.builder import World
from domcore.verify import verify

BASE = 10_000
SKUS = tuple(f"SKU-{number:03}" for number in range(200))
PLENTY = 500_000_000


def fill(path: Path) -> None:
    world = World()
    world.node("NYC", at=(40.7, -74.0), connector="x").node("LAX", at=(34.0, -118.2))
    for sku in SKUS:
        world.item(sku, weight=300).stock(sku, NYC=PLENTY, LAX=PLENTY)
    settings = Settings(
        store=str(path), engine="python", synchronous="NORMAL", routing=RoutingSettings(batch=500)
    )
    with world.open(settings) as dom:
        dom.capture_all(
            world.order(
                f"C0000-{number}",
                lines={SKUS[(number * 7 + line) % 200]: line + 1 for line in range(number % 4 + 1)},
            )
            for number in range(BASE)
        )
        dom.route()


def multiply(path: Path, copies: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    (movements,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    (reserves,) = connection.execute(
        "SELECT count(*) FROM ledger WHERE kind = 'reserve'"
    ).fetchone()
    counts = movements - reserves
    (events,) = connection.execute("SELECT count(*) FROM event").fetchone()
    (words,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    connection.execute("BEGIN")
    for copy in range(1, copies):
        values = {
            "ids": copy * BASE,
            "name": f"C{copy:04}-",
            "ledger": copy * reserves,
            "counts": counts,
            "events": copy * events,
            "words": copy * words,
        }
        for statement in COPIES:
            connection.execute(statement, values)
    connection.execute("UPDATE stock SET reserved = reserved * ?", (copies,))
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _renamed(column: str) -> str:
    return f"CAST(replace(CAST({column} AS TEXT), 'C0000-', :name) AS BLOB)"


def _copy(table: str, columns: str, where: str = "order_id <= 10000") -> str:
    return f"INSERT INTO {table} SELECT {columns} FROM {table} WHERE {where}"


COPIES = (
    _copy(
        "orders",
        "id + :ids, owner_id, channel, replace(external_id, 'C0000-', :name),"
        " replace(number, 'C0000-', :name), placed_at, captured_at",
        f"id <= {BASE}",
    ),
    _copy("order_body", f"order_id + :ids, revision, digest, {_renamed('body')}"),
    _copy(
        "order_state",
        "order_id + :ids, version, revision, sequence, hold, cancelled, retry_at, reason",
    ),
    _copy(
        "order_line",
        "order_id + :ids, line_no, item_id, ordered, open, allocated, shipped, cancelled, wanted",
    ),
    _copy("decision", f"order_id + :ids, sequence, at, purpose, {_renamed('record')}"),
    _copy(
        "reservation",
        "order_id + :ids, sequence, line_no, node_id, part, item_id, quantity, state, expires_at",
    ),
    _copy(
        "fulfillment_order",
        "order_id + :ids, sequence, node_id, status, told, handed_over, reference",
    ),
    _copy(
        "ledger",
        "seq + :ledger, item_id, node_id, on_hand, reserved, blocked, safety, kind,"
        " order_id + :ids, sequence, at",
        f"seq > :counts AND order_id <= {BASE}",
    ),
    _copy("event", "seq + :events, kind, order_id + :ids, at, body"),
    _copy(
        "outbox",
        "id + :words, topic, order_id + :ids, sequence, node_id, due_at, attempts, done_at, note",
    ),
)


def check(path: Path) -> None:
    store = open_store(path)
    began, cpu = time.perf_counter(), time.process_time()
    found = list(verify(store))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    for violation in found[:5]:
        print(violation)
    print(f"{len(found)} violations, {wall:.1f} s, {cpu:.1f} s CPU, peak memory {peak} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.check:
        check(asked.check)
        return
    copies = max(1, asked.orders // BASE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scale.db"
        fill(path)
        multiply(path, copies)
        size = path.stat().st_size // 1_000_000
        print(f"{copies * BASE:,} orders, {size:,} MB", flush=True)
        subprocess.run([sys.executable, __file__, "--check", str(path)], check=True)


if __name__ == "__main__":
    main()
