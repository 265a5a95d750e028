"""Figure 1: CPU to route an order, against a straight-line sqlite3 script, and what plans cost.

    python benchmarks/routing.py                    # everything, workload M
    python benchmarks/routing.py --only cost        # one part: ratio, stages, receive or cost

Orders are captured before the clock starts; `cost-first` with `ship_complete` is active, decisions
are stored, ``synchronous=FULL``. The yardstick (`bare.py`) runs before and after each run of
domcore in the same process; the ratio of a round is domcore's CPU to the mean of the two, the
ratio reported is the median over the rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import plan_cost
from bare import run_bare
from captured import copy_of, load, make_template, open_app, settings_for
from measure import machine, measured, median, micro, parser, scratch, table
from stages import STAGES, stamped
from workload import Workload, workload

from domcore.routing import RouteReport

ENGINES = ("python", "durable")
BATCHES = (1, 100)
TARGETS = {1: "2.5 (aim 1.8)", 100: "3 (aim 2)"}
PARTS = ("ratio", "stages", "receive", "cost")


def yardstick(work: Workload, folder: Path, batch: int, orders: int) -> float:
    """CPU seconds of the bare script."""
    path = folder / "bare.db"
    seconds, placed = run_bare(work.rows, path, batch, orders)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    if not placed:
        raise SystemExit("the yardstick placed nothing")
    return seconds


def domcore_run(template: Path, batch: int, engine: str) -> tuple[float, RouteReport]:
    """CPU seconds of routing everything in a fresh application, and its report."""
    with (
        copy_of(template) as path,
        open_app(settings_for(path, batch=batch, engine=engine)) as dom,
        measured() as clock,
    ):
        report = dom.route()
    if report.failed or not report.placed:
        raise SystemExit(f"routing went wrong: {report}")
    return clock.cpu, report


def ratios(
    work: Workload, template: Path, orders: int, rounds: int, engines: Sequence[str] = ENGINES
) -> None:
    """The headline."""
    rows = []
    for batch in BATCHES:
        for engine in engines:
            bare: list[float] = []
            ours: list[float] = []
            found: list[float] = []
            for _ in range(rounds):
                before = yardstick(work, template.parent, batch, orders)
                seconds, report = domcore_run(template, batch, engine)
                after = yardstick(work, template.parent, batch, orders)
                bare += [before, after]
                ours.append(seconds)
                found.append(2 * seconds / (before + after))
            rows.append(
                (
                    batch, engine, micro(median(bare), orders), micro(median(ours), orders),
                    f"{median(found):.2f}", TARGETS[batch], report.placed,
                )
            )  # fmt: skip
    heads = ("orders a commit", "engine", "bare", "domcore", "ratio", "target", "orders placed")
    table(heads, rows)


def stages(template: Path, orders: int, engine: str) -> None:
    """CPU by stage, from stamped runs of their own."""
    seconds: dict[int, dict[str, float]] = {}
    totals: dict[int, float] = {}
    for batch in BATCHES:
        with stamped() as stamps:
            totals[batch], _ = domcore_run(template, batch, engine)
        seconds[batch] = stamps.seconds
    rows = [
        (stage, *(micro(seconds[batch][stage], orders) for batch in BATCHES)) for stage, _ in STAGES
    ]
    rows.append(("total, with stamps", *(micro(totals[batch], orders) for batch in BATCHES)))
    table(("stage", *(f"{batch} a commit" for batch in BATCHES)), rows)


def receive_and_route(work: Workload, template: Path, orders: int) -> None:
    """Capture inside the clock too; the yardstick inserts its orders anyway."""
    rows = []
    for batch in BATCHES:
        before = yardstick(work, template.parent, batch, orders)
        path = template.with_name("received.db")
        with open_app(settings_for(path, batch=batch)) as dom:
            load(dom, work)
            with measured() as capturing:
                dom.capture_all(work.orders[:orders], batch=batch)
            with measured() as routing:
                dom.route()
        path.unlink()
        after = yardstick(work, template.parent, batch, orders)
        ratio = 2 * (capturing.cpu + routing.cpu) / (before + after)
        rows.append(
            (
                batch, micro((before + after) / 2, orders), micro(capturing.cpu, orders),
                micro(routing.cpu, orders), f"{ratio:.2f}",
            )
        )  # fmt: skip
    table(("orders a commit", "bare", "capture", "route", "ratio of both"), rows)


def main() -> None:
    """Run the parts that were asked for."""
    arguments = parser(__doc__)
    arguments.add_argument("--size", default="M", choices=("XS", "S", "M", "L"))
    arguments.add_argument("--orders", type=int, default=10_000)
    arguments.add_argument("--only", choices=PARTS)
    arguments.add_argument("--engine", choices=ENGINES, help="the ratio for one engine only")
    asked = arguments.parse_args()
    size, rounds = ("S", 1) if asked.smoke else (asked.size, asked.rounds)
    parts = (asked.only,) if asked.only else PARTS
    work = workload(size)
    orders = min(300 if asked.smoke else asked.orders, len(work.orders))
    engines = (asked.engine,) if asked.engine else ENGINES
    print(f"workload {size}, {orders} orders; {machine()}\n")
    with scratch() as folder:
        template = make_template(folder, work, orders)
        if "ratio" in parts:
            ratios(work, template, orders, rounds, engines)
        if "stages" in parts:
            stages(template, orders, engines[0])
        if "receive" in parts:
            receive_and_route(work, template, orders)
    if "cost" in parts:
        table(plan_cost.HEADS, plan_cost.compare(work, orders))


if __name__ == "__main__":
    main()
