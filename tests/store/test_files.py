"""The file of a store: who may read it, and what happens when it goes away or cannot be written."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from domcore import Domcore, Settings, StoreError
from domcore.errors import StoreReason
from domcore.store.sqlite import SqliteStore
from domcore.testing import World

posix = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


@pytest.fixture
def world() -> World:
    return World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def known(path: Path) -> set[str]:
    with Domcore(Settings(store=str(path)), load_plugins=False) as dom:
        return {order.external_id for order in dom.orders()}


@pytest.fixture
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@posix
def test_a_new_store_is_its_owners_alone_and_so_are_the_files_beside_it(
    path: Path, world: World, usual_umask
):
    with world.open(Settings(store=str(path))) as dom:
        dom.capture(world.order("1", MUG=1))
        files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
        assert [mode(file) for file in files] == [0o600] * 3


@posix
def test_a_store_that_its_owner_has_opened_to_a_group_stays_so(path: Path, world: World):
    world.open(Settings(store=str(path))).close()
    path.chmod(0o660)
    world.open(Settings(store=str(path))).close()
    assert mode(path) == 0o660


@posix
def test_a_store_is_made_where_a_link_points(tmp_path: Path, world: World):
    place = tmp_path / "volume" / "shop.db"
    place.parent.mkdir()
    link = tmp_path / "shop.db"
    link.symlink_to(place)
    world.open(Settings(store=str(link))).close()
    assert mode(place) == 0o600


@posix
def test_doctor_says_that_everybody_may_read_an_older_store(path: Path, world: World):
    with world.open(Settings(store=str(path))) as dom:
        assert [each.level for each in dom.doctor() if each.subject == "privacy"] == ["ok"]
        path.chmod(0o644)
        (found,) = [each for each in dom.doctor() if each.subject == "privacy"]
    assert found.level == "warn"
    assert found.fix == f"chmod o= {path}"


def moved(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def deleted(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    moved(path)
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)
    world.open(Settings(store=str(path))).close()


@posix
@pytest.mark.parametrize("change", [moved, deleted, replaced])
def test_nothing_is_acknowledged_once_the_file_is_not_the_one_that_was_opened(
    path: Path, world: World, change
):
    dom = world.open(Settings(store=str(path)))
    dom.capture(world.order("1", MUG=1))
    change(path)
    for verb in (lambda: dom.capture(world.order("2", MUG=1)), dom.route, dom.orders):
        with pytest.raises(StoreError, match="moved, replaced or deleted") as caught:
            verb()
        assert caught.value.reason is StoreReason.MOVED
    dom.close()
    assert path.exists() == (change is replaced), "an empty store in its place has no orders"


@posix
def test_a_file_that_is_put_back_is_the_store_again(path: Path, world: World):
    dom = world.open(Settings(store=str(path)))
    moved(path)
    with pytest.raises(StoreError):
        dom.capture(world.order("1", MUG=1))
    path.with_name("moved.db").rename(path)
    assert dom.capture(world.order("1", MUG=1)).outcome == "captured"
    dom.close()
    assert known(path) == {"1"}


def test_a_process_that_goes_to_another_folder_keeps_its_store(
    path: Path, world: World, monkeypatch: pytest.MonkeyPatch
):
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.chdir(path.parent)
    dom = world.open(Settings(store=path.name))
    dom.capture(world.order("1", MUG=1))
    (path.parent / "elsewhere").mkdir()
    monkeypatch.chdir(path.parent / "elsewhere")
    with ThreadPoolExecutor(1) as pool:
        assert [each.external_id for each in pool.submit(dom.orders).result()] == ["1"]
        pool.submit(dom.close).result()
    assert not list((path.parent / "elsewhere").iterdir())


@posix
def test_a_thread_that_comes_later_does_not_open_another_file(path: Path, world: World):
    from concurrent.futures import ThreadPoolExecutor

    dom = world.open(Settings(store=str(path)))
    replaced(path)
    with ThreadPoolExecutor(1) as pool, pytest.raises(StoreError, match="another one now"):
        pool.submit(dom.orders).result()
    dom.close()


READ_ONLY_FOR_A_MOMENT = """
import os, sys
from pathlib import Path
from domcore import Domcore, Settings, StoreError
from domcore.testing import World

path = Path(sys.argv[1])
def shop(path):
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=5)
    with world.open(Settings(store=str(path))) as dom:
        dom.capture(world.order("0", MUG=1))
    return world
shop(Path(sys.argv[2]) / "other.db")  # all that is imported late is imported now
if os.getuid() == 0:  # for root every file may be written
    os.setgid(65534)
    os.setuid(65534)
world = shop(path)
path.chmod(0o444)
dom = Domcore(Settings(store=str(path)), clock=world.clock, load_plugins=False)
try:
    dom.capture(world.order("1", MUG=1))
except StoreError as error:
    print(error.reason)
path.chmod(0o600)
print(dom.capture(world.order("1", MUG=1)).outcome)
"""


@posix
def test_a_store_that_could_not_be_written_for_a_moment_is_written_again_by_the_same_process(
    tmp_path: Path,
):
    with tempfile.TemporaryDirectory() as folder:  # the folders above tmp_path are root's alone
        Path(folder).chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY_FOR_A_MOMENT, f"{folder}/shop.db", tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.split() == ["read_only", "captured"], done.stderr


def test_a_connection_with_another_text_factory_can_be_joined(path: Path, world: World):
    world.open(Settings(store=str(path))).close()
    theirs = sqlite3.connect(path, isolation_level=None)
    theirs.text_factory = bytes
    theirs.execute("BEGIN IMMEDIATE")
    with Domcore(Settings(store=str(path)), load_plugins=False) as dom:
        with dom.joined(theirs) as inner:
            inner.capture(world.order("1", MUG=1))
        theirs.execute("COMMIT")
        assert dom.order("web/1").summary.external_id == "1"
    assert theirs.text_factory is bytes
    theirs.close()


@pytest.mark.parametrize("kind", ["TEXT", "INTEGER", "BLOB"])
def test_a_connection_that_converts_our_columns_is_refused_by_name(path: Path, kind: str):
    SqliteStore(path).close()
    sqlite3.register_converter(kind, repr)
    theirs = sqlite3.connect(path, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)
    plain = sqlite3.connect(path, isolation_level=None)
    try:
        for connection in (theirs, plain):
            connection.execute("BEGIN IMMEDIATE")
            if connection is theirs:
                with pytest.raises(Exception, match=f"{kind} columns to a converter"):
                    SqliteStore.joined(connection).__enter__()
            else:
                with SqliteStore.joined(connection):
                    pass
            connection.execute("ROLLBACK")
    finally:
        del sqlite3.converters[kind]
        theirs.close()
        plain.close()
