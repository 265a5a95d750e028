"""How the links of what happened get into the chains of their orders, without a write of their own.

The sum of an order's new links goes along with whatever writes its state in the same transaction.
"""

from __future__ import annotations

from typing import Any, Final

from domcore.store.rows import EventRow, LedgerRow, StateRow
from domcore.store.seals import CHAIN, linking

Row = tuple[Any, ...]

_LINKED: Final = (
    ("events", linking("event"), EventRow._fields.index("order_id")),
    ("ledger", linking("ledger"), LedgerRow._fields.index("order_id")),
)
_CHAIN: Final = StateRow._fields.index("chain")

_STATES: Final = (("route_states", 5), ("next_states", 6))
"""Updates of a state, and where the order stands in their rows."""


def chain_up(rows: dict[str, list[Row]]) -> None:
    """Add the links of events and ledger entries among `rows` to the writes of their orders."""
    sums: dict[int, int] = {}
    for write, (pack, checksum, kind), about in _LINKED:
        for row in rows.get(write, ()):
            order_id = row[about]
            if order_id is not None:  # `link_of` in place: every row of the hot path comes by
                sums[order_id] = sums.get(order_id, 0) + checksum(pack(row[1:]), kind)
    new = rows.get("states")
    if new:
        rows["states"] = [(*row[:_CHAIN], sums.pop(row[0], 0) % CHAIN) for row in new]
    for write, place in _STATES:
        known = rows.get(write)
        if known:
            rows[write] = [(sums.pop(row[place], 0) % CHAIN, *row) for row in known]
    if sums:
        rows["chains"] = [(links % CHAIN, order_id) for order_id, links in sorted(sums.items())]
