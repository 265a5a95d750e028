"""Laws of stock: units are conserved, and what happened decides, not when it was told."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.model import ObserveStock, StockCount
from domcore.store import open_store
from domcore.testing.store_suite.kit import MINUTE, NOW, START, StoreKit, order_of
from domcore.testing.store_suite.stock import (
    EAST,
    LATER,
    assert_conserved,
    promised,
    shelf,
    ship,
    tell,
)
from domcore.verify import verify

STORES = pytest.mark.parametrize("engine", ["memory", "sqlite"])


class Opened:
    """A kit in a place of its own, for one example."""

    def __init__(self, engine: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "store.db"
        self.kit = StoreKit(open_store("memory:" if engine == "memory" else path))

    def __enter__(self) -> StoreKit:
        return self.kit

    def __exit__(self, *_: object) -> None:
        self.kit.store.close()
        self._folder.cleanup()


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """``(what, minute, units)`` in the order it is told; there are always goods enough."""
    minutes = draw(st.lists(st.integers(1, 50), min_size=2, max_size=8, unique=True))
    steps = [("ship", minutes[0], draw(st.integers(1, 5)))]
    for minute in minutes[1:]:
        what = draw(st.sampled_from(("count", "delta")))
        low, high = (50, 90) if what == "count" else (-4, 9)
        steps.append((what, minute, draw(st.integers(low, high))))
    return list(draw(st.permutations(steps)))


@STORES
@settings(max_examples=40, deadline=None)
@given(told=histories())
def test_a_shelf_holds_the_last_count_and_what_moved_after_it(
    engine: str, told: Sequence[tuple[str, int, int]]
) -> None:
    with Opened(engine) as kit:
        tell(kit, on_hand=100, minutes=0)
        units = next(units for what, _, units in told if what == "ship")
        order_id = promised(kit, EAST, units)
        for what, minute, amount in told:
            if what == "ship":
                ship(kit, order_id, minute)
            elif what == "count":
                tell(kit, on_hand=amount, minutes=minute)
            else:
                tell(kit, delta=amount, minutes=minute, key=f"d{minute}")
        counted, expected = max(
            [(0, 100), *((minute, amount) for what, minute, amount in told if what == "count")]
        )
        for what, minute, amount in told:
            if what != "count" and minute > counted:
                expected += amount if what == "delta" else -amount
        assert shelf(kit) == (expected, 0, 0, 0)
        assert_conserved(kit.store)


NEWS = st.fixed_dictionaries(
    {},
    optional={
        "on_hand": st.integers(0, 12),
        "delta": st.integers(-12, 12),
        "safety": st.integers(0, 4),
        "blocked": st.integers(0, 6),
        "minutes": st.integers(0, 30),
    },
).filter(
    lambda told: (
        told.keys() & {"on_hand", "delta", "safety", "blocked"}
        and not told.keys() >= {"on_hand", "delta"}
        and told.get("blocked", 0) <= told.get("on_hand", 99)
    )
)


@STORES
@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(NEWS, st.integers(1, 4), st.just("hand over"), st.just("repeat")), max_size=14
    )
)
def test_no_news_of_stock_ever_loses_a_unit_or_breaks_a_promise(
    engine: str, steps: Sequence[Any]
) -> None:
    """Promises that are handed over are kept, the others give way, and nothing is negative."""
    with Opened(engine) as kit:
        last: ObserveStock | None = None
        for number, step in enumerate(steps):
            if step == "hand over":
                kit.hand_over()
            elif step == "repeat":
                if last is not None:
                    before = shelf(kit)
                    again = kit.store.observe_stock(last, now=NOW + LATER)
                    assert (again.outcome, shelf(kit)) == ("duplicate", before)
            elif isinstance(step, int):
                on_hand, reserved, blocked, safety = shelf(kit)
                if on_hand - reserved - blocked - safety >= step:
                    kit.route(kit.take_in(order_of(str(number), bolt=step)), "east")
            else:
                told = dict(step)
                minutes = told.pop("minutes", None)
                as_of = None if minutes is None else START + timedelta(minutes=minutes)
                count = StockCount(*EAST, as_of=as_of, **told)
                last = ObserveStock("main", (count,), f"k{number}")
                kit.store.observe_stock(last, now=NOW + LATER)
            assert_conserved(kit.store)
        broken = {each.invariant for each in verify(kit.store)}
        assert not broken & {"I1", "I2", "I3", "I6"}


@STORES
@settings(max_examples=30, deadline=None)
@given(news=st.lists(st.tuples(st.sampled_from(("bolt", "nut")), NEWS), max_size=12))
def test_one_command_does_what_its_counts_do_one_by_one(
    engine: str, news: Sequence[tuple[str, dict[str, int]]]
) -> None:
    def count(sku: str, told: dict[str, int]) -> StockCount:
        told = dict(told)
        as_of = START + timedelta(minutes=told.pop("minutes", 45))
        return StockCount(sku, "east", as_of=as_of, **told)

    counts = tuple(count(*each) for each in news)
    now = NOW + 50 * MINUTE
    with Opened(engine) as together, Opened(engine) as apart:
        for kit in (together, apart):
            kit.count("bolt", "east", 5)
        together.store.observe_stock(ObserveStock("main", counts), now=now)
        for each in counts:
            apart.store.observe_stock(ObserveStock("main", (each,)), now=now)
        tables = [
            [list(kit.store.audit(table)) for table in ("stock", "ledger")]
            for kit in (together, apart)
        ]
        assert tables[0][0] == tables[1][0]
        assert sorted(row[1:] for row in tables[0][1]) == sorted(row[1:] for row in tables[1][1])
