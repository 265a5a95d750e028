"""What a store must do about goods that come back.

Part of `domcore.store.protocol.Store`; the same conventions hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from domcore.model.returns import AuthorizeReturn, ReceiveReturn, Return
from domcore.store.values import Outcome


class TakingBack(Protocol):
    """The operations behind `Domcore.authorize_return` and `Domcore.receive_return`."""

    def authorize_return(
        self,
        command: AuthorizeReturn,
        *,
        now: int,
        about: Mapping[str, Any] | None = None,
        keep: bool = False,
    ) -> Outcome:
        """Let units come back to `command.node`; `about` goes into the event with it.

        With `keep`, one that names units of which nobody has said that they have left, or an order
        that has not come, is kept (``kept``), and carried out in the transaction that brings what
        it needs, of several in the order of arrival. Without a node it then goes to the one that
        has shipped most of the order. `failing` shows what waits for long, `give_up` ends it.

        Raises:
            NotFound: no such order.
            PayloadError: an unknown node or line, units out of range.
            ConflictError: more units than have shipped, or the same return with other content.
        """
        ...

    def receive_return(self, command: ReceiveReturn, *, now: int, keep: bool = False) -> Outcome:
        """Units of a return have arrived: they are restocked, blocked or written off. Outcome
        ``received``, or ``closed`` where the return ends and nothing was taken in; the detail says
        what never came.

        With `keep`, one that comes before its order or return is kept as in `authorize_return`.

        Raises:
            NotFound: no such order or return.
            PayloadError: an unknown node, line or condition, units out of range.
            ConflictError: it is closed, waits for fewer units, or the key came with other content.
        """
        ...

    def returns(self, order_id: int) -> list[Return]:
        """The returns of one order, as they were authorized."""
        ...

    def find_returns(
        self, *, node: str | None = None, waiting: bool = True, limit: int, after: int = 0
    ) -> list[tuple[int, Return]]:
        """``(id, return)`` by rising id after `after`; `waiting` leaves out those that are closed,
        `node` those that go elsewhere."""
        ...

    def open_returns(self, node_ids: Sequence[int]) -> dict[int, int]:
        """Units on their way back, by node id; nodes that wait for none are left out."""
        ...
