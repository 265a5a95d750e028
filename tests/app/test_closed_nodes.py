"""A node that closes gets no work that it has not begun: its orders go elsewhere, or to people."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore import Domcore, Settings, hookimpl
from domcore.model import Notice, Receipt
from domcore.testing.builder import World


class Partner:
    """Takes everything."""

    name = "partner"

    def __init__(self) -> None:
        self.given: list[str] = []

    def release(self, handover):
        self.given.append(handover.key)
        return Receipt("accepted")

    def cancel(self, handover):
        return Receipt("cancelled")

    def reconcile(self, handover):
        return Receipt("unknown_here")

    @hookimpl
    def register_connectors(self):
        return [self]


def shop(connector: str, *names: str) -> World:
    world = World().item("MUG")
    for number, name in enumerate(names):
        world.node(name, at=(40.7 - number, -74.0), connector=connector)
    return world.stock("MUG", **dict.fromkeys(names, 9))


def close(dom: Domcore, name: str, *, gone: bool) -> None:
    network = dom.network()
    nodes = [evolve(each, enabled=False) if each.id == name else each for each in network.nodes]
    kept = tuple(each for each in nodes if not (gone and each.id == name))
    dom.load_network(evolve(network, nodes=kept))


@pytest.mark.parametrize("store", ["memory:", "sqlite"])
@pytest.mark.parametrize("connector", ["", "partner"])
@pytest.mark.parametrize("gone", [False, True])
def test_its_work_goes_to_the_next_node(tmp_path, store, connector, gone):
    world, partner = shop(connector, "A", "B"), Partner()
    url = "memory:" if store == "memory:" else str(tmp_path / "shop.db")
    settings = Settings(store=url, owners={"main": "USD"})
    with world.open(settings, plugins={"partner": partner}) as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        close(dom, "A", gone=gone)
        dom.work()
        works = [(each.node, each.status) for each in dom.order("#1").fulfillment_orders]
        assert works == [("A", "cancelled"), ("B", "accepted" if connector else "requested")]
        assert partner.given == (["1-2-B"] if connector else [])
        assert "taken back from A" in str(dom.timeline("#1"))
        assert list(dom.verify()) == []


def test_where_nothing_else_is_possible_a_person_is_told_at_once():
    world = shop("", "A")
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        close(dom, "A", gone=False)
        dom.work()
        (found,) = dom.exceptions()
        assert (found.kind, found.order) == ("short", "#1")


def test_what_it_has_begun_stays_with_it():
    world = shop("", "A", "B")
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        dom.record(Notice("1-1-A", "in_progress", world.clock()))
        close(dom, "A", gone=True)
        dom.work()
        dom.record(Notice("1-1-A", "shipped", world.clock()))
        assert dom.order("#1").summary.status == "shipped"
        assert list(dom.verify()) == []


def test_a_cart_at_it_is_planned_anew_when_it_is_kept():
    world = shop("", "A", "B")
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2), queue=False)
        dom.reserve("#1", minutes=30)
        close(dom, "A", gone=False)
        assert dom.keep("#1").outcome == "kept"
        dom.work()
        assert [each.node for each in dom.order("#1").fulfillment_orders] == ["B"]
        assert list(dom.verify()) == []
