"""Writing what is handed over, what is done again and again, and who has seen which event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domcore.errors import NotFound
from domcore.store.changes import Changes
from domcore.store.operations.failing import (
    failing_entries,
    failing_events,
    failing_tasks,
    find_failing,
)
from domcore.store.operations.kept_returns import (
    find_kept,
    give_up_kept,
    kept_for_long,
    shown,
)
from domcore.store.operations.notices import split_id
from domcore.store.operations.outbox import Handing
from domcore.store.operations.setbacks import (
    find_parked,
    parked_entry,
    parked_straggler,
    read_pages,
    revive_straggler,
    set_aside,
    tell_parked,
)
from domcore.store.operations.unread import unread_at
from domcore.store.protocol import Lease
from domcore.store.rows import NEVER, OutboxRow, StragglerRow, TaskRow
from domcore.store.values import Parked, Straggler, Task
from domcore.store.writing.unread import UnreadWrites

HURRY: Final = "hurry:"
"""Before a task's name: the row of ``cursor`` that says 1 while it must be done again at once."""

TOPICS: Final = ("cancel", "change", "release")
"""What nodes are told, in that order: what is not wanted should not be begun."""

PUT_OFF: Final = 10_000
"""Due entries looked at in one transaction."""


class HandingWrites(UnreadWrites):
    """The outbox, tasks, cursors and stragglers."""

    # --- the outbox -----------------------------------------------------------------------------

    def lease_due(
        self,
        topic: str,
        *,
        now: int,
        until: int,
        limit: int,
        most: int | None = None,
    ) -> list[Lease]:
        """See `Store.lease_due`."""
        backend = self._backend
        with backend.reading():
            if not backend.due(topic, now, 1):
                return []
        while True:
            changes = Changes()
            with backend.writing():
                entries = [OutboxRow(*row) for row in backend.due(topic, now, limit)]
                handing = Handing(backend, changes, now, self._connectors())
                leases = handing.lease(entries, until, most=most)
                backend.apply(changes)
            if leases or len(entries) < limit or until <= now:
                return leases

    def _connectors(self) -> dict[int, str]:
        """Whom each node of the network names."""
        stored = self._network()
        nodes = zip(stored.node_ids, stored.network.nodes, strict=True)
        return {node_id: node.connector for node_id, node in nodes}

    def released_to(self, fulfillment_order: str) -> str:
        """See `Store.released_to`."""
        order_id, sequence, code = split_id(fulfillment_order)
        with self._backend.reading():
            nodes = self._backend.nodes()
            rows = self._backend.select("outbox", "order_id", [order_id])
        for row in map(OutboxRow._make, rows):
            if row.topic == "release" and row.sequence == sequence and nodes[row.node_id] == code:
                return row.connector
        return ""

    def put_off(self, topic: str, reasons: Mapping[int, str], *, now: int, until: int) -> int:
        """See `Store.put_off`."""
        backend, changes = self._backend, Changes()
        with backend.reading():
            if not reasons or not backend.due(topic, now, 1):
                return 0
        with backend.writing():
            entries = [OutboxRow(*row) for row in backend.due(topic, now, PUT_OFF)]
            waiting = Handing(backend, changes, now).put_off(entries, until, reasons)
            backend.apply(changes)
        return waiting

    def put_back(self, leases: Sequence[Lease], *, now: int, retry_at: int, note: str = "") -> None:
        """See `Store.put_back`."""
        if not leases:
            return
        changes = Changes()
        with self._backend.writing():
            handing = Handing(self._backend, changes, now)
            entries = self._entries([lease.entry for lease in leases])
            for lease in leases:
                handing.put_back(entries[lease.entry], lease, retry_at, note)
            self._backend.apply(changes)

    def settle(
        self,
        entry: int,
        *,
        now: int,
        retry_at: int | None = None,
        note: str = "",
        attempt: int = 0,
        called_at: int | None = None,
    ) -> None:
        """See `Store.settle`."""
        changes = Changes()
        with self._backend.writing():
            row = self._entries([entry])[entry]
            handing = Handing(self._backend, changes, now)
            if retry_at is None:
                handing.settle(row, attempt, note)
            else:
                handing.retry(row, attempt, retry_at, note, called_at)
            self._backend.apply(changes)

    def park(
        self,
        entry: int,
        *,
        now: int,
        note: str,
        attempt: int = 0,
        called_at: int | None = None,
    ) -> None:
        """See `Store.park`."""
        changes = Changes()
        with self._backend.writing():
            row = self._entries([entry])[entry]
            Handing(self._backend, changes, now).park(
                row, note, attempt=attempt, called_at=called_at
            )
            self._backend.apply(changes)

    def _entries(self, ids: Sequence[int]) -> dict[int, OutboxRow]:
        found = {row[0]: OutboxRow(*row) for row in self._backend.select("outbox", "id", ids)}
        for entry in ids:
            if entry not in found:
                raise NotFound(f"there is no outbox entry {entry}")
        return found

    # --- what is set aside ----------------------------------------------------------------------

    def parked(self, *, limit: int = 1000) -> list[Parked]:
        """See `Store.parked`."""
        with self._backend.reading():
            entries = self._backend.parked("outbox", limit)
            stragglers = self._backend.parked("straggler", limit)
            kept = self._kept(sorted({row[0] for row in stragglers}))
            nodes = self._backend.nodes()
        found = [parked_entry(OutboxRow(*row), nodes) for row in entries]
        found += [parked_straggler(StragglerRow(*row), kept=row[:2] in kept) for row in stragglers]
        return sorted(found, key=lambda each: (each.parked_at or 0, each.id))[:limit]

    def pending(self, *, limit: int = 1000) -> list[Parked]:
        """See `Store.pending`."""
        with self._backend.reading():
            rows = [
                OutboxRow(*row)
                for topic in TOPICS
                for row in self._backend.due(topic, NEVER - 1, limit)
            ]
            nodes = self._backend.nodes()
        return [parked_entry(row, nodes) for row in rows][:limit]

    def failing(self, *, before: int, limit: int = 1000) -> list[Parked]:
        """See `Store.failing`."""
        backend = self._backend
        with backend.reading():
            tasks = map(TaskRow._make, backend.page("task", TaskRow._fields, None, limit))
            found = failing_tasks(tasks, before)
            waiting = [
                OutboxRow._make(row)
                for topic in TOPICS
                for row in backend.due(topic, NEVER - 1, limit)
            ]
            found += failing_entries(backend, waiting, backend.nodes(), before)
            rows = backend.page("straggler", StragglerRow._fields, None, limit)
            behind = list(map(StragglerRow._make, rows))
            seqs = sorted({row.seq for row in behind})
            times = {row[0]: row[3] for row in backend.select("event", "seq", seqs)}
            found += failing_events(behind, times, before)
            found += kept_for_long(backend, before)
        return sorted(found, key=lambda each: (each.parked_at or 0, each.id))[:limit]

    def find_parked(self, name: str) -> Parked:
        """See `Store.find_parked`."""
        with self._backend.reading():
            kept = find_kept(self._backend, name)
            if kept is not None:
                return shown(self._backend, kept)
            row, nodes = find_parked(self._backend, name), self._backend.nodes()
            if isinstance(row, OutboxRow):
                return parked_entry(row, nodes)
            return parked_straggler(row, kept=row[:2] in self._kept([row.consumer]))

    def revive(self, name: str, *, now: int) -> None:
        """See `Store.revive`."""
        changes = Changes()
        with self._backend.writing():
            row = self._to_revive(name)
            if isinstance(row, TaskRow):
                again = row._replace(due_at=now, attempts=0, note="", failed_at=None)
                changes.add("tasks", again)
            elif isinstance(row, OutboxRow):
                Handing(self._backend, changes, now).revive(row)
            else:
                revive_straggler(self._backend, changes, row, now)
            self._backend.apply(changes)

    def _to_revive(self, name: str) -> TaskRow | OutboxRow | StragglerRow:
        """What is parked under this name, or fails."""
        try:
            return find_parked(self._backend, name)
        except NotFound:
            return find_failing(self._backend, name)

    def give_up(self, name: str, *, now: int, note: str = "given up") -> None:
        """See `Store.give_up`."""
        changes = Changes()
        with self._backend.writing():
            kept = find_kept(self._backend, name)
            if kept is not None:
                give_up_kept(changes, kept, now)
                self._backend.apply(changes)
                return
            row = find_parked(self._backend, name)
            if isinstance(row, OutboxRow):
                Handing(self._backend, changes, now).settle(row, 0, note)
            else:
                if unread_at(self._backend, row.consumer, row.seq) is not None:
                    changes.add("forget_unread", (row.consumer, row.seq))
                changes.add("forget_stragglers", (row.consumer, row.seq))
            self._backend.apply(changes)
        if "forget_unread" in changes.rows:
            self._backend.forget_erased()

    def set_aside(
        self, task: str, *, error: str, now: int, position: str = "", number: int = 0
    ) -> bool:
        """See `Store.set_aside`."""
        changes = Changes()
        with self._backend.writing():
            new = set_aside(self._backend, changes, task, position, number, error, now)
            self._backend.apply(changes)
        return new

    # --- tasks ----------------------------------------------------------------------------------

    def lease_task(self, name: str, *, now: int, until: int) -> Task | None:
        """See `Store.lease_task`."""
        with self._backend.reading():
            rows = self._backend.select("task", "name", [name])
            if rows and TaskRow(*rows[0]).due_at > now:
                return None
        changes = Changes()
        with self._backend.writing():
            rows = self._backend.select("task", "name", [name])
            row = TaskRow(*rows[0]) if rows else TaskRow(name, 0, 0, "", None, "")
            if row.due_at > now:
                return None
            # An attempt that was never settled ended with its worker.
            failed_at = row.failed_at if row.failed_at or not row.attempts else now
            leased = row._replace(due_at=until, attempts=row.attempts + 1, failed_at=failed_at)
            changes.add("tasks", leased)
            self._backend.apply(changes)
        return Task(*leased)

    def settle_task(
        self,
        task: Task,
        *,
        now: int,
        due_at: int,
        cursor: str | None = None,
        well: bool = True,
        note: str = "",
    ) -> bool:
        """See `Store.settle_task`."""
        changes = Changes()
        with self._backend.writing():
            rows = self._backend.select("task", "name", [task.name])
            row = TaskRow(*rows[0]) if rows else None
            if row is None or (row.due_at, row.attempts) != (task.due_at, task.attempts):
                return False
            if well and self._hurried(changes, row.name):
                due_at = min(due_at, now)
            if well:
                end = due_at > now or cursor in (None, row.cursor)
                again = read_pages(self._backend, changes, row, end=end)
                cursor, due_at = (cursor, due_at) if again is None else (again, now)
            changes.add(
                "tasks",
                TaskRow(
                    row.name,
                    due_at,
                    0 if well else row.attempts,
                    row.cursor if cursor is None else cursor,
                    now if well else row.well_at,
                    note,
                    None if well or not row.attempts else row.failed_at or now,
                ),
            )
            self._backend.apply(changes)
        return True

    def _hurried(self, changes: Changes, name: str) -> bool:
        """Whether somebody was in a hurry for a task while it was done; that is over now."""
        rows = self._backend.select("cursor", "consumer", [HURRY + name])
        if not rows or not rows[0][1]:
            return False
        changes.add("cursors", (HURRY + name, 0))
        return True

    def hurry_task(self, name: str, *, now: int) -> None:
        """See `Store.hurry_task`."""
        changes = Changes()
        with self._backend.writing():
            for row in map(TaskRow._make, self._backend.select("task", "name", [name])):
                if row.attempts:
                    changes.add("cursors", (HURRY + name, 1))
                elif row.due_at > now:
                    changes.add("tasks", row._replace(due_at=now))
            self._backend.apply(changes)

    def tasks(self) -> list[Task]:
        """See `Store.tasks`."""
        with self._backend.reading():
            rows = self._backend.page("task", TaskRow._fields, None, 10_000)
        return [Task(*row) for row in rows]

    # --- events ---------------------------------------------------------------------------------

    def stragglers(self, consumer: str) -> list[Straggler]:
        """See `Store.stragglers`."""
        with self._backend.reading():
            rows = self._backend.select("straggler", "consumer", [consumer])
        return sorted((Straggler(*row) for row in rows), key=lambda row: row.seq)

    def advance_cursor(
        self,
        consumer: str,
        seq: int,
        *,
        stragglers: Iterable[Straggler] = (),
        caught_up: Iterable[int] = (),
        now: int = 0,
    ) -> None:
        """See `Store.advance_cursor`."""
        changes, backend = Changes(), self._backend
        behind = [StragglerRow(*row) for row in stragglers]
        with backend.writing():
            if seq > self.read_cursor(consumer):
                changes.add("cursors", (consumer, seq))
            known: dict[int, StragglerRow] = {}
            if behind or caught_up:
                rows = backend.select("straggler", "consumer", [consumer])
                known = {row[1]: StragglerRow(*row) for row in rows}
            for row in behind:
                changes.add("stragglers", row)
            tell_parked(changes, known, behind, now)
            for gone in caught_up:
                if gone in known:
                    changes.add("forget_stragglers", (consumer, gone))
            backend.apply(changes)

    def identities(self, order_ids: Iterable[int]) -> dict[int, tuple[str, str, str]]:
        """See `Store.identities`."""
        with self._backend.reading():
            owners = self._backend.owners()
            rows = self._backend.select("orders", "id", sorted(set(order_ids)))
        return {row[0]: (owners[row[1]], row[2], row[3]) for row in rows}
