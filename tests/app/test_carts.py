"""Carts: reserved for a while, kept at the checkout, let go, or run out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domcore import ConfigurationError, Domcore, NotFound, Settings, hookimpl
from domcore.model import AmendOrder, Hold, Order, Plan
from domcore.store import open_store
from domcore.store.protocol import Store
from domcore.testing.builder import World
from domcore.testing.store_suite.kit import NOW, StoreKit, order_of


class Doubt:
    """Wants a person to look at orders tagged ``odd`` before they are released."""

    @hookimpl
    def review_plan(self, order: Order, plan: Plan) -> Iterable[Hold]:
        if "odd" in order.tags:
            yield Hold("odd", "looks odd")


@pytest.fixture(params=["memory:", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World()
    made.node("NYC", at=(40.7, -74.0), connector="fake").node("LAX", at=(34.0, -118.2))
    made.item("MUG").item("POT").stock("MUG", NYC=5, LAX=5)
    store = "memory:" if request.param == "memory:" else str(tmp_path / "shop.db")
    settings = Settings(store=store, owners={"main": "USD"}, engine="python")
    made.dom = made.open(settings, plugins={"doubt": Doubt()})
    yield made
    assert [str(violation) for violation in made.dom.verify()] == []
    made.dom.close()


@pytest.fixture
def dom(world: World) -> Domcore:
    return world.dom


def free_mugs(dom: Domcore) -> int:
    return sum(row.available for row in dom.stock())


def status(dom: Domcore, reference: str = "1") -> str:
    return dom.order(reference).summary.status


@pytest.mark.parametrize("minutes", [0, -1, 1.5, 1e-7, True, "5", None, float("nan"), 10**12])
def test_a_reservation_lasts_whole_minutes(world: World, dom: Domcore, minutes: Any) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    with pytest.raises(ConfigurationError, match="minutes"):
        dom.reserve("1", minutes=minutes)
    assert status(dom) == "open"


def test_a_checkout_in_time(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    assert dom.route().orders == 0
    assert dom.reserve("1", minutes=15).outcome == "routed"
    assert (status(dom), free_mugs(dom)) == ("reserved", 7)
    world.clock.forward(minutes=14)
    assert dom.keep("1").outcome == "kept"
    world.clock.forward(minutes=14)
    dom.work()
    assert (status(dom), free_mugs(dom)) == ("allocated", 7)
    (work,) = dom.order("1").fulfillment_orders
    assert (work.node, work.status, work.lines) == ("NYC", "requested", (("1-1", "MUG", 3),))


def test_a_checkout_too_late(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    dom.reserve("1", minutes=15)
    world.clock.forward(minutes=15)
    assert dom.keep("1").outcome == "nothing"
    dom.work()
    assert (status(dom), free_mugs(dom)) == ("open", 10)
    assert dom.route().orders == 0
    assert dom.route(["1"]).routed == 1


def test_a_cart_is_let_go(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    dom.reserve("1", minutes=15)
    assert dom.free("1").outcome == "freed"
    assert (dom.free("1").outcome, free_mugs(dom), dom.route().orders) == ("nothing", 10, 0)


def test_what_is_put_in_later_is_reserved_with_the_rest(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    dom.reserve("1", minutes=15)
    world.clock.forward(minutes=10)
    dom.capture(world.order("1", MUG=5, revision=2), queue=False)
    again = dom.reserve("1", minutes=15)
    assert "3 units stay reserved" in again.detail
    world.clock.forward(minutes=10)
    dom.work()
    assert (status(dom), free_mugs(dom)) == ("reserved", 5)
    assert {each.expires_at for each in dom.order("1").reservations} == {
        world.clock() + timedelta(minutes=5)
    }


def test_reserving_again_what_is_reserved_whole_gives_it_time(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    dom.reserve("1", minutes=1)
    again = dom.reserve("1", minutes=30)
    assert (again.outcome, again.detail) == ("routed", "3 units stay reserved")
    world.clock.forward(minutes=29)
    assert dom.keep("1").detail == "3 units"


def test_routing_by_name_keeps_what_is_reserved_and_decides_the_rest(
    world: World, dom: Domcore
) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    dom.reserve("1", minutes=15)
    dom.capture(world.order("1", MUG=4, revision=2), queue=False)
    report = dom.route(["1"])
    assert (report.orders, report.units) == (1, 1)
    assert status(dom) == "allocated"
    assert len(dom.order("1").fulfillment_orders) == 2
    whole = dom.capture(world.order("2", MUG=1), queue=False)
    assert whole.outcome == "captured"
    dom.reserve("2", minutes=15)
    assert (dom.route(["2"]).routed, status(dom, "2")) == (1, "allocated")


def test_an_amendment_of_a_cart_gives_its_units_back(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=3), queue=False)
    dom.reserve("1", minutes=15)
    dom.amend(AmendOrder("main", "web", "1", "fewer", 2, (("1-1", 2),)))
    assert (free_mugs(dom), dom.keep("1").detail) == (9, "1 unit")


def test_a_doubtful_cart_is_kept_and_waits_for_a_person(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=3, tags=("odd",)), queue=False)
    assert dom.reserve("1", minutes=15).outcome == "held"
    dom.keep("1")
    (work,) = dom.order("1").fulfillment_orders
    assert work.status == "on_hold"
    assert [hold.code for hold in dom.approve("1", by="kim")] == ["odd"]
    (work,) = dom.order("1").fulfillment_orders
    assert work.status == "requested"


def test_a_short_cart_is_reserved_in_part_and_still_asks_nobody(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=2, POT=1), queue=False)
    assert dom.reserve("1", minutes=15).outcome == "partial"
    world.clock.forward(hours=2)
    dom.work()
    assert dom.route().orders == 0
    assert free_mugs(dom) == 10


def test_a_cancelled_cart_has_nothing_to_keep(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=2), queue=False)
    dom.reserve("1", minutes=15)
    dom.cancel("1")
    assert (dom.keep("1").outcome, dom.reserve("1", minutes=5).outcome) == ("nothing", "nothing")
    assert free_mugs(dom) == 10


def test_bad_questions_change_nothing(world: World, dom: Domcore) -> None:
    dom.capture(world.order("1", MUG=2), queue=False)
    for amount in (0, -1, 10**9):
        with pytest.raises(ConfigurationError):
            dom.reserve("1", minutes=amount)
    for verb in (dom.keep, dom.free):
        with pytest.raises(NotFound):
            verb("nobody")
    assert free_mugs(dom) == 10


@pytest.mark.parametrize("url", ["memory:", "sqlite:///{}/store.db"])
def test_a_cart_is_kept_or_runs_out_and_never_both(url: str, tmp_path: Path) -> None:
    store = open_store(url.format(tmp_path))
    kit = StoreKit(store)
    kit.count("bolt", "east", 100)
    ids = [kit.take_in(order_of(str(n), bolt=1), queue=False) for n in range(40)]
    for order_id in ids:
        kit.route(order_id, "east", purpose="reserve", expires_at=NOW + 1)
    words = _race(store, ids)
    found = Counter(store.order(order_id).summary.status for order_id in ids)
    assert (found["allocated"], found["open"]) == (words["kept"], words["nothing"])
    assert kit.shelf("bolt", "east") == (100, words["kept"], 0)
    store.close()


def _race(store: Store, ids: list[int]) -> Counter[str]:
    """One thread keeps carts a moment before their time, the other frees what is over."""
    words: Counter[str] = Counter()
    start = threading.Barrier(2)

    def keep() -> None:
        start.wait()
        words.update(store.keep(order_id, now=NOW).outcome for order_id in ids)

    def expire() -> None:
        start.wait()
        while store.expire(now=NOW + 1, limit=1):
            pass

    threads = [threading.Thread(target=each) for each in (keep, expire)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(words.values()) == len(ids)
    return words
