"""Rules that read what went before, the work of nodes, and how long their goods last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domcore import Domcore, Settings
from domcore.model import Notice, OrderLine
from domcore.settings import ActivationSettings
from domcore.testing.builder import World

Open = Callable[..., Any]


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens a world under one rule: ``with shop(world, when, then) as dom``."""

    @contextmanager
    def opened(world: World, when: str, then: str = '"exclude"') -> Iterator[Domcore]:
        folder = tmp_path / "rulesets" / "mine"
        folder.mkdir(parents=True, exist_ok=True)
        text = 'format = 1\nname = "mine"\nversion = "1.0.0"\ncurrency = "USD"\n'
        text += f'[[rule]]\nid = "r"\nwhen = """{when}"""\nthen = {then}\n'
        (folder / "ruleset.toml").write_text(text, encoding="utf-8")
        url = "memory:" if request.param == "memory" else str(tmp_path / "dom.db")
        folders, active = (str(tmp_path / "rulesets"),), (ActivationSettings("mine"),)
        with world.open(Settings(store=url, rulesets=folders, activate=active)) as dom:
            yield dom
            assert list(dom.verify()) == []
            for order in dom.orders(limit=100):
                for decision in dom.store.decisions(order.order_id):
                    told = dom.explain(f"id:{order.order_id}", decision=decision.sequence)
                    assert told.replayed

    return opened


def coasts() -> World:
    return (
        World()
        .node("NYC", at=(40.7, -74.0))
        .node("LAX", at=(34.0, -118.2))
        .item("A")
        .stock("A", NYC=50, LAX=50)
    )


def sources(dom: Domcore, *orders: str) -> list[str]:
    return ["".join(dom.order(order).summary.nodes) for order in orders]


def test_orders_of_one_batch_see_the_work_of_each_other(shop: Open) -> None:
    world = coasts()
    with shop(world, "candidate.open_orders >= 2") as dom:
        dom.capture_all([world.order(str(number), A=1) for number in range(5)])
        dom.route()
        assert sources(dom, *"01234") == ["NYC", "NYC", "LAX", "LAX", ""]
        (first, *_) = dom.order("0").fulfillment_orders
        dom.record(Notice(first.id, "shipped", world.clock()))
        world.clock.forward(minutes=61)
        dom.route()
        assert sources(dom, "4") == ["NYC"]


def test_open_units_count_the_units_of_that_work(shop: Open) -> None:
    world = coasts()
    with shop(world, "candidate.open_units > 4") as dom:
        dom.capture_all([world.order(str(number), A=5) for number in range(3)])
        dom.route()
        assert sources(dom, *"012") == ["NYC", "LAX", ""]


def test_days_of_cover_are_what_is_there_by_what_leaves_a_day(shop: Open) -> None:
    world = coasts()
    with shop(world, "candidate.days_of_cover < 40") as dom:
        dom.capture(world.order("0", A=28))
        dom.route()
        dom.capture(world.order("1", A=1))
        dom.route()
        assert sources(dom, "0", "1") == ["NYC", "NYC"]
        (work,) = dom.order("0").fulfillment_orders
        dom.record(Notice(work.id, "shipped", world.clock()))
        world.clock.forward(minutes=1)
        dom.capture(world.order("2", A=1))
        dom.route()
        assert sources(dom, "2") == ["LAX"]
        world.clock.forward(days=29)
        dom.capture(world.order("3", A=1))
        dom.route()
        assert sources(dom, "3") == ["NYC"]


def test_promises_are_read(shop: Open) -> None:
    world = coasts()
    with shop(world, "hours_until(order.ship_by) < 12 and node.id == 'NYC'") as dom:
        soon, later = (world.clock() + timedelta(hours=hours) for hours in (3, 30))
        dom.capture_all([world.order("1", A=1, ship_by=soon), world.order("2", A=1)])
        dom.capture(world.order("3", A=1, ship_by=later))
        dom.route()
        assert sources(dom, "1", "2", "3") == ["LAX", "NYC", "NYC"]


def test_what_went_before_is_read(shop: Open) -> None:
    world = coasts()
    hold = '{ hold = { stage = "route" } }'
    with shop(world, "order.rejections > 0 and order.attempts == 1", hold) as dom:
        dom.capture(world.order("1", A=1))
        assert dom.route().held == 0
        (work,) = dom.order("1").fulfillment_orders
        dom.record(Notice(work.id, "rejected", world.clock(), reason="closed"))
        assert dom.route().held == 1


def test_another_node_may_have_its_price(shop: Open) -> None:
    world = coasts().item("B").stock("B", LAX=5)
    dearer = '{ cost = { amount = "500.00", per = "parcel" } }'
    with shop(world, "order.nodes == 1 and not candidate.ships_already", dearer) as dom:
        order = world.order("1", B=1)
        dom.capture(order)
        dom.route()
        more = (*order.lines, OrderLine("more", "A", 1, price=1_000_000))
        dom.capture(evolve(order, revision=2, lines=more))
        dom.route()
        assert sources(dom, "1") == ["LAX"]


def test_nothing_is_looked_up_where_no_rule_reads_it(shop: Open, monkeypatch: Any) -> None:
    world = coasts()
    with shop(world, "node.id == 'NYC'") as dom:
        for name in ("backlog", "shipped_since"):
            monkeypatch.setattr(type(dom.store), name, None)
        dom.capture(world.order("1", A=1))
        dom.route()
        assert sources(dom, "1") == ["LAX"]
        monkeypatch.undo()
