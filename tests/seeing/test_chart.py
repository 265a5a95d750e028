"""Charts open anywhere, and nothing in them is code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve

from domcore.seeing.chart import SCHEMA, panels, svg, vega_lite
from domcore.seeing.kpi import Cost, Cycle, Health, Kpi, Promise, Rejections, Share
from domcore.store.protocol import Backlog

SPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>&\"'\x00\x1b\ud800"


def some() -> Kpi:
    at = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    return Kpi(
        at=at, since=at, until=None, owner=None, orders=1200, units=3000,
        fill=Share(95, 100), split=Share(1, 10), costs=(Cost("USD", 2, 25_000_000),),
        ship_by=Promise(9, 1, 3), deliver_by=Promise(0, 0, 0),
        cycles={"captured_to_shipped": Cycle(2, 3_600_000_000, 7_200_000_000)},
        rejections=(Rejections("NYC", "not_found", 1, 4),), backlog=(Backlog("NYC", 2, 5, 0),),
        exceptions={"held": 2, "short": 0}, health=(Health("connector x"),),
    )  # fmt: skip


def test_a_specification_is_vega_lite_with_its_data_inside():
    spec = json.loads(json.dumps(vega_lite(some())))
    assert spec["$schema"] == SCHEMA
    titles = [view["title"] for view in spec["vconcat"]]
    assert titles == [
        "Rates", "Cost per order", "Cycle times", "Rejected units", "Backlog", "Exceptions",
    ]  # fmt: skip
    rates = spec["vconcat"][0]
    assert rates["mark"]["type"] == "bar"
    assert rates["data"]["values"] == [
        {"name": "fill rate", "value": 95.0},
        {"name": "split rate", "value": 10.0},
        {"name": "shipped as promised", "value": 90.0},
    ]
    assert {rates["encoding"][axis]["field"] for axis in "xy"} == {"name", "value"}


def test_a_picture_is_well_formed_and_names_every_bar():
    root = ET.fromstring(svg(some()))
    assert root.tag == f"{SPACE}svg"
    words = [element.text for element in root.iter(f"{SPACE}text")]
    for panel in panels(some()):
        assert {bar.label for bar in panel.bars} <= set(words)
    bars = [int(element.attrib["width"]) for element in root.iter(f"{SPACE}rect")][1:]
    assert len(bars) == sum(len(panel.bars) for panel in panels(some()))
    assert all(0 <= width <= 360 for width in bars)


def test_nothing_in_a_picture_is_code():
    hostile = evolve(
        some(),
        owner=HOSTILE,
        backlog=(Backlog(HOSTILE, 1, 1, 0),),
        rejections=(Rejections(HOSTILE, HOSTILE, 1, 1),),
    )
    drawn = svg(hostile)
    assert "<script" not in drawn
    root = ET.fromstring(drawn.encode("utf-8"))
    kinds = {element.tag.removeprefix(SPACE) for element in root.iter()}
    assert kinds == {"svg", "rect", "text"}
    json.dumps(vega_lite(hostile)).encode("utf-8")


def test_a_store_without_orders_is_drawn_too():
    empty = evolve(
        some(), orders=0, fill=Share(0, 0), split=Share(0, 0), costs=(), cycles={}, rejections=(),
        backlog=(), ship_by=Promise(0, 0, 0), exceptions={"held": 0},
    )  # fmt: skip
    assert [panel.title for panel in panels(empty)] == ["Exceptions"]
    ET.fromstring(svg(empty))


@pytest.mark.parametrize(
    ("median", "p90", "unit", "texts"),
    [
        (0, 0, "seconds", ["0.0 s", "0.0 s"]),
        (2_000_000, 90_000_000, "minutes", ["0.0 min", "1.5 min"]),
        (1_800_000_000, 7_200_000_000, "hours", ["0.5 h", "2.0 h"]),
        (0, 172_800_000_000, "days", ["0.0 d", "2.0 d"]),
    ],
)
def test_cycle_times_are_drawn_in_a_unit_that_tells_them_apart(median, p90, unit, texts):
    kpi = evolve(some(), cycles={"captured_to_routed": Cycle(2, median, p90)})
    (panel,) = [panel for panel in panels(kpi) if panel.title == "Cycle times"]
    assert panel.unit == unit
    assert [bar.text for bar in panel.bars] == texts
    drawn = ET.fromstring(svg(evolve(kpi, rejections=(), backlog=(), exceptions={})))
    bars = [int(element.attrib["width"]) for element in drawn.iter(f"{SPACE}rect")][1:]
    assert bars[-1] == (360 if p90 else 0)
