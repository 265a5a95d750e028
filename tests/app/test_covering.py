"""Days of cover: an event when stock runs low, when there is far too much, and when all is well."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domcore import Domcore, Settings
from domcore.covering import check_cover, state_of
from domcore.model import Item, Notice, ObserveStock, StockCount
from domcore.settings import StockSettings
from domcore.store.protocol import Covered
from domcore.testing.builder import World

STOCK = StockSettings(low_days=7, over_days=60, demand_days=28)


class Shop:
    """A shop of one node, and the events of cover it has had."""

    def __init__(self, url: str) -> None:
        self.world = World().node("NYC", at=(40.71, -74.0), connector="fake")
        self.world.item("MUG").item("POT").stock("MUG", NYC=100).stock("POT", NYC=10)
        self.clock = self.world.clock
        self.dom: Domcore = self.world.open(Settings(store=url, stock=STOCK))
        self.orders = self.seen = 0

    def sell(self, units: int, sku: str = "MUG") -> None:
        self.orders += 1
        number = f"o{self.orders}"
        self.dom.capture(self.world.order(number, lines={sku: units}))
        assert self.dom.route().routed == 1
        work = self.dom.order(f"web/{number}").fulfillment_orders[0]
        now = round(self.clock().timestamp() * 1_000_000)
        self.dom.store.record(Notice(work.id, "shipped", self.clock()), now=now)

    def count(self, units: int, sku: str = "MUG") -> None:
        told = StockCount(sku, "NYC", on_hand=units)
        self.dom.observe(ObserveStock("main", (told,)))

    def check(self) -> list[tuple[str, dict[str, Any]]]:
        """What a look finds; it counts its events right."""
        written = check_cover(self.dom)
        events = self.dom.events(after=self.seen)
        self.seen = events[-1].seq if events else self.seen
        news = [
            (event.kind, event.body)
            for event in events
            if event.kind in ("stock.low", "stock.over", "stock.steady")
        ]
        assert written == len(news)
        return news


@pytest.fixture(params=["memory:", "file"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    made = Shop("memory:" if request.param == "memory:" else str(tmp_path / "dom.db"))
    yield made
    assert list(made.dom.verify()) == []
    made.dom.close()


def test_stock_that_runs_low_is_told_once(shop: Shop) -> None:
    shop.clock.forward(days=1)
    shop.sell(85)
    ((kind, body),) = shop.check()
    assert kind == "stock.low"
    assert {name: body[name] for name in ("owner", "sku", "node", "available")} == {
        "owner": "main", "sku": "MUG", "node": "NYC", "available": 15,
    }  # fmt: skip
    assert (body["per_day"], body["days"]) == ("3.035714", 4)
    assert shop.check() == []
    shop.sell(1)
    assert shop.check() == []


def test_it_is_told_when_it_is_well_again_and_when_it_is_low_again(shop: Shop) -> None:
    shop.sell(85)
    assert [kind for kind, _ in shop.check()] == ["stock.low"]
    shop.count(60)
    assert [kind for kind, _ in shop.check()] == ["stock.steady"]
    shop.count(5)
    assert [kind for kind, _ in shop.check()] == ["stock.low"]


def test_stock_without_demand_is_never_low_and_over_when_it_has_lain_long(shop: Shop) -> None:
    assert shop.check() == []
    shop.clock.forward(days=29)
    assert [(kind, body["sku"], body["days"]) for kind, body in shop.check()] == [
        ("stock.over", "MUG", None), ("stock.over", "POT", None),
    ]  # fmt: skip
    shop.count(0, "POT")
    assert [(kind, body["sku"]) for kind, body in shop.check()] == [("stock.steady", "POT")]


def test_far_more_than_is_sold_is_over(shop: Shop) -> None:
    shop.sell(4)
    ((kind, body),) = shop.check()
    assert (kind, body["sku"], body["days"]) == ("stock.over", "MUG", 672)
    shop.count(0)
    assert [kind for kind, _ in shop.check()] == ["stock.low"]


def test_old_demand_is_forgotten(shop: Shop) -> None:
    shop.sell(85)
    shop.check()
    shop.clock.forward(days=27)
    assert shop.check() == []
    shop.clock.forward(days=2)
    assert {body["sku"]: kind for kind, body in shop.check()} == {
        "MUG": "stock.over", "POT": "stock.over",
    }  # fmt: skip


def test_switched_off_it_says_nothing_and_forgets(shop: Shop) -> None:
    shop.sell(85)
    shop.check()
    shop.dom.settings = evolve(shop.dom.settings, stock=StockSettings())
    assert [kind for kind, _ in shop.check()] == ["stock.steady"]
    assert shop.check() == []


def covered(available: int, shipped: int, **more: Any) -> Covered:
    fields = {"tried": True, "counted": True, "state": ""} | more
    return Covered((1, 1), "main", "MUG", "NYC", available, shipped, **fields)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 400), st.integers(0, 400),
       st.integers(1, 400))  # fmt: skip
def test_the_state_is_that_of_the_days(
    available: int, shipped: int, low: int, over: int, days: int
) -> None:
    state = state_of(covered(available, shipped), StockSettings(low, over, days))
    if not shipped:
        assert state == ("over" if over and available else "steady")
        return
    lasting = available * days / shipped
    assert state != "low" or (low and lasting < low)
    assert state != "over" or (over and lasting > over)
    if state == "steady":
        assert not low or lasting >= low


def test_what_was_never_counted_or_has_just_come_is_not_over() -> None:
    assert state_of(covered(9, 0, counted=False), STOCK) == "steady"
    assert state_of(covered(9, 0, tried=False), STOCK) == "steady"


def test_many_positions_are_checked_in_bounded_memory(tmp_path: Path) -> None:
    world = World().node("NYC", at=(40.71, -74.0))
    settings = Settings(store=str(tmp_path / "dom.db"), stock=STOCK, synchronous="NORMAL")
    with world.open(settings) as dom:
        dom.load_items(Item(f"S{number:05}") for number in range(20_000))
        for start in range(0, 20_000, 2000):
            some = range(start, start + 2000)
            shelf = tuple(StockCount(f"S{number:05}", "NYC", on_hand=3) for number in some)
            dom.observe(ObserveStock("main", shelf))
        world.clock.forward(days=40)
        tracemalloc.start()
        assert check_cover(dom) == 20_000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8_000_000
        assert check_cover(dom) == 0
