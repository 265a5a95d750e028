from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from domcore import Domcore, Settings, StoreError
from domcore.model import ObserveStock, StockCount
from domcore.store.sqlite import SqliteStore
from domcore.store.sqlite.connection import Settings as SqliteSettings


def connection_of(dom: Domcore) -> sqlite3.Connection:
    return dom.store._backend._connections.get().raw  # type: ignore[attr-defined]


def test_a_full_disk_is_named_and_routing_resumes_when_there_is_room(shop: Any) -> None:
    dom = shop.open()
    shop.fill(dom, 400)
    raw = connection_of(dom)
    (pages,) = raw.execute("PRAGMA page_count").fetchone()
    raw.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(StoreError, match="disk is full"):
        dom.route()
    assert list(dom.verify()) == []
    raw.execute("PRAGMA max_page_count = 1000000")
    done = sum(1 for _ in dom.store.audit("decision"))
    assert done < 400
    assert dom.route().placed == 400 - done
    assert list(dom.verify()) == []


def test_a_hundred_full_disks_in_a_row_break_nothing(shop: Any) -> None:
    dom = shop.open()
    raw = connection_of(dom)
    refusals: list[str] = []
    for number in range(100):
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        raw.execute(f"PRAGMA max_page_count = {pages + number % 3}")
        try:
            shop.fill(dom, 3, number * 3)
            dom.route()
            dom.observe(ObserveStock("main", (StockCount("MUG", "NYC", delta=1),)))
        except StoreError as error:
            refusals.append(str(error))
        raw.execute("PRAGMA max_page_count = 1000000")
    assert refusals
    assert all("disk is full" in refusal for refusal in refusals)
    assert list(dom.verify()) == []
    dom.route()
    assert list(dom.verify()) == []


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounts a file system")
def test_a_file_system_that_is_really_full_is_named(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(room)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("may not mount here")
    script = Path(__file__).with_name("conftest.py").read_text() + textwrap.dedent(
        """
        import sys
        from domcore import StoreError
        shop = Shop(Path(sys.argv[1]))
        dom = shop.open()
        try:
            for first in range(0, 100_000, 100):
                shop.fill(dom, 100, first)
                dom.route()
        except StoreError as error:
            print("refused", error)
        print(len(list(dom.verify())), "violations")
        dom.close()
        print("clean" if shop.is_clean() else "broken")
        """
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, str(room / "shop.db")],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        subprocess.run(["umount", str(room)], check=True)
    refusal, violations, state = done.stdout.splitlines() or [done.stderr, "", ""]
    assert "disk is full" in refusal
    assert (violations, state) == ("0 violations", "clean")


def test_a_database_that_another_program_locks_is_named(shop: Any) -> None:
    store = SqliteStore(shop.path, SqliteSettings(busy_timeout=50))
    dom = shop.open(store=store)
    shop.fill(dom, 3)
    intruder = sqlite3.connect(shop.path, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    for attempt in (dom.route, lambda: shop.fill(dom, 1, 9)):
        with pytest.raises(StoreError, match="lock"):
            attempt()
    assert dom.orders()[0].status == "open"
    intruder.execute("ROLLBACK")
    intruder.close()
    assert dom.route().placed == 3
    assert list(dom.verify()) == []


def test_a_process_that_hangs_with_the_writer_lock_does_not_hang_the_others(shop: Any) -> None:
    fcntl = pytest.importorskip("fcntl")
    dom = shop.open(store=SqliteStore(shop.path, SqliteSettings(busy_timeout=200)))
    refusals: list[str] = []

    def write() -> None:
        try:
            shop.fill(dom, 1)
        except StoreError as error:
            refusals.append(str(error))

    with Path(f"{shop.path}.lock").open("a") as hung:
        fcntl.flock(hung, fcntl.LOCK_EX)
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(5)
        waiting = writer.is_alive()
    writer.join(5)
    assert not waiting, "waits for ever"
    assert "lock" in refusals[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_database_one_may_only_read_is_named(shop: Any, tmp_path: Path) -> None:
    with shop.open() as dom:
        shop.fill(dom, 3)
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    script = textwrap.dedent(
        """
        import os, sys
        from domcore import Domcore, DomcoreError
        from domcore import Settings
        # What is loaded when it is first used must be loaded while this is still root.
        with Domcore(Settings(store="memory:", engine="python"), load_plugins=False) as warm:
            warm.route()
        import domcore.store.sqlite
        os.setgid(65534); os.setuid(65534)
        try:
            Domcore(Settings(store=sys.argv[1], engine="python"), load_plugins=False).route()
        except DomcoreError as error:
            print(type(error).__name__, error)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(shop.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("StoreError"), done.stdout + done.stderr
    assert "read-only" in done.stdout or "cannot be opened" in done.stdout
    assert shop.is_clean()


def refused(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        Domcore(Settings(store=str(path)), load_plugins=False)
    return str(caught.value)


def test_a_newer_database_is_left_alone(shop: Any) -> None:
    connection = sqlite3.connect(shop.path, isolation_level=None)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    message = refused(shop.path)
    assert "newer" in message
    assert "upgrade" in message
    connection = sqlite3.connect(shop.path, isolation_level=None)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert shop.is_clean()


@pytest.mark.parametrize(
    "content",
    [b"this is no database" * 500, b"\x00" * 9_000, b"SQLite format 3\x00" + b"\xff" * 5_000],
)
def test_a_file_that_is_no_database_is_named_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "garbage.db"
    path.write_bytes(content)
    assert str(path) in refused(path)
    assert path.read_bytes() == content


def test_a_database_cut_short_is_named(shop: Any) -> None:
    with shop.open() as dom:
        shop.fill(dom, 300)
        dom.route()
    size = shop.path.stat().st_size
    os.truncate(shop.path, size // 3)
    complaints: list[str] = []
    try:
        with Domcore(shop.settings, load_plugins=False) as dom:
            complaints += [str(violation) for violation in dom.verify()]
    except StoreError as error:
        complaints.append(str(error))
    assert any(str(shop.path) in complaint for complaint in complaints)


def test_a_folder_or_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert str(tmp_path) in refused(tmp_path)
    assert "folder" in refused(tmp_path / "nowhere" / "shop.db")
