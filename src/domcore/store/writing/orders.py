"""Writing orders and decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from domcore.codec.text import text_problems
from domcore.errors import NotFound, PayloadError, Problem
from domcore.model.command import (
    AmendOrder,
    ApproveOrder,
    CancelOrder,
    CaptureOrder,
    HoldOrder,
    ShippedElsewhere,
)
from domcore.model.policy import Hold
from domcore.store.changes import Changes
from domcore.store.hold_rows import HoldRow
from domcore.store.operations import carts
from domcore.store.operations.amendments import checked_lines, take_amendment
from domcore.store.operations.approve import approve, correct, expire
from domcore.store.operations.asked import asked_of, checked_word, revision_problems
from domcore.store.operations.cancel import cancel_known, cancel_unknown
from domcore.store.operations.capture import Capture
from domcore.store.operations.commit import commit_changes, held_since, state_after
from domcore.store.operations.holds import take_word
from domcore.store.operations.inbox import remember, seen_before
from domcore.store.operations.order_work import OrderWork, load_work
from domcore.store.operations.recall import closed_nodes
from domcore.store.operations.selling import note_offers
from domcore.store.operations.sending import check_shipment, settle_kept, take_shipment
from domcore.store.operations.troubles import cancelled_again
from domcore.store.operations.typed import content_of, typed
from domcore.store.operations.waiting import committed, wake_for, wake_page
from domcore.store.protocol import (
    Commit,
    Outcome,
)
from domcore.store.rows import OrderRow, ReservationRow, StateRow, UnreadRow
from domcore.store.writing.common import Writes


class OrderWrites(Writes):
    """Orders in, decisions, holds, expiry."""

    def capture(self, commands: Sequence[CaptureOrder], *, now: int) -> list[Outcome]:
        """See `Store.capture`."""
        backend = self._backend
        if not commands:
            return []
        try:
            with backend.writing():
                outcomes = self._captured(commands, now)
        except UnicodeEncodeError:
            told = [wrong for each in commands for wrong in text_problems(each)]
            raise PayloadError("this order cannot be taken in", told) from None
        return outcomes

    def _captured(self, commands: Sequence[CaptureOrder], now: int) -> list[Outcome]:
        """Inside `writing`."""
        backend, outcomes = self._backend, []
        capture = Capture(backend, self._bodies, now, [each.order for each in commands])
        owners = {name: self._owner(name) for name in {c.order.owner for c in commands}}
        for command in commands:
            if capture.must_flush(command):
                self._flush(capture, now)
            order, owner_id = command.order, owners[command.order.owner]
            known = backend.find_order(owner_id, order.channel, order.external_id)
            outcomes.append(capture.take(command, owner_id, known))
        self._flush(capture, now)
        return outcomes

    def _flush(self, capture: Capture, now: int) -> None:
        """Write what has been captured, and what others had sent of it before it came."""
        self._apply(capture.flush(), now)
        while capture.sent_before:
            changes = Changes()
            order_id = capture.sent_before.pop()
            settle_kept(self._backend, changes, self._bodies, order_id, now)
            self._apply(changes, now)
        if capture.returned_before:
            ids = sorted(capture.returned_before)
            capture.returned_before.clear()
            for row in self._backend.select("orders", "id", ids):
                self._take_up(OrderRow._make(row), now)

    def amend(self, command: AmendOrder, *, now: int) -> Outcome:
        """See `Store.amend`."""
        backend, changes = self._backend, Changes(command.by)
        lines = checked_lines(command)
        digest = hashlib.sha256(content_of(command)).digest()
        with backend.writing():
            owner_id, source = self._owner(command.owner), command.channel
            if command.key:
                repeat = seen_before(backend, owner_id, source, command.key, digest)
                if repeat is not None:
                    return repeat
            outcome = take_amendment(backend, changes, self._bodies, command, lines, owner_id, now)
            if command.key:
                remember(changes, owner_id, source, command.key, digest, outcome, now)
            self._apply(changes, now)
        return outcome

    def ship_elsewhere(
        self, command: ShippedElsewhere, *, now: int, by_hand: bool = False
    ) -> Outcome:
        """See `Store.ship_elsewhere`."""
        command = typed(command, ShippedElsewhere, "this shipment")
        check_shipment(command, now, unnamed=by_hand)
        backend, changes = self._backend, Changes(command.by)
        digest = hashlib.sha256(content_of(command)).digest()
        with backend.writing():
            owner_id, source = self._owner(command.owner), command.channel
            if command.key:
                repeat = seen_before(backend, owner_id, source, command.key, digest)
                if repeat is not None:
                    return repeat
            nodes = {name: node_id for node_id, name in backend.nodes().items()}
            if command.node and command.node not in nodes:
                problem = Problem("$.node", "no such node")
                raise PayloadError("this shipment cannot be taken in", [problem])
            place = (owner_id, nodes.get(command.node, 0))
            outcome = take_shipment(
                backend, changes, self._bodies, command, place, now, hand=by_hand
            )
            if command.key:
                remember(changes, owner_id, source, command.key, digest, outcome, now)
            self._apply(changes, now)
            if outcome.order_id is not None:
                known = backend.find_order(owner_id, command.channel, command.external_id)
                self._take_up(known, now)
        return outcome

    def cancel(self, command: CancelOrder, *, now: int) -> Outcome:
        """See `Store.cancel`."""
        command = typed(command, CancelOrder, "this cancellation")
        backend, changes = self._backend, Changes(command.by)
        problems = revision_problems(command.revision)
        if problems:
            raise PayloadError("this cancellation cannot be taken in", problems)
        digest = hashlib.sha256(content_of(command)).digest()
        with backend.writing():
            owner_id = self._owner(command.owner)
            source = command.channel
            if command.key:
                repeat = seen_before(backend, owner_id, source, command.key, digest)
                if repeat is not None:
                    return repeat
            known = backend.find_order(owner_id, command.channel, command.external_id)
            if known is None:
                outcome = cancel_unknown(changes, command, owner_id, now)
            else:
                work = load_work(backend, changes, [known.id])[known.id]
                if work.state.cancelled and command.revision >= work.state.revision:
                    cancelled_again(backend, changes, known.id, now)
                outcome = cancel_known(work, command, now)
            if command.key:
                remember(changes, owner_id, source, command.key, digest, outcome, now)
            self._apply(changes, now)
        return outcome

    def hold(self, command: HoldOrder | ApproveOrder, *, now: int) -> Outcome:
        """See `Store.hold`."""
        command = checked_word(command)
        backend = self._backend
        changes = Changes(command.by or backend.acting.by)
        digest = hashlib.sha256(content_of(command)).digest()
        with backend.writing():
            owner_id, source = self._owner(command.owner), command.channel
            if command.key:
                repeat = seen_before(backend, owner_id, source, command.key, digest)
                if repeat is not None:
                    return repeat
            outcome = take_word(backend, changes, command, owner_id, now)
            if command.key:
                remember(changes, owner_id, source, command.key, digest, outcome, now)
            self._apply(changes, now)
        return outcome

    def approve(
        self,
        order_id: int,
        *,
        by: str,
        now: int,
        code: str = "",
        granted: Sequence[Hold] = (),
    ) -> tuple[Hold, ...]:
        """See `Store.approve`."""
        backend, changes = self._backend, Changes(by)
        by = by or backend.acting.by
        with backend.writing():
            work = load_work(backend, changes, [order_id]).get(order_id)
            if work is None:
                raise NotFound(f"there is no order {order_id}")
            holds = [HoldRow(*row) for row in backend.select("hold", "order_id", [order_id])]
            (order,) = backend.select("orders", "id", [order_id])
            asked = asked_of(backend, order[1:4], now, by)
            lifted = approve(work, holds, asked, by, now, code, granted)
            self._apply(changes, now)
        return lifted

    def correct(self, order_id: int, said: Hold, *, by: str, now: int) -> None:
        """See `Store.correct`."""
        backend, changes = self._backend, Changes(by)
        by = by or backend.acting.by
        with backend.writing():
            work = load_work(backend, changes, [order_id]).get(order_id)
            if work is None:
                raise NotFound(f"there is no order {order_id}")
            holds = [HoldRow(*row) for row in backend.select("hold", "order_id", [order_id])]
            correct(backend, work, holds, said, by, now)
            self._apply(changes, now)

    def erase(self, order_id: int) -> bool:
        """See `Store.erase`."""
        changes = Changes()
        with self._backend.writing():
            known = bool(self._backend.select("person", "order_id", [order_id]))
            if known:
                changes.add("forget_persons", (order_id,))
            for row in self._unread_of(order_id):
                known = known or bool(row.body)
                changes.add("forget_unread", row[:2])
            self._backend.apply(changes)
        # Also when there was none: an earlier call may have left a copy in a log.
        self._backend.forget_erased()
        return known

    def _unread_of(self, order_id: int) -> list[UnreadRow]:
        """Deliveries about an order that could not be read."""
        orders = [OrderRow(*row) for row in self._backend.select("orders", "id", [order_id])]
        ids = [order.external_id for order in orders]
        rows = map(UnreadRow._make, self._backend.select("unread", "external_id", ids))
        channels = {order.channel for order in orders}
        return [row for row in rows if row.consumer.partition(":")[2] in channels]

    def commit(self, commits: Sequence[Commit]) -> None:
        """See `Store.commit`."""
        if not commits:
            return
        backend = self._backend
        with backend.writing():
            waiting: list[Commit] = []
            asked: set[int] = set()
            for each in commits:
                if each.holds or each.standing or each.reason or each.reason_before:
                    waiting.append(each)  # before the decision, or after it
                    asked.add(each.order_id)
                elif each.purpose == "reserve":
                    asked.add(each.order_id)
            states: dict[int, StateRow] = {}
            if asked:
                rows = backend.select("order_state", "order_id", sorted(asked))
                states = {row[0]: StateRow(*row) for row in rows}
            since = held_since(backend, waiting, states) if waiting else {}
            changes = commit_changes(commits, states, since)
            if waiting:
                after = {
                    each.order_id: state_after(each, states[each.order_id])
                    for each in waiting
                    if each.order_id in states
                }
                committed(backend, changes, waiting, after, self._open_nodes)
                note_offers(backend, changes)
            backend.apply(changes)

    def wake(self, gained: Mapping[int, int], *, now: int) -> None:
        """See `Store.wake`."""
        changes = Changes()
        with self._backend.writing():
            wake_for(self._backend, changes, gained, now)
            self._backend.apply(changes)

    def wake_all(self, *, basis: int, limit: int, now: int) -> int:
        """See `Store.wake_all`."""
        backend = self._backend
        with backend.reading():
            looked = Changes()
            wake_page(backend, looked, basis, limit, now)
            if not looked.rows:
                return 0
        changes = Changes()
        with backend.writing():
            woken = wake_page(backend, changes, basis, limit, now)
            backend.apply(changes)
        return woken

    def expire(self, *, now: int, limit: int) -> int:
        """See `Store.expire`."""
        backend, changes = self._backend, Changes()
        with backend.reading():
            if not backend.expired(now, 1):
                return 0
        with backend.writing():
            rows = backend.expired(now, limit)
            by_order: dict[int, list[ReservationRow]] = {}
            for row in rows:
                by_order.setdefault(row.order_id, []).append(row)
            for order_id, work in load_work(backend, changes, sorted(by_order)).items():
                expire(work, by_order[order_id], now)
            self._apply(changes, now)
        return len(rows)

    def keep(self, order_id: int, *, now: int) -> Outcome:
        """See `Store.keep`."""

        def keep(work: OrderWork) -> Outcome:
            network = self._network()
            told = {
                node_id
                for node_id, node in zip(network.node_ids, network.network.nodes, strict=True)
                if node.connector
            }
            nodes = self._backend.nodes()
            return carts.keep(work, told, closed_nodes(network, nodes), nodes, now)

        return self._with_expiring(order_id, keep, now)

    def free(self, order_id: int, *, now: int) -> Outcome:
        """See `Store.free`."""
        return self._with_expiring(order_id, lambda work: carts.free(work, now), now)

    def extend(self, order_id: int, *, expires_at: int, now: int) -> Outcome:
        """See `Store.extend`."""
        return self._with_expiring(order_id, lambda work: carts.extend(work, expires_at, now), now)

    def _with_expiring(
        self, order_id: int, operation: Callable[[OrderWork], Outcome], now: int
    ) -> Outcome:
        """Carry out an operation on an order, with the write lock only where anything expires."""
        backend, changes = self._backend, Changes()
        with backend.reading():
            if not backend.select("orders", "id", [order_id]):
                raise NotFound(f"there is no order {order_id}")
            rows = backend.select("reservation", "order_id", [order_id])
            if not carts.expiring([ReservationRow(*row) for row in rows]):
                return Outcome("nothing", order_id, "nothing is reserved for a while")
        with backend.writing():
            outcome = operation(load_work(backend, changes, [order_id])[order_id])
            self._apply(changes, now)
        return outcome
