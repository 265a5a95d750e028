"""The long run of the kill -9 test: ten thousand kills, a few hundred for each seed.

    python benchmarks/kill9.py --kills 10000

Each seed starts with a new database. The first seed that breaks anything ends the run, keeps its
database, and is printed with the command that repeats it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HARNESS = Path(__file__).parents[1] / "tests" / "chaos" / "kill9_harness.py"
PER_SEED = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    asked = parser.parse_args()
    began, killed, seed = time.perf_counter(), 0, asked.seed
    acknowledged: Counter[str] = Counter()
    while killed < asked.kills:
        kills = min(PER_SEED, asked.kills - killed)
        folder = Path(tempfile.mkdtemp(prefix="domcore-kill9-"))
        command = [sys.executable, str(HARNESS), str(folder / "hammer.db")]
        command += ["--kills", str(kills), "--seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout or done.stderr)
            print("repeat with:", " ".join(command))
            return 1
        acknowledged.update(json.loads(done.stdout)["acknowledged"])
        shutil.rmtree(folder)
        killed, seed = killed + kills, seed + 1
        rate = killed / (time.perf_counter() - began)
        print(f"{killed:,} kills, 0 violations, {rate:.1f} a second", flush=True)
    print("acknowledged and kept:", dict(sorted(acknowledged.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
