"""What comes back, against what has left and what the ledger brought on hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domcore.store.rows import ReturnLineRow, ReturnRow
from domcore.verify.catalog import Catalog
from domcore.verify.receipts import Receipts
from domcore.verify.source import Source
from domcore.verify.spool import Grouped, Spool
from domcore.verify.violation import Violations, broken

if TYPE_CHECKING:
    from domcore.verify.dossier import Read

DIGEST_BYTES: Final = 32


def sort_returns(source: Source, catalog: Catalog, spool: Spool, receipts: Receipts) -> Violations:
    """Check each return by itself, and sort their lines by order into `spool`:
    ``(order, return, line, units, received, on hand, closed)``."""
    lines = Grouped(iter(map(ReturnLineRow._make, source.rows("return_line"))))
    for row in map(ReturnRow._make, source.rows("return_order")):
        place = f"return {row.id} ({row.name})"
        yield from _check_row(row, place, catalog)
        mine = lines.take(row.id)
        yield from _strays(lines)
        if not mine:
            yield broken("I5", place, "has no line")
        closed = int(row.closed_at is not None)
        for line in mine:
            received, there = sum(line[4:7]), line.restocked + line.blocked
            if min(line[4:7]) < 0 or received > line.units:
                message = f"line {line.line_no} has received {received} of {line.units} units"
                yield broken("I6", place, message)
            if line.item_id not in catalog.items:
                yield broken("reference", place, f"line {line.line_no} is of no known item")
            receipts.add_line(row, line)
            spool.add((row.order_id, row.id, line.line_no, line.units, received, there, closed))
    lines.finish()
    yield from _strays(lines)


def _check_row(row: ReturnRow, place: str, catalog: Catalog) -> Violations:
    if row.node_id not in catalog.nodes:
        yield broken("reference", place, "goes to a node that is not there")
    if len(row.digest) != DIGEST_BYTES:
        yield broken("I10", place, "what was authorized is not known any more")
    if row.closed_at is not None and row.closed_at < row.authorized_at:
        yield broken("I9", place, "was closed before it was authorized")


def _strays(lines: Grouped) -> Violations:
    for line in lines.strays:
        yield broken("I5", f"line of return {line[0]}", "there is no such return beside it")
    lines.strays = []


def check_returns(found: Read, authorized: int, closed: int, sent: int) -> Violations:
    """The returns of one order.

    Args:
        authorized, closed: how many events say so.
        sent: how many events tell of goods that others have sent. From the second on they may have
            taken back what a return was authorized for.
    """
    papers, coming = found.papers, dict[int, int]()
    names, over, brought = set[int](), set[int](), 0
    for _, number, line, units, received, there, ended in papers.returns:
        names.add(number)
        over |= {number} if ended else set()
        brought += there
        coming[line] = coming.get(line, 0) + (received if ended else units)
    shipped = {line.line_no: line.shipped for line in papers.lines}
    for line, units in coming.items():
        if units > shipped.get(line, 0) and sent < 2:
            message = f"line {line}: {units} units come back, {shipped.get(line, 0)} have shipped"
            yield broken("I6", found.place, message)
    counted = sum(units for _, units in papers.brought)
    if counted > brought:
        message = f"the ledger brought {counted} units back, {brought} were received"
        yield broken("I1", found.place, message)
    for what, there, said in (
        ("authorized", len(names), authorized),
        ("closed", len(over), closed),
    ):
        if there != said:
            message = f"{there} returns were {what}, {said} events say so"
            yield broken("events", found.place, message)
