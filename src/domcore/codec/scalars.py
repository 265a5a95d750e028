"""The strict hooks for single values: numbers, text, money, times."""

from __future__ import annotations

import re
import types
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from attrs import frozen
from cattrs import Converter

from domcore.codec.text import fault_of
from domcore.model import micros

MOST_CHARACTERS: Final = 10_000
MOST_UNITS: Final = 1_000_000_000

_INT64: Final = 2**63
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)\Z", re.ASCII
)
_DECIMAL = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})\Z", re.ASCII)
_MOST_DIGITS: Final = 18

Hook = Callable[[Any, Any], Any]


class Refused(ValueError):  # noqa: N818 - reads as the outcome it names
    """A value is not acceptable. The message is shown to people and must not repeat the value.

    Validators of a class raise it to have their own words in the error.
    """


@frozen(slots=True)
class Between:
    """For ``Annotated[int, Between(0, 9)]``: both ends are accepted."""

    least: int
    most: int


@frozen(slots=True)
class Line:
    """For ``Annotated[str, Line(40)]``: one line of text, without control characters."""

    most: int
    least: int = 0


@frozen(slots=True)
class AsMicros:
    """For ``Annotated[int, AsMicros()]``: money as decimal text, read as micros."""

    least: int | None = None


Money = Annotated[int, AsMicros()]
"""An amount; micros from decimal text."""

Price = Annotated[int, AsMicros(least=0)]
"""An amount that is not negative."""

Count = Annotated[int, Between(0, MOST_UNITS)]
"""A number of units."""

Word = Annotated[str, Line(255, least=1)]
"""A name or code: one line, not empty."""


def strict_int(value: object, _: object = None) -> int:
    """A 64-bit int, as it is."""
    if type(value) is not int:
        raise Refused(f"must be a whole number, not {kind_of(value)}")
    if not -_INT64 <= value < _INT64:
        raise Refused("is beyond 64 bits")
    return value


def strict_bool(value: object, _: object = None) -> bool:
    """True or false, as it is."""
    if type(value) is not bool:
        raise Refused(f"must be true or false, not {kind_of(value)}")
    return value


def strict_text(value: object, most: int = MOST_CHARACTERS) -> str:
    """Text in NFC; at most `most` characters."""
    if type(value) is not str:
        raise Refused(f"must be text, not {kind_of(value)}")
    if len(value) > most:
        raise Refused(f"is longer than {most} characters")
    fault = fault_of(value)
    if fault:
        raise Refused(fault)
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def strict_line(value: object, line: Line) -> str:
    """One line of text within the limits of `line`."""
    text = strict_text(value, line.most)
    if len(text) < line.least:
        raise Refused("must not be empty" if line.least == 1 else f"is shorter than {line.least}")
    if not text.isprintable() and any(unicodedata.category(each) == "Cc" for each in text):
        raise Refused("has a control character in it")
    return text


def strict_moment(value: object, _: object = None) -> datetime:
    """An aware time in UTC, from ISO 8601 text or an aware datetime (as TOML gives it)."""
    if type(value) is str:
        if not _MOMENT.match(value):
            raise Refused("must be a time with an offset, such as 2026-03-01T12:00:00Z")
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Refused("is not a time that exists") from None
    if type(value) is not datetime:
        raise Refused(f"must be a time as text, not {kind_of(value)}")
    if value.utcoffset() is None:
        raise Refused("must have an offset from UTC")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Refused("is beyond the years that exist") from None


def strict_decimal(value: object, _: object = None) -> Decimal:
    """A finite `Decimal` of moderate size, from text or from a `Decimal`."""
    if type(value) is str and _DECIMAL.match(value):
        return Decimal(value)
    if type(value) is Decimal:
        exponent = value.as_tuple().exponent
        if (
            isinstance(exponent, int)
            and -_MOST_DIGITS <= exponent <= _MOST_DIGITS
            and value.adjusted() < _MOST_DIGITS
        ):
            return value
    raise Refused("must be a plain decimal number in text, such as '1.50'")


def strict_money(value: object, least: int | None = None) -> int:
    """Micros from decimal text."""
    if type(value) is not str:
        raise Refused(f"must be an amount in text, such as '1.50', not {kind_of(value)}")
    try:
        amount = micros(value)
    except ValueError as error:
        raise Refused(str(error)) from None
    if least is not None and amount < least:
        raise Refused("must not be negative" if least == 0 else "is too small an amount")
    return amount


def kind_of(value: object) -> str:
    """What a value is, in the words of JSON."""
    if value is None:
        return "null"
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a fraction",
        Decimal: "a fraction",
        str: "text",
        dict: "an object",
        list: "a list",
        tuple: "a list",
    }
    return names.get(type(value), "something else")


def register(converter: Converter, most_characters: int) -> None:
    """Put the hooks for single values into `converter`."""
    converter.register_structure_hook(int, strict_int)
    converter.register_structure_hook(bool, strict_bool)
    converter.register_structure_hook(str, _text_hook(most_characters))
    converter.register_structure_hook(Decimal, strict_decimal)
    converter.register_structure_hook(datetime, strict_moment)
    converter.register_structure_hook(type(None), _null)
    for unused in (float, complex, bytes, bytearray):
        converter.register_structure_hook(unused, _nothing)
    converter.register_structure_hook_factory(_is_enum, _enum_hook)
    converter.register_structure_hook_factory(_is_literal, _literal_hook)
    converter.register_structure_hook_factory(_is_scalar_union, _scalar_union_hook)
    converter.register_structure_hook_factory(_is_narrowed, _narrowed_hook)


def _null(value: object, _: object) -> None:
    if value is not None:
        raise Refused("must be null")


def _nothing(value: object, _: object) -> Any:
    raise Refused(f"{kind_of(value)} cannot stand here")


def _one_of(allowed: dict[tuple[type, object], object]) -> Hook:
    shown = ", ".join(repr(value) for _, value in list(allowed)[:12])

    def hook(value: object, _: object) -> object:
        key = (type(value), value)
        if not isinstance(value, str | int | None) or key not in allowed:
            raise Refused(f"must be one of {shown}")
        return allowed[key]

    return hook


def _is_enum(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Enum)


def _enum_hook(cls: type[Enum]) -> Hook:
    return _one_of({(type(member.value), member.value): member for member in cls})


def _is_literal(cls: Any) -> bool:
    return get_origin(cls) is Literal


def _literal_hook(cls: Any) -> Hook:
    return _one_of({(type(value), value): value for value in get_args(cls)})


def _is_scalar_union(cls: Any) -> bool:
    if get_origin(cls) not in (Union, types.UnionType):
        return False
    members = set(get_args(cls)) - {type(None)}
    return len(members) > 1 and members <= {str, int, bool}


def _scalar_union_hook(cls: Any, converter: Converter) -> Hook:
    hooks = {member: converter.get_structure_hook(member) for member in get_args(cls)}

    def hook(value: object, _: object) -> object:
        member = type(value)
        if member not in hooks:
            raise Refused(f"{kind_of(value)} cannot stand here")
        return hooks[member](value, member)

    return hook


def _narrowed(cls: Any) -> Between | Line | AsMicros | None:
    if get_origin(cls) is Annotated:
        for marker in cls.__metadata__:
            if isinstance(marker, Between | Line | AsMicros):
                return marker
    return None


def _is_narrowed(cls: Any) -> bool:
    return _narrowed(cls) is not None


def _narrowed_hook(cls: Any) -> Hook:
    marker = _narrowed(cls)
    if isinstance(marker, Line):
        return _line_hook(marker)
    if isinstance(marker, AsMicros):
        return lambda value, _: strict_money(value, marker.least)
    if isinstance(marker, Between):
        return _between_hook(marker)
    raise TypeError(cls)


def _text_hook(most: int) -> Hook:
    """`strict_text`; what is most common is seen to be right at once, here and in the next two."""

    def hook(value: object, _: object) -> str:
        if type(value) is str and len(value) <= most and value.isascii() and "\0" not in value:
            return value
        return strict_text(value, most)

    return hook


def _line_hook(line: Line) -> Hook:
    least, most = line.least, line.most

    def hook(value: object, _: object) -> str:
        if (
            type(value) is str
            and least <= len(value) <= most
            and value.isascii()
            and value.isprintable()
        ):
            return value
        return strict_line(value, line)

    return hook


def _between_hook(limits: Between) -> Hook:
    # What is beyond 64 bits has words of its own, whatever the limits are.
    least, most = max(limits.least, -_INT64), min(limits.most, _INT64 - 1)

    def hook(value: object, _: object) -> int:
        if type(value) is int and least <= value <= most:
            return value
        return _between(value, limits)

    return hook


def _between(value: object, limits: Between) -> int:
    number = strict_int(value)
    if not limits.least <= number <= limits.most:
        raise Refused(f"must be from {limits.least} to {limits.most}")
    return number
