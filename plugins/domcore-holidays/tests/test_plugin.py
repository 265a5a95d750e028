"""The plugin in an application: its facts in rules, explanations and replays."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from attrs import evolve

from domcore import Domcore, Settings
from domcore.config import read_settings
from domcore.model import Candidate, FactSpec, PlanContext, Quantities
from domcore.plugins import Plugins
from domcore.rules.case_reading import load_cases
from domcore.rules.cases import run_cases
from domcore.rules.engines.python import PythonEngine
from domcore.rules.facts import FactRegistry, check_value
from domcore.rules.loader import load_pack
from domcore.testing.builder import World
from domcore_holidays.plugin import FACTS, Holidays

LABOR_DAY = datetime(2026, 9, 7, 15, 0, tzinfo=UTC)
INDEPENDENCE_DAY = datetime(2026, 7, 3, 15, 0, tzinfo=UTC)


def world(now: datetime = INDEPENDENCE_DAY) -> World:
    """A node beside the customer, and one on the other coast that has no country."""
    made = World().node("NYC", at=(40.71, -74.0), timezone="America/New_York")
    made.node("LAX", at=(34.05, -118.24), country="")
    made.item("MUG", weight=400).stock("MUG", NYC=5, LAX=3)
    made.clock.now = now
    return made


def settings(project: Path, store: str = "memory:") -> Settings:
    return read_settings(start=project, flags={"store": store})


def opened(made: World, told: Settings, **more) -> Domcore:
    return made.open(told, plugins={"holidays": Holidays()}, **more)


def sources(dom: Domcore) -> dict[str, int]:
    return dict(dom.explain("#1").lines[0].sources)


def test_register_facts(project):
    plugins = Plugins()
    plugins.register(Holidays(), "holidays")
    with world().open(settings(project)) as dom:
        found = plugins.collect("register_facts", FactSpec, dom=dom)
    assert tuple(spec for _, spec in found) == FACTS
    assert set(FACTS) <= set(FactRegistry(FACTS).values())


def test_gather_facts():
    nodes = {each.id: each for each in world().nodes}
    candidates = [Candidate(node, Quantities({}), 0) for node in nodes.values()]
    found = Holidays().gather_facts(candidates, PlanContext(INDEPENDENCE_DAY, "main"))
    assert list(found) == ["NYC", "LAX"]
    assert found["NYC"]["node.holidays.closed_days_ahead"] == 2
    assert found["LAX"] == {
        "node.holidays.open_today": True,
        "node.holidays.closed_days_ahead": 0,
    }
    specs = {spec.name: spec for spec in FACTS}
    for name, value in found["NYC"].items():
        assert check_value(specs[name], value) == value


def test_a_node_that_is_closed_on_a_holiday_does_not_ship(project):
    made = world()
    with opened(made, settings(project)) as dom:
        dom.capture(made.order("1", MUG=2))
        assert dom.route().routed == 1
        assert sources(dom) == {"LAX": 2}


def test_the_explanation_names_the_rule_and_what_it_read(project):
    made = world()
    with opened(made, settings(project)) as dom:
        dom.capture(made.order("1", MUG=2))
        dom.route()
        told = dom.explain("#1", why_not="NYC")
    assert told.asked.verdict == "rules"
    assert "the node is closed today" in told.asked.reason
    words = {word.rule: dict(word.values) for word in told.asked.rules}
    assert words["open-nodes/closed-today"] == {"node.holidays.open_today": False}
    assert words["open-nodes/closed-tomorrow-too"] == {"node.holidays.closed_days_ahead": 3}
    assert "it read node.holidays.closed_days_ahead = 3" in told.to_text()


def test_the_next_working_day_it_ships_again(project):
    made = world()
    with opened(made, settings(project)) as dom:
        made.clock.forward(days=3)
        dom.capture(made.order("1", MUG=2))
        dom.route()
        assert sources(dom) == {"NYC": 2}


def test_a_closed_node_still_helps_with_what_no_open_one_has(project):
    made = world()
    with opened(made, settings(project)) as dom:
        dom.capture(made.order("1", MUG=5))
        dom.route()
        assert sources(dom) == {"LAX": 3, "NYC": 2}


def test_the_retailers_own_table_wins(project):
    made = world(LABOR_DAY)
    with opened(made, settings(project)) as dom:
        dom.capture(made.order("1", MUG=2))
        dom.route()
        assert sources(dom) == {"NYC": 2}


@pytest.mark.parametrize("later", ["gone", "answers otherwise", "breaks"])
def test_a_decision_replays_to_the_same_bytes(project, later):
    class Broken(Holidays):
        def _calendar(self, settings):
            raise RuntimeError("broken")

    told = settings(project, str(project / "dom.db"))
    made = world()
    with opened(made, told) as dom:
        dom.capture(made.order("1", MUG=2))
        dom.route()
        before = dom.explain("#1", why_not="NYC")
    options = {"holidays": {"nodes": {"NYC": {"works": ["2026-01-01/2026-12-31"]}}}}
    plugins = {"gone": {}, "breaks": {"holidays": Broken()}}.get(later, {"holidays": Holidays()})
    with Domcore(evolve(told, plugin_options=options), plugins=plugins, load_plugins=False) as dom:
        after = dom.explain("#1", why_not="NYC")
    assert before.replayed
    assert after == before


@pytest.mark.parametrize("wrong", [{"weekend": ["sunday"]}, {"kinds": {"dc": {"weekend": 7}}}])
def test_wrong_settings_stop_the_pack_and_say_why(project, caplog, wrong):
    made = world()
    told = evolve(settings(project), plugin_options={"holidays": wrong})
    with opened(made, told) as dom, caplog.at_level(logging.WARNING, "domcore.plugins"):
        dom.capture(made.order("1", MUG=2))
        report = dom.route()
        assert report.failed == 1
        assert "node.holidays" in report.errors[0]
        assert dom.order("#1").summary.status == "open"
    assert "ConfigurationError: plugins.holidays: " in caplog.text


def test_doctor_names_nodes_whose_region_nobody_knows(project):
    made = world()
    made.node("LON", at=(51.5, -0.1), country="GB", region="Kent")
    made.node("EDI", at=(55.9, -3.2), country="GB", region="Scotland")
    with opened(made, settings(project)) as dom:
        told = [each for each in dom.doctor() if each.subject == "plugin holidays"]
        warned = [each.message for each in told if each.level == "warn"]
    assert len(warned) == 1
    assert warned[0].startswith("node LON: region 'KENT' of GB is none whose holidays are known")


def test_two_applications_share_nothing():
    module = import_module("domcore_holidays.plugin")
    assert isinstance(module.plugin, Holidays)
    assert module.plugin is not module.plugin
    with pytest.raises(AttributeError, match="no attribute 'plug'"):
        _ = module.plug


def test_other_settings_are_read_anew():
    plugin = Holidays()
    closed = {"nodes": {"NYC": {"closed": {"2026-07-01": "moving"}}}}
    candidate = Candidate(world().nodes[0], Quantities({}), 0)
    now = datetime(2026, 7, 1, 15, tzinfo=UTC)
    for given, expected in ((closed, 1), ({}, 0), (closed, 1)):
        facts = plugin.gather_facts([candidate], PlanContext(now, "main", settings=given))
        assert facts["NYC"]["node.holidays.closed_days_ahead"] == expected


def test_the_pack_of_the_readme_passes_its_cases(project):
    folder, facts = project / "rulesets" / "open-nodes", FactRegistry(FACTS)
    pack = load_pack(folder)
    cases = load_cases(folder, pack, facts)
    assert cases
    assert run_cases(pack, cases, engine=PythonEngine(), facts=facts) == ()


def test_the_readme_describes_every_fact():
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    for spec in FACTS:
        assert f"| `{spec.name}` | {spec.type}" in readme


def test_loading_the_plugin_loads_nothing_heavy():
    code = (
        "import sys; from domcore_holidays.plugin import plugin\n"
        "assert not {'holidays', 'cattrs', 'msgspec', 'click'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
