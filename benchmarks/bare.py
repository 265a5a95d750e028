"""The yardstick: routing as a straight-line sqlite3 script, with no framework at all.

Four narrow tables, integer keys, WAL and ``synchronous=FULL``. Nodes and weights are in memory
from the start, stock is read from its table line by line. An order is inserted, covered greedily
by least cost per unit, whole or not at all, and taken by guarded updates. Nothing is checked,
explained or recorded.
"""

from __future__ import annotations

import sqlite3
import time
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

Rows = tuple[list[dict[str, Any]], ...]

SCHEMA = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, placed_at INTEGER, lat REAL, lon REAL, routed INTEGER);
CREATE TABLE lines (order_id INTEGER, line INTEGER, sku INTEGER, qty INTEGER,
  PRIMARY KEY (order_id, line)) WITHOUT ROWID;
CREATE TABLE stock (sku INTEGER, node INTEGER, on_hand INTEGER, reserved INTEGER, safety INTEGER,
  PRIMARY KEY (sku, node)) WITHOUT ROWID;
CREATE TABLE allocations (order_id INTEGER, line INTEGER, node INTEGER, qty INTEGER, cost REAL,
  PRIMARY KEY (order_id, line, node)) WITHOUT ROWID;
"""
HOLDERS = (
    "SELECT node, on_hand - reserved - safety FROM stock "
    "WHERE sku = ? AND on_hand - reserved - safety > 0"
)
ORDER = "INSERT INTO orders VALUES (?, ?, ?, ?, ?)"
LINE = "INSERT INTO lines VALUES (?, ?, ?, ?)"
TAKE = (
    "UPDATE stock SET reserved = reserved + ? "
    "WHERE sku = ? AND node = ? AND on_hand - reserved - safety >= ?"
)
ALLOCATE = "INSERT INTO allocations VALUES (?, ?, ?, ?, ?)"

Take = tuple[int, int, int]
"""line, node, units"""


class Bare:
    """The script's data: a database, and what it keeps in memory."""

    def __init__(self, made: Rows, path: Path, orders: int | None = None) -> None:
        nodes, skus, positions, placed = made
        node_number = {node["id"]: at for at, node in enumerate(nodes)}
        self.sku_number = {sku["id"]: at for at, sku in enumerate(skus)}
        self.kg = [sku["weight_kg"] for sku in skus]
        self.places = [
            (radians(node["lat"]), radians(node["lon"]), node["fixed_cost"]) for node in nodes
        ]
        safety = [node["safety_stock"] for node in nodes]
        rows = []
        for row in positions:
            sku, node = self.sku_number[row["sku"]], node_number[row["node"]]
            rows.append((sku, node, row["on_hand"], 0, safety[node]))
        self.orders = placed[:orders]
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA)
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO stock VALUES (?, ?, ?, ?, ?)", rows)
        self.db.execute("COMMIT")
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def route(self, batch: int) -> tuple[float, int]:
        """Route everything; returns CPU seconds and the number of orders placed."""
        execute, executemany = self.db.execute, self.db.executemany
        placed = 0
        started = time.process_time()
        for number, order in enumerate(self.orders):
            if number % batch == 0:
                if number:
                    execute("COMMIT")
                execute("BEGIN IMMEDIATE")
            lines = [(self.sku_number[line["sku"]], line["qty"]) for line in order["lines"]]
            takes, cost = self.cover(lines, order["lat"], order["lon"])
            execute(
                ORDER, (number, order["placed_at"], order["lat"], order["lon"], 1 if takes else 0)
            )
            executemany(LINE, [(number, at, sku, qty) for at, (sku, qty) in enumerate(lines)])
            for line, node, units in takes:
                sku = lines[line][0]
                if execute(TAKE, (units, sku, node, units)).rowcount != 1:
                    raise RuntimeError("stock has gone")
                execute(ALLOCATE, (number, line, node, units, cost))
            placed += bool(takes)
        execute("COMMIT")
        return time.process_time() - started, placed

    def cover(
        self, lines: list[tuple[int, int]], lat: float, lon: float
    ) -> tuple[list[Take], float]:
        """Node after node by least cost per unit; nothing where that leaves a unit over."""
        holders: dict[int, list[tuple[int, int]]] = {}
        need = []
        for at, (sku, quantity) in enumerate(lines):
            need.append(quantity)
            for node, units in self.db.execute(HOLDERS, (sku,)):
                holders.setdefault(node, []).append((at, units))
        fixed = self.fixed_costs(holders, lat, lon)
        takes: list[Take] = []
        left, total = sum(need), 0.0
        while left and holders:
            best, best_score, best_cost = -1, float("inf"), 0.0
            for node, offers in holders.items():
                units, kg = 0, 0.0
                for at, available in offers:
                    some = need[at] if need[at] < available else available
                    units += some
                    kg += some * self.kg[lines[at][0]]
                if units:
                    cost = fixed[node] + 0.35 * kg
                    score = cost / units
                    if score < best_score or (score == best_score and node < best):
                        best, best_score, best_cost = node, score, cost
            if best < 0:
                return [], 0.0
            for at, available in holders.pop(best):
                some = min(need[at], available)
                if some:
                    takes.append((at, best, some))
                    need[at] -= some
                    left -= some
            total += best_cost
        return ([], 0.0) if left else (takes, total)

    def fixed_costs(
        self, holders: dict[int, list[tuple[int, int]]], lat: float, lon: float
    ) -> dict[int, float]:
        """A parcel from each holder: its fixed cost and the distance."""
        lat, lon = radians(lat), radians(lon)
        cos_lat = cos(lat)
        costs = {}
        for node in holders:
            there, along, parcel = self.places[node]
            a = sin((there - lat) / 2) ** 2
            a += cos_lat * cos(there) * sin((along - lon) / 2) ** 2
            costs[node] = parcel + 0.004 * 12742.0 * asin(sqrt(a))
        return costs

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def run_bare(made: Rows, path: Path, batch: int, orders: int | None = None) -> tuple[float, int]:
    """A fresh database at `path`, routed; CPU seconds and orders placed."""
    bare = Bare(made, path, orders)
    try:
        return bare.route(batch)
    finally:
        bare.close()
