"""The nouns: frozen attrs classes and arithmetic on them. No input or output.

Everything here is public. Money is micros, weight grams, length millimetres, distance metres,
time aware UTC.
"""

from __future__ import annotations

from domcore.model.candidate import Candidate, PlanContext
from domcore.model.command import (
    AmendOrder,
    ApproveOrder,
    AskPull,
    CancelOrder,
    CaptureOrder,
    Command,
    Envelope,
    HoldOrder,
    Ignore,
    ObserveStock,
    ShippedElsewhere,
    StockCount,
    Unreadable,
)
from domcore.model.decision import Decision, FulfillmentOrder, OrderSummary, Reservation
from domcore.model.event import Event
from domcore.model.exchange import ExchangeRate
from domcore.model.facts import FactSpec, FactValue
from domcore.model.handover import (
    BLOCKING_REASONS,
    REJECTION_REASONS,
    Handover,
    Notice,
    Polled,
    Receipt,
    ShipmentNews,
)
from domcore.model.item import Alias, Attribute, Item
from domcore.model.money import (
    MICROS,
    amount_text,
    decimal_text,
    difference_shown,
    half_even,
    micros,
    money_text,
    parts_shown,
)
from domcore.model.network import NODE_KINDS, Band, Handling, Network, Node, RateCard
from domcore.model.order import Order, OrderLine, Person
from domcore.model.package import Package
from domcore.model.place import COARSENESS, Destination, Placed, Point
from domcore.model.plan import Allocation, Certificate, CostTerm, Parcel, Plan, Shortage
from domcore.model.policy import Directive, Hold, Policy, Split, Terms
from domcore.model.postal import normal_destination, postal_prefix, same_place
from domcore.model.quantities import Quantities
from domcore.model.returns import (
    CONDITIONS,
    RETURN_STATUSES,
    AuthorizeReturn,
    ReceiveReturn,
    Return,
    ReturnLine,
)
from domcore.model.selling import Pulled, StockLevel
from domcore.model.status import (
    FULFILLMENT_STATUSES,
    ORDER_STATUSES,
    RESERVATION_STATES,
    Buckets,
    order_status,
)

__all__ = [
    "BLOCKING_REASONS",
    "COARSENESS",
    "CONDITIONS",
    "FULFILLMENT_STATUSES",
    "MICROS",
    "NODE_KINDS",
    "ORDER_STATUSES",
    "REJECTION_REASONS",
    "RESERVATION_STATES",
    "RETURN_STATUSES",
    "Alias",
    "Allocation",
    "AmendOrder",
    "ApproveOrder",
    "AskPull",
    "Attribute",
    "AuthorizeReturn",
    "Band",
    "Buckets",
    "CancelOrder",
    "Candidate",
    "CaptureOrder",
    "Certificate",
    "Command",
    "CostTerm",
    "Decision",
    "Destination",
    "Directive",
    "Envelope",
    "Event",
    "ExchangeRate",
    "FactSpec",
    "FactValue",
    "FulfillmentOrder",
    "Handling",
    "Handover",
    "Hold",
    "HoldOrder",
    "Ignore",
    "Item",
    "Network",
    "Node",
    "Notice",
    "ObserveStock",
    "Order",
    "OrderLine",
    "OrderSummary",
    "Package",
    "Parcel",
    "Person",
    "Placed",
    "Plan",
    "PlanContext",
    "Point",
    "Policy",
    "Polled",
    "Pulled",
    "Quantities",
    "RateCard",
    "Receipt",
    "ReceiveReturn",
    "Reservation",
    "Return",
    "ReturnLine",
    "ShipmentNews",
    "ShippedElsewhere",
    "Shortage",
    "Split",
    "StockCount",
    "StockLevel",
    "Terms",
    "Unreadable",
    "amount_text",
    "decimal_text",
    "difference_shown",
    "half_even",
    "micros",
    "money_text",
    "normal_destination",
    "order_status",
    "parts_shown",
    "postal_prefix",
    "same_place",
]
