"""What a person changes of an order by hand: what it wants, where it goes, which node ships it.

Channels never bring these commands; see `Domcore.amend`, `address`, `move` and `reroute`.
"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from domcore.model.order import Person
from domcore.model.place import Destination

MOVED: Final = "moved"
CHOSEN: Final = "chosen"
BY_HAND: Final = (MOVED, CHOSEN)
"""Why a node is not asked for a line, where that is a person's word and not a node's: the line was
moved away from it, or given to another one."""


@frozen(slots=True)
class CorrectOrder:
    """A person says that an order is another than its channel has told.

    What is said stands, whatever revision comes later, until the channel itself says something else
    of the same line, or of the address, than it did when it was corrected.

    Args:
        lines: ``(line id, units wanted)``; lines that are not named stay.
        changes: ``(line id, units)`` to add, or below zero to take off.
        destination: where planning is to send it; None leaves it.
        person: all that is known of whom it goes to; None leaves it.
        revision: the order's revision that the person has seen; another is a conflict. None: any.
        reason: why, for people. No names, please.
        key: makes it safe to repeat. What is said of a `person` is no part of what it stands for.
    """

    owner: str
    channel: str
    external_id: str
    lines: tuple[tuple[str, int], ...] = ()
    changes: tuple[tuple[str, int], ...] = ()
    destination: Destination | None = None
    person: Person | None = field(default=None, repr=False)
    revision: int | None = None
    reason: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class MoveWork:
    """A person wants work to go to another node, or away from the one that has it.

    Args:
        fulfillment_order: ``order-sequence-node``.
        to: the node that is to ship its lines instead; empty: any but the one that has it.
        reason: why, for people.
        key: makes it safe to repeat.
    """

    fulfillment_order: str
    to: str = ""
    reason: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class RerouteOrder:
    """A person wants what nobody has begun of an order to be decided anew."""

    owner: str
    channel: str
    external_id: str
    reason: str = ""
    key: str = ""
    by: str = ""
