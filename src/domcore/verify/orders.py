"""One order by itself: whole, its buckets, its holds, its place in the queue, its events."""

from __future__ import annotations

from collections import Counter
from typing import Final

from domcore.codec.stored import FORMAT, Bodies
from domcore.errors import StoreError
from domcore.model import Order
from domcore.model.clock import to_micros
from domcore.model.policy import HOLD_STAGES
from domcore.store.rows import FREED, HELD_ROUTE, MOST, NEVER, NOT_HELD, OPEN, SHIPPED, LineRow
from domcore.verify.catalog import Catalog
from domcore.verify.dossier import Dossier, Read
from domcore.verify.movements import (
    AMENDED,
    APPROVED,
    CANCELLED,
    CAPTURED,
    DIGEST_BYTES,
    EVENT_KINDS,
    EXCEPTION,
    EXTENDED,
    HELD,
    HOLD_LIFTED,
    HOLD_PLACED,
    KEPT,
    LET_GO,
    NOTICE,
    OUTCOMES,
    REJUDGED,
    RESERVATION,
    RETURN_AUTHORIZED,
    RETURN_CLOSED,
    ROUTED,
    RUN_OUT,
    SENT,
    SHORT,
    Movements,
    is_personal,
)
from domcore.verify.returns import check_returns
from domcore.verify.violation import Violation, Violations, broken
from domcore.verify.waiting import check_waiting

DECIDED: Final = frozenset((HELD, RESERVATION, ROUTED, SHORT))
"""Events that a decision writes, one each."""

_CAPTURED_OUTCOME: Final = OUTCOMES.index("captured")


class OrderChecks:
    """Checks of one order after the other."""

    def __init__(self, catalog: Catalog, movements: Movements) -> None:
        self._catalog: Final = catalog
        self._buried: Final = movements.buried
        self._load: Final = Bodies().order.load

    def read(self, papers: Dossier) -> Read | Violation:
        """The order, where it is whole and can be read."""
        missing = []
        if len(papers.states) != 1:
            missing.append("state")
        if len(papers.bodies) != 1:
            missing.append("body")
        if not papers.events or papers.events[0][2] != CAPTURED:
            missing.append("order.captured as its first event")
        if missing:
            return broken("I5", papers.place, f"is half written, without {', '.join(missing)}")
        try:
            body = self._load(papers.bodies[0].body)
        except StoreError:
            return broken("format", papers.place, f"its body is no order of format {FORMAT}")
        return Read(papers, papers.place, papers.states[0], body)

    def check(self, found: Read) -> Violations:
        """What can be said of an order before its decisions are looked at."""
        yield from self._check_identity(found)
        yield from self._check_revisions(found)
        yield from self._check_lines(found)
        yield from check_queue(found)
        yield from check_waiting(found)
        if found.papers.holds:
            yield from check_holds(found)
        yield from check_events(found)
        if found.papers.returns or found.papers.brought:
            kinds = [kind for _, _, kind, _ in found.papers.events]
            told = map(kinds.count, (RETURN_AUTHORIZED, RETURN_CLOSED, SENT))
            yield from check_returns(found, *told)
        if found.papers.inbox:
            yield from self._check_inbox(found)

    def _check_identity(self, found: Read) -> Violations:
        row, body, place = found.papers.order, found.body, found.place
        if row.owner_id not in self._catalog.owners:
            yield broken("reference", place, "belongs to an owner that is not there")
        key = (self._catalog.owners.get(row.owner_id), row.channel, row.external_id)
        if body.key != key or (body.number, to_micros(body.placed_at)) != row[4:6]:
            yield broken("reference", place, "its body is that of another order")
        if not found.state.cancelled and self._buried and row[1:4] in self._buried:
            yield broken("I9", place, "was cancelled before it came, and lives")

    def _check_revisions(self, found: Read) -> Violations:
        stored, place = found.papers.bodies[0], found.place
        if not found.state.revision == stored.revision == found.body.revision:
            yield broken("I9", place, "its state and its body are of different revisions")
        for _, revision, digest, text in [stored[:4], *found.papers.revisions]:
            if len(digest) != DIGEST_BYTES:
                yield broken("I10", place, f"the content of revision {revision} is not known")
            if is_personal(text):
                yield broken("personal-data", place, f"revision {revision} carries it")
        for row in found.papers.revisions:
            if row.revision >= stored.revision:
                yield broken("I9", place, f"revision {row.revision} was replaced by an older one")
            try:
                self._load(row.body)
            except StoreError:
                yield broken("format", place, f"revision {row.revision} cannot be read")

    def _check_lines(self, found: Read) -> Violations:
        papers, body = found.papers, found.body
        if [line.line_no for line in papers.lines] != list(range(len(body.lines))):
            yield broken("I6", found.place, "its lines are not those of its body")
            return
        # Units that left after they had been given back may be on their way from elsewhere, too.
        amended = bool(papers.revisions) or any(
            row[2] in (EXCEPTION, SENT) for row in papers.events
        )
        held: dict[tuple[int, int], int] = {}
        for sent in papers.elsewhere:
            held[sent.line_no, SHIPPED] = held.get((sent.line_no, SHIPPED), 0) + sent.units
        for _, _, line_no, _, _, _, quantity, state, _ in papers.reservations:
            held[line_no, state] = held.get((line_no, state), 0) + quantity
        for line in papers.lines:
            wrong = wrong_line(line, held, cancelled=bool(found.state.cancelled))
            if not wrong:
                wrong = self._wrong_demand(line, body, papers.order.owner_id, amended=amended)
            if wrong:
                yield broken("I6", f"{found.place} line {line.line_no}", wrong)
        yield from check_awaited(found)

    def _wrong_demand(self, line: LineRow, body: Order, owner_id: int, *, amended: bool) -> str:
        wanted = body.lines[line.line_no]
        quantity = wanted.quantity if wanted.ships else 0
        if line.wanted != quantity:
            return f"{line.wanted} units are wanted, {quantity} were ordered"
        # More than is wanted is only there while a node has not given back what it was sent.
        over = line.ordered - quantity
        if over < 0 or (over and (line.open or not amended)):
            return f"{line.ordered} units are accounted for, {quantity} were ordered"
        if not quantity:
            return ""
        if line.item_id is None and not (line.allocated or line.shipped):
            return ""  # its item is not known: see `_check_awaited`
        if line.item_id is None or self._catalog.items.owner_of(line.item_id) != owner_id:
            return "is for no item of its owner"
        if not self._catalog.items.is_called(line.item_id, wanted.sku):
            return "is for another item than was ordered"
        return ""

    def _check_inbox(self, found: Read) -> Violations:
        captured = 0
        for _, outcome, owner_id in found.papers.inbox:
            captured += outcome == _CAPTURED_OUTCOME
            if owner_id != found.papers.order.owner_id:
                yield broken("I10", found.place, "a key of another owner led to it")
        if captured > 1:
            yield broken("I10", found.place, f"was captured {captured} times under different keys")


def wrong_line(line: LineRow, held: dict[tuple[int, int], int], *, cancelled: bool) -> str:
    """What is wrong with a line's buckets; empty where nothing is."""
    line_no, ordered = line.line_no, line.ordered
    buckets = (line.open, line.allocated, line.shipped, line.cancelled)
    if min(buckets) < 0 or not 0 <= ordered <= MOST or sum(buckets) != ordered:
        return f"its buckets {buckets} do not add up to {ordered}"
    if line.allocated != held.get((line_no, OPEN), 0):
        units = held.get((line_no, OPEN), 0)
        return f"{line.allocated} units are allocated, {units} are reserved"
    if line.shipped != held.get((line_no, SHIPPED), 0):
        units = held.get((line_no, SHIPPED), 0)
        return f"{line.shipped} units have left, by the reservations and what others sent {units}"
    if cancelled and line.open:
        return f"{line.open} units are open, but the order is cancelled"
    return ""


def check_awaited(found: Read) -> Violations:
    """Whether exactly the lines without an item wait for one, each by the name it came with."""
    wanted = {
        line.line_no: found.body.lines[line.line_no].sku
        for line in found.papers.lines
        if line.item_id is None and line.wanted
    }
    noted = {row.line_no: row.name for row in found.papers.awaited}
    for number in sorted(wanted.keys() | noted.keys()):
        if wanted.get(number) != noted.get(number):
            place = f"{found.place} line {number}"
            what = "has no item" if number in wanted else "has one, or needs none"
            yield broken("I6", place, f"{what}, and waits for {noted.get(number)!r:.100}")


def check_queue(found: Read) -> Violations:
    """Whether the order stands in the queue exactly where it should be routed."""
    state, place = found.state, found.place
    units = sum(line.open for line in found.papers.lines)
    cart = state.retry_at == NEVER
    if state.retry_at is not None:
        if not (units or cart):
            yield broken("I9", place, "queues for routing, but nothing is open")
        if (state.hold and not cart) or state.cancelled:
            yield broken("I9", place, "queues for routing, but is held or cancelled")
    elif units and not (state.hold or state.cancelled or state.reason):
        yield broken("I9", place, f"{units} units are open, and nothing will ever route them")
    if state.cancelled and state.hold:
        yield broken("I9", place, "is cancelled and held")


def check_holds(found: Read) -> Violations:
    """Whether the order is held exactly as sternly as its unapproved holds say."""
    state, place = found.state, found.place
    standing = set()
    for hold in found.papers.holds:
        if hold.stage not in HOLD_STAGES:
            yield broken("I9", place, f"hold {hold.code} is at the unknown stage {hold.stage!r}")
        if (hold.approved_at is None) != (hold.approved_by is None):
            yield broken("I9", place, f"hold {hold.code} is half approved")
        if hold.revision > state.revision:
            yield broken("I9", place, f"hold {hold.code} is of a revision that has not come")
        if hold.revision == state.revision and hold.approved_at is None:
            standing.add(hold.stage)
    if state.hold and ("route" if state.hold == HELD_ROUTE else "release") not in standing:
        yield broken("I9", place, "is held, but no such hold stands")


def check_events(found: Read) -> Violations:
    """Whether the events tell the same story as the order's state."""
    papers, state, place = found.papers, found.state, found.place
    if not papers.holds and state.hold != NOT_HELD:
        yield broken("I9", place, "is held, but no such hold stands")
    told = [decision for _, _, kind, decision in papers.events if kind in DECIDED]
    made = len(papers.decisions)
    if len(told) != made:
        yield broken("events", place, f"tell of {len(told)} decisions, there are {made}")
    elif any(number not in (0, at) for at, number in enumerate(told, 1)):
        yield broken("events", place, "tell of its decisions in another order")
    counts = Counter([kind for _, _, kind, _ in papers.events])
    for kind, expected in (
        (CAPTURED, 1),
        (AMENDED, len(papers.revisions)),
        (CANCELLED, state.cancelled),
    ):
        if counts[kind] != expected:
            message = f"{counts[kind]} events {EVENT_KINDS[kind]}, there should be {expected}"
            yield broken("events", place, message)
    yield from _check_version(found, counts)


def _check_version(found: Read, counts: Counter[int]) -> Violations:
    """Every change of an order moves its version by one; most of them leave an event. Stock that
    has gone frees reservations without one: their ledger entries bound the version from above."""
    moving = (*DECIDED, AMENDED, APPROVED, REJUDGED, RUN_OUT, KEPT, LET_GO, EXTENDED)
    steps = sum(count for kind, count in counts.items() if kind in moving or kind >= NOTICE)
    freed = sum(1 for entry in found.papers.ledger if entry[4] == FREED)
    # One notice may leave two: goods that left after they had been given back are an exception.
    # Holds are placed and lifted by themselves, or with a revision or a capture.
    held = counts[HOLD_PLACED] + counts[HOLD_LIFTED]
    least, most = 1 + steps - counts[EXCEPTION], 1 + steps + counts[CANCELLED] + freed + held
    most += counts[SENT]
    version = found.state.version
    if not least <= version <= most:
        message = f"is at version {version}; what happened to it makes it {least} to {most}"
        yield broken("I9", found.place, message)
