"""Taking orders in: new ones, later revisions, repeats."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from domcore.codec.stored import Bodies, Body, dump_event
from domcore.codec.text import is_text, may_hold_nul, text_problems
from domcore.errors import ConflictError, PayloadError, Problem, StoreError
from domcore.model.actor import checked_by
from domcore.model.clock import to_micros
from domcore.model.command import CaptureOrder
from domcore.model.order import Order, OrderLine, without_amounts
from domcore.model.postal import normal_destination
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.amend import MOST_TOLD, amend
from domcore.store.operations.amendments import NOTHING_KEPT, Kept, kept_of, without
from domcore.store.operations.asked import asked_of, check_holds, revision_problems
from domcore.store.operations.awaited import keep_items, unknown_lines, waiting_words
from domcore.store.operations.changing import changed_fields, nodes_at_work, tell_nodes
from domcore.store.operations.corrections import known_person, merge_revision
from domcore.store.operations.elsewhere import UNNAMED, elsewhere_of
from domcore.store.operations.holds import carry, hold_new, holds_of, standing_of, told_again
from domcore.store.operations.inbox import remember, seen_before
from domcore.store.operations.naming import Naming
from domcore.store.operations.order_work import load_work
from domcore.store.operations.troubles import revive
from domcore.store.operations.waiting import due_since
from domcore.store.protocol import Outcome
from domcore.store.rows import (
    MOST,
    NEVER,
    NOT_HELD,
    AwaitedRow,
    BodyRow,
    LineRow,
    OrderRow,
    StateRow,
)

LONGEST_NAME: Final = 255
"""Characters of what a channel calls an item."""

T = TypeVar("T")

_NO_TEXT: Final = "must be text that can be stored"
_TIMES: Final = ("placed_at", "ship_by", "deliver_by")


_NO_PROMISE: Final = (b'"deliver_by":null,', b'"ship_by":null,')
"""Quotes inside texts are escaped, so these stand for nothing but the fields."""


@frozen(slots=True)
class Arrival:
    """An order ready to be stored: SKUs resolved, and the items they are."""

    order: Order
    digest: bytes
    item_ids: dict[str, int]


class Capture:
    """Captures one command after the other into one `Changes`.

    Commands of one batch may speak of the same order, so each is applied before the next is read:
    the caller takes `changes` away, writes it, and calls again where `touched` says so.
    """

    def __init__(self, reader: Reader, bodies: Bodies, now: int, orders: Sequence[Order]) -> None:
        """Args: orders: every one that is going to be taken."""
        self.changes = Changes()
        self._reader: Final = reader
        self._bodies: Final = bodies
        self._now: Final = now
        self._kept_by_order: Final = kept_of(reader, [order.external_id for order in orders])
        self._naming: Final = Naming(reader, orders)
        self.sent_before: list[int] = []
        """New orders of which others had sent goods before they came."""
        self.returned_before: set[int] = set()
        """Orders, new or amended, of which returns are kept."""
        self._last_id: int | None = None
        self._person = b""
        self._touched: set[tuple[str, str, str]] = set()
        self._keys: set[tuple[str, str, str]] = set()

    def must_flush(self, command: CaptureOrder) -> bool:
        """Whether what was captured so far must be written before this command can be read."""
        order = command.order
        return order.key in self._touched or (order.owner, order.channel, command.key) in self._keys

    def flush(self) -> Changes:
        """Hand over what has been captured so far."""
        changes, self.changes, self._touched = self.changes, Changes(), set()
        self._keys = set()
        self._last_id = None
        return changes

    def take(self, command: CaptureOrder, owner_id: int, known: OrderRow | None) -> Outcome:
        """Capture, amend or ignore one order.

        Raises:
            ConflictError: the same revision or key with other content.
            PayloadError: double line id, quantity out of range, a name that is no text.
        """
        command = in_utc(command)
        order = command.order
        self.changes.by = checked_by(command.by)
        written = self._written(order)
        self._check_besides(command)
        if command.holds:
            check_holds(command.holds)
        self._touched.add(order.key)
        digest = _digest(written)
        if command.key:
            repeat = self._repeat(command, owner_id, known, digest)
            if repeat is not None:
                return repeat
        if known is None:
            outcome = self._capture(command, owner_id, digest, written)
        else:
            outcome = self._amend(command, owner_id, known, digest)
        if command.key:
            self._keys.add((order.owner, order.channel, command.key))
            remember(self.changes, owner_id, order.channel, command.key, digest, outcome, self._now)
        return outcome

    def _repeat(
        self, command: CaptureOrder, owner_id: int, known: OrderRow | None, digest: bytes
    ) -> Outcome | None:
        """What came of this key before."""
        order = command.order
        try:
            return seen_before(self._reader, owner_id, order.channel, command.key, digest)
        except ConflictError:
            if known is not None:
                body = BodyRow(*self._reader.select("order_body", "order_id", [known.id])[0])
                if order.revision == body.heard and self._spelled_otherwise(order, body):
                    return Outcome("duplicate", known.id)
            raise

    def _written(self, order: Order) -> bytes:
        """The order as it is kept. What cannot be read back must not be: it would stop everybody's
        routing."""
        return _kept_as(self._bodies.order, order)

    def _check_besides(self, command: CaptureOrder) -> None:
        """What is kept beside the order must be readable, too."""
        if not is_text(command.key):
            raise PayloadError("this order cannot be taken in", [Problem("$.key", _NO_TEXT)])
        if command.person is not None:
            self._person = _kept_as(self._bodies.person, command.person)

    def _arrival(self, order: Order, owner_id: int, digest: bytes) -> Arrival:
        order, item_ids = resolve_lines(self._naming, owner_id, order)
        return Arrival(order, digest, item_ids)

    def _capture(
        self, command: CaptureOrder, owner_id: int, digest: bytes, written: bytes
    ) -> Outcome:
        arrival = self._arrival(command.order, owner_id, digest)
        kept = self._kept(owner_id, command.order)
        order = without(arrival.order, kept.amendments)
        now, add = self._now, self.changes.add
        if self._last_id is None:
            self._last_id = self._reader.last_id("orders")
        self._last_id = order_id = self._last_id + 1
        if kept.elsewhere:
            self.sent_before.append(order_id)
        if kept.returns:
            self.returned_before.add(order_id)
        identity = (owner_id, order.channel, order.external_id)
        revision, held = self._reader.foretold(*identity)
        cancelled = revision is not None
        add(
            "orders",
            (
                order_id,
                owner_id,
                order.channel,
                order.external_id,
                order.number,
                to_micros(order.placed_at),
                now,
            ),
        )
        body = written if order is command.order else self._bodies.order.dump(order)
        add("bodies", (order_id, order.revision, digest, body, command.order.revision))
        lines = [
            new_line(order_id, number, line, arrival.item_ids, cancelled=cancelled)
            for number, line in enumerate(order.lines)
        ]
        self.changes.add_all("lines", list(lines))
        unknown = self._await_items(order, lines)
        due = due_since(now, to_micros(order.placed_at)) if any(row.open for row in lines) else None
        if not (command.queue or cancelled):
            due = NEVER
        state = StateRow(order_id, 1, order.revision, 0, NOT_HELD, int(cancelled), due, "")
        if command.person is not None:
            add("persons", (order_id, self._person, b""))
        told = _captured_event(order, unknown)
        add("events", (None, "order.captured", order_id, now, told))
        if held or command.holds:
            asked = asked_of(self._reader, identity, now, self.changes.by)
            asked.tell_whole(command.holds, command.order.revision)
            state = hold_new(self.changes, state, to_micros(order.placed_at), lines, asked, now)
        add("states", state)
        if cancelled:
            body = dump_event({"units": 0, "requested": 0, "reason": "cancelled before it came"})
            add("events", (None, "order.cancelled", order_id, now, body))
            if revision is not None and command.queue and 0 < revision < order.revision:
                revive(self._reader, self.changes, order_id, order, now)
            return Outcome("cancelled", order_id, "it had been cancelled before it came")
        return Outcome("captured", order_id, waiting_words(unknown))

    def _await_items(self, order: Order, rows: Sequence[LineRow]) -> list[OrderLine]:
        """Note the lines of a new order whose item is not known."""
        found = []
        for row, line in zip(rows, order.lines, strict=True):
            if row.item_id is None and row.wanted:
                self.changes.add("awaited_items", AwaitedRow(row.order_id, row.line_no, line.sku))
                found.append(line)
        return found

    def _amend(
        self, command: CaptureOrder, owner_id: int, known: OrderRow, digest: bytes
    ) -> Outcome:
        order = command.order
        (found,) = self._reader.select("order_body", "order_id", [known.id])
        body = BodyRow(*found)
        if order.revision < body.heard:
            return Outcome("stale", known.id, f"revision {body.heard} is known already")
        if order.revision == body.heard:
            if digest != body.digest and not self._spelled_otherwise(command.order, body):
                raise ConflictError(
                    f"{order.channel}/{order.external_id}: revision {order.revision} came twice "
                    "with different content"
                )
            return told_again(self._reader, self.changes, known, command, self._now)
        before = self._bodies.order.load(body.body)
        arrival = self._arrival(order, owner_id, digest)
        work = load_work(self._reader, self.changes, [known.id])[known.id]
        after = evolve(arrival.order, lines=merged_lines(before, arrival.order))
        told_before = self._kept(owner_id, order)
        if told_before.returns:
            self.returned_before.add(known.id)
        after = without(after, told_before.amendments, after=body.revision)
        known_as = known_person(self._reader, self._bodies, known.id).person
        after, person, over = merge_revision(
            self._reader, self._bodies, self.changes, known.id, after, command.person
        )
        after, kept = keep_items(before, after, work.lines, arrival.item_ids)
        asked, placed = standing_of(self._reader, known, work, self._now)
        asked.tell_whole(holds_of(command, work), order.revision)
        shipments = told_before.elsewhere
        sent = elsewhere_of(self._reader, self._bodies, work, after, shipments, self._now)
        told = amend(
            work, before, after, arrival.item_ids, self._now,
            cart=not command.queue, asked=asked, judged=bool(placed), sent=sent,
        )  # fmt: skip
        unknown = [line for _, line in unknown_lines(after.lines, work.lines)]
        if kept:
            told["kept"] = kept[:MOST_TOLD]
        if unknown:
            told["unknown"] = _named(unknown)
        if over:
            told["over"] = over[:MOST_TOLD]
        add = self.changes.add
        add("old_bodies", body[:4])
        dumped = self._bodies.order.dump(after)
        add("bodies", (known.id, after.revision, digest, dumped, order.revision))
        add("order_numbers", (after.number, to_micros(after.placed_at), known.id))
        at_work = nodes_at_work(work)
        moved = ["destination or service"] if told["elsewhere"] else []
        changed = moved + changed_fields(known_as, person) if at_work else []
        if changed:
            told["changed"] = changed
            moves, revision = told["elsewhere"], after.revision
            tell_nodes(self._reader, work, at_work, changed, revision, self._now, stops=moves)
        add("events", (None, "order.amended", known.id, self._now, dump_event(told)))
        carry(work, asked, after.revision, self._now)
        if work.state.cancelled and command.queue:
            revive(self._reader, self.changes, known.id, after, self._now)
        if sent is not None:
            sent.tell(UNNAMED)
        return Outcome("amended", known.id, waiting_words(unknown))

    def _spelled_otherwise(self, order: Order, body: BodyRow) -> bool:
        """Whether a revision differs from the stored one only in how its postal code is written, or
        in that it tells what the customer paid, which the stored one does not.

        Channels have not always cut codes at the same character, nor told amounts, and the same
        order may come by a webhook and a pull.
        """
        if body.revision != body.heard:
            return False
        stored = self._bodies.order.load(body.body)
        if without_amounts(stored) == stored:
            order = without_amounts(order)
            if _digest(self._bodies.order.dump(order)) == body.digest:
                return True
        known = stored.destination
        if known is None or order.destination is None:
            return False
        old, new = normal_destination(known), normal_destination(order.destination)
        if evolve(old, postal="") != evolve(new, postal=""):
            return False
        if not (old.postal.startswith(new.postal) or new.postal.startswith(old.postal)):
            return False
        return _digest(self._bodies.order.dump(evolve(order, destination=known))) == body.digest

    def _kept(self, owner_id: int, order: Order) -> Kept:
        """What came for this order before."""
        key = (owner_id, order.channel, order.external_id)
        return self._kept_by_order.get(key, NOTHING_KEPT)


def _digest(body: bytes) -> bytes:
    """SHA-256 of an order's content. What it does not promise is left out, so that an order taken
    in before there were promises is still known when it is delivered again."""
    for nothing in _NO_PROMISE:
        body = body.replace(nothing, b"", 1)
    return hashlib.sha256(body).digest()


def _captured_event(order: Order, unknown: Sequence[OrderLine]) -> bytes:
    units = sum(line.quantity for line in order.lines if line.ships)
    body = {
        "owner": order.owner,
        "channel": order.channel,
        "revision": order.revision,
        "lines": len(order.lines),
        "units": units,
        "value": order.value,
        "currency": order.currency,
    }
    return dump_event({**body, "unknown": _named(unknown)} if unknown else body)


def _named(lines: Sequence[OrderLine]) -> list[tuple[str, str]]:
    """``(line id, name)`` of lines whose item is not known, so many of them."""
    return [(line.id, line.sku) for line in lines[:MOST_TOLD]]


def new_line(
    order_id: int,
    number: int,
    line: OrderLine,
    item_ids: Mapping[str, int],
    *,
    cancelled: bool = False,
) -> LineRow:
    """A line's first buckets: all open, or all cancelled; none where nothing is shipped. A line
    whose item is not known is open, too: it waits for its item."""
    if not line.ships or not line.quantity:
        item_id = item_ids.get(line.sku) if line.ships else None
        return LineRow(order_id, number, item_id, 0, 0, 0, 0, 0, 0)
    units, item_id = line.quantity, item_ids.get(line.sku)
    if cancelled:
        return LineRow(order_id, number, item_id, units, 0, 0, 0, units, units)
    return LineRow(order_id, number, item_id, units, units, 0, 0, 0, units)


def merged_lines(before: Order, after: Order) -> tuple[OrderLine, ...]:
    """The lines of `after`, each where `before` had it; removed ones stay, wanting nothing."""
    coming = {line.id: line for line in after.lines}
    gone = {line.id: evolve(line, quantity=0) for line in before.lines if line.id not in coming}
    kept = [gone.get(line.id) or coming.pop(line.id) for line in before.lines]
    return (*kept, *coming.values())


def resolve_lines(naming: Naming, owner_id: int, order: Order) -> tuple[Order, dict[str, int]]:
    """Replace the channel's item ids by SKUs, and look the items up; a name that is none of either
    stays as it came.

    Raises:
        PayloadError: every line that cannot be taken in.
    """
    names = list(dict.fromkeys(line.sku for line in order.lines if line.ships))
    aliases, item_ids = naming.find(owner_id, order, names) if names else ({}, {})
    problems = revision_problems(order.revision)
    seen: set[str] = set()
    for number, line in enumerate(order.lines):
        path = f"$.lines[{number}]"
        if line.id in seen:
            problems.append(Problem(f"{path}.id", "another line has the same id"))
        seen.add(line.id)
        if type(line.quantity) is not int or not 0 <= line.quantity <= MOST:
            problems.append(Problem(f"{path}.quantity", f"must be between 0 and {MOST}"))
        if line.ships and not (is_text(line.sku) and len(line.sku) <= LONGEST_NAME):
            problems.append(Problem(f"{path}.sku", f"must be text of {LONGEST_NAME} characters"))
    if problems:
        raise PayloadError(
            f"order {order.channel}/{order.external_id} cannot be taken in", problems
        )
    if aliases:
        order = evolve(order, lines=_renamed(order.lines, aliases))
    return order, item_ids


def _kept_as(body: Body[T], value: T) -> bytes:
    """What is written of an order or of a person, once it is known that it can be read again.

    Raises:
        PayloadError: a field is not of its type, or a text cannot be stored.
    """
    problems: list[Problem] = []
    try:
        written = body.dump(value)
        if may_hold_nul(written):
            problems = list(text_problems(value))
        if not problems:
            body.load(written)
            return written
    except UnicodeEncodeError:
        problems = list(text_problems(value))
    except (StoreError, TypeError, ValueError):
        pass
    kind = type(value).__name__
    untyped = Problem("$", f"a field is not of its type; see domcore.model.{kind}")
    raise PayloadError("this order cannot be taken in", problems or [untyped])


def in_utc(command: CaptureOrder) -> CaptureOrder:
    """The same command with the times of its order in UTC, so that equal times are equal content.

    Raises:
        PayloadError: what is given as a time is none, or says no zone.
    """
    order = command.order
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in _TIMES:
        at = getattr(order, name)
        if at is None and name != "placed_at":
            continue
        if not isinstance(at, datetime):
            problems.append(Problem(f"$.{name}", "must be a time"))
        elif at.utcoffset() is None:
            problems.append(Problem(f"$.{name}", "must say its time zone"))
        elif at.tzinfo is not UTC:
            changes[name] = _to_utc(at, name, problems)
    if problems:
        raise PayloadError("this order cannot be taken in", problems)
    return evolve(command, order=evolve(order, **changes)) if changes else command


def _to_utc(at: datetime, name: str, problems: list[Problem]) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        problems.append(Problem(f"$.{name}", "is beyond the years that exist"))
        return at


def _renamed(lines: Sequence[OrderLine], aliases: Mapping[str, str]) -> tuple[OrderLine, ...]:
    return tuple(
        evolve(line, sku=aliases[line.sku]) if line.ships and line.sku in aliases else line
        for line in lines
    )
