"""Free attributes as typed facts: text, numbers and flags however the file or channel wrote them.

A CSV cell, a shop's note attribute and an environment variable are text, TOML and JSON have types:
one node or order decides the same in each. What is there and cannot be read as declared leaves the
fact missing, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from domcore.model.item import Attribute
from domcore.model.money import MICROS, MOST, micros
from domcore.rules.builtin_facts import LONGEST_TEXT, bounded
from domcore.rules.checker import instant
from domcore.rules.pack import PackFact

Attributes = tuple[tuple[str, Attribute], ...]

READ_AS: Final[Mapping[str, str]] = {
    "bool": "true, false, yes, no, 1 or 0",
    "int": "a whole number",
    "decimal": "a number such as 12.5",
    "money": "an amount such as 12.50",
    "text": "text",
    "texts": "texts with commas between",
    "time": "a time such as 2026-11-27 18:00",
}
"""How an attribute is written for a fact of each type."""

_FLAGS: Final[Mapping[str, bool]] = {
    "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False,
}  # fmt: skip
_DIGITS: Final = len(str(MOST))


class Unreadable(ValueError):  # noqa: N818 - an outcome; the fact is missing and it is told
    """An attribute that is there and is not of the type that its fact was declared with."""

    def __init__(self, fact: PackFact) -> None:
        super().__init__(
            f"attribute {fact.attribute!r} is not {READ_AS[fact.type]}, so {fact.name} is missing"
        )


def attribute_value(fact: PackFact, attributes: Attributes) -> Any:
    """The value of a free attribute as a fact; None where it is absent or empty.

    Raises:
        Unreadable: it is there and is not of the fact's type.
    """
    for name, value in attributes:
        if name == fact.attribute:
            if isinstance(value, str) and not value.strip():
                return None
            try:
                return _CONVERT[fact.type](value)
            except (ValueError, OverflowError):
                raise Unreadable(fact) from None
    return None


def unreadable(attributes: Attributes, facts: tuple[PackFact, ...]) -> list[str]:
    """What of these attributes is there and cannot be read as these facts, in words."""
    told = []
    for fact in facts:
        try:
            attribute_value(fact, attributes)
        except Unreadable as error:
            told.append(str(error))
    return told


def _flag(value: Attribute) -> bool:
    if isinstance(value, bool):
        return value
    found = _FLAGS.get(str(value).strip().lower())
    if found is None:
        raise ValueError("no flag")
    return found


def _whole(value: Attribute) -> int:
    if isinstance(value, str):
        digits = value.strip()
        unsigned = digits[1:] if digits[:1] in ("+", "-") else digits
        if not (unsigned.isascii() and unsigned.isdigit()):
            amount = micros(digits)  # spreadsheets write 3 as 3.0
            if amount % MICROS:
                raise ValueError("not whole")
            return amount // MICROS
        if len(unsigned.lstrip("0")) > _DIGITS:
            raise ValueError("too large")
        return bounded(int(digits))
    if isinstance(value, bool):
        raise ValueError("a flag")
    return bounded(value)


def _fraction(value: Attribute) -> int:
    if isinstance(value, bool):
        raise ValueError("a flag")
    if isinstance(value, str):
        return micros(value.strip())
    if abs(value) > MOST // MICROS:
        raise ValueError("too large")
    return value * MICROS


def _text(value: Attribute) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:LONGEST_TEXT]


def _texts(value: Attribute) -> tuple[str, ...]:
    return tuple(part.strip() for part in _text(value).split(",") if part.strip())


def _time(value: Attribute) -> int:
    if not isinstance(value, str):
        raise ValueError("not text")
    return instant(value.strip(), "UTC")


_CONVERT: Final[Mapping[str, Callable[[Attribute], Any]]] = {
    "bool": _flag,
    "int": _whole,
    "decimal": _fraction,
    "money": _fraction,
    "text": _text,
    "texts": _texts,
    "time": _time,
}
