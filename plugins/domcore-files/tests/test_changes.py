"""An address that changes while the work lies in the folder, and after it was taken."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from domcore.errors import ConnectorError
from domcore.model import Person
from domcore.settings import ConnectorSettings, Settings
from domcore.testing import make_handover
from domcore_files.building import build_connectors
from domcore_files.connector import FilesConnector
from domcore_files.disk import Disk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def connector(folder: Path, **options) -> FilesConnector:
    told = {"folder": str(folder), "settle_seconds": 0, **options}
    settings = Settings(connectors=(ConnectorSettings("north", "files", told),))
    (built,) = build_connectors(settings)
    return built


def moved(street: str):
    work = make_handover()
    assert work.person is not None
    return attrs.evolve(work, person=attrs.evolve(work.person, street=(street,)))


def out(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in sorted((folder / "out").iterdir())}


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_file_that_lies_there_is_changed(folder, format):
    north = connector(folder, format=format)
    north.release(make_handover())
    for street in ("9 New St", "9 New St", "11 Newest St"):
        assert north.change(moved(street)).status == "requested"
        ((name, text),) = out(folder).items()
        assert name == f"7-1-NYC.{format}"
        assert (street in text, "17 Juniper Row" in text) == (True, False)
    assert north.reconcile(make_handover()).status == "requested"
    assert "Juniper" not in "".join(each.read_text() for each in (folder / "sent").iterdir())


def test_a_file_that_was_taken_cannot_be_changed(folder):
    north = connector(folder)
    north.release(make_handover())
    (folder / "out" / "7-1-NYC.csv").unlink()
    assert north.change(moved("9 New St")).status == "rejected"
    assert out(folder) == {}


def test_where_files_are_not_taken_away_nothing_is_changed(folder):
    north = connector(folder, withdraw=False)
    north.release(make_handover())
    assert north.change(moved("9 New St")).status == "rejected"


def test_what_was_never_there_stays_unknown(folder):
    assert connector(folder).change(moved("9 New St")).status == "unknown_here"
    assert out(folder) == {}


@pytest.mark.parametrize("step", range(1, 9))
@pytest.mark.parametrize("taken", [False, True])
def test_a_change_that_is_cut_short_ends_with_one_file(folder, monkeypatch, step, taken):
    """Killed at any step, perhaps while the partner takes what is there: it has one file, once."""
    connector(folder).release(make_handover())
    steps = 0
    with monkeypatch.context() as dying:
        for name in ("draft", "move", "publish", "remove", "write"):
            real = getattr(Disk, name)

            def step_by_step(self, *args, real=real, **more):
                nonlocal steps
                steps += 1
                if steps == step:
                    raise OSError(28, "no space left")
                return real(self, *args, **more)

            dying.setattr(Disk, name, step_by_step)
        with suppress(ConnectorError):
            connector(folder).change(moved("9 New St"))
    got = []
    if taken:
        for each in (folder / "out").glob("7*"):
            got.append(each.read_text())
            each.unlink()
    answer = connector(folder).change(moved("9 New St"))
    left = [text for name, text in out(folder).items() if not name.startswith(".")]
    assert len(got + left) == 1, "one file, once"
    if answer.status != "rejected":
        assert "9 New St" in (got + left)[0]


def test_the_person_may_be_unknown(folder):
    north = connector(folder)
    north.release(attrs.evolve(make_handover(), person=None))
    told = attrs.evolve(make_handover(), person=Person(name="Ada"))
    assert north.change(told).status == "requested"
