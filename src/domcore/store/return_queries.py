"""Questions about what comes back, and about what has gone out of which shelf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domcore.model.clock import from_micros
from domcore.model.order import Order
from domcore.model.returns import Return, ReturnLine
from domcore.store.queries import Queries
from domcore.store.rows import ReturnLineRow, ReturnRow

PAGE: Final = 500
"""Returns looked at at a time."""


class ReturnQueries(Queries):
    """The reading half of returns."""

    def returns(self, order_id: int) -> list[Return]:
        """See `Store.returns`."""
        with self._backend.reading():
            rows = self._backend.select("return_order", "order_id", [order_id])
            return self._returns([ReturnRow._make(row) for row in rows])

    def find_returns(
        self, *, node: str | None = None, waiting: bool = True, limit: int, after: int = 0
    ) -> list[tuple[int, Return]]:
        """See `Store.find_returns`."""
        backend, found = self._backend, list[tuple[int, Return]]()
        with backend.reading():
            codes = backend.nodes()
            while len(found) < limit:
                start = (after,) if after else None
                rows = [
                    ReturnRow._make(row)
                    for row in backend.page("return_order", ReturnRow._fields, start, PAGE)
                ]
                wanted = [
                    row
                    for row in rows
                    if not (waiting and row.closed_at is not None)
                    and node in (None, codes[row.node_id])
                ]
                for row, each in zip(wanted, self._returns(wanted), strict=True):
                    found.append((row.id, each))
                if len(rows) < PAGE:
                    break
                after = rows[-1].id
        return found[:limit]

    def open_returns(self, node_ids: Sequence[int]) -> dict[int, int]:
        """See `Store.open_returns`."""
        with self._backend.reading():
            waiting = self._backend.waiting_returns()
        wanted = set(node_ids)
        return {node_id: units for node_id, units in waiting.items() if node_id in wanted}

    def shipped_since(self, item_ids: Sequence[int], since: int) -> dict[tuple[int, int], int]:
        """See `Store.shipped_since`."""
        with self._backend.reading():
            return self._backend.shipped_since(item_ids, since)

    def _returns(self, rows: Sequence[ReturnRow]) -> list[Return]:
        """Returns with their lines, in the order of the rows."""
        backend = self._backend
        if not rows:
            return []
        ids = sorted({row.order_id for row in rows})
        load = self._bodies.order.load
        orders = {body[0]: load(body[3]) for body in backend.select("order_body", "order_id", ids)}
        stored = backend.select("return_line", "return_id", [row.id for row in rows])
        lines: dict[int, list[ReturnLineRow]] = {}
        for line in map(ReturnLineRow._make, stored):
            lines.setdefault(line.return_id, []).append(line)
        nodes = backend.nodes()
        return [_return(row, lines.get(row.id, []), orders[row.order_id], nodes) for row in rows]


def _return(
    row: ReturnRow, lines: Sequence[ReturnLineRow], order: Order, nodes: Mapping[int, str]
) -> Return:
    mine = tuple(
        ReturnLine(
            order.lines[line.line_no].id,
            order.lines[line.line_no].sku,
            line.units,
            line.restocked,
            line.blocked,
            line.written_off,
        )
        for line in lines
    )
    arrived = sum(line.received for line in mine)
    if row.closed_at is None:
        status = "partly received" if arrived else "authorized"
    else:
        status = "received" if arrived == sum(line.units for line in mine) else "closed"
    return Return(
        row.name,
        row.order_id,
        nodes[row.node_id],
        status,
        from_micros(row.authorized_at),
        mine,
        row.reason,
    )
