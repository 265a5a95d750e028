"""What a store must do about what persons change by hand.

Part of `domcore.store.protocol.Store`; the same conventions hold.
"""

from __future__ import annotations

from typing import Protocol

from domcore.model.correction import CorrectOrder, MoveWork, RerouteOrder
from domcore.store.values import Outcome


class Correcting(Protocol):
    """The operations behind `Domcore.amend`, `address`, `move` and `reroute`."""

    def correct_order(self, command: CorrectOrder, *, now: int) -> Outcome:
        """Change what an order wants, or where it goes, on a person's word: ``amended``, or
        ``nothing`` where it is so already. What follows is that of a later revision: units that are
        not handed over are freed, nodes at work are told or asked to stop.

        Later revisions of the channel keep what was said of a line or of the address, as long as
        they tell what was told before it was said; of a line also while they come nearer to it.

        Raises:
            NotFound: no such order.
            PayloadError: an unknown line, units out of range, fewer than have left.
            ConflictError: it is cancelled, or at another revision than `command.revision`; or the
                key came with other content.
        """
        ...

    def move(self, command: MoveWork, *, now: int) -> Outcome:
        """Have another node ship what a fulfillment order has left: the one named, or any but its
        own. ``moved`` where nobody had begun it: its units are open again; ``asked`` where its node
        has it and is asked to stop: they are open once it has. From then on the lines are only
        given to the node that is named, until that rejects them or is closed, or are not given to
        the one they were moved away from.

        Raises:
            NotFound: no such fulfillment order.
            PayloadError: the node named is not there, closed, or has it already.
            ConflictError: it is over; the node has rejected a line of it; or the key came with
                other content.
        """
        ...

    def reroute(self, command: RerouteOrder, *, now: int) -> Outcome:
        """Open what nobody has begun of an order, so that it is decided anew: ``rerouted``, or
        ``nothing``. What nodes have, or may have, stays with them.

        Raises:
            NotFound: no such order.
            ConflictError: it is cancelled, held before routing, or a cart; or the key came with
                other content.
        """
        ...
