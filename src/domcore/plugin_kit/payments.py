"""What a payment's state means for an order: whether it may leave, or why not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from domcore.model.policy import Hold

SHIP_WHEN: Final = ("paid", "authorized", "partially_refunded")
"""States in which an order goes, where a channel is not told otherwise."""

UNPAID: Final = "unpaid"
VOIDED: Final = "payment-voided"
REFUNDED: Final = "refunded"
UNCLEAR: Final = "payment-unclear"

_CODES: Final = {
    "pending": UNPAID,
    "unpaid": UNPAID,
    "partially_paid": UNPAID,
    "voided": VOIDED,
    "expired": VOIDED,
    "failed": VOIDED,
    "refunded": REFUNDED,
}


def payment_hold(
    state: str, ship_when: Collection[str] = SHIP_WHEN, *, reserve: bool = True
) -> tuple[Hold, ...]:
    """The hold of an order whose payment is in `state`; none where it may leave.

    A state that is not known holds, too: what is new in a shop must not ship by itself. An empty
    one says nothing of the payment.

    Args:
        state: the shop's own word, such as ``pending``.
        ship_when: states in which the order goes.
        reserve: whether stock is reserved meanwhile (`release`), or not (`route`).
    """
    word = state.strip().lower()
    if not word or word in ship_when:
        return ()
    code = _CODES.get(word, UNCLEAR)
    stage = "release" if reserve else "route"
    return (Hold(code, f"the payment is {word[:100].replace('_', ' ')}", stage),)
