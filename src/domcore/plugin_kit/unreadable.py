"""Records that cannot be read, told so that a person can find them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domcore.errors import PayloadError
from domcore.model import Unreadable

LONGEST: Final = 100
"""Letters of an id or a number that are believed."""


def order_named(record: Any, *, id: str = "id", number: str = "number") -> tuple[str, str]:
    """The id and the number of an order in a record that is no good otherwise; empty where even
    they cannot be read. For `PayloadError.about` and `unreadable`.

    Args:
        id, number: the fields they stand in.
    """
    if not isinstance(record, Mapping):
        return "", ""
    return _word(record.get(id)), _word(record.get(number))


def unreadable(
    record: Any, error: PayloadError, *, id: str = "id", number: str = "number", revision: int = 0
) -> Unreadable:
    """What a channel answers for a record that it cannot read, beside its other commands.

    Args:
        error: what is wrong with it.
        id, number: the fields in which the order's id stands, and what people call it.
        revision: when it changed, as its revisions go, where that can be read.
    """
    return Unreadable(error.reason, *order_named(record, id=id, number=number), max(revision, 0))


def _word(value: object) -> str:
    """An id or a number, as text; nothing where it is neither."""
    if type(value) is int and abs(value) < 10**30:
        return str(value)
    if isinstance(value, str) and len(value) <= LONGEST and value.isprintable():
        return value.strip()
    return ""
