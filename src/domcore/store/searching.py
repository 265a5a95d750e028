"""Searching orders by words: what is looked at, and how letters are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
SEARCHED: Final = ("name", "company", "email", "phone", "street", "city", "postal")
"""Fields of a person that words are looked for in."""


def folded(text: str) -> str:
    """The text with A to Z as a to z: what SQLite's ``lower`` does, so that both stores agree."""
    return text.translate(_LOWER)


def said_of(body: bytes) -> Iterator[str]:
    """What is searched of a person's stored body."""
    person: dict[str, Any] = msgspec.json.decode(body)
    for name in SEARCHED:
        value = person.get(name)
        yield from value if isinstance(value, list) else [value] if isinstance(value, str) else []


def is_said(word: str, texts: Iterable[str]) -> bool:
    """Whether a folded word is part of one of the texts."""
    return any(word in folded(text) for text in texts)
