"""What Shopify tells besides orders and refunds: stock at its locations, and fulfillments."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from domcore.errors import Problem
from domcore.model import Command, Ignore, Notice, ObserveStock, Package, StockCount
from domcore_shopify.keys import MARK, key_in
from domcore_shopify.options import Options
from domcore_shopify.orders import Delivery
from domcore_shopify.payload import FulfillmentBody, InventoryBody
from domcore_shopify.text import one_line

ITEM: Final = "inventory_item:"
"""What an alias of an inventory item begins with; its number follows."""

_GOING: Final = {"pending": "in_progress", "open": "in_progress", "success": "shipped"}
_SHIPMENT: Final = {"delivered": "delivered", "failure": "exception"}
_LONGEST: Final = 255


@frozen(slots=True)
class NewsReader:
    """Turns bodies about stock and fulfillments of one channel into commands."""

    channel: str
    owner: str
    options: Options

    def stock(self, body: InventoryBody, delivery: Delivery) -> Command:
        """A count, where Shopify's word is taken for stock; below zero counts as none."""
        if self.options.stock == "off":
            return Ignore("stock in Shopify is not followed (stock)", delivery.key)
        node = self.options.locations.get(str(body.location_id))
        if node is None:
            return Ignore(f"location {body.location_id} is no node (locations)", delivery.key)
        if body.available is None:
            return Ignore(f"item {body.inventory_item_id} is not tracked there", delivery.key)
        count = StockCount(
            f"{ITEM}{body.inventory_item_id}",
            node,
            on_hand=max(body.available, 0),
            as_of=body.updated_at,
        )
        return ObserveStock(self.owner, (count,), delivery.key, self.channel)

    def fulfillment(
        self, body: FulfillmentBody, delivery: Delivery, problems: list[Problem]
    ) -> Command:
        """News of our fulfillment order whose key it carries; any other is not for us."""
        key = key_in(body)
        if not key:
            return Ignore(
                f"fulfillment {body.id} carries no key of a fulfillment order", delivery.key
            )
        status = _SHIPMENT.get(body.shipment_status or "", _GOING.get(body.status or "", ""))
        if not status and body.status in ("error", "failure"):
            status = "exception"
        if not status:
            return Ignore(f"fulfillment {body.id} is {body.status or 'unknown'}", delivery.key)
        at = (body.updated_at if status != "shipped" else None) or body.created_at
        if at is None:
            problems.append(Problem(f"{delivery.path}.created_at", "is missing"))
            return Ignore("", delivery.key)
        lines = tuple((str(line.id), line.quantity) for line in body.line_items if line.quantity)
        boxes = (_package(body, status, lines),) if status not in ("in_progress",) else ()
        return Notice(
            key,
            status,
            at,
            lines=lines,
            packages=boxes,
            reference=str(body.id),
            vendor_status=body.shipment_status or body.status or "",
        )


def _package(body: FulfillmentBody, status: str, lines: tuple[tuple[str, int], ...]) -> Package:
    numbers = [each for each in body.tracking_numbers or () if not each.startswith(MARK)]
    return Package(
        id=f"shopify-{body.id}",
        lines=lines,
        carrier=one_line(body.tracking_company)[:_LONGEST],
        tracking=one_line(", ".join(numbers))[:_LONGEST],
        url=one_line(next(iter(body.tracking_urls or ()), ""))[:2_000],
        status=status if status in ("delivered", "exception") else "shipped",
        delivered_at=body.updated_at if status == "delivered" else None,
    )
