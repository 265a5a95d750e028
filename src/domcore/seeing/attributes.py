"""Free attributes of nodes and items that rules want to read and cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from domcore.codec.stored import Bodies
from domcore.model import Network
from domcore.rules.attributes import Attributes, unreadable
from domcore.rules.pack import PackFact
from domcore.rules.program import Program
from domcore.store.protocol import Store
from domcore.store.rows import ItemRow

NAMED: Final = 3
"""So many are named one by one; then it is told how many more there are."""


def unread(store: Store, network: Network, programs: Iterable[Program]) -> Iterator[str]:
    """What cannot be read, in words, by fact. Reads every item, where a rule reads items."""
    of_nodes: dict[PackFact, None] = {}
    of_items: dict[PackFact, None] = {}
    for program in programs:
        of_nodes.update(dict.fromkeys(program.attributes("node")))
        of_items.update(dict.fromkeys(program.attributes("line")))
    nodes = ((node.id, node.attributes) for node in network.nodes)
    yield from _told("node", nodes, tuple(of_nodes))
    if of_items:
        load = Bodies().item.load
        rows = map(ItemRow._make, store.audit("item"))
        items = ((row.sku, load(row.body).attributes) for row in rows)
        yield from _told("item", items, tuple(of_items))


def _told(
    what: str, rows: Iterable[tuple[str, Attributes]], facts: tuple[PackFact, ...]
) -> Iterator[str]:
    bad: dict[str, list[str]] = {}
    for name, attributes in rows if facts else ():
        for why in unreadable(attributes, facts):
            bad.setdefault(why, []).append(name)
    for why, names in bad.items():
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        yield f"{what} {', '.join(names[:NAMED])}{more}: {why}"
