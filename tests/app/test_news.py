"""News of nodes, and what becomes of it: re-routing, caps, explanations that stay true."""

from __future__ import annotations

import random

import pytest
from attrs import evolve

from domcore import Domcore, PayloadError, Settings
from domcore.model import Notice, ObserveStock, Package, StockCount
from domcore.settings import RoutingSettings
from domcore.testing.builder import World

PLACES = {"ATL": (33.7, -84.4), "LAX": (34.0, -118.2), "NYC": (40.7, -74.0)}


def shop(connector: str = "", **stock: int) -> World:
    """Three nodes; the order goes to New York, so NYC comes first, then ATL, then LAX."""
    world = World()
    for code, at in PLACES.items():
        world.node(code, at=at, connector=connector)
    for sku, units in stock.items():
        world.item(sku, weight=100).stock(sku, **dict.fromkeys(PLACES, units))
    return world


def work_at(dom: Domcore, node: str, reference: str = "#1") -> str:
    (found,) = [
        each.id for each in dom.order(reference).fulfillment_orders
        if each.node == node and each.status not in ("rejected", "cancelled")
    ]  # fmt: skip
    return found


def test_what_a_node_rejects_is_shipped_by_another():
    world = shop(MUG=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        first = work_at(dom, "NYC")
        dom.record(Notice(first, "rejected", dom.now(), reason="not_found"))
        assert dom.route().routed == 1
        second = work_at(dom, "ATL")
        box = Package("1Z", (("MUG", 2),), "ups", "1Z")
        assert dom.record(Notice(second, "shipped", dom.now(), packages=(box,))).outcome == (
            "recorded"
        )
        view = dom.order("#1")
        assert view.summary.status == "shipped"
        assert [each.packages for each in view.fulfillment_orders][1][0].tracking == "1Z"
        stock = {row.node: (row.on_hand, row.reserved, row.blocked) for row in dom.stock()}
        assert stock["NYC"] == (5, 0, 2)
        assert stock["ATL"] == (3, 0, 0)
        assert list(dom.verify()) == []


def test_an_explanation_names_the_rejection_now_and_later():
    world = shop(MUG=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        dom.record(Notice(work_at(dom, "NYC"), "rejected", dom.now(), reason="no_capacity"))
        dom.route()
        told = dom.explain("#1", why_not="NYC")
        assert told.replayed
        assert told.asked.verdict == "rules"
        assert told.asked.reason == "domcore/rejected: rejected this line: no_capacity"
        assert "domcore/rejected" in told.to_text()
        world.clock.forward(days=30)
        dom.record(Notice(work_at(dom, "ATL"), "rejected", dom.now(), reason="closed"))
        again = dom.explain("#1", why_not="NYC", decision=2)
        assert again == evolve(told, status=again.status, other_decisions=again.other_decisions)
        first = dom.explain("#1", decision=1)
        assert first.replayed
        assert "domcore/rejected" not in first.to_text()


def test_a_node_without_the_goods_is_still_explained_by_its_rejection():
    world = World().node("NYC", at=PLACES["NYC"]).node("ATL", at=PLACES["ATL"])
    world.item("MUG", weight=100).stock("MUG", NYC=2, ATL=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        dom.record(Notice(work_at(dom, "NYC"), "rejected", dom.now(), reason="not_found"))
        dom.route()
        assert "rejected this line: not_found" in dom.explain("#1", why_not="NYC").asked.reason


def test_a_node_is_not_asked_for_the_sku_by_other_orders_for_a_while():
    world = shop(MUG=9)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        dom.record(Notice(work_at(dom, "NYC"), "rejected", dom.now(), reason="no_capacity"))
        dom.capture(world.order("2", MUG=1))
        dom.route()
        assert dom.order("#2").summary.nodes == ("ATL",)
        told = dom.explain("#2", why_not="NYC")
        assert told.asked.reason == "domcore/rejected: rejected this SKU lately: no_capacity"
        world.clock.forward(minutes=1441)
        dom.capture(world.order("3", MUG=1))
        dom.route()
        assert dom.order("#3").summary.nodes == ("NYC",)


def test_what_only_nodes_that_have_rejected_it_hold_is_short_for_that_reason():
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        (work,) = dom.order("1").fulfillment_orders
        dom.record(Notice(work.id, "rejected", world.clock(), reason="no_capacity"))
        dom.route()
        summary = dom.order("1").summary
        assert (summary.status, summary.reason) == ("short", "rejected")
        assert "nodes have rejected it" in dom.explain("1").to_text()
        assert list(dom.verify()) == []


def test_an_order_that_nodes_keep_rejecting_waits_for_a_person():
    world = shop(MUG=9)
    settings = Settings(store="memory:", routing=RoutingSettings(max_attempts=2))
    with world.open(settings) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        for node in ("NYC", "ATL"):
            world.clock.forward(minutes=1)
            dom.record(Notice(work_at(dom, node), "rejected", dom.now(), reason="closed"))
            report = dom.route()
        assert report.held == 1
        (hold,) = dom.order("#1").summary.holds
        assert (hold.code, hold.stage) == ("domcore/attempts", "route")
        assert "2 times" in hold.reason
        assert dom.explain("#1").replayed
        assert dom.route().orders == 0
        dom.approve("#1", by="Ann")
        assert dom.route().routed == 1
        assert dom.order("#1").fulfillment_orders[-1].node == "LAX"
        assert list(dom.verify()) == []


def test_a_connector_speaks_only_of_its_own_nodes():
    world = shop("acme", MUG=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        notice = Notice(work_at(dom, "NYC"), "shipped", dom.now())
        with pytest.raises(PayloadError, match="serves no such node"):
            dom.record(notice, connector="other")
        assert dom.order("#1").summary.status == "allocated"
        assert dom.record(notice, connector="acme").outcome == "recorded"


def test_a_notice_is_a_command_like_any_other():
    world = shop(MUG=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        notice = Notice(work_at(dom, "NYC"), "shipped", dom.now())
        assert [each.outcome for each in dom.apply([notice, notice])] == ["recorded", "duplicate"]


@pytest.mark.parametrize("seed", range(12))
def test_random_rejections_and_short_picks_end_and_lose_nothing(seed):
    """Nodes reject, pick short and ship in parts at random; what is open is routed again, until
    all has shipped, nothing is left to ask, or a person is asked."""
    chance = random.Random(seed)
    world = shop(MUG=8, PEN=8)
    settings = Settings(
        store="memory:", routing=RoutingSettings(max_attempts=4, rejection_minutes=30)
    )
    with world.open(settings) as dom:
        for number in range(6):
            units = {"MUG": chance.randint(1, 4), "PEN": chance.randint(1, 3)}
            dom.capture(world.order(str(number), **units))
        wanted = {s.order_id: s.buckets.ordered for s in dom.orders()}
        for turn in range(40):
            world.clock.forward(minutes=chance.randint(1, 40))
            dom.route()
            _answer_some(dom, chance, turn)
            if chance.random() < 0.1:
                node = chance.choice(sorted(PLACES))
                dom.observe(ObserveStock("main", (StockCount("MUG", node, on_hand=6),)))
            assert {s.order_id: s.buckets.ordered for s in dom.orders()} == wanted
            assert list(dom.verify()) == []
        for each in dom.orders():
            decided = len(dom.store.decisions(each.order_id))
            assert decided < 40, "it is routed again and again"
            if each.status == "held":
                assert each.holds[0].code == "domcore/attempts"


def _answer_some(dom: Domcore, chance: random.Random, turn: int) -> None:
    for each in dom.orders():
        for work in dom.store.order(each.order_id).fulfillment_orders:
            if not work.lines or chance.random() < 0.3:
                continue
            line, _, units = chance.choice(work.lines)
            some = chance.randint(1, units)
            reason = chance.choice(("not_found", "damaged", "no_capacity", "closed", "other"))
            told = {
                0: {"status": "rejected", "reason": reason},
                1: {"status": "rejected", "reason": reason, "lines": ((line, some),)},
                2: {"status": "shipped", "packages": (Package(f"b{turn}", ((line, some),)),)},
                3: {"status": "shipped"},
                4: {"status": "in_progress"},
            }[chance.randint(0, 4)]
            dom.record(Notice(work.id, at=dom.now(), **told))
