"""Shapes of what people write in files: fields by name, every fault at once.

A `Shape` reads one table (TOML), object (JSON) or row (CSV) into values by field name. TOML and
JSON are typed, and read strictly: ``"3"`` is not 3. A CSV value is a `Cell`, and each field says
how its text is read; an empty one is an absent one. Messages never repeat a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from unicodedata import normalize

from attrs import frozen

Read = Callable[[object], Any]
"""Turns what is written into a field's value, or raises ValueError saying what it must be."""

_ABSENT: Final = object()

MOST_NAMED: Final = 50
"""Unknown fields that an error names one by one."""


class Cell(str):
    """A value of a file that knows only text."""

    __slots__ = ()


class Faults(ValueError):  # noqa: N818 - one fault is a ValueError, several are these
    """What is wrong inside one table: ``(path within it, message)`` each."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in faults))
        self.faults = tuple(faults)


@frozen(slots=True)
class Field:
    """One named field: how it is read, and what it is when it is not there."""

    name: str
    read: Read
    summary: str
    default: Any = None
    needed: bool = False


@frozen(slots=True)
class Shape:
    """The fields a table may have."""

    fields: tuple[Field, ...]

    def __call__(self, value: object) -> dict[str, Any]:
        """The values of all fields by name.

        Raises:
            Faults: all unknown, missing and bad fields.
        """
        if not isinstance(value, Mapping):
            raise ValueError("must be a table of named fields")
        faults = self._unknown(value)
        read = {field.name: _field(field, value, faults) for field in self.fields}
        if faults:
            raise Faults(faults)
        return read

    def check_names(self, names: Sequence[str]) -> None:
        """Look at the names alone, such as those of columns, before any value.

        Raises:
            Faults: all unknown and missing fields.
        """
        faults = self._unknown(names)
        faults += [
            (each.name, "is missing")
            for each in self.fields
            if each.needed and each.name not in names
        ]
        if faults:
            raise Faults(faults)

    def _unknown(self, names: Iterable[object]) -> list[tuple[str, str]]:
        known = [field.name for field in self.fields]
        unknown = [name for name in names if name not in known]
        faults = [
            (_shown(name), f"is not a known field{suggestion(name, known)}")
            for name in unknown[:MOST_NAMED]
        ]
        if len(unknown) > MOST_NAMED:
            rest = len(unknown) - MOST_NAMED
            faults.append((_shown(unknown[MOST_NAMED]), f"and {rest:,} more are not known fields"))
        return faults


def _field(field: Field, value: Mapping[str, object], faults: list[tuple[str, str]]) -> Any:
    raw = value.get(field.name, _ABSENT)
    if raw is _ABSENT or _empty(raw):
        if field.needed:
            faults.append((field.name, "is missing"))
        return field.default
    try:
        return field.read(raw)
    except Faults as nested:
        faults.extend((_joined(field.name, path), message) for path, message in nested.faults)
    except ValueError as error:
        faults.append((field.name, str(error)))
    return field.default


def _empty(value: object) -> bool:
    return isinstance(value, Cell) and not value


def suggestion(word: object, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"``, the known words where they are few, or nothing."""
    words = sorted(known)
    lowered = {each.lower(): each for each in reversed(words)}
    close = difflib.get_close_matches(str(word)[:100].lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {lowered[close[0]]!r}?"
    return f"; known are {', '.join(words)}" if 0 < len(words) <= 12 else ""


def many(read: Read) -> Read:
    """An array, each element read by `read`."""

    def array(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("must be an array")
        return tuple(_elements(enumerate(value), read, "[{}]").values())

    return array


def table_of(read: Read) -> Read:
    """A table with names of the writer's choice, each value read by `read`."""

    def table(value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError("must be a table of named fields")
        given = {name: each for name, each in value.items() if not _empty(each)}
        return _elements(((_composed(name), each) for name, each in given.items()), read, "{}")

    return table


def _composed(name: object) -> str:
    """A name of the writer's choice, equal however its accents are spelled."""
    return normalize("NFC", str(name))


def _elements(pairs: Iterable[tuple[Any, object]], read: Read, form: str) -> dict[Any, Any]:
    faults: list[tuple[str, str]] = []
    values: dict[Any, Any] = {}
    for key, value in pairs:
        path = form.format(_shown(key))
        try:
            if isinstance(key, str) and not key.isprintable():
                raise ValueError("its name has control or unprintable characters")
            values[key] = read(value)
        except Faults as nested:
            faults.extend((_joined(path, inner), message) for inner, message in nested.faults)
        except ValueError as error:
            faults.append((path, str(error)))
    if faults:
        raise Faults(faults)
    return values


def _joined(outer: str, inner: str) -> str:
    return f"{outer}{inner}" if inner.startswith("[") else f"{outer}.{inner}"


def _shown(name: object) -> str:
    return "".join(each if each.isprintable() else "?" for each in str(name)[:60])
