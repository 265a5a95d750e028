"""Files as a stream of records with their places: CSV, JSON Lines, JSON, TOML.

CSV and JSON Lines are read line by line, however long they are; JSON and TOML documents are read
whole and hold arrays of records by type: ``[[node]]``, ``{"item": [...]}``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from attrs import frozen

from domcore.codec.intake import read_json
from domcore.errors import ConfigurationError, PayloadError
from domcore.loading.problems import Problems
from domcore.loading.shape import Cell, Faults, Shape, suggestion
from domcore.loading.toml_places import MOST_BYTES, NO_TEXT, parse_toml, read_text

FORMATS: Final = ("csv", "jsonl", "json", "toml")
MOST_LINE: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024
SUFFIXES: Final = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".json": "json", ".toml": "toml",
}  # fmt: skip


class Record(NamedTuple):
    """One record: where it stands (``items.csv:12``), its type, its fields.

    `raw` is how it is written there, of CSV and JSON Lines; `fault` why it cannot be read as one.
    """

    place: str
    type: str
    values: object
    raw: str = ""
    fault: ValueError | str = ""


@frozen(slots=True)
class Source:
    """A file to load; `name` is what messages call it, and bad rows are written beside `home`,
    which is its path where it has no other."""

    name: str
    path: Path
    format: str
    home: Path | None = None

    @classmethod
    def of(cls, path: Path, format: str = "") -> Source:
        """A file by its path; the format follows from the suffix unless it is given.

        Raises:
            ConfigurationError: the suffix says nothing.
        """
        found = format or SUFFIXES.get(path.suffix.lower(), "")
        if not found:
            raise ConfigurationError(
                "cannot tell its format from its name; "
                "use .csv, .jsonl, .json or .toml, or give --format",
                source=str(path),
            )
        return cls(str(path), path, found)


Types = Mapping[str, Shape]
"""The record types a file may hold; the first is that of a record which does not say."""


def records(source: Source, types: Types, problems: Problems) -> Iterator[Record]:
    """All records of a file; what cannot be read as one is a problem.

    The names of CSV columns are checked once, in the first line; where one is wrong, nothing more
    is read.

    Raises:
        ConfigurationError: the file cannot be read at all.
        PayloadError: too many problems.
    """
    for record in records_as_written(source, types, problems):
        if record.fault:
            problems.row(record.place, record.fault)
        else:
            yield record


def records_as_written(source: Source, types: Types, problems: Problems) -> Iterator[Record]:
    """All records of a file, with those that cannot be read as one; see `records`."""
    reader = {"csv": _csv, "jsonl": _json_lines, "json": _json, "toml": _toml}[source.format]
    return reader(source, types, problems)


def sound(record: Record) -> object:
    """The record's fields.

    Raises:
        ValueError: it cannot be read as one.
    """
    if isinstance(record.fault, ValueError):
        raise record.fault
    if record.fault:
        raise ValueError(record.fault)
    return record.values


def heading(source: Source) -> str:
    """The line of a CSV file that names its columns, as it is written."""
    return next(_lines(source), "")


def _parsed(body: bytes) -> Any:
    """One JSON document.

    Raises:
        ValueError: it cannot be read, in words.
    """
    try:
        return read_json(body, limit=MOST_BYTES)
    except PayloadError as error:
        raise Faults([(each.path, each.message) for each in error.problems]) from None


def _lines(source: Source) -> Iterator[str]:
    """The lines of a file, decoded one by one, with their ends."""
    try:
        file = source.path.open("rb")
    except FileNotFoundError:
        raise ConfigurationError("there is no such file", source=source.name) from None
    except IsADirectoryError:
        raise ConfigurationError("is a folder; name a file in it", source=source.name) from None
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", source=source.name) from None
    with file:
        for number, raw in enumerate(raw_lines(file), start=1):
            if number == 1 and b"\0" in raw:
                raise ConfigurationError(f"is not UTF-8 text: {NO_TEXT}", source=source.name)
            if len(raw) > MOST_LINE:
                raise ConfigurationError(
                    "the line is longer than 1 MB", source=source.name, place=f"line {number}"
                )
            try:
                yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise ConfigurationError(
                    "is not UTF-8 text; save it as UTF-8",
                    source=source.name,
                    place=f"line {number}",
                ) from None


def raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file with their ends, which some spreadsheets write as CR alone; of one that
    is longer than `MOST_LINE`, the beginning, and then nothing."""
    left = b""
    while chunk := file.read(_CHUNK):
        lines = (left + chunk).splitlines(keepends=True)
        # The last one may go on; and a CR at the very end may have its LF still to come.
        left = lines.pop()
        yield from lines
        if len(left) > MOST_LINE:
            break
    if left:
        yield left


def _csv(source: Source, types: Types, problems: Problems) -> Iterator[Record]:
    lines = _lines(source)
    head = next(lines, "")
    delimiter = max(",;\t", key=head.count)
    try:
        names = next(csv.reader([head], delimiter=delimiter), [])
    except csv.Error as error:
        problems.add(f"{source.name}:1", f"is not CSV: {error}")
        return
    paths = [name.strip().split(".") for name in names]
    if not any(names):
        problems.add(f"{source.name}:1", "the first line must name the columns")
        return
    if len({name.strip() for name in names}) != len(names):
        problems.add(f"{source.name}:1", "a column is named twice")
        return
    first = next(iter(types))
    try:
        types[first].check_names(list(dict.fromkeys(path[0] for path in paths)))
    except Faults as faults:
        problems.add(f"{source.name}:1", faults)
        return
    written: list[str] = []
    reader = csv.reader(_kept(lines, written), delimiter=delimiter, strict=True)
    while True:
        written.clear()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problems.add(f"{source.name}:{reader.line_num + 1}", f"is not CSV: {error}")
            return
        place = f"{source.name}:{reader.line_num + 1}"
        if cells is None:
            return
        if not any(cells):
            continue
        raw = "".join(written)
        if len(cells) != len(paths):
            fault = f"has {len(cells)} cells where {len(paths)} columns are named"
            yield Record(place, first, {}, raw, fault)
        else:
            yield Record(place, first, _nested(paths, cells), raw)


def _kept(lines: Iterator[str], into: list[str]) -> Iterator[str]:
    for line in lines:
        into.append(line)
        yield line


def _nested(paths: list[list[str]], cells: list[str]) -> dict[str, Any]:
    """Cells by column; a column ``a.b`` is field ``b`` of ``a``."""
    values: dict[str, Any] = {}
    for path, cell in zip(paths, cells, strict=True):
        if len(path) == 1:
            values[path[0]] = Cell(cell.strip())
            continue
        inner = values.setdefault(path[0], {})
        if isinstance(inner, dict):
            inner[".".join(path[1:])] = Cell(cell.strip())
    return values


def _json_lines(source: Source, types: Types, _problems: Problems) -> Iterator[Record]:
    for number, line in enumerate(_lines(source), start=1):
        if not line.strip():
            continue
        place = f"{source.name}:{number}"
        try:
            values = _parsed(line.encode())
            kind = _type_of(values, types)
        except ValueError as error:
            yield Record(place, "", {}, line, error)
            continue
        yield Record(place, kind, values, line)


def _type_of(values: Any, types: Types) -> str:
    """The record's type, taken out of its fields."""
    if not isinstance(values, dict):
        raise ValueError("must be an object")
    kind = values.pop("type", next(iter(types)))
    if kind not in types:
        raise ValueError(f"type must be one of {', '.join(types)}")
    return str(kind)


def _json(source: Source, types: Types, problems: Problems) -> Iterator[Record]:
    try:
        document = _parsed(read_text(source.path).encode())
    except ValueError as error:
        problems.add(source.name, error)
        return
    if isinstance(document, list):
        document = {next(iter(types)): document}
    if not isinstance(document, dict):
        problems.add(source.name, "must be an object or an array of objects")
        return
    for kind, values in _arrays(document, types, source.name, problems):
        for index, value in enumerate(values):
            yield Record(f"{source.name}: {kind}[{index}]", kind, value)


def _toml(source: Source, types: Types, problems: Problems) -> Iterator[Record]:
    file = parse_toml(read_text(source.path), source.name)
    for kind, values in _arrays(file.data, types, source.name, problems):
        before = 0
        for index, value in enumerate(values):
            line = file.line(kind, index)
            # Of an array on one line, only the index tells which it is.
            which = f" {kind}[{index}]" if line == before else ""
            before = line
            yield Record(f"{source.name}:{line}{which}", kind, value)


def _arrays(
    document: Mapping[str, Any], types: Types, name: str, problems: Problems
) -> Iterator[tuple[str, list[Any]]]:
    for kind, values in document.items():
        if kind not in types:
            problems.add(name, f"{kind[:60]!r} is not known here{suggestion(kind, types)}")
        elif not isinstance(values, list):
            problems.add(name, f"{kind!r} must be an array: write [[{kind}]]")
        else:
            yield kind, values
