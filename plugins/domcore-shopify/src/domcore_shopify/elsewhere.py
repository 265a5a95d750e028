"""Fulfillments that an order's body tells of: goods that have left, whoever sent them.

Those that carry a key of ours are news of our own work, and are not told here. Those that we told
the shop of come back with the number that we gave them; it goes with the command, and by it the
order knows its own boxes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from domcore.model import ShippedElsewhere
from domcore.model.clock import to_micros
from domcore_shopify.keys import MARK, key_in
from domcore_shopify.options import Options
from domcore_shopify.payload import FulfillmentBody, OrderBody

_LEFT: Final = ("success", None)
_LONGEST: Final = 1000


def sent_elsewhere(
    body: OrderBody, channel: str, owner: str, options: Options
) -> Iterator[ShippedElsewhere]:
    """One command for each fulfillment of an order that has left, or was taken back again."""
    for each in body.fulfillments or ():
        if key_in(each) or (each.stands and each.status not in _LEFT):
            continue
        units: Counter[str] = Counter()
        for line in each.line_items if each.stands else ():
            units[str(line.id)] += line.quantity
        if each.stands and not any(units.values()):
            continue
        changed = each.updated_at or each.created_at or body.updated_at
        yield ShippedElsewhere(
            owner=owner,
            channel=channel,
            external_id=str(body.id),
            name=f"fulfillment-{each.id}",
            revision=max(0, to_micros(changed)),
            at=each.created_at or changed,
            lines=tuple((line, count) for line, count in sorted(units.items()) if count),
            node=options.locations.get(str(each.location_id), ""),
            tracking=_numbers(each),
        )


def _numbers(body: FulfillmentBody) -> tuple[str, ...]:
    """What its boxes are called, also by news of our own work that came with a key."""
    numbers = (each[:_LONGEST] for each in body.tracking_numbers or ())
    return (f"shopify-{body.id}", *(each for each in numbers if each and not each.startswith(MARK)))
