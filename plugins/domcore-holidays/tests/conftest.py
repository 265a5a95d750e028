"""The files that the README shows, and nodes to ask about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with every file of the README in its place."""
    for name, text in re.findall(r"```toml\n# (\S+)\n(.*?)```", README.read_text("utf-8"), re.S):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path
