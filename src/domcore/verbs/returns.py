"""Goods that come back."""

from __future__ import annotations

from domcore.model import AuthorizeReturn, ReceiveReturn, Return
from domcore.store.protocol import Outcome
from domcore.telemetry import traced
from domcore.verbs.core import Core


class ReturnVerbs(Core):
    """What customers send back."""

    @traced
    def authorize_return(self, command: AuthorizeReturn, *, by: str = "") -> Outcome:
        """Let units that have shipped come back.

        Without a node the planner chooses the one that all of it goes to: what a parcel costs,
        handling, room, and how much of it is there already (``[returns]`` in the project file).
        The outcome is ``authorized`` with the node as its detail, ``duplicate``, or ``nothing``
        where no node takes it.

        Raises:
            NotFound: no such order.
            PayloadError: an unknown node or line, units out of range.
            ConflictError: more units than have shipped, or the same return with other content.
        """
        with self.acting(by):
            return self._intake.authorize_return(command)

    @traced
    def receive_return(self, command: ReceiveReturn, *, by: str = "") -> Outcome:
        """Units have arrived: ``sellable`` ones are restocked, ``damaged`` ones blocked until the
        next count, ``scrap`` is written off. Outcome ``received``, or ``closed`` where nothing was
        taken in and nothing more is waited for.

        Raises:
            NotFound: no such order or return.
            PayloadError: an unknown node, line or condition, units out of range.
            ConflictError: it is closed, waits for fewer units, or the key came with other content.
        """
        with self.acting(by):
            return self._intake.receive_return(command)

    def returns(self, reference: str) -> list[Return]:
        """The returns of an order, as they were authorized."""
        return self.store.returns(self.find(reference))

    def find_returns(
        self, *, node: str | None = None, waiting: bool = True, limit: int = 50, after: int = 0
    ) -> list[tuple[int, Return]]:
        """``(id, return)`` a page at a time: those that are still waited for, or all; of one node,
        or of all."""
        return self.store.find_returns(node=node, waiting=waiting, limit=limit, after=after)
