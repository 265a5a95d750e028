"""Many dispatches to a partner of which a third of the answers are lost: each ships once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "dispatch.py"


def dispatch(*options: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_few_hundred_dispatches_ship_once_each() -> None:
    assert "300 dispatches" in dispatch("--smoke")


@pytest.mark.long
def test_ten_thousand_dispatches_ship_once_each() -> None:
    assert "10,000 dispatches" in dispatch("--dispatches", "10000", "--seed", "2")
