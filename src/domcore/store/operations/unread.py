"""What came and could not be read: kept for a person, apart from all else that is kept.

Each is a setback of its task (``receive:web``, ``pull:web``), and beside it stand the order it
tells of, as far as that could be read, and the delivery as it came. That may be personal data: it
is in this table only, and goes when the setback goes or its order is erased.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from domcore.codec.stored import dump_event, load_event
from domcore.errors import StoreError
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.rows import (
    NEVER,
    BodyRow,
    OrderRow,
    RevisionRow,
    StateRow,
    StragglerRow,
    UnreadRow,
)
from domcore.store.values import Unread

MOST_KEPT: Final = 1_000
"""Deliveries of one task that are kept; then its sender is told that it was refused."""

LONGEST_BODY: Final = 1_048_576
"""Bytes of a delivery that are kept; of a larger one only the reasons are."""

NAMING: Final = tuple(name for name in UnreadRow._fields if name not in ("headers", "body"))
"""The columns that tell what a delivery is of."""

LONGEST_HEADERS: Final = 65_536
_SECRET: Final = frozenset({"authorization", "proxy-authorization", "cookie"})


def keep_unread(
    reader: Reader, changes: Changes, unread: Unread, now: int
) -> tuple[str, bool] | None:
    """Keep one; its name, and whether it is news. None where too many are kept already.

    A later whole revision of an order takes the place of an earlier one. Whatever else there is of
    it, edits and refunds and what tells no revision, is kept each by itself.
    """
    rows = unread_rows(reader, unread.task)
    note = _note(unread)
    digest = _digest(unread, note)
    notes = {row.seq: row.note for row in _stragglers(reader, unread.task)}
    earlier = []
    for row in rows:
        alike = row.digest == digest
        if row.external_id != unread.external_id or not (row.external_id or alike):
            continue
        told = _told(reader, row)
        named = told.get("name", "") == unread.name
        if alike and named and notes.get(row.seq) == note:
            return _name(row), False
        if alike and named and _same(row, told, unread):
            earlier.append(row)
        elif row.external_id and _is_whole(row.revision, told) and _whole(unread):
            if row.revision > unread.revision:
                return _name(row), False
            if row.revision < unread.revision:
                earlier.append(row)
    for row in earlier:
        forget_unread(changes, row)
    if len(rows) - len(earlier) >= MOST_KEPT:
        return None
    known = _orders_of(reader, unread)
    order = known[0].id if len(known) == 1 else None
    seq = reader.last_id("event") + 1
    body: dict[str, Any] = {
        "task": unread.task,
        "error": unread.error,
        "position": unread.position,
        "number": unread.place,
    }
    heard = _heard(reader, known)
    if heard is not None:
        body["heard"] = heard
    if unread.name:
        body["name"] = unread.name
    changes.add("events", (seq, "work.parked", order, now, dump_event(body)))
    changes.add("stragglers", StragglerRow(unread.task, seq, order, NEVER, 1, now, note))
    kept = len(unread.body) <= LONGEST_BODY
    new = UnreadRow(
        unread.task, seq, unread.external_id, unread.number, unread.revision, digest,
        _headers(unread.headers) if kept else b"{}", unread.body if kept else b"",
    )  # fmt: skip
    changes.add("unread", new)
    return _name(new), True


def forget_unread(changes: Changes, row: UnreadRow) -> None:
    """Be done with one: with its delivery, and with the setback."""
    changes.add("forget_unread", row[:2])
    changes.add("forget_stragglers", row[:2])


def unread_rows(reader: Reader, consumer: str) -> list[UnreadRow]:
    """All that is kept of a task, without the deliveries themselves, which may be large."""
    rows = reader.page("unread", NAMING, (consumer, 0), MOST_KEPT)
    return [UnreadRow._make((*row, b"", b"")) for row in rows if row[0] == consumer]


def unread_at(reader: Reader, consumer: str, seq: int) -> UnreadRow | None:
    """What is kept beside a setback."""
    rows = map(UnreadRow._make, reader.page("unread", UnreadRow._fields, (consumer, seq - 1), 1))
    return next((row for row in rows if (row.consumer, row.seq) == (consumer, seq)), None)


def superseded(reader: Reader, rows: Sequence[UnreadRow]) -> list[UnreadRow]:
    """Those whose order has been cancelled, or told whole since they came, as late or later."""
    ids = sorted({row.external_id for row in rows if row.external_id})
    orders = [OrderRow(*row) for row in reader.select("orders", "external_id", ids)]
    known = [order.id for order in orders]
    bodies = {row[0]: BodyRow(*row) for row in reader.select("order_body", "order_id", known)}
    states = {row[0]: StateRow(*row) for row in reader.select("order_state", "order_id", known)}
    found = []
    for row in rows:
        channel = row.consumer.partition(":")[2]
        for order in orders:
            if (order.channel, order.external_id) == (channel, row.external_id) and (
                states[order.id].cancelled or _told_since(reader, row, bodies[order.id])
            ):
                found.append(row)
                break
    return found


def _told_since(reader: Reader, row: UnreadRow, body: BodyRow) -> bool:
    """Whether the channel has told the whole order since, in a revision as late or later.

    Only what the channel has told counts: domcore, and amendments, make revisions of their own.
    """
    if body.heard < row.revision:
        return False
    before = _told(reader, row).get("heard")
    if type(before) is int:
        return body.heard > before
    if row.revision:
        return True
    # The order came later, but may be older: only what is later than its first revision is later.
    replaced = reader.select("order_revision", "order_id", [body.order_id])
    return body.heard > min([RevisionRow(*old).revision for old in replaced] + [body.revision])


def _told(reader: Reader, row: UnreadRow) -> dict[str, Any]:
    """What was told when something was kept."""
    return next((load_event(each[4]) for each in reader.events(row.seq - 1, 1, None)), {})


def _same(row: UnreadRow, told: Mapping[str, Any], unread: Unread) -> bool:
    """Whether what has the same content is the same record, which is told otherwise by now."""
    if unread.body:
        return row.revision in (0, unread.revision)
    if not row.external_id:
        return False
    # Pages overlap and move, so one record may have several places. Where nothing else tells two
    # records apart, they are two if they stand in one page.
    return bool(unread.name or unread.revision) or told.get("position") != unread.position


def _digest(unread: Unread, note: str) -> bytes:
    """The content; of what is pulled, as much as stays the same on another page."""
    if unread.body:
        return hashlib.sha256(unread.body).digest()
    if not unread.external_id:
        return hashlib.sha256(note.encode()).digest()
    tells = bool(unread.name or unread.revision)
    content = (unread.name, unread.revision, "" if tells else unread.error)
    return hashlib.sha256(msgspec.json.encode(content)).digest()


def _whole(unread: Unread) -> bool:
    return unread.revision > 0 and not unread.name


def _is_whole(revision: int, told: Mapping[str, Any]) -> bool:
    return revision > 0 and not told.get("name")


def headers_of(row: UnreadRow) -> dict[str, str]:
    """The headers that a delivery came with.

    Raises:
        StoreError: they are damaged.
    """
    try:
        return msgspec.json.decode(row.headers, type=dict[str, str])
    except msgspec.MsgspecError:
        raise StoreError("a kept delivery is damaged; drop it, and have it sent again") from None


def _headers(headers: Mapping[str, str]) -> bytes:
    """As they are kept: without passwords, and not at all where they are beyond all measure."""
    kept = {name: text for name, text in headers.items() if name.lower() not in _SECRET}
    try:
        dumped = msgspec.json.encode(kept)
    except (UnicodeEncodeError, TypeError):
        return b"{}"
    return dumped if len(dumped) <= LONGEST_HEADERS else b"{}"


def _note(unread: Unread) -> str:
    """What a list says of it."""
    called = unread.number or unread.external_id
    about = f"order {called}: " if called else ""
    place = f" (number {unread.place} after {unread.position})" if unread.position else ""
    if unread.place and not unread.position:
        place = f" (number {unread.place})"
    return f"{about}{unread.error}{place}"


def _stragglers(reader: Reader, consumer: str) -> list[StragglerRow]:
    return [StragglerRow(*row) for row in reader.select("straggler", "consumer", [consumer])]


def _name(row: UnreadRow) -> str:
    return f"setback/{row.consumer}/{row.seq}"


def _orders_of(reader: Reader, unread: Unread) -> list[OrderRow]:
    """The order it is about, where that is known; of several owners, all it may be."""
    if not unread.external_id:
        return []
    channel = unread.task.partition(":")[2]
    rows = (OrderRow(*row) for row in reader.select("orders", "external_id", [unread.external_id]))
    return [row for row in rows if row.channel == channel]


def _heard(reader: Reader, orders: Sequence[OrderRow]) -> int | None:
    """The revision that the channel had told last; None where it had told none."""
    bodies = reader.select("order_body", "order_id", [order.id for order in orders])
    return max((BodyRow(*row).heard for row in bodies), default=None)
