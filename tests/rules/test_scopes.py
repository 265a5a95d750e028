"""However a condition is split between engine, masks and native tests, it means the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

LEAVES = st.sampled_from(
    [
        "order.channel == 'web'",
        "order.value > 100.00",
        "order.customer_tier in ['a', 'b', 'c', 'd', 'gold']",
        "'calm' in order.tags",
        "destination.region == 'CA'",
        "line.sku == 'PAINT'",
        "line.price >= 80.5",
        "line.category.startswith('home')",
        "'hazmat' in line.tags",
        "line.longest_side > 500",
        "any(line.open > 1 for line in lines)",
        "all('sale' in line.tags for line in lines)",
        "node.kind == 'store'",
        "node.priority < 2",
        "node.priority is None",
        "'nights' in node.tags",
        "node.region in ['ON', 'NY']",
        "node.country == destination.country",
        "node.country != destination.country",
        "destination.postal >= node.postal",
        "node.priority <= line.open",
        "node.id in order.tags",
        "order.service in node.tags",
        "candidate.distance_km > 12.5",
        "candidate.distance_km is not None",
        "candidate.covers_line",
        "candidate.covers_order == False",
        "candidate.available in [1, 5]",
        "candidate.available >= line.open",
        "candidate.available > node.priority",
        "True",
        "False",
    ]
)


def grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(parts, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda found: "(" + " and ".join(found) + ")"),
        several.map(lambda found: "(" + " or ".join(found) + ")"),
        parts.map(lambda found: f"not ({found})"),
    )


CONDITIONS = st.recursive(LEAVES, grown, max_leaves=7)


@settings(max_examples=250, deadline=None)
@given(condition=CONDITIONS)
def test_masks_say_what_walking_the_tree_says(example_shop, make, condition):
    program = example_shop.program(make.rule(condition))
    state = example_shop.state(program)
    request = example_shop.request()
    barred = program.judge(request, state).first.barred
    for number, line in enumerate(request.lines):
        for position, node in enumerate(state.nodes):
            verdict = program.explain(request, state, line.line.id, node.id)[0]
            assert verdict.bars == bool(barred[number] >> position & 1), (line.line.id, node.id)


@settings(max_examples=60, deadline=None)
@given(conditions=st.lists(CONDITIONS, min_size=1, max_size=5))
def test_every_engine_gives_the_same_policy(example_shop, durable_engine, make, conditions):
    rules = [make.rule("order.fast or order.units > 9", "hold")]
    rules += [make.rule(condition) for condition in conditions]
    rules += [make.rule("order.service == 'express'", {"set": {"order.fast": True}})]
    durable = example_shop.but(engine=durable_engine)
    assert durable.judge(*rules) == example_shop.judge(*rules)


@settings(max_examples=60, deadline=None)
@given(condition=CONDITIONS)
def test_a_condition_and_its_negation_share_out_all_pairs(example_shop, make, condition):
    pairs = {(line, node) for line in ("paint", "lamp") for node in ("east", "soho", "toronto")}
    true = example_shop.true_of(condition)
    false = example_shop.true_of(f"not ({condition})")
    assert true | false == pairs
    assert not true & false


@pytest.mark.parametrize(
    ("condition", "native"),
    [
        ("order.value > 5 and node.kind == 'dc'", ()),
        ("line.sku == 'PAINT' or 'nights' in node.tags", ()),
        ("line.price > order.value", ()),
        ("node.country == destination.country", ("node.country == destination.country",)),
        (
            "node.kind == 'dc' and 10 < candidate.distance_km < 20.5",
            ("10 < candidate.distance_km", "candidate.distance_km < 20.5"),
        ),
    ],
)
def test_what_no_engine_sees_is_marked_native(example_shop, make, condition, native):
    assert example_shop.verdict(make.rule(condition)).native == native


def test_only_facts_that_rules_read_are_asked_for(example_shop, make):
    program = example_shop.program(
        make.rule("order.value > 5 and node.country != destination.country"),
        make.rule("any(line.price > 1 for line in lines)", "hold"),
    )
    assert program.reads == {
        "order.value", "node.country", "destination.country", "line.price",
    }  # fmt: skip
