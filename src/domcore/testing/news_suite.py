"""The part of `ConnectorSuite` about news: what a partner is asked for, and what it tells itself.

Each hook here but `connector` is optional: a test that needs one which is not given is skipped, and
says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from unittest import SkipTest

import attrs

from domcore.contracts import Connector, PollsNews, ReceivesNews
from domcore.errors import DomcoreError, PayloadError
from domcore.model import (
    FULFILLMENT_STATUSES,
    REJECTION_REASONS,
    Envelope,
    Handover,
    Notice,
    ObserveStock,
    Polled,
    Receipt,
)
from domcore.store.operations.notices import check_notice, with_units
from domcore.store.operations.observe import check_types
from domcore.store.operations.typed import typed
from domcore.testing.handovers import make_handover
from domcore.testing.hostile import GARBAGE
from domcore.testing.paging import assert_several, pages_after_interruptions, pages_from
from domcore.testing.receiving_suite import ReceivingTests, not_given
from domcore.told_stock import wrong_count

UNKNOWN_HERE: Final = "unknown_here"


class NewsTests(ReceivingTests):
    """Tests for `poll` and `receive`."""

    def connector(self) -> Connector:
        """A new connector to the partner of this test, configured the same each time."""
        raise NotImplementedError("give a connector to test")

    def handover(self, key: str = "7-1-NYC") -> Handover:
        """A piece of work that the partner takes. Override it where yours wants other SKUs or
        addresses; keep the key.
        """
        return make_handover(key, connector=self.connector().name)

    def tells(self, handover: Handover) -> None:
        """Have the partner ship the work, so that a poll finds news of it."""
        raise not_given("tells")

    def deliveries(self) -> Sequence[Envelope]:
        """Deliveries of news that the connector accepts, where it `ReceivesNews`."""
        raise not_given("deliveries")

    def more_than_a_page(self) -> Sequence[Handover]:
        """Work of different keys, so much that the news of it is more than one page of a poll."""
        raise not_given("more_than_a_page")

    def receiver(self) -> ReceivesNews:
        """The connector, where it `ReceivesNews`."""
        return self._told()

    def deliver(self, body: bytes) -> Envelope:
        """Any body as a delivery. A connector that checks signatures signs it here."""
        return Envelope(self.connector().name, body)

    def test_news_comes_again_until_it_is_acknowledged(self) -> None:
        """From an old cursor come the same notices or later ones: at least once, never less."""
        connector = self._polled()
        work = self.handover()
        self._release(work)
        self.tells(work)
        first = connector.poll("")
        assert first.notices or first.more, "the partner has told, but poll found nothing"
        again = self._polled().poll("")
        missing = [each for each in first.notices if each not in again.notices]
        assert not missing, "news was lost: it did not come again from the same cursor"

    def test_polling_goes_on_where_it_stopped(self) -> None:
        """Pages end, and what happens later comes from the last cursor, also after a restart."""
        self._polled()
        one, two = self.handover("7-1-NYC"), self.handover("8-1-NYC")
        self._release(one)
        self.tells(one)
        notices, cursor = self._all("")
        assert one.key in _works(notices)
        _, cursor = self._all(cursor)
        self._release(two)
        self.tells(two)
        later, _ = self._all(cursor)
        assert two.key in _works(later), "later news was lost"

    def test_more_than_one_page_comes_whole(self) -> None:
        """All news comes, none twice under another key, and the cursor moves on each page; whoever
        stops after a page, and is somebody new afterwards, loses nothing."""
        self._polled()
        works = self.more_than_a_page()
        for work in works:
            self._release(work)
            self.tells(work)
        pages = pages_after_interruptions(self._page)
        notices = [notice for page in pages for notice in page.notices]
        lost = {work.key for work in works} - _works(notices)
        assert not lost, f"no news came of {', '.join(sorted(lost))}"
        keys: dict[object, str] = {}
        for each in notices:
            if not isinstance(each, Notice | ObserveStock):
                continue
            first = keys.setdefault(attrs.evolve(each, key=""), each.key)
            same = first == each.key
            assert same, f"the same news has the keys {first!r:.100} and {each.key!r:.100}"
        assert_several(pages, len(works))

    def test_distinct_news_has_distinct_keys(self) -> None:
        """What comes under a key that was seen before is taken for the same, and passed over."""
        self._polled()
        for work in (self.handover("7-1-NYC"), self.handover("8-1-NYC")):
            self._release(work)
            self.tells(work)
        notices, _ = self._all("")
        seen: dict[str, Notice] = {}
        for notice in notices:
            if isinstance(notice, Notice) and notice.key:
                first = seen.setdefault(notice.key, notice)
                assert first == notice, f"two pieces of news have the key {notice.key!r:.100}"

    def test_notices_are_well_formed(self) -> None:
        """Known statuses and reasons, aware times, the keys that the work was released under."""
        self._polled()
        works = [self.handover("7-1-NYC"), self.handover("8-1-NYC")]
        for work in works:
            self._release(work)
            self.tells(work)
        notices, _ = self._all("")
        self._assert_notices(notices, works)
        assert _works(notices) == {work.key for work in works}

    def test_deliveries_become_notices(self) -> None:
        """News that is delivered reads the same each time, and is well formed."""
        connector = self._told()
        notices = [tuple(connector.receive(each)) for each in self.deliveries()]
        assert any(notices), "no delivery brought a notice"
        assert notices == [tuple(self._told().receive(each)) for each in self.deliveries()]
        self._assert_notices([notice for each in notices for notice in each])

    def test_garbage_raises_only_domcore_errors(self) -> None:
        """Any body at all is read, or refused with a `DomcoreError`."""
        connector = self._told()
        for body in GARBAGE:
            try:
                connector.receive(self.deliver(body))
            except DomcoreError:
                continue

    def _release(self, work: Handover) -> Receipt:
        """Release by a new connector, as a restarted process would; it must be taken."""
        answer = self._checked(self.connector().release(work), {*FULFILLMENT_STATUSES})
        assert answer.status not in ("rejected", "cancelled"), "good work was not taken"
        return answer

    def _checked(self, answer: Receipt, allowed: Iterable[str] = ()) -> Receipt:
        """The receipt, once it is well formed."""
        assert isinstance(answer, Receipt), f"answered with a {type(answer).__name__}"
        words = set(allowed) or {*FULFILLMENT_STATUSES, UNKNOWN_HERE}
        assert answer.status in words, f"{answer.status!r} is none of {sorted(words)}"
        if answer.status == "rejected":
            assert answer.reason in REJECTION_REASONS, f"{answer.reason!r} is no reason"
        self._assert_notices(answer.notices)
        return answer

    def _assert_notices(self, news: Iterable[object], works: Iterable[Handover] = ()) -> None:
        """What the core would refuse is no news. Lines are held against `works`, where given."""
        notices = []
        for each in news:
            if isinstance(each, ObserveStock):
                _assert_stock(each)
            else:
                notices.append(each)
        lines = {work.key: _lines(work) for work in works}
        for notice in notices:
            assert isinstance(notice, Notice)
            assert notice.fulfillment_order
            assert notice.status != "rejected" or notice.reason in REJECTION_REASONS
            told = (*notice.lines, *(line for box in notice.packages for line in box.lines))
            known = lines.get(notice.fulfillment_order, {name for name, _ in told})
            try:
                check_notice(with_units(typed(notice, Notice, "news")), dict.fromkeys(known, ()))
            except PayloadError as error:
                raise AssertionError(f"the core would refuse {notice!r:.300}: {error}") from None

    def _all(self, cursor: str) -> tuple[list[object], str]:
        """Every page from `cursor` on, each polled by a new connector."""
        notices: list[object] = []
        for page in pages_from(self._page, cursor):
            notices += page.notices
            cursor = page.cursor
        return notices, cursor

    def _page(self, cursor: str) -> Polled:
        return self._polled().poll(cursor)

    def _polled(self) -> PollsNews:
        connector = self.connector()
        if not isinstance(connector, PollsNews):
            raise SkipTest("the connector is not asked for news: it has no poll")
        return connector

    def _told(self) -> ReceivesNews:
        connector = self.connector()
        if not isinstance(connector, ReceivesNews):
            raise SkipTest("the connector is not told news: it has no receive")
        return connector


def _assert_stock(news: ObserveStock) -> None:
    """News of stock that may come twice, and late, and still says the same."""
    check_types(news)
    assert news.counts, "news of stock without a count"
    for count in news.counts:
        wrong = wrong_count(count, news.key)
        assert not wrong, f"the core would refuse {news!r:.300}: {wrong}"


def _works(news: Iterable[object]) -> set[str]:
    """The fulfillment orders that news is about."""
    return {each.fulfillment_order for each in news if isinstance(each, Notice)}


def _lines(work: Handover) -> set[str]:
    """What the lines of some work may be called: by their ids, or by their SKUs."""
    return {name for line, sku, _ in work.fulfillment_order.lines for name in (line, sku)}
