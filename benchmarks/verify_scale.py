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
from domcore.store.sqlite.sealing import seal_everything
from domcore.testing.builder import World
from domcore.verify import verify

BASE = 10_000
SKUS = tuple(f"SKU-{number:03}" for number in range(200))
PLENTY = 500_000_000


def fill(path: Path, base: int) -> None:
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
            for number in range(base)
        )
        dom.route()


def multiply(path: Path, base: int, copies: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    (movements,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    (reserves,) = connection.execute(
        "SELECT count(*) FROM ledger WHERE kind = 'reserve'"
    ).fetchone()
    (events,) = connection.execute("SELECT count(*) FROM event").fetchone()
    (words,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    statements = [copying(connection, table, base) for table in COPIED]
    connection.execute("BEGIN")
    for copy in range(1, copies):
        values = {
            "ids": copy * base,
            "name": f"C{copy:04}-",
            "ledger": copy * reserves,
            "counts": movements - reserves,
            "events": copy * events,
            "words": copy * words,
        }
        for statement in statements:
            connection.execute(statement, values)
    connection.execute("UPDATE stock SET reserved = reserved * ?", (copies,))
    seal_everything(connection)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


COPIED = (
    "orders", "order_body", "order_state", "order_line", "decision", "reservation",
    "fulfillment_order", "ledger", "event", "outbox",
)  # fmt: skip
"""Every table that says something of a routed order."""

_NUMBERS = {("ledger", "seq"): "ledger", ("event", "seq"): "events", ("outbox", "id"): "words"}


def copying(connection: sqlite3.Connection, table: str, base: int) -> str:
    """The statement that copies the rows of the first `base` orders, each with its own identity."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    order_id = "id" if table == "orders" else "order_id"
    taken = ", ".join(_copied(table, column, order_id) for column in columns)
    where = f"{order_id} <= {base}" + (" AND seq > :counts" if table == "ledger" else "")
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {table} WHERE {where}"


def _copied(table: str, column: str, order_id: str) -> str:
    if (table, column) in _NUMBERS:
        return f"{column} + :{_NUMBERS[table, column]}"
    if column == order_id:
        return f"{column} + :ids"
    if column in ("external_id", "number"):
        return f"replace({column}, 'C0000-', :name)"
    if (table, column) in (("order_body", "body"), ("decision", "record")):
        return f"CAST(replace(CAST({column} AS TEXT), 'C0000-', :name) AS BLOB)"
    return column


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
    if found:
        raise SystemExit("the copies are not whole: this measures nothing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--smoke", action="store_true", help="a few hundred orders")
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.check:
        check(asked.check)
        return
    base, copies = (100, 3) if asked.smoke else (BASE, max(1, asked.orders // BASE))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scale.db"
        fill(path, base)
        multiply(path, base, copies)
        size = path.stat().st_size // 1_000_000
        print(f"{copies * base:,} orders, {size:,} MB", flush=True)
        subprocess.run([sys.executable, __file__, "--check", str(path)], check=True)


if __name__ == "__main__":
    main()
