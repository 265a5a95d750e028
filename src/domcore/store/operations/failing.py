"""What keeps failing and is tried again by itself: tasks, words to nodes, events for consumers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from domcore.errors import NotFound
from domcore.store.backend import Reader
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.operations.setbacks import is_setback, split_name
from domcore.store.rows import (
    NEVER,
    DecisionRow,
    HoldRow,
    OutboxRow,
    StragglerRow,
    TaskRow,
)
from domcore.store.values import Parked

DIED: Final = "the worker stopped before it was done"
PREFIX: Final = "task/"
_TELLING: Final = ("order.cancelled", "order.amended", "order.kept", "fulfillment.exception")
"""Kinds of event after which a node is to be told something."""


def failing_tasks(rows: Iterable[TaskRow], before: int) -> list[Parked]:
    """Tasks that have not been well since `before`."""
    return [
        Parked(
            f"{PREFIX}{row.name}",
            "task",
            None,
            row.note or DIED,
            row.attempts,
            row.failed_at,
            False,
        )
        for row in rows
        if row.failed_at is not None and row.failed_at <= before
    ]


def failing_entries(
    reader: Reader, rows: Iterable[OutboxRow], nodes: Mapping[int, str], before: int
) -> list[Parked]:
    """Words to nodes that were decided before, and have not been told; those of unknown outcome are
    looked up, which is another matter."""
    troubled = [row for row in rows if _is_waiting(row)]
    ids = sorted({row.order_id for row in troubled})
    decided = {
        (row.order_id, row.sequence): row.at
        for row in map(DecisionRow._make, reader.select("decision", "order_id", ids))
    }
    approved: dict[int, int] = {}
    for hold in map(HoldRow._make, reader.select("hold", "order_id", ids)):
        approved[hold.order_id] = max(approved.get(hold.order_id, 0), hold.approved_at or 0)
    found = []
    for row in troubled:
        since = max(decided.get((row.order_id, row.sequence), 0), approved.get(row.order_id, 0))
        if since <= before:
            since = max(since, _told_at(reader, row))
        if since <= before:
            name = fulfillment_id(row.order_id, row.sequence, nodes[row.node_id])
            found.append(
                Parked(
                    f"outbox/{row.id}",
                    row.topic,
                    row.order_id,
                    row.note,
                    row.attempts,
                    since,
                    False,
                    name,
                )
            )
    return found


def _is_waiting(row: OutboxRow) -> bool:
    """Whether it has failed and nobody is at it: a release under way has a time until which its
    partner may have been called; to ask twice to stop does no harm."""
    return row.done_at is None and bool(row.note) and row.called_at is None


def _told_at(reader: Reader, row: OutboxRow) -> int:
    """When something last happened to the order that its nodes are told of."""
    events = reader.select("event", "order_id", [row.order_id])
    return max((at for _, kind, _, at, *_ in events if kind in _TELLING), default=0)


def failing_events(
    rows: Iterable[StragglerRow], times: Mapping[int, int], before: int
) -> list[Parked]:
    """Events of before that a consumer has tried to take, and could not."""
    return [
        Parked(
            f"event/{row.consumer}/{row.seq}",
            "event",
            row.order_id,
            row.note,
            row.attempts,
            times[row.seq],
            False,
        )
        for row in rows
        if row.parked_at is None and row.attempts and times[row.seq] <= before
    ]


def find_failing(reader: Reader, name: str) -> TaskRow | OutboxRow | StragglerRow:
    """What fails under this name, and is not parked.

    Raises:
        NotFound: nothing does.
    """
    found: TaskRow | OutboxRow | StragglerRow | None
    if name.startswith(PREFIX):
        tasks = map(TaskRow._make, reader.select("task", "name", [name.removeprefix(PREFIX)]))
        found = next((row for row in tasks if row.failed_at is not None), None)
    else:
        kind, consumer, number = split_name(name)
        if kind == "outbox":
            entries = map(OutboxRow._make, reader.select("outbox", "id", [number]))
            found = next((row for row in entries if _is_waiting(row)), None)
        else:
            rows = map(StragglerRow._make, reader.select("straggler", "consumer", [consumer]))
            found = next((row for row in rows if row.seq == number), None)
            found = None if found is None or is_setback(found.consumer) else found
    if found is None or found.due_at == NEVER:
        raise NotFound(f"nothing that fails or is parked is called {name!r}; see 'domcore parked'")
    return found
