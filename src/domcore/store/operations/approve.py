"""Lifting holds, correcting what was said with that, and letting reservations run out."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Final

from domcore.codec.stored import dump_event, load_event
from domcore.errors import ConflictError
from domcore.model.policy import Hold
from domcore.store.backend import Reader
from domcore.store.hold_rows import HoldRow
from domcore.store.operations.asked import Asked
from domcore.store.operations.holds import stand
from domcore.store.operations.order_work import OrderWork
from domcore.store.rows import ReservationRow

DECIDED: Final = ("order.routed", "order.reserved")
"""Events of decisions that took stock."""

PAGE: Final = 500


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
    for each in granted:
        _grant(work, holds, each, by, now)
    asked.waive([row.code for row in chosen])
    asked.write(work.changes)
    left = [row.stage for row in standing if row not in chosen]
    work.finish(stand(work, work.state, left, now))
    lifted = tuple(Hold(row.code, row.reason, row.stage) for row in chosen)
    event = dump_event({"by": by, "codes": [hold.code for hold in (*lifted, *granted)]})
    work.changes.add("events", (None, "order.approved", work.state.order_id, now, event))
    return lifted


def _grant(work: OrderWork, holds: Sequence[HoldRow], said: Hold, by: str, now: int) -> None:
    """Keep it as approved, instead of what was said of the same before."""
    state = work.state
    for row in said_before(holds, state.revision, said.code):
        work.changes.add("forget_holds", row[:3])
    row = HoldRow(state.order_id, state.revision, said.code, said.stage, said.reason, now, now, by)
    work.changes.add("holds", row)


def said_before(holds: Sequence[HoldRow], revision: int, code: str) -> list[HoldRow]:
    """What was granted of the same before: a code such as ``domcore/currency@1.08`` says a value
    behind its ``@``."""
    begins = code.partition("@")[0] + "@"
    return [
        row
        for row in holds
        if row.revision == revision and row.approved_at is not None and row.code.startswith(begins)
    ]


def correct(
    reader: Reader, work: OrderWork, holds: Sequence[HoldRow], said: Hold, by: str, now: int
) -> None:
    """Replace what was said with an approval of this revision, until something is decided by it.

    Raises:
        ConflictError: nothing of the kind was said, or it has been decided by.
    """
    before = said_before(holds, work.state.revision, said.code)
    order_id = work.state.order_id
    if not before or work.state.cancelled:
        raise ConflictError("nothing that was said with an approval is in force")
    if _decided_since(reader, order_id, {row.code for row in before}):
        told = ", ".join(row.reason for row in before)
        raise ConflictError(
            f"it has been routed by what was said before ({told}); nothing is changed"
        )
    _grant(work, holds, said, by, now)
    work.finish(work.queued(now))
    event = dump_event({"by": by, "codes": [said.code]})
    work.changes.add("events", (None, "order.approved", order_id, now, event))


def _decided_since(reader: Reader, order_id: int, codes: Set[str]) -> bool:
    """Whether stock was taken for the order after somebody has said one of `codes`."""
    decided, after = False, 0
    while rows := reader.events(after, PAGE, order_id):
        after = rows[-1][0]
        for _, kind, _, _, body, _ in rows:
            if kind == "order.approved" and not codes.isdisjoint(load_event(body)["codes"]):
                decided = False
            elif kind in DECIDED:
                decided = True
    return decided


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
