"""Goods that others have sent: what is kept of them, against what counts and what left shelves."""

from __future__ import annotations

from typing import Final

from domcore.codec.stored import Bodies
from domcore.errors import StoreError
from domcore.store.operations.elsewhere import mark_of, numbers_of, read_sent, sent_elsewhere
from domcore.store.rows import MOST, SHIPPED, ElsewhereRow
from domcore.verify.catalog import Catalog
from domcore.verify.dossier import Read
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken

Identity = tuple[int, str, str]


class Shipments:
    """All shipments of others by order; there are far fewer than orders."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog: Final = catalog
        self._load: Final = Bodies().package.load
        self._kept: Final[dict[Identity, list[ElsewhereRow]]] = {}

    def check(self, source: Source) -> Violations:
        """Read and check them one by one."""
        catalog = self._catalog
        for row in map(ElsewhereRow._make, source.rows("elsewhere")):
            place = f"shipment {row.name} of {row.channel}/{row.external_id}"
            if row.owner_id not in catalog.owners:
                yield broken("reference", place, "belongs to an owner that is not there")
            if row.node_id and row.node_id not in catalog.nodes:
                yield broken("reference", place, "left a node that is not there")
            wrong = _wrong(row)
            if wrong:
                yield broken("format", place, wrong)
            else:
                self._kept.setdefault(row[:3], []).append(row)

    def check_order(self, found: Read) -> Violations:
        """Whether exactly that counts which follows from what is kept."""
        papers = found.papers
        kept = self._kept.get(papers.order[1:4], ())
        if not (kept or papers.elsewhere or papers.taken):
            return
        if papers.taken and not kept:
            yield broken("I1", found.place, "the ledger took goods off that nobody has sent")
        lines = {line.line_no: line for line in papers.lines}
        numbers = numbers_of(found.body, lines)
        shipped: dict[int, int] = {}
        for row in papers.reservations:
            if row.state == SHIPPED:
                shipped[row.line_no] = shipped.get(row.line_no, 0) + row.quantity
        wanted = {number: line.wanted for number, line in lines.items()}
        should = sent_elsewhere(kept, numbers, wanted, shipped, self._marks(found))
        there = {row[1:3]: row[3:] for row in papers.elsewhere}
        for key in sorted(should.keys() | there.keys()):
            if should.get(key) != there.get(key):
                units = should[key].units if key in should else 0
                has = there[key][0] if key in there else 0
                message = f"line {key[0]}: {has} units count as sent by others, {units} should"
                yield broken("I6", found.place, f"{message}, or at another time")

    def _marks(self, found: Read) -> frozenset[str]:
        """What its packages and fulfillment orders are called."""
        marks = {
            f"{row.order_id}-{row.sequence}-{self._catalog.nodes.get(row.node_id)}"
            for row in found.papers.work
        }
        for row in found.papers.packages:
            try:
                marks |= {row.name, self._load(row.body).tracking}
            except StoreError:
                marks.add(row.name)
        return frozenset(map(mark_of, marks - {""}))


def _wrong(row: ElsewhereRow) -> str:
    """What is wrong with a shipment by itself; empty where nothing is."""
    try:
        lines, _ = read_sent(row)
    except StoreError:
        return "its lines cannot be read"
    if not row.name or row.revision < 0 or row.total not in (0, 1) or row.at < 0:
        return "has no name, or an impossible revision or time"
    if any(not 1 <= units <= MOST for _, units in lines):
        return "tells an impossible number of units"
    return ""
