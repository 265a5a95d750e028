"""TOML text to plain values, for every file of it that people write."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final

_INT64: Final = 2**63
_LINE: Final = re.compile(r"line (\d+)")
_ENDLESS: Final = re.compile(r"[0-9][0-9_]{300,}")
"""Digits that no reader of numbers should be asked to turn into one."""

_BEYOND: Final = "a whole number beyond 64 bits"


class TomlError(ValueError):
    """The text cannot be read; `line` is where, or 0 where nobody can tell."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def load_toml(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """The values of a document.

    Raises:
        TomlError: it is not TOML, nested too deeply, or holds a number beyond 64 bits, which TOML
            does not have.
    """
    try:
        values = tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found else max(1, len(text.splitlines()))
        raise TomlError(f"is not TOML: {str(error).split(' (at ')[0]}", line) from None
    except RecursionError:
        raise TomlError("is nested too deeply") from None
    except ValueError:
        # Python refuses to read thousands of digits, and tomllib does not say where they stand.
        endless = _ENDLESS.search(text)
        line = text.count("\n", 0, endless.start()) + 1 if endless else 0
        raise TomlError(f"holds {_BEYOND}", line) from None
    path = _beyond_64_bits(values)
    if path:
        raise TomlError(f"{path} holds {_BEYOND}", _line_of(path, text))
    return values


def _beyond_64_bits(values: Any, path: str = "") -> str:
    """Where a number is too large to be written in TOML: its key; nothing where none is."""
    waiting: list[tuple[str, Any]] = [(path, values)]
    while waiting:
        path, value = waiting.pop()
        if type(value) is int and not -_INT64 <= value < _INT64:
            return path
        if isinstance(value, Mapping):
            waiting += [(str(key)[:60], each) for key, each in value.items()]
        elif isinstance(value, list):
            waiting += [(path, each) for each in value]
    return ""


def _line_of(key: str, text: str) -> int:
    """The line where a number of many digits stands behind this key; 0 where none is found."""
    found = re.search(rf"{re.escape(key)}[\"']?\s*=[^\n]*[0-9A-Fa-f_]{{15,}}", text)
    return text.count("\n", 0, found.start()) + 1 if found else 0
