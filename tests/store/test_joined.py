"""Joined mode: the caller's connection, the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from domcore.errors import ConfigurationError, StaleSupply, StoreError
from domcore.model import CancelOrder, CaptureOrder
from domcore.store import open_store
from domcore.store.sqlite import SqliteStore
from domcore.testing.store_suite.kit import NOW, StoreKit, order_of


@pytest.fixture
def shop(path: Path) -> Iterator[sqlite3.Connection]:
    """The caller's own database, with a table of its own and domcore's beside it."""
    open_store(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("CREATE TABLE invoice (id INTEGER PRIMARY KEY)")
    yield connection
    connection.close()


def begin(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute("BEGIN IMMEDIATE")
    return connection


def counts(connection: sqlite3.Connection) -> tuple[int, ...]:
    tables = ("invoice", "orders", "ledger", "event")
    sql = "SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in tables)
    return tuple(connection.execute(sql).fetchone())


def test_both_sides_are_committed_together(shop: sqlite3.Connection, path: Path):
    begin(shop).execute("INSERT INTO invoice VALUES (1)")
    with SqliteStore.joined(shop) as store:
        kit = StoreKit(store)
        kit.count("bolt", "east", 5)
        kit.route(kit.take_in(order_of(bolt=2)), "east")
    assert shop.in_transaction
    shop.execute("COMMIT")
    later = open_store(path)
    assert later.order(1).summary.status == "allocated"
    assert len(later.lease_due("release", now=NOW, until=NOW + 1, limit=9)) == 1
    later.close()


def test_the_callers_rollback_leaves_nothing(shop: sqlite3.Connection):
    before = counts(shop)
    begin(shop).execute("INSERT INTO invoice VALUES (1)")
    with SqliteStore.joined(shop) as store:
        kit = StoreKit(store)
        kit.count("bolt", "east", 5)
        kit.route(kit.take_in(order_of(bolt=2)), "east")
    shop.execute("ROLLBACK")
    assert counts(shop) == before


def test_a_failed_operation_undoes_itself_and_leaves_the_callers_work(shop: sqlite3.Connection):
    begin(shop).execute("INSERT INTO invoice VALUES (1)")
    with SqliteStore.joined(shop) as store:
        kit = StoreKit(store)
        kit.count("bolt", "east", 1)
        order_id = kit.take_in(order_of(bolt=2))
        with pytest.raises(StaleSupply) as caught:
            kit.route(order_id, "east")
        assert caught.value.keys == ((kit.item["bolt"], kit.node["east"]),)
        assert kit.lines(order_id) == [(2, 0, 0, 0)]
        store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
    shop.execute("COMMIT")
    assert counts(shop)[:2] == (1, 1)


def test_a_failed_block_undoes_itself_and_leaves_the_callers_work(shop: sqlite3.Connection):
    begin(shop).execute("INSERT INTO invoice VALUES (1)")
    with SqliteStore.joined(shop) as store:
        kit = StoreKit(store)
        with store.together():
            kit.count("bolt", "east", 5)

        def fails() -> None:
            with store.together():
                kit.take_in(order_of(bolt=2))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fails()
        with pytest.raises(StoreError), store.together(), store.together():
            pass
        assert kit.shelf("bolt", "east") == (5, 0, 0)
    shop.execute("COMMIT")
    assert counts(shop)[:2] == (1, 0)


def test_nothing_else_sees_it_before_the_caller_commits(shop: sqlite3.Connection, path: Path):
    other = open_store(path)
    begin(shop)
    with SqliteStore.joined(shop) as store:
        StoreKit(store).take_in(order_of(bolt=1))
        assert other.find_order("web/1") == []
    shop.execute("COMMIT")
    assert other.find_order("web/1") == [1]
    other.close()


def test_the_callers_row_factory_is_left_alone(shop: sqlite3.Connection):
    begin(shop)
    with SqliteStore.joined(shop) as store:
        StoreKit(store).take_in(order_of(bolt=1))
        assert shop.row_factory is sqlite3.Row
        assert shop.execute("SELECT id FROM orders").fetchone()["id"] == 1
    shop.execute("ROLLBACK")


def refused(connection: sqlite3.Connection, match: str) -> None:
    with (
        pytest.raises(ConfigurationError, match=match),
        SqliteStore.joined(connection),
    ):
        raise AssertionError("the block must not be entered")


def test_without_a_transaction_it_is_refused(shop: sqlite3.Connection):
    refused(shop, "no transaction is open")


def test_a_transaction_that_may_lose_the_write_lock_is_refused(shop: sqlite3.Connection):
    shop.execute("BEGIN")
    refused(shop, "does not hold the write lock")
    shop.execute("SELECT * FROM orders").fetchall()
    refused(shop, "does not hold the write lock")
    shop.execute("ROLLBACK")


def test_a_transaction_that_has_written_holds_the_lock(shop: sqlite3.Connection):
    shop.execute("BEGIN")
    shop.execute("INSERT INTO invoice VALUES (1)")
    with SqliteStore.joined(shop) as store:
        assert store.stock_cursor() == 0
    shop.execute("ROLLBACK")


def test_a_reader_beside_somebody_elses_writer_is_refused(shop: sqlite3.Connection, path: Path):
    other = begin(sqlite3.connect(path, isolation_level=None))
    shop.execute("PRAGMA busy_timeout = 0")
    shop.execute("BEGIN")
    shop.execute("SELECT * FROM orders").fetchall()
    refused(shop, "cannot write")
    shop.execute("ROLLBACK")
    other.execute("ROLLBACK")
    other.close()


def test_a_database_without_our_tables_is_refused_until_migrated(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "own.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    begin(connection)
    refused(connection, "migrate")
    SqliteStore.migrate(connection)
    with SqliteStore.joined(connection) as store:
        StoreKit(store).take_in(order_of(bolt=1))
    connection.execute("ROLLBACK")
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    SqliteStore.migrate(connection)
    begin(connection)
    with SqliteStore.joined(connection) as store:
        assert store.stock_cursor() == 0
    connection.execute("ROLLBACK")
    connection.close()


def test_a_connection_in_memory_can_be_joined():
    connection = sqlite3.connect(":memory:")
    SqliteStore.migrate(connection)
    begin(connection)
    with SqliteStore.joined(connection) as store:
        kit = StoreKit(store)
        kit.count("bolt", "east", 5)
        kit.route(kit.take_in(order_of(bolt=2)), "east")
    connection.commit()
    assert connection.execute("SELECT reserved FROM stock").fetchone() == (2,)
    connection.close()


def test_a_legacy_connection_that_began_by_writing_can_join(path: Path):
    open_store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE invoice (id INTEGER)")
    connection.execute("INSERT INTO invoice VALUES (1)")
    with SqliteStore.joined(connection) as store:
        StoreKit(store).take_in(order_of(bolt=1))
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    connection.close()


def test_the_store_is_dead_after_its_block(shop: sqlite3.Connection):
    begin(shop)
    with SqliteStore.joined(shop) as store:
        pass
    with pytest.raises(StoreError, match="after its block"):
        store.stock_cursor()
    shop.execute("ROLLBACK")


def test_a_transaction_ended_inside_the_block_is_noticed(shop: sqlite3.Connection):
    begin(shop)
    with SqliteStore.joined(shop) as store:
        kit = StoreKit(store)
        shop.execute("COMMIT")
        with pytest.raises(ConfigurationError, match="has ended"):
            store.capture([CaptureOrder(order_of(bolt=1))], now=NOW)
        with pytest.raises(ConfigurationError, match="has ended"):
            kit.shelf("bolt", "east")
