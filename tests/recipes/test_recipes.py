"""Every recipe of the page runs as it stands, in a process and a folder of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.M | re.S))


def test_the_page_has_the_recipes_that_are_promised():
    assert list(SECTIONS) == ["Django", "FastAPI", "SQLAlchemy", "Two databases"]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_recipe_runs(name, tmp_path):
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", SECTIONS[name], re.M | re.S))
    assert "assert " in program
    (tmp_path / "recipe.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "recipe.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
