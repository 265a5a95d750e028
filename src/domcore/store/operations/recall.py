"""Taking work back that nobody has begun, from nodes that are closed: its order is planned anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from domcore.codec.stored import dump_event
from domcore.store.operations.order_work import OrderWork
from domcore.store.values import StoredNetwork

WAITING: Final = ("requested", "on_hold")
"""Statuses of work that nobody has begun, unless it was handed over."""


def open_nodes(stored: StoredNetwork) -> frozenset[int]:
    """The nodes that the network names and has not switched off."""
    named = zip(stored.node_ids, stored.network.nodes, strict=True)
    return frozenset(node_id for node_id, node in named if node.enabled)


def closed_nodes(stored: StoredNetwork, known: Collection[int]) -> frozenset[int]:
    """Of all nodes ever known, those that the network has switched off, or does not name."""
    return frozenset(known) - open_nodes(stored)


def recall(work: OrderWork, closed: Collection[int], nodes: Mapping[int, str], now: int) -> int:
    """Take back what an order has at closed nodes and nobody has begun; returns the units."""
    keys = {
        key
        for key, row in work.work.items()
        if key[1] in closed and row.status in WAITING and not work.is_begun(row)
    }
    if not keys:
        return 0
    units: dict[str, int] = {}
    for row in work.open_reservations():
        if (row.sequence, row.node_id) in keys:
            work.resolve(row, row.quantity, "freed", at=now)
            name = nodes[row.node_id]
            units[name] = units.get(name, 0) + row.quantity
    for key in sorted(keys):
        work.set_work(work.work[key]._replace(status="cancelled"), now)
    work.finish(work.queued(now))
    tell_recalled(work, units, now)
    return sum(units.values())


def tell_recalled(work: OrderWork, units: Mapping[str, int], now: int) -> None:
    """Say which nodes do not ship it after all."""
    body = {"units": sum(units.values()), "nodes": dict(sorted(units.items())), "reason": "closed"}
    event = (None, "order.recalled", work.state.order_id, now, dump_event(body))
    work.changes.add("events", event)
