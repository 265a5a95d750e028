"""What readers see of the work of nodes: fulfillment orders with their boxes, and who is not asked
again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from domcore.codec.stored import Bodies
from domcore.model.correction import CHOSEN, MOVED
from domcore.model.decision import FulfillmentOrder
from domcore.store.backend import Reader
from domcore.store.changes import Row
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.rows import (
    OPEN,
    FulfillmentRow,
    ItemExclusionRow,
    LineExclusionRow,
    PackageRow,
    ReservationRow,
)
from domcore.store.values import OpenOrder


@frozen(slots=True)
class Refusals:
    """The exclusions that are about some orders: theirs by order, and those of items."""

    lines: Mapping[int, Sequence[LineExclusionRow]]
    items: Mapping[int, Sequence[ItemExclusionRow]]

    def of(self, order: OpenOrder) -> OpenOrder:
        """The order with the nodes that are not to be asked."""
        mine = self.lines.get(order.order_id, ())
        if not (mine or self.items):
            return order
        chosen = tuple((row.line_no, row.node_id) for row in mine if row.reason == CHOSEN)
        mine = [row for row in mine if row.reason != CHOSEN]
        excluded = tuple((row.line_no, row.node_id, row.reason) for row in mine)
        known = {(line, node) for line, node, _ in excluded}
        avoided = tuple(
            (line, row.node_id, row.reason)
            for line, item_id in enumerate(order.item_ids)
            if order.open[line]
            for row in self.items.get(item_id, ())
            if (line, row.node_id) not in known
        )
        if not (excluded or avoided or chosen):
            return order
        rejections = len({(row.node_id, row.at) for row in mine if row.reason != MOVED})
        return order._replace(
            excluded=excluded, avoided=avoided, rejections=rejections, chosen=chosen
        )


def refusals(
    reader: Reader, order_ids: Sequence[int], item_ids: Iterable[int], now: int, *, excluded: bool
) -> Refusals:
    """Those that stand now. Where no item is `excluded` anywhere, that was seen at a glance: every
    batch of orders that is routed comes by here."""
    lines: dict[int, list[LineExclusionRow]] = {}
    for row in map(LineExclusionRow._make, reader.select("line_exclusion", "order_id", order_ids)):
        lines.setdefault(row.order_id, []).append(row)
    items: dict[int, list[ItemExclusionRow]] = {}
    if not excluded:
        return Refusals(lines, items)
    wanted = sorted(set(item_ids))
    for each in map(ItemExclusionRow._make, reader.select("item_exclusion", "item_id", wanted)):
        if each.until > now:
            items.setdefault(each.item_id, []).append(each)
    return Refusals(lines, items)


def fulfillment_orders(
    reader: Reader,
    bodies: Bodies,
    order_id: int,
    taken: Sequence[ReservationRow],
    names: Sequence[tuple[str, str]],
) -> tuple[FulfillmentOrder, ...]:
    """The work that one order has given to nodes; `names` are ``(line id, SKU)`` by line."""
    nodes = reader.nodes()
    work = map(FulfillmentRow._make, reader.select("fulfillment_order", "order_id", [order_id]))
    boxes: dict[Row, list[PackageRow]] = {}
    for row in map(PackageRow._make, reader.select("package", "order_id", [order_id])):
        boxes.setdefault(row[:3], []).append(row)
    return tuple(
        evolve(
            _fulfillment(row, taken, nodes, names),
            packages=tuple(bodies.package.load(box.body) for box in boxes.get(row[:3], ())),
        )
        for row in work
    )


def _fulfillment(
    work: FulfillmentRow,
    taken: Sequence[ReservationRow],
    nodes: dict[int, str],
    names: Sequence[tuple[str, str]],
) -> FulfillmentOrder:
    left: dict[int, int] = {}
    for row in taken:
        if row.state == OPEN and (row.sequence, row.node_id) == (work.sequence, work.node_id):
            left[row.line_no] = left.get(row.line_no, 0) + row.quantity
    lines = tuple((*names[number], units) for number, units in sorted(left.items()))
    node = nodes[work.node_id]
    return FulfillmentOrder(
        fulfillment_id(work.order_id, work.sequence, node),
        work.order_id,
        work.sequence,
        node,
        work.status,
        lines,
        work.reference,
        work.vendor_status,
        bool(work.handed_over),
    )
