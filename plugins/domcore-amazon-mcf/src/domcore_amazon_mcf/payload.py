"""The part of the vendor's replies that is read; all their other keys pass unseen.

Field names are the vendor's own, so that the path in an error is the path in the reply.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from attrs import frozen

from domcore.codec.strict import Between, Count, Line, Price

Id = Annotated[str, Line(100, least=1)]
Text = Annotated[str, Line(500)]
Number = Annotated[int, Between(0, 2**31 - 1)]


@frozen(slots=True)
class OrderRow:
    """A fulfillment order without its items, as a list shows it."""

    sellerFulfillmentOrderId: Id  # noqa: N815 - the vendor's spelling
    fulfillmentOrderStatus: Text  # noqa: N815
    statusUpdatedDate: datetime  # noqa: N815


@frozen(slots=True)
class OrderItem:
    """One line: what was ordered, and what of it will not come."""

    sellerSku: Id  # noqa: N815
    sellerFulfillmentOrderItemId: Id  # noqa: N815
    quantity: Count
    cancelledQuantity: Count = 0  # noqa: N815
    unfulfillableQuantity: Count = 0  # noqa: N815


@frozen(slots=True)
class ShipmentItem:
    """Units of a line in a shipment, and which package they are in."""

    sellerSku: Id  # noqa: N815
    sellerFulfillmentOrderItemId: Id  # noqa: N815
    quantity: Count
    packageNumber: Number | None = None  # noqa: N815


@frozen(slots=True)
class ShipmentPackage:
    """One box."""

    packageNumber: Number  # noqa: N815
    carrierCode: Text | None = None  # noqa: N815
    trackingNumber: Text | None = None  # noqa: N815
    amazonFulfillmentTrackingNumber: Text | None = None  # noqa: N815


@frozen(slots=True)
class Shipment:
    """What leaves one of the vendor's buildings."""

    amazonShipmentId: Id  # noqa: N815
    fulfillmentShipmentStatus: Text  # noqa: N815
    fulfillmentShipmentItem: tuple[ShipmentItem, ...]  # noqa: N815
    fulfillmentShipmentPackage: tuple[ShipmentPackage, ...] | None = None  # noqa: N815
    shippingDate: datetime | None = None  # noqa: N815


@frozen(slots=True)
class OrderDetails:
    """A fulfillment order with everything that happened to it."""

    fulfillmentOrder: OrderRow  # noqa: N815
    fulfillmentOrderItems: tuple[OrderItem, ...]  # noqa: N815
    fulfillmentShipments: tuple[Shipment, ...] | None = None  # noqa: N815


@frozen(slots=True)
class DetailsReply:
    """The answer of getFulfillmentOrder."""

    payload: OrderDetails


@frozen(slots=True)
class OrderPage:
    """A page of orders; each is read on its own, so that a strange one spoils no other."""

    fulfillmentOrders: tuple[Any, ...] | None = None  # noqa: N815
    nextToken: Annotated[str, Line(10_000)] | None = None  # noqa: N815


@frozen(slots=True)
class PageReply:
    """The answer of listAllFulfillmentOrders."""

    payload: OrderPage


@frozen(slots=True)
class TrackingEvent:
    """A step on the way."""

    eventDate: datetime  # noqa: N815


@frozen(slots=True)
class Tracking:
    """Where a package is."""

    packageNumber: Number  # noqa: N815
    currentStatus: Text | None = None  # noqa: N815
    customerTrackingLink: Annotated[str, Line(2000)] | None = None  # noqa: N815
    shipDate: datetime | None = None  # noqa: N815
    trackingEvents: tuple[TrackingEvent, ...] | None = None  # noqa: N815


@frozen(slots=True)
class TrackingReply:
    """The answer of getPackageTrackingDetails."""

    payload: Tracking


@frozen(slots=True)
class Amount:
    """Money."""

    currencyCode: Annotated[str, Line(3, least=3)]  # noqa: N815
    value: Price


@frozen(slots=True)
class Fee:
    """One part of what it costs."""

    name: Text
    amount: Amount


@frozen(slots=True)
class PreviewShipment:
    """When a part of the order would come."""

    latestArrivalDate: datetime | None = None  # noqa: N815


@frozen(slots=True)
class UnfulfillableItem:
    """A line that cannot be shipped."""

    sellerFulfillmentOrderItemId: Id  # noqa: N815
    quantity: Count
    itemUnfulfillableReasons: tuple[Text, ...] | None = None  # noqa: N815


@frozen(slots=True)
class Preview:
    """What an order would cost at one shipping speed, and whether it can be shipped at all."""

    shippingSpeedCategory: Text  # noqa: N815
    isFulfillable: bool  # noqa: N815
    isCODCapable: bool = False  # noqa: N815
    estimatedFees: tuple[Fee, ...] | None = None  # noqa: N815
    fulfillmentPreviewShipments: tuple[PreviewShipment, ...] | None = None  # noqa: N815
    unfulfillablePreviewItems: tuple[UnfulfillableItem, ...] | None = None  # noqa: N815
    orderUnfulfillableReasons: tuple[Text, ...] | None = None  # noqa: N815


@frozen(slots=True)
class Previews:
    """One per shipping speed that was asked for."""

    fulfillmentPreviews: tuple[Preview, ...] | None = None  # noqa: N815


@frozen(slots=True)
class PreviewReply:
    """The answer of getFulfillmentPreview."""

    payload: Previews


@frozen(slots=True)
class ErrorRow:
    """One thing that is wrong, by its code; its message may repeat what was sent."""

    code: Any = None


@frozen(slots=True)
class ErrorReply:
    """What stands in a refusal."""

    errors: tuple[ErrorRow, ...] | None = None
