"""Cases: a pack is tested by data, and the runner says in words what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from domcore.errors import ConfigurationError
from domcore.model.facts import FactSpec
from domcore.model.plan import Allocation, Plan, Shortage
from domcore.rules import Activation, FactRegistry
from domcore.rules.case_reading import parse_cases
from domcore.rules.cases import run_cases
from domcore.rules.engines.python import PythonEngine
from domcore.sourcing.casework import case_planner

CASE: Mapping[str, Any] = {
    "name": "a store abroad",
    "order": {"channel": "web", "country": "US", "tags": ["rush"], "attributes": {"gift": True}},
    "node": [
        {
            "id": "soho",
            "kind": "store",
            "country": "US",
            "stock": {"LAMP": 3},
            "distance_km": "2.5",
        },
        {"id": "dc", "country": "CA", "stock": {"LAMP": 1}},
    ],
    "line": [{"sku": "LAMP", "quantity": 2, "price": "12.50", "tags": ["glass"]}],
    "expect": [{"rule": "stores", "nodes": ["soho"], "lines": []}],
}


@pytest.fixture
def check(make):
    def run(pack, *cases: Mapping[str, Any], **more: Any) -> tuple[str, ...]:
        facts = more.get("facts")
        read = parse_cases({"format": 1, "case": list(cases)}, pack, facts)
        return run_cases(pack, read, engine=PythonEngine(), **more)

    return run


@pytest.fixture
def stores(make):
    return make.pack(make.rule("node.kind == 'store'", id="stores"))


def test_a_case_that_holds_says_nothing(check, stores):
    assert check(stores, CASE) == ()


@pytest.mark.parametrize(
    ("expect", "why"),
    [
        ([], "p/stores fired, and the case does not say so (nodes soho)"),
        ([{"rule": "stores", "nodes": ["dc"]}], "p/stores speaks of nodes soho, not dc"),
        ([{"rule": "stores", "lines": ["LAMP"]}], "p/stores speaks of lines none, not LAMP"),
    ],
)
def test_a_case_that_does_not_hold_says_why(check, stores, expect, why):
    assert check(stores, {**CASE, "expect": expect}) == (f"a store abroad: {why}",)


def test_a_rule_that_is_expected_and_silent_is_named(check, make):
    pack = make.pack(
        make.rule("node.kind == 'store'", id="stores"), make.rule("order.units > 99", id="big")
    )
    large = {
        **CASE, "name": "large", "line": [{"sku": "LAMP", "quantity": 100}],
        "expect": [{"rule": "stores"}, {"rule": "big"}],
    }  # fmt: skip
    small = {**CASE, "expect": [{"rule": "stores"}, {"rule": "big"}]}
    assert check(pack, small, large) == ("a store abroad: p/big did not fire",)


def test_a_rule_that_no_case_fires_is_a_failure(check, make):
    pack = make.pack(
        make.rule("node.kind == 'store'", id="stores"),
        make.rule("order.units > 99", id="never"),
        make.rule("False", id="resting", enabled=False),
    )
    assert check(pack, CASE) == ("p: no case fires the rule 'never'",)


def test_a_pack_without_cases_is_a_failure(check, stores):
    assert "without cases" in check(stores)[0]


def test_holds_are_compared_where_they_are_named(check, make):
    pack = make.pack(make.rule("'rush' in order.tags", "hold", id="rush"))
    expect = [{"rule": "rush"}]
    assert check(pack, {**CASE, "expect": expect, "holds": ["p/rush"]}) == ()
    assert (
        "held by p/rush, expected none" in check(pack, {**CASE, "expect": expect, "holds": []})[0]
    )
    approved = {**CASE, "expect": expect, "holds": [], "approved": ["p/rush"]}
    assert check(pack, approved) == ()


def test_plans_are_compared_only_when_something_plans(check, stores):
    case = {**CASE, "plan": {"ships": {"soho": {"LAMP": 2}}}}

    def ship(node: str, units: int):
        return lambda _case, _policy: Plan(
            (Allocation("LAMP", "LAMP", node, units),),
            (),
            (Shortage("LAMP", "LAMP", 2 - units, "stock"),) if units < 2 else (),
        )

    assert check(stores, case) == ()
    assert check(stores, case, plan=ship("soho", 2)) == ()
    failures = check(stores, case, plan=ship("dc", 1))
    assert "the plan ships {'dc': {'LAMP': 1}}" in failures[0]
    assert "short of {'LAMP': 1}" in failures[1]


def test_a_planner_sees_the_whole_case(check, stores):
    seen = []

    def plan(case, policy):
        seen.append((case, policy))
        return Plan()

    check(stores, {**CASE, "plan": {}}, plan=plan)
    case, policy = seen[0]
    assert [node.id for node in case.nodes] == ["dc", "soho"]
    assert case.stock == {("soho", "LAMP"): 3, ("dc", "LAMP"): 1}
    assert case.request.distances == {1: 2_500}
    assert case.request.available == [{0: 1, 1: 3}]
    assert case.request.order.value == 25_000_000
    assert policy.first.barred == (2,)


def test_a_case_brings_its_own_activation_time_and_plugin_facts(check, make):
    facts = FactRegistry(
        [
            FactSpec("order.acme.risk", "order", "decimal"),
            FactSpec("node.acme.open", "node", "bool"),
            FactSpec("candidate.acme.days", "candidate", "int"),
            FactSpec("line.acme.zones", "line", "texts"),
        ]
    )
    pack = make.pack(
        make.rule(
            "order.acme.risk > parameters.most and node.acme.open and candidate.acme.days == 2"
            " and 'x' in line.acme.zones and now.hour == 9 and order.gift",
            id="all",
        ),
        parameters={"most": {"type": "decimal", "default": "100"}},
        fact=[{"name": "order.gift", "type": "bool"}],
    )
    case = {
        **CASE,
        "now": "2026-01-05T09:30:00",
        "activation": {"parameters": {"most": "0.5"}, "channels": ["web"]},
        "facts": {"order.acme.risk": "0.75"},
        "node": [
            {"id": "soho", "facts": {"node.acme.open": True, "candidate.acme.days": 2}},
        ],
        "line": [{"sku": "LAMP", "facts": {"line.acme.zones": ["x"]}}],
        "expect": [{"rule": "all", "nodes": ["soho"], "lines": ["LAMP"]}],
    }
    assert check(pack, case, facts=facts) == ()


def test_packs_of_other_layers_may_stand_beside_it(check, make):
    core = make.pack(make.rule("True", "hold", id="check"), name="core")
    mine = make.pack(make.rule("True", "hold", id="own", overrides="core/check"))
    others = [(core, Activation("core", layer="core"))]
    case = {**CASE, "expect": [{"rule": "own"}], "holds": ["p/own"]}
    assert check(mine, case, others=others) == ()
    assert "no rule 'core/check'" in check(mine, case)[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"nodes": []}, "did you mean 'node'"),
        ({"node": {}}, "[[case.node]]"),
        ({"node": [{"kind": "dc"}]}, "node 1, id: is missing"),
        ({"node": [{"id": "a", "kind": "shop"}]}, "no kind 'shop'"),
        ({"node": [{"id": "a", "stock": {"LAMP": -1}}]}, "whole number from 0"),
        ({"node": [{"id": "a", "distance_km": "far"}]}, "not a number in quotes"),
        ({"node": [{"id": "a", "facts": {"node.x.y": 1}}]}, "no fact of that name"),
        ({"line": [{"sku": "A", "quantity": "2"}]}, "whole number"),
        ({"line": [{"sku": "A", "dimensions": [1, 2]}]}, "millimetres"),
        ({"order": {"attributes": {"x": [1]}}}, "true or false"),
        ({"order": {"placed_at": "today"}}, "not a date"),
        ({"activation": {"layer": "boss"}}, "layer 'boss'"),
        ({"expect": [{"nodes": ["a"]}]}, "rule: is missing"),
        ({"plan": {"ship": {}}}, "did you mean 'ships'"),
        ({"name": None}, "name: is missing"),
    ],
)
def test_a_wrong_case_is_refused_in_words(check, stores, change, why):
    with pytest.raises(ConfigurationError) as refused:
        check(stores, {**CASE, **change})
    assert why in str(refused.value)


def test_a_case_that_expects_a_rule_that_there_is_not_is_refused_by_its_name(check, stores):
    with pytest.raises(ConfigurationError, match=r"no rule 'store' in p; did you mean 'stores'"):
        check(stores, {**CASE, "expect": [{"rule": "store"}]})
    with pytest.raises(ConfigurationError, match=r"no rule 'r9' in p; its rules are stores"):
        check(stores, {**CASE, "expect": [{"rule": "p/r9"}]})


def test_a_rule_of_a_pack_that_is_not_there_did_not_just_stay_silent(check, stores):
    expect = [*CASE["expect"], {"rule": "other/r9"}]
    (failure,) = check(stores, {**CASE, "expect": expect})
    assert "there is no rule other/r9 in force; there are p/stores" in failure


def test_a_kind_of_node_that_there_is_not_lists_those_that_there_are(check, stores):
    node = [{**CASE["node"][0], "kind": "shop"}]
    with pytest.raises(ConfigurationError, match="kinds are dc, store, vendor"):
        check(stores, {**CASE, "node": node})


def test_a_case_may_be_in_the_middle_of_an_orders_life(check, make):
    pack = make.pack(
        make.rule("True", {"split": {"max_nodes": 1}}, id="one"),
        make.rule(
            "order.units == 5 and order.open_units == 2 and order.nodes == 1"
            " and order.attempts == 2 and order.rejections == 1"
            " and hours_until(order.ship_by) < 24",
            "hold",
            id="begun",
        ),
        make.rule(
            "candidate.open_orders == 7 and candidate.open_units == 9"
            " and candidate.days_of_cover == 6 and candidate.ships_already",
            {"cost": {"amount": "1.00", "per": "unit"}},
            id="busy",
        ),
        currency="USD",
    )
    case = {
        "name": "half of it has left",
        "order": {
            "country": "US",
            "ship_by": "2026-01-05T18:00",
            "attempts": 2,
            "rejections": 1,
        },
        "node": [
            {
                "id": "far",
                "distance_km": "900",
                "stock": {"LAMP": 3},
                "ships_already": True,
                "open_orders": 7,
                "open_units": 9,
                "shipped": {"LAMP": 14},
            },
            {"id": "near", "distance_km": "1", "stock": {"LAMP": 9}},
        ],
        "line": [
            {"sku": "LAMP", "quantity": 3, "open": 2},
            {"sku": "PAINT", "quantity": 2, "open": 0, "tags": ["hazmat"]},
        ],
        "expect": [
            {"rule": "one"},
            {"rule": "begun"},
            {"rule": "busy", "nodes": ["far"], "lines": ["LAMP"]},
        ],
        "plan": {"ships": {"far": {"LAMP": 2}}},
    }
    planner = case_planner(pack, engine=PythonEngine())
    assert check(pack, case, plan=planner) == ()
