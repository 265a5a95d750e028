"""Where facts come from: built in, read from attributes, given by plugins."""

from __future__ import annotations

import pytest

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
    from attrs import evolve

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


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bool", 1), ("bool", "true"), ("int", True), ("int", "5"), ("decimal", "1e5"),
        ("decimal", "NaN"), ("money", 10**30), ("text", 5), ("texts", True), ("time", "soon"),
        ("time", 5),
    ],
)  # fmt: skip
def test_an_attribute_of_another_type_counts_as_missing(shop, kind, value):
    odd = shop.ordering(attributes=(("x", value),))
    assert odd.holds("order.x is None", fact=[fact("order.x", kind)])


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
