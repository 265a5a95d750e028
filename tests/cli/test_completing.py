"""The shell offers what the project has."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from domcore import Domcore
from domcore.cli.root import build
from domcore.config import read_settings
from domcore.testing.builder import World

RELEASED = Path(__file__).parents[1] / "store" / "released" / "schema-2.db.gz"

NETWORK = """\
[[rate_card]]
id = "ground"
currency = "USD"
[[rate_card.band]]
base = "4.00"

[[node]]
id = "NYC"
kind = "dc"
lat = 40.7
lon = -74.0
rate_card = "ground"

[[node]]
id = "NEWARK"
kind = "store"
lat = 40.7
lon = -74.2
rate_card = "ground"
"""


def offered(*words: str) -> list[str]:
    """What is offered for the last of the words."""
    *before, begun = words
    complete = ShellComplete(build(), {}, "domcore", "_DOMCORE_COMPLETE")
    return [item.value for item in complete.get_completions(before, begun)]


@pytest.fixture
def project(run, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert run("init").exit_code == 0
    (tmp_path / "network.toml").write_text(NETWORK, encoding="utf-8")
    assert run("load", "network", "network.toml").exit_code == 0
    with Domcore(read_settings(environ={})) as dom:
        dom.load_items(World().item("MUG").items)
        for number in ("1001", "1002", "2001"):
            dom.capture(World().order(number, MUG=1))
    return tmp_path


def test_orders_are_offered_by_every_name_that_they_have_the_newest_first(project) -> None:
    assert offered("explain", "") == ["web/2001", "web/1002", "web/1001"]
    assert offered("timeline", "100") == ["1002", "1001"]
    assert offered("cancel", "web/20") == ["web/2001"]
    assert offered("approve", "#1") == ["#1002", "#1001"]
    assert offered("plan", "nothing") == []


def test_nodes_owners_and_packs_are_offered(project) -> None:
    assert sorted(offered("orders", "--node", "N")) == ["NEWARK", "NYC"]
    assert offered("explain", "web/1001", "--why-not", "NE") == ["NEWARK"]
    assert offered("kpi", "--owner", "") == ["main"]
    assert "cost-first" in offered("rulesets", "check", "cost")


def test_a_project_that_is_named_is_the_one_that_is_asked(project, tmp_path, monkeypatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    config = str(project / "domcore.toml")
    assert offered("explain", "--config", config, "10") == ["1002", "1001"]


def test_nothing_is_offered_where_there_is_no_project_or_a_broken_one(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("explain", "") == []
    (tmp_path / "domcore.toml").write_text("not [ toml", encoding="utf-8")
    assert offered("explain", "") == []
    assert os.listdir(tmp_path) == ["domcore.toml"]


def test_completing_migrates_no_store(project) -> None:
    (store,) = project.glob("*.db")
    with gzip.open(RELEASED) as packed, store.open("wb") as out:
        shutil.copyfileobj(packed, out)
    for each in project.glob("*.db-*"):
        each.unlink()
    before = store.read_bytes()
    assert offered("explain", "") == []
    assert store.read_bytes() == before
