"""docs/json.md against the commands: what they print with ``--json`` is what stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner, Result

from domcore import Domcore, Settings
from domcore.cli.root import COMMANDS, build
from domcore.config import read_settings
from domcore.demo.folder import DELIVERIES
from domcore.model import Destination, Notice, Order, OrderLine
from domcore.testing.builder import World

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
Printed = dict[str, list[dict[str, Any]]]

PARTNER = """
import pathlib
from domcore import ConnectorError, hookimpl
from domcore.model import Polled, Receipt

class Partner:
    name = "acme"

    def release(self, handover):
        raise ConnectorError("closed today")

    cancel = reconcile = release

    def poll(self, cursor):
        return Polled((), cursor)

@hookimpl
def register_connectors(dom):
    return [Partner()]
"""


def commands() -> dict[str, click.Command]:
    """Every built-in command that takes ``--json``, by its words."""
    root, found = build(), {}
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        group = command.commands if isinstance(command, click.Group) else {"": command}
        for inner, each in group.items():
            if each is not None and any(param.name == "as_json" for param in each.params):
                found[f"{name} {inner}".strip()] = each
    return found


class Tour:
    """Runs commands, and keeps by command what they print."""

    def __init__(self, names: set[str]) -> None:
        self.printed: dict[str, list[dict[str, Any]]] = {name: [] for name in names}

    def __call__(
        self, *words: object, codes: tuple[int, ...] = (0, 3, 4), stdin: str = ""
    ) -> list[Any]:
        texts = [str(each) for each in words]
        name = " ".join(texts[:2])
        name = name if name in self.printed else texts[0]
        result = CliRunner().invoke(build(), [*texts, "--json"], input=stdin, prog_name="domcore")
        assert result.exit_code in codes, f"{texts}: {result.output} {result.exception!r}"
        found = [json.loads(line) for line in result.stdout.splitlines()]
        self.printed[name] += found
        return found


@contextmanager
def inside(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """The folder as the current one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in list(os.environ):
            if name.startswith("DOMCORE_"):
                patch.delenv(name)
        yield patch


def in_a_shop(tour: Tour, folder: Path) -> None:
    for words in (
        "orders",
        "nodes",
        "stock list",
        "stock list --channel shop",
        "kpi",
        "kpi --by day",
        "config",
    ):
        tour(*words.split())
    for words in ("doctor", "verify", "plugins", "rulesets list", "rulesets test"):
        tour(*words.split())
    (folder / "rulesets" / "odd").mkdir(parents=True)
    (folder / "rulesets" / "odd" / "ruleset.toml").write_text(ODD)
    (folder / "rulesets" / "bad").mkdir()
    (folder / "rulesets" / "bad" / "ruleset.toml").write_text("format = 9\n")
    tour("rulesets", "list")
    tour("rulesets", "check", codes=(0, 1))
    for row in tour("orders", "--limit", 200):
        if len(row["nodes"]) > 1:
            tour("explain", f"id:{row['order_id']}", codes=(0, 1))
    place = tour("stock", "list", "--limit", 1)[0]
    tour("stock", "count", place["sku"], place["node"], 7)
    tour("orders", "--newest", "--limit", 1)


WAIT = """
format = 1
name = "wait"
version = "1.0.0"
currency = "USD"
description = "Waits."

[[rule]]
id = "all"
when = "order.channel == 'shop'"
then = { hold = { stage = "route" } }
reason = "somebody looks"
"""
ODD = """
format = 1
name = "odd"
version = "1.0.0"
currency = "USD"
description = "Odd."

[[rule]]
id = "never"
when = "node.kind == 'moon'"
then = "exclude"
reason = "there is none"
"""


def in_trouble(tour: Tour, folder: Path) -> None:
    tour("explain", "#late 1", "--why-not", "LAX")
    tour("explain", "#$(short)", "--why-not", "LAX")
    tour("exceptions")
    tour("orders", "--status", "held")
    tour("plan", "#rejected")
    tour("plan", "#$(short)")
    tour("kpi")
    tour("timeline", "#gone")
    tour("timeline", "#rejected")
    tour("record", "1-1-NYC", "accepted")
    tour("move", "1-1-NYC", "--away", "--dry-run")
    tour("reroute", "#-5", "--yes")
    tour("address", "#late 1", "--city", "Albany", "--yes")
    tour("amend", "#-5", "--line", "-5-1=1", "--yes")
    tour("pull")
    (folder / "orders.csv").write_text(
        "order,placed_at,line,sku,quantity,country,postal\n7,2026-11-02T08:00:00Z,1,MUG,1,US,10001\n"
    )
    tour("load", "orders", "orders.csv")
    tour("load", "orders", "orders.csv")
    tour("hold", "#-5", "--reason", "slow")
    tour("approve", "#-5")
    tour("exceptions", "--kind", "short", "--route", "--dry-run")
    tour("exceptions", "--kind", "short", "--route", "--yes", codes=(0, 4))
    tour("record", "2-1-NYC", "shipped", "--line", "MUG=1")
    tour("record", "#late 1", "--elsewhere")
    tour("returns", "authorize", "#gone")
    tour("returns", "list")
    tour("returns", "list", "#gone")
    tour("returns", "receive", "#gone", "R1")
    tour("route", "#gone", "#rejected", "#nowhere", codes=(0, 3, 4))
    tour("cancel", "#$(short)")
    tour("erase", "#nowhere", "--yes")
    with closing(sqlite3.connect("domcore.db")) as database, database:
        database.execute("UPDATE stock SET on_hand = on_hand + 1")
    tour("verify", codes=(1,))


def with_goods(tour: Tour, folder: Path) -> None:
    """Files, deliveries and carts, in a shop."""
    tour("init")
    tour("demo", "small", "--orders", 40)
    for name in ("network", "items"):
        tour("load", name, *sorted(folder.glob(f"{name}.*"))[:1])
    place = tour("stock", "list", "--limit", 1)[0]
    goods = (place["sku"], place["node"])
    (folder / "some.csv").write_text("sku,node,on_hand\n{0},{1},3\n{0},MARS,3\n".format(*goods))
    tour("load", "stock", "some.csv", codes=(4,))
    tour("receive", "shop", DELIVERIES, codes=(0, 4))
    with Domcore(read_settings(environ={}), load_plugins=False) as dom:
        row = max(dom.stock(limit=1000), key=lambda row: row.available - row.safety)
        owner = next(iter(dom.settings.owners))
        for name in ("C1", "C2", "C3"):
            order = Order(
                owner, "shop", name, 1, datetime.now(UTC), dom.settings.owners[owner],
                (OrderLine("1", row.sku, 1),), Destination("US", "NY", "10001"), name,
            )  # fmt: skip
            dom.capture(order, queue=False)
    for name in ("C1", "C2"):
        tour("reserve", name, "--minutes", 15)
    tour("keep", "C1")
    tour("free", "C2")
    tour("route", "--all", "--compare")
    (folder / "rulesets" / "wait").mkdir()
    (folder / "rulesets" / "wait" / "ruleset.toml").write_text(WAIT)
    with (folder / "domcore.toml").open("a") as settings:
        settings.write('\n[[activate]]\npack = "wait"\nlayer = "retailer"\n')
    tour("plan", "C3")
    tour("route", "C3")
    tour("rejudge", "--all", "--dry-run")
    tour("rejudge", "C3")


def with_a_partner(tour: Tour, folder: Path) -> None:
    """Work that is parked, and trouble."""
    (folder / "domcore.toml").write_text(
        'store = "domcore.db"\n[work]\nattempts = 1\n[connectors.acme]\nkind = "acme"\n'
    )
    world = World().node("NYC", at=(40.7, -74.0), connector="acme")
    world.node("LAX", at=(34.0, -118.2)).item("MUG", weight=300).stock("MUG", NYC=2, LAX=9)
    world.clock.now = datetime.now(UTC) - timedelta(hours=3)
    with world.open(Settings(store="domcore.db")) as dom:
        for name in "abc":
            dom.capture(world.order(name, MUG=1))
        dom.route()
        for status in ("shipped", "exception"):
            dom.record(Notice("3-1-LAX", status, world.clock(), detail="no bell"))
    tour("work", codes=(4,))
    tour("parked")
    tour("retry", "outbox/1")
    tour("drop", "outbox/2")
    tour("settle", "trouble/3-1")
    tour("kpi")
    tour("exceptions")


@pytest.fixture(scope="module")
def printed(
    routed: tuple[Path, Result], made_trouble: Path, tmp_path_factory: pytest.TempPathFactory
) -> Printed:
    """What every command has printed."""
    tour, base = Tour(set(commands())), tmp_path_factory.mktemp("tour")
    worlds = ((routed[0], in_a_shop), (routed[0], with_goods), (made_trouble, in_trouble))
    for number, (origin, walk) in enumerate(worlds):
        folder = base / str(number)
        shutil.copytree(origin, folder)
        with inside(folder):
            walk(tour, folder)
    site = base / "site"  # its module has a name of its own: it stays imported
    info = site / "domcore_acme_that_prints-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: domcore-acme-that-prints\nVersion: 1\n"
    )
    (info / "entry_points.txt").write_text("[domcore]\nacme = domcore_acme_that_prints\n")
    (site / "domcore_acme_that_prints.py").write_text(PARTNER)
    with inside(base) as patch:
        patch.syspath_prepend(str(site))
        patch.setenv("DOMCORE_LOAD_PLUGINS", "acme")
        with_a_partner(tour, base)
        tour("new", "plugin", "thing", "--kind", "connector")
    return tour.printed


# --- the page -----------------------------------------------------------------------------------

Table = dict[str, tuple[str, bool]]
"""Key path -> its type, and whether it always comes."""


RARE = {"rejudge": {"reason"}, "load orders": {"amended", "stale", "unreadable"}}
"""Keys that come only where something breaks, or with words that `receive` has as values."""


class Section(NamedTuple):
    """Of one or several commands: the lines they may print, and what of each is told here."""

    commands: list[str]
    tables: list[Table]
    own: list[set[str]]


ROW = re.compile(r"^\| `([^`]+)` \|\s*([^|]*?)\s*\| ([^|]*) \|$")
SHAPES: dict[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "number": lambda value: type(value) is int,
    "decimal": lambda value: type(value) in (int, float),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "money": lambda value: bool(re.fullmatch(r"-?\d+\.\d{2,6}", str(value))),
    "time": lambda value: isinstance(value, str) and bool(datetime.fromisoformat(value).tzinfo),
}


def sections() -> Iterator[Section]:
    """The page."""
    first: dict[str, Table] = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, *lines = section.splitlines()
        names = [name.removeprefix("domcore ") for name in title.split(", ")]
        found = Section(names, [], [])
        for line in lines:
            if line == "| key | type | meaning |":
                found.tables.append({})
                found.own.append(set())
            elif match := ROW.match(line):
                key, kind, meaning = match.groups()
                always = "Absent " not in meaning
                if key == "...":
                    other = first[meaning.partition("`domcore ")[2].partition("`")[0]]
                    found.tables[-1].update({k: (t, a and always) for k, (t, a) in other.items()})
                else:
                    found.tables[-1][key] = (kind, always)
                    found.own[-1].add(key)
        first |= dict.fromkeys(names, found.tables[0])
        yield found


def fits(value: Any, kind: str) -> bool:
    """Whether a value is of a type of the page."""
    if kind.endswith(" or null"):
        return value is None or fits(value, kind.removesuffix(" or null"))
    if kind.startswith("list of "):
        return isinstance(value, list) and all(fits(each, kind[8:]) for each in value)
    if kind.startswith("map of "):
        return isinstance(value, dict) and all(fits(each, kind[7:]) for each in value.values())
    if kind.startswith("["):
        parts = kind[1:-1].split(", ")
        if not isinstance(value, list) or len(value) != len(parts):
            return False
        return all(map(fits, value, parts))
    return SHAPES[kind](value)


def faults(table: Table, printed: dict[str, Any], seen: set[str], under: str = "") -> list[str]:
    """What of an object is not as the table says; `seen` gathers the keys that came."""
    level = {
        path: (kind, always)
        for path, (kind, always) in table.items()
        if path.startswith(under) and not re.search(r"[.]", path[len(under) :])
    }
    names = {path[len(under) :] for path in level}
    found = [f"{under}{name} is not documented" for name in printed.keys() - names]
    for path, (kind, always) in level.items():
        name = path[len(under) :]
        if name not in printed:
            found += [f"{path} did not come"] if always else []
            continue
        seen.add(path)
        value = printed[name]
        if not fits(value, kind):
            found.append(f"{path} is no {kind}: {value!r}")
        elif "object" in kind and value is not None:
            inner = value if isinstance(value, list) else [value]
            inner = list(value.values()) if kind.startswith("map") else inner
            mark = {"list": "[].", "map ": ".*."}.get(kind[:4], ".")
            for each in inner:
                found += faults(table, each, seen, path + mark)
    return found


def test_every_command_with_json_has_a_section_and_no_other() -> None:
    assert sorted(name for each in sections() for name in each.commands) == sorted(commands())


def test_what_commands_print_stands_on_the_page_and_nothing_else_does(printed: Printed) -> None:
    wrong: list[str] = []
    for section in sections():
        came: list[set[str]] = [set() for _ in section.tables]
        for name in section.commands:
            assert printed[name], f"{name} has printed nothing"
            for each in printed[name]:
                tried = [(faults(table, each, seen := set()), seen) for table in section.tables]
                best = min(range(len(tried)), key=lambda place: len(tried[place][0]))
                wrong += [f"{name}: {fault}" for fault in tried[best][0]]
                came[best] |= tried[best][1]
        name = section.commands[0]
        for own, seen in zip(section.own, came, strict=True):
            missed = own - seen - RARE.get(name, set())
            wrong += [f"{name}: {path} never came" for path in missed]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_the_check_finds_what_is_missing_added_and_of_another_type() -> None:
    table: Table = {
        "a": ("number", True),
        "b": ("list of object", True),
        "b[].c": ("money or null", True),
        "d": ("map of object", False),
        "d.*.e": ("[text, number]", True),
    }
    right = {"a": 1, "b": [{"c": "1.50"}, {"c": None}], "d": {"x y.z": {"e": ["f", 1]}}}
    seen: set[str] = set()
    assert faults(table, right, seen) == []
    assert seen == set(table)
    assert faults(table, {"a": 1, "b": []}, set()) == []
    for change in (
        {"a": True}, {"a": "1"}, {"b": [{}]}, {"b": [{"c": 1.5}]}, {"b": [{"c": None, "g": 1}]},
        {"d": {"x": {"e": ["f"]}}}, {"d": {"x": {"e": ["f", 1, 2]}}}, {"h": None},
    ):  # fmt: skip
        assert len(faults(table, {**right, **change}, set())) == 1, change
