"""What became of an order at the vendor, as notices."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from attrs import evolve

from domcore.model import Notice, Package, Receipt
from domcore_amazon_mcf.bodies import Names
from domcore_amazon_mcf.payload import OrderDetails, OrderItem, OrderRow, Shipment, Tracking
from domcore_amazon_mcf.text import one_line
from domcore_amazon_mcf.words import (
    ON_THE_WAY,
    PACKAGE,
    REASON,
    SHIPPED,
    known_status,
    plain,
)

SECURE: Final = "https://"


def receipt_of(key: str, details: OrderDetails, names: Names) -> Receipt:
    """What became of an order, in one word, with the news that tell the rest."""
    row = details.fulfillmentOrder
    word, status = row.fulfillmentOrderStatus, known_status(row.fulfillmentOrderStatus)
    if status not in ON_THE_WAY and not any(map(_has_left, details.fulfillmentShipments or ())):
        return Receipt(status, row.sellerFulfillmentOrderId, REASON.get(plain(word), ""), word)
    # The notices say which units; a word about all of them would say too much.
    notices = notices_of(key, details, names)
    return Receipt("in_progress", row.sellerFulfillmentOrderId, vendor_status=word, notices=notices)


def notice_of(key: str, row: OrderRow) -> Notice | None:
    """News of an order that nothing has left of; None where its shipments must be looked at."""
    word, status = row.fulfillmentOrderStatus, known_status(row.fulfillmentOrderStatus)
    if status in ON_THE_WAY:
        return None
    return Notice(
        key,
        status,
        row.statusUpdatedDate,
        reason=REASON.get(plain(word), ""),
        reference=row.sellerFulfillmentOrderId,
        vendor_status=word,
    )


def notices_of(key: str, details: OrderDetails, names: Names) -> tuple[Notice, ...]:
    """All the news of one order. The same again gives the same notices."""
    row = details.fulfillmentOrder
    alone = notice_of(key, row)
    left = [each for each in details.fulfillmentShipments or () if _has_left(each)]
    base = Notice(
        key,
        "in_progress",
        row.statusUpdatedDate,
        reference=row.sellerFulfillmentOrderId,
        vendor_status=row.fulfillmentOrderStatus,
    )
    parts = [_part(base, each, names) for each in left]
    if alone is not None:
        return (*parts, alone)
    status = known_status(row.fulfillmentOrderStatus)
    if status == "in_progress":
        return (base, *parts)
    missing = [*_missing(base, details.fulfillmentOrderItems, names)]
    if status == "shipped" and not missing:
        boxes = tuple(box for each in left for box in boxes_of(each, row, names))
        return (evolve(base, status="shipped", packages=boxes),)
    return (*parts, *missing)


def boxes_of(shipment: Shipment, row: OrderRow, names: Names) -> tuple[Package, ...]:
    """The boxes of a shipment that has left, each with what is in it."""
    known = {each.packageNumber: each for each in shipment.fulfillmentShipmentPackage or ()}
    contents: dict[str, dict[str, int]] = {}
    for item in shipment.fulfillmentShipmentItem:
        number = item.packageNumber if item.packageNumber in known else None
        if number is None and len(known) == 1:
            number = next(iter(known))
        box = shipment.amazonShipmentId if number is None else str(number)
        line = names.line(item.sellerFulfillmentOrderItemId, item.sellerSku)
        inside = contents.setdefault(box, {})
        inside[line] = inside.get(line, 0) + item.quantity
    labels = {str(number): each for number, each in known.items()}
    left_at = shipment.shippingDate or row.statusUpdatedDate
    found = []
    for box, inside in sorted(contents.items()):
        if not any(inside.values()):
            continue
        label = labels.get(box)
        number_of = (
            (label.trackingNumber or label.amazonFulfillmentTrackingNumber) if label else None
        )
        found.append(
            Package(
                box,
                tuple((line, units) for line, units in sorted(inside.items()) if units),
                carrier=one_line(label.carrierCode or "") if label else "",
                tracking=one_line(number_of or ""),
                shipped_at=left_at,
            )
        )
    return tuple(found)


def followed(details: OrderDetails, names: Names) -> dict[int, Package]:
    """The boxes of an order that can be followed, by package number."""
    row = details.fulfillmentOrder
    return {
        int(box.id): box
        for each in details.fulfillmentShipments or ()
        if _has_left(each)
        for box in boxes_of(each, row, names)
        if box.id.isdecimal() and int(box.id)
    }


def tracked(key: str, reference: str, box: Package, tracking: Tracking) -> Notice | None:
    """News of a package; None while it is simply on its way."""
    word = tracking.currentStatus or ""
    status = PACKAGE.get(plain(word), "shipped")
    if status == "shipped":
        return None
    at = _latest(tracking) or box.shipped_at
    if at is None:
        return None
    there = at if status == "delivered" else None
    link = unquote(tracking.customerTrackingLink or "").strip()
    box = evolve(
        box,
        url=link if link.startswith(SECURE) and link.isprintable() else box.url,
        status="shipped" if status == "returned" else status,
        delivered_at=there,
    )
    return Notice(
        key,
        status,
        at,
        lines=box.lines,
        packages=(box,),
        reference=reference,
        vendor_status=word,
    )


def _has_left(shipment: Shipment) -> bool:
    """Whether units are told to have left with it: one that names none must not mean all."""
    units = any(item.quantity for item in shipment.fulfillmentShipmentItem)
    return units and plain(shipment.fulfillmentShipmentStatus) == SHIPPED


def _part(base: Notice, shipment: Shipment, names: Names) -> Notice:
    """News of one shipment: the same text whatever else becomes of the order."""
    boxes = boxes_of(shipment, _row_of(base), names)
    lines: dict[str, int] = {}
    for box in boxes:
        for line, units in box.lines:
            lines[line] = lines.get(line, 0) + units
    return evolve(
        base,
        status="partially_shipped",
        at=shipment.shippingDate or base.at,
        lines=tuple(sorted(lines.items())),
        packages=boxes,
        vendor_status=shipment.fulfillmentShipmentStatus,
    )


def _row_of(base: Notice) -> OrderRow:
    return OrderRow(base.reference, base.vendor_status, base.at)


def _missing(base: Notice, items: Iterable[OrderItem], names: Names) -> list[Notice]:
    """The units of a finished order that never left: nobody had them, or the seller took them
    back."""
    found = {"rejected": dict[str, int](), "cancelled": dict[str, int]()}
    for item in items:
        line = names.line(item.sellerFulfillmentOrderItemId, item.sellerSku)
        for status, units in (
            ("rejected", item.unfulfillableQuantity),
            ("cancelled", item.cancelledQuantity),
        ):
            if units:
                found[status][line] = found[status].get(line, 0) + units
    return [
        evolve(
            base,
            status=status,
            lines=tuple(sorted(lines.items())),
            reason=REASON["UNFULFILLABLE"] if status == "rejected" else "",
        )
        for status, lines in found.items()
        if lines
    ]


def _latest(tracking: Tracking) -> datetime | None:
    return max((each.eventDate for each in tracking.trackingEvents or ()), default=None)
