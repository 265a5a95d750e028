"""What `rulesets check`, `doctor` and the log say of rules that can be used and are odd."""

from __future__ import annotations

import json
import logging

import pytest

from domcore import Domcore, Settings
from domcore.config import read_settings
from domcore.testing.builder import World

HEAD = 'format = 1\nname = "mine"\nversion = "1.0.0"\ncurrency = "USD"\n'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """``project(rules, activate)``: a folder with one pack and a store with one node."""

    def make(rules: str, activate: str = "", channels: str = "shop") -> None:
        settings = '[owners]\nmain = "USD"\n'
        for name in channels.split():
            settings += f'[channels.{name}]\nkind = "shopify"\nsecrets = ["s"]\n'
        settings += activate or '[[activate]]\npack = "mine"\n'
        (tmp_path / "domcore.toml").write_text(settings)
        folder = tmp_path / "rulesets" / "mine"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ruleset.toml").write_text(HEAD + rules)

    monkeypatch.chdir(tmp_path)
    world = World().node("NYC", at=(40.7, -74.0)).item("A").stock("A", NYC=5)
    world.open(Settings(store=str(tmp_path / "domcore.db"))).close()
    return make


def rule(id: str, when: str, then: str = '"hold"') -> str:
    return f'[[rule]]\nid = "{id}"\nwhen = """{when}"""\nthen = {then}\n'


def test_a_word_that_there_is_not_fails_the_check_and_worries_the_doctor(project, run):
    project(rule("late", "now.clock >= '5pm'"))
    checked = run("rulesets", "check")
    assert checked.exit_code == 1
    assert "wrong: rule mine/late: now.clock is never '5pm'" in checked.output
    assert "did you mean '17:00'" in checked.output
    assert checked.output.count("'5pm'") == 1, "it is told once"
    assert "now.clock is never '5pm'" in run("doctor").output


def test_nodes_and_skus_are_looked_up_in_the_project(project, run):
    project(
        rule("far", "node.id == 'NYX'", '"exclude"')
        + rule("odd", "any(line.sku in ['A', 'B'] for line in lines)")
    )
    checked = run("rulesets", "check", "mine")
    assert checked.exit_code == 0
    assert "odd: rule mine/far: there is no node 'NYX' in the network" in checked.output
    assert "odd: rule mine/odd: there is no SKU 'B' in the catalog" in checked.output
    assert "SKU 'A'" not in checked.output


def test_an_activation_that_nobody_answers_to_is_told(project, run):
    project(rule("all", "True"), '[[activate]]\npack = "mine"\nchannels = ["shopp"]\n')
    checked = run("rulesets", "check", "--json")
    rows = [json.loads(line) for line in checked.output.splitlines() if line.startswith("{")]
    (row,) = [each for each in rows if each["pack"] == "[[activate]]"]
    assert row["remarks"] == [
        {
            "level": "odd",
            "rule": "",
            "message": "[[activate]] of mine: no channel 'shopp' is configured; did you mean"
            " 'shop'?",
        }
    ]
    assert "no channel 'shopp' is configured" in run("doctor").output


def test_a_pack_that_is_there_twice_is_told_and_counts_once(project, run):
    project(rule("fee", "True"), '[[activate]]\npack = "mine"\n' * 2)
    checked = run("rulesets", "check")
    assert checked.exit_code == 1
    assert "wrong: [[activate]] of mine stands there twice" in checked.output


def test_packs_that_are_as_meant_are_fine(project, run):
    project(rule("big", "order.value >= 2000.00"))
    checked = run("rulesets", "check")
    assert checked.exit_code == 0
    assert not any(word in checked.output for word in ("wrong:", "odd:", "note:"))


def test_a_worker_says_at_its_start_what_is_odd_and_says_it_once(project, caplog):
    project(rule("late", "now.weekday == 'sat'"))
    with Domcore(read_settings(), load_plugins=False) as dom:
        with caplog.at_level(logging.WARNING, logger="domcore.rules"):
            dom.work()
            dom.work()
        said = [each for each in caplog.records if "'sat'" in each.getMessage()]
        assert len(said) == 1
        assert said[0].rule == "mine/late"


def test_attributes_of_nodes_that_cannot_be_read_are_told(project, run, tmp_path):
    project(
        'fact = [{ name = "node.docks", type = "int" }]\n'
        + rule("busy", "node.docks > 3", '"exclude"')
    )
    assert "docks" not in run("rulesets", "check").output
    world = World().node("NYC", at=(40.7, -74.0), attributes=(("docks", "many"),))
    with Domcore(Settings(store=str(tmp_path / "domcore.db")), load_plugins=False) as dom:
        dom.load_network(world.network())
    checked = run("rulesets", "check")
    assert checked.exit_code == 0
    assert "odd: node NYC: attribute 'docks' is not a whole number" in checked.output
