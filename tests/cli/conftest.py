"""A command line to call, and a routed demo project to call it on."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from domcore import Settings
from domcore.cli.root import build
from domcore.model import Notice
from domcore.testing.builder import World

Run = Callable[..., Result]

PLUGINS = Path(__file__).parents[2] / "plugins"


def invoke(*args: object, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(
        build(), [str(each) for each in args], input=stdin, prog_name="domcore"
    )


@pytest.fixture(scope="session", autouse=True)
def shopify(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The demo's plugins as if installed from the checkout, where they are not; what to put on a
    path."""
    added: list[str] = []
    for name in ("shopify", "files"):
        if find_spec(f"domcore_{name}") is None:
            folder = tmp_path_factory.mktemp("site")
            info = folder / f"domcore_{name}-0.1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: domcore-{name}\nVersion: 0.1.0\n"
            )
            (info / "entry_points.txt").write_text(f"[domcore]\n{name} = domcore_{name}.plugin\n")
            added += [str(folder), str(PLUGINS / f"domcore-{name}" / "src")]
    sys.path[:0] = added
    yield added
    for each in added:
        sys.path.remove(each)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests are none of theirs."""
    for name in list(os.environ):
        if name.startswith("DOMCORE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def run() -> Run:
    """``run("orders", "--json")``: the result of a command."""
    return invoke


@pytest.fixture(scope="session")
def routed(tmp_path_factory: pytest.TempPathFactory, shopify: list[str]) -> tuple[Path, Result]:
    """A demo that has run, and what it printed; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    result = invoke("demo", folder, "--orders", 120)
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.fixture
def shop(routed: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the routed demo, as the current folder."""
    folder = tmp_path / "shop"
    shutil.copytree(routed[0], folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project without data, as the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert invoke("init").exit_code == 0
    return folder


@pytest.fixture(scope="session")
def made_trouble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one of most kinds of trouble; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("trouble") / "troubled"
    folder.mkdir()
    (folder / "domcore.toml").write_text('store = "domcore.db"\nload_plugins = []\n')
    world = World().node("NYC", at=(40.71, -74.0)).node("LAX", at=(34.05, -118.24))
    world.item("MUG", weight=400).stock("MUG", NYC=9, LAX=1)
    world.item("CAP").stock("CAP", NYC=1, LAX=1)
    now = datetime.now(UTC)
    world.clock.now = now - timedelta(days=3)
    settings = Settings(store=str(folder / "domcore.db"))
    with world.open(settings) as dom:
        dom.capture(evolve(world.order("late 1", MUG=1), ship_by=now - timedelta(hours=2)))
        dom.capture(world.order("-5", MUG=2))
        dom.capture(world.order("rejected", CAP=1))
        dom.capture(world.order("gone", number="#gone", MUG=1))
        dom.capture(world.order("$(short)", MUG=40))
        dom.capture(world.order("nowhere", MUG=1, destination=None))
        dom.route()
        dom.record(Notice("3-1-NYC", "rejected", world.clock(), reason="closed"))
        dom.record(Notice("4-1-NYC", "shipped", world.clock()))
    return folder


@pytest.fixture
def troubled(made_trouble: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the store with trouble, as the current folder."""
    folder = tmp_path / "troubled"
    shutil.copytree(made_trouble, folder)
    monkeypatch.chdir(folder)
    return folder
