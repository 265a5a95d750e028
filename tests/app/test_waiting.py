"""Orders that wait are served before newer ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import Domcore, Settings, hookimpl
from domcore.model import (
    CancelOrder,
    Directive,
    HoldOrder,
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


def _cancel(world: World, dom: Domcore, name: str) -> None:
    dom.apply([CancelOrder("main", "web", name, 9)])


def _hold(_: World, dom: Domcore, name: str) -> None:
    dom.apply([HoldOrder("main", "web", name, None, "asked", stage="route")])


def _spoil(world: World, dom: Domcore, name: str) -> None:
    """A later revision that routing holds."""
    dom.capture(evolve(dom.order(name).order, revision=2, tags=("spoilt",)))


def _shrink(world: World, dom: Domcore, name: str) -> None:
    """A later revision that wants one unit."""
    before = dom.order(name).order
    lines = tuple(evolve(line, quantity=1) for line in before.lines)
    dom.capture(evolve(before, revision=2, lines=lines))


class Stops:
    """Holds orders that are tagged ``spoilt``."""

    @hookimpl
    def judge(self, order: Order) -> Iterable[Directive]:
        if "spoilt" in order.tags:
            yield Directive("plugin/stops", "hold", arguments={"stage": "route"})


LEAVINGS = {"cancel": _cancel, "hold": _hold, "spoil": _spoil, "shrink": _shrink}


def run(world: World, dom: Domcore, times: int = 4) -> None:
    for _ in range(times):
        world.clock.forward(seconds=1)
        dom.route()


@pytest.mark.parametrize("leaving", ["cancel", "hold", "spoil"])
def test_the_turn_of_those_who_leave_the_line_passes_to_the_next(url, leaving):
    world = shop()
    with world.open(Settings(store=url), plugins={"stops": Stops()}) as dom:
        wait(world, dom, *map(str, range(1, 14)))
        delta(dom, 1)
        for number in range(1, 12):
            LEAVINGS[leaving](world, dom, str(number))
        run(world, dom)
        dom.capture(world.order("99", MUG=1))
        run(world, dom)
        assert [status(dom, each) for each in ("12", "13", "99")] == ["allocated", "short", "short"]
        assert not list(verify(dom.store))


def test_the_turn_of_many_units_passes_to_as_many_as_they_serve(url):
    for leaving in LEAVINGS.values():
        _many(f"{url}{leaving.__name__}" if url != "memory:" else url, leaving)


def _many(url, leaving):
    world = shop()
    with world.open(Settings(store=url), plugins={"stops": Stops()}) as dom:
        dom.capture(world.order("big", MUG=30))
        wait(world, dom, *map(str, range(45)))
        delta(dom, 30)
        leaving(world, dom, "big")
        run(world, dom)
        served = [status(dom, str(each)) for each in range(45)].count("allocated")
        assert served == (29 if leaving is _shrink else 30)


@settings(deadline=None, max_examples=25)
@given(
    ways=st.lists(st.sampled_from(("cancel", "hold", "spoil")), min_size=11, max_size=18)
    | st.lists(st.sampled_from((*sorted(LEAVINGS), "stay")), max_size=18),
    wanted=st.lists(st.integers(1, 3), min_size=20, max_size=20),
    units=st.integers(1, 6),
    together=st.booleans(),
)
def test_no_unit_lies_idle_while_somebody_waits_whoever_leaves(
    ways, wanted, units, together, tmp_path_factory
):
    leaving = [(number, way) for number, way in enumerate(ways) if way != "stay"]
    path = tmp_path_factory.mktemp("leaving") / "dom.db"
    found = []
    for url in ("memory:", str(path)):
        world = shop()
        with world.open(Settings(store=url), plugins={"stops": Stops()}) as dom:
            for number, some in enumerate(wanted):
                dom.capture(world.order(str(number), MUG=some))
                world.clock.forward(minutes=1)
            dom.route()
            delta(dom, units)
            with dom.store.together() if together else nullcontext():
                for number, way in leaving:
                    LEAVINGS[way](world, dom, str(number))
            run(world, dom, 9)
            dom.capture(world.order("99", MUG=1))
            run(world, dom, 2)
            gone = {str(number) for number, way in leaving if way != "shrink"}
            stay = [str(number) for number in range(20) if str(number) not in gone]
            lines = {each: dom.order(each).lines[0] for each in (*stay, "99")}
            given = sum(line.allocated for line in lines.values())
            assert given == min(units, sum(line.open + line.allocated for line in lines.values()))
            if any(lines[each].open for each in stay):
                assert not lines["99"].allocated
            assert not list(verify(dom.store))
            found.append(lines)
    assert found[0] == found[1]


def closed(world: World, dom: Domcore, *nodes: str) -> None:
    """Switch these nodes off, and all others on."""
    network = world.network()
    told = tuple(evolve(node, enabled=node.id not in nodes) for node in network.nodes)
    dom.load_network(evolve(network, nodes=told))


def test_units_at_a_closed_node_wake_nobody_until_it_opens(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        closed(world, dom, "LAX")
        wait(world, dom, *map(str, range(40)))
        delta(dom, 1, "LAX")
        world.clock.forward(seconds=1)
        assert dom.route().orders == 0
        closed(world, dom)
        dom.capture(world.order("new", MUG=1))
        run(world, dom, 1)
        assert status(dom, "0") == "allocated"
        assert status(dom, "new") == "short"


def test_what_came_to_a_node_that_was_closed_between_two_runs_wakes_who_waits(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        wait(world, dom, *map(str, range(3)))
        closed(world, dom, "LAX")
        delta(dom, 1, "LAX")
        closed(world, dom)
        run(world, dom, 1)
        assert status(dom, "0") == "allocated"


def test_units_at_a_node_that_is_gone_wake_nobody(url):
    world = shop()
    with world.open(Settings(store=url)) as dom:
        delta(dom, 1, "LAX")
        network = world.network()
        dom.load_network(evolve(network, nodes=network.nodes[:1]))
        wait(world, dom, *map(str, range(30)))
        delta(dom, 5, "LAX")
        delta(dom, 1)
        assert dom.route().orders == 11
        world.clock.forward(seconds=1)
        assert dom.route().orders == 0


@settings(deadline=None, max_examples=25)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("NYC", "LAX", "close", "open", "route")), st.integers(1, 3)),
        max_size=12,
    )
)
def test_nobody_is_decided_for_units_that_nobody_may_ship(steps, tmp_path_factory):
    path = tmp_path_factory.mktemp("closed") / "dom.db"
    found = []
    for url in ("memory:", str(path)):
        world = shop()
        with world.open(Settings(store=url)) as dom:
            closed(world, dom, "LAX")
            wait(world, dom, *map(str, range(15)))
            shut, useful, decided = True, 0, []
            for act, units in steps:
                world.clock.forward(seconds=1)
                if act in ("close", "open"):
                    useful += 1
                    shut = act == "close"
                    closed(world, dom, *(["LAX"] if shut else []))
                elif act == "route":
                    decided.append(dom.route().orders)
                    assert useful or not decided[-1]
                    # Those woken in vain pass their turn on for a run.
                    useful = 0 if not decided[-1] else useful
                else:
                    useful += not (shut and act == "LAX")
                    delta(dom, units, act)
            closed(world, dom)
            run(world, dom, 5)
            there = sum(units for act, units in steps if act in ("NYC", "LAX"))
            statuses = [status(dom, str(each)) for each in range(15)]
            assert statuses == ["allocated"] * min(15, there) + ["short"] * (15 - min(15, there))
            found.append(decided)
    assert found[0] == found[1]
