"""Orders that wait are served before newer ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import Domcore, Settings, hookimpl
from domcore.model import (
    CancelOrder,
    Directive,
    Notice,
    ObserveStock,
    Order,
    StockCount,
)
from domcore.settings import RoutingSettings
from domcore.testing.builder import World
from domcore.verify import verify


@pytest.fixture(params=["memory:", "file"])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    return "memory:" if request.param == "memory:" else str(tmp_path / "dom.db")


def shop() -> World:
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    return world.item("MUG", weight=400).item("POT", weight=900).stock("MUG", NYC=0)


def status(dom: Domcore, order: str) -> str:
    return dom.order(order).summary.status


def delta(dom: Domcore, units: int, node: str = "NYC") -> None:
    dom.observe(ObserveStock("main", (StockCount("MUG", node, delta=units),)))


def wait(world: World, dom: Domcore, *names: str, **more) -> None:
    """Capture orders that are decided short, a minute after each other."""
    for name in names:
        dom.capture(world.order(name, MUG=1, **more))
        world.clock.forward(minutes=1)
    dom.route()
    assert {status(dom, name) for name in names} == {"short"}


def test_a_unit_that_comes_goes_to_the_order_that_waits_longest(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        wait(world, dom, "old", "older than new")
        delta(dom, 1)
        dom.capture(world.order("new", MUG=1))
        dom.route()
        assert [status(dom, each) for each in ("old", "older than new", "new")] == [
            "allocated", "short", "short",
        ]  # fmt: skip
        assert not list(verify(dom.store))


def test_what_came_late_but_was_placed_first_is_served_first(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        early = world.clock() - timedelta(days=1)
        delta(dom, 1)
        dom.capture(world.order("first in", MUG=1))
        dom.capture(world.order("first placed", MUG=1, placed_at=early))
        dom.route()
        assert status(dom, "first placed") == "allocated"
        assert status(dom, "first in") == "short"


def test_who_is_routed_by_name_does_not_overtake_those_who_wait(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        wait(world, dom, "old")
        delta(dom, 1)
        dom.capture(world.order("new", MUG=1))
        report = dom.route(["new"])
        assert (report.orders, report.short) == (1, 1)
        assert (status(dom, "old"), status(dom, "new")) == ("allocated", "short")
        delta(dom, 1)
        assert dom.route(["new"]).routed == 1


def test_a_cart_does_not_overtake_those_who_wait(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        wait(world, dom, "old")
        delta(dom, 2)
        dom.capture(world.order("cart", MUG=2), queue=False)
        assert dom.reserve("cart", minutes=5).outcome == "partial"
        assert status(dom, "old") == "allocated"


def test_one_who_waits_for_something_else_holds_nobody_up(url):
    world = shop().stock("POT", NYC=0)
    with world.open(Settings(store=url)) as dom:
        dom.capture(world.order("pot", POT=1))
        wait(world, dom, "mug")
        delta(dom, 2)
        dom.capture(world.order("new", MUG=1))
        assert dom.route(["new"]).routed == 1
        assert status(dom, "pot") == "short"


def test_units_that_a_rejection_frees_go_to_the_oldest_at_once(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        delta(dom, 1)
        dom.capture(world.order("first", MUG=1))
        dom.route()
        wait(world, dom, "second", "third")
        dom.cancel("first")
        dom.capture(world.order("new", MUG=1))
        dom.work()
        assert [status(dom, each) for each in ("second", "third", "new")] == [
            "allocated", "short", "short",
        ]  # fmt: skip


class Interrupted:
    """Has something happen while an order is planned."""

    def __init__(self) -> None:
        self.then: Callable[[], None] | None = None

    @hookimpl
    def judge(self, order: Order) -> Iterable[Directive]:
        if self.then is not None:
            then, self.then = self.then, None
            then()
        return ()


@pytest.mark.parametrize("news", [{"delta": 1}, {"on_hand": 5, "safety": 2}])
@pytest.mark.parametrize("batch", [1, 100])
def test_a_unit_that_comes_while_an_order_is_planned_is_not_missed(tmp_path, news, batch):
    world, told = shop(), Settings(store=str(tmp_path / "dom.db"), owners={"main": "USD"})
    told = evolve(told, routing=RoutingSettings(batch=batch))
    plugin = Interrupted()
    # Something else must be there, or nobody would be asked.
    world.item("PEN").stock("PEN", NYC=9)
    with (
        world.open(told, plugins={"interrupted": plugin}) as dom,
        Domcore(told, load_plugins=False, clock=world.clock) as other,
    ):
        count = StockCount("MUG", "NYC", **news)
        plugin.then = lambda: _ignore(other.observe(ObserveStock("main", (count,))))
        dom.capture(world.order("1", MUG=1, PEN=1))
        dom.route()
        assert plugin.then is None
        assert dom.order("1").summary.status == "partly allocated"
        world.clock.forward(seconds=1)
        other.capture(world.order("new", MUG=1))
        dom.route()
        assert dom.order("1").summary.status == "allocated"
        assert not list(verify(dom.store))


def _ignore(_: object) -> None:
    return None


class West:
    """Orders tagged ``west`` are held back from what New York has: they want more than it may
    give."""

    @hookimpl
    def judge(self, order: Order) -> Iterable[Directive]:
        if "west" in order.tags:
            yield Directive("plugin/west", "protect", arguments={"quantity": 100})


def test_what_the_oldest_cannot_take_reaches_the_next_though_many_wait(url):
    world = shop()
    with world.open(Settings(store=url), plugins={"west": West()}) as dom:
        for number in range(40):
            dom.capture(world.order(f"west {number}", MUG=1, tags=("west",)))
        wait(world, dom, "old")
        delta(dom, 1)
        rounds = 0
        while status(dom, "old") == "short" and rounds < 9:
            rounds += 1
            world.clock.forward(seconds=1)
            assert dom.route().orders < 20
        assert status(dom, "old") == "allocated"
        assert rounds > 1
        world.clock.forward(seconds=1)
        dom.route()
        assert dom.route().orders == 0


ACTS = ("order", "order", "late", "units", "units", "cancel", "reject", "named", "fewer", "pass")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 3)), min_size=3, max_size=25)


class Twin:
    """A shop of one item, whose steps are small numbers."""

    def __init__(self, url: str) -> None:
        self.world = shop()
        self.dom = self.world.open(Settings(store=url))
        self.orders: list[str] = []

    def order(self, units: int, late: int = 0) -> None:
        name = str(len(self.orders))
        placed = self.world.clock() - timedelta(minutes=late)
        self.dom.capture(self.world.order(name, MUG=units, placed_at=placed))
        self.orders.append(name)

    def late(self, units: int) -> None:
        self.order(units, late=units * 2)

    def units(self, units: int) -> None:
        delta(self.dom, units, ("NYC", "LAX")[units % 2])

    def fewer(self, units: int) -> None:
        delta(self.dom, -units)

    def _some(self, which: int) -> str:
        return self.orders[which * 7 % len(self.orders)] if self.orders else ""

    def cancel(self, which: int) -> None:
        if name := self._some(which):
            self.dom.apply([CancelOrder("main", "web", name, 1)])

    def reject(self, which: int) -> None:
        name = self._some(which)
        work = self.dom.order(name).fulfillment_orders if name else ()
        for each in work[:1]:
            self.dom.record(Notice(each.id, "rejected", self.world.clock(), reason="not_found"))

    def named(self, units: int) -> None:
        self.order(units)
        self.check_round(lambda: self.dom.route([self.orders[-1]]))

    def live(self, act: str, number: int) -> None:
        self.world.clock.forward(minutes=1)
        if act != "pass":
            getattr(self, act)(number)
        self.check_round(self.dom.work)

    def served(self) -> dict[str, tuple[int, int]]:
        """Open and allocated units by order."""
        lines = {name: self.dom.order(name).lines[0] for name in self.orders}
        return {name: (line.open, line.allocated) for name, line in lines.items()}

    def check_round(self, route) -> None:
        """Whoever was given units in a round was the oldest that wanted some."""
        before = self.served()
        route()
        after = self.served()
        age = {name: (self.dom.order(name).order.placed_at, int(name)) for name in self.orders}
        given = [name for name in self.orders if after[name][1] > before[name][1]]
        excluded = {
            name for name in self.orders
            if any(each.status == "rejected" for each in self.dom.order(name).fulfillment_orders)
        }  # fmt: skip
        waiting = [name for name in self.orders if after[name][0] and name not in excluded]
        if given and waiting:
            assert max(map(age.get, given)) <= min(map(age.get, waiting)), (given, waiting)


@settings(deadline=None, max_examples=40)
@given(steps=STEPS)
def test_no_order_is_overtaken_and_both_engines_are_of_one_mind(steps, tmp_path_factory):
    path = tmp_path_factory.mktemp("twins") / "dom.db"
    one, two = Twin("memory:"), Twin(str(path))
    try:
        for act, number in steps:
            one.live(act, number)
            two.live(act, number)
            assert one.served() == two.served()
        for table in ("waiting", "order_state"):
            assert list(one.dom.store.audit(table)) == list(two.dom.store.audit(table))
        assert not list(verify(one.dom.store))
        assert not list(verify(two.dom.store))
    finally:
        one.dom.close()
        two.dom.close()
