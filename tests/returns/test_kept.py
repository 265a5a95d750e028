"""Refunds that overtake the parcel's news, through the public door."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domcore.errors import ConflictError, NotFound
from domcore.model import AuthorizeReturn, Notice, ReceiveReturn
from domcore.testing import World

ORDER = ("main", "web", "1")


@pytest.fixture
def world() -> World:
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    return world.item("MUG", weight=400).stock("MUG", NYC=5)


def refund(world: World, units: int, node: str = "NYC", key: str = "hook") -> list:
    """A refund with restock, as a channel tells it."""
    lines = (("1-1", units),)
    arrived = tuple((line, count, "sellable") for line, count in lines)
    return [
        AuthorizeReturn(*ORDER, "refund-7", lines, node),
        ReceiveReturn(*ORDER, "refund-7", arrived, at=world.clock(), close=True, key=key),
    ]


def ship(dom, world: World) -> None:
    (work,) = dom.order("1").fulfillment_orders
    dom.record(Notice(work.id, "shipped", world.clock()))


@pytest.mark.parametrize("node", ["NYC", ""])
def test_a_refund_before_the_news_of_shipping_restocks_when_that_comes(world, node: str) -> None:
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        world.clock.forward(minutes=1)
        commands = refund(world, 2, node)
        assert [each.outcome for each in dom.apply(commands)] == ["kept", "kept"]
        world.clock.forward(minutes=9)
        ship(dom, world)
        assert [each.status for each in dom.returns("1")] == ["received"]
        (level,) = [each for each in dom.stock() if each.node == dom.returns("1")[0].node]
        assert level.on_hand == (5 if level.node == "NYC" else 2)
        assert [each.outcome for each in dom.apply(commands)] == ["duplicate", "duplicate"]
        assert not list(dom.verify())


def test_a_refund_before_its_order_is_kept_until_goods_have_left(world) -> None:
    with world.open() as dom:
        assert [each.outcome for each in dom.apply(refund(world, 2))] == ["kept", "kept"]
        dom.capture(world.order("1", MUG=2))
        dom.route()
        assert dom.returns("1") == []
        ship(dom, world)
        assert [each.status for each in dom.returns("1")] == ["received"]
        assert not list(dom.verify())


def test_what_has_been_kept_for_long_is_shown_with_what_ends_it(world) -> None:
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.apply(refund(world, 2))
        assert list(dom.exceptions(kinds=["failing"])) == []
        world.clock.forward(hours=2)
        first, second = dom.exceptions(kinds=["failing"])
        assert "nobody has said that so many units have left" in first.reason
        assert "is not authorized" in second.reason
        assert (first.order, first.age) == ("#1", timedelta(hours=2))
        assert first.command == "domcore drop return/1"
        for each in (first, second):
            dom.drop(each.subject)
        assert list(dom.exceptions(kinds=["failing"])) == []
        dom.route()
        ship(dom, world)
        assert dom.returns("1") == []
        assert not list(dom.verify())


def test_a_person_is_told_at_once(world) -> None:
    with world.open() as dom:
        authorize, receive = refund(world, 2)
        with pytest.raises(NotFound):
            dom.authorize_return(authorize)
        dom.capture(world.order("1", MUG=2))
        with pytest.raises(ConflictError, match="only 0 have shipped"):
            dom.authorize_return(authorize)
        with pytest.raises(NotFound, match="authorize it first"):
            dom.receive_return(receive)
        assert list(dom.store.audit("kept_return")) == []
