"""The figures as values; docs/operations.md says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from domcore.model import decimal_text
from domcore.model.clock import from_micros
from domcore.store.protocol import Backlog


@frozen(slots=True)
class Share:
    """A part of a whole."""

    part: int
    whole: int

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.part / self.whole if self.whole else None


@frozen(slots=True)
class Promise:
    """Orders by what became of a promise; `pending` ones can still be kept."""

    kept: int
    missed: int
    pending: int

    @property
    def rate(self) -> float | None:
        """Kept ones among those that are settled."""
        return Share(self.kept, self.kept + self.missed).rate


@frozen(slots=True)
class Cost:
    """What decisions cost, in micros, over the orders that were placed."""

    currency: str
    orders: int
    total: int

    @property
    def per_order(self) -> int:
        """Micros an order, rounded down."""
        return self.total // self.orders


@frozen(slots=True)
class Cycle:
    """How long it took, in microseconds; both by nearest rank."""

    count: int
    median: int | None = None
    p90: int | None = None


@frozen(slots=True)
class Rejections:
    """What one node has rejected for one reason."""

    node: str
    reason: str
    notices: int
    units: int


@frozen(slots=True)
class Health:
    """How a connector, or a channel, is doing.

    Args:
        name: ``connector NAME`` or ``channel NAME``.
        waiting, parked, unknown: words to its nodes that are not done.
        failures: failures in a row of its worst repeated task.
        well_at: the last success of the task that has waited longest for one; None: never.
        note: what went wrong last.
    """

    name: str
    waiting: int = 0
    parked: int = 0
    unknown: int = 0
    failures: int = 0
    well_at: datetime | None = None
    note: str = ""


@frozen(slots=True, kw_only=True)
class Figures:
    """What is counted from orders: of all of them, or of a period."""

    orders: int
    units: int
    fill: Share
    split: Share
    costs: tuple[Cost, ...]
    ship_by: Promise
    deliver_by: Promise
    cycles: Mapping[str, Cycle]
    rejections: tuple[Rejections, ...]


@frozen(slots=True, kw_only=True)
class Kpi(Figures):
    """The figures of the orders captured from `since` until `until`, and of the moment `at`."""

    at: datetime
    since: datetime | None
    until: datetime | None
    owner: str | None
    backlog: tuple[Backlog, ...]
    exceptions: Mapping[str, int]
    health: tuple[Health, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything, for machines: amounts as decimal text, durations in seconds."""
        return {
            "at": self.at.isoformat(),
            "since": _iso(self.since),
            "until": _iso(self.until),
            "owner": self.owner,
            **counted_dict(self),
            "backlog": [
                {**row._asdict(), "oldest": from_micros(row.oldest).isoformat()}
                for row in self.backlog
            ],
            "exceptions": dict(self.exceptions),
            "health": [
                {
                    "name": each.name,
                    "waiting": each.waiting,
                    "parked": each.parked,
                    "unknown": each.unknown,
                    "failures": each.failures,
                    "well_at": _iso(each.well_at),
                    "note": each.note,
                }
                for each in self.health
            ],
        }


def counted_dict(figures: Figures) -> dict[str, Any]:
    """The same for machines: amounts as decimal text, durations in seconds."""
    return {
        "orders": figures.orders,
        "units": figures.units,
        "fill_rate": _share(figures.fill, "allocated", "wanted"),
        "split_rate": _share(figures.split, "split", "placed"),
        "cost_per_order": [
            {
                "currency": cost.currency,
                "orders": cost.orders,
                "total": decimal_text(cost.total),
                "per_order": decimal_text(cost.per_order),
            }
            for cost in figures.costs
        ],
        "promise_kept": {
            name: {"kept": p.kept, "missed": p.missed, "pending": p.pending, "rate": p.rate}
            for name, p in (("ship_by", figures.ship_by), ("deliver_by", figures.deliver_by))
        },
        "cycle_times": {
            name: {
                "count": cycle.count,
                "median_seconds": _seconds(cycle.median),
                "p90_seconds": _seconds(cycle.p90),
            }
            for name, cycle in figures.cycles.items()
        },
        "rejections": [
            {"node": r.node, "reason": r.reason, "notices": r.notices, "units": r.units}
            for r in figures.rejections
        ],
    }


def _share(share: Share, part: str, whole: str) -> dict[str, Any]:
    return {part: share.part, whole: share.whole, "rate": share.rate}


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / 1_000_000


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
