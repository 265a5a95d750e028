"""The rows of who waits for which item (see `domcore.store.rows`)."""

from __future__ import annotations

from typing import Final, NamedTuple

BEFORE_ALL: Final = (-(2**63), 0)
"""A ``(time, id)`` before all others."""

WOKEN, IN_LINE, STOPPED = range(3)
"""`WaitingRow.stage`: to be decided next, since units have come or rules have changed; tried again
later; or not tried at all, as a hold stands or only a person tries it."""


class WaitingRow(NamedTuple):
    """Open units of one item that an order waits for: it was decided short, or a hold stands.

    One row per order and item, with the units of all its lines; orders that are in the queue and
    undecided have none, nor have carts. `stage` is `WOKEN`, `IN_LINE` or `STOPPED`; `placed_at`
    that of the order, by which those in line are woken.
    """

    order_id: int
    item_id: int
    stage: int
    placed_at: int
    units: int


class OfferRow(NamedTuple):
    """An item of which channels may sell more or less, other than by its stock: orders wait for it
    or no longer do, a node refuses it or is asked again. `seq` counts such changes; the last one
    of the item stands here."""

    item_id: int
    seq: int
