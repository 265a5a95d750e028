"""How single values are read: text, whole numbers, money, degrees, times.

Each is a `domcore.loading.shape.Read`: typed values strictly, CSV cells by their text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from unicodedata import category, normalize
from zoneinfo import ZoneInfo

from domcore.loading.shape import Cell, Read, suggestion
from domcore.model import micros

MOST_UNITS: Final = 1_000_000_000
"""The largest count of anything in a file."""

_WHOLE = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}
_NOT_IN_A_LINE: Final = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Controls, halves of surrogate pairs, ends of lines and paragraphs."""


def text(most: int = 200, *, needed: bool = False) -> Read:
    """One line of text of at most `most` characters, in Unicode's composed form.

    What is needed names something: there, what nobody can see is refused. Other text may hold the
    blanks and joiners that scripts have, such as an ideographic space.
    """

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("must be text")
        # A cell becomes plain text first: `normalize` hands back the very object where it can.
        written = str(value) if value.isascii() else normalize("NFC", str(value))
        if len(written) > most:
            raise ValueError(f"is longer than {most} characters")
        if not written.isprintable() and (needed or not _is_line(written)):
            raise ValueError("has control or unprintable characters")
        if needed and (not written or written != written.strip()):
            raise ValueError("must not be empty, nor begin or end with a space")
        return written

    return read


def _is_line(written: str) -> bool:
    return all(category(each) not in _NOT_IN_A_LINE for each in written)


def code(most: int = 100) -> Read:
    """A code that names something: text, not empty, no space around it."""
    return text(most, needed=True)


def pattern(form: str, words: str) -> Read:
    """Text that matches `form` wholly; `words` say what it must be."""
    compiled = re.compile(form, re.ASCII)

    def read(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"must be {words}")
        return str(value)

    return read


def choice(options: Sequence[str]) -> Read:
    """One of `options`."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in options:
            raise ValueError(f"must be one of {', '.join(options)}{_close(value, options)}")
        return str(value)

    return read


def _close(value: object, options: Sequence[str]) -> str:
    hint = suggestion(value, options) if isinstance(value, str) else ""
    return hint if "did you mean" in hint else ""


def whole(low: int = 0, high: int = MOST_UNITS) -> Read:
    """A whole number within bounds."""

    def read(value: object) -> int:
        if isinstance(value, Cell) and _WHOLE.match(value):
            value = int(value)
        if type(value) is not int:
            raise ValueError("must be a whole number")
        if not low <= value <= high:
            raise ValueError(f"must be from {low:,} to {high:,}")
        return value

    return read


def flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, Cell):
        value = _FLAGS.get(value.lower())
    if type(value) is not bool:
        raise ValueError("must be true or false")
    return value


def amount(value: object) -> int:
    """Money or a rate as decimal text, zero or more; micros."""
    if not isinstance(value, str):
        raise ValueError('must be decimal text in quotes, such as "1.50"')
    read = micros(str(value))
    if read < 0:
        raise ValueError("must not be negative")
    return read


def amount_per_kg(value: object) -> int:
    """A rate per kilogram: decimal text with at most three decimals; micros."""
    read = amount(value)
    if read % 1000:
        raise ValueError("must be a multiple of 0.001")
    return read


def kilograms(value: object) -> int:
    """Decimal text in kilograms; grams."""
    read = amount(value)
    if read % 1000 or read > MOST_UNITS * 1000:
        raise ValueError("must have at most three decimals (whole grams) and at most 1,000,000 kg")
    return read // 1000


def degrees(limit: int) -> Read:
    """Degrees within ``±limit``, as a number or decimal text."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            raise ValueError("must be a number of degrees")
        try:
            angle = float(value)
        except (ValueError, OverflowError):
            raise ValueError("must be a number of degrees, such as 40.7128") from None
        if not math.isfinite(angle) or abs(angle) > limit:
            raise ValueError(f"must be from -{limit} to {limit} degrees")
        return angle

    return read


def words(value: object) -> tuple[str, ...]:
    """An array of words, sorted, each once; in CSV separated by ``|``."""
    if isinstance(value, Cell):
        value = [part.strip() for part in value.split("|") if part.strip()]
    if not isinstance(value, list | tuple):
        raise ValueError("must be an array of words")
    read = code()
    return tuple(sorted({read(each) for each in value}))


def attribute(value: object) -> str | int | bool:
    """A free value: text, a whole number, true or false."""
    if type(value) is bool or (type(value) is int and abs(value) < 2**63):
        return value
    if isinstance(value, str):
        return str(text(1000)(value))
    raise ValueError("must be text, a whole number, true or false")


def day(value: object) -> date:
    """A calendar day: a TOML date, or ISO 8601 text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("must be a day such as 2026-01-05")


def moment(value: object) -> datetime:
    """A time with its offset from UTC; aware UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a time such as 2026-11-02T08:00:00Z") from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be a time with an offset, such as 2026-11-02T08:00:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is not a time in any calendar") from None


def timezone(value: object) -> str:
    """The name of a time zone."""
    name: Any = code()(value)
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError("is not a known time zone, such as America/New_York") from None
    return str(name)
