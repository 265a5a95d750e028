"""Orders as people name them, and why one of them has nothing to route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domcore.errors import NotFound

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.model import OrderSummary

_WORDS: Final = ("allocated", "shipped", "cancelled")


def named(dom: Domcore, reference: str) -> str:
    """The reference by which the application finds the order that is meant.

    ``1001`` also means ``#1001`` where nothing else answers to it.

    Raises:
        NotFound, ConflictError: no such order, or several.
    """
    try:
        dom.find(reference)
    except NotFound:
        if reference.startswith("#") or not dom.store.find_order(f"#{reference}"):
            raise
        dom.find(f"#{reference}")
        return f"#{reference}"
    return reference


def standing_still(order: OrderSummary) -> str:
    """Why routing has nothing to do with an order; empty where it has."""
    units = order.buckets
    if units.open:
        held = [hold for hold in order.holds if hold.stage == "route"]
        if not held:
            return ""
        reasons = ", ".join(hold.reason or hold.code for hold in held)
        return f"it is held ({reasons}): approve it with domcore approve"
    if not units.ordered:
        return "nothing is on it: it has no units"
    if units.cancelled == units.ordered:
        return "it is cancelled"
    parts = [(word, getattr(units, word)) for word in _WORDS if getattr(units, word)]
    if len(parts) == 1:
        return f"nothing is open: all of it is {parts[0][0]}"
    listed = ", ".join(f"{number:,} {word}" for word, number in parts)
    return f"nothing is open: {listed}"
