"""Whatever is changed about trouble in a store is found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from domcore import Domcore, Settings
from domcore.model import Notice
from domcore.testing.builder import World

SEEDS = {
    "lost": "DELETE FROM trouble WHERE number = 1",
    "invented": (
        "CREATE TEMP TABLE copy AS SELECT * FROM trouble WHERE number = 1;"
        "UPDATE copy SET number = 9; INSERT INTO trouble SELECT * FROM copy"
    ),
    "of another order": "UPDATE trouble SET order_id = 2",
    "of another number": "UPDATE trouble SET number = 7 WHERE number = 2",
    "of other work": "UPDATE trouble SET sequence = 2",
    "at another node": "UPDATE trouble SET node_id = 1",
    "of another kind": "UPDATE trouble SET kind = 'left'",
    "of another time": "UPDATE trouble SET at = at + 1",
    "in other words": "UPDATE trouble SET note = 'all is well'",
    "of other units": "UPDATE trouble SET lines = CAST('[[\"1\",2]]' AS BLOB) WHERE number = 2",
    "settled in silence": "UPDATE trouble SET settled_at = 5, settled_by = 'x' WHERE number = 2",
    "open again": "UPDATE trouble SET settled_at = NULL, settled_by = NULL",
    "settled by another": "UPDATE trouble SET settled_by = 'lee' WHERE number = 1",
    "settled at another time": "UPDATE trouble SET settled_at = 5 WHERE number = 1",
    "raised twice": (
        "INSERT INTO event (kind, order_id, at, body) SELECT kind, order_id, at, body FROM event"
        " WHERE kind = 'trouble.raised' LIMIT 1"
    ),
    "told badly": "UPDATE event SET body = CAST('{' AS BLOB) WHERE kind = 'trouble.raised'",
}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A store with settled trouble and some that stands."""
    path = tmp_path / "shop.db"
    world = World().node("LAX", at=(34.0, -118.2)).node("NYC", at=(40.7, -74.0))
    world.item("MUG").stock("MUG", NYC=9)
    with world.open(Settings(store=str(path), owners={"main": "USD"})) as dom:
        dom.capture(world.order("1", MUG=3))
        dom.capture(world.order("2", MUG=3))
        dom.route()
        dom.record(Notice("1-1-NYC", "shipped", world.clock()))
        dom.record(Notice("1-1-NYC", "exception", world.clock(), detail="lost"))
        dom.settle("trouble/1-1", by="kim")
        dom.record(Notice("1-1-NYC", "returned", world.clock()))
    return path


def violations(path: Path) -> list[str]:
    with Domcore(Settings(store=str(path), owners={"main": "USD"}), load_plugins=False) as dom:
        return [str(each) for each in dom.verify()]


def test_a_store_with_trouble_is_sound(kept: Path) -> None:
    assert violations(kept) == []


@pytest.mark.parametrize("name", SEEDS)
def test_seeded_corruption_is_found(kept: Path, name: str) -> None:
    connection = sqlite3.connect(kept)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.executescript(SEEDS[name])
    connection.commit()
    connection.close()
    assert violations(kept)
