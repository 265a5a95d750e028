"""A store of before there was a list of trouble has what its nodes have told of on it."""

from __future__ import annotations

import json
import sqlite3

import pytest

from domcore.store.sqlite import schema

BEFORE = 2
"""Migrations of a store that knew no trouble."""


def test_what_nodes_have_told_before_is_shown(monkeypatch: pytest.MonkeyPatch):
    raw = sqlite3.connect(":memory:", isolation_level=None)
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "_STEPS", schema._STEPS[:BEFORE])
        raw.execute("BEGIN")
        schema.apply_migrations(raw)
    raw.execute("INSERT INTO owner VALUES (1, 'main')")
    raw.execute("INSERT INTO node VALUES (3, 'NYC', 0)")
    raw.execute("INSERT INTO orders VALUES (1, 1, 'web', '1', '', 1, 1)")
    work = "INSERT INTO fulfillment_order VALUES (1, ?, 3, ?, 1, ?, '', 77, '')"
    rows = ((1, "exception", 1), (2, "on_hold", 1), (3, "on_hold", 0), (4, "shipped", 1))
    raw.executemany(work, rows)
    raw.execute("INSERT INTO task VALUES ('pull:a', 9, 3, '', 5, 'no answer')")
    raw.execute("INSERT INTO task VALUES ('pull:b', 9, 0, '', 5, '')")
    schema.apply_migrations(raw)
    found = raw.execute("SELECT number, sequence, kind, at FROM trouble").fetchall()
    assert found == [(1, 1, "exception", 77), (2, 2, "on_hold", 77)]
    told = raw.execute("SELECT body FROM event WHERE kind = 'trouble.raised'").fetchall()
    bodies = [json.loads(body) for (body,) in told]
    assert [each["fulfillment_order"] for each in bodies] == ["1-1-NYC", "1-2-NYC"]
    assert raw.execute("SELECT failed_at FROM task ORDER BY name").fetchall() == [(5,), (None,)]
