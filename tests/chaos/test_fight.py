from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("fight_harness.py")
NODES = ("ATL", "LAX", "NYC")
EACH, KEPT = 150, 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_eight_processes_sell_everything_once_and_break_no_floor(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(tmp_path / "fight.db")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["violations"] == []
    assert not [each for each in report["processes"] if "broken" in each]
    assert report["sold"] == {"HOT": 3 * EACH, "GUARDED": 3 * (EACH - KEPT)}
    assert report["left"] == {
        **{f"HOT {node}": 0 for node in NODES},
        **{f"GUARDED {node}": KEPT for node in NODES},
    }
    served = [each["served"] for each in report["processes"]]
    assert len(served) == 8
    assert min(served) * 2 >= sum(served) / len(served), f"unfair: {served}"
