"""What holds that were asked for do to an order.

For the present revision each hold that stands (`domcore.store.operations.asked`) has a `HoldRow`
beside those that routing placed, so that both are read, told and approved in one way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from domcore.codec.stored import dump_event
from domcore.model.command import ApproveOrder, CaptureOrder, HoldOrder
from domcore.model.policy import Hold
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.hold_rows import STANDING, AskedHoldRow, HoldRow
from domcore.store.operations.asked import NOT_QUEUED, Asked, asked_of
from domcore.store.operations.commit import hold_level
from domcore.store.operations.order_work import FINISHED, OrderWork, load_work
from domcore.store.operations.waiting import rewrite
from domcore.store.protocol import Outcome
from domcore.store.rows import HELD_ROUTE, NEVER, NOT_HELD, BodyRow, LineRow, OrderRow, StateRow
from domcore.store.waiting_rows import STOPPED


def standing_of(
    reader: Reader, known: OrderRow, work: OrderWork, now: int
) -> tuple[Asked, tuple[HoldRow, ...]]:
    """What was asked for of a known order, and the holds that routing placed on its revision."""
    asked = asked_of(reader, known[1:4], now, work.changes.by)
    if not work.state.hold:
        return asked, ()
    holds = [HoldRow(*row) for row in reader.select("hold", "order_id", [known.id])]
    return asked, placed_by_routing(holds, asked.rows, work.state.revision)


def holds_of(command: CaptureOrder, work: OrderWork) -> tuple[Hold, ...]:
    """The holds that a later revision tells. Not to queue is one where nodes have work."""
    if command.queue or not any(row.status not in FINISHED for row in work.work.values()):
        return command.holds
    return (*command.holds, NOT_QUEUED)


def hold_new(
    changes: Changes,
    state: StateRow,
    placed_at: int,
    lines: Sequence[LineRow],
    asked: Asked,
    now: int,
) -> StateRow:
    """The state of an order that comes with holds, or after them; they are written down."""
    asked.write(changes)
    if state.cancelled:
        return state
    standing = asked.standing
    for row in standing:
        changes.add(
            "holds",
            HoldRow(
                state.order_id, state.revision, row.code, row.stage, row.reason, now, None, None
            ),
        )
    tell_holds(changes, state.order_id, standing, (), now)
    if hold_level(row.stage for row in standing) != HELD_ROUTE or not any(x.open for x in lines):
        return state
    retry_at = state.retry_at if state.retry_at == NEVER else None
    held = state._replace(hold=HELD_ROUTE, retry_at=retry_at)
    rewrite(changes, (), held, placed_at, lines, STOPPED)
    return held


def told_again(
    reader: Reader, changes: Changes, known: OrderRow, command: CaptureOrder, now: int
) -> Outcome:
    """A revision that is known comes again: see `Asked.tell_again`."""
    asked = asked_of(reader, known[1:4], now, changes.by)
    asked.tell_again(command.holds, command.order.revision)
    lifted = asked.changed()[1]
    if not (lifted or asked.reworded()):
        asked.write(changes)
        return Outcome("duplicate", known.id)
    return _apply(reader, changes, known, asked, "", "lifted" if lifted else "held", now)


def placed_by_routing(
    holds: Sequence[HoldRow], asked: Mapping[str, AskedHoldRow], revision: int
) -> tuple[HoldRow, ...]:
    """The standing holds of a revision that nobody asked for: routing found them."""
    return tuple(
        row
        for row in holds
        if row.revision == revision and row.approved_at is None and row.code not in asked
    )


def stand(work: OrderWork, state: StateRow, stages: Sequence[str], now: int) -> StateRow:
    """Bring work that is not handed over in line with the holds that stand; the order's next state.

    * A hold at ``route`` frees what is reserved, one at ``release`` keeps it and stops the work.
    * A hold at ``release`` on an order of which nothing is reserved does not keep it from being
      routed: it stops the work that routing makes.
    * Without a hold, work goes on and open units are due.
    """
    if state.cancelled:
        return state._replace(hold=NOT_HELD, retry_at=None)
    level = hold_level(stages)
    if level == HELD_ROUTE:
        for row in work.open_reservations():
            if not work.handed_over(row):
                work.resolve(row, row.quantity, "freed", at=now)
        work.close_emptied_work(now)
    for key, each in list(work.work.items()):
        if each.handed_over:
            continue
        if level and each.status == "requested":
            work.put_on_hold(key, now)
        elif not level and each.status == "on_hold":
            work.let_go(key, now)
    allocated = any(line.allocated for line in work.lines.values())
    if not (allocated or (level == HELD_ROUTE and work.open_units)):
        level = NOT_HELD
    retry_at = state.retry_at
    if retry_at != NEVER:  # a cart stays one
        waits = work.open_units and not level
        retry_at = (work.due(now, cart=False) if retry_at is None else retry_at) if waits else None
    return state._replace(hold=level, retry_at=retry_at)


def carry(work: OrderWork, asked: Asked, revision: int, now: int) -> None:
    """Write the asked holds that stand for a revision, and tell of those that are new or over."""
    order_id = work.state.order_id
    if work.state.cancelled:
        asked.write(work.changes)
        return
    for row in asked.standing:
        work.changes.add(
            "holds",
            HoldRow(order_id, revision, row.code, row.stage, row.reason, row.at, None, None),
        )
    asked.write(work.changes)
    placed, lifted = asked.changed()
    tell_holds(work.changes, order_id, [*placed, *asked.reworded()], lifted, now)


def tell_holds(
    changes: Changes,
    order_id: int,
    placed: Sequence[AskedHoldRow],
    lifted: Sequence[AskedHoldRow],
    now: int,
    **more: Any,
) -> None:
    """One event for each hold."""
    for row in placed:
        body = {"code": row.code, "stage": row.stage, "reason": row.reason, **more}
        changes.add("events", (None, "hold.placed", order_id, now, dump_event(body)))
    for row in lifted:
        body = {"code": row.code, "reason": row.reason, **more}
        changes.add("events", (None, "hold.lifted", order_id, now, dump_event(body)))


def stop_at_nodes(work: OrderWork, now: int) -> int:
    """Ask nodes that may be at work on the order to stop; how many."""
    busy = {(row.sequence, row.node_id) for row in work.open_reservations()}
    asked = [
        key
        for key, each in work.work.items()
        if key in busy and each.handed_over and each.status not in (*FINISHED, "cancel_requested")
    ]
    work.ask_to_cancel(asked, now)
    return len(asked)


def take_word(
    reader: Reader, changes: Changes, command: HoldOrder | ApproveOrder, owner_id: int, now: int
) -> Outcome:
    """Carry out a hold, or its lifting."""
    identity = (owner_id, command.channel, command.external_id)
    known, asked = reader.find_order(*identity), asked_of(reader, identity, now, changes.by)
    if isinstance(command, HoldOrder) and command.revision is None and not command.reason:
        command = evolve(command, reason=_reason_of(asked, command.code))
    revision = _revision_of(command, reader, known, asked)
    if isinstance(command, HoldOrder):
        hold = Hold(command.code, command.reason, command.stage)
        news, done = asked.hold(hold, revision), "held"
    else:
        news, done = asked.lift(command.code, revision), "lifted"
    order_id = None if known is None else known.id
    if not news:
        return Outcome("stale", order_id, "a later word of it, or the same, is known already")
    if known is None:
        asked.write(changes)
        return Outcome("recorded", None, "kept until the order comes")
    return _apply(reader, changes, known, asked, command.reason, done, now)


def _reason_of(asked: Asked, code: str) -> str:
    """Why it stands: who says a hold again now, and gives no reason, leaves that as it is."""
    row = asked.rows.get(code)
    return "" if row is None or row.state != STANDING else row.reason


def _revision_of(
    command: HoldOrder | ApproveOrder, reader: Reader, known: OrderRow | None, asked: Asked
) -> int:
    """When it was said; without a revision, after all that is known."""
    if command.revision is not None:
        return command.revision
    rows = reader.select("order_body", "order_id", [] if known is None else [known.id])
    heard = max([BodyRow(*row).heard for row in rows], default=0)
    row = asked.rows.get(command.code)
    if row is None or row.revision < heard:
        return heard
    if not isinstance(command, HoldOrder):
        return row.revision
    same = row.state == STANDING and (row.stage, row.reason) == (command.stage, command.reason)
    return row.revision + (not same)


def _apply(
    reader: Reader,
    changes: Changes,
    known: OrderRow,
    asked: Asked,
    reason: str,
    done: str,
    now: int,
) -> Outcome:
    """Bring a known order in line with what is asked for now."""
    work = load_work(reader, changes, [known.id])[known.id]
    holds = [HoldRow(*row) for row in reader.select("hold", "order_id", [known.id])]
    revision = work.state.revision
    placed, lifted = asked.changed()
    said = [*placed, *asked.reworded()]
    asked.write(changes)
    for row in said:
        changes.add(
            "holds",
            HoldRow(known.id, revision, row.code, row.stage, row.reason, row.at, None, None),
        )
    over = {row.code: row for row in lifted}
    for hold in holds:
        if hold.revision == revision and hold.code in over and hold.approved_at is None:
            changes.add("approvals", (now, over[hold.code].by, *hold[:3]))
    told = {"why": reason} if done == "lifted" and reason else {}
    tell_holds(changes, known.id, said, lifted, now, **told)
    if work.state.cancelled:
        return Outcome("recorded", known.id, "it is cancelled")
    if not (said or lifted):
        detail = "it stands already" if done == "held" else "no such hold stood"
        return Outcome("recorded", known.id, detail)
    stopped = stop_at_nodes(work, now) if placed else 0
    placed_here = placed_by_routing(holds, asked.rows, revision)
    stages = [each.stage for each in placed_here] + [row.stage for row in asked.standing]
    work.finish(stand(work, work.state, stages, now))
    nodes = f"{stopped} {'node is' if stopped == 1 else 'nodes are'} asked to stop"
    return Outcome(done, known.id, nodes if stopped else "")
