"""Both stores keep every promise of the public suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from domcore.store import open_store
from domcore.store.protocol import Store
from domcore.testing.store_suite import StoreSuite


class TestSqliteStore(StoreSuite):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "store.db"

    def make_store(self) -> Store:
        return open_store(f"sqlite:///{self.path}")


class TestMemoryStore(StoreSuite):
    permutations = 1000

    def make_store(self) -> Store:
        return open_store("memory:")
