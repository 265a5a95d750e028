"""The figures of each day, week and month, and their pictures over time."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import altair as alt
import pytest
from attrs import evolve

from domcore import ConfigurationError, Domcore
from domcore.model import Notice
from domcore.seeing import chart
from domcore.seeing.chart_series import panels, svg, vega_lite
from domcore.seeing.drawing import draw
from domcore.testing.builder import World

HOSTILE = "</text></script><script>alert(1)</script>&\"'"
FIRST = datetime(2026, 1, 30, 12, tzinfo=UTC)


@pytest.fixture
def dom() -> Domcore:
    """Orders on days 0, 1, 3 and 40, some shipped, some short."""
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG").stock("MUG", NYC=6, LAX=3)
    dom = world.open()
    for number, (day, units) in enumerate(((0, 2), (0, 5), (1, 1), (3, 4), (40, 1)), 1):
        world.clock.now = FIRST + timedelta(days=day)
        dom.capture(world.order(str(number), MUG=units))
        dom.route()
        if day == 1:
            world.clock.now += timedelta(hours=5)
            dom.record(Notice("3-1-LAX", "shipped", world.clock()))
    return dom


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_each_period_has_the_figures_of_its_orders(dom: Domcore, by: str) -> None:
    series = dom.kpi_series(by=by)
    assert series.orders == 5
    for period in series.periods:
        alone = dom.kpi(period.begin, period.end).to_dict()
        told = period.to_dict()
        assert told == {"begin": told["begin"], "end": told["end"]} | {
            key: alone[key] for key in told if key not in ("begin", "end")
        }
    ends = [each.end for each in series.periods]
    assert [each.begin for each in series.periods[1:]] == ends[:-1]


def test_periods_are_those_of_the_calendar(dom: Domcore) -> None:
    def begins(by: str) -> list[str]:
        return [f"{each.begin:%m-%d}" for each in dom.kpi_series(by=by).periods]

    assert begins("month") == ["01-01", "02-01", "03-01"]
    assert begins("week")[:3] == ["01-26", "02-02", "02-09"]
    assert [each.orders for each in dom.kpi_series().periods][:5] == [2, 1, 0, 1, 0]


def test_the_first_and_the_last_are_cut_where_they_are_asked_for(dom: Domcore) -> None:
    since, until = FIRST - timedelta(days=1), FIRST + timedelta(days=1, hours=1)
    periods = dom.kpi_series(since, until).periods
    assert (periods[0].begin, periods[-1].end) == (since, until)
    assert [each.orders for each in periods] == [0, 2, 1]
    assert dom.kpi_series(since, since).periods == ()
    east = since.astimezone(tz=datetime.strptime("+0900", "%z").tzinfo)
    assert dom.kpi_series(east, until).periods == periods


def test_a_store_without_orders_has_no_periods() -> None:
    with World().node("NYC", at=(40.7, -74.0)).open() as dom:
        assert dom.kpi_series().periods == ()
        assert ET.fromstring(svg(dom.kpi_series())) is not None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "year"}, "no period"),
        ({"since": datetime(2026, 1, 1)}, "zone"),
        ({"since": FIRST, "until": FIRST - timedelta(1)}, "before since"),
        ({"since": datetime(1, 1, 1, tzinfo=UTC)}, "more than 1,000"),
        ({"until": datetime.max.replace(tzinfo=UTC)}, "more than 1,000"),
    ],
)
def test_what_cannot_be_meant_is_refused(dom: Domcore, options, said) -> None:
    with pytest.raises(ConfigurationError, match=said):
        dom.kpi_series(**options)


def test_the_end_of_the_calendar_is_an_end(dom: Domcore) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    for by in ("day", "week", "month"):
        (period,) = dom.kpi_series(last - timedelta(hours=1), last, by=by).periods
        assert (period.orders, period.end) == (0, last)


# --- pictures -----------------------------------------------------------------------------------


def test_altair_takes_our_specifications(dom: Domcore) -> None:
    for told in (vega_lite(dom.kpi_series()), chart.vega_lite(dom.kpi())):
        drawn = alt.Chart.from_dict(json.loads(json.dumps(told)), validate=True)
        assert isinstance(drawn, alt.VConcatChart)
    with pytest.raises(Exception, match="valid"):
        alt.Chart.from_dict({**told, "vconcat": [{"mark": "no such mark"}]}, validate=True)


def test_the_time_axis_is_one_of_time(dom: Domcore) -> None:
    views = vega_lite(dom.kpi_series())["vconcat"]
    assert [view["title"] for view in views] == [
        "Orders", "Rates", "Cost per order", "Cycle times, median",
    ]  # fmt: skip
    assert {view["encoding"]["x"]["type"] for view in views} == {"temporal"}
    orders = views[0]["data"]["values"]
    assert orders[0] == {"time": "2026-01-30T00:00:00+00:00", "name": "orders", "value": 2.0}
    assert len(orders) == 41


def test_a_picture_has_a_line_for_each_figure_and_stays_in_its_frame(dom: Domcore) -> None:
    series = evolve(dom.kpi_series(), owner=HOSTILE)
    root = ET.fromstring(svg(series))
    space = "{http://www.w3.org/2000/svg}"
    lines = [line for panel in panels(series) for line in panel.lines]
    assert len(list(root.iter(f"{space}polyline"))) == len(lines)
    assert len(list(root.iter(f"{space}circle"))) == sum(len(line.points) for line in lines)
    wide, high = int(root.attrib["width"]), int(root.attrib["height"])
    for dot in root.iter(f"{space}circle"):
        assert 0 <= int(dot.attrib["cx"]) <= wide
        assert 0 <= int(dot.attrib["cy"]) <= high
    assert not list(root.iter(f"{space}script"))


def test_pages_and_pictures_are_drawn_by_the_extra(dom: Domcore, tmp_path: Path) -> None:
    told = vega_lite(evolve(dom.kpi_series(by="week"), owner=HOSTILE))
    draw(told, tmp_path / "kpi.html")
    page = (tmp_path / "kpi.html").read_text("utf-8")
    assert HOSTILE not in page
    assert "alert(1)" in page
    assert 'src="http' not in page
    draw(told, tmp_path / "kpi.png")
    assert (tmp_path / "kpi.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_without_the_extra_its_name_is_told(
    dom: Domcore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError, match=r"domcore\[charts\]"):
        draw(vega_lite(dom.kpi_series()), tmp_path / "kpi.png")
    assert not list(tmp_path.iterdir())
