from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domcore.store import open_store
from domcore.testing.store_suite.kit import StoreKit


@pytest.fixture(params=["sqlite", "memory"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreKit]:
    store = open_store("memory:" if request.param == "memory" else tmp_path / "store.db")
    yield StoreKit(store)
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def sqlite_kit(path: Path) -> Iterator[StoreKit]:
    store = open_store(path)
    yield StoreKit(store)
    store.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long tier of this folder runs only when it is asked for."""
    if "long" in config.option.markexpr:
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="the long tier; run with -m long"))
