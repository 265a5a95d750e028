"""What consumers of events and repeated tasks could not take, kept for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from domcore.codec.stored import dump_event, load_event
from domcore.codec.text import is_text
from domcore.errors import ConflictError, NotFound
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.operations.unread import unread_at
from domcore.store.rows import NEVER, OutboxRow, StragglerRow, TaskRow
from domcore.store.values import Parked

REREAD: Final = ("poll", "pull")
"""Tasks whose setbacks are retried by reading their page again."""


def parked_entry(row: OutboxRow, nodes: Mapping[int, str]) -> Parked:
    """An outbox entry for a person; `nodes` are all by id."""
    return Parked(
        f"outbox/{row.id}",
        row.topic,
        row.order_id,
        row.note,
        row.attempts,
        row.parked_at,
        bool(row.unknown),
        fulfillment_id(row.order_id, row.sequence, nodes[row.node_id]),
    )


def parked_straggler(row: StragglerRow, *, kept: bool = False) -> Parked:
    """An event, or a setback of a task, for a person; `kept`: with what came."""
    kind = "setback" if is_setback(row.consumer) else "event"
    name = f"{kind}/{row.consumer}/{row.seq}"
    return Parked(name, kind, row.order_id, row.note, row.attempts, row.parked_at, False, kept=kept)


def is_setback(consumer: str) -> bool:
    """Whether the rows of this consumer are setbacks of a task, which is called ``kind:name``."""
    kind, colon, _ = consumer.partition(":")
    return bool(colon) and kind in (*REREAD, "receive", "release", "cancel")


def split_name(name: str) -> tuple[str, str, int]:
    """``outbox/12`` or ``event/CONSUMER/34`` in parts.

    Raises:
        NotFound: nothing parked is called that.
    """
    kind, _, rest = name.partition("/")
    consumer, _, number = rest.rpartition("/")
    fits = kind == "outbox" if not consumer else kind in ("event", "setback")
    if not (fits and is_text(name) and number.isascii() and number.isdigit() and len(number) < 19):
        raise NotFound(f"nothing that is parked is called {name!r}; see 'domcore parked'")
    return kind, consumer, int(number)


def find_parked(reader: Reader, name: str) -> OutboxRow | StragglerRow:
    """The row that is parked under this name.

    Raises:
        NotFound: there is none.
    """
    kind, consumer, number = split_name(name)
    found: OutboxRow | StragglerRow | None = None
    if kind == "outbox":
        entries = [OutboxRow(*row) for row in reader.select("outbox", "id", [number])]
        found = next((row for row in entries if row.done_at is None), None)
    else:
        rows = [StragglerRow(*row) for row in reader.select("straggler", "consumer", [consumer])]
        found = next((row for row in rows if row.seq == number), None)
    if found is None or found.parked_at is None:
        raise NotFound(f"nothing that is parked is called {name!r}; see 'domcore parked'")
    return found


def revive_straggler(reader: Reader, changes: Changes, row: StragglerRow, now: int) -> None:
    """An event is handed to its consumer again; a setback's page is read again.

    Raises:
        ConflictError: what it was about came by itself, and only its sender can send it again; or
            it does not come again with its page.
    """
    if not is_setback(row.consumer):
        changes.add("stragglers", row._replace(due_at=now, attempts=0, parked_at=None))
        return
    if unread_at(reader, row.consumer, row.seq) is not None:
        changes.add("forget_unread", (row.consumer, row.seq))
    if row.consumer.partition(":")[0] not in REREAD:
        raise ConflictError(
            f"what {row.consumer} set aside is not kept; have it sent again, then drop this"
        )
    position, number = _place(reader, row)
    if not number:
        raise ConflictError(
            f"what {row.consumer} set aside does not come again with its page;"
            " mend it where it lies, then drop this"
        )
    pending = _pending(reader, row.consumer)
    for task in map(TaskRow._make, reader.select("task", "name", [row.consumer])):
        earliest = not pending or row.seq < pending[0].seq
        cursor = position if earliest else task.cursor
        again = task._replace(due_at=now, attempts=0, cursor=cursor, failed_at=None)
        changes.add("tasks", again)
    # It stays until its page was read: the cursor stands before one page only.
    changes.add("stragglers", row._replace(due_at=now, attempts=0, parked_at=None, note=""))


def read_pages(reader: Reader, changes: Changes, task: TaskRow, *, end: bool) -> str | None:
    """Be done with the revived setbacks whose page the task has just read, the one at its cursor.

    Returns:
        Where to read next instead of going on: the page of the earliest that is left. None where
        none is left, or there is more to read (`end` is false), among which it may come.
    """
    left = []
    for row in _pending(reader, task.name):
        position, _ = _place(reader, row)
        if position == task.cursor:
            changes.add("forget_stragglers", (row.consumer, row.seq))
        else:
            left.append(position)
    return left[0] if left and end else None


def _pending(reader: Reader, task: str) -> list[StragglerRow]:
    """Setbacks of a task that were revived and whose page was not read since, oldest first."""
    if task.partition(":")[0] not in REREAD:
        return []
    rows = map(StragglerRow._make, reader.select("straggler", "consumer", [task]))
    return sorted((row for row in rows if row.parked_at is None), key=lambda row: row.seq)


def _place(reader: Reader, row: StragglerRow) -> tuple[str, int]:
    """The cursor before the page that a setback came with, and its number there."""
    ((_, _, _, _, body, _),) = reader.events(row.seq - 1, 1, None)
    told = load_event(body)
    return str(told.get("position", "")), int(told.get("number", 0))


def set_aside(
    reader: Reader, changes: Changes, task: str, position: str, number: int, error: str, now: int
) -> bool:
    """Keep that a task could not take something; False where it is kept already.

    `position` is where its page begins, `number` its place there; 0 does not come again with it.
    """
    place = f"number {number} after {position}" if position else f"number {number}"
    note = f"{error} ({place})" if number else error
    rows = [StragglerRow(*row) for row in reader.select("straggler", "consumer", [task])]
    if any(row.note == note for row in rows):
        return False
    seq = reader.last_id("event") + 1
    body = dump_event({"task": task, "error": error, "position": position, "number": number})
    changes.add("events", (seq, "work.parked", None, now, body))
    changes.add("stragglers", StragglerRow(task, seq, None, NEVER, 1, now, note))
    return True


def tell_parked(
    changes: Changes, before: Mapping[int, StragglerRow], rows: Iterable[StragglerRow], now: int
) -> None:
    """An event for each straggler that is parked now and was not before."""
    for row in rows:
        known = before.get(row.seq)
        if row.parked_at is not None and (known is None or known.parked_at is None):
            body = {
                "task": f"events:{row.consumer}",
                "event": row.seq,
                "attempts": row.attempts,
                "error": row.note,
            }
            changes.add("events", (None, "work.parked", row.order_id, now, dump_event(body)))
