"""What was set aside for a person: shown, tried again, given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domcore.errors import ConflictError
from domcore.model import Notice
from domcore.store.protocol import Parked

if TYPE_CHECKING:
    from domcore.app import Domcore


def drop(dom: Domcore, name: str) -> None:
    """Give up on something parked: an event is skipped, a release is rejected for ``other``, so
    that its units are free and routed again.

    Raises:
        NotFound: nothing that is parked is called so.
        ConflictError: it is a release of which nobody knows whether it was taken in.
    """
    found: Parked = dom.store.find_parked(name)
    if found.kind == "release":
        if found.unknown:
            raise ConflictError(
                f"{name}: nobody knows whether the node has this work, so it cannot be given to"
                " another; 'domcore retry' asks the partner again. Where it answers no more, record"
                " its word by hand: a notice 'rejected' or 'shipped' of the fulfillment order"
            )
        detail = "given up after its release failed"
        dom.record(
            Notice(found.fulfillment_order, "rejected", dom.now(), reason="other", detail=detail)
        )
        return
    dom.store.give_up(name, now=dom._micros())


def waiting(dom: Domcore, limit: int) -> list[Parked]:
    """Words to nodes whose connector is not there, with what to do about it."""
    served = dom.connectors()
    missing = {
        node.id: dom._connecting.missing(node.connector)
        for node in dom.network().nodes
        if node.connector not in served
    }
    if not missing or limit <= 0:
        return []
    found = []
    for entry in dom.store.pending(limit=limit):
        note = missing.get(entry.fulfillment_order.split("-", 2)[2])
        if note is not None:
            found.append(entry._replace(note=note))
    return found[:limit]
