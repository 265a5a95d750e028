"""What shipment news says has left."""

from __future__ import annotations

from collections import Counter
from typing import Final

from domcore.model import ShipmentNews

SHIPPED: Final = ("fulfillment.shipped", "fulfillment.partially_shipped")
TOLD_AGAIN: Final = "left after all"


def units_that_left(news: ShipmentNews) -> dict[str, int]:
    """The units of this news that have left, by line.

    Goods may leave under any word: a node may say "delivered" without ever having said "shipped".
    What an event says again of units that were thought lost is passed over.
    """
    rows = news.body.get("lines")
    if not rows:
        return dict(news.lines) if news.kind in SHIPPED else {}
    units: Counter[str] = Counter()
    if news.body.get("reason") != TOLD_AGAIN:
        for row in rows:
            if len(row) == 3 and row[1] == "shipped":
                units[row[0]] += row[2]
    return {line: count for line, count in units.items() if count > 0}
