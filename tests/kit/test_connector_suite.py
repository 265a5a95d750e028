"""The connector suite itself: a good connector passes, and each law bites a bad one."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar
from unittest import SkipTest

import pytest
from attrs import evolve

from domcore.errors import ConnectorError, PayloadError, Problem, SignatureError
from domcore.model import Envelope, Handover, Notice, Package, Polled, Receipt
from domcore.testing import ConnectorSuite, make_handover

TOKEN = "tok-5b1c9d"
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Partner:
    """A partner in memory: work by key, a list of news, and moods."""

    def __init__(self) -> None:
        self.work: dict[str, str] = {}
        self.entered: list[str] = []
        self.news: list[Notice] = []
        self.mood = ""

    def take(self, key: str) -> None:
        if self.mood == "down":
            raise TimeoutError
        if self.mood == "refusing":
            raise ValueError("no room")
        if key not in self.work:
            self.work[key] = "accepted"
            self.entered.append(key)
        if self.mood == "dropping":
            raise TimeoutError

    @contextmanager
    def being(self, mood: str) -> Iterator[None]:
        self.mood = mood
        yield
        self.mood = ""


class Good:
    """A connector that keeps every promise."""

    name = "partner"
    certain_after = 5

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.token = TOKEN

    def release(self, handover: Handover) -> Receipt:
        key = self.key(handover)
        try:
            self.partner.take(key)
        except TimeoutError:
            raise ConnectorError(f"{key}: no answer", unknown=True) from None
        except ValueError:
            return Receipt("rejected", reason="no_capacity")
        return Receipt("accepted", reference=f"P-{key}")

    def cancel(self, handover: Handover) -> Receipt:
        self.reach()
        if handover.key not in self.partner.work:
            return Receipt("unknown_here")
        if self.partner.work[handover.key] != "shipped":
            self.partner.work[handover.key] = "cancelled"
        return Receipt(self.partner.work[handover.key], reference=f"P-{handover.key}")

    def reconcile(self, handover: Handover) -> Receipt:
        self.reach()
        status = self.partner.work.get(handover.key)
        if status is None:
            return Receipt("unknown_here")
        return Receipt(status, reference=f"P-{handover.key}")

    def change(self, handover: Handover) -> Receipt:
        return self.reconcile(handover)

    def poll(self, cursor: str) -> Polled:
        self.reach()
        start = int(cursor or 0)
        page = tuple(self.partner.news[start : start + 1])
        return Polled(page, str(start + len(page)), more=start + 1 < len(self.partner.news))

    def receive(self, envelope: Envelope) -> list[Notice]:
        self.check(envelope)
        try:
            body = json.loads(envelope.body)
            return [Notice(str(body["work"]), "shipped", AT)]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise PayloadError("cannot be read", [Problem("$", "is no news")]) from None

    def check(self, envelope: Envelope) -> None:
        if envelope.headers.get("token") != self.token:
            raise SignatureError("nobody vouches for it")

    def key(self, handover: Handover) -> str:
        return handover.key

    def reach(self) -> None:
        if self.partner.mood == "down":
            raise ConnectorError("cannot be reached")


class GoodSuite(ConnectorSuite):
    """All hooks given."""

    signed = True
    make: ClassVar[Callable[[Partner], Any]] = Good

    def __init__(self) -> None:
        self.partner = Partner()

    def connector(self) -> Any:
        return type(self).make(self.partner)

    def secrets(self) -> list[str]:
        return [TOKEN]

    def pieces_of_work(self, key: str) -> int:
        return sum(each.split("#")[0] == key for each in self.partner.entered)

    def partner_is_down(self) -> Any:
        return self.partner.being("down")

    def drops_the_answer(self) -> Any:
        return self.partner.being("dropping")

    def refuses(self) -> Any:
        return self.partner.being("refusing")

    def tells(self, handover: Handover) -> None:
        self.partner.news.append(Notice(handover.key, "in_progress", AT))
        self.partner.news.append(Notice(handover.key, "shipped", AT))
        self.partner.work[handover.key] = "shipped"

    def deliveries(self) -> list[Envelope]:
        return [self.deliver(b'{"work": "7-1-NYC"}')]

    def deliver(self, body: bytes) -> Envelope:
        return Envelope("partner", body, {"token": TOKEN})

    def golden(self) -> Any:
        values = {"fulfillment_order": "9-2-BER", "status": "shipped", "at": AT}
        return [(self.deliver(b'{"work": "9-2-BER"}'), values)]

    def more_than_a_page(self) -> list[Handover]:
        return [self.handover(f"{order}-1-NYC") for order in (7, 8, 9)]


LAWS = [name for name, _ in inspect.getmembers(ConnectorSuite) if name.startswith("test_")]


def outcome(suite: type[ConnectorSuite], law: str) -> str:
    """``held``, ``broken`` or ``skipped``."""
    try:
        getattr(suite(), law)()
    except SkipTest:
        return "skipped"
    except Exception:
        return "broken"
    return "held"


@pytest.mark.parametrize("law", LAWS)
def test_a_good_connector_keeps_every_law(law):
    getattr(GoodSuite(), law)()


# --- bad ones: each breaks one promise ------------------------------------------------------------


class Nameless(Good):
    name = ""


class Impatient(Good):
    certain_after = float("nan")


class TakesTwice(Good):
    def key(self, handover: Handover) -> str:
        return f"{handover.key}#{handover.attempt}"


class NewReferenceEachTime(Good):
    def release(self, handover: Handover) -> Receipt:
        return evolve(super().release(handover), reference=f"try-{handover.attempt}")


class KnowsOneKeyPerOrder(Good):
    def release(self, handover: Handover) -> Receipt:
        super().release(handover)
        return Receipt("accepted", reference=handover.key.partition("-")[0])


class Forgetful(Good):
    def reconcile(self, handover: Handover) -> Receipt:
        return Receipt("unknown_here")


class FindsEverything(Good):
    def reconcile(self, handover: Handover) -> Receipt:
        return Receipt("accepted", reference=f"P-{handover.key}")


class ConfirmsAnyCancel(Good):
    def cancel(self, handover: Handover) -> Receipt:
        return Receipt("cancelled")


class ForgetsACancel(Good):
    def cancel(self, handover: Handover) -> Receipt:
        if handover.key in self.partner.work:
            self.partner.work[handover.key] = "accepted"
            return Receipt("cancelled")
        return Receipt("unknown_here")


class CallsATimeOutAFailure(Good):
    def release(self, handover: Handover) -> Receipt:
        try:
            return super().release(handover)
        except ConnectorError as error:
            raise ConnectorError(str(error)) from None


class RaisesRawErrors(Good):
    def release(self, handover: Handover) -> Receipt:
        self.partner.take(handover.key)
        return Receipt("accepted", reference=f"P-{handover.key}")


class UnknownWhileDown(Good):
    def reconcile(self, handover: Handover) -> Receipt:
        try:
            return super().reconcile(handover)
        except ConnectorError:
            return Receipt("unknown_here")


class NothingNewWhileDown(Good):
    def poll(self, cursor: str) -> Polled:
        return Polled() if self.partner.mood == "down" else super().poll(cursor)


class RefusesWithoutAReason(Good):
    def release(self, handover: Handover) -> Receipt:
        answer = super().release(handover)
        return evolve(answer, reason="") if answer.status == "rejected" else answer


class RefusalIsUnknown(Good):
    def release(self, handover: Handover) -> Receipt:
        answer = super().release(handover)
        if answer.status == "rejected":
            raise ConnectorError("refused, perhaps", unknown=True)
        return answer


class ReadsNewsOnce(Good):
    def poll(self, cursor: str) -> Polled:
        page = tuple(self.partner.news)
        self.partner.news.clear()
        return Polled(page)


class SkipsNews(Good):
    def poll(self, cursor: str) -> Polled:
        page = super().poll(cursor)
        return evolve(page, cursor=str(len(self.partner.news) + 3))


class NeverEnds(Good):
    def poll(self, cursor: str) -> Polled:
        return evolve(super().poll(cursor), more=True)


class OwnWords(Good):
    def poll(self, cursor: str) -> Polled:
        page = super().poll(cursor)
        return evolve(page, notices=tuple(evolve(each, status="SHIPPED") for each in page.notices))


class NaiveTimes(Good):
    def poll(self, cursor: str) -> Polled:
        page = super().poll(cursor)
        naive = AT.replace(tzinfo=None)
        return evolve(page, notices=tuple(evolve(each, at=naive) for each in page.notices))


class NamesStrangeLines(Good):
    def poll(self, cursor: str) -> Polled:
        page = super().poll(cursor)
        lines = (("their-line-1", 1),)
        return evolve(page, notices=tuple(evolve(each, lines=lines) for each in page.notices))


class PacksBeforeItShips(Good):
    def poll(self, cursor: str) -> Polled:
        page = super().poll(cursor)
        box = Package("1Z1", tracking="1Z1")
        early = {"status": "in_progress", "lines": (), "packages": (box,)}
        return evolve(page, notices=tuple(evolve(each, **early) for each in page.notices))


class CountsNothing(Good):
    def poll(self, cursor: str) -> Polled:
        page = super().poll(cursor)
        return evolve(
            page, notices=tuple(evolve(each, lines=(("MUG", 0),)) for each in page.notices)
        )


class OwnNumbers(Good):
    def poll(self, cursor: str) -> Polled:
        page = super().poll(cursor)
        return evolve(
            page, notices=tuple(evolve(each, fulfillment_order="P-1") for each in page.notices)
        )


class CountsDeliveries(Good):
    def receive(self, envelope: Envelope) -> list[Notice]:
        self.partner.entered.append("delivery")
        key = f"m{len(self.partner.entered)}"
        return [evolve(each, key=key) for each in super().receive(envelope)]


class ChokesOnGarbage(Good):
    def receive(self, envelope: Envelope) -> list[Notice]:
        body = json.loads(envelope.body)
        return [Notice(str(body["work"]), "shipped", AT)]


class ShowsItsToken(Good):
    def __repr__(self) -> str:
        return f"ShowsItsToken({self.__dict__})"


class LogsTheBuyer(Good):
    def release(self, handover: Handover) -> Receipt:
        logging.getLogger("acme").debug("to %s", handover.person and handover.person.email)
        return super().release(handover)


class NamesTheBuyerInErrors(Good):
    def release(self, handover: Handover) -> Receipt:
        try:
            return super().release(handover)
        except ConnectorError:
            name = handover.person.name if handover.person else ""
            raise ConnectorError(f"not taken for {name}", unknown=True) from None


class KeepsTheBuyerInTheReceipt(Good):
    def release(self, handover: Handover) -> Receipt:
        name = handover.person.name if handover.person else ""
        return evolve(super().release(handover), detail=f"for {name}")


class LeaksThroughTheCause(Good):
    def release(self, handover: Handover) -> Receipt:
        try:
            self.partner.take(handover.key)
        except TimeoutError:
            raise ConnectorError("no answer", unknown=True) from OSError(f"POST ?t={TOKEN}")
        except ValueError:
            return Receipt("rejected", reason="no_capacity")
        return Receipt("accepted", reference=f"P-{handover.key}")


class SplitsAtLineEnds(Good):
    def release(self, handover: Handover) -> Receipt:
        assert handover.person is not None
        for _ in handover.person.name.splitlines():
            answer = super().release(handover)
        if "\n" in handover.person.name:
            self.partner.entered.append(handover.key)
        return answer


class ChokesOnText(Good):
    def release(self, handover: Handover) -> Receipt:
        assert handover.person is not None
        handover.person.city.encode("ascii")
        return super().release(handover)


class ChangesWhatItNeverHad(Good):
    def change(self, handover):
        return Receipt("accepted")


class ChangesByTakingItInAnew(Good):
    def change(self, handover):
        if handover.key in self.partner.work:
            self.partner.entered.append(handover.key)
        return self.reconcile(handover)


class CancelsWhatHasLeft(Good):
    def cancel(self, handover):
        return Receipt("cancelled", reference=f"P-{handover.key}")


class OneKeyForAll(Good):
    def poll(self, cursor):
        page = super().poll(cursor)
        return evolve(page, notices=tuple(evolve(each, key="n1") for each in page.notices))


class HoldsPagesInMemory(Good):
    """Reads everything at once, and hands it out as long as the process lives."""

    def poll(self, cursor):
        if not cursor:
            self.held = list(self.partner.news)
        held = getattr(self, "held", [])
        page = tuple(held[:1])
        self.held = held[1:]
        return Polled(page, f"{len(self.partner.news)}-{len(self.held)}", more=bool(self.held))


class StandsStill(Good):
    def poll(self, cursor):
        return evolve(super().poll(cursor), cursor="0")


class StopsAfterAPage(Good):
    def poll(self, cursor):
        return evolve(super().poll(cursor), more=False)


class CountsPolls(Good):
    """A key that is another each time the same news is read."""

    def poll(self, cursor):
        self.partner.entered.append("poll")
        page, key = super().poll(cursor), f"p{len(self.partner.entered)}"
        return evolve(page, notices=tuple(evolve(each, key=key) for each in page.notices))


class ReadsAnotherKey(Good):
    def receive(self, envelope):
        return [evolve(each, fulfillment_order="7-1-NYC") for each in super().receive(envelope)]


class ReadsBeforeItLooks(Good):
    def receive(self, envelope):
        read = super().receive(evolve(envelope, headers={"token": TOKEN}))
        self.check(envelope)
        return read


class BelievesAnybody(Good):
    def check(self, envelope):
        return


BAD = {
    HoldsPagesInMemory: "test_more_than_one_page_comes_whole",
    StandsStill: "test_more_than_one_page_comes_whole",
    StopsAfterAPage: "test_more_than_one_page_comes_whole",
    CountsPolls: "test_more_than_one_page_comes_whole",
    ReadsAnotherKey: "test_golden_values_come_out",
    ReadsBeforeItLooks: "test_what_nobody_signed_is_a_signature_error",
    BelievesAnybody: "test_what_nobody_signed_is_a_signature_error",
    CancelsWhatHasLeft: "test_what_has_left_is_not_cancelled",
    OneKeyForAll: "test_distinct_news_has_distinct_keys",
    Nameless: "test_it_is_a_connector",
    Impatient: "test_it_is_a_connector",
    TakesTwice: "test_releasing_twice_under_one_key_is_one_piece_of_work",
    NewReferenceEachTime: "test_releasing_twice_under_one_key_is_one_piece_of_work",
    ChangesWhatItNeverHad: "test_a_change_is_made_once_or_refused",
    ChangesByTakingItInAnew: "test_a_change_is_made_once_or_refused",
    KnowsOneKeyPerOrder: "test_two_keys_are_two_pieces_of_work",
    Forgetful: "test_what_was_released_is_found_again",
    FindsEverything: "test_a_key_that_was_never_seen_is_unknown_here",
    ConfirmsAnyCancel: "test_cancelling_what_was_never_released",
    ForgetsACancel: "test_cancelling_twice_says_the_same",
    CallsATimeOutAFailure: "test_a_dropped_answer_is_an_unknown_outcome",
    RaisesRawErrors: "test_a_partner_that_is_down_is_an_error_and_no_answer",
    UnknownWhileDown: "test_a_partner_that_is_down_is_an_error_and_no_answer",
    NothingNewWhileDown: "test_a_partner_that_is_down_is_an_error_and_no_answer",
    RefusesWithoutAReason: "test_a_refusal_has_a_reason",
    RefusalIsUnknown: "test_a_refusal_has_a_reason",
    ReadsNewsOnce: "test_news_comes_again_until_it_is_acknowledged",
    SkipsNews: "test_polling_goes_on_where_it_stopped",
    NeverEnds: "test_polling_goes_on_where_it_stopped",
    OwnWords: "test_notices_are_well_formed",
    NaiveTimes: "test_notices_are_well_formed",
    OwnNumbers: "test_notices_are_well_formed",
    NamesStrangeLines: "test_notices_are_well_formed",
    PacksBeforeItShips: "test_notices_are_well_formed",
    CountsNothing: "test_notices_are_well_formed",
    CountsDeliveries: "test_deliveries_become_notices",
    ChokesOnGarbage: "test_garbage_raises_only_domcore_errors",
    ShowsItsToken: "test_nothing_personal_or_secret_is_shown",
    LogsTheBuyer: "test_nothing_personal_or_secret_is_shown",
    NamesTheBuyerInErrors: "test_nothing_personal_or_secret_is_shown",
    KeepsTheBuyerInTheReceipt: "test_nothing_personal_or_secret_is_shown",
    LeaksThroughTheCause: "test_nothing_personal_or_secret_is_shown",
    SplitsAtLineEnds: "test_hostile_text_does_no_harm",
    ChokesOnText: "test_hostile_text_does_no_harm",
}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_a_broken_promise_is_found(bad):
    class Suite(GoodSuite):
        make = bad

    assert outcome(Suite, BAD[bad]) == "broken"


def test_every_law_is_proved_to_bite():
    assert set(BAD.values()) == set(LAWS)


def test_laws_that_need_a_hook_are_skipped_without_it_and_say_which():
    class Bare(ConnectorSuite):
        def __init__(self) -> None:
            self.partner = Partner()

        def connector(self) -> Any:
            return Good(self.partner)

    told = {law: outcome(Bare, law) for law in LAWS}
    assert "broken" not in told.values()
    assert sum(each == "skipped" for each in told.values()) >= 6
    with pytest.raises(SkipTest, match=r"give drops_the_answer\(\)"):
        Bare().test_a_dropped_answer_is_an_unknown_outcome()
    with pytest.raises(SkipTest, match=r"give more_than_a_page\(\)"):
        Bare().test_more_than_one_page_comes_whole()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (HoldsPagesInMemory, r"no news came of 8-1-NYC, 9-1-NYC"),
        (StandsStill, "the cursor stands still at '0'"),
        (StopsAfterAPage, r"no news came of 8-1-NYC, 9-1-NYC"),
        (CountsPolls, "the same news has the keys"),
    ],
)
def test_what_is_wrong_with_the_pages_is_told(bad, told):
    class Suite(GoodSuite):
        make = bad

    with pytest.raises(AssertionError, match=told):
        Suite().test_more_than_one_page_comes_whole()


def test_one_page_proves_nothing_about_pages():
    class AllAtOnce(Good):
        def poll(self, cursor):
            return Polled(tuple(self.partner.news), "end")

    class Suite(GoodSuite):
        make = AllAtOnce

    with pytest.raises(AssertionError, match=r"all 3 fit on one page"):
        Suite().test_more_than_one_page_comes_whole()


def test_golden_values_of_nothing_prove_nothing():
    class Suite(GoodSuite):
        def golden(self):
            return []

    class Silent(Good):
        def receive(self, envelope):
            return []

    class SilentSuite(GoodSuite):
        make = Silent

    with pytest.raises(AssertionError, match=r"golden\(\) holds nothing"):
        Suite().test_golden_values_come_out()
    with pytest.raises(AssertionError, match="nothing is read"):
        SilentSuite().test_golden_values_come_out()


def test_a_connector_must_be_given():
    with pytest.raises(NotImplementedError, match="give a connector"):
        ConnectorSuite().connector()


def test_a_handover_is_built_from_its_key():
    work = make_handover("12-3-BER-1", lines={"CUP": 4}, attempt=2)
    assert (work.fulfillment_order.order_id, work.fulfillment_order.sequence) == (12, 3)
    assert (work.node.id, work.attempt) == ("BER-1", 2)
    assert work.fulfillment_order.lines == (("L1", "CUP", 4),)
    with pytest.raises(ValueError, match="ORDER-SEQUENCE-NODE"):
        make_handover("seven")
