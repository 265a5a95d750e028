"""Lifting holds, and letting reservations run out."""

from __future__ import annotations

from collections.abc import Sequence

from domcore.codec.stored import dump_event
from domcore.model.policy import Hold
from domcore.store.hold_rows import HoldRow
from domcore.store.operations.asked import Asked
from domcore.store.operations.holds import stand
from domcore.store.operations.order_work import OrderWork
from domcore.store.rows import ReservationRow


def approve(
    work: OrderWork,
    holds: Sequence[HoldRow],
    asked: Asked,
    by: str,
    now: int,
    code: str = "",
    granted: Sequence[Hold] = (),
) -> tuple[Hold, ...]:
    """Lift every hold of this revision, or the one called `code`. Once none stands, waiting work is
    requested and open units queue again.

    What is `granted` besides is kept as approved, and counts for decisions on this revision.
    """
    standing = [
        row for row in holds if row.revision == work.state.revision and row.approved_at is None
    ]
    chosen = [row for row in standing if code in ("", row.code)]
    if not chosen or work.state.cancelled:
        return ()
    for row in chosen:
        work.changes.add("approvals", (now, by, *row[:3]))
    order_id, revision = work.state.order_id, work.state.revision
    for each in granted:
        row = HoldRow(order_id, revision, each.code, each.stage, each.reason, now, now, by)
        work.changes.add("holds", row)
    asked.waive([row.code for row in chosen])
    asked.write(work.changes)
    left = [row.stage for row in standing if row not in chosen]
    work.finish(stand(work, work.state, left, now))
    lifted = tuple(Hold(row.code, row.reason, row.stage) for row in chosen)
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
