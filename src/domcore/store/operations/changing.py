"""An order's person or destination changes while nodes work by the old one: they are to hear of it.

A partner is told by its connector, or asked to stop; until it is known that it works by the new
data, or has stopped, a person is shown that it may not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from attrs import fields

from domcore.codec.stored import dump_event
from domcore.model.order import Person
from domcore.store.backend import Reader
from domcore.store.operations.order_work import FINISHED, OrderWork
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.operations.troubles import Troubles

KIND: Final = "changed"
TOLD: Final = "its node"
"""Who settles it: the node has the new data, or ships nothing."""

Key = tuple[int, int]


def changed_fields(before: Person | None, after: Person | None) -> list[str]:
    """What about a person has changed, by name. What the channel does not tell has not; of somebody
    nobody knew, all that is told has."""
    if after is None:
        return []
    known = before or Person()
    names = [field.name for field in fields(Person)]
    return [name for name in names if getattr(known, name) != getattr(after, name)]


def nodes_at_work(work: OrderWork) -> list[Key]:
    """The work that nodes have and that is still to leave."""
    open_rows = {(row.sequence, row.node_id) for row in work.open_reservations()}
    return sorted(
        key
        for key, row in work.work.items()
        if row.handed_over and row.status not in FINISHED and key in open_rows
    )


def tell_nodes(
    reader: Reader,
    work: OrderWork,
    keys: Collection[Key],
    what: Collection[str],
    revision: int,
    now: int,
    *,
    stops: bool,
) -> None:
    """Have the nodes told, and a person shown that they are not yet.

    Args:
        keys: the work they have.
        what: the names of what has changed.
        stops: the destination moves, so they are asked to stop anyway and it is planned anew.
    """
    troubles = Troubles(reader, work.changes, work.state.order_id, now)
    known = {(row.sequence, row.node_id) for row in troubles.standing(KIND)}
    nodes = reader.nodes()
    for key in keys:
        row = work.work[key]
        if row.told and not stops and row.status != "cancel_requested":
            work.ask_to_change(key, now)
        if key not in known:
            name = nodes[key[1]]
            note = f"{name} had the work before {', '.join(what)} changed (revision {revision})"
            note += ", and may ship to the old one" if row.told else "; nobody can tell it but you"
            full = fulfillment_id(row.order_id, row.sequence, name)
            troubles.add(KIND, note, key=key, work=full, node=name)


def node_knows(reader: Reader, work: OrderWork, key: Key, now: int) -> None:
    """The node works by the new data, or ships nothing: unless there is more to tell it."""
    if work.is_to_change(key):
        return
    troubles = Troubles(reader, work.changes, work.state.order_id, now)
    for row in troubles.standing(KIND):
        if (row.sequence, row.node_id) == key:
            troubles.settle(row, TOLD)


CANNOT_CHANGE: Final = ("changed", "it cannot change the work that it has")


def stop_instead(
    work: OrderWork,
    key: Key,
    nodes: Mapping[int, str],
    now: int,
    why: tuple[str, str] = CANNOT_CHANGE,
) -> bool:
    """Ask a node to stop, and say why: a reason and words. False where its work is over, or it was
    asked already."""
    row = work.work[key]
    if row.status in (*FINISHED, "cancel_requested"):
        return False
    work.ask_to_cancel([key], now)
    work.finish(work.state)
    body = {
        "fulfillment_order": fulfillment_id(row.order_id, row.sequence, nodes[key[1]]),
        "node": nodes[key[1]],
        "lines": [],
        "packages": [],
        "reason": why[0],
        "vendor_status": "",
        "detail": why[1],
    }
    kind = "fulfillment.cancel_requested"
    work.changes.add("events", (None, kind, row.order_id, now, dump_event(body)))
    return True
