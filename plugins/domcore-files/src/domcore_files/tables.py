"""Rows as CSV or JSON Lines, and back, exactly: ``parse(export(rows)) == rows``.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@`` or a control character as a
formula. Files for people are guarded: such cells are written with an apostrophe in front, which
our reader takes off again. Machines want ``+1 555 0100``, and get plain cells.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domcore.codec.intake import read_json
from domcore.errors import PayloadError, Problem
from domcore.loading.problems import Problems
from domcore.loading.shape import Cell, Faults, Shape, suggestion

FORMATS: Final = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
MOST_LINE: Final = 1024 * 1024
MOST_NAMED: Final = 50
"""Unknown columns that an error names one by one."""

_TRIGGERS: Final = "=+\\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"
_TO_GUARD: Final = re.compile(f"'*[{_TRIGGERS}]")
_GUARDED: Final = re.compile(f"'+[{_TRIGGERS}]")


class Row(NamedTuple):
    """One record and the line it stands in."""

    line: int
    values: Mapping[str, Any]


def guard(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{cell}" if _TO_GUARD.match(cell) else cell


def unguard(cell: str) -> str:
    """The cell that was guarded; any other is left as it is."""
    return cell[1:] if _GUARDED.match(cell) else cell


def export_csv(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, plain: bool = False
) -> bytes:
    """Rows below their column names; `plain` leaves the guard away."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow(row if plain else [guard(cell) for cell in row])
    return text.getvalue().encode("utf-8", "replace")


def parse_csv(body: bytes, *, plain: bool = False) -> list[list[str]]:
    """What `export_csv` was given, column names first."""
    text = io.StringIO(body.decode("utf-8"), newline="")
    rows = list(csv.reader(text, strict=True))
    return rows[:1] + [row if plain else [unguard(cell) for cell in row] for row in rows[1:]]


def export_lines(values: Iterable[Mapping[str, Any]]) -> bytes:
    """An object per line."""
    lines = (json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in values)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def format_of(name: str, body: bytes) -> str:
    """``csv`` or ``jsonl``: by the name's suffix, else by the first character."""
    suffix = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    found = FORMATS.get(suffix)
    if found:
        return found
    return "jsonl" if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else "csv"


def read_rows(
    name: str, body: bytes, format: str, problems: Problems, *, plain: bool = False
) -> list[Row]:
    """The records of a file; what cannot be read as one is a problem.

    Raises:
        PayloadError: it is not UTF-8, or has too many problems.
    """
    if format == "jsonl":
        return _json_lines(name, body, problems)
    return _csv(name, _decoded(name, body), problems, plain)


def _decoded(name: str, body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        problem = Problem(f"{name}:{line}", "is not UTF-8 text; save it as UTF-8")
        raise PayloadError("cannot be read", [problem], source=name) from None


def _csv(name: str, text: str, problems: Problems, plain: bool) -> list[Row]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    columns: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problems.add(f"{name}:{line}", f"is not CSV: {error}")
            return rows
        if cells is None:
            break
        if not columns:
            columns = _columns(name, cells, problems)
            if not columns:
                return rows
        elif len(cells) != len(columns):
            if any(cells):
                problems.add(
                    f"{name}:{line}",
                    f"has {len(cells)} cells where {len(columns)} columns are named",
                )
        elif any(cells):
            trimmed = (cell.strip() for cell in cells)
            values = (Cell(cell if plain else unguard(cell)) for cell in trimmed)
            rows.append(Row(line, dict(zip(columns, values, strict=True))))
    if not columns:
        problems.add(f"{name}:1", "the first line must name the columns")
    return rows


def _columns(name: str, cells: list[str], problems: Problems) -> list[str]:
    columns = [cell.strip() for cell in cells]
    if not all(columns):
        problems.add(f"{name}:1", "the first line must name every column")
        return []
    if len(set(columns)) != len(columns):
        problems.add(f"{name}:1", "a column is named twice")
        return []
    return columns


def check_columns(shape: Shape, columns: Sequence[str], name: str, problems: Problems) -> bool:
    """Whether a file's columns are all known, and none is missing.

    An unknown one is named by its number: without a header, it would be somebody's name.
    """
    known = [field.name for field in shape.fields]
    unknown = [at for at, column in enumerate(columns, 1) if column not in known]
    faults = [
        (f"column {at}", f"is not a known one{suggestion(columns[at - 1], known)}")
        for at in unknown[:MOST_NAMED]
    ]
    if len(unknown) > MOST_NAMED:
        faults.append(("the columns", f"are {len(unknown) - MOST_NAMED:,} more that are not known"))
    faults += [
        (field.name, "is missing")
        for field in shape.fields
        if field.needed and field.name not in columns
    ]
    if faults:
        problems.add(f"{name}:1", Faults(faults))
    return not faults


def _json_lines(name: str, body: bytes, problems: Problems) -> list[Row]:
    rows: list[Row] = []
    for line, raw in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not raw.strip():
            continue
        place = f"{name}:{line}"
        try:
            value = read_json(raw, limit=MOST_LINE)
        except PayloadError as error:
            problems.add(place, Faults([(each.path, each.message) for each in error.problems]))
            continue
        if isinstance(value, dict):
            rows.append(Row(line, value))
        else:
            problems.add(place, "must be an object")
    return rows
