"""Packs as data: read from TOML or JSON, kept as bytes, read back equal."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.errors import ConfigurationError
from domcore.rules import load_pack, pack_bytes, parse_pack

TOML = """
format = 1
name = "autumn"
version = "2.1.0"
currency = "EUR"
timezone = "Europe/Berlin"
description = "Autumn rules"
disables = ["core/old"]

[parameters]
limit = { type = "money", default = "12.50", summary = "How much" }
zones = { type = "texts", default = ["DE", "AT"] }

[[fact]]
name = "order.gift"
type = "bool"

[[rule]]
id = "first"
when = '''
order.value > parameters.limit
and destination.country in parameters.zones
'''
then = { cost = { amount = "parameters.limit", per = "parcel" } }
reason = "why not"
priority = 7
from = 2026-09-01
until = 2026-11-30T18:00:00
overrides = "core/other"

[[rule]]
id = "second"
when = "order.gift"
then = "exclude"
enabled = false
soft = true
"""

TREE = {
    "format": 1, "name": "autumn", "version": "2.1.0", "currency": "EUR",
    "timezone": "Europe/Berlin", "description": "Autumn rules", "disables": ["core/old"],
    "parameters": {
        "zones": {"type": "texts", "default": ["DE", "AT"]},
        "limit": {"type": "money", "default": "12.50", "summary": "How much"},
    },
    "fact": [{"name": "order.gift", "type": "bool"}],
    "rule": [
        {
            "id": "first",
            "when": "order.value > parameters.limit and destination.country in parameters.zones",
            "then": {"cost": {"per": "parcel", "amount": "parameters.limit"}},
            "reason": "why not", "priority": 7, "from": "2026-09-01",
            "until": "2026-11-30T18:00:00", "overrides": "core/other",
        },
        {"id": "second", "when": "order.gift", "then": {"exclude": {}}, "enabled": False,
         "soft": True},
    ],
}  # fmt: skip


def test_toml_and_json_make_the_same_pack(tmp_path):
    (tmp_path / "toml").mkdir()
    (tmp_path / "json").mkdir()
    (tmp_path / "toml" / "ruleset.toml").write_text(TOML)
    (tmp_path / "json" / "ruleset.json").write_text(json.dumps(TREE))
    toml, json_ = load_pack(tmp_path / "toml"), load_pack(tmp_path / "json" / "ruleset.json")
    assert toml == json_ == parse_pack(TREE)
    assert toml.digest == json_.digest
    assert toml.source.endswith("ruleset.toml")


def test_a_folder_holds_exactly_one_ruleset(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no"):
        load_pack(tmp_path)
    (tmp_path / "ruleset.toml").write_text(TOML)
    (tmp_path / "ruleset.json").write_text(json.dumps(TREE))
    with pytest.raises(ConfigurationError, match="has both"):
        load_pack(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_pack(tmp_path / "rules.toml")


def test_a_pack_is_read_back_equal_from_its_bytes():
    pack = parse_pack(TREE)
    again = parse_pack(json.loads(pack_bytes(pack)))
    assert again == pack
    assert pack_bytes(again) == pack_bytes(pack)
    assert again.digest == pack.digest


def test_dates_may_be_dates_or_text():
    one, other = dict(TREE["rule"][0]), dict(TREE["rule"][0])
    other["from"] = date(2026, 9, 1)
    other["until"] = datetime(2026, 11, 30, 18)
    assert parse_pack({**TREE, "rule": [one]}) == parse_pack({**TREE, "rule": [other]})


def test_an_empty_pack_is_a_pack(plain_shop, make):
    assert make.pack().rules == ()
    assert plain_shop.judge().first.barred == (0, 0)


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
RULES = st.fixed_dictionaries(
    {
        "when": st.sampled_from(["True", "order.value > 5.50", "'é' in order.tags"]),
        "then": st.sampled_from(
            [
                "exclude",
                {"split": {"max_nodes": 2, "ship_complete": True}},
                {"hold": {"stage": "route"}},
                {"set": {"order.a": ["x", "y"], "line.b": True}},
                {"cost": {"amount": "1.000001", "per": "kg"}},
            ]
        ),
    },
    optional={
        "reason": TEXT,
        "priority": st.integers(-1_000, 1_000),
        "enabled": st.booleans(),
        "from": st.dates(date(1990, 1, 1), date(2200, 1, 1)).map(str),
    },
)


@settings(max_examples=100, deadline=None)
@given(
    rules=st.lists(RULES, max_size=5), description=TEXT, zone=st.sampled_from(["UTC", "Asia/Tokyo"])
)
def test_any_pack_survives_its_bytes(make, rules, description, zone):
    pack = make.pack(*rules, description=description, timezone=zone)
    assert parse_pack(json.loads(pack_bytes(pack))) == pack
