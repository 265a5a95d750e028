"""Taking in news of goods that others have sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from domcore.codec.stored import Bodies
from domcore.errors import PayloadError, Problem
from domcore.model.clock import to_micros
from domcore.model.command import ShippedElsewhere
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.by_hand import by_hand
from domcore.store.operations.elsewhere import UNNAMED, Elsewhere, mark_of, marks_of, read_sent
from domcore.store.operations.notices import CLOCKS_ASTRAY, LONGEST, MOST_LINES
from domcore.store.operations.order_work import load_work
from domcore.store.protocol import Outcome
from domcore.store.rows import MOST, BodyRow, ElsewhereRow, OrderRow

MOST_OF_NAME: Final = 255
MOST_NUMBERS: Final = 1000
"""Tracking numbers of one shipment, at most."""


def check_shipment(command: ShippedElsewhere, now: int, *, unnamed: bool = False) -> None:
    """Refuse what cannot be meant; with `unnamed` it may be one that has no name yet.

    Raises:
        PayloadError: every bad field.
    """
    problems = [
        Problem(f"$.{name}", f"must have 1 to {MOST_OF_NAME} characters")
        for name in ("channel", "external_id", "name")
        if not (1 - (unnamed and name == "name")) <= len(getattr(command, name)) <= MOST_OF_NAME
    ]
    if not 0 <= command.revision < 2**63:
        problems.append(Problem("$.revision", "must be a whole number from 0 to 2^63 - 1"))
    if to_micros(command.at) > now + CLOCKS_ASTRAY:
        problems.append(Problem("$.at", "lies more than a day in the future"))
    if len(command.lines) > MOST_LINES:
        problems.append(Problem("$.lines", f"may be at most {MOST_LINES}"))
    for number, (line, units) in enumerate(command.lines[:MOST_LINES]):
        if not line or not 1 <= units <= MOST:
            told = f"must be a line id and units from 1 to {MOST}"
            problems.append(Problem(f"$.lines[{number}]", told))
    if len(command.tracking) > MOST_NUMBERS or any(
        len(number) > LONGEST for number in command.tracking
    ):
        told = f"may be at most {MOST_NUMBERS} numbers of at most {LONGEST} characters"
        problems.append(Problem("$.tracking", told))
    if problems:
        raise PayloadError("this shipment cannot be taken in", problems)


def take_shipment(
    reader: Reader,
    changes: Changes,
    bodies: Bodies,
    command: ShippedElsewhere,
    place: tuple[int, int],
    now: int,
    *,
    hand: bool = False,
) -> Outcome:
    """Keep a shipment, and bring its order in line with it where that is known.

    Args:
        place: the owner's id, and that of the node the goods were taken from (0: of none).
        hand: a person tells it, see `by_hand`.
    """
    identity = (place[0], command.channel, command.external_id)
    _, kept, _ = reader.kept([command.external_id])
    rows = {row[3]: ElsewhereRow._make(row) for row in kept if row[:3] == identity}
    known = reader.find_order(*identity)
    if hand:
        unnamed, command = not command.name, by_hand(reader, bodies, command, known, rows)
        outcome = _keep(reader, changes, bodies, command, known, rows, place, now)
        called = f"; called {command.name}" if unnamed else ""
        return outcome._replace(detail=outcome.detail + called)
    return _keep(reader, changes, bodies, command, known, rows, place, now)


def _keep(
    reader: Reader,
    changes: Changes,
    bodies: Bodies,
    command: ShippedElsewhere,
    known: OrderRow | None,
    rows: dict[str, ElsewhereRow],
    place: tuple[int, int],
    now: int,
) -> Outcome:
    identity = (place[0], command.channel, command.external_id)
    before = rows.get(command.name)
    row = _later(before, _row_of(command, identity, place[1], now))
    order_id = None if known is None else known.id
    if row == before:
        return Outcome("duplicate", order_id, "it is known already")
    changes.add("elsewhere", row)
    if known is None:
        return Outcome("recorded", None, "kept until the order comes")
    rows[row.name] = row
    about = {"name": row.name, "node": command.node, "tracking": list(command.tracking)}
    elsewhere = _settle(reader, changes, bodies, known.id, list(rows.values()), about, now)
    if elsewhere.changed:
        return Outcome("recorded", known.id, _told(elsewhere))
    ours = not elsewhere.marks.isdisjoint(read_sent(row)[1])
    told = "a node of ours has shipped it" if ours else "nothing of it was still to leave"
    return Outcome("recorded", known.id, told)


def settle_kept(reader: Reader, changes: Changes, bodies: Bodies, order_id: int, now: int) -> None:
    """Bring an order that has just come in line with what others had sent of it before."""
    (order,) = map(OrderRow._make, reader.select("orders", "id", [order_id]))
    _, kept, _ = reader.kept([order.external_id])
    rows = [ElsewhereRow._make(row) for row in kept if row[:3] == order[1:4]]
    _settle(reader, changes, bodies, order_id, rows, UNNAMED, now)


def _settle(
    reader: Reader,
    changes: Changes,
    bodies: Bodies,
    order_id: int,
    rows: Sequence[ElsewhereRow],
    about: Mapping[str, Any],
    now: int,
) -> Elsewhere:
    (found,) = reader.select("order_body", "order_id", [order_id])
    order = bodies.order.load(BodyRow(*found).body)
    work = load_work(reader, changes, [order_id])[order_id]
    elsewhere = Elsewhere(reader, work, order, rows, marks_of(reader, bodies, work), now)
    elsewhere.settle()
    if elsewhere.changed:
        work.close_emptied_work(now)
        work.ask_to_cancel(elsewhere.asked, now)
        elsewhere.tell(about)
        state = work.queued(now)
        if not (work.open_units or work.cart):
            state = state._replace(retry_at=None, reason="")
        work.finish(state)
    return elsewhere


def _row_of(
    command: ShippedElsewhere, identity: tuple[int, str, str], node_id: int, now: int
) -> ElsewhereRow:
    lines: dict[str, int] = {}
    for line, units in command.lines:
        lines[line] = min(MOST, lines.get(line, 0) + units)
    return ElsewhereRow(
        *identity,
        command.name,
        command.revision,
        min(to_micros(command.at), now),
        int(command.total),
        node_id,
        msgspec.json.encode(sorted(lines.items())),
        msgspec.json.encode(sorted({mark_of(number) for number in command.tracking} - {""})),
    )


def _later(before: ElsewhereRow | None, row: ElsewhereRow) -> ElsewhereRow:
    """Of two tellings of one shipment the later, with every number that was ever told: a number
    that is changed by hand afterwards does not make it another shipment."""
    if before is None:
        return row
    numbers = {*read_sent(before)[1], *read_sent(row)[1]}
    later: Any = max(before, row)
    return ElsewhereRow._make(later)._replace(tracking=msgspec.json.encode(sorted(numbers)))


def _told(elsewhere: Elsewhere) -> str:
    units = sum(elsewhere.changed.values())
    have = "has" if units == -1 else "have"
    more = "left" if units >= 0 else f"{have} not left after all"
    parts = [f"{abs(units)} unit{'s' * (abs(units) != 1)} {more}"]
    if elsewhere.asked:
        count = len(elsewhere.asked)
        parts.append(f"{count} {'node is' if count == 1 else 'nodes are'} asked to stop")
    return "; ".join(parts)
