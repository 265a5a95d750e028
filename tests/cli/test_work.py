"""``work``, ``parked``, ``retry`` and ``drop`` on a project whose plugin is a file beside it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from domcore import Settings
from domcore.cli.commands.work import summary
from domcore.testing.builder import World
from domcore.working import WorkReport

PLUGIN = """
import os, pathlib, time
from domcore import ConnectorError, hookimpl
from domcore.model import Polled, Receipt

class Partner:
    name = "acme"

    def release(self, handover):
        mood = pathlib.Path("mood").read_text()
        with open("calls", "a") as calls:
            calls.write(handover.key + "\\n")
        if mood == "refuses":
            raise ConnectorError("closed today")
        if mood == "slow":
            time.sleep(0.5)
        with open("calls", "a") as calls:
            calls.write("done\\n")
        return Receipt("accepted")

    cancel = reconcile = release

    def poll(self, cursor):
        return Polled((), cursor)

@hookimpl
def register_connectors(dom):
    return [Partner()]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three orders for a node that works with `acme`; attempts are one."""
    site = tmp_path / "site"
    info = site / "domcore_acme-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: domcore-acme\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[domcore]\nacme = domcore_acme\n")
    (site / "domcore_acme.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "acme")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text(
        'store = "domcore.db"\nengine = "python"\n[work]\nattempts = 1\n[connectors.acme]\n'
        'kind = "acme"\n'
    )
    (tmp_path / "mood").write_text("well")
    world = World().node("NYC", at=(40.7, -74.0), connector="acme")
    world.item("MUG", weight=300).stock("MUG", NYC=9)
    with world.open(Settings(store="domcore.db", engine="python")) as dom:
        for number in range(3):
            dom.capture(world.order(str(number), MUG=1))
    return tmp_path


def loop(project: Path, *options: str) -> subprocess.Popen[str]:
    code = "from domcore.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "work", "--loop", "--every", "0.1", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=project,
        env=dict(os.environ),
    )


def calls(project: Path) -> list[str]:
    file = project / "calls"
    return file.read_text().split() if file.exists() else []


def test_one_line_says_what_happened_and_nothing_else(project: Path, run) -> None:
    first, second = run("work"), run("work")
    assert first.stdout == (
        "Routed 3 orders, handed over 3 fulfillment orders, delivered 9 events.\n"
    )
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert second.stdout == "Nothing was due.\n"


def test_json_has_every_number(project: Path, run) -> None:
    told = json.loads(run("work", "--json").stdout)
    assert told.keys() == {*WorkReport().counts, "failures"}
    assert (told["routed"], told["released"], told["failures"]) == (3, 3, [])


@pytest.mark.parametrize("every", ["nan", "inf", "-1", "0", "x", "1e9"])
@pytest.mark.parametrize("words", [("work", "--loop"), ("stock", "--watch")])
def test_a_number_of_seconds_is_a_number(project: Path, run, words, every) -> None:
    told = run(*words, "--every", every)
    assert told.exit_code == 2
    assert "number of seconds" in told.stderr


@pytest.mark.parametrize("name", list(WorkReport().counts))
def test_every_number_is_said(name: str) -> None:
    if name != "placed":
        assert "1" in summary(WorkReport(**{name: 1}))
    assert summary(WorkReport()) == "Nothing was due."


def test_parked_work_is_shown_tried_again_and_given_up(project: Path, run) -> None:
    (project / "mood").write_text("refuses")
    failed = run("work")
    assert failed.exit_code == 4
    assert "closed today" in failed.stderr
    shown = run("parked")
    assert shown.exit_code == 0
    assert "outbox/1" in shown.stdout
    assert "1-1-NYC" in shown.stdout
    rows = [json.loads(line) for line in run("parked", "--json").stdout.splitlines()]
    assert {row["id"] for row in rows} == {"outbox/1", "outbox/2", "outbox/3"}
    assert run("drop", "outbox/1").stdout == "Gave up on 1 piece.\n"
    (project / "mood").write_text("well")
    assert run("retry", "outbox/2").stdout == "1 piece will be tried again.\n"
    assert run("retry", "--all").exit_code == 0
    assert run("work").exit_code in (0, 4)
    assert run("parked").stderr == "Nothing is parked.\n"
    assert run("verify").exit_code == 0


def test_what_cannot_be_tried_again_is_said(project: Path, run) -> None:
    assert run("retry", "--all").exit_code == 3
    assert run("retry").exit_code == 2
    assert run("retry", "--all", "outbox/1").exit_code == 2
    assert run("retry", "outbox/9").exit_code == 1
    assert run("drop", "outbox/9").exit_code == 1
    some = run("drop", "outbox/9", "x")
    assert (some.exit_code, "outbox/9" in some.stderr) == (1, True)
    assert run("retry", "outbox/9", "x").exit_code == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_loop_finishes_the_piece_in_hand_and_ends(project: Path, number: int, code: int) -> None:
    (project / "mood").write_text("slow")
    process = loop(project)
    until = time.monotonic() + 30
    while not calls(project) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (code, "")
    assert calls(project)[0] == "1-1-NYC"
    assert calls(project).count("done") == len(calls(project)) / 2 < 3, "what was begun is done"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_loop_goes_on_after_a_round_in_which_the_store_was_locked(project: Path) -> None:
    file = project / "domcore.toml"
    file.write_text(file.read_text().replace("[work]", "[work]\npoll_seconds = 1"))
    process = loop(project, "--store", f"{project / 'domcore.db'}?busy_timeout=100")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("Routed 3 orders")
    holder = sqlite3.connect(project / "domcore.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert "write lock" in process.stderr.readline()
    holder.execute("COMMIT")
    holder.close()
    while "Nothing was due" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
