"""An order over its whole life: what is placed already, and the rest that is still open."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore.errors import ConfigurationError
from domcore.rules import OpenLine


@pytest.fixture
def begun(shop, make):
    """The shop's order once its two tins of paint have left, and one of three lamps."""
    paint, lamp = shop.lines
    shop.lines = (OpenLine(make.line(lamp.item, 3, 80_000_000).line, lamp.item, 2, 1),)
    rest = (OpenLine(paint.line, paint.item, 0, 2),)
    whole = evolve(shop.order, lines=(paint.line, shop.lines[0].line))

    def holds(condition, **top):
        request = evolve(shop.request(rest=rest), order=whole)
        return bool(shop.judge(make.rule(condition, "hold"), request=request, **top).holds)

    return holds


@pytest.mark.parametrize(
    "condition",
    [
        "order.line_count == 2 and order.open_line_count == 1",
        "order.units == 5 and order.open_units == 2",
        "order.weight == 12700 and order.open_weight == 1800",
        "order.value == 300.00 and order.open_value == 160.00",
        "any('hazmat' in line.tags for line in lines)",
        "none('hazmat' in line.tags for line in open_lines)",
        "all(line.open >= 1 for line in open_lines)",
        "not all(line.open >= 1 for line in lines)",
        "any(line.weight == 2700 and line.open_weight == 1800 for line in lines)",
        "any(line.open_value == 160.00 for line in open_lines)",
        "any(line.sku == 'PAINT' and line.open == 0 for line in lines)",
    ],
)
def test_the_whole_order_and_its_open_rest_have_names_of_their_own(begun, condition):
    assert begun(condition)


def test_before_anything_is_placed_the_two_are_the_same(shop):
    assert shop.holds(
        "order.units == order.open_units and order.weight == order.open_weight"
        " and order.line_count == order.open_line_count and order.value == order.open_value"
    )
    assert shop.holds("any('hazmat' in line.tags for line in open_lines)")


def test_rules_say_nothing_of_a_line_that_is_placed(shop, make):
    paint, lamp = shop.lines
    shop.lines = (lamp,)
    request = shop.request(rest=(OpenLine(paint.line, paint.item, 0, 2),))
    program = shop.program(
        make.rule("'hazmat' in line.tags"), make.rule("line.weight > 0 and node.kind == 'store'")
    )
    state = shop.state(program)
    policy = program.judge(request, state)
    assert len(policy.first.barred) == 1
    spoken = program.directives(policy, request, state)
    assert {(each.rule, each.lines) for each in spoken} == {("p/r2", ("lamp",))}


def test_facts_are_derived_of_placed_lines_too(begun):
    from_line = {"id": "heavy", "when": "line.weight > 9000", "then": {"set": {"line.big": True}}}
    of_order = {
        "id": "bulky",
        "when": "any(line.big for line in lines)",
        "then": {"set": {"order.bulky": True}},
    }
    rules = [from_line, of_order, {"id": "hold", "when": "order.bulky", "then": "hold"}]
    assert begun("order.bulky", rule=rules)


def test_a_loop_goes_over_nothing_else(plain_shop, make):
    with pytest.raises(ConfigurationError, match="for line in lines"):
        plain_shop.program(make.rule("any(line.open > 1 for line in closed_lines)"))
