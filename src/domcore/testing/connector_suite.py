"""What every connector owes the core, as tests: subclass `ConnectorSuite` in a plugin's own tests.

::

    class TestMyConnector(ConnectorSuite):
        @pytest.fixture(autouse=True)
        def _partner(self) -> None:
            self.partner = FakePartner()

        def connector(self) -> Connector:
            return MyConnector("partner", self.partner.url, token="canary-token")

        def secrets(self) -> list[str]:
            return ["canary-token"]

        def drops_the_answer(self) -> AbstractContextManager[None]:
            return self.partner.answering(Dropped)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Final
from unittest import SkipTest

import attrs

from domcore.contracts import ChangesWork, Connector, PollsNews, ReceivesNews
from domcore.errors import ConnectorError, DomcoreError, PayloadError
from domcore.model import (
    FULFILLMENT_STATUSES,
    REJECTION_REASONS,
    Envelope,
    Handover,
    Notice,
    ObserveStock,
    Person,
    Polled,
    Receipt,
)
from domcore.store.operations.notices import check_notice, with_units
from domcore.store.operations.observe import check_types
from domcore.store.operations.typed import typed
from domcore.testing.handovers import make_handover
from domcore.testing.hostile import GARBAGE, HOSTILE_TEXTS
from domcore.testing.listening import listening
from domcore.testing.paging import assert_several, pages_after_interruptions, pages_from
from domcore.testing.receiving_suite import ReceivingTests, not_given
from domcore.told_stock import wrong_count

UNKNOWN_HERE: Final = "unknown_here"


class ConnectorSuite(ReceivingTests):
    """Tests for a connector; only `connector` must be given.

    The hooks that make the partner misbehave are optional: a test that needs one which is not
    given is skipped, and says so. The more of them there are, the more is proved.
    """

    def connector(self) -> Connector:
        """A new connector to the partner of this test, configured the same each time."""
        raise NotImplementedError("give a connector to test")

    def handover(self, key: str = "7-1-NYC") -> Handover:
        """A piece of work that the partner takes. Override it where yours wants other SKUs or
        addresses; keep the key.
        """
        return make_handover(key, connector=self.connector().name)

    def secrets(self) -> Sequence[str]:
        """Tokens and passwords it is configured with: they may be shown nowhere."""
        return ()

    def pieces_of_work(self, key: str) -> int | None:
        """How many pieces of work the partner has under `key`; None when nobody can tell."""
        return None

    def partner_is_down(self) -> AbstractContextManager[object]:
        """While it is entered, the partner cannot be reached."""
        raise not_given("partner_is_down")

    def drops_the_answer(self) -> AbstractContextManager[object]:
        """While it is entered, the partner takes work but its answer to `release` is lost."""
        raise not_given("drops_the_answer")

    def refuses(self) -> AbstractContextManager[object]:
        """While it is entered, the partner does not take the work it is offered."""
        raise not_given("refuses")

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

    def test_it_is_a_connector(self) -> None:
        """It has a name, and every method that a connector has."""
        connector = self.connector()
        assert isinstance(connector, Connector)
        assert connector.name
        assert self.connector().name == connector.name
        patience = getattr(connector, "certain_after", 60)
        assert isinstance(patience, int | float)
        assert math.isfinite(patience)
        assert patience >= 0

    def test_releasing_twice_under_one_key_is_one_piece_of_work(self) -> None:
        """A retry, even by another process, adds nothing at the partner."""
        work = self.handover()
        first = self._release(work)
        again = self._release(attrs.evolve(work, attempt=2))
        assert again.reference == first.reference, "the same key came to another piece of work"
        self._assert_one(work.key)

    def test_a_change_is_made_once_or_refused(self) -> None:
        """Where it `ChangesWork`: work that it has is for somebody else by now, under the same key.
        It says so, or that it cannot; twice is once, and work it never had stays unknown to it."""
        connector = self.connector()
        if not isinstance(connector, ChangesWork):
            raise SkipTest("it does not change work")
        work = self.handover()
        moved = attrs.evolve(work, person=Person(name="Ada Alder", street=("9 New St",)))
        unknown = connector.change(moved)
        assert unknown.status in ("rejected", UNKNOWN_HERE), "it changed what it does not have"
        self._release(work)
        for attempt in (1, 2):
            told = connector.change(attrs.evolve(moved, attempt=attempt))
            assert told.status in FULFILLMENT_STATUSES
        self._assert_one(work.key)

    def test_two_keys_are_two_pieces_of_work(self) -> None:
        """Work of one order at two nodes, or after a re-route, is not confused."""
        one, two = self.handover("7-1-NYC"), self.handover("7-2-NYC")
        told = [self._release(one).reference, self._release(two).reference]
        assert not all(told) or told[0] != told[1], "two keys came to one piece of work"
        self._assert_one(one.key)
        self._assert_one(two.key)

    def test_what_was_released_is_found_again(self) -> None:
        """`reconcile` tells what became of it, with the reference that `release` gave."""
        work = self.handover()
        released = self._release(work)
        found = self._reconciled(work)
        assert found.status in FULFILLMENT_STATUSES, f"reconcile said {found.status!r}"
        assert found.reference == released.reference

    def test_a_key_that_was_never_seen_is_unknown_here(self) -> None:
        """Only then may the work go anywhere else."""
        self._release(self.handover())
        assert self._reconciled(self.handover("9999-1-NYC")).status == UNKNOWN_HERE

    def test_cancelling_what_was_never_released(self) -> None:
        """It is unknown; or cancelled, and then it is never taken any more."""
        work = self.handover()
        answer = self._checked(self.connector().cancel(work), {UNKNOWN_HERE, "cancelled"})
        if answer.status == "cancelled":
            late = self._checked(self.connector().release(work))
            assert late.status in ("cancelled", "rejected"), "it shipped after a confirmed cancel"

    def test_cancelling_twice_says_the_same(self) -> None:
        """A confirmed cancel stays one, to `reconcile` as well."""
        work = self.handover()
        released = self._release(work)
        known = attrs.evolve(work, reference=released.reference)
        first = self._checked(self.connector().cancel(known))
        again = self._checked(self.connector().cancel(known))
        if first.status == "cancelled":
            assert again.status == "cancelled"
            assert self._reconciled(known).status == "cancelled"

    def test_what_has_left_is_not_cancelled(self) -> None:
        """Whoever asks to stop after the goods have left hears how far it is, or an error: what is
        told as cancelled is promised to somebody else."""
        work = self.handover()
        known = attrs.evolve(work, reference=self._release(work).reference)
        self.tells(work)
        try:
            answer = self._checked(self.connector().cancel(known))
        except ConnectorError:
            return
        assert answer.status not in ("cancelled", "rejected"), f"{answer.status}, but it has left"
        assert self._reconciled(known).status not in ("cancelled", "rejected")

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

    def test_a_dropped_answer_is_an_unknown_outcome(self) -> None:
        """The partner may have taken it: say so, find it, and do not hand it over twice."""
        work = self.handover()
        with self.drops_the_answer():
            error = self._error(partial(self.connector().release, work), "the answer was dropped")
        assert error.unknown, "a dropped answer is not a refusal: unknown=True"
        found = self._reconciled(work)
        assert found.status in FULFILLMENT_STATUSES, "reconcile does not find what was taken"
        self._release(attrs.evolve(work, attempt=2))
        self._assert_one(work.key)

    def test_a_partner_that_is_down_is_an_error_and_no_answer(self) -> None:
        """Nobody can know then; least of all that the work is unknown there."""
        work = self.handover()
        self._release(work)
        connector = self.connector()
        with self.partner_is_down():
            for call in (connector.release, connector.cancel, connector.reconcile):
                self._error(partial(call, work), f"{call.__name__} while it is down")
            if isinstance(connector, PollsNews):
                self._error(partial(connector.poll, ""), "poll while it is down")
        assert self._reconciled(work).status in FULFILLMENT_STATUSES

    def test_a_refusal_has_a_reason(self) -> None:
        """It is a receipt, or an error that is certain; never an unknown outcome."""
        work = self.handover()
        with self.refuses():
            answer = self._released_or_refused(work)
        assert answer.status == "rejected", f"a refusal was told as {answer.status!r}"

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

    def test_hostile_text_does_no_harm(self) -> None:
        """Names and streets are other people's text: the work is taken whole, or refused."""
        for at, text in enumerate(HOSTILE_TEXTS, 1):
            work = _hostile(self.handover(f"{at}-1-NYC"), text)
            try:
                answer = self._checked(self.connector().release(work))
            except DomcoreError:
                continue
            if answer.status != "rejected":
                assert self._reconciled(work).status in FULFILLMENT_STATUSES
                self._assert_one(work.key)
        plain = self.handover("99-1-NYC")
        self._release(plain)
        assert self._reconciled(plain).status in FULFILLMENT_STATUSES

    def test_nothing_personal_or_secret_is_shown(self) -> None:
        """Receipts and notices are stored, errors and reprs are logged."""
        work = self.handover()
        hidden = [*_texts(work.person), *self.secrets()]
        with listening() as heard:
            shown = [*self._whole_life(work), *heard()]
        for word in hidden:
            place = next((text for text in shown if word in text), None)
            assert place is None, f"{word!r} is shown: {place!r:.300}"

    def _whole_life(self, work: Handover) -> Iterable[str]:
        """Everything that can be seen of a life with all its troubles."""
        connector = self.connector()
        yield f"{connector!r} {connector}"
        for trouble in (self.drops_the_answer, self.refuses, self.partner_is_down):
            try:
                entered = trouble()
            except SkipTest:
                continue
            with entered:
                for call in (connector.release, connector.reconcile, connector.cancel):
                    yield _seen(partial(call, work))
        other = self.handover("8-1-NYC")
        for call in (connector.release, connector.reconcile, connector.cancel):
            yield _seen(partial(call, other))
        if isinstance(connector, PollsNews):
            try:
                self._release(third := self.handover("9-1-NYC"))
                self.tells(third)
            except SkipTest:
                pass
            yield _seen(partial(connector.poll, ""))
        if isinstance(connector, ReceivesNews):
            for body in GARBAGE:
                yield _seen(partial(connector.receive, self.deliver(body)))

    def _release(self, work: Handover) -> Receipt:
        """Release by a new connector, as a restarted process would; it must be taken."""
        answer = self._checked(self.connector().release(work), {*FULFILLMENT_STATUSES})
        assert answer.status not in ("rejected", "cancelled"), "good work was not taken"
        return answer

    def _released_or_refused(self, work: Handover) -> Receipt:
        """The answer; an error that is certain counts as a refusal."""
        try:
            return self._checked(self.connector().release(work))
        except ConnectorError as error:
            if error.unknown:
                raise AssertionError("the partner has refused: that is known") from error
            return Receipt("rejected", reason="other")

    def _reconciled(self, work: Handover) -> Receipt:
        return self._checked(
            self.connector().reconcile(work), {*FULFILLMENT_STATUSES, UNKNOWN_HERE}
        )

    def _checked(self, answer: Receipt, allowed: Iterable[str] = ()) -> Receipt:
        """The receipt, once it is well formed."""
        assert isinstance(answer, Receipt), f"answered with a {type(answer).__name__}"
        words = set(allowed) or {*FULFILLMENT_STATUSES, UNKNOWN_HERE}
        assert answer.status in words, f"{answer.status!r} is none of {sorted(words)}"
        if answer.status == "rejected":
            assert answer.reason in REJECTION_REASONS, f"{answer.reason!r} is no reason"
        self._assert_notices(answer.notices)
        return answer

    def _error(self, call: Callable[[], object], when: str) -> ConnectorError:
        try:
            answer = call()
        except ConnectorError as error:
            return error
        raise AssertionError(f"{when}: a ConnectorError is wanted, not {answer!r:.200}")

    def _assert_one(self, key: str) -> None:
        count = self.pieces_of_work(key)
        assert count in (None, 1), f"the partner has {count} pieces of work under {key}"

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


def _seen(call: Callable[[], object]) -> str:
    """What a call answers or raises, as a log would show it."""
    try:
        return repr(call())
    except DomcoreError as error:
        chain: list[str] = []
        cause: BaseException | None = error
        while cause is not None and len(chain) < 20:
            chain.append(f"{cause}{cause!r}")
            # What `from None` hides is not shown in logs either.
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
        return " ".join(chain)


def _lines(work: Handover) -> set[str]:
    """What the lines of some work may be called: by their ids, or by their SKUs."""
    return {name for line, sku, _ in work.fulfillment_order.lines for name in (line, sku)}


def _texts(person: Person | None) -> list[str]:
    """Everything that tells who somebody is, long enough to be looked for."""
    if person is None:
        return []
    fields = (person.name, person.company, person.email, person.phone, *person.street)
    return [each for each in fields if len(each) > 3]


def _hostile(work: Handover, text: str) -> Handover:
    person = attrs.evolve(work.person or Person(), name=text, street=(text, text), city=text)
    return attrs.evolve(work, person=person)
