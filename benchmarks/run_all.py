"""Every benchmark, one after the other, each in a process of its own.

    python benchmarks/run_all.py             # the figures; about half an hour
    python benchmarks/run_all.py --smoke     # does everything still run? under a minute

The exit code says whether each ran and found its own results right; timings never fail it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SMOKE = ["--smoke"]
SCRIPTS = {
    "startup.py": SMOKE,
    "rules.py": SMOKE,
    "planner.py": ["--orders", "20"],
    "planner_baskets.py": SMOKE,
    "routing.py": SMOKE,
    "growth.py": SMOKE,
    "online_retail.py": SMOKE,
    "dispatch.py": SMOKE,
    "stock.py": SMOKE,
    "receive.py": SMOKE,
    "explain.py": SMOKE,
    "verify_scale.py": SMOKE,
}
"""Each with the options that make it quick."""


def run(script: str, options: list[str], *, quiet: bool) -> bool:
    """Run one; its report is shown, or only when it fails."""
    started = time.perf_counter()
    print(f"== {script} {' '.join(options)}".rstrip(), flush=True)
    ran = subprocess.run(
        [sys.executable, str(HERE / script), *options],
        check=False, stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None, text=True,
    )  # fmt: skip
    spent = time.perf_counter() - started
    if ran.returncode and quiet:
        print(ran.stdout)
    print(f"   {'failed' if ran.returncode else 'done'} in {spent:.0f} s\n", flush=True)
    return ran.returncode == 0


def main() -> int:
    """Run all there are; 1 when one of them failed."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--smoke", action="store_true", help="small and quick, for CI")
    asked = arguments.parse_args()
    failed = [
        script
        for script, quick in SCRIPTS.items()
        if not run(script, quick if asked.smoke else [], quiet=asked.smoke)
    ]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
