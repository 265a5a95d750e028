"""Committing decisions: the hot path, for one order or a hundred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from domcore.store.backend import Reader
from domcore.store.changes import Changes, Row
from domcore.store.hold_rows import HoldRow
from domcore.store.operations.outbox import outbox_entry
from domcore.store.protocol import Commit
from domcore.store.rows import (
    HELD_RELEASE,
    HELD_ROUTE,
    NEVER,
    NOT_HELD,
    OPEN,
    LineRow,
    StateRow,
)

Since = Mapping[tuple[int, str], int]
"""Since when orders are held, by order id and code, where that is longer than this decision."""


def commit_changes(
    commits: Sequence[Commit], states: Mapping[int, StateRow], since: Since
) -> Changes:
    """The rows of all decisions, by table; nothing else is read, the writes carry their own guards.

    `states` has every order that is put on hold or only reserved for, `since` is `held_since`.

    * stock is taken once per (item, node): the sum, as if the decisions came one after another,
      each leaving its own floor;
    * the order moves one version and one sequence on, and leaves the queue or waits in it;
    * a decision that routes writes one fulfillment order per node, on hold if the order is.
    """
    changes = Changes()
    _add_stock(changes, commits)
    _add_draws(changes, commits)
    _add_orders(changes, commits, states, since)
    return changes


def _add_stock(changes: Changes, commits: Sequence[Commit]) -> None:
    """One row per balance. An order needs its floor beyond what it and those before it take."""
    taken: dict[tuple[int, int], list[int]] = {}
    for commit in commits:
        for _, item_id, node_id, quantity, _ in commit.draws:
            total = taken.get((item_id, node_id))
            if total is None:
                taken[item_id, node_id] = [quantity, 0]
            else:
                total[0] += quantity
        for _, item_id, node_id, _, floor in commit.draws:
            total = taken[item_id, node_id]
            if total[0] + floor > total[1]:
                total[1] = total[0] + floor
    rows: list[Row] = [
        (total, item_id, node_id, need, total)
        for (item_id, node_id), (total, need) in sorted(taken.items())
    ]
    changes.add_all("take_stock", rows)


def _add_draws(changes: Changes, commits: Sequence[Commit]) -> None:
    """One ledger row, one reservation and one line's buckets per draw."""
    ledger: list[Row] = []
    reservations: list[Row] = []
    lines: list[Row] = []
    for commit in commits:
        order_id, sequence, at = commit.order_id, commit.sequence, commit.at
        expires = commit.expires_at
        for line_no, item_id, node_id, quantity, _ in commit.draws:
            ledger.append(
                (None, item_id, node_id, 0, quantity, 0, 0, "reserve", order_id, sequence, at)
            )
            reservations.append(
                (order_id, sequence, line_no, node_id, 0, item_id, quantity, OPEN, expires)
            )
            lines.append((quantity, quantity, order_id, line_no, item_id, quantity))
    changes.add_all("ledger", ledger)
    changes.add_all("reservations", reservations)
    changes.add_all("allocate_lines", lines)


def _add_orders(
    changes: Changes, commits: Sequence[Commit], found: Mapping[int, StateRow], since: Since
) -> None:
    """Everything that is one row per order, and the work for the nodes."""
    states: list[Row] = []
    decisions: list[Row] = []
    events: list[Row] = []
    work: list[Row] = []
    outbox: list[Row] = []
    for commit in commits:
        order_id, sequence, at = commit.order_id, commit.sequence, commit.at
        hold = _level(commit) if commit.holds or commit.standing else NOT_HELD
        states.append(
            (
                commit.version + 1,
                sequence,
                hold,
                _due(commit, hold, found),
                commit.reason,
                order_id,
                commit.version,
                sequence - 1,
                0,
                NOT_HELD,
                commit.reason_before,
            )
        )
        decisions.append((order_id, sequence, at, commit.purpose, commit.record))
        kind, body = commit.event
        events.append((None, kind, order_id, at, body))
        if commit.holds:
            changes.add_all("holds", _hold_rows(commit, found[order_id].revision, since))
        if commit.draws and commit.purpose == "route":
            _add_work(commit, hold, work, outbox)
    changes.add_all("route_states", states)
    changes.add_all("decisions", decisions)
    changes.add_all("events", events)
    changes.add_all("fulfillment_orders", work)
    changes.add_all("outbox", outbox)


def state_after(commit: Commit, found: StateRow) -> StateRow:
    """The state that an order which is `found` so will be in after a decision."""
    hold = _level(commit)
    due = _due(commit, hold, {commit.order_id: found})
    return found._replace(
        version=commit.version + 1,
        sequence=commit.sequence,
        hold=hold,
        retry_at=due,
        reason=commit.reason,
    )


def _due(commit: Commit, hold: int, found: Mapping[int, StateRow]) -> int | None:
    """When open units are tried again. To reserve for a cart leaves it a cart."""
    if commit.purpose == "reserve":
        state = found.get(commit.order_id)
        if state is not None and state.retry_at == NEVER:
            return NEVER
    return None if hold else commit.retry_at


def _add_work(commit: Commit, hold: int, work: list[Row], outbox: list[Row]) -> None:
    """One fulfillment order per node, and a word to its connector unless the order is held."""
    order_id, sequence, at = commit.order_id, commit.sequence, commit.at
    status = "on_hold" if hold else "requested"
    for node_id in sorted({draw.node_id for draw in commit.draws}):
        told = node_id in commit.release
        work.append((order_id, sequence, node_id, status, int(told), 0, "", 0, ""))
        if told and not hold:
            outbox.append(outbox_entry("release", order_id, sequence, node_id, at))


def _hold_rows(commit: Commit, revision: int, since: Since) -> list[Row]:
    rows: list[Row] = []
    for hold in commit.holds:
        at = since.get((commit.order_id, hold.code), commit.at)
        rows.append((commit.order_id, revision, hold.code, hold.stage, hold.reason, at, None, None))
    return rows


def held_since(reader: Reader, commits: Sequence[Commit], states: Mapping[int, StateRow]) -> Since:
    """Since when orders are held that are held again for what held them before: approving what has
    not been mended, or a revision that changes nothing about it, does not make the trouble younger.
    Once anything was reserved, it had been mended."""
    codes = {(each.order_id, hold.code) for each in commits for hold in each.holds}
    ids = sorted({order_id for order_id, _ in codes})
    if not ids:
        return {}
    lines = map(LineRow._make, reader.select("order_line", "order_id", ids))
    placed = {line.order_id for line in lines if line.allocated or line.shipped}
    found: dict[tuple[int, str], int] = {}
    for row in map(HoldRow._make, reader.select("hold", "order_id", ids)):
        key = (row.order_id, row.code)
        state = states.get(row.order_id)
        stood = row.approved_at is None or (state is not None and state.revision == row.revision)
        if key in codes and stood and row.order_id not in placed:
            found[key] = min(row.placed_at, found.get(key, row.placed_at))
    return found


def _level(commit: Commit) -> int:
    return hold_level(hold.stage for hold in (*commit.holds, *commit.standing))


def hold_level(stages: Iterable[str]) -> int:
    """The sternest stage among standing holds."""
    return max(
        (HELD_ROUTE if stage == "route" else HELD_RELEASE for stage in stages), default=NOT_HELD
    )
