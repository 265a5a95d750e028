"""Reservations that expire: kept for good, let go, or given more time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from domcore.codec.stored import dump_event
from domcore.store.operations.order_work import OrderWork
from domcore.store.operations.outbox import outbox_entry
from domcore.store.operations.recall import tell_recalled
from domcore.store.protocol import Outcome
from domcore.store.rows import OPEN, FulfillmentRow, ReservationRow


def expiring(rows: Sequence[ReservationRow]) -> list[ReservationRow]:
    """Those of an order's reservations that hold stock for a while only."""
    return [row for row in rows if row.state == OPEN and row.expires_at is not None]


def in_time(rows: Sequence[ReservationRow], now: int) -> list[ReservationRow]:
    """Those of them whose time is not over; the others are for `Store.expire` to free."""
    return [row for row in expiring(rows) if row.expires_at is not None and row.expires_at > now]


def keep(
    work: OrderWork,
    told: Collection[int],
    closed: Collection[int],
    nodes: Mapping[int, str],
    now: int,
) -> Outcome:
    """Make work of what is reserved and in time. What is reserved at nodes that are `closed` by now
    is freed, and planned anew: the order is wanted all the same.

    Nodes in `told` have a connector to tell, unless a hold stands: then `approve` does that.
    """
    rows = in_time(work.open_reservations(), now)
    lost: dict[str, int] = {}
    for row in rows:
        if row.node_id in closed:
            work.resolve(row, row.quantity, "freed", at=now)
            lost[nodes[row.node_id]] = lost.get(nodes[row.node_id], 0) + row.quantity
    rows = [row for row in rows if row.node_id not in closed]
    order_id, held = work.state.order_id, bool(work.state.hold)
    if not (rows or lost):
        return Outcome("nothing", order_id, "nothing is reserved for a while, or its time is over")
    units: dict[str, int] = {}
    for row in rows:
        name = nodes[row.node_id]
        units[name] = units.get(name, 0) + row.quantity
    for sequence, node_id in sorted({(row.sequence, row.node_id) for row in rows}):
        # Those that are resolved, too: a node's news may take a resolution back.
        for row in work.reservations_of((sequence, node_id)):
            work.set_expiry(row, None)
        status, tell = "on_hold" if held else "requested", node_id in told
        new = FulfillmentRow(order_id, sequence, node_id, status, int(tell), 0, "", 0, "")
        work.changes.add("fulfillment_orders", new)
        if tell and not held:
            work.changes.add("outbox", outbox_entry("release", order_id, sequence, node_id, now))
    state = work.queued(now) if lost else work.state
    if work.cart:
        state = state._replace(retry_at=None if held else work.due(now, cart=False))
    work.finish(state)
    total = sum(units.values())
    if lost:
        tell_recalled(work, lost, now)
    if not rows:
        return Outcome("kept", order_id, f"{_told(sum(lost.values()))} to be planned anew")
    event = dump_event({"units": total, "nodes": dict(sorted(units.items()))})
    work.changes.add("events", (None, "order.kept", order_id, now, event))
    anew = f", {_told(sum(lost.values()))} to be planned anew" if lost else ""
    return Outcome("kept", order_id, f"{_told(total)}{anew}")


def free(work: OrderWork, now: int) -> Outcome:
    """Free what is reserved for a while; only an order that is no cart queues again."""
    rows = expiring(work.open_reservations())
    order_id = work.state.order_id
    if not rows:
        return Outcome("nothing", order_id, "nothing is reserved for a while")
    for row in rows:
        work.resolve(row, row.quantity, "freed", at=now)
    work.finish(work.queued(now))
    units = sum(row.quantity for row in rows)
    work.changes.add("events", (None, "order.freed", order_id, now, dump_event({"units": units})))
    return Outcome("freed", order_id, _told(units))


def extend(work: OrderWork, expires_at: int, now: int) -> Outcome:
    """Move the time until which stock is reserved; also where it is over, but nobody freed it."""
    rows = expiring(work.open_reservations())
    order_id = work.state.order_id
    if not rows:
        return Outcome("nothing", order_id, "nothing is reserved for a while")
    for row in rows:
        work.set_expiry(row, expires_at)
    work.finish(work.state)
    units = sum(row.quantity for row in rows)
    event = dump_event({"units": units, "expires_at": expires_at})
    work.changes.add("events", (None, "reservation.extended", order_id, now, event))
    return Outcome("recorded", order_id, _told(units))


def _told(units: int) -> str:
    return f"{units} unit{'s' * (units != 1)}"
