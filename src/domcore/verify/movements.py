"""One pass over each table that is in order of time: it is checked, and sorted by order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from domcore.codec.stored import FORMAT
from domcore.model import FULFILLMENT_STATUSES
from domcore.model.actor import MOST_OF_BY
from domcore.store.rows import (
    EXPIRED,
    FREED,
    SHIPPED,
    EventRow,
    InboxRow,
    LedgerRow,
    OutboxRow,
    TombstoneRow,
)
from domcore.verify.catalog import Catalog
from domcore.verify.handing import check_consumers, check_entry, stragglers_by_event
from domcore.verify.news import NewsReader, check_item_exclusions
from domcore.verify.receipts import TOLD, Receipts
from domcore.verify.returns import sort_returns
from domcore.verify.seals import Chains
from domcore.verify.source import Source
from domcore.verify.spool import Spool, Tally
from domcore.verify.troubles import RAISED, SETTLED, sort_trouble
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
    "shortfall": ("on_hand", "blocked"),
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
    "stock.low",
    "stock.over",
    "stock.steady",
    "order.kept",
    "order.freed",
    "reservation.extended",
    "fulfillment.unknown",
    "work.parked",
    "return.authorized",
    "return.received",
    "return.closed",
    "order.rejudged",
    "rules.changed",
    "work.moved",
    "order.rerouted",
    "work.rescheduled",
    "hold.placed",
    "hold.lifted",
    "trouble.raised",
    "trouble.settled",
    "order.recalled",
    "order.shipped_elsewhere",
    *(f"fulfillment.{status}" for status in FULFILLMENT_STATUSES),
)
CAPTURED, AMENDED, HELD, APPROVED, ROUTED, RESERVATION, SHORT, CANCELLED, RUN_OUT = range(9)
ORDERLESS: Final = frozenset(
    number
    for number, kind in enumerate(EVENT_KINDS)
    if kind.startswith("stock.") or kind in ("work.rescheduled", "rules.changed")
)
"""The kinds that are about no order: the news of stock, of the clock and of the rules."""
KEPT: Final = EVENT_KINDS.index("order.kept")
REJUDGED: Final = EVENT_KINDS.index("order.rejudged")
LET_GO: Final = EVENT_KINDS.index("order.freed")
EXTENDED: Final = EVENT_KINDS.index("reservation.extended")
RETURN_AUTHORIZED: Final = EVENT_KINDS.index("return.authorized")
RETURN_CLOSED: Final = EVENT_KINDS.index("return.closed")
HOLD_PLACED: Final = EVENT_KINDS.index("hold.placed")
HOLD_LIFTED: Final = EVENT_KINDS.index("hold.lifted")
TROUBLE: Final = tuple(EVENT_KINDS.index(kind) for kind in (RAISED, SETTLED))
"""The kinds about trouble that people must look at."""
PARKED: Final = EVENT_KINDS.index("work.parked")
"""May be about an order or about none."""
MOVED: Final = EVENT_KINDS.index("work.moved")
SENT: Final = EVENT_KINDS.index("order.shipped_elsewhere")
EXCEPTION: Final = EVENT_KINDS.index("fulfillment.exception")
NOTICE: Final = EVENT_KINDS.index("fulfillment.requested")
"""The first of the kinds that report a node's word on its work."""

TOPICS: Final = ("release", "cancel", "change")
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
    "kept",
    "freed",
    "nothing",
    "authorized",
    "received",
    "held",
    "lifted",
    "closed",
    "moved",
    "asked",
    "rerouted",
)

DIGEST_BYTES: Final = 32


class _EventBody(msgspec.Struct):
    format: int
    decision: int = 0


class Movements:
    """What happened, by order: filled by `check`, read once."""

    def __init__(self) -> None:
        self.entries = 0
        """How many the ledger has."""
        self.balances: Final = Tally(2)
        """(item, node) -> on hand, reserved, blocked, safety by the ledger, units in open
        reservations, missing and unfit by the ledger."""
        self.ledger: Final = Spool()
        """(order, sequence, node, item, state, units)"""
        self.events: Final = Spool()
        """(order, seq, kind, decision)"""
        self.outbox: Final = Spool()
        """(order, sequence, node, topic, id, attempts, done, withdrawn)"""
        self.inbox: Final = Spool()
        """(order, outcome, owner)"""
        self.returns: Final = Spool()
        """(order, return, line, units, received, on hand, closed)"""
        self.brought: Final = Spool()
        """(order, units that a return brought on hand)"""
        self.taken: Final = Spool()
        """(order, item, node, units that others have taken from a shelf)"""
        self.news: Final = Spool()
        """See `domcore.verify.news.NewsReader`."""
        self.troubles: Final = Spool()
        """See `domcore.verify.troubles.sort_trouble`."""
        self.receipts: Final = Receipts()
        """What returns say, and what was told of them."""
        self.chains: Final = Chains()
        """What happened, to be held against the orders' chains."""
        self.buried: Final[set[tuple[int, str, str]]] = set()
        """Orders cancelled before they came."""

    def check(self, source: Source, catalog: Catalog) -> Violations:
        """Read and check the tables one by one."""
        yield from self._check_ledger(source)
        yield from self._check_events(source)
        yield from self._check_outbox(source)
        yield from self._check_inbox(source, catalog)
        yield from check_item_exclusions(source, catalog)
        yield from sort_returns(source, catalog, self.returns, self.receipts)
        for tombstone in map(TombstoneRow._make, source.rows("tombstone")):
            self.buried.add(tombstone[:3])
            if tombstone.owner_id not in catalog.owners:
                place = f"tombstone {tombstone.channel}/{tombstone.external_id}"
                yield broken("reference", place, "belongs to an owner that is not there")

    def close(self) -> None:
        """Give temporary files back."""
        self.balances.close()
        for each in (
            self.ledger,
            self.events,
            self.outbox,
            self.inbox,
            self.returns,
            self.brought,
            self.taken,
        ):
            each.close()
        self.news.close()
        self.troubles.close()
        self.chains.close()
        self.receipts.close()

    def _check_ledger(self, source: Source) -> Violations:
        expected = 1
        add_balance, add_entry = self.balances.add, self.ledger.add
        for row in map(LedgerRow._make, source.rows("ledger")):
            if row.seq != expected:
                yield broken("I1", f"ledger {row.seq}", f"entry {expected} is missing before it")
            expected = (row.seq or 0) + 1
            self.entries = row.seq or 0
            short = (row.on_hand, -row.blocked) if row.kind == "shortfall" else (0, 0)
            amounts = (row.on_hand, row.reserved, row.blocked, row.safety, 0)
            add_balance(row[1:3], (*amounts, *short))
            state = _STATE_OF.get(row.kind)
            if state is not None and row.order_id is not None and row.sequence is not None:
                units = row.reserved if state == RESERVED else -row.reserved
                add_entry((row.order_id, row.sequence, row.node_id, row.item_id, state, units))
            if row.order_id is not None:
                self.chains.add("ledger", row.order_id, row)
            if row.kind == "return" and row.order_id is not None:
                self.brought.add((row.order_id, row.on_hand))
            if row.kind == "elsewhere" and row.order_id is not None:
                self.taken.add((row.order_id, row.item_id, row.node_id, -row.on_hand))
            wrong = wrong_entry(row)
            if wrong:
                yield broken("I1", f"ledger {row.seq}", wrong)

    def _check_events(self, source: Source) -> Violations:
        decode, news = msgspec.json.Decoder(_EventBody).decode, NewsReader()
        kinds = {kind: number for number, kind in enumerate(EVENT_KINDS)}
        last, behind = 0, stragglers_by_event(source)
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
            if len(row.by) > MOST_OF_BY or not row.by.isprintable():
                yield broken("events", place, "who caused it is no name")
            if row.order_id is not None:
                self.chains.add("event", row.order_id, row)
                if row.kind in TOLD:
                    yield from self.receipts.add_event(row)
            kind = kinds.get(row.kind)
            if kind is None:
                yield broken("events", place, f"is of the unknown kind {row.kind!r}")
            elif kind != PARKED and (row.order_id is None) != (kind in ORDERLESS):
                yield broken("events", place, f"{row.kind} is about the wrong thing")
            elif row.order_id is not None:
                self.events.add((row.order_id, last, kind, body.decision))
                if kind >= NOTICE or kind == MOVED:
                    yield from news.add(row, self.news)
                elif kind in TROUBLE:
                    yield from sort_trouble(row, self.troubles)
            for consumer, about in behind.get(last, ()):
                if about != row.order_id:
                    place = f"straggler {consumer} {last}"
                    yield broken("reference", place, "names another order than its event")
        yield from check_consumers(source, last)

    def _check_outbox(self, source: Source) -> Violations:
        for row in map(OutboxRow._make, source.rows("outbox")):
            place = f"outbox {row.id}"
            if row.topic not in TOPICS:
                yield broken("I7", place, f"is about the unknown topic {row.topic!r}")
                continue
            withdrawn = row.note == "withdrawn"
            if row.attempts < 0 or (row.done_at is not None and not row.attempts and not withdrawn):
                yield broken("I7", place, "is marked as done, but was never attempted")
            yield from check_entry(row)
            done = row.done_at is not None
            key = (row.order_id, row.sequence, row.node_id, TOPICS.index(row.topic))
            # A release that was revived by hand has no attempts, but may have been handed over.
            attempted = row.attempts or int(row.called_at is not None)
            self.outbox.add((*key, row.id, attempted, done, withdrawn))

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


_PERSONAL: Final = tuple(
    b'"%s":' % name for name in (b"email", b"phone", b"street", b"gift_message", b"instructions")
)


def is_personal(body: bytes) -> bool:
    """Whether stored JSON has keys of personal data, which nothing but the person table may."""
    return any(key in body for key in _PERSONAL)


def _amounts(
    kind: str, signs: tuple[int, int, int], units: int
) -> Iterator[tuple[int, int, int, int]]:
    """How so many units may move: news that turns out otherwise moves them back, and goods that a
    later count has seen gone do not leave once more."""
    hand, reserved, blocked = signs
    for sign in (1, -1) if kind in ("free", "block", "ship") else (1,):
        yield (hand * units * sign, reserved * units * sign, blocked * units * sign, 0)
        if kind == "ship":
            yield (0, reserved * units * sign, 0, 0)


def wrong_entry(row: LedgerRow) -> str:
    """What is wrong with a ledger entry by itself; empty where nothing is."""
    kind, units = row.kind, abs(row.reserved)
    signs = _SIGNS.get(kind)
    if kind == "return":
        if row.order_id is None:
            return "return without an order"
        fits = row.on_hand > 0 and row[4:7] in ((0, 0, 0), (0, row.on_hand, 0))
    elif kind == "elsewhere":
        if row.order_id is None or row.sequence is not None:
            return "elsewhere without an order, or by a decision"
        fits = row.on_hand != 0 and row[4:7] == (0, 0, 0)
    elif signs is not None:
        if row.order_id is None or row.sequence is None:
            return f"{kind} without an order"
        fits = units > 0 and row[3:7] in _amounts(kind, signs, units)
    elif kind in _UNORDERED:
        if row.order_id is not None:
            return f"{kind} for an order"
        moved = [name for name in _AMOUNTS if getattr(row, name)]
        fits = bool(moved) and all(name in _UNORDERED[kind] for name in moved)
    else:
        return f"is of the unknown kind {kind!r}"
    return "" if fits else f"{kind} does not move stock like that"
