"""Tables through rich, on a terminal that is one and on one that is not."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from domcore.cli import richly
from domcore.cli.output import Column, Output

COLUMNS = (Column("NAME", "name"), Column("STATUS", "status"), Column("UNITS", "units", right=True))
ROWS = [
    {"name": "[red]#1[/red]", "status": "shipped", "units": "1,200"},
    {"name": "\x1b[2Jboo\u202e", "status": "held", "units": "3"},
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 60 columns."""
    for name in ("NO_COLOR", "FORCE_COLOR", "DOMCORE_PLAIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


def show(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> str:
    """The table as it comes on the terminal."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        Output(as_json=False).rows(COLUMNS, ROWS, empty="")
    return terminal.getvalue()


def bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_statuses_have_colors_and_text_is_no_markup(terminal: Terminal, monkeypatch) -> None:
    text = show(terminal, monkeypatch)
    assert "\x1b[32mshipped" in text
    assert "\x1b[31mheld" in text
    assert "[red]#1[/red]" in bare(text)
    assert r"\x1b[2Jboo\u202e" in bare(text)
    assert "\x1b[2J" not in text
    assert all(len(line) <= 60 for line in bare(text).splitlines())


def plain() -> str:
    return (
        "NAME              STATUS   UNITS\n"
        "[red]#1[/red]     shipped  1,200\n"
        "\\x1b[2Jboo\\u202e  held         3\n"
    )


@pytest.mark.parametrize(("name", "value"), [("DOMCORE_PLAIN", "1"), ("TERM", "dumb")])
def test_it_can_be_switched_off(terminal, monkeypatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert show(terminal, monkeypatch) == plain()


def test_without_rich_tables_are_plain(terminal: Terminal, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.table", None)
    assert show(terminal, monkeypatch) == plain()


def test_no_color_has_no_color(terminal: Terminal, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = show(terminal, monkeypatch)
    assert "\x1b[3" not in text
    assert "shipped" in text


def test_a_pipe_gets_plain_tables(troubled: Path, run) -> None:
    assert "\x1b" not in run("orders").stdout
    assert "\x1b" not in run("kpi").stdout
    assert not richly.wanted()
