"""Builds what readers see out of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from domcore.codec.stored import Bodies
from domcore.errors import NotFound
from domcore.model.clock import from_micros
from domcore.model.decision import OrderSummary, Reservation
from domcore.model.policy import Hold
from domcore.model.status import RESERVATION_STATES, Buckets, order_status
from domcore.store.backend import Reader
from domcore.store.changes import Row
from domcore.store.hold_rows import TAKEN_BACK, HoldRow
from domcore.store.protocol import OpenOrder, OrderFilter, OrderView, StockFilter
from domcore.store.rows import (
    NOT_HELD,
    OPEN,
    SHIPPED,
    LineRow,
    OrderRow,
    ReservationRow,
    StateRow,
)
from domcore.store.searching import folded
from domcore.store.work_views import fulfillment_orders

_LINE_ITEM: Final = LineRow._fields.index("item_id")
_LINE_OPEN: Final = LineRow._fields.index("open")


def open_orders(
    rows: Sequence[Row],
    lines: Sequence[Row],
    holds: Sequence[Row],
    bodies: Bodies,
    held: frozenset[int],
    used: Mapping[int, tuple[int, ...]],
    *,
    woken: bool,
) -> list[OpenOrder]:
    """The orders of `rows` (see `Reader.queue`) that have open units; `held` are ids, `used` the
    nodes of those that have units placed, and `woken` says whether any order is."""
    lines_of: dict[int, list[Row]] = {}
    for line in lines:
        lines_of.setdefault(line[0], []).append(line)
    approved: dict[tuple[int, int], list[str]] = {}
    standing: dict[tuple[int, int], list[Hold]] = {}
    for order_id, revision, code, stage, reason, _, approved_at, approved_by in holds:
        if approved_by == TAKEN_BACK:
            continue
        if approved_at is not None:
            approved.setdefault((order_id, revision), []).append(code)
        else:
            standing.setdefault((order_id, revision), []).append(Hold(code, reason, stage))
    load = bodies.order.load
    found = []
    for order_id, version, sequence, revision, body, reason, due in rows:
        mine = lines_of.get(order_id, ())
        opened = tuple([line[_LINE_OPEN] for line in mine])
        if any(opened):
            found.append(
                OpenOrder(
                    order_id,
                    version,
                    sequence,
                    load(body),
                    opened,
                    tuple(approved.get((order_id, revision), ())),
                    tuple([line[_LINE_ITEM] or 0 for line in mine]),
                    order_id in held,
                    reason=reason,
                    due=due,
                    others_woken=woken,
                    standing=tuple(standing.get((order_id, revision), ())),
                    placed=_placed(mine) if order_id in used else (),
                    used=used.get(order_id, ()),
                )
            )
    return found


def open_items(lines: Iterable[Row]) -> list[int]:
    """The items of which lines have open units."""
    return [line[_LINE_ITEM] for line in lines if line[_LINE_OPEN] and line[_LINE_ITEM]]


def _placed(lines: Sequence[Row]) -> tuple[int, ...]:
    """Units allocated or gone, by line."""
    return tuple(line.allocated + line.shipped for line in map(LineRow._make, lines))


def queue_rows(reader: Reader, order_ids: Sequence[int]) -> tuple[list[Row], frozenset[int]]:
    """Like `Reader.queue`, for orders named by id; also the ids of those that are held."""
    states = {row[0]: StateRow(*row) for row in reader.select("order_state", "order_id", order_ids)}
    bodies = reader.select("order_body", "order_id", order_ids)
    rows: list[Row] = [
        (row[0], state.version, state.sequence, row[1], row[3], state.reason, state.retry_at or 0)
        for row in bodies
        for state in (states[row[0]],)
    ]
    return rows, frozenset(state.order_id for state in states.values() if state.hold)


def own_id(reference: str) -> int | None:
    """The id that ``id:15`` names; None for any other text, which names no id of the store.

    A bare number is never one: channels count their orders from 1 as the store does, so it would
    be another shop's order.
    """
    word, colon, digits = reference.partition(":")
    if word != "id" or not colon or not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits) if len(digits) <= 18 else None


def find_order(reader: Reader, reference: str, owner_id: int | None) -> list[int]:
    """Every order the reference may mean, by id."""
    found: set[int] = set()

    def add(rows: Sequence[Row], channel: str | None = None) -> None:
        for row in (OrderRow(*row) for row in rows):
            if owner_id in (None, row.owner_id) and channel in (None, row.channel):
                found.add(row.id)

    if not reference:
        return []
    own = own_id(reference)
    if own is not None:
        add(reader.select("orders", "id", [own]))
        return sorted(found)
    add(reader.select("orders", "external_id", [reference]))
    add(reader.select("orders", "number", [reference]))
    channel, slash, external_id = reference.partition("/")
    if slash:
        add(reader.select("orders", "external_id", [external_id]), channel)
        found |= _by_full_name(reader, reference, owner_id)
    return sorted(found)


def _by_full_name(reader: Reader, reference: str, owner_id: int | None) -> set[int]:
    """The order called ``owner/channel/external id``, which names one and no other."""
    owner, _, rest = reference.partition("/")
    channel, slash, external_id = rest.partition("/")
    known = reader.owner_id(owner) if slash else None
    if known is None or owner_id not in (None, known):
        return set()
    row = reader.find_order(known, channel, external_id)
    return set() if row is None else {row.id}


def order_filters(reader: Reader, wanted: OrderFilter) -> dict[str, Any] | None:
    """The filters a backend applies; None when nothing can match."""
    filters: dict[str, Any] = {
        "channel": wanted.channel,
        "number": wanted.number,
        "placed_from": wanted.placed_from,
        "placed_until": wanted.placed_until,
        "captured_from": wanted.captured_from,
        "captured_until": wanted.captured_until,
        "sku": wanted.sku,
        "hold": wanted.hold,
        "status": wanted.status,
        "late": None if wanted.late is None else wanted.late // 1_000_000,
        "words": tuple(map(folded, wanted.words)) or None,
    }
    return _with_ids(reader, filters, wanted.owner, wanted.node)


def stock_filters(reader: Reader, wanted: StockFilter) -> dict[str, Any] | None:
    """The filters a backend applies; None when nothing can match."""
    filters: dict[str, Any] = {"sku": wanted.sku, "below": wanted.below}
    return _with_ids(reader, filters, wanted.owner, wanted.node)


def _with_ids(
    reader: Reader, filters: dict[str, Any], owner: str | None, node: str | None
) -> dict[str, Any] | None:
    if owner is not None:
        filters["owner_id"] = reader.owner_id(owner)
        if filters["owner_id"] is None:
            return None
    if node is not None:
        ids = {code: node_id for node_id, code in reader.nodes().items()}
        if node not in ids:
            return None
        filters["node_id"] = ids[node]
    return {name: value for name, value in filters.items() if value is not None}


def summaries(reader: Reader, rows: Sequence[OrderRow]) -> list[OrderSummary]:
    """One page of orders, with four look-ups for all of them together."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    owners, nodes = reader.owners(), reader.nodes()
    states = {row[0]: StateRow(*row) for row in reader.select("order_state", "order_id", ids)}
    lines = _grouped([LineRow(*row) for row in reader.select("order_line", "order_id", ids)])
    taken = _grouped(
        [ReservationRow(*row) for row in reader.select("reservation", "order_id", ids)]
    )
    holds = _grouped([HoldRow(*row) for row in reader.select("hold", "order_id", ids)])
    return [
        summary(
            row,
            owners[row.owner_id],
            states[row.id],
            lines.get(row.id, []),
            taken.get(row.id, []),
            holds.get(row.id, []),
            nodes,
        )
        for row in rows
    ]


def _grouped(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(row)
    return found


def summary(
    row: OrderRow,
    owner: str,
    state: StateRow,
    lines: Sequence[LineRow],
    reservations: Sequence[ReservationRow],
    holds: Sequence[HoldRow],
    nodes: dict[int, str],
) -> OrderSummary:
    """One order in a list; its status is derived here."""
    buckets = Buckets(
        sum(line.open for line in lines),
        sum(line.allocated for line in lines),
        sum(line.shipped for line in lines),
        sum(line.cancelled for line in lines),
    )
    status = order_status(
        buckets,
        held=state.hold != NOT_HELD,
        tried=bool(state.reason),
        expiring=any(r.state == OPEN and r.expires_at is not None for r in reservations),
    )
    standing = tuple(
        Hold(hold.code, hold.reason, hold.stage)
        for hold in holds
        if hold.revision == state.revision and hold.approved_at is None
        if state.hold or (not state.cancelled and buckets.open)
    )
    used = {nodes[r.node_id] for r in reservations if r.state in (OPEN, SHIPPED)}
    return OrderSummary(
        row.id,
        owner,
        row.channel,
        row.external_id,
        row.number,
        from_micros(row.placed_at),
        status,
        buckets,
        tuple(sorted(used)),
        standing,
        state.reason,
    )


def order_view(reader: Reader, bodies: Bodies, order_id: int) -> OrderView:
    """Everything about one order.

    Raises:
        NotFound: there is no such order.
    """
    found = reader.select("orders", "id", [order_id])
    if not found:
        raise NotFound(f"there is no order {order_id}")
    (one,) = summaries(reader, [OrderRow(*found[0])])
    (body,) = reader.select("order_body", "order_id", [order_id])
    state = StateRow(*reader.select("order_state", "order_id", [order_id])[0])
    lines = [LineRow(*row) for row in reader.select("order_line", "order_id", [order_id])]
    taken = [ReservationRow(*row) for row in reader.select("reservation", "order_id", [order_id])]
    holds = [HoldRow(*row) for row in reader.select("hold", "order_id", [order_id])]
    person = reader.select("person", "order_id", [order_id])
    order, nodes = bodies.order.load(body[3]), reader.nodes()
    names = [(line.id, line.sku) for line in order.lines]
    return OrderView(
        summary=one,
        order=order,
        version=state.version,
        sequence=state.sequence,
        lines=tuple(Buckets(*line[4:8]) for line in lines),
        reservations=tuple(_reservation(row, nodes, names) for row in taken),
        fulfillment_orders=fulfillment_orders(reader, bodies, order_id, taken, names),
        approved=tuple(
            hold.code
            for hold in holds
            if hold.approved_at is not None
            and hold.approved_by != TAKEN_BACK
            and hold.revision == state.revision
        ),
        person=bodies.person.load(person[0][1]) if person else None,
    )


def _reservation(
    row: ReservationRow, nodes: dict[int, str], names: Sequence[tuple[str, str]]
) -> Reservation:
    return Reservation(
        row.order_id,
        row.sequence,
        row.line_no,
        nodes[row.node_id],
        row.part,
        names[row.line_no][1],
        row.quantity,
        RESERVATION_STATES[row.state],
        None if row.expires_at is None else from_micros(row.expires_at),
    )
