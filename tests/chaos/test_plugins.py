"""Plugins that misbehave in every way: no order is stuck, others flow, and the plugin is named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from domcore import Domcore, hookimpl
from domcore.model import Allocation, Hold, Order, Plan
from domcore.testing.builder import World

Hook = Callable[..., Any]

PLANNING = ("gather_facts", "judge", "make_plan", "review_plan")
REGISTERING = (
    "register_channels",
    "register_rulesets",
    "register_rule_engines",
    "register_facts",
    "register_geocoders",
)
GARBAGE = (
    17, "words", b"bytes", [None], [object()], {"x": 1}, {"NYC": {"node.rude.x": object()}},
    float("nan"), [[[]]], lambda: None, Plan, Exception("returned, not raised"),
)  # fmt: skip

ARGUMENTS = {
    "prepare": ("orders", "context"),
    "gather_facts": ("order", "candidates", "context"),
    "judge": ("order", "candidates", "facts", "context"),
    "make_plan": ("order", "candidates", "policy", "context"),
    "review_plan": ("order", "plan", "context"),
    "handle_event": ("event", "dom"),
    **dict.fromkeys(REGISTERING, ("dom",)),
}


def plugin(hook: str, answer: Hook) -> object:
    """A plugin with one hook, which answers with what `answer` makes of its arguments."""
    names = ARGUMENTS[hook]
    scope: dict[str, Any] = {"answer": answer}
    exec(f"def {hook}(self, {', '.join(names)}): return answer({', '.join(names)})", scope)
    return type("Rude", (), {hook: hookimpl(scope[hook])})()


def raising(error: BaseException) -> Hook:
    def answer(*_: Any) -> Any:
        raise error

    return answer


def shop(world: World, rude: object) -> Domcore:
    dom = world.open(plugins={"rude": rude})
    dom.capture_all(world.order(str(number), MUG=1) for number in range(5))
    return dom


def assert_everything_flows(dom: Domcore) -> None:
    report = dom.route()
    assert report.orders == 5
    assert report.failed == 0, report.errors
    for _ in range(2):
        for summary in dom.orders():
            if summary.holds:
                dom.approve(f"web/{summary.external_id}", by="a person")
        dom.route()
    assert {summary.status for summary in dom.orders()} == {"allocated"}
    assert list(dom.verify()) == []


def failures(dom: Domcore) -> int:
    (status,) = [each for each in dom.plugins.status() if each.name == "rude"]
    return status.failures


@pytest.fixture
def world() -> World:
    return World().node("NYC", at=(40.7, -74.0)).item("MUG", weight=300).stock("MUG", NYC=50)


@pytest.mark.parametrize("hook", PLANNING)
@pytest.mark.parametrize(
    "error", [RuntimeError("no"), SystemExit(3), RecursionError(), MemoryError(), GeneratorExit()]
)
def test_a_planning_hook_that_raises_stops_no_order(
    hook: str, error: BaseException, world: World
) -> None:
    with shop(world, plugin(hook, raising(error))) as dom:
        assert_everything_flows(dom)
        assert failures(dom) >= 5


@pytest.mark.parametrize("hook", PLANNING)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_planning_hook_that_returns_garbage_stops_no_order(
    hook: str, garbage: object, world: World
) -> None:
    with shop(world, plugin(hook, lambda *_: garbage)) as dom:
        assert_everything_flows(dom)
        assert failures(dom) >= 5


@pytest.mark.parametrize(
    "answer",
    [raising(each) for each in (RuntimeError("no"), SystemExit(3), MemoryError(), GeneratorExit())]
    + [lambda *_, each=each: each for each in GARBAGE],
)
def test_a_prepare_that_misbehaves_stops_no_order(answer: Hook, world: World) -> None:
    """It is called once for a batch, so it fails once for all of its orders."""
    with shop(world, plugin("prepare", answer)) as dom:
        assert_everything_flows(dom)
        assert failures(dom) >= 1


@pytest.mark.parametrize("hook", REGISTERING)
@pytest.mark.parametrize(
    "answer",
    [raising(RuntimeError("no")), raising(SystemExit(3)), *(lambda *_, g=g: g for g in GARBAGE)],
)
def test_a_registering_hook_that_misbehaves_stops_no_order(
    hook: str, answer: Hook, world: World
) -> None:
    with shop(world, plugin(hook, answer)) as dom:
        dom.channels()
        dom.packs()
        assert_everything_flows(dom)


def test_a_plugin_that_judges_badly_makes_a_person_look(world: World) -> None:
    with shop(world, plugin("judge", raising(RuntimeError("no")))) as dom:
        report = dom.route()
        assert report.held == 5
        (hold,) = dom.orders()[0].holds
        assert "rude" in hold.reason


def test_a_plan_that_breaks_the_rules_of_stock_is_refused_and_named(world: World) -> None:
    def too_much(order: Order, candidates: Any, policy: Any, context: Any) -> Plan:
        line = order.lines[0]
        return Plan((Allocation(line.id, line.sku, "NYC", 1_000),))

    with shop(world, plugin("make_plan", too_much)) as dom:
        assert_everything_flows(dom)
        assert failures(dom) >= 5


@pytest.mark.parametrize("hook", PLANNING)
def test_a_plugin_cannot_change_what_it_is_given(hook: str, world: World) -> None:
    tried: list[str] = []

    def vandal(*arguments: Any) -> Any:
        for each in arguments:
            for name in ("owner", "lines", "seed", "nodes", "allocations", "tags"):
                try:
                    setattr(each, name, None)
                    tried.append(f"changed {name}")
                except (AttributeError, TypeError):
                    tried.append("refused")
            if isinstance(each, Mapping):
                try:
                    each["NYC"] = None  # type: ignore[index]
                except TypeError:
                    tried.append("refused")

    with shop(world, plugin(hook, vandal)) as dom:
        before = dom.order("web/0").order
        assert_everything_flows(dom)
        assert dom.order("web/0").order == before
    assert set(tried) == {"refused"}


@pytest.mark.parametrize("answer", [raising(RuntimeError("no")), raising(SystemExit(1))])
def test_an_event_handler_that_raises_is_reported_and_asked_again(
    answer: Hook, world: World
) -> None:
    with shop(world, plugin("handle_event", answer)) as dom:
        first = dom.work()
        world.clock.forward(minutes=1)
        again = dom.work()
        assert all(any(each.startswith("1:") for each in r.failures) for r in (first, again))
        assert "rude" in first.failures[0]
        assert first.events == 10, "the built-in handler got them all"
        assert {summary.status for summary in dom.orders()} == {"allocated"}
        assert list(dom.verify()) == []


def test_a_plugin_that_cannot_be_imported_is_switched_off_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    bodies = {
        "broken_import": "raise RuntimeError('no luck today')",
        "broken_exit": "raise SystemExit(4)",
        "broken_syntax": "def (:",
        "broken_hook": "from domcore import hookimpl\n@hookimpl\ndef no_such_hook(): pass",
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}.py").write_text(body, encoding="utf-8")
    entries = [metadata.EntryPoint(name, name, "domcore") for name in bodies]
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(metadata, "entry_points", lambda group: entries)
    dom = world.open(load_plugins=True)
    broken = {status.name: status.error for status in dom.plugins.status() if status.error}
    assert broken.keys() == bodies.keys()
    assert "no luck today" in broken["broken_import"]
    levels = {each.subject: each.level for each in dom.doctor()}
    assert all(levels[f"plugin {name}"] == "fail" for name in bodies)
    dom.capture_all(world.order(str(number), MUG=1) for number in range(5))
    assert_everything_flows(dom)
    dom.close()
    for name in bodies:
        sys.modules.pop(name, None)


def test_one_rude_plugin_takes_no_polite_one_down(world: World) -> None:
    class Polite:
        @hookimpl
        def review_plan(self, order: Order) -> list[Hold]:
            return [Hold("polite/look", "please look")] if order.number == "#3" else []

    rude = plugin("review_plan", raising(SystemExit("bye")))
    dom = world.open(plugins={"rude": rude, "polite": Polite()})
    dom.capture_all(world.order(str(number), MUG=1) for number in range(5))
    dom.route()
    codes = {hold.code for hold in dom.order("web/3").summary.holds}
    assert "polite/look" in codes
    assert list(dom.verify()) == []
    dom.close()
