"""Goods that others have sent, told by a person: looked at more strictly than what channels tell.

A channel repeats what its shop says, and what is odd about it is shown. A person can be asked at
once, so more units than the order ever had, or a shipment that nobody has told of, are refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from domcore.codec.stored import Bodies
from domcore.errors import ConflictError, NotFound
from domcore.model.command import ShippedElsewhere
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.elsewhere import lines_of_others, marks_of
from domcore.store.operations.order_work import load_work
from domcore.store.rows import ElsewhereRow, OrderRow


def by_hand(
    reader: Reader,
    bodies: Bodies,
    command: ShippedElsewhere,
    known: OrderRow | None,
    rows: Mapping[str, ElsewhereRow],
) -> ShippedElsewhere:
    """The shipment as it is to be kept: with a free name where it has none, and later than what
    was told under its name, whatever the clock says.

    Args:
        rows: what is kept of the order's shipments, by name.

    Raises:
        NotFound: there is no such order, or no shipment of this name to take back.
        ConflictError: others would have sent more of a line than the order ever had.
    """
    called = f"{command.channel}/{command.external_id}"
    if known is None:
        raise NotFound(f"there is no order {called}")
    before = rows.get(command.name)
    if before is None and not command.lines:
        told = ", ".join(sorted(rows)) or "none"
        raise NotFound(f"{called} has no shipment {command.name!r} to take back (told of: {told})")
    _check_units(reader, bodies, command, known, rows)
    if before is not None:
        return evolve(command, revision=max(command.revision, before.revision + 1))
    return command if command.name else evolve(command, name=_free_name(rows))


def _free_name(rows: Mapping[str, ElsewhereRow]) -> str:
    """Out of what is kept, not of the clock: two that are told in one instant are two."""
    number = 1
    while f"by-hand-{number}" in rows:
        number += 1
    return f"by-hand-{number}"


def _check_units(
    reader: Reader,
    bodies: Bodies,
    command: ShippedElsewhere,
    known: OrderRow,
    rows: Mapping[str, ElsewhereRow],
) -> None:
    """Raises: ConflictError."""
    work = load_work(reader, Changes(), [known.id])[known.id]
    marks, told = marks_of(reader, bodies, work), dict[str, int]()
    for row in rows.values():
        if not (row.total or command.total) and row.name != command.name:
            for name, units in lines_of_others(row, marks):
                told[name] = told.get(name, 0) + units
    most = _most_wanted(reader, bodies, known.id)
    given = dict[str, int]()
    for name, units in command.lines:
        given[name] = given.get(name, 0) + units
    for name, units in given.items():
        sku, wanted = most.get(name, ("", 0))
        before = told.get(name, 0)
        if units + before > wanted:
            more = f", and others are said to have sent {before} of them already" if before else ""
            raise ConflictError(
                f"{known.channel}/{known.external_id} has {wanted} of {sku or name!r} in all{more}:"
                f" {units} cannot have left; nothing is recorded"
            )


def _most_wanted(reader: Reader, bodies: Bodies, order_id: int) -> dict[str, tuple[str, int]]:
    """By line id its SKU and the most units that any revision of the order wanted: goods of a line
    may have left before it was taken off."""
    found: dict[str, tuple[str, int]] = {}
    for table in ("order_revision", "order_body"):
        for row in reader.select(table, "order_id", [order_id]):
            for line in bodies.order.load(row[3]).lines:
                most = max(line.quantity, found.get(line.id, ("", 0))[1])
                found[line.id] = line.sku, most
    return found
