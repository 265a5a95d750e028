"""A partner that cancels by itself is not given the same work again without end."""

from __future__ import annotations

import sqlite3

import pytest
from attrs import evolve

from domcore import Domcore, Settings, hookimpl
from domcore.model import Notice, Polled, Receipt
from domcore.settings import RoutingSettings
from domcore.testing.builder import World


class Fickle:
    """A partner that takes everything, and cancels it at the next poll."""

    name = "fickle"

    def __init__(self, clock) -> None:
        self._clock = clock
        self.given: list[str] = []
        self.cancelled: list[str] = []

    def release(self, handover):
        self.given.append(handover.key)
        return Receipt("accepted")

    def cancel(self, handover):
        return Receipt("cancelled")

    def reconcile(self, handover):
        return Receipt("unknown_here")

    def poll(self, cursor):
        fresh = [key for key in self.given if key not in self.cancelled]
        self.cancelled += fresh
        return Polled(tuple(Notice(key, "cancelled", self._clock()) for key in fresh), "1")

    @hookimpl
    def register_connectors(self):
        return [self]


def shop(*names: str) -> World:
    world = World().item("MUG")
    for number, name in enumerate(names):
        world.node(name, at=(40.7 - number, -74.0), connector="fickle")
    return world.stock("MUG", **dict.fromkeys(names, 50))


def live_on(dom: Domcore, world: World, rounds: int = 30) -> None:
    for _ in range(rounds):
        dom.work()
        world.clock.forward(minutes=2)


def test_the_next_node_is_asked_once_each_and_then_a_person():
    world = shop("A", "B", "C")
    fickle = Fickle(world.clock)
    with world.open(plugins={"fickle": fickle}) as dom:
        dom.capture(world.order("1", MUG=1))
        live_on(dom, world)
        assert fickle.given == ["1-1-A", "1-2-B", "1-3-C"]
        (found,) = dom.exceptions(["rejected"])
        assert found.reason == "A: another reason; B: another reason; C: another reason"
        assert "A gave the work back, unasked" in str(dom.timeline("#1"))
        (rejections,) = {each.units for each in dom.kpi().rejections}
        assert rejections == 1
        assert list(dom.verify()) == []


def test_after_so_many_attempts_the_order_waits_for_a_person():
    world = shop("A", "B", "C")
    fickle = Fickle(world.clock)
    settings = Settings(
        store="memory:", owners={"main": "USD"}, routing=RoutingSettings(max_attempts=2)
    )
    with world.open(settings, plugins={"fickle": fickle}) as dom:
        dom.capture(world.order("1", MUG=1))
        live_on(dom, world)
        assert len(fickle.given) == 2
        (held,) = dom.exceptions(["held"])
        assert "rejected it 2 times" in held.reason


def test_for_a_while_the_node_is_not_asked_for_the_item_by_other_orders():
    world = shop("A", "B")
    fickle = Fickle(world.clock)
    with world.open(plugins={"fickle": fickle}) as dom:
        dom.capture(world.order("1", MUG=1))
        live_on(dom, world, 2)
        dom.capture(world.order("2", MUG=1))
        dom.route(["#2"])
        assert dom.order("#2").summary.nodes == ("B",)
        world.clock.forward(hours=25)
        dom.capture(world.order("3", MUG=1))
        dom.route(["#3"])
        assert dom.order("#3").summary.nodes == ("A",)


def test_a_node_that_stops_because_we_asked_is_given_work_again():
    world = shop("A")
    fickle = Fickle(world.clock)
    with world.open(plugins={"fickle": fickle}) as dom:
        order = world.order("1", MUG=3)
        dom.capture(order)
        dom.work()
        fickle.cancelled += fickle.given  # It says nothing by itself.
        dom.capture(evolve(order, revision=order.revision + 1, lines=(
            evolve(order.lines[0], quantity=1),
        )))  # fmt: skip
        dom.work()
        dom.work()
        assert fickle.given == ["1-1-A", "1-2-A"]


@pytest.fixture
def kept(tmp_path):
    """A store on disk whose only order was given back once."""
    path = tmp_path / "shop.db"
    world = shop("A", "B")
    settings = Settings(store=str(path), owners={"main": "USD"})
    with world.open(settings, plugins={"fickle": Fickle(world.clock)}) as dom:
        dom.capture(world.order("1", MUG=1))
        live_on(dom, world, 2)
    return path


def test_verify_finds_that_such_a_node_may_be_asked_again(kept):
    settings = Settings(store=str(kept), owners={"main": "USD"})
    with Domcore(settings, load_plugins=False) as dom:
        assert list(dom.verify()) == []
    with sqlite3.connect(kept) as connection:
        connection.execute("DELETE FROM line_exclusion WHERE line_no = 0 AND node_id = 1")
    connection.close()
    with Domcore(settings, load_plugins=False) as dom:
        (found,) = dom.verify()
    assert found.message == "node A gave it back and may be asked again"
