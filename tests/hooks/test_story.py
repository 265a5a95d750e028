"""The whole story once: one plugin with every hook, and the exact order in which it is called."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from domcore import ActivationSettings, Settings, hookimpl
from domcore.hookspecs import HookSpecs
from domcore.model import CaptureOrder, Destination, FactSpec, Order
from domcore.testing.builder import World

RULESET = """\
format = 1
name = "story"
version = "1.0.0"

[[rule]]
id = "quiet"
when = "node.story.noise > 3"
then = "exclude"
"""


class Silent:
    """A connector that is told nothing, for no node names it."""

    name = "silent"

    def release(self, handover):
        raise NotImplementedError

    cancel = reconcile = release


class Story:
    """Implements every hook, writes down that it was called, and gets out of the way."""

    def __init__(self, order: Order, pack: Path) -> None:
        self.told: list[str] = []
        self.order = order
        self.pack = pack
        self.name = "web"

    def receive(self, envelope):
        self.told.append("(channel reads)")
        return [CaptureOrder(self.order)]

    def locate(self, destination):
        self.told.append("(geocoder is asked)")

    @hookimpl
    def register_commands(self, cli):
        self.told.append("register_commands")

    @hookimpl
    def plain_settings(self):
        self.told.append("plain_settings")
        return []

    @hookimpl
    def trouble(self, dom):
        self.told.append("trouble")
        return []

    @hookimpl
    def open_store(self, url):
        self.told.append("open_store")

    @hookimpl
    def register_channels(self, dom):
        self.told.append("register_channels")
        return [self]

    @hookimpl
    def register_connectors(self, dom):
        self.told.append("register_connectors")
        return [Silent()]

    @hookimpl
    def register_geocoders(self, dom):
        self.told.append("register_geocoders")
        return [self]

    @hookimpl
    def register_rulesets(self, dom):
        self.told.append("register_rulesets")
        return [str(self.pack)]

    @hookimpl
    def register_rule_engines(self, dom):
        self.told.append("register_rule_engines")
        return []

    @hookimpl
    def register_facts(self, dom):
        self.told.append("register_facts")
        return [FactSpec("node.story.noise", "node", "int", nullable=True)]

    @hookimpl
    def prepare(self, orders, context):
        self.told.append("prepare")
        return {order.key_text: "quiet" for order in orders}

    @hookimpl
    def gather_facts(self, order, candidates, context):
        self.told.append("gather_facts")
        return {"NYC": {"node.story.noise": 1}}

    @hookimpl
    def judge(self, order, candidates, facts, context):
        assert facts == {"NYC": {"node.story.noise": 1}}
        self.told.append("judge")
        return []

    @hookimpl
    def make_plan(self, order, candidates, policy, context):
        self.told.append("make_plan")

    @hookimpl
    def review_plan(self, order, plan, context):
        self.told.append(f"review_plan {plan.nodes}")
        return []

    @hookimpl
    def handle_event(self, event, dom):
        self.told.append(f"handle_event {event.kind}")


@pytest.fixture
def world() -> World:
    world = World().node("NYC", at=(40.71, -74.0)).node("LAX", at=(34.05, -118.24))
    return world.item("MUG", weight=400).stock("MUG", NYC=5, LAX=5)


@pytest.fixture
def story(world: World, tmp_path: Path) -> Story:
    (tmp_path / "ruleset.toml").write_text(RULESET, encoding="utf-8")
    unplaced = Destination("US", "NY", "10001")
    return Story(world.order("1", MUG=1, destination=unplaced), tmp_path)


def test_the_story_registers_every_hook():
    hooks = {name for name in vars(HookSpecs) if not name.startswith("_")}
    assert hooks <= set(vars(Story))


def test_hooks_are_called_in_this_order(world: World, story: Story):
    settings = Settings(store="memory:", activate=(ActivationSettings("story"),))
    chapters: dict[str, list[str]] = {}

    def chapter(name: str) -> None:
        chapters[name], story.told = story.told, []

    with world.open(settings, plugins={"story": story}) as dom:
        chapter("open")
        list(dom.plugins.each("register_commands", cli=click.Group()))
        list(dom.plugins.each("plain_settings"))
        list(dom.plugins.each("trouble", dom=dom))
        chapter("command line")
        dom.receive("web", b"")
        chapter("receive")
        dom.plan("#1")
        chapter("the first plan")
        dom.route()
        chapter("route")
        dom.work()
        chapter("work")

    assert chapters == {
        "open": ["open_store"],
        "command line": ["register_commands", "plain_settings", "trouble"],
        "receive": ["register_channels", "(channel reads)"],
        "the first plan": [
            "register_geocoders",
            "(geocoder is asked)",
            "register_rulesets",
            "register_facts",
            "register_rule_engines",
            "prepare",
            "gather_facts",
            "judge",
            "make_plan",
            "review_plan ('NYC',)",
        ],
        "route": ["prepare", "gather_facts", "judge", "make_plan", "review_plan ('NYC',)"],
        "work": ["register_connectors", "handle_event order.captured", "handle_event order.routed"],
    }
