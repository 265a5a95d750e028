"""What channels are told may be sold: nothing that is spoken for, nothing that routing refuses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import Domcore, Settings, hookimpl
from domcore.model import (
    CancelOrder,
    Candidate,
    CaptureOrder,
    Directive,
    Notice,
    ObserveStock,
    Order,
    StockCount,
)
from domcore.publishing import StockPublisher
from domcore.settings import ActivationSettings, ChannelSettings, RoutingSettings
from domcore.testing.builder import World
from domcore.verify import verify

WEB = ChannelSettings("web", "fake")


class Shop:
    """A channel that remembers the levels it was told last."""

    name = "web"

    def __init__(self) -> None:
        self.levels: dict[tuple[str, str], int] = {}
        self.calls = 0

    def receive(self, envelope):
        return ()

    def publish_stock(self, levels) -> None:
        self.calls += len(levels)
        self.levels.update({(each.sku, each.node): each.available for each in levels})


@pytest.fixture(params=["memory:", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else str(tmp_path / "dom.db")


def shop(**stock: int) -> World:
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400, category="kitchen").item("POT", weight=900)
    return world.stock("MUG", **stock) if stock else world


def opened(world: World, url: str, **more) -> Domcore:
    plugins = more.pop("plugins", None) or {}
    told = Settings(store=url, owners={"main": "USD"}, channels=(WEB,), **more)
    return world.open(told, plugins=plugins)


def may_sell(dom: Domcore, sku: str = "MUG") -> int:
    (row,) = dom.availability("web", sku=sku)
    return row.available


def told(dom: Domcore, channel: Shop, **changed) -> dict[tuple[str, str], int]:
    StockPublisher(dom).publish(channel, evolve(WEB, **changed))
    return channel.levels


def count(dom: Domcore, **news) -> None:
    dom.observe(ObserveStock("main", (StockCount("MUG", "NYC", **news),)))


def test_what_a_new_order_wants_is_spoken_for_before_it_is_decided(url):
    world, channel = shop(NYC=5), Shop()
    with opened(world, url) as dom:
        assert told(dom, channel) == {("MUG", ""): 5}
        dom.capture(world.order("1", MUG=2))
        assert may_sell(dom) == 3
        assert told(dom, channel) == {("MUG", ""): 3}
        dom.route()
        assert may_sell(dom) == 3
        dom.cancel("1")
        assert told(dom, channel) == {("MUG", ""): 5}


def test_a_new_order_that_is_cancelled_gives_back_what_it_wanted(url):
    world, channel = shop(NYC=5), Shop()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=2))
        assert told(dom, channel) == {("MUG", ""): 3}
        dom.cancel("1")
        assert told(dom, channel) == {("MUG", ""): 5}


def test_a_new_order_that_shrinks_gives_back_what_it_wants_no_longer(url):
    world, channel = shop(NYC=5), Shop()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=4))
        told(dom, channel)
        smaller = world.order("1", MUG=1)
        dom.capture(evolve(smaller, revision=2))
        assert told(dom, channel) == {("MUG", ""): 4}


def test_a_cart_that_reserves_nothing_is_not_spoken_for(url):
    world = shop(NYC=5)
    with opened(world, url) as dom:
        dom.apply([CaptureOrder(world.order("1", MUG=2), queue=False)])
        assert may_sell(dom) == 5


class Held:
    """Orders tagged so are held before anything is reserved."""

    @hookimpl
    def judge(self, order: Order) -> Iterable[Directive]:
        if "stop" in order.tags:
            yield Directive("plugin/held", "hold", "stop", arguments={"stage": "route"})


def test_what_held_and_short_orders_wait_for_is_not_offered(url):
    world, channel = shop(NYC=1), Shop()
    with opened(world, url, plugins={"held": Held()}) as dom:
        told(dom, channel)
        dom.capture(world.order("held", MUG=1, tags=("stop",)))
        dom.route()
        assert dom.order("held").summary.status == "held"
        assert told(dom, channel) == {("MUG", ""): 0}
        count(dom, delta=2)
        assert told(dom, channel) == {("MUG", ""): 2}
        dom.capture(world.order("short", MUG=4))
        dom.route()
        count(dom, delta=4)
        assert told(dom, channel) == {("MUG", ""): 2}
        assert may_sell(dom) == 2


def test_units_of_a_node_that_has_just_refused_them_are_not_offered_until_it_is_asked_again(url):
    world, channel = shop(NYC=10), Shop()
    with opened(world, url, routing=RoutingSettings(rejection_minutes=30)) as dom:
        told(dom, channel)
        dom.capture(world.order("1", MUG=1))
        dom.route()
        (work,) = dom.order("1").fulfillment_orders
        dom.record(Notice(work.id, "rejected", world.clock(), reason="closed"))
        assert told(dom, channel) == {("MUG", ""): 0}
        dom.capture(world.order("2", MUG=1))
        dom.route()
        assert dom.order("2").summary.status == "short"
        world.clock.forward(minutes=31)
        dom.work()
        assert dom.order("2").summary.status == "allocated"
        assert told(dom, channel) == {("MUG", ""): 8}, "the first order still waits for one"


def test_a_closed_node_offers_nothing(url):
    world, channel = shop(NYC=3, LAX=4), Shop()
    with opened(world, url) as dom:
        assert told(dom, channel) == {("MUG", ""): 7}
        nodes = tuple(evolve(node, enabled=node.id != "NYC") for node in dom.network().nodes)
        dom.load_network(evolve(dom.network(), nodes=nodes))
        assert told(dom, channel) == {("MUG", ""): 4}


def with_rules(tmp_path: Path, *rules: tuple[str, str]) -> dict:
    folder = tmp_path / "packs" / "house"
    folder.mkdir(parents=True, exist_ok=True)
    text = 'format = 1\nname = "house"\nversion = "1"\ncurrency = "USD"\n'
    for number, (when, then) in enumerate(rules):
        text += f'[[rule]]\nid = "r{number}"\nwhen = "{when}"\nthen = {then}\n'
    (folder / "ruleset.toml").write_text(text, encoding="utf-8")
    activate = (ActivationSettings("house"),)
    return {"rulesets": ("packs",), "root": str(tmp_path), "activate": activate}


PROTECT = "{ protect = { quantity = 3 } }"
EXCLUDE = "{ exclude = {} }"


@pytest.mark.parametrize(
    ("when", "then", "left"),
    [
        ("node.id == 'NYC'", PROTECT, 2 + 4),
        ("node.id == 'NYC' and line.category == 'kitchen'", PROTECT, 2 + 4),
        ("line.category == 'garden'", PROTECT, 5 + 4),
        ("order.channel == 'web'", PROTECT, 2 + 1),
        ("order.channel == 'other'", PROTECT, 5 + 4),
        ("node.id == 'LAX'", EXCLUDE, 5),
        ("candidate.available < 5", EXCLUDE, 5),
        ("node.id == 'LAX' and destination.country == 'US'", EXCLUDE, 5 + 4),
        ("line.quantity > 0", PROTECT, 5 + 4),
    ],
)
def test_what_rules_keep_from_every_order_is_not_offered(tmp_path, url, when, then, left):
    with opened(shop(NYC=5, LAX=4), url, **with_rules(tmp_path, (when, then))) as dom:
        assert may_sell(dom) == left


def test_safety_and_protection_are_one_floor_and_the_larger_counts(tmp_path, url):
    world = shop().stock("MUG", NYC=9, safety=2)
    with opened(world, url, **with_rules(tmp_path, ("node.kind == 'dc'", PROTECT))) as dom:
        assert may_sell(dom) == 6
        count(dom, safety=5)
        assert may_sell(dom) == 4


def test_other_rules_have_all_told_anew(tmp_path):
    world, channel, url = shop(NYC=5), Shop(), str(tmp_path / "dom.db")
    with opened(world, url, **with_rules(tmp_path, ("node.kind == 'dc'", PROTECT))) as dom:
        assert told(dom, channel) == {("MUG", ""): 2}
    with Domcore(Settings(store=url, channels=(WEB,)), load_plugins=False) as dom:
        assert told(dom, channel) == {("MUG", ""): 5}


def test_other_rules_wake_those_who_wait(tmp_path):
    world, url = shop(NYC=5), str(tmp_path / "dom.db")
    with opened(world, url, **with_rules(tmp_path, ("node.kind == 'dc'", EXCLUDE))) as dom:
        for number in range(7):
            dom.capture(world.order(str(number), MUG=1))
        assert dom.route().short == 7
        world.clock.forward(minutes=1)
        assert dom.route().orders == 0
    told = Settings(store=url, owners={"main": "USD"})
    with Domcore(told, load_plugins=False, clock=world.clock) as dom:
        assert dom.route().orders == 7
        assert [dom.order(str(at)).summary.status for at in range(7)] == ["allocated"] * 5 + [
            "short"
        ] * 2
        assert dom.route().orders == 0
        assert not list(verify(dom.store))


def test_a_node_that_opens_wakes_those_who_wait(url):
    world = shop(NYC=5)
    with opened(world, url) as dom:
        open_ = dom.network()
        shut = tuple(evolve(node, enabled=False) for node in open_.nodes)
        dom.load_network(evolve(open_, nodes=shut))
        dom.capture(world.order("1", MUG=1))
        assert dom.route().short == 1
        dom.load_network(open_)
        assert dom.route().routed == 1


class Keeper:
    """Keeps three units of everything, and counts how often it is asked."""

    asked = 0

    @hookimpl
    def judge(self, candidates: tuple[Candidate, ...]) -> Iterable[Directive]:
        self.asked += 1
        return [Directive("plugin/keeper", "protect", arguments={"quantity": 3})]


def test_what_a_plugin_keeps_from_a_plain_order_is_not_offered(url):
    keeper, channel = Keeper(), Shop()
    with opened(shop(NYC=5, LAX=4), url, plugins={"keeper": keeper}) as dom:
        assert told(dom, channel) == {("MUG", ""): 3}
        asked = keeper.asked
        assert told(dom, channel) == {("MUG", ""): 3}
        assert keeper.asked == asked, "nothing had changed"


def test_told_by_node_what_is_spoken_for_is_taken_from_where_most_is(url):
    world, channel = shop(NYC=3, LAX=6), Shop()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=5))
        assert told(dom, channel, publish="nodes") == {("MUG", "NYC"): 3, ("MUG", "LAX"): 1}


def test_the_share_is_of_what_may_be_sold(url):
    world, channel = shop(NYC=9), Shop()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=2))
        assert told(dom, channel, share=50) == {("MUG", ""): 3}


def test_a_change_of_one_item_has_only_that_one_looked_at(url):
    world, channel = shop(NYC=9), Shop()
    world.stock("POT", NYC=4)
    with opened(world, url) as dom:
        told(dom, channel)
        calls = channel.calls
        dom.capture(world.order("1", MUG=20))
        dom.route()
        told(dom, channel)
        assert channel.calls == calls + 1


ACTS = ("order", "big", "units", "cancel", "reject", "shrink", "pass", "cart")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 4)), min_size=2, max_size=20)


class Life:
    """A shop whose steps are small numbers."""

    def __init__(self, url: str) -> None:
        self.world, self.channel = shop(NYC=4, LAX=3), Shop()
        self.dom = opened(self.world, url, routing=RoutingSettings(rejection_minutes=5))
        self.orders: list[str] = []
        self.carts = 0

    def order(self, units: int) -> None:
        self.orders.append(str(len(self.orders)))
        self.dom.capture(self.world.order(self.orders[-1], MUG=units))

    def big(self, units: int) -> None:
        self.order(units * 5)

    def cart(self, units: int) -> None:
        self.carts += 1
        name = f"cart {self.carts}"
        self.dom.capture(self.world.order(name, MUG=units), queue=False)
        self.dom.reserve(name, minutes=units)

    def units(self, units: int) -> None:
        place = ("NYC", "LAX")[units % 2]
        news = StockCount("MUG", place, delta=units * 3 - 6, safety=units % 3)
        self.dom.observe(ObserveStock("main", (news,)))

    def _some(self, which: int) -> str:
        return self.orders[which * 7 % len(self.orders)] if self.orders else ""

    def cancel(self, which: int) -> None:
        if name := self._some(which):
            self.dom.apply([CancelOrder("main", "web", name, 1)])

    def shrink(self, which: int) -> None:
        if name := self._some(which):
            known = self.dom.order(name).order
            (line,) = known.lines
            less = evolve(line, quantity=max(0, line.quantity - 1))
            self.dom.capture(evolve(known, revision=known.revision + 1, lines=(less,)))

    def reject(self, which: int) -> None:
        name = self._some(which)
        for each in (self.dom.order(name).fulfillment_orders if name else ())[:1]:
            self.dom.record(Notice(each.id, "rejected", self.world.clock(), reason="closed"))

    def live(self, act: str, number: int, *, routed: bool) -> None:
        self.world.clock.forward(minutes=1)
        if act != "pass":
            getattr(self, act)(number)
        if routed:
            self.dom.work()
        told(self.dom, self.channel)


@settings(deadline=None, max_examples=30)
@given(steps=STEPS)
def test_what_was_told_is_what_may_be_sold_and_can_be_had(steps, tmp_path_factory):
    path = tmp_path_factory.mktemp("lives") / "dom.db"
    lives = [Life("memory:"), Life(str(path))]
    try:
        for at, (act, number) in enumerate(steps):
            for life in lives:
                life.live(act, number, routed=at % 3 > 0)
                assert life.channel.levels.get(("MUG", ""), 0) == may_sell(life.dom)
            assert lives[0].channel.levels == lives[1].channel.levels
        for life in lives:
            life.world.clock.forward(seconds=1)
            units = may_sell(life.dom)
            if units:
                life.dom.capture(
                    life.world.order("last", MUG=units, placed_at=life.world.clock() + timedelta(1))
                )
                life.dom.work()
                assert life.dom.order("last").summary.status == "allocated"
            assert not list(verify(life.dom.store))
    finally:
        for life in lives:
            life.dom.close()
