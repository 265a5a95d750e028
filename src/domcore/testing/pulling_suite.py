"""The part of `ChannelSuite` about channels that are asked for orders.

Each hook here but `channel` is optional: a test that needs one which is not given is skipped, and
says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from unittest import SkipTest

from domcore.contracts import Channel, PullsOrders
from domcore.errors import ConnectorError, PayloadError
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Command,
    Ignore,
    Order,
    Pulled,
    Unreadable,
)
from domcore.testing.paging import assert_several, pages_after_interruptions, pages_from
from domcore.testing.receiving_suite import not_given


class PullingTests:
    """Tests for `pull`."""

    def channel(self) -> Channel:
        """A new channel to the shop of this test, configured the same each time."""
        raise NotImplementedError("give a channel to test")

    def orders_appear(self, count: int) -> None:
        """Have so many new orders placed in the shop, each later than those before."""
        raise not_given("orders_appear")

    def bad_order_appears(self) -> None:
        """Have an order placed in the shop that the channel cannot read: pieces that are no number,
        say. Its id can be read."""
        raise not_given("bad_order_appears")

    def more_than_a_page(self) -> int:
        """Have more new orders placed than the shop shows on one page; how many they are."""
        raise not_given("more_than_a_page")

    def shop_fails_after(self, calls: int) -> AbstractContextManager[object]:
        """While it is entered, the shop answers so many calls, and then only with errors."""
        raise not_given("shop_fails_after")

    def test_an_empty_shop_is_fine(self) -> None:
        """Nothing comes, nothing is wrong, and the first order is found all the same."""
        commands, cursor = self._all("")
        assert not commands
        self.orders_appear(1)
        later, _ = self._all(cursor)
        assert _about(later)

    def test_pulling_again_from_the_same_cursor_loses_nothing(self) -> None:
        """At least once: a page that was read and not kept comes again."""
        self._pulls()
        self.orders_appear(3)
        first = self._pulls().pull("")
        again = self._pulls().pull("")
        assert first.commands
        assert _about(first.commands) <= _about(again.commands), "a page did not come again"
        self._check(first)

    def test_pulling_goes_on_where_it_stopped(self) -> None:
        """The cursor moves on, also for another process: what is new comes, and what is old does
        not come for ever."""
        self._pulls()
        self.orders_appear(3)
        before, cursor = self._all("")
        quiet, cursor = self._all(cursor)
        assert not quiet, "orders come again though nothing has changed"
        self.orders_appear(2)
        later, cursor = self._all(cursor)
        assert len(_about(later) - _about(before)) == 2, "new orders were not found"
        assert not self._all(cursor)[0]

    def test_more_than_one_page_comes_whole(self) -> None:
        """Every order comes, none twice under another key, and the cursor moves on each page;
        whoever stops after a page, and is somebody new afterwards, loses nothing."""
        self._pulls()
        count = self.more_than_a_page()
        pages = pages_after_interruptions(self._page)
        found = {key for page in pages for key in _orders(page.commands)}
        assert len(found) >= count, f"of {count} orders {count - len(found)} never came"
        assert len(found) <= count, f"{count} orders came as {len(found)}: some under two ids"
        assert_several(pages, count)

    def test_one_bad_order_of_a_page_loses_no_other(self) -> None:
        """It is told as `Unreadable`, with its reasons and its id, or by the `PayloadError` of a
        page of which it was left out; and the cursor moves on."""
        self._pulls()
        self.orders_appear(1)
        self.bad_order_appears()
        self.orders_appear(1)
        commands, cursor = self._all("")
        assert len(_orders(commands)) == 2, "the orders beside a bad one were lost"
        told: list[object] = [
            each for each in commands if isinstance(each, Unreadable | PayloadError)
        ]
        assert len(told) == 1, "the order that cannot be read is not told of once"
        if isinstance(told[0], Unreadable):
            assert told[0].reason
            assert told[0].external_id
        assert not self._all(cursor)[0], "the bad one comes for ever"

    def test_a_pull_that_fails_midway_loses_nothing(self) -> None:
        """It raises, and from the last cursor everything comes."""
        self._pulls()
        self.orders_appear(5)
        wanted = _about(self._all("")[0])
        for calls in range(4):
            found: list[Command] = []
            cursor = ""
            with self.shop_fails_after(calls):
                try:
                    for page in self._pages(""):
                        found += page.commands
                        cursor = page.cursor
                except ConnectorError:
                    pass
                else:
                    assert calls, "the shop has failed, and nobody noticed"
            rest, _ = self._all(cursor)
            assert _about([*found, *rest]) >= wanted

    def _pulls(self) -> PullsOrders:
        channel = self.channel()
        if not isinstance(channel, PullsOrders):
            raise SkipTest("the channel is not asked for orders: it has no pull")
        return channel

    def _pages(self, cursor: str) -> Iterator[Pulled]:
        """Every page from `cursor` on, each pulled by a new channel."""
        return pages_from(self._page, cursor)

    def _page(self, cursor: str) -> Pulled:
        page = self._pulls().pull(cursor)
        self._check(page)
        return page

    def _all(self, cursor: str) -> tuple[list[Command], str]:
        commands: list[Command] = []
        for page in self._pages(cursor):
            commands += page.commands
            cursor = page.cursor
        return commands, cursor

    def _check(self, page: Pulled) -> None:
        assert isinstance(page, Pulled)
        name = self.channel().name
        for command in page.commands:
            assert isinstance(command, Command | PayloadError)
            if isinstance(command, CaptureOrder):
                assert command.order.channel == name
                assert_codes(command.order)


def assert_codes(order: Order) -> None:
    """An order's owner, currency and country are of their forms."""
    assert order.owner, "it has no owner"
    currency, place = order.currency, order.destination
    three = len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()
    assert three, f"{currency!r} is no currency: three capital letters, such as USD"
    country = place.country if place is not None else "US"
    two = len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()
    assert two, f"{country!r} is no country: two capital letters, such as US"


def _about(commands: Iterable[Command]) -> set[object]:
    """What the commands are about: orders by their ids, all else by itself."""
    about: set[object] = set()
    for command in commands:
        if isinstance(command, CaptureOrder):
            about.add(command.order.key)
        elif isinstance(command, CancelOrder):
            about.add((command.owner, command.channel, command.external_id))
        elif not isinstance(command, Ignore | Unreadable):
            about.add(repr(command))
    return about


def _orders(commands: Iterable[Command]) -> set[object]:
    """The orders that commands bring, by their keys."""
    return {each.order.key for each in commands if isinstance(each, CaptureOrder)}
