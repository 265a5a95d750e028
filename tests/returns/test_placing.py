"""Which node takes goods back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as some

from domcore import ConflictError, Domcore, NotFound, PayloadError, Settings
from domcore.model import AuthorizeReturn, Band, Notice, Point, RateCard, ReceiveReturn, micros
from domcore.settings import ReturnSettings, StockSettings
from domcore.testing import World


def world() -> World:
    """A warehouse next to the customer, a store in the same town, a vendor, one far away."""
    made = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    made.node("SHOP", at=(40.75, -73.99), kind="store").node("VEN", at=(40.7, -74.0), kind="vendor")
    return (
        made.item("MUG", weight=400).item("CAP", weight=100).stock("MUG", LAX=9).stock("CAP", LAX=9)
    )


def shipped(made: World, *, settings: Settings | None = None, **units: int) -> Domcore:
    """An application whose only order has shipped."""
    dom = made.open(settings)
    dom.capture(made.order("1", **(units or {"MUG": 2})))
    dom.route()
    for work in dom.order("1").fulfillment_orders:
        dom.record(Notice(work.id, "shipped", made.clock()))
    made.clock.forward(days=1)
    return dom


def asked(*lines: tuple[str, int], **more: Any) -> AuthorizeReturn:
    return AuthorizeReturn("main", "web", "1", more.pop("return_id", "R1"), lines, **more)


def with_returns(**options: Any) -> Settings:
    stock = StockSettings(demand_days=10)
    returns = ReturnSettings(**options)
    return Settings(store="memory:", owners={"main": "USD"}, returns=returns, stock=stock)


def test_goods_go_back_to_the_cheapest_node_that_takes_them_not_where_they_came_from():
    with shipped(world()) as dom:
        outcome = dom.authorize_return(asked(("1-1", 2)))
        assert (outcome.outcome, outcome.detail) == ("authorized", "SHOP")
        (each,) = dom.returns("1")
        assert (each.node, each.status, each.lines[0].units) == ("SHOP", "authorized", 2)


def test_the_event_says_what_it_costs_and_what_the_others_would_have_cost():
    with shipped(world()) as dom:
        dom.authorize_return(asked(("1-1", 1)))
        (event,) = [each for each in dom.events() if each.kind == "return.authorized"]
        others = dict(event.body["instead_of"])
        assert set(others) == {"NYC", "LAX"}
        assert event.body["cost"] < min(others.values())
        assert event.body["currency"] == "USD"


def test_only_the_kinds_and_the_tag_in_the_settings_take_goods_back():
    with shipped(world(), settings=with_returns(kinds=("dc",))) as dom:
        assert dom.authorize_return(asked(("1-1", 1))).detail == "NYC"
    made = world()
    made.nodes = [
        evolve(node, tags=("returns",)) if node.id == "VEN" else node for node in made.nodes
    ]
    with shipped(made, settings=with_returns(kinds=())) as dom:
        assert dom.authorize_return(asked(("1-1", 1))).detail == "VEN"
    with shipped(world(), settings=with_returns(kinds=("hub",))) as dom:
        outcome = dom.authorize_return(asked(("1-1", 1)))
        assert outcome.outcome == "nothing"
        assert "no node" in outcome.detail
        assert not dom.returns("1")


def test_a_node_that_waits_for_as_much_as_it_has_room_for_is_passed_over():
    made = world()
    made.nodes = [
        evolve(node, attributes=(("return_capacity", 1),)) if node.id == "SHOP" else node
        for node in made.nodes
    ]
    with shipped(made, MUG=3) as dom:
        assert dom.authorize_return(asked(("1-1", 1), return_id="A")).detail == "SHOP"
        assert dom.authorize_return(asked(("1-1", 1), return_id="B")).detail == "NYC"
        dom.receive_return(ReceiveReturn("main", "web", "1", "A", (("1-1", 1, "sellable"),)))
        assert dom.authorize_return(asked(("1-1", 1), return_id="C")).detail == "SHOP"


def test_where_there_is_plenty_already_a_unit_costs_more():
    plenty = with_returns(overstock_cost=micros("3.00"), overstock_days=30)
    made = world().stock("MUG", SHOP=5)
    made.nodes = [
        evolve(node, handling=evolve(node.handling, parcel=micros("50")))
        if node.id == "SHOP"
        else node
        for node in made.nodes
    ]  # so that it ships nothing, and has no demand
    with shipped(made, settings=plenty, MUG=2) as dom:
        made.clock.forward(days=1)
    dear = world().stock("MUG", SHOP=50)
    with shipped(dear, settings=plenty, CAP=1, MUG=1) as dom:
        # MUG ships from the shop, two days ago; fifty of them are fifty times ten days of cover.
        line = {line.sku: line.id for line in dom.order("1").order.lines}
        assert dom.authorize_return(asked((line["MUG"], 1))).detail == "NYC"
        assert dom.authorize_return(asked((line["CAP"], 1), return_id="R2")).detail == "SHOP"


def test_a_rate_card_may_price_returns_by_themselves():
    made = world()
    made.rate_cards.append(RateCard("free back", "USD", (Band(base=0),), services=("return",)))
    made.rate_cards.append(RateCard("free back", "USD", (Band(base=9_000_000),)))
    made.nodes = [
        evolve(node, rate_card="free back") if node.id == "LAX" else node for node in made.nodes
    ]
    with shipped(made) as dom:
        assert dom.authorize_return(asked(("1-1", 1))).detail == "LAX"


def test_an_order_without_a_place_needs_a_node_named():
    made = world()
    with shipped(made) as dom:
        dom.capture(evolve(made.order("1", MUG=2), revision=2, destination=None))
        outcome = dom.authorize_return(asked(("1-1", 1)))
        assert outcome.outcome == "nothing"
        assert "name a node" in outcome.detail
        assert dom.authorize_return(asked(("1-1", 1), node="VEN")).detail == "VEN"


def test_asking_again_does_not_choose_again():
    made = world()
    with shipped(made) as dom:
        assert dom.authorize_return(asked(("1-1", 1))).detail == "SHOP"
        made.nodes = [node for node in made.nodes if node.id != "SHOP"]
        dom.load_network(made.network())
        assert dom.authorize_return(asked(("1-1", 1))).outcome == "duplicate"
        assert [each.node for each in dom.returns("1")] == ["SHOP"]


def test_restocked_units_can_be_sold_again():
    made = world()
    with shipped(made, MUG=9) as dom:
        dom.authorize_return(asked(("1-1", 2)))
        dom.capture(made.order("2", MUG=2))
        assert dom.route().short == 1
        dom.receive_return(ReceiveReturn("main", "web", "1", "R1", (("1-1", 2, "sellable"),)))
        assert dom.route(["2"]).routed == 1
        assert not list(dom.verify())


def test_bad_returns_change_nothing():
    with shipped(world()) as dom:
        before = len(dom.events())
        for bad, error in (
            (asked(("1-1", 3)), ConflictError),
            (asked(("9", 1)), PayloadError),
            (asked(), PayloadError),
            (evolve(asked(("1-1", 1)), external_id="none"), NotFound),
        ):
            with pytest.raises(error):
                dom.authorize_return(bad)
        assert len(dom.events()) == before
        assert not list(dom.verify())


@some.composite
def places(draw: Any) -> list[tuple[int, int, int, int]]:
    """Nodes: latitude, longitude, handling of a parcel, handling of a unit."""
    count = draw(some.integers(1, 6))
    small = some.integers(0, 9)
    return [
        (draw(some.integers(25, 48)), draw(some.integers(-120, -70)), draw(small), draw(small))
        for _ in range(count)
    ]


def every_cost(dom: Domcore, made: World, units: int) -> Iterator[tuple[int, str]]:
    """What a return to each node costs, by the formula in the rate card's documentation."""
    from domcore.sourcing.distance import metres

    destination = dom.order("1").order.destination
    assert destination is not None
    point = destination.point
    assert point is not None
    for node in made.nodes:
        hundredth = 10_000
        rounded = Point(
            round(point.lat / hundredth) * hundredth, round(point.lon / hundredth) * hundredth
        )
        far = metres(rounded, node.point)
        rate = 4_000_000 + round(2_000 * far / 1000) + 500 * 400 * units
        handling = node.handling.parcel + node.handling.line + node.handling.unit * units
        yield rate + handling, node.id


@given(places(), some.integers(1, 4))
@tries(max_examples=60, deadline=None)
def test_the_choice_is_the_cheapest_of_all(places: list[tuple[int, int, int, int]], units: int):
    made = World().item("MUG", weight=400)
    for number, (lat, lon, parcel, unit) in enumerate(places):
        made.node(f"N{number}", at=(lat, lon), handling=(str(parcel), "0", str(unit)))
    made.stock("MUG", N0=units)
    with shipped(made, MUG=units) as dom:
        outcome = dom.authorize_return(asked(("1-1", units)))
        (event,) = [each for each in dom.events() if each.kind == "return.authorized"]
        costs = sorted(every_cost(dom, made, units))
        assert abs(event.body["cost"] - costs[0][0]) <= 1
        assert outcome.detail in {node for cost, node in costs if cost - costs[0][0] <= 1}
        priced = {event.body["node"]: event.body["cost"], **dict(event.body["instead_of"])}
        assert len(priced) == min(len(places), 6)
