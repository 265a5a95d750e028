"""Goods of an order that others have sent: taken off what is still to ship, and off the shelf.

Every such shipment is kept as it was told. What of it counts is a function of all of them, of what
nodes have shipped and of what the order wants; so they may come twice, late and before their order.
Where a node ships all the same what others have sent, its own word counts: per line, both together
are never more than the order wants, or than others alone are said to have sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from domcore.codec.stored import Bodies, dump_event
from domcore.errors import StoreError
from domcore.model.order import Order
from domcore.store.backend import Reader
from domcore.store.operations.order_work import OrderWork
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.operations.shelves import Shelves
from domcore.store.operations.troubles import Troubles
from domcore.store.rows import (
    ElsewhereLineRow,
    ElsewhereRow,
    LineRow,
    PackageRow,
    StockBalance,
    TroubleRow,
)

Key = tuple[int, int]
"""(sequence, node id) of work, (line number, node id) of units, (item id, node id) of stock."""


UNNAMED: Final[Mapping[str, Any]] = {"name": "", "node": "", "tracking": []}
"""What an event tells of shipments that something else than themselves has brought into play."""


STILL_AT_WORK: Final = (
    "{} still works on goods that others have sent, and has no connector: tell it to stop"
)


def at_work_still(troubles: Troubles, key: Key, node: str) -> list[TroubleRow]:
    """Where people are shown that a node without a connector works on what others have sent."""
    note = STILL_AT_WORK.format(node)
    return [
        row
        for row in troubles.standing("left")
        if (row.sequence, row.node_id) == key and row.note == note
    ]


class Sent(NamedTuple):
    """Units, and when the last of them left."""

    units: int
    at: int


def read_sent(row: ElsewhereRow) -> tuple[list[tuple[str, int]], list[str]]:
    """The lines and numbers of a kept shipment.

    Raises:
        StoreError: they are damaged.
    """
    try:
        lines = msgspec.json.decode(row.lines, type=list[tuple[str, int]])
        return lines, msgspec.json.decode(row.tracking, type=list[str])
    except msgspec.MsgspecError:
        raise StoreError("a stored shipment is damaged; run `domcore verify`") from None


def sent_elsewhere(
    rows: Iterable[ElsewhereRow],
    numbers: Mapping[str, int],
    wanted: Mapping[int, int],
    shipped: Mapping[int, int],
    marks: frozenset[str],
) -> dict[Key, Sent]:
    """What counts as sent by others, by line number and node id.

    Args:
        numbers: line id -> line number, of the lines that ship.
        wanted, shipped: units by line number that the order wants, that its nodes have shipped.
        marks: what its packages and fulfillment orders are called.
    """
    told = [
        (row, numbers[name], units)
        for row in sorted(rows, key=lambda row: (row.total, row.at, row.name))
        for name, units in lines_of_others(row, marks)
        if name in numbers
    ]
    named, total = dict[int, int](), dict[int, int]()
    for row, number, units in told:
        if row.total:
            total[number] = max(total.get(number, 0), units)
        else:
            named[number] = named.get(number, 0) + units
    found: dict[Key, Sent] = {}
    room: dict[int, int] = {}
    for row, number, units in told:
        ours = shipped.get(number, 0)
        most = max(wanted.get(number, 0), named.get(number, 0), total.get(number, 0))
        left = room.setdefault(number, max(0, most - ours))
        if row.total:
            units -= ours + max(0, most - ours) - left
        some = min(units, left)
        if some > 0:
            room[number] -= some
            known = found.get((number, row.node_id), Sent(0, row.at))
            found[number, row.node_id] = Sent(known.units + some, max(known.at, row.at))
    return found


def lines_of_others(row: ElsewhereRow, marks: frozenset[str]) -> list[tuple[str, int]]:
    """The lines of a shipment, none where it is one of ours. Totals have ours among them anyway."""
    lines, tracking = read_sent(row)
    return lines if row.total or marks.isdisjoint(tracking) else []


def mark_of(number: str) -> str:
    """A number as it is compared: shops and partners trim and capitalize them as they like."""
    return " ".join(number.split()).casefold()


def numbers_of(order: Order, lines: Mapping[int, LineRow]) -> dict[str, int]:
    """Line id -> line number, of the lines that ship."""
    return {
        line.id: number
        for number, line in enumerate(order.lines)
        if line.ships and number in lines and lines[number].item_id is not None
    }


def elsewhere_of(
    reader: Reader,
    bodies: Bodies,
    work: OrderWork,
    order: Order,
    rows: Sequence[ElsewhereRow],
    now: int,
) -> Elsewhere | None:
    """What brings an order in line with what others have sent; None where nothing is kept."""
    if not rows:
        return None
    return Elsewhere(reader, work, order, rows, marks_of(reader, bodies, work), now)


def marks_of(reader: Reader, bodies: Bodies, work: OrderWork) -> frozenset[str]:
    """What the packages and fulfillment orders of an order are called; by one of these names the
    goods in them are known again when their channel tells of them."""
    nodes = reader.nodes() if work.work else {}
    order_id = work.state.order_id
    found = {fulfillment_id(order_id, sequence, nodes[node]) for sequence, node in work.work}
    rows = [*reader.select("package", "order_id", [order_id])]
    rows += work.changes.rows.get("packages", ())
    for row in map(PackageRow._make, rows):
        found |= {row.name, bodies.package.load(row.body).tracking}
    return frozenset(map(mark_of, found - {""}))


class Elsewhere:
    """Brings one order in line with what others have sent of it. Nothing is written where nothing
    is kept; the caller finishes the order."""

    def __init__(
        self,
        reader: Reader,
        work: OrderWork,
        order: Order,
        rows: Sequence[ElsewhereRow],
        marks: frozenset[str],
        now: int,
    ) -> None:
        self.changed: Final[dict[int, int]] = {}
        """By line number the units that have left, or, below zero, have not after all."""
        self.freed = 0
        self.asked: Final[set[Key]] = set()
        self._reader: Final = reader
        self._work: Final = work
        self._order: Final = order
        self._rows: Final = rows
        self.marks: Final = marks
        self._now: Final = now

    def settle(self) -> None:
        """Do what is not done yet."""
        work = self._work
        kept = self._reader.select("elsewhere_line", "order_id", [work.state.order_id])
        known = {row[1:3]: Sent(*row[3:]) for row in map(ElsewhereLineRow._make, kept)}
        numbers = numbers_of(self._order, work.lines)
        wanted = {number: line.wanted for number, line in work.lines.items()}
        found = sent_elsewhere(self._rows, numbers, wanted, work.shipped_by_nodes(), self.marks)
        for (number, _), units in _differences(known, found).items():
            self.changed[number] = self.changed.get(number, 0) + units
        for number, units in list(self.changed.items()):
            if units < 0:
                self._come_back(number, -units)
            elif units > 0:
                self._leave(number, units, {node for at, node in found if at == number})
            else:
                del self.changed[number]
        self._write(known, found)
        self._move_stock(known, found)

    def left_twice(self) -> dict[int, int]:
        """By line number the units that have left beyond what is wanted, by what others name and
        nodes have shipped together; totals have ours among them, and tell of none."""
        lines, found = self._work.lines, dict[int, int]()
        numbers, shipped = numbers_of(self._order, lines), self._work.shipped_by_nodes()
        for row in self._rows:
            for name, units in () if row.total else lines_of_others(row, self.marks):
                if name in numbers:
                    number = numbers[name]
                    found.setdefault(number, shipped.get(number, 0) - lines[number].wanted)
                    found[number] += units
        return {number: units for number, units in found.items() if units > 0}

    # --- the buckets ----------------------------------------------------------------------------

    def _leave(self, number: int, units: int, nodes: Collection[int]) -> None:
        """Take units out of the line's other buckets: open ones, those that no node was told of,
        cancelled ones; what nodes work on is asked back, and until they answer the line holds more
        than was ordered."""
        left = units - self._take(number, "open", units)
        if left:
            freed = self._free(number, left, nodes)
            self.freed += freed
            left -= self._take(number, "open", freed)
        left -= self._take(number, "cancelled", left)
        if left:
            line = self._work.lines[number]
            self._work.lines[number] = line._replace(
                ordered=line.ordered + left, shipped=line.shipped + left
            )
            self._ask(number, left)

    def _take(self, number: int, bucket: Literal["open", "cancelled"], most: int) -> int:
        line = self._work.lines[number]
        units = min(most, line.open if bucket == "open" else line.cancelled)
        rest = {bucket: getattr(line, bucket) - units}
        self._work.lines[number] = line._replace(shipped=line.shipped + units, **rest)
        return units

    def _free(self, number: int, most: int, nodes: Collection[int]) -> int:
        """Free what no node was told of, first at the nodes that the goods were taken from."""
        rows = [row for row in self._work.open_reservations() if row.line_no == number]
        freed = 0
        for row in sorted(rows, key=lambda row: row.node_id not in nodes):
            units = min(row.quantity, most - freed)
            if units and not self._work.handed_over(row):
                self._work.resolve(row, units, "freed", at=self._now)
                freed += units
        return freed

    def _ask(self, number: int, units: int) -> None:
        for row in self._work.open_reservations():
            if units > 0 and row.line_no == number and self._work.handed_over(row):
                self.asked.add((row.sequence, row.node_id))
                units -= row.quantity

    def _come_back(self, number: int, units: int) -> None:
        """Units have not left after all, or a node has shipped them: what is still wanted of them
        is open again, or cancelled where the order is."""
        line = self._work.lines[number]
        line = line._replace(shipped=line.shipped - units)
        there = line.open + line.allocated + line.shipped + line.cancelled
        back = max(0, min(units, line.wanted - there))
        bucket = "cancelled" if self._work.state.cancelled else "open"
        self._work.lines[number] = line._replace(
            ordered=line.ordered - (units - back), **{bucket: getattr(line, bucket) + back}
        )

    # --- rows and stock -------------------------------------------------------------------------

    def _write(self, known: Mapping[Key, Sent], found: Mapping[Key, Sent]) -> None:
        order_id, add = self._work.state.order_id, self._work.changes.add
        for key in sorted(known.keys() - found.keys()):
            add("forget_elsewhere_lines", (order_id, *key))
        for key in sorted(found):
            if found[key] != known.get(key):
                add("elsewhere_lines", (order_id, *key, *found[key]))

    def _move_stock(self, known: Mapping[Key, Sent], found: Mapping[Key, Sent]) -> None:
        """Goods that left a node of ours are not on its shelf, unless a later count knows that."""
        moved: dict[Key, tuple[int, int]] = {}
        for (number, node_id), units in _differences(known, found).items():
            item_id = self._work.lines[number].item_id
            if node_id and item_id is not None and units:
                at = found.get((number, node_id), known.get((number, node_id), Sent(0, 0))).at
                before = moved.get((item_id, node_id), (0, 0))
                moved[item_id, node_id] = before[0] + units, max(before[1], at)
        if not moved:
            return
        changes, order_id = self._work.changes, self._work.state.order_id
        shelves = Shelves(self._reader, self._work, moved, self._now)
        for key, (units, at) in sorted(moved.items()):
            if not shelves.known(key):
                changes.add("new_stock", StockBalance(*key, 0, 0, 0, 0, 0))
            elif shelves.counted(key, at):
                continue
            changes.move(key, "elsewhere", at, on_hand=-units, order_id=order_id)
        shelves.balance()

    # --- saying so ------------------------------------------------------------------------------

    def tell(self, about: Mapping[str, Any]) -> None:
        """An event that says what has left, and one for each node that works on it all the same."""
        if not self.changed:
            return
        ids = [line.id for line in self._order.lines]
        lines = [(ids[number], units) for number, units in sorted(self.changed.items())]
        body = {**about, "lines": lines, "freed": self.freed, "requested": len(self.asked)}
        add, order_id = self._work.changes.add, self._work.state.order_id
        event = (None, "order.shipped_elsewhere", order_id, self._now, dump_event(body))
        add("events", event)
        nodes = self._reader.nodes() if self.asked else {}
        for sequence, node_id in sorted(self.asked):
            told = dump_event(
                {
                    "fulfillment_order": fulfillment_id(order_id, sequence, nodes[node_id]),
                    "node": nodes[node_id],
                    "lines": [],
                    "packages": [],
                    "reason": "shipped elsewhere",
                    "vendor_status": "",
                    "detail": "others have sent goods that it works on; it is asked to stop",
                }
            )
            add("events", (None, "fulfillment.exception", order_id, self._now, told))
            if not self._work.work[sequence, node_id].told:
                self._show_at_work((sequence, node_id), nodes[node_id])

    def _show_at_work(self, key: Key, node: str) -> None:
        """A node without a connector hears from nobody but a person that it is to stop."""
        troubles = Troubles(self._reader, self._work.changes, self._work.state.order_id, self._now)
        if not at_work_still(troubles, key, node):
            name = fulfillment_id(self._work.state.order_id, key[0], node)
            troubles.add("left", STILL_AT_WORK.format(node), key=key, work=name, node=node)


def _differences(known: Mapping[Key, Sent], found: Mapping[Key, Sent]) -> dict[Key, int]:
    nothing = Sent(0, 0)
    return {
        key: found.get(key, nothing).units - known.get(key, nothing).units
        for key in sorted(known.keys() | found.keys())
    }
