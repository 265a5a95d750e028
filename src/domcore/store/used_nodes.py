"""Which nodes orders are shipped from already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from domcore.store.backend import Reader
from domcore.store.changes import Row
from domcore.store.rows import OPEN, SHIPPED, ElsewhereLineRow, LineRow, ReservationRow

NONE_USED: Final[Mapping[int, tuple[int, ...]]] = MappingProxyType({})

_ALLOCATED: Final = LineRow._fields.index("allocated")
_SHIPPED: Final = LineRow._fields.index("shipped")


def begun(lines: Sequence[Row]) -> list[int]:
    """The orders, among those of these ``order_line`` rows, of which units are allocated or have
    left. Every batch of orders that is routed comes by here."""
    found = [line[0] for line in lines if line[_ALLOCATED] or line[_SHIPPED]]
    return sorted(set(found)) if found else found


def used_nodes(reader: Reader, order_ids: Sequence[int]) -> Mapping[int, tuple[int, ...]]:
    """By order, the ids of the nodes that have reserved goods for it or shipped some, and of those
    whose goods others have sent; what was freed, rejected or has expired does not count."""
    found: dict[int, set[int]] = {order_id: set() for order_id in order_ids}
    for row in map(ReservationRow._make, reader.select("reservation", "order_id", order_ids)):
        if row.state in (OPEN, SHIPPED):
            found[row.order_id].add(row.node_id)
    for sent in map(ElsewhereLineRow._make, reader.select("elsewhere_line", "order_id", order_ids)):
        if sent.units and sent.node_id:
            found[sent.order_id].add(sent.node_id)
    return {order_id: tuple(sorted(nodes)) for order_id, nodes in found.items()}
