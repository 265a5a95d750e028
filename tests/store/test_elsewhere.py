"""Goods that others have sent: they count as gone, however and whenever it is told."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.errors import PayloadError
from domcore.model import CancelOrder, Notice, Package, ShippedElsewhere
from domcore.store import open_store
from domcore.store.rows import TABLES
from domcore.testing.store_suite.kit import MINUTE, NOW, START, StoreKit, order_of
from domcore.testing.store_suite.stock import assert_conserved
from domcore.verify import verify

UNRECORDED = ("decision", "format")
LINE = "L-bolt"


@pytest.fixture(params=["memory", "sqlite"])
def kit(request: pytest.FixtureRequest, tmp_path: Path):
    store = open_store("memory:" if request.param == "memory" else tmp_path / "store.db")
    kit = StoreKit(store)
    yield kit
    assert_sound(kit)
    store.close()


def assert_sound(kit: StoreKit) -> None:
    assert_conserved(kit.store)
    assert not [str(each) for each in verify(kit.store) if each.invariant not in UNRECORDED]


def sent(
    kit: StoreKit, units: int, name: str = "f1", *, minutes: int = 5, revision: int = 1, **more: Any
) -> str:
    """Others have sent so many bolts of order 1; what the store answers."""
    lines = ((LINE, units),) if units else ()
    at = START + timedelta(minutes=minutes)
    command = ShippedElsewhere("main", "web", "1", name, revision, at, lines, **more)
    return kit.store.ship_elsewhere(command, now=NOW + 60 * MINUTE).outcome


def given_order(kit: StoreKit, units: int, *, stock: int = 10, route: bool = True) -> int:
    kit.count("bolt", "east", stock)
    order_id = kit.take_in(order_of(bolt=units))
    if route:
        kit.route(order_id, "east")
    return order_id


def kinds(kit: StoreKit, order_id: int) -> list[str]:
    return [event.kind for event in kit.store.events(order_id=order_id)]


def test_open_units_that_others_have_sent_are_never_routed(kit: StoreKit) -> None:
    order_id = given_order(kit, 3, route=False)
    assert sent(kit, 2) == "recorded"
    assert kit.lines(order_id) == [(1, 0, 2, 0)]
    assert sent(kit, 2) == "duplicate"
    assert sent(kit, 1, "f2") == "recorded"
    assert kit.lines(order_id) == [(0, 0, 3, 0)]
    assert kit.store.open_orders(now=NOW + MINUTE, limit=9) == []
    assert kinds(kit, order_id).count("order.shipped_elsewhere") == 2


def test_work_that_no_node_was_told_of_is_withdrawn(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    sent(kit, 3)
    assert kit.lines(order_id) == [(0, 0, 3, 0)]
    assert kit.work(order_id) == [(f"{order_id}-1-east", "cancelled")]
    assert kit.shelf("bolt", "east") == (10, 0, 0)
    assert kit.hand_over() == []


def test_work_shrinks_by_what_others_have_sent(kit: StoreKit) -> None:
    order_id = given_order(kit, 5)
    sent(kit, 2)
    assert kit.lines(order_id) == [(0, 3, 2, 0)]
    assert kit.shelf("bolt", "east") == (10, 3, 0)


def test_a_node_that_works_on_it_is_asked_to_stop_and_a_person_is_told(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    kit.hand_over()
    sent(kit, 2)
    assert kit.work(order_id) == [(f"{order_id}-1-east", "cancel_requested")]
    assert kit.lines(order_id) == [(0, 3, 2, 0)]
    assert "fulfillment.exception" in kinds(kit, order_id)
    assert len(kit.store.lease_due("cancel", now=NOW + 99 * MINUTE, until=NOW, limit=9)) == 1
    kit.hear(f"{order_id}-1-east", "cancelled", minutes=9)
    assert kit.lines(order_id) == [(1, 0, 2, 0)]
    assert kit.shelf("bolt", "east") == (10, 0, 0)


def test_a_person_is_told_at_once_what_has_left_twice(kit: StoreKit) -> None:
    order_id = given_order(kit, 4)
    kit.hand_over()
    sent(kit, 3)
    kit.hear(f"{order_id}-1-east", "shipped", minutes=9)
    (told,) = kit.store.troubles(order_id)
    assert (told.kind, told.lines, told.settled_at) == ("left", ((LINE, 3),), None)
    assert "others are said to have sent them" in told.note
    kit.store.settle_trouble(told.id, by="kim", now=NOW + 99 * MINUTE)
    assert [each.settled_by for each in kit.store.troubles(order_id)] == ["kim"]


@pytest.mark.parametrize("more", [{"total": True}, {"tracking": ("1Z9",)}])
def test_what_is_known_as_ours_has_not_left_twice(kit: StoreKit, more: Any) -> None:
    order_id = given_order(kit, 4)
    kit.hand_over()
    sent(kit, 4, **more)
    box = Package("b", ((LINE, 4),), tracking="1Z9")
    notice = Notice(f"{order_id}-1-east", "shipped", START, packages=(box,))
    kit.store.record(notice, now=NOW + 61 * MINUTE)
    assert kit.store.troubles(order_id) == []


def test_a_node_that_ships_what_others_left_is_no_trouble(kit: StoreKit) -> None:
    order_id = given_order(kit, 4)
    sent(kit, 1)
    kit.hand_over()
    kit.hear(f"{order_id}-1-east", "shipped", minutes=9)
    assert kit.lines(order_id) == [(0, 0, 4, 0)]
    assert kit.store.troubles(order_id) == []


def test_a_node_that_ships_all_the_same_takes_the_place_of_it(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    kit.hand_over()
    sent(kit, 3)
    kit.hear(f"{order_id}-1-east", "shipped", minutes=9)
    assert kit.lines(order_id) == [(0, 0, 3, 0)]
    assert kit.shelf("bolt", "east") == (7, 0, 0)


@pytest.mark.parametrize("number", ["1Z1", " 1z1 ", "box-1", "1-1-east"])
def test_what_our_node_has_shipped_is_known_again_by_its_number(kit: StoreKit, number: str) -> None:
    order_id = given_order(kit, 3)
    box = Package("box-1", ((LINE, 2),), tracking="1Z1")
    notice = Notice(f"{order_id}-1-east", "partially_shipped", START, packages=(box,))
    kit.store.record(notice, now=NOW)
    assert sent(kit, 2, tracking=(number,)) == "recorded"
    assert kit.lines(order_id) == [(0, 1, 2, 0)]
    assert "order.shipped_elsewhere" not in kinds(kit, order_id)


def test_a_number_that_was_changed_by_hand_afterwards_is_still_known(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    box = Package("box-1", ((LINE, 2),), tracking="1Z1")
    notice = Notice(f"{order_id}-1-east", "partially_shipped", START, packages=(box,))
    kit.store.record(notice, now=NOW)
    sent(kit, 2, tracking=("1Z1",))
    sent(kit, 2, revision=2, tracking=("typo",))
    assert kit.lines(order_id) == [(0, 1, 2, 0)]


def test_a_node_may_tell_later_that_the_box_was_its_own(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    kit.hand_over()
    sent(kit, 2, tracking=("1Z1",))
    box = Package("box-1", ((LINE, 2),), tracking="1Z1")
    notice = Notice(f"{order_id}-1-east", "partially_shipped", START, packages=(box,))
    kit.store.record(notice, now=NOW + 9 * MINUTE)
    assert kit.lines(order_id) == [(0, 1, 2, 0)]
    assert kit.shelf("bolt", "east") == (8, 1, 0)


def test_totals_have_what_our_nodes_shipped_among_them(kit: StoreKit) -> None:
    order_id = given_order(kit, 5)
    kit.hear(f"{order_id}-1-east", "partially_shipped", (LINE, 2), minutes=1)
    sent(kit, 2, total=True)
    assert kit.lines(order_id) == [(0, 3, 2, 0)]
    sent(kit, 5, total=True, revision=2)
    assert kit.lines(order_id) == [(0, 3, 5, 0)]
    assert kit.work(order_id) == [(f"{order_id}-1-east", "cancel_requested")]
    kit.hear(f"{order_id}-1-east", "cancelled", minutes=9)
    assert kit.lines(order_id) == [(0, 0, 5, 0)]


def test_one_that_is_taken_back_has_not_left(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    sent(kit, 3)
    assert sent(kit, 0, revision=2) == "recorded"
    assert kit.lines(order_id) == [(3, 0, 0, 0)]
    assert sent(kit, 3) == "duplicate"
    queue = kit.store.open_orders(now=NOW + 99 * MINUTE, limit=9)
    assert [found.order_id for found in queue] == [order_id]


def test_what_comes_before_its_order_is_kept_for_it(kit: StoreKit) -> None:
    assert sent(kit, 2, node="east") == "recorded"
    order_id = given_order(kit, 3, route=False)
    assert kit.lines(order_id) == [(1, 0, 2, 0)]
    assert kit.shelf("bolt", "east") == (8, 0, 0)
    assert kinds(kit, order_id) == ["order.captured", "order.shipped_elsewhere"]


def test_a_cancelled_order_of_which_goods_left_has_shipped_them(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    kit.store.cancel(CancelOrder("main", "web", "1", 1), now=NOW)
    sent(kit, 2)
    assert kit.lines(order_id) == [(0, 0, 2, 1)]
    sent(kit, 0, revision=2)
    assert kit.lines(order_id) == [(0, 0, 0, 3)]


def test_goods_leave_the_shelf_they_were_taken_from(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    sent(kit, 3, node="east", minutes=5)
    assert kit.shelf("bolt", "east") == (7, 0, 0)
    kit.count("bolt", "east", 9, minutes=3)
    assert kit.shelf("bolt", "east") == (6, 0, 0)
    kit.count("bolt", "east", 4, minutes=8)
    sent(kit, 0, revision=2, minutes=5)
    assert kit.shelf("bolt", "east") == (4, 0, 0)
    assert kit.lines(order_id) == [(3, 0, 0, 0)]


def test_a_later_count_has_seen_them_gone(kit: StoreKit) -> None:
    given_order(kit, 3)
    kit.count("bolt", "east", 7, minutes=8)
    sent(kit, 3, node="east", minutes=5)
    assert kit.shelf("bolt", "east") == (7, 0, 0)


def test_goods_taken_from_under_another_order_send_it_back_to_the_queue(kit: StoreKit) -> None:
    kit.count("bolt", "east", 3)
    other = kit.take_in(order_of("2", bolt=3))
    kit.route(other, "east")
    kit.take_in(order_of(bolt=2))
    sent(kit, 2, node="east")
    assert kit.lines(other) == [(2, 1, 0, 0)]
    assert kit.shelf("bolt", "east") == (1, 1, 0)


def test_a_node_that_was_never_heard_to_have_any_may_send_some(kit: StoreKit) -> None:
    given_order(kit, 3)
    sent(kit, 3, node="west")
    assert kit.shelf("bolt", "west") == (0, 0, 0)
    kit.count("bolt", "west", 9, minutes=3)
    assert kit.shelf("bolt", "west") == (6, 0, 0)


def test_a_later_revision_keeps_what_has_left(kit: StoreKit) -> None:
    order_id = given_order(kit, 3)
    sent(kit, 2)
    kit.take_in(order_of(revision=2, bolt=5))
    assert kit.lines(order_id) == [(2, 1, 2, 0)]
    kit.take_in(order_of(revision=3, bolt=1))
    assert kit.lines(order_id) == [(0, 0, 2, 0)]
    assert kit.shelf("bolt", "east") == (10, 0, 0)


@pytest.mark.parametrize(
    "more",
    [
        {"node": "nowhere"}, {"name": ""}, {"revision": -1}, {"lines": ((LINE, 0),)},
        {"lines": (("", 1),)}, {"lines": ((LINE, True),)}, {"tracking": ("x" * 1001,)},
        {"at": START + timedelta(days=9)}, {"lines": None}, {"total": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(kit: StoreKit, more: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "name": "f1", "revision": 1, "at": START, "lines": ((LINE, 1),), **more,
    }  # fmt: skip
    command = ShippedElsewhere("main", "web", "1", **fields)
    with pytest.raises(PayloadError):
        kit.store.ship_elsewhere(command, now=NOW)
    assert list(kit.store.audit("elsewhere")) == []


Step = tuple[str, Any]

NEWS: Sequence[Step] = (
    ("sent", {"units": 2, "name": "f1", "node": "east", "minutes": 5}),
    ("sent", {"units": 1, "name": "f1", "node": "east", "minutes": 5, "revision": 2}),
    ("sent", {"units": 1, "name": "f2", "minutes": 6, "tracking": ("1Z1",)}),
    ("box", {"units": 1, "tracking": "1Z1", "minutes": 7}),
)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_it_ends_alike_in_any_order(kit: StoreKit, order: tuple[int, ...]) -> None:
    """Our node has shipped one of four, somebody else one from its shelf: two are still to go."""
    order_id = given_order(kit, 4)
    kit.hand_over()
    for number in order:
        tell(kit, order_id, *NEWS[number])
    kit.hear(f"{order_id}-1-east", "cancelled", minutes=30)
    assert kit.lines(order_id) == [(2, 0, 2, 0)]
    assert kit.shelf("bolt", "east") == (8, 0, 0)


def tell(kit: StoreKit, order_id: int, what: str, told: dict[str, Any]) -> None:
    told = dict(told)
    if what == "sent":
        sent(kit, told.pop("units"), **told)
        return
    box = Package("b", ((LINE, told["units"]),), tracking=told["tracking"])
    at = START + timedelta(minutes=told["minutes"])
    notice = Notice(f"{order_id}-1-east", "partially_shipped", at, packages=(box,))
    kit.store.record(notice, now=NOW + 60 * MINUTE)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("sent", "ship", "reject", "amend", "cancel", "hand over", "count")),
        st.integers(0, 5),
        st.integers(0, 2),
    ),
    max_size=14,
)


@settings(max_examples=120, deadline=None)
@given(steps=STEPS)
def test_no_unit_is_lost_or_counted_twice_whatever_comes(steps: list[tuple[str, int, int]]) -> None:
    """Both stores keep the same rows, and every invariant holds after every step."""
    with tempfile.TemporaryDirectory() as folder:
        stores = [open_store("memory:"), open_store(Path(folder) / "store.db")]
        assert rows_after(StoreKit(stores[0]), steps) == rows_after(StoreKit(stores[1]), steps)


def rows_after(kit: StoreKit, steps: list[tuple[str, int, int]]) -> dict[str, list[Any]]:
    """Play all of it, and answer every row."""
    try:
        order_id = given_order(kit, 4)
        for number, (what, units, which) in enumerate(steps):
            minutes = 10 + number
            if what == "sent":
                node = ("", "east", "west")[which]
                more = {"total": True} if which == 1 and units > 3 else {}
                sent(kit, units, f"f{which}", minutes=minutes, revision=number, node=node, **more)
            elif what == "ship" and units:
                _try_to_ship(kit, order_id, min(units, 4), minutes)
            elif what == "reject" and units == 1:
                kit.hear(f"{order_id}-1-east", "rejected", minutes=minutes, reason="closed")
            elif what == "amend":
                kit.take_in(order_of(revision=10 + number, bolt=units))
            elif what == "cancel" and units > 3:
                kit.store.cancel(CancelOrder("main", "web", "1", 1), now=NOW)
            elif what == "hand over":
                kit.hand_over()
            elif what == "count":
                kit.count("bolt", "east", units, minutes=minutes)
            assert_sound(kit)
        return {table: list(kit.store.audit(table)) for table in TABLES}
    finally:
        kit.store.close()


def _try_to_ship(kit: StoreKit, order_id: int, units: int, minutes: int) -> None:
    view = kit.store.order(order_id)
    left = sum(
        each.quantity for each in view.reservations if each.state == "shipped"
    )  # fmt: skip
    if left + units <= 4:
        name = f"{order_id}-1-east"
        kit.hear(name, "partially_shipped", (LINE, units), minutes=minutes, key=str(minutes))
