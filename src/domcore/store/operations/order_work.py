"""One order while an operation works on it: its buckets, reservations and work at the nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.outbox import outbox_entry
from domcore.store.operations.waiting import (
    counts,
    due_since,
    leave,
    open_by_item,
    rewrite,
    waits,
)
from domcore.store.rows import (
    EXPIRED,
    FREED,
    NEVER,
    OPEN,
    SHIPPED,
    AwaitedRow,
    FulfillmentRow,
    LineRow,
    OrderRow,
    OutboxRow,
    ReservationRow,
    StateRow,
)
from domcore.store.waiting_rows import IN_LINE, WOKEN, WaitingRow

Resolution = Literal["freed", "expired", "shipped", "blocked"]

_STATE: Final = {"freed": FREED, "expired": EXPIRED, "shipped": SHIPPED, "blocked": FREED}
_KIND: Final = {"freed": "free", "expired": "expire", "shipped": "ship", "blocked": "block"}
WITHDRAWN: Final = "withdrawn"
"""The note of a word that is not to be said any more."""

FINISHED: Final = ("rejected", "shipped", "delivered", "cancelled", "returned")


class OrderWork:
    """Mutable working copy of one order. Every change is also written down in `changes`."""

    def __init__(
        self,
        changes: Changes,
        state: StateRow,
        lines: Sequence[LineRow],
        reservations: Sequence[ReservationRow],
        fulfillment_orders: Sequence[FulfillmentRow],
        outbox: Sequence[OutboxRow],
        placed_at: int,
        waiting: Sequence[WaitingRow] = (),
        awaited: Sequence[AwaitedRow] = (),
    ) -> None:
        self.changes: Final = changes
        self.state: Final = state
        self.placed_at = placed_at
        self._waiting: Final = waiting
        self.lines: dict[int, LineRow] = {line.line_no: line for line in lines}
        self.work = {(row.sequence, row.node_id): row for row in fulfillment_orders}
        self._first = dict(self.lines)
        self._reservations = {row[:5]: row for row in reservations}
        self._parts: dict[tuple[int, ...], int] = {}
        for row in reservations:
            key = row[:4]
            self._parts[key] = max(self._parts.get(key, 0), row.part)
        self._entries = [row for row in outbox if row.done_at is None]
        self._withdrawn = {
            (row.sequence, row.node_id): row
            for row in outbox
            if row.topic == "release" and row.done_at is not None and row.note == WITHDRAWN
        }
        self._asked = {(row.sequence, row.node_id) for row in outbox if row.topic == "cancel"}
        self._awaited = {row.line_no: row.name for row in awaited}
        self.names: dict[int, str] = dict(self._awaited)
        """By line: what items that are not known are called in the revision worked on."""

    # --- what there is --------------------------------------------------------------------------

    def open_reservations(self) -> list[ReservationRow]:
        """Open reservations, youngest first."""
        return [
            row for _, row in sorted(self._reservations.items(), reverse=True) if row.state == OPEN
        ]

    def reservations_of(self, key: tuple[int, int]) -> list[ReservationRow]:
        """Every reservation of one fulfillment order, oldest first."""
        return [
            row
            for _, row in sorted(self._reservations.items())
            if (row.sequence, row.node_id) == key
        ]

    def shipped_by_nodes(self) -> dict[int, int]:
        """Units that nodes of ours have shipped, by line number."""
        found: dict[int, int] = {}
        for row in self._reservations.values():
            if row.state == SHIPPED:
                found[row.line_no] = found.get(row.line_no, 0) + row.quantity
        return found

    def handed_over(self, row: ReservationRow) -> bool:
        """Whether a node may already be working on it."""
        work = self.work.get((row.sequence, row.node_id))
        return work is not None and bool(work.handed_over)

    def is_begun(self, work: FulfillmentRow) -> bool:
        """Whether a partner may have it. A word to a connector that has failed, and of which it is
        known that it never arrived, has begun nothing."""
        if not work.handed_over:
            return False
        releases = [
            row for row in self._entries_of((work.sequence, work.node_id)) if row.topic == "release"
        ]
        return not any(row.called_at is None and row.attempts for row in releases)

    @property
    def open_units(self) -> int:
        """Units of all lines that are still to be routed."""
        return sum(line.open for line in self.lines.values())

    @property
    def changed(self) -> bool:
        """Whether any unit has changed its bucket."""
        return self.lines != self._first

    @property
    def cart(self) -> bool:
        """Whether it is routed only when somebody asks for it."""
        return self.state.retry_at == NEVER

    def due(self, now: int, *, cart: bool) -> int | None:
        """Since when it is to be routed, were nothing holding it."""
        if cart and not self.state.cancelled:
            return NEVER
        return due_since(now, self.placed_at) if self.open_units else None

    # --- what can be done -----------------------------------------------------------------------

    def resolve(
        self,
        row: ReservationRow,
        quantity: int,
        how: Resolution,
        *,
        at: int,
        back_to: Literal["open", "cancelled"] = "open",
        counted: bool = False,
    ) -> None:
        """Resolve `quantity` units of an open reservation; the rest of it stays open.

        Shipped units leave the node; freed, expired and blocked ones are `back_to` open, or
        cancelled where the order is. `counted`: a count of a later time has seen it already, so
        it changes nothing that was counted.
        """
        self._change_row(row, quantity, _STATE[how])
        kind = "free" if counted and how == "blocked" else _KIND[how]
        self._move(row, kind, -quantity, at, counted=counted)
        line = self.lines[row.line_no]
        left = line._replace(allocated=line.allocated - quantity)
        if how == "shipped":
            self.lines[row.line_no] = left._replace(shipped=line.shipped + quantity)
        elif back_to == "cancelled" or self.state.cancelled:
            self.lines[row.line_no] = left._replace(cancelled=line.cancelled + quantity)
        else:
            self.lines[row.line_no] = _reopened(left, quantity)

    def reopen(
        self, row: ReservationRow, quantity: int, *, at: int, blocked: bool = False,
        counted: bool = False,
    ) -> None:  # fmt: skip
        """Undo a resolution: units are reserved at their node again. Those of the line must be
        found elsewhere (`lines`). `blocked`: they had been blocked."""
        self._change_row(row, quantity, OPEN)
        kind = "ship" if row.state == SHIPPED else "block" if blocked and not counted else "free"
        self._move(row, kind, quantity, at, counted=counted)

    def reblock(self, row: ReservationRow, quantity: int, *, at: int, blocked: bool) -> None:
        """Freed units turn out not to be there (`blocked`), or to be there after all."""
        first, then = ("free", "block") if blocked else ("block", "free")
        self._move(row, first, quantity, at)
        self._move(row, then, -quantity, at)

    def _move(
        self, row: ReservationRow, kind: str, units: int, at: int, *, counted: bool = False
    ) -> None:
        """Move what is reserved by signed units, and with it what `kind` moves."""
        self.changes.move(
            (row.item_id, row.node_id),
            kind,
            at,
            on_hand=units if kind == "ship" and not counted else 0,
            reserved=units,
            blocked=-units if kind == "block" else 0,
            order_id=row.order_id,
            sequence=row.sequence,
        )

    def _change_row(self, row: ReservationRow, quantity: int, state: int) -> None:
        """Put units of a row into another state; where it is not all of them they become a new
        part."""
        if quantity == row.quantity:
            done = row._replace(state=state)
            self._reservations[row[:5]] = done
            self._set_reservation(done, row.state)
            return
        rest = row._replace(quantity=row.quantity - quantity)
        self._reservations[row[:5]] = rest
        self._set_reservation(rest, row.state)
        self._parts[row[:4]] += 1
        part = row._replace(part=self._parts[row[:4]], quantity=quantity, state=state)
        self._reservations[part[:5]] = part
        self.changes.add("reservations", part)

    def _set_reservation(self, row: ReservationRow, was: int = OPEN) -> None:
        self.changes.add(
            "set_reservations", (row.quantity, row.state, row.expires_at, *row[:5], was)
        )

    def set_expiry(self, row: ReservationRow, expires_at: int | None) -> None:
        """Move the time until which a reservation stands; None keeps it for good."""
        kept = row._replace(expires_at=expires_at)
        self._reservations[row[:5]] = kept
        self._set_reservation(kept, row.state)

    def close_emptied_work(self, now: int) -> None:
        """Fulfillment orders that nobody has seen and that have nothing left are cancelled, and
        the word to their node is withdrawn."""
        busy = {(row.sequence, row.node_id) for row in self.open_reservations()}
        for key, work in self.work.items():
            if key in busy or work.handed_over or work.status in FINISHED:
                continue
            self.set_work(work._replace(status="cancelled"), now)

    def asked_to_stop(self, work: FulfillmentRow) -> bool:
        """Whether its node was asked to stop, and did not answer yet or answers again."""
        asked = (work.sequence, work.node_id) in self._asked
        return asked or (not work.told and work.status == "cancel_requested")

    def ask_to_cancel(self, keys: Iterable[tuple[int, int]], now: int) -> None:
        """Ask the nodes that work on these fulfillment orders to stop, each once; their units stay
        allocated until they answer."""
        for key in sorted(set(keys)):
            work = self.work[key]
            if work.status in (*FINISHED, "cancel_requested"):
                continue
            self.set_work(work._replace(status="cancel_requested"), now)
            if work.told and key not in self._asked:
                self._asked.add(key)
                self.changes.add("outbox", outbox_entry("cancel", work.order_id, *key, now))

    def ask_to_change(self, key: tuple[int, int], now: int) -> None:
        """Tell the node that the work it has is for somebody, or somewhere, else. A word that is on
        its way may carry the old data."""
        if not any(row.topic == "change" and not row.attempts for row in self._entries_of(key)):
            order_id = self.state.order_id
            self.changes.add("outbox", outbox_entry("change", order_id, *key, now))

    def is_to_change(self, key: tuple[int, int]) -> bool:
        """Whether its node is still to be told of a change."""
        return any(row.topic == "change" for row in self._entries_of(key))

    def put_on_hold(self, key: tuple[int, int], now: int) -> None:
        """Stop work that is not handed over: it is not released before it is let go."""
        self.set_work(self.work[key]._replace(status="on_hold"), now)
        self._withdraw(key, now, ("release",))

    def let_go(self, key: tuple[int, int], now: int) -> None:
        """Let work go on that was on hold. Its node is told by the word that was withdrawn, or
        where there was none by a new one."""
        work = self.work[key]._replace(status="requested")
        self.set_work(work, now)
        withdrawn = self._withdrawn.pop(key, None)
        if withdrawn is not None:
            self.changes.add("set_outbox", (now, 0, None, "", withdrawn.id))
        elif work.told:
            self.changes.add("outbox", outbox_entry("release", work.order_id, *key, now))

    def set_work(self, work: FulfillmentRow, now: int) -> None:
        """Change a fulfillment order's status, reference or hand-over.

        Work that is over, or asked to stop, is never released again: the word is withdrawn.
        """
        key = (work.sequence, work.node_id)
        self.work[key] = work
        if work.status in FINISHED:
            self._withdraw(key, now, ("release", "cancel", "change"))
        elif work.status == "cancel_requested":
            self._withdraw(key, now, ("release", "change"))
        self.changes.add(
            "set_fulfillment_orders", (work.status, work.handed_over, work.reference, *work[:3])
        )

    def _withdraw(self, key: tuple[int, int], now: int, topics: Sequence[str]) -> None:
        for entry in self._entries_of(key):
            if entry.topic in topics:
                row = (entry.due_at, entry.attempts, now, WITHDRAWN, entry.id)
                self.changes.add("set_outbox", row)
                self._entries.remove(entry)

    def _entries_of(self, key: tuple[int, int]) -> list[OutboxRow]:
        return [row for row in self._entries if (row.sequence, row.node_id) == key]

    def cancel_open(self) -> int:
        """Cancel every open unit; returns how many."""
        units = self.open_units
        for number, line in self.lines.items():
            self.lines[number] = line._replace(open=0, cancelled=line.cancelled + line.open)
        return units

    # --- writing it down ------------------------------------------------------------------------

    def finish(self, state: StateRow) -> None:
        """Write the changed lines, the order's next version, and what it waits for."""
        for number, line in self.lines.items():
            if number not in self._first:
                self.changes.add("lines", line)
            elif line != self._first[number]:
                self.changes.add("set_lines", (*line[2:], line.order_id, line.line_no))
            if line.item_id is None:
                self._await(line)
            elif number in self._awaited:
                self.changes.add("forget_awaited_items", line[:2])
        self.changes.add(
            "next_states",
            (
                self.state.version + 1,
                state.revision,
                state.hold,
                state.cancelled,
                state.retry_at,
                state.reason,
                state.order_id,
                self.state.version,
            ),
        )

        if self._waiting or waits(state):
            after = rewrite(
                self.changes,
                self._waiting,
                state,
                self.placed_at,
                self.lines.values(),
                self._stage(state),
            )
            leave(self.changes, self._waiting, after)

        self._note_demand(state)

    def _note_demand(self, state: StateRow) -> None:
        """Channels may sell more or less where an order wants less or more than before."""
        before = open_by_item(self._first.values()) if counts(self.state) else {}
        after = open_by_item(self.lines.values()) if counts(state) else {}
        changed = [
            item for item in before.keys() | after.keys() if before.get(item) != after.get(item)
        ]
        self.changes.offered.update(changed)

    def _stage(self, state: StateRow) -> int:
        """Where it stands in line: an order whose turn has been moved is to be decided next."""
        if state.retry_at != self.state.retry_at:
            return WOKEN
        return min((row.stage for row in self._waiting), default=IN_LINE)

    def _await(self, line: LineRow) -> None:
        """Note what a line without an item waits for, or that it does not wait any more."""
        known, name = self._awaited.get(line.line_no), self.names.get(line.line_no)
        if line.wanted and name is not None and name != known:
            self.changes.add("awaited_items", AwaitedRow(line.order_id, line.line_no, name))
        elif not line.wanted and known is not None:
            self.changes.add("forget_awaited_items", line[:2])

    def queued(self, now: int) -> StateRow:
        """The state of this order when its open units should be routed at once."""
        stopped = self.state.hold or self.state.cancelled or self.cart
        # Units of an item that is not known cannot be routed, whatever else has happened.
        wants_routing = not stopped and any(
            line.open for line in self.lines.values() if line.item_id is not None
        )
        due = due_since(now, self.placed_at) if wants_routing else self.state.retry_at
        return self.state._replace(retry_at=due)


def _reopened(line: LineRow, quantity: int) -> LineRow:
    """Open units that came back, as far as the present revision wants them."""
    wanted = line.wanted - line.open - line.allocated - line.shipped
    units = max(0, min(quantity, wanted))
    return line._replace(open=line.open + units, ordered=line.ordered - (quantity - units))


def load_work(reader: Reader, changes: Changes, order_ids: Sequence[int]) -> dict[int, OrderWork]:
    """Read everything an operation may need of these orders."""

    def by_order(table: str) -> dict[int, list[tuple[object, ...]]]:
        found: dict[int, list[tuple[object, ...]]] = {order_id: [] for order_id in order_ids}
        for row in reader.select(table, "order_id", order_ids):
            found[OutboxRow(*row).order_id if table == "outbox" else row[0]].append(row)
        return found

    states = {row[0]: StateRow(*row) for row in reader.select("order_state", "order_id", order_ids)}
    lines, reservations = by_order("order_line"), by_order("reservation")
    work, outbox = by_order("fulfillment_order"), by_order("outbox")
    waiting = by_order("waiting")
    placed = {
        row[0]: OrderRow._make(row).placed_at for row in reader.select("orders", "id", order_ids)
    }
    # Of most orders all items are known, and then nothing more is read.
    unknown = [
        order_id
        for order_id in order_ids
        if any(line.item_id is None and line.wanted for line in map(LineRow._make, lines[order_id]))
    ]
    awaited: dict[int, list[AwaitedRow]] = {}
    for row in map(AwaitedRow._make, reader.select("awaited_item", "order_id", unknown)):
        awaited.setdefault(row.order_id, []).append(row)
    return {
        order_id: OrderWork(
            changes,
            state,
            [LineRow._make(row) for row in lines[order_id]],
            [ReservationRow._make(row) for row in reservations[order_id]],
            [FulfillmentRow._make(row) for row in work[order_id]],
            [OutboxRow._make(row) for row in outbox[order_id]],
            placed.get(order_id, 0),
            [WaitingRow._make(row) for row in waiting[order_id]],
            awaited.get(order_id, ()),
        )
        for order_id, state in states.items()
    }
