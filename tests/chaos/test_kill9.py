from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HARNESS = Path(__file__).with_name("kill9_harness.py")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


def hammer(path: Path, *options: str) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(path), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_300_kills_at_random_moments_break_nothing(tmp_path: Path) -> None:
    code, report = hammer(tmp_path / "hammer.db", "--kills", "300")
    assert (code, report["violations"]) == (0, []), report
    done = report["acknowledged"]
    assert report["at work"] > 100
    assert done["captured"] > 300
    assert done["decided"] > 300
    assert {"cancelled", "amended", "observed", "leased", "settled"} <= done.keys()


def test_the_harness_notices_a_broken_promise(tmp_path: Path) -> None:
    code, report = hammer(tmp_path / "hammer.db", "--kills", "2", "--lie")
    assert code == 1
    assert any("never" in violation for violation in report["violations"])
