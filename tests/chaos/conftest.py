from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domcore import Domcore, RoutingSettings, Settings
from domcore.testing.builder import World


class Shop:
    """A small world on a SQLite file, and as many applications on it as a test wants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
        self.world.item("MUG", weight=300).stock("MUG", NYC=5_000, LAX=5_000)
        self.settings = Settings(
            store=str(path), engine="python", routing=RoutingSettings(batch=10)
        )
        self._opened: list[Domcore] = []
        self.world.open(self.settings).close()

    def open(self, **more: Any) -> Domcore:
        more.setdefault("load_plugins", False)
        self._opened.append(Domcore(self.settings, clock=self.world.clock, **more))
        return self._opened[-1]

    def fill(self, dom: Domcore, orders: int, first: int = 0) -> None:
        dom.capture_all(
            self.world.order(str(number), MUG=2) for number in range(first, first + orders)
        )

    def is_clean(self) -> bool:
        with Domcore(self.settings, load_plugins=False) as dom:
            return list(dom.verify()) == []

    def close(self) -> None:
        for dom in self._opened:
            dom.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    found = Shop(tmp_path / "shop.db")
    yield found
    found.close()


@pytest.fixture
def routed() -> Callable[[Domcore], list[int]]:
    """The orders that have a decision."""
    return lambda dom: sorted({row[0] for row in dom.store.audit("decision")})
