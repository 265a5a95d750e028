"""Forward chaining: engine tests run stage by stage, and derived facts become known between.

A stage matches loop bodies, then the order, then each line; then the facts of its level are
settled from what has fired. A stage whose facts help each other is run again until nothing new
fires: the round after `ROUNDS` must find everything complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from domcore.model.policy import Hold
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.layers import CompiledRule
from domcore.rules.lowering import StageTests, TestSet, flat_line, flat_order
from domcore.rules.readers import Sitting
from domcore.rules.scopes import Guard

ROUNDS: Final = 8
CONFLICT: Final = "domcore/rule-conflict"
ENDLESS: Final = "domcore/rule-rounds"


@frozen(slots=True)
class Assignment:
    """A rule that may set a fact to a value, and the test that says whether it does."""

    rule: CompiledRule
    fact: str
    value: Any
    guard: Guard | None


@frozen(slots=True)
class Probe:
    """A compiled test set: the engine's matcher and the fields its facts are made of."""

    match: Callable[[Sequence[Mapping[str, Any]]], list[int]]
    close: Callable[[], None]
    of_order: list[tuple[str, Any]]
    of_line: list[tuple[str, Any]]


@frozen(slots=True)
class Stage:
    """What runs at one level of chaining."""

    bodies: Probe | None
    loops: tuple[tuple[str, str, int], ...]
    order: Probe | None
    line: Probe | None
    assignments: tuple[Assignment, ...]
    recursive: bool


class Firing:
    """What has fired so far: per stage the order's tests and each line's, as bit masks."""

    __slots__ = ("line_hits", "order_hits", "set_by", "sitting")

    def __init__(self, sitting: Sitting, stages: int) -> None:
        lines = len(sitting.lines)
        self.sitting = sitting
        self.order_hits = [0] * stages
        self.line_hits = [[0] * lines for _ in range(stages)]
        self.set_by: dict[tuple[str, int], list[Assignment]] = {}


def build_stage(
    tests: StageTests,
    engine: RuleEngine,
    assignments: Sequence[Assignment],
    *,
    recursive: bool,
) -> Stage:
    """Compile one stage's tests."""
    return Stage(
        bodies=_probe(tests.bodies, engine),
        loops=tuple((name, loop.kind, bit) for loop, (name, bit) in tests.loops.items()),
        order=_probe(tests.order, engine),
        line=_probe(tests.line, engine),
        assignments=tuple(assignments),
        recursive=recursive,
    )


def run_stages(stages: Sequence[Stage], firing: Firing, active: int) -> list[Hold]:
    """Run every stage; returns the holds that chaining itself asks for."""
    holds: list[Hold] = []
    for number, stage in enumerate(stages):
        _run(stage, number, firing)
        if not stage.assignments:
            continue
        new = _settle(stage, firing, active)
        rounds = 1
        while stage.recursive and new:
            if rounds > ROUNDS:
                names = ", ".join(sorted({found.rule.address for found in new}))
                holds.append(Hold(ENDLESS, f"after {ROUNDS} rounds still firing: {names}", "route"))
                break
            _run(stage, number, firing)
            new = _settle(stage, firing, active)
            rounds += 1
    conflicts = _conflicts(firing)
    if conflicts:
        holds.append(Hold(CONFLICT, "; ".join(conflicts), "route"))
    return holds


def _probe(tests: TestSet, engine: RuleEngine) -> Probe | None:
    if not tests.tests:
        return None
    matcher = tests.compile(engine)
    return Probe(matcher.match, matcher.close, tests.of("order"), tests.of("line"))


def _run(stage: Stage, number: int, firing: Firing) -> None:
    sitting = firing.sitting
    lines = range(len(sitting.lines))
    if stage.bodies is not None:
        probe = stage.bodies
        shared = flat_order(probe.of_order, sitting)
        facts = [flat_line(probe.of_line, shared, sitting, line) for line in lines]
        hits = probe.match(facts) if facts else []
        for name, kind, bit in stage.loops:
            found = [hit >> bit & 1 for hit in hits]
            sitting.for_lines[name] = any(found) if kind == "any" else all(found)
    if stage.order is not None:
        fact = flat_order(stage.order.of_order, sitting)
        firing.order_hits[number] |= stage.order.match((fact,))[0]
    if stage.line is not None and lines:
        probe = stage.line
        shared = flat_order(probe.of_order, sitting)
        facts = [flat_line(probe.of_line, shared, sitting, line) for line in lines]
        hits = firing.line_hits[number]
        for line, hit in enumerate(probe.match(facts)):
            hits[line] |= hit


def _settle(stage: Stage, firing: Firing, active: int) -> list[Assignment]:
    """Settle this level's facts from what has fired; returns what gave a fact a new value."""
    new = []
    for assignment in stage.assignments:
        if not active >> assignment.rule.number & 1:
            continue
        for line in _places(assignment, firing):
            fired = firing.set_by.setdefault((assignment.fact, line), [])
            if assignment not in fired:
                fired.append(assignment)
                sitting = firing.sitting
                facts = sitting.order_derived if line < 0 else sitting.line_derived[line]
                value = _winner(fired).value
                if facts.get(assignment.fact) != value:
                    facts[assignment.fact] = value
                    new.append(assignment)
    return new


def _places(assignment: Assignment, firing: Firing) -> Sequence[int]:
    """The lines a rule sets a fact of, or -1 for the order."""
    lines = range(len(firing.sitting.lines))
    if assignment.guard is not None:
        per_line, stage, number = assignment.guard
        if per_line:
            hits = firing.line_hits[stage]
            return [line for line in lines if hits[line] >> number & 1]
        if not firing.order_hits[stage] >> number & 1:
            return ()
    return (-1,) if assignment.fact.startswith("order.") else lines


def _winner(fired: Sequence[Assignment]) -> Assignment:
    """Highest rank; within equal rank the first in the program, and a conflict is reported."""
    return max(fired, key=lambda found: (found.rule.rank, -found.rule.number))


def _conflicts(firing: Firing) -> list[str]:
    found = []
    for (fact, _line), fired in sorted(firing.set_by.items(), key=lambda entry: entry[0]):
        if len(fired) < 2:
            continue
        best = _winner(fired)
        for other in fired:
            if other.rule.rank == best.rule.rank and other.value != best.value:
                first, second = sorted((best, other), key=lambda entry: entry.rule.number)
                found.append(
                    f"{first.rule.address} sets {fact} to {first.value!r},"
                    f" {second.rule.address} to {second.value!r}"
                )
    return list(dict.fromkeys(found))
