"""The boxes that leave."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


@frozen(slots=True)
class Package:
    """One box that left.

    Args:
        id: unique within its fulfillment order: the partner's own number, or the tracking number.
            The same id again is the same box.
        lines: ``(line id or SKU, units)``; empty means all that is still to ship when it is alone.
        status: ``shipped``, ``delivered`` or ``exception``.
        shipped_at, delivered_at: aware UTC; None is the notice's time.
    """

    id: str
    lines: tuple[tuple[str, int], ...] = ()
    carrier: str = ""
    tracking: str = ""
    url: str = ""
    status: str = "shipped"
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
