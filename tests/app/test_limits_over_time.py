"""What rules allow an order holds over all its decisions, whatever happens between them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domcore import Domcore, Settings
from domcore.model import (
    Notice,
    ObserveStock,
    ShippedElsewhere,
    StockCount,
)
from domcore.settings import ActivationSettings, RoutingSettings
from domcore.testing.builder import World

ONE_NODE = ("one-node", "True", "{ split = { max_nodes = 1 } }")
TWO_NODES = ("two-nodes", "True", "{ split = { max_nodes = 2 } }")
Rule = tuple[str, ...]
Open = Callable[..., Any]


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens a world under some rules: ``with shop(world, rule, ...) as dom``."""

    @contextmanager
    def opened(world: World, *rules: Rule, **more: Any) -> Iterator[Domcore]:
        folder = tmp_path / "rulesets" / "mine"
        folder.mkdir(parents=True, exist_ok=True)
        text = 'format = 1\nname = "mine"\nversion = "1.0.0"\ncurrency = "USD"\n'
        for name, when, then, *extra in rules:
            text += f'[[rule]]\nid = "{name}"\nwhen = """{when}"""\nthen = {then}\n'
            text += "\n".join(extra) + "\n"
        (folder / "ruleset.toml").write_text(text, encoding="utf-8")
        url = "memory:" if request.param == "memory" else str(tmp_path / "dom.db")
        active = (ActivationSettings("mine"),) if rules else ()
        settings = Settings(
            store=url, rulesets=(str(tmp_path / "rulesets"),), activate=active, **more
        )
        with world.open(settings) as dom:
            yield dom
            assert list(dom.verify()) == []
            for order in dom.orders(limit=100):
                for decision in dom.store.decisions(order.order_id):
                    told = dom.explain(f"id:{order.order_id}", decision=decision.sequence)
                    assert told.replayed

    return opened


def coasts() -> World:
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    return world.node("CHI", at=(41.8, -87.6)).item("A").item("B").item("C")


def ships(dom: Domcore, order: str = "1") -> dict[str, set[str]]:
    """SKUs by node, of work that stands."""
    found: dict[str, set[str]] = {}
    for work in dom.order(order).fulfillment_orders:
        if work.status not in ("rejected", "cancelled"):
            found.setdefault(work.node, set()).update(sku for _, sku, _ in work.lines)
    return found


def later(world: World, dom: Domcore, times: int = 3) -> None:
    for _ in range(times):
        world.clock.forward(minutes=61)
        dom.route()


def arrives(dom: Domcore, sku: str, node: str, units: int = 5) -> None:
    dom.observe(ObserveStock("main", (StockCount(sku, node, on_hand=units),)))


def test_what_was_short_does_not_come_from_a_second_node_an_hour_later(shop: Open) -> None:
    world = coasts().stock("A", LAX=5).stock("B", NYC=5)
    with shop(world, ONE_NODE) as dom:
        dom.capture(world.order("1", A=1, B=1))
        dom.route()
        later(world, dom)
        assert len(ships(dom)) == 1
        assert dom.order("1").summary.reason == "split"


def test_what_was_short_comes_once_the_node_that_ships_already_has_it(shop: Open) -> None:
    world = coasts().stock("A", LAX=5).stock("B", NYC=5)
    with shop(world, ONE_NODE) as dom:
        dom.capture(world.order("1", A=1, B=1))
        dom.route()
        (node,) = ships(dom)
        arrives(dom, "A", node)
        arrives(dom, "B", node)
        later(world, dom)
        assert ships(dom) == {node: {"A", "B"}}


def test_a_rejected_line_does_not_leave_from_another_node(shop: Open) -> None:
    world = coasts().stock("A", LAX=5, NYC=5).stock("B", NYC=5, LAX=5)
    with shop(world, ONE_NODE) as dom:
        dom.capture(world.order("1", A=1, B=1))
        dom.route()
        (work,) = dom.order("1").fulfillment_orders
        world.clock.forward(minutes=5)
        dom.record(Notice(work.id, "rejected", world.clock(), (("A", 1),), reason="not_found"))
        later(world, dom)
        assert ships(dom) == {work.node: {"B"}}


def test_an_order_that_came_back_whole_may_go_to_another_node(shop: Open) -> None:
    world = coasts().stock("A", LAX=5, NYC=5)
    with shop(world, ONE_NODE) as dom:
        dom.capture(world.order("1", A=1))
        dom.route()
        (work,) = dom.order("1").fulfillment_orders
        dom.record(Notice(work.id, "rejected", world.clock(), reason="closed"))
        later(world, dom)
        assert ships(dom) == {"LAX": {"A"}}
        assert (dom.kpi().split.part, dom.kpi().split.whole) == (0, 1)


def test_goods_that_others_have_sent_from_a_node_count(shop: Open) -> None:
    world = coasts().stock("A", LAX=5, NYC=5).stock("B", NYC=5)
    with shop(world, ONE_NODE) as dom:
        order = world.order("1", A=1, B=1)
        dom.capture(order)
        sent = ((order.lines[0].id, 1),)
        told = ShippedElsewhere("main", "web", "1", "f1", 1, world.clock(), sent, node="LAX")
        dom.store.ship_elsewhere(told, now=dom._micros())
        dom.route()
        later(world, dom)
        assert ships(dom) == {}
        arrives(dom, "B", "LAX")
        later(world, dom)
        assert ships(dom) == {"LAX": {"B"}}


def test_of_two_nodes_the_second_may_be_any_and_the_third_none(shop: Open) -> None:
    world = coasts().stock("A", NYC=5)
    with shop(world, TWO_NODES) as dom:
        dom.capture(world.order("1", A=1, B=1, C=1))
        dom.route()
        arrives(dom, "B", "LAX")
        later(world, dom, 1)
        assert ships(dom) == {"NYC": {"A"}, "LAX": {"B"}}
        arrives(dom, "C", "CHI")
        later(world, dom)
        assert ships(dom) == {"NYC": {"A"}, "LAX": {"B"}}
        arrives(dom, "C", "NYC")
        later(world, dom)
        assert ships(dom) == {"NYC": {"A", "C"}, "LAX": {"B"}}


def test_a_cheaper_new_node_is_not_added_where_one_that_ships_will_do(shop: Open) -> None:
    world = coasts().stock("A", LAX=5)
    with shop(world, ONE_NODE) as dom:
        dom.capture(world.order("1", A=1, B=1))
        dom.route()
        arrives(dom, "B", "NYC")
        arrives(dom, "B", "LAX")
        later(world, dom)
        assert ships(dom) == {"LAX": {"A", "B"}}


def test_the_ceiling_for_review_counts_the_nodes_that_ship_already(shop: Open) -> None:
    world = coasts().stock("A", NYC=5)
    with shop(world, routing=RoutingSettings(review_nodes_over=1)) as dom:
        dom.capture(world.order("1", A=1, B=1))
        assert dom.route().held == 0
        arrives(dom, "B", "LAX")
        world.clock.forward(minutes=61)
        assert dom.route().held == 1
        assert [hold.code for hold in dom.order("1").summary.holds] == ["domcore/split-ceiling"]
        dom.approve("1")


def test_a_condition_on_what_has_left_is_still_true(shop: Open) -> None:
    hazmat = ("hazmat", "any('hazmat' in line.tags for line in lines) and node.kind == 'store'")
    world = World().node("NYC", at=(40.7, -74.0)).node("SOHO", at=(40.7, -74.0), kind="store")
    world.item("A", tags=("hazmat",)).item("B").stock("A", NYC=1)
    with shop(world, (*hazmat, '"exclude"')) as dom:
        dom.capture(world.order("1", A=1, B=1))
        dom.route()
        (work,) = dom.order("1").fulfillment_orders
        dom.record(Notice(work.id, "shipped", world.clock()))
        arrives(dom, "B", "SOHO")
        later(world, dom)
        assert set(ships(dom)) == {"NYC"}


def test_an_order_completed_from_a_second_node_is_a_split_one(shop: Open) -> None:
    world = coasts().stock("B", NYC=5)
    with shop(world) as dom:
        dom.capture(world.order("1", A=1, B=1))
        assert dom.route().partial == 1
        arrives(dom, "A", "LAX")
        world.clock.forward(minutes=61)
        assert dom.route().split == 1
        assert (dom.kpi().split.part, dom.kpi().split.whole) == (1, 1)
        (said,) = [told for told in dom.explain("1").remarks if "placed before" in told]
        assert "1 unit, at NYC" in said
        dom.cancel("1")
        assert (dom.kpi().split.part, dom.kpi().split.whole) == (0, 1)


def test_a_soft_rule_gives_way_to_the_one_node_that_can_ship_all(shop: Open) -> None:
    world = coasts().node("SOHO", at=(40.7, -74.0), kind="store")
    world.stock("A", SOHO=5).stock("B", CHI=5, SOHO=5)
    soft = ("no-stores", "node.kind == 'store'", '"exclude"', "soft = true")
    with shop(world, soft, ONE_NODE) as dom:
        dom.capture(world.order("1", A=1, B=1))
        dom.route()
        assert ships(dom) == {"SOHO": {"A", "B"}}


def test_at_equal_fill_the_plan_that_keeps_the_soft_rule_stands(shop: Open) -> None:
    world = coasts().node("SOHO", at=(40.7, -74.0), kind="store")
    world.stock("A", SOHO=5).stock("B", CHI=5)
    soft = ("no-stores", "node.kind == 'store'", '"exclude"', "soft = true")
    with shop(world, soft, ONE_NODE) as dom:
        dom.capture(world.order("1", A=1, B=1))
        dom.route()
        assert ships(dom) == {"CHI": {"B"}}


WHOLE_LINES = ("whole-lines", "not candidate.covers_line", '"exclude"')


def test_a_line_that_comes_whole_or_not_at_all_is_not_split_by_what_is_protected(
    shop: Open,
) -> None:
    world = coasts().node("SOHO", at=(40.7, -74.0), kind="store").stock("A", SOHO=5, LAX=4)
    keep = ("keep", "node.kind == 'store'", "{ protect = { quantity = 3 } }")
    with shop(world, keep, WHOLE_LINES) as dom:
        dom.capture(world.order("1", A=5))
        dom.route()
        assert ships(dom) == {}
        arrives(dom, "A", "SOHO", 8)
        later(world, dom, 1)
        assert ships(dom) == {"SOHO": {"A"}}


def test_nor_by_what_another_line_of_the_same_sku_takes(shop: Open) -> None:
    world = coasts().stock("A", NYC=5, LAX=4)
    with shop(world, WHOLE_LINES) as dom:
        order = world.order("1", A=3)
        (line,) = order.lines
        dom.capture(evolve(order, lines=(line, evolve(line, id="more", quantity=4))))
        dom.route()
        split = [work.node for work in dom.order("1").fulfillment_orders]
        assert len(split) < 2
        arrives(dom, "A", "NYC", 7)
        later(world, dom, 1)
        assert ships(dom) == {"NYC": {"A"}}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_no_order_ever_ships_from_more_nodes_than_allowed(
    shop: Open, seed: int
) -> None:
    dice, nodes = random.Random(seed), ("NYC", "LAX", "CHI")
    allowed = 1 + seed % 2
    world = coasts().stock("A", NYC=2, CHI=1).stock("B", LAX=3).stock("C", CHI=2)
    limit = ("few-nodes", "True", f"{{ split = {{ max_nodes = {allowed} }} }}")
    with shop(world, limit) as dom:
        for number in range(4):
            dom.capture(world.order(str(number), A=dice.randrange(1, 3), B=1, C=1))
        for _ in range(12):
            dom.route()
            order = str(dice.randrange(4))
            busy = [
                work
                for work in dom.order(order).fulfillment_orders
                if work.status in ("requested", "accepted")
            ]
            if busy and dice.random() < 0.7:
                work = dice.choice(busy)
                line, _, units = dice.choice(work.lines)
                told = dice.choice(("shipped", "rejected", "rejected", "short"))
                some = ((line, 1),) if told == "short" and units > 1 else ()
                reason = dice.choice(("not_found", "closed")) if told != "shipped" else ""
                status = "rejected" if told == "short" else told
                dom.record(Notice(work.id, status, world.clock(), some, reason=reason))
            else:
                arrives(dom, dice.choice("ABC"), dice.choice(nodes), dice.randrange(1, 6))
            world.clock.forward(minutes=61)
            for number in range(4):
                assert len(dom.order(str(number)).summary.nodes) <= allowed
