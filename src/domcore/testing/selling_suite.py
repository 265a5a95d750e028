"""The part of `ChannelSuite` about channels that are told things, and about order.

Each hook here is optional: a test that needs one which is not given is skipped, and says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final
from unittest import SkipTest

from domcore.contracts import Channel, HearsNews, PublishesStock, PullsOrders
from domcore.errors import ConnectorError, DomcoreError
from domcore.hookspecs import hookimpl
from domcore.model import (
    AuthorizeReturn,
    CaptureOrder,
    Command,
    Envelope,
    ObserveStock,
    ReceiveReturn,
    ShipmentNews,
    StockLevel,
)
from domcore.settings import Settings
from domcore.store.protocol import StockFilter
from domcore.testing.builder import World
from domcore.testing.listening import listening
from domcore.testing.pulling_suite import PullingTests
from domcore.testing.receiving_suite import not_given
from domcore.working.news import OPTIONAL, heard_by

_ROUNDS: Final = 10


class SellingTests(PullingTests):
    """Tests for `publish_stock` and `notify`, and for deliveries in any order."""

    permutations: int = 30
    """How many orders of arrival of `life` are tried."""

    def life(self) -> Sequence[Envelope]:
        """The deliveries of one order's life, as they happened."""
        raise not_given("life")

    def world(self, commands: Sequence[Command]) -> World:
        """A world in which these commands can be carried out. Override it where yours need more
        than nodes and items of the names that they speak of.
        """
        return _world(commands)

    def levels(self) -> Sequence[StockLevel]:
        """Levels that the shop can be told."""
        raise not_given("levels")

    def published(self) -> object:
        """What the shop has for sale now, as something that can be compared."""
        raise not_given("published")

    def news(self) -> ShipmentNews:
        """News that the shop wants to hear: a box that left."""
        raise not_given("news")

    def effects(self) -> int:
        """How much the shop was told so far: fulfillments, notes, messages."""
        raise not_given("effects")

    def shop_is_down(self) -> AbstractContextManager[object]:
        """While it is entered, the shop cannot be reached."""
        raise not_given("shop_is_down")

    def drops_the_answer(self) -> AbstractContextManager[object]:
        """While it is entered, the shop hears what it is told, but its answer is lost."""
        raise not_given("drops_the_answer")

    def secrets(self) -> Sequence[str]:
        """Tokens and passwords it is configured with: they may be shown nowhere."""
        return ()

    def test_publishing_twice_is_harmless(self) -> None:
        """Levels are absolute."""
        self._publishes()
        levels = self.levels()
        self._publishes().publish_stock(levels)
        first = self.published()
        self._publishes().publish_stock(levels)
        assert self.published() == first
        self._publishes().publish_stock([])
        assert self.published() == first

    def test_a_publication_whose_answer_was_lost_is_made_again(self) -> None:
        """It raises, and the next one ends where the first one would have."""
        self._publishes()
        levels = self.levels()
        with self.drops_the_answer():
            _error(partial(self._publishes().publish_stock, levels), "the answer was dropped")
        self._publishes().publish_stock(levels)
        once = self.published()
        self._publishes().publish_stock(levels)
        assert self.published() == once

    def test_news_told_twice_is_told_once(self) -> None:
        """The same key is the same news, also for another process."""
        self._hears()
        before, news = self.effects(), self.news()
        self._hears().notify(news)
        told = self.effects()
        assert told > before, "the shop was told nothing"
        self._hears().notify(news)
        assert self.effects() == told, "the shop was told twice"

    def test_what_it_hears_besides_is_told(self) -> None:
        """Its `hears` names kinds of event that a channel can be told, and no others."""
        heard = heard_by(self._hears())
        assert heard <= OPTIONAL, f"nobody is told of {', '.join(sorted(heard - OPTIONAL))}"

    def test_news_whose_answer_was_lost_is_told_once(self) -> None:
        """It raises, comes again, and does not double."""
        self._hears()
        before, news = self.effects(), self.news()
        with self.drops_the_answer():
            _error(partial(self._hears().notify, news), "the answer was dropped")
        self._hears().notify(news)
        told = self.effects()
        assert told > before
        self._hears().notify(news)
        assert self.effects() == told, "the shop was told twice"

    def test_a_shop_that_is_down_is_a_connector_error(self) -> None:
        """Whatever is asked of it or told."""
        calls = list(self._calls())
        with self.shop_is_down():
            for call in calls:
                _error(call, "the shop is down")

    def test_secrets_are_shown_nowhere(self) -> None:
        """Not in its repr, not in an error, not in a log at any level."""
        with listening() as heard:
            shown = [repr(self.channel()), str(self.channel())]
            for trouble in (None, self.shop_is_down, self.drops_the_answer):
                shown += self._attempts(trouble)
            shown += heard()
        for secret in self.secrets():
            place = next((text for text in shown if secret in text), None)
            assert place is None, f"a secret is shown: {place!r:.300}"

    def test_deliveries_in_any_order_end_alike(self) -> None:
        """Late, early and repeated deliveries come to the same order and the same stock."""
        life = list(self.life())
        wanted = self._end(life)
        chance = random.Random(len(life))
        for _ in range(self.permutations):
            mixed = life + chance.choices(life, k=chance.randrange(len(life) + 1))
            chance.shuffle(mixed)
            assert self._end(mixed) == wanted

    def _end(self, life: Sequence[Envelope]) -> object:
        """What there is after `life`; a delivery that is refused comes again later."""
        channel = self.channel()
        commands = [command for each in life for command in channel.receive(each)]
        with self.world(commands).open(
            Settings(store="memory:", owners=_owners(commands)),
            plugins={"channel": _Plugin(channel)},
        ) as dom:
            waiting = list(life)
            for _ in range(_ROUNDS):
                waiting = [each for each in waiting if not _taken(dom, channel, each)]
            orders = [dom.order(str(each.number or each.external_id)) for each in dom.orders()]
            return [_seen(view) for view in orders], [
                (row.sku, row.node, row.on_hand, row.reserved, row.blocked)
                for row in dom.store.find_stock(StockFilter(), limit=1000)
            ]

    def _attempts(self, trouble: Callable[[], AbstractContextManager[object]] | None) -> list[str]:
        """What calls raise, as a log would show it."""
        shown: list[str] = []
        for call in self._calls():
            try:
                if trouble is None:
                    call()
                else:
                    with trouble():
                        call()
            except SkipTest:
                return shown
            except DomcoreError as error:
                shown += _chain(error)
        return shown

    def _calls(self) -> Iterator[Callable[[], object]]:
        """Everything the channel can be asked or told."""
        channel = self.channel()
        if isinstance(channel, PullsOrders):
            yield partial(channel.pull, "")
        if isinstance(channel, PublishesStock):
            yield partial(channel.publish_stock, self.levels())
        if isinstance(channel, HearsNews):
            yield partial(channel.notify, self.news())

    def _publishes(self) -> PublishesStock:
        channel = self.channel()
        if not isinstance(channel, PublishesStock):
            raise SkipTest("the channel is not told of stock: it has no publish_stock")
        return channel

    def _hears(self) -> HearsNews:
        channel = self.channel()
        if not isinstance(channel, HearsNews):
            raise SkipTest("the channel is not told news: it has no notify")
        return channel


class _Plugin:
    """A plugin that serves one channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @hookimpl
    def register_channels(self) -> list[Channel]:
        """The one."""
        return [self._channel]


def _taken(dom: Any, channel: Channel, delivery: Envelope) -> bool:
    try:
        dom.receive(channel.name, delivery.body, delivery.headers)
    except DomcoreError:
        return False
    return True


def _seen(view: Any) -> object:
    """An order's present state, without how it came to it."""
    lines = {
        line.id: (line.sku, line.quantity, at.open, at.allocated, at.shipped)
        for line, at in zip(view.order.lines, view.lines, strict=True)
        if line.quantity or at.open or at.allocated or at.shipped
    }
    order = view.order
    return order.key, order.destination, view.summary.status, lines, view.person


def _world(commands: Sequence[Command]) -> World:
    orders = [each.order for each in commands if isinstance(each, CaptureOrder)]
    counts = [count for each in commands if isinstance(each, ObserveStock) for count in each.counts]
    back = [each for each in commands if isinstance(each, AuthorizeReturn | ReceiveReturn)]
    nodes = {count.node for count in counts} | {each.node for each in back if each.node}
    world = World(orders[0].currency if orders else "USD")
    for at, node in enumerate(sorted(nodes or {"A"})):
        world.node(node, at=(40.0 + at, -74.0))
    skus = {line.sku for order in orders for line in order.lines if line.ships}
    for sku in sorted(skus | {count.sku for count in counts}):
        world.item(sku)
    return world


def _owners(commands: Sequence[Command]) -> dict[str, str]:
    orders = [each.order for each in commands if isinstance(each, CaptureOrder)]
    return {order.owner: order.currency for order in orders} or {"main": "USD"}


def _error(call: Callable[[], object], when: str) -> ConnectorError:
    try:
        answer = call()
    except ConnectorError as error:
        return error
    raise AssertionError(f"{when}: a ConnectorError is wanted, not {answer!r:.200}")


def _chain(error: BaseException | None) -> list[str]:
    """An error and what caused it; what `from None` hides is not shown in logs either."""
    shown: list[str] = []
    while error is not None and len(shown) < 20:
        shown.append(f"{error}{error!r}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return shown
