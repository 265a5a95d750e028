"""What persons change by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from attrs import evolve

from domcore.errors import NotFound, PayloadError, Problem
from domcore.model.correction import CorrectOrder, MoveWork, RerouteOrder
from domcore.store.changes import Changes
from domcore.store.operations.amendments import NOTHING_KEPT, kept_of
from domcore.store.operations.correcting import WHAT, correct, found_order
from domcore.store.operations.inbox import remember, seen_before
from domcore.store.operations.moving import move, reroute
from domcore.store.operations.notices import split_id
from domcore.store.operations.order_work import load_work
from domcore.store.operations.recall import open_nodes
from domcore.store.operations.typed import content_of, typed
from domcore.store.protocol import Outcome
from domcore.store.rows import BodyRow, OrderRow
from domcore.store.writing.common import Writes


class CorrectingWrites(Writes):
    """Orders that are corrected, and work that is moved."""

    def correct_order(self, command: CorrectOrder, *, now: int) -> Outcome:
        """See `Store.correct_order`."""
        command = typed(command, CorrectOrder, "this correction")
        said = (command.lines, command.changes, command.destination, command.person)
        if not any(said):
            raise PayloadError(WHAT, [Problem("$", "says nothing that is to change")])
        backend = self._backend
        changes = Changes(command.by or backend.acting.by)

        def find() -> OrderRow:
            key = (command.owner, command.channel, command.external_id)
            return found_order(backend, backend.owner_id(command.owner), key)

        def put(known: OrderRow) -> Outcome:
            kept = kept_of(backend, [known.external_id]).get(known[1:4], NOTHING_KEPT)
            return correct(
                backend, changes, self._bodies, command, known, kept.elsewhere, changes.by, now
            )

        # A digest of a person would let anybody test a guess on whom was erased.
        content = content_of(evolve(command, person=None))
        return self._once(command.key, content, changes, find, put, now)

    def move(self, command: MoveWork, *, now: int) -> Outcome:
        """See `Store.move`."""
        command = typed(command, MoveWork, "this move")
        backend, changes = self._backend, Changes(command.by)
        order_id, sequence, code = split_id(command.fulfillment_order)

        def find() -> OrderRow:
            known = backend.select("orders", "id", [order_id])
            if not known:
                raise NotFound(f"there is no fulfillment order {command.fulfillment_order[:100]!r}")
            return OrderRow._make(known[0])

        def put(known: OrderRow) -> Outcome:
            nodes = backend.nodes()
            key = (sequence, {name: node_id for node_id, name in nodes.items()}.get(code, 0))
            work = load_work(backend, changes, [known.id])[known.id]
            if key not in work.work:
                raise NotFound(f"there is no fulfillment order {command.fulfillment_order[:100]!r}")
            body = BodyRow(*backend.select("order_body", "order_id", [known.id])[0])
            order = self._bodies.order.load(body.body)
            ships = open_nodes(self._network())
            return move(backend, work, key, order, command, nodes, ships, now)

        return self._once(command.key, content_of(command), changes, find, put, now)

    def reroute(self, command: RerouteOrder, *, now: int) -> Outcome:
        """See `Store.reroute`."""
        command = typed(command, RerouteOrder, "this rerouting")
        backend, changes = self._backend, Changes(command.by)

        def find() -> OrderRow:
            key = (command.owner, command.channel, command.external_id)
            return found_order(backend, backend.owner_id(command.owner), key)

        def put(known: OrderRow) -> Outcome:
            work = load_work(backend, changes, [known.id])[known.id]
            return reroute(backend, work, backend.nodes(), command.reason, now)

        return self._once(command.key, content_of(command), changes, find, put, now)

    def _once(
        self,
        key: str,
        content: bytes,
        changes: Changes,
        find: Callable[[], OrderRow],
        put: Callable[[OrderRow], Outcome],
        now: int,
    ) -> Outcome:
        """Carry a command out, once for its key."""
        backend, digest = self._backend, hashlib.sha256(content).digest()
        with backend.writing():
            known = find()
            source = (known.owner_id, known.channel)
            repeat = seen_before(backend, *source, key, digest) if key else None
            if repeat is not None:
                return repeat
            outcome = put(known)
            if key:
                remember(changes, *source, key, digest, outcome, now)
            self._apply(changes, now)
            self._take_up(known, now)
        return outcome
