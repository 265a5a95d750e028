"""Buckets and what they say: an order's status is derived here and stored nowhere."""

from __future__ import annotations

from typing import Final, NamedTuple

ORDER_STATUSES: Final = (
    "held",
    "open",
    "short",
    "partly allocated",
    "reserved",
    "allocated",
    "partly shipped",
    "shipped",
    "cancelled",
    "empty",
)

FULFILLMENT_STATUSES: Final = (
    "requested",
    "accepted",
    "rejected",
    "on_hold",
    "in_progress",
    "partially_shipped",
    "shipped",
    "delivered",
    "exception",
    "cancel_requested",
    "cancelled",
    "returned",
)

RESERVATION_STATES: Final = ("open", "shipped", "freed", "expired")


class Buckets(NamedTuple):
    """Where the ordered units are; each unit is in exactly one of the four."""

    open: int = 0
    allocated: int = 0
    shipped: int = 0
    cancelled: int = 0

    @property
    def ordered(self) -> int:
        """All units ever ordered and not edited away."""
        return self.open + self.allocated + self.shipped + self.cancelled


def order_status(buckets: Buckets, *, held: bool, tried: bool, expiring: bool = False) -> str:
    """One of `ORDER_STATUSES`.

    Args:
        buckets: summed over the lines that ship.
        held: a hold stands, be it before anything is reserved or before it is handed over.
        tried: a decision has left units open (a shortage), so ``open`` reads as ``short``.
        expiring: what is allocated is only reserved, with an expiry.
    """
    if buckets.ordered == 0:
        return "empty"
    if buckets.open == 0:
        if buckets.allocated == 0:
            return "shipped" if buckets.shipped else "cancelled"
        if buckets.shipped:
            return "partly shipped"
        if expiring:
            return "reserved"
        return "held" if held else "allocated"
    if held:
        return "held"
    if buckets.shipped:
        return "partly shipped"
    if buckets.allocated:
        return "partly allocated"
    return "short" if tried else "open"
