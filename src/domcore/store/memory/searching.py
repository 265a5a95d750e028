"""What an order is found by when words are looked for, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from domcore.store.memory.table import MemoryTable
from domcore.store.rows import OPEN, SHIPPED, OrderRow
from domcore.store.searching import said_of


def said_of_order(tables: Mapping[str, MemoryTable], row: OrderRow) -> Iterator[str]:
    """Every text that `OrderFilter.words` are looked for in."""
    yield from (row.number, row.external_id, row.channel)
    items, nodes = tables["item"].rows, tables["node"].rows
    for line in tables["order_line"].among("order_id", [row.id]):
        if line.item_id:
            yield items[line.item_id,].sku
    for taken in tables["reservation"].among("order_id", [row.id]):
        if taken.state in (OPEN, SHIPPED):
            yield nodes[taken.node_id,].code
    for person in tables["person"].among("order_id", [row.id]):
        yield from said_of(person.body)
