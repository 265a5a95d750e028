"""Stores are opened by path or URL."""

from __future__ import annotations

import sqlite3

import pytest

from domcore import ConfigurationError, Domcore, Settings, StoreError
from domcore.store import open_store
from domcore.store.sqlite import SqliteStore


def health(store) -> dict[str, str]:
    try:
        return dict(store.health())
    finally:
        store.close()


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_a_path_and_a_url_open_the_same_file(tmp_path, prefix):
    open_store(f"{prefix}{tmp_path / 'dom.db'}").close()
    assert (tmp_path / "dom.db").exists()


def test_durability_is_full_unless_the_url_says_otherwise(tmp_path):
    path = tmp_path / "dom.db"
    assert health(open_store(path))["synchronous"] == "FULL"
    assert health(open_store(f"{path}?synchronous=normal"))["synchronous"] == "NORMAL"


def test_the_setting_reaches_the_database(tmp_path):
    chosen = Settings(store=str(tmp_path / "dom.db"), synchronous="NORMAL")
    with Domcore(chosen, load_plugins=False) as dom:
        assert dom.store.health()["synchronous"] == "NORMAL"


@pytest.mark.parametrize(
    "url",
    ["", "sqlite:///", "sqlite://x.db", "postgres://x", "x.db?speed=high", "x.db?synchronous=OFF"],
)
def test_an_address_that_means_nothing_is_refused(url):
    with pytest.raises(ConfigurationError):
        open_store(url)


@pytest.mark.parametrize("path", [".", "/"])
def test_a_folder_is_no_store(path):
    with pytest.raises(StoreError, match="folder"):
        open_store(path)


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE invoice (id)")
    theirs.commit()
    with pytest.raises(StoreError, match="another program"):
        open_store(path)
    assert theirs.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    SqliteStore.migrate(theirs)
    theirs.close()
    open_store(path).close()


def test_migrating_twice_is_harmless_whatever_the_callers_rows_look_like(tmp_path):
    theirs = sqlite3.connect(tmp_path / "theirs.db")
    theirs.row_factory = sqlite3.Row
    SqliteStore.migrate(theirs)
    SqliteStore.migrate(theirs)
    assert theirs.row_factory is sqlite3.Row
    theirs.close()
