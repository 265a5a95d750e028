"""Payments, disputes, fulfillment holds and pickup."""

from __future__ import annotations

from typing import Any

import pytest

from domcore.model import ApproveOrder, CaptureOrder, Hold, HoldOrder, Ignore
from domcore.testing.builder import World


def paid(state: Any) -> Any:
    return lambda order: order.update(financial_status=state)


def codes(command: Any) -> list[str]:
    assert isinstance(command, CaptureOrder)
    return [hold.code for hold in command.holds]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("paid", []), ("authorized", []), ("partially_refunded", []), (None, []),
        ("pending", ["unpaid"]), ("partially_paid", ["unpaid"]), ("voided", ["payment-voided"]),
        ("expired", ["payment-voided"]), ("refunded", ["refunded"]),
        ("a_new_word", ["payment-unclear"]),
    ],
)  # fmt: skip
def test_an_order_goes_only_when_its_payment_says_so(shop, state: Any, code: list[str]) -> None:
    assert codes(shop.read(shop.body(paid(state)))) == code


def test_a_shop_says_with_which_payments_orders_go_and_whether_stock_waits(shop_with) -> None:
    shop = shop_with(ship_when=["pending"], reserve_unpaid=True)
    assert codes(shop.read(shop.body(paid("pending")))) == []
    (hold,) = shop.read(shop.body(paid("paid"))).holds
    assert hold == Hold("payment-unclear", "the payment is paid", "release")
    assert shop_with().read(shop.body(paid("pending"))).holds[0].stage == "route"


def test_within_a_second_an_order_that_is_paid_is_later_than_the_same_unpaid(shop) -> None:
    revisions = [
        shop.order(paid(state)).revision
        for state in ("pending", "authorized", "partially_paid", "paid")
    ]
    assert revisions == sorted(set(revisions))


@pytest.mark.parametrize("reverse", [False, True])
def test_pending_and_paid_of_one_second_end_paid(shop, reverse: bool) -> None:
    told = [shop.read(shop.body(paid(state))) for state in ("pending", "paid")]
    world = World("EUR").node("A", at=(52.5, 13.4), country="DE")
    for sku in {line.sku for line in told[0].order.lines}:
        world.item(sku)
    with world.open() as dom:
        dom.apply(told[::-1] if reverse else told)
        assert dom.order("web/5501").summary.holds == ()


@pytest.mark.parametrize(
    "line",
    [
        {"code": "Local Pickup"}, {"title": "pickup"}, {"delivery_category": "pick_up"},
        {"source": "local_pickup"}, {"title": "Hudson store"},
    ],
)  # fmt: skip
def test_what_the_customer_fetches_is_no_ordinary_work(shop_with, line: dict[str, str]) -> None:
    shop = shop_with(pickup=["hudson store"])

    def change(order: dict[str, Any]) -> None:
        order["shipping_lines"] = [{"code": "x", "is_removed": True}, line, {"code": "x"}]
        order["shipping_address"] = None

    command = shop.read(shop.body(change))
    assert (command.order.service, command.order.destination) == ("pickup", None)


def dispute(status: str, **more: Any) -> dict[str, Any]:
    body = {"id": 9, "order_id": 5501, "type": "chargeback", "status": status, "amount": "1.00"}
    return {**body, "initiated_at": "2026-03-03T10:00:00Z", **more}


def test_a_dispute_holds_its_order_until_it_is_won_whichever_word_comes_first(shop) -> None:
    opened = shop.read(dispute("needs_response"), topic="disputes/create")
    won = shop.read(dispute("won"), topic="disputes/update")
    assert (opened.code, opened.reason) == ("dispute-9", "chargeback: needs_response")
    assert isinstance(won, ApproveOrder)
    for arrived, standing in (([opened], ["dispute-9"]), ([opened, won], []), ([won, opened], [])):
        world = World("EUR").node("A", at=(52.5, 13.4))
        order = shop.read(shop.body())
        for sku in {line.sku for line in order.order.lines}:
            world.item(sku)
        with world.open() as dom:
            dom.apply([order, *arrived])
            assert [hold.code for hold in dom.order("5501").summary.holds] == standing


def test_a_dispute_that_is_lost_stays_one_and_one_of_no_order_is_ignored(shop) -> None:
    assert isinstance(shop.read(dispute("lost"), topic="disputes/update"), HoldOrder)
    assert isinstance(shop.read(dispute("won", order_id=None), topic="disputes/update"), Ignore)


def test_a_fulfillment_hold_is_followed_where_its_body_names_the_order(shop) -> None:
    topic = "fulfillment_orders/placed_on_hold"
    held = {"id": "gid://shopify/FulfillmentOrder/77", "status": "on_hold", "order_id": 5501}
    reason = {"fulfillment_holds": [{"reason": "high_risk_of_fraud"}]}
    placed = shop.read({"fulfillment_order": {**held, **reason}}, topic=topic)
    assert isinstance(placed, HoldOrder)
    assert (placed.code, placed.reason) == ("fulfillment-hold-77", "high_risk_of_fraud")
    open_again = {**held, "status": "open"}
    topic = "fulfillment_orders/hold_released"
    let_go = shop.read({"fulfillment_order": open_again}, topic=topic)
    assert isinstance(let_go, ApproveOrder)
    assert let_go.code == placed.code
    nameless = {**held, "order_id": None}
    assert isinstance(shop.read({"fulfillment_order": nameless}, topic=topic), Ignore)


def test_an_order_whose_fulfillment_is_on_hold_is_held(shop) -> None:
    command = shop.read(shop.body(lambda order: order.update(fulfillment_status="on_hold")))
    assert codes(command) == ["fulfillment-hold"]
