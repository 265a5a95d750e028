"""Trouble, and what keeps failing, on the command line: what is shown can be worked off."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domcore import Settings
from domcore.model import Notice
from domcore.testing.builder import World


def waiting(run, *options: str) -> list[dict[str, object]]:
    text = run("exceptions", "--limit", 1000, "--json", *options).stdout
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def worrying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a parcel in trouble that came back, and a pull that fails, as the folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text('store = "domcore.db"\nload_plugins = []\n')
    world = World().node("NYC", at=(40.71, -74.0)).item("MUG").stock("MUG", NYC=9)
    world.clock.now = datetime.now(UTC) - timedelta(hours=3)
    with world.open(Settings(store=str(tmp_path / "domcore.db"))) as dom:
        dom.capture(world.order("-back", number="-back", MUG=2))
        dom.route()
        for status in ("shipped", "exception", "returned"):
            dom.record(Notice("1-1-NYC", status, world.clock(), detail="no bell"))
        task = dom.store.lease_task("pull:web; ls", now=1, until=2)
        assert task is not None
        dom.store.settle_task(task, now=2, due_at=3, well=False, note="no answer")
    return tmp_path


def test_every_command_that_is_shown_works_it_off(worrying: Path, run) -> None:
    found = waiting(run)
    assert [(row["kind"], row["order"]) for row in found] == [
        ("trouble", "-back"),
        ("trouble", "-back"),
        ("failing", ""),
    ]
    for row in found:
        words = shlex.split(str(row["command"]))
        assert words[0] == "domcore"
        result = run(*words[1:])
        assert result.exit_code == 0, f"{row['command']}: {result.output}"
    assert waiting(run) == []


def test_trouble_is_settled_in_bulk_but_for_goods_that_want_a_return(worrying: Path, run) -> None:
    kind = ("--kind", "trouble")
    assert "no bell" in str(waiting(run, *kind)[0]["reason"])
    told = run("exceptions", *kind, "--settle", "--dry-run")
    assert "would settle trouble/1-1" in told.stdout
    assert run("exceptions", *kind, "--settle", "--yes").exit_code == 0
    (back,) = waiting(run, *kind)
    assert str(back["command"]).startswith("domcore returns authorize")


def test_trouble_is_settled_by_name(worrying: Path, run) -> None:
    first, second = (row["subject"] for row in waiting(run, "--kind", "trouble"))
    assert run("settle", first, "--by", "kim", "--note", "rang").exit_code == 0
    again = run("settle", first)
    assert (again.exit_code, "no trouble that stands" in again.stderr) == (1, True)
    both = run("settle", first, second, "--by", "kim", "--json")
    assert (both.exit_code, json.loads(both.stdout)) == (4, {"settled": 1, "refused": 1})
    assert run("settle", "trouble/9-9", "outbox/1").exit_code == 1
    assert "settled (rang)  (by person:kim)" in run("timeline", "--", "-back").stdout


def test_what_fails_is_retried_in_bulk(worrying: Path, run) -> None:
    assert waiting(run, "--kind", "failing", "--failing-after", "30000w") == []
    assert run("exceptions", "--kind", "failing", "--retry", "--yes").exit_code == 0
    assert waiting(run, "--kind", "failing") == []
