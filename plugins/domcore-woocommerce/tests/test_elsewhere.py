"""An order that staff complete in the shop does not leave again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domcore.model import CaptureOrder, Notice, ShippedElsewhere
from domcore.settings import ChannelSettings, Settings
from domcore.testing import World

from .test_life import Plugin


@pytest.fixture
def open_shop(fake):
    """An application with one order of the shop, routed."""
    world = World("EUR").node("A", at=(60.4, 5.3), country="NO")
    for sku in ("MUG", "product:22/23", "PATTERN"):
        world.item(sku).stock(sku, A=9)
    world.clock.now = datetime(2026, 3, 5, tzinfo=UTC)
    settings = Settings(
        store="memory:",
        owners={"main": "EUR"},
        channels=(ChannelSettings("blog", "woocommerce", publish="off"),),
    )
    fake.place()
    with world.open(settings, plugins={"woocommerce": Plugin(fake.channel())}) as dom:
        dom.work()
        yield dom, world.clock
        assert not list(dom.verify())


def change(fake: Any, status: str, minute: int) -> None:
    at = f"2026-03-02T10:{minute:02}:00"
    fake.orders[727].update(status=status, date_modified_gmt=at)
    if status == "completed":
        fake.orders[727]["date_completed_gmt"] = at


def pulled(dom: Any, clock: Any) -> Any:
    for _ in range(3):
        clock.forward(minutes=5)
        dom.work()
    return dom.order("727")


def test_what_staff_complete_is_not_shipped_again(open_shop, fake) -> None:
    dom, clock = open_shop
    change(fake, "completed", 1)
    view = pulled(dom, clock)
    assert view.summary.status == "shipped"
    assert [each.status for each in view.fulfillment_orders] == ["cancelled"]


def test_an_order_that_is_not_completed_any_more_ships(open_shop, fake) -> None:
    dom, clock = open_shop
    change(fake, "completed", 1)
    pulled(dom, clock)
    change(fake, "processing", 2)
    assert pulled(dom, clock).summary.status == "allocated"


def test_what_we_have_completed_ourselves_does_not_count_twice(open_shop, fake) -> None:
    dom, clock = open_shop
    (work,) = dom.order("727").fulfillment_orders
    dom.record(Notice(work.id, "shipped", dom.now()))
    view = pulled(dom, clock)
    assert fake.orders[727]["status"] == "completed"
    assert view.summary.status == "shipped"
    assert view.summary.buckets.ordered == view.summary.buckets.shipped == 6
    assert "order.shipped_elsewhere" not in [each.kind for each in dom.events()]


def test_the_body_says_what_has_left_and_when(shop) -> None:
    body = shop.body(status="completed", date_completed_gmt="2026-03-02T11:00:00")
    sent = shop.read(body)
    assert isinstance(sent, ShippedElsewhere)
    assert sent.lines == (("315", 2), ("316", 1), ("317", 3))
    assert (sent.total, sent.at) == (True, datetime(2026, 3, 2, 11, tzinfo=UTC))


def test_a_shop_may_say_that_completed_orders_are_none_of_ours(shop_with) -> None:
    shop = shop_with(statuses={"completed": "ignore"})
    assert shop.read(shop.body(status="completed")).reason.startswith("order 727 is completed")


def test_a_body_that_was_completed_once_takes_that_back(shop) -> None:
    body = shop.body(status="processing", date_completed_gmt="2026-03-02T11:00:00")
    captured, back = shop.channel.receive(shop.deliver(body))
    assert isinstance(captured, CaptureOrder)
    assert (back.name, back.lines, back.revision) == ("completed", (), captured.order.revision)
