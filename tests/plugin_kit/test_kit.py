"""What plugin authors build partners on: the bucket of calls, and where a pull goes on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.errors import ConnectorError
from domcore.model import Order, ShipmentNews
from domcore.plugin_kit import OVERLAP, Bucket, Cursor, Told, load_cursor, units_that_left

SECOND = 1_000_000
NOW = 1_800_000_000 * SECOND


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def bucket(clock, size=3, rate=2, **more):
    return Bucket(size, rate, clock=clock, sleep=clock.sleep, **more)


# --- the bucket --------------------------------------------------------------------------------


def test_after_the_burst_calls_come_at_the_rate():
    clock = Clock()
    one = bucket(clock)
    for _ in range(6):
        one.take()
    assert clock.slept == pytest.approx([0.5, 0.5, 0.5])


def test_it_refills_while_nobody_asks_and_never_beyond_its_size():
    clock = Clock()
    one = bucket(clock)
    for _ in range(3):
        one.take()
    clock.now += 3600
    for _ in range(4):
        one.take()
    assert len(clock.slept) == 1


def test_a_clock_that_goes_back_takes_nothing_away():
    clock = Clock()
    one = bucket(clock)
    one.take()
    clock.now = -1000.0
    one.take()
    one.take()
    assert clock.slept == []


@pytest.mark.parametrize(("longest", "patience"), [(1.0, None), (None, 1.0), (9.0, 1.0)])
def test_nobody_waits_longer_than_is_bearable_and_a_refusal_uses_nothing_up(longest, patience):
    clock = Clock()
    one = bucket(clock, size=1, rate=0.1, longest=longest)
    one.take()
    for _ in range(3):
        with pytest.raises(ConnectorError) as caught:
            one.take(patience)
        assert caught.value.retry_after == pytest.approx(10)
        assert not caught.value.unknown
    assert clock.slept == []


def test_the_partners_own_count_is_heard_where_it_is_the_lower_one():
    clock = Clock()
    one = bucket(clock, size=40)
    one.hear(40, 40)
    one.take()
    assert clock.slept == pytest.approx([0.5])
    one.hear(0, 0)
    assert one.size == 40


@pytest.mark.parametrize("told", ["", "x", "nan", "-1", "0", "1e9", "inf"])
def test_a_rate_that_is_none_is_not_learnt(told):
    one = bucket(Clock())
    one.learn(told)
    assert one.rate == 2


def test_too_many_requests_empty_it():
    clock = Clock()
    one = bucket(clock)
    one.empty()
    one.take()
    assert clock.slept == pytest.approx([0.5])


# --- the cursor --------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["71", "12-34567-8901234", "A17", "gid://shop/7", "a:b,c", "Ä 1"])
def test_news_of_any_id_is_told_once(id):
    cursor = Cursor().after({id: Told(NOW, "aaaaaaaa")}, now=NOW)
    assert cursor.tell(id, NOW, "aaaaaaaa") is None
    assert load_cursor(cursor.dump()).tell(id, NOW, "aaaaaaaa") is None


@pytest.mark.parametrize("id", ["", "x" * 301, "\ud800"])
def test_an_id_that_cannot_be_written_down_is_told_again_and_hides_no_other(id):
    told = {id: Told(NOW, "aaaaaaaa"), "71": Told(NOW, "bbbbbbbb")}
    cursor = load_cursor(Cursor().after(told, now=NOW).dump())
    assert set(cursor.told) == {"71"}


def test_a_cursor_stays_small_though_a_thousand_things_change_at_once():
    told = {str(5_501_000_000_000 + at): Told(at // 50 * SECOND, "0123abcd") for at in range(3000)}
    cursor = Cursor().after(told, now=NOW)
    assert len(cursor.dump()) < 9_000
    assert load_cursor(cursor.dump()) == cursor
    kept = {id for id, each in told.items() if each.at >= cursor.since}
    assert kept <= set(cursor.told)
    assert 200 < len(kept) < len(told)


def test_what_had_no_room_is_not_read_again_for_ever():
    told = {str(at): Told(NOW - at // 20 * SECOND, "0123abcd") for at in range(1000)}
    cursor = load_cursor(Cursor().after(told, now=NOW).dump())
    for _ in range(3):
        asked = {id for id, each in told.items() if each.at >= cursor.since}
        assert asked <= set(cursor.told)
        cursor = load_cursor(cursor.after({}, now=NOW).dump())


def test_a_change_dated_in_the_future_hides_none_that_comes_before():
    ahead = NOW + 10**15
    cursor = Cursor().after(
        {"1": Told(NOW - SECOND, "aaaaaaaa"), "2": Told(ahead, "bbbbbbbb")}, now=NOW
    )
    assert cursor.since <= NOW
    assert cursor.tell("2", ahead, "bbbbbbbb") is None
    cursor = load_cursor(cursor.dump())
    assert cursor.tell("2", ahead, "bbbbbbbb") is None


def test_a_cursor_that_a_wrong_date_has_led_astray_finds_back():
    astray = Cursor(since=NOW + 10**15, latest=NOW + 10**15)
    assert astray.after({}, now=NOW).since <= NOW + OVERLAP
    paged = astray.after({}, now=NOW, page="2", since=NOW + 10**16)
    assert paged.since <= NOW + OVERLAP


def test_two_contents_of_one_second_are_two_revisions():
    at = NOW
    cursor = Cursor().after({"1": Told(at, "aaaaaaaa")}, now=NOW)
    second = cursor.tell("1", at, "bbbbbbbb")
    assert second is not None
    assert second.revision(at) > at
    third = cursor.after({"1": second}, now=NOW).tell("1", at, "cccccccc")
    assert third is not None
    assert third.revision(at) > second.revision(at)
    assert third.revision(at) < at + SECOND


@pytest.mark.parametrize(
    "text",
    ["x", "[]", "null", "[" * 100_000, '{"since": 1e400}', '{"told": 3}', '{"told": "a"}',
     '{"since": -1}', '{"latest": 9999999999999999999999}', '{"told": "1:x:y:z"}'],
)  # fmt: skip
def test_a_cursor_that_cannot_be_read_begins_anew(text):
    assert load_cursor(text) == Cursor()


@given(
    st.dictionaries(
        st.integers(1, 10**19).map(str) | st.text(st.characters(codec="utf-8"), max_size=9),
        st.tuples(st.integers(0, 4000), st.integers(0, 3)),
        max_size=500,
    ),
    st.text(max_size=20),
)
def test_a_cursor_is_read_back_as_it_was_written(changes, page):
    told = {
        id: Told(NOW - ago * SECOND, f"{turn:08x}", turn) for id, (ago, turn) in changes.items()
    }
    told.pop("", None)
    cursor = Cursor().after(told, now=NOW, page=page)
    assert load_cursor(cursor.dump()) == cursor
    assert len(cursor.dump()) < 9_000


# --- what left ---------------------------------------------------------------------------------


def news(kind, body=None, lines=()):
    at = datetime(2026, 1, 5, tzinfo=UTC)
    order = Order("main", "web", "1", 1, at, "USD", ())
    return ShipmentNews("k", order, kind, "7-1-NYC", "NYC", at, lines, (), body or {})


def test_units_leave_under_any_word():
    body = {"lines": [["L1", "shipped", 2], ["L1", "freed", 1], ["L2", "shipped", 1]]}
    assert units_that_left(news("fulfillment.delivered", body)) == {"L1": 2, "L2": 1}


def test_units_thought_lost_are_not_told_again():
    body = {"lines": [["L1", "shipped", 2]], "reason": "left after all"}
    assert units_that_left(news("fulfillment.shipped", body)) == {}


def test_news_without_details_says_what_left_only_where_its_kind_does():
    lines = (("L1", 2),)
    assert units_that_left(news("fulfillment.shipped", lines=lines)) == {"L1": 2}
    assert units_that_left(news("fulfillment.accepted", lines=lines)) == {}
    assert units_that_left(news("order.cancelled")) == {}
