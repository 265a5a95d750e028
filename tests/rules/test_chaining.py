"""Rules that set facts for other rules to read."""

from __future__ import annotations

import pytest

from domcore.errors import ConfigurationError
from domcore.model.policy import Split

ALL = 7


def sets(make, when: str, priority: int = 0, **facts: object) -> dict:
    named = {name.replace("_", ".", 1): value for name, value in facts.items()}
    return make.rule(when, {"set": named}, priority=priority)


def test_a_derived_fact_is_read_by_later_rules(shop, make):
    rules = [
        make.rule("order.vip and order.value >= 100", {"split": {"max_nodes": 3}}),
        sets(make, "order.customer_tier in ['gold', 'platinum']", order_vip=True),
    ]
    assert shop.judge(*rules).first.split == Split(3)
    assert shop.ordering(customer_tier="tin").judge(*rules).first.split == Split()


def test_chains_run_in_order_whatever_order_they_are_written_in(shop, make):
    rules = [
        make.rule("order.d == 'x'", "hold", id="end"),
        sets(make, "order.c > 2 and order.c in [1, 3]", order_d="x"),
        sets(make, "order.b", order_c=3),
        sets(make, "order.a is not None", order_b=True),
        sets(make, "True", order_a=("one", "two")),
    ]
    assert [hold.code for hold in shop.judge(*rules).holds] == ["p/end"]


def test_line_facts_are_set_line_by_line_or_for_all_lines(shop, make):
    rules = [
        sets(make, "'hazmat' in line.tags", line_careful=True),
        sets(make, "order.service == 'express'", line_urgent="yes"),
    ]
    assert shop.barred(*rules, make.rule("line.careful")) == {
        "paint": {"east", "soho", "toronto"},
        "lamp": set(),
    }
    assert shop.judge(*rules, make.rule("line.urgent == 'yes'")).first.barred == (ALL, ALL)
    assert shop.judge(*rules, make.rule("any(line.careful for line in lines)", "hold")).holds


def test_a_derived_fact_meets_nodes_and_mixed_conditions(shop, make):
    rules = [sets(make, "order.units > 1", order_home="NY", order_wanted=("soho",))]
    assert shop.barred(*rules, make.rule("node.region == order.home"))["lamp"] == {"east", "soho"}
    assert shop.barred(*rules, make.rule("node.id in order.wanted"))["lamp"] == {"soho"}


def test_absence_may_be_read_once_it_is_settled(shop, make):
    rules = [
        sets(make, "order.customer_tier == 'tin'", order_vip=True),
        sets(make, "not order.vip", order_plain=True),
        make.rule("order.plain and order.vip is None", "hold"),
    ]
    assert shop.judge(*rules).holds
    assert not shop.ordering(customer_tier="tin").judge(*rules).holds


def test_facts_may_help_each_other(shop, make):
    rules = [
        sets(make, "order.b", order_a=True),
        sets(make, "order.a or order.channel == 'web'", order_b=True),
        make.rule("order.a and order.b", "hold"),
    ]
    assert shop.judge(*rules).holds
    assert not shop.ordering(channel="pos").judge(*rules).holds


def test_eight_rounds_are_enough_or_the_order_waits(shop, make):
    def circle(length: int) -> list[dict]:
        start = sets(make, "order.channel == 'web'", order_f0=True)
        ring = [sets(make, f"order.f{n}", **{f"order_f{n + 1}": True}) for n in range(length)]
        back = sets(make, f"order.f{length}", order_f0=True)
        # Written backwards, so that every round gets one step further.
        return [back, *reversed(ring), start]

    for length in (6, 7):
        assert shop.judge(*circle(length)).holds == ()
    late = shop.judge(*circle(12)).holds
    assert [hold.code for hold in late] == ["domcore/rule-rounds"]
    assert late[0].stage == "route"


@pytest.mark.parametrize(
    "rules",
    [
        [("not order.a", {"order_a": True})],
        [("order.a is None", {"order_b": True}), ("order.b", {"order_a": True})],
        [
            ("none(line.x for line in lines)", {"order_y": True}),
            ("order.y", {"line_x": True}),
        ],
    ],
)
def test_a_cycle_through_a_negation_is_an_error(plain_shop, make, rules):
    with pytest.raises(ConfigurationError, match=r"p/r1.* cycle through a negation"):
        plain_shop.program(*[sets(make, when, **facts) for when, facts in rules])


def test_two_values_at_equal_rank_hold_the_order_and_name_both_rules(shop, make):
    rules = [
        sets(make, "True", order_size="small"),
        sets(make, "order.units > 1", order_size="large"),
    ]
    holds = shop.judge(*rules).holds
    assert [hold.code for hold in holds] == ["domcore/rule-conflict"]
    assert holds[0].stage == "route"
    assert "p/r1" in holds[0].reason
    assert "p/r2" in holds[0].reason
    approved = shop.request(approved=frozenset({"domcore/rule-conflict"}))
    assert shop.judge(*rules, request=approved).holds == ()


def test_the_higher_rank_wins_without_a_conflict(shop, make):
    rules = [
        sets(make, "True", order_size="small"),
        sets(make, "order.units > 1", priority=1, order_size="large"),
        make.rule("order.size == 'large'", "hold", id="big"),
    ]
    assert [hold.code for hold in shop.judge(*rules).holds] == ["p/big"]


def test_the_same_value_twice_is_no_conflict(shop, make):
    assert not shop.judge(
        sets(make, "True", order_vip=True), sets(make, "order.units > 1", order_vip=True)
    ).holds


def test_what_was_set_is_told_as_a_directive(shop, make):
    program = shop.program(sets(make, "True", order_vip=True))
    state = shop.state(program)
    told = program.directives(program.judge(shop.request(), state), shop.request(), state)
    assert [(d.rule, d.verb, d.arguments) for d in told] == [("p/r1", "set", {"order.vip": True})]


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([("True", {"order_value": 5})], "is a fact that is given"),
        ([("True", {"order_x": 5}), ("True", {"order_x": "5"})], "is int elsewhere and text here"),
        ([("line.open > 1", {"order_x": 5})], "belongs to the order"),
        ([("True", {"order_x": "parameters.none"})], "no parameter"),
    ],
)
def test_what_cannot_be_set_is_refused(plain_shop, make, rules, why):
    with pytest.raises(ConfigurationError, match=why):
        plain_shop.program(*[sets(make, when, **facts) for when, facts in rules])


def test_a_long_chain_is_no_trouble(plain_shop, make):
    chain = [sets(make, f"order.f{n}", **{f"order_f{n + 1}": True}) for n in range(60)]
    start = sets(make, "True", order_f0=True)
    assert plain_shop.judge(*chain, start, make.rule("order.f60", "hold")).holds


def test_an_endless_chain_is_refused(plain_shop, make):
    chain = [sets(make, f"order.f{n}", **{f"order_f{n + 1}": True}) for n in range(200)]
    with pytest.raises(ConfigurationError, match="201 levels deep"):
        plain_shop.program(sets(make, "True", order_f0=True), *chain)
