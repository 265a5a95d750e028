"""Channels and persons stop orders and let them go, while orders are routed and handed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domcore import Settings, hookimpl
from domcore.model import (
    ApproveOrder,
    CaptureOrder,
    Handover,
    Hold,
    HoldOrder,
    Notice,
    ObserveStock,
    Polled,
    Receipt,
    StockCount,
)
from domcore.testing.builder import World

UNPAID = Hold("unpaid", "no payment has come")


class Partner:
    """Takes all work in, and stops when it is asked and `can_stop`."""

    name = "partner"

    def __init__(self) -> None:
        self.given: list[str] = []
        self.stopped: list[str] = []
        self.can_stop = True

    @hookimpl
    def register_connectors(self, dom: Any) -> list[Any]:
        return [self]

    def release(self, handover: Handover) -> Receipt:
        self.given.append(handover.fulfillment_order.id)
        return Receipt("accepted")

    def cancel(self, handover: Handover) -> Receipt:
        self.stopped.append(handover.fulfillment_order.id)
        return Receipt("cancelled" if self.can_stop else "in_progress")

    def reconcile(self, handover: Handover) -> Receipt:
        return Receipt("unknown_here")

    def poll(self, cursor: str) -> Polled:
        return Polled((), cursor)


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World("EUR").node("NYC", at=(40.7, -74.0), connector="partner")
    made.item("bolt").stock("bolt", NYC=6)
    store = "memory:" if request.param == "memory" else str(tmp_path / "shop.db")
    made.partner = Partner()
    settings = Settings(store=store, owners={"main": "EUR"}, engine="python")
    made.dom = made.open(settings, plugins={"partner": made.partner})
    yield made
    assert list(made.dom.verify()) == []
    made.dom.close()


def work(world: World, rounds: int = 3) -> None:
    for _ in range(rounds):
        world.dom.work()
        world.clock.forward(minutes=5)


def test_an_unpaid_order_is_reserved_and_goes_once_the_payment_is_told(world: World) -> None:
    dom, order = world.dom, world.order("1", bolt=2)
    dom.apply([CaptureOrder(order, holds=(UNPAID,))])
    work(world)
    view = dom.order("1")
    assert (view.summary.status, view.summary.holds) == ("held", (UNPAID,))
    assert world.partner.given == []
    (shown,) = dom.exceptions()
    assert (shown.kind, shown.reason) == ("held", "no payment has come")
    dom.apply([CaptureOrder(evolve(order, revision=order.revision + 1))])
    work(world)
    assert world.partner.given == ["1-1-NYC"]
    assert dom.exceptions() == []


def test_an_unpaid_order_that_finds_no_stock_waits_for_it_as_any_other(world: World) -> None:
    dom = world.dom
    dom.observe(ObserveStock("main", (StockCount("bolt", "NYC", on_hand=0),)))
    dom.apply([CaptureOrder(world.order("1", bolt=9), holds=(UNPAID,))])
    work(world, 1)
    dom.observe(ObserveStock("main", (StockCount("bolt", "NYC", on_hand=9),)))
    work(world, 20)
    assert dom.order("1").summary.buckets.allocated == 9
    assert world.partner.given == []


def test_a_held_order_that_a_node_has_is_asked_back_and_shown(world: World) -> None:
    dom = world.dom
    dom.capture(world.order("1", bolt=2))
    work(world)
    assert world.partner.given == ["1-1-NYC"]
    dom.hold("1", code="fraud", reason="the card is looked at")
    (shown,) = dom.exceptions()
    assert shown.reason.startswith("the card is looked at; NYC may be at work on it")
    work(world)
    assert world.partner.stopped == ["1-1-NYC"]
    assert dom.order("1").summary.buckets.open == 2
    assert dom.approve("1", by="kim", code="fraud")
    work(world)
    assert world.partner.given == ["1-1-NYC", "1-2-NYC"]
    told = [entry.text for entry in dom.timeline("1").entries]
    assert "put on hold: fraud (the card is looked at)" in told


def test_a_node_that_cannot_stop_goes_on_and_the_order_is_shown(world: World) -> None:
    dom = world.dom
    world.partner.can_stop = False
    dom.capture(world.order("1", bolt=2))
    work(world)
    dom.apply([HoldOrder("main", "web", "1", None, "fraud", "looked at")])
    work(world)
    assert world.partner.stopped == ["1-1-NYC"]
    assert "held" in {each.kind for each in dom.exceptions()}
    dom.record(Notice("1-1-NYC", "shipped", world.clock()))
    assert dom.order("1").summary.status == "shipped"


def test_a_hold_that_comes_while_the_order_is_planned_is_not_overlooked(world: World) -> None:
    dom = world.dom
    dom.capture(world.order("1", bolt=2))
    store, commit = dom.store, dom.store.commit

    def interrupted(commits: Any) -> None:
        store.commit = commit
        dom.apply([HoldOrder("main", "web", "1", 5, "fraud")])
        commit(commits)

    store.commit = interrupted
    work(world)
    assert dom.order("1").summary.status == "held"
    assert world.partner.given == []
    dom.apply([ApproveOrder("main", "web", "1", 6, "fraud")])
    work(world)
    assert world.partner.given == ["1-1-NYC"]


def test_a_cart_that_is_held_is_kept_on_hold(world: World) -> None:
    dom = world.dom
    dom.capture(world.order("1", bolt=2), queue=False)
    dom.reserve("1", minutes=30)
    dom.hold("1", code="fraud")
    dom.keep("1")
    work(world)
    assert world.partner.given == []
    dom.approve("1")
    work(world)
    assert world.partner.given == ["1-1-NYC"]


def test_an_order_that_its_customer_fetches_waits_for_a_node_that_serves_it(world: World) -> None:
    dom, order = world.dom, evolve(world.order("1", bolt=2), service="pickup")
    dom.capture(order)
    work(world)
    view = dom.order("1")
    assert (view.summary.status, view.summary.holds[0].code) == ("held", "pickup")
    assert (view.summary.buckets.open, world.partner.given) == (2, [])
    assert [each.kind for each in dom.exceptions()] == ["held"]
    dom.capture(evolve(order, revision=order.revision + 1, service="standard"))
    work(world)
    assert world.partner.given == ["1-1-NYC"]


def test_an_approved_pickup_without_an_address_is_still_shown_as_a_pickup(world: World) -> None:
    dom, order = world.dom, world.order("1", bolt=2)
    dom.capture(evolve(order, service="pickup", destination=None))
    work(world)
    dom.approve("1")
    work(world)
    (hold,) = dom.order("1").summary.holds
    assert hold.code == "domcore/address"
    (shown,) = dom.exceptions()
    assert shown.reason == "the customer picks it up, and the order has no shipping address"


def test_a_hold_that_is_said_again_follows_the_later_word(world: World) -> None:
    dom = world.dom
    dom.capture(world.order("1", bolt=2))
    dom.route("1")
    dom.hold("1", code="x", reason="a")
    for reason, stage, allocated in (("a", "route", 0), ("b", "route", 0), ("a", "release", 2)):
        assert dom.hold("1", code="x", reason=reason, stage=stage).outcome == "held"
        dom.work()
        view = dom.order("1")
        assert view.summary.holds == (Hold("x", reason, stage),)
        assert view.summary.buckets.allocated == allocated
        assert list(dom.verify()) == []
    assert world.partner.given == []
    assert dom.hold("1", code="x").outcome == "stale"
    assert dom.order("1").summary.holds == (Hold("x", "a", "release"),)


@pytest.mark.parametrize("words", [(5, 6), (6, 5)])
def test_words_about_a_hold_before_and_after_its_order_end_alike(
    world: World, words: tuple[int, int]
) -> None:
    dom, stages = world.dom, {5: "release", 6: "route"}
    first, second = (
        HoldOrder("main", "web", "1", revision, "x", f"said at {revision}", stages[revision])
        for revision in words
    )
    dom.apply([first, CaptureOrder(world.order("1", bolt=2))])
    work(world, 1)
    dom.apply([second])
    work(world, 1)
    assert dom.order("1").summary.holds == (Hold("x", "said at 6", "route"),)
    assert dom.order("1").summary.buckets.allocated == 0
