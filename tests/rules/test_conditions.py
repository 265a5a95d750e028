"""What conditions mean: every form of the language, asked through the front door."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from domcore.errors import ConfigurationError

TRUE_OF_THE_ORDER = [
    "True",
    "order.channel == 'web'",
    "'web' == order.channel",
    "order.channel != 'b2b'",
    "order.value == 140.50",
    "order.value > 140.499999",
    "100 < order.value <= 140.5",
    "200.00 > order.value > 1_00.25",
    "order.channel in ['web', 'app']",
    "order.channel in ('web', 'app', 'pos', 'fax', 'mail')",
    "order.channel not in ['b2b']",
    "'rush' in order.tags",
    "'calm' not in order.tags",
    "order.service in order.tags or order.customer_tier == 'gold'",
    "'gold' in order.customer_tier",
    "order.number.startswith('#10')",
    "order.number.endswith(('01', '02'))",
    "destination.postal.startswith('100')",
    "'10000' <= destination.postal <= '10299'",
    "destination.region is not None",
    "not (order.units > 3)",
    "order.units == 3 and order.line_count == 2 and order.weight == 10900",
    "any(line.price >= 80.00 for line in lines)",
    "all(line.quantity > 0 for line in lines)",
    "none(line.sku == 'SOFA' for line in lines)",
    "any('hazmat' in line.tags for line in lines if line.open > 1)",
    "all(line.open > 1 for line in lines if 'hazmat' in line.tags)",
    "any(line.value > 60.00 and order.channel == 'web' for line in lines)",
    "now.weekday == 'friday' and now.hour == 12 and now.clock == '12:00'",
    "now.date == '2026-11-27'",
    "order.placed_at >= '2026-11-27' and order.placed_at < '2026-11-28'",
    "order.placed_at == '2026-11-27T12:00:00+00:00'",
    "hours_since(order.placed_at) == 0",
    "order.age == 0",
]

FALSE_OF_THE_ORDER = [
    "False",
    "order.value > 140.50",
    "100 < order.value < 140.5",
    "order.channel in []",
    "any(line.price > 80.50 for line in lines)",
    "all('hazmat' in line.tags for line in lines)",
    "none(line.sku == 'LAMP' for line in lines)",
    "now.weekday in ['saturday', 'sunday']",
    "days_since(order.placed_at) > 0.5",
]


@pytest.mark.parametrize("condition", TRUE_OF_THE_ORDER)
def test_it_is_true_and_its_negation_is_not(shop, condition):
    assert shop.holds(condition)
    assert not shop.holds(f"not ({condition})")


@pytest.mark.parametrize("condition", FALSE_OF_THE_ORDER)
def test_it_is_false_and_its_negation_is_not(shop, condition):
    assert not shop.holds(condition)
    assert shop.holds(f"not ({condition})")


@pytest.mark.parametrize(
    "condition",
    [
        "destination.country == 'US'",
        "destination.country != 'US'",
        "destination.country < 'X'",
        "destination.country in ['US', 'CA']",
        "destination.country not in ['US', 'CA']",
        "destination.country in ['A', 'B', 'C', 'D', 'US']",
        "destination.country.startswith('U')",
        "'U' in destination.country",
        "'U' not in destination.country",
        "destination.country is not None",
        "order.number == destination.country",
    ],
)
def test_a_missing_fact_makes_a_comparison_false_and_its_not_true(shop, condition):
    nowhere = shop.ordering(destination=None)
    assert not nowhere.holds(condition)
    assert nowhere.holds(f"not ({condition})")
    assert nowhere.holds("destination.country is None")


def test_lines_and_nodes_are_told_apart(shop):
    assert shop.true_of("'hazmat' in line.tags and 'hazmat-licence' not in node.tags") == {
        ("paint", "soho"),
        ("paint", "toronto"),
    }
    assert shop.true_of("line.category.startswith('home/')") == {
        ("lamp", "east"),
        ("lamp", "soho"),
        ("lamp", "toronto"),
    }
    assert shop.true_of("'sale' in line.tags and node.kind == 'dc'") == {("lamp", "east")}


def test_two_entities_may_be_compared(shop):
    abroad = {("paint", "toronto"), ("lamp", "toronto")}
    assert shop.true_of("node.country != destination.country") == abroad
    assert shop.true_of("destination.country != node.country") == abroad
    assert shop.true_of("not node.country == destination.country") == abroad
    assert shop.true_of("node.postal < destination.postal and node.kind == 'store'") == {
        ("paint", "soho"),
        ("lamp", "soho"),
    }
    assert shop.true_of("node.priority == line.quantity") == {("lamp", "east")}
    assert shop.true_of("node.priority > line.quantity") == {("paint", "soho"), ("lamp", "soho")}
    nights = shop.ordering(service="nights")
    assert {node for _, node in nights.true_of("order.service in node.tags")} == {
        "east",
        "toronto",
    }
    picked = shop.ordering(tags=("soho", "east"))
    assert {node for _, node in picked.true_of("node.id in order.tags")} == {"soho", "east"}


def test_candidates_are_asked_by_distance_and_stock(shop):
    assert {node for _, node in shop.true_of("candidate.distance_km <= 12.5")} == {"east"}
    assert {node for _, node in shop.true_of("candidate.distance_km > 12.499")} == {
        "east",
        "soho",
    }
    assert {node for _, node in shop.true_of("candidate.distance_km is None")} == {"toronto"}
    assert shop.true_of("candidate.covers_line") == {
        ("paint", "east"),
        ("lamp", "east"),
        ("lamp", "soho"),
    }
    assert shop.true_of("candidate.available in [1, 9]") == {
        ("paint", "soho"),
        ("lamp", "east"),
        ("lamp", "soho"),
    }
    assert {node for _, node in shop.true_of("not candidate.covers_order")} == {"soho", "toronto"}
    assert {node for _, node in shop.true_of("candidate.lines_covered == 1")} == {"soho"}
    assert shop.true_of("candidate.available < line.open") == {
        ("paint", "soho"),
        ("paint", "toronto"),
        ("lamp", "toronto"),
    }
    assert shop.true_of("candidate.available > node.priority") == {
        ("paint", "east"),
        ("lamp", "soho"),
    }


def test_sides_mix_freely_under_or_and_not(shop):
    assert shop.true_of("line.sku == 'PAINT' and (node.kind == 'dc' or order.value > 1000)") == {
        ("paint", "east")
    }
    assert shop.true_of("not (line.sku == 'PAINT' or node.kind == 'store')") == {("lamp", "east")}
    assert shop.true_of("line.sku == 'PAINT' or node.country != destination.country") == {
        ("paint", "east"),
        ("paint", "soho"),
        ("paint", "toronto"),
        ("lamp", "toronto"),
    }


def test_time_is_read_in_the_packs_own_zone(shop):
    assert shop.holds("now.hour == 7 and now.weekday == 'friday'", timezone="America/New_York")
    assert shop.holds("order.placed_at == '2026-11-27 07:00'", timezone="America/New_York")


def test_times_still_to_come_are_counted(shop):
    fact = [{"name": "order.wanted_by", "type": "time", "attribute": "ship_by"}]
    assert shop.holds("hours_until(order.wanted_by) == 24", fact=fact)
    assert shop.holds("days_until(order.wanted_by) <= 1.0", fact=fact)
    assert shop.holds("minutes_since(order.wanted_by) == -1440", fact=fact)
    assert not shop.ordering(attributes=()).holds("hours_until(order.wanted_by) < 48", fact=fact)


def test_promises_of_the_channel_are_times_that_may_be_missing(shop):
    soon = shop.ordering(ship_by=shop.now + timedelta(hours=6))
    assert soon.holds("hours_until(order.ship_by) == 6 and order.deliver_by is None")
    late = shop.ordering(deliver_by=shop.now - timedelta(days=2))
    assert late.holds("days_since(order.deliver_by) == 2 and order.ship_by is None")


def test_amounts_are_exact_to_the_millionth(shop):
    dear = shop.but(lines=(evolve(shop.lines[0], line=evolve(shop.lines[0].line, price=300_000)),))
    assert dear.holds("order.value == 0.6")
    assert dear.holds("order.value < 0.600001")


WRONG = [
    ("order.channel ==", 17, "not a condition"),
    ("order.vaule > 1", 1, "did you mean 'order.value'"),
    ("order.value > '1'", 15, "an amount such as 12.50"),
    ("order.value > 1.5e3", 15, "plain decimal"),
    ("order.value > 1.0000001", 15, "millionth"),
    ("order.units > 1.5", 15, "a whole number"),
    ("order.units > True", 15, "a whole number"),
    ("order.channel == 5", 18, "text in quotes"),
    ("order.channel > order.units", 1, "cannot be compared"),
    ("order.channel", 1, "compare it"),
    ("order.tags == 'rush'", 1, "'x' in order.tags"),
    ("order.tags", 1, "compare it"),
    ("'rush' in order.units", 11, "nothing is in it"),
    ("5 in order.tags", 1, "write it in quotes"),
    ("order.units in ['1']", 17, "a whole number"),
    ("order.placed_at > 'tomorrow'", 19, "not a time"),
    ("order.channel is 'web'", 18, "None only"),
    ("order.channel == None", 18, "is None"),
    ("1 == 1", 1, "two constants"),
    ("candidate.covers_line > False", 1, "no order"),
    ("order.units.startswith('1')", 1, "is for text"),
    ("hours_since(order.value) > 1", 1, "of type time"),
    ("hours_since(order.placed_at)", 1, "compare"),
    ("parameters.maximum > 1", 1, "no parameter"),
    ("any(node.kind == 'dc' for line in lines)", 1, "cannot read node"),
    ("any(any(line.open > 1 for line in lines) for line in lines)", 5, "inside another loop"),
    ("ä == 1", 1, "no fact"),
    ("order.channel == 'ä' and order.x == 1", 26, "no fact"),
]


@pytest.mark.parametrize(("condition", "column", "why"), WRONG)
def test_a_wrong_condition_is_refused_with_its_column(plain_shop, make, condition, column, why):
    with pytest.raises(ConfigurationError) as refused:
        plain_shop.program(make.rule(condition))
    assert f"rule r1, column {column}:" in str(refused.value)
    assert why in str(refused.value)
    assert refused.value.source == "p.toml"
