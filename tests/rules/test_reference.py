"""docs/rules.md says what the code does: every example on the page is run."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from domcore.rules import Activation, FactRegistry, load_pack, parse_pack
from domcore.rules.case_reading import parse_cases
from domcore.rules.cases import run_cases
from domcore.rules.consequence import ARGUMENTS
from domcore.rules.pack import VERBS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


TOML = [tomllib.loads(text) for text in blocks("toml")]
PACKS = [tree for tree in TOML if "name" in tree]
FRAGMENTS = [tree for tree in TOML if "format" not in tree]
CASES = [tree for tree in TOML if "case" in tree]
CONDITIONS = [line.partition("  #")[0].strip() for line in blocks("python")[0].splitlines()]


def head(tree: dict) -> dict:
    return {"format": 1, "name": "mine", "version": "1.0.0", "currency": "USD", **tree}


@pytest.mark.parametrize("tree", [*PACKS, *FRAGMENTS])
def test_every_rule_on_the_page_compiles(plain_shop, tree, tmp_path):
    core = load_pack(ROOT / "rulesets" / "cost-first")
    for each in tree.get("lists", {}).values():
        (tmp_path / each["file"]).write_text(f"{each.get('column', 'one')}\nanother\n")
    pack = parse_pack(head(tree), folder=tmp_path)
    program = plain_shop.programs(
        (core, Activation(core.name, layer="core")), (pack, Activation(pack.name))
    )
    plain_shop.ask(program)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_on_the_page_is_one(plain_shop, make, condition):
    plain_shop.judge(make.rule(condition))


def test_the_cases_on_the_page_hold_for_the_pack_on_the_page(plain_shop):
    pack = parse_pack(PACKS[0])
    assert run_cases(pack, parse_cases(CASES[0], pack), engine=plain_shop.engine) == ()


def test_the_durable_form_on_the_page_loads(plain_shop):
    pack = parse_pack(json.loads(blocks("json")[0]))
    assert [rule.when for rule in pack.rules] == [
        "(order.channel == 'web') and (order.value > 500)"
    ]
    plain_shop.programs((pack, Activation(pack.name)))


def test_the_python_on_the_page_runs(plain_shop, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {
        "nodes": plain_shop.nodes,
        "order": plain_shop.request().order,
        "lines": plain_shop.lines,
        "now": plain_shop.now,
    }
    exec(blocks("py")[0], names)
    assert names["directives"]


def test_the_table_of_facts_is_the_registrys_own():
    found = re.search(r"<!-- facts:.*?-->\n(.*?)\n<!-- /facts -->", PAGE, re.DOTALL)
    assert found is not None
    assert found[1] == FactRegistry().describe()


def test_every_verb_and_argument_is_on_the_page():
    for verb in VERBS:
        assert f"| `{verb}` |" in PAGE
    for arguments in ARGUMENTS.values():
        for argument in arguments:
            assert f"`{argument}`" in PAGE
