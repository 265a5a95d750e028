"""TOML with line numbers: where in the file a key stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from domcore.codec.toml import TomlError, load_toml
from domcore.errors import ConfigurationError

_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_WORD = re.compile(_PART)

MOST_BYTES: Final = 64 * 1024 * 1024
NO_TEXT: Final = "it holds NUL bytes, as programs' own files and UTF-16 do; save it as UTF-8"
"""What is said of a file that is no text at all."""

Path_ = tuple[str | int, ...]


@frozen
class TomlFile:
    """A parsed file; `line` finds keys in it."""

    name: str
    data: dict[str, Any]
    lines: dict[Path_, int]

    def line(self, *path: str | int) -> int:
        """The line of `path`, or of the nearest thing around it that has one."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1


def read_toml(path: Path) -> TomlFile:
    """Parse a file.

    Raises:
        ConfigurationError: it cannot be read, or is not TOML; with its line.
    """
    return parse_toml(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file that is read whole.

    Raises:
        ConfigurationError: missing, a folder, unreadable, too large, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError("there is no such file", source=str(path)) from None
    except IsADirectoryError:
        raise ConfigurationError("is a folder; name a file in it", source=str(path)) from None
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", source=str(path)) from None
    if len(body) > MOST_BYTES:
        raise ConfigurationError(
            "is larger than 64 MB; use CSV or JSON Lines for so much data", source=str(path)
        )
    if b"\0" in body:
        raise ConfigurationError(f"is not UTF-8 text: {NO_TEXT}", source=str(path))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            "is not UTF-8 text; save it as UTF-8", source=str(path), place=f"line {line}"
        ) from None


def parse_toml(text: str, name: str) -> TomlFile:
    """Parse text; `name` is what messages call it."""
    try:
        data = load_toml(text)
    except TomlError as error:
        place = f"line {error.line}" if error.line else ""
        raise ConfigurationError(str(error), source=name, place=place) from None
    return TomlFile(name, data, _places(text))


def _places(text: str) -> dict[Path_, int]:
    lines: dict[Path_, int] = {}
    counts: dict[Path_, int] = {}
    table: Path_ = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = _table(_parts(header[2]), header[1] == "[[", counts)
            lines.setdefault(table, number)
            continue
        assignment = _ASSIGNMENT.match(line)
        if assignment:
            lines.setdefault((*table, *_parts(assignment[1])), number)
    return lines


def _table(parts: list[str], repeated: bool, counts: dict[Path_, int]) -> Path_:
    """The path of a header, with the index of every repeated table on the way."""
    path: Path_ = ()
    for depth, part in enumerate(parts):
        path = (*path, part)
        if repeated and depth == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _WORD.findall(dotted)]
