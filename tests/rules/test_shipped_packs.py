"""The packs that come with domcore do what their cases and their pages say."""

from __future__ import annotations

from pathlib import Path

import pytest

from domcore.rules import load_pack
from domcore.testing.pack_suite import PackSuite

RULESETS = Path(__file__).parents[2] / "rulesets"
PACKS = sorted(path.name for path in RULESETS.iterdir() if path.is_dir())


class TestCostFirst(PackSuite):
    folder = RULESETS / "cost-first"


class TestShipFromStore(PackSuite):
    folder = RULESETS / "ship-from-store"


def test_every_shipped_pack_runs_the_suite():
    suites = {TestCostFirst.folder.name, TestShipFromStore.folder.name}
    assert set(PACKS) == suites


@pytest.mark.parametrize("name", PACKS)
def test_its_page_speaks_of_every_rule_and_parameter(name):
    pack = load_pack(RULESETS / name)
    page = (RULESETS / name / "README.md").read_text(encoding="utf-8")
    assert pack.name == name
    for rule in pack.rules:
        assert f"`{rule.id}`" in page
    for parameter in pack.parameters:
        assert f"`{parameter.name}`" in page
