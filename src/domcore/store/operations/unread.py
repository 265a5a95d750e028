"""What came and could not be read: kept for a person, apart from all else that is kept.

Each is a setback of its task (``receive:web``, ``pull:web``), and beside it stand the order it
tells of, as far as that could be read, and the delivery as it came. That may be personal data: it
is in this table only, and goes when the setback goes or its order is erased.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from domcore.codec.stored import dump_event
from domcore.errors import StoreError
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.rows import NEVER, BodyRow, OrderRow, StateRow, StragglerRow, UnreadRow
from domcore.store.values import Unread

MOST_KEPT: Final = 1_000
"""Deliveries of one task that are kept; then its sender is told that it was refused."""

LONGEST_BODY: Final = 1_048_576
"""Bytes of a delivery that are kept; of a larger one only the reasons are."""

LONGEST_HEADERS: Final = 65_536
_SECRET: Final = frozenset({"authorization", "proxy-authorization", "cookie"})


def keep_unread(
    reader: Reader, changes: Changes, unread: Unread, now: int
) -> tuple[str, bool] | None:
    """Keep one; its name, and whether it is news. None where too many are kept already.

    A later delivery of the same order takes the place of the earlier one.
    """
    stragglers = _stragglers(reader, unread.task)
    rows = [UnreadRow(*row) for row in reader.select("unread", "consumer", [unread.task])]
    note = _note(unread)
    digest = hashlib.sha256(unread.body or note.encode()).digest()
    notes = {row.seq: row.note for row in stragglers}
    earlier = [
        row
        for row in rows
        if row.external_id == unread.external_id and (row.external_id or row.digest == digest)
    ]
    for row in earlier:
        known = row.digest == digest and notes.get(row.seq) == note
        if known or row.revision > unread.revision > 0:
            return _name(row), False
    for row in earlier:
        forget_unread(changes, row)
    if len(rows) - len(earlier) >= MOST_KEPT:
        return None
    order = _order_of(reader, unread)
    seq = reader.last_id("event") + 1
    body = {
        "task": unread.task,
        "error": unread.error,
        "position": unread.position,
        "number": unread.place,
    }
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


def unread_at(reader: Reader, consumer: str, seq: int) -> UnreadRow | None:
    """What is kept beside a setback."""
    rows = (UnreadRow(*row) for row in reader.select("unread", "consumer", [consumer]))
    return next((row for row in rows if row.seq == seq), None)


def superseded(reader: Reader, rows: Sequence[UnreadRow]) -> list[UnreadRow]:
    """Those whose order has been told in a later revision that could be read, or cancelled."""
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
                states[order.id].cancelled
                or (0 < row.revision <= bodies[order.id].heard)
                or (row.revision == 0 and _told_since(reader, order.id, row.seq))
            ):
                found.append(row)
                break
    return found


def _told_since(reader: Reader, order_id: int, seq: int) -> bool:
    """Whether a revision of an order came after an event."""
    kinds = ("order.captured", "order.amended")
    return any(row[1] in kinds for row in reader.events(seq, 1000, order_id))


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


def _order_of(reader: Reader, unread: Unread) -> int | None:
    """The order it is about, where that is known."""
    if not unread.external_id:
        return None
    channel = unread.task.partition(":")[2]
    rows = (OrderRow(*row) for row in reader.select("orders", "external_id", [unread.external_id]))
    found = [row.id for row in rows if row.channel == channel]
    return found[0] if len(found) == 1 else None
