"""When a node is closed, for how long, and why."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from domcore.model import Node, Point
from domcore_holidays import calendar
from domcore_holidays.calendar import HORIZON, Calendar, public_holidays
from domcore_holidays.options import read_options
from domcore_holidays.regions import ENGLISH, Place, place_of

WEEKEND = {"kinds": {"dc": {"weekend": ["saturday", "sunday"]}}}


def node(id: str = "NYC", kind: str = "dc", country: str = "US", **more) -> Node:
    return Node(id, kind, Point(0, 0), country=country, **more)


def closed(settings, day: str, where: Node) -> str | None:
    return Calendar(read_options(settings)).closed(where, date.fromisoformat(day))


def told(settings, where: Node, *moment: int) -> tuple[object, ...]:
    """Open today, closed days ahead, reason."""
    facts = Calendar(read_options(settings)).facts(where, datetime(*moment, tzinfo=UTC))
    names = ("open_today", "closed_days_ahead", "closed_reason")
    return tuple(facts.get(f"node.holidays.{name}") for name in names)


def test_a_node_works_on_an_ordinary_day():
    assert told({}, node(), 2026, 1, 5, 12) == (True, 0, None)


def test_a_public_holiday_and_the_weekend_after_it_are_waited_for():
    reason = "public holiday: Independence Day (observed)"
    assert told(WEEKEND, node(), 2026, 7, 3, 12) == (False, 3, reason)
    assert told({}, node(), 2026, 7, 3, 12) == (False, 2, reason)
    assert told(WEEKEND, node(), 2026, 7, 5, 12) == (False, 1, "weekend")


def test_a_wait_may_cross_the_end_of_a_year():
    settings = {"nodes": {"NYC": {"closed": {"2026-12-24/2026-12-31": "winter break"}}}}
    assert told(settings, node(), 2026, 12, 24, 12) == (False, 9, "winter break")


def test_the_region_counts_where_it_has_holidays_of_its_own():
    assert closed({}, "2026-01-06", node(country="DE", region="BY"))
    assert closed({}, "2026-01-06", node(country="DE", region="BE")) is None
    assert closed({}, "2026-01-01", node(country="DE", region="??"))


@pytest.mark.parametrize("country", ["", "XX", "us"])
def test_a_country_that_is_not_known_has_no_public_holidays(country):
    assert public_holidays(country, "NY", 2026) == {}
    assert told(WEEKEND, node(country=country), 2026, 1, 1, 12) == (True, 0, None)


def test_an_evening_in_utc_is_the_next_day_in_tokyo():
    tokyo = node(country="JP", timezone="Asia/Tokyo")
    new_year = datetime(2026, 12, 31, 14, 59, tzinfo=UTC), datetime(2026, 12, 31, 15, tzinfo=UTC)
    facts = [Calendar(read_options({})).facts(tokyo, now) for now in new_year]
    assert [each["node.holidays.open_today"] for each in facts] == [True, False]


def test_a_morning_in_utc_is_still_the_day_before_in_new_york():
    york = node(timezone="America/New_York")
    assert told({}, york, 2026, 12, 26, 4, 59)[0] is False
    assert told({}, york, 2026, 12, 26, 5)[0] is True


def test_a_leap_day_is_a_day():
    settings = {"nodes": {"NYC": {"closed": {"2028-02-29": "leap day"}}}}
    assert told(settings, node(), 2028, 2, 29, 12) == (False, 1, "leap day")
    assert told(settings, node(), 2028, 3, 1, 12) == (True, 0, None)
    break_over_it = {"nodes": {"NYC": {"closed": {"2028-02-28/2028-03-01": "moving"}}}}
    assert told(break_over_it, node(), 2028, 2, 28, 12)[1] == 3


def test_what_works_wins_over_all_else():
    own = {"works": ["2026-12-25"], "closed": {"2026-12-24/2026-12-26": "stocktaking"}}
    assert closed({"nodes": {"NYC": own}}, "2026-12-25", node()) is None
    assert closed({"nodes": {"NYC": own}}, "2026-12-26", node()) == "stocktaking"
    sunday = {"kinds": {"dc": {"weekend": ["sunday"], "works": ["2026-12-20"]}}}
    assert closed(sunday, "2026-12-20", node()) is None
    assert closed(sunday, "2026-12-13", node()) == "weekend"


def test_a_nodes_own_table_wins_over_that_of_its_kind():
    settings = {
        "kinds": {"store": {"works": ["2026-07-03"], "weekend": ["sunday"]}},
        "nodes": {"A": {"closed": {"2026-07-03": "moving"}, "weekend": []}},
    }
    own, other = node("A", "store"), node("B", "store")
    assert (closed(settings, "2026-07-03", own), closed(settings, "2026-07-03", other)) == (
        "moving",
        None,
    )
    assert (closed(settings, "2026-07-12", own), closed(settings, "2026-07-12", other)) == (
        None,
        "weekend",
    )


def test_nodes_may_work_on_every_public_holiday():
    settings = {
        "kinds": {"store": {"public_holidays": False}},
        "nodes": {"A": {"public_holidays": True}},
    }
    assert closed(settings, "2026-12-25", node("B", "store")) is None
    assert closed(settings, "2026-12-25", node("A", "store"))
    assert closed(settings, "2026-12-25", node("C", "dc"))


def test_a_node_that_never_works_again_is_closed_for_as_long_as_we_look():
    settings = {"nodes": {"NYC": {"closed": {"2026-01-01/2099-12-31": "given up"}}}}
    assert told(settings, node(), 2026, 6, 1, 12) == (False, HORIZON, "given up")
    last = {"nodes": {"NYC": {"closed": {"2026-01-02/2027-01-01": "a year"}}}}
    assert told(last, node(), 2026, 1, 2, 12)[1] == 365


def test_public_holidays_are_looked_up_once_for_a_country_region_and_year(monkeypatch):
    asked = []
    monkeypatch.setattr(calendar, "public_holidays", lambda *key: asked.append(key) or {})
    once = Calendar(read_options({}))
    for day in (1, 2, 3):
        once.facts(node(), datetime(2026, 1, day, 12, tzinfo=UTC))
        once.facts(node("B", region="NY"), datetime(2027, 1, day, 12, tzinfo=UTC))
    assert asked == [("US", "", 2026), ("US", "NY", 2027)]


@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8", "th"])
def test_names_do_not_depend_on_the_language_of_the_machine(language):
    code = (
        "from domcore_holidays.calendar import public_holidays as of; from datetime import date\n"
        "print(ascii([of(c, '', 2026)[date(2026, 1, 1)] for c in ('US', 'DE', 'FR')]))"
    )
    environ = {**os.environ, "LANGUAGE": language, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ascii(["New Year's Day", "Neujahr", "Jour de l'an"])


@pytest.mark.parametrize(
    ("country", "region", "code"),
    [
        ("GB", "England", "ENG"), ("GB", "ENGLAND", "ENG"), ("GB", "Northern Ireland", "NIR"),
        ("DE", "Bayern", "BY"), ("DE", "BAVARIA", "BY"), ("DE", "by", "BY"),
        ("DE", "Baden-Württemberg", "BW"), ("DE", "BADEN WURTTEMBERG", "BW"),
        ("ES", "Catalonia", "CT"), ("CH", "Zurich", "ZH"), ("CH", "Zürich", "ZH"),
        ("AT", "Wien", "9"), ("AT", "Vienna", "9"), ("US", "CA", "CA"), ("CA", "Quebec", "QC"),
    ],
)  # fmt: skip
def test_a_region_is_known_by_its_usual_names(country, region, code):
    assert place_of(country, region) == Place(country, code)


def test_every_english_name_is_of_a_region_that_there_is():
    for country, names in ENGLISH.items():
        for code, name in names.items():
            assert place_of(country, name) == Place(country, code)


@pytest.mark.parametrize(("country", "region"), [("GB", ""), ("HU", "Pest"), ("DE", "")])
def test_a_country_without_parts_or_a_node_without_a_region_is_no_trouble(country, region):
    assert place_of(country, region) == Place(country)


def test_what_is_not_known_is_said_with_what_there_is():
    assert "region 'Kent' of GB" in place_of("GB", "Kent").unknown
    assert "ENG, NIR, SCT, WLS" in place_of("GB", "Kent").unknown
    assert "country 'QQ'" in place_of("QQ", "").unknown
