"""The suite for channels that are asked and told bites: each broken shop is found by one test."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import SkipTest

import attrs
import pytest

from domcore.errors import ConnectorError, PayloadError, Problem
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Destination,
    Envelope,
    Order,
    OrderLine,
    Pulled,
    ShipmentNews,
    StockLevel,
    Unreadable,
)
from domcore.testing import ChannelSuite
from domcore.testing.pulling_suite import PullingTests
from domcore.testing.selling_suite import SellingTests

AT = datetime(2026, 1, 5, tzinfo=UTC)


class Shop:
    """Orders, levels and messages in memory, and the trouble it is in."""

    def __init__(self) -> None:
        self.orders = 0
        self.bad: set[int] = set()
        self.levels: dict[str, int] = {}
        self.heard: list[str] = []
        self.calls = 0
        self.fails_after: int | None = None
        self.drops = False

    def call(self, tell=None) -> None:
        self.calls += 1
        if self.fails_after is not None and self.calls > self.fails_after:
            raise ConnectorError("the shop is down")
        if tell is not None:
            tell()
            if self.drops:
                raise ConnectorError("no answer", unknown=True)


class Good:
    """A channel without a fault."""

    name = "stall"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def receive(self, envelope):
        kind, _, revision = envelope.body.partition(b" ")
        if kind == b"cancel":
            return [CancelOrder("main", "stall", "1", 9)]
        return [self.order(1, int(revision))] if kind == b"order" and revision.isdigit() else []

    def order(self, number, revision=1):
        lines = (OrderLine("1", "MUG", revision),)
        placed = AT + timedelta(minutes=number)
        return CaptureOrder(Order("main", "stall", str(number), revision, placed, "USD", lines))

    def pull(self, cursor):
        self.shop.call()
        after = int(cursor or 0)
        numbers = range(after + 1, min(after + 2, self.shop.orders) + 1)
        last = numbers[-1] if numbers else after
        page = tuple(each for number in numbers for each in self.of_page(number))
        return Pulled(page, str(last), more=last < self.shop.orders)

    def of_page(self, number):
        if number in self.shop.bad:
            return [Unreadable("$.pieces: must be a number", str(number))]
        return [self.order(number)]

    def publish_stock(self, levels):
        for level in levels:
            self.shop.call(
                lambda level=level: self.shop.levels.update({level.sku: level.available})
            )

    def notify(self, news):
        if news.key not in self.shop.heard:
            self.shop.call(lambda: self.shop.heard.append(news.key))
        else:
            self.shop.call()


class ForgetsACursor(Good):
    def pull(self, cursor):
        return super().pull("")


class HoldsPagesInMemory(Good):
    """Reads all at once, and hands it out as long as the process lives."""

    def pull(self, cursor):
        if not cursor:
            self.held = [self.order(number + 1) for number in range(self.shop.orders)]
        held = getattr(self, "held", [])
        self.held = held[2:]
        return Pulled(tuple(held[:2]), f"{self.shop.orders}-{len(self.held)}", bool(self.held))


class StandsStill(Good):
    def pull(self, cursor):
        return attrs.evolve(super().pull(cursor), cursor="0")


class StopsAfterAPage(Good):
    def pull(self, cursor):
        return attrs.evolve(super().pull(cursor), more=False)


class NamesByPage(Good):
    """Reads the last order of a page again on the next, under another id."""

    def pull(self, cursor):
        page = super().pull(str(max(0, int(cursor or 0) - 1)))
        named = [
            attrs.evolve(each.order, external_id=f"{cursor or 0}/{each.order.external_id}")
            for each in page.commands
        ]
        return attrs.evolve(page, commands=tuple(map(CaptureOrder, named)))


class SkipsAPlace(Good):
    """Counts places from where they were before the page was taken away."""

    def pull(self, cursor):
        page = super().pull(cursor)
        return attrs.evolve(page, cursor=str(int(page.cursor) + 1)) if page.more else page


class SetsBadOnesAside(Good):
    """Keeps what cannot be read in a folder of its own, and tells in its page that it did."""

    def of_page(self, number):
        if number in self.shop.bad:
            return [PayloadError("an order was set aside", [Problem("$.pieces", "is no number")])]
        return super().of_page(number)


class IgnoresABadOrder(Good):
    def of_page(self, number):
        return [] if number in self.shop.bad else super().of_page(number)


class LosesAPage(Good):
    def pull(self, cursor):
        page = super().pull(cursor)
        bad = any(isinstance(each, Unreadable) for each in page.commands)
        return attrs.evolve(page, commands=page.commands[-1:]) if bad else page


class WritesCurrenciesSmall(Good):
    def order(self, number, revision=1):
        made = super().order(number, revision)
        return attrs.evolve(made, order=attrs.evolve(made.order, currency="usd"))


class WritesCountriesOut(Good):
    def order(self, number, revision=1):
        made = super().order(number, revision)
        place = Destination("Germany")
        return attrs.evolve(made, order=attrs.evolve(made.order, destination=place))


class ReadsAnotherLine(Good):
    def order(self, number, revision=1):
        made = super().order(number, revision)
        lines = (OrderLine("1", "CUP", revision),)
        return attrs.evolve(made, order=attrs.evolve(made.order, lines=lines))


class SkipsAnOrder(Good):
    def pull(self, cursor):
        page = super().pull(cursor)
        return Pulled(page.commands[1:] if cursor else page.commands, page.cursor, page.more)


class NeverEnds(Good):
    def pull(self, cursor):
        page = super().pull(cursor)
        return Pulled(page.commands, page.cursor, more=True)


class SwallowsTrouble(Good):
    def pull(self, cursor):
        try:
            return super().pull(cursor)
        except ConnectorError:
            return Pulled((), str(self.shop.orders))


class AddsUp(Good):
    def publish_stock(self, levels):
        for level in levels:
            now = self.shop.levels.get(level.sku, 0) + level.available
            self.shop.call(lambda level=level, now=now: self.shop.levels.update({level.sku: now}))


class TellsTwice(Good):
    def notify(self, news):
        self.shop.call(lambda: self.shop.heard.append(news.key))


class HidesALostAnswer(Good):
    def notify(self, news):
        try:
            super().notify(news)
        except ConnectorError:
            return


class HandsOutOnce(Good):
    """Takes what it has read from the shop's list, whether it was kept or not."""

    def pull(self, cursor):
        page = super().pull(cursor)
        known = self.shop.heard
        new = [each for each in page.commands if each.order.external_id not in known]
        known += [each.order.external_id for each in new]
        return attrs.evolve(page, commands=tuple(new))


class HidesALostPublication(Good):
    def publish_stock(self, levels):
        try:
            super().publish_stock(levels)
        except ConnectorError:
            return


class HearsNobody(Good):
    hears = ("order.thought_about",)


class ShowsItsSecret(Good):
    def __repr__(self) -> str:
        return "ShowsItsSecret(token='canary')"


class LastOneWins(Good):
    """Believes the order of arrival."""

    arrived = 0

    def receive(self, envelope):
        type(self).arrived += 1
        commands = super().receive(envelope)
        for command in commands:
            if isinstance(command, CaptureOrder):
                object.__setattr__(command.order, "revision", type(self).arrived)
        return commands


class Suite(ChannelSuite):
    __test__ = False

    def __init__(self, cls: type[Good]) -> None:
        self.shop = Shop()
        self.cls = cls

    def channel(self):
        return self.cls(self.shop)

    def deliveries(self):
        return [Envelope("stall", b"order 1")]

    def life(self):
        return [Envelope("stall", b"order 1"), Envelope("stall", b"order 3"), *self.deliveries()]

    def orders_appear(self, count):
        self.shop.orders += count

    def bad_order_appears(self):
        self.shop.orders += 1
        self.shop.bad.add(self.shop.orders)

    def more_than_a_page(self):
        self.shop.orders += 5
        return 5

    def golden(self):
        return [
            (Envelope("stall", b"order 1"), {"order.external_id": "1", "order.lines.0.sku": "MUG"})
        ]

    def levels(self):
        return [StockLevel("MUG", (), "", 5)]

    def published(self):
        return dict(self.shop.levels)

    def news(self):
        order = Good(self.shop).order(1).order
        return ShipmentNews("k", order, "fulfillment.shipped", "1-1-A", "A", AT, (("1", 1),))

    def effects(self):
        return len(self.shop.heard)

    @contextmanager
    def shop_fails_after(self, calls):
        self.shop.fails_after = self.shop.calls + calls
        yield
        self.shop.fails_after = None

    def shop_is_down(self):
        return self.shop_fails_after(0)

    @contextmanager
    def drops_the_answer(self):
        self.shop.drops = True
        yield
        self.shop.drops = False

    def secrets(self):
        return ["canary"]


TESTS = [name for name in dir(ChannelSuite) if name.startswith("test_")]


@pytest.mark.parametrize("name", TESTS)
def test_a_good_channel_passes_all_of_it(name: str) -> None:
    getattr(Suite(Good), name)()


FAULTS = [
    (ForgetsACursor, "test_pulling_goes_on_where_it_stopped"),
    (SkipsAnOrder, "test_pulling_goes_on_where_it_stopped"),
    (NeverEnds, "test_an_empty_shop_is_fine"),
    (HoldsPagesInMemory, "test_more_than_one_page_comes_whole"),
    (StandsStill, "test_more_than_one_page_comes_whole"),
    (StopsAfterAPage, "test_more_than_one_page_comes_whole"),
    (NamesByPage, "test_more_than_one_page_comes_whole"),
    (SkipsAPlace, "test_more_than_one_page_comes_whole"),
    (IgnoresABadOrder, "test_one_bad_order_of_a_page_loses_no_other"),
    (LosesAPage, "test_one_bad_order_of_a_page_loses_no_other"),
    (WritesCurrenciesSmall, "test_codes_are_codes"),
    (WritesCountriesOut, "test_codes_are_codes"),
    (WritesCurrenciesSmall, "test_pulling_goes_on_where_it_stopped"),
    (ReadsAnotherLine, "test_golden_values_come_out"),
    (SwallowsTrouble, "test_a_pull_that_fails_midway_loses_nothing"),
    (SwallowsTrouble, "test_a_shop_that_is_down_is_a_connector_error"),
    (AddsUp, "test_publishing_twice_is_harmless"),
    (TellsTwice, "test_news_told_twice_is_told_once"),
    (TellsTwice, "test_news_whose_answer_was_lost_is_told_once"),
    (HidesALostAnswer, "test_news_whose_answer_was_lost_is_told_once"),
    (ShowsItsSecret, "test_secrets_are_shown_nowhere"),
    (LastOneWins, "test_deliveries_in_any_order_end_alike"),
    (HandsOutOnce, "test_pulling_again_from_the_same_cursor_loses_nothing"),
    (HidesALostPublication, "test_a_publication_whose_answer_was_lost_is_made_again"),
    (HearsNobody, "test_what_it_hears_besides_is_told"),
]


@pytest.mark.parametrize(("cls", "name"), FAULTS)
def test_each_fault_is_found(cls: type[Good], name: str) -> None:
    with pytest.raises(AssertionError):
        getattr(Suite(cls), name)()


def test_every_law_about_pulling_and_telling_is_proved_to_bite() -> None:
    laws = {name for name in (*vars(PullingTests), *vars(SellingTests)) if name[:5] == "test_"}
    assert laws <= {name for _, name in FAULTS}


def test_what_is_not_given_is_skipped_by_name() -> None:
    class Bare(ChannelSuite):
        __test__ = False

        def channel(self):
            return Good(Shop())

    with pytest.raises(SkipTest, match="signed = True"):
        Bare().test_what_was_changed_on_the_way_is_not_read()
    for name in ("test_an_empty_shop_is_fine", "test_deliveries_in_any_order_end_alike"):
        with pytest.raises(SkipTest, match=r"give \w+\(\)"):
            getattr(Bare(), name)()


@pytest.mark.parametrize(
    ("cls", "told"),
    [
        (HoldsPagesInMemory, "of 5 orders 3 never came"),
        (StandsStill, "stands still"),
        (StopsAfterAPage, "of 5 orders 3 never came"),
        (NamesByPage, "5 orders came as 8: some under two ids"),
        (SkipsAPlace, "of 5 orders 1 never came"),
    ],
)
def test_what_is_wrong_with_the_pages_is_told(cls: type[Good], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        Suite(cls).test_more_than_one_page_comes_whole()


def test_one_page_proves_nothing_about_pages() -> None:
    class Few(Suite):
        __test__ = False

        def more_than_a_page(self):
            self.shop.orders += 2
            return 2

    with pytest.raises(AssertionError, match="all 2 fit on one page"):
        Few(Good).test_more_than_one_page_comes_whole()


def test_a_bad_order_may_be_set_aside_where_the_page_says_so() -> None:
    Suite(SetsBadOnesAside).test_one_bad_order_of_a_page_loses_no_other()
