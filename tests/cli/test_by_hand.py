"""``domcore amend``, ``address``, ``move`` and ``reroute``: shown, asked, done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import Result

from domcore import Domcore, Settings
from domcore.model import Destination, Person
from domcore.testing import World

Run = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """#1001 is routed to NYC; nobody can place the address of #1002."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text('store = "shop.db"\n', encoding="utf-8")
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", NYC=5, LAX=5)
    ada = Person("Ada Secret", street=("1 Secret St",), postal="10001", country="US")
    with world.open(Settings(store=str(tmp_path / "shop.db"), owners={"main": "USD"})) as dom:
        dom.capture(world.order("1001", MUG=2), ada)
        lost = evolve(world.order("1002", MUG=1), destination=Destination("US", postal="00009"))
        dom.capture(lost, ada)
        dom.route()
    return tmp_path


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


COMMANDS: list[tuple[str, ...]] = [
    ("amend", "#1001", "--add", "MUG=1"),
    ("address", "#1001", "--postal", "90001", "--region", "CA"),
    ("move", "1-1-NYC", "--to", "LAX"),
    ("reroute", "#1001"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_the_effect_is_shown_and_asked_before_anything_is_done(
    words: tuple[str, ...], place: Path, run: Run
) -> None:
    shown = run(*words, "--dry-run")
    assert shown.exit_code == 0
    assert "would be" in shown.stdout
    assert "before: 2 from NYC; 4.41" in shown.stdout
    assert "Nothing was changed." in shown.stderr
    refused = run(*words, stdin="n\n")
    assert refused.exit_code == 1
    assert "after:" in refused.stderr
    with Domcore.open(str(place / "shop.db")) as dom:
        assert [each.kind for each in dom.events()][2:] == ["order.routed", "order.held"]
    (told,) = rows(run(*words, "--yes", "--json"))
    assert told["done"] is True
    assert told["before"]["nodes"] == {"NYC": 2}
    assert run("verify").exit_code == 0


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_name_and_no_street_is_shown(words: tuple[str, ...], place: Path, run: Run) -> None:
    for more in (("--dry-run",), ("--yes", "--json")):
        result = run(*words, *more)
        assert "Secret" not in result.output
    assert "Secret" not in run("timeline", "#1001", "--json").stdout


def test_an_address_that_nobody_could_place_is_corrected_and_goes(place: Path, run: Run) -> None:
    told = run("address", "#1002", "--postal", "10001", "--yes")
    assert told.exit_code == 0
    assert "#1002: amended." in told.stdout
    assert "after:  1 from NYC" in told.stdout
    assert run("exceptions", "--kind", "held").stdout == ""
    again = run("address", "#1002", "--postal", "10001", "--yes")
    assert again.exit_code == 3
    assert "it says so already" in again.stdout


def test_what_stays_open_is_exit_code_4(place: Path, run: Run) -> None:
    told = run("amend", "#1001", "--line", "MUG=20", "--yes")
    assert told.exit_code == 4
    assert "not enough stock" in told.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("amend", "#1001"), 2, "say what is to change"),
        (("amend", "#1001", "--line", "MUG"), 2, "write LINE=UNITS"),
        (("amend", "#1001", "--line", "MUG=-1"), 2, "write LINE=UNITS"),
        (("amend", "#1001", "--add", "MUG=1", "--remove", "MUG=1"), 2, "both added"),
        (("amend", "#1001", "--add", "MUG=1", "--add", "MUG=1"), 2, "named twice"),
        (("amend", "#1001", "--remove", "MUG=3", "--yes"), 1, "only 2 units"),
        (("amend", "#77", "--add", "MUG=1"), 1, "there is no order"),
        (("address", "#1001"), 2, "say what is to be corrected"),
        (("address", "#1001", "--at", "north"), 2, "write LAT,LON"),
        (("address", "#1001", "--at", "99,0"), 1, "must be degrees"),
        (("address", "#1001", "--street", " "), 1, "is empty"),
        (("move", "1-1-NYC"), 2, "say --to NODE, or --away"),
        (("move", "1-1-NYC", "--to", "LAX", "--away"), 2, "say --to NODE, or --away"),
        (("move", "1-1-NYC", "--to", "MARS"), 1, "there is no node 'MARS'"),
        (("move", "7-1-NYC", "--away"), 1, "there is no fulfillment order"),
        (("reroute", "#77"), 1, "there is no order"),
    ],
)
def test_bad_input_is_refused_in_words(
    words: tuple[str, ...], code: int, message: str, place: Path, run: Run
) -> None:
    refused = run(*words)
    assert refused.exit_code == code, refused.output
    assert message in refused.stderr
    assert refused.stdout == ""
