"""What commands print: tables for people, JSON Lines for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final, NamedTuple

import click

from domcore.cli.layout import laid_out, terminal_width
from domcore.cli.richly import drawn, wanted
from domcore.codec.showing import shown, shown_json, shown_lines
from domcore.model import decimal_text

_REASONS: Final = {
    "stock": "not enough stock",
    "rules": "rules leave too little",
    "rejected": "nodes have rejected it",
    "moved": "too little is where a person wants it from",
    "split": "split limit",
    "item": "unknown SKU",
}

Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column of a table: its title, the row's key, and how a value is written.

    With an empty key the whole row is written: for people only, JSON has its parts.
    """

    title: str
    key: str
    write: Callable[[Any], str] = str
    right: bool = False


class Output:
    """Prints to standard output; `as_json` chooses the language."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.unfinished: Callable[[], None] | None = None
        """Takes away a line that is being drawn on standard error, such as a counter."""

    def rows(self, columns: Sequence[Column], rows: Iterable[Row], *, empty: str) -> int:
        """A table, or one JSON object per line; returns how many rows there were."""
        gathered = list(rows)
        if self.as_json:
            for row in gathered:
                self.object(row)
        elif gathered:
            self.tables([(columns, gathered)])
        elif empty:
            self.note(empty)
        return len(gathered)

    def object(self, value: Row) -> None:
        """One JSON object on a line."""
        self._begin()
        click.echo(json_text(value))

    def say(self, text: str) -> None:
        """A text for people; nothing with ``--json``."""
        if not self.as_json:
            self._begin()
            click.echo(shown_lines(text))

    def tables(self, tables: Iterable[tuple[Sequence[Column], Sequence[Row]]]) -> None:
        """Tables for people, a blank line between; nothing with ``--json``."""
        if self.as_json:
            return
        self._begin()
        draw = drawn if wanted() else None
        for number, (columns, rows) in enumerate(tables):
            if number:
                click.echo()
            if draw is None:
                click.echo(table(columns, rows, room=terminal_width()))
            else:
                right = [column.right for column in columns]
                titles = [column.title for column in columns]
                click.echo(draw(titles, cells(columns, rows), right))

    def note(self, text: str) -> None:
        """A remark that is no result: standard error."""
        self._begin()
        click.echo(shown_lines(text), err=True)

    def _begin(self) -> None:
        if self.unfinished is not None:
            self.unfinished()


def json_text(value: Any) -> str:
    """A value on one line; times, which TOML knows and JSON does not, in ISO 8601."""
    return shown_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_text))


def _text(value: object) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")


def table(columns: Sequence[Column], rows: Iterable[Row], *, room: int | None = None) -> str:
    """Aligned columns under their titles.

    Args:
        room: how wide it may be; cells of text are written on several lines where they must be, and
            nothing is left out. Without, it is as wide as it is.
    """
    titles = [column.title for column in columns]
    return "\n".join(
        laid_out(titles, cells(columns, rows), [column.right for column in columns], room)
    )


def cells(columns: Sequence[Column], rows: Iterable[Row]) -> list[list[str]]:
    """What stands in a table, in which nothing steers a terminal."""
    return [
        [clean(column.write(row[column.key] if column.key else row)) for column in columns]
        for row in rows
    ]


def clean(text: str) -> str:
    """One line of text in which nothing steers a terminal."""
    return shown(text)


def plain(amount: int) -> str:
    """Micros for programs: ``"1234.50"``."""
    return decimal_text(amount)


def reason(code: str) -> str:
    """Why units stay open, for people."""
    return _REASONS.get(code, code)


def count(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def joined(values: Iterable[str]) -> str:
    """Words in a cell; ``-`` where there are none."""
    return ", ".join(values) or "-"


def moment(value: datetime) -> str:
    """A time for people, to the minute, in UTC."""
    return f"{value:%Y-%m-%d %H:%M}"


def weight(grams: int) -> str:
    """Grams for people."""
    return f"{grams:,} g" if grams < 1000 else f"{grams / 1000:,.2f} kg"


def distance(metres: int) -> str:
    """Metres for people."""
    return f"{metres / 1000:,.0f} km"


def times(number: int, noun: str, plural: str = "") -> str:
    """``1 order``, ``2 orders``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
