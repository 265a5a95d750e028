"""The figures of each day, week or month, counted in one pass over the orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args

from attrs import frozen

from domcore.errors import ConfigurationError
from domcore.model.clock import from_micros, to_micros
from domcore.seeing.kpi import Figures, counted_dict
from domcore.seeing.tally import Tally, each_order, wanted_orders
from domcore.store.protocol import Store

By = Literal["day", "week", "month"]
"""How long a period is."""

PERIODS: Final[tuple[By, ...]] = get_args(By)

MOST: Final = 1000
"""Periods in a series."""


@frozen(slots=True, kw_only=True)
class Period(Figures):
    """The figures of the orders captured from `begin` until before `end`."""

    begin: datetime
    end: datetime

    def to_dict(self) -> dict[str, Any]:
        """Everything, for machines: amounts as decimal text, durations in seconds."""
        span = {"begin": self.begin.isoformat(), "end": self.end.isoformat()}
        return {**span, **counted_dict(self)}


@frozen(slots=True)
class KpiSeries:
    """One period after the other, those without an order as well.

    `at` is when it was counted: what has become of the orders is as of then.
    """

    at: datetime
    by: By
    owner: str | None
    periods: tuple[Period, ...]

    @property
    def orders(self) -> int:
        """How many orders it is about."""
        return sum(each.orders for each in self.periods)


def series(
    store: Store,
    now: datetime,
    since: datetime | None,
    until: datetime | None,
    owner: str | None,
    by: By,
) -> KpiSeries:
    """The figures by period of the calendar in UTC, weeks from Monday on.

    The first begins at `since` (else it is that of the first order), the last ends at `until`
    (else it is the one of now).

    Raises:
        ConfigurationError: `by` is no period, a time says no zone, `until` is before `since`, or
            there would be more than `MOST` periods.
    """
    if by not in PERIODS:
        raise ConfigurationError(f"{by!r} is no period: day, week or month", place="by")
    tallies: dict[datetime, Tally] = {}
    for facts in each_order(store, wanted_orders(since, until, owner)):
        begin = _begin(from_micros(facts.captured_at), by)
        if begin not in tallies:
            if len(tallies) == MOST:
                raise _too_many()
            tallies[begin] = Tally(to_micros(now))
        tallies[begin].add(facts)
    first = since or min(tallies, default=None)
    last = until or _next(max([_begin(now, by), *tallies]), by)
    spans = [] if first is None else list(_spans(first.astimezone(UTC), last.astimezone(UTC), by))
    nothing = Tally(to_micros(now))
    return KpiSeries(
        at=now,
        by=by,
        owner=owner,
        periods=tuple(
            Period(begin=begin, end=end, **tallies.get(_begin(begin, by), nothing).figures())
            for begin, end in spans
        ),
    )


def _too_many() -> ConfigurationError:
    return ConfigurationError(
        f"more than {MOST:,} periods: say since and until, or longer ones", place="by"
    )


def _begin(moment: datetime, by: By) -> datetime:
    """When the period of a moment begins."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if by == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if by == "week" else day


def _next(begin: datetime, by: By) -> datetime:
    """When the period after the one that begins then begins."""
    try:
        if by == "month":
            return (begin + timedelta(days=32)).replace(day=1)
        return begin + timedelta(days=7 if by == "week" else 1)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _spans(first: datetime, last: datetime, by: By) -> Iterator[tuple[datetime, datetime]]:
    """Begin and end of each period that has a part between the two."""
    begin = first
    for number in range(MOST + 1):
        if begin >= last:
            break
        if number == MOST:
            raise _too_many()
        end = min(_next(_begin(begin, by), by), last)
        yield begin, end
        begin = end
