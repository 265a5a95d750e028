"""The figures over time as pictures: a Vega-Lite specification, or a self-contained SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from domcore.model.money import MICROS
from domcore.seeing.chart import SCHEMA, framed, unit_of, write
from domcore.seeing.series import KpiSeries, Period

_LEFT: Final = 90
_WIDTH: Final = 480
_HEIGHT: Final = 110
_COLORS: Final = ("#3b6ea5", "#c2571a", "#3f8f4f", "#8a4fa3", "#8c6d1f", "#555555")
_DATES: Final = 6
"""Dates under a time axis, at most."""

_RATES: Final = (
    ("fill rate", "fill"),
    ("split rate", "split"),
    ("shipped as promised", "ship_by"),
    ("delivered as promised", "deliver_by"),
)


class Line(NamedTuple):
    """One figure over time: its name, and what it was in each period that has one."""

    name: str
    points: tuple[tuple[datetime, float], ...]


class Panel(NamedTuple):
    """Lines of one unit under a title."""

    title: str
    unit: str
    lines: tuple[Line, ...]


def panels(series: KpiSeries) -> list[Panel]:
    """What is drawn; panels without anything to show are left out."""
    every = (
        Panel("Orders", "count", (_line("orders", series, lambda each: float(each.orders)),)),
        Panel("Rates", "%", tuple(_line(name, series, _rate(part)) for name, part in _RATES)),
        Panel("Cost per order", "amount", tuple(_costs(series))),
        _cycles(series),
    )
    found = [panel._replace(lines=tuple(line for line in panel.lines if line.points))
             for panel in every]  # fmt: skip
    return [panel for panel in found if panel.lines]


def _line(name: str, series: KpiSeries, value: Callable[[Period], float | None]) -> Line:
    values = ((each.begin, value(each)) for each in series.periods)
    return Line(name, tuple((at, number) for at, number in values if number is not None))


def _rate(part: str) -> Callable[[Period], float | None]:
    def value(period: Period) -> float | None:
        rate: float | None = getattr(period, part).rate
        return None if rate is None else round(100 * rate, 1)

    return value


def _costs(series: KpiSeries) -> Iterator[Line]:
    for currency in sorted({cost.currency for each in series.periods for cost in each.costs}):

        def value(period: Period, currency: str = currency) -> float | None:
            found = [cost.per_order for cost in period.costs if cost.currency == currency]
            return round(found[0] / MICROS, 2) if found else None

        yield _line(currency, series, value)


def _cycles(series: KpiSeries) -> Panel:
    """Medians, in the largest unit that the longest of them fills."""
    medians = [cycle.median or 0 for each in series.periods for cycle in each.cycles.values()]
    unit, _, one = unit_of(max(medians, default=0))

    def value(name: str) -> Callable[[Period], float | None]:
        def median(period: Period) -> float | None:
            micros = period.cycles[name].median
            return None if micros is None else round(micros / one, 3)

        return median

    names = list(series.periods[0].cycles) if series.periods else []
    lines = tuple(_line(name.replace("_", " "), series, value(name)) for name in names)
    return Panel("Cycle times, median", unit, lines)


def vega_lite(series: KpiSeries) -> dict[str, Any]:
    """A specification with a time axis that any Vega-Lite viewer opens; the data is in it."""
    return {
        "$schema": SCHEMA,
        "title": _title(series),
        "vconcat": [_chart(panel) for panel in panels(series)],
        "resolve": {"scale": {"color": "independent"}},
    }


def _chart(panel: Panel) -> dict[str, Any]:
    values = [
        {"time": at.isoformat(), "name": line.name, "value": value}
        for line in panel.lines
        for at, value in line.points
    ]
    return {
        "title": panel.title,
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": values},
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {
            "x": {"field": "time", "type": "temporal", "scale": {"type": "utc"}, "title": None},
            "y": {"field": "value", "type": "quantitative", "title": panel.unit},
            "color": {
                "field": "name", "type": "nominal", "title": None, "scale": {"range": [*_COLORS]}
            },
        },
    }  # fmt: skip


def svg(series: KpiSeries) -> str:
    """A picture that needs nothing else."""
    parts: list[str] = []
    top = write(parts, 16, 28, _title(series), size=16, weight="bold") + 12
    for panel in panels(series):
        top = _panel(parts, panel, [each.begin for each in series.periods], top)
    return framed(parts, top + 8)


def _panel(parts: list[str], panel: Panel, times: list[datetime], top: int) -> int:
    top = write(parts, 16, top + 16, f"{panel.title} ({panel.unit})", weight="bold") + 12
    bottom = top + _HEIGHT
    highest = max(value for line in panel.lines for _, value in line.points)
    most = 100.0 if panel.unit == "%" else highest or 1.0
    whole = (times[-1] - times[0]).total_seconds() or 1.0

    def across(at: datetime) -> int:
        return _LEFT + round(_WIDTH * (at - times[0]).total_seconds() / whole)

    for share in (0.0, 0.5, 1.0):
        y = round(bottom - _HEIGHT * share)
        parts.append(
            f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + _WIDTH}" y2="{y}" stroke="#dddddd"/>\n'
        )
        write(parts, _LEFT - 8, y + 4, f"{most * share:,.6g}", anchor="end", size=11)
    for at in times[:: -(-len(times) // _DATES)]:
        write(parts, across(at), bottom + 16, f"{at:%Y-%m-%d}", anchor="middle", size=11)
    for number, line in enumerate(panel.lines):
        color = _COLORS[number % len(_COLORS)]
        places = [(across(at), round(bottom - _HEIGHT * value / most)) for at, value in line.points]
        drawn = " ".join(f"{x},{y}" for x, y in places)
        parts.append(
            f'<polyline points="{drawn}" fill="none" stroke="{color}" stroke-width="2"/>\n'
        )
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>\n' for x, y in places]
        write(parts, _LEFT + _WIDTH + 12, top + 12 + 18 * number, line.name, color=color, size=11)
    return max(bottom + 28, top + 18 * len(panel.lines))


def _title(series: KpiSeries) -> str:
    owner = f" of {series.owner}" if series.owner else ""
    return f"{series.orders:,} orders{owner} by {series.by}, as of {series.at:%Y-%m-%d %H:%M} UTC"
