"""Why, and why not: what a program says of itself."""

from __future__ import annotations

import pytest

from domcore.errors import NotFound
from domcore.rules import Activation


def test_a_rule_that_spoke_shows_what_it_read(shop, make):
    verdict = shop.verdict(
        make.rule("'hazmat' in line.tags and node.kind == 'store'", reason="no licence")
    )
    assert (verdict.rule, verdict.version, verdict.verb) == ("p/r1", "1.0.0", "exclude")
    assert verdict.spoke
    assert verdict.bars
    assert verdict.reason == "no licence"
    assert verdict.condition == "'hazmat' in line.tags and node.kind == 'store'"
    assert dict(verdict.values) == {"line.tags": ("hazmat",), "node.kind": "store"}
    assert verdict.failing == verdict.silent == ""


@pytest.mark.parametrize(
    ("condition", "failing"),
    [
        ("order.channel == 'web' and order.value > 500 and node.kind == 'dc'", "order.value > 500"),
        ("node.kind == 'dc' or node.priority < 2", "node.kind == 'dc'"),
        ("not (node.kind == 'store')", "not (node.kind == 'store')"),
        ("1 < order.units < 3", "order.units < 3"),
        ("order.units == 3 and all(line.open > 1 for line in lines)",
         "all(line.open > 1 for line in lines)"),
        ("destination.country is None", "not (destination.country is None)"),
        ("False", "False"),
    ],
)  # fmt: skip
def test_a_silent_rule_names_the_first_part_that_failed(shop, make, condition, failing):
    verdict = shop.verdict(make.rule(condition))
    assert not verdict.spoke
    if "is None" not in condition:
        assert verdict.failing == failing
    else:
        assert "destination.country" in verdict.failing


def test_a_missing_value_is_shown_as_missing(shop, make):
    verdict = shop.verdict(make.rule("node.priority > 1"), node="toronto")
    assert verdict.values == (("node.priority", None),)


@pytest.mark.parametrize(
    ("activation", "more", "why"),
    [
        (Activation("p", channels=("pos",)), {}, "not active for owner 'main' on channel 'web'"),
        (None, {"until": "2020-01-01"}, "window"),
    ],
)
def test_a_rule_that_is_not_in_force_says_why(shop, make, activation, more, why):
    verdict = shop.verdict(make.rule("True", **more), activation=activation)
    assert not verdict.spoke
    assert why in verdict.silent


def test_a_rule_that_counts_in_another_currency_says_so(shop, make):
    euros = shop.ordering(currency="EUR")
    assert "amounts in USD" in euros.verdict(make.rule("order.value > 1")).silent


def test_an_overridden_or_disabled_rule_says_so(shop, make):
    core = make.pack(make.rule("True", id="a"), make.rule("True", id="b"), name="core")
    mine = make.pack(
        make.rule("True", id="c", overrides="core/a"), name="mine", disables=["core/b"]
    )
    program = shop.programs((core, Activation("core", layer="core")), (mine, Activation("mine")))
    said = program.explain(shop.request(), shop.state(program), "lamp", "east")
    assert [verdict.silent for verdict in said] == [
        "overridden by a later layer",
        "disabled by mine",
        "",
    ]


def test_a_partners_rule_elsewhere_says_so(shop, make):
    partner = Activation("p", layer="partner", nodes=("toronto",))
    assert "own nodes" in shop.verdict(make.rule("True"), activation=partner).silent
    assert shop.verdict(make.rule("True"), activation=partner, node="toronto").spoke


def test_a_requirement_bars_where_its_node_part_fails(shop, make):
    kept = make.rule("order.channel == 'web' and node.kind == 'dc'", "require")
    assert shop.verdict(kept, node="soho").bars
    assert shop.verdict(kept, node="soho").failing == "node.kind == 'dc'"
    assert not shop.verdict(kept, node="east").bars
    assert not shop.ordering(channel="pos").verdict(kept, node="soho").bars


def test_derived_facts_are_explained_with_the_value_that_was_set(shop, make):
    verdict = shop.verdict(
        make.rule("True", {"set": {"order.vip": True}}), make.rule("order.vip", "hold")
    )
    assert verdict.spoke
    assert verdict.values == (("order.vip", True),)


def test_directives_name_nodes_and_lines(shop, make):
    program = shop.program(
        make.rule("line.sku == 'PAINT' and node.kind == 'store'", reason="no"),
        make.rule("line.open > 0", {"cost": {"amount": "2", "per": "line"}}),
        make.rule("order.units > 1", {"split": {"max_nodes": 2}}, soft=True, priority=4),
    )
    state = shop.state(program)
    one, two, three = program.directives(
        program.judge(shop.request(), state), shop.request(), state
    )
    assert (one.nodes, one.lines, one.reason) == (("soho", "toronto"), ("paint",), "no")
    assert (two.nodes, two.lines) == (None, ("paint", "lamp"))
    assert two.arguments == {"amount": 2_000_000, "per": "line"}
    assert (three.nodes, three.lines, three.soft, three.rank) == (None, None, True, (2, 4))
    assert three.arguments == {"max_nodes": 2}


def test_asking_after_what_is_not_there_is_told(plain_shop, make):
    program = plain_shop.program(make.rule("True"))
    state = plain_shop.state(program)
    with pytest.raises(NotFound, match="line 'sofa'"):
        program.explain(plain_shop.request(), state, "sofa", "east")
    with pytest.raises(NotFound, match="node 'moon'"):
        program.explain(plain_shop.request(), state, "lamp", "moon")
