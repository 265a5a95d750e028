"""WooCommerce's line items as order lines, less what was refunded of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from domcore.errors import Problem
from domcore.model import Attribute, OrderLine
from domcore_woocommerce.options import Options
from domcore_woocommerce.payload import LineItem, OrderBody, RefundBody, RefundedLine
from domcore_woocommerce.text import one_line

LONGEST_VALUE: Final = 200
_REFUNDED: Final = "_refunded_item_id"
_LINE_ID: Final = re.compile(r"\d{1,19}", re.ASCII)


def read_lines(
    body: OrderBody,
    options: Options,
    refunded: Mapping[int, int],
    path: str,
    problems: list[Problem],
    *,
    wanted: bool = True,
) -> tuple[OrderLine, ...]:
    """All lines of an order; what cannot be read is added to `problems`.

    Args:
        refunded: units by line id.
        wanted: False where nothing of the order may leave for now.
    """
    lines: list[OrderLine] = []
    seen: set[int] = set()
    goes = options.without_shipping == "ship" or bool(body.shipping_lines)
    for at, item in enumerate(body.line_items):
        place = f"{path}.line_items[{at}]"
        if item.id in seen:
            problems.append(Problem(f"{place}.id", "the same line id stands here twice"))
        seen.add(item.id)
        ships = goes and not is_virtual(item, options)
        line = OrderLine(
            id=str(item.id),
            sku=_sku(item, place, problems),
            quantity=item.quantity,
            price=_price(item),
            ships=ships,
            attributes=tuple(sorted(mapped(item.meta_data, options.line_meta).items())),
            discount=_discount(item),
            tax=positive(item.total_tax),
        )
        lines.append(line.less(refunded.get(item.id, 0) if wanted else item.quantity))
    return tuple(lines)


def is_virtual(item: LineItem, options: Options) -> bool:
    """Whether the options name this line as one that does not ship; a body never says so."""
    names = {(item.sku or "").strip(), str(item.product_id), str(item.variation_id or "")} - {""}
    if names & set(options.virtual):
        return True
    marked = (value for key, value in _pairs(item.meta_data) if key == options.virtual_meta)
    return bool(options.virtual_meta) and any(map(_is_true, marked))


def units_refunded(body: OrderBody, refunds: Iterable[RefundBody]) -> dict[int, int]:
    """Units that were refunded of each line. A refund names the line in its own data; where an
    old shop does not, the first line of the product is meant."""
    by_line: Counter[int] = Counter()
    for refund in refunds:
        for line in refund.line_items:
            id = _refunded_line(body, line)
            if id is not None:
                by_line[id] += abs(line.quantity)
    return dict(by_line)


def _refunded_line(body: OrderBody, line: RefundedLine) -> int | None:
    for name, value in _pairs(line.meta_data):
        if name == _REFUNDED and isinstance(value, str | int) and _LINE_ID.fullmatch(str(value)):
            return int(value)
    product = (line.product_id, line.variation_id or 0)
    for each in body.line_items:
        if (each.product_id, each.variation_id or 0) == product:
            return each.id
    return None


def _sku(item: LineItem, place: str, problems: list[Problem]) -> str:
    """The SKU; without one, an id that an alias can map to a SKU: of the product, or where that was
    deleted, of the line. A line that ships and has no item waits for one."""
    sku = (item.sku or "").strip()
    if sku:
        if len(sku) > 255 or not sku.isprintable():
            problems.append(Problem(f"{place}.sku", "is too long or has a control character in it"))
        return sku
    if item.product_id:
        return product_name(item.product_id, item.variation_id or 0)
    return f"line:{item.id}"


def product_name(product: int, variation: int = 0) -> str:
    """What an alias calls a product or a variation: ``product:22``, ``product:22/23``."""
    return f"product:{product}/{variation}" if variation else f"product:{product}"


def _price(item: LineItem) -> int:
    """Micros per unit before discounts, without tax, rounded half-even."""
    whole = item.subtotal if item.subtotal is not None else item.total
    if not whole or whole < 0 or not item.quantity:
        return 0
    units, rest = divmod(whole, item.quantity)
    twice = 2 * rest
    return units + (twice > item.quantity or (twice == item.quantity and units % 2 == 1))


def _discount(item: LineItem) -> int | None:
    """What is taken off all units of a line."""
    if item.subtotal is None or item.total is None:
        return None
    return max(0, item.subtotal - item.total)


def positive(amount: int | None) -> int | None:
    """An amount that cannot be less than nothing."""
    return None if amount is None else max(0, amount)


def mapped(
    pairs: Any, names: Mapping[str, str], *, longest: int = LONGEST_VALUE
) -> dict[str, Attribute]:
    """Values of a ``[{"key": ..., "value": ...}]`` list whose keys the options map.

    Shoppers and other plugins write these lists, so what does not fit is passed over.
    """
    found: dict[str, Attribute] = {}
    for name, value in _pairs(pairs) if names else ():
        if name in names:
            if isinstance(value, str):
                found[names[name]] = one_line(value)[:longest]
            elif isinstance(value, bool | int):
                found[names[name]] = value
    return found


def _pairs(value: Any) -> Iterable[tuple[str, Any]]:
    for pair in value if isinstance(value, list) else ():
        if isinstance(pair, dict) and isinstance(pair.get("key"), str):
            yield pair["key"], pair.get("value")


def _is_true(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() not in ("", "0", "no", "false", "off")
    return bool(value)
