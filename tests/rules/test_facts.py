"""Where facts come from: built in, read from attributes, given by plugins."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore.errors import ConfigurationError, PluginError
from domcore.model.facts import FactSpec
from domcore.rules import FactRegistry


def fact(name: str, kind: str, **more: str) -> dict:
    return {"name": name, "type": kind, **more}


def test_a_pack_reads_free_attributes_of_orders_lines_and_nodes(shop, make):
    facts = [
        fact("order.gift_wrap", "bool"),
        fact("node.dock_count", "int", attribute="docks"),
        fact("node.cold", "bool"),
        fact("line.engraving", "text"),
    ]
    assert shop.holds("order.gift_wrap", fact=facts)
    assert shop.true_of("node.dock_count >= 4 and node.cold", fact=facts) == {
        ("paint", "east"),
        ("lamp", "east"),
    }
    lamp = make.line(shop.lines[1].item, 1, 5, attributes=(("engraving", "To Ann"),))
    engraved = shop.but(lines=(shop.lines[0], lamp))
    assert {line for line, _ in engraved.true_of("line.engraving is not None", fact=facts)} == {
        "lamp"
    }


def test_a_line_without_the_attribute_has_its_items(shop, make):
    item = evolve(shop.lines[0].item, attributes=(("shelf", "A1"), ("class", "X")))
    line = make.line(item, 1, 5, attributes=(("class", "Y"),))
    facts = [fact("line.shelf", "text"), fact("line.grade", "text", attribute="class")]
    assert shop.but(lines=(line,)).barred(
        make.rule("line.shelf == 'A1' and line.grade == 'Y'"), fact=facts
    )["paint"]


@pytest.mark.parametrize(
    ("kind", "value", "condition"),
    [
        ("decimal", "1.25", "order.x == 1.25"),
        ("decimal", 3, "order.x == 3"),
        ("money", "19.99", "order.x < 20"),
        ("texts", "a, b,c", "'b' in order.x"),
        ("time", "2026-11-28", "order.x > now.time"),
        ("int", 7, "order.x in [5, 6, 7, 8]"),
    ],
)
def test_attributes_are_brought_into_their_type(shop, kind, value, condition):
    there = shop.ordering(attributes=(("x", value),))
    assert there.holds(condition, fact=[fact("order.x", kind)])


@pytest.mark.parametrize("value", [True, 1, "true", "TRUE", " Yes ", "yes", "1"])
def test_a_flag_is_true_in_every_spelling(shop, value):
    there = shop.ordering(attributes=(("x", value),))
    assert there.holds("order.x", fact=[fact("order.x", "bool")])


@pytest.mark.parametrize("value", [False, 0, "false", "False", " no", "0"])
def test_a_flag_is_false_in_every_spelling(shop, value):
    there = shop.ordering(attributes=(("x", value),))
    assert there.holds("order.x == False", fact=[fact("order.x", "bool")])


@pytest.mark.parametrize(
    ("kind", "value", "condition"),
    [
        ("int", "3", "order.x == 3"),
        ("int", " -12 ", "order.x == -12"),
        ("int", "+7", "order.x == 7"),
        ("int", "007", "order.x == 7"),
        ("int", "3.0", "order.x == 3"),
        ("decimal", " 1.25 ", "order.x == 1.25"),
        ("money", " 19.99", "order.x == 19.99"),
        ("text", 5, "order.x == '5'"),
        ("text", True, "order.x == 'true'"),
        ("texts", 5, "'5' in order.x"),
        ("time", " 2026-11-28 ", "order.x > now.time"),
    ],
)
def test_text_and_numbers_are_read_alike_whatever_file_they_come_from(shop, kind, value, condition):
    there = shop.ordering(attributes=(("x", value),))
    assert there.holds(condition, fact=[fact("order.x", kind)])


@pytest.mark.parametrize("kind", ["bool", "int", "decimal", "money", "text", "texts", "time"])
def test_an_empty_cell_is_missing_and_nothing_is_said(shop, kind, make):
    empty = shop.ordering(attributes=(("x", "  "),))
    policy = empty.judge(make.rule("order.x is None", "hold"), fact=[fact("order.x", kind)])
    assert (len(policy.holds), policy.unread) == (1, ())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bool", 2), ("bool", "maybe"), ("bool", "on"), ("int", True), ("int", "5.5"),
        ("int", "five"), ("int", "9" * 400), ("int", "1_000"), ("decimal", "1e5"),
        ("decimal", "NaN"), ("decimal", True), ("money", 10**30), ("money", "1,50"),
        ("time", "soon"), ("time", 5), ("time", "9999-99-99"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_missing_and_is_told(shop, kind, value, make):
    odd = shop.ordering(attributes=(("x", value),))
    policy = odd.judge(make.rule("order.x is None", "hold"), fact=[fact("order.x", kind)])
    assert policy.holds
    (told,) = policy.unread
    assert told.startswith("the order's attribute 'x' is not ")
    assert told.endswith("so order.x is missing")


def test_a_node_or_line_whose_attribute_cannot_be_read_is_named(shop, make):
    facts = [fact("node.dock_count", "int", attribute="docks"), fact("line.shelf", "int")]
    nodes = (evolve(shop.nodes[0], attributes=(("docks", "many"),)), *shop.nodes[1:])
    item = evolve(shop.lines[0].item, attributes=(("shelf", "A1"),))
    odd = shop.but(nodes=nodes, lines=(make.line(item, 1, 5),))
    told = odd.judge(make.rule("node.dock_count > 2 and line.shelf > 1"), fact=facts).unread
    assert [words.partition(":")[0] for words in told] == ["item PAINT", "node east"]


def test_what_no_rule_reads_is_not_told(shop, make):
    odd = shop.ordering(attributes=(("x", "maybe"),))
    assert not odd.judge(make.rule("True", "hold"), fact=[fact("order.x", "bool")]).unread


def test_a_node_that_is_no_candidate_is_not_told(shop, make):
    nodes = (*shop.nodes[:2], evolve(shop.nodes[2], attributes=(("docks", "many"),)))
    facts = [fact("node.docks", "int")]
    odd = shop.but(nodes=nodes)
    request = odd.request(candidates=0b011)
    assert not odd.judge(make.rule("node.docks > 2"), fact=facts, request=request).unread


def test_a_pack_cannot_declare_what_is_built_in_or_declared_otherwise(plain_shop, make):
    with pytest.raises(ConfigurationError, match="built in"):
        plain_shop.program(make.rule("True"), fact=[fact("order.value", "int")])
    from domcore.rules import Activation

    one = make.pack(fact=[fact("order.x", "int")])
    other = make.pack(name="q", fact=[fact("order.x", "text")])
    with pytest.raises(ConfigurationError, match="declares it differently"):
        plain_shop.programs((one, Activation("p")), (other, Activation("q")))


ACME = FactRegistry(
    [
        FactSpec("order.acme.score", "order", "decimal", nullable=True),
        FactSpec("line.acme.fragile", "line", "bool"),
        FactSpec("node.acme.load", "node", "int", "orders"),
        FactSpec("node.acme.zones", "node", "texts"),
        FactSpec("candidate.acme.days", "candidate", "int", "days", nullable=True),
    ]
)


def test_plugins_give_facts_of_every_entity(shop, make):
    given = shop.but(
        facts=ACME,
        node_facts={"east": {"node.acme.load": 90, "node.acme.zones": ("NY", "NJ")}},
    )
    request = given.request(
        extra={
            "order.acme.score": 2_500_000,
            "line.acme.fragile": {"lamp": True},
            "candidate.acme.days": {"soho": 2, "east": None},
        }
    )

    def barred(condition: str) -> tuple[int, ...]:
        return given.judge(make.rule(condition), request=request).first.barred

    assert barred("order.acme.score == 2.5") == (7, 7)
    assert barred("line.acme.fragile") == (0, 7)
    assert barred("node.acme.load > 80 and destination.region in node.acme.zones") == (1, 1)
    assert barred("candidate.acme.days <= 2") == (2, 2)
    assert barred("candidate.acme.days is None") == (5, 5)


@pytest.mark.parametrize(
    "value",
    [2.5, float("nan"), True, "5", 10**17],
)
def test_a_plugins_value_that_does_not_fit_names_the_plugin(shop, make, value):
    given = shop.but(facts=ACME)
    request = given.request(extra={"order.acme.score": value})
    with pytest.raises(
        PluginError, match=r"plugin 'acme', hook 'gather_facts': order\.acme\.score"
    ):
        given.judge(make.rule("order.acme.score > 1", "hold"), request=request)


def test_a_value_that_may_not_be_missing_names_the_plugin(shop, make):
    given = shop.but(facts=ACME, node_facts={"east": {"node.acme.load": None}})
    with pytest.raises(PluginError, match="never to be missing"):
        given.judge(make.rule("node.acme.load > 1"))


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (FactSpec("order.x", "order", "int"), "is named"),
        (FactSpec("line.acme.x", "order", "int"), "is named"),
        (FactSpec("order.acme.x", "ordre", "int"), "did you mean 'order'"),
        (FactSpec("order.acme.x", "order", "float"), "no type"),
        (FactSpec("order.acme.score", "order", "int"), "declared twice"),
    ],
)
def test_a_fact_that_is_not_well_declared_is_refused(spec, why):
    with pytest.raises(ConfigurationError, match=why):
        FactRegistry([ACME["order.acme.score"], spec])


def test_the_registry_describes_every_fact():
    table = FactRegistry().describe()
    for name in FactRegistry():
        assert f"| `{name}` |" in table


def test_overlong_text_is_cut_and_huge_amounts_are_bounded(shop, make):
    huge = shop.ordering(number="#" * 10_000)
    assert huge.holds("order.number.startswith('###')")
    lines = (make.line(shop.lines[0].item, 10**9, 9 * 10**15),)
    assert shop.but(lines=lines).holds("order.value > 8_999_999_999")
