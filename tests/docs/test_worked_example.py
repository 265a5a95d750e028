"""The worked example of docs/plugins.md: the template and what the page shows, run as a package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from domcore.cli.scaffold import PluginName, render

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "plugins.md"
MOST_LINES = 150

_FILE = re.compile(r'^```python title="(domcore-fairground/[^"]+)"\n(.*?)^```$', re.M | re.S)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """What a reader has who has followed the page."""
    made = render(PluginName.of("fairground"), "channel", tmp_path)
    (made / "src" / "domcore_fairground" / "payload.py").unlink()
    for name, text in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        assert (tmp_path / name).exists(), f"{name} is not of the template"
        (tmp_path / name).write_text(text, encoding="utf-8")
    return made


def python(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(package / "src"), str(ROOT / "src")])
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=package,
        env={**os.environ, "PYTHONPATH": path, "MYPYPATH": path, "DOMCORE_LOAD_PLUGINS": ""},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_example_passes_the_channel_suite_whole(package):
    result = python(package, "pytest", "-q", "-rs", "-p", "no:cacheprovider")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "skipped" not in result.stdout, result.stdout


def test_the_example_is_a_marketplace_channel_in_under_150_lines(package):
    files = list((package / "src").rglob("*.py"))
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    assert len(files) == 3
    assert lines < MOST_LINES


@pytest.mark.long
def test_the_example_is_typed(package):
    result = python(package, "mypy", "--strict", "--cache-dir", str(package / "cache"), "src")
    assert result.returncode == 0, result.stdout + result.stderr
