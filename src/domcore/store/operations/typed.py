"""Commands whose every field is of its type: what a stranger has built may hold anything."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec
from attrs import evolve, fields, has

from domcore.codec.stored import dump_any
from domcore.codec.text import may_hold_nul, text_problems
from domcore.errors import PayloadError, Problem

T = TypeVar("T")

_BESIDE: Final = frozenset({"by", "source", "rows"})
"""Fields of commands that are no part of what they say."""


def typed(command: T, kind: type[T], what: str) -> T:
    """The same command with each field of its type and its times in UTC, so that equal news is
    equal content.

    Raises:
        PayloadError: a field is not of its type, holds text that cannot be stored, or a time that
            says no zone or lies beyond the years that exist.
    """
    problem = Problem("$", f"a field is not of its type; see domcore.model.{kind.__name__}")
    problems = []
    try:
        written = dump_any(command)
        if may_hold_nul(written):
            problems = list(text_problems(command))
        if not problems:
            found: T = _in_utc(msgspec.json.decode(written, type=kind), command, "$")
            return found
    except _IllTimedError as error:
        problem = error.problem
    except UnicodeEncodeError:
        problems = list(text_problems(command))
    except Exception:
        pass
    raise PayloadError(f"{what} cannot be taken in", problems or [problem])


def content_of(command: Any) -> bytes:
    """What a command says, as JSON. Who caused it, and where it stood, is no part of that: the same
    news brought by another is the same news."""
    names = [each.name for each in fields(type(command)) if each.name not in _BESIDE]
    return dump_any({name: getattr(command, name) for name in names})


def digest_of(command: object, what: str) -> bytes:
    """A digest of the command's content.

    Raises:
        PayloadError: it holds what cannot be written down.
    """
    try:
        return hashlib.sha256(content_of(command)).digest()
    except (TypeError, ValueError):
        raise PayloadError(
            f"{what} cannot be taken in", [Problem("$", "holds what cannot be written down")]
        ) from None


class _IllTimedError(Exception):
    def __init__(self, path: str, message: str) -> None:
        super().__init__(path)
        self.problem = Problem(path, message)


def _in_utc(found: Any, told: Any, path: str) -> Any:
    """What has been read back, with the times as they were told: bytes and times that were given
    as text are refused, for they read back as something else."""
    if isinstance(found, datetime):
        return _time(told, path)
    if type(found) is tuple:
        pairs = zip(found, told, strict=True)
        return tuple(_in_utc(*pair, f"{path}[{number}]") for number, pair in enumerate(pairs))
    if has(type(found)):
        changes = {}
        for field in fields(type(found)):
            name = field.name
            before = getattr(found, name)
            after = _in_utc(before, getattr(told, name), f"{path}.{name}")
            if after is not before:
                changes[name] = after
        return evolve(found, **changes) if changes else found
    if found != told:
        raise ValueError(path)
    return found


def _time(told: datetime, path: str) -> datetime:
    if told.utcoffset() is None:
        raise _IllTimedError(path, "must say its time zone")
    try:
        return told.astimezone(UTC)
    except OverflowError:
        raise _IllTimedError(path, "is beyond the years that exist") from None
