"""Which packs are in force for which orders, and that decisions by them replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from domcore import ActivationSettings, Domcore, Settings, hookimpl
from domcore.testing.builder import World


def written(folder: Path, name: str, *rules: tuple[str, str, str], **top: str) -> None:
    """A pack in the folder ``packs``: rules as ``(id, when, then)``."""
    head = {"name": name, "version": "1.0.0", "currency": "USD", **top}
    text = "format = 1\n" + "".join(f'{key} = "{value}"\n' for key, value in head.items())
    for id, when, then in rules:
        text += f'[[rule]]\nid = "{id}"\nwhen = """{when}"""\nthen = {then}\n'
    target = folder / "packs" / name
    target.mkdir(parents=True, exist_ok=True)
    (target / "ruleset.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path):
    def opened(world: World, *active: ActivationSettings, url: str = "memory:") -> Domcore:
        return world.open(
            Settings(store=url, rulesets=("packs",), root=str(tmp_path), activate=active)
        )

    return opened


def one_node() -> World:
    return World().node("NYC", at=(40.7, -74.0)).item("A").stock("A", NYC=50)


def test_a_fact_of_a_pack_that_is_not_active_for_an_order_is_missing(house, tmp_path):
    written(tmp_path, "classes", ("s", "True", '{ set = { "order.vip" = true } }'))
    written(tmp_path, "policy", ("h", "order.vip", '"hold"'))
    world = one_node()
    active = ActivationSettings("classes", channels=("b2b",)), ActivationSettings("policy")
    with house(world, *active) as dom:
        dom.capture(world.order("1", A=1))
        dom.capture(world.order("2", A=1, channel="b2b"))
        report = dom.route()
        assert (report.errors, report.held, report.routed) == ([], 1, 1)
        assert [hold.code for hold in dom.order("2").summary.holds] == ["policy/h"]
        for number in "12":
            assert dom.explain(number).replayed


def test_a_fact_of_a_pack_that_is_not_activated_is_missing_and_told(house, tmp_path):
    written(tmp_path, "classes", ("s", "True", '{ set = { "order.vip" = true } }'))
    written(tmp_path, "policy", ("h", "order.vip", '"hold"'))
    world = one_node()
    with house(world, ActivationSettings("policy")) as dom:
        dom.capture(world.order("1", A=1))
        assert dom.route().routed == 1
        assert dom.explain("1").replayed
        (told,) = [each.message for each in dom.doctor() if "order.vip" in each.message]
        assert told == (
            "rule policy/h: reads order.vip, which no activated pack sets: it is always missing"
        )


BIG = ("big", "order.value >= 2000.00", '{ hold = { stage = "route" } }')
SMALL = ("big", "order.value >= 2.00", '{ hold = { stage = "route" } }')


@pytest.fixture
def running(house, tmp_path):
    """An application that has routed by a rule for orders above 2,000."""
    written(tmp_path, "mine", BIG)
    world = one_node()
    with house(world, ActivationSettings("mine")) as dom:
        dom.capture(world.order("1", A=1))
        assert dom.route().held == 0
        yield world, dom


def changes_told(dom: Domcore):
    return [each for each in dom.events() if each.kind == "rules.changed"]


def test_an_edited_pack_is_in_force_at_the_next_round(running, tmp_path):
    world, dom = running
    dom.capture(world.order("2", A=1))
    written(tmp_path, "mine", SMALL)
    assert [each.level for each in dom.doctor() if "were edited" in each.message] == ["warn"]
    dom.work()
    assert dom.order("2").summary.status == "held"
    (told,) = changes_told(dom)
    (pack,) = told.body["packs"]
    assert (pack["name"], pack["version"]) == ("mine", "1.0.0")
    assert told.body["digest"] != told.body["before"]
    assert told.by == "worker"
    assert not [each for each in dom.doctor() if "edited" in each.message]
    assert dom.explain("1").replayed
    assert not list(dom.verify())


def test_what_comes_back_and_what_is_no_rule_is_no_news(running, tmp_path):
    _, dom = running
    file = tmp_path / "packs" / "mine" / "ruleset.toml"
    file.write_text(file.read_text() + "\n# nothing but a remark\n")
    (file.parent / "cases.toml").write_text("format = 1\n")
    dom.work()
    assert changes_told(dom) == []


def test_two_workers_tell_it_once(house, tmp_path):
    written(tmp_path, "mine", BIG)
    world = one_node()
    url, active = str(tmp_path / "domcore.db"), ActivationSettings("mine")
    with house(world, active, url=url) as one, house(world, active, url=url) as other:
        for dom in (one, other):
            dom.capture(world.order("1", A=1))
            dom.route()
        written(tmp_path, "mine", SMALL)
        one.work()
        other.work()
        assert len(changes_told(one)) == 1
        world.clock.forward(hours=1)
        written(tmp_path, "mine", BIG)
        other.work()
        one.work()
        assert len(changes_told(one)) == 2
        assert not list(one.verify())


@pytest.mark.parametrize(
    "broken",
    [
        ("big", "order.valu >= 2.00", '"hold"'),
        ("big", "order.value >= 2.00", '"hodl"'),
        ("big", "order.value >=", '"hold"'),
    ],
)
def test_a_broken_edit_keeps_the_rules_from_before_and_says_so(running, tmp_path, caplog, broken):
    world, dom = running
    dom.capture(world.order("2", A=1))
    written(tmp_path, "mine", broken)
    report = dom.work()
    assert dom.order("2").summary.status == "allocated"
    assert any("edited packs are not in force" in each for each in report.failures)
    assert "edited packs cannot be used" in caplog.text
    assert [each.fix for each in dom.doctor() if "not in force" in each.message] == [
        "mend them; the rules from before are in force until then"
    ]
    world.clock.forward(hours=2)
    (waits,) = dom.exceptions(["failing"])
    assert "rules:packs" in waits.reason
    assert "rule big" in waits.reason
    assert changes_told(dom) == []
    written(tmp_path, "mine", SMALL)
    dom.capture(world.order("3", A=1))
    assert not dom.work().failures
    assert dom.order("3").summary.status == "held"
    assert dom.exceptions(["failing"]) == []
    assert len(changes_told(dom)) == 1
    assert not list(dom.verify())


def test_a_pack_that_is_gone_stays_in_force_and_is_missed(running, tmp_path):
    world, dom = running
    (tmp_path / "packs" / "mine" / "ruleset.toml").unlink()
    dom.capture(world.order("2", A=1))
    (failure,) = dom.work().failures
    assert "'mine' is not there" in failure
    assert dom.order("2").summary.status == "allocated"


def test_what_could_not_be_used_from_the_start_gives_way_to_any_edit(house, tmp_path):
    written(tmp_path, "mine", ("big", "order.valu > 1", '"hold"'))
    world = one_node()
    with house(world, ActivationSettings("mine")) as dom:
        dom.capture(world.order("1", A=1))
        assert "'order.value'" in dom.route().errors[0]
        written(tmp_path, "mine", ("big", "order.unit > 1", '"hold"'))
        assert "'order.units'" in dom.route().errors[0]
        written(tmp_path, "mine", BIG)
        assert dom.route().routed == 1


def test_orders_that_were_short_by_the_old_rules_are_tried_by_the_new(house, tmp_path):
    written(tmp_path, "mine", ("none", "node.id == 'NYC'", '"exclude"'))
    world = one_node()
    with house(world, ActivationSettings("mine")) as dom:
        dom.capture(world.order("1", A=1))
        assert dom.route().short == 1
        dom.work()
        written(tmp_path, "mine", ("none", "node.id == 'LAX'", '"exclude"'))
        dom.work()
        assert dom.order("1").summary.status == "allocated"


def test_a_plan_is_made_by_what_packs_say_now_and_tells_nothing(running, tmp_path, monkeypatch):
    world, dom = running
    written(tmp_path, "mine", SMALL)
    dom.capture(world.order("2", A=1))
    monkeypatch.setattr("domcore.programs.SECONDS_BETWEEN_LOOKS", 0.0)
    dom._kit.programs._look_again = 0.0
    assert [hold.code for hold in dom.plan("2").holds] == ["mine/big"]
    assert changes_told(dom) == []
    dom.work()
    assert len(changes_told(dom)) == 1


def test_a_list_that_is_written_anew_is_in_force_and_decisions_by_the_old_one_replay(
    house, tmp_path
):
    rule = ("r", "line.sku in lists.stop", '{ hold = { stage = "route" } }')
    written(tmp_path, "mine", rule)
    folder = tmp_path / "packs" / "mine"
    text = (folder / "ruleset.toml").read_text()
    (folder / "ruleset.toml").write_text(
        text.replace("[[rule]]", '[lists]\nstop = { file = "stop.txt" }\n[[rule]]')
    )
    (folder / "stop.txt").write_text("B\n")
    world = one_node()
    with house(world, ActivationSettings("mine")) as dom:
        dom.capture(world.order("1", A=1))
        dom.route()
        assert dom.order("1").summary.status == "allocated"
        (folder / "stop.txt").write_text("A\nB\n")
        dom.capture(world.order("2", A=1))
        dom.work()
        assert dom.order("2").summary.status == "held"
        assert len(changes_told(dom)) == 1
        (folder / "stop.txt").unlink()
        assert "there is no file stop.txt" in dom.work().failures[0]
        assert dom.explain("1").replayed
        assert dom.explain("2").replayed
        assert not list(dom.verify())


def test_plugins_are_asked_for_their_packs_once(house, tmp_path):
    asked = []

    class Ships:
        @hookimpl
        def register_rulesets(self, dom):
            asked.append(dom)
            return [str(tmp_path / "packs" / "mine")]

    written(tmp_path, "mine", BIG)
    world = one_node()
    settings = Settings(store="memory:", root=str(tmp_path), activate=(ActivationSettings("mine"),))
    with world.open(settings, plugins={"ships": Ships()}) as dom:
        dom.capture(world.order("1", A=1))
        dom.route()
        written(tmp_path, "mine", SMALL)
        dom.capture(world.order("2", A=1))
        assert dom.route().held == 1
        assert len(asked) == 1
