"""A verb beside the caller's own transaction, and a caller in the queue of writers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest

from domcore import ConfigurationError, Domcore, Settings, StoreError, StoreReason
from domcore.store.sqlite import SqliteStore
from domcore.store.sqlite.connection import Settings as SqliteSettings
from domcore.testing.builder import World

QUICK = 2.0
"""Seconds; far from the ten of the time-out."""


@pytest.fixture
def world() -> World:
    return World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=50)


@pytest.fixture
def shop(world: World, tmp_path: Path):
    with world.open(Settings(store=str(tmp_path / "shop.db"))) as dom:
        yield dom


def connect(path: Path, **more) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, **more)


def refused(dom, world: World) -> str:
    """What a verb says; it says so at once."""
    before = monotonic()
    with pytest.raises(StoreError) as caught:
        dom.capture(world.order("1", MUG=1))
    assert caught.value.reason is StoreReason.LOCKED
    assert monotonic() - before < QUICK
    return str(caught.value)


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "BEGIN"])
def test_a_verb_beside_the_callers_own_transaction_says_so_at_once(shop, world, tmp_path, begin):
    mine = connect(tmp_path / "shop.db")
    mine.row_factory = sqlite3.Row
    mine.execute(begin)
    mine.execute("CREATE TABLE IF NOT EXISTS invoice (number TEXT)")
    said = refused(shop, world)
    assert "the caller itself holds the write lock" in said
    assert "Domcore.joined(connection)" in said
    with shop.joined(mine) as inside:
        inside.capture(world.order("1", MUG=1))
    mine.execute("COMMIT")
    assert shop.capture(world.order("2", MUG=1)).outcome == "captured"
    assert len(shop.orders()) == 2
    mine.close()


def test_that_holds_with_other_threads_about(shop, world, tmp_path):
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        mine = connect(tmp_path / "shop.db")
        mine.execute("BEGIN IMMEDIATE")
        assert "the caller itself holds the write lock" in refused(shop, world)
        mine.close()
    finally:
        end.set()
        thread.join()


def test_a_file_attached_to_the_callers_database_is_found(shop, world, tmp_path):
    mine = connect(tmp_path / "other.db")
    mine.execute("ATTACH ? AS shop", (str(tmp_path / "shop.db"),))
    mine.execute("BEGIN IMMEDIATE")
    mine.execute("CREATE TABLE shop.invoice (number TEXT)")
    assert "Domcore.joined" in refused(shop, world)
    mine.close()


@pytest.mark.parametrize("shared", [False, True])
def test_a_transaction_of_another_thread_is_waited_for(shop, world, tmp_path, shared):
    began, wrote = threading.Event(), threading.Event()

    def hold() -> None:
        theirs = connect(tmp_path / "shop.db", check_same_thread=not shared)
        theirs.execute("BEGIN IMMEDIATE")
        began.set()
        wrote.wait(0.6)
        theirs.execute("COMMIT")
        theirs.close()

    thread = threading.Thread(target=hold)
    thread.start()
    began.wait()
    assert shop.capture(world.order("1", MUG=1)).outcome == "captured"
    wrote.set()
    thread.join()


def test_a_connection_that_threads_share_is_named_when_the_time_is_over(world, tmp_path):
    path, end = tmp_path / "shop.db", threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    mine = None
    try:
        with world.open(Settings(store=f"{path}?busy_timeout=400")) as dom:
            mine = connect(path, check_same_thread=False)
            mine.execute("BEGIN IMMEDIATE")
            said = refused(dom, world)
            assert "a connection of this very process holds the write lock" in said
            assert "Domcore.joined(connection)" in said
            mine.execute("ROLLBACK")
    finally:
        end.set()
        thread.join()
        if mine is not None:
            mine.close()


def test_another_process_is_named_as_such(world, tmp_path):
    path = tmp_path / "shop.db"
    code = (
        "import sqlite3, sys; theirs = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "theirs.execute('BEGIN IMMEDIATE'); print('held', flush=True); input()"
    )
    with world.open(Settings(store=f"{path}?busy_timeout=300")) as dom:
        # A transaction of ours that only reads does not hold the lock, and is not blamed.
        mine = connect(path)
        mine.execute("BEGIN")
        mine.execute("SELECT count(*) FROM orders").fetchone()
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout.readline() == b"held\n"
            assert "another process holds the write lock" in refused(dom, world)
            other.communicate(b"\n")
        mine.close()
        assert dom.capture(world.order("1", MUG=1)).outcome == "captured"


# --- what can be joined --------------------------------------------------------------------------


class Wrapper:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection


def test_what_is_no_connection_is_refused_in_words(shop, tmp_path):
    mine = connect(tmp_path / "shop.db")
    mine.execute("BEGIN IMMEDIATE")
    for given in (None, mine.cursor(), Wrapper(mine), str(tmp_path / "shop.db"), sqlite3):
        with (
            pytest.raises(ConfigurationError, match=r"a sqlite3\.Connection is wanted.*Django"),
            shop.joined(given),
        ):
            raise AssertionError
        with pytest.raises(ConfigurationError, match="is wanted"), SqliteStore.joined(given):
            raise AssertionError
    mine.close()
    with pytest.raises(ConfigurationError, match="closed"), shop.joined(mine):
        raise AssertionError


def test_a_connection_of_another_thread_is_refused_in_words(shop, tmp_path):
    found = []
    thread = threading.Thread(target=lambda: found.append(connect(tmp_path / "shop.db")))
    thread.start()
    thread.join()
    with (
        pytest.raises(ConfigurationError, match=r"cannot be used here.*thread"),
        shop.joined(found[0]),
    ):
        raise AssertionError


def test_a_connection_to_another_file_is_refused_with_both_files(shop, world, tmp_path):
    world.open(Settings(store=str(tmp_path / "other.db"))).close()
    for other in (connect(tmp_path / "other.db"), connect(":memory:")):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigurationError) as caught, shop.joined(other) as inside:
            inside.capture(world.order("1", MUG=1))
        assert str(tmp_path / "shop.db") in str(caught.value)
        assert any(name in str(caught.value) for name in ("other.db", "without a file"))
        other.execute("COMMIT")
        other.close()
    assert shop.orders() == []


def test_one_file_by_another_name_is_joined(shop, world, tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "shop.db")
    mine = connect(tmp_path / "link.db")
    mine.execute("BEGIN IMMEDIATE")
    with shop.joined(mine) as inside:
        inside.capture(world.order("1", MUG=1))
    mine.execute("COMMIT")
    mine.close()
    assert len(shop.orders()) == 1


# --- the queue -----------------------------------------------------------------------------------


def test_whoever_has_the_turn_writes_and_nobody_else_does(shop, world, tmp_path):
    path = tmp_path / "shop.db"
    mine = connect(path)
    with closing(SqliteStore(path, SqliteSettings(busy_timeout=50))) as other:
        with shop.turn():
            assert shop.capture(world.order("1", MUG=1)).outcome == "captured"  # still our turn
            with pytest.raises(StoreError, match="process or thread has held the write lock"):
                other.advance_cursor("mail", 1)
            mine.execute("BEGIN IMMEDIATE")
            with shop.joined(mine) as inside:
                inside.capture(world.order("2", MUG=1))
            mine.execute("COMMIT")
        other.advance_cursor("mail", 1)
    mine.close()
    assert len(shop.orders()) == 2


def test_the_turn_ends_with_an_error(shop, world, tmp_path):
    with pytest.raises(ZeroDivisionError), shop.turn(), shop.turn():
        raise ZeroDivisionError
    quick = SqliteSettings(busy_timeout=50)
    with closing(SqliteStore(tmp_path / "shop.db", quick)) as other:
        other.advance_cursor("mail", 1)


def test_writers_by_the_host_and_by_domcore_all_get_their_turn(shop, world, tmp_path):
    """Without the queue the host's connection sleeps while others write."""
    path, rounds = tmp_path / "shop.db", 40
    connect(path).execute("CREATE TABLE invoice (number TEXT)")
    done: list[str] = []

    def host() -> None:
        with Domcore(Settings(store=str(path)), clock=world.clock, load_plugins=False) as dom:
            mine = connect(path)
            for number in range(rounds):
                with dom.turn():
                    mine.execute("BEGIN IMMEDIATE")
                    mine.execute("INSERT INTO invoice VALUES (?)", (str(number),))
                    mine.execute("COMMIT")
                done.append("host")
            mine.close()

    def worker(name: str) -> None:
        with Domcore(Settings(store=str(path)), clock=world.clock, load_plugins=False) as dom:
            for number in range(rounds):
                dom.capture(world.order(f"{name}{number}", MUG=1))
                done.append(name)

    threads = [threading.Thread(target=host)]
    threads += [threading.Thread(target=worker, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first_to_end = min(len(done) - done[::-1].index(name) for name in ("host", "a", "b"))
    assert done[:first_to_end].count("host") >= rounds // 4


def test_a_store_in_memory_has_no_queue(world):
    with world.open() as dom, pytest.raises(ConfigurationError, match="only a SQLite store"):
        dom.turn()
