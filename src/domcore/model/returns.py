"""Goods that come back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import frozen

CONDITIONS: Final = ("sellable", "damaged", "scrap")
"""In what state goods came back: restocked, blocked, or written off."""

RETURN_STATUSES: Final = ("authorized", "partly received", "received", "closed")


@frozen(slots=True)
class AuthorizeReturn:
    """A customer may send units back.

    Args:
        return_id: the channel's or the shop's own number of the return; the same id again, with
            the same content, changes nothing.
        lines: ``(line id, units)``, at most what has shipped and is not coming back already.
        node: where to; empty has the planner choose.
        by: who caused it, see `domcore.model.actor`.
    """

    owner: str
    channel: str
    external_id: str
    return_id: str
    lines: tuple[tuple[str, int], ...]
    node: str = ""
    reason: str = ""
    key: str = ""
    by: str = ""


@frozen(slots=True)
class ReceiveReturn:
    """Units of a return have arrived.

    Args:
        lines: ``(line id, units, condition)``; see `CONDITIONS`.
        node: where they arrived; empty is where they were sent.
        at: aware UTC; None is now.
        close: nothing more is expected of this return.
        by: who caused it, see `domcore.model.actor`.
    """

    owner: str
    channel: str
    external_id: str
    return_id: str
    lines: tuple[tuple[str, int, str], ...]
    node: str = ""
    at: datetime | None = None
    close: bool = False
    key: str = ""
    by: str = ""


@frozen(slots=True)
class ReturnLine:
    """Units of one order line that come back; each received unit is in one of the last three."""

    line: str
    sku: str
    units: int
    restocked: int = 0
    blocked: int = 0
    written_off: int = 0

    @property
    def received(self) -> int:
        """Units that have arrived."""
        return self.restocked + self.blocked + self.written_off


@frozen(slots=True)
class Return:
    """One return of one order."""

    return_id: str
    order_id: int
    node: str
    status: str
    authorized_at: datetime
    lines: tuple[ReturnLine, ...]
    reason: str = ""
