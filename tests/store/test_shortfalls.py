"""Stock that is counted below what is promised: what was gone stays gone, however the work ends."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.errors import StaleSupply
from domcore.model import (
    AmendOrder,
    AuthorizeReturn,
    CancelOrder,
    ObserveStock,
    ReceiveReturn,
    StockCount,
)
from domcore.store import open_store
from domcore.store.rows import TABLES
from domcore.testing.store_suite.kit import MINUTE, NOW, START, StoreKit, order_of
from domcore.testing.store_suite.stock import assert_conserved
from domcore.verify import verify

UNRECORDED = ("decision", "format")
"""What `verify` says of decisions that were made by hand."""


@pytest.fixture(params=["memory", "sqlite"])
def kit(request: pytest.FixtureRequest, tmp_path: Path):
    store = open_store("memory:" if request.param == "memory" else tmp_path / "store.db")
    kit = StoreKit(store)
    yield kit
    assert_conserved(store)
    broken = [each for each in verify(store) if each.invariant not in UNRECORDED]
    store.close()
    assert not broken


def observe(kit: StoreKit, minutes: int, **told: Any) -> None:
    as_of = START + timedelta(minutes=minutes)
    command = ObserveStock("main", (StockCount("bolt", "east", as_of=as_of, **told),))
    kit.store.observe_stock(command, now=NOW + 60 * MINUTE)


def in_work(kit: StoreKit, units: int, name: str = "1") -> int:
    """An order that east works on; its id."""
    order_id = kit.take_in(order_of(name, bolt=units))
    kit.route(order_id, "east")
    kit.hand_over()
    return order_id


def shelf(kit: StoreKit) -> tuple[int, int, int]:
    return kit.shelf("bolt", "east")


def cancel(kit: StoreKit, name: str = "1") -> None:
    kit.store.cancel(CancelOrder("main", "web", name, 1), now=NOW)


def hear(kit: StoreKit, order_id: int, status: str, *lines: Any, minutes: int, **more: Any) -> None:
    kit.hear(kit.work(order_id)[0][0], status, *lines, minutes=minutes, **more)


# --- every way in which work can end --------------------------------------------------------------


def by_cancelling(kit: StoreKit, order_id: int) -> None:
    cancel(kit)
    hear(kit, order_id, "cancelled", minutes=20)


def by_a_partner_that_cancels(kit: StoreKit, order_id: int) -> None:
    hear(kit, order_id, "cancelled", minutes=20)


def by_amending(kit: StoreKit, order_id: int) -> None:
    kit.take_in(order_of(revision=2, bolt=0))
    hear(kit, order_id, "cancelled", minutes=20)


def by_taking_lines_off(kit: StoreKit, order_id: int) -> None:
    edit = AmendOrder("main", "web", "1", "edit", 2, (("L-bolt", 5),))
    kit.store.amend(edit, now=NOW)
    hear(kit, order_id, "cancelled", minutes=20)


def by_rejecting(kit: StoreKit, order_id: int) -> None:
    hear(kit, order_id, "rejected", minutes=20, reason="closed")


def by_rejecting_bit_by_bit(kit: StoreKit, order_id: int) -> None:
    for minute, units in ((20, 2), (21, 1), (22, 2)):
        hear(
            kit, order_id, "rejected", ("L-bolt", units), minutes=minute, reason="closed",
            key=str(minute),
        )  # fmt: skip


ENDS = (
    by_cancelling,
    by_a_partner_that_cancels,
    by_amending,
    by_taking_lines_off,
    by_rejecting,
    by_rejecting_bit_by_bit,
)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("news", [{"on_hand": 1}, {"delta": -4}])
def test_what_was_gone_stays_gone_when_the_work_ends(
    kit: StoreKit, news: dict[str, int], end: Callable[[StoreKit, int], None]
) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, **news)
    assert shelf(kit) == (5, 5, 0)
    end(kit, order_id)
    assert shelf(kit) == (1, 0, 0)


@pytest.mark.parametrize("end", ENDS)
def test_units_that_cannot_be_sold_are_blocked_when_the_work_ends(
    kit: StoreKit, end: Callable[[StoreKit, int], None]
) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, blocked=3)
    assert shelf(kit) == (5, 5, 0)
    end(kit, order_id)
    assert shelf(kit) == (5, 0, 3)


def test_what_a_node_does_not_find_of_what_was_gone_is_gone(kit: StoreKit) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, on_hand=1)
    hear(kit, order_id, "rejected", minutes=20, reason="not_found")
    assert shelf(kit) == (1, 0, 1)


def test_what_leaves_after_a_count_below_is_not_there_twice(kit: StoreKit) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, on_hand=3)
    hear(kit, order_id, "partially_shipped", ("L-bolt", 2), minutes=20)
    assert shelf(kit) == (3, 3, 0)
    hear(kit, order_id, "rejected", ("L-bolt", 3), minutes=21, reason="closed")
    assert shelf(kit) == (1, 0, 0)


def test_goods_that_come_settle_what_was_missing_first(kit: StoreKit) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, on_hand=1)
    observe(kit, 11, delta=3)
    assert shelf(kit) == (5, 5, 0)
    observe(kit, 12, delta=3)
    assert shelf(kit) == (7, 5, 0)
    cancel(kit)
    hear(kit, order_id, "cancelled", minutes=20)
    assert shelf(kit) == (7, 0, 0)


def test_the_next_count_settles_it(kit: StoreKit) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, on_hand=1, blocked=1)
    observe(kit, 11, on_hand=5)
    cancel(kit)
    hear(kit, order_id, "cancelled", minutes=20)
    assert shelf(kit) == (5, 0, 0)
    assert list(kit.store.audit("shortfall")) == []


def test_a_count_of_the_past_is_less_what_has_left_since(kit: StoreKit) -> None:
    kit.count("bolt", "east", 9)
    first, second = in_work(kit, 4), in_work(kit, 5, "2")
    hear(kit, first, "shipped", minutes=20)
    observe(kit, 10, on_hand=6)
    assert shelf(kit) == (5, 5, 0)
    cancel(kit, "2")
    hear(kit, second, "cancelled", minutes=30)
    assert shelf(kit) == (2, 0, 0)


def test_two_orders_at_one_node_share_what_is_missing(kit: StoreKit) -> None:
    kit.count("bolt", "east", 6)
    first, second = in_work(kit, 3), in_work(kit, 3, "2")
    observe(kit, 10, on_hand=2)
    cancel(kit, "2")
    hear(kit, second, "cancelled", minutes=20)
    assert shelf(kit) == (3, 3, 0)
    hear(kit, first, "shipped", ("L-bolt", 1), minutes=21)
    hear(kit, first, "rejected", ("L-bolt", 2), minutes=22, reason="closed")
    assert shelf(kit) == (1, 0, 0)


def test_work_that_was_given_back_and_left_all_the_same_is_gone_once(kit: StoreKit) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, on_hand=4)
    hear(kit, order_id, "rejected", minutes=20, reason="closed")
    assert shelf(kit) == (4, 0, 0)
    hear(kit, order_id, "shipped", ("L-bolt", 3), minutes=15)
    assert shelf(kit) == (1, 0, 0)


def test_goods_that_come_back_are_what_they_were_less_what_was_missing(kit: StoreKit) -> None:
    kit.count("bolt", "east", 5)
    order_id = in_work(kit, 5)
    observe(kit, 10, on_hand=4)
    hear(kit, order_id, "shipped", minutes=20)
    assert shelf(kit) == (0, 0, 0)
    lines = (("L-bolt", 5),)
    back = AuthorizeReturn("main", "web", "1", "R1", lines, node="east")
    kit.store.authorize_return(back, now=NOW + 30 * MINUTE)
    came = ReceiveReturn("main", "web", "1", "R1", (("L-bolt", 5, "sellable"),))
    kit.store.receive_return(came, now=NOW + 31 * MINUTE)
    assert shelf(kit) == (4, 0, 0)


def test_a_shelf_that_owes_sells_nothing(kit: StoreKit) -> None:
    kit.count("bolt", "east", 5)
    in_work(kit, 5)
    observe(kit, 10, on_hand=1)
    observe(kit, 11, delta=4)
    later = kit.take_in(order_of("2", bolt=1))
    with pytest.raises(StaleSupply):
        kit.route(later, "east")


# --- against a page of paper ----------------------------------------------------------------------


@define
class Page:
    """What a person would write down of one shelf."""

    counted: tuple[int, int] = (0, 12)
    moved: list[tuple[int, int]] = field(factory=list)
    work: dict[int, list[int]] = field(factory=dict)
    """Order -> units given, shipped, refused."""

    @property
    def there(self) -> int:
        minute, units = self.counted
        return max(0, units + sum(more for at, more in self.moved if at > minute))


STEP = st.tuples(
    st.sampled_from(
        ("count", "past", "delta", "blocked", "order", "ship", "reject", "lost", "cancel", "stop")
    ),
    st.integers(0, 9),
    st.integers(0, 99),
)


def play(kit: StoreKit, page: Page, minute: int, what: str, units: int, which: int) -> None:
    """One thing happens, at one minute."""
    orders = list(page.work)
    order_id = orders[which % len(orders)] if orders else 0
    given, shipped, refused = page.work.get(order_id, (0, 0, 0))
    line, more = ("L-bolt", units), {"key": str(minute)}
    if what in ("count", "past"):
        at = minute if what == "count" else max(0, minute - units * 10)
        observe_at(kit, minute, at, on_hand=units)
        if at >= page.counted[0]:
            page.counted = (at, units)
    elif what == "delta":
        delta = units - 5
        if delta:
            observe_at(kit, minute, minute, delta=delta)
            page.moved.append((minute, delta))
    elif what == "blocked":
        observe_at(kit, minute, minute, blocked=units)
    elif what == "order":
        on_hand, reserved, blocked = shelf(kit)
        if 0 < units <= on_hand - reserved - blocked:
            page.work[in_work(kit, units, str(minute))] = [units, 0, 0]
    elif what == "ship" and 0 < units <= given - shipped:
        hear(kit, order_id, "partially_shipped", line, minutes=minute, **more)
        page.moved.append((minute, -units))
        page.work[order_id] = [given, shipped + units, min(refused, given - shipped - units)]
    elif what in ("reject", "lost") and 0 < units <= given - shipped - refused:
        reason = "closed" if what == "reject" else "not_found"
        hear(kit, order_id, "rejected", line, minutes=minute, reason=reason, **more)
        page.work[order_id][2] += units
    elif what == "cancel" and order_id:
        cancel(kit, kit.store.order(order_id).order.external_id)
    elif what == "stop" and given > shipped + refused:
        hear(kit, order_id, "cancelled", minutes=minute, **more)
        page.work[order_id][2] = given - shipped


def observe_at(kit: StoreKit, minute: int, at: int, **told: Any) -> None:
    as_of = START + timedelta(minutes=at)
    command = ObserveStock("main", (StockCount("bolt", "east", as_of=as_of, **told),))
    kit.store.observe_stock(command, now=NOW + minute * MINUTE)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEP, max_size=25))
def test_once_no_work_is_out_the_books_say_what_is_there(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is counted, told, promised, shipped, rejected and cancelled: then on hand is the
    last count and what moved since; and never may more be sold than that."""
    with tempfile.TemporaryDirectory() as folder:
        stores = [open_store("memory:"), open_store(Path(folder) / "store.db")]
        ends = [end_of(StoreKit(store), steps) for store in stores]
    assert ends[0] == ends[1]


def end_of(kit: StoreKit, steps: list[tuple[str, int, int]]) -> dict[str, list[Any]]:
    """Play all of it, end what is still out, and answer every row."""
    page = Page()
    try:
        kit.count("bolt", "east", 12)
        for number, (what, units, which) in enumerate(steps, 1):
            play(kit, page, number * 10, what, units, which)
            on_hand, reserved, blocked = shelf(kit)
            assert on_hand == max(page.there, reserved)
            assert on_hand - reserved - blocked <= max(0, page.there - reserved)
        for order_id, (given, shipped, refused) in page.work.items():
            if given > shipped + refused:
                hear(kit, order_id, "cancelled", minutes=999, key=f"end {order_id}")
        assert shelf(kit)[:2] == (page.there, 0)
        assert_conserved(kit.store)
        assert not [v for v in verify(kit.store) if v.invariant not in UNRECORDED]
        return {table: list(kit.store.audit(table)) for table in TABLES}
    finally:
        kit.store.close()
