"""Seals of rows and chains of orders, as the SQLite store keeps them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from domcore.model import CancelOrder, CaptureOrder, Person
from domcore.store import open_store
from domcore.store.rows import TABLES, StateRow
from domcore.store.seals import SEALS, link_of
from domcore.store.sqlite.sealing import beside, seal_everything
from domcore.testing.store_suite.kit import NOW, StoreKit, order_of
from domcore.verify import Violation, verify

ADA = Person(name="Ada", street=("1 Road",), city="Hudson", country="US")


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[StoreKit]:
    store = open_store(str(tmp_path / "store.db"))
    yield StoreKit(store)
    store.close()


@pytest.fixture
def raw(kit: StoreKit) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(kit.store.health()["path"], isolation_level=None)
    yield connection
    connection.close()


def live(kit: StoreKit) -> int:
    """An order with a person that is routed, hands over, ships and comes with another revision."""
    kit.count("bolt", "east", 9)
    order = kit.take_in(order_of("1", bolt=2), person=ADA)
    with kit.store.acting("worker"):
        kit.route(order, "east")
    ((name, _),) = kit.work(order)
    kit.hand_over()
    kit.hear(name, "shipped", ("L-bolt", 1))
    kit.take_in(order_of("1", revision=2, bolt=3))
    other = kit.take_in(order_of("2", bolt=1))
    kit.store.cancel(CancelOrder("main", "web", "2", 1), now=NOW)
    assert other != order
    return order


def chains(kit: StoreKit) -> dict[int, int]:
    return {row.order_id: row.chain for row in map(StateRow._make, kit.store.audit("order_state"))}


def tampered(kit: StoreKit) -> list[Violation]:
    """What was changed behind the store's back; its decisions are none that could be explained."""
    return [each for each in verify(kit.store) if each.invariant in ("seal", "chain")]


def everything(raw: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}


def test_the_chain_of_an_order_is_made_of_what_happened_to_it(kit: StoreKit):
    order = live(kit)
    expected = 0
    for table in ("event", "ledger"):
        about = TABLES[table].columns.index("order_id")
        rows = [row for row in kit.store.audit(table) if row[about] == order]
        assert rows
        expected += sum(link_of(table, row) for row in rows)
    assert chains(kit)[order] == expected


def test_a_chain_does_not_depend_on_how_events_are_numbered(kit: StoreKit, raw):
    live(kit)
    before = chains(kit)
    raw.execute("UPDATE event SET seq = seq + 1000")
    raw.execute("UPDATE order_state SET chain = 0")
    seal_everything(raw)
    assert chains(kit) == before


def test_what_a_migration_seals_is_what_was_sealed_when_it_was_written(kit: StoreKit, raw):
    live(kit)
    before = everything(raw)
    for table in SEALS:
        if table not in ("event", "ledger"):
            raw.execute(f"UPDATE {table} SET seal = 1")
    raw.execute("UPDATE order_state SET chain = 1")
    assert tampered(kit)
    seal_everything(raw)
    assert everything(raw) == before
    assert tampered(kit) == []


def test_a_row_changed_by_hand_is_named_until_domcore_writes_it_again(kit: StoreKit, raw):
    live(kit)
    raw.execute("INSERT INTO cursor (consumer, seq) VALUES ('mail', 1)")
    assert kit.store.unsealed("cursor") == [("mail",)]
    (found,) = tampered(kit)
    assert (found.invariant, found.place) == ("seal", "cursor mail")
    assert "backup" in found.fix
    kit.store.advance_cursor("mail", 2)
    assert tampered(kit) == []


def test_a_cell_that_cannot_be_read_is_told_with_its_table(kit: StoreKit, raw):
    live(kit)
    raw.execute("UPDATE order_state SET reason = CAST(x'ff41' AS TEXT)")
    assert ("integrity", "order_state") in {
        (each.invariant, each.place) for each in verify(kit.store)
    }


def test_two_persons_who_are_swapped_are_found(kit: StoreKit, raw):
    live(kit)
    kit.take_in(order_of("3", bolt=1), person=Person(name="Ben", city="Troy", country="US"))
    first, second = raw.execute("SELECT order_id, body FROM person ORDER BY order_id").fetchall()
    for order_id, body in ((first[0], second[1]), (second[0], first[1])):
        raw.execute("UPDATE person SET body = ? WHERE order_id = ?", (body, order_id))
    found = {(each.invariant, each.place) for each in tampered(kit)}
    assert found == {("seal", f"person {order_id}") for order_id, _ in (first, second)}


def test_a_seal_of_personal_data_tells_nobody_whom_it_is_about(kit: StoreKit, raw):
    """The same person twice has two seals; and with the person, seal and salt are gone."""
    orders = [kit.take_in(order_of(str(each), bolt=1), person=ADA) for each in range(2)]
    seals = raw.execute("SELECT salt, seal FROM person").fetchall()
    assert len({seal for _, seal in seals}) == len({salt for salt, _ in seals}) == 2
    for order in orders:
        kit.store.erase(order)
    assert raw.execute("SELECT count(*) FROM person").fetchone() == (0,)
    assert list(verify(kit.store)) == []


def test_an_event_that_is_moved_to_another_order_breaks_both_chains(kit: StoreKit, raw):
    order = live(kit)
    raw.execute("UPDATE event SET order_id = 1 WHERE kind = 'order.cancelled'")
    assert [each.place for each in tampered(kit)] == [f"order {order} (web/1)", "order 2 (web/2)"]


def test_a_caller_s_transaction_is_sealed_like_any_other(tmp_path: Path):
    store = open_store(str(tmp_path / "store.db"))
    StoreKit(store)
    mine = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    mine.execute("BEGIN IMMEDIATE")
    with store.joined(mine) as inner:
        inner.capture([CaptureOrder(order_of("1", bolt=1), ADA)], now=NOW)
        assert list(verify(inner)) == []
    mine.execute("COMMIT")
    mine.close()
    assert list(verify(store)) == []
    store.close()


def test_what_stands_beside_the_columns_is_not_told(kit: StoreKit):
    live(kit)
    for name, table in TABLES.items():
        assert not set(beside(name)) & set(table.columns)
        assert all(len(row) <= len(table.columns) for row in kit.store.audit(name))
