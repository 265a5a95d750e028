"""What a check says when something is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

FIXES: Final[dict[str, str]] = {
    "I1": "the balance and its ledger disagree: stop routing, restore the last good backup",
    "I2": "stop routing; restore the last good backup, then load a fresh count",
    "I3": "stop routing: stock may be promised twice; restore the last good backup",
    "I4": "restore the last good backup; compare the reservation with the node's own papers",
    "I5": "capture the order again with its next revision, or restore the last good backup",
    "I6": "restore the last good backup; until then do not route or cancel this order",
    "I7": "ask the node what it has; restore the last good backup",
    "I8": "cancel or route the order again; if it stays, restore the last good backup",
    "I9": "restore the last good backup, or route the order by name",
    "I10": "find out which of the two deliveries counts; restore the last good backup",
    "decision": "the decision cannot be explained or replayed; restore the last good backup",
    "blob": "restore the last good backup: packs and networks of old decisions are lost",
    "network": "load the network again (domcore load)",
    "format": "written by a newer domcore, or damaged: upgrade, or restore a backup",
    "reference": "restore the last good backup",
    "events": "consumers of events may miss or repeat something; restore the last good backup",
    "cursor": "the consumer would skip events: set its cursor back, or restore a backup",
    "waiting": "route the order by name, or amend it: its place in line is written anew",
    "published": "change the channel's share and back: everything is compared and told anew",
    "cover": "stock.low and stock.over may be missed or repeated; restore the last good backup",
    "seal": "somebody has changed this row in the file: compare it with the last good backup, and "
    "restore that if you cannot tell what it was",
    "chain": "compare the order's timeline with the last good backup; restore that",
    "personal-data": "erase the order (domcore's erase), or remove the row by hand",
    "integrity": "the file itself is damaged: copy it away, then restore the last good backup",
    "foreign-key": "restore the last good backup",
    "schema": "somebody changed the tables by hand: restore a backup, or undo the change",
}
"""Every id a violation may carry, with what to do about it in general."""


@frozen(slots=True)
class Violation:
    """One thing that must not be.

    Args:
        invariant: ``I1`` to ``I10``, or the name of a structural check; a key of `FIXES`.
        place: where: the order, the balance, the row.
        message: what is wrong, for a person; never personal data.
        fix: what to do about it.
    """

    invariant: str
    place: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.place}: {self.message}"


Violations = Iterator[Violation]


def broken(invariant: str, place: str, message: str, fix: str = "") -> Violation:
    """A violation with the usual advice, or with a better one."""
    return Violation(invariant, place, message, fix or FIXES[invariant])
