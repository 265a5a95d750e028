"""Why a rule spoke of an order, or was silent: the part that failed, with the values it read."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from domcore import ActivationSettings, NotFound, Settings
from domcore.testing.builder import World

PACK = """
format = 1
name = "mine"
version = "1.0.0"
currency = "USD"

[parameters]
strict = { type = "bool", default = false }

[[fact]]
name = "order.budget"
type = "money"

[[rule]]
id = "big"
when = "order.channel == 'web' and order.value >= 2000.00"
then = "hold"

[[rule]]
id = "far"
when = "candidate.distance_km > 1000 and node.kind == 'store'"
then = "exclude"

[[rule]]
id = "dear-lines"
when = "line.price > 15.00"
then = { cost = { amount = "1.50", per = "line" } }
reason = "dear goods are packed twice"

[[rule]]
id = "stores-first"
when = "node.kind == 'dc'"
then = "exclude"
soft = true

[[rule]]
id = "old"
when = "hours_since(order.placed_at) > 24"
then = "hold"

[[rule]]
id = "within-budget"
when = "order.budget < 5.00"
then = "hold"

[[rule]]
id = "switched"
when = "parameters.strict and order.units > 1"
then = "hold"

[[rule]]
id = "resting"
when = "True"
then = "hold"
enabled = false

[[rule]]
id = "over"
when = "True"
then = "hold"
until = "2020-12-24"

[[rule]]
id = "only-stores"
when = "order.channel == 'web' and node.kind in ['store', 'dc']"
then = "require"
"""

B2B = 'format = 1\nname = "b2b"\nversion = "1"\n[[rule]]\nid = "b"\nwhen = "True"\nthen = "hold"\n'
IDLE = B2B.replace('"b2b"', '"idle"')


@pytest.fixture
def shop(tmp_path):
    for name, text in (("mine", PACK), ("b2b", B2B), ("idle", IDLE)):
        folder = tmp_path / "packs" / name
        folder.mkdir(parents=True)
        (folder / "ruleset.toml").write_text(text)
    world = World()
    world.node("NYC", at=(40.7, -74.0), kind="store").node("LAX", at=(34.0, -118.2), kind="store")
    world.node("DC", at=(39.9, -82.9))
    world.item("A").item("B")
    world.stock("A", NYC=1, LAX=5, DC=9).stock("B", NYC=9, LAX=5)
    settings = Settings(
        store=str(tmp_path / "domcore.db"),
        rulesets=("packs",),
        root=str(tmp_path),
        activate=(ActivationSettings("mine"), ActivationSettings("b2b", channels=("b2b",))),
    )
    with world.open(settings) as dom:
        order = world.order("1", A=2, B=1)
        dear, cheap = order.lines
        dom.capture(evolve(order, lines=(evolve(dear, price=20_000_000), cheap)))
        dom.route()
        yield world, dom


def test_the_part_that_failed_is_named_with_what_it_read(shop):
    _, dom = shop
    told = dom.explain_rule("1", "mine/big")
    assert not told.spoke
    (found,) = told.findings
    assert (found.nodes, found.lines) == ((), ())
    assert found.failing == "order.value >= 2000.00"
    assert found.values == (("order.channel", "web"), ("order.value", "50.00"))
    assert "failed: order.value >= 2000.00" in told.to_text()
    assert "order.value = 50.00" in told.to_text()


def test_nodes_of_which_it_says_the_same_stand_together(shop):
    _, dom = shop
    told = dom.explain_rule("1", "mine/far")
    by_node = {found.nodes: found for found in told.findings}
    assert by_node["LAX",].spoke
    assert by_node["LAX",].bars
    assert by_node["NYC",].failing == "candidate.distance_km > 1000"
    assert told.verb == "exclude"
    assert "LAX: true, so it bars the node" in told.to_text()


def test_one_node_can_be_asked_about(shop):
    _, dom = shop
    (found,) = dom.explain_rule("1", "mine/far", node="NYC").findings
    assert found.nodes == ("NYC",)
    (found,) = dom.explain_rule("1", "mine/big", node="NYC").findings
    assert found.nodes == ("NYC",)


def test_lines_of_which_it_says_the_same_stand_together_and_its_amount_is_told(shop):
    _, dom = shop
    told = dom.explain_rule("1", "mine/dear-lines")
    by_line = {found.lines: found.failing for found in told.findings}
    order = dom.order("1").order
    dear, cheap = order.lines[0].id, order.lines[1].id
    assert by_line == {(dear,): "", (cheap,): "line.price > 15.00"}
    spent = sum(
        term.amount
        for parcel in dom.explain("1").parcels
        for term in parcel.terms
        if term.name == "mine/dear-lines"
    )
    assert told.amount == spent > 0
    assert "It added $" in told.to_text() or "It added" in told.to_text()


def test_a_soft_rule_that_gave_way_is_told(shop):
    _, dom = shop
    told = dom.explain_rule("1", "mine/stores-first")
    assert told.soft
    assert told.dropped
    assert "gave way" in told.to_text()
    words = {word.rule: word for word in dom.explain("1").rules}
    assert words["mine/stores-first"].dropped
    assert not words["mine/dear-lines"].dropped
    assert "(exclude, gave way)" in dom.explain("1").to_text()


def test_elapsed_times_and_own_facts_are_shown_as_people_write_them(shop):
    _, dom = shop
    (found,) = dom.explain_rule("1", "mine/old").findings
    assert found.values == (("hours_since(order.placed_at)", "0"),)
    (found,) = dom.explain_rule("1", "mine/within-budget").findings
    assert found.values == (("order.budget", None),)
    assert "order.budget = missing" in dom.explain_rule("1", "mine/within-budget").to_text()


def test_a_condition_that_parameters_switch_off_has_failed_as_a_whole(shop):
    _, dom = shop
    (found,) = dom.explain_rule("1", "mine/switched").findings
    assert found.failing == "parameters.strict and order.units > 1"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("mine/resting", "switched off"),
        ("mine/over", "outside its from/until window"),
        ("b2b/b", "not activated for owner 'main' on channel 'web', only for owner any, channels"),
        ("idle/b", "pack idle is not activated"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_in_force_says_why(shop, rule, why):
    _, dom = shop
    told = dom.explain_rule("1", rule)
    assert why in told.silent
    assert not told.spoke
    assert f"It was silent: {told.silent}" in told.to_text()


def test_an_order_that_is_not_decided_yet_is_put_to_the_rules_of_now(shop):
    world, dom = shop
    dom.capture(world.order("2", A=1))
    told = dom.explain_rule("2", "mine/big")
    assert told.sequence == 0
    assert told.findings[0].failing == "order.value >= 2000.00"
    assert dom.order("2").sequence == 0


def test_a_decision_is_told_by_the_rules_it_was_made_by(shop, tmp_path):
    _, dom = shop
    file = tmp_path / "packs" / "mine" / "ruleset.toml"
    file.write_text(PACK.replace("2000.00", "2.00"))
    dom.route()
    assert dom.explain_rule("1", "mine/big").condition.endswith("2000.00")
    file.write_text(PACK.replace('id = "big"', 'id = "new"'))
    dom.route()
    assert "was not there" in dom.explain_rule("1", "mine/new").silent


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"rule": "mine/bigg"}, "there is no rule 'mine/bigg'; did you mean 'mine/big'"),
        ({"rule": "big"}, "there is no rule 'big'"),
        ({"rule": "mine/far", "node": "SFO"}, "no node 'SFO'"),
        ({"rule": "mine/far", "decision": 9}, "no decision 9"),
    ],
)
def test_what_there_is_not_is_said(shop, asked, why):
    _, dom = shop
    with pytest.raises(NotFound, match=why):
        dom.explain_rule("1", **asked)


def test_a_rule_that_keeps_nodes_says_where_it_is_met(shop):
    _, dom = shop
    told = dom.explain_rule("1", "mine/only-stores")
    assert told.spoke
    assert all(not found.bars for found in told.findings)
    json.dumps(told.to_dict())


def test_the_command_says_it_as_text_and_as_json(shop, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from domcore.cli.root import build

    (tmp_path / "domcore.toml").write_text(
        'rulesets = ["packs"]\n[owners]\nmain = "USD"\n[[activate]]\npack = "mine"\n'
    )
    monkeypatch.chdir(tmp_path)

    def run(*words):
        return CliRunner().invoke(build(), ["explain", "#1", *words], prog_name="domcore")

    said = run("--rule", "mine/big")
    assert said.exit_code == 0
    assert "failed: order.value >= 2000.00" in said.output
    tree = json.loads(run("--rule", "mine/far", "--node", "LAX", "--json").output)
    assert tree["findings"][0]["bars"] is True
    assert run("--node", "LAX").exit_code == 2
    assert run("--rule", "mine/big", "--why-not", "LAX").exit_code == 2
