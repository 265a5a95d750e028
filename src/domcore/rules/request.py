"""What the rules are asked about: one order, its open lines, and where they could come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from attrs import define

from domcore.model.item import Item
from domcore.model.order import Order, OrderLine
from domcore.model.policy import Directive
from domcore.rules.signals import Signals

_NONE: Final[Mapping[Any, Any]] = MappingProxyType({})
EVERYWHERE: Final = -1
"""As `candidates`: every node of the node state."""


@define(slots=True)  # not frozen: every order builds some, and that doubles the cost
class OpenLine:
    """One line: what was ordered, what it is, and the units still open; `placed` are those that
    earlier decisions have allocated or that have left. Units nobody wants any more are in neither.
    """

    line: OrderLine
    item: Item
    open: int
    placed: int = 0

    @property
    def whole(self) -> int:
        """Units of the whole order, over all its decisions."""
        return self.open + self.placed


@define(slots=True)  # not frozen: every order builds one, and that doubles the cost
class Request:
    """One question to `Program.judge`. The position of a line in `lines` is its number in the
    `Policy`; the position of a node in the node state is its bit in every mask.

    Args:
        now: aware; taken once per decision.
        candidates: mask of the nodes that matter; nothing is said of any other.
        distances: metres from node to destination, by node position; a node left out is unknown.
            Needed only where ``candidate.distance_km`` is in ``program.reads``.
        available: per line of `lines`, units available by node position; left out is 0. Needed
            only where another built-in ``candidate.*`` fact is in ``program.reads``.
        safety: per line of `lines`, the safety stock by node position; left out is 0.
        approved: hold codes that a person has approved; they do not hold again.
        directives: what judging plugins say; merged by the same law as rules.
        extra: facts given by plugins, by fact name. For an ``order`` or ``destination`` fact the
            value; for a ``line`` fact a mapping from line id; for a ``candidate`` fact a mapping
            from node id. Node facts go to the node state.
        rest: lines of the order of which nothing is open any more and something is placed. Rules
            read them as part of the whole order; nothing is said of them.
        attempts: decisions that were made on the order before.
        rejections: how often nodes have rejected work of it.
        used: positions of the nodes that ship for it already; `beyond` is how many more there are
            that are no longer in the network.
        signals: open work and demand; needed only where ``program.reads`` has one of `SIGNALS`.
        counted: the currency that the order's amounts are given in, where that is not its own.
    """

    order: Order
    lines: tuple[OpenLine, ...]
    now: datetime
    candidates: int = EVERYWHERE
    distances: Mapping[int, int] = _NONE
    available: Sequence[Mapping[int, int]] = ()
    approved: frozenset[str] = frozenset()
    directives: tuple[Directive, ...] = ()
    extra: Mapping[str, Any] = _NONE
    counted: str = ""
    rest: tuple[OpenLine, ...] = ()
    safety: Sequence[Mapping[int, int]] = ()
    attempts: int = 0
    rejections: int = 0
    used: tuple[int, ...] = ()
    beyond: int = 0
    signals: Signals | None = None
