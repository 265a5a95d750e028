"""What each verb does to the policy, and how several rules come together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.errors import ConfigurationError, PluginError
from domcore.model.policy import Directive, Split
from domcore.rules import Activation, compile_program, parse_pack
from domcore.rules.engines.python import PythonEngine

EAST, SOHO, TORONTO = 1, 2, 4
ALL = EAST | SOHO | TORONTO
PAINT, LAMP = 0, 1
STORE = "node.kind == 'store'"


def test_no_rules_say_nothing(shop):
    policy = shop.judge()
    assert policy.first.barred == (0, 0)
    assert policy.second is None
    assert policy.costs == policy.holds == policy.fired == ()


def test_exclude_unites(shop, make):
    assert shop.barred(make.rule(STORE), make.rule("line.sku == 'LAMP' and node.id == 'east'")) == {
        "paint": {"soho", "toronto"},
        "lamp": {"soho", "toronto", "east"},
    }


def test_exclude_of_an_order_bars_every_node(shop, make):
    assert shop.judge(make.rule("order.channel == 'web'")).first.barred == (ALL, ALL)


def test_require_keeps_only_the_nodes_it_is_true_of(shop, make):
    kept = make.rule("order.channel == 'web' and node.kind == 'dc'", "require")
    assert shop.barred(kept)["lamp"] == {"soho", "toronto"}
    assert shop.ordering(channel="pos").barred(kept)["lamp"] == set()


def test_requirements_intersect_and_both_reasons_are_told(shop, make):
    dc = make.rule("node.kind == 'dc'", "require", reason="needs a dc")
    abroad = make.rule("node.country == 'CA'", "require", reason="needs Canada")
    assert shop.barred(dc, abroad)["paint"] == {"east", "soho", "toronto"}
    program = shop.program(dc, abroad)
    said = program.explain(shop.request(), shop.state(program), "paint", "soho")
    assert [verdict.reason for verdict in said if verdict.bars] == ["needs a dc", "needs Canada"]


def test_require_that_no_node_meets_bars_them_all(shop, make):
    assert shop.judge(make.rule("'moon' in node.tags", "require")).first.barred == (ALL, ALL)


def test_require_without_a_node_is_refused(plain_shop, make):
    with pytest.raises(ConfigurationError, match="require keeps the nodes"):
        plain_shop.program(make.rule("order.channel == 'web'", "require"))


def test_costs_add_up_in_micros(shop, make):
    policy = shop.judge(
        make.rule(STORE, {"cost": {"amount": "1.50", "per": "parcel"}}),
        make.rule("'hazmat' in line.tags", {"cost": {"amount": "0.000001", "per": "unit"}}),
        make.rule("order.units > 99", {"cost": {"amount": "9", "per": "kg"}}),
    )
    assert policy.costs == (
        ("parcel", -1, SOHO | TORONTO, 1_500_000),
        ("unit", PAINT, ALL, 1),
    )


@pytest.mark.parametrize("basis", ["parcel", "km"])
def test_a_cost_per_parcel_cannot_depend_on_one_line(plain_shop, make, basis):
    with pytest.raises(ConfigurationError, match="several lines"):
        plain_shop.program(make.rule("line.open > 1", {"cost": {"amount": "1", "per": basis}}))


def test_protect_sets_a_floor_for_an_order_or_a_line(shop, make):
    policy = shop.judge(
        make.rule(STORE, {"protect": {"quantity": 2}}),
        make.rule(f"{STORE} and line.sku == 'LAMP'", {"protect": {"quantity": 5}}),
    )
    assert policy.first.floors == ((-1, SOHO | TORONTO, 2), (LAMP, SOHO | TORONTO, 5))


def test_the_highest_rank_splits_and_within_a_rank_the_tightest(shop, make):
    def split(most: int, priority: int = 0) -> dict:
        return make.rule("True", {"split": {"max_nodes": most}}, priority=priority)

    assert shop.judge(split(4), split(2), split(3)).first.split == Split(2)
    assert shop.judge(split(2), split(5, 1), split(4, 1)).first.split == Split(4)


def test_a_split_rule_does_not_speak_of_what_it_does_not_name(shop, make):
    policy = shop.judge(
        make.rule("True", {"split": {"ship_complete": True}}),
        make.rule("True", {"split": {"max_nodes": 3}}, priority=9),
    )
    assert policy.first.split == Split(3, ship_complete=True)


def test_soft_rules_are_dropped_in_the_second_pass(shop, make):
    policy = shop.judge(
        make.rule(STORE, soft=True),
        make.rule("node.id == 'toronto'"),
        make.rule("node.kind == 'dc'", {"protect": {"quantity": 1}}, soft=True),
        make.rule("True", {"split": {"max_nodes": 1}}, soft=True, priority=5),
        make.rule("True", {"split": {"max_nodes": 2}}),
        make.rule("node.country == 'US'", "require", soft=True),
    )
    assert policy.first.barred == (SOHO | TORONTO,) * 2
    assert policy.first.floors == ((-1, EAST, 1),)
    assert policy.first.split == Split(1)
    assert policy.second is not None
    assert policy.second.barred == (TORONTO, TORONTO)
    assert policy.second.floors == ()
    assert policy.second.split == Split(2)


def test_without_a_soft_rule_there_is_no_second_pass(shop, make):
    assert shop.judge(make.rule(STORE), make.rule("False", soft=True)).second is None


def test_holds_come_in_order_of_code_with_their_reason(shop, make):
    policy = shop.judge(
        make.rule("order.value > 100", {"hold": {"stage": "route"}}, id="zz", reason="large"),
        make.rule("line.sku == 'PAINT'", "hold", id="aa"),
    )
    assert [(hold.code, hold.reason, hold.stage) for hold in policy.holds] == [
        ("p/aa", "line.sku == 'PAINT'", "release"),
        ("p/zz", "large", "route"),
    ]


def test_an_approved_hold_does_not_hold_again(shop, make):
    held = make.rule("True", "hold", id="check")
    policy = shop.judge(held, request=shop.request(approved=frozenset({"p/check"})))
    assert policy.holds == ()
    assert policy.fired


@pytest.mark.parametrize("then", ["hold", {"split": {"max_nodes": 1}}, {"set": {"order.x": 1}}])
def test_verbs_of_the_order_cannot_read_nodes(plain_shop, make, then):
    with pytest.raises(ConfigurationError, match="speaks of the order"):
        plain_shop.program(make.rule(STORE, then))


def test_nothing_is_said_of_nodes_that_are_no_candidates(shop, make):
    policy = shop.judge(
        make.rule(STORE), make.rule("True"), request=shop.request(candidates=EAST | TORONTO)
    )
    assert policy.first.barred == (EAST | TORONTO,) * 2
    assert policy.fired == ((0, -1, TORONTO), (1, -1, -1))


def test_amounts_may_be_parameters(shop, make):
    from domcore.rules import Activation

    rules = [make.rule(STORE, {"cost": {"amount": "parameters.labour", "per": "line"}})]
    top = {"parameters": {"labour": {"type": "money", "default": "1.25"}}}
    assert shop.judge(*rules, **top).costs[0][3] == 1_250_000
    dearer = Activation("p", parameters={"labour": "2"})
    assert shop.judge(*rules, activation=dearer, **top).costs[0][3] == 2_000_000


@pytest.mark.parametrize(
    ("then", "kind", "value"),
    [
        ({"cost": {"amount": "parameters.x", "per": "line"}}, "money", "-1"),
        ({"cost": {"amount": "parameters.x", "per": "line"}}, "text", "1"),
        ({"protect": {"quantity": "parameters.x"}}, "bool", True),
        ({"split": {"max_nodes": "parameters.x"}}, "int", 0),
        ({"split": {"max_nodes": "parameters.y"}}, "int", 1),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(plain_shop, make, then, kind, value):
    with pytest.raises(ConfigurationError, match="rule r1, then"):
        plain_shop.program(
            make.rule("True", then), parameters={"x": {"type": kind, "default": value}}
        )


def test_costs_need_a_currency_and_the_owners(plain_shop, make):
    from domcore.rules import Activation, compile_program

    cost = make.rule("True", {"cost": {"amount": "1", "per": "line"}})
    with pytest.raises(ConfigurationError, match="in which"):
        plain_shop.program(cost, currency=None)
    with pytest.raises(ConfigurationError, match="reckoned in EUR"):
        compile_program([(make.pack(cost), Activation("p"))], engine=PythonEngine(), currency="EUR")


def test_amounts_in_another_currency_hold_the_order(shop, make):
    euros = shop.ordering(currency="EUR")
    rules = [make.rule("order.value < 1000"), make.rule(STORE)]
    policy = euros.judge(*rules)
    assert [hold.code for hold in policy.holds] == ["domcore/rule-currency"]
    assert policy.holds[0].stage == "route"
    assert policy.first.barred == (SOHO | TORONTO,) * 2
    approved = euros.request(approved=frozenset({"domcore/rule-currency"}))
    assert euros.judge(*rules, request=approved).holds == ()


def test_plugins_speak_under_the_same_law(shop, make):
    said = (
        Directive("acme/quota", "exclude", "no quota left", nodes=("soho",), lines=("lamp",)),
        Directive("acme/fee", "cost", nodes=("east",), arguments={"amount": 5, "per": "parcel"}),
        Directive("acme/spread", "split", arguments={"max_nodes": 1}, rank=(9, 0)),
        Directive("acme/fraud", "hold", "looks odd", arguments={"stage": "route"}),
        Directive("acme/home", "require", nodes=("east", "soho"), soft=True),
    )
    request = shop.request(directives=said)
    program = shop.program(make.rule("True", {"split": {"max_nodes": 3}}))
    state = shop.state(program)
    policy = program.judge(request, state)
    assert policy.first.barred == (TORONTO, TORONTO | SOHO)
    assert policy.second is not None
    assert policy.second.barred == (0, SOHO)
    assert policy.first.split == Split(1)
    assert policy.costs == (("parcel", -1, EAST, 5),)
    assert policy.holds[0].code == "acme/fraud"
    told = program.directives(policy, request, state)
    assert [directive.rule for directive in told] == ["p/r1", *(d.rule for d in said)]


@pytest.mark.parametrize(
    "directive",
    [
        Directive("acme/x", "explode"),
        Directive("acme/x", "cost", arguments={"amount": 1.5, "per": "line"}),
        Directive("acme/x", "cost", arguments={"amount": -1, "per": "line"}),
        Directive("acme/x", "cost", arguments={"amount": 1, "per": "mile"}),
        Directive("acme/x", "cost", lines=("lamp",), arguments={"amount": 1, "per": "parcel"}),
        Directive("acme/x", "protect"),
        Directive("acme/x", "protect", arguments={"quantity": True}),
        Directive("acme/x", "split", arguments={"max_nodes": 0}),
        Directive("acme/x", "split", arguments={"ship_complete": 1}),
        Directive("acme/x", "hold", arguments={"stage": "later"}),
        Directive("acme/x", "hold", soft=True),
        Directive("acme/x", "exclude", arguments={"why": 1}),
    ],
)
def test_a_plugin_that_says_nonsense_is_named(plain_shop, directive):
    with pytest.raises(PluginError, match="plugin 'acme', hook 'judge'"):
        plain_shop.judge(request=plain_shop.request(directives=(directive,)))


THENS = [
    "exclude",
    {"cost": {"amount": "1", "per": "line"}},
    {"protect": {"quantity": 3}},
    {"protect": {"quantity": 4}},
]
NODE_RULES = st.tuples(
    st.sampled_from(["node.kind == 'store'", "node.country == 'US' and line.open > 1", "True"]),
    st.sampled_from(THENS),
    st.booleans(),
)
ORDER_RULES = st.tuples(
    st.just("order.units > 0"),
    st.sampled_from(
        [
            {"split": {"max_nodes": 2}},
            {"split": {"max_nodes": 3, "ship_complete": True}},
            "hold",
        ]
    ),
    st.just(False),
)


@settings(max_examples=60, deadline=None)
@given(
    rules=st.lists(st.one_of(NODE_RULES, ORDER_RULES), max_size=8),
    priorities=st.lists(st.integers(-2, 2), min_size=8, max_size=8),
    seed=st.integers(0, 999),
)
def test_the_order_in_which_rules_stand_never_matters(example_shop, make, rules, priorities, seed):
    shop = example_shop
    written = []
    for number, (when, then, soft) in enumerate(rules):
        may_be_soft = soft and not (isinstance(then, dict) and "cost" in then)
        more = {"soft": True} if may_be_soft else {}
        written.append(make.rule(when, then, id=f"x{number}", priority=priorities[number], **more))
    shuffled = written[:]
    random.Random(seed).shuffle(shuffled)
    one, other = shop.judge(*written), shop.judge(*shuffled)
    assert one.first.barred == other.first.barred
    assert one.first.split == other.first.split
    assert sorted(one.first.floors) == sorted(other.first.floors)
    assert sorted(one.costs) == sorted(other.costs)
    assert one.holds == other.holds
    assert (one.second is None) == (other.second is None)


def test_an_amount_per_kg_must_be_whole_micros_per_gram():
    tree = {
        "format": 1,
        "name": "house",
        "version": "1",
        "currency": "USD",
        "rule": [
            {
                "id": "r",
                "when": "node.kind == 'dc'",
                "then": {"cost": {"amount": "0.000501", "per": "kg"}},
            }
        ],
    }
    pack = parse_pack(tree)
    with pytest.raises(ConfigurationError, match=r"multiple of 0\.001"):
        compile_program([(pack, Activation("house"))], engine=PythonEngine())
