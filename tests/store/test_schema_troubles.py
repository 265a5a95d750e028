"""A store of before there was a list of trouble has what its nodes have told of on it."""

from __future__ import annotations

import json
import sqlite3

import pytest

from domcore.store.sqlite import schema

BEFORE = 2
"""Migrations of a store that knew no trouble."""


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    """A store of before, with one order."""
    raw = sqlite3.connect(":memory:", isolation_level=None)
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "_STEPS", schema._STEPS[:BEFORE])
        raw.execute("BEGIN")
        schema.apply_migrations(raw)
    raw.execute("INSERT INTO owner VALUES (1, 'main')")
    raw.execute("INSERT INTO node VALUES (3, 'NYC', 0)")
    raw.execute("INSERT INTO orders VALUES (1, 1, 'web', '1', '', 1, 1)")
    return raw


def tell(raw: sqlite3.Connection, kind: str, work: str, *lines: tuple[str, str, int]) -> None:
    body = {"format": 1, "fulfillment_order": work, "named": [], "lines": lines}
    event = (kind, json.dumps(body).encode())
    raw.execute("INSERT INTO event (kind, order_id, at, body) VALUES (?, 1, 5, ?)", event)


def raised(raw: sqlite3.Connection) -> list[tuple[int, str, list[list[object]]]]:
    """Work, kind and units of what is there after the migrations, as row and event have it."""
    schema.apply_migrations(raw)
    rows = raw.execute("SELECT sequence, kind, lines FROM trouble ORDER BY number").fetchall()
    found = [(sequence, kind, json.loads(lines)) for sequence, kind, lines in rows]
    told = raw.execute("SELECT body FROM event WHERE kind = 'trouble.raised' ORDER BY seq")
    bodies = [json.loads(body) for (body,) in told]
    assert [(body["kind"], body["lines"]) for body in bodies] == [each[1:] for each in found]
    return found


@pytest.mark.parametrize("known", [False, True])
def test_goods_that_came_back_are_shown_unless_a_return_knows(raw: sqlite3.Connection, known: bool):
    raw.execute("INSERT INTO fulfillment_order VALUES (1, 1, 3, 'returned', 1, 1, '', 77, '')")
    tell(raw, "fulfillment.shipped", "1-1-NYC", ("Stück", "shipped", 2), ("b", "shipped", 1))
    tell(raw, "fulfillment.rejected", "1-1-NYC", ("b", "shipped", -1))
    tell(raw, "fulfillment.returned", "1-1-NYC")
    if known:
        raw.execute("INSERT INTO return_order VALUES (1, 1, 'R1', 3, 5, NULL, '', x'00')")
    assert raised(raw) == ([] if known else [(1, "returned", [["Stück", 2]])])


def test_goods_that_left_after_the_cancellation_are_shown(raw: sqlite3.Connection):
    raw.execute("INSERT INTO order_state VALUES (1, 1, 1, 2, 0, 1, NULL, '')")
    for sequence in (1, 2):
        row = (1, sequence, 3, "shipped", 1, 1, "", 77, "")
        raw.execute(f"INSERT INTO fulfillment_order VALUES ({', '.join('?' * len(row))})", row)
    tell(raw, "fulfillment.shipped", "1-1-NYC", ("a", "shipped", 2))
    tell(raw, "fulfillment.partially_shipped", "1-2-NYC", ("b", "shipped", 1))
    raw.execute(
        "INSERT INTO event (kind, order_id, at, body) VALUES ('order.cancelled', 1, 6, x'7b7d')"
    )
    tell(raw, "fulfillment.shipped", "1-2-NYC", ("b", "shipped", 3))
    assert raised(raw) == [(2, "left", [["b", 3]])]


def test_what_nodes_have_told_before_is_shown(raw: sqlite3.Connection):
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
