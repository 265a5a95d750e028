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
from unittest import SkipTest

import attrs

from domcore.contracts import ChangesWork, Connector, PollsNews, ReceivesNews
from domcore.errors import ConnectorError, DomcoreError
from domcore.model import (
    FULFILLMENT_STATUSES,
    Handover,
    Person,
    Receipt,
)
from domcore.testing.hostile import GARBAGE, HOSTILE_TEXTS
from domcore.testing.listening import listening
from domcore.testing.news_suite import UNKNOWN_HERE, NewsTests
from domcore.testing.receiving_suite import not_given


class ConnectorSuite(NewsTests):
    """Tests for a connector; only `connector` must be given.

    The hooks that make the partner misbehave are optional: a test that needs one which is not
    given is skipped, and says so. The more of them there are, the more is proved.
    """

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

    def _error(self, call: Callable[[], object], when: str) -> ConnectorError:
        try:
            answer = call()
        except ConnectorError as error:
            return error
        raise AssertionError(f"{when}: a ConnectorError is wanted, not {answer!r:.200}")

    def _assert_one(self, key: str) -> None:
        count = self.pieces_of_work(key)
        assert count in (None, 1), f"the partner has {count} pieces of work under {key}"


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


def _texts(person: Person | None) -> list[str]:
    """Everything that tells who somebody is, long enough to be looked for."""
    if person is None:
        return []
    fields = (person.name, person.company, person.email, person.phone, *person.street)
    return [each for each in fields if len(each) > 3]


def _hostile(work: Handover, text: str) -> Handover:
    person = attrs.evolve(work.person or Person(), name=text, street=(text, text), city=text)
    return attrs.evolve(work, person=person)
