"""Every decision tells its reasons, and deciding again from its record gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

from domcore import ActivationSettings, NotFound, Settings
from domcore.model import Item, OrderLine
from domcore.rules.engines.durable import available
from domcore.settings import RoutingSettings
from domcore.testing.builder import World

PACK = """
format = 1
name = "house"
version = "2.1.0"
currency = "USD"
description = "Rules for these tests."

[[rule]]
id = "hazmat-needs-licence"
when = "'hazmat' in line.tags and 'hazmat-licence' not in node.tags"
then = "exclude"
reason = "not licensed for hazmat"

[[rule]]
id = "store-labour"
when = "node.kind == 'store'"
then = { cost = { amount = "1.50", per = "line" } }
reason = "store staff cost more"

[[rule]]
id = "keep-two"
when = "node.kind == 'store'"
then = { protect = { quantity = 2 } }
soft = true
"""


def three_nodes() -> World:
    world = World()
    world.node("DC", at=(39.96, -82.99), tags=("hazmat-licence",))
    world.node("SHOP", at=(40.73, -73.99), kind="store")
    world.node("FAR", at=(34.05, -118.24))
    world.item("MUG", weight=400).item("ACID", weight=900, tags=("hazmat",))
    world.stock("MUG", DC=5, SHOP=3, FAR=5).stock("ACID", DC=2, SHOP=5, FAR=5)
    return world


@pytest.fixture
def house(tmp_path: Path):
    folder = tmp_path / "packs" / "house"
    folder.mkdir(parents=True)
    (folder / "ruleset.toml").write_text(PACK, encoding="utf-8")

    def open_world(world: World, url: str = "memory:", **more):
        settings = Settings(
            store=url,
            rulesets=("packs",),
            root=str(tmp_path),
            activate=(ActivationSettings("house"),),
            **more,
        )
        return world.open(settings)

    return open_world


def test_the_chosen_node_and_its_price_are_told(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        told = dom.explain("#1")
        assert told.replayed
        assert told.lines[0].sources == (("DC", 2),)
        assert told.cost == sum(parcel.cost for parcel in told.parcels)
        assert "proven least cost" in told.to_text()


def test_a_node_kept_out_by_a_rule_names_the_rule_its_version_and_what_it_read(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", ACID=1))
        dom.route()
        asked = dom.explain("#1", why_not="SHOP").asked
        assert asked.verdict == "rules"
        word = next(word for word in asked.rules if word.verb == "exclude")
        assert (word.rule, word.version) == ("house/hazmat-needs-licence", "2.1.0")
        assert dict(word.values) == {"line.tags": ("hazmat",), "node.tags": ()}
        assert "not licensed for hazmat" in asked.reason


def test_a_dearer_node_says_by_how_much(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        told = dom.explain("#1", why_not="FAR")
        assert told.asked.verdict == "dearer"
        assert told.asked.extra > 0


def test_stock_that_must_stay_is_named(house):
    world = three_nodes()
    world.item("LAMP", weight=100).stock("LAMP", SHOP=2, DC=1)
    with house(world) as dom:
        dom.capture(world.order("1", LAMP=1))
        dom.route()
        asked = dom.explain("#1", why_not="SHOP").asked
        assert asked.verdict == "floor"
        assert "2 there, 2 must stay" in asked.reason


def test_a_soft_rule_gives_way_only_for_what_would_stay_short(house):
    world = three_nodes()
    world.item("LAMP", weight=100).stock("LAMP", SHOP=2, DC=1)
    with house(world) as dom:
        dom.capture(world.order("1", LAMP=2))
        dom.route()
        told = dom.explain("#1")
        assert told.lines[0].sources == (("DC", 1), ("SHOP", 1))
        assert len(told.certificates) == 2
        assert told.replayed


@pytest.mark.parametrize("node", ["FAR", "DC", "SHOP"])
def test_any_node_can_be_asked_about(house, node):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=1, ACID=1))
        dom.route()
        assert dom.explain("#1", why_not=node).asked.node == node


def test_a_node_that_does_not_exist_is_not_found(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        with pytest.raises(NotFound, match="'MOON'"):
            dom.explain("#1", why_not="MOON")


def test_an_order_not_decided_yet_has_nothing_to_explain(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=1))
        with pytest.raises(NotFound, match="nothing has been decided"):
            dom.explain("#1")


def test_a_decision_replays_after_everything_around_it_has_changed(house, tmp_path):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=2, ACID=1))
        dom.route()
        before = dom.explain("#1").to_dict()
        dom.load_items([Item("MUG", weight=9_000), Item("ACID", weight=1)])
        fewer = World().node("DC", at=(10.0, 10.0)).network()
        dom.load_network(fewer)
        dom.capture(world.order("1", MUG=1, revision=2))
        after = dom.explain("#1").to_dict()
        assert after["replayed"]
        assert after["parcels"] == before["parcels"]


def test_a_plan_is_explained_without_being_stored(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=2))
        planned = dom.plan("#1")
        assert planned.explanation.replayed
        assert dom.store.decisions(planned.order_id) == []


def test_an_explanation_is_json(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        tree = json.loads(json.dumps(dom.explain("#1").to_dict()))
        assert tree["order"] == ["main", "web", "1"]


def test_both_engines_decide_and_explain_alike(house):
    world = three_nodes()
    told = []
    if not available()[0]:
        pytest.skip("durable_rules does not import here")
    for engine in ("python", "durable"):
        with house(world, engine=engine) as dom:
            dom.capture(world.order("1", MUG=2, ACID=1))
            dom.route()
            tree = dom.explain("#1", why_not="SHOP").to_dict()
            tree.pop("made")
            told.append(tree)
    assert told[0] == told[1]


def test_lines_that_need_no_shipping_say_so(house):
    world = three_nodes()
    with house(world) as dom:
        order = world.order("1", MUG=1)
        card = OrderLine("card", "GIFT", 1, ships=False)
        dom.capture(evolve(order, lines=(*order.lines, card)))
        dom.route()
        assert "card  0 x GIFT: needs no shipping" in dom.explain("#1").to_text()


def test_a_held_order_explains_the_hold(house):
    world = three_nodes()
    with house(world, routing=RoutingSettings(review_nodes_over=1)) as dom:
        dom.capture(world.order("1", MUG=12))
        dom.route()
        text = dom.explain("#1").to_text()
        assert "HELD by domcore/split-ceiling" in text
        assert "reserved, not handed over" in text


def test_an_earlier_decision_can_still_be_explained(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=20))
        dom.route()
        dom.route(["#1"])
        last, first = dom.explain("#1"), dom.explain("#1", decision=1)
        assert (last.sequence, first.sequence) == (2, 1)
        assert last.other_decisions == (1,)
        assert first.lines[0].sources
        assert first.replayed
        assert last.replayed
        with pytest.raises(NotFound, match="decision 9"):
            dom.explain("#1", decision=9)


def test_a_cancelled_order_says_so(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        dom.cancel("#1")
        assert "The order is cancelled now" in dom.explain("#1").to_text()


def test_a_held_order_is_not_said_to_have_nothing_open(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=1, destination=None))
        dom.route()
        assert "not planned, the order is held" in dom.explain("#1").to_text()


def test_a_dearer_node_shows_the_plan_that_would_use_it(house):
    world = three_nodes()
    with house(world) as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        told = dom.explain("#1", why_not="FAR")
        assert told.asked.alternative == (("FAR", "MUG", 2),)
        assert told.asked.alternative_cost == told.cost + told.asked.extra
        assert "it would be: 2 x MUG from FAR" in told.to_text()
