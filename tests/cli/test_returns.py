"""``domcore returns`` in a shop whose first orders have shipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from domcore import Domcore, Settings
from domcore.model import Notice
from domcore.testing import World


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text('store = "shop.db"\n', encoding="utf-8")
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", LAX=5)
    with world.open(Settings(store=str(tmp_path / "shop.db"))) as dom:
        dom.capture(world.order("1001", MUG=3))
        dom.route()
        (work,) = dom.order("1001").fulfillment_orders
        dom.record(Notice(work.id, "shipped", world.clock()))
    return tmp_path


@pytest.fixture
def run(run: Callable[..., Result]) -> Callable[..., Result]:
    """The same, and its exit code must be `code`."""

    def told(*words: str, code: int = 0) -> Result:
        result = run(*words)
        assert result.exit_code == code, result.output
        return result

    return told


def test_all_that_shipped_goes_back_to_the_cheapest_node(place: Path, run) -> None:
    told = run("returns", "authorize", "1001")
    assert "Return R1: 3 units to NYC" in told.stdout
    assert "not LAX: 12.47 USD" in told.stdout
    assert 'domcore returns receive "1001" R1' in told.stdout
    assert "3 x MUG" in run("returns", "list", "--node", "NYC").stdout
    assert run("returns", "authorize", "1001", code=3).stdout == ""


def test_what_arrives_is_told_by_line_and_condition(place: Path, run) -> None:
    run("returns", "authorize", "1001", "--line", "1001-1=2", "--id", "RMA-7")
    told = run("returns", "receive", "1001", "RMA-7", "--line", "1001-1=1:damaged")
    assert "partly received" in told.stdout
    assert "1 blocked" in told.stdout
    rest = run("returns", "receive", "1001", "RMA-7", "--json")
    assert json.loads(rest.stdout)["status"] == "received"
    assert run("returns", "receive", "1001", "RMA-7", code=3).stdout == ""
    with Domcore.open(str(place / "shop.db")) as dom:
        (row,) = [each for each in dom.stock() if each.node == "NYC"]
        assert (row.on_hand, row.blocked) == (2, 1)


def test_json_says_what_the_planner_said(place: Path, run) -> None:
    row = json.loads(run("returns", "authorize", "1001", "--json").stdout)
    assert (row["outcome"], row["node"], row["about"]["instead_of"][0][0]) == (
        "authorized",
        "NYC",
        "LAX",
    )
    again = json.loads(run("returns", "authorize", "1001", "--line", "1001-1=3", "--id", "R1",
                           "--json").stdout)  # fmt: skip
    assert again["outcome"] == "duplicate"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--line", "1001-1"), "LINE=UNITS"),
        (("--line", "1001-1=x"), "LINE=UNITS"),
        (("--line", "1001-1=9"), "9 units"),
        (("--line", "no=1"), "no such line"),
        (("--node", "MARS"), "no such node"),
    ],
)
def test_bad_returns_are_refused(words: tuple[str, ...], message: str, place: Path, run) -> None:
    code = 2 if "LINE=UNITS" in message else 1
    assert message in run("returns", "authorize", "1001", *words, code=code).stderr
    assert "no such returns" in run("returns", "list").stderr


def test_closing_without_lines_takes_in_nothing_and_says_so(place: Path, run) -> None:
    run("returns", "authorize", "1001")
    told = run("returns", "receive", "1001", "R1", "--close")
    assert "Return R1: closed; nothing taken in, 3 of 3 never came." in told.stdout
    with Domcore.open(str(place / "shop.db")) as dom:
        assert [row.on_hand for row in dom.stock()] == [2]
        assert list(dom.verify()) == []
    assert "is closed" in run("returns", "receive", "1001", "R1", code=1).stderr


def test_closing_with_lines_says_what_was_taken_in_and_what_never_came(place: Path, run) -> None:
    run("returns", "authorize", "1001")
    words = ("returns", "receive", "1001", "R1", "--line", "1001-1=1", "--close", "--json")
    told = json.loads(run(*words).stdout)
    assert (told["outcome"], told["taken_in"], told["status"]) == ("received", 1, "closed")


def test_closing_what_has_arrived_whole_is_receiving_it(place: Path, run) -> None:
    run("returns", "authorize", "1001")
    told = run("returns", "receive", "1001", "R1", "--line", "1001-1=3", "--close")
    assert "Return R1: received." in told.stdout
