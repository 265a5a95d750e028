"""The news of nodes, against what it moved, the boxes it told and the nodes it excludes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from domcore.codec.stored import FORMAT, Bodies
from domcore.errors import StoreError
from domcore.model.correction import BY_HAND, CHOSEN
from domcore.model.correction import MOVED as AWAY
from domcore.model.handover import REJECTION_REASONS
from domcore.store.rows import (
    SHIPPED,
    EventRow,
    FulfillmentRow,
    ItemExclusionRow,
    PackageRow,
    ReservationRow,
)
from domcore.verify.catalog import Catalog
from domcore.verify.source import Source
from domcore.verify.spool import Spool
from domcore.verify.violation import Violations, broken

if TYPE_CHECKING:
    from domcore.verify.dossier import Read

HEARD, MOVED, BOXED, REJECTED, GIVEN = range(5)
"""What a row of the news is about: that there was some, units, a box, a rejection; a person's word
on who ships a line."""


class _Box(msgspec.Struct):
    id: str


class _News(msgspec.Struct):
    fulfillment_order: str = ""
    node: str = ""
    lines: list[tuple[str, str, int]] = []
    named: list[tuple[str, int]] | None = None
    boxes: list[_Box] = []
    reason: str = ""
    unasked: bool = False


class _Move(msgspec.Struct):
    node: str
    lines: list[tuple[str, int]]
    to: str = ""


class NewsReader:
    """Sorts what events of news tell by order:
    ``(order, HEARD, fulfillment order, "", "", 0)``,
    ``(order, MOVED, fulfillment order, line id, word, units)``,
    ``(order, BOXED, fulfillment order, box, "", 0)``,
    ``(order, REJECTED, node, reason, fulfillment order where it cancelled unasked, at)``,
    ``(order, GIVEN, node, reason, line id, at)``."""

    def __init__(self) -> None:
        self._decode: Final = msgspec.json.Decoder(_News).decode
        self._decode_move: Final = msgspec.json.Decoder(_Move).decode

    def add(self, row: EventRow, spool: Spool) -> Violations:
        """Take in one event of a node's news, or of a person's move."""
        if row.kind == "work.moved":
            yield from self._add_move(row, spool)
            return
        try:
            news = self._decode(row.body)
        except msgspec.MsgspecError:
            yield broken("format", f"event {row.seq}", "does not tell the news of a node")
            return
        if news.named is None:
            return
        name = news.fulfillment_order
        spool.add((row.order_id, HEARD, name, "", "", 0))
        for line, word, units in news.lines:
            spool.add((row.order_id, MOVED, name, line, word, units))
        for box in news.boxes:
            spool.add((row.order_id, BOXED, name, box.id, "", 0))
        if row.kind == "fulfillment.rejected" or news.unasked:
            given_back = name if news.unasked else ""
            spool.add((row.order_id, REJECTED, news.node, news.reason, given_back, row.at))

    def _add_move(self, row: EventRow, spool: Spool) -> Violations:
        try:
            move = self._decode_move(row.body)
        except msgspec.MsgspecError:
            yield broken("format", f"event {row.seq}", "does not tell what was moved")
            return
        node, reason = (move.to, CHOSEN) if move.to else (move.node, AWAY)
        for line, _ in move.lines:
            spool.add((row.order_id, GIVEN, node, reason, line, row.at))


def check_item_exclusions(source: Source, catalog: Catalog) -> Violations:
    """Whether they are about items and nodes, and say why."""
    for row in map(ItemExclusionRow._make, source.rows("item_exclusion")):
        place = f"exclusion of node {row.node_id} for item {row.item_id}"
        if row.item_id not in catalog.items or row.node_id not in catalog.nodes:
            yield broken("reference", place, "is of no known item and node")
        if row.reason not in REJECTION_REASONS or row.until <= 0:
            yield broken("I9", place, "says neither why nor until when it stands")


class NewsChecks:
    """Checks of the news of one order after the other."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog: Final = catalog
        self._load: Final = Bodies().package.load

    def check(self, found: Read) -> Violations:
        """Everything that the news of an order moved."""
        papers = found.papers
        if not (papers.news or papers.packages or papers.exclusions):
            return
        names = {
            f"{row.order_id}-{row.sequence}-{self._catalog.nodes.get(row.node_id)}": row
            for row in papers.work
        }
        for name in sorted(
            {row[2] for row in papers.news if row[1] not in (REJECTED, GIVEN)} - names.keys()
        ):
            yield broken("I5", found.place, f"has news of the unknown work {name!r}")
        for name, work in names.items():
            key = (work.sequence, work.node_id)
            yield from self._check_units(found, name, key)
            yield from self._check_boxes(found, name, key)
        for row in papers.packages:
            if (row.sequence, row.node_id) not in {each[1:3] for each in papers.work}:
                yield broken("I8", found.place, f"package {row.name} is of no work of a node")
        yield from self._check_exclusions(found)

    def _check_units(self, found: Read, name: str, key: tuple[int, int]) -> Violations:
        """What has shipped must be what the news moved; nothing else makes goods leave."""
        ids = [line.id for line in found.body.lines]
        told: dict[str, int] = {}
        for _, about, work, line, word, units in found.papers.news:
            if about == MOVED and work == name and word == "shipped":
                told[line] = told.get(line, 0) + units
        left: dict[str, int] = {}
        for row in found.papers.reservations:
            if (row.sequence, row.node_id) == key and row.state == SHIPPED:
                line = _line_of(row, ids)
                left[line] = left.get(line, 0) + row.quantity
        for line in sorted(told.keys() | left.keys()):
            if told.get(line, 0) != left.get(line, 0):
                message = f"line {line}: {left.get(line, 0)} units of work {name} have left"
                yield broken(
                    "events", found.place, f"{message}, its news moved {told.get(line, 0)}"
                )

    def _check_boxes(self, found: Read, name: str, key: tuple[int, int]) -> Violations:
        told = {row[3] for row in found.papers.news if row[1] == BOXED and row[2] == name}
        there = {r.name: r for r in found.papers.packages if (r.sequence, r.node_id) == key}
        for box in sorted(told ^ there.keys()):
            message = "is kept, but no news told of it" if box in there else "was told and is lost"
            yield broken("I5", found.place, f"package {box} of work {name} {message}")
        for row in there.values():
            yield from self._check_box(found, row)

    def _check_box(self, found: Read, row: PackageRow) -> Violations:
        place = f"{found.place} package {row.name}"
        try:
            box = self._load(row.body)
        except StoreError:
            yield broken("format", place, f"its body is no package of format {FORMAT}")
            return
        if box.id != row.name:
            yield broken("reference", place, "its body is that of another package")

    def _check_exclusions(self, found: Read) -> Violations:
        told = {(row[2], row[3], row[5]) for row in found.papers.news if row[1] == REJECTED}
        given = {(*row[2:5], row[5]) for row in found.papers.news if row[1] == GIVEN}
        lines = {line.line_no for line in found.papers.lines}
        for row in found.papers.exclusions:
            place = f"{found.place} line {row.line_no}"
            node = self._catalog.nodes.get(row.node_id)
            if row.line_no not in lines or node is None:
                yield broken("reference", place, "excludes a node, or is excluded, from nowhere")
            elif row.reason in BY_HAND:
                line = found.body.lines[row.line_no].id
                if (node, row.reason, line, row.at) not in given:
                    yield broken("events", place, f"node {node} was {row.reason}, by nobody")
            elif (node, row.reason, row.at) not in told:
                yield broken("events", place, f"excludes node {node}, which has rejected nothing")
        excluded = {row.node_id for row in found.papers.exclusions if row.reason != CHOSEN}
        for work in found.papers.work:
            if work.status == "rejected" and work.node_id not in excluded:
                node = self._catalog.nodes.get(work.node_id)
                yield broken("I9", found.place, f"node {node} rejected it and may be asked again")
            elif work.status == "cancelled" and work.told and work.node_id not in excluded:
                yield from self._check_given_back(found, work)

    def _check_given_back(self, found: Read, work: FulfillmentRow) -> Violations:
        """Whether a node that cancelled units unasked may be asked for them again."""
        node = self._catalog.nodes.get(work.node_id)
        name = f"{work.order_id}-{work.sequence}-{node}"
        unasked = any(row[1] == REJECTED and row[4] == name for row in found.papers.news)
        moved = (row for row in found.papers.news if row[1] == MOVED and row[2] == name)
        if unasked and sum(row[5] for row in moved if row[4] != "shipped"):
            yield broken("I9", found.place, f"node {node} gave it back and may be asked again")


def _line_of(row: ReservationRow, ids: list[str]) -> str:
    return ids[row.line_no] if row.line_no < len(ids) else f"number {row.line_no}"
