"""The part of Shopify's bodies that is read; all their other keys pass unseen.

Field names are Shopify's own, so that the path in an error is the path in the body.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from attrs import frozen

from domcore.codec.strict import Between, Count, Line, Price
from domcore.model.clock import to_micros

Id = Annotated[int, Between(1, 2**63 - 1)]
Text = Annotated[str, Line(255)]
Currency = Annotated[str, Line(3, least=3)]
Country = Annotated[str, Line(2)]


@frozen(slots=True)
class MoneyAmount:
    """One currency's side of a price."""

    amount: Price
    currency_code: Currency


@frozen(slots=True)
class MoneySet:
    """A price in the shop's currency; the shopper's own currency is not read."""

    shop_money: MoneyAmount | None = None


@frozen(slots=True)
class Amount:
    """A discount's share of a line, or a tax."""

    amount: Price | None = None
    amount_set: MoneySet | None = None
    price: Price | None = None
    price_set: MoneySet | None = None


@frozen(slots=True)
class LineItem:
    """One line. `properties` is read only for the names the options map."""

    id: Id
    quantity: Count
    current_quantity: Count | None = None
    fulfillable_quantity: Count | None = None
    fulfillment_status: Text | None = None
    sku: str | None = None
    variant_id: Id | None = None
    price: Price | None = None
    price_set: MoneySet | None = None
    grams: Annotated[int, Between(0, 1_000_000_000)] | None = None
    gift_card: bool | None = None
    requires_shipping: bool | None = None
    vendor: str | None = None
    properties: Any = None
    total_discount: Price | None = None
    discount_allocations: tuple[Amount, ...] | None = None
    tax_lines: tuple[Amount, ...] | None = None


@frozen(slots=True)
class Address:
    """Where it goes, and who lives there."""

    country_code: Country | None = None
    province_code: Text | None = None
    province: str | None = None
    zip: str | None = None
    city: str | None = None
    address1: str | None = None
    address2: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone: str | None = None


@frozen(slots=True)
class Customer:
    """The account behind the order."""

    tags: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None


@frozen(slots=True)
class ShippingLine:
    """The delivery service the shopper chose."""

    code: str | None = None
    title: str | None = None
    is_removed: bool | None = None
    delivery_category: str | None = None
    source: str | None = None
    price: Price | None = None
    price_set: MoneySet | None = None
    discounted_price: Price | None = None
    discounted_price_set: MoneySet | None = None
    tax_lines: tuple[Amount, ...] | None = None


@frozen(slots=True)
class FulfilledLine:
    """Units of a line in a fulfillment."""

    id: Id
    quantity: Count


@frozen(slots=True)
class FulfillmentBody:
    """What was fulfilled at once: a webhook body, or one of an order's."""

    id: Id
    line_items: tuple[FulfilledLine, ...] = ()
    status: Text | None = None
    location_id: Id | None = None
    shipment_status: Text | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    tracking_company: str | None = None
    tracking_numbers: tuple[str, ...] | None = None
    tracking_urls: tuple[str, ...] | None = None
    receipt: Any = None

    @property
    def stands(self) -> bool:
        """Whether it was not taken back, and did not fail."""
        return self.status not in ("cancelled", "error", "failure")


@frozen(slots=True)
class RefundedItem:
    """The line that a refund speaks of, as it is after the refund."""

    fulfillment_status: Text | None = None


@frozen(slots=True)
class RefundLine:
    """Units of one line that were refunded."""

    line_item_id: Id
    quantity: Count
    restock_type: Text | None = None
    location_id: Id | None = None
    line_item: RefundedItem | None = None


@frozen(slots=True)
class RefundBody:
    """A refund, as a webhook body."""

    id: Id
    order_id: Id
    created_at: datetime
    refund_line_items: tuple[RefundLine, ...] = ()


@frozen(slots=True)
class InventoryBody:
    """What an item has available at a location, as a webhook body."""

    inventory_item_id: Id
    location_id: Id
    available: Annotated[int, Between(-1_000_000_000, 1_000_000_000)] | None = None
    updated_at: datetime | None = None


@frozen(slots=True)
class OrderBody:
    """An order, as a webhook body or inside an Admin API answer."""

    id: Id
    updated_at: datetime
    created_at: datetime
    currency: Currency
    line_items: tuple[LineItem, ...]
    processed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: Text | None = None
    name: Text | None = None
    test: bool | None = None
    tags: str | None = None
    source_name: Text | None = None
    financial_status: Text | None = None
    fulfillment_status: Text | None = None
    email: str | None = None
    contact_email: str | None = None
    phone: str | None = None
    shipping_address: Address | None = None
    customer: Customer | None = None
    shipping_lines: tuple[ShippingLine, ...] | None = None
    fulfillments: tuple[FulfillmentBody, ...] | None = None
    note_attributes: Any = None
    note: str | None = None
    total_price: Price | None = None
    total_price_set: MoneySet | None = None
    current_total_price: Price | None = None
    current_total_price_set: MoneySet | None = None


@frozen(slots=True)
class DisputeBody:
    """A dispute about a payment, as a webhook body."""

    id: Id
    initiated_at: datetime
    order_id: Id | None = None
    type: Text | None = None
    status: Text | None = None

    @property
    def revision(self) -> int:
        """When it began, in microseconds since 1970."""
        return to_micros(self.initiated_at)


@frozen(slots=True)
class FulfillmentHold:
    """Why a fulfillment order is on hold."""

    reason: str | None = None


@frozen(slots=True)
class HeldFulfillmentOrder:
    """A fulfillment order of Shopify's."""

    id: Annotated[str, Line(255)]
    order_id: Id | None = None
    status: Text | None = None
    fulfillment_holds: tuple[FulfillmentHold, ...] | None = None


@frozen(slots=True)
class FulfillmentHoldBody:
    """A fulfillment order that was put on hold or let go, as a webhook body."""

    fulfillment_order: HeldFulfillmentOrder


@frozen(slots=True)
class OneOrder:
    """The Admin API's answer for one order."""

    order: OrderBody


@frozen(slots=True)
class OrderPage:
    """A page of orders of the Admin API."""

    orders: tuple[OrderBody, ...]
