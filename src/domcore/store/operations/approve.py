"""Lifting holds, and letting reservations run out."""

from __future__ import annotations

from collections.abc import Sequence

from domcore.codec.stored import dump_event
from domcore.model.policy import Hold
from domcore.store.operations.order_work import OrderWork
from domcore.store.operations.outbox import outbox_entry
from domcore.store.rows import NOT_HELD, HoldRow, ReservationRow


def approve(
    work: OrderWork, holds: Sequence[HoldRow], by: str, now: int, granted: Sequence[Hold] = ()
) -> tuple[Hold, ...]:
    """Lift every hold of this revision: waiting work is requested, open units queue again.

    What is `granted` besides is kept as approved, and counts for decisions on this revision.
    """
    standing = [
        row for row in holds if row.revision == work.state.revision and row.approved_at is None
    ]
    if not standing:
        return ()
    for row in standing:
        work.changes.add("approvals", (now, by, *row[:3]))
    order_id, revision = work.state.order_id, work.state.revision
    for each in granted:
        row = HoldRow(order_id, revision, each.code, each.stage, each.reason, now, now, by)
        work.changes.add("holds", row)
    for key, fulfillment in list(work.work.items()):
        if fulfillment.status == "on_hold" and not fulfillment.handed_over:
            work.set_work(fulfillment._replace(status="requested"), now)
            if fulfillment.told:
                work.changes.add("outbox", outbox_entry("release", work.state.order_id, *key, now))
    work.finish(work.state._replace(hold=NOT_HELD, retry_at=work.due(now, cart=work.cart)))
    lifted = tuple(Hold(row.code, row.reason, row.stage) for row in standing)
    event = dump_event({"by": by, "codes": [hold.code for hold in (*lifted, *granted)]})
    work.changes.add("events", (None, "order.approved", work.state.order_id, now, event))
    return lifted


def expire(work: OrderWork, rows: Sequence[ReservationRow], now: int) -> None:
    """Free one order's reservations whose time is over; their units queue again."""
    units = 0
    for row in rows:
        work.resolve(row, row.quantity, "expired", at=now)
        units += row.quantity
    work.close_emptied_work(now)
    work.finish(work.queued(now))
    work.changes.add(
        "events",
        (None, "reservation.expired", work.state.order_id, now, dump_event({"units": units})),
    )
