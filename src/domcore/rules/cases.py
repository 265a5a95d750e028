"""Cases: small supplies and orders with what a pack must say of them, and the runner.

A pack is tested by data that a merchant can read. A case names every rule of the pack that must
fire; a rule that fires unasked is a failure, and so is a rule that no case fires.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from attrs import frozen

from domcore.errors import DomcoreError
from domcore.model.facts import FactSpec
from domcore.model.network import Node
from domcore.model.plan import Plan
from domcore.model.policy import Directive, Policy
from domcore.rules.compiler import Active
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.facts import FactRegistry
from domcore.rules.pack import Activation, Pack
from domcore.rules.problems import listed, suggestion
from domcore.rules.program import Program, compile_program
from domcore.rules.request import Request


@frozen(slots=True)
class Expectation:
    """A rule that must fire; what is None is not looked at.

    Args:
        rule: an id of the pack under test, or ``pack/id`` of another one.
        nodes: ids of exactly the nodes it speaks of; empty for the whole order.
        lines: ids of exactly the lines it speaks of; empty for the whole order.
    """

    rule: str
    nodes: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = None


@frozen(slots=True)
class ExpectedPlan:
    """Units by node and SKU, and units short by SKU; a node that ships nothing is left out."""

    ships: Mapping[str, Mapping[str, int]]
    short: Mapping[str, int]


@frozen(slots=True)
class Case:
    """One case: the supply, the order as a `Request`, and what is expected.

    `stock` is by ``(node id, sku)``; `node_facts` are plugin facts by node id.
    """

    name: str
    activation: Activation
    nodes: tuple[Node, ...]
    stock: Mapping[tuple[str, str], int]
    node_facts: Mapping[str, Mapping[str, Any]]
    request: Request
    expect: tuple[Expectation, ...]
    holds: tuple[str, ...] | None = None
    plan: ExpectedPlan | None = None


Planner = Callable[[Case, Policy], Plan]


def run_cases(
    pack: Pack,
    cases: Sequence[Case],
    *,
    engine: RuleEngine,
    facts: FactRegistry | None = None,
    plan: Planner | None = None,
    others: Sequence[Active] = (),
    elsewhere: Mapping[str, FactSpec] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Run a pack's cases; returns what failed, in words, and nothing when all is well.

    Args:
        plan: makes a plan of a case and its policy; without it expected plans are not looked at.
        others: packs of other layers that are active beside the one under test.
        elsewhere: facts that further packs set; a case gives them, or they are missing.
    """
    if not cases:
        return (f"{pack.name}: a pack without cases proves nothing; write cases.toml",)
    failures: list[str] = []
    fired: set[str] = set()
    for case in cases:
        try:
            program = compile_program(
                [*others, (pack, case.activation)],
                engine=engine,
                facts=facts,
                elsewhere=elsewhere,
            )
            failures += [
                f"{case.name}: {found}" for found in _run(pack, case, program, plan, fired)
            ]
            program.close()
        except DomcoreError as error:
            failures.append(f"{case.name}: {error}")
    silent = [
        rule.id for rule in pack.rules if rule.enabled and f"{pack.name}/{rule.id}" not in fired
    ]
    failures += [f"{pack.name}: no case fires the rule {name!r}" for name in silent]
    return tuple(failures)


def _run(
    pack: Pack, case: Case, program: Program, plan: Planner | None, fired: set[str]
) -> list[str]:
    state = program.node_state(case.nodes, case.node_facts)
    policy = program.judge(case.request, state)
    found: dict[str, list[Directive]] = {}
    for directive in program.directives(policy, case.request, state):
        found.setdefault(directive.rule, []).append(directive)
    fired.update(found)
    expected = {_address(pack, entry.rule): entry for entry in case.expect}
    failures = [
        f"{address} fired, and the case does not say so{_spoken(found[address])}"
        for address in found
        if address not in expected and address.startswith(f"{pack.name}/")
    ]
    known = {rule.address for rule in program.rules}
    for address, entry in expected.items():
        if address not in known:
            there = suggestion(address, known) or f"; there are {listed(sorted(known))}"
            failures.append(f"there is no rule {address} in force{there}")
            continue
        failures += _compare(address, entry, found.get(address, []))
    held = tuple(hold.code for hold in policy.holds)
    if case.holds is not None and held != tuple(sorted(case.holds)):
        failures.append(f"held by {_listed(held)}, expected {_listed(case.holds)}")
    if plan is not None and case.plan is not None:
        failures += _compare_plan(case.plan, plan(case, policy))
    return failures


def _compare(address: str, entry: Expectation, found: Sequence[Directive]) -> list[str]:
    if not found:
        return [f"{address} did not fire"]
    failures = []
    for what, wanted, spoken in (
        ("nodes", entry.nodes, [directive.nodes for directive in found]),
        ("lines", entry.lines, [directive.lines for directive in found]),
    ):
        if wanted is None:
            continue
        have = sorted({name for names in spoken for name in names or ()})
        if have != sorted(wanted):
            failures.append(f"{address} speaks of {what} {_listed(have)}, not {_listed(wanted)}")
    return failures


def _compare_plan(expected: ExpectedPlan, plan: Plan) -> list[str]:
    ships: dict[str, dict[str, int]] = {}
    for allocation in plan.allocations:
        at = ships.setdefault(allocation.node, {})
        at[allocation.sku] = at.get(allocation.sku, 0) + allocation.quantity
    short: dict[str, int] = {}
    for shortage in plan.shortages:
        short[shortage.sku] = short.get(shortage.sku, 0) + shortage.quantity
    failures = []
    if ships != {node: dict(units) for node, units in expected.ships.items()}:
        failures.append(f"the plan ships {ships}, expected {expected.ships}")
    if short != dict(expected.short):
        failures.append(f"the plan is short of {short}, expected {expected.short}")
    return failures


def _address(pack: Pack, rule: str) -> str:
    return rule if "/" in rule else f"{pack.name}/{rule}"


def _spoken(found: Sequence[Directive]) -> str:
    nodes = sorted({name for directive in found for name in directive.nodes or ()})
    lines = sorted({name for directive in found for name in directive.lines or ()})
    said = [f"nodes {_listed(nodes)}"] if nodes else []
    said += [f"lines {_listed(lines)}"] if lines else []
    return f" ({', '.join(said)})" if said else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
