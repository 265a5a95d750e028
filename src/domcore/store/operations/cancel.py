"""Cancelling what has not left."""

from __future__ import annotations

from domcore.codec.stored import dump_event
from domcore.model.command import CancelOrder
from domcore.store.changes import Changes
from domcore.store.operations.order_work import OrderWork
from domcore.store.protocol import Outcome
from domcore.store.rows import NOT_HELD


def cancel_known(work: OrderWork, command: CancelOrder, now: int) -> Outcome:
    """Cancel an order; nodes that already work on it are asked, and answer later. Where nothing is
    left to cancel the outcome is ``nothing``; the order is closed for later revisions all the same.
    """
    order_id = work.state.order_id
    left = sum(line.shipped for line in work.lines.values())
    if work.state.cancelled:
        return Outcome("duplicate", order_id, _told_again(work, left))
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
    body = {"units": units, "requested": len(asked), "reason": command.reason}
    event = dump_event({**body, "left": left} if left else body)
    work.changes.add("events", (None, "order.cancelled", order_id, now, event))
    word = "cancelled" if units or asked else "nothing"
    return Outcome(word, order_id, _told(work, units, len(asked), left))


def _told(work: OrderWork, units: int, asked: int, left: int) -> str:
    parts = [f"{counted(units)} cancelled"] if units else []
    if asked:
        going = sum(line.allocated for line in work.lines.values())
        nodes = f"{asked} {'node is' if asked == 1 else 'nodes are'} asked to stop"
        parts.append(f"{nodes} ({counted(going)})")
    if not parts:
        parts.append("nothing of it was left to cancel")
    if left:
        parts.append(f"{counted(left)} {'has' if left == 1 else 'have'} left already")
    return "; ".join(parts)


def _told_again(work: OrderWork, left: int) -> str:
    """What has become of an order that was cancelled before."""
    gone = sum(line.cancelled for line in work.lines.values())
    going = sum(line.allocated for line in work.lines.values())
    parts = ["it was cancelled before", f"{counted(gone)} cancelled"]
    if going:
        parts.append(f"{counted(going)} at nodes that are asked to stop")
    if left:
        parts.append(f"{counted(left)} {'has' if left == 1 else 'have'} left")
    return "; ".join(parts)


def counted(units: int) -> str:
    """``1 unit``, ``2 units``."""
    return f"{units:,} {'unit' if units == 1 else 'units'}"


def cancel_unknown(changes: Changes, command: CancelOrder, owner_id: int, now: int) -> Outcome:
    """Remember a cancellation until its order comes."""
    changes.add(
        "tombstones",
        (owner_id, command.channel, command.external_id, command.revision, command.reason, now),
    )
    return Outcome("cancelled", None, "remembered until the order comes")
