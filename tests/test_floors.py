"""The floors of the house: a module imports only from its own floor and those below."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "domcore"

FLOORS = (
    {"__init__", "errors"},
    {"model"},
    {"codec"},
    {"contracts", "plugin_kit", "settings"},
    {"hook_checks", "hookspecs", "plugin_sources", "plugins"},
    {"rules"},
    {"sourcing"},
    {"store"},
    {
        "answers", "app", "builtin", "connecting", "covering", "doctor", "explaining",
"explanation", "intake", "judges", "late_units", "opening", "outside", "planning",
        "preparing",
        "pack_files", "packs", "programs", "rule_remarks", "rule_story",
        "publishing", "returning", "routing", "seeing", "signalling", "supply_cache", "telemetry",
        "told_stock", "unreadable", "validity", "withholding",
        "redoing",
        "verbs", "verify", "working",
    },
    {"simulation"},
    {"testing"},
    {"config", "loading"},
    {"demo"},
    {"cli", "__main__"},
)  # fmt: skip
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

LAZY = {
    "app": "planning and routing must not pay for explaining, verifying or examining",
    "verbs": "the same",
    "telemetry": "OpenTelemetry is an extra, imported where it is wanted only",
    "builtin": "engines and stores load when they are asked for",
}
"""Modules whose imports inside functions are documented start-up cost."""


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    part = path.relative_to(SOURCE).parts[0]
    return part.removesuffix(".py")


def imported(tree: ast.AST) -> list[tuple[str, int]]:
    """Every domcore module a file imports at run time, with its line."""
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
            if node.module == "domcore":
                names = [f"domcore.{alias.name}" for alias in node.names]
            found += [(name, node.lineno) for name in names if name.startswith("domcore")]
        elif isinstance(node, ast.Import):
            found += [
                (alias.name, node.lineno)
                for alias in node.names
                if alias.name.startswith("domcore")
            ]
    return found


def test_every_module_has_a_floor():
    assert {room(path) for path in modules()} <= set(LEVEL)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_imports_only_its_own_floor_and_those_below(path):
    here = LEVEL[room(path)]
    above = []
    for name, line in imported(ast.parse(path.read_text(encoding="utf-8"))):
        part = name.split(".")[1] if "." in name else "__init__"
        if LEVEL.get(part, 0) > here:
            above.append(f"line {line}: {name}")
    assert not above


def test_rules_and_sourcing_never_see_a_store():
    for path in modules():
        if room(path) in ("rules", "sourcing"):
            names = [name for name, _ in imported(ast.parse(path.read_text(encoding="utf-8")))]
            assert not [name for name in names if name.startswith("domcore.store")], path


def test_no_module_rebinds_its_globals():
    offenders = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Global)
    ]
    assert not offenders


def test_module_level_collections_are_constants():
    """A registry, a cache or a manager at module level would be shared by all applications."""
    offenders = []
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                mutable = isinstance(node.value, (ast.List, ast.Dict, ast.Set))
                name = getattr(target, "id", "")
                if mutable and name and not name.isupper() and name != "__all__":
                    offenders.append(f"{path.relative_to(SOURCE)}:{node.lineno} {name}")
    assert not offenders


def test_files_stay_small():
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long
