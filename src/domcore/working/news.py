"""What channels are told: events of their orders, as shipment news."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from domcore.contracts import HearsNews
from domcore.model import FULFILLMENT_STATUSES, Event, FulfillmentOrder, Package, ShipmentNews
from domcore.working.round import Round, Trouble, call

TOLD: Final = frozenset(
    {"order.cancelled", "order.amended", *(f"fulfillment.{each}" for each in FULFILLMENT_STATUSES)}
)
"""The kinds of event that a channel hears of."""


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

    def look(self, events: Sequence[Event]) -> None:
        """Find out which of them are about orders of this channel."""
        wanted = {each.order_id for each in events if each.order_id is not None and is_told(each)}
        found = self._round.dom.store.identities(wanted)
        self._mine = {order_id for order_id, key in found.items() if key[1] == self._of}

    def handle(self, event: Event) -> Trouble | None:
        """Tell the channel, where it is about one of its orders."""
        if not is_told(event) or event.order_id not in self._mine:
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
            tuple(_lines(event.body.get("lines", ()))),
            _packages(work, event.body.get("packages", ())),
            event.body,
        )


def is_told(event: Event) -> bool:
    """Whether channels hear of such events."""
    return event.kind in TOLD


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
