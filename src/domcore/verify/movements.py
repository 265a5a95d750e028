"""One pass over each table that is in order of time: it is checked, and sorted by order."""

from __future__ import annotations

from typing import Final

import msgspec

from domcore.codec.stored import FORMAT
from domcore.model import FULFILLMENT_STATUSES
from domcore.store.rows import (
    EXPIRED,
    FREED,
    SHIPPED,
    CursorRow,
    EventRow,
    InboxRow,
    LedgerRow,
    OutboxRow,
    TombstoneRow,
)
from domcore.verify.catalog import Catalog
from domcore.verify.source import Source
from domcore.verify.spool import Spool, Tally
from domcore.verify.violation import Violations, broken

RESERVED: Final = -1
"""Beside the reservation states: what `sorted_ledger` calls a new reservation."""

_STATE_OF: Final = {
    "reserve": RESERVED,
    "free": FREED,
    "block": FREED,
    "expire": EXPIRED,
    "ship": SHIPPED,
}

_SIGNS: Final = {
    "reserve": (0, 1, 0),
    "free": (0, -1, 0),
    "expire": (0, -1, 0),
    "block": (0, -1, 1),
    "ship": (-1, -1, 0),
}
"""How an order's entry moves on hand, reserved and blocked, in units."""

_UNORDERED: Final = {
    "count": ("on_hand", "blocked"),
    "delta": ("on_hand",),
    "safety": ("safety",),
}
"""What the other kinds of entry may move."""

_AMOUNTS: Final = ("on_hand", "reserved", "blocked", "safety")

EVENT_KINDS: Final = (
    "order.captured",
    "order.amended",
    "order.held",
    "order.approved",
    "order.routed",
    "order.reserved",
    "order.short",
    "order.cancelled",
    "reservation.expired",
    "stock.shortfall",
    *(f"fulfillment.{status}" for status in FULFILLMENT_STATUSES),
)
CAPTURED, AMENDED, HELD, APPROVED, ROUTED, KEPT, SHORT, CANCELLED, RUN_OUT, SHORTFALL = range(10)
NOTICE: Final = 10
"""The first of the kinds that report a node's word on its work."""

TOPICS: Final = ("release", "cancel")
RELEASE, CANCEL = range(2)

OUTCOMES: Final = (
    "captured",
    "amended",
    "duplicate",
    "stale",
    "cancelled",
    "ignored",
    "observed",
    "recorded",
)

DIGEST_BYTES: Final = 32


class _EventBody(msgspec.Struct):
    format: int
    decision: int = 0


class Movements:
    """What happened, by order: filled by `check`, read once."""

    def __init__(self) -> None:
        self.balances: Final = Tally(2)
        """(item, node) -> on hand, reserved, blocked, safety by the ledger, units in open
        reservations (`reserve`)."""
        self.ledger: Final = Spool()
        """(order, sequence, node, item, state, units)"""
        self.events: Final = Spool()
        """(order, seq, kind, decision)"""
        self.outbox: Final = Spool()
        """(order, sequence, node, topic, id, attempts, done, withdrawn)"""
        self.inbox: Final = Spool()
        """(order, outcome, owner)"""
        self.buried: Final[set[tuple[int, str, str]]] = set()
        """Orders cancelled before they came."""

    def check(self, source: Source, catalog: Catalog) -> Violations:
        """Read and check the tables one by one."""
        yield from self._check_ledger(source)
        yield from self._check_events(source)
        yield from self._check_outbox(source)
        yield from self._check_inbox(source, catalog)
        for tombstone in map(TombstoneRow._make, source.rows("tombstone")):
            self.buried.add(tombstone[:3])
            if tombstone.owner_id not in catalog.owners:
                place = f"tombstone {tombstone.channel}/{tombstone.external_id}"
                yield broken("reference", place, "belongs to an owner that is not there")

    def close(self) -> None:
        """Give temporary files back."""
        for each in (self.balances, self.ledger, self.events, self.outbox, self.inbox):
            each.close()

    def _check_ledger(self, source: Source) -> Violations:
        expected = 1
        add_balance, add_entry = self.balances.add, self.ledger.add
        for row in map(LedgerRow._make, source.rows("ledger")):
            if row.seq != expected:
                yield broken("I1", f"ledger {row.seq}", f"entry {expected} is missing before it")
            expected = (row.seq or 0) + 1
            add_balance(row[1:3], (row.on_hand, row.reserved, row.blocked, row.safety, 0))
            state = _STATE_OF.get(row.kind)
            if state is not None and row.order_id is not None and row.sequence is not None:
                units = row.reserved if state == RESERVED else -row.reserved
                add_entry((row.order_id, row.sequence, row.node_id, row.item_id, state, units))
            wrong = wrong_entry(row)
            if wrong:
                yield broken("I1", f"ledger {row.seq}", wrong)

    def _check_events(self, source: Source) -> Violations:
        decode = msgspec.json.Decoder(_EventBody).decode
        kinds = {kind: number for number, kind in enumerate(EVENT_KINDS)}
        last = 0
        for row in map(EventRow._make, source.rows("event")):
            place = f"event {row.seq}"
            if row.seq != last + 1:
                yield broken("events", place, f"event {last + 1} is missing before it")
            last = row.seq or 0
            try:
                body = decode(row.body)
            except msgspec.MsgspecError:
                body = _EventBody(0)
            if body.format != FORMAT:
                yield broken("format", place, f"its body is not of format {FORMAT}")
            if is_personal(row.body):
                yield broken("personal-data", place, "carries personal data")
            kind = kinds.get(row.kind)
            if kind is None:
                yield broken("events", place, f"is of the unknown kind {row.kind!r}")
            elif (row.order_id is None) != (kind == SHORTFALL):
                yield broken("events", place, f"{row.kind} is about the wrong thing")
            elif row.order_id is not None:
                self.events.add((row.order_id, last, kind, body.decision))
        for cursor in map(CursorRow._make, source.rows("cursor")):
            if not 0 <= cursor.seq <= last:
                message = f"stands at event {cursor.seq}, of {last} there are"
                yield broken("cursor", f"cursor {cursor.consumer}", message)

    def _check_outbox(self, source: Source) -> Violations:
        for row in map(OutboxRow._make, source.rows("outbox")):
            place = f"outbox {row.id}"
            if row.topic not in TOPICS:
                yield broken("I7", place, f"is about the unknown topic {row.topic!r}")
                continue
            withdrawn = row.note == "withdrawn"
            if row.attempts < 0 or (row.done_at is not None and not row.attempts and not withdrawn):
                yield broken("I7", place, "is marked as done, but was never attempted")
            done = row.done_at is not None
            key = (row.order_id, row.sequence, row.node_id, TOPICS.index(row.topic))
            self.outbox.add((*key, row.id, row.attempts, done, withdrawn))

    def _check_inbox(self, source: Source, catalog: Catalog) -> Violations:
        before: tuple[int, str, str] | None = None
        for row in map(InboxRow._make, source.rows("inbox")):
            place = f"inbox {row.source} key {row.key}"
            if row[:3] == before:
                yield broken("I10", place, "the key has two results")
            before = row[:3]
            if len(row.digest) != DIGEST_BYTES:
                yield broken("I10", place, "what came under the key is not known any more")
            if row.outcome not in OUTCOMES:
                yield broken("I10", place, f"has the unknown result {row.outcome!r}")
            elif row.order_id is not None:
                self.inbox.add((row.order_id, OUTCOMES.index(row.outcome), row.owner_id))
            elif row.outcome in ("captured", "amended"):
                yield broken("I5", place, f"was {row.outcome}, but names no order")
            if row.owner_id not in catalog.owners:
                yield broken("reference", place, "belongs to an owner that is not there")


def is_personal(body: bytes) -> bool:
    """Whether stored JSON has keys of personal data, which nothing but the person table may."""
    return b'"email":' in body or b'"phone":' in body or b'"street":' in body


def wrong_entry(row: LedgerRow) -> str:
    """What is wrong with a ledger entry by itself; empty where nothing is."""
    kind, units = row.kind, abs(row.reserved)
    signs = _SIGNS.get(kind)
    if signs is not None:
        if row.order_id is None or row.sequence is None:
            return f"{kind} without an order"
        hand, reserved, blocked = signs
        amounts = (hand * units, reserved * units, blocked * units, 0)
        fits = units > 0 and row[3:7] == amounts
    elif kind in _UNORDERED:
        if row.order_id is not None:
            return f"{kind} for an order"
        moved = [name for name in _AMOUNTS if getattr(row, name)]
        fits = bool(moved) and all(name in _UNORDERED[kind] for name in moved)
    else:
        return f"is of the unknown kind {kind!r}"
    return "" if fits else f"{kind} does not move stock like that"
