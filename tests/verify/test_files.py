from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domcore import Domcore, StoreError
from domcore.store import open_store
from domcore.verify import FIXES, Violation, verify


@pytest.fixture
def shop(shops: Callable[[str], Any]) -> Any:
    return shops("sqlite")


def invariants(shop: Any) -> set[str]:
    return {violation.invariant for violation in shop.dom.verify()}


def raw(shop: Any) -> sqlite3.Connection:
    return sqlite3.connect(shop.dom.settings.store, isolation_level=None)


def fill(shop: Any, orders: int) -> None:
    for number in range(orders):
        shop.live([("capture", number, number % 4, number % 10)])
    shop.live([("route", 0, 0, 999)])


def test_a_reference_to_nothing_is_found_by_sqlite_too(shop: Any) -> None:
    fill(shop, 3)
    connection = raw(shop)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM order_state")
    connection.execute("DELETE FROM order_line")
    connection.close()
    assert {"foreign-key", "I5"} <= invariants(shop)


def test_tables_changed_by_hand_are_found(shop: Any) -> None:
    connection = raw(shop)
    connection.execute("ALTER TABLE stock ADD COLUMN colour TEXT")
    connection.close()
    assert "schema" in invariants(shop)


def test_damaged_pages_are_found_and_nothing_is_raised(shop: Any) -> None:
    fill(shop, 40)
    path = Path(shop.dom.settings.store)
    connection = raw(shop)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = connection.execute("SELECT max(rootpage) FROM sqlite_master").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    shop.dom.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    store = open_store(path)
    found = list(verify(store))
    store.close()
    assert "integrity" in {violation.invariant for violation in found}


def test_an_index_that_lost_a_row_is_found(shop: Any) -> None:
    fill(shop, 4)
    connection = raw(shop)
    connection.execute("PRAGMA writable_schema = ON")
    (sql,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'event_order'"
    ).fetchone()
    connection.execute("DELETE FROM sqlite_master WHERE name = 'event_order'")
    connection.execute("PRAGMA writable_schema = RESET")
    connection.close()
    assert sql
    assert {"schema", "integrity"} & invariants(shop)


def test_others_may_go_on_working_while_a_file_is_checked(shop: Any) -> None:
    fill(shop, 10)
    violations = shop.dom.verify()
    assert next(violations, None) is None
    other = Domcore(shop.dom.settings, load_plugins=False, clock=shop.clock)
    check = verify(other.store)
    for number in range(20, 40):
        shop.live([("capture", number, 1, 1), ("route", 0, 0, 9)])
    assert list(check) == []
    other.close()


def test_checking_does_not_block_or_see_a_writer_at_work(shop: Any) -> None:
    fill(shop, 5)
    writer = raw(shop)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE stock SET reserved = reserved + 1 WHERE reserved < on_hand - 1")
    assert invariants(shop) == set()
    writer.execute("COMMIT")
    writer.close()
    assert "I3" in invariants(shop)


def test_a_store_in_its_callers_transaction_is_checked_with_what_is_not_committed(
    shop: Any,
) -> None:
    fill(shop, 3)
    connection = raw(shop)
    connection.execute("BEGIN IMMEDIATE")
    with shop.dom.joined(connection) as inner:
        inner.capture(shop.order_of(70, 1, 1))
        inner.route()
        assert list(inner.verify()) == []
        connection.execute("UPDATE order_state SET version = version + 9")
        assert {violation.invariant for violation in inner.verify()} == {"I9", "seal"}
    connection.execute("ROLLBACK")
    connection.close()
    assert invariants(shop) == set()


def test_a_check_that_is_given_up_leaves_nothing_behind(shop: Any) -> None:
    fill(shop, 5)
    connection = raw(shop)
    connection.execute("UPDATE stock SET safety = safety + 1")
    violations = shop.dom.verify()
    assert isinstance(next(violations), Violation)
    violations.close()
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()


def test_a_closed_store_says_so(shop: Any) -> None:
    shop.dom.close()
    with pytest.raises(StoreError, match="closed"):
        list(shop.dom.verify())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_file_one_may_only_read_is_checked_without_touching_it(shop: Any, tmp_path: Path) -> None:
    fill(shop, 5)
    shop.dom.close()
    path = Path(shop.dom.settings.store)
    path.chmod(0o444)
    before = path.read_bytes()
    script = textwrap.dedent(
        """
        import os, sys
        from domcore.store import open_store
        from domcore.errors import StoreError
        from domcore.verify import verify
        os.setgid(65534); os.setuid(65534)
        try:
            store = open_store(sys.argv[1])
        except StoreError as error:
            print("refused", error)
        else:
            print(len(list(verify(store))), "violations")
        """
    )
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(("0 violations", "refused")), done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_every_advice_is_a_sentence() -> None:
    assert all(len(advice) > 20 for advice in FIXES.values())


def by_vacuum(source: sqlite3.Connection, target: Path) -> None:
    source.execute("VACUUM INTO ?", (str(target),))


def by_backup(source: sqlite3.Connection, target: Path) -> None:
    copy = sqlite3.connect(target)
    source.backup(copy)
    copy.close()


@pytest.mark.parametrize("take", [by_vacuum, by_backup])
def test_a_backup_that_is_taken_while_others_write_is_clean(
    take: Callable[[sqlite3.Connection, Path], None], shop: Any, tmp_path: Path
) -> None:
    fill(shop, 30)
    enough = threading.Event()

    def write_on() -> None:
        plugins = shop.plugins
        with Domcore(shop.dom.settings, plugins=plugins, load_plugins=False) as other:
            for number in itertools.count(100):
                other.capture(shop.order_of(number, 1, 1))
                other.route()
                if enough.is_set():
                    return

    writer = threading.Thread(target=write_on)
    writer.start()
    source = raw(shop)
    for number in range(5):
        take(source, tmp_path / f"backup-{number}.db")
    enough.set()
    writer.join()
    source.close()
    for number in range(5):
        with closing(open_store(tmp_path / f"backup-{number}.db")) as store:
            assert list(verify(store)) == []
            assert len(list(store.audit("orders"))) >= 30
