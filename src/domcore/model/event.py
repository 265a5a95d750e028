"""Past-tense facts, in order per order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen


@frozen(slots=True)
class Event:
    """Something that happened.

    Args:
        seq: rises over the whole store; within one order it is the order of things.
        kind: ``order.captured``, ``order.amended``, ``order.held``, ``order.approved``,
            ``order.routed``, ``order.reserved``, ``order.short``, ``order.cancelled``,
            ``order.kept``, ``order.freed``, ``reservation.extended``, ``reservation.expired``,
            ``stock.shortfall``, ``stock.low``, ``stock.over``, ``stock.steady``,
            ``return.authorized``, ``return.received``, ``return.closed``, ``hold.placed``,
            ``hold.lifted`` (asked for by a channel or a person),
            ``order.shipped_elsewhere`` (others have sent goods of it), ``work.parked``,
            ``work.rescheduled`` (the clock was or is wrong, and what waited for it is due),
            ``order.rejudged`` (holds that rules had placed were taken back to judge it anew),
            ``rules.changed`` (packs were edited, and are in force),
            ``trouble.raised`` (a person must look at it), ``trouble.settled`` (somebody has),
            ``order.recalled`` (nodes are closed that had not begun),
            ``order.rerouted``, ``work.moved`` (a person wants another node),
            ``fulfillment.unknown`` (nobody knows whether a node has its work), and
            ``fulfillment.<status>`` for each status that is told of a node's work.
        order_id: None where it is not about one order.
        at: aware UTC.
        body: JSON values by name, never personal data; carries ``format``.
        by: who caused it, see `domcore.model.actor`; empty where it was not noted.
    """

    seq: int
    kind: str
    order_id: int | None
    at: datetime
    body: Mapping[str, Any]
    by: str = ""
