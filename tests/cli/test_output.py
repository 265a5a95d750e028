"""What is printed, and what a progress bar needs."""

from __future__ import annotations

import io
import json

import pytest

from domcore.cli.output import Column, Output, clean, count, joined, plain, times
from domcore.cli.progress import Progress
from domcore.model import money_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Called in the test itself: pytest puts its own standard error in place before each."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    return screen


def steps(number: int, **options: object) -> None:
    with Progress("routed", **options) as progress:
        for _ in range(number):
            progress.step()


def test_a_table_fits_the_terminal_and_is_whole_in_a_pipe(monkeypatch) -> None:
    columns = (Column("ORDER", "order"), Column("WHY", "why"))
    rows = [{"order": "#1001", "why": "somebody has to look at this one before it leaves"}]
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("DOMCORE_PLAIN", "1")
    screen, pipe = Terminal(), io.StringIO()
    for out in (screen, pipe):
        monkeypatch.setattr("sys.stdout", out)
        Output(as_json=False).rows(columns, rows, empty="")
    assert max(map(len, screen.getvalue().splitlines())) <= 30
    assert screen.getvalue().split() == pipe.getvalue().split()
    assert len(pipe.getvalue().splitlines()) == 2


def test_progress_is_silent_where_it_is_quick_or_no_terminal(monkeypatch) -> None:
    terminal = on_terminal(monkeypatch)
    steps(1000, patience=60.0)
    assert terminal.getvalue() == ""
    monkeypatch.setattr("sys.stderr", io.StringIO())
    steps(1000, patience=0.0)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("total", [None, 2])
def test_what_is_said_meanwhile_stands_on_a_line_of_its_own(total: int | None, monkeypatch) -> None:
    terminal, out = on_terminal(monkeypatch), Output(as_json=False)
    with Progress("routed", total=total, patience=0.0, out=out) as progress:
        out.note("before")
        progress.step()
        out.note("a note")
    out.note("after")
    said = terminal.getvalue()
    assert said.startswith("before\n")
    assert "\r\033[Ka note\n" in said
    assert said.endswith("after\n")


def test_progress_shows_a_bar_for_a_known_length(monkeypatch) -> None:
    terminal = on_terminal(monkeypatch)
    steps(5, total=5, patience=0.0)
    assert "5/5" in terminal.getvalue()


def test_progress_counts_and_cleans_up_where_the_end_is_unknown(monkeypatch) -> None:
    terminal = on_terminal(monkeypatch)
    steps(5, patience=0.0)
    assert "routed 1" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")


def test_rows_are_a_table_or_json_lines(capsys) -> None:
    columns = (Column("NAME", "name"), Column("N", "n", count, right=True))
    rows = [{"name": "a", "n": 1234}, {"name": "bb\x1b[31m", "n": 5}]
    assert Output(False).rows(columns, rows, empty="") == 2
    assert capsys.readouterr().out == "NAME            N\na           1,234\nbb\\x1b[31m      5\n"
    Output(True).rows(columns, rows, empty="")
    told = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in told] == rows
    Output(True).rows(columns, [], empty="none")
    assert capsys.readouterr() == ("", "")
    Output(False).rows(columns, [], empty="none")
    assert capsys.readouterr() == ("", "none\n")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (money_text(1_234_567_890, "USD"), "1,234.57 USD"),
        (money_text(-2_500_000, "EUR"), "-2.50 EUR"),
        (money_text(-1, "EUR"), "0.00 EUR"),
        (money_text(5_000, "CAD"), "0.00 CAD"),
        (money_text(15_000, "CAD"), "0.02 CAD"),
        (plain(1_234_567_890), "1234.56789"),
        (plain(12_500_000), "12.50"),
        (joined([]), "-"),
        (joined(["a", "b"]), "a, b"),
        (times(1, "delivery", "deliveries"), "1 delivery"),
        (times(2000, "delivery", "deliveries"), "2,000 deliveries"),
        (clean("a\r\nb\x00"), r"a\x0d\x0ab\x00"),
    ],
)
def test_values_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected
