"""Cancelling what has not left."""

from __future__ import annotations

from domcore.codec.stored import dump_event
from domcore.model.command import CancelOrder
from domcore.store.changes import Changes
from domcore.store.operations.order_work import OrderWork
from domcore.store.protocol import Outcome
from domcore.store.rows import NOT_HELD


def cancel_known(work: OrderWork, command: CancelOrder, now: int) -> Outcome:
    """Cancel an order; nodes that already work on it are asked, and answer later."""
    order_id = work.state.order_id
    if work.state.cancelled:
        return Outcome("duplicate", order_id, "it was cancelled before")
    units = work.cancel_open()
    asked = set()
    for row in work.open_reservations():
        if work.handed_over(row):
            asked.add((row.sequence, row.node_id))
        else:
            work.resolve(row, row.quantity, "freed", at=now, back_to="cancelled")
            units += row.quantity
    work.close_emptied_work(now)
    work.ask_to_cancel(asked, now)
    work.finish(work.state._replace(cancelled=1, hold=NOT_HELD, retry_at=None, reason=""))
    event = dump_event({"units": units, "requested": len(asked), "reason": command.reason})
    work.changes.add("events", (None, "order.cancelled", order_id, now, event))
    return Outcome("cancelled", order_id, _told(units, len(asked)))


def _told(units: int, asked: int) -> str:
    parts = [f"{units} {'unit' if units == 1 else 'units'} cancelled"] if units else []
    if asked:
        parts.append(f"{asked} {'node is' if asked == 1 else 'nodes are'} asked to stop")
    return "; ".join(parts) or "nothing of it was left to cancel"


def cancel_unknown(changes: Changes, command: CancelOrder, owner_id: int, now: int) -> Outcome:
    """Remember a cancellation until its order comes."""
    changes.add(
        "tombstones",
        (owner_id, command.channel, command.external_id, command.revision, command.reason, now),
    )
    return Outcome("cancelled", None, "remembered until the order comes")
