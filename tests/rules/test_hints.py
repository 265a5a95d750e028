"""What a message on a mistake says leads to the cure."""

from __future__ import annotations

import pytest

from domcore.errors import ConfigurationError
from domcore.rules import FactRegistry, parse_pack
from domcore.rules.expression import MOST_IN_LIST
from domcore.rules.hints import MEANT


@pytest.mark.parametrize(
    ("condition", "cure"),
    [
        ("order.country == 'US'", "did you mean 'destination.country' or 'node.country'?"),
        ("order.sku == 'A'", "did you mean 'line.sku'?"),
        ("order.subtotal > 100", "did you mean 'order.value'?"),
        ("node.distance_km > 5", "did you mean 'candidate.distance_km'?"),
        ("order.chanel == 'web'", "did you mean 'order.channel'?"),
        ("order.channel == web", "text is written in quotes: 'web'"),
        (
            "order.channel in [web]",
            "column 19: a value is needed here; text is written in quotes: 'web'",
        ),
        ("order.channel == Größe", "text is written in quotes: 'Größe'"),
    ],
)
def test_a_fact_that_there_is_not_leads_to_the_one_that_is_meant(plain_shop, make, condition, cure):
    with pytest.raises(ConfigurationError) as refused:
        plain_shop.program(make.rule(condition))
    assert cure in str(refused.value)


def test_every_name_that_is_expected_leads_to_a_fact_that_there_is():
    facts = FactRegistry()
    assert not set(MEANT) & set(facts)
    assert set(MEANT.values()) <= set(facts)


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ("'é' == order.channel and and", "column 26"),
        ("  order.units >", "column 16"),
        ("  order.bad == 1", "column 3"),
        ("order.units > 1\n  and order.bad == 1", "column 7 of line 2"),
        ("order.units > 1\nand and", "column 5 of line 2"),
        ("\n  order.units > 1 and é.bad > 1", "column 23 of line 2"),
        ("order.units > 1 \\ 2", "column 17"),
    ],
)
def test_the_place_of_a_mistake_is_that_in_the_text_as_it_was_written(
    plain_shop, make, condition, place
):
    with pytest.raises(ConfigurationError) as refused:
        plain_shop.program(make.rule(condition))
    assert f"rule r1, {place}:" in str(refused.value)


def test_blanks_around_a_condition_are_no_content(make):
    spaced = make.pack(make.rule("\n  order.units > 1\n"))
    assert spaced == make.pack(make.rule("order.units > 1"))
    assert spaced.digest == make.pack(make.rule("order.units > 1")).digest


@pytest.mark.parametrize(
    ("parameter", "why"),
    [
        (
            {"type": "texts", "default": ["x"] * (MOST_IN_LIST + 1)},
            "1,001 texts; a parameter has at most 1,000",
        ),
        ({"type": "texts", "default": ["x" * 1_001]}, "a text has at most 1,000"),
        ({"type": "text", "default": "x" * 1_001}, "a text has at most 1,000"),
        ({"type": "texts", "default": "x"}, "'x' is not texts"),
    ],
)
def test_a_limit_of_parameters_is_told_by_its_number(parameter, why):
    tree = {"format": 1, "name": "p", "version": "1", "parameters": {"x": parameter}}
    with pytest.raises(ConfigurationError, match=why):
        parse_pack(tree)
