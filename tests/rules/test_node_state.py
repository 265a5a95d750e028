"""Node facts are matched once and then only where they changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.errors import ConfigurationError
from domcore.model.facts import FactSpec
from domcore.rules import FactRegistry

FACTS = FactRegistry(
    [
        FactSpec("node.acme.load", "node", "int", nullable=True),
        FactSpec("node.acme.zones", "node", "texts", nullable=True),
    ]
)
RULES = (
    "node.acme.load > 5",
    "node.acme.load is None",
    "'NY' in node.acme.zones",
    "order.units > node.acme.load",
    "destination.region in node.acme.zones",
    "node.acme.load != line.open",
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "node.acme.load": st.integers(0, 9),
        "node.acme.zones": st.sampled_from([(), ("NY",), ("NY", "NJ"), ("NJ", "NJ")]),
    },
)
CHANGES = st.lists(
    st.dictionaries(st.sampled_from(["east", "soho", "toronto"]), VALUES, max_size=3), max_size=6
)


@settings(max_examples=120, deadline=None)
@given(changes=CHANGES)
def test_a_refreshed_state_is_as_good_as_a_new_one(example_shop, make, changes):
    shop = example_shop.but(facts=FACTS)
    program = shop.program(*(make.rule(when) for when in RULES))
    state = program.node_state(shop.nodes)
    now: dict = {}
    for changed in changes:
        now.update(changed)
        state.refresh(changed)
        fresh = program.node_state(shop.nodes, now)
        request = shop.request()
        assert program.judge(request, state) == program.judge(request, fresh)
        for node in ("east", "soho"):
            told = program.explain(request, state, "paint", node)
            assert told == program.explain(request, fresh, "paint", node)


def test_refreshing_a_node_that_is_not_there_changes_nothing(shop, make):
    given = shop.but(facts=FACTS)
    program = given.program(make.rule("node.acme.load > 5"))
    state = given.state(program)
    with pytest.raises(ConfigurationError, match="no node 'moon'"):
        state.refresh({"east": {"node.acme.load": 9}, "moon": {}})
    assert program.judge(given.request(), state).first.barred == (0, 0)


def test_one_program_serves_several_states(shop, make):
    program = shop.program(make.rule("node.kind == 'store'"))
    few, all_ = program.node_state(shop.nodes[:1]), program.node_state(shop.nodes)
    assert program.judge(shop.request(), few).first.barred == (0, 0)
    assert program.judge(shop.request(), all_).first.barred == (6, 6)


def test_without_nodes_or_lines_nothing_breaks(shop, make):
    program = shop.program(
        make.rule("node.kind == 'store'"),
        make.rule("line.open > 1 and candidate.distance_km > 5"),
        make.rule("all(line.open > 1 for line in lines)", "hold"),
    )
    bare = shop.but(lines=(), available=())
    assert program.judge(bare.request(), program.node_state(())).first.barred == ()
    assert program.judge(shop.request(), program.node_state(())).first.barred == (0, 0)


def test_a_closed_program_may_be_closed_again(shop, make):
    program = shop.program(
        make.rule("node.kind == 'store' and order.units > 1"), make.rule("line.open > 1")
    )
    program.close()
    program.close()
