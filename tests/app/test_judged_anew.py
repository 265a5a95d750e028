"""A hold that was a mistake is taken back, and only that."""

from __future__ import annotations

import json

import pytest

from domcore import ActivationSettings, Settings
from domcore.cli.root import build
from domcore.model import CaptureOrder, Destination
from domcore.testing.builder import World

HEAD = 'format = 1\nname = "mine"\nversion = "1.0.0"\ncurrency = "USD"\n'


class Shop:
    """One rule that holds orders of 20.00 and more, too many of them."""

    def __init__(self, folder, stage: str) -> None:
        self.folder = folder
        self.file = folder / "rulesets" / "mine" / "ruleset.toml"
        self.file.parent.mkdir(parents=True)
        self.stage = stage
        self.holds_from("20.00")
        (folder / "domcore.toml").write_text(
            '[owners]\nmain = "USD"\n[[activate]]\npack = "mine"\n'
        )
        self.world = World().node("NYC", at=(40.7, -74.0)).item("A").item("B").stock("A", NYC=50)
        self.settings = Settings(
            store=str(folder / "domcore.db"),
            rulesets=(str(folder / "rulesets"),),
            activate=(ActivationSettings("mine"),),
        )

    def holds_from(self, amount: str) -> None:
        self.file.write_text(
            f'{HEAD}[[rule]]\nid = "big"\nwhen = "order.value >= {amount}"\n'
            f'then = {{ hold = {{ stage = "{self.stage}" }} }}\nreason = "large"\n'
        )

    def open(self):
        return self.world.open(self.settings)

    def fill(self, dom) -> None:
        """Three orders that the rule holds, and one that nobody can place."""
        for number in "123":
            dom.capture(self.world.order(number, A=2))
        dom.capture(self.world.order("4", A=1, destination=Destination("US", "NY", "")))
        assert dom.route().held == 4


@pytest.fixture(params=["route", "release"])
def shop(request, tmp_path):
    return Shop(tmp_path, request.param)


def holds(dom):
    return [[hold.code for hold in dom.order(number).summary.holds] for number in "1234"]


def test_what_the_mended_rule_does_not_hold_goes_on_and_nobody_approved_it(shop):
    with shop.open() as dom:
        shop.fill(dom)
        shop.holds_from("2000.00")
        dom.route()
        for number in "123":
            told = dom.rejudge(number, by="person:kim")
            assert told.outcome == ("routed" if shop.stage == "route" else "let go")
            assert [hold.code for hold in told.lifted] == ["mine/big"]
            assert dom.order(number).summary.status == "allocated"
            assert dom.order(number).approved == ()
        assert dom.rejudge("4").outcome == "held"
        assert holds(dom) == [[], [], [], ["domcore/address"]]
        told = [each for each in dom.events() if each.kind == "order.rejudged"]
        assert told[0].by == "person:kim"
        assert told[0].body["codes"] == ["mine/big"]
        assert "judged anew, without the holds mine/big" in dom.timeline("1").to_text()
        assert not list(dom.verify())


def test_what_the_rule_still_holds_stays_held(shop):
    with shop.open() as dom:
        shop.fill(dom)
        told = dom.rejudge("1")
        assert (told.outcome, told.lifted) == ("held", ())
        assert [hold.code for hold in told.holds] == ["mine/big"]
        assert holds(dom)[0] == ["mine/big"]
        assert not list(dom.verify())


def test_a_hold_that_was_taken_back_may_come_back(shop):
    with shop.open() as dom:
        shop.fill(dom)
        shop.holds_from("2000.00")
        dom.route()
        dom.rejudge("1")
        shop.holds_from("2.00")
        dom.route()
        dom.capture(shop.world.order("1", A=3, revision=2))
        dom.route()
        assert holds(dom)[0] == ["mine/big"]


def test_what_a_person_asked_for_or_approved_stays_as_it_is(shop):
    with shop.open() as dom:
        shop.fill(dom)
        dom.hold("1", code="fraud-check", reason="odd", stage="route")
        dom.approve("2", code="mine/big", by="person:kim")
        shop.holds_from("2000.00")
        dom.route()
        told = dom.rejudge("1")
        assert told.outcome == "held"
        assert holds(dom)[0] == ["fraud-check"]
        assert dom.rejudge("2").outcome == "nothing"
        assert dom.order("2").approved == ("mine/big",)
        assert not list(dom.verify())


def test_an_order_that_is_not_held_is_left_alone(shop):
    with shop.open() as dom:
        dom.capture(shop.world.order("1", A=1))
        dom.route()
        before = len(dom.events())
        assert dom.rejudge("1").outcome == "nothing"
        assert len(dom.events()) == before


def test_a_cart_is_let_go_and_never_becomes_work(shop):
    with shop.open() as dom:
        dom.apply([CaptureOrder(shop.world.order("1", A=2), queue=False)])
        dom.apply([CaptureOrder(shop.world.order("2", A=60), queue=False)])
        assert dom.reserve("1", minutes=60).outcome == "held"
        dom.reserve("2", minutes=60)
        assert (dom.rejudge("1").outcome, dom.rejudge("1").lifted) == ("held", ())
        assert (dom.rejudge("2").outcome, dom.rejudge("2").lifted) == ("held", ())
        shop.holds_from("2000.00")
        dom.route()
        for number in "12":
            told = dom.rejudge(number)
            assert told.outcome == "let go"
            assert [hold.code for hold in told.lifted] == ["mine/big"]
        dom.work()
        assert [dom.order(number).fulfillment_orders for number in "12"] == [(), ()]
        assert dom.reserve("1", minutes=60).outcome == "routed"
        assert dom.keep("1").outcome == "kept"
        assert [work.node for work in dom.order("1").fulfillment_orders] == ["NYC"]
        assert not list(dom.verify())


@pytest.fixture
def run(shop, monkeypatch):
    from click.testing import CliRunner

    monkeypatch.chdir(shop.folder)
    return lambda *words: CliRunner().invoke(build(), list(words), prog_name="domcore")


def test_one_command_judges_all_that_a_hold_stops(shop, run):
    with shop.open() as dom:
        shop.fill(dom)
    shop.holds_from("2000.00")
    shown = run("rejudge", "--all", "--code", "mine/big", "--dry-run")
    assert shown.output.count("would judge") == 3
    done = run("rejudge", "--all", "--code", "mine/big", "--json")
    assert done.exit_code == 0
    rows = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
    assert [row["lifted"] for row in rows] == [["mine/big"]] * 3
    assert run("rejudge", "--all", "--code", "mine/big").exit_code == 3
    with shop.open() as dom:
        assert holds(dom) == [[], [], [], ["domcore/address"]]


def test_one_command_approves_one_hold_of_all_its_orders(shop, run):
    with shop.open() as dom:
        shop.fill(dom)
        dom.hold("1", code="fraud-check", reason="odd")
    listed = run("exceptions", "--kind", "held", "--code", "mine/big", "--json")
    rows = [json.loads(line) for line in listed.output.splitlines() if line.startswith("{")]
    assert {row["number"] for row in rows} == {"#1", "#2", "#3"}
    done = run("exceptions", "--kind", "held", "--code", "mine/big", "--approve", "--yes")
    assert done.exit_code == 0
    with shop.open() as dom:
        assert holds(dom) == [["fraud-check"], [], [], ["domcore/address"]]
        assert dom.order("2").approved == ("mine/big",)


@pytest.mark.parametrize("words", [(), ("1", "--all"), ("1", "--code", "x")])
def test_orders_are_named_or_all_are_meant(run, words):
    assert run("rejudge", *words).exit_code == 2
