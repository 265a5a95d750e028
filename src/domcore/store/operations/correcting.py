"""A person corrects an order: the same path as a later revision of its channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import evolve

from domcore.codec.stored import Bodies, dump_event
from domcore.errors import ConflictError, NotFound, PayloadError, Problem
from domcore.model.correction import CorrectOrder
from domcore.model.order import Order, OrderLine
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.amend import amend
from domcore.store.operations.awaited import carry_approvals, replace_body
from domcore.store.operations.changing import changed_fields, nodes_at_work, tell_nodes
from domcore.store.operations.corrections import Corrections, known_person, person_row
from domcore.store.operations.elsewhere import UNNAMED, elsewhere_of
from domcore.store.operations.holds import carry, standing_of
from domcore.store.operations.order_work import OrderWork, load_work
from domcore.store.protocol import Outcome
from domcore.store.rows import MOST, BodyRow, ElsewhereRow, OrderRow

WHAT: Final = "this order cannot be corrected"


def correct(
    reader: Reader,
    changes: Changes,
    bodies: Bodies,
    command: CorrectOrder,
    known: OrderRow,
    shipments: Sequence[ElsewhereRow],
    by: str,
    now: int,
) -> Outcome:
    """Put what a person says on an order, and free, ask back or tell what follows from it.

    Raises:
        PayloadError: an unknown line, units out of range, fewer than have left.
        ConflictError: the order is cancelled, or at another revision than the person has seen.
    """
    (found,) = reader.select("order_body", "order_id", [known.id])
    body = BodyRow(*found)
    work = load_work(reader, changes, [known.id])[known.id]
    _check_state(command, work, body)
    before, corrections = bodies.order.load(body.body), Corrections(reader, known.id)
    lines = _corrected_lines(command, before, work, corrections, by, now)
    after = evolve(before, lines=lines)
    if command.destination is not None and command.destination != before.destination:
        corrections.say_place(before.destination, command.destination, now, by)
        after = evolve(after, destination=command.destination)
    person = known_person(reader, bodies, known.id)
    changed = changed_fields(person.person, command.person)
    if after == before and not changed:
        return Outcome("nothing", known.id, "it says so already")
    after = evolve(after, revision=body.revision + 1)
    asked, placed = standing_of(reader, known, work, now)
    sent = elsewhere_of(reader, bodies, work, after, shipments, now)
    told = amend(
        work, before, after, {}, now, cart=work.cart, asked=asked, judged=bool(placed), sent=sent
    )
    replace_body(changes, bodies, body, after)
    corrections.write(changes)
    if command.person is not None and changed:
        was = person.person if person.told is None else person.told
        changes.add("persons", person_row(bodies, known.id, command.person, was))
    _tell_nodes(reader, work, told, changed, after.revision, now)
    if not told["elsewhere"] and not _grown(before, after):
        carry_approvals(reader, changes, known.id, body.revision, after.revision)
    event: dict[str, Any] = {**told, "by_hand": True}
    if command.reason:
        event["reason"] = command.reason
    changes.add("events", (None, "order.amended", known.id, now, dump_event(event)))
    carry(work, asked, after.revision, now)
    if sent is not None:
        sent.tell(UNNAMED)
    return Outcome("amended", known.id)


def _check_state(command: CorrectOrder, work: OrderWork, body: BodyRow) -> None:
    goods = command.lines or command.changes or command.destination is not None
    if work.state.cancelled and goods:
        raise ConflictError("the order is cancelled; nothing of it is sent any more")
    if command.revision is not None and command.revision != body.revision:
        raise ConflictError(
            f"the order is at revision {body.revision} by now, not {command.revision}: look at it"
            " again"
        )


def _corrected_lines(
    command: CorrectOrder,
    before: Order,
    work: OrderWork,
    corrections: Corrections,
    by: str,
    now: int,
) -> tuple[OrderLine, ...]:
    """The lines as the person wants them.

    Raises:
        PayloadError: every line that cannot be so.
    """
    numbers = {line.id: number for number, line in enumerate(before.lines) if line.ships}
    lines, problems = list(before.lines), []
    asked = [("lines", *each) for each in command.lines]
    asked += [("changes", *each) for each in command.changes]
    seen: set[str] = set()
    for at, (where, line_id, said) in enumerate(asked):
        path = f"$.{where}[{at if where == 'lines' else at - len(command.lines)}]"
        number = numbers.get(line_id)
        if number is None:
            problems.append(Problem(path, "the order has no such line that is shipped"))
            continue
        line = lines[number]
        units = said if where == "lines" else line.quantity + said
        wrong = "the line is named twice" if line_id in seen else ""
        wrong = wrong or _wrong_units(line, units, work.lines[number].shipped)
        if wrong:
            problems.append(Problem(path, wrong))
        elif units != line.quantity:
            corrections.say_units(line, units, now, by)
            lines[number] = line.wanting(units)
        seen.add(line_id)
    if problems:
        raise PayloadError(WHAT, problems)
    return tuple(lines)


def _wrong_units(line: OrderLine, units: int, left: int) -> str:
    """Why a line cannot want so many units; empty where it can."""
    if units < 0:
        return f"only {line.quantity} units are on the line"
    if units > MOST:
        return f"must be from 0 to {MOST} units"
    return f"{left} units have left: they come back as a return" if units < left else ""


def _grown(before: Order, after: Order) -> bool:
    pairs = zip(before.lines, after.lines, strict=True)
    return any(new.quantity > old.quantity for old, new in pairs)


def _tell_nodes(
    reader: Reader, work: OrderWork, told: dict[str, Any], changed: Sequence[str], revision: int,
    now: int,
) -> None:  # fmt: skip
    """Nodes that have the work hear of another address or person; the event names the fields."""
    what = (["destination or service"] if told["elsewhere"] else []) + list(changed)
    at_work = nodes_at_work(work)
    if changed:
        told["fields"] = list(changed)
    if what and at_work:
        told["changed"] = what
        tell_nodes(reader, work, at_work, what, revision, now, stops=told["elsewhere"])


def found_order(reader: Reader, owner_id: int | None, key: tuple[str, str, str]) -> OrderRow:
    """The order of a key.

    Raises:
        NotFound: there is none.
    """
    known = None if owner_id is None else reader.find_order(owner_id, key[1], key[2])
    if known is None:
        raise NotFound(f"there is no order {key[1][:100]}/{key[2][:100]} of {key[0][:100]}")
    return known
