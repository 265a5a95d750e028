"""A loop of work outlives a store that cannot be used for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from domcore import Domcore, Settings, StoreError, StoreReason
from domcore.cli.looping import LONGEST, Loop, Stop, pause
from domcore.testing import World

PASSING = ("locked", "full", "io", "read_only", "unreachable", "moved")


class Opened:
    """An application that does what its round says."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Script:
    """What each round does in turn; the last one asks for the end."""

    def __init__(self, *rounds: StoreReason | int) -> None:
        self.rounds = list(rounds)
        self.stop = Stop()
        self.stop.sleep = self.slept_for  # type: ignore[method-assign]
        self.opened: list[Opened] = []
        self.used: list[int] = []
        self.slept: list[float] = []

    def slept_for(self, seconds: float) -> None:
        self.slept.append(seconds)

    def open(self) -> Opened:
        self.opened.append(Opened(len(self.opened)))
        return self.opened[-1]

    def round(self, dom: Opened) -> int:
        self.used.append(dom.number)
        now = self.rounds.pop(0)
        if not self.rounds:
            self.stop.signal = signal.SIGTERM
        if isinstance(now, StoreReason):
            raise StoreError("in the folder of locks", reason=now)
        return now

    def run(self) -> int:
        loop = Loop(self.open, self.round, lambda _: 4, every=5.0)  # type: ignore[arg-type]
        return loop.run(self.stop)


@pytest.mark.parametrize("word", PASSING)
def test_a_loop_goes_on_after_what_passes(word: str) -> None:
    script = Script(0, StoreReason(word), 0)
    assert script.run() == 0
    anew = 0 if word == "locked" else 1
    assert script.used == [0, 0, anew]
    assert [each.closed for each in script.opened] == [True] * (anew + 1)


@pytest.mark.parametrize("reason", [each for each in StoreReason if each not in PASSING])
def test_a_loop_ends_with_what_does_not_pass(reason: StoreReason) -> None:
    script = Script(0, reason, 0)
    with pytest.raises(StoreError):
        script.run()
    assert [each.closed for each in script.opened] == [True]


def test_a_loop_waits_longer_and_longer_and_then_as_before() -> None:
    script = Script(*[StoreReason.FULL] * 9, 0, 0)
    script.run()
    assert script.slept[0] > 5
    assert all(
        later > sooner for sooner, later in zip(script.slept[:2], script.slept[1:3], strict=True)
    )
    assert max(script.slept) <= LONGEST * 1.1
    assert script.slept[-1] <= 5.5


@pytest.mark.parametrize("troubles", [0, 1, 5, 10_000])
@pytest.mark.parametrize("every", [0.1, 5.0, 3600.0])
def test_no_pause_is_shorter_than_asked_or_longer_than_a_minute(
    every: float, troubles: int
) -> None:
    assert every <= pause(every, troubles) <= max(every, LONGEST)


@pytest.fixture
def loop(tmp_path: Path):
    """A loop on a store in a folder whose name says nothing of what goes wrong."""
    file = tmp_path / "shop.db"
    (tmp_path / "domcore.toml").write_text(f'store = "{file}"\nengine = "python"\n')
    World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9).open(
        Settings(store=str(file))
    ).close()
    process = subprocess.Popen(
        [sys.executable, "-m", "domcore", "work", "--loop", "--every", "0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


def routed(file: Path, name: str) -> bool:
    with Domcore(Settings(store=str(file)), load_plugins=False) as dom:
        return dom.order(name).summary.status == "allocated"


def capture(file: Path, name: str) -> None:
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG")
    with Domcore(Settings(store=str(file)), load_plugins=False) as dom:
        dom.capture(world.order(name, MUG=1))


@pytest.mark.skipif(not hasattr(__import__("resource"), "prlimit"), reason="Linux")
def test_a_loop_outlives_a_full_disk(loop, tmp_path: Path) -> None:
    import resource

    _, hard = resource.prlimit(loop.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(loop.pid, resource.RLIMIT_FSIZE, (0, hard))
    capture(tmp_path / "shop.db", "1")
    assert loop.stderr.readline()
    resource.prlimit(loop.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert until(lambda: routed(tmp_path / "shop.db", "1")), loop.poll()
    assert loop.poll() is None


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be moved there")
def test_a_loop_outlives_a_store_that_is_away_for_a_while(loop, tmp_path: Path) -> None:
    for name in ("shop.db", "shop.db-wal", "shop.db-shm"):
        if (tmp_path / name).exists():
            (tmp_path / name).rename(tmp_path / f"away-{name}")
    assert loop.stderr.readline()
    assert not (tmp_path / "shop.db").exists(), "an empty store was made in its place"
    for name in ("shop.db-wal", "shop.db-shm", "shop.db"):
        if (tmp_path / f"away-{name}").exists():
            (tmp_path / f"away-{name}").rename(tmp_path / name)
    capture(tmp_path / "shop.db", "1")
    assert until(lambda: routed(tmp_path / "shop.db", "1")), loop.poll()
    assert loop.poll() is None
