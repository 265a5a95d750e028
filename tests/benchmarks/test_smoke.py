"""The benchmarks still run; what they measure is nobody's business here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


@pytest.mark.skipif(not (SHARED / "bench").exists(), reason="the workload generator is not here")
@pytest.mark.parametrize("script", ["routing.py", "rules.py", "growth.py"])
def test_a_benchmark_runs_small(script: str) -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), "--smoke"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "| " in ran.stdout


@pytest.mark.skipif(not (SHARED / "data").exists(), reason="the real orders are not here")
def test_real_orders_route_and_verify_clean() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "online_retail.py"), "--smoke"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "no violations" in ran.stdout


def test_a_webhook_is_received_small() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "receive.py"), "--smoke", "--rounds", "1"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "the plugin's test order" in ran.stdout


def test_stock_is_counted_and_caught_up_small() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "stock.py"), "--smoke"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "every position again" in ran.stdout


def test_plans_are_looked_at_small() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "explain.py"), "--smoke"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "--why-not" in ran.stdout
