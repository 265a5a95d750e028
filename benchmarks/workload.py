"""The common benchmark workload as domcore's nouns.

The generator lies beside the repository (`../shared/bench/workload.py`); without it the
benchmarks say so and stop.
"""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from domcore.model import (
    Band,
    Destination,
    Handling,
    Item,
    Network,
    Node,
    ObserveStock,
    Order,
    OrderLine,
    Point,
    RateCard,
    StockCount,
    micros,
)

ROOT = Path(__file__).resolve().parents[1]
GENERATOR = ROOT.parent / "shared" / "bench" / "workload.py"
RATE_CARD = "parcel"


@frozen
class Workload:
    """One generated size: the nouns, and the plain rows they were made from."""

    network: Network
    items: tuple[Item, ...]
    stock: ObserveStock
    orders: tuple[Order, ...]
    rows: tuple[list[dict[str, Any]], ...]


def rows(size: str, seed: int, fill: float = 1.6) -> tuple[list[dict[str, Any]], ...]:
    """Nodes, SKUs, positions and orders as the generator gives them; exits where it is missing."""
    if not GENERATOR.exists():
        print(f"no workload generator at {GENERATOR.relative_to(ROOT.parent)}: nothing to measure")
        sys.exit(0)
    spec = importlib.util.spec_from_file_location("workload_generator", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: tuple[list[dict[str, Any]], ...] = module.generate(size, seed, fill)
    return made


def workload(size: str = "M", seed: int = 7, fill: float = 1.6) -> Workload:
    """Generate one size."""
    nodes, skus, positions, orders = made = rows(size, seed, fill)
    safety = {node["id"]: node["safety_stock"] for node in nodes}
    return Workload(
        network_of(nodes),
        tuple(Item(sku["id"], weight=round(sku["weight_kg"] * 1000)) for sku in skus),
        ObserveStock(
            "main",
            tuple(
                StockCount(
                    row["sku"], row["node"], on_hand=row["on_hand"], safety=safety[row["node"]]
                )
                for row in positions
            ),
        ),
        tuple(order_of(order) for order in orders),
        made,
    )


def network_of(nodes: list[dict[str, Any]]) -> Network:
    """The nodes, one rate card by distance and weight, a parcel's fixed cost as handling."""
    return Network(
        tuple(
            Node(
                node["id"],
                node["type"],
                Point.from_degrees(node["lat"], node["lon"]),
                country="US",
                rate_card=RATE_CARD,
                handling=Handling(parcel=micros(str(node["fixed_cost"]))),
                priority=node["priority"] + 1,
            )
            for node in nodes
        ),
        (RateCard(RATE_CARD, "USD", (Band(per_km=micros("0.004"), per_kg=micros("0.35")),)),),
    )


def order_of(row: dict[str, Any]) -> Order:
    """One order."""
    return Order(
        "main",
        "bench",
        row["id"],
        1,
        datetime.fromtimestamp(row["placed_at"], UTC),
        "USD",
        tuple(
            OrderLine(f"{row['id']}-{number}", line["sku"], line["qty"])
            for number, line in enumerate(row["lines"])
        ),
        Destination(row["country"], point=Point.from_degrees(row["lat"], row["lon"])),
        number=row["id"],
        service=row["service"],
    )
