"""The SQLite schema: strict, described truthfully, and nobody else's."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from domcore.codec.stored import Bodies
from domcore.errors import StoreError
from domcore.model import CaptureOrder, Order
from domcore.store import open_store
from domcore.store.rows import TABLES
from domcore.store.seals import SEALS
from domcore.store.sqlite import SqliteStore, schema
from domcore.store.sqlite.sealing import beside
from domcore.store.sqlite.version import SCHEMA_DIGEST, SCHEMA_VERSION, schema_digest
from domcore.verify import verify


@pytest.fixture
def raw(path: Path) -> sqlite3.Connection:
    open_store(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


def test_every_table_is_strict_and_has_the_columns_that_are_described(raw: sqlite3.Connection):
    strict = {row[1]: row[5] for row in raw.execute("PRAGMA table_list") if row[0] == "main"}
    for name, table in TABLES.items():
        assert strict[name] == 1, name
        info = raw.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
        columns = [row[0] for row in info]
        assert tuple(each for each in columns if each not in beside(name)) == table.columns, name
        assert sorted(columns) == sorted((*table.columns, *beside(name))), name
        key = sorted((place, column) for column, place in info if place)
        assert tuple(column for _, column in key) == table.key, name
    assert {name for name in strict if not name.startswith(("sqlite_", "_sqlite"))} == set(TABLES)


def test_the_version_and_digest_are_those_of_a_fresh_database(raw: sqlite3.Connection):
    assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert schema_digest(raw) == SCHEMA_DIGEST


def test_the_ledger_is_never_changed(raw: sqlite3.Connection):
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("INSERT INTO ledger VALUES (1, 1, 1, 5, 0, 0, 0, 'count', NULL, NULL, 0, 0)")
    for statement in ("UPDATE ledger SET on_hand = 6", "DELETE FROM ledger"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(statement)


@pytest.mark.parametrize(
    "values",
    [
        "-1, 0, 0, 0",
        "5, 6, 0, 0",
        "5, 3, 3, 0",
        "5, -1, 0, 0",
        "1000000001, 0, 0, 0",
        "5, 0, 0, -1",
    ],
)
def test_the_database_itself_refuses_an_impossible_balance(raw: sqlite3.Connection, values: str):
    raw.execute("PRAGMA foreign_keys = OFF")
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(f"INSERT INTO stock VALUES (1, 1, {values}, 0, 0)")


def test_a_line_whose_buckets_do_not_add_up_is_refused(raw: sqlite3.Connection):
    raw.execute("PRAGMA foreign_keys = OFF")
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute("INSERT INTO order_line VALUES (1, 0, 1, 5, 1, 1, 1, 1, 5)")


def test_a_database_of_the_first_version_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    path.unlink(missing_ok=True)
    order = Order("main", "web", "1", 3, datetime(2026, 1, 5, tzinfo=UTC), "USD", ())
    body = Bodies().order.dump(order)
    for field in (b'"deliver_by":null,', b'"ship_by":null,'):
        assert field in body
        body = body.replace(field, b"")
    digest = hashlib.sha256(body).digest()
    old = sqlite3.connect(path, isolation_level=None)
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "_STEPS", schema._STEPS[:1])
        old.execute("BEGIN IMMEDIATE")
        schema.apply_migrations(old)
    old.execute("INSERT INTO owner VALUES (1, 'main')")
    old.execute("INSERT INTO orders VALUES (1, 1, 'web', '1', '', 1767571200000000, 1)")
    old.execute("INSERT INTO order_body VALUES (1, 3, ?, ?)", (digest, body))
    old.execute("INSERT INTO order_state VALUES (1, 1, 3, 0, 0, 0, NULL, '')")
    captured = b'{"format":1}'
    old.execute("INSERT INTO event VALUES (1, 'order.captured', 1, 1, ?)", (captured,))
    old.execute("COMMIT")
    old.close()
    store = SqliteStore(path)
    try:
        again, later = (
            store.capture([CaptureOrder(evolve(order, revision=revision))], now=2)[0].outcome
            for revision in (3, 4)
        )
        assert (again, later) == ("duplicate", "amended")
        assert [event.by for event in store.events()] == ["", ""]
        assert list(verify(store)) == []
    finally:
        store.close()


def test_a_newer_database_is_refused(raw: sqlite3.Connection, path: Path):
    raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="newer domcore"):
        open_store(path)


def test_a_schema_changed_by_hand_is_refused(raw: sqlite3.Connection, path: Path):
    raw.execute("DROP INDEX outbox_due")
    with pytest.raises(StoreError, match="not the ones"):
        open_store(path)


def test_tables_of_other_programs_are_left_alone(path: Path):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE orders (id INTEGER)")
    other.commit()
    with pytest.raises(StoreError, match="another program"):
        open_store(path)
    assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    other.close()


def test_extra_tables_beside_ours_do_no_harm(raw: sqlite3.Connection, path: Path):
    raw.execute("CREATE TABLE my_own (id INTEGER)")
    open_store(path).close()


@pytest.mark.parametrize(
    ("row", "invariant"),
    [
        ("ledger VALUES (1, 7, 7, 1, 0, 0, 0, 'delta', NULL, NULL, 0, 0)", "I1"),
        ("reservation VALUES (7, 1, 0, 7, 0, 7, 1, 0, NULL, 0)", "I5"),
        ("decision VALUES (7, 1, 0, 'route', x'7b7d', 0)", "I5"),
        ("fulfillment_order VALUES (7, 1, 7, 'requested', 0, 0, '', 0, '', 0)", "I5"),
        ("event VALUES (1, 'order.routed', 7, 0, CAST('{\"format\":1}' AS BLOB), '', 0)", "I5"),
    ],
)
def test_verify_finds_what_no_foreign_key_forbids(
    raw: sqlite3.Connection, path: Path, row: str, invariant: str
):
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute(f"INSERT INTO {row}")
    store = open_store(path)
    assert invariant in {violation.invariant for violation in verify(store)}
    store.close()


def test_every_table_is_sealed_but_one_whose_columns_follow_from_others(raw: sqlite3.Connection):
    """A new table gets a column ``seal`` in its migration, and a place in `domcore.store.seals`."""
    assert set(TABLES) - set(SEALS) == {"order_line"}
    for name in SEALS:
        info = raw.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
        assert ("seal",) in info, name
