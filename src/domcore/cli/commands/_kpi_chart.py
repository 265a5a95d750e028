"""The figures as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from domcore.seeing import chart, chart_series
from domcore.seeing.drawing import SUFFIXES, draw
from domcore.seeing.kpi import Kpi
from domcore.seeing.series import KpiSeries

FORMS: Final = (".svg", ".json", *SUFFIXES)


def check(file: Path) -> None:
    """Refuse a name that says no form.

    Raises:
        click.BadParameter: it does.
    """
    if file.suffix.lower() not in FORMS:
        raise click.BadParameter(
            f"{file}: must end in .svg, .json, .html or .png", param_hint="--chart"
        )


def write_chart(figures: Kpi | KpiSeries, file: Path) -> None:
    """Draw them in the form that the file's name ends in.

    Raises:
        ConfigurationError: it is not there, see `draw`.
    """
    form = file.suffix.lower()
    if form == ".svg":
        text = _svg(figures)
        file.write_text(text, encoding="utf-8")
        return
    found = _vega_lite(figures)
    if form == ".json":
        file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        draw(found, file)


def _svg(figures: Kpi | KpiSeries) -> str:
    return chart_series.svg(figures) if isinstance(figures, KpiSeries) else chart.svg(figures)


def _vega_lite(figures: Kpi | KpiSeries) -> dict[str, Any]:
    if isinstance(figures, KpiSeries):
        return chart_series.vega_lite(figures)
    return chart.vega_lite(figures)
