"""All that happened to one order, in order, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from attrs import asdict, field, frozen

from domcore.codec.showing import shown
from domcore.model import Event, OrderSummary
from domcore.seeing.words import Background, told
from domcore.store.protocol import Store

_PAGE: Final = 1000


@frozen(slots=True)
class Entry:
    """One event of an order.

    Args:
        seq: the event's; rises with what became known.
        at: when it happened, aware UTC.
        kind: the event's kind.
        text: the same in words.
        node, fulfillment_order: whose work it is about, where it is about a node's work.
        reason: why, in the code or words that came with it.
        decision: the number of the decision, for ``explain(..., decision=...)``.
        lines: ``(node, SKU, units)`` it is about, as far as it says.
        tracking: tracking numbers of the boxes it is about.
        body: the event's own values.
        by: who caused it, see `domcore.model.actor`; empty where nobody knows.
    """

    seq: int
    at: datetime
    kind: str
    text: str
    node: str = ""
    fulfillment_order: str = ""
    reason: str = ""
    decision: int | None = None
    lines: tuple[tuple[str, str, int], ...] = ()
    tracking: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(factory=dict)
    by: str = ""


@frozen(slots=True)
class Timeline:
    """One order's entries, the first one first, and where the order stands now."""

    order: OrderSummary
    entries: tuple[Entry, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything, for machines."""
        order = self.order
        return {
            "order_id": order.order_id,
            "owner": order.owner,
            "channel": order.channel,
            "external_id": order.external_id,
            "number": order.number,
            "status": order.status,
            **order.buckets._asdict(),
            "entries": [
                {**asdict(entry, recurse=False), "at": entry.at.isoformat()}
                for entry in self.entries
            ],
        }

    def to_text(self) -> str:
        """The story, a line an entry."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        order = self.order
        units = ", ".join(f"{number:,} {word}" for word, number in order.buckets._asdict().items())
        name = order.number or order.external_id
        yield shown(f"Order {name} ({order.channel}/{order.external_id}): {order.status}; {units}")
        for entry in self.entries:
            notes = [f"decision {entry.decision}"] if entry.decision is not None else []
            notes += [f"by {entry.by}"] if entry.by else []
            told = f"  ({', '.join(notes)})" if notes else ""
            yield shown(f"{entry.at:%Y-%m-%d %H:%M} UTC  {entry.text}{told}")


def timeline(store: Store, order_id: int) -> Timeline:
    """Everything that is known to have happened to an order.

    Raises:
        NotFound: there is no such order.
    """
    with store.snapshot():
        view = store.order(order_id)
        events = sorted(
            [*_events(store, order_id), *store.shortfalls(order_id)], key=lambda event: event.seq
        )
        decisions = store.decisions(order_id)
    background = Background(view, decisions)
    return Timeline(view.summary, tuple(_entry(event, background) for event in events))


def _events(store: Store, order_id: int) -> Iterator[Event]:
    after = 0
    while True:
        page = store.events(after=after, limit=_PAGE, order_id=order_id)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def _entry(event: Event, background: Background) -> Entry:
    words = told(event, background)
    return Entry(
        event.seq,
        event.at,
        event.kind,
        words.text,
        words.node,
        words.fulfillment_order,
        words.reason,
        words.decision,
        words.lines,
        words.tracking,
        event.body,
        event.by,
    )
