"""The same orders on the same stock decide to the same bytes, on every store and engine."""

from __future__ import annotations

import json
import random

import pytest

from domcore import ActivationSettings, Settings
from domcore.model import ObserveStock, StockCount
from domcore.rules.engines.durable import available
from domcore.settings import RoutingSettings
from domcore.testing.builder import World

SKUS = [f"S{number}" for number in range(12)]
NODES = {
    "BOS": (42.36, -71.06), "CHI": (41.88, -87.63), "DAL": (32.78, -96.80),
    "LAX": (34.05, -118.24), "NYC": (40.71, -74.00),
}  # fmt: skip


def busy_world(seed: int) -> World:
    dice = random.Random(seed)
    world = World()
    for name, at in NODES.items():
        kind = dice.choice(("dc", "store"))
        world.node(name, at=at, kind=kind, handling=("0.50", "0.10", "0.02"))
    for sku in SKUS:
        tags = ("hazmat",) if dice.random() < 0.2 else ()
        world.item(sku, weight=dice.randrange(50, 4_000), tags=tags)
        for name in NODES:
            if dice.random() < 0.6:
                world.counts.append(StockCount(sku, name, on_hand=dice.randrange(9), safety=1))
    return world


def route_all(seed: int, store: str, engine: str, batch: int) -> list[dict]:
    world = busy_world(seed)
    dice = random.Random(seed + 1)
    settings = Settings(
        store=store,
        engine=engine,
        activate=(
            ActivationSettings("cost-first", layer="core"),
            ActivationSettings("ship-from-store"),
        ),
        routing=RoutingSettings(batch=batch, seed=seed),
    )
    with world.open(settings) as dom:
        for number in range(40):
            lines = {sku: dice.randrange(1, 4) for sku in dice.sample(SKUS, dice.randrange(1, 5))}
            dom.capture(world.order(str(number), lines=lines))
        dom.route()
        dom.observe(ObserveStock("main", (StockCount(SKUS[0], "NYC", delta=20),)))
        world.clock.forward(hours=2)
        dom.route()
        assert list(dom.verify()) == []
        records = [
            json.loads(decision.record)
            for number in range(1, 41)
            for decision in dom.store.decisions(number)
        ]
    for record in records:
        record.pop("made")
    return records


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stores_and_engines_decide_alike(tmp_path, seed):
    expected = route_all(seed, "memory:", "python", 100)
    assert any(record["take"] for record in expected)
    assert route_all(seed, str(tmp_path / "a.db"), "python", 100) == expected
    if available()[0]:
        assert route_all(seed, "memory:", "durable", 100) == expected


@pytest.mark.parametrize("seed", [4, 5])
def test_the_size_of_a_batch_changes_no_decision(tmp_path, seed):
    expected = route_all(seed, "memory:", "python", 100)
    assert route_all(seed, str(tmp_path / "a.db"), "python", 1) == expected
    assert route_all(seed, str(tmp_path / "b.db"), "python", 7) == expected
