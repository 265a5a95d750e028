"""A node's word on its work: shipped, rejected, cancelled ..."""

from __future__ import annotations

from typing import Final, get_args

from domcore.codec.stored import dump_event
from domcore.errors import ConflictError, NotFound, PayloadError, Problem
from domcore.model.order import Order
from domcore.model.status import FULFILLMENT_STATUSES
from domcore.store.operations.order_work import FINISHED, OrderWork
from domcore.store.operations.order_work import Resolution as How
from domcore.store.protocol import Outcome, Resolution
from domcore.store.rows import ReservationRow

_REST: Final[dict[str, How]] = {
    "shipped": "shipped",
    "delivered": "shipped",
    "returned": "shipped",
    "rejected": "freed",
    "cancelled": "freed",
}
"""What becomes of units that a final status does not name."""

_WORDS: Final = tuple(word for word in get_args(How) if word != "expired")


def split_id(name: str) -> tuple[int, int, str]:
    """``order-sequence-node`` in parts.

    Raises:
        NotFound: no fulfillment order is called that.
    """
    order, _, rest = name.partition("-")
    sequence, _, node = rest.partition("-")
    digits = order + sequence
    if not (order and sequence and node and digits.isascii() and digits.isdigit()):
        raise NotFound(f"there is no fulfillment order {name!r}")
    return int(order), int(sequence), node


def resolve(
    work: OrderWork, order: Order, key: tuple[int, int], resolution: Resolution, now: int
) -> Outcome:
    """Apply a node's word.

    Raises:
        ConflictError: the work is finished, or more units than are still there.
        PayloadError: an unknown status, line or word.
    """
    fulfillment = work.work[key]
    lines = {line.id: number for number, line in enumerate(order.lines)}
    _check(resolution, lines)
    if fulfillment.status in FINISHED and not (
        resolution.status in ("delivered", "returned") and not resolution.units
    ):
        raise ConflictError(
            f"fulfillment order {resolution.fulfillment_order} is {fulfillment.status} already"
        )
    for line_id, word, units in resolution.units:
        how: How = "shipped" if word == "shipped" else "freed" if word == "freed" else "blocked"
        _resolve_units(work, key, lines[line_id], how, units, resolution)
    rest = _REST.get(resolution.status)
    if rest is not None:
        for row in _here(work, key):
            work.resolve(row, row.quantity, rest, at=resolution.at)
    started = int(fulfillment.handed_over or resolution.status not in ("requested", "on_hold"))
    work.set_work(
        fulfillment._replace(
            status=resolution.status,
            handed_over=started,
            reference=resolution.reference or fulfillment.reference,
        ),
        now,
    )
    work.finish(work.queued(now))
    body = {"fulfillment_order": resolution.fulfillment_order, "units": resolution.units}
    work.changes.add(
        "events",
        (
            None,
            f"fulfillment.{resolution.status}",
            work.state.order_id,
            resolution.at,
            dump_event({**resolution.body, **body}),
        ),
    )
    return Outcome("recorded", work.state.order_id, resolution.status)


def _check(resolution: Resolution, lines: dict[str, int]) -> None:
    problems = []
    if resolution.status not in FULFILLMENT_STATUSES:
        problems.append(Problem("$.status", "not a status of a fulfillment order"))
    for number, (line_id, word, units) in enumerate(resolution.units):
        if line_id not in lines:
            problems.append(Problem(f"$.units[{number}]", "the order has no such line"))
        if word not in _WORDS:
            problems.append(Problem(f"$.units[{number}]", f"say one of {', '.join(_WORDS)}"))
        if units < 1:
            problems.append(Problem(f"$.units[{number}]", "must be at least one unit"))
    if problems:
        raise PayloadError("this notice cannot be taken in", problems)


def _here(work: OrderWork, key: tuple[int, int]) -> list[ReservationRow]:
    """Open reservations of one fulfillment order, oldest first."""
    rows = work.open_reservations()[::-1]
    return [row for row in rows if (row.sequence, row.node_id) == key]


def _resolve_units(
    work: OrderWork,
    key: tuple[int, int],
    line_no: int,
    how: How,
    units: int,
    resolution: Resolution,
) -> None:
    for row in _here(work, key):
        if row.line_no == line_no and units > 0:
            some = min(units, row.quantity)
            work.resolve(row, some, how, at=resolution.at)
            units -= some
    if units:
        raise ConflictError(
            f"fulfillment order {resolution.fulfillment_order}: {units} units more than it has"
        )
