"""Answers and news are written many at a time, and what that must not change."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from attrs import evolve

from domcore.errors import ConflictError, StoreError
from domcore.model import CaptureOrder, Notice, Polled
from domcore.working.round import TRIPPED


def capture(shop, dom, number, **lines):
    """So many orders, routed."""
    orders = (shop.world.order(str(each), **(lines or {"MUG": 1})) for each in range(number))
    dom.apply([CaptureOrder(order) for order in orders])
    dom.route()


def writes(dom, act):
    """How many transactions it took."""
    before = dom.store.writes()
    act()
    return dom.store.writes() - before


# --- answers -----------------------------------------------------------------------------------


def test_many_answers_are_written_in_a_few_transactions(shop, partners, status):
    dom = shop.open(*partners)
    capture(shop, dom, 200)
    assert writes(dom, dom.work) < 20
    assert {status(dom, f"web/{n}")[0][1] for n in range(200)} == {"accepted"}
    assert sum(len(partner.boxes) for partner in partners) == 200


def test_no_answer_waits_for_slow_calls(shop, make, status):
    told = []

    def slow(verb, handover):
        told.append(sum(status(dom, f"web/{n}")[0][1] == "accepted" for n in range(5)))
        shop.clock.forward(seconds=1)
        return "well"

    dom = shop.open(make.Partner("acme", slow), make.Partner("bolt", slow))
    capture(shop, dom, 5)
    dom.work()
    assert told == [0, 1, 2, 3, 4]


def test_the_next_word_about_an_order_is_said_when_the_last_answer_is_written(shop, make, status):
    seen = []

    def looks(verb, handover):
        seen.append(sorted(each for _, each in status(dom, "web/0")))
        return "well"

    dom = shop.open(make.Partner("acme", looks), make.Partner("bolt", looks))
    capture(shop, dom, 1, MUG=1_500)
    dom.work()
    assert seen == [["requested", "requested"], ["accepted", "requested"]]


def test_an_answer_that_cannot_be_taken_in_undoes_no_other(shop, make, status):
    class Liar(make.Partner):
        def release(self, handover):
            receipt = super().release(handover)
            if handover.key == "2-1-NYC":
                return evolve(receipt, notices=(Notice("9-9-NYC", "shipped", shop.clock()),))
            return evolve(receipt, reason="late") if handover.key == "3-1-NYC" else receipt

    liar = Liar()
    dom = shop.open(liar)
    capture(shop, dom, 5)
    real = dom.store.record

    def record(notice, **more):
        if notice.fulfillment_order == "3-1-NYC":
            raise ConflictError("more has left than there was")
        return real(notice, **more)

    dom.store.record = record
    report = dom.work()
    del dom.store.record
    assert (report.released, report.unknown, report.parked) == (4, 1, 1)
    assert [status(dom, f"web/{n}")[0][1] for n in range(5)] == [
        "accepted",
        "accepted",
        "requested",
        "accepted",
        "accepted",
    ]
    shop.rounds(dom, 5)
    assert status(dom, "web/2")[0][1] == "accepted"
    assert len(liar.taken_in) == 5


def test_answers_that_could_not_be_written_are_looked_up(shop, partner, status):
    dom = shop.open(partner)
    capture(shop, dom, 10)
    real = dom.store.together

    @contextmanager
    def fails():
        with real():
            yield
            raise StoreError("the disk is full")

    dom.store.together = fails
    with pytest.raises(StoreError):
        dom.work()
    assert partner.taken_in, "it was told"
    assert {status(dom, f"web/{n}")[0][1] for n in range(10)} == {"requested"}
    del dom.store.together
    shop.rounds(dom, 10)
    again = [key for verb, key in partner.calls if verb == "release"]
    assert len(again) == len(set(again)) == 10, "nothing was released twice"
    assert [verb for verb, _ in partner.calls].count("reconcile") > 0
    assert len(partner.taken_in) == 10


def test_what_waits_for_a_partner_that_is_down_costs_a_few_transactions(shop, make):
    dark, well = make.Partner(mood=lambda verb, handover: "refuses"), make.Partner("bolt")
    dom = shop.open(dark, well)
    capture(shop, dom, 400)
    dom.apply([CaptureOrder(shop.world.order(f"p{n}", PEN=1)) for n in range(100)])
    reports = []
    assert writes(dom, lambda: reports.append(dom.work())) < 40
    assert len(dark.calls) == TRIPPED
    assert (reports[0].released, reports[0].failed) == (100, TRIPPED)
    assert reports[0].waiting == 400 - TRIPPED
    attempts = [row[6] for row in dom.store.audit("outbox")]
    assert attempts.count(0) == 400 - TRIPPED, "what was not tried is no attempt"
    dark.mood = lambda verb, handover: "well"
    shop.rounds(dom, 10)
    assert len(dark.boxes) == 400


def test_work_is_not_released_when_looking_it_up_took_most_of_the_lease(shop, make):
    slow = [True]

    def mood(verb, handover):
        if verb == "reconcile" and slow.pop():
            slow.append(False)
            shop.clock.forward(seconds=31)
        return "lost call" if verb == "release" and len(partner.calls) == 1 else "well"

    partner = make.Partner(mood=mood)
    dom = shop.open(partner)
    capture(shop, dom, 1)
    dom.work()
    shop.clock.forward(minutes=5)
    (report,) = shop.rounds(dom, 1)
    assert [verb for verb, _ in partner.calls] == ["release", "reconcile"]
    assert "lease_seconds" in report.failures[0]
    shop.rounds(dom, 3)
    assert [verb for verb, _ in partner.calls] == ["release", "reconcile", "reconcile", "release"]


# --- news --------------------------------------------------------------------------------------


def test_a_page_of_news_takes_a_few_transactions_and_bad_pieces_undo_nothing(shop, make, status):
    pages = [()]

    class Talks(make.Partner):
        def poll(self, cursor):
            place = int(cursor or 0)
            return (
                Polled(pages[place], str(place + 1)) if place < len(pages) else Polled((), cursor)
            )

    talks, other = Talks("acme"), make.Partner("bolt")
    dom = shop.open(talks, other)
    capture(shop, dom, 250)
    dom.work()
    at = shop.clock() + timedelta(seconds=1)
    notices = [Notice(key, "shipped", at) for key in talks.boxes]
    bad = [
        Notice("999-1-NYC", "shipped", at),
        Notice(next(iter(talks.boxes)), "shipped", at, lines=(("MUG", 99),)),
        Notice(next(iter(talks.boxes)), "shipped", at, lines=((["MUG"], 1),)),
        "no notice",
    ]
    for place, piece in zip((0, 40, 120, len(notices)), bad, strict=True):
        notices.insert(place, piece)
    pages.append(tuple(notices))
    shop.clock.forward(minutes=5)
    reports = []
    assert writes(dom, lambda: reports.append(dom.work())) < 15
    assert reports[0].parked == len(bad) == len(dom.parked())
    shipped = [each for n in range(250) for each in status(dom, f"web/{n}")]
    assert shipped.count(("NYC", "shipped")) == len(talks.boxes)
    assert reports[0].news == len(notices)
