"""News that contradicts itself: whatever nodes say, the books stay whole and goods are not lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domcore.errors import ConflictError, PayloadError, StaleSupply
from domcore.model import CancelOrder, Notice, Package
from domcore.store import open_store
from domcore.store.rows import TABLES
from domcore.testing.store_suite.kit import MINUTE, NODES, NOW, START, StoreKit, order_of
from domcore.verify import verify

STATUSES = (
    "accepted", "rejected", "cancelled", "shipped", "partially_shipped", "delivered", "exception",
    "on_hold", "returned", "cancel_requested",
)  # fmt: skip
STEPS = st.tuples(
    st.sampled_from(["tell"] * 6 + ["route", "route", "count", "cancel", "amend", "hand over"]),
    *(st.integers(0, 30) for _ in range(4)),
)


class Bedlam:
    """A shop whose nodes say anything."""

    def __init__(self, store: Any) -> None:
        self.kit = StoreKit(store)
        self.minutes = 0
        self.revision = 1
        for node in NODES:
            self.kit.count("bolt", node, 6)
            self.kit.count("nut", node, 6)
        for number in range(2):
            self.kit.route(self.kit.take_in(order_of(str(number), bolt=3, nut=2)), "east")

    def do(self, step: tuple[str, int, int, int, int]) -> Any:
        name, *numbers = step
        self.minutes += 1
        try:
            return getattr(self, name.replace(" ", "_"))(*numbers)
        except (ConflictError, PayloadError, StaleSupply, ValueError) as error:
            return type(error)

    def tell(self, which: int, status: int, units: int, back: int) -> Any:
        work = [
            one.id for number in (1, 2) for one in self.kit.store.order(number).fulfillment_orders
        ]
        said = STATUSES[status % len(STATUSES)]
        lines = ((("bolt", "nut", "L-bolt")[units % 3], units // 6 + 1),) if units % 2 else ()
        boxed = units % 5 == 0 and said in ("shipped", "delivered", "exception")
        at = START + timedelta(minutes=max(0, self.minutes - back))
        notice = Notice(
            work[which % len(work)],
            said,
            at,
            () if boxed else lines,
            (Package(f"box-{back % 3}", lines),) if boxed else (),
            reason=("not_found", "closed", "damaged")[which % 3] if said == "rejected" else "",
        )
        now = NOW + self.minutes * MINUTE
        return self.kit.store.record(notice, now=now, exclude_until=now + 9 * MINUTE)

    def route(self, which: int, node: int, units: int, back: int) -> None:
        self.kit.route(which % 2 + 1, NODES[node % 3])

    def count(self, which: int, node: int, units: int, back: int) -> None:
        at = max(0, self.minutes - back % 4)
        self.kit.count(("bolt", "nut")[which % 2], NODES[node % 3], units % 9, minutes=at)

    def cancel(self, which: int, node: int, units: int, back: int) -> Any:
        if units % 4:
            return None
        return self.kit.store.cancel(CancelOrder("main", "web", str(which % 2), 99), now=NOW)

    def amend(self, which: int, node: int, units: int, back: int) -> None:
        self.revision += 1
        wanted = {"bolt": units % 6, "nut": back % 4}
        self.kit.take_in(order_of(str(which % 2), self.revision, **wanted))

    def hand_over(self, which: int, node: int, units: int, back: int) -> list[str]:
        return self.kit.hand_over()


def check_bedlam(steps: list[tuple[str, int, int, int, int]]) -> None:
    shop = Bedlam(open_store("memory:"))
    for step in steps:
        shop.do(step)
        broken = [b for b in verify(shop.kit.store) if b.invariant not in ("decision", "format")]
        assert not broken, [str(each) for each in broken]
    shop.kit.store.close()


def test_a_line_whose_sku_changed_in_the_shop_is_the_line_of_its_old_work(kit):
    for sku in ("bolt", "nut", "saw"):
        kit.count(sku, "east", 9)
    order_id = kit.take_in(order_of(bolt=3, nut=2))
    kit.route(order_id, "east")
    (name,) = kit.hand_over()
    kit.hear(name, "rejected", ("bolt", 3), reason="closed", minutes=1)
    changed = order_of(revision=2, bolt=3, nut=2)
    lines = (evolve(changed.lines[0], sku="saw"), changed.lines[1])
    kit.take_in(evolve(changed, lines=lines))
    with pytest.raises(PayloadError):
        kit.hear(name, "shipped", ("saw", 3), minutes=2)
    kit.hear(name, "shipped", ("bolt", 3), minutes=2)
    kit.hear(name, "shipped", minutes=3)
    assert kit.lines(order_id) == [(0, 0, 3, 0), (0, 0, 2, 0)]
    assert kit.shelf("bolt", "east") == (6, 0, 0)
    assert [b for b in verify(kit.store) if b.invariant not in ("decision", "format")] == []


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, max_size=25))
def test_whatever_nodes_say_the_books_stay_whole(steps):
    check_bedlam(steps)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, max_size=20))
def test_whatever_nodes_say_both_stores_agree(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("bedlam") / "store.db"
    shops = [Bedlam(open_store(path)), Bedlam(open_store("memory:"))]
    for step in steps:
        answers = [shop.do(step) for shop in shops]
        assert answers[0] == answers[1]
    for table in TABLES:
        rows = [list(shop.kit.store.audit(table)) for shop in shops]
        assert rows[0] == rows[1], table
    for shop in shops:
        shop.kit.store.close()


@pytest.mark.long
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, max_size=40))
def test_much_longer_bedlam(steps):
    check_bedlam(steps)
