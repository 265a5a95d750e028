"""What channels are told: events of their orders, as shipment news."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from domcore.contracts import HearsNews
from domcore.model import FULFILLMENT_STATUSES, Event, FulfillmentOrder, Package, ShipmentNews
from domcore.store.protocol import OrderView
from domcore.working.round import Round, Trouble, call

TOLD: Final = frozenset(
    {"order.cancelled", "order.amended", *(f"fulfillment.{each}" for each in FULFILLMENT_STATUSES)}
)
"""The kinds of event that every channel hears of."""

OPTIONAL: Final = frozenset({"order.routed", "order.short"})
"""The kinds that a channel hears of where its `hears` names them."""


class Listener:
    """A channel that is told what became of its orders."""

    counted = "notified"

    def __init__(self, round: Round, channel: Any, plugin: str) -> None:
        self.name = f"notify:{channel.name}"
        self._round = round
        self._channel: HearsNews = channel
        self._of = str(channel.name)
        self._plugin = plugin
        self._mine: set[int] = set()
        self._told = TOLD | (OPTIONAL & heard_by(channel))

    def look(self, events: Sequence[Event]) -> None:
        """Find out which of them are about orders of this channel."""
        wanted = {
            each.order_id
            for each in events
            if each.order_id is not None and each.kind in self._told
        }
        found = self._round.dom.store.identities(wanted)
        self._mine = {order_id for order_id, key in found.items() if key[1] == self._of}

    def handle(self, event: Event) -> Trouble | None:
        """Tell the channel, where it is about one of its orders."""
        if event.kind not in self._told or event.order_id not in self._mine:
            return None
        dom = self._round.dom
        news = self._news(event, event.order_id or 0)
        notify = dom._telemetry.watched(self._of, "notify", self._channel.notify)
        answer = call(dom.plugins, self._plugin, "register_channels", notify, news)
        if isinstance(answer, Trouble):
            return Trouble(f"{self.name}: {answer.words}", True, answer.retry_after)
        return None

    def _news(self, event: Event, order_id: int) -> ShipmentNews:
        view = self._round.dom.store.order(order_id)
        name = event.body.get("fulfillment_order", "")
        work = next((each for each in view.fulfillment_orders if each.id == name), None)
        return ShipmentNews(
            f"domcore-{order_id}-{event.seq}",
            view.order,
            event.kind,
            work.id if work else "",
            work.node if work else "",
            event.at,
            tuple(_lines_of(event, view)),
            _packages(work, event.body.get("packages", ())),
            event.body,
        )


def heard_by(channel: Any) -> frozenset[str]:
    """The further kinds of event that a channel says it hears."""
    named = getattr(channel, "hears", ())
    if not isinstance(named, list | tuple | set | frozenset):
        named = (named,)
    return frozenset(each for each in named if isinstance(each, str))


def _lines_of(event: Event, view: OrderView) -> Iterator[tuple[str, int]]:
    """What news is about, in units by line: what a decision took, or left open."""
    ids = [line.id for line in view.order.lines]
    if event.kind == "order.routed":
        taken = [each for each in view.reservations if each.sequence == event.body.get("decision")]
        yield from _lines((ids[each.line], "", each.quantity) for each in taken)
    elif event.kind == "order.short":
        open_units = zip(ids, view.lines, strict=True)
        yield from ((name, buckets.open) for name, buckets in open_units if buckets.open)
    else:
        yield from _lines(event.body.get("lines", ()))


def _lines(rows: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """``[line id, what became of them, units]`` without the middle, each line once."""
    units: dict[str, int] = {}
    for row in rows:
        if len(row) == 3:
            units[row[0]] = units.get(row[0], 0) + row[2]
    yield from units.items()


def _packages(work: FulfillmentOrder | None, names: Iterable[Any]) -> tuple[Package, ...]:
    wanted = set(names)
    return tuple(each for each in work.packages if each.id in wanted) if work else ()
