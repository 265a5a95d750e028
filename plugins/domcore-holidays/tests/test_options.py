"""Settings that are wrong say where and how; what is right is read as it stands."""

from __future__ import annotations

from datetime import date

import pytest

from domcore.errors import ConfigurationError
from domcore_holidays.options import Days, Options, read_options


def test_nothing_needs_to_be_set():
    assert read_options({}) == Options()


def test_dates_are_written_as_text_or_as_dates():
    works = ["2026-07-03", date(2026, 7, 3), "2026-07-03/2026-07-03"]
    table = read_options({"nodes": {"A": {"works": works}}}).nodes["A"]
    assert set(table.works) == {Days(date(2026, 7, 3), date(2026, 7, 3))}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"node": {}}, "plugins.holidays: unknown key \"node\"; did you mean 'nodes'?"),
        ({"nodes": []}, "nodes: must be an object, not a list"),
        ({"nodes": {"A": {"weekends": []}}}, 'nodes.A: unknown key "weekends"; did you mean'),
        ({"nodes": {"A": {"weekend": "sunday"}}}, "nodes.A.weekend: must be a list"),
        ({"nodes": {"A": {"weekend": ["sun"]}}}, "nodes.A.weekend[0]: must be one of 'monday'"),
        ({"nodes": {"A": {"public_holidays": "no"}}}, "nodes.A.public_holidays: must be true or"),
        ({"nodes": {"A": {"closed": ["2026-12-24"]}}}, "nodes.A.closed: must be an object"),
        ({"nodes": {"A": {"closed": {"2026-12-24": ""}}}}, "must not be empty"),
        ({"nodes": {"A": {"closed": {"2026-12-24": 5}}}}, "must be text"),
        ({"nodes": {"A": {"closed": {"12-24": "x"}}}}, "must be a date, 2026-12-24, or"),
        ({"nodes": {"A": {"works": ["2027-02-29"]}}}, "nodes.A.works[0]: must be a date"),
        ({"nodes": {"A": {"works": ["2026-12-24/"]}}}, "nodes.A.works[0]: must be a date"),
        ({"nodes": {"A": {"works": [20261224]}}}, "nodes.A.works[0]: must be a date"),
        ({"nodes": {"A": {"works": ["2026-12-24/2026-12-23"]}}}, "ends before it begins"),
        ({"kinds": {"shop": {}}}, "kinds.shop: a node is one of dc, store, vendor, 3pl, hub"),
        ({"kinds": {"dc": {"weekend": [1]}}}, "kinds.dc.weekend[0]: must be one of"),
    ],
)
def test_a_wrong_setting_names_its_place(settings, message):
    with pytest.raises(ConfigurationError) as caught:
        read_options(settings)
    assert str(caught.value).startswith("plugins.holidays: ")
    assert message in str(caught.value)


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        read_options({"nodes": {"A": {"weekend": 1}, "B": {"works": ["?"]}}, "note": ""})
    assert "nodes.A.weekend: " in str(caught.value)
    assert "nodes.B.works[0]: " in str(caught.value)
    assert '; unknown key "note"' in str(caught.value)
