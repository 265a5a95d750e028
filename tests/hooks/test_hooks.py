"""Every hook, through the public door: a plugin class inside the test, an application, its verbs.

A test's name starts with ``test_`` and the hook's name; `test_every_hook_has_a_test` counts them.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve
from click.testing import CliRunner

from domcore import ActivationSettings, ConfigurationError, Settings, hookimpl
from domcore.cli.root import build
from domcore.hookspecs import HookSpecs
from domcore.model import (
    Allocation,
    CaptureOrder,
    Destination,
    Directive,
    FactSpec,
    Hold,
    Parcel,
    Plan,
    Point,
    Receipt,
)
from domcore.plugins import Plugins
from domcore.preparing import Preparer, Wanted
from domcore.rules.engines.python import PythonEngine
from domcore.settings import RoutingSettings
from domcore.store.memory import MemoryStore
from domcore.store.protocol import StockFilter
from domcore.testing.builder import World

HOOKS = sorted(name for name in vars(HookSpecs) if not name.startswith("_"))


def coasts() -> World:
    """The nearest node to New York is NYC, then CHI, then LAX."""
    world = World().node("NYC", at=(40.71, -74.0)).node("CHI", at=(41.88, -87.63))
    world.node("LAX", at=(34.05, -118.24), kind="store")
    return world.item("MUG", weight=400).stock("MUG", NYC=5, CHI=5, LAX=5)


def shipped_from(dom, reference: str = "#1") -> dict[str, int]:
    return {each.node: each.quantity for each in dom.order(reference).reservations}


def pack(folder: Path, name: str, rules: str) -> str:
    """Write a pack and return its folder."""
    home = folder / name
    home.mkdir(parents=True)
    (home / "ruleset.toml").write_text(
        f'format = 1\nname = "{name}"\nversion = "1.0.0"\n\n{rules}', encoding="utf-8"
    )
    return str(home)


def using(*packs: str, **more) -> Settings:
    return Settings(
        store="memory:", activate=tuple(ActivationSettings(each) for each in packs), **more
    )


def test_every_hook_has_a_test():
    names = [name for name in globals() if name.startswith("test_")]
    untested = [hook for hook in HOOKS if not any(n.startswith(f"test_{hook}") for n in names)]
    assert not untested


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_says_when_and_what(hook):
    """One sentence of when, one of what to return, and since which version."""
    text = getattr(HookSpecs, hook).__doc__
    assert "Called" in text
    assert "Returns" in text
    assert "Since " in text


# --- what plugins register ---------------------------------------------------------------------


def installed(folder: Path, name: str, source: str) -> None:
    """An installed distribution with one entry point in the group ``domcore``."""
    (folder / f"{name}_plugin.py").write_text(source, encoding="utf-8")
    info = folder / f"{name}-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(f"[domcore]\n{name} = {name}_plugin\n", encoding="utf-8")


def test_register_commands_adds_to_the_command_line(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "acme")
    installed(
        tmp_path,
        "acme",
        "import click\n"
        "from domcore import hookimpl\n\n"
        "@hookimpl\n"
        "def register_commands(cli):\n"
        "    @cli.command()\n"
        "    def hello():\n"
        '        """Say hello."""\n'
        "        click.echo('hello from acme')\n",
    )
    runner = CliRunner()
    assert "hello from acme" in runner.invoke(build(), ["hello"]).output
    assert "Say hello." in runner.invoke(build(), ["--help"]).output
    assert "acme" in runner.invoke(build(), ["plugins"]).output


def test_plain_settings_are_shown_and_no_others(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "honest,odd")
    head = "from domcore import hookimpl\n\n@hookimpl\ndef plain_settings():\n    "
    installed(tmp_path, "honest", f"{head}return ['region']\n")
    installed(tmp_path, "odd", f"{head}return 'region', 7\n")
    table = '[plugins.{0}]\nregion = "west"\nword = "hush"\n'
    (tmp_path / "domcore.toml").write_text(table.format("honest") + table.format("odd"))
    told = CliRunner().invoke(build(), ["config"]).output
    assert re.search(r"plugins\.honest\.region +west", told)
    assert re.search(r"plugins\.odd\.region +west", told)
    assert re.search(r"plugins\.honest\.word +\*\*\*\*", told)
    assert "hush" not in told


def test_trouble_is_shown_by_doctor_under_the_plugins_name():
    class Acme:
        @hookimpl
        def trouble(self, dom):
            return [f"{len(dom.network().nodes)} nodes are too many"]

    class Breaks:
        @hookimpl
        def trouble(self):
            raise RuntimeError("oh")

    with coasts().open(plugins={"acme": Acme(), "breaks": Breaks()}) as dom:
        told = [(each.level, each.subject, each.message) for each in dom.doctor()]
        assert ("warn", "plugin acme", "3 nodes are too many") in told
        assert ("breaks", 1) in [(each.name, each.failures) for each in dom.plugins.status()]


def test_register_channels_serves_deliveries():
    world = coasts()

    class Paper:
        """Lines of ``order SKU units``."""

        name = "paper"

        def receive(self, envelope):
            number, sku, units = envelope.body.decode().split()
            order = world.order(number, lines={sku: int(units)})
            return [CaptureOrder(evolve(order, channel=envelope.channel))]

    class Acme:
        @hookimpl
        def register_channels(self, dom):
            return [Paper()]

    with world.open(plugins={"acme": Acme()}) as dom:
        assert list(dom.channels()) == ["paper"]
        assert [each.outcome for each in dom.receive("paper", b"1 MUG 2")] == ["captured"]
        assert dom.order("#1").summary.channel == "paper"


def test_register_connectors_hands_work_to_the_partners_of_nodes():
    class Paper:
        """Prints pick lists, and takes what is on them as accepted."""

        name = "paper"
        printed: ClassVar[list[str]] = []

        def release(self, handover):
            lines = [f"{units} {sku}" for _, sku, units in handover.fulfillment_order.lines]
            self.printed.append(f"{handover.key}: {', '.join(lines)}")
            return Receipt("accepted", reference=f"page {len(self.printed)}")

        def cancel(self, handover):
            return Receipt("cancelled")

        def reconcile(self, handover):
            return Receipt("accepted" if self.printed else "unknown_here")

    class Acme:
        @hookimpl
        def register_connectors(self, dom):
            return [Paper()]

    world = coasts()
    world.nodes = [evolve(node, connector="paper") for node in world.nodes]
    with world.open(plugins={"acme": Acme()}) as dom:
        assert list(dom.connectors()) == ["paper"]
        dom.capture(world.order("1", MUG=2))
        assert dom.work().released == 1
        (work,) = dom.order("#1").fulfillment_orders
        assert (work.status, work.reference) == ("accepted", "page 1")
        assert Paper.printed == [f"{work.id}: 2 MUG"]


def test_register_rulesets_brings_packs(tmp_path):
    rule = "[[rule]]\nid = 'west'\nwhen = \"node.id != 'LAX'\"\nthen = 'exclude'\n"
    home = pack(tmp_path, "acme-pack", rule)

    class Acme:
        @hookimpl
        def register_rulesets(self):
            return [home]

    world = coasts()
    with world.open(using("acme-pack"), plugins={"acme": Acme()}) as dom:
        assert [info.name for info in dom.packs() if info.active] == ["acme-pack"]
        dom.capture(world.order("1", MUG=1))
        dom.route()
        assert shipped_from(dom) == {"LAX": 1}


def test_register_rule_engines_offers_another_engine():
    class Borrowed(PythonEngine):
        name = "acme"

    class Acme:
        @hookimpl
        def register_rule_engines(self):
            return [Borrowed()]

    world = coasts()
    with world.open(using("cost-first", engine="acme"), plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.plan("#1").explanation.made[1] == "acme"
    with world.open(using("cost-first", engine="acme")) as dom:
        dom.capture(world.order("1", MUG=1))
        with pytest.raises(ConfigurationError, match=r"'acme' is not available here.*python"):
            dom.plan("#1")


def test_register_facts_declares_what_rules_may_read(tmp_path):
    home = pack(
        tmp_path,
        "acme-pack",
        "[[rule]]\nid = 'busy'\nwhen = 'node.acme.backlog > 10'\nthen = 'exclude'\n",
    )

    class Packs:
        @hookimpl
        def register_rulesets(self):
            return [home]

    class Acme:
        @hookimpl
        def register_facts(self):
            return [FactSpec("node.acme.backlog", "node", "int", "orders", nullable=True)]

    world = coasts()
    with world.open(using("acme-pack"), plugins={"packs": Packs(), "acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.plan("#1").plan.nodes == ("NYC",)
    with world.open(using("acme-pack"), plugins={"packs": Packs()}) as dom:
        dom.capture(world.order("1", MUG=1))
        with pytest.raises(ConfigurationError, match=r"node\.acme\.backlog"):
            dom.plan("#1")


def test_register_geocoders_places_an_address():
    class Atlas:
        name = "atlas"

        def locate(self, destination):
            return Point(34_052_000, -118_244_000) if destination.country == "XX" else None

    class Acme:
        @hookimpl
        def register_geocoders(self):
            return [Atlas()]

    world = coasts()
    with world.open(plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1, destination=Destination("XX", "", "1")))
        dom.capture(world.order("2", MUG=1, destination=Destination("YY", "", "1")))
        report = dom.route()
        assert (report.routed, report.held) == (1, 1)
        assert shipped_from(dom) == {"LAX": 1}


def test_open_store_opens_another_scheme():
    asked = []

    class Acme:
        @hookimpl
        def open_store(self, url):
            asked.append(url)
            return MemoryStore() if url.startswith("acme:") else None

    world = coasts()
    with world.open(Settings(store="acme://somewhere"), plugins={"acme": Acme()}) as dom:
        assert len(dom.network().nodes) == 3
    with world.open(Settings(store="memory:"), plugins={"acme": Acme()}) as dom:
        assert len(dom.network().nodes) == 3
    assert asked == ["acme://somewhere", "memory:"]


# --- planning ----------------------------------------------------------------------------------


class Quoting:
    """Fetches a fee for LAX before a batch is planned, and charges it."""

    def __init__(self, fee: int) -> None:
        self.fee = fee
        self.asked: list[list[tuple[str, list[str], tuple[int, ...]]]] = []

    @hookimpl
    def prepare(self, orders, context):
        assert context.budget_seconds == 5
        self.asked.append(
            [
                (
                    order.key_text,
                    [node.id for node in context.sources[order.key_text]],
                    tuple(line.quantity for line in order.lines),
                )
                for order in orders
            ]
        )
        return {order.key_text: {"fee": self.fee, "days": [1, 2]} for order in orders}

    @hookimpl
    def judge(self, context):
        assert context.prepared["days"] == (1, 2)
        with pytest.raises(TypeError):
            context.prepared["fee"] = 0
        fee = {"amount": context.prepared["fee"], "per": "parcel"}
        dear = {"amount": 50_000_000, "per": "parcel"}
        return [
            Directive("quoting/fee", "cost", nodes=("LAX",), arguments=fee),
            Directive("quoting/dear", "cost", nodes=("CHI", "NYC"), arguments=dear),
        ]


def test_prepare_fetches_for_a_whole_batch_and_planning_reads_it():
    quoting = Quoting(1_000_000)
    world = coasts()
    with world.open(plugins={"quoting": quoting}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.capture(world.order("2", MUG=99))
        assert dom.plan("#1").plan.nodes == ("LAX",)
        dom.route()
        dom.reserve("#2", minutes=5)
        nodes = ["CHI", "LAX", "NYC"]
        one, two = ("main/web/1", nodes, (1,)), ("main/web/2", nodes, (99,))
        assert quoting.asked == [[one], [one, two], [("main/web/2", [], (85,))]]


def test_prepare_is_in_the_record_so_a_replay_asks_nobody():
    quoting = Quoting(1_000_000)
    world = coasts()
    with world.open(plugins={"quoting": quoting}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        before = dom.explain("#1")
        quoting.fee, asked = 90_000_000, len(quoting.asked)
        after = dom.explain("#1")
        assert after.replayed
        assert after == before
        assert len(quoting.asked) == asked
        record = json.loads(dom.store.decisions(dom.find("#1"))[-1].record)
        assert record["outside"]["prepared"]["quoting"]["fee"] == 1_000_000


class Trap(dict):
    """An answer that runs code of its own when it is looked at."""

    def items(self):
        raise RuntimeError("caught you")


class Keyless(dict):
    """An answer whose keys cannot be looked up."""

    def items(self):
        return [([], 1)]


@pytest.mark.parametrize(
    "answer",
    [
        Trap(a=1),
        Keyless(a=1),
        "text",
        {"main/web/9": 1},
        {"main/web/1": float("nan")},
        {"main/web/1": 2**70},
        {"main/web/1": "\ud800"},
        {"main/web/1": "x" * 200_000},
        {"main/web/1": {1: 2}},
        {"main/web/1": object()},
        OSError("the rates are down"),
    ],
    ids=[
        "trap", "keyless", "text", "foreign", "nan", "huge", "half", "long", "key", "object",
        "raises",
    ],
)  # fmt: skip
def test_prepare_that_fails_is_an_incident_and_planning_goes_on(answer):
    class Acme:
        @hookimpl
        def prepare(self, orders):
            if isinstance(answer, Exception):
                raise answer
            return answer

        @hookimpl
        def review_plan(self, context):
            assert context.prepared is None
            return []

    world = coasts()
    with world.open(plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        report = dom.route()
        assert report.routed == 1
        assert "plugin 'acme', hook 'prepare'" in report.incidents[0]
        assert dom.explain("#1").replayed


def test_prepare_that_takes_too_long_is_an_incident_and_nobody_else_is_asked():
    seconds = iter(range(0, 100, 3))

    class Slow:
        @hookimpl
        def prepare(self, orders, context):
            next(seconds)
            return {order.key_text: 1 for order in orders}

    class Then:
        @hookimpl
        def prepare(self, orders, context):
            return {order.key_text: 2 for order in orders}

    world = coasts()
    plugins = Plugins()
    plugins.register(Slow(), "slow")
    plugins.register(Then(), "then")
    preparer = Preparer(plugins, Settings(), ticks=lambda: float(next(seconds)))
    found = preparer.ask([Wanted(world.order("1", MUG=1), ())], world.clock())["main/web/1"]
    assert found.answers == {"slow": 1}
    assert "took 6.0 s where 5 s are allowed" in found.incidents[0]


def test_prepare_is_not_asked_inside_a_callers_transaction(tmp_path):
    class Acme:
        asked = 0

        @hookimpl
        def prepare(self, orders):
            self.asked += 1
            return {}

    acme, world, path = Acme(), coasts(), tmp_path / "dom.db"
    with world.open(Settings(store=str(path)), plugins={"acme": acme}) as dom:
        dom.capture(world.order("1", MUG=1))
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        with dom.joined(connection) as inside:
            assert inside.route().routed == 1
        connection.execute("ROLLBACK")
        connection.close()
        assert acme.asked == 0
        assert dom.route().routed == 1
        assert acme.asked == 1


def test_prepare_is_not_asked_where_it_has_no_time():
    class Acme:
        @hookimpl
        def prepare(self, orders):
            raise AssertionError("asked all the same")

    world = coasts()
    settings = Settings(store="memory:", routing=RoutingSettings(prepare_seconds=0))
    with world.open(settings, plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.route().incidents == []


def test_gather_facts_feeds_the_rules(tmp_path):
    home = pack(
        tmp_path,
        "acme-pack",
        "[[rule]]\nid = 'busy'\nwhen = 'node.acme.backlog > 10 or order.acme.sour'\n"
        "then = 'exclude'\nreason = 'too busy'\n",
    )
    told = {"NYC": {"node.acme.backlog": 12}, "CHI": {"node.acme.backlog": 3}}
    seen = []

    class Acme:
        @hookimpl
        def register_rulesets(self):
            return [home]

        @hookimpl
        def register_facts(self):
            return [
                FactSpec("node.acme.backlog", "node", "int", "orders", nullable=True),
                FactSpec("order.acme.sour", "order", "bool", nullable=True),
            ]

        @hookimpl
        def gather_facts(self, order, candidates, context):
            seen.append((order.number, [each.key for each in candidates], context.owner))
            return told | {"order": {"order.acme.sour": False}}

    world = coasts()
    with world.open(using("acme-pack"), plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        assert seen == [("#1", ["CHI", "LAX", "NYC"], "main")]
        assert shipped_from(dom) == {"CHI": 1}
        explanation = dom.explain("#1", why_not="NYC")
        assert explanation.asked.verdict == "rules"
        assert ("node.acme.backlog", 12) in explanation.asked.rules[0].values
        assert explanation.replayed


def test_judge_speaks_like_a_rule():
    class Acme:
        @hookimpl
        def judge(self, candidates):
            far = tuple(each.key for each in candidates if each.node.kind == "dc")
            return [Directive("acme/stores-only", "exclude", "stores want work", nodes=far)]

    world = coasts()
    with world.open(plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        assert shipped_from(dom) == {"LAX": 1}
        assert dom.explain("#1").replayed


def test_make_plan_replaces_the_planner_and_is_priced_by_the_core():
    class Acme:
        @hookimpl
        def make_plan(self, order, candidates):
            if order.number == "#2":
                return None
            far = max(candidates, key=lambda each: each.distance)
            line = order.lines[0]
            contents = ((line.sku, line.quantity),)
            return Plan(
                (Allocation(line.id, line.sku, far.key, line.quantity),),
                (Parcel(far.key, contents, 0, 0, ()),),
            )

    world = coasts()
    with world.open(plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=2))
        dom.capture(world.order("2", MUG=2))
        planned = dom.plan("#1").plan
        assert planned.nodes == ("LAX",)
        assert planned.cost > 4_000_000
        assert planned.certificates[0].method == "plugin acme"
        assert not planned.proven
        dom.route()
        assert shipped_from(dom, "#1") == {"LAX": 2}
        assert shipped_from(dom, "#2") == {"NYC": 2}


def test_make_plan_that_breaks_policy_is_named_and_the_planner_decides(caplog):
    class Greedy:
        @hookimpl
        def make_plan(self, order):
            line = order.lines[0]
            return Plan((Allocation(line.id, line.sku, "CHI", 99),))

    world = coasts()
    with world.open(plugins={"greedy": Greedy()}) as dom:
        dom.capture(world.order("1", MUG=2))
        with caplog.at_level(logging.WARNING, "domcore.plugins"):
            dom.route()
        assert shipped_from(dom) == {"NYC": 2}
        assert "plugin 'greedy', hook 'make_plan'" in caplog.text
        assert "takes 99 units where policy and stock allow 5" in caplog.text


def test_review_plan_gives_reasons_to_stop():
    class Fraud:
        @hookimpl
        def review_plan(self, order, plan, context):
            if order.value > 20_000_000 and plan.allocations:
                return [Hold("fraud/value", "more than 20 in goods")]
            return []

    world = coasts()
    with world.open(plugins={"fraud": Fraud()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.capture(world.order("2", MUG=3))
        report = dom.route()
        assert (report.routed, report.held) == (1, 1)
        assert shipped_from(dom, "#2") == {"NYC": 3}
        assert [hold.code for hold in dom.approve("#2", by="ann")] == ["fraud/value"]


# --- after commit ------------------------------------------------------------------------------


def test_handle_event_hears_everything_in_order_and_again_after_a_failure():
    heard: list[str] = []
    trouble = {"order.routed"}

    class Acme:
        @hookimpl
        def handle_event(self, event, dom):
            if event.kind in trouble:
                trouble.clear()
                raise OSError("the line is dead")
            heard.append(event.kind)

    world = coasts()
    with world.open(plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        dom.cancel("#1")
        first = dom.work()
        assert heard == ["order.captured"]
        assert "plugin 'acme', hook 'handle_event': OSError" in first.failures[0]
        world.clock.forward(minutes=1)
        assert dom.work().failures == ()
        assert heard == ["order.captured", "order.routed", "order.cancelled"]
        dom.work()
        assert len(heard) == 3


# --- the laws of calling -----------------------------------------------------------------------


def test_a_misspelt_hook_fails_at_load():
    class Acme:
        @hookimpl
        def gather_fact(self, order):
            return {}

    with pytest.raises(ConfigurationError, match=r"plugin acme.*gather_fact"):
        coasts().open(plugins={"acme": Acme()})


def test_an_argument_nobody_gives_fails_at_load():
    class Acme:
        @hookimpl
        def judge(self, order, weather):
            return []

    with pytest.raises(ConfigurationError, match=r"plugin acme.*'judge'"):
        coasts().open(plugins={"acme": Acme()})


def test_an_installed_plugin_that_cannot_load_is_shown_and_the_others_work(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "broken,misspelt,good,absent")
    installed(tmp_path, "broken", "raise RuntimeError('no engine')\n")
    hook = "from domcore import hookimpl\n\n@hookimpl\ndef {}(event):\n    pass\n"
    installed(tmp_path, "misspelt", hook.format("handle_evnt"))
    installed(tmp_path, "good", hook.format("handle_event"))
    with coasts().open(load_plugins=True) as dom:
        status = {each.name: each for each in dom.plugins.status()}
    assert status["broken"].error == "RuntimeError: no engine"
    assert "handle_evnt" in status["misspelt"].error
    assert (status["good"].error, status["good"].hooks) == ("", ("handle_event",))
    assert status["good"].version == "1.2.3"
    assert status["absent"].error == "not installed"


def test_implementations_run_by_priority_then_name_and_built_ins_last():
    calls: list[str] = []

    def plugin(name: str, **marks: bool) -> object:
        class Any:
            @hookimpl(**marks)
            def handle_event(self, event):
                calls.append(name)

        return Any()

    world = coasts()
    plugins = {
        "zulu": plugin("zulu", tryfirst=True),
        "mike": plugin("mike"),
        "late": plugin("late", trylast=True),
        "alfa": plugin("alfa"),
        "echo": plugin("echo", tryfirst=True),
    }
    with world.open(plugins=plugins) as dom:
        order = [each.plugin for each in dom.plugins.implementations("handle_event")]
        assert order == ["echo", "zulu", "alfa", "mike", "late", "domcore"]
        dom.capture(world.order("1", MUG=1))
        dom.work()
    assert list(dict.fromkeys(calls)) == order[:-1]


@pytest.mark.parametrize("wrong", [ValueError("boom"), SystemExit(3), MemoryError()])
@pytest.mark.parametrize("hook", ["gather_facts", "judge", "make_plan", "review_plan"])
def test_a_plugin_that_raises_is_named_and_takes_no_other_down(hook, wrong, caplog):
    heard = []

    def bad(self):
        raise wrong

    def good(self):
        heard.append(hook)

    bad_class = type("Bad", (), {hook: hookimpl(_named(bad, hook))})
    good_class = type("Good", (), {hook: hookimpl(_named(good, hook))})
    world = coasts()
    with world.open(plugins={"bad": bad_class(), "good": good_class()}) as dom:
        dom.capture(world.order("1", MUG=1))
        with caplog.at_level(logging.WARNING, "domcore.plugins"):
            report = dom.route()
        assert heard == [hook]
        assert f"plugin 'bad', hook '{hook}'" in caplog.text
        assert shipped_from(dom) == {"NYC": 1}
        assert (report.held == 1) == (hook in ("judge", "review_plan"))
        broken = {status.name: status.failures for status in dom.plugins.status()}
        assert (broken["bad"], broken["good"]) == (1, 0)
        assert dom.explain("#1").replayed


@pytest.mark.parametrize("garbage", ["text", 7, [1, "x"], {"NYC": 3}, {"MARS": {"a.b.c": 1}}])
@pytest.mark.parametrize("hook", ["gather_facts", "judge", "make_plan", "review_plan"])
def test_garbage_from_a_plugin_is_refused_and_the_order_is_decided(hook, garbage, caplog):
    def bad(self):
        return garbage

    plugin = type("Bad", (), {hook: hookimpl(_named(bad, hook))})
    world = coasts()
    with world.open(plugins={"bad": plugin()}) as dom:
        dom.capture(world.order("1", MUG=1))
        with caplog.at_level(logging.WARNING, "domcore.plugins"):
            dom.route()
        assert shipped_from(dom) == {"NYC": 1}
        assert f"plugin 'bad', hook '{hook}'" in caplog.text


def _named(function, name):
    function.__name__ = name
    return function


def test_a_registering_hook_that_returns_garbage_is_skipped(caplog):
    class Bad:
        @hookimpl
        def register_geocoders(self):
            return ["not a geocoder"]

        @hookimpl
        def register_channels(self):
            return 7

    world = coasts()
    with world.open(plugins={"bad": Bad()}) as dom:
        dom.capture(world.order("1", MUG=1, destination=Destination("US", "CA", "90012")))
        with caplog.at_level(logging.WARNING, "domcore.plugins"):
            assert dom.route().routed == 1
            assert dom.channels() == {}
        assert "returned str where Geocoder is wanted" in caplog.text


def test_planning_hooks_cannot_reach_the_application():
    seen = {}

    class Acme:
        @hookimpl
        def judge(self, order, candidates, facts, context):
            seen.update(order=order, candidate=candidates[0], context=context)
            return []

    world = coasts()
    settings = Settings(store="memory:", plugin_options={"acme": {"limit": 3}})
    with world.open(settings, plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.plan("#1")
    context = seen["context"]
    assert (context.now, context.owner) == (world.clock(), "main")
    assert context.settings == {"limit": 3}
    assert not hasattr(context, "dom")
    for value in seen.values():
        with pytest.raises(AttributeError):
            value.owner = "somebody"


def test_two_applications_have_plugins_of_their_own():
    class West:
        @hookimpl
        def judge(self):
            return [Directive("west/only", "require", nodes=("LAX",))]

    world = coasts()
    with world.open(plugins={"west": West()}) as one, world.open() as other:
        for dom in (one, other):
            dom.capture(world.order("1", MUG=1))
            dom.route()
        assert shipped_from(one) == {"LAX": 1}
        assert shipped_from(other) == {"NYC": 1}
        assert [status.name for status in one.plugins.status()] == ["west", "domcore"]
        assert [status.name for status in other.plugins.status()] == ["domcore"]
        assert other.stock(StockFilter(node="LAX"))[0].reserved == 0
