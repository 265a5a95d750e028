"""What the customer paid: stored where it is told, unknown where not, and never 0 instead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domcore import Settings
from domcore.codec.stored import Bodies
from domcore.model import AmendOrder, CaptureOrder, Order, OrderLine, Person
from domcore.model.exchange import in_other_currency
from domcore.testing.builder import World

UNIT = 1_000_000


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World("EUR").node("NYC", at=(40.7, -74.0))
    made.item("bolt").stock("bolt", NYC=9).item("nut").stock("nut", NYC=9)
    store = "memory:" if request.param == "memory" else str(tmp_path / "shop.db")
    made.dom = made.open(Settings(store=store, owners={"main": "EUR"}, engine="python"))
    yield made
    assert list(made.dom.verify()) == []
    made.dom.close()


def priced(world: World, **more: Any) -> Order:
    order = world.order("1", bolt=3, nut=1)
    bolt, nut = (evolve(line, price=10 * UNIT) for line in order.lines)
    lines = (evolve(bolt, discount=4 * UNIT, tax=5 * UNIT), nut)
    told = {"shipping": 6 * UNIT, "shipping_discount": 0, "total": 45 * UNIT}
    return evolve(order, lines=lines, **{**told, **more})


def test_amounts_are_kept_as_they_were_told(world: World) -> None:
    order = priced(world)
    world.dom.capture(order)
    kept = world.dom.order("1").order
    assert evolve(kept, destination=order.destination) == order
    assert (kept.shipping_tax, kept.lines[1].discount, kept.lines[1].tax) == (None, None, None)
    assert (kept.value, kept.discount) == (36 * UNIT, 4 * UNIT)
    assert world.order("2", bolt=1).discount is None


def test_units_that_are_taken_off_take_their_share_of_the_amounts(world: World) -> None:
    world.dom.capture(priced(world))
    line = priced(world).lines[0].id
    world.dom.amend(AmendOrder("main", "web", "1", "r", 2**60, ((line, 1),)))
    kept = world.dom.order("1").order.lines[0]
    assert (kept.quantity, kept.discount, kept.tax) == (2, 2_666_667, 3_333_333)
    assert OrderLine("1", "x", 0, 5, discount=9).value == 0


def test_an_order_without_amounts_is_written_as_before_there_were_any(world: World) -> None:
    bodies = Bodies()
    body = bodies.order.dump(world.order("1", bolt=1))
    assert not {"shipping", "shipping_discount", "shipping_tax", "total"} & set(json.loads(body))
    assert not {"discount", "tax"} & set(json.loads(body)["lines"][0])
    assert bodies.order.load(body) == world.order("1", bolt=1)
    assert b"gift_message" not in bodies.person.dump(Person("A"))
    told = evolve(priced(world), tags=('"tax":null', ',"total":null', '"discount":null,'))
    assert bodies.order.load(bodies.order.dump(told)) == told
    zero = evolve(world.order("1", bolt=1), total=0, shipping=0)
    assert bodies.order.load(bodies.order.dump(zero)) == zero


def test_an_order_that_was_told_without_amounts_is_known_when_it_is_told_with_them(
    world: World,
) -> None:
    dom, order = world.dom, priced(world)
    before = evolve(
        order,
        lines=tuple(evolve(line, discount=None, tax=None) for line in order.lines),
        **dict.fromkeys(("shipping", "shipping_discount", "total")),
    )
    dom.apply([CaptureOrder(before, key="w1")])
    words = [o.outcome for o in dom.apply([CaptureOrder(order, key="w1"), CaptureOrder(order)])]
    assert words == ["duplicate", "duplicate"]


def test_amounts_are_turned_with_the_order(world: World) -> None:
    turned = in_other_currency(priced(world), "2")
    assert (turned.total, turned.shipping, turned.shipping_tax) == (90 * UNIT, 12 * UNIT, None)
    assert (turned.lines[0].discount, turned.lines[1].tax) == (8 * UNIT, None)


def test_words_for_whom_it_goes_to_live_with_the_person_and_nowhere_else(world: World) -> None:
    dom = world.dom
    person = Person("Ada", gift_message="Happy day, canary", instructions="ring twice, canary")
    dom.apply([CaptureOrder(priced(world), person)])
    dom.route()
    assert dom.order("1").person == person
    assert "canary" not in repr([event.body for event in dom.events()])
    dom.erase("1")
    assert dom.order("1").person is None
