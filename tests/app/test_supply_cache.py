"""The planning snapshot keeps in step, and reads nothing that nobody asked for."""

from __future__ import annotations

from typing import Any

from domcore import Settings
from domcore.model import ObserveStock, StockCount
from domcore.supply_cache import SupplyCache
from domcore.testing.builder import World


def world() -> World:
    made = World().node("NYC", at=(40.71, -74.0)).item("MUG").item("POT")
    return made.stock("MUG", NYC=5).stock("POT", NYC=7)


class Counting:
    """A store that counts the balances it has handed out."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.rows = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def stock_since(self, cursor: int) -> Any:
        at, rows = self._store.stock_since(cursor)
        self.rows += len(rows)
        return at, rows


def test_before_anything_is_planned_no_stock_is_read() -> None:
    with world().open() as dom:
        store = Counting(dom.store)
        cache = SupplyCache(store)  # type: ignore[arg-type]
        cache.reread()
        cache.refresh()
        assert store.rows == 0
        dom.observe(ObserveStock("main", (StockCount("MUG", "NYC", on_hand=3),)))
        cache.refresh()
        assert store.rows == 1


def test_it_catches_up_with_what_another_application_has_counted(tmp_path) -> None:
    settings = Settings(store=str(tmp_path / "dom.db"))
    with world().open(settings) as dom, world().open(settings) as other:
        cache = SupplyCache(dom.store)
        cache.fetch("main", ["MUG"])
        (item_id,) = cache.supply.available
        other.observe(ObserveStock("main", (StockCount("MUG", "NYC", on_hand=9, blocked=2),)))
        cache.refresh()
        assert cache.supply.available == {item_id: {0: 7}}
