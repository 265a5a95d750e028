"""A rule holds orders until a day; once that has passed they go on by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from domcore import Domcore, Settings
from domcore.settings import ActivationSettings
from domcore.testing.builder import World

Open = Callable[..., Any]
UNTIL = "until = 2026-01-06"


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens a world under holding rules: ``with shop(world, (stage, more), ...) as dom``."""

    @contextmanager
    def opened(world: World, *rules: tuple[str, str]) -> Iterator[Domcore]:
        folder = tmp_path / "rulesets" / "mine"
        folder.mkdir(parents=True, exist_ok=True)
        text = 'format = 1\nname = "mine"\nversion = "1.0.0"\n'
        for number, (stage, more) in enumerate(rules):
            text += f'[[rule]]\nid = "r{number}"\nwhen = "True"\n{more}\n'
            text += f'then = {{ hold = {{ stage = "{stage}" }} }}\n'
        (folder / "ruleset.toml").write_text(text, encoding="utf-8")
        url = "memory:" if request.param == "memory" else str(tmp_path / "dom.db")
        folders, active = (str(tmp_path / "rulesets"),), (ActivationSettings("mine"),)
        with world.open(Settings(store=url, rulesets=folders, activate=active)) as dom:
            for number in "12":
                dom.capture(world.order(number, A=1))
            yield dom
            assert list(dom.verify()) == []

    return opened


def a_world() -> World:
    return World().node("NYC", at=(40.7, -74.0)).item("A").stock("A", NYC=9)


def statuses(dom: Domcore) -> set[str]:
    return {dom.order(number).summary.status for number in "12"}


def holds(dom: Domcore) -> set[str]:
    return {hold.code for number in "12" for hold in dom.order(number).summary.holds}


def test_orders_stopped_before_routing_are_routed_after_the_end(shop: Open) -> None:
    world = a_world()
    with shop(world, ("route", UNTIL)) as dom:
        dom.work()
        world.clock.forward(hours=30)
        assert (dom.work().lifted, statuses(dom)) == (0, {"held"})
        world.clock.forward(hours=12)
        assert (dom.work().lifted, statuses(dom)) == (2, {"allocated"})
        assert dom.work().lifted == 0
        assert dom.store.order(dom.find("1")).approved == ()
        assert [e.by for e in dom.events() if e.kind == "order.rejudged"] == ["worker"] * 2


def test_work_that_waited_for_its_release_goes_on(shop: Open) -> None:
    world = a_world()
    with shop(world, ("release", UNTIL)) as dom:
        dom.work()
        assert {work.status for work in dom.order("1").fulfillment_orders} == {"on_hold"}
        world.clock.forward(days=2)
        assert dom.work().lifted == 2
        assert {work.status for work in dom.order("1").fulfillment_orders} == {"requested"}


def test_what_else_holds_an_order_goes_on_holding_it(shop: Open) -> None:
    world = a_world()
    with shop(world, ("release", UNTIL), ("release", "until = 2026-02-01")) as dom:
        dom.work()
        world.clock.forward(days=2)
        assert dom.work().lifted == 2
        assert holds(dom) == {"mine/r1"}
        dom.hold("1", code="odd", reason="looks odd")
        world.clock.forward(days=30)
        dom.work()
        assert holds(dom) == {"odd"}


def test_few_are_lifted_in_a_short_round_and_the_rest_in_the_next(shop: Open) -> None:
    world = a_world()
    with shop(world, ("route", UNTIL)) as dom:
        dom.work()
        world.clock.forward(days=2)
        assert [dom.work(limit=1).lifted for _ in range(3)] == [1, 1, 0]


def test_held_orders_are_looked_at_once_for_each_end(shop: Open, monkeypatch: Any) -> None:
    world = a_world()
    with shop(world, ("release", UNTIL), ("release", "")) as dom:
        dom.work()
        world.clock.forward(days=2)
        dom.work()
        monkeypatch.setattr(type(dom.store), "waiting", None)
        dom.work()
        monkeypatch.undo()
        assert holds(dom) == {"mine/r1"}
