"""Times and ages as people write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    _SecondsType = click.ParamType[float]
    _MomentType = click.ParamType[datetime]
    _AgeType = click.ParamType[timedelta]
    _SinceType = click.ParamType[datetime | timedelta]
else:
    _SecondsType = _MomentType = _AgeType = _SinceType = (
        click.ParamType
    )  # older ones are not generic

_AGE: Final = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST: Final = 100 * 366 * 86_400
_AS_TIME: Final = "such as 2026-11-02, 2026-11-02T08:00 or 2026-11-02T08:00:00-05:00"


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _age(text: str) -> timedelta | None:
    found = _AGE.fullmatch(text.lower())
    if found is None:
        return None
    seconds = int(found[1]) * _UNITS[found[2]]
    return timedelta(seconds=seconds) if seconds <= _MOST else None


class Seconds(_SecondsType):
    """Seconds to wait: a number (``nan`` is none), from `least` to a day."""

    name = "seconds"

    def __init__(self, least: float) -> None:
        self.least = least

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Read it."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not self.least <= seconds <= 86_400:
            self.fail(f"{value!r} is no number of seconds from {self.least:g} to 86400", param, ctx)
        return seconds


class Moment(_MomentType):
    """A time in ISO 8601, as ``--json`` prints it; without an offset it is UTC."""

    name = "datetime"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read it."""
        read = value if isinstance(value, datetime) else _moment(str(value).strip())
        if read is None:
            self.fail(f"{value!r} is no time in ISO 8601, {_AS_TIME}", param, ctx)
        return read


class Age(_AgeType):
    """A stretch of time such as ``90m``, ``36h``, ``2d`` or ``1w``."""

    name = "age"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> timedelta:
        """Read it."""
        read = value if isinstance(value, timedelta) else _age(str(value).strip())
        if read is None:
            self.fail(f"{value!r} is no age, such as 90m, 36h, 2d or 1w", param, ctx)
        return read


class Since(_SinceType):
    """A time, or how long ago."""

    name = "time or age"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime | timedelta:
        """Read it."""
        if isinstance(value, datetime | timedelta):
            return value
        text = str(value).strip()
        read = _age(text) or _moment(text)
        if read is None:
            self.fail(f"{value!r} is no age such as 7d, and no time, {_AS_TIME}", param, ctx)
        return read


def before(now: datetime, ago: timedelta) -> datetime:
    """So long before now, or the beginning of time."""
    try:
        return now - ago
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def age(value: timedelta) -> str:
    """How long, for people: the largest unit, rounded down. What is yet to come has a minus."""
    seconds = int(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (unit == "m" and seconds >= size):
            return f"{sign}{seconds // size}{unit}"
    return f"{sign}{seconds}s"
