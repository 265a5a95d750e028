"""What SQLite and Python's sqlite3 would do to us if we let them."""

from __future__ import annotations

import gc
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve

from domcore.errors import ConfigurationError, DomcoreError, NotFound, StoreError, StoreReason
from domcore.model import CaptureOrder, Item, ObserveStock, Person, StockCount
from domcore.store import open_store
from domcore.store.sqlite import SqliteStore
from domcore.store.sqlite.connection import FIRST_WAIT, Connection, Settings
from domcore.store.sqlite.faults import explain
from domcore.testing.store_suite.kit import NOW, StoreKit, order_of


def raw_of(kit: StoreKit) -> sqlite3.Connection:
    return kit.store._backend._connections.get().raw


def test_pragmas_are_what_was_asked_for(sqlite_kit: StoreKit):
    raw = raw_of(sqlite_kit)
    got = {
        name: raw.execute(f"PRAGMA {name}").fetchone()[0]
        for name in (
            "journal_mode",
            "synchronous",
            "foreign_keys",
            "trusted_schema",
            "cell_size_check",
            "secure_delete",
            "busy_timeout",
        )
    }
    assert got == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "secure_delete": 1,
        # Who waits longer is asked who holds the lock, see `Connection.begin_patiently`.
        "busy_timeout": FIRST_WAIT,
    }


def test_no_call_leaves_a_transaction_or_a_snapshot_open(sqlite_kit: StoreKit):
    kit = sqlite_kit
    store, raw = kit.store, raw_of(kit)
    kit.count("bolt", "east", 5)
    order_id = kit.take_in(order_of(bolt=1))
    pages = store.audit("stock")
    next(pages)
    calls = [
        lambda: kit.route(order_id, "east"),
        lambda: kit.route(order_id, "east"),
        lambda: store.commit([kit.decide(kit.take_in(order_of("9", bolt=999)), "east")]),
        lambda: store.capture([CaptureOrder(order_of("x", none=1))], now=NOW),
        lambda: store.order(99),
        store.events,
        lambda: store.save_items("main", (Item(sku) for sku in ("a", 5)), now=NOW),  # type: ignore[arg-type]
        lambda: store.stock_since(0),
        lambda: store.lease_due("release", now=NOW, until=NOW, limit=3),
        lambda: store.erase(order_id),
        store.health,
    ]
    for call in calls:
        with suppress(DomcoreError, TypeError, ValueError):
            call()
        assert not raw.in_transaction
    other = sqlite3.connect(kit.store._path)
    busy, pages_in_log, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    other.close()
    assert (busy, pages_in_log) == (0, 0)
    del pages


def test_a_generator_that_raises_leaves_nothing(kit: StoreKit):
    def items():
        yield Item("fresh")
        raise RuntimeError("feed broke")

    with pytest.raises(RuntimeError):
        kit.store.save_items("main", items(), now=NOW)
    assert kit.store.items("main", ["fresh"]) == {}
    kit.store.save_items("main", [Item("fresh")], now=NOW)


def test_a_store_operation_inside_another_is_refused(kit: StoreKit):
    def items():
        kit.store.advance_cursor("x", 1)
        yield Item("never")

    with pytest.raises(StoreError, match="inside another"):
        kit.store.save_items("main", items(), now=NOW)
    kit.store.advance_cursor("x", 1)


def test_a_full_disk_is_a_clear_error_and_the_store_goes_on(sqlite_kit: StoreKit):
    kit, raw = sqlite_kit, raw_of(sqlite_kit)
    kit.count("bolt", "east", 5)
    order_id = kit.take_in(order_of(bolt=2))
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count = {pages}")
    many = [Item(f"sku{n}", name="x" * 400) for n in range(500)]
    with pytest.raises(StoreError, match="disk is full") as caught:
        kit.store.save_items("main", many, now=NOW)
    assert (caught.value.reason, caught.value.passing) == (StoreReason.FULL, True)
    assert not raw.in_transaction
    assert kit.store.items("main", ["sku1"]) == {}
    # Work that needs no new page goes on, and everything does once there is room.
    kit.store.advance_cursor("mail", 1)
    raw.execute(f"PRAGMA max_page_count = {pages + 1000}")
    kit.store.save_items("main", many, now=NOW)
    kit.route(order_id, "east")


def test_a_locked_database_is_a_clear_error(path: Path):
    store = SqliteStore(path, Settings(busy_timeout=50))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="write lock") as caught:
        store.advance_cursor("mail", 1)
    assert (caught.value.reason, caught.value.passing) == (StoreReason.LOCKED, True)
    assert store.read_cursor("mail") == 0
    other.execute("ROLLBACK")
    store.advance_cursor("mail", 1)
    other.close()
    store.close()


def test_a_file_that_is_no_database_is_refused_and_kept(path: Path):
    path.write_bytes(b"this is my shopping list, not a database" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a SQLite database") as caught:
        open_store(path)
    assert (caught.value.reason, caught.value.passing) == (StoreReason.FOREIGN, False)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("code", "reason", "passing"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreReason.LOCKED, True),
        (sqlite3.SQLITE_IOERR_WRITE, StoreReason.IO, True),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreReason.IO, True),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StoreReason.READ_ONLY, True),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreReason.MOVED, True),
        (sqlite3.SQLITE_CANTOPEN_FULLPATH, StoreReason.UNREACHABLE, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreReason.DAMAGED, False),
        (sqlite3.SQLITE_ERROR, StoreReason.OTHER, False),
    ],
)
def test_the_reason_follows_from_the_code_and_not_from_a_name(
    code: int, reason: StoreReason, passing: bool
):
    error = sqlite3.OperationalError("database is locked, says the message of every error here")
    error.sqlite_errorcode = code
    told = explain(error, "/srv/locked disk full/shop.db")
    assert isinstance(told, StoreError)
    assert (told.reason, told.passing) == (reason, passing)


def answer_of_another_user(path: Path) -> str:
    """What opening and writing says to a user who may only read; from a child process."""
    come, go = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "nothing was refused"
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            store = open_store(path)
            store.advance_cursor("mail", 1)
        except StoreError as error:
            answer = str(error)
        except BaseException as error:
            answer = repr(error)
        os.write(go, answer.encode())
        os._exit(0)
    os.waitpid(child, 0)
    answer = os.read(come, 4000).decode()
    os.close(come)
    os.close(go)
    return answer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_read_only_database_is_a_clear_error(path: Path):
    open_store(path).close()
    for file in path.parent.iterdir():
        file.chmod(0o444)
    mine = [p for p in path.parents if p.stat().st_uid == os.getuid() and p != Path("/")]
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in mine}
    for folder in mine:
        folder.chmod((modes[folder] | 0o055) & ~0o222 if folder == path.parent else 0o755)
    try:
        answer = answer_of_another_user(path)
    finally:
        for folder in mine:
            folder.chmod(modes[folder])
    assert "read-only" in answer or "cannot be opened" in answer, answer


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(StoreError, match="does not exist"):
        open_store(tmp_path / "none" / "store.db")


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://x.db", "sqlite:///", ""])
def test_a_bad_address_is_refused(url: str):
    with pytest.raises(ConfigurationError):
        open_store(url)


def test_erased_personal_data_is_in_no_file(sqlite_kit: StoreKit, path: Path):
    kit = sqlite_kit
    canary = "Ada-Canary-4711"
    order_id = kit.take_in(order_of(bolt=1), person=Person(canary, street=(canary * 300,)))
    kit.take_in(order_of(revision=2, bolt=2), person=Person(canary, email=canary))
    assert kit.store.erase(order_id)
    for file in path.parent.iterdir():
        assert canary.encode() not in file.read_bytes(), file.name


class FailingCommit:
    """A connection whose COMMIT reports an error: before or after it has happened."""

    def __init__(self, raw: sqlite3.Connection, *, committed: bool) -> None:
        self._raw, self._committed, self._writing = raw, committed, False

    def execute(self, sql: str, *values: object) -> object:
        self._writing |= sql == "BEGIN IMMEDIATE"
        if sql == "COMMIT" and self._writing:
            self._raw.execute("COMMIT" if self._committed else "ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")
        return self._raw.execute(sql, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._raw, name)


@pytest.mark.parametrize("committed", [True, False])
def test_a_doubtful_commit_is_looked_up(sqlite_kit: StoreKit, committed: bool):
    kit = sqlite_kit
    kit.count("bolt", "east", 5)
    order_id = kit.take_in(order_of(bolt=1))
    steps = [
        lambda: kit.route(order_id, "east"),
        lambda: kit.store.lease_due("release", now=NOW, until=NOW + 1, limit=1),
        lambda: kit.take_in(order_of("n", bolt=1)),
        lambda: kit.store.advance_cursor("mail", 7),
        lambda: kit.store.save_items("main", [Item("nail")], now=NOW),
        lambda: kit.count("bolt", "east", 4, minutes=2),
    ]
    for step in steps:
        connection = kit.store._backend._connections.get()
        connection.raw = FailingCommit(connection.raw, committed=committed)
        if committed:
            step()
            continue
        with pytest.raises(StoreError):
            step()
        step()
    assert kit.lines(order_id) == [(0, 1, 0, 0)]
    assert kit.shelf("bolt", "east") == (4, 1, 0)
    assert kit.store.read_cursor("mail") == 7


@pytest.mark.parametrize("committed", [True, False])
def test_a_doubtful_commit_of_several_operations_is_looked_up(
    sqlite_kit: StoreKit, committed: bool
):
    kit = sqlite_kit

    def several() -> None:
        connection = kit.store._backend._connections.get()
        connection.raw = FailingCommit(connection.raw, committed=committed)
        with kit.store.together():
            kit.store.advance_cursor("mail", 7)
            with pytest.raises(NotFound):
                kit.store.settle(99, now=NOW)
            kit.store.advance_cursor("mail", 5)

    if committed:
        several()
    else:
        with pytest.raises(StoreError):
            several()
    assert kit.store.read_cursor("mail") == (7 if committed else 0)
    kit.count("bolt", "east", 4)
    assert kit.shelf("bolt", "east") == (4, 0, 0)


def test_a_full_disk_undoes_all_that_was_written_together(sqlite_kit: StoreKit):
    kit = sqlite_kit
    raw = kit.store._backend._connections.get().raw
    (pages,) = raw.execute("PRAGMA page_count").fetchone()
    raw.execute(f"PRAGMA max_page_count = {pages + 8}")

    def several() -> None:
        with kit.store.together():
            kit.store.advance_cursor("mail", 7)
            with pytest.raises(StoreError):
                kit.store.put_blob("test", random.Random(1).randbytes(1_000_000))
            kit.store.advance_cursor("mail", 8)

    with pytest.raises(StoreError):
        several()
    # The connection may be another one by now; make room in it.
    kit.store._backend._connections.get().raw.execute("PRAGMA max_page_count = 100000")
    assert kit.store.read_cursor("mail") == 0
    kit.store.put_blob("test", b"small")


def test_a_commit_that_fails_for_good_lets_go_of_the_lock(sqlite_kit: StoreKit):
    connections = sqlite_kit.store._backend._connections
    connection = connections.get()
    connection.raw = FailingCommit(connection.raw, committed=False)
    whole = connection._path
    connection._path = whole.with_name("no-such-folder") / "dom.db"
    with pytest.raises(StoreError):
        sqlite_kit.store.put_blob("kind", b"body")
    connection._path = whole
    other = SqliteStore(connections.path, Settings(busy_timeout=500))
    other.put_blob("kind", b"theirs")
    other.close()
    assert sqlite_kit.store.put_blob("kind", b"ours")


def test_every_thread_has_its_own_connection(sqlite_kit: StoreKit):
    seen: list[sqlite3.Connection] = []

    def work() -> None:
        sqlite_kit.store.network()
        seen.append(raw_of(sqlite_kit))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in [*seen, raw_of(sqlite_kit)]}) == 4
    gc.collect()


def test_a_connection_collected_inside_a_transaction_does_not_wait_for_it(sqlite_kit: StoreKit):
    connections = sqlite_kit.store._backend._connections
    forgotten = Connection(connections.path, Settings(), 99)
    forgotten.lock.acquire()
    forgotten.lock.release()
    with sqlite_kit.store._backend.writing():
        del forgotten
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_told_to_open_its_own_store(sqlite_kit: StoreKit):
    kit = sqlite_kit
    kit.count("bolt", "east", 5)
    child = os.fork()
    if child == 0:
        try:
            kit.store.network()
        except StoreError as error:
            os._exit(7 if "before a fork" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    kit.count("bolt", "east", 9, minutes=2)
    assert kit.shelf("bolt", "east") == (9, 0, 0)


def test_another_connections_writes_are_noticed(sqlite_kit: StoreKit, path: Path):
    before = sqlite_kit.store.changes_elsewhere()
    assert sqlite_kit.store.changes_elsewhere() == before
    sqlite_kit.count("bolt", "east", 1)
    assert sqlite_kit.store.changes_elsewhere() == before
    other = open_store(path)
    other.observe_stock(ObserveStock("main", (StockCount("bolt", "east", delta=1),)), now=NOW + 9)
    other.close()
    assert sqlite_kit.store.changes_elsewhere() != before


def test_a_snapshot_does_not_see_later_writes(sqlite_kit: StoreKit, path: Path):
    kit = sqlite_kit
    kit.count("bolt", "east", 1)
    other = StoreKit(open_store(path))
    with kit.store.snapshot():
        assert kit.shelf("bolt", "east") == (1, 0, 0)
        other.count("bolt", "east", 2, minutes=1)
        assert kit.shelf("bolt", "east") == (1, 0, 0)
    assert kit.shelf("bolt", "east") == (2, 0, 0)
    other.store.close()


def test_normal_durability_has_to_be_asked_for(path: Path):
    store = SqliteStore(path, evolve(Settings(), synchronous="NORMAL"))
    assert store.health()["synchronous"] == "NORMAL"
    store.close()
    with pytest.raises(StoreError, match="synchronous"):
        SqliteStore(path, Settings(synchronous="OFF"))


def test_importing_the_store_loads_nothing_heavy():
    code = (
        "import sys, domcore.store, domcore.store.protocol\n"
        "print([m for m in ('sqlite_utils', 'cattrs', 'sqlite3', 'pluggy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_a_database_that_is_up_to_date_needs_no_sqlite_utils(path: Path):
    open_store(path).close()
    code = (
        "import sys; from domcore.store import open_store\n"
        "open_store(sys.argv[1]).close(); print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
