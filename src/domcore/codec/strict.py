"""Values from outside to attrs classes, without guessing: `make_converter` and `structure`.

cattrs' own converters turn ``"3"``, ``True`` and ``3.7`` into ints and ``None`` into ``"None"``.
This one takes a value only as the type it already has:

==================  ================================================================
field type          what is accepted
==================  ================================================================
``int``             an int of 64 bits; not a bool, a text or a fraction
``str``             text up to a limit, normalised to NFC; no NUL, no half surrogates
``bool``            true or false
``Money``           decimal text such as ``"1.50"``; becomes micros
``Decimal``         decimal text, or a `Decimal` as `read_json` gives it
``datetime``        ISO 8601 text with an offset; becomes UTC
``Enum, Literal``   one of the values, of the same type
list, tuple, set    a list (a text or an object is not one)
``Mapping``         an object
an attrs class      an object; unknown keys are refused with a suggestion
``A | B | None``    of scalars: by the exact type of the value
``float, bytes``    nothing: neither has a place in the model
==================  ================================================================

Fields narrow this with ``Annotated``: `Between` for ints, `Line` for text; `Money`, `Price`,
`Count` and `Word` are such types ready made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
    StructureHandlerNotFoundError,
)

from domcore.codec import scalars, shapes
from domcore.codec.paths import ROOT, child, shown_key
from domcore.codec.scalars import (
    MOST_CHARACTERS,
    Between,
    Count,
    Line,
    Money,
    Price,
    Refused,
    Word,
)
from domcore.errors import PayloadError, Problem

__all__ = [
    "Between",
    "Count",
    "Line",
    "Money",
    "Price",
    "Refused",
    "Word",
    "make_converter",
    "structure",
]

MOST_PROBLEMS: Final = 100

_T = TypeVar("_T")


def make_converter(
    *, forbid_extra_keys: bool = True, most_characters: int = MOST_CHARACTERS
) -> Converter:
    """A new strict converter.

    Args:
        forbid_extra_keys: refuse keys that a class does not name. False is for other people's
            payloads, of which a class describes only what is read.
        most_characters: the limit for text that no `Line` limits further.
    """
    converter = Converter(forbid_extra_keys=forbid_extra_keys, detailed_validation=True)
    shapes.register(converter, forbid_extra_keys)
    scalars.register(converter, most_characters)
    return converter


def structure(converter: Converter, value: object, cls: type[_T], *, source: str = "") -> _T:
    """Turn `value` into a `cls`.

    Raises:
        PayloadError: it does not fit. All bad fields are listed with their paths (at most
            `MOST_PROBLEMS`); no value is repeated.
    """
    try:
        return converter.structure(value, cls)
    except (BaseValidationError, Refused, ForbiddenExtraKeysError) as error:
        problems = list(_problems(error, ROOT))
    except RecursionError:
        problems = [Problem(ROOT, "nested too deeply")]
    kept = problems[:MOST_PROBLEMS]
    if len(problems) > MOST_PROBLEMS:
        kept.append(Problem(ROOT, f"and {len(problems) - MOST_PROBLEMS} more"))
    count = f"{len(problems)} field{'s' * (len(problems) != 1)}"
    raise PayloadError(f"{count} cannot be accepted", kept, source=source)


def _problems(error: BaseException, path: str) -> Iterator[Problem]:
    """Every leaf of the tree of errors that cattrs raised, in order."""
    if isinstance(error, BaseValidationError):
        for each in error.exceptions:
            step = _step(each)
            yield from _problems(each, path if step is None else child(path, step))
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields, key=str):
            yield Problem(path, _unknown_key(key, shapes.field_names(error.cl)))
    else:
        yield Problem(path, _message(error))


def _step(error: BaseException) -> str | int | None:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return note.name
        if isinstance(note, IterableValidationNote):
            return note.index
    return None


def _unknown_key(key: object, known: list[str]) -> str:
    suggestion = shapes.suggest(key, known)
    hint = f"; did you mean {suggestion!r}?" if suggestion else ""
    return f"unknown key {shown_key(key)}{hint}"


def _message(error: BaseException) -> str:
    """What is wrong, in words that are ours: texts of other exceptions may repeat the value."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, KeyError) and _step(error) in error.args:
        return "is missing"
    if isinstance(error, StructureHandlerNotFoundError):
        raise error
    return "is not acceptable"
