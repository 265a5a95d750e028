"""Taking back holds that decisions have placed, so that an order can be judged anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from domcore.codec.stored import dump_event
from domcore.model.policy import Hold
from domcore.store.hold_rows import TAKEN_BACK, AskedHoldRow, HoldRow
from domcore.store.operations.holds import placed_by_routing, stand
from domcore.store.operations.order_work import OrderWork

REJUDGED = "order.rejudged"


def rejudge(
    work: OrderWork,
    holds: Sequence[HoldRow],
    asked: Mapping[str, AskedHoldRow],
    codes: Collection[str],
    now: int,
) -> tuple[Hold, ...]:
    """Take back those holds of `codes` that routing placed on this revision, as if they never had
    been: nobody has approved them, and a later decision may place them again. What was asked for by
    a channel or a person stays."""
    placed = placed_by_routing(holds, asked, work.state.revision)
    chosen = [row for row in placed if row.code in codes]
    if not chosen or work.state.cancelled:
        return ()
    for row in chosen:
        work.changes.add("approvals", (now, TAKEN_BACK, *row[:3]))
    standing = [
        row for row in holds if row.revision == work.state.revision and row.approved_at is None
    ]
    left = [row.stage for row in standing if row not in chosen]
    work.finish(stand(work, work.state, left, now))
    lifted = tuple(Hold(row.code, row.reason, row.stage) for row in chosen)
    event = dump_event({"codes": [hold.code for hold in lifted]})
    work.changes.add("events", (None, REJUDGED, work.state.order_id, now, event))
    return lifted
