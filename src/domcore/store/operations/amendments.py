"""Amendments that tell only a difference: kept by name, taken off whichever whole order is told.

What an order wants is what its latest whole revision says, less every amendment that is later than
that revision. Both only ever grow, so they may come in any order and end in the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from attrs import evolve, field, frozen

from domcore.codec.stored import Bodies, dump_event
from domcore.codec.text import is_text
from domcore.errors import ConflictError, PayloadError, Problem, StoreError, StoreReason
from domcore.model.command import AmendOrder
from domcore.model.order import Order
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.amend import amend
from domcore.store.operations.awaited import replace_body
from domcore.store.operations.corrections import Corrections
from domcore.store.operations.elsewhere import UNNAMED, elsewhere_of
from domcore.store.operations.holds import carry, standing_of
from domcore.store.operations.order_work import load_work
from domcore.store.protocol import Outcome
from domcore.store.rows import MOST, AmendmentRow, BodyRow, ElsewhereRow, OrderRow

LATEST: Final = 2**62
"""The latest revision an amendment may have: stored revisions count on from there."""

Identity = tuple[int, str, str]
"""(owner id, channel, external id)"""


def checked_lines(command: AmendOrder) -> tuple[tuple[str, int], ...]:
    """The lines of an amendment in one spelling: by line id, each once, with something to take.

    Raises:
        PayloadError: every bad field.
    """
    problems = [
        Problem(f"$.{name}", "must be text")
        for name in ("owner", "channel", "external_id", "name", "reason", "key")
        if not is_text(getattr(command, name))
    ]
    if command.name == "":
        problems.append(Problem("$.name", "must be the channel's id of the edit or refund"))
    if type(command.revision) is not int or not 0 <= command.revision <= LATEST:
        problems.append(Problem("$.revision", "must be a whole number from 0 to 2^62"))
    lines = command.lines if type(command.lines) in (tuple, list) else ()
    if lines is not command.lines:
        problems.append(Problem("$.lines", "must be a list"))
    taken: dict[str, int] = {}
    for number, line in enumerate(lines):
        path = f"$.lines[{number}]"
        if type(line) not in (tuple, list) or len(line) != 2 or not is_text(line[0]):
            problems.append(Problem(path, "must be a line id and a number of units"))
        elif type(line[1]) is not int or not 0 <= line[1] <= MOST:
            problems.append(Problem(path, f"units must be between 0 and {MOST}"))
        else:
            taken[line[0]] = taken.get(line[0], 0) + line[1]
            if taken[line[0]] > MOST:
                problems.append(Problem(path, f"takes more than {MOST} units off a line"))
    if problems:
        raise PayloadError("this amendment cannot be taken in", problems)
    return tuple((line_id, units) for line_id, units in sorted(taken.items()) if units)


@frozen(slots=True)
class Kept:
    """What has come of one order besides whole orders, and is kept for those to come."""

    amendments: list[AmendmentRow] = field(factory=list)
    elsewhere: list[ElsewhereRow] = field(factory=list)
    returns: list[Identity] = field(factory=list)
    """Once for each command of a return that waits."""


NOTHING_KEPT: Final = Kept()


def kept_of(reader: Reader, external_ids: Iterable[str]) -> dict[Identity, Kept]:
    """All that is kept for orders of these external ids."""
    found: dict[Identity, Kept] = {}
    amendments, elsewhere, returns = reader.kept(list(dict.fromkeys(external_ids)))
    for amendment in map(AmendmentRow._make, amendments):
        found.setdefault(amendment[:3], Kept()).amendments.append(amendment)
    for row in map(ElsewhereRow._make, elsewhere):
        found.setdefault(row[:3], Kept()).elsewhere.append(row)
    for identity in returns:
        found.setdefault(identity, Kept()).returns.append(identity)
    return found


def without(order: Order, amendments: Sequence[AmendmentRow], *, after: int = -1) -> Order:
    """A whole order less what amendments later than it have taken off.

    Its revision becomes later than `after`, and than none of those amendments.
    """
    later = [row for row in amendments if row.revision > order.revision]
    taken: dict[str, int] = {}
    for row in later:
        for line_id, units in read_lines(row.body):
            taken[line_id] = taken.get(line_id, 0) + units
    revision = max(order.revision, after + 1, *(row.revision for row in later), 0)
    if not taken and revision == order.revision:
        return order
    return evolve(_less(order, taken), revision=revision)


def read_lines(body: bytes) -> list[tuple[str, int]]:
    """The lines of a kept amendment.

    Raises:
        StoreError: they are damaged.
    """
    try:
        return msgspec.json.decode(body, type=list[tuple[str, int]])
    except msgspec.MsgspecError:
        raise StoreError(
            "a stored amendment is damaged; run `domcore verify`", reason=StoreReason.DAMAGED
        ) from None


def take_amendment(
    reader: Reader,
    changes: Changes,
    bodies: Bodies,
    command: AmendOrder,
    lines: tuple[tuple[str, int], ...],
    owner_id: int,
    now: int,
) -> Outcome:
    """Keep an amendment, and take its units off the order where that is known and older.

    Raises:
        ConflictError: the same name came with other content.
    """
    identity = (owner_id, command.channel, command.external_id)
    body = msgspec.json.encode(lines)
    row = AmendmentRow(*identity, command.name, command.revision, now, command.reason, body)
    known = reader.find_order(*identity)
    order_id = None if known is None else known.id
    kept = kept_of(reader, [command.external_id]).get(identity, NOTHING_KEPT)
    for other in kept.amendments:
        if other.name == row.name:
            if (other.revision, other.body) != (row.revision, row.body):
                raise ConflictError(
                    f"{command.channel}/{command.external_id}: amendment {command.name!r} came"
                    " twice with different content"
                )
            return Outcome("duplicate", order_id)
    changes.add("amendments", row)
    if known is None:
        return Outcome("recorded", None, "kept until the order comes")
    return _amend_known(reader, changes, bodies, known, row, dict(lines), kept.elsewhere, now)


def _amend_known(
    reader: Reader,
    changes: Changes,
    bodies: Bodies,
    known: OrderRow,
    row: AmendmentRow,
    taken: Mapping[str, int],
    shipments: Sequence[ElsewhereRow],
    now: int,
) -> Outcome:
    (found,) = reader.select("order_body", "order_id", [known.id])
    body = BodyRow(*found)
    if row.revision <= body.heard:
        return Outcome("stale", known.id, f"revision {body.heard} knows of it already")
    before = bodies.order.load(body.body)
    corrections = Corrections(reader, known.id)
    after = _less(before, corrections.taken_off(taken) if corrections else taken)
    corrections.write(changes)
    if after == before:
        return Outcome("recorded", known.id, "there is nothing it could take off")
    after = evolve(after, revision=max(row.revision, body.revision + 1))
    work = load_work(reader, changes, [known.id])[known.id]
    asked, placed = standing_of(reader, known, work, now)
    sent = elsewhere_of(reader, bodies, work, after, shipments, now)
    told = amend(
        work, before, after, {}, now,
        cart=work.cart, asked=asked, judged=bool(placed), sent=sent,
    )  # fmt: skip
    replace_body(changes, bodies, body, after)
    event = {**told, "amendment": row.name}
    if row.reason:
        event["reason"] = row.reason
    changes.add("events", (None, "order.amended", known.id, now, dump_event(event)))
    carry(work, asked, after.revision, now)
    if sent is not None:
        sent.tell(UNNAMED)
    return Outcome("amended", known.id)


def _less(order: Order, taken: Mapping[str, int]) -> Order:
    """The order with units taken off its lines, at most what each still wants."""
    lines = tuple(line.less(taken[line.id]) if taken.get(line.id) else line for line in order.lines)
    return order if lines == order.lines else evolve(order, lines=lines)
