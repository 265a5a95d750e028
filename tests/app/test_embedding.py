"""Inside somebody else's application: no state, no side effects, the caller's transaction."""

from __future__ import annotations

import ast
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domcore import (
    ActivationSettings,
    ConfigurationError,
    Domcore,
    NotFound,
    PayloadError,
    Settings,
    hookimpl,
)
from domcore.model import Directive
from domcore.testing.builder import World

SOURCE = Path(__file__).resolve().parents[2] / "src" / "domcore"


def coasts() -> World:
    world = World().node("NYC", at=(40.71, -74.0)).node("LAX", at=(34.05, -118.24), kind="store")
    return world.item("MUG", weight=400).stock("MUG", NYC=5, LAX=5)


@pytest.fixture
def world() -> World:
    return coasts()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "shop.db")


@pytest.fixture
def dom(world: World, path: str) -> Iterator[Domcore]:
    with world.open(Settings(store=path)) as dom:
        yield dom


@pytest.fixture
def shop(dom: Domcore, path: str) -> Iterator[sqlite3.Connection]:
    """The caller's connection to the same file, with a table of its own."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE invoice (number TEXT PRIMARY KEY)")
    yield connection
    connection.close()


def contents(path: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    connection = sqlite3.connect(path)
    names = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    connection.close()
    return rows


# --- two applications --------------------------------------------------------------------------


class Require:
    """Only one node may ship."""

    def __init__(self, node: str) -> None:
        self.node = node

    @hookimpl
    def judge(self):
        return [Directive(f"{self.node}/only", "require", nodes=(self.node,))]


def test_two_applications_with_different_plugins_and_packs_live_side_by_side(world):
    active = (ActivationSettings("ship-from-store"),)
    stores_pay = Settings(store="memory:", activate=active, rulesets=())
    with (
        world.open(plugins={"west": Require("LAX")}) as west,
        world.open(stores_pay, plugins={"east": Require("NYC")}) as east,
        world.open() as plain,
    ):
        for dom in (west, east, plain):
            dom.capture(world.order("1", MUG=1))
        # One after the other in turns, so that anything shared would show.
        plans = {
            name: dom.plan("#1")
            for name, dom in (("west", west), ("east", east), ("plain", plain))
            for _ in range(2)
        }
        nodes = {name: planned.plan.nodes for name, planned in plans.items()}
        assert nodes == {"west": ("LAX",), "east": ("NYC",), "plain": ("NYC",)}
        rules = {name: bool(planned.explanation.rules) for name, planned in plans.items()}
        assert rules == {"west": False, "east": True, "plain": False}
        assert [info.name for info in east.packs() if info.active] == ["ship-from-store"]
        assert not [info.name for info in west.packs() if info.active]


def test_ten_lines_are_enough(world, dom):
    dom.capture(world.order("1", MUG=2))
    planned = dom.plan("#1")
    assert dom.route().cost == planned.plan.cost
    text = dom.explain("#1", why_not="LAX").to_text()
    assert "replays to the same bytes" in text
    assert "Why not LAX?" in text


# --- the caller's transaction ------------------------------------------------------------------


def sell(inside: Domcore, world: World, number: str) -> None:
    inside.capture(world.order(number, MUG=2))
    assert inside.route([f"#{number}"]).routed == 1


def test_the_callers_rollback_leaves_nothing_behind(world, dom, shop, path):
    before = contents(path)
    shop.execute("BEGIN IMMEDIATE")
    shop.execute("INSERT INTO invoice VALUES ('1')")
    with dom.joined(shop) as inside:
        sell(inside, world, "1")
        assert inside.stock()[1].reserved + inside.stock()[0].reserved == 2
    shop.execute("ROLLBACK")
    assert contents(path) == before
    with pytest.raises(NotFound):
        dom.order("#1")
    assert not list(dom.verify())


def test_the_callers_commit_keeps_both(world, dom, shop):
    shop.execute("BEGIN IMMEDIATE")
    shop.execute("INSERT INTO invoice VALUES ('1')")
    with dom.joined(shop) as inside:
        sell(inside, world, "1")
    assert shop.in_transaction
    shop.execute("COMMIT")
    assert dom.order("#1").summary.status == "allocated"
    assert shop.execute("SELECT count(*) FROM invoice").fetchone() == (1,)
    assert not list(dom.verify())


def test_routing_goes_on_with_the_right_stock_after_a_rollback(world, dom, shop):
    dom.capture(world.order("0", MUG=1))
    dom.route()
    shop.execute("BEGIN IMMEDIATE")
    with dom.joined(shop) as inside:
        inside.capture(world.order("1", MUG=9))
        assert inside.route(["#1"]).units == 9
    shop.execute("ROLLBACK")
    dom.capture(world.order("2", MUG=9))
    assert dom.route(["#2"]).units == 9
    assert not list(dom.verify())


def test_an_error_inside_undoes_only_that_operation(world, dom, shop):
    shop.execute("BEGIN IMMEDIATE")
    with dom.joined(shop) as inside:
        sell(inside, world, "1")
        with pytest.raises(PayloadError):
            inside.capture(world.order("2", MUG=-1))
        shop.execute("INSERT INTO invoice VALUES ('1')")
    shop.execute("COMMIT")
    assert [each.number for each in dom.orders()] == ["#1"]


def test_nothing_is_delivered_from_inside(world, shop, path):
    heard = []

    class Listener:
        @hookimpl
        def handle_event(self, event):
            heard.append(event.kind)

    with Domcore(
        Settings(store=path),
        plugins={"listener": Listener()},
        load_plugins=False,
        clock=world.clock,
    ) as dom:
        shop.execute("BEGIN IMMEDIATE")
        with dom.joined(shop) as inside:
            sell(inside, world, "1")
        assert heard == []
        shop.execute("COMMIT")
        dom.work()
    assert heard == ["order.captured", "order.routed"]


@pytest.mark.parametrize("begin", [None, "BEGIN", "BEGIN DEFERRED"])
def test_without_the_write_lock_joining_is_refused(world, dom, shop, path, begin):
    if begin:
        shop.execute(begin)
        shop.execute("SELECT * FROM invoice").fetchall()
    before = contents(path)
    with pytest.raises(ConfigurationError, match="BEGIN IMMEDIATE"), dom.joined(shop):
        pytest.fail("joined without the lock")
    if begin:
        assert shop.in_transaction
        shop.execute("ROLLBACK")
    assert contents(path) == before


def test_a_memory_store_cannot_join(world):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    refused = pytest.raises(ConfigurationError, match="only a SQLite store")
    with world.open() as dom, refused, dom.joined(connection):
        pytest.fail("joined a memory store")
    connection.close()


# --- threads -----------------------------------------------------------------------------------


def test_threads_with_an_application_each_sell_every_unit_once(world, dom, path):
    for number in range(12):
        dom.capture(world.order(str(number), MUG=1))

    def route(number: int) -> int:
        settings = Settings(store=path)
        with Domcore(settings, load_plugins=False, clock=world.clock) as mine:
            return mine.route([f"#{number}"]).units

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(route, range(12))) == 10
    assert sum(view.available for view in dom.stock()) == 0
    assert not list(dom.verify())


# --- importing ---------------------------------------------------------------------------------

LOOK_AROUND = """
import logging, os, signal, sys, threading, warnings
sys.path[:0] = {path!r}
def state():
    return (
        threading.active_count(),
        [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)],
        list(logging.root.handlers), logging.root.level,
        dict(os.environ), os.getcwd(), sys.excepthook, list(warnings.filters),
        sorted(os.listdir()),
    )
before = state()
for name in {modules!r}:
    __import__(name)
assert state() == before, "importing had an effect"
names = [name for name in logging.root.manager.loggerDict if name.startswith("domcore")]
assert not any(logging.getLogger(name).handlers for name in names), "a handler was installed"
"""


def look_around(tmp_path: Path, *modules: str) -> None:
    code = LOOK_AROUND.format(path=sys.path, modules=modules)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")


def test_importing_has_no_side_effects(tmp_path):
    look_around(tmp_path, "domcore", "domcore.app", "domcore.cli", "domcore.testing.builder")


def test_importing_domcore_alone_loads_nothing_heavy(tmp_path):
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import domcore; "
        "heavy = {'attrs', 'cattrs', 'sqlite_utils', 'click', 'sqlite3', 'msgspec', 'pluggy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_library_never_prints_exits_or_catches_signals():
    """The command line may; the library may not."""
    offenders = []
    for file in SOURCE.rglob("*.py"):
        if file.relative_to(SOURCE).parts[0] in ("cli", "__main__.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in (
                "print",
                "exit",
                "quit",
                "sys.exit",
                "signal.signal",
                "logging.basicConfig",
            ):
                offenders.append(f"{file.relative_to(SOURCE)}:{node.lineno} {called}")
    assert not offenders
