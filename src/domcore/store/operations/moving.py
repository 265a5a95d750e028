"""A person wants work at another node, or decided anew.

What nobody has begun is taken back at once, a node that has it is asked to stop; who is to ship a
line is remembered for the decisions to come.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from domcore.codec.stored import dump_event
from domcore.errors import ConflictError, PayloadError, Problem
from domcore.model.correction import BY_HAND, CHOSEN, MOVED, MoveWork
from domcore.model.order import Order
from domcore.store.backend import Reader
from domcore.store.hold_rows import HoldRow
from domcore.store.operations.cancel import counted
from domcore.store.operations.changing import Key, stop_instead
from domcore.store.operations.holds import stand
from domcore.store.operations.order_work import FINISHED, OrderWork
from domcore.store.operations.recall import WAITING
from domcore.store.protocol import Outcome
from domcore.store.rows import HELD_ROUTE, LineExclusionRow

WHAT: Final = "this work cannot be moved"


def move(
    reader: Reader,
    work: OrderWork,
    key: Key,
    order: Order,
    command: MoveWork,
    nodes: Mapping[int, str],
    open_nodes: Collection[int],
    now: int,
) -> Outcome:
    """Take work from a node, now or once it has stopped, and remember where a person wants it.

    Raises:
        PayloadError: the node it is to go to is not there, is closed, or has it already.
        ConflictError: the work is over, or the node has rejected a line of it.
    """
    row, units = work.work[key], _units_of(work, {key})
    if row.status in FINISHED or not units[key]:
        raise ConflictError(f"the work is over ({row.status.replace('_', ' ')}): nothing can move")
    lines = units[key]
    to = _target(key, command.to, nodes, open_nodes)
    is_news = _remember(reader, work, key, sorted(lines), to, order, now)
    requested = 0
    if _not_begun(work, {key}):
        _take_back(reader, work, {key}, now)
        detail = "nobody had begun it"
    elif stop_instead(work, key, nodes, now, ("moved", "a person wants it at another node")):
        requested, detail = 1, f"{nodes[key[1]]} has it, and is asked to stop"
    elif is_news:
        detail = f"{nodes[key[1]]} has it, and was asked to stop before"
    else:
        detail = f"that was said before, and {nodes[key[1]]} was asked to stop"
        return Outcome("nothing", work.state.order_id, detail)
    body = {
        "fulfillment_order": command.fulfillment_order,
        "node": nodes[key[1]],
        "to": command.to,
        "lines": [(order.lines[number].id, lines[number]) for number in sorted(lines)],
        "requested": requested,
        "reason": command.reason,
    }
    event = (None, "work.moved", work.state.order_id, now, dump_event(body))
    work.changes.add("events", event)
    return Outcome("moved" if not requested else "asked", work.state.order_id, detail)


def reroute(
    reader: Reader, work: OrderWork, nodes: Mapping[int, str], reason: str, now: int
) -> Outcome:
    """Take back all that nobody has begun, so that it is decided anew.

    Raises:
        ConflictError: the order is cancelled or held, or a cart.
    """
    order_id = work.state.order_id
    if work.state.cancelled:
        raise ConflictError("the order is cancelled; nothing of it is routed any more")
    if work.cart:
        raise ConflictError("the order is a cart: reserve it anew, or keep what is reserved")
    if work.state.hold == HELD_ROUTE:
        raise ConflictError("the order is held before routing; see 'domcore exceptions'")
    keys = _not_begun(work, set(work.work))
    units: dict[str, int] = {}
    for key, lines in _units_of(work, keys).items():
        if lines:
            node = nodes[key[1]]
            units[node] = units.get(node, 0) + sum(lines.values())
    if not units and not work.open_units:
        return Outcome("nothing", order_id, "nothing of it is left that nobody has begun")
    if units:
        _take_back(reader, work, keys, now)
        body = {
            "units": sum(units.values()),
            "nodes": dict(sorted(units.items())),
            "reason": reason,
        }
        event = (None, "order.rerouted", order_id, now, dump_event(body))
        work.changes.add("events", event)
    taken = sum(units.values())
    detail = f"{counted(taken)} taken back" if taken else "no node had any of it"
    return Outcome("rerouted", order_id, detail)


def _units_of(work: OrderWork, keys: Collection[Key]) -> dict[Key, dict[int, int]]:
    """Units still to leave by work and line."""
    found: dict[Key, dict[int, int]] = {key: {} for key in keys}
    for row in work.open_reservations():
        lines = found.get((row.sequence, row.node_id))
        if lines is not None:
            lines[row.line_no] = lines.get(row.line_no, 0) + row.quantity
    return found


def _not_begun(work: OrderWork, keys: Collection[Key]) -> set[Key]:
    """Those of the work that no node can have begun."""
    rows = {key: work.work[key] for key in keys}
    return {k for k, row in rows.items() if row.status in WAITING and not work.is_begun(row)}


def _take_back(reader: Reader, work: OrderWork, keys: Collection[Key], now: int) -> None:
    for row in work.open_reservations():
        if (row.sequence, row.node_id) in keys:
            work.resolve(row, row.quantity, "freed", at=now)
    for key in sorted(keys):
        work.set_work(work.work[key]._replace(status="cancelled"), now)
    order_id, revision = work.state.order_id, work.state.revision
    holds = map(HoldRow._make, reader.select("hold", "order_id", [order_id]))
    stages = [row.stage for row in holds if row.revision == revision and row.approved_at is None]
    work.finish(stand(work, work.state, stages if work.state.hold else [], now))


def _target(
    key: Key, name: str, nodes: Mapping[int, str], open_nodes: Collection[int]
) -> int | None:
    if not name:
        return None
    found = [node_id for node_id, code in nodes.items() if code == name]
    if not found:
        raise PayloadError(WHAT, [Problem("$.to", f"there is no node {name[:100]!r}")])
    if found[0] not in open_nodes:
        raise PayloadError(WHAT, [Problem("$.to", f"node {name} is closed")])
    if found[0] == key[1]:
        raise PayloadError(WHAT, [Problem("$.to", f"node {name} has it already")])
    return found[0]


def _remember(
    reader: Reader,
    work: OrderWork,
    key: Key,
    lines: Collection[int],
    to: int | None,
    order: Order,
    now: int,
) -> bool:
    """Note by line which node is to ship it, or is not; whether any of that is new."""
    order_id = work.state.order_id
    rows = map(LineExclusionRow._make, reader.select("line_exclusion", "order_id", [order_id]))
    known = {(row.line_no, row.node_id): row for row in rows}
    node, reason = (key[1], MOVED) if to is None else (to, CHOSEN)
    is_news = False
    for number in lines:
        row = known.get((number, node))
        if row is not None and row.reason not in BY_HAND and to is not None:
            raise ConflictError(
                f"that node has rejected line {order.lines[number].id} ({row.reason}): it is not"
                " asked for it again"
            )
        for (line_no, node_id), each in known.items():
            if line_no == number and each.reason == CHOSEN and node_id != node:
                work.changes.add("forget_line_exclusions", (order_id, line_no, node_id))
                is_news = True
        if row is None or (row.reason in BY_HAND and row.reason != reason):
            row = LineExclusionRow(order_id, number, node, now, reason)
            work.changes.add("line_exclusions", row)
            is_news = True
    return is_news
