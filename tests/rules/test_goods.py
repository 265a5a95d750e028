"""What nodes have of an order's lines: physically, and above what must stay there."""

from __future__ import annotations

import pytest
from attrs import evolve

KEEP = {"protect": {"quantity": 3}}
WHOLE = "not candidate.covers_line"


@pytest.fixture
def barred(shop, make):
    """Which nodes may not ship the lamps (one pass: with soft rules, or without)."""
    shop.lines = (shop.lines[1],)
    shop.available = ({0: 5, 1: 2, 2: 1},)  # of a line of one lamp

    def asked(*rules, soft_too=True, **more):
        program = shop.program(*rules)
        state = shop.state(program)
        policy = program.judge(evolve(shop.request(), **more), state)
        terms = policy.first if soft_too else policy.second or policy.first
        return set(state.ids(terms.barred[0]))

    return asked


def test_safety_stock_is_not_available_and_is_there(barred, make):
    safety = ({1: 2, 2: 1},)
    assert barred(make.rule(WHOLE), safety=safety) == {"soho", "toronto"}
    assert barred(make.rule("not candidate.holds_line"), safety=safety) == set()
    assert barred(make.rule("candidate.available == 5")) == {"east"}
    assert barred(make.rule("candidate.physical == 1"), safety=safety) == {"toronto"}


@pytest.mark.parametrize("first", [0, 1])
def test_what_a_rule_protects_is_not_available_wherever_it_stands(barred, make, first):
    rules = [make.rule("node.kind == 'store'", KEEP), make.rule(WHOLE)]
    assert barred(rules[first], rules[1 - first]) == {"soho", "toronto"}
    assert barred(*rules[::-1]) == barred(*rules)


def test_the_larger_of_safety_and_protection_is_the_floor(barred, make):
    keep = make.rule("node.kind == 'dc'", KEEP)
    two = make.rule("node.kind == 'dc' and candidate.available == 2")
    assert barred(keep, two, safety=({0: 1},)) == {"east"}
    assert barred(
        keep, make.rule("node.kind == 'dc' and candidate.available == 1"), safety=({0: 4},)
    ) == {"east"}


def test_a_protection_that_reads_what_is_available_sees_the_others(barred, make):
    keep = make.rule("node.kind == 'dc'", KEEP)
    if_two = "node.kind == 'dc' and candidate.available == 2"
    more = make.rule(if_two, {"protect": {"quantity": 5}})
    assert barred(more, keep, make.rule("candidate.available == 0")) == {"east"}


def test_a_soft_protection_counts_in_the_first_pass_only(barred, make):
    rules = (make.rule("node.kind == 'store'", KEEP, soft=True), make.rule(WHOLE))
    assert barred(*rules) == {"soho", "toronto"}
    assert barred(*rules, soft_too=False) == set()


def test_what_a_plugin_protects_is_not_available_either(barred, make):
    from domcore.model import Directive

    told = Directive("acme/keep", "protect", "", ("east",), None, {"quantity": 5})
    assert barred(make.rule(WHOLE), directives=(told,)) == {"east"}


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ("candidate.covers_line", {"east"}),
        ("candidate.holds_line", {"east"}),
        ("candidate.covers_order", {"east"}),
        ("candidate.holds_order", {"east"}),
        ("candidate.lines_covered == 2", {"east"}),
        ("candidate.physical == 6", {"soho"}),
    ],
)
def test_units_of_one_sku_are_not_given_to_two_lines(shop, make, condition, where):
    lamp = shop.lines[1]
    other = evolve(lamp.line, id="more")
    shop.lines = (evolve(lamp, open=3), evolve(lamp, line=other, open=4))
    shop.available = ({0: 7, 1: 6}, {0: 7, 1: 6})
    assert {node for _, node in shop.true_of(condition)} == where


def test_each_line_has_what_the_others_of_its_sku_leave(shop, make):
    lamp = shop.lines[1]
    other = evolve(lamp.line, id="more")
    shop.lines = (evolve(lamp, open=3), evolve(lamp, line=other, open=4))
    shop.available = ({0: 5}, {0: 5})
    assert ("lamp", "east") in shop.true_of("candidate.available == 1")
    assert ("more", "east") in shop.true_of("candidate.available == 2")


def test_why_a_node_is_barred_tells_what_is_available(shop, make):
    keep = make.rule("node.kind == 'store'", KEEP)
    told = shop.verdict(keep, make.rule(WHOLE), line="lamp", node="soho")
    assert told.bars is False
    assert ("candidate.covers_line", True) in told.values
    larger = make.rule("node.kind == 'store'", {"protect": {"quantity": 9}})
    told = shop.verdict(larger, make.rule(WHOLE), line="lamp", node="soho")
    assert told.bars
    assert told.values == (("candidate.covers_line", False),)
