"""Handing work over: leases on outbox entries."""

from __future__ import annotations

from collections.abc import Sequence

from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.protocol import Lease
from domcore.store.rows import FulfillmentRow, OutboxRow


def fulfillment_id(order_id: int, sequence: int, node: str) -> str:
    """``order-sequence-node``: a fulfillment order's name, the same for ever."""
    return f"{order_id}-{sequence}-{node}"


def lease_changes(
    reader: Reader, changes: Changes, entries: Sequence[OutboxRow], until: int
) -> list[Lease]:
    """Count the attempt and push the due time to the end of the lease. From the first attempt to
    release it on, a fulfillment order counts as handed over."""
    nodes = reader.nodes()
    order_ids = sorted({entry.order_id for entry in entries})
    work = {
        row[:3]: FulfillmentRow(*row)
        for row in reader.select("fulfillment_order", "order_id", order_ids)
    }
    leases = []
    for entry in entries:
        attempts = entry.attempts + 1
        changes.add("set_outbox", (until, attempts, None, entry.note, entry.id))
        row = work[entry.order_id, entry.sequence, entry.node_id]
        if entry.topic == "release" and not row.handed_over:
            changes.add("set_fulfillment_orders", (row.status, 1, row.reference, *row[:3]))
        name = fulfillment_id(entry.order_id, entry.sequence, nodes[entry.node_id])
        key = name if entry.topic == "release" else f"{name}-{entry.topic}"
        leases.append(
            Lease(entry.id or 0, entry.topic, key, entry.order_id, entry.node_id, attempts)
        )
    return leases
