"""Trouble that people must look at, against the events that raised and settled it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from domcore.store.operations.troubles import KINDS
from domcore.store.rows import EventRow, TroubleRow
from domcore.verify.catalog import Catalog
from domcore.verify.spool import Spool
from domcore.verify.violation import Violations, broken

if TYPE_CHECKING:
    from domcore.verify.dossier import Read

RAISED: Final = "trouble.raised"
SETTLED: Final = "trouble.settled"


class _Body(msgspec.Struct):
    trouble: int = 0
    kind: str = ""
    since: int = 0
    fulfillment_order: str = ""
    node: str = ""
    lines: list[tuple[str, int]] = []
    note: str = ""
    settled_by: str = ""


_decode: Final = msgspec.json.Decoder(_Body).decode


def sort_trouble(row: EventRow, spool: Spool) -> Violations:
    """``(order, number, settled, seq, at or since, kind, work, lines, note or settled by)`` of an
    event that raises or settles trouble."""
    try:
        body = _decode(row.body)
    except msgspec.MsgspecError:
        yield broken("format", f"event {row.seq}", "does not tell which trouble it is about")
        return
    if row.kind == SETTLED:
        spool.add((row.order_id, body.trouble, 1, row.seq, row.at, "", "", b"", body.settled_by))
        return
    lines = msgspec.json.encode(body.lines)
    told = (body.since, body.kind, body.fulfillment_order, lines, body.note)
    spool.add((row.order_id, body.trouble, 0, row.seq, *told))


def check_troubles(found: Read, catalog: Catalog) -> Violations:
    """Each row as its event raised it, and settled by whoever its event says."""
    told: dict[int, list[tuple[Any, ...]]] = {}
    for event in found.papers.troubles:
        told.setdefault(event[1], []).append(event)
    for row in found.papers.trouble:
        place = f"{found.place} trouble {row.number}"
        events = told.pop(row.number, [])
        raised = [event for event in events if not event[2]]
        if row.kind not in KINDS:
            yield broken("events", place, f"is of the unknown kind {row.kind!r}")
        if len(raised) != 1:
            yield broken("events", place, f"was raised {len(raised)} times, not once")
        elif raised[0][4:] != (row.at, row.kind, _work(row, catalog), row.lines, row.note):
            yield broken("events", place, "is not as its event raised it")
        settled = [(event[4], event[8]) for event in events if event[2]]
        expected = [] if row.settled_at is None else [(row.settled_at, row.settled_by)]
        if settled != expected:
            yield broken("events", place, "is settled otherwise than its events tell")
    for number in sorted(told):
        yield broken("events", f"{found.place} trouble {number}", "was told of, and is lost")


def _work(row: TroubleRow, catalog: Catalog) -> str:
    if not (row.sequence or row.node_id):
        return ""
    return f"{row.order_id}-{row.sequence}-{catalog.nodes.get(row.node_id)}"
