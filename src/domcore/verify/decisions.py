"""Decisions, what they reserved, and the work they gave to the nodes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from domcore.sourcing.generation import CURRENT, FORMATS
from domcore.store.rows import (
    EXPIRED,
    MOST,
    OPEN,
    SHIPPED,
    DecisionRow,
    ReservationRow,
)
from domcore.verify.catalog import NETWORK, PROGRAM, Catalog
from domcore.verify.dossier import Read
from domcore.verify.movements import KEPT, RESERVED, is_personal
from domcore.verify.violation import Violations, broken
from domcore.verify.work import check_work


class Record(msgspec.Struct):
    """The part of a decision's record that its rows are held against."""

    format: int
    made: list[str | int]
    order: tuple[str, str, str]
    revision: int
    sequence: int
    purpose: str
    at: int
    network: str
    program: str
    holds: list[tuple[str, str, str]]
    take: list[tuple[int, int, int]]


class DecisionChecks:
    """Checks of the decisions of one order after the other."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog: Final = catalog
        self._decode: Final = msgspec.json.Decoder(Record).decode

    def check(self, found: Read) -> Violations:
        """Everything from the decision down to the outbox."""
        papers = found.papers
        numbers = [decision.sequence for decision in papers.decisions]
        made = len(numbers)
        if made != found.state.sequence or numbers != list(range(1, made + 1)):
            message = f"has decisions {numbers}, its state counts {found.state.sequence}"
            yield broken("I9", found.place, message)
        taken: dict[int, list[ReservationRow]] = {}
        for row in papers.reservations:
            taken.setdefault(row.sequence, []).append(row)
        if taken.keys() - set(numbers):
            yield broken("I4", found.place, "has reservations of a decision that is not there")
        for decision in papers.decisions:
            yield from self._check_decision(found, decision, taken.get(decision.sequence, []))
        if papers.reservations or papers.ledger:
            yield from _check_resolutions(found)
            yield from self._check_reservations(found)
        if papers.reservations or papers.work or papers.outbox:
            yield from check_work(found, taken, self._catalog.nodes)

    def _check_decision(
        self, found: Read, decision: DecisionRow, taken: list[ReservationRow]
    ) -> Violations:
        place = f"{found.place} decision {decision.sequence}"
        try:
            record = self._decode(decision.record)
        except msgspec.MsgspecError:
            yield broken("format", place, "its record cannot be read")
            return
        if record.format not in FORMATS:
            yield broken("format", place, f"its record is of format {record.format}")
            return
        if not _is_made_by_one_known(record):
            yield broken("format", place, "its record names no planner and facts that are known")
        row = (record.sequence, record.at, record.purpose)
        if record.order != found.body.key or row != decision[1:4]:
            yield broken("decision", place, "its record is that of another decision")
        if is_personal(decision.record):
            yield broken("personal-data", place, "its record carries personal data")
        if record.revision != found.state.revision and not any(
            record.revision == old.revision for old in found.papers.revisions
        ):
            yield broken("decision", place, "was made for a revision that is not kept")
        for digest, kind in ((record.network, NETWORK), (record.program, PROGRAM)):
            if self._catalog.blobs.get(digest) != kind:
                yield broken("decision", place, f"the {kind} it was made with is not kept")
        yield from self._check_draws(place, record, taken)
        if decision.sequence == found.state.sequence:
            yield from _check_last_holds(found, record, place)

    def _check_draws(self, place: str, record: Record, taken: list[ReservationRow]) -> Violations:
        """The parts of the reservations must add up to what was decided, node by node and item by
        item. An item's number is not in the record: amounts are compared as sorted lists."""
        nodes = self._catalog.networks.get(record.network)
        if nodes is None or not (record.take or taken):
            return
        if any(not 0 <= at < len(nodes) for at, _, _ in record.take):
            yield broken("decision", place, "draws from a node that its network does not have")
            return
        decided = _sums((nodes[at], pool, units) for at, pool, units in record.take)
        reserved = _sums((row.node_id, row.item_id, row.quantity) for row in taken)
        if decided != reserved:
            yield broken("I4", place, "its reservations do not add up to what was decided")
        if taken and any(stage == "route" for _, _, stage in record.holds):
            yield broken("I8", place, "was held before anything is reserved, and reserved stock")

    def _check_reservations(self, found: Read) -> Violations:
        papers = found.papers
        items = {line.line_no: line.item_id for line in papers.lines}
        purposes = {decision.sequence: decision.purpose for decision in papers.decisions}
        kept = any(kind == KEPT for _, _, kind, _ in papers.events)
        before: ReservationRow | None = None
        for row in papers.reservations:
            place = f"{found.place} decision {row.sequence} line {row.line_no}"
            follows = before is not None and before[:4] == row[:4]
            if row.part != (before.part + 1 if follows and before else 0):
                yield broken("I4", place, "a part of its reservation is missing")
            before = row
            if not 1 <= row.quantity <= MOST or not OPEN <= row.state <= EXPIRED:
                yield broken("I4", place, "its reservation is of no legal quantity or state")
            if row.node_id not in self._catalog.nodes or row.item_id not in self._catalog.items:
                yield broken("reference", place, "its reservation is of no known item and node")
            if row.line_no not in items:
                yield broken("I6", place, "its reservation is for a line that is not there")
            elif row.state in (OPEN, SHIPPED) and row.item_id != items[row.line_no]:
                yield broken("I6", place, "reserves another item than the line wants")
            expires = purposes.get(row.sequence) == "reserve"
            if (row.expires_at is None) == expires and not (expires and kept):
                yield broken("I8", place, "only a reservation made to expire has a time to")


def _is_made_by_one_known(record: Record) -> bool:
    """Whether domcore's version and the engine are named and, from format 2 on, a generation.

    What an earlier one decided is not decided anew: it may rightly come out otherwise today.
    """
    words, generation = record.made[:2], record.made[2:]
    if len(words) != 2 or any(type(word) is not str for word in words):
        return False
    if record.format == 1:
        return not generation
    return len(generation) == len(CURRENT) and all(
        type(number) is int and 1 <= number <= newest
        for number, newest in zip(generation, CURRENT, strict=True)
    )


def _sums(rows: Any) -> list[tuple[int, int]]:
    sums: dict[tuple[int, int], int] = {}
    for node, pool, units in rows:
        sums[node, pool] = sums.get((node, pool), 0) + units
    return sorted((node, units) for (node, _), units in sums.items())


def _check_last_holds(found: Read, record: Record, place: str) -> Violations:
    """The holds of the last decision stand, unless somebody has approved them."""
    state = found.state
    if not record.holds or record.revision != state.revision or state.cancelled:
        return
    rows = {row.code: row for row in found.papers.holds if row.revision == state.revision}
    for code, _, _ in record.holds:
        if code not in rows:
            yield broken("I9", place, f"its hold {code} is not kept")
        elif not state.hold and rows[code].approved_at is None:
            yield broken("I9", place, f"its hold {code} is lifted, but nobody approved it")


def _check_resolutions(found: Read) -> Violations:
    """Every unit of a reservation is taken once and resolved at most once, says the ledger."""
    sums: dict[tuple[int, ...], int] = {}
    for row in found.papers.reservations:
        key = (row.sequence, row.node_id, row.item_id)
        sums[*key, RESERVED] = sums.get((*key, RESERVED), 0) + row.quantity
        if row.state != OPEN:
            sums[*key, row.state] = sums.get((*key, row.state), 0) + row.quantity
    for _, sequence, node_id, item_id, state, units in found.papers.ledger:
        entry = (sequence, node_id, item_id, state)
        sums[entry] = sums.get(entry, 0) - units
    words = {RESERVED: "reserved", SHIPPED: "shipped", EXPIRED: "expired"}
    for (sequence, _, _, state), units in sums.items():
        if units:
            word = words.get(state, "freed")
            place = f"{found.place} decision {sequence}"
            message = f"by the ledger {abs(units)} units {'fewer' if units > 0 else 'more'}"
            yield broken("I4", place, f"{message} were {word} than by its reservations")
