"""Figure 2: CPU per order from a small network to a large one, and memory at the large one.

    python benchmarks/growth.py

S has 10 nodes and 1,000 SKUs, L 500 nodes and 100,000 SKUs. Each size is routed from a fresh
application, 100 orders and 1 order to a commit, sizes in turn. Memory is the peak of a process of
its own that opens the database of L and routes every order in it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from captured import copy_of, make_template, open_app, settings_for
from measure import machine, measured, median, micro, parser, peak_megabytes, scratch, table
from workload import Workload, workload

SIZES = ("S", "L")
BATCHES = (1, 100)
MOST_MEGABYTES = 400


def route_once(template: Path, batch: int, orders: int) -> float:
    """CPU seconds per order in a fresh application."""
    with (
        copy_of(template) as path,
        open_app(settings_for(path, batch=batch)) as dom,
        measured() as clock,
    ):
        report = dom.route(limit=orders)
    if report.orders != orders or report.failed:
        raise SystemExit(f"routing went wrong: {report}")
    return clock.cpu / orders


def growth(templates: dict[str, Path], counts: dict[str, int], rounds: int) -> None:
    """CPU per order by size."""
    rows = []
    for batch in BATCHES:
        found: dict[str, list[float]] = {size: [] for size in SIZES}
        for _ in range(rounds):
            for size in SIZES:
                found[size].append(route_once(templates[size], batch, counts[size]))
        small, large = (median(found[size]) for size in SIZES)
        rows.append((batch, micro(small, 1), micro(large, 1), f"{large / small:.2f}", "2"))
    table(("orders a commit", *SIZES, "growth", "at most"), rows)


def memory(template: Path) -> None:
    """Peak memory of a fresh process that routes everything."""
    with copy_of(template) as path:
        ran = subprocess.run(
            [sys.executable, __file__, "--in-process", str(path)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    orders, import_only, peak = ran.stdout.split()
    table(
        ("fresh process at L", "MB", "under"),
        [
            ("domcore imported", import_only, ""),
            (f"{orders} orders routed", peak, MOST_MEGABYTES),
        ],
    )


def route_in_process(path: str) -> None:
    """The process whose memory is measured."""
    before = peak_megabytes()
    with open_app(settings_for(path)) as dom:
        report = dom.route()
    print(report.orders, f"{before:.0f}", f"{peak_megabytes():.0f}")


def prepared(folder: Path, size: str, orders: int | None) -> tuple[Path, int]:
    """A captured database of one size, and how many orders are in it."""
    into = folder / size
    into.mkdir()
    work: Workload = workload(size)
    with measured() as clock:
        template = make_template(into, work, orders)
    count = len(work.orders[:orders])
    print(f"{size}: {len(work.stock.counts)} balances and {count} orders in {clock.wall:.0f} s")
    return template, count


def main() -> None:
    """Growth, then memory."""
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, default=10_000, help="routed at L for the CPU")
    arguments.add_argument("--in-process", metavar="DATABASE", help="route it and print memory")
    asked = arguments.parse_args()
    if asked.in_process:
        route_in_process(asked.in_process)
        return
    print(machine(), flush=True)
    with scratch() as folder:
        if asked.smoke:
            templates = {size: prepared(folder, size, 100)[0] for size in ("XS", "S")}
            pair = {"S": templates["XS"], "L": templates["S"]}
            growth(pair, {"S": 50, "L": 100}, 1)
            memory(pair["L"])
            return
        small, few = prepared(folder, "S", None)
        large, many = prepared(folder, "L", None)
        print()
        growth({"S": small, "L": large}, {"S": few, "L": min(asked.orders, many)}, asked.rounds)
        memory(large)


if __name__ == "__main__":
    main()
