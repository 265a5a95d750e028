"""Plugins that answer with the right class and nonsense in it: the order is never stuck, no other
is stopped, and nothing that makes no sense is stored."""

from __future__ import annotations

from typing import Any

import pytest

from domcore import Domcore, Settings, hookimpl
from domcore.model import Allocation, Directive, Hold, Order, Parcel, Plan
from domcore.testing.builder import World

NONSENSE = object()

DIRECTIVES = (
    Directive("rude/x", "explode"),
    Directive("rude/x", "exclude", nodes=("MARS",)),
    Directive("rude/x", "exclude", nodes="NYC"),
    Directive("rude/x", "exclude", lines=("none",)),
    Directive("rude/x", "exclude", nodes=("NYC",), rank="high"),
    Directive("rude/x", "exclude", nodes=("NYC",), reason=NONSENSE),
    Directive("rude/x", "exclude", nodes=("NYC",), reason="\ud800"),
    Directive(None, "exclude", nodes=17),
    Directive("rude/x", "cost", arguments={}),
    Directive("rude/x", "cost", arguments={"amount": "much", "per": "mood"}),
    Directive("rude/x", "cost", arguments={"amount": -(10**15), "per": "parcel"}),
    Directive("rude/x", "cost", arguments={"amount": 10**30, "per": "parcel"}),
    Directive("rude/x", "hold", arguments={"stage": "never"}),
    Directive("rude/x", "protect", arguments={"quantity": -5}),
    Directive("rude/x", "protect", arguments={"quantity": "x"}),
    Directive("rude/x", "split", arguments={"max_nodes": 0}),
)  # fmt: skip

HOLDS = (
    Hold("x", "y", stage="never"),
    Hold("x", "y", stage="route"),
    Hold(None, None),
    Hold("x", NONSENSE),
    Hold("x", "\ud800"),
)

PLANS = (
    Plan(None),
    Plan(("x",)),
    Plan((Allocation("?", "?", "?", 1),)),
    Plan((Allocation("1", "MUG", None, 1),)),
    Plan((Allocation("1", "MUG", "NYC", 1.0),)),
    Plan((Allocation("1", "MUG", "NYC", -1),)),
    Plan((Allocation("1", "MUG", "NYC", 1),), parcels=("x",)),
    Plan((Allocation("1", "MUG", "NYC", 1),), parcels=(Parcel("NYC", None, 0, 0, ()),)),
)


class Rude:
    """Answers at the hooks that decide."""

    def __init__(self, directive: Any = None, hold: Any = None, plan: Any = None) -> None:
        self._directive, self._hold, self._plan = directive, hold, plan

    @hookimpl
    def judge(self, order: Order) -> Any:
        return [self._directive] if self._directive else []

    @hookimpl
    def review_plan(self, plan: Plan) -> Any:
        return [self._hold] if self._hold else []

    @hookimpl
    def make_plan(self, order: Order) -> Any:
        return self._plan


def store_url(kind: str, tmp_path: Any) -> str:
    return "memory:" if kind == "memory" else str(tmp_path / "shop.db")


def settle(rude: Rude, kind: str, tmp_path: Any) -> Domcore:
    """Route, let a person approve what is held, and route again."""
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG", weight=300).stock("MUG", NYC=50)
    settings = Settings(store=store_url(kind, tmp_path), engine="python")
    dom = world.open(settings, plugins={"rude": rude})
    dom.capture_all(world.order(str(number), MUG=1) for number in range(3))
    for _ in range(3):
        report = dom.route()
        assert report.failed == 0, report.errors
        for summary in dom.orders():
            if summary.holds:
                dom.approve(f"web/{summary.external_id}", by="a person")
    assert [str(violation) for violation in dom.verify()] == []
    return dom


def statuses(dom: Domcore) -> set[str]:
    with dom:
        return {summary.status for summary in dom.orders()}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("directive", DIRECTIVES)
def test_a_directive_of_nonsense_leaves_no_order_stuck(
    directive: Directive, kind: str, tmp_path: Any
) -> None:
    # One that means something after all may well leave the order short, and say why.
    assert statuses(settle(Rude(directive=directive), kind, tmp_path)) <= {"allocated", "short"}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("hold", HOLDS)
def test_a_hold_of_nonsense_leaves_no_order_stuck(hold: Hold, kind: str, tmp_path: Any) -> None:
    assert statuses(settle(Rude(hold=hold), kind, tmp_path)) == {"allocated"}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_of_nonsense_leaves_no_order_stuck(plan: Plan, kind: str, tmp_path: Any) -> None:
    assert statuses(settle(Rude(plan=plan), kind, tmp_path)) == {"allocated"}
