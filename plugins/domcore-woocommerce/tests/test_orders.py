"""What an order body becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domcore.errors import PayloadError
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Destination,
    Envelope,
    Ignore,
    Person,
    ShippedElsewhere,
)

SECOND = int(datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()) * 1_000_000


def problems(shop, change=None, **fields) -> dict[str, str]:
    with pytest.raises(PayloadError) as caught:
        shop.read(shop.body(change, **fields))
    return {each.path: each.message for each in caught.value.problems}


def test_an_order_is_captured(shop) -> None:
    order = shop.order()
    assert (order.owner, order.channel, order.external_id) == ("main", "blog", "727")
    assert order.revision // 1_000_000 == SECOND // 1_000_000
    assert order.placed_at == datetime(2026, 3, 2, 8, 58, tzinfo=UTC)
    assert (order.number, order.currency) == ("727", "EUR")
    assert dict(order.attributes) == {
        "source": "checkout",
        "payment_method": "stripe",
        "status": "processing",
    }


def test_lines_keep_their_own_ids_and_name_a_sku_or_a_product(shop) -> None:
    lines = shop.order().lines
    assert [line.id for line in lines] == ["315", "316", "317"]
    assert [line.sku for line in lines] == ["MUG", "product:22/23", "PATTERN"]
    assert [line.quantity for line in lines] == [2, 1, 3]
    plain = shop.order(lambda order: order["line_items"][0].update(sku=None, variation_id=None))
    assert plain.lines[0].sku == "product:93"


def test_prices_are_per_unit_before_discounts_and_rounded_half_even(shop) -> None:
    assert [line.price for line in shop.order().lines] == [12_500_000, 9_000_000, 3_333_333]

    def change(order) -> None:
        order["line_items"][0].update(subtotal="0.000005", quantity=2)
        order["line_items"][1].update(subtotal="0.000003", quantity=2)
        order["line_items"][2].update(subtotal="-1.00", quantity=1)

    assert [line.price for line in shop.order(change).lines] == [2, 2, 0]


def test_a_line_of_a_deleted_product_is_kept_by_its_own_id(shop) -> None:
    order = shop.order(lambda order: order["line_items"][1].update(product_id=0))
    assert order.lines[1].sku == f"line:{order.lines[1].id}"
    assert order.lines[1].ships


def test_what_a_shop_says_is_virtual_does_not_ship(shop, shop_with) -> None:
    assert all(line.ships for line in shop.order().lines)
    for virtual in (["PATTERN"], ["40"]):
        ships = [line.ships for line in shop_with(virtual=virtual).order().lines]
        assert ships == [True, True, False]
    assert [line.ships for line in shop_with(virtual=["23"]).order().lines] == [True, False, True]
    marked = shop_with(virtual_meta="_virtual").order()
    assert [line.ships for line in marked.lines] == [True, True, False]
    assert marked.lines[2].sku == "PATTERN"


@pytest.mark.parametrize("value", ["no", "0", "", False, None, 0])
def test_a_mark_that_says_no_is_none(shop_with, value: object) -> None:
    shop = shop_with(virtual_meta="_virtual")
    order = shop.order(lambda order: order["line_items"][2]["meta_data"][0].update(value=value))
    assert order.lines[2].ships


def test_an_order_without_a_shipping_line_ships_unless_the_shop_says_otherwise(
    shop, shop_with
) -> None:
    assert all(line.ships for line in shop.order(shipping_lines=[]).lines)
    kept = shop_with(without_shipping="kept")
    assert not any(line.ships for line in kept.order(shipping_lines=[]).lines)
    assert all(line.ships for line in kept.order().lines)


def test_it_goes_to_the_shipping_address_or_else_to_who_pays(shop) -> None:
    assert shop.order().destination == Destination("NO", "", "5003")
    empty = dict.fromkeys(("first_name", "address_1", "city", "postcode", "country"), "")
    for shipping in (None, {}, empty):
        captured = shop.captured(shipping=shipping)
        assert captured.order.destination == Destination("NO", "", "7010")
        assert captured.person.name == "Nils Aaberg"
    assert shop.order(shipping=None, billing=None).destination is None


def test_personal_data_goes_into_the_person(shop) -> None:
    assert shop.captured().person == Person(
        name="Signe Aaberg",
        company="Aaberg Verft",
        email="nils.aaberg@post.example",
        phone="+47 555 01 234",
        street=("Havnegata 1", "Port 3"),
        city="Bergen",
        postal="5003",
        country="NO",
        instructions="Nils is home after six",
    )


def test_postal_codes_are_kept_as_far_as_wanted(shop_with) -> None:
    assert shop_with(2).order().destination.postal == "50"
    assert shop_with(2, postal_digits=0).order().destination.postal == "5003"


def test_services_and_attributes_are_named_in_the_options(shop_with) -> None:
    shop = shop_with(
        services={"express by noon": "express"},
        order_meta={"_gift": "gift"},
        line_meta={"pa_color": "color"},
    )
    order = shop.order()
    assert order.service == "express"
    assert dict(order.attributes)["gift"] == "yes"
    assert order.lines[1].attributes == (("color", "red"),)
    assert shop_with(services={"flat_rate": "ground"}).order().service == "ground"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("processing", CaptureOrder),
        ("wc-processing", CaptureOrder),
        ("on-hold", CaptureOrder),
        ("failed", CaptureOrder),
        ("cancelled", CancelOrder),
        ("refunded", CancelOrder),
        ("trash", CancelOrder),
        ("pending", CaptureOrder),
        ("completed", ShippedElsewhere),
        ("checkout-draft", Ignore),
        ("waiting-for-paint", Ignore),
    ],
)
def test_the_status_decides(shop, status: str, kind: type) -> None:
    assert isinstance(shop.read(shop.body(status=status)), kind)


def test_a_shop_says_what_its_own_statuses_mean(shop_with) -> None:
    shop = shop_with(statuses={"waiting-for-paint": "capture", "pending": "cancel"})
    assert isinstance(shop.read(shop.body(status="waiting-for-paint")), CaptureOrder)
    assert isinstance(shop.read(shop.body(status="pending")), CancelOrder)
    assert isinstance(shop.read(shop.body(status="processing")), CaptureOrder)
    assert "waiting (statuses)" in shop.read(shop.body(status="waiting")).reason


def test_an_order_that_is_stopped_wants_nothing_and_names_nobody(shop) -> None:
    captured = shop.captured(status="failed")
    assert [line.quantity for line in captured.order.lines] == [0, 0, 0]
    assert captured.person is None


@pytest.mark.parametrize("status", ["pending", "on-hold", "wc-on-hold"])
def test_an_order_that_waits_for_its_payment_is_kept_whole_and_held(shop, status: str) -> None:
    captured, goes = shop.captured(status=status), shop.captured(status="processing")
    assert [hold.code for hold in captured.holds] == ["unpaid"]
    assert captured.holds[0].stage == "release"
    assert captured.order.lines == goes.order.lines
    assert captured.person == goes.person
    assert goes.holds == ()


def test_a_shop_s_own_status_may_hold_and_stock_need_not_wait(shop_with) -> None:
    shop = shop_with(statuses={"bank": "hold"}, reserve_unpaid=False)
    assert shop.captured(status="bank").holds[0].stage == "route"


@pytest.mark.parametrize("method", ["local_pickup", "pickup_location", "counter"])
def test_what_the_customer_fetches_never_goes_to_who_pays_for_it(shop_with, method: str) -> None:
    shop = shop_with(pickup=["Counter"], services={"local_pickup": "ground"})
    captured = shop.captured(
        shipping={}, shipping_lines=[{"method_id": method, "method_title": "Fetch"}]
    )
    assert (captured.order.service, captured.order.destination) == ("pickup", None)
    assert captured.person is not None
    assert (captured.person.street, captured.person.city) == ((), "")
    assert captured.person.name


def test_within_a_second_the_order_that_is_further_on_is_the_later_one(shop) -> None:
    statuses = ("failed", "on-hold", "processing", "cancelled", "trash")
    revisions = []
    for status in statuses:
        command = shop.read(shop.body(status=status))
        revisions.append(getattr(command, "order", command).revision)
    assert revisions == sorted(revisions)
    assert len(set(revisions)) == len(statuses)
    assert {each // 1_000_000 for each in revisions} == {SECOND // 1_000_000}
    assert shop.order().revision == shop.order().revision


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"id": "727"}, "$.id"),
        ({"currency": "eur"}, "$.currency"),
        ({"date_modified_gmt": "yesterday"}, "$.date_modified_gmt"),
        ({"date_created_gmt": None}, "$.date_created_gmt"),
        ({"line_items": None}, "$.line_items"),
        ({"shipping": {"country": "Norge"}}, "$.shipping.country"),
        ({"status": 7}, "$.status"),
    ],
)
def test_wrong_fields_are_named(shop, fields, path: str) -> None:
    assert path in problems(shop, **fields)


@pytest.mark.parametrize("quantity", [-1, 1.5, "2", None, True, 10**12])
def test_quantities_are_whole_numbers(shop, quantity: object) -> None:
    found = problems(shop, lambda order: order["line_items"][0].update(quantity=quantity))
    assert list(found) == ["$.line_items[0].quantity"]


def test_a_line_id_that_stands_twice_is_refused(shop) -> None:
    found = problems(shop, lambda order: order["line_items"][1].update(id=315))
    assert list(found) == ["$.line_items[1].id"]


def test_the_samples_of_woocommerces_documentation_are_read(shop, samples) -> None:
    read = []
    for file in sorted(samples.glob("v3-orders-*.json")):
        raw = file.read_bytes()
        value = json.loads(raw)
        read += [shop.read(body) for body in (value if isinstance(value, list) else [value])]
    captured = [each for each in read if isinstance(each, CaptureOrder)]
    assert captured
    assert captured[0].order.lines[0].sku == "product:93"
    for command in captured:
        for word in ("John", "Doe", "Market", "john.doe@example.com", "555-5555"):
            assert word not in repr(command.order)


def test_an_envelope_of_another_shop_is_refused(fake, shop) -> None:
    delivery = shop.deliver(shop.body(), source="https://other.example/")
    with pytest.raises(PayloadError, match="names another shop"):
        fake.channel().receive(delivery)
    broken = Envelope(
        "blog", delivery.body, {**delivery.headers, "x-wc-webhook-source": "http://["}
    )
    with pytest.raises(PayloadError, match="names another shop"):
        fake.channel().receive(broken)


def test_the_sample_of_a_refund_takes_nothing_off(fake, samples) -> None:
    id = fake.place()
    fake.refund(id)
    fake.refunds[id] = [json.loads((samples / "v3-order-refunds-1-http-request.json").read_bytes())]
    (command,) = fake.channel().pull("").commands
    assert [line.quantity for line in command.order.lines] == [2, 1, 3]


def test_what_the_customer_paid_and_wrote_is_kept(shop_with) -> None:
    def line(**more: Any) -> dict[str, Any]:
        return {"id": 7, "sku": "MUG", "quantity": 2, "product_id": 1, **more}

    told = {
        "line_items": [line(subtotal="20.00", total="15.00", total_tax="3.00")],
        "shipping_total": "4.90", "shipping_tax": "0.90", "total": "22.90",
        "customer_note": "Ring twice", "meta_data": [{"key": "gift", "value": "Happy day"}],
    }  # fmt: skip
    captured = shop_with(gift_message="gift").captured(**told)
    (kept,) = captured.order.lines
    assert (kept.price, kept.discount, kept.tax) == (10_000_000, 5_000_000, 3_000_000)
    order = captured.order
    assert (order.shipping, order.shipping_tax, order.total) == (4_900_000, 900_000, 22_900_000)
    assert order.shipping_discount is None
    person = captured.person
    assert person is not None
    assert (person.gift_message, person.instructions) == ("Happy day", "Ring twice")
    off = shop_with(customer_note="off").captured(**told).person
    assert off is not None
    assert (off.gift_message, off.instructions) == ("", "")


def test_what_a_body_does_not_tell_is_unknown_and_its_revision_is_what_it_was(shop) -> None:
    untold = dict.fromkeys(("shipping_total", "shipping_tax", "total", "customer_note"))
    order = shop.order(**untold)
    assert (order.shipping, order.shipping_tax, order.total) == (None, None, None)
    assert order.revision == shop.order(total="1.00", customer_note="x").revision
