"""The vendor's words for what became of an order or a package, and ours."""

from __future__ import annotations

from typing import Final

from domcore.errors import ConnectorError

ORDER: Final = {
    "NEW": "requested",
    "RECEIVED": "accepted",
    "PLANNING": "accepted",
    "PROCESSING": "in_progress",
    "PROCESSED": "in_progress",
    "CANCELLED": "cancelled",
    "COMPLETE": "shipped",
    "COMPLETEPARTIALLED": "partially_shipped",
    "UNFULFILLABLE": "rejected",
    "INVALID": "rejected",
}
"""Statuses of a fulfillment order, however they are spelt: ``CompletePartialled`` here,
``COMPLETE_PARTIALLED`` there."""

REASON: Final = {"UNFULFILLABLE": "no_capacity", "INVALID": "other"}
"""Why an order that will not ship is rejected."""

ON_THE_WAY: Final = ("partially_shipped", "shipped", "in_progress")
"""Our statuses of orders that may have shipments to look at."""

SHIPPED: Final = "SHIPPED"
"""The status of a shipment of which every package has left; the others have not, or never will:
``PENDING``, ``CANCELLED_BY_FULFILLER``, ``CANCELLED_BY_SELLER``."""

PACKAGE: Final = {
    "INTRANSIT": "shipped",
    "OUTFORDELIVERY": "shipped",
    "AVAILABLEFORPICKUP": "shipped",
    "UNKNOWN": "shipped",
    "DELIVERED": "delivered",
    "DELAYED": "exception",
    "DELIVERYATTEMPTED": "exception",
    "CUSTOMERACTION": "exception",
    "UNDELIVERABLE": "exception",
    "RETURNING": "exception",
    "RETURNED": "returned",
    "RETURNRECEIVEDINFC": "returned",
    "RETURNREQUESTACCEPTED": "delivered",
    "PICKUPSCHEDULED": "delivered",
    "PICKUPATTEMPTED": "delivered",
    "PICKUPCANCELLED": "delivered",
    "PICKUPSUCCESSFUL": "delivered",
    "REFUNDISSUED": "delivered",
}
"""Where a package is. The pick-ups are those of a return, from a recipient who has had it."""


class UnknownWord(ConnectorError):  # noqa: N818 - reads as the outcome it names
    """The vendor says something that nobody here understands."""


def plain(word: str) -> str:
    """A vendor's word in capitals, without what stands between them."""
    return "".join(letter for letter in word.upper() if letter.isalpha())


def order_status(word: str) -> str | None:
    """Our status of an order; None for a word that is not known here."""
    return ORDER.get(plain(word))


def known_status(word: str) -> str:
    """Our status of an order.

    Raises:
        ConnectorError: the word is not known here; nobody can say what it means.
    """
    status = order_status(word)
    if status is None:
        raise UnknownWord(f"a status that is not known here: {plain(word)[:40]!r}")
    return status
