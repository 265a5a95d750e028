"""The list of plugins: what each is, and the one that is broken named while the rest works."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

GOOD = """
from domcore.hookspecs import hookimpl

@hookimpl
def register_connectors(dom):
    return []

@hookimpl
def make_plan(order):
    return None
"""
BROKEN = """
from domcore.hookspecs import hookimpl

@hookimpl
def register_connectors(dom):
    raise RuntimeError("no such folder")
"""


@pytest.fixture
def two_plugins(tmp_path: Path, monkeypatch):
    """One that works, and one whose connectors cannot be made."""
    for name, text in (("acme_works", GOOD), ("acme_breaks", BROKEN)):
        info = tmp_path / "site" / f"{name}-2.5.dist-info"
        info.mkdir(parents=True)
        (tmp_path / "site" / f"{name}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.5\n")
        (info / "entry_points.txt").write_text(f"[domcore]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "acme_works,acme_breaks")
    yield
    for name in ("acme_works", "acme_breaks"):
        sys.modules.pop(name, None)


def test_the_list_tells_version_kinds_and_hooks(two_plugins, run):
    rows = {
        row["name"]: row for row in map(json.loads, run("plugins", "--json").stdout.splitlines())
    }
    good = rows["acme_works"]
    assert (good["version"], good["state"], good["error"]) == ("2.5", "ok", "")
    assert good["kinds"] == ["connector", "planner"]
    assert good["hooks"] == ["make_plan", "register_connectors"]


def test_a_broken_connector_is_named_with_the_reason_and_the_rest_works(two_plugins, run):
    result = run("plugins")
    assert result.exit_code == 0
    shown = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "failing 1 time" in shown["acme_breaks"]
    assert "no such folder" in shown["acme_breaks"]
    assert " ok " in shown["acme_works"]
