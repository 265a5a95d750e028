"""JSON from outside, read so that nothing surprising gets past: `read_json`.

What plain JSON readers let through and this one refuses: ``NaN`` and ``Infinity``, the same key
twice (a signature checker and a reader could each see another one), halves of surrogate pairs
(they fail only when stored), integers beyond 64 bits, numbers of absurd length or exponent,
nesting that exhausts the stack, bodies without an end, and any encoding but UTF-8.

A number with a fraction or an exponent comes back as `Decimal`, digit for digit as it was
written. There are no floats here, so none can become money.

There are two readers. The standard library's, with hooks of its own, is the law: all errors are
its errors. msgspec is three times as fast, but takes the last of two equal keys without a word and
any integer; so it goes first, its answer counts only where none of that can have happened, and
whatever it stumbles over is read again by the law. A test holds the two against each other.
"""

from __future__ import annotations

import codecs
import functools
import itertools
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from domcore.codec.paths import ROOT, child, shown_key
from domcore.errors import PayloadError, Problem

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_DEPTH: Final = 64
MOST_PROBLEMS: Final = 100

_INT64: Final = 2**63
_LONGEST_INTEGER: Final = 20
_LONGEST_NUMBER: Final = 40
_LARGEST_EXPONENT: Final = 30
_BRACKETS: Final = b'[]{}"'
_ALL_BUT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_ONLY_DIGITS: Final = bytes(48 if 48 <= byte < 58 else 46 for byte in range(256))
_MAYBE_BEYOND_64_BITS: Final = b"0" * 19
_DOUBTFUL_ESCAPES: Final = (b"\\ud", b"\\uD", b"\\u003a", b"\\u003A")


def read_json(
    body: bytes, *, limit: int = MOST_BYTES, max_depth: int = MOST_DEPTH, source: str = ""
) -> Any:
    """Read one JSON document: dict, list, str, int, Decimal, bool or None.

    Args:
        body: the bytes as they arrived; a UTF-8 byte-order mark is skipped.
        limit: how many bytes are accepted.
        max_depth: how deeply lists and objects may be nested; checked before parsing.
        source: what the document is, for the error: a channel, a file.

    Raises:
        PayloadError: it cannot be read. Problems carry a path, or a byte offset where the text
            breaks off; no value is repeated.
    """
    if len(body) > limit:
        raise _refused(f"larger than the {limit} bytes accepted here", source)
    if _deeper_than(body, max_depth):
        raise _refused(f"nested more than {max_depth} levels deep", source)
    value = _read_quickly(body)
    return _read_carefully(body, source) if value is _UNREAD else value


def _read_carefully(body: bytes, source: str) -> Any:
    """What the body holds, by the law."""
    text = _decoded(body, source)
    reader = _Reader()
    try:
        value = reader.decoder.decode(text)
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode("utf-8", "surrogatepass"))
        raise _refused(f"{_lower(error.msg)}, at byte {at}", source) from None
    except RecursionError:
        raise _refused("nested too deeply", source) from None
    if reader.refused or "\\ud" in text or "\\uD" in text:
        problems = _find_problems(value)
        if problems:
            raise PayloadError("not acceptable as JSON", problems, source=source)
    return value


_UNREAD: Final = object()


def _read_quickly(body: bytes) -> Any:
    """What a body holds of which nothing could be refused; `_UNREAD` where that is in doubt.

    A key that stands twice is found by counting colons: every member has one, the texts have the
    rest, and nothing else has any. Written out again, the value lacks those of what was dropped.
    An escaped colon would upset the count, and an escaped half of a pair must be looked at.
    """
    import msgspec  # who only reads settings starts without it

    if b"\\u" in body and any(escape in body for escape in _DOUBTFUL_ESCAPES):
        return _UNREAD
    if _MAYBE_BEYOND_64_BITS in body.translate(_ONLY_DIGITS):
        return _UNREAD
    try:
        value = msgspec.json.Decoder(float_hook=_moderate).decode(body)
        again = msgspec.json.encode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _UNREAD
    return value if again.count(b":") == body.count(b":") else _UNREAD


def _moderate(digits: str) -> Decimal:
    """A number with a fraction or an exponent.

    Raises:
        ValueError: too many digits, or too large an exponent.
    """
    if len(digits) <= _LONGEST_NUMBER:
        try:
            number = Decimal(digits)
        except InvalidOperation:
            raise ValueError("too large an exponent") from None
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and abs(exponent) <= _LARGEST_EXPONENT:
            return number
    raise ValueError("too many digits or too large an exponent")


class _Refused:
    """Stands in the tree where a value was refused, until its path is found."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message


class _Reader:
    """One reading: its decoder's hooks note whether anything was refused."""

    def __init__(self) -> None:
        self.refused = False
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._number,
            parse_constant=self._constant,
        )

    def _refuse(self, message: str) -> _Refused:
        self.refused = True
        return _Refused(message)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    found[key] = self._refuse("the same key stands here twice")
                seen.add(key)
        return found

    def _integer(self, digits: str) -> int | _Refused:
        if len(digits) <= _LONGEST_INTEGER:
            number = int(digits)
            if -_INT64 <= number < _INT64:
                return number
        return self._refuse("an integer beyond 64 bits")

    def _number(self, digits: str) -> Decimal | _Refused:
        try:
            return _moderate(digits)
        except ValueError as error:
            return self._refuse(f"a number with {error}")

    def _constant(self, _name: str) -> _Refused:
        return self._refuse("not a finite number")


def _refused(message: str, source: str) -> PayloadError:
    return PayloadError("not acceptable as JSON", [Problem(ROOT, message)], source=source)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].removesuffix(" at")


def _decoded(body: bytes, source: str) -> str:
    start = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    try:
        return body[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"not UTF-8, at byte {start + error.start}", source) from None


def _deeper_than(body: bytes, max_depth: int) -> bool:
    """Whether brackets outside strings are nested deeper than `max_depth`.

    Strings and all else are thrown away; then each pass takes off the innermost pairs. Brackets
    that do not match leave a rest that no pass shrinks: the parser stops at its first closing
    one, so only what was opened before that counts.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    rest = body.translate(None, _ALL_BUT_BRACKETS).replace(b'""', b"")
    if b'"' in rest:
        rest = b"".join(rest.split(b'"')[::2])
    for _ in range(max_depth):
        inner = rest.replace(b"[]", b"").replace(b"{}", b"")
        if len(inner) == len(rest):
            return len(rest) - len(rest.lstrip(b"[{")) > max_depth
        rest = inner
    return bool(rest)


def _find_problems(root: object) -> list[Problem]:
    """The first of the refused values and halves of surrogate pairs, with their paths."""
    found = itertools.islice(_bad_values(root), MOST_PROBLEMS)
    return [Problem(functools.reduce(child, steps, ROOT), message) for steps, message in found]


def _bad_values(value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """``(steps of the path, what is wrong)``; paths are spelt out only for what is shown."""
    if isinstance(value, _Refused):
        yield (), value.message
    elif isinstance(value, str):
        if not _encodable(value):
            yield (), "half of a surrogate pair in the text"
    elif isinstance(value, dict):
        for key, each in value.items():
            if not _encodable(key):
                yield (), f"half of a surrogate pair in the key {shown_key(key)}"
            for steps, message in _bad_values(each):
                yield (key, *steps), message
    elif isinstance(value, list):
        for at, each in enumerate(value):
            for steps, message in _bad_values(each):
                yield (at, *steps), message


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
