"""Fulfillment orders, the reservations behind them, and the outbox entries that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domcore.model import FULFILLMENT_STATUSES
from domcore.store.rows import OPEN, FulfillmentRow, ReservationRow
from domcore.verify.dossier import Read
from domcore.verify.movements import CANCEL, RELEASE
from domcore.verify.news import HEARD
from domcore.verify.violation import Violations, broken

WAITING: Final = ("requested", "on_hold")
"""Statuses of work that no node has taken up yet."""

FINISHED: Final = ("rejected", "shipped", "delivered", "cancelled", "returned")
"""Statuses after which nothing is reserved any more."""

Key = tuple[int, int]
"""(sequence, node)"""

Entry = tuple[Any, ...]
"""An outbox entry as `Movements` sorts it."""


def check_work(
    found: Read, taken: dict[int, list[ReservationRow]], nodes: Mapping[int, str]
) -> Violations:
    """One fulfillment order for each node a decision reserved at; one outbox entry for each thing
    its node must be told. `taken` holds the reservations by decision, `nodes` codes by id."""
    papers = found.papers
    expected = {
        (row.sequence, row.node_id)
        for rows in taken.values()
        for row in rows
        if row.expires_at is None  # from the first, or since it was kept
    }
    work = {(row.sequence, row.node_id): row for row in papers.work}
    for held in papers.reservations:
        given = (held.sequence, held.node_id) in work
        if given and held.state == OPEN and held.expires_at is not None:
            place = f"{found.place} decision {held.sequence} line {held.line_no}"
            yield broken("I8", place, "a node works on it, but its reservation expires")
    for key in sorted(expected ^ work.keys()):
        what = "reservations, but no work" if key in expected else "work, but no reservations"
        yield broken("I8", f"{found.place} decision {key[0]}", f"has {what} for node {key[1]}")
    entries: dict[Key, list[Entry]] = {}
    for entry in papers.outbox:
        entries.setdefault((entry[1], entry[2]), []).append(entry)
    for key in sorted(entries.keys() - work.keys()):
        yield broken("I7", found.place, f"somebody is to be told of work {key} that is not there")
    live = {(row.sequence, row.node_id) for row in papers.reservations if row.state == OPEN}
    heard = {row[2] for row in papers.news if row[1] == HEARD}
    for key, row in work.items():
        place = f"{found.place} decision {row.sequence} node {row.node_id}"
        yield from _check_status(found, row, place, live=key in live)
        spoken = f"{row.order_id}-{row.sequence}-{nodes.get(row.node_id)}" in heard
        yield from _check_entries(row, place, entries.get(key, []), spoken=spoken)
    if found.state.cancelled:
        yield from _check_cancelled(found, work)


def _check_status(found: Read, row: FulfillmentRow, place: str, *, live: bool) -> Violations:
    status, handed_over = row.status, bool(row.handed_over)
    if status not in FULFILLMENT_STATUSES:
        yield broken("I9", place, f"its work is in the unknown status {status!r}")
    elif status in WAITING and not live and not handed_over:
        yield broken("I8", place, f"its work is {status}, but nothing is reserved for it")
    elif status in FINISHED and live:
        yield broken("I8", place, f"its work is {status}, but stock is still reserved for it")
    if status == "on_hold" and not found.state.hold and not handed_over:
        yield broken("I9", place, "its work waits for a hold that does not stand")


def _check_entries(
    row: FulfillmentRow, place: str, entries: list[Entry], *, spoken: bool
) -> Violations:
    """`spoken`: the node has reported, maybe before it was told anything."""
    if not row.told:
        if entries:
            yield broken("I7", place, "a node without a connector is to be told of its work")
        return
    releases = [entry for entry in entries if entry[3] == RELEASE]
    cancels = [entry for entry in entries if entry[3] == CANCEL]
    status, handed_over = row.status, bool(row.handed_over)
    unsaid = status in ("on_hold", "cancelled") or spoken
    if len(releases) > 1 or not (releases or unsaid):
        yield broken("I7", place, f"its node is told {len(releases)} times, not once")
    elif status == "on_hold" and not handed_over and any(not entry[6] for entry in releases):
        yield broken("I7", place, "its node is told of work that is on hold")
    asked = status == "cancel_requested" and not spoken
    if len(cancels) > 1 or (asked and not cancels) or (cancels and not handed_over):
        yield broken("I7", place, f"its node is asked {len(cancels)} times to stop")
    attempted = any(entry[5] for entry in releases)
    if attempted > handed_over or (handed_over and not attempted and not spoken):
        yield broken("I7", place, "its word to the node and its hand-over do not agree")
    if status == "cancelled" and not handed_over and any(not entry[6] for entry in releases):
        yield broken("I7", place, "its work is cancelled, but the node is still to be told")


def _check_cancelled(found: Read, work: dict[Key, FulfillmentRow]) -> Violations:
    for row in found.papers.reservations:
        if row.state == OPEN:
            given = work.get((row.sequence, row.node_id))
            if given is None or not given.handed_over:
                place = f"{found.place} decision {row.sequence} line {row.line_no}"
                yield broken("I8", place, "is cancelled, but stock is still reserved for it")
