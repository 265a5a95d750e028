"""Aware times to integer microseconds and back. Exact: no float in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970, UTC.

    Raises:
        ValueError: the time says no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time must say its zone")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(at: int) -> datetime:
    """The aware UTC time of `at` microseconds since 1970."""
    return _EPOCH + at * _MICROSECOND
