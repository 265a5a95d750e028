"""The part of WooCommerce's bodies that is read; all their other keys pass unseen.

Field names are WooCommerce's own, so that the path in an error is the path in the body.
"""

from __future__ import annotations

from typing import Annotated, Any

from attrs import field, frozen

from domcore.codec.strict import Between, Count, Line, Money

Id = Annotated[int, Between(1, 2**63 - 1)]
Reference = Annotated[int, Between(0, 2**63 - 1)]
Text = Annotated[str, Line(255)]
Currency = Annotated[str, Line(3, least=3)]
Moment = Annotated[str, Line(40, least=1)]
"""A time without an offset: GMT, in the fields whose names end so."""


@frozen(slots=True)
class LineItem:
    """One line. `subtotal` is of all its units before discounts, `total` after them."""

    id: Id
    quantity: Count
    product_id: Reference = 0
    variation_id: Reference | None = 0
    sku: str | None = None
    subtotal: Money | None = None
    total: Money | None = None
    meta_data: Any = None
    total_tax: Money | None = field(default=None, repr=False)


@frozen(slots=True)
class Address:
    """Where it goes, or who pays, and who lives there."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None


@frozen(slots=True)
class ShippingLine:
    """The delivery service the shopper chose."""

    method_id: str | None = None
    method_title: str | None = None


@frozen(slots=True)
class RefundMark:
    """That there is a refund; what of is asked for by its own call."""

    id: Id


@frozen(slots=True)
class OrderBody:
    """An order, as a webhook body or in a page of the REST API.

    Revisions are made of its ``repr``: fields that are read since then are not shown in it, so that
    a body that comes again is the revision it was.
    """

    id: Id
    status: Text
    currency: Currency
    line_items: tuple[LineItem, ...]
    date_created_gmt: Moment | None = None
    date_modified_gmt: Moment | None = None
    number: Text | None = None
    created_via: Text | None = None
    payment_method: Text | None = None
    billing: Address | None = None
    shipping: Address | None = None
    shipping_lines: tuple[ShippingLine, ...] | None = None
    refunds: tuple[RefundMark, ...] | None = None
    meta_data: Any = None
    shipping_total: Money | None = field(default=None, repr=False)
    shipping_tax: Money | None = field(default=None, repr=False)
    total: Money | None = field(default=None, repr=False)
    customer_note: str | None = field(default=None, repr=False)
    date_completed_gmt: Moment | None = field(default=None, repr=False)


@frozen(slots=True)
class DeletedBody:
    """What a webhook tells of an order that is gone."""

    id: Id


@frozen(slots=True)
class RefundedLine:
    """Units of a line that were refunded: a negative number of them."""

    quantity: Annotated[int, Between(-1_000_000_000, 1_000_000_000)] = 0
    product_id: Reference = 0
    variation_id: Reference | None = 0
    meta_data: Any = None


@frozen(slots=True)
class RefundBody:
    """One refund of an order."""

    id: Id
    line_items: tuple[RefundedLine, ...] = ()
