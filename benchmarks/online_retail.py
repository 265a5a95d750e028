"""Figure 5: a year of a real shop's orders, all routed by one command.

    python benchmarks/online_retail.py [--orders N] [--keep FILE]

The 19,773 baskets of the Online Retail data set (one of 1,106 lines; 16 orders without a country)
against the network of `europe.py`. Captures all, routes all, prints what an operator would ask,
and ends with `verify`, whose findings are the exit code. Chen, D., Sain, S. L., Guo, K. (2012),
Journal of Database Marketing and Customer Strategy Management 19(3), 197-208; GeoNames.
"""

from __future__ import annotations

import csv
import gzip
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import europe
from attrs import define
from captured import PACK, RULESETS, load_stock
from measure import Clock, machine, measured, parser, scratch, table

from domcore import Domcore, Settings, routing
from domcore.model import Destination, ObserveStock, Order, OrderLine, Point, StockCount, micros
from domcore.routing import RouteReport
from domcore.settings import ActivationSettings, RoutingSettings
from domcore.sourcing import decide

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CHANNEL = "online-retail"


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one file."""
    path = DATA / f"online_retail_{name}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def orders(limit: int | None) -> list[Order]:
    """The baskets, oldest first."""
    lines: dict[str, list[OrderLine]] = {}
    for row in rows("lines"):
        basket = lines.setdefault(row["order_id"], [])
        price = micros(row["unit_price_gbp"])
        basket.append(OrderLine(str(len(basket) + 1), row["sku"], int(row["qty"]), price))
    made = [order_of(row, tuple(lines[row["order_id"]])) for row in rows("orders")]
    made.sort(key=lambda order: (order.placed_at, order.external_id))
    return made[:limit]


def order_of(row: dict[str, str], lines: tuple[OrderLine, ...]) -> Order:
    """One order; without a country there is no address."""
    destination = None
    if row["cc"]:
        place = Point.from_degrees(row["lat_imputed"], row["lon_imputed"])
        destination = Destination(row["cc"], point=place)
    return Order(
        "main", CHANNEL, row["order_id"], 1,
        datetime.fromisoformat(row["ordered_at"]).replace(tzinfo=UTC),
        europe.CURRENCY, lines, destination, number=row["order_id"],
    )  # fmt: skip


def demand(placed: list[Order]) -> dict[str, int]:
    """Units ever ordered, by SKU."""
    total: dict[str, int] = {}
    for order in placed:
        for line in order.lines:
            total[line.sku] = total.get(line.sku, 0) + line.quantity
    return total


def shop(path: Path, placed: list[Order], batch: int) -> Domcore:
    """An application with the network, items and stock."""
    settings = Settings(
        store=str(path),
        owners={"main": europe.CURRENCY},
        rulesets=(str(RULESETS),),
        activate=(ActivationSettings(PACK),),
        routing=RoutingSettings(batch=batch),
    )
    dom = Domcore(settings, load_plugins=False)
    dom.load_network(europe.network())
    dom.load_items(europe.items(rows("skus")))
    counts: list[StockCount] = []
    for sku, units in sorted(demand(placed).items()):
        counts += europe.stock(sku, units)
    load_stock(dom, ObserveStock("main", tuple(counts)))
    return dom


@define
class Slowest:
    """The order that took longest to decide."""

    seconds: float = 0.0
    number: str = ""
    lines: int = 0


@contextmanager
def watching() -> Iterator[Slowest]:
    """Time every decision."""
    slowest, work_out = Slowest(), decide.work_out

    def timed(question: Any, *others: Any) -> Any:
        started = time.process_time()
        answer = work_out(question, *others)
        spent = time.process_time() - started
        if spent > slowest.seconds:
            slowest.seconds, slowest.number = spent, question.order.number
            slowest.lines = len(question.order.lines)
        return answer

    with mock.patch.object(routing, "work_out", timed):
        yield slowest


def report(done: RouteReport, ordered: int, clock: Clock, slowest: Slowest) -> None:
    """What an operator would ask."""
    placed = max(1, done.placed)
    table(
        ("figure", "value"),
        [
            ("orders", done.orders),
            ("routed from one node", done.routed),
            ("split over several", f"{done.split} ({done.split / placed:.1%} of those placed)"),
            ("partly short", done.partial),
            ("wholly short", done.short),
            ("held (no address)", done.held),
            ("failed", done.failed),
            ("units reserved", f"{done.units:,} of {ordered:,} ({done.units / ordered:.2%})"),
            ("parcels", f"{done.parcels:,}"),
            ("cost", f"{europe.CURRENCY} {done.cost / 1e6:,.2f}"),
            ("proven optimal", f"{done.proven / placed:.2%} of those placed"),
            ("orders/s (CPU)", f"{done.orders / clock.cpu:.0f}"),
            ("orders/s (wall)", f"{done.orders / clock.wall:.0f}"),
            ("slowest order",
             f"{slowest.seconds * 1e3:.0f} ms, number {slowest.number}, {slowest.lines} lines"),
        ],
    )  # fmt: skip


def progress_to(total: int) -> Callable[[Any], None]:
    """A line on a terminal while it runs."""
    done = 0

    def show(_routed: Any) -> None:
        nonlocal done
        done += 1
        if done % 500 == 0 and sys.stderr.isatty():
            print(f"\r{done} of {total}", end="", file=sys.stderr, flush=True)

    return show


def verify(dom: Domcore) -> int:
    """Print what is broken; returns how much is."""
    with measured() as clock:
        broken = list(dom.verify())
    for violation in broken[:20]:
        print(violation)
    print(f"verify: {len(broken) or 'no'} violations ({clock.wall:.1f} s)")
    return len(broken)


def main() -> int:
    """Capture, route, report, verify."""
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, help="only the first so many")
    arguments.add_argument("--batch", type=int, default=100, help="orders a commit")
    arguments.add_argument("--keep", type=Path, help="leave the database here")
    asked = arguments.parse_args()
    if not DATA.exists():
        print("no ../shared/data: nothing to measure")
        return 0
    placed = orders(100 if asked.smoke else asked.orders)
    longest = max(len(order.lines) for order in placed)
    print(f"{len(placed)} orders, the longest of {longest} lines; {machine()}\n", flush=True)
    with scratch() as folder, shop(asked.keep or folder / "shop.db", placed, asked.batch) as dom:
        with measured() as capturing:
            dom.capture_all(placed)
        print(f"captured {len(placed) / capturing.cpu:,.0f} orders/s (CPU)\n", flush=True)
        with watching() as slowest, measured() as clock:
            done = dom.route(progress=progress_to(len(placed)))
        report(done, sum(demand(placed).values()), clock, slowest)
        return 1 if done.failed or verify(dom) else 0


if __name__ == "__main__":
    sys.exit(main())
