"""Deliveries come late, twice and in any order; the end is the same."""

from __future__ import annotations

from datetime import timedelta, timezone

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.errors import ConflictError, PayloadError
from domcore.model import CancelOrder, CaptureOrder
from domcore.store import open_store
from domcore.testing.store_suite.kit import NOW, StoreKit, order_of, raises

REVISIONS = (
    order_of(revision=1, bolt=2, nut=1),
    order_of(revision=2, bolt=5, saw=2),
    order_of(revision=3, nut=4, saw=1),
)
CANCEL = CancelOrder("main", "web", "1", 2)


def deliver(steps: list[int]) -> object:
    """Apply the deliveries and say how it ends: units by line, and the status."""
    kit = StoreKit(open_store("memory:"))
    for step in steps:
        if step < len(REVISIONS):
            kit.store.capture([CaptureOrder(REVISIONS[step])], now=NOW)
        else:
            kit.store.cancel(CANCEL, now=NOW)
    found = kit.store.order(1)
    units = {
        line.id: tuple(buckets)
        for line, buckets in zip(found.order.lines, found.lines, strict=True)
        if line.quantity
    }
    return units, found.summary.status, found.order.revision


@given(st.permutations([0, 1, 2]), st.lists(st.integers(0, 2), max_size=4))
@settings(deadline=None, max_examples=60)
def test_revisions_in_any_order_end_the_same(steps: list[int], repeats: list[int]) -> None:
    assert deliver([*steps, *repeats]) == deliver([0, 1, 2])


@given(st.permutations([0, 1, 2, 3]), st.lists(st.integers(0, 3), max_size=4))
@settings(deadline=None, max_examples=60)
def test_a_cancellation_in_any_place_ends_the_same(steps: list[int], repeats: list[int]) -> None:
    assert deliver([*steps, *repeats]) == deliver([0, 1, 2, 3])


def test_a_key_works_within_one_batch_too(kit: StoreKit) -> None:
    batch = [
        CaptureOrder(order_of("1", bolt=1), key="k"),
        CaptureOrder(order_of("2", bolt=1), key="k"),
    ]
    raises(ConflictError, kit.store.capture, batch, now=NOW)
    assert kit.store.find_order("web/1") == []


def test_two_revisions_in_one_batch_are_taken_one_after_the_other(kit: StoreKit) -> None:
    words = kit.store.capture([CaptureOrder(order) for order in REVISIONS], now=NOW)
    assert [word.outcome for word in words] == ["captured", "amended", "amended"]


def test_numbers_beyond_every_range_are_refused(kit: StoreKit) -> None:
    for order in (
        order_of(revision=2**63, bolt=1),
        order_of(revision=-1, bolt=1),
        order_of(bolt=10**9 + 1),
        order_of(bolt=-1),
        order_of(bolt=True),
    ):
        raises(PayloadError, kit.store.capture, [CaptureOrder(order)], now=NOW)
    raises(PayloadError, kit.store.cancel, CancelOrder("main", "web", "1", 2**63), now=NOW)


def test_two_lines_with_one_id_are_refused(kit: StoreKit) -> None:
    order = order_of(bolt=1)
    twice = evolve(order, lines=order.lines * 2)
    raises(PayloadError, kit.store.capture, [CaptureOrder(twice)], now=NOW)


def test_the_same_time_in_another_zone_is_the_same_content(kit: StoreKit) -> None:
    order = order_of(bolt=1)
    kit.take_in(order)
    there = evolve(order, placed_at=order.placed_at.astimezone(timezone(timedelta(hours=5))))
    (outcome,) = kit.store.capture([CaptureOrder(there)], now=NOW)
    assert outcome.outcome == "duplicate"
    naive = evolve(order, revision=2, placed_at=order.placed_at.replace(tzinfo=None))
    raises(PayloadError, kit.store.capture, [CaptureOrder(naive)], now=NOW)
