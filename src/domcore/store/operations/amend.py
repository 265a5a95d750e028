"""A later revision of an order that may already be on its way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domcore.model.clock import to_micros
from domcore.model.order import Order
from domcore.model.postal import same_place
from domcore.store.operations.asked import Asked
from domcore.store.operations.elsewhere import Elsewhere
from domcore.store.operations.holds import stand, stop_at_nodes
from domcore.store.operations.order_work import OrderWork
from domcore.store.rows import NOT_HELD, LineRow

MOST_TOLD: Final = 100
"""Changed lines an event names."""


def amend(
    work: OrderWork,
    before: Order,
    after: Order,
    item_ids: Mapping[str, int],
    now: int,
    *,
    cart: bool = False,
    asked: Asked | None = None,
    judged: bool = False,
    sent: Elsewhere | None = None,
) -> dict[str, Any]:
    """Bring the buckets in line with `after`; returns what the event tells of it.

    * Another destination or service makes every plan wrong: all that is not handed over is freed.
      So does a hold of the revision before that was `judged` for it: the new one is judged anew.
    * A line that shrank gives up open units first, then its youngest reservations; what is handed
      over cannot be taken back: the node is asked to cancel, and its units stay allocated.
    * A line that grew opens units. A cancelled order opens nothing any more, and what a `cart`
      opens is not queued.
    * What others have sent counts as far as the order wants it.

    A line that has an item keeps it; one whose item was not known takes the one of its SKU.
    """
    freed = 0
    elsewhere = before.service != after.service or not same_place(
        before.destination, after.destination
    )
    if elsewhere or judged:
        freed += _free(work, None, None, now)
    stopped: set[tuple[int, int]] = set()
    if elsewhere:
        for number in work.lines:
            stopped |= _handed_over(work, number)
    for number, line in enumerate(after.lines):
        wanted = line.quantity if line.ships else 0
        item_id = item_ids.get(line.sku) if line.ships else None
        work.names[number] = line.sku
        freed += _amend_line(work, number, item_id, wanted, now)
        if work.lines[number].allocated + work.lines[number].shipped > wanted:
            stopped |= _handed_over(work, number)
    if sent is not None:
        sent.settle()
        freed += sent.freed
        stopped |= sent.asked
    work.close_emptied_work(now)
    work.ask_to_cancel(stopped, now)
    work.placed_at = to_micros(after.placed_at)
    reopened = work.state._replace(
        revision=after.revision,
        hold=NOT_HELD,
        retry_at=work.due(now, cart=cart),
        reason="",
    )
    if asked is not None and asked.changed()[0]:
        stop_at_nodes(work, now)
    stages = [] if asked is None else [row.stage for row in asked.standing]
    work.finish(stand(work, reopened, stages, now))
    return {
        "revision": after.revision,
        "freed": freed,
        "requested": len(stopped),
        "lines": _changes(before, after),
        "elsewhere": elsewhere,
    }


def _changes(before: Order, after: Order) -> list[tuple[str, str, int, int]]:
    """``(line id, SKU, units before, units after)`` of the lines that changed, so many of them."""
    known = {line.id: line for line in before.lines}
    found = []
    for line in after.lines:
        was = known[line.id].quantity if line.id in known else 0
        if was != line.quantity:
            found.append((line.id, line.sku, was, line.quantity))
    return found[:MOST_TOLD]


def _amend_line(work: OrderWork, number: int, item_id: int | None, wanted: int, now: int) -> int:
    """Bring one line in line; returns the units that were freed."""
    freed = 0
    row = work.lines.get(number)
    if row is None:
        row = LineRow(work.state.order_id, number, item_id, 0, 0, 0, 0, 0, 0)
    elif row.item_id is None:
        row = row._replace(item_id=item_id)
    excess = row.allocated + row.shipped - wanted
    if excess > 0:
        freed += _free(work, number, excess, now)
        row = work.lines[number]
    work.lines[number] = _balanced(row, wanted, cancelled=bool(work.state.cancelled))
    return freed


def _balanced(row: LineRow, wanted: int, *, cancelled: bool) -> LineRow:
    """Open (or cancel) what is wanted beyond what is allocated or shipped already."""
    bound = row.allocated + row.shipped
    missing = max(0, wanted - bound)
    row = row._replace(ordered=bound + missing, wanted=wanted)
    if cancelled:
        return row._replace(open=0, cancelled=missing)
    return row._replace(open=missing, cancelled=0)


def _free(work: OrderWork, number: int | None, most: int | None, now: int) -> int:
    """Free up to `most` units that are not handed over, of one line or all, youngest first."""
    freed = 0
    for row in work.open_reservations():
        if (number is not None and row.line_no != number) or work.handed_over(row):
            continue
        units = row.quantity if most is None else min(row.quantity, most - freed)
        if units <= 0:
            break
        work.resolve(row, units, "freed", at=now)
        freed += units
    return freed


def _handed_over(work: OrderWork, number: int) -> set[tuple[int, int]]:
    return {
        (row.sequence, row.node_id)
        for row in work.open_reservations()
        if row.line_no == number and work.handed_over(row)
    }
