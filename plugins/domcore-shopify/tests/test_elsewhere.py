"""What others fulfil in the shop does not leave again; what we told the shop of is known again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domcore.model import CancelOrder, Ignore, Notice, Package
from domcore.settings import ChannelSettings, Settings, WorkSettings
from domcore.testing import World

from .test_life import Plugin

LEFT = "2026-03-02T10:00:00Z"


def fulfillment(id: int = 7, units: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "status": "success",
        "created_at": LEFT,
        "updated_at": LEFT,
        "line_items": [{"id": 101, "quantity": units}],
        **more,
    }


@pytest.fixture
def open_shop(fake):
    """An application whose channel is the shop, with one order taken in and routed to NYC."""
    world = World("EUR").node("NYC", at=(47.5, 9.7), country="AT").node("LAX", at=(48.2, 16.4))
    for sku in ("MUG-BLUE", "variant:9103", "SOLD-OFF"):
        world.item(sku)
    world.clock.now = datetime(2026, 3, 5, tzinfo=UTC)
    world.stock("MUG-BLUE", NYC=9).stock("variant:9103", NYC=4)
    settings = Settings(
        store="memory:",
        owners={"main": "EUR"},
        channels=(ChannelSettings("web", "shopify", publish="off"),),
        work=WorkSettings(route=False),
    )
    fake.place()
    with world.open(settings, plugins={"shopify": Plugin(fake.channel())}) as dom:
        dom.work()
        dom.route(["#5501"])
        yield dom
        assert not list(dom.verify())


def told_again(dom: Any, shop: Any, fake: Any, *others: dict[str, Any], minute: int = 1) -> None:
    """The shop tells the order anew, with the fulfillments that it has."""
    body = json.loads(json.dumps(fake.orders[5501]))
    body["updated_at"] = f"2026-03-04T10:{minute:02}:00Z"
    body["fulfillment_status"] = "partial"
    for line in body["line_items"]:
        gone = [each for some in others for each in some["line_items"] if each["id"] == line["id"]]
        line["fulfillable_quantity"] -= sum(each["quantity"] for each in gone)
    ours = [{**each, "tracking_urls": []} for each in fake.fulfillments[5501]]
    body["fulfillments"] = [*ours, *others]
    delivery = shop.deliver(body, "orders/updated")
    dom.receive("web", delivery.body, delivery.headers)


def test_what_staff_fulfil_is_not_shipped_again(open_shop, shop, fake) -> None:
    dom = open_shop
    just_now = fulfillment(units=1, location_id=11, created_at="2026-03-05T00:00:00Z")
    told_again(dom, shop, fake, just_now)
    first, second, *_ = dom.order("#5501").lines
    assert (first.allocated, first.shipped, second.shipped) == (1, 1, 0)
    (row,) = [each for each in dom.stock() if (each.sku, each.node) == ("MUG-BLUE", "NYC")]
    assert (row.on_hand, row.reserved) == (8, 2)
    assert any(
        "others have sent 1 x MUG-BLUE" in each.text for each in dom.timeline("#5501").entries
    )


def test_what_we_told_the_shop_of_does_not_count_twice(open_shop, shop, fake) -> None:
    dom = open_shop
    (work,) = dom.order("#5501").fulfillment_orders
    dom.record(Notice(work.id, "partially_shipped", dom.now(), (("101", 1),)))
    box = Package("1", (("102", 1),), "Post", "AT55")
    dom.record(Notice(work.id, "partially_shipped", dom.now(), packages=(box,)))
    for _ in range(3):
        dom.work()
    assert len(fake.fulfillments[5501]) == 2
    before = [each.allocated for each in dom.order("#5501").lines[:3]]
    told_again(dom, shop, fake, minute=1)
    told_again(dom, shop, fake, minute=2)
    view = dom.order("#5501")
    assert [each.shipped for each in view.lines[:3]] == [1, 1, 0]
    assert [each.allocated for each in view.lines[:3]] == before
    assert "order.shipped_elsewhere" not in [each.kind for each in dom.events()]


def test_a_fulfillment_that_is_cancelled_has_not_left(open_shop, shop, fake) -> None:
    dom = open_shop
    told_again(dom, shop, fake, fulfillment())
    assert dom.order("#5501").lines[0].shipped == 2
    later = fulfillment(status="cancelled", updated_at="2026-03-04T10:00:00Z")
    told_again(dom, shop, fake, later, minute=2)
    assert (dom.order("#5501").lines[0].open, dom.order("#5501").lines[0].shipped) == (2, 0)


def test_an_order_that_has_left_whole_tells_what_left(shop) -> None:
    def left(order) -> None:
        order["fulfillment_status"] = "fulfilled"
        order["fulfillments"] = [fulfillment(tracking_numbers=["1Z9"])]
        for line in order["line_items"]:
            line["current_quantity"] = line["quantity"]

    body = shop.body(left)
    assert isinstance(shop.read(body), Ignore)
    (sent,) = shop.sent(body)
    assert (sent.name, sent.lines, sent.total) == ("fulfillment-7", (("101", 2),), False)
    assert sent.tracking == ("shopify-7", "1Z9")
    assert sent.at == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_cancelled_order_tells_what_left_of_it(shop) -> None:
    body = shop.body(lambda order: order.update(cancelled_at=LEFT, fulfillments=[fulfillment()]))
    assert isinstance(shop.read(body, "orders/cancelled"), CancelOrder)
    assert len(shop.sent(body, "orders/cancelled")) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"tracking_numbers": ["domcore:7-1-NYC"]},
        {"receipt": {"domcore": "7-1-NYC"}},
        {"status": "pending"},
        {"status": "open"},
        {"line_items": []},
    ],
)
def test_news_of_our_own_work_and_what_has_not_left_are_not_told(shop, more) -> None:
    body = shop.body(lambda order: order.update(fulfillments=[fulfillment(**more)]))
    assert shop.sent(body) == []
