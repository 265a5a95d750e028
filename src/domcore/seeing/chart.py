"""The figures as pictures: a Vega-Lite specification, or a self-contained SVG."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

from domcore.model import amount_text
from domcore.seeing.kpi import Kpi

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"

TIMES: Final = (
    ("days", "d", 86_400_000_000),
    ("hours", "h", 3_600_000_000),
    ("minutes", "min", 60_000_000),
    ("seconds", "s", 1_000_000),
)
WIDTH: Final = 720
_LABEL: Final = 240
_BAR: Final = 360
_ROW: Final = 24
_COLOR: Final = "#3b6ea5"


class Bar(NamedTuple):
    """One bar: its label, how long it is, and what is written behind it."""

    label: str
    value: float
    text: str


class Panel(NamedTuple):
    """Bars of one unit under a title."""

    title: str
    unit: str
    bars: tuple[Bar, ...]


def panels(kpi: Kpi) -> list[Panel]:
    """What is drawn; panels without anything to show are left out."""
    rates = (
        ("fill rate", kpi.fill.rate),
        ("split rate", kpi.split.rate),
        ("shipped as promised", kpi.ship_by.rate),
        ("delivered as promised", kpi.deliver_by.rate),
    )
    every = [
        Panel(
            "Rates", "%", tuple(_percent(name, rate) for name, rate in rates if rate is not None)
        ),
        Panel(
            "Cost per order",
            "amount",
            tuple(_amount(cost.currency, cost.per_order) for cost in kpi.costs),
        ),
        _cycles(kpi),
        Panel(
            "Rejected units",
            "units",
            tuple(_count(f"{each.node}: {each.reason}", each.units) for each in kpi.rejections),
        ),
        Panel("Backlog", "units", tuple(_count(each.node, each.units) for each in kpi.backlog)),
        Panel(
            "Exceptions",
            "count",
            tuple(_count(kind, number) for kind, number in kpi.exceptions.items()),
        ),
    ]
    return [panel for panel in every if panel.bars]


def vega_lite(kpi: Kpi) -> dict[str, Any]:
    """A specification that any Vega-Lite viewer opens; the data is in it."""
    return {
        "$schema": SCHEMA,
        "title": _title(kpi),
        "vconcat": [_chart(panel) for panel in panels(kpi)],
        "resolve": {"scale": {"x": "independent", "y": "independent"}},
    }


def _chart(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "width": _BAR,
        "data": {"values": [{"name": bar.label, "value": bar.value} for bar in panel.bars]},
        "mark": {"type": "bar", "tooltip": True, "color": _COLOR},
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "value", "type": "quantitative", "title": panel.unit},
        },
    }


def svg(kpi: Kpi) -> str:
    """A picture that needs nothing else."""
    parts: list[str] = []
    top = write(parts, 16, 28, _title(kpi), size=16, weight="bold") + 12
    for panel in panels(kpi):
        top = _panel(parts, panel, top)
    return framed(parts, top + 8)


def framed(parts: list[str], height: int) -> str:
    """The picture that holds the parts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "".join(parts) + "</svg>\n"
    )


def _panel(parts: list[str], panel: Panel, top: int) -> int:
    top = write(parts, 16, top + 16, f"{panel.title} ({panel.unit})", weight="bold") + 8
    most = max((bar.value for bar in panel.bars), default=0)
    most = 100 if panel.unit == "%" else most or 1.0
    for bar in panel.bars:
        width = max(0, round(_BAR * bar.value / most))
        write(parts, _LABEL - 8, top + 16, _cut(bar.label), anchor="end")
        parts.append(
            f'<rect x="{_LABEL}" y="{top + 3}" width="{width}" height="{_ROW - 6}"'
            f' fill="{_COLOR}"/>\n'
        )
        write(parts, _LABEL + width + 6, top + 16, bar.text)
        top += _ROW
    return top + 8


def write(
    parts: list[str], x: int, y: int, text: str, *, anchor: str = "start", size: int = 13,
    weight: str = "normal", color: str = "#000000",
) -> int:  # fmt: skip
    """Add a text to a picture; returns its place from above."""
    parts.append(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}"'
        f' font-weight="{weight}" fill="{color}">{escape(_plain(text))}</text>\n'
    )
    return y


def _plain(text: str) -> str:
    """Without what no XML may hold."""
    return "".join(c if c.isprintable() and c not in "\ufffe\uffff" else "?" for c in text)


def _cut(text: str) -> str:
    return text if len(text) <= 32 else f"{text[:31]}…"


def _title(kpi: Kpi) -> str:
    since = f" since {kpi.since:%Y-%m-%d %H:%M}" if kpi.since else ""
    until = f" until {kpi.until:%Y-%m-%d %H:%M}" if kpi.until else ""
    owner = f" of {kpi.owner}" if kpi.owner else ""
    return f"{kpi.orders:,} orders{owner}{since}{until}, as of {kpi.at:%Y-%m-%d %H:%M} UTC"


def _percent(name: str, rate: float) -> Bar:
    return Bar(name, round(100 * rate, 1), f"{100 * rate:.1f} %")


def _amount(currency: str, amount: int) -> Bar:
    """Micros, as long as they are shown."""
    text = amount_text(amount, currency)
    return Bar(currency, float(text.replace(",", "")), text)


def _count(name: str, value: int) -> Bar:
    return Bar(name, value, f"{value:,}")


def _cycles(kpi: Kpi) -> Panel:
    """In the largest unit that the longest of them fills."""
    found = [
        (f"{name.replace('_', ' ')}, {word}", micros)
        for name, cycle in kpi.cycles.items()
        for word, micros in (("median", cycle.median), ("p90", cycle.p90))
        if micros is not None
    ]
    unit, short, one = unit_of(max((micros for _, micros in found), default=0))
    bars = [
        Bar(label, round(micros / one, 3), f"{micros / one:,.1f} {short}")
        for label, micros in found
    ]
    return Panel("Cycle times", unit, tuple(bars))


def unit_of(longest: int) -> tuple[str, str, int]:
    """The largest unit of time that so many microseconds fill: its name, its sign, its length."""
    return next((each for each in TIMES if longest >= each[2]), TIMES[-1])
