"""New plugins from the template: they pass their own tests, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from domcore import ConfigurationError, __version__
from domcore.cli.scaffold import KINDS, PluginName, render, rendered, shipped_template

ROOT = Path(__file__).resolve().parents[2]


def test_every_kind_is_written_whole(tmp_path, run):
    for kind in KINDS:
        result = run("new", "plugin", f"acme-{kind}", "--kind", kind, "--folder", tmp_path)
        assert result.exit_code == 0, result.output
        package = tmp_path / f"domcore-acme-{kind}"
        assert f"Wrote {package}" in result.stdout
        project = tomllib.loads((package / "pyproject.toml").read_text())
        module = f"domcore_acme_{kind}"
        assert project["project"]["name"] == f"domcore-acme-{kind}"
        assert project["project"]["entry-points"]["domcore"] == {f"acme_{kind}": f"{module}.plugin"}
        assert (package / "src" / module / "py.typed").exists()
        assert (package / "README.md").exists()
        assert not [path for path in package.rglob("*") if path.suffix == ".tmpl"]
        texts = [path.read_text() for path in package.rglob("*") if path.is_file()]
        assert not [text for text in texts if "$" in text.replace("$ ", "").replace("$.", "")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_rendered_passes_its_own_tests(tmp_path, kind):
    package = render(PluginName.of("Road.Runner"), kind, tmp_path)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=package,
        env=offline(package),
        capture_output=True,
        check=False,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " failed" not in result.stdout


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_rendered_is_typed_and_tidy(tmp_path, kind):
    package = render(PluginName.of("road-runner"), kind, tmp_path)
    for command in (
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "src"],
    ):
        result = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=package,
            env={**offline(package), "MYPYPATH": f"src{os.pathsep}{ROOT / 'src'}"},
            capture_output=True,
            check=False,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr


def offline(package: Path) -> dict[str, str]:
    """Neither pip nor other people's plugins: the package and domcore on the path."""
    path = os.pathsep.join([str(package / "src"), str(ROOT / "src")])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOMCORE_")}
    return {**kept, "PYTHONPATH": path, "DOMCORE_LOAD_PLUGINS": ""}


@pytest.mark.parametrize(
    ("name", "slug", "module", "title"),
    [
        ("acme", "acme", "domcore_acme", "Acme"),
        ("domcore-acme", "acme", "domcore_acme", "Acme"),
        ("Road_Runner.2", "road-runner-2", "domcore_road_runner_2", "RoadRunner2"),
        ("a", "a", "domcore_a", "A"),
    ],
)
def test_a_name_is_written_in_every_way_it_is_needed(name, slug, module, title):
    names = PluginName.of(name)
    assert (names.slug, names.module, names.title) == (slug, module, title)
    assert names.package == f"domcore-{slug}"


BAD_NAMES = (
    "", " ", "../evil", "a/b", "a b", "-a", "a-", ".a", "a\n", "ünicode", "x" * 51, "class", "3pl",
    "domcore-", "domcore", "domcore-domcore", "a;b", "$(rm)", "a\x00b",
)  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_cannot_be_one_is_refused(tmp_path, run, name):
    result = run("new", "plugin", "--kind", "facts", "--folder", tmp_path, "--", name)
    assert result.exit_code in (1, 2), result.output
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_overwritten(tmp_path, run):
    for at, make in enumerate((Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere"))):
        folder = tmp_path / str(at)
        folder.mkdir()
        make(folder / "domcore-acme")
        result = run("new", "plugin", "acme", "--kind", "facts", "--folder", folder)
        assert result.exit_code == 1
        assert "is there already, and nothing was changed" in result.stderr
        assert [path.name for path in folder.iterdir()] == ["domcore-acme"]


def test_a_folder_that_cannot_be_written_is_left_as_it_was(tmp_path, run):
    (tmp_path / "file").write_text("x")
    result = run("new", "plugin", "acme", "--kind", "facts", "--folder", tmp_path / "file" / "in")
    assert result.exit_code == 1
    assert (tmp_path / "file").read_text() == "x"


def test_an_interrupted_rendering_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(KeyboardInterrupt):
        render(PluginName.of("acme"), "facts", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_programs_are_told_as_json(tmp_path, run):
    result = run("new", "plugin", "acme", "--kind", "planner", "--folder", tmp_path, "--json")
    told = json.loads(result.stdout)
    assert told["plugin"] == "acme"
    assert "src/domcore_acme/plugin.py" in told["files"]


def test_a_kind_that_is_not_there_is_named(run):
    result = run("new", "plugin", "acme", "--kind", "carrier")
    assert result.exit_code == 2
    assert "'channel', 'connector', 'facts', 'planner'" in result.stderr
    with pytest.raises(ConfigurationError, match="the kinds are channel"):
        list(rendered(PluginName.of("acme"), "carrier"))


def test_the_template_holds_no_test_that_pytest_would_find():
    found = [
        path
        for path in shipped_template().rglob("*")
        if path.is_file() and path.suffix not in (".tmpl", ".md", ".typed")
    ]
    assert found == []


def test_the_versions_of_domcore_are_those_that_it_was_made_with(tmp_path):
    package = render(PluginName.of("acme"), "facts", tmp_path)
    major, minor = __version__.split(".")[:2]
    wanted = f'"domcore>={major}.{minor},<{major}.{int(minor) + 1}"'
    assert wanted in (package / "pyproject.toml").read_text()
