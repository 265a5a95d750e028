"""A plugin that is to judge and cannot be used stops routing, and says how to go on."""

from __future__ import annotations

import importlib
import json
import sqlite3
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from domcore import ConfigurationError, ConflictError, Domcore, NotFound, Settings, hookimpl
from domcore.cli.root import build
from domcore.model import Directive
from domcore.testing.builder import World
from domcore.verify import verify

JUDGE = """
from domcore import hookimpl

@hookimpl
def judge(order):
    return []
"""
LISTENER = JUDGE.replace("judge(order)", "handle_event(event)")


@pytest.fixture
def world() -> World:
    return World().node("NYC", at=(40.71, -74.0)).item("MUG").stock("MUG", NYC=50)


@pytest.fixture
def site(tmp_path: Path, monkeypatch):
    """A folder on the path, as a virtual environment has one."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site").mkdir()
    importlib.invalidate_caches()
    yield tmp_path / "site"
    for name in set(sys.modules) - before:
        del sys.modules[name]


def install(site: Path, name: str, code: str = JUDGE) -> None:
    """What pip leaves of a package with one plugin."""
    (site / f"domcore_{name}.py").write_text(code)
    info = site / f"domcore_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: domcore-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[domcore]\n{name} = domcore_{name}\n")


def uninstall(site: Path, name: str) -> None:
    for file in (site / f"domcore_{name}-1.0.dist-info").iterdir():
        file.unlink()
    (site / f"domcore_{name}-1.0.dist-info").rmdir()


class Judge:
    @hookimpl
    def judge(self, order):
        return [Directive("host/none", "exclude", nodes=("NYC",))]


class Listener:
    @hookimpl
    def handle_event(self, event):
        return None


def reopened(world: World, path: Path, load_plugins: bool = False, **more) -> Domcore:
    settings = Settings(store=str(path), **more)
    return Domcore(settings, clock=world.clock, load_plugins=load_plugins)


def stopped(dom: Domcore, name: str) -> str:
    """Why nothing is routed, by every way that there is."""
    with pytest.raises(ConfigurationError, match=f"plugin '{name}' is to judge orders") as caught:
        dom.route()
    for ask in (lambda: dom.plan("1"), lambda: dom.reserve("1", minutes=5)):
        with pytest.raises(ConfigurationError, match=name):
            ask()
    (failure,) = [each for each in dom.work().failures if "routing" in each]
    assert f"plugin '{name}'" in failure
    (found,) = [each for each in dom.doctor() if each.subject == f"plugin {name}"]
    assert found.level == "fail"
    assert dom.order("1").summary.status in ("open", "short")
    return str(caught.value)


def test_a_plugin_that_is_named_and_not_installed_stops_routing(world):
    with world.open(Settings("memory:", plugins=("hazmat-check",)), load_plugins=True) as dom:
        dom.capture(world.order("1", MUG=1))
        said = stopped(dom, "hazmat-check")
        assert "(not installed)" in said
        assert "take its name out of the settings" in said
        assert "domcore plugins --gone hazmat-check" in said


def test_a_table_of_settings_names_its_plugin_too(world):
    told = Settings("memory:", plugin_options={"hazmat-check": {"limit": 3}})
    with world.open(told, load_plugins=True) as dom:
        dom.capture(world.order("1", MUG=1))
        assert "[plugins.hazmat-check] names it" in stopped(dom, "hazmat-check")


def test_a_named_plugin_that_cannot_be_imported_stops_routing_with_the_error(world, site):
    install(site, "fraud", "import no_such_library\n")
    with world.open(Settings("memory:", plugins=("fraud",)), load_plugins=True) as dom:
        dom.capture(world.order("1", MUG=1))
        assert "no_such_library" in stopped(dom, "fraud")


def test_a_judge_that_was_installed_yesterday_is_missed(world, site, tmp_path):
    install(site, "fraud")
    path = tmp_path / "dom.db"
    with world.open(Settings(store=str(path)), load_plugins=True) as dom:
        dom.capture(world.order("0", MUG=1))
        assert dom.route().routed == 1
        dom.capture(world.order("1", MUG=1))
        assert not list(verify(dom.store))
    uninstall(site, "fraud")
    with reopened(world, path, load_plugins=True) as dom:
        assert "(not installed)" in stopped(dom, "fraud")
        dom.cancel("0", reason="all else goes on")
        dom.forget_plugin("fraud")
        assert dom.route().routed == 1
    install(site, "fraud2")
    with reopened(world, path, load_plugins=True) as dom:
        assert not [each for each in dom.doctor() if each.level == "fail"]
        assert not list(verify(dom.store))


def test_a_judge_that_the_settings_leave_out_is_not_missed(world, site, tmp_path):
    install(site, "fraud")
    path = tmp_path / "dom.db"
    with world.open(Settings(store=str(path)), load_plugins=True) as dom:
        dom.capture(world.order("0", MUG=1))
        dom.route()
        dom.capture(world.order("1", MUG=1))
        dom.capture(world.order("2", MUG=1))
    with reopened(world, path) as dom:
        assert dom.route(["1"]).routed == 1
    with reopened(world, path, load_plugins=True, plugins=()) as dom:
        assert dom.route(["2"]).routed == 1


def test_a_plugin_that_only_listens_is_not_missed(world, site, tmp_path):
    install(site, "mailer", LISTENER)
    path = tmp_path / "dom.db"
    named = {"plugins": ("mailer",)}
    with world.open(Settings(store=str(path), **named), load_plugins=True) as dom:
        dom.capture(world.order("0", MUG=1))
        dom.route()
        dom.capture(world.order("1", MUG=1))
    uninstall(site, "mailer")
    with reopened(world, path, load_plugins=True, **named) as dom:
        assert dom.route().routed == 1


def test_a_judge_that_the_application_gives_is_missed_by_a_worker_beside_it(world, tmp_path):
    path = tmp_path / "dom.db"
    with reopened(world, path) as worker:
        given = {"host": Judge(), "mail": Listener()}
        with world.open(Settings(store=str(path)), plugins=given) as dom:
            dom.capture(world.order("1", MUG=1))
            assert dom.route().short == 1
            world.clock.forward(hours=2)
            said = stopped(worker, "host")
            assert "gives it in code" in said
            assert dom.route().short == 1
            with pytest.raises(ConflictError, match="is loaded"):
                dom.forget_plugin("host")
        worker.forget_plugin("host")
        assert worker.route(["1"]).routed == 1
        with pytest.raises(NotFound, match="has judged here"):
            worker.forget_plugin("nobody")


class Stopper:
    @hookimpl
    def judge(self, order):
        return [Directive("host/stop", "hold", arguments={"stage": "route"})]


def test_a_hold_of_a_judge_that_is_missing_is_not_taken_back(world, tmp_path):
    path = tmp_path / "dom.db"
    with world.open(Settings(store=str(path)), plugins={"host": Stopper()}) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.route().held == 1
    with reopened(world, path) as worker:
        with pytest.raises(ConfigurationError, match="plugin 'host' is to judge orders"):
            worker.rejudge("1")
        assert [hold.code for hold in worker.order("1").summary.holds] == ["host/stop"]
        worker.forget_plugin("host")
        assert worker.rejudge("1").outcome == "routed"


def test_a_judge_of_a_transaction_that_was_taken_back_is_not_known(world, tmp_path):
    path = tmp_path / "dom.db"
    with world.open(Settings(store=str(path)), plugins={"host": Judge()}) as dom:
        dom.capture(world.order("1", MUG=1))
        mine = sqlite3.connect(path, isolation_level=None)
        mine.execute("BEGIN IMMEDIATE")
        with dom.joined(mine) as inside:
            assert inside.route().short == 1
        mine.execute("ROLLBACK")
        mine.close()
        assert dom.store.known_plugins() == {}
        dom.route()
        assert dom.store.known_plugins() == {"host": 2}


def test_the_command_line_says_that_it_is_gone(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with world.open(Settings(store="domcore.db"), plugins={"host": Judge()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "")

    def run(*words: str):
        return CliRunner().invoke(build(), list(words))

    assert "domcore plugins --gone host" in run("route", "--all").output
    found = [json.loads(line) for line in run("doctor", "--json").output.splitlines()]
    assert "plugin host" in [each["subject"] for each in found if each["level"] == "fail"]
    assert run("plugins", "--gone", "host").exit_code == 0
    assert run("plugins", "--gone", "nobody").exit_code == 1
    assert "--gone" not in run("route", "--all").output
