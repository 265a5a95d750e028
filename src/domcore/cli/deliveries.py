"""Files of deliveries: one raw body with its headers beside it, or JSON Lines of both."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from domcore.codec.intake import MOST_BYTES, read_json
from domcore.errors import PayloadError

FORMS: Final = ("raw", "jsonl")
BESIDE: Final = ".headers.json"

_LONGEST_LINE: Final = 2 * MOST_BYTES
_KEYS: Final = frozenset({"body", "body_base64", "headers"})


class Arrived(NamedTuple):
    """One delivery of a file; `error` says why it cannot even be handed over."""

    place: str
    body: bytes
    headers: Mapping[str, str]
    error: str = ""


def arrivals(file: Path, form: str | None, headers: Mapping[str, str]) -> Iterator[Arrived]:
    """The deliveries of one file, one by one.

    Args:
        file: the file, or ``-``.
        form: ``raw`` or ``jsonl``; None goes by the suffix (standard input is JSON Lines).
        headers: for a raw body, besides those that lie beside it.

    Raises:
        OSError: the file cannot be read.
    """
    stdin = str(file) == "-"
    name = "standard input" if stdin else str(file)
    lines = form == "jsonl" or (
        form is None and (stdin or file.suffix.lower() in (".jsonl", ".ndjson"))
    )
    opened: Any = nullcontext(sys.stdin.buffer) if stdin else file.open("rb")
    with opened as stream:
        if lines:
            yield from _lines(stream, name)
        else:
            yield _raw(stream, name, file, headers)


def _raw(stream: IO[bytes], name: str, file: Path, headers: Mapping[str, str]) -> Arrived:
    try:
        beside = {} if str(file) == "-" else _beside(file)
    except ValueError as unusable:
        return Arrived(name, b"", {}, str(unusable))
    headers = {**beside, **headers}
    body = stream.read(MOST_BYTES + 1)
    error = _too_large(len(body), "the body")
    return Arrived(name, b"" if error else body, headers, error)


def _beside(file: Path) -> dict[str, str]:
    """The headers in ``FILE.headers.json``, if it is there.

    Raises:
        ValueError: they cannot be used.
    """
    beside = file.with_name(file.name + BESIDE)
    if not beside.exists():
        return {}
    try:
        return _checked_headers(read_json(beside.read_bytes()))
    except OSError as error:
        raise ValueError(f"{beside}: cannot be used: {error.strerror}") from None
    except (PayloadError, ValueError) as error:
        raise ValueError(f"{beside}: cannot be used: {error}") from None


def _lines(stream: IO[bytes], name: str) -> Iterator[Arrived]:
    number = 0
    while line := stream.readline(_LONGEST_LINE + 1):
        number += 1
        place = f"{name}:{number}"
        if len(line) > _LONGEST_LINE:
            yield Arrived(place, b"", {}, _too_large(len(line), "the line"))
            return
        if line.strip():
            yield _delivery(place, line)


def _delivery(place: str, line: bytes) -> Arrived:
    try:
        value = read_json(line, limit=_LONGEST_LINE)
        body, headers = _parts(value)
    except (PayloadError, ValueError) as error:
        return Arrived(place, b"", {}, str(error))
    return Arrived(place, body, headers)


def _parts(value: Any) -> tuple[bytes, dict[str, str]]:
    if not isinstance(value, dict) or not value.keys() <= _KEYS:
        raise ValueError('must be an object of "body" or "body_base64", and "headers"')
    text, coded = value.get("body"), value.get("body_base64")
    headers = _checked_headers(value.get("headers", {}))
    if isinstance(text, str) and coded is None:
        return text.encode(), headers
    if isinstance(coded, str) and text is None:
        try:
            return base64.b64decode(coded, validate=True), headers
        except binascii.Error:
            raise ValueError("body_base64 is not base64") from None
    raise ValueError('must have "body" or "body_base64", as text')


def _checked_headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("headers must be an object of texts by name")
    return value


def _too_large(size: int, what: str) -> str:
    limit = _LONGEST_LINE if what == "the line" else MOST_BYTES
    return f"{what} is larger than {limit // 2**20} MB" if size > limit else ""
