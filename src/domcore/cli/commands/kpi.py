"""``domcore kpi``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from domcore.cli.invocation import Invocation
from domcore.cli.known import unknown
from domcore.cli.output import Column, Row, count, joined
from domcore.cli.times import Since, age, before
from domcore.cli.verb import verb
from domcore.model import money_text
from domcore.model.clock import from_micros

if TYPE_CHECKING:
    from domcore.seeing.kpi import Kpi
    from domcore.seeing.series import By, KpiSeries, Period

_FIGURES: Final = (Column("FIGURE", "name"), Column("VALUE", "value"), Column("OF", "of"))
_PERIODS: Final = (
    Column("FROM (UTC)", "period"),
    Column("ORDERS", "orders", right=True),
    Column("UNITS", "units", right=True),
    Column("FILL", "fill", right=True),
    Column("SPLIT", "split", right=True),
    Column("COST PER ORDER", "cost", right=True),
    Column("AS PROMISED", "promise", right=True),
    Column("SHIPPED IN", "shipped", right=True),
)
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
    "domcore kpi --by week --chart weeks.svg",
    "domcore kpi --since 2026-01-01 --until 2026-02-01 --json",
    "domcore kpi --since 24h --watch",
    watched=(),
)
@click.option("--since", type=Since(), help="Orders that came in at or after this, or so long ago.")
@click.option("--until", type=Since(), help="Orders that came in before this, or so long ago.")
@click.option("--owner", help="Orders of this owner.")
@click.option(
    "--by", "period", type=click.Choice(["day", "week", "month"]), help="A row for each of these."
)
@click.option(
    "--chart",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw them: an SVG picture where FILE ends in .svg, a Vega-Lite specification in"
    " .json; with domcore[charts] a page in .html, a PNG picture in .png.",
)
def command(
    run: Invocation,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    owner: str | None,
    chart: Path | None,
    period: By | None,
) -> None:
    """Show how well it goes: fill rate, splits, cost, promises, cycle times, backlog, health.

    The orders are those that came in between --since and --until; backlog, exceptions and
    connections are as they are now. With --by, the figures of each day, week (from Monday on) or
    month in UTC, from the first order on if --since is left out: one row or JSON object each, and
    a time axis in the chart.
    """
    from domcore.cli.commands import _kpi_chart  # drawing is asked for now and then

    if chart is not None:
        _kpi_chart.check(chart)
    with run.open() as dom:
        now = dom.now()
        begin, end = _moment(now, since), _moment(now, until)
        if begin and end and end < begin:
            raise click.UsageError("--until is before --since")
        figures = (
            dom.kpi(begin, end, owner=owner)
            if period is None
            else dom.kpi_series(begin, end, by=period, owner=owner)
        )
        hint = "" if figures.orders else unknown(dom, {"owner": owner})
    if chart is not None:
        _kpi_chart.write_chart(figures, chart)
    if not run.out.as_json and not figures.orders:
        run.out.note(f"No orders came in then{hint or '.'}")
    _tell(run, figures)
    if chart is not None and not run.out.as_json:
        run.out.note(f"Drawn: {chart}")


def _tell(run: Invocation, figures: Kpi | KpiSeries) -> None:
    if hasattr(figures, "periods"):
        if run.out.as_json:
            for each in figures.periods:
                run.out.object(each.to_dict())
        elif figures.periods:
            run.out.tables([(_PERIODS, list(map(_period, figures.periods)))])
    elif run.out.as_json:
        run.out.object(figures.to_dict())
    else:
        run.out.tables(_tables(figures))


def _period(each: Period) -> dict[str, str]:
    cycle = each.cycles["captured_to_shipped"]
    return {
        "period": f"{each.begin:%Y-%m-%d}",
        "orders": count(each.orders),
        "units": count(each.units),
        "fill": _rate(each.fill.rate),
        "split": _rate(each.split.rate),
        "cost": joined(money_text(cost.per_order, cost.currency) for cost in each.costs),
        "promise": _rate(each.ship_by.rate),
        "shipped": _long(cycle.median),
    }


def _moment(now: datetime, given: datetime | timedelta | None) -> datetime | None:
    return before(now, given) if isinstance(given, timedelta) else given


def _tables(kpi: Kpi) -> Iterator[tuple[Sequence[Column], Sequence[Row]]]:
    yield _FIGURES, list(_figures(kpi))
    cycles = [
        {
            "name": name.replace("_", " "),
            "count": cycle.count,
            "median": _long(cycle.median),
            "p90": _long(cycle.p90),
        }
        for name, cycle in kpi.cycles.items()
    ]
    yield _CYCLES, cycles
    listed = kpi.to_dict()
    if kpi.rejections:
        yield _REJECTIONS, listed["rejections"]
    if kpi.backlog:
        rows = [
            {**row._asdict(), "oldest": age(kpi.at - from_micros(row.oldest))}
            for row in kpi.backlog
        ]
        yield _BACKLOG, rows
    yield _EXCEPTIONS, [{"kind": k, "count": n} for k, n in kpi.exceptions.items()]
    if kpi.health:
        rows = [
            {**row, "well": (row["well_at"] or "-")[:16].replace("T", " ")}
            for row in listed["health"]
        ]
        yield _HEALTH, rows


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
