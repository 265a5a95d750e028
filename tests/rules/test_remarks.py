"""What is odd about rules that can be used is said, and what is meant is not complained of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.rules import Activation, FactRegistry, compile_program
from domcore.rules.checker import Environment, check
from domcore.rules.engines.python import PythonEngine
from domcore.rules.expression import read
from domcore.rules.remarks import Known, activation_remarks, remarks_on
from domcore.rules.satisfiable import is_possible


@pytest.fixture
def told(plain_shop, make):
    """``told(rule, ...)``: level and words of every remark."""

    def ask(*rules, known=None, **top):
        program = plain_shop.program(*rules, **top)
        found = remarks_on(program, known or Known(), plain_shop.now)
        return [(each.level, str(each)) for each in found]

    return ask


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("now.weekday == 'sat'", ["'sat'", "did you mean 'saturday'"]),
        ("now.weekday in ['Saturday', 'sunday']", ["'Saturday'", "did you mean 'saturday'"]),
        ("now.weekday != 'samstag'", ["'samstag'", "monday, tuesday"]),
        ("now.clock >= '5pm'", ["'5pm'", "did you mean '17:00'"]),
        ("now.clock < '9:30'", ["did you mean '09:30'"]),
        ("now.clock < '24:00'", ["'00:00' to '23:59'"]),
        ("now.date == '24.12.2026'", ["'2026-11-27'"]),
        ("node.kind == 'warehouse'", ["'warehouse'", "dc, store, vendor, 3pl, hub"]),
        ("destination.country == 'USA'", ["did you mean 'US'"]),
        ("destination.country == 'uk'", ["did you mean 'GB'"]),
        ("destination.country == 'PR'", ["country 'US' as region 'PR'"]),
        ("node.country in ['de', 'AT']", ["'de'", "did you mean 'DE'"]),
        ("destination.region == 'Bayern'", ["code in capitals"]),
        ("destination.postal in ['K1A 0B1']", ["'K1A0B1'"]),
        ("order.currency == '€'", ["ISO 4217"]),
        ("any(line.open > 1 and now.weekday == 'sun' for line in lines)", ["'sun'"]),
    ],
)
def test_a_word_that_a_fact_can_never_have_is_wrong(told, make, condition, words):
    ((level, said),) = told(make.rule(condition))
    assert level == "wrong"
    assert said.startswith("rule p/r1: ")
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    "condition",
    [
        "now.weekday in ['saturday', 'sunday']",
        "now.clock >= '17:00' or now.clock < '09:30'",
        "now.date in ['2026-12-24', '2027-01-01']",
        "node.kind == 'store'",
        "destination.country in ['US', 'GB', 'DE'] and node.country != 'CA'",
        "destination.region == 'NY' and destination.postal.startswith(['100', 'K1A'])",
        "order.units > 1 and order.units < 3",
        "order.value >= 20.00 and order.value <= 20.00",
        "order.number.startswith('A') and order.number.endswith('A') and order.number != 'A'",
        "order.number > '5' and 'X' in order.number",
        "'a' in order.tags and 'b' in order.tags and 'c' not in order.tags",
        "order.customer_tier is None or order.customer_tier == 'gold'",
        "hours_since(order.placed_at) < -1",
        "node.country == destination.country and node.country != 'US'",
        "all(line.price > 5.00 for line in lines) and any(line.price < 6.00 for line in lines)",
        "any(line.sku == 'A' for line in lines) and any(line.sku == 'B' for line in lines)",
        "True",
        "False",
    ],
)
def test_what_may_be_meant_is_not_complained_of(told, make, condition):
    then = "exclude" if "node." in condition else "hold"
    assert told(make.rule(condition, then)) == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("order.units > 5 and order.units < 3", "order.units > 5 and order.units < 3"),
        ("order.units > 5 and order.units < 6", "can never be true"),
        ("order.value < 0.00", "order.value < 0.00"),
        ("now.hour == 24", "now.hour == 24"),
        ("now.clock >= '17:00' and now.clock < '09:00'", "can never be true"),
        ("node.kind == 'store' and node.kind == 'dc'", "can never be true"),
        ("order.channel == 'a' and order.channel in ['b', 'c']", "can never be true"),
        ("order.channel.startswith('a') and order.channel == 'b'", "can never be true"),
        ("order.channel is None", "order.channel"),
        ("'x' in order.tags and 'x' not in order.tags", "can never be true"),
        ("node.country == 'US' and not node.country == 'US'", "can never be true"),
        ("any(line.open > 2 and line.open < 2 for line in lines)", "can never be true"),
        (
            "order.units > 9 or (now.hour < 3 and now.hour > 4)",
            "one side of its 'or' can never be true: now.hour < 3 and now.hour > 4",
        ),
    ],
)
def test_what_can_never_be_true_is_wrong_and_its_parts_are_named(told, make, condition, words):
    ((level, said),) = told(make.rule(condition))
    assert level == "wrong"
    assert words in said


def test_what_is_always_true_and_what_is_over_is_odd(told, make):
    said = told(
        make.rule("order.units >= 0", "hold"),
        make.rule("node.kind in ['dc', 'store', 'vendor', '3pl', 'hub']"),
        make.rule("True", "hold", until="2020-12-24"),
    )
    assert [level for level, _ in said] == ["odd"] * 4
    assert "write True" in said[0][1]
    assert "excludes every node" in said[2][1]
    assert "over since 2020-12-25 00:00 UTC" in said[3][1]


def test_a_switch_that_is_off_is_meant(told, make):
    off = {"home": {"type": "text", "default": ""}}
    rule = make.rule("parameters.home != '' and destination.country != parameters.home")
    assert told(rule, parameters=off) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("node.kind == 'dc'", "require"), ("node.kind == 'store'", "require")),
        (("node.kind == 'dc'", "require"), ("node.kind == 'dc'", "exclude")),
        (
            ("order.channel == 'b2b' and 'x' in node.tags", "require"),
            ("order.channel == 'b2b' and 'x' in node.tags", "exclude"),
        ),
    ],
)
def test_rules_that_leave_no_node_together_are_wrong(told, make, one, other):
    ((level, said),) = told(make.rule(*one), make.rule(*other))
    assert (level, said) == ("wrong", "rule p/r1: together with p/r2 it leaves no node at all")


def test_rules_that_speak_of_different_orders_or_give_way_leave_nodes(told, make):
    assert told(
        make.rule("order.channel == 'a' and node.kind == 'dc'", "require"),
        make.rule("order.channel == 'b' and node.kind == 'store'", "require"),
        make.rule("node.kind == 'vendor'", "require", soft=True),
        make.rule("node.kind == 'hub'"),
    ) == []  # fmt: skip


def test_one_fact_set_to_two_values_is_wrong(told, make):
    two = [make.rule("True", {"set": {"order.class": word}}) for word in "ab"]
    ((level, said),) = told(*two)
    assert level == "wrong"
    assert "p/r2: sets order.class to another value than p/r1" in said
    assert told(two[0], {**two[1], "priority": 1}) == []


def test_what_is_not_there_is_odd_where_somebody_has_looked(told, make):
    known = Known(
        {"order.channel": {"shop"}, "node.id": {"NYC"}, "node.tags": {"cold"}}, skus={"A"}
    )
    rules = [
        make.rule("order.channel == 'shopp'", "hold"),
        make.rule("node.id in ['NYC', 'NYX']"),
        make.rule("line.sku == 'B' and 'cool' in node.tags"),
        make.rule("order.total > 100", "hold"),
    ]
    said = told(*rules, known=known)
    assert [level for level, _ in said] == ["odd", "odd", "odd", "note", "note"]
    for (_, words), wanted in zip(said, ("'shop'", "'NYC'", "SKU 'B'", "'cold'", "order.value"),
                                  strict=True):  # fmt: skip
        assert wanted in words
    assert [level for level, _ in told(*rules)] == ["note"]


def test_what_stands_in_a_list_of_the_pack_is_looked_at_too(told, make):
    lists = {"x": {"values": ["10014", "K1A 0B1"]}, "skus": {"values": ["A", "B"]}}
    rules = [
        make.rule("destination.postal in lists.x", "hold"),
        make.rule("line.sku in lists.skus"),
        make.rule("destination.postal in lists.x and destination.postal == 'X'", "hold"),
    ]
    said = told(*rules, known=Known(skus={"A"}), lists=lists)
    assert [level for level, _ in said] == ["wrong", "odd", "wrong"]
    assert "'K1A 0B1'" in said[0][1]
    assert "SKU 'B'" in said[1][1]


def test_what_is_switched_on_for_nobody_or_twice_is_told():
    known = Known({"order.channel": {"shop"}, "node.id": {"NYC"}})
    found = activation_remarks(
        [
            Activation("a", channels=("shopp",)),
            Activation("b", owner="mian"),
            Activation("c", layer="partner", nodes=("NYX",)),
            Activation("d"),
            Activation("d"),
            Activation("e", parameters={"x": 1}),
            Activation("e", channels=("shop",), parameters={"x": 2}),
        ],
        {"main"},
        known,
    )
    assert [(each.level, each.message) for each in found] == [
        ("odd", "[[activate]] of a: no channel 'shopp' is configured; did you mean 'shop'?"),
        (
            "wrong",
            "[[activate]] of b: there is no owner 'mian'; did you mean 'main'?",
        ),
        (
            "odd",
            "[[activate]] of c: there is no node 'NYX' in the network; did you mean 'NYC'?",
        ),
        ("wrong", "[[activate]] of d stands there twice; it counts once"),
        (
            "odd",
            "e is activated more than once for the same orders: its costs count twice there",
        ),
    ]


def test_a_pack_for_two_channels_or_for_two_partners_is_no_pack_twice():
    assert activation_remarks(
        [
            Activation("a", channels=("x",)),
            Activation("a", channels=("y",)),
            Activation("p", layer="partner", nodes=("N",)),
            Activation("p", layer="partner", nodes=("M",)),
        ],
        {"main"},
        Known(),
    ) == []  # fmt: skip


FACTS = Environment(FactRegistry(), {})
PARTS = st.sampled_from(
    [
        "order.units > 3", "order.units < 2", "order.units == 3", "order.units != 3",
        "order.channel == 'a'", "order.channel in ['a', 'b']", "order.channel.startswith('b')",
        "order.channel > 'a'", "'x' in order.tags", "order.customer_tier is None",
        "order.customer_tier == 'gold'", "order.shipping < 2.00", "order.shipping is not None",
    ]
)  # fmt: skip
CONDITIONS = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" and ".join).map("({})".format),
        st.tuples(inner, inner).map(" or ".join).map("({})".format),
        inner.map("not ({})".format),
    ),
    max_leaves=6,
)


@given(
    CONDITIONS, st.integers(1, 5), st.sampled_from(["a", "b", "bc", "c"]), st.booleans(),
    st.sampled_from(["", "gold", "x"]), st.sampled_from([None, 0, 1_000_000, 3_000_000]),
)  # fmt: skip
def test_what_is_true_of_some_order_is_never_called_impossible(
    example_shop, condition, units, channel, tagged, tier, shipping
):
    """A shop's order is a witness: what it makes true cannot be impossible."""
    line = example_shop.lines[0]
    shop = example_shop.ordering(
        channel=channel, tags=("x",) if tagged else (), customer_tier=tier, shipping=shipping
    ).but(lines=(type(line)(line.line, line.item, units),), available=({},))
    nullable = frozenset(name for name, spec in FactRegistry().items() if spec.nullable)
    if shop.holds(condition):
        assert is_possible(check(read(condition), FACTS), nullable=nullable)


def test_a_program_keeps_the_facts_it_may_read(make):
    program = compile_program(
        [(make.pack(make.rule("True", {"set": {"order.vip": True}})), Activation("p"))],
        engine=PythonEngine(),
    )
    assert program.specs["order.vip"].nullable
