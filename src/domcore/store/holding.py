"""What a store must do about holds that are asked for, and about lifting holds.

Part of `domcore.store.protocol.Store`; the same conventions hold.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from domcore.model.command import ApproveOrder, HoldOrder
from domcore.model.policy import Hold
from domcore.store.values import Outcome


class Holding(Protocol):
    """The operations behind `Domcore.hold` and `Domcore.approve`."""

    def hold(self, command: HoldOrder | ApproveOrder, *, now: int) -> Outcome:
        """Place a hold that stands whatever revision comes later, or lift it: ``held``, ``lifted``;
        ``recorded`` where there is no order (yet) that it could stop or let go; ``stale``.

        Words about one code may come twice, late and in any order: the latest counts, of two of one
        revision the lifting one. Work that is not handed over waits, its reservations stand (at
        ``route`` they are freed); what is handed over is asked back.

        Raises:
            ConflictError: the key came with other content.
            PayloadError: a field is out of range.
        """
        ...

    def approve(
        self,
        order_id: int,
        *,
        by: str,
        now: int,
        code: str = "",
        granted: Sequence[Hold] = (),
    ) -> tuple[Hold, ...]:
        """Lift all holds of this revision, or the one called `code`; those lifted. Once none
        stands, work held at ``release`` is requested.

        What is `granted` besides is kept as approved by the same person, if there was a hold:
        decisions on this revision read its code among the approved ones. Of codes that say a value
        (``domcore/currency@1.08``) the one said last is in force.
        """
        ...

    def correct(self, order_id: int, said: Hold, *, by: str, now: int) -> None:
        """Replace what was granted with an approval of this revision - the code that begins alike
        up to its ``@`` - as long as no decision has taken stock since. No hold is lifted.

        Raises:
            NotFound: no such order.
            ConflictError: nothing of the kind was granted, or it has been decided by; nothing is
                changed.
        """
        ...

    def rejudge(self, order_id: int, *, codes: Collection[str], now: int) -> tuple[Hold, ...]:
        """Take back those holds of `codes` that decisions placed on this revision, as if they never
        had been (``order.rejudged``); those taken back. They are not approved: a later decision may
        place them again. What a channel or a person asked for stays."""
        ...
