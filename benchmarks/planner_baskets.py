"""The planner on heavy orders at true weight steps, against the best HiGHS finds in 20 s of CPU.

    python benchmarks/planner_baskets.py          # 30 baskets a class, 2 long orders a size
    python benchmarks/planner_baskets.py --baskets 100 --cache answers.json

Real baskets of six classes by their number of lines, each position at 0 to 3 thirds of its stock,
and invented long orders over 20 and 50 nodes (`baskets.py`). HiGHS' answers depend on the orders
alone: ``--cache`` keeps them in a file, so that only the first run takes hours. The planner has no
solver. The exit code says whether every proof holds and no plan got dearer with more steps.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from time import process_time

from attrs import define
from baskets import CLASSES, Basket, long_orders, real_baskets
from measure import machine, parser, table
from online_retail import DATA

from domcore.settings import RoutingSettings
from domcore.sourcing.planner import solve

STEPS = RoutingSettings().step_limit
FEWER = (1_000, 20_000)
"""Smaller budgets under which no plan may be cheaper."""


@define
class Row:
    """What came of one order: excess over the yardstick, proof, CPU seconds, what is wrong."""

    kind: str
    excess: float
    proven: bool
    gap: float
    seconds: float
    wrong: str


class Answers:
    """HiGHS' answers by question, from a file where one is given."""

    def __init__(self, path: Path | None, seconds: float) -> None:
        self._path = path
        self._known: dict[str, list[float]] = {}
        if path is not None and path.exists():
            self._known = json.loads(path.read_text())
        self._yardstick = None
        self._seconds = seconds

    def best(self, basket: Basket) -> int:
        """Micros of the best plan HiGHS found, -1 where it found none."""
        key = basket.digest
        if key not in self._known:
            if self._yardstick is None:
                from yardstick import Yardstick  # highspy is not needed where all is known

                self._yardstick = Yardstick(self._seconds)
            self._known[key] = list(self._yardstick.best(basket.problem))
            self._save()
        return int(self._known[key][0])

    def _save(self) -> None:
        if self._path is not None:
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps(self._known))
            os.replace(part, self._path)


def measure(basket: Basket, best: int) -> Row:
    """Plan one order under the default budget, and under smaller ones."""
    started = process_time()
    solution = solve(basket.problem, step_limit=STEPS)
    spent = process_time() - started
    costs = [solve(basket.problem, step_limit=steps).cost for steps in FEWER]
    wrong = ""
    if any(few < more for few, more in pairwise([*costs, solution.cost])):
        wrong = "dearer with more steps"
    # HiGHS works in floating point: a micro is no contradiction.
    if solution.bound > best + 1:
        wrong = "the bound is above a plan there is"
    excess = solution.cost / best - 1 if best else 0.0
    gap = 1 - solution.bound / solution.cost if solution.cost else 0.0
    return Row(basket.kind, excess, solution.proven, gap, spent, wrong)


def run(baskets: Iterable[Basket], answers: Answers) -> list[Row]:
    """Measure what HiGHS has found a plan for."""
    rows = []
    for basket in baskets:
        best = answers.best(basket)
        if best < 0:
            print(f"{basket.kind}, {basket.name}: HiGHS found nothing")
            continue
        row = measure(basket, best)
        rows.append(row)
        if row.wrong:
            print(f"{basket.kind}, {basket.name}: {row.wrong}")
    return rows


def report(rows: list[Row]) -> None:
    """One line for each class."""
    kinds = [*dict.fromkeys(row.kind for row in rows), "all"]
    lines = []
    for kind in kinds:
        some = [row for row in rows if kind in (row.kind, "all")]
        if some:
            count = len(some)
            lines.append(
                (
                    kind,
                    count,
                    f"{sum(row.excess for row in some) / count:+.2%}",
                    f"{max(row.excess for row in some):+.2%}",
                    f"{sum(row.proven for row in some) / count:.0%}",
                    f"{sum(row.gap for row in some) / count:.1%}",
                    f"{sum(row.seconds for row in some) / count * 1e3:.1f} ms",
                )
            )
    table(("orders", "count", "above HiGHS", "worst", "proven", "gap", "CPU"), lines)


def main() -> int:
    """Real baskets, then long orders."""
    arguments = parser(__doc__)
    arguments.add_argument("--baskets", type=int, default=30, help="of every class")
    arguments.add_argument("--long", type=int, default=2, help="long orders of every size")
    arguments.add_argument("--seed", type=int, default=8)
    arguments.add_argument("--seconds", type=float, default=20.0, help="of CPU, for HiGHS")
    arguments.add_argument("--cache", type=Path, help="HiGHS' answers; made where it is not there")
    asked = arguments.parse_args()
    answers = Answers(asked.cache, 0.5 if asked.smoke else asked.seconds)
    count, seeds = (1, range(0)) if asked.smoke else (asked.baskets, range(asked.long))
    print(f"{machine()}; seed {asked.seed}, long orders of seeds {list(seeds)}, {STEPS:,} steps\n")
    try:
        rows = []
        if DATA.exists():
            print(f"{count} baskets of each of {len(CLASSES)} classes", flush=True)
            rows = run(real_baskets(count, asked.seed), answers)
            report(rows)
        sizes = ((15, 20),) if asked.smoke else None
        wide = long_orders(range(1), sizes) if sizes else long_orders(seeds)
        more = run(wide, answers)
        report(more)
    except ImportError as missing:
        print(f"{missing.name} is not installed: nothing to compare with")
        return 0
    return 1 if any(row.wrong for row in [*rows, *more]) else 0


if __name__ == "__main__":
    sys.exit(main())
