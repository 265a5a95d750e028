"""What figures need to know of one order, read from its events."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from attrs import define, field

from domcore.errors import StoreError, StoreReason
from domcore.model.clock import to_micros
from domcore.store.protocol import OrderFacts


class _DecisionBody(msgspec.Struct):
    """What counts of a decision's event."""

    nodes: dict[str, int] = {}
    cost: int = 0
    currency: str = ""
    short: int = 0


class _Box(msgspec.Struct):
    """When a box left and arrived."""

    shipped_at: datetime | None = None
    delivered_at: datetime | None = None


class _WorkBody(msgspec.Struct):
    """What counts of a node's word. Only a notice has `named`."""

    fulfillment_order: str = ""
    node: str = ""
    reason: str = ""
    lines: list[tuple[str, str, int]] = []
    boxes: list[_Box] = []
    named: list[tuple[str, int]] | None = None
    stale: bool = False
    unasked: bool = False


_read_decision: Final = msgspec.json.Decoder(_DecisionBody).decode
_read_work: Final = msgspec.json.Decoder(_WorkBody).decode


@define
class Story:
    """One order as figures see it.

    `first_allocated` and `first_short` are of the first decision that planned; `placed` says
    whether any decision reserved something. `shipped_at` and `delivered_at` are None unless all of
    the order is.
    """

    first_allocated: int = 0
    first_short: int = 0
    placed: bool = False
    costs: dict[str, int] = field(factory=dict)
    rejections: list[tuple[str, str, int]] = field(factory=list)
    routed_at: int | None = None
    shipped_at: int | None = None
    delivered_at: int | None = None


def read_story(facts: OrderFacts) -> Story:
    """Read an order's events once.

    Raises:
        StoreError: one of them is damaged.
    """
    try:
        return _read(facts)
    except msgspec.MsgspecError:
        raise StoreError(
            f"an event of order {facts.order_id} is damaged; run `domcore verify`",
            reason=StoreReason.DAMAGED,
        ) from None


def _read(facts: OrderFacts) -> Story:
    reader = _Reader(facts)
    for kind, at, body in facts.events:
        if kind in ("order.routed", "order.reserved", "order.short"):
            reader.decided(kind, at, body)
        elif kind in ("order.kept", "order.freed", "reservation.expired"):
            reader.reservation(kind, at)
        elif kind.startswith("fulfillment."):
            reader.news(kind, at, body)
    return reader.finish()


class _Reader:
    """Mutable while one order is read."""

    def __init__(self, facts: OrderFacts) -> None:
        self._facts: Final = facts
        self._story: Final = Story()
        self._planned = False
        self._waiting: list[tuple[str, int]] = []
        self._last_shipped = 0
        self._shipping: set[str] = set()
        self._delivered: dict[str, int] = {}

    def decided(self, kind: str, at: int, raw: bytes) -> None:
        """A decision that planned."""
        body: Any = _read_decision(raw)
        story, units = self._story, sum(body.nodes.values())
        if not self._planned:
            self._planned = True
            story.first_allocated, story.first_short = units, body.short
        story.placed = story.placed or units > 0
        if kind == "order.routed":
            self._pay(body.currency, body.cost)
            self._routed(at)
        elif kind == "order.reserved":
            self._waiting.append((body.currency, body.cost))

    def reservation(self, kind: str, at: int) -> None:
        """What was reserved for a while is kept, and costs, or is let go."""
        if kind == "order.kept":
            for currency, cost in self._waiting:
                self._pay(currency, cost)
            self._routed(at)
        self._waiting.clear()

    def news(self, kind: str, at: int, raw: bytes) -> None:
        """A node's word."""
        body: Any = _read_work(raw)
        if body.named is None:
            return
        name = body.fulfillment_order
        if any(how == "shipped" and units > 0 for _, how, units in body.lines):
            left = [to_micros(box.shipped_at) for box in body.boxes if box.shipped_at]
            self._last_shipped = max(self._last_shipped, *left, *(() if left else (at,)))
            self._shipping.add(name)
        arrived = [to_micros(box.delivered_at) for box in body.boxes if box.delivered_at]
        if kind == "fulfillment.delivered" and not body.boxes:
            arrived = [at]
        if arrived:
            self._delivered[name] = max(self._delivered.get(name, 0), *arrived)
        if (kind == "fulfillment.rejected" or body.unasked) and not body.stale:
            units = sum(units for _, how, units in body.lines if how != "shipped")
            self._story.rejections.append((body.node, body.reason or "other", max(0, units)))

    def finish(self) -> Story:
        """The story, once every event is read."""
        units, work = self._facts.buckets, self._facts.work
        if units.shipped and not units.open and not units.allocated:
            self._story.shipped_at = self._last_shipped if self._shipping else None
            if self._shipping and all(
                work.get(name) == "delivered" and name in self._delivered for name in self._shipping
            ):
                self._story.delivered_at = max(self._delivered[name] for name in self._shipping)
        return self._story

    def _pay(self, currency: str, cost: int) -> None:
        self._story.costs[currency] = self._story.costs.get(currency, 0) + cost

    def _routed(self, at: int) -> None:
        if self._story.routed_at is None:
            self._story.routed_at = at
