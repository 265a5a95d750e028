"""What Python code hands over is looked at before it is stored."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore import ConfigurationError, NotFound, PayloadError
from domcore.model import Handling, Item, Network, OrderLine, Point
from domcore.testing.builder import World


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 256}, "external_id"),
        ({"external_id": "\ud800"}, "external_id"),
        ({"external_id": 7}, "external_id"),
        ({"number": "x" * 256}, "number"),
        ({"lines": (OrderLine("", "MUG", 1),)}, r"lines\[0\]\.id"),
        ({"lines": (OrderLine("x" * 256, "MUG", 1),)}, r"lines\[0\]\.id"),
    ],
)
def test_an_order_that_nobody_could_name_is_refused(wrong, path):
    world = World().item("MUG")
    with world.open() as dom:
        with pytest.raises(PayloadError, match=rf"\$\.{path}: must be text of"):
            dom.capture(evolve(world.order("1", MUG=1), **wrong))
        assert dom.orders() == []


def test_a_name_that_is_no_text_is_no_orders():
    with World().open() as dom, pytest.raises(NotFound):
        dom.order("\ud800")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"weight": "3"}, "weight"),
        ({"weight": 1.5}, "weight"),
        ({"weight": None}, "weight"),
        ({"weight": True}, "weight"),
        ({"weight": -3}, "weight"),
        ({"weight": 10**30}, "weight"),
        ({"sku": ""}, "sku"),
        ({"sku": "a\0b"}, "sku"),
        ({"sku": "\ud800"}, "sku"),
        ({"name": None}, "name"),
        ({"tags": "hazmat"}, "tags"),
        ({"tags": ("",)}, "tags"),
        ({"dimensions": (1, 2)}, "dimensions"),
        ({"attributes": (("a", 1.5),)}, "attributes"),
    ],
)
def test_an_item_that_is_none_is_refused_and_nothing_is_kept(wrong, path):
    with World().open() as dom:
        with pytest.raises(PayloadError, match=rf"\$\[1\]\.{path}"):
            dom.load_items([Item("GOOD"), evolve(Item("BAD"), **wrong)])
        assert dom.store.items("main", ["GOOD"]) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"kind": "shop"},
        {"point": (1, 2)},
        {"point": Point(91_000_000, 0)},
        {"point": Point(1.5, 0)},
        {"timezone": "Mars/Olympus"},
        {"timezone": None},
        {"handling": Handling(parcel=-1)},
        {"priority": -1},
        {"enabled": "no"},
        {"owners": "main"},
        {"tags": None},
        {"rate_card": "missing"},
    ],
)
def test_a_network_with_a_node_that_is_none_is_refused_and_nothing_is_changed(wrong):
    world = World().node("A", at=(1.0, 1.0))
    with world.open() as dom:
        before = dom.network()
        broken = Network((evolve(world.nodes[0], **wrong),), tuple(world.rate_cards))
        with pytest.raises(ConfigurationError):
            dom.load_network(broken)
        assert dom.network() == before


def test_a_node_that_occurs_twice_is_refused():
    world = World().node("A", at=(1.0, 1.0)).node("A", at=(2.0, 2.0))
    with pytest.raises(ConfigurationError, match="occurs twice"):
        world.open()


def test_one_reference_may_be_given_as_a_text():
    world = World().node("A", at=(1.0, 1.0)).item("MUG").stock("MUG", A=3)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.route("#1").routed == 1
