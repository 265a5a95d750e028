"""What a shop is told: stock, what left, what will not."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from domcore.errors import ConnectorError
from domcore.model import ShipmentNews, StockLevel
from domcore.plugin_kit.calls import Answer
from domcore_shopify.api import Api
from domcore_shopify.news import ITEM
from domcore_shopify.options import Options
from domcore_shopify.parcels import Parcel, parcels_of, still_to_tell

CANCELLED: Final = "order.cancelled"
_OPEN: Final = ("open", "in_progress")
_WAITING: Final = ("on_hold", "scheduled")
_LOGGER = logging.getLogger("domcore_shopify")

Lines = dict[int, dict[int, int]]
"""Units by fulfillment order and its line, both as Shopify numbers them."""


class Teller:
    """Tells one shop. Everything here may be told twice."""

    def __init__(self, api: Api, options: Options, name: str) -> None:
        self._api = api
        self._options = options
        self._name = name
        self._location = {node: int(id) for id, node in options.locations.items()}

    def stock(self, levels: Sequence[StockLevel]) -> None:
        """Set what is available, item by item and location by location.

        Raises:
            ConnectorError: the shop cannot be reached or refuses.
        """
        for level in levels:
            location = self._location_of(level)
            for item in sorted({id.removeprefix(ITEM) for id in level.external_ids if ITEM in id}):
                if location is None or not item.isdecimal():
                    continue
                body = {
                    "location_id": location,
                    "inventory_item_id": int(item),
                    "available": level.available,
                }
                self._api.post("inventory_levels/set.json", body, repeatable=True)

    def _location_of(self, level: StockLevel) -> int | None:
        """The node's location; the sum over all nodes goes to the only one there is."""
        if level.node:
            return self._location.get(level.node)
        if len(self._location) != 1:
            raise ConnectorError(
                f"channel {self._name}: one level for {len(self._location)} locations: name one"
                " location, or set publish = 'nodes'"
            )
        return next(iter(self._location.values()))

    def news(self, news: ShipmentNews) -> None:
        """Tell of boxes that left, and of an order that was cancelled here; the shop has no use
        for other news.

        Raises:
            ConnectorError: the shop cannot be reached, or a person has to do something there.
        """
        if news.kind == CANCELLED:
            if self._options.cancellations == "push":
                self._cancelled(news.order.external_id)
        elif parcels := parcels_of(news):
            self._shipped(news, parcels)

    def _shipped(self, news: ShipmentNews, parcels: Sequence[Parcel]) -> None:
        order = f"orders/{_number(news.order.external_id)}"
        told = _list(self._api.get(f"{order}/fulfillments.json", {"limit": "250"}), "fulfillments")
        for parcel in parcels:
            missing = still_to_tell(parcel, told)
            if missing:
                answer = self._api.get(f"{order}/fulfillment_orders.json")
                self._fulfill(parcel, missing, _list(answer, "fulfillment_orders"), news)

    def _fulfill(
        self,
        parcel: Parcel,
        units: Mapping[str, int],
        orders: Sequence[Mapping[str, Any]],
        news: ShipmentNews,
    ) -> None:
        """One fulfillment for each location that Shopify has the units at."""
        here = self._location.get(news.node)
        ranked = sorted(
            (each for each in orders if each.get("status") in _OPEN),
            key=lambda each: (each.get("assigned_location_id") != here, int(each["id"])),
        )
        places = {int(each["id"]): each.get("assigned_location_id") for each in ranked}
        found, missing = spread(units, ranked)
        if missing and any(each.get("status") in _WAITING for each in orders):
            raise ConnectorError(
                f"channel {self._name}: order {news.order.external_id} is on hold in Shopify, but"
                f" {news.fulfillment_order} has left: release the hold there"
            )
        if missing:
            _LOGGER.warning(
                "%s: order %s: Shopify has nothing left to fulfill of lines %s",
                self._name, news.order.external_id, ", ".join(sorted(missing)),
            )  # fmt: skip
        by_place: defaultdict[Any, Lines] = defaultdict(dict)
        for id, lines in found.items():
            by_place[places[id]][id] = lines
        for together in by_place.values():
            body = {"fulfillment": self._fulfillment(parcel, together)}
            # Not repeatable: after a lost answer the shop is asked first what it has.
            self._api.post("fulfillments.json", body, repeatable=False)

    def _fulfillment(self, parcel: Parcel, lines: Lines) -> dict[str, Any]:
        tracking = {"number": parcel.number, "company": parcel.company, "url": parcel.url}
        return {
            "line_items_by_fulfillment_order": [
                {
                    "fulfillment_order_id": id,
                    "fulfillment_order_line_items": [
                        {"id": line, "quantity": units} for line, units in sorted(wanted.items())
                    ],
                }
                for id, wanted in sorted(lines.items())
            ],
            "tracking_info": {name: text for name, text in tracking.items() if text},
            "notify_customer": self._options.notify_customers,
        }

    def _cancelled(self, external_id: str) -> None:
        order = f"orders/{_number(external_id)}"
        fields = {"fields": "id,cancelled_at,fulfillment_status"}
        answer = self._api.get(f"{order}.json", fields)
        found = answer.value.get("order") if isinstance(answer.value, dict) else None
        if not isinstance(found, dict):
            raise ConnectorError(f"{self._api.name}: the answer holds no order")
        if found.get("cancelled_at"):
            return
        if found.get("fulfillment_status"):
            raise ConnectorError(
                f"channel {self._name}: order {external_id} has left in part, and Shopify cancels"
                " only whole orders: refund the rest there, then drop this"
            )
        body = {"reason": "other", "email": self._options.notify_customers}
        self._api.post(f"{order}/cancel.json", body, repeatable=False)


def spread(
    units: Mapping[str, int], orders: Sequence[Mapping[str, Any]]
) -> tuple[Lines, dict[str, int]]:
    """Where Shopify keeps these units, and those that it does not have to fulfill any more."""
    missing = dict(units)
    found: Lines = {}
    for order, line in _lines(orders):
        name = str(line.get("line_item_id"))
        taken = min(missing.get(name, 0), int(line.get("fulfillable_quantity") or 0))
        if taken > 0:
            found.setdefault(int(order["id"]), {})[int(line["id"])] = taken
            missing[name] -= taken
    return found, {line: left for line, left in missing.items() if left > 0}


def _lines(
    orders: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for order in orders:
        for line in order.get("line_items") or ():
            yield order, line


def _list(answer: Answer, name: str) -> list[dict[str, Any]]:
    """The list of objects that the answer must hold under `name`."""
    found = answer.value.get(name) if isinstance(answer.value, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ConnectorError(f"the answer holds no {name}")
    return found


def _number(external_id: str) -> str:
    """Shopify's number of an order, which goes into a path."""
    if not (external_id.isascii() and external_id.isdecimal()):
        raise ConnectorError(f"order {external_id!r} is none of Shopify's")
    return external_id
