"""Refunds, stock and fulfillments that Shopify tells of."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from domcore.errors import PayloadError
from domcore.model import (
    Alias,
    AmendOrder,
    AuthorizeReturn,
    Ignore,
    Notice,
    ObserveStock,
    ReceiveReturn,
)
from domcore.testing import World
from domcore_shopify.telling import spread

LOCATIONS = {"11": "NYC", "22": "LAX"}
REFUNDED = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def told(shop, refund):
    return shop.channel.receive(shop.deliver(refund, "refunds/create"))


def test_units_cancelled_before_they_left_are_taken_off(shop) -> None:
    (command,) = told(shop, shop.refund([(101, 1, "cancel"), (102, 1, "no_restock")]))
    assert isinstance(command, AmendOrder)
    assert (command.owner, command.channel, command.external_id) == ("main", "web", "5501")
    assert command.name == "refund-71"
    assert command.lines == (("101", 1), ("102", 1))
    assert "Mira" not in repr(command)


def test_a_refund_is_older_than_every_body_of_its_second(shop) -> None:
    (command,) = told(shop, shop.refund([(101, 1, "cancel")]))
    second = int(REFUNDED.timestamp()) * 1_000_000
    assert command.revision == second - 1
    same = shop.order(lambda order: order.update(updated_at="2026-03-02T09:30:00+01:00"))
    assert same.revision > command.revision


def test_lines_that_are_refunded_twice_at_once_add_up(shop) -> None:
    (command,) = told(
        shop, shop.refund([(101, 1, "cancel"), (101, 2, "cancel"), (102, 0, "cancel")])
    )
    assert command.lines == (("101", 3),)


@pytest.mark.parametrize("status", ["partial", "fulfilled"])
def test_money_back_for_goods_that_have_left_takes_nothing_off(shop, status: str) -> None:
    (command,) = told(shop, shop.refund([(101, 1, "no_restock")], status=status))
    assert isinstance(command, Ignore)
    assert "takes nothing off" in command.reason


def test_a_refund_of_money_alone_changes_nothing(shop) -> None:
    (command,) = told(shop, shop.refund([]))
    assert isinstance(command, Ignore)


def test_restocked_units_that_had_left_are_a_return_that_has_arrived(shop_with) -> None:
    shop = shop_with(locations=LOCATIONS)
    allowed, received = told(shop, shop.refund([(101, 1, "return")], status="fulfilled"))
    assert isinstance(allowed, AuthorizeReturn)
    assert (allowed.return_id, allowed.lines, allowed.node) == ("refund-71", (("101", 1),), "NYC")
    assert isinstance(received, ReceiveReturn)
    assert (received.lines, received.node) == ((("101", 1, "sellable"),), "NYC")
    assert received.at == REFUNDED
    assert received.close
    assert allowed.key != received.key


def test_goods_that_went_back_to_no_node_are_named_and_ignored(shop, shop_with) -> None:
    (command,) = told(shop, shop.refund([(101, 1, "return")]))
    assert "location 11, which is no node (locations)" in command.reason
    (command,) = told(shop, shop.refund([(101, 1, "return")], location=None))
    assert "location unknown" in command.reason
    off = shop_with(locations=LOCATIONS, returns="ignore")
    (command,) = told(off, off.refund([(101, 1, "return")]))
    assert "not followed" in command.reason


def test_one_refund_may_take_off_and_bring_back(shop_with) -> None:
    shop = shop_with(locations=LOCATIONS)
    commands = told(shop, shop.refund([(101, 1, "cancel"), (102, 1, "return")]))
    assert [type(each) for each in commands] == [AmendOrder, AuthorizeReturn, ReceiveReturn]
    assert len({each.key for each in commands}) == 3


def test_the_old_word_for_restocked_depends_on_whether_the_line_has_left(shop_with) -> None:
    shop = shop_with(locations=LOCATIONS)
    (command,) = told(shop, shop.refund([(101, 1, "legacy_restock")]))
    assert isinstance(command, AmendOrder)
    left = told(shop, shop.refund([(101, 1, "legacy_restock")], status="fulfilled"))
    assert isinstance(left[0], AuthorizeReturn)


def test_a_refund_that_cannot_be_read_names_the_field(shop) -> None:
    refund = shop.refund([(101, 1, "cancel")])
    refund["refund_line_items"][0]["quantity"] = -1
    del refund["order_id"]
    with pytest.raises(PayloadError) as caught:
        told(shop, refund)
    assert [each.path for each in caught.value.problems] == [
        "$.order_id",
        "$.refund_line_items[0].quantity",
    ]


def test_a_refund_of_returned_units_does_not_keep_the_rest_from_leaving(shop) -> None:
    """Two ordered, one sent and sent back: Shopify counts one, and one must still leave."""

    def sent_back(order) -> None:
        order["line_items"][0].update(
            quantity=2, current_quantity=1, fulfillable_quantity=1, fulfillment_status="partial"
        )
        order["fulfillments"] = [
            {"id": 1, "status": "success", "line_items": [{"id": 101, "quantity": 1}]},
            {"id": 2, "status": "cancelled", "line_items": [{"id": 101, "quantity": 1}]},
        ]

    assert shop.order(sent_back).lines[0].quantity == 2


def level(**more):
    return {
        "inventory_item_id": 77,
        "location_id": 11,
        "available": 5,
        "updated_at": "2026-03-02T09:30:00+01:00",
        **more,
    }


def stock_of(shop, **more):
    return shop.read(level(**more), "inventory_levels/update")


def test_levels_are_counts_where_shopify_is_believed(shop, shop_with) -> None:
    assert "not followed" in stock_of(shop).reason
    shop = shop_with(stock="counts", locations=LOCATIONS)
    command = stock_of(shop)
    assert isinstance(command, ObserveStock)
    (count,) = command.counts
    assert (count.sku, count.node, count.on_hand) == ("inventory_item:77", "NYC", 5)
    assert count.as_of == REFUNDED
    assert command.channel == "web"
    assert stock_of(shop, available=-3).counts[0].on_hand == 0
    assert "not tracked" in stock_of(shop, available=None).reason
    assert "no node" in stock_of(shop, location_id=99).reason


def test_an_alias_says_which_sku_an_inventory_item_is(shop_with) -> None:
    shop = shop_with(stock="counts", locations=LOCATIONS)
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG")
    with world.open() as dom:
        dom.load_items(world.items, [Alias("web", "inventory_item:77", "MUG")])
        (outcome,) = dom.apply([stock_of(shop, updated_at="2026-01-05T08:00:00Z")])
        assert outcome.outcome == "observed"
        (row,) = dom.stock()
        assert (row.sku, row.on_hand) == ("MUG", 5)


def fulfillment(**more):
    return {
        "id": 255,
        "order_id": 5501,
        "status": "success",
        "created_at": "2026-03-02T09:30:00+01:00",
        "updated_at": "2026-03-02T10:30:00+01:00",
        "tracking_company": "UPS",
        "tracking_numbers": ["1Z1", "domcore:7-1-NYC"],
        "tracking_urls": ["https://ups.example/1Z1"],
        "line_items": [{"id": 101, "quantity": 2}, {"id": 102, "quantity": 0}],
        **more,
    }


def test_a_fulfillment_that_carries_our_key_is_news_of_our_work(shop) -> None:
    notice = shop.read(fulfillment(), "fulfillments/create")
    assert isinstance(notice, Notice)
    assert (notice.fulfillment_order, notice.status) == ("7-1-NYC", "shipped")
    assert notice.at == REFUNDED
    assert notice.lines == (("101", 2),)
    (box,) = notice.packages
    assert (box.id, box.tracking, box.carrier) == ("shopify-255", "1Z1", "UPS")


def test_the_key_may_stand_in_the_receipt(shop) -> None:
    body = fulfillment(tracking_numbers=["1Z1"], receipt={"domcore": "7-1-NYC"})
    assert shop.read(body, "fulfillments/create").fulfillment_order == "7-1-NYC"


@pytest.mark.parametrize(
    "more",
    [
        {"tracking_numbers": ["1Z1"]},
        {"tracking_numbers": None},
        {"tracking_numbers": ["domcore:7-1"]},
        {"tracking_numbers": ["domcore:"], "receipt": {"domcore": 7}},
    ],
)
def test_any_other_fulfillment_is_not_for_us(shop, more) -> None:
    command = shop.read(fulfillment(**more), "fulfillments/create")
    assert isinstance(command, Ignore)
    assert "no key" in command.reason


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"shipment_status": "delivered"}, "delivered"),
        ({"shipment_status": "failure"}, "exception"),
        ({"shipment_status": "in_transit"}, "shipped"),
        ({"status": "pending"}, "in_progress"),
        ({"status": "error"}, "exception"),
    ],
)
def test_later_news_of_a_fulfillment(shop, more, status: str) -> None:
    notice = shop.read(fulfillment(**more), "fulfillments/update")
    assert notice.status == status
    assert notice.vendor_status == next(iter(more.values()))


def test_a_fulfillment_taken_back_is_ignored_with_its_word(shop) -> None:
    command = shop.read(fulfillment(status="cancelled"), "fulfillments/update")
    assert command.reason == "fulfillment 255 is cancelled"


def test_a_fulfillment_without_a_time_names_the_field(shop) -> None:
    with pytest.raises(PayloadError, match="created_at: is missing"):
        shop.read(fulfillment(created_at=None), "fulfillments/create")


def test_the_samples_of_refunds_stock_and_fulfillments_are_read(shop_with, samples) -> None:
    shop = shop_with(stock="counts", locations={"655441491": "OTT", "487838322": "NYC"})
    refund = json.loads((samples / "rest-2026-07-refund-refund-2.json").read_bytes())["refund"]
    (command,) = told(shop, refund)
    assert command.lines == (("466157049", 1), ("703073504", 1))
    level = json.loads(
        (samples / "rest-2026-07-inventory_level-inventory_level-2.json").read_bytes()
    )
    (count,) = shop.read(level["inventory_level"], "inventory_levels/update").counts
    assert (count.sku, count.node, count.on_hand) == ("inventory_item:808950810", "OTT", 42)
    for file in sorted(samples.glob("*-fulfillment-fulfillment-*.json")):
        body = json.loads(file.read_bytes())["fulfillment"]
        assert isinstance(shop.read(body, "fulfillments/update"), Ignore)


def test_the_samples_of_fulfillment_orders_say_where_units_are(samples) -> None:
    file = samples / "rest-2026-07-fulfillment_order-fulfillment_orders-3.json"
    orders = json.loads(file.read_bytes())["fulfillment_orders"]
    found, missing = spread({"518995019": 2}, orders)
    assert found == {1046000784: {1072503281: 1}}
    assert missing == {"518995019": 1}
