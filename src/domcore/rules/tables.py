"""Reading plain trees strictly: files to trees, and tables key by key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfoNotFoundError

from domcore.codec.toml import TomlError, load_toml
from domcore.errors import ConfigurationError
from domcore.rules.builtin_facts import LONGEST_TEXT
from domcore.rules.checker import instant
from domcore.rules.problems import Problems, shown, suggestion

LARGEST_FILE: Final = 16 * 1024 * 1024
MOST_TABLES: Final = 30_000
"""Tables of one TOML file: counted first, because reading a million of them takes minutes."""

_MOST_DIGITS: Final = 20
DEEPEST_TREE: Final = 100
MOST_DOTS: Final = 200
"""Dots in one line of TOML: a key of thousands of parts takes quadratic time to read."""


class FloatText(str):
    """A number with a point, kept as it was written so that it can be refused with its text."""

    __slots__ = ()


def read_tree(file: Path) -> Any:
    """The plain tree in a TOML or JSON file; numbers with a point come as their text.

    Raises:
        ConfigurationError: it cannot be read.
    """
    source = str(file)
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise ConfigurationError(
                f"the file has {size:,} bytes; at most {LARGEST_FILE:,} are read", source=source
            )
        text = file.read_bytes().decode("utf-8-sig")
        if file.suffix == ".json":
            return json.loads(
                text,
                parse_int=_whole,
                parse_float=FloatText,
                parse_constant=FloatText,
                object_pairs_hook=_unique,
            )
        _check_toml_size(text, source)
        return load_toml(text, FloatText)
    except TomlError as error:
        place = f"line {error.line}" if error.line else ""
        raise ConfigurationError(f"cannot be read: {error}", source=source, place=place) from None
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", source=source) from None
    except UnicodeDecodeError:
        raise ConfigurationError("is not UTF-8 text", source=source) from None
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigurationError(f"cannot be read: {why}", source=source) from None


def _whole(digits: str) -> int:
    """A whole number of JSON.

    Raises:
        ValueError: it is beyond 64 bits.
    """
    if len(digits) > _MOST_DIGITS or not -(2**63) <= int(digits) < 2**63:
        raise ValueError("it holds a whole number beyond 64 bits")
    return int(digits)


def _check_toml_size(text: str, source: str) -> None:
    tables = text.count("[[")
    if tables > MOST_TABLES:
        message = f"{tables:,} tables; a file has at most {MOST_TABLES:,}"
        raise ConfigurationError(message, source=source)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.count(".") > MOST_DOTS:
            message = f"more than {MOST_DOTS} dots in one line; break it"
            raise ConfigurationError(message, source=source, place=f"line {number}")


def check_plain(tree: Any, source: str) -> None:
    """Refuse a tree that no file could hold: keys that are not text, or endless nesting.

    Raises:
        ConfigurationError: saying so.
    """
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > DEEPEST_TREE:
            raise ConfigurationError(f"nested more than {DEEPEST_TREE} deep", source=source)
        deeper: list[Any] = []
        for part in level:
            if isinstance(part, Mapping):
                if not all(isinstance(key, str) for key in part):
                    raise ConfigurationError("keys are text", source=source)
                deeper += part.values()
            elif isinstance(part, list | tuple):
                deeper += part
        level = deeper


class Table:
    """One table, read key by key; what does not fit goes to `problems`."""

    def __init__(self, tree: Mapping[str, Any], problems: Problems, place: str) -> None:
        self.tree = tree
        self.problems = problems
        self.place = place

    def problem(self, key: str, message: str) -> None:
        self.problems.add(message, f"{self.place}, {key}" if self.place else key)

    def known(self, *keys: str) -> None:
        for key in self.tree:
            if key not in keys:
                self.problem(str(key)[:64], f"no such key{suggestion(str(key), keys)}")

    def text(
        self,
        key: str,
        pattern: re.Pattern[str] | None = None,
        *,
        required: bool = False,
        default: str = "",
        longest: int | None = LONGEST_TEXT,
        hint: str = "",
    ) -> str:
        value = self.tree.get(key)
        if value is None:
            if required:
                self.problem(key, "is missing")
            return default
        if type(value) is not str:
            self.problem(key, f"text in quotes is needed, not {shown(value)}")
        elif longest is not None and len(value) > longest:
            self.problem(key, f"has more than {longest:,} characters")
        elif pattern is not None and not pattern.match(value):
            self.problem(key, f"{shown(value)} does not fit: {hint or 'see the reference'}")
        else:
            return value
        return default

    def texts(
        self, key: str, pattern: re.Pattern[str] | None = None, hint: str = "texts"
    ) -> tuple[str, ...]:
        value = self.tree.get(key, [])
        if isinstance(value, list | tuple) and all(
            type(part) is str and (pattern is None or pattern.match(part)) for part in value
        ):
            return tuple(value)
        self.problem(key, f"is a list of {hint}")
        return ()

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.tree.get(key, default)
        if type(value) is bool:
            return value
        self.problem(key, f"true or false is needed, not {shown(value)}")
        return default

    def whole(self, key: str, most: int, least: int = 0) -> int:
        """A whole number; 0 when it is not given."""
        value = self.tree.get(key, 0)
        if type(value) is int and least <= value <= most:
            return value
        self.problem(key, f"a whole number from {least:,} to {most:,} is needed")
        return 0

    def moment(self, key: str, timezone: str) -> str:
        """A date or time as ISO 8601 text; TOML's own dates are accepted."""
        value = self.tree.get(key)
        if value is None:
            return ""
        text = value.isoformat() if isinstance(value, date | datetime) else value
        try:
            text = _canonical(text)
            instant(text, timezone)
        except (ValueError, OverflowError, ZoneInfoNotFoundError, OSError):
            self.problem(key, f"{shown(value)} is not a date or time")
            return ""
        return text


def table_rows(rows: Any, kind: str, problems: Problems, make: Callable[[Table], Any]) -> list[Any]:
    if not isinstance(rows, list | tuple):
        problems.add(f"{kind}s are written [[{kind}]]", kind)
        return []
    made = []
    for number, row in enumerate(rows, start=1):
        if problems.many:
            break
        if not isinstance(row, Mapping):
            problems.add(f"{kind} {number} is not a table", kind)
            continue
        name = row.get("id", row.get("name"))
        place = f"{kind} {name[:64]}" if isinstance(name, str) else f"{kind} number {number}"
        table = Table(row, problems, place)
        made.append(make(table))
    return made


def _canonical(text: Any) -> str:
    """One spelling for each date and time, so that equal packs have equal bytes."""
    if type(text) is not str:
        raise ValueError("not text")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return datetime.fromisoformat(text).isoformat()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shown(twice)} is there twice")
    return tree
