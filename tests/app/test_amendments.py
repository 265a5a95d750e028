"""Edits, refunds and cancellations, in any order, while orders are routed and handed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve

from domcore import ConfigurationError, ConflictError, DomcoreError, PayloadError, Settings
from domcore.model import AmendOrder, CancelOrder, CaptureOrder, OrderLine
from domcore.model.clock import to_micros
from domcore.testing.builder import World
from domcore.testing.store_suite.histories import a_history

HOUR = 3_600_000_000


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World("EUR")
    made.node("NYC", at=(40.7, -74.0), connector="fake").node("LAX", at=(34.0, -118.2))
    for sku in ("bolt", "nut", "saw"):
        made.item(sku).stock(sku, NYC=6, LAX=9)
    store = "memory:" if request.param == "memory" else str(tmp_path / "shop.db")
    made.dom = made.open(Settings(store=store, owners={"main": "EUR"}, engine="python"))
    yield made
    made.dom.close()


def refund(name: str, revision: int, units: int, line: str = "1-1") -> AmendOrder:
    return AmendOrder("main", "web", "1", name, revision, ((line, units),), "damaged in transit")


def test_a_refund_frees_what_has_not_left(world: World) -> None:
    dom = world.dom
    dom.capture(world.order("1", bolt=4))
    dom.route()
    assert dom.amend(refund("r1", 2, 3)).outcome == "amended"
    assert dom.apply([refund("r1", 2, 3)])[0].outcome == "duplicate"
    view = dom.order("1")
    assert (view.summary.buckets, view.order.lines[0].quantity) == ((0, 1, 0, 0), 1)
    told = dom.events()[-1]
    assert told.kind == "order.amended"
    assert told.body == {
        "format": 1, "revision": 2, "freed": 3, "amendment": "r1", "reason": "damaged in transit",
        "lines": [["1-1", "bolt", 4, 1]], "requested": 0, "elsewhere": False,
    }  # fmt: skip
    assert list(dom.verify()) == []


def test_a_decision_is_explained_by_the_revision_it_was_made_for(world: World) -> None:
    dom = world.dom
    dom.capture(world.order("1", bolt=4))
    dom.route()
    dom.amend(refund("r1", 1 << 40, 3))
    assert "1" in dom.explain("1").to_text()
    assert list(dom.verify()) == []


def test_an_owner_nobody_configured_is_refused(world: World) -> None:
    with pytest.raises(ConfigurationError):
        world.dom.amend(evolve(refund("r1", 2, 3), owner="nobody"))
    with pytest.raises(PayloadError, match=r"lines\[0\]"):
        world.dom.amend(refund("r1", 2, -3))
    world.dom.amend(refund("r1", 2, 3))
    with pytest.raises(ConflictError):
        world.dom.amend(refund("r1", 2, 1))


def test_whatever_is_told_and_done_in_whatever_order_the_books_are_right(world: World) -> None:
    random = Random(5)
    dom, done = world.dom, 0
    for number in range(25):
        told = a_history(random).shuffled(random, str(number))
        for command in told:
            world.clock.forward(seconds=random.randint(1, 90))
            _work(world, random, str(number))
            try:
                dom.apply([command])
                done += 1
            except DomcoreError:
                pytest.fail(f"{command} was refused")
    assert [str(violation) for violation in dom.verify()] == []
    assert done > 100


def _work(world: World, random: Random, reference: str) -> None:
    dom, now = world.dom, to_micros(world.clock())
    choice = random.random()
    known = dom.store.find_order(f"web/{reference}")
    if choice < 0.3:
        dom.route()
    elif choice < 0.45 and known:
        dom.reserve(f"web/{reference}", minutes=1)
    elif choice < 0.55 and known:
        dom.keep(f"web/{reference}")
    elif choice < 0.6 and known:
        dom.free(f"web/{reference}")
    elif choice < 0.7:
        dom.store.lease_due("release", now=now, until=now + HOUR, limit=3)
    elif choice < 0.8:
        dom.store.expire(now=now, limit=99)


# --- times -------------------------------------------------------------------------------------


def test_promised_times_are_kept_in_utc(world: World) -> None:
    dom = world.dom
    there = timezone(timedelta(hours=-5))
    order = world.order("1", bolt=1)
    by = evolve(order, ship_by=datetime(2026, 1, 6, 9, tzinfo=there))
    dom.capture(by)
    same = evolve(order, ship_by=datetime(2026, 1, 6, 14, tzinfo=UTC))
    assert dom.capture(same).outcome == "duplicate"
    kept = dom.order("1").order
    assert kept.ship_by == datetime(2026, 1, 6, 14, tzinfo=UTC)
    assert kept.ship_by is not None
    assert kept.ship_by.tzinfo is UTC


@pytest.mark.parametrize("name", ["placed_at", "ship_by", "deliver_by"])
@pytest.mark.parametrize("value", [datetime(2026, 1, 6), "2026-01-06", 7, datetime.max])
def test_a_time_without_a_zone_is_refused(world: World, name: str, value: Any) -> None:
    changes: dict[str, Any] = {name: value}
    with pytest.raises(PayloadError, match=name):
        world.dom.capture(evolve(world.order("1", bolt=1), **changes))
    assert world.dom.orders() == []


def test_the_end_of_time_is_refused_in_words(world: World) -> None:
    late = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
    with pytest.raises(PayloadError, match="deliver_by"):
        world.dom.capture(evolve(world.order("1", bolt=1), deliver_by=late))


def test_every_command_of_one_delivery_is_carried_out(world: World) -> None:
    dom = world.dom
    order = evolve(world.order("1"), lines=(OrderLine("1-1", "bolt", 5, 1),))
    words = dom.apply(
        [
            refund("r1", 5, 1),
            CaptureOrder(order),
            refund("r2", 5, 1),
            CancelOrder("main", "web", "1", 6),
            refund("r3", 7, 1),
        ]
    )
    assert [word.outcome for word in words] == [
        "recorded", "captured", "amended", "cancelled", "amended",
    ]  # fmt: skip
    assert dom.order("1").summary.buckets == (0, 0, 0, 2)
    assert list(dom.verify()) == []
