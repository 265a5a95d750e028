"""A region or a country is enough to reserve; the hand-over waits for the address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domcore import Settings, hookimpl
from domcore.model import Destination, Handover, Placed, Point, Polled, Receipt
from domcore.testing.builder import World


class Surroundings:
    """A partner that takes all work, and a geocoder that knows the middle of two countries."""

    name = "partner"

    def __init__(self) -> None:
        self.given: list[str] = []

    @hookimpl
    def register_connectors(self, dom: Any) -> list[Any]:
        return [self]

    @hookimpl
    def register_geocoders(self, dom: Any) -> list[Any]:
        return [self]

    def locate(self, destination: Destination) -> Placed | None:
        middle = {"DE": Point.from_degrees(51, 10), "HK": Point.from_degrees(22, 114)}
        point = middle.get(destination.country)
        if point is None:
            return None
        return Placed(point, "code" if destination.postal else "country")

    def release(self, handover: Handover) -> Receipt:
        self.given.append(handover.fulfillment_order.id)
        return Receipt("accepted")

    def cancel(self, handover: Handover) -> Receipt:
        return Receipt("cancelled")

    def reconcile(self, handover: Handover) -> Receipt:
        return Receipt("unknown_here")

    def poll(self, cursor: str) -> Polled:
        return Polled((), cursor)


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World("EUR").node("BER", at=(52.5, 13.4), connector="partner")
    made.item("bolt").stock("bolt", BER=6)
    store = "memory:" if request.param == "memory" else str(tmp_path / "shop.db")
    made.partner = Surroundings()
    settings = Settings(store=store, owners={"main": "EUR"}, engine="python")
    made.dom = made.open(settings, plugins={"partner": made.partner})
    yield made
    assert list(made.dom.verify()) == []
    made.dom.close()


def going_to(world: World, country: str, postal: str = "", revision: int = 1) -> Any:
    order = evolve(world.order("1", bolt=2), destination=Destination(country, postal=postal))
    return evolve(order, revision=revision)


def test_a_country_is_enough_to_reserve_and_the_address_lets_the_order_go(world: World) -> None:
    dom = world.dom
    dom.capture(going_to(world, "DE"))
    dom.work()
    (hold,) = dom.order("1").summary.holds
    assert (hold.code, hold.stage) == ("domcore/address", "release")
    assert "only its country is known" in hold.reason
    assert (dom.order("1").summary.buckets.allocated, world.partner.given) == (2, [])
    world.clock.forward(minutes=5)
    dom.capture(going_to(world, "DE", "10115", revision=2))
    dom.work()
    assert len(world.partner.given) == 1
    assert dom.order("1").summary.holds == ()


def test_a_cart_with_a_country_only_is_reserved_and_kept_on_hold(world: World) -> None:
    dom = world.dom
    dom.capture(going_to(world, "DE"), queue=False)
    dom.reserve("1", minutes=30)
    assert dom.order("1").summary.status == "reserved"
    dom.keep("1")
    dom.work()
    assert world.partner.given == []
    dom.approve("1", by="kim")
    dom.work()
    assert len(world.partner.given) == 1


def test_where_there_are_no_postal_codes_nothing_is_to_come(world: World) -> None:
    world.dom.capture(going_to(world, "HK"))
    world.dom.work()
    assert len(world.partner.given) == 1
