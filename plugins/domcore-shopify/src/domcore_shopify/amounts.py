"""What the customer pays, in the shop's currency. What is not told is None, never 0."""

from __future__ import annotations

from collections.abc import Iterable

from domcore_shopify.payload import LineItem, MoneySet, OrderBody, ShippingLine


def shop_money(both: MoneySet | None, plain: int | None) -> int | None:
    """The shop's side of a price; without one the plain field, which is in the shop's currency."""
    if both is not None and both.shop_money is not None:
        return both.shop_money.amount
    return plain


def total_of(amounts: Iterable[int | None]) -> int | None:
    """The sum of what is told; None where nothing is."""
    told = [amount for amount in amounts if amount is not None]
    return sum(told) if told else None


def line_discount(item: LineItem) -> int | None:
    """What is taken off all units of a line, its share of the order's discounts included."""
    if item.discount_allocations is None:
        return item.total_discount
    shares = [shop_money(each.amount_set, each.amount) for each in item.discount_allocations]
    return sum(share or 0 for share in shares)


def line_tax(item: LineItem) -> int | None:
    """The tax on all units of a line."""
    if item.tax_lines is None:
        return None
    return sum(shop_money(each.price_set, each.price) or 0 for each in item.tax_lines)


def shipping(body: OrderBody) -> tuple[int | None, int | None, int | None]:
    """Delivery before discounts, what is taken off it, and its tax."""
    lines = [line for line in body.shipping_lines or () if not line.is_removed]
    prices = [shop_money(line.price_set, line.price) for line in lines]
    return (
        total_of(prices),
        total_of(map(_discount, lines)),
        total_of(_tax(line) for line in lines),
    )


def _discount(line: ShippingLine) -> int | None:
    price = shop_money(line.price_set, line.price)
    paid = shop_money(line.discounted_price_set, line.discounted_price)
    return None if price is None or paid is None else max(0, price - paid)


def _tax(line: ShippingLine) -> int | None:
    if line.tax_lines is None:
        return None
    return sum(shop_money(each.price_set, each.price) or 0 for each in line.tax_lines)


def total(body: OrderBody) -> int | None:
    """All that the customer pays, after what was refunded or edited away."""
    now = shop_money(body.current_total_price_set, body.current_total_price)
    return now if now is not None else shop_money(body.total_price_set, body.total_price)
