"""Shopify's line items as order lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from domcore.errors import Problem
from domcore.model import Attribute, OrderLine
from domcore_shopify.amounts import line_discount, line_tax
from domcore_shopify.payload import LineItem, OrderBody
from domcore_shopify.text import one_line

LONGEST_VALUE = 200


def read_lines(
    body: OrderBody, properties: Mapping[str, str], path: str, problems: list[Problem]
) -> tuple[OrderLine, ...]:
    """All lines of an order; what cannot be read is added to `problems`."""
    lines: list[OrderLine] = []
    seen: set[int] = set()
    handed_over = is_walk_in(body)
    fulfilled = units_fulfilled(body)
    for at, item in enumerate(body.line_items):
        place = f"{path}.line_items[{at}]"
        if item.id in seen:
            problems.append(Problem(f"{place}.id", "the same line id stands here twice"))
        seen.add(item.id)
        ships = not handed_over and not item.gift_card and item.requires_shipping is not False
        line = OrderLine(
            id=str(item.id),
            sku=_sku(item, place, problems),
            quantity=item.quantity,
            price=_price(item, body.currency, place, problems),
            ships=ships,
            attributes=_attributes(item, properties),
            discount=line_discount(item),
            tax=line_tax(item),
        )
        # Amounts are told of all units that were ordered.
        lines.append(line.less(item.quantity - wanted(item, fulfilled[item.id])))
    return tuple(lines)


def is_walk_in(body: OrderBody) -> bool:
    """Whether it was sold over a shop's counter: such goods have been handed over already."""
    return body.source_name == "pos" and body.shipping_address is None


def units_fulfilled(body: OrderBody) -> Counter[int]:
    """How many units of each line Shopify has seen leave."""
    units: Counter[int] = Counter()
    for fulfillment in body.fulfillments or ():
        if fulfillment.stands:
            for line in fulfillment.line_items:
                units[line.id] += line.quantity
    return units


def wanted(item: LineItem, fulfilled: int = 0) -> int:
    """Units still wanted, those that have left included.

    `current_quantity` is what was ordered without what was removed or refunded. A refund of units
    that had left lowers it, too, though nothing more must stay behind for that: so it never counts
    for less than what has left and what Shopify still means to fulfill. Bodies of old API
    versions lack it: there, `fulfillable_quantity` is the same while nothing of the line has
    left; afterwards it is only the rest, and `quantity` is the nearest there is.
    """
    if item.current_quantity is not None:
        if not fulfilled or item.fulfillable_quantity is None:
            return item.current_quantity
        return max(item.current_quantity, min(item.quantity, fulfilled + item.fulfillable_quantity))
    if item.fulfillable_quantity is not None and item.fulfillment_status is None:
        return item.fulfillable_quantity
    return item.quantity


def _sku(item: LineItem, place: str, problems: list[Problem]) -> str:
    """The SKU; without one, an id that an alias can map to a SKU: of the variant, or where there is
    none (a custom line, a deleted product), of the line. A line that ships and has no item waits
    for one."""
    sku = (item.sku or "").strip()
    if sku:
        if len(sku) > 255 or not sku.isprintable():
            problems.append(Problem(f"{place}.sku", "is too long or has a control character in it"))
        return sku
    if item.variant_id is not None:
        return f"variant:{item.variant_id}"
    return f"line:{item.id}"


def _price(item: LineItem, currency: str, place: str, problems: list[Problem]) -> int:
    """Micros per unit, before discounts, in the shop's currency."""
    shop = item.price_set.shop_money if item.price_set else None
    if shop is None:
        return item.price or 0
    if shop.currency_code != currency:
        problems.append(
            Problem(
                f"{place}.price_set.shop_money.currency_code", "is not the currency of the order"
            )
        )
    return shop.amount


def _attributes(item: LineItem, properties: Mapping[str, str]) -> tuple[tuple[str, Attribute], ...]:
    found: dict[str, Attribute] = {}
    if item.grams is not None:
        found["grams"] = item.grams
    if item.gift_card:
        found["gift_card"] = True
    vendor = one_line(item.vendor)[:LONGEST_VALUE]
    if vendor:
        found["vendor"] = vendor
    found |= mapped(item.properties, properties)
    return tuple(sorted(found.items()))


def mapped(
    pairs: object, names: Mapping[str, str], *, longest: int = LONGEST_VALUE
) -> dict[str, Attribute]:
    """Values of a ``[{"name": ..., "value": ...}]`` list whose names the options map.

    Shoppers and apps write these lists, so what does not fit is passed over, not refused.
    """
    found: dict[str, Attribute] = {}
    if not names or not isinstance(pairs, list):
        return found
    for pair in pairs:
        if not isinstance(pair, dict):
            continue
        name, value = pair.get("name"), pair.get("value")
        if not isinstance(name, str) or name not in names:
            continue
        if isinstance(value, str):
            found[names[name]] = one_line(value)[:longest]
        elif isinstance(value, bool | int):
            found[names[name]] = value
    return found
