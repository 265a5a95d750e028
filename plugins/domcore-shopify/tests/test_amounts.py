"""What the customer paid, and what they wrote."""

from __future__ import annotations

from typing import Any

UNIT = 1_000_000


def shop_side(amount: str) -> dict[str, Any]:
    """A price whose shopper's side must never be read."""
    return {
        "shop_money": {"amount": amount, "currency_code": "EUR"},
        "presentment_money": {"amount": "999.00", "currency_code": "USD"},
    }


def test_amounts_are_read_in_the_shop_s_currency_and_for_what_is_still_wanted(shop) -> None:
    def change(order: dict[str, Any]) -> None:
        first, second = order["line_items"][:2]
        first.update(quantity=4, current_quantity=2, fulfillable_quantity=2)
        first["discount_allocations"] = [
            {"amount": "9.00", "amount_set": shop_side("3.00")},
            {"amount": "1.00"},
        ]
        first["tax_lines"] = [{"price": "2.00", "price_set": shop_side("1.00")}]
        second.update(discount_allocations=[], tax_lines=None, total_discount="5.00")
        order["shipping_lines"] = [
            {"price": "9.00", "is_removed": True},
            {"price": "6.50", "discounted_price": "5.00", "tax_lines": [{"price": "0.50"}]},
        ]
        order.update(current_total_price="42.10", total_price="99.00")

    order = shop.order(change)
    first, second = order.lines[:2]
    assert (first.quantity, first.discount, first.tax) == (2, 2 * UNIT, UNIT // 2)
    assert (second.discount, second.tax) == (0, None)
    assert (order.shipping, order.shipping_discount) == (6_500_000, 1_500_000)
    assert (order.shipping_tax, order.total) == (500_000, 42_100_000)


def test_what_a_body_does_not_tell_is_unknown(shop) -> None:
    def change(order: dict[str, Any]) -> None:
        for line in order["line_items"]:
            for name in ("discount_allocations", "tax_lines", "total_discount"):
                line.pop(name, None)
        order["shipping_lines"] = [{"code": "x"}]
        for name in list(order):
            if "total" in name:
                del order[name]

    order = shop.order(change)
    assert {(line.discount, line.tax) for line in order.lines} == {(None, None)}
    assert (order.shipping, order.shipping_discount, order.shipping_tax) == (None, None, None)
    assert (order.total, order.discount) == (None, None)


def test_words_are_taken_only_from_where_the_options_say(shop_with) -> None:
    def change(order: dict[str, Any]) -> None:
        order["note"] = "Ring at the back"
        order["note_attributes"] = [{"name": "Card", "value": "Happy day"}]

    shop = shop_with(gift_message="Card", instructions="note")
    person = shop.read(shop.body(change)).person
    assert (person.gift_message, person.instructions) == ("Happy day", "Ring at the back")
    plain = shop_with()
    person = plain.read(plain.body(change)).person
    assert (person.gift_message, person.instructions) == ("", "")
