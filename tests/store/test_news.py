"""News in any order, twice and late: every permutation ends in the same state, in both stores."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domcore.model import Notice, Package
from domcore.store import open_store
from domcore.store.operations.contents import content_of
from domcore.testing.store_suite.kit import MINUTE, NOW, START, StoreKit, order_of
from domcore.testing.store_suite.news import state_of
from domcore.verify import verify

UNITS = {"bolt": 5, "nut": 3}

Lines = tuple[tuple[str, int], ...]


@frozen
class Story:
    """What happened to one piece of work, told once, in order."""

    notices: tuple[Notice, ...]


@st.composite
def pieces(draw: Any, lines: Lines) -> list[Lines]:
    """A box told at once, or in up to three notices that each know a part of it, by SKU or line."""
    parts = []
    for number in range(draw(st.integers(1, 3))):
        known = [
            (sku, units if number == 0 else draw(st.integers(0, units))) for sku, units in lines
        ]
        if number == 0 and len(lines) > 1 and draw(st.booleans()):
            parts.append((known.pop(),))
        part = tuple((draw(st.sampled_from([sku, f"L-{sku}"])), n) for sku, n in known if n)
        if part:
            parts.append(part)
    return draw(st.permutations(parts))


@st.composite
def stories(draw: Any, name: str) -> Story:
    """A consistent set of notices: it is taken up, parts are rejected, boxes leave and arrive."""
    told: list[Notice] = []

    def tell(status: str, **more: Any) -> None:
        told.append(Notice(name, status, START + timedelta(minutes=len(told) + 1), **more))

    for status in ("accepted", "on_hold", "in_progress", "exception"):
        if draw(st.booleans()):
            tell(status, vendor_status=f"V-{status}", reference=draw(st.sampled_from(["", "R"])))
    left = dict(UNITS)
    reasons = st.sampled_from(["not_found", "damaged", "no_capacity", "closed", "other"])
    for sku in UNITS:
        units = draw(st.integers(0, left[sku]))
        if units and draw(st.booleans()):
            line = draw(st.sampled_from([sku, f"L-{sku}"]))
            tell("rejected", lines=((line, units),), reason=draw(reasons))
            left[sku] -= units
    boxes: list[str] = []
    for number in range(draw(st.integers(0, 3))):
        inside = {sku: draw(st.integers(0, units)) for sku, units in left.items()}
        lines = tuple((sku, units) for sku, units in inside.items() if units)
        if not lines:
            continue
        for sku, units in lines:
            left[sku] -= units
        for part in draw(pieces(lines)):
            box = Package(f"box-{number}", part, tracking=draw(st.sampled_from(["", "1Z"])))
            tell(draw(st.sampled_from(["shipped", "partially_shipped"])), packages=(box,))
        boxes.append(f"box-{number}")
    ending = draw(st.sampled_from(["", "shipped", "delivered", "rejected", "cancelled", "loose"]))
    if ending == "loose":
        lines = tuple((sku, units) for sku, units in left.items() if units)
        if lines:
            tell("shipped", lines=lines)
    elif ending:
        reason = draw(reasons) if ending == "rejected" else ""
        tell(ending, reason=reason, vendor_status="END")
    for box_id in boxes:
        if draw(st.booleans()):
            tell("delivered", packages=(Package(box_id, url="https://example.com"),))
    if draw(st.integers(0, 5)) == 0:
        tell(draw(st.sampled_from(["shipped", "delivered"])))
    return Story(tuple(told))


def start(kind: str, tmp: Any, orders: int) -> tuple[StoreKit, list[str]]:
    """A shop with so many orders, all handed over to the east node."""
    url = "memory:" if kind == "memory" else tmp / f"{random.random()}.db"
    kit = StoreKit(open_store(url))
    for sku, units in UNITS.items():
        kit.count(sku, "east", units * orders + 2)
    for number in range(orders):
        kit.route(kit.take_in(order_of(str(number), **UNITS)), "east")
    return kit, sorted(kit.hand_over())


def told(kind: str, tmp: Any, orders: int, notices: list[Notice]) -> dict[str, Any]:
    """The state after these notices; every invariant must hold."""
    kit, _ = start(kind, tmp, orders)
    for notice in notices:
        kit.store.record(notice, now=NOW + 90 * MINUTE, exclude_until=NOW + 500 * MINUTE)
    broken = [each for each in verify(kit.store) if each.invariant not in ("decision", "format")]
    assert not [each for each in broken if "record is of" not in each.message], broken
    found = state_of(kit)
    kit.store.close()
    return found


def shuffled(draw: Any, notices: list[Notice]) -> list[Notice]:
    """Any order, some of them more than once."""
    again = draw(st.lists(st.sampled_from(notices), max_size=4)) if notices else []
    return list(draw(st.permutations(notices + again)))


def check_permutations(data: st.DataObject, tmp: Any, kind: str, orders: int) -> None:
    names = [f"{number + 1}-1-east" for number in range(orders)]
    notices = [n for name in names for n in data.draw(stories(name)).notices]
    in_order = told(kind, tmp, orders, notices)
    for _ in range(3):
        again = told(kind, tmp, orders, shuffled(data.draw, notices))
        for what, expected in in_order.items():
            if orders > 1 and what == "items excluded":
                # The reason is that of the order that spoke last.
                assert [row[:3] for row in again[what]] == [row[:3] for row in expected]
            else:
                assert again[what] == expected, what


QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=100, **QUICK)
@given(data=st.data())
def test_any_permutation_of_the_news_of_one_work_ends_in_the_same_state(data):
    check_permutations(data, None, "memory", 1)


@settings(max_examples=40, **QUICK)
@given(data=st.data())
def test_any_permutation_of_the_news_of_several_works_ends_in_the_same_state(data):
    check_permutations(data, None, "memory", 3)


@settings(max_examples=12, **QUICK)
@given(data=st.data())
def test_a_file_ends_in_the_same_state_as_memory(tmp_path_factory, data):
    tmp = tmp_path_factory.mktemp("news")
    notices = list(data.draw(stories("1-1-east")).notices)
    other = shuffled(data.draw, notices)
    assert told("sqlite", tmp, 1, other) == told("memory", tmp, 1, notices)


# --- what is in a box ----------------------------------------------------------------------------

NAMES = {"a1": (0,), "a2": (1,), "A": (0, 1), "b1": (2,), "B": (2,)}
"""Two lines of one SKU, one of another."""

LINES = st.lists(
    st.tuples(st.sampled_from([*NAMES, "gone"]), st.integers(1, 4)), min_size=1, max_size=4
).map(tuple)


@settings(max_examples=300, **QUICK)
@given(told=st.lists(LINES, max_size=5), data=st.data())
def test_a_box_holds_the_same_in_whatever_order_it_is_told(told, data):
    again = data.draw(st.permutations(told + told[:2]))
    assert content_of(again, NAMES) == content_of(told, NAMES)


@settings(max_examples=300, **QUICK)
@given(told=st.lists(LINES, min_size=1, max_size=5))
def test_a_box_holds_what_each_notice_says_and_no_more_than_all_of_them(told):
    held = units_in(content_of(told, NAMES))
    each = [units_in(lines) for lines in told]
    for what in held.keys() | {name for units in each for name in units}:
        said = [units.get(what, 0) for units in each]
        assert max(said) <= held.get(what, 0) <= sum(said)


def units_in(lines: Lines) -> dict[str, int]:
    """Units by SKU."""
    found: dict[str, int] = {}
    for name, units in lines:
        found[name[0].upper()] = found.get(name[0].upper(), 0) + units
    return found


@pytest.mark.parametrize(
    ("told", "held"),
    [
        ([(("a1", 2),), (("b1", 1),)], (("a1", 2), ("b1", 1))),
        ([(("a1", 2),), (("a1", 3),), (("a1", 1),)], (("a1", 3),)),
        ([(("B", 2),), (("b1", 3),)], (("B", 3),)),
        ([(("A", 5),), (("a1", 2),)], (("A", 3), ("a1", 2))),
        ([(("A", 2),), (("a1", 2), ("a2", 1))], (("a1", 2), ("a2", 1))),
        ([(("a1", 1), ("a1", 1)), (("a1", 2), ("gone", 1))], (("a1", 2), ("gone", 1))),
        ([(("a1", 1), ("a1", 1))] * 2, (("a1", 1), ("a1", 1))),
        ([], ()),
    ],
)
def test_a_box_told_in_pieces_holds_the_most_of_each_line(told, held):
    assert content_of(told, NAMES) == held


def test_a_box_told_in_pieces_ships_all_of_them(tmp_path):
    for kind in ("memory", "sqlite"):
        kit, (name,) = start(kind, tmp_path, 1)
        for minute, lines in enumerate(((("bolt", 5),), (("L-nut", 1),), (("nut", 3),), ())):
            kit.hear(name, "shipped", packages=(Package("box", lines),), minutes=minute)
        assert kit.lines(1) == [(0, 0, 5, 0), (0, 0, 3, 0)]
        (work,) = kit.store.order(1).fulfillment_orders
        assert (work.status, work.packages[0].lines) == ("shipped", (("L-nut", 3), ("bolt", 5)))
        kit.store.close()


@pytest.mark.long
@settings(max_examples=1500, **QUICK)
@given(data=st.data())
def test_thousands_of_permutations(data):
    check_permutations(data, None, "memory", 2)
