"""The store's operations, written once: read, work out the changes, apply them, all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar

from domcore.codec.stored import dump_any
from domcore.errors import NotFound, PayloadError
from domcore.model.command import CancelOrder, CaptureOrder, ObserveStock
from domcore.model.item import Alias, Item
from domcore.model.network import Network
from domcore.model.policy import Hold
from domcore.store.changes import Changes
from domcore.store.operations.approve import approve, expire
from domcore.store.operations.cancel import cancel_known, cancel_unknown
from domcore.store.operations.capture import Capture, revision_problems
from domcore.store.operations.commit import commit_changes
from domcore.store.operations.inbox import remember, seen_before
from domcore.store.operations.network import (
    add_blob,
    alias_changes,
    item_changes,
    replace_network,
)
from domcore.store.operations.observe import Observe, check_counts
from domcore.store.operations.order_work import load_work
from domcore.store.operations.outbox import lease_changes
from domcore.store.operations.resolve import resolve, split_id
from domcore.store.protocol import (
    Commit,
    Lease,
    Outcome,
    Resolution,
    StoredNetwork,
)
from domcore.store.queries import Queries
from domcore.store.rows import HoldRow, OutboxRow, ReservationRow

T = TypeVar("T")

BATCH: Final = 1000
"""Items read from the caller at a time."""


class OperationStore(Queries):
    """A store on top of a `Backend`. Implements `domcore.store.protocol.Store`."""

    def save_network(self, network: Network, *, now: int) -> StoredNetwork:
        """See `Store.save_network`."""
        backend, changes = self._backend, Changes()
        with backend.writing():
            before = self._network()
            after = replace_network(backend, changes, self._bodies, network, before.network, now)
            if after.digest != before.digest:
                backend.apply(changes)
                return after
        return before

    def save_items(
        self, owner: str, items: Iterable[Item], aliases: Iterable[Alias] = (), *, now: int
    ) -> int:
        """See `Store.save_items`."""
        backend, written = self._backend, 0
        with backend.writing():
            owner_id = self._owner(owner)
            for batch in _batches(items):
                backend.apply(item_changes(backend, self._bodies, owner_id, batch, now))
                written += len(batch)
            for some in _batches(aliases):
                backend.apply(alias_changes(backend, owner_id, some))
        return written

    def _owner(self, name: str) -> int:
        """The owner's id; a name never seen is a new owner. Inside `writing`."""
        owner_id = self._backend.owner_id(name)
        if owner_id is None:
            owner_id = self._backend.last_id("owner") + 1
            changes = Changes()
            changes.add("owners", (owner_id, name))
            self._backend.apply(changes)
        return owner_id

    def put_blob(self, kind: str, body: bytes) -> str:
        """See `Store.put_blob`."""
        changes = Changes()
        with self._backend.writing():
            digest = add_blob(self._backend, changes, kind, body)
            self._backend.apply(changes)
        return digest

    def observe_stock(self, command: ObserveStock, *, now: int) -> Outcome:
        """See `Store.observe_stock`."""
        backend, changes = self._backend, Changes()
        digest = hashlib.sha256(dump_any(command)).digest()
        with backend.writing():
            owner_id = self._owner(command.owner)
            if command.key:
                repeat = seen_before(backend, owner_id, "stock", command.key, digest)
                if repeat is not None:
                    return repeat
            skus = list({count.sku for count in command.counts})
            items = {row.sku: row.id for row in backend.items(owner_id, skus)}
            stored = self._network()
            nodes = {
                node.id: node_id
                for node, node_id in zip(stored.network.nodes, stored.node_ids, strict=True)
            }
            check_counts(command, items, nodes, now)
            observe = Observe(backend, changes, now)
            keys = [(items[count.sku], nodes[count.node]) for count in command.counts]
            observe.load(sorted(set(keys)))
            for key, count in zip(keys, command.counts, strict=True):
                observe.take(key, count)
            observe.finish()
            detail = f"{observe.applied} applied, {observe.dropped} older than the last count"
            word = "observed" if observe.applied or not command.counts else "stale"
            outcome = Outcome(word, None, detail)
            if command.key:
                remember(changes, owner_id, "stock", command.key, digest, outcome, now)
            backend.apply(changes)
        return outcome

    def capture(self, commands: Sequence[CaptureOrder], *, now: int) -> list[Outcome]:
        """See `Store.capture`."""
        backend, outcomes = self._backend, []
        if not commands:
            return []
        with backend.writing():
            capture = Capture(backend, self._bodies, now)
            owners = {name: self._owner(name) for name in {c.order.owner for c in commands}}
            for command in commands:
                if capture.must_flush(command):
                    backend.apply(capture.flush())
                order, owner_id = command.order, owners[command.order.owner]
                known = backend.find_order(owner_id, order.channel, order.external_id)
                outcomes.append(capture.take(command, owner_id, known))
            backend.apply(capture.flush())
        return outcomes

    def cancel(self, command: CancelOrder, *, now: int) -> Outcome:
        """See `Store.cancel`."""
        backend, changes = self._backend, Changes()
        problems = revision_problems(command.revision)
        if problems:
            raise PayloadError("this cancellation cannot be taken in", problems)
        digest = hashlib.sha256(dump_any(command)).digest()
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
                outcome = cancel_known(work, command, now)
            if command.key:
                remember(changes, owner_id, source, command.key, digest, outcome, now)
            backend.apply(changes)
        return outcome

    def approve(self, order_id: int, *, by: str, now: int) -> tuple[Hold, ...]:
        """See `Store.approve`."""
        backend, changes = self._backend, Changes()
        with backend.writing():
            work = load_work(backend, changes, [order_id]).get(order_id)
            if work is None:
                raise NotFound(f"there is no order {order_id}")
            holds = [HoldRow(*row) for row in backend.select("hold", "order_id", [order_id])]
            lifted = approve(work, holds, by, now)
            backend.apply(changes)
        return lifted

    def erase(self, order_id: int) -> bool:
        """See `Store.erase`."""
        changes = Changes()
        with self._backend.writing():
            known = bool(self._backend.select("person", "order_id", [order_id]))
            if known:
                changes.add("forget_persons", (order_id,))
                self._backend.apply(changes)
        # Also when there was none: an earlier call may have left a copy in a log.
        self._backend.forget_erased()
        return known

    def commit(self, commits: Sequence[Commit]) -> None:
        """See `Store.commit`."""
        if not commits:
            return
        backend = self._backend
        with backend.writing():
            held = [commit.order_id for commit in commits if commit.holds]
            revisions = {row[0]: row[2] for row in backend.select("order_state", "order_id", held)}
            backend.apply(commit_changes(commits, revisions))

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
            backend.apply(changes)
        return len(rows)

    def resolve(self, resolution: Resolution, *, now: int) -> Outcome:
        """See `Store.resolve`."""
        backend, changes = self._backend, Changes()
        digest = hashlib.sha256(dump_any(resolution)).digest()
        order_id, sequence, code = split_id(resolution.fulfillment_order)
        with backend.writing():
            nodes = {name: node_id for node_id, name in backend.nodes().items()}
            orders = backend.select("orders", "id", [order_id])
            key = (sequence, nodes.get(code, 0))
            work = load_work(backend, changes, [order_id] if orders else []).get(order_id)
            if work is None or key not in work.work:
                raise NotFound(f"there is no fulfillment order {resolution.fulfillment_order!r}")
            owner_id, source = orders[0][1], f"node {code}"
            if resolution.key:
                repeat = seen_before(backend, owner_id, source, resolution.key, digest)
                if repeat is not None:
                    return repeat
            (body,) = backend.select("order_body", "order_id", [order_id])
            outcome = resolve(work, self._bodies.order.load(body[3]), key, resolution, now)
            if resolution.key:
                remember(changes, owner_id, source, resolution.key, digest, outcome, now)
            backend.apply(changes)
        return outcome

    def advance_cursor(self, consumer: str, seq: int) -> None:
        """See `Store.advance_cursor`."""
        changes = Changes()
        with self._backend.writing():
            if seq > self.read_cursor(consumer):
                changes.add("cursors", (consumer, seq))
                self._backend.apply(changes)

    def lease_due(self, topic: str, *, now: int, until: int, limit: int) -> list[Lease]:
        """See `Store.lease_due`."""
        backend, changes = self._backend, Changes()
        with backend.reading():
            if not backend.due(topic, now, 1):
                return []
        with backend.writing():
            entries = [OutboxRow(*row) for row in backend.due(topic, now, limit)]
            leases = lease_changes(backend, changes, entries, until)
            backend.apply(changes)
        return leases

    def settle(self, entry: int, *, now: int, retry_at: int | None = None, note: str = "") -> None:
        """See `Store.settle`."""
        changes = Changes()
        with self._backend.writing():
            rows = self._backend.select("outbox", "id", [entry])
            if not rows:
                raise NotFound(f"there is no outbox entry {entry}")
            row = OutboxRow(*rows[0])
            if row.done_at is not None:
                return
            done_at = now if retry_at is None else None
            due_at = row.due_at if retry_at is None else retry_at
            changes.add("set_outbox", (due_at, row.attempts, done_at, note, entry))
            self._backend.apply(changes)


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while batch := list(islice(iterator, BATCH)):
        yield batch
