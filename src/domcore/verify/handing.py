"""Outbox entries by themselves, repeated tasks, and events that consumers have not taken."""

from __future__ import annotations

from typing import Final

from domcore.store.rows import NEVER, CursorRow, OutboxRow, StragglerRow, TaskRow
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken

TASKS: Final = ("poll", "pull", "publish", "events", "cover", "rules")
"""What the names of tasks begin with."""

PUBLISHED: Final = (
    "publish:", "publish-basis:", "publish-offers:", "wake:", "hurry:", "rules:", "plugin:"
)  # fmt: skip
"""What cursors begin with that do not stand in the events (see `domcore.verify.selling`)."""

DIGEST_BYTES: Final = 32
LONGEST_NAME: Final = 300

SETBACKS: Final = ("poll", "pull", "receive", "release", "cancel")
"""What the names of those begin with that set aside something other than an event."""


def check_entry(row: OutboxRow) -> Violations:
    """An entry's doubts, and whether it waits where it should."""
    place = f"outbox {row.id}"
    if row.unknown not in (0, 1) or (row.unknown and row.called_at is None):
        yield broken("I7", place, "its outcome is unknown, but nobody was called")
    if row.topic != "release" and (row.unknown or row.called_at is not None):
        yield broken("I7", place, "only a release can have an unknown outcome")
    if row.done_at is None and (row.parked_at is not None) != (row.due_at == NEVER):
        yield broken("I7", place, "is set aside and due, or neither")


def stragglers_by_event(source: Source) -> dict[int, list[tuple[str, int | None]]]:
    """``(consumer, order)`` of the stragglers of each event. There are few: a consumer that is far
    behind gets nothing new."""
    found: dict[int, list[tuple[str, int | None]]] = {}
    for row in map(StragglerRow._make, source.rows("straggler")):
        found.setdefault(row.seq, []).append((row.consumer, row.order_id))
    return found


def check_consumers(source: Source, last: int) -> Violations:
    """Cursors, stragglers and tasks against the `last` event."""
    cursors = [CursorRow._make(row) for row in source.rows("cursor")]
    for cursor in cursors:
        if cursor.consumer.startswith(PUBLISHED):
            continue
        if not 0 <= cursor.seq <= last:
            message = f"stands at event {cursor.seq}, of {last} there are"
            yield broken("cursor", f"cursor {cursor.consumer}", message)
    reached = {cursor.consumer: cursor.seq for cursor in cursors}
    for row in map(StragglerRow._make, source.rows("straggler")):
        yield from _check_straggler(row, reached, last)
    yield from _check_unread(source)
    for task in map(TaskRow._make, source.rows("task")):
        place = f"task {task.name}"
        if task.name.partition(":")[0] not in TASKS:
            yield broken("cursor", place, "is called like none there is")
        if task.attempts < 0 or task.due_at < 0 or (task.well_at or 0) < 0:
            yield broken("cursor", place, "its attempts or times are less than nothing")
        if task.failed_at is not None and (task.failed_at < 0 or not task.attempts):
            yield broken("cursor", place, "has failed, but was never attempted since")


def _check_unread(source: Source) -> Violations:
    """Deliveries that could not be read: each beside a setback of its own. What they say is not
    looked at: it is personal data."""
    setbacks = {tuple(row[:2]) for row in source.rows("straggler")}
    for row in source.rows("unread"):
        consumer, seq, external_id, number, revision, digest = row
        place = f"unread {consumer} {seq}"
        if (consumer, seq) not in setbacks:
            yield broken("reference", place, "is kept, but nobody is shown that")
        if consumer.partition(":")[0] not in ("receive", "pull", "poll"):
            yield broken("cursor", place, "came by no way that there is")
        if revision < 0 or len(digest) != DIGEST_BYTES:
            yield broken("I10", place, "its revision or its content is not known")
        if len(external_id) > LONGEST_NAME or len(number) > LONGEST_NAME:
            yield broken("format", place, "its names are longer than any that are kept")


def _check_straggler(row: StragglerRow, reached: dict[str, int], last: int) -> Violations:
    place = f"straggler {row.consumer} {row.seq}"
    if not 1 <= row.seq <= last:
        yield broken("cursor", place, f"is behind with an event that is not among the {last}")
    elif ":" not in row.consumer or row.consumer.partition(":")[0] not in SETBACKS:
        at = reached.get(row.consumer, 0)
        if row.seq > at:
            yield broken("cursor", place, f"is behind with an event after its cursor, {at}")
    if (row.parked_at is not None) != (row.due_at == NEVER):
        yield broken("cursor", place, "is set aside and due, or neither")
    if row.attempts < 0 or (row.parked_at is not None and not row.attempts):
        yield broken("cursor", place, "is set aside, but was never attempted")
