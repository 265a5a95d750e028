"""Orders that wait for units: who they are, and who is woken when there is more to be had.

An order waits while it has open units and was decided short, or a hold stands (`waits`). What it
waits for is kept in the table ``waiting``. Whatever makes units of an item available wakes the
oldest orders in line for it, in the same transaction: they are due at once, since they were placed,
and so stand before younger ones in the queue. No more are woken than the new units can serve, and
`FEW` more, for some cannot take them (a rule, a node that has rejected the line). One that was
woken and does not take them (it stays short, is stopped, cancelled or changed) passes its turn on
to the next in line while there are units. Units at nodes that are closed count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.rows import (
    NEVER,
    CursorRow,
    LineRow,
    OrderRow,
    StateRow,
    StockBalance,
)
from domcore.store.values import Commit
from domcore.store.waiting_rows import BEFORE_ALL, IN_LINE, STOPPED, WOKEN, WaitingRow

FEW: Final = 10
"""Orders that are woken beyond those that new units can serve."""

WAKE: Final = "wake:place"
WAKE_BASIS: Final = "wake:basis"
"""The rows of ``cursor`` that say how far, and for which network and rules, all orders in line have
been woken; `NEVER` says that all have."""

_PAGE: Final = 500


def due_since(now: int, placed_at: int) -> int:
    """Since when an order is due that is to be decided at once."""
    return min(now, placed_at)


def waits(state: StateRow) -> bool:
    """Whether an order in this state waits with its open units."""
    stopped = state.cancelled or state.retry_at == NEVER
    return bool(state.hold or state.reason) and not stopped


def counts(state: StateRow) -> bool:
    """Whether what an order in this state has open is spoken for: all but carts."""
    return not state.cancelled and state.retry_at != NEVER


def open_by_item(lines: Iterable[LineRow]) -> dict[int, int]:
    """Open units by item."""
    found: dict[int, int] = {}
    for line in lines:
        if line.open and line.item_id is not None:
            found[line.item_id] = found.get(line.item_id, 0) + line.open
    return found


def rewrite(
    changes: Changes,
    before: Iterable[WaitingRow],
    state: StateRow,
    placed_at: int,
    lines: Iterable[LineRow],
    stage: int,
) -> list[WaitingRow]:
    """Bring an order's rows in line with its new state; returns them."""
    if state.hold or state.retry_at is None:
        stage = STOPPED
    units = open_by_item(lines) if waits(state) else {}
    order_id = state.order_id
    after = [WaitingRow(order_id, item, stage, placed_at, units[item]) for item in sorted(units)]
    known = {row.item_id: row for row in before}
    for row in after:
        old = known.pop(row.item_id, None)
        if old != row:
            changes.add("waiting", row)
        if old is None or old.units != row.units:
            changes.offered.add(row.item_id)
    for row in known.values():
        changes.add("forget_waiting", row[:2])
        changes.offered.add(row.item_id)
    return after


def leave(changes: Changes, before: Iterable[WaitingRow], after: Iterable[WaitingRow]) -> None:
    """Note for which units an order that was woken gives its turn up: it is not decided for them
    as one that waits, since it was cancelled, stopped or changed."""
    kept = {row.item_id: row.units for row in after if row.stage == WOKEN}
    for row in before:
        units = row.units - kept.get(row.item_id, 0)
        if row.stage == WOKEN and units > 0:
            changes.left.append(row._replace(units=units))


def wake(reader: Reader, changes: Changes, nodes: Callable[[], Collection[int]], now: int) -> None:
    """Wake those who can have what `changes` makes available, and those to whom the turn of others
    passes; call it when all else is in them.

    Args:
        nodes: answers which nodes are open; units elsewhere are no use to anybody who waits.
    """
    if not (changes.left or changes.moved_keys()):
        return
    ships = nodes()
    found = _gaining(reader, changes, changes.gained(ships))
    found.update(_heirs(reader, changes, changes.left, ships))
    wake_orders(reader, changes, list(found), now)


def wake_for(reader: Reader, changes: Changes, gained: Mapping[int, int], now: int) -> None:
    """Wake those who can have so many units, by item."""
    wake_orders(reader, changes, list(_gaining(reader, changes, gained)), now)


def _gaining(reader: Reader, changes: Changes, gained: Mapping[int, int]) -> dict[int, None]:
    found: dict[int, None] = {}
    if gained:
        moved = _moved(changes)
        for item_id in reader.waited_for(sorted(gained)):
            found.update(dict.fromkeys(_served(reader, item_id, gained[item_id], moved)))
    return found


def _served(reader: Reader, item_id: int, units: int, moved: Collection[int]) -> Iterator[int]:
    """Orders in line for an item, as many as so many units serve, and a few more."""
    spare = FEW
    for row in _line(reader, item_id, None, moved):
        if units <= 0:
            spare -= 1
            if spare < 0:
                return
        units -= row.units
        yield row.order_id


def _line(
    reader: Reader, item_id: int, after: tuple[int, int] | None, moved: Collection[int]
) -> Iterator[WaitingRow]:
    """Who stands in line for an item; not those that are moved, whose rows are about to change."""
    size = FEW + 1
    while True:
        rows = reader.in_line(item_id, IN_LINE, after, size)
        yield from (row for row in map(WaitingRow._make, rows) if row.order_id not in moved)
        if len(rows) < size:
            return
        last = WaitingRow._make(rows[-1])
        after, size = (last.placed_at, last.order_id), _PAGE


def _moved(changes: Changes) -> set[int]:
    """The orders whose place in the queue `changes` decides already."""
    moved = {row[6] for row in changes.rows.get("next_states", ())}
    return moved | {row[5] for row in changes.rows.get("route_states", ())}


def wake_orders(
    reader: Reader, changes: Changes, order_ids: Sequence[int], now: int, *, at: int | None = None
) -> int:
    """Have these orders decided next (or at a time, `at`), as far as they are in line and `changes`
    does not move them already; returns how many."""
    wanted = sorted(set(order_ids) - _moved(changes))
    if not wanted:
        return 0
    rows: dict[int, list[WaitingRow]] = {}
    for row in map(WaitingRow._make, reader.select("waiting", "order_id", wanted)):
        if row.stage == IN_LINE:
            rows.setdefault(row.order_id, []).append(row)
    for state in map(StateRow._make, reader.select("order_state", "order_id", list(rows))):
        mine = rows[state.order_id]
        due = due_since(now, mine[0].placed_at) if at is None else at
        changes.add("wake_states", (due, state.order_id, state.version))
        changes.add_all("waiting", [row._replace(stage=WOKEN) for row in mine])
    return len(rows)


def wake_opened(reader: Reader, changes: Changes, node_ids: Collection[int], now: int) -> None:
    """Wake those who wait for what came to nodes while they were closed. The network may be what it
    was when all were woken last, so that `wake_page` does not."""
    gained: dict[int, int] = {}
    for node_id in sorted(node_ids):
        after = (0, 0)
        while rows := reader.stock_page({"node_id": node_id}, after, _PAGE):
            for _, _, item_id, _, on_hand, reserved, blocked, safety in rows:
                after = (item_id, node_id)
                units = on_hand - reserved - blocked - safety
                gained[item_id] = gained.get(item_id, 0) + max(0, units)
    wake_for(reader, changes, {item: units for item, units in gained.items() if units}, now)


def wake_page(reader: Reader, changes: Changes, basis: int, limit: int, now: int) -> int:
    """See `Store.wake_all`."""
    rows = map(CursorRow._make, reader.select("cursor", "consumer", [WAKE, WAKE_BASIS]))
    known = {row.consumer: row.seq for row in rows}
    if WAKE_BASIS not in known:
        # Nobody knows what the rules were when these orders were decided; they are tried in time.
        changes.add("cursors", (WAKE_BASIS, basis))
        changes.add("cursors", (WAKE, NEVER))
        return 0
    place = known.get(WAKE, NEVER)
    if known[WAKE_BASIS] != basis:
        changes.add("cursors", (WAKE_BASIS, basis))
        place = 0
    if place == NEVER:
        return 0
    page = reader.page("waiting", ("order_id",), (place, NEVER), limit)
    ids = sorted({row[0] for row in page})
    changes.add("cursors", (WAKE, ids[-1] if ids else NEVER))
    wake_orders(reader, changes, ids, now)
    return len(ids)


def committed(
    reader: Reader,
    changes: Changes,
    commits: Sequence[Commit],
    after: Mapping[int, StateRow],
    nodes: Callable[[], Collection[int]],
) -> None:
    """Write who waits after decisions, and pass on what those that were woken could not take: the
    next in line are due after this run, so that no run goes through a whole line.

    Args:
        commits: those before or after which their order waits.
        after: the states that their orders will be in.
        nodes: answers which nodes are open.
    """
    ids = sorted(each.order_id for each in commits)
    orders = {row[0]: OrderRow._make(row) for row in reader.select("orders", "id", ids)}
    lines: dict[int, list[LineRow]] = {}
    for line in map(LineRow._make, reader.select("order_line", "order_id", ids)):
        lines.setdefault(line.order_id, []).append(line)
    rows: dict[int, list[WaitingRow]] = {}
    for row in map(WaitingRow._make, reader.select("waiting", "order_id", ids)):
        rows.setdefault(row.order_id, []).append(row)
    left: list[WaitingRow] = []
    for commit in commits:
        order_id = commit.order_id
        if order_id not in after or order_id not in orders:
            # The commit is going to be refused.
            continue
        before = rows.get(order_id, [])
        woken = {row.item_id for row in before if row.stage == WOKEN}
        placed_at = orders[order_id].placed_at
        still = _after(commit, lines.get(order_id, []))
        rows_after = rewrite(changes, before, after[order_id], placed_at, still, IN_LINE)
        left += [row for row in rows_after if row.item_id in woken]
    if left:
        at = 1 + max(commit.at for commit in commits)
        wake_orders(reader, changes, list(_heirs(reader, changes, left, nodes())), at, at=at)


def _after(commit: Commit, lines: Iterable[LineRow]) -> Iterator[LineRow]:
    """The lines with what the decision draws taken out of what is open."""
    drawn: dict[int, int] = {}
    for draw in commit.draws:
        drawn[draw.line] = drawn.get(draw.line, 0) + draw.quantity
    return (line._replace(open=line.open - drawn.get(line.line_no, 0)) for line in lines)


def _heirs(
    reader: Reader, changes: Changes, left: Sequence[WaitingRow], nodes: Collection[int]
) -> dict[int, None]:
    """Those to whom the turn of others passes, where there are units all the same: for each that
    left, the next behind it, and as many more as its units serve."""
    by_item: dict[int, list[WaitingRow]] = {}
    for row in left:
        by_item.setdefault(row.item_id, []).append(row)
    items = reader.waited_for(sorted(by_item)) if by_item else []
    free = _free(reader, changes, items, nodes) if items else {}
    moved, found = _moved(changes), dict[int, None]()
    for item_id in items:
        units = free.get(item_id, 0)
        if units > 0:
            rows = sorted(by_item[item_id], key=_place)
            found.update(dict.fromkeys(_behind(reader, item_id, rows, units, moved)))
    return found


def _behind(
    reader: Reader, item_id: int, rows: Sequence[WaitingRow], free: int, moved: Collection[int]
) -> Iterator[int]:
    last, line = BEFORE_ALL, iter(list[WaitingRow]())
    for row in rows:
        if _place(row) > last:
            last, line = _place(row), _line(reader, item_id, _place(row), moved)
        units = row.units
        for following in line:
            yield following.order_id
            last = _place(following)
            units -= following.units
            free -= following.units
            if units <= 0 or free <= 0:
                break


def _place(row: WaitingRow) -> tuple[int, int]:
    return row.placed_at, row.order_id


def _free(
    reader: Reader, changes: Changes, item_ids: Sequence[int], nodes: Collection[int]
) -> dict[int, int]:
    """Units by item that can be drawn at these nodes once `changes` are written."""
    free: dict[int, int] = {}
    for stock in map(StockBalance._make, reader.select("stock", "item_id", item_ids)):
        units = stock.on_hand - stock.reserved - stock.blocked - stock.safety
        units += changes.more_to_draw((stock.item_id, stock.node_id))
        if stock.node_id in nodes:
            free[stock.item_id] = free.get(stock.item_id, 0) + max(0, units)
    for total, item_id, *_ in changes.rows.get("take_stock", ()):
        free[item_id] = free.get(item_id, 0) - total
    return free


def ahead(reader: Reader, order_ids: Sequence[int], limit: int) -> list[int]:
    """See `Store.ahead`."""
    wanted = set(order_ids)
    orders = {row[0]: OrderRow._make(row) for row in reader.select("orders", "id", sorted(wanted))}
    youngest: dict[int, tuple[int, int]] = {}
    for line in map(LineRow._make, reader.select("order_line", "order_id", sorted(wanted))):
        if line.open and line.item_id is not None:
            key = (orders[line.order_id].placed_at, line.order_id)
            youngest[line.item_id] = max(key, youngest.get(line.item_id, BEFORE_ALL))
    found: dict[int, tuple[int, int]] = {}
    for item_id, key in sorted(youngest.items()):
        for row in map(WaitingRow._make, reader.in_line(item_id, WOKEN, None, limit)):
            if (row.placed_at, row.order_id) < key and row.order_id not in wanted:
                found[row.order_id] = (row.placed_at, row.order_id)
    return sorted(found, key=lambda order_id: found[order_id])[:limit]
