"""A worker that is killed between any two steps leaves nothing that the next one cannot finish."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HARNESS = Path(__file__).with_name("release_harness.py")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


def sweep(folder: Path, *options: str) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(folder), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def assert_same_end(code: int, report: Any) -> None:
    assert (code, report["wrong"]) == (0, []), report
    end = report["end"]
    assert (end["parked"], end["violations"]) == ([], [])
    assert [end["orders"][name][0] for name in "123"] == ["shipped", "shipped", "cancelled"]
    taken_in = [key for word, key in end["partner"] if word == "accepted"]
    assert taken_in == ["1-1-NYC", "2-2-LAX", "3-1-NYC"], "each was taken in once"


def test_a_kill_at_every_fifth_step_changes_nothing_in_the_end(tmp_path: Path) -> None:
    code, report = sweep(tmp_path, "--every", "5")
    assert_same_end(code, report)
    assert report["killed"] >= 30


@pytest.mark.long
def test_a_kill_at_any_step_changes_nothing_in_the_end(tmp_path: Path) -> None:
    code, report = sweep(tmp_path)
    assert_same_end(code, report)
    assert report["killed"] == report["points"]


def test_the_harness_notices_work_that_is_done_twice(tmp_path: Path) -> None:
    code, report = sweep(tmp_path, "--first", "60", "--every", "30", "--forget")
    assert code == 1
    assert report["wrong"]
