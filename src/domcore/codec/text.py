"""Text that can be stored: one definition, for every door that text comes in by.

A NUL ends a text for SQLite's functions, and PostgreSQL takes none; half of a surrogate pair is no
character, and cannot be written as UTF-8. All other text is kept as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import fields, has

from domcore.errors import Problem

NUL: Final = "has a NUL character in it"
HALF: Final = "has half of a surrogate pair in it"

_NUL_IN_JSON: Final = b"\\u0000"


def fault_of(text: str) -> str:
    """Why a text cannot be stored; empty where it can."""
    if "\0" in text:
        return NUL
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        return HALF
    return ""


def is_text(value: object, most: int | None = None) -> bool:
    """Whether it is text that can be stored, of at most so many characters."""
    return (
        type(value) is str
        and (most is None or len(value) <= most)
        and "\0" not in value
        and (value.isascii() or not fault_of(value))
    )


def may_hold_nul(written: bytes) -> bool:
    """Whether JSON may have a NUL in one of its texts: quick, and never wrong where it says no."""
    return _NUL_IN_JSON in written


def text_problems(value: Any, path: str = "$") -> Iterator[Problem]:
    """Every text that cannot be stored in what is made of our nouns, with its path. Names in
    mappings are no paths: they may be personal data."""
    if type(value) is str:
        fault = fault_of(value)
        if fault:
            yield Problem(path, fault)
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from text_problems(part, f"{path}[{number}]")
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from text_problems(name, f"{path}.*")
            yield from text_problems(part, f"{path}.*")
    elif has(type(value)):
        for each in fields(type(value)):
            yield from text_problems(getattr(value, each.name), f"{path}.{each.name}")
