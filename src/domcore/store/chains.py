"""How the links of what happened get into the chains of their orders, without a write of their own.

The sum of an order's new links goes along with whatever writes its state in the same transaction.
"""

from __future__ import annotations

from typing import Any, Final

from domcore.store.rows import EventRow, LedgerRow, StateRow
from domcore.store.seals import CHAIN, link_of

Row = tuple[Any, ...]

_LINKED: Final = (
    ("events", "event", EventRow._fields.index("order_id")),
    ("ledger", "ledger", LedgerRow._fields.index("order_id")),
)
_CHAIN: Final = StateRow._fields.index("chain")

_STATES: Final = (("route_states", 5), ("next_states", 6))
"""Updates of a state, and where the order stands in their rows."""


def chain_up(rows: dict[str, list[Row]]) -> None:
    """Add the links of events and ledger entries among `rows` to the writes of their orders."""
    sums: dict[int, int] = {}
    for write, table, about in _LINKED:
        for row in rows.get(write, ()):
            order_id = row[about]
            if order_id is not None:
                sums[order_id] = sums.get(order_id, 0) + link_of(table, row)
    new = rows.get("states")
    if new:
        rows["states"] = [(*row[:_CHAIN], sums.pop(row[0], 0) % CHAIN) for row in new]
    for write, place in _STATES:
        known = rows.get(write)
        if known:
            rows[write] = [(sums.pop(row[place], 0) % CHAIN, *row) for row in known]
    if sums:
        rows["chains"] = [(links % CHAIN, order_id) for order_id, links in sorted(sums.items())]
