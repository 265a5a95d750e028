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
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """One record, the line it stands in, and how it is written there.

    `fault` says why it cannot be read as one at all; `values` are what can be read even so.
    """

    line: int
    values: Mapping[str, Any]
    raw: Sequence[str] | bytes = b""
    fault: ValueError | str = ""


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
    rows = []
    for row in rows_of(name, body, format, plain=plain):
        if row.fault:
            problems.add(f"{name}:{row.line}", row.fault)
        else:
            rows.append(row)
    return rows


def rows_of(
    name: str, body: bytes, format: str, *, plain: bool = False, start: int = 0
) -> Iterator[Row]:
    """The records of a file one by one, bad ones included, from the line `start` on; no second copy
    of it is made.

    Raises:
        PayloadError: it cannot be read at all: no UTF-8, no CSV, no names of columns.
    """
    return _json_lines(body, start) if format == "jsonl" else _csv(name, body, plain, start)


def column_names(name: str, body: bytes) -> list[str]:
    """The names of a CSV file's columns, as they are written.

    Raises:
        PayloadError: there are none.
    """
    return next(_cells(name, body), (0, [""]))[1]


def rows_as_written(format: str, columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Some rows of a file as a file of their own, with the same names of columns."""
    if format == "jsonl":
        return b"".join(bytes(row.raw) + b"\n" for row in rows if isinstance(row.raw, bytes))
    cells = (row.raw for row in rows if not isinstance(row.raw, bytes))
    return export_csv(columns, cells, plain=True)


def _refused(name: str, place: str, message: str) -> PayloadError:
    return PayloadError("cannot be read", [Problem(place, message)], source=name)


def _cells(name: str, body: bytes) -> Iterator[tuple[int, list[str]]]:
    """The cells of every record with the line where it begins, names of columns first."""
    # A view of the body: neither a copy of it, nor its text as a whole.
    text = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="")
    head = body[: body.find(b"\n") if b"\n" in body else len(body)]
    delimiter = max(",;\t", key=lambda each: head.count(each.encode()))
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _refused(name, f"{name}:{line}", f"is not CSV: {error}") from None
        except UnicodeDecodeError:
            raise _refused(
                name, f"{name}:{_line_of_bad_text(body)}", "is not UTF-8 text; save it as UTF-8"
            ) from None
        if cells is None:
            return
        yield line, cells


def _line_of_bad_text(body: bytes) -> int:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return body.count(b"\n", 0, error.start) + 1
    return 1


def _csv(name: str, body: bytes, plain: bool, start: int) -> Iterator[Row]:
    columns: list[str] = []
    for line, cells in _cells(name, body):
        if not columns:
            columns = _columns(name, cells)
            continue
        if line < start or not any(cells):
            continue
        trimmed = (cell.strip() for cell in cells)
        values = (Cell(cell if plain else unguard(cell)) for cell in trimmed)
        fault = (
            f"has {len(cells)} cells where {len(columns)} columns are named"
            if len(cells) != len(columns)
            else ""
        )
        named: dict[str, Cell | None] = dict.fromkeys(columns[len(cells) :])
        named.update(zip(columns, values, strict=False))
        yield Row(line, named, cells, fault)
    if not columns:
        raise _refused(name, f"{name}:1", "the first line must name the columns")


def _columns(name: str, cells: list[str]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    if not any(columns):
        raise _refused(name, f"{name}:1", "the first line must name the columns")
    if not all(columns):
        raise _refused(name, f"{name}:1", "the first line must name every column")
    if len(set(columns)) != len(columns):
        raise _refused(name, f"{name}:1", "a column is named twice")
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


def _json_lines(body: bytes, start: int) -> Iterator[Row]:
    lines = io.BytesIO(body.removeprefix(b"\xef\xbb\xbf"))
    for line, written in enumerate(lines, 1):
        raw = written.rstrip(b"\r\n")
        if line < start or not raw.strip():
            continue
        try:
            value = read_json(raw, limit=MOST_LINE)
        except PayloadError as error:
            found = [(each.path, each.message) for each in error.problems]
            yield Row(line, {}, raw, Faults(found))
            continue
        if isinstance(value, dict):
            yield Row(line, value, raw)
        else:
            yield Row(line, {}, raw, "must be an object")
