"""What an order body becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from domcore.errors import PayloadError
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Destination,
    Envelope,
    Ignore,
    Person,
    Unreadable,
)

UPDATED = int(datetime(2026, 3, 2, 8, 15, 3, tzinfo=UTC).timestamp()) * 1_000_000


def problems(shop, change, **headers) -> dict[str, str]:
    with pytest.raises(PayloadError) as caught:
        shop.read(shop.body(change), **headers)
    return {each.path: each.message for each in caught.value.problems}


def test_an_order_is_captured(shop) -> None:
    order = shop.order()
    assert (order.owner, order.channel, order.external_id) == ("main", "web", "5501")
    assert order.revision == UPDATED
    assert order.placed_at == datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC)
    assert order.number == "#2044"
    assert order.currency == "EUR"
    assert order.tags == ("Priority", "fragile", "priority-lane")
    assert dict(order.attributes) == {"financial_status": "paid", "source": "web"}


def test_lines_keep_their_own_ids_though_a_sku_stands_twice(shop) -> None:
    lines = shop.order().lines
    assert [line.id for line in lines] == ["101", "102", "103", "104", "105", "106", "107"]
    assert [line.sku for line in lines[:2]] == ["MUG-BLUE", "MUG-BLUE"]


def test_current_quantity_counts_and_an_edited_away_line_stays_with_none(shop) -> None:
    assert [line.quantity for line in shop.order().lines] == [2, 1, 1, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("line", "quantity"),
    [
        ({"fulfillable_quantity": 2}, 2),
        ({"fulfillable_quantity": 1, "fulfillment_status": "partial"}, 3),
        ({"fulfillable_quantity": 0, "fulfillment_status": "fulfilled"}, 3),
        ({"fulfillable_quantity": None}, 3),
        ({}, 3),
    ],
)
def test_without_current_quantity_the_nearest_is_taken(shop, line, quantity: int) -> None:
    def change(order) -> None:
        first = order["line_items"][0]
        del first["current_quantity"], first["fulfillable_quantity"]
        first.update(line)

    assert shop.order(change).lines[0].quantity == quantity


def test_gift_cards_and_services_are_kept_but_do_not_ship(shop) -> None:
    lines = {line.sku: line for line in shop.order().lines}
    assert [lines[sku].ships for sku in ("GIFT-50", "WARRANTY", "line:107")] == [False] * 3
    assert lines["MUG-BLUE"].ships
    assert dict(lines["GIFT-50"].attributes)["gift_card"] is True


def test_a_gift_card_never_ships_even_if_it_says_so(shop) -> None:
    order = shop.order(lambda order: order["line_items"][3].update(requires_shipping=True))
    assert not order.lines[3].ships


def test_goods_sold_over_the_counter_do_not_ship(shop) -> None:
    walk_in = {"source_name": "pos", "shipping_address": None, "shipping_lines": []}
    assert not any(line.ships for line in shop.order(lambda order: order.update(walk_in)).lines)
    ordered_in_store = shop.order(lambda order: order.update(source_name="pos"))
    assert ordered_in_store.lines[0].ships


def test_a_missing_sku_becomes_an_id_for_an_alias(shop) -> None:
    assert shop.order().lines[2].sku == "variant:9103"
    for sku in (None, "", "  ", "\t"):
        order = shop.order(lambda order, sku=sku: order["line_items"][0].update(sku=sku))
        assert order.lines[0].sku == "variant:9101"


def test_a_line_that_nothing_identifies_is_kept_by_its_own_id(shop) -> None:
    order = shop.order(lambda o: o["line_items"][1].update(sku="", variant_id=None))
    assert order.lines[1].sku == f"line:{order.lines[1].id}"
    assert order.lines[1].ships


def test_skus_are_trimmed_and_plain(shop) -> None:
    assert shop.order(lambda o: o["line_items"][0].update(sku=" A-1\n")).lines[0].sku == "A-1"
    found = problems(shop, lambda o: o["line_items"][0].update(sku="A\x1b-1"))
    assert list(found) == ["$.line_items[0].sku"]


def test_prices_are_in_the_currency_of_the_shop(shop) -> None:
    order = shop.order()
    assert order.lines[0].price == 12_500_000
    assert order.value == 2 * 12_500_000 + 12_500_000 + (41 + 50 + 5) * 1_000_000 + 2_500_000
    plain = shop.order(lambda o: o["line_items"][0].pop("price_set"))
    assert plain.lines[0].price == 12_500_000
    differs = shop.order(lambda o: o["line_items"][0].update(price="99.00"))
    assert differs.lines[0].price == 12_500_000


def test_another_currency_in_shop_money_is_refused(shop) -> None:
    def change(order) -> None:
        order["line_items"][1]["price_set"]["shop_money"]["currency_code"] = "USD"

    assert list(problems(shop, change)) == ["$.line_items[1].price_set.shop_money.currency_code"]


@pytest.mark.parametrize("price", [12.5, 12, "12,50", "-1.00", "1e2", "NaN", "", "0.0000001"])
def test_money_is_decimal_text(shop, price: object) -> None:
    found = problems(shop, lambda o: o["line_items"][0].update(price=price, price_set=None))
    assert list(found) == ["$.line_items[0].price"]


def test_weight_and_vendor_are_attributes_of_a_line(shop) -> None:
    assert dict(shop.order().lines[0].attributes) == {"grams": 350, "vendor": "Northwind"}


def test_only_the_properties_that_are_mapped_are_copied(shop_with) -> None:
    shop = shop_with(
        line_properties={"Gift wrap": "gift_wrap", "size": "size"},
        note_attributes={"gift": "is_gift"},
    )

    def change(order) -> None:
        order["line_items"][1]["properties"] = [
            {"name": "size", "value": 7},
            {"name": ["size"], "value": 8},
            {"name": "Gift wrap", "value": " much\n" + "x" * 500},
            {"name": "size", "value": {"deep": [1]}},
            "size",
            None,
        ]
        order["line_items"][2]["properties"] = {"size": 1}

    order = shop.order(change)
    assert dict(order.lines[0].attributes)["gift_wrap"] == "yes"
    second = dict(order.lines[1].attributes)
    assert second["size"] == 7
    assert len(str(second["gift_wrap"])) == 200
    assert "size" not in dict(order.lines[2].attributes)
    assert dict(order.attributes)["is_gift"] == "yes"
    assert list(second) == sorted(second)


def test_the_destination_is_country_region_and_postal(shop) -> None:
    assert shop.order().destination == Destination("AT", "8", "6900")


@pytest.mark.parametrize(("digits", "postal"), [(0, "SW1A 1AA"), (4, "SW1A"), (5, "SW1A1")])
def test_the_postal_code_is_cut_as_configured(shop_with, digits: int, postal: str) -> None:
    address = {"country_code": "GB", "province_code": "ENG", "zip": " sw1a  1aa "}
    shop = shop_with(digits)
    captured = shop.captured(lambda order: order["shipping_address"].update(address))
    assert captured.order.destination == Destination("GB", "ENG", postal)
    assert captured.person.postal == "sw1a 1aa"


def test_the_channel_may_keep_more_or_less_of_the_postal_code_than_the_application() -> None:
    from domcore.settings import ChannelSettings
    from domcore_shopify.building import build_channels

    for own, kept in ((None, 3), (0, 0), (5, 5)):
        options = {"secrets": ["s"]} | ({} if own is None else {"postal_digits": own})
        (channel,) = build_channels([ChannelSettings("a", "shopify", "main", options)], {}, 3)
        assert channel._reader.postal_digits == kept


@pytest.mark.parametrize("address", [None, {}, {"country_code": None, "name": "Mira"}])
def test_without_an_address_there_is_no_destination(shop, address: object) -> None:
    assert shop.order(lambda order: order.update(shipping_address=address)).destination is None


def test_a_country_is_two_letters(shop) -> None:
    for code in ("A", "AUT", "4T", "É1"):
        found = problems(shop, lambda o, c=code: o["shipping_address"].update(country_code=c))
        assert list(found) == ["$.shipping_address.country_code"]


def test_personal_data_is_in_the_person_only(shop) -> None:
    captured = shop.captured()
    assert captured.person == Person(
        name="Mira Okafor",
        email="mira.okafor@post.example",
        phone="+43 5574 000000",
        street=("Seilergasse 4", "Top 12"),
        city="Bregenz",
        region="AT-8",
        postal="6900",
        country="AT",
    )
    kept = repr(captured.order)
    for word in ("Mira", "Okafor", "Seilergasse", "post.example", "5574", "Bregenz", "203.0"):
        assert word not in kept


def test_without_an_address_the_customer_is_the_person(shop) -> None:
    person = shop.captured(lambda order: order.update(shipping_address=None)).person
    assert (person.name, person.city) == ("Mira Okafor", "")
    nobody = {"shipping_address": None, "customer": None, "email": "", "contact_email": None}
    assert shop.captured(lambda order: order.update(nobody)).person is None


def test_line_breaks_and_control_characters_in_an_address_do_no_harm(shop) -> None:
    odd = {"address1": "Seilergasse\r\n4\x1b[2J", "name": "Mi\u0301ra\u2028Okafor"}
    person = shop.captured(lambda order: order["shipping_address"].update(odd)).person
    assert person.street[0] == "Seilergasse 4[2J"
    assert person.name == "Míra Okafor"


@pytest.mark.parametrize(
    ("services", "service"),
    [
        ({}, "standard"),
        ({"dhl-exp": "express"}, "express"),
        ({"Tomorrow before noon": "next-day"}, "next-day"),
        ({"Other": "slow"}, "standard"),
    ],
)
def test_the_shipping_line_gives_the_service(shop_with, services, service: str) -> None:
    assert shop_with(services=services).order().service == service


def test_removed_shipping_lines_give_no_service(shop_with) -> None:
    shop = shop_with(services={"DHL-EXP": "express"}, default_service="economy")
    assert shop.order(lambda o: o["shipping_lines"][0].update(is_removed=True)).service == "economy"
    assert shop.order(lambda o: o.update(shipping_lines=None)).service == "economy"


@pytest.mark.parametrize(
    ("tiers", "tier"),
    [
        ({}, ""),
        ({"vip": "gold"}, "gold"),
        ({"priority": "express-club"}, "express-club"),
        ({"wholesale": "b2b"}, ""),
        ({"newsletter": "reader", "vip": "gold"}, "reader"),
    ],
)
def test_tags_give_the_tier_in_the_order_of_the_options(shop_with, tiers, tier: str) -> None:
    assert shop_with(tiers=tiers).order().customer_tier == tier


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated", "orders/paid"])
def test_topics_that_bring_an_order_capture_it(shop, topic: str) -> None:
    assert isinstance(shop.read(shop.body(), topic=topic), CaptureOrder)


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated", "orders/cancelled"])
def test_a_cancelled_order_is_cancelled_whatever_the_topic(shop, topic: str) -> None:
    cancelled = {"cancelled_at": "2026-03-02T09:15:03+01:00", "cancel_reason": "customer"}
    body = shop.body(lambda order: order.update(cancelled))
    assert shop.read(body, topic=topic, delivery_id="d") == CancelOrder(
        "main", "web", "5501", UPDATED, "customer", "d"
    )


@pytest.mark.parametrize("topic", ["orders/edited", "orders/delete", "products/update", "nonsense"])
def test_other_topics_are_ignored_with_a_reason_and_unread(shop, topic: str) -> None:
    command = shop.read(b"not even JSON", topic=topic)
    assert isinstance(command, Ignore)
    assert topic in command.reason


def test_test_orders_are_ignored_unless_wanted(shop, shop_with) -> None:
    body = shop.body(lambda order: order.update(test=True))
    assert shop.read(body) == Ignore(
        "test order 5501", shop.deliver(body).headers["x-shopify-webhook-id"]
    )
    assert isinstance(shop_with(test_orders="capture").read(body), CaptureOrder)


def test_an_order_that_has_left_whole_is_ignored_unless_wanted(shop, shop_with) -> None:
    def left(order) -> None:
        order["fulfillment_status"] = "fulfilled"
        for line in order["line_items"]:
            line["current_quantity"] = line["quantity"]

    assert isinstance(shop.read(shop.body(left)), Ignore)
    assert isinstance(shop_with(fulfilled_orders="capture").read(shop.body(left)), CaptureOrder)


def test_an_order_whose_rest_was_taken_off_is_captured_though_it_says_fulfilled(shop) -> None:
    order = shop.order(lambda order: order.update(fulfillment_status="fulfilled"))
    assert order.lines[0].quantity == 2


def test_revisions_follow_the_update_time(shop) -> None:
    later = shop.order(lambda order: order.update(updated_at="2026-03-02T08:15:04Z"))
    assert later.revision == UPDATED + 1_000_000


@pytest.mark.parametrize(
    "triggered_at", ["2026-03-02T08:15:03.250Z", "2026-03-02T08:15:09Z", "yesterday", ""]
)
def test_an_unsigned_time_moves_no_revision(shop, triggered_at: str) -> None:
    assert shop.order(triggered_at=triggered_at).revision == UPDATED


def test_of_two_bodies_from_one_second_the_one_that_is_farther_on_is_the_later(shop) -> None:
    def parcels(number: int):
        each = {"id": 1, "line_items": [], "status": "success"}
        return lambda order: order.update(fulfillments=[each] * number)

    told = [shop.order(parcels(number)).revision for number in (0, 1, 2)]
    assert told == sorted(set(told))
    assert all(UPDATED <= each < UPDATED + 900_000 for each in told)


def test_all_bad_fields_are_named_at_once(shop) -> None:
    def change(order) -> None:
        order["id"] = "5501"
        order["updated_at"] = "2026-03-02T09:15:03"
        order["currency"] = None
        order["line_items"][0].update(quantity=-1, current_quantity=True)
        del order["line_items"][2]["id"]
        order["line_items"][3] = "x"
        order["customer"] = []

    assert list(problems(shop, change)) == [
        "$.id",
        "$.updated_at",
        "$.currency",
        "$.line_items[0].quantity",
        "$.line_items[0].current_quantity",
        "$.line_items[2].id",
        "$.line_items[3]",
        "$.customer",
    ]


def test_a_line_id_may_not_stand_twice(shop) -> None:
    found = problems(shop, lambda o: o["line_items"][3].update(id=101))
    assert list(found) == ["$.line_items[3].id"]


@pytest.mark.parametrize("key", ["id", "updated_at", "created_at", "currency", "line_items"])
def test_what_an_order_cannot_be_without_is_missed_by_name(shop, key: str) -> None:
    assert problems(shop, lambda order: order.pop(key)) == {f"$.{key}": "is missing"}


def test_api_bodies_are_read_where_they_are_accepted(shop_with) -> None:
    shop = shop_with(api_bodies="accept")
    body = shop.body()
    other = shop.body(lambda order: order.update(id=5502, cancelled_at="2026-03-02T09:15:03Z"))
    read = shop.channel.receive
    (single,) = read(Envelope("web", json.dumps({"order": body}).encode()))
    page = read(
        Envelope(
            "web",
            json.dumps({"orders": [body, other]}).encode(),
            {"x-shopify-api-version": "2026-07"},
        )
    )
    assert isinstance(single, CaptureOrder)
    assert single.key == ""
    assert [type(command) for command in page] == [CaptureOrder, CancelOrder]
    other["line_items"][0]["quantity"] = None
    good, bad = read(Envelope("web", json.dumps({"orders": [body, other]}).encode()))
    assert isinstance(good, CaptureOrder)
    assert isinstance(bad, Unreadable)
    assert (bad.external_id, bad.number) == ("5502", other["name"])
    assert "line_items[0].quantity" in bad.reason
    body["line_items"][0].update(sku="A\x1b-1")
    with pytest.raises(PayloadError, match=r"\$\.order\.line_items\[0\]"):
        read(Envelope("web", json.dumps({"order": body}).encode()))


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"x"', b'{"order": []}', b'{"orders": {}}'])
def test_other_unsigned_bodies_are_refused(shop_with, body: bytes) -> None:
    with pytest.raises(PayloadError):
        shop_with(api_bodies="accept").channel.receive(Envelope("web", body))
