"""What rules add to the cost is charged once for what it is a cost of, and told rule by rule."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domcore import ActivationSettings, Domcore, Settings, hookimpl
from domcore.model import Directive, OrderLine, Plan, decimal_text, half_even, micros
from domcore.testing.builder import World

OWN = ("rate", "handling")
BY_ORDER, BY_LINE = "order.channel == 'web'", "line.price > 1.00"


def rule(name: str, when: str, then: str) -> str:
    return f'[[rule]]\nid = "{name}"\nwhen = """{when}"""\nthen = {then}\n'


def cost(name: str, when: str, amount: str, per: str) -> str:
    return rule(name, when, f'{{ cost = {{ amount = "{amount}", per = "{per}" }} }}')


class Says:
    """A judging plugin that says always the same."""

    def __init__(self, *directives: Directive) -> None:
        self.directives = directives

    @hookimpl
    def judge(self) -> list[Directive]:
        return list(self.directives)


def fee(amount: str, per: str, *lines: str, name: str = "gift/fee") -> Directive:
    arguments = {"amount": micros(amount), "per": per}
    return Directive(name, "cost", lines=lines or None, arguments=arguments)


@pytest.fixture
def shop(tmp_path):
    """Opens a shop with one node that has everything, under these rules."""
    opened: list[Domcore] = []

    def open_shop(*rules: str, world: World | None = None, plugins=None) -> Domcore:
        folder = tmp_path / "mine"
        folder.mkdir()
        head = 'format = 1\nname = "mine"\nversion = "1.0.0"\ncurrency = "USD"\n'
        (folder / "ruleset.toml").write_text(head + "".join(rules), encoding="utf-8")
        if world is None:
            world = World().node("NYC", at=(40.7, -74.0)).item("MUG", weight=400)
            world.stock("MUG", NYC=50)
        settings = Settings(
            store="memory:",
            owners={"main": "USD"},
            rulesets=(str(tmp_path),),
            activate=(ActivationSettings("mine"),),
        )
        opened.append(world.open(settings, plugins=plugins or {}))
        return opened[-1]

    yield open_shop
    for dom in opened:
        dom.close()


def plan_of(dom: Domcore, units: Sequence[int], prices: Sequence[str] = ()) -> Plan:
    """What becomes of an order whose lines all want one SKU."""
    lines = tuple(
        OrderLine(str(number), "MUG", each, price=micros(price))
        for number, (each, price) in enumerate(
            zip(units, prices or ["10.00"] * len(units), strict=True), 1
        )
    )
    dom.capture(evolve(World().order("1", MUG=1), lines=lines))
    dom.route()
    told = dom.explain("1")
    assert told.replayed
    planned = Plan(parcels=told.parcels)
    assert planned.cost == told.cost == sum(each.cost for each in told.certificates)
    return planned


def added(plan: Plan) -> dict[str, str]:
    """What rules add, in all, by name."""
    sums: dict[str, int] = {}
    for parcel in plan.parcels:
        for term in parcel.terms:
            if term.name not in OWN:
                sums[term.name] = sums.get(term.name, 0) + term.amount
    return {name: decimal_text(amount) for name, amount in sums.items()}


@pytest.mark.parametrize("when", [BY_ORDER, BY_LINE])
@pytest.mark.parametrize(("per", "right"), [("unit", "5.00"), ("line", "1.00"), ("kg", "2.00")])
@pytest.mark.parametrize("units", [(5,), (2, 3), (1, 1, 3)])
def test_a_sku_on_several_lines_costs_what_it_costs_on_one(shop, when, per, right, units):
    assert added(plan_of(shop(cost("fee", when, "1.00", per)), units)) == {"mine/fee": right}


@pytest.mark.parametrize("per", ["parcel", "km"])
def test_a_cost_of_the_parcel_is_charged_once_however_many_lines_it_holds(shop, per):
    dom = shop(cost("fee", "any(line.price > 1.00 for line in lines)", "0.10", per))
    plan = plan_of(dom, (2, 3))
    (parcel,) = plan.parcels
    right = 100_000 if per == "parcel" else half_even(100_000 * parcel.distance, 1000)
    assert added(plan) == {"mine/fee": decimal_text(right)}


@pytest.mark.parametrize(
    ("directives", "right"),
    [
        ([fee("1.00", "unit")], "5.00"),
        ([fee("1.00", "unit", "1", "2")], "5.00"),
        ([fee("1.00", "unit", "1"), fee("1.00", "unit", "2")], "5.00"),
        ([fee("1.00", "unit", "1"), fee("3.00", "unit", "2")], "15.00"),
        ([fee("1.00", "unit"), fee("0.50", "unit", "2")], "7.50"),
        ([fee("1.00", "unit", "1"), fee("1.00", "unit", "1")], "10.00"),
        ([fee("1.00", "line", "1", "2")], "1.00"),
        ([fee("1.00", "line", "1"), fee("1.00", "line", "2")], "1.00"),
        ([fee("1.00", "parcel")], "1.00"),
    ],
)
def test_what_a_plugin_says_of_two_lines_of_one_sku_is_charged_once(shop, directives, right):
    dom = shop(plugins={"gift": Says(*directives)})
    assert added(plan_of(dom, (2, 3))) == {"gift/fee": right}
    assert [word.rule for word in dom.explain("1").rules][:1] == ["gift/fee"]


def test_two_rules_on_two_lines_of_one_sku_are_two_costs(shop):
    dom = shop(
        cost("cheap", "line.price < 5.00", "1.00", "unit"),
        cost("dear", "line.price >= 5.00", "2.00", "unit"),
    )
    found = added(plan_of(dom, (1, 1), ("1.00", "9.00")))
    assert found == {"mine/cheap": "2.00", "mine/dear": "4.00"}


@pytest.mark.parametrize(
    ("verb", "sources"),
    [
        ('"exclude"', ["LAX", "LAX"]),
        ("{ protect = { quantity = 3 } }", ["LAX", "LAX"]),
    ],
)
def test_what_bars_a_node_from_one_line_of_a_sku_bars_it_from_the_other(shop, verb, sources):
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", NYC=3, LAX=9)
    dom = shop(rule("no", "line.price > 5.00 and node.id == 'NYC'", verb), world=world)
    plan_of(dom, (2, 1), ("9.00", "1.00"))
    assert [line.sources[0][0] for line in dom.explain("1").lines] == sources


def test_require_keeps_the_nodes_that_fit_every_line_of_a_sku(shop):
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", NYC=9, LAX=9)
    dom = shop(rule("west", "line.price > 5.00 and node.id == 'LAX'", '"require"'), world=world)
    plan_of(dom, (2, 1), ("9.00", "1.00"))
    assert [line.sources for line in dom.explain("1").lines] == [(("LAX", 2),), (("LAX", 1),)]


def test_each_rule_has_a_term_of_its_own_with_what_it_adds(shop):
    dom = shop(
        cost("far", "True", "3.00", "parcel"),
        cost("pick", "True", "0.45", "unit"),
        cost("none", "True", "0", "unit"),
    )
    (parcel,) = plan_of(dom, (2,)).parcels
    rules = [(term.name, term.amount) for term in parcel.terms if term.name not in OWN]
    assert rules == [("mine/far", micros("3.00")), ("mine/pick", micros("0.90"))]
    told = dom.explain("1")
    assert {word.rule: word.amount for word in told.rules} == {
        "mine/far": micros("3.00"),
        "mine/pick": micros("0.90"),
        "mine/none": None,
    }
    assert "mine/far 1.0.0 (cost 3.00 USD)" in told.to_text()
    tree = json.loads(json.dumps(told.to_dict()))
    assert [word.get("amount") for word in tree["rules"]] == ["3.00", "0.90", None]


def test_a_record_names_rules_by_number_and_is_told_by_name(shop):
    dom = shop(cost("far", "True", "3.00", "parcel"), plugins={"gift": Says(fee("1.00", "unit"))})
    plan_of(dom, (2,))
    (decision,) = dom.store.decisions(1)
    (row,) = json.loads(decision.record)["parcels"]
    assert [term for term in row[4] if term[0] not in OWN] == [[0, 3_000_000], [1, 2_000_000]]


def test_a_line_that_leaves_in_two_parcels_touches_a_node_once(shop):
    world = World().node("NYC", at=(40.7, -74.0), handling=("0", "0", "0"))
    world.item("MUG", weight=400).item("POT", weight=400).stock("MUG", NYC=9).stock("POT", NYC=9)
    dom = shop(cost("line", "True", "1.00", "line"), world=world)
    dom.capture(world.order("1", MUG=2, POT=1))
    dom.route()
    told = dom.explain("1")
    assert added(Plan(parcels=told.parcels)) == {"mine/line": "2.00"}


amounts = st.integers(0, 5_000_000)
said = st.lists(
    st.tuples(
        st.sampled_from(["a/x", "a/y", "b/z"]),
        st.sampled_from(["parcel", "km", "line", "unit"]),
        amounts,
        st.sampled_from([(), ("1",), ("2",), ("1", "2"), ("1", "3"), ("3",)]),
        st.sampled_from([None, ("NYC",), ("LAX",), ("NYC", "LAX")]),
    ),
    max_size=6,
)


@given(said, st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_the_terms_of_a_plan_add_up_to_its_cost_whatever_is_said(words, units):
    directives = [
        Directive(
            name, "cost", nodes=nodes, arguments={"amount": amount, "per": per},
            lines=None if per in ("parcel", "km") else lines or None,
        )
        for name, per, amount, lines, nodes in words
    ]  # fmt: skip
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).item("POT", weight=900)
    world.stock("MUG", NYC=4, LAX=5).stock("POT", NYC=2, LAX=5)
    lines = tuple(
        OrderLine(str(number), sku, each)
        for number, (sku, each) in enumerate(zip(("MUG", "MUG", "POT"), units, strict=True), 1)
    )
    settings = Settings(store="memory:", owners={"main": "USD"})
    with world.open(settings, plugins={"a": Says(*directives)}) as dom:
        dom.capture(evolve(world.order("1", MUG=1), lines=lines))
        dom.route()
        told = dom.explain("1")
        assert told.replayed
        assert told.cost == sum(parcel.cost for parcel in told.parcels)
        assert told.cost == sum(each.cost for each in told.certificates)
