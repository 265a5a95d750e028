"""What partners answer, looked at before it is believed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domcore.codec.text import is_text
from domcore.model import FULFILLMENT_STATUSES, REJECTION_REASONS, Notice, Receipt
from domcore.working.round import Trouble

UNKNOWN_HERE: Final = "unknown_here"
LONGEST: Final = 1_000
_TEXTS: Final = ("status", "reference", "reason", "vendor_status", "detail")


def checked(answer: object, verb: str) -> Receipt | Trouble:
    """The answer, where it is a receipt that can be stored; else nobody knows what was done."""
    if isinstance(answer, Trouble):
        return answer
    if not isinstance(answer, Receipt):
        return Trouble(f"{verb} answered with {type(answer).__name__}, not a Receipt")
    for name in _TEXTS:
        if not is_text(getattr(answer, name), LONGEST):
            return Trouble(f"{verb} answered with a {name} that is no text of {LONGEST} letters")
    known = answer.status in FULFILLMENT_STATUSES
    if not known and (answer.status != UNKNOWN_HERE or verb == "release"):
        return Trouble(f"{verb} answered with a status that is none of a fulfillment order")
    notices = answer.notices
    if not isinstance(notices, tuple) or not all(isinstance(each, Notice) for each in notices):
        return Trouble(f"{verb} answered with notices that are none")
    return answer


def notice_of(receipt: Receipt, fulfillment_order: str, at: datetime) -> Notice:
    """The receipt as news."""
    reason = receipt.reason if receipt.reason in REJECTION_REASONS else "other"
    return Notice(
        fulfillment_order,
        receipt.status,
        at,
        reason=reason if receipt.status == "rejected" else "",
        reference=receipt.reference,
        vendor_status=receipt.vendor_status,
        detail=receipt.detail,
    )
