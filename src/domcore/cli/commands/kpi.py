"""``domcore kpi``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from domcore.cli.known import unknown
from domcore.cli.output import Column, count, fitting
from domcore.cli.times import Since, age, before
from domcore.cli.verb import Invocation, verb
from domcore.model import money_text
from domcore.model.clock import from_micros

if TYPE_CHECKING:
    from domcore.seeing.kpi import Kpi

_FIGURES: Final = (Column("FIGURE", "name"), Column("VALUE", "value"), Column("OF", "of"))
_CYCLES: Final = (
    Column("CYCLE", "name"),
    Column("ORDERS", "count", count, right=True),
    Column("MEDIAN", "median", right=True),
    Column("P90", "p90", right=True),
)
_REJECTIONS: Final = (
    Column("NODE", "node"),
    Column("REJECTED BECAUSE", "reason"),
    Column("NOTICES", "notices", count, right=True),
    Column("UNITS", "units", count, right=True),
)
_BACKLOG: Final = (
    Column("NODE", "node"),
    Column("ORDERS", "orders", count, right=True),
    Column("UNITS", "units", count, right=True),
    Column("OLDEST", "oldest", right=True),
)
_EXCEPTIONS: Final = (Column("EXCEPTIONS", "kind"), Column("COUNT", "count", count, right=True))
_HEALTH: Final = (
    Column("CONNECTION", "name"),
    Column("WAITING", "waiting", count, right=True),
    Column("PARKED", "parked", count, right=True),
    Column("UNKNOWN", "unknown", count, right=True),
    Column("FAILURES", "failures", count, right=True),
    Column("WELL (UTC)", "well"),
    Column("NOTE", "note"),
)


@verb(
    "domcore kpi",
    "domcore kpi --since 7d --chart kpi.svg",
    "domcore kpi --since 2026-01-01 --until 2026-02-01 --json",
)
@click.option("--since", type=Since(), help="Orders that came in at or after this, or so long ago.")
@click.option("--until", type=Since(), help="Orders that came in before this, or so long ago.")
@click.option("--owner", help="Orders of this owner.")
@click.option(
    "--chart",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw them: SVG where FILE ends in .svg, a Vega-Lite specification in .json.",
)
def command(
    run: Invocation,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    owner: str | None,
    chart: Path | None,
) -> None:
    """Show how well it goes: fill rate, splits, cost, promises, cycle times, backlog, health.

    The orders are those that came in between --since and --until; backlog, exceptions and
    connections are as they are now.
    """
    if chart is not None and chart.suffix.lower() not in (".svg", ".json"):
        raise click.BadParameter(f"{chart}: must end in .svg or .json", param_hint="--chart")
    with run.open() as dom:
        now = dom.now()
        begin, end = _moment(now, since), _moment(now, until)
        if begin and end and end < begin:
            raise click.UsageError("--until is before --since")
        kpi = dom.kpi(begin, end, owner=owner)
        hint = "" if kpi.orders else unknown(dom, {"owner": owner})
    if chart is not None:
        _draw(kpi, chart)
    if run.out.as_json:
        run.out.object(kpi.to_dict())
        return
    if not kpi.orders:
        run.out.note(f"No orders came in then{hint or '.'}")
    run.out.say("\n\n".join(_tables(kpi)))
    if chart is not None:
        run.out.note(f"Drawn: {chart}")


def _moment(now: datetime, given: datetime | timedelta | None) -> datetime | None:
    return before(now, given) if isinstance(given, timedelta) else given


def _draw(kpi: Kpi, file: Path) -> None:
    from domcore.seeing.chart import svg, vega_lite  # drawing is asked for now and then

    drawn = file.suffix.lower() == ".svg"
    text = svg(kpi) if drawn else json.dumps(vega_lite(kpi), indent=2, ensure_ascii=False) + "\n"
    file.write_text(text, encoding="utf-8")


def _tables(kpi: Kpi) -> Iterator[str]:
    yield fitting(_FIGURES, list(_figures(kpi)))
    cycles = [
        {
            "name": name.replace("_", " "),
            "count": cycle.count,
            "median": _long(cycle.median),
            "p90": _long(cycle.p90),
        }
        for name, cycle in kpi.cycles.items()
    ]
    yield fitting(_CYCLES, cycles)
    listed = kpi.to_dict()
    if kpi.rejections:
        yield fitting(_REJECTIONS, listed["rejections"])
    if kpi.backlog:
        rows = [
            {**row._asdict(), "oldest": age(kpi.at - from_micros(row.oldest))}
            for row in kpi.backlog
        ]
        yield fitting(_BACKLOG, rows)
    yield fitting(_EXCEPTIONS, [{"kind": k, "count": n} for k, n in kpi.exceptions.items()])
    if kpi.health:
        rows = [
            {**row, "well": (row["well_at"] or "-")[:16].replace("T", " ")}
            for row in listed["health"]
        ]
        yield fitting(_HEALTH, rows)


def _figures(kpi: Kpi) -> Iterator[dict[str, str]]:
    def row(name: str, value: str, of: str) -> dict[str, str]:
        return {"name": name, "value": value, "of": of}

    yield row("orders", count(kpi.orders), f"{count(kpi.units)} units")
    yield row("fill rate", _rate(kpi.fill.rate), f"{count(kpi.fill.whole)} units wanted at first")
    yield row("split rate", _rate(kpi.split.rate), f"{count(kpi.split.whole)} orders placed")
    for cost in kpi.costs:
        amount = money_text(cost.per_order, cost.currency)
        total = money_text(cost.total, cost.currency)
        yield row("cost per order", amount, f"{count(cost.orders)} orders, {total} in all")
    for name, promise in (
        ("shipped as promised", kpi.ship_by),
        ("delivered as promised", kpi.deliver_by),
    ):
        settled = f"{count(promise.kept + promise.missed)} orders, {count(promise.pending)} pending"
        yield row(name, _rate(promise.rate), settled)


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f} %"


def _long(micros: int | None) -> str:
    return "-" if micros is None else age(timedelta(microseconds=micros))
