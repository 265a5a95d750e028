"""What a shop is told of its orders: notes with tracking, and their status."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from domcore.errors import ConnectorError
from domcore.model import ShipmentNews
from domcore.plugin_kit import units_that_left
from domcore_woocommerce.api import Api
from domcore_woocommerce.options import Options
from domcore_woocommerce.text import one_line

CANCELLED: Final = "order.cancelled"
META: Final = "_domcore_shipped"
"""The order's own data under which stands what has left: news to units by line."""

Shipped = dict[str, dict[str, int]]


class Teller:
    """Tells one shop. What it was told stands in the shop itself, so everything may be told twice,
    by whatever process."""

    def __init__(self, api: Api, options: Options, name: str) -> None:
        self._api = api
        self._options = options
        self._name = name

    def news(self, news: ShipmentNews) -> None:
        """Tell of goods that left, and of an order that was cancelled here; the shop has no use
        for other news.

        Raises:
            ConnectorError: the shop cannot be reached, or a person has to do something there.
        """
        if news.kind == CANCELLED:
            if self._options.cancellations == "push":
                self._cancelled(news)
        elif units := units_that_left(news):
            self._shipped(news, units)

    def _shipped(self, news: ShipmentNews, units: dict[str, int]) -> None:
        path = _path(news)
        order = self._order(path)
        before = _shipped_before(order)
        shipped = {**before, news.key: units}
        change: dict[str, Any] = {}
        if news.key not in before:
            change["meta_data"] = [{"key": META, "value": json.dumps(shipped, sort_keys=True)}]
        if self._options.complete and self._is_live(order) and _is_all(news, shipped):
            change["status"] = "completed"
        self._note(path, news)
        if change:
            self._api.put(path, change)

    def _note(self, path: str, news: ShipmentNews) -> None:
        """A note, unless the shop has it: its last words tell it from all others."""
        mark = f"(domcore {news.key})"
        notes = self._api.get(f"{path}/notes").value
        if not isinstance(notes, list):
            raise ConnectorError(f"{self._api.name}: the answer holds no notes")
        if any(isinstance(each, dict) and mark in str(each.get("note", "")) for each in notes):
            return
        body = {"note": f"{_words(news)} {mark}", "customer_note": self._options.notify_customers}
        # Not repeatable: after a lost answer the shop is asked first what it has.
        self._api.post(f"{path}/notes", body, repeatable=False)

    def _cancelled(self, news: ShipmentNews) -> None:
        path = _path(news)
        order = self._order(path)
        if not self._is_live(order):
            return
        if _shipped_before(order):
            raise ConnectorError(
                f"channel {self._name}: order {news.order.external_id} has left in part: refund the"
                " rest in the shop, then drop this"
            )
        self._api.put(path, {"status": "cancelled"})

    def _order(self, path: str) -> Mapping[str, Any]:
        order = self._api.get(path).value
        if not isinstance(order, dict):
            raise ConnectorError(f"{self._api.name}: the answer holds no order")
        return order

    def _is_live(self, order: Mapping[str, Any]) -> bool:
        """Whether the shop still waits for the order's goods."""
        return self._options.action(str(order.get("status", ""))) in ("capture", "nothing")


def _path(news: ShipmentNews) -> str:
    id = news.order.external_id
    if not (id.isascii() and id.isdecimal()):
        raise ConnectorError(f"order {id!r} is none of WooCommerce's")
    return f"orders/{id}"


def _shipped_before(order: Mapping[str, Any]) -> Shipped:
    """What the shop was told before; what somebody has spoiled counts as nothing."""
    for each in order.get("meta_data") or ():
        if isinstance(each, dict) and each.get("key") == META:
            try:
                told = json.loads(each.get("value") or "{}")
                return {
                    key: {line: int(units) for line, units in lines.items()}
                    for key, lines in told.items()
                }
            except (TypeError, ValueError, AttributeError):
                return {}
    return {}


def _is_all(news: ShipmentNews, shipped: Shipped) -> bool:
    """Whether every unit that the order wants has left."""
    units: Counter[str] = Counter()
    for lines in shipped.values():
        units.update(lines)
    return all(units[line.id] >= line.quantity for line in news.order.lines if line.ships)


def _words(news: ShipmentNews) -> str:
    """What a person reads, and perhaps the customer."""
    boxes = [
        " ".join(part for part in (one_line(box.carrier), one_line(box.tracking), box.url) if part)
        for box in news.packages
    ]
    told = "; ".join(box for box in boxes if box)
    return f"Shipped: {told}" if told else "Shipped"
