"""Who waits for which item."""

from __future__ import annotations

from domcore.store.operations.waiting import open_by_item, waits
from domcore.store.waiting_rows import IN_LINE, STOPPED, WOKEN
from domcore.verify.dossier import Read
from domcore.verify.violation import Violations, broken


def check_waiting(found: Read) -> Violations:
    """Whether an order waits for just what it has open, where it waits at all."""
    papers, state = found.papers, found.state
    if not (papers.waiting or state.hold or state.reason):
        return
    wanted = open_by_item(papers.lines) if waits(state) else {}
    told = {row.item_id: row.units for row in papers.waiting}
    if told != wanted:
        message = f"it waits for {told} (units by item), of which {wanted} are open"
        yield broken("waiting", found.place, message)
    stopped = bool(state.hold) or state.retry_at is None
    stages = (STOPPED,) if stopped else (WOKEN, IN_LINE)
    for row in papers.waiting:
        if row.stage not in stages or row.placed_at != papers.order.placed_at:
            message = f"stands in another place in line for item {row.item_id} than its own"
            yield broken("waiting", found.place, message)
