"""Handing work over: leases on outbox entries, doubts about their outcome, setting them aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domcore.codec.stored import dump_event
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.protocol import Lease
from domcore.store.rows import NEVER, FulfillmentRow, OutboxRow

RAN_OUT: Final = "the worker stopped before there was an answer"
"""Why an entry is parked whose every attempt ended with its worker."""


def fulfillment_id(order_id: int, sequence: int, node: str) -> str:
    """``order-sequence-node``: a fulfillment order's name, the same for ever."""
    return f"{order_id}-{sequence}-{node}"


def outbox_entry(topic: str, order_id: int, sequence: int, node_id: int, due_at: int) -> OutboxRow:
    """A new entry."""
    return OutboxRow(None, topic, order_id, sequence, node_id, due_at, 0, None, "", 0, None)


class Handing:
    """Changes to outbox entries, worked out on what `reader` says now."""

    def __init__(
        self,
        reader: Reader,
        changes: Changes,
        now: int,
        connectors: Mapping[int, str] | None = None,
    ) -> None:
        """Args: connectors: whom each node names, by node id; needed for leases of releases."""
        self._connectors: Final = connectors or {}
        self._reader: Final = reader
        self._changes: Final = changes
        self._now: Final = now
        self._nodes: Final = reader.nodes()

    # --- leases ---------------------------------------------------------------------------------

    def lease(self, entries: Sequence[OutboxRow], until: int, *, most: int | None) -> list[Lease]:
        """Lease the first of the due entries: all fresh ones before the first that has been tried
        before, or that one alone, for it may be what stops the workers.

        From the first attempt to release it on, a fulfillment order counts as handed over.
        """
        leases: list[Lease] = []
        for entry in entries:
            if most is not None and entry.attempts >= most:
                self.park(entry, RAN_OUT, called_at=entry.called_at)
            elif entry.attempts and leases:
                break
            else:
                leases.append(self._lease(entry, until))
                if entry.attempts:
                    break
        return leases

    def _lease(self, entry: OutboxRow, until: int) -> Lease:
        release = entry.topic == "release"
        leased = entry._replace(due_at=until, attempts=entry.attempts + 1)
        if release:
            unknown = entry.called_at is not None
            leased = leased._replace(unknown=int(unknown), called_at=until)
            if not unknown:
                named = self._connectors.get(entry.node_id, "")
                leased = leased._replace(connector=named)
            if unknown and not entry.unknown:
                self._tell_unknown(leased)
            self._hand_over(entry, 1)
        self._write(leased)
        called_at, connector = entry.called_at, leased.connector
        if not release:
            called_at, connector = self._release_called(entry)
        name = self._name(entry)
        return Lease(
            entry.id or 0,
            entry.topic,
            name if release else f"{name}-{entry.topic}",
            entry.order_id,
            entry.node_id,
            leased.attempts,
            entry.sequence,
            called_at,
            connector,
        )

    def _release_called(self, entry: OutboxRow) -> tuple[int | None, str]:
        """Until when the partner may have been asked to begin what it is now asked to stop, and
        who it is."""
        for row in map(
            OutboxRow._make, self._reader.select("outbox", "order_id", [entry.order_id])
        ):
            if row.topic == "release" and row[3:5] == entry[3:5]:
                return row.called_at, row.connector
        return None, ""

    def put_off(self, entries: Sequence[OutboxRow], until: int, reasons: Mapping[int, str]) -> int:
        """Entries whose node is among `reasons` wait, with that note; returns how many."""
        waiting = [entry for entry in entries if entry.node_id in reasons]
        for entry in waiting:
            self._write(entry._replace(due_at=until, note=reasons[entry.node_id]))
        return len(waiting)

    def put_back(self, entry: OutboxRow, lease: Lease, retry_at: int, note: str) -> None:
        """Nobody was called: the attempt does not count."""
        if entry.attempts != lease.attempts:
            return
        release = entry.topic == "release"
        called_at = lease.called_at if release else None
        entry = entry._replace(
            called_at=called_at, unknown=int(called_at is not None and entry.unknown)
        )
        if entry.done_at is not None or entry.parked_at is not None:
            self._write(entry)
            return
        attempts = entry.attempts - 1
        self._write(entry._replace(due_at=retry_at, attempts=attempts, note=note))
        if release and not attempts and called_at is None:
            self._hand_over(entry, 0)

    # --- outcomes -------------------------------------------------------------------------------

    def settle(self, entry: OutboxRow, attempt: int, note: str) -> None:
        """Done."""
        if entry.done_at is not None:
            self._answered(entry, attempt, None)
            return
        done = entry._replace(done_at=self._now, note=note, unknown=0, called_at=None)
        # A worker may answer late, after a person had the attempts counted anew.
        self._write(done._replace(parked_at=None, attempts=max(1, entry.attempts)))
        if entry.topic == "release" and not entry.attempts:
            self._hand_over(entry, 1)

    def retry(
        self, entry: OutboxRow, attempt: int, retry_at: int, note: str, called_at: int | None
    ) -> None:
        """To be tried again; with `called_at` its outcome is unknown."""
        if entry.done_at is not None or entry.parked_at is not None:
            self._answered(entry, attempt, called_at)
        elif not attempt or attempt == entry.attempts:
            self._write(self._doubted(entry, called_at)._replace(due_at=retry_at, note=note))

    def park(
        self, entry: OutboxRow, note: str, *, attempt: int = 0, called_at: int | None = None
    ) -> None:
        """Set aside for a person."""
        if entry.done_at is not None or entry.parked_at is not None:
            self._answered(entry, attempt, called_at)
            return
        if attempt and attempt != entry.attempts:
            return
        parked = self._doubted(entry, called_at)
        self._write(parked._replace(due_at=NEVER, note=note, parked_at=self._now))
        body = {
            "task": entry.topic,
            "fulfillment_order": self._name(entry),
            "node": self._nodes[entry.node_id],
            "attempts": entry.attempts,
            "error": note,
        }
        self._tell("work.parked", entry, body)

    def revive(self, entry: OutboxRow) -> None:
        """Tried again at once, as if for the first time; an unknown outcome stays one. Where it is
        known that no partner has the work, it does not count as handed over any more."""
        self._write(entry._replace(due_at=self._now, attempts=0, parked_at=None, note=""))
        if entry.topic == "release" and entry.called_at is None:
            self._hand_over(entry, 0)

    def _answered(self, entry: OutboxRow, attempt: int, called_at: int | None) -> None:
        """The entry was withdrawn, or set aside, while its partner was called: only the doubt is
        news."""
        if entry.topic == "release" and attempt == entry.attempts:
            self._write(self._doubted(entry, called_at))

    def _doubted(self, entry: OutboxRow, called_at: int | None) -> OutboxRow:
        doubted = entry._replace(unknown=int(called_at is not None), called_at=called_at)
        if doubted.unknown and not entry.unknown:
            self._tell_unknown(doubted)
        return doubted

    # --- writing it down ------------------------------------------------------------------------

    def _write(self, entry: OutboxRow) -> None:
        self._changes.add(
            "set_outbox", (entry.due_at, entry.attempts, entry.done_at, entry.note, entry.id)
        )
        self._changes.add(
            "doubt_outbox",
            (entry.unknown, entry.parked_at, entry.called_at, entry.connector, entry.id),
        )

    def _hand_over(self, entry: OutboxRow, handed_over: int) -> None:
        for row in self._reader.select("fulfillment_order", "order_id", [entry.order_id]):
            work = FulfillmentRow(*row)
            spoken = not handed_over and work.news_at
            if work[:3] == entry[2:5] and work.handed_over != handed_over and not spoken:
                changed = (work.status, handed_over, work.reference, *work[:3])
                self._changes.add("set_fulfillment_orders", changed)

    def _tell_unknown(self, entry: OutboxRow) -> None:
        body = {
            "fulfillment_order": self._name(entry),
            "node": self._nodes[entry.node_id],
            "attempt": entry.attempts,
        }
        self._tell("fulfillment.unknown", entry, body)

    def _tell(self, kind: str, entry: OutboxRow, body: Mapping[str, object]) -> None:
        event = dump_event(body)
        self._changes.add("events", (None, kind, entry.order_id, self._now, event))

    def _name(self, entry: OutboxRow) -> str:
        return fulfillment_id(entry.order_id, entry.sequence, self._nodes[entry.node_id])
