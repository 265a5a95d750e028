"""What is due later than any wait explains: a clock was wrong, and is right now, or wrong now.

Times of what is due were set by the clock of their moment. When the clock has been set back since,
all of them lie too far ahead by as much; when it was far ahead for a minute, or a hand has changed
them, some lie years ahead. Here they are moved to where they would be by the clock of now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve, frozen

from domcore.codec.stored import dump_event
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.rows import EventRow, OutboxRow, StragglerRow, TaskRow
from domcore.store.values import Rescheduled

ASTRAY: Final = 60_000_000
"""Microseconds that the clock may be behind: one that is kept right steps back by less."""

LOOKED_AT: Final = 50
"""Events, the last ones first, among which one that is dated by our own clock is looked for."""

TOPICS: Final = ("release", "cancel", "change")
TASKS: Final = 10_000
RESCHEDULED: Final = "work.rescheduled"

_OF_PARTNERS: Final = ("fulfillment.", "return.")
"""Events that partners date, by clocks of their own."""


@frozen(slots=True)
class Late:
    """What is due later than anything may be."""

    newest: int
    behind: int
    work: tuple[OutboxRow, ...]
    orders: tuple[tuple[int, int, int], ...]
    tasks: tuple[TaskRow, ...]
    stragglers: tuple[StragglerRow, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.behind or self.work or self.orders or self.tasks)


def look(reader: Reader, now: int, latest: int) -> Late:
    """What is due after `latest`; after `now`, if the clock is behind what happened last."""
    newest = newest_event(reader)
    behind = newest - now if newest - now > ASTRAY else 0
    after = now if behind else latest
    tasks = [TaskRow(*row) for row in reader.page("task", TaskRow._fields, None, TASKS)]
    late = Late(
        newest,
        behind,
        tuple(OutboxRow(*row) for topic in TOPICS for row in reader.due_after(topic, after)),
        tuple((row[0], row[1], row[2]) for row in reader.queued_after(after)),
        tuple(each for each in tasks if each.due_at > after or (each.well_at or 0) > latest),
    )
    if not late.found:
        return late
    rows = reader.page("straggler", StragglerRow._fields, None, TASKS)
    waiting = (StragglerRow(*row) for row in rows)
    return evolve(
        late,
        stragglers=tuple(e for e in waiting if e.due_at > after and e.parked_at is None),
    )


def newest_event(reader: Reader) -> int:
    """When the last thing happened that is dated by our own clock; 0 where there is none."""
    last = reader.last_id("event")
    rows = reader.events(max(0, last - LOOKED_AT), LOOKED_AT, None)
    for row in reversed([EventRow._make(row) for row in rows]):
        if not row.kind.startswith(_OF_PARTNERS):
            return row.at
    return 0


def reschedule(late: Late, changes: Changes, now: int, latest: int) -> Rescheduled:
    """Move everything that is late, and say so."""

    def moved(at: int) -> int:
        """By as much as the clock is behind; what lies too far ahead even so is due now."""
        earlier = max(now, at - late.behind)
        return earlier if earlier <= latest else now

    for row in late.work:
        called_at = row.called_at
        if called_at is not None and called_at > now:
            called_at = moved(called_at)
        changes.add("set_outbox", (moved(row.due_at), row.attempts, row.done_at, row.note, row.id))
        changes.add("doubt_outbox", (row.unknown, row.parked_at, called_at, row.connector, row.id))
    for order_id, version, retry_at in late.orders:
        changes.add("wake_states", (moved(retry_at), order_id, version))
    for task in late.tasks:
        due_at = task.due_at if task.due_at <= now else moved(task.due_at)
        well_at = task.well_at if task.well_at is None else min(task.well_at, now)
        changes.add("tasks", task._replace(due_at=due_at, well_at=well_at))
    for straggler in late.stragglers:
        changes.add("stragglers", straggler._replace(due_at=moved(straggler.due_at)))
    told = Rescheduled(late.newest, late.behind, *map(_count, (late.work, late.orders, late.tasks)))
    body = {
        "behind_seconds": told.behind // 1_000_000,
        "work": told.work,
        "orders": told.orders,
        "tasks": told.tasks,
    }
    changes.add("events", (None, RESCHEDULED, None, now, dump_event(body)))
    return told


def _count(rows: Iterable[object]) -> int:
    return sum(1 for _ in rows)
