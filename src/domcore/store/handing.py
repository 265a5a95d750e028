"""What a store must do about words to nodes, repeated tasks, and who has seen which event.

Part of `domcore.store.protocol.Store`; the same conventions hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from domcore.store.values import Lease, Parked, Rescheduled, Straggler, Task, Unread


class Handing(Protocol):
    """The operations behind `Domcore.work`."""

    def read_cursor(self, consumer: str) -> int:
        """What `consumer` has seen; 0 at first."""
        ...

    def advance_cursor(
        self,
        consumer: str,
        seq: int,
        *,
        stragglers: Iterable[Straggler] = (),
        caught_up: Iterable[int] = (),
        now: int = 0,
    ) -> None:
        """Remember that `consumer` has seen everything up to `seq` (never moves backwards) but for
        the `stragglers`; those of `caught_up` are none any more. One that is parked now and was not
        before is told as ``work.parked``."""
        ...

    def known_plugins(self) -> dict[str, int]:
        """What is known of plugins that have worked here, by name; see `domcore.judges`."""
        ...

    def note_plugins(self, notes: Mapping[str, int]) -> None:
        """Remember that of plugins; of others it stays as it was."""
        ...

    def released_to(self, fulfillment_order: str) -> str:
        """The connector that was last asked to begin this work; empty where none was.

        Raises: NotFound: no fulfillment order can be called that.
        """
        ...

    def stragglers(self, consumer: str) -> list[Straggler]:
        """The events behind the cursor that a consumer has not taken, by seq."""
        ...

    def identities(self, order_ids: Iterable[int]) -> dict[int, tuple[str, str, str]]:
        """``(owner, channel, external id)`` of the orders among these that exist."""
        ...

    def lease_due(
        self,
        topic: str,
        *,
        now: int,
        until: int,
        limit: int,
        most: int | None = None,
    ) -> list[Lease]:
        """Take due outbox entries; nobody else gets them before `until`. Attempts are counted
        before the work is done. One that has been tried before is leased alone.

        A release whose lease has run out may have been taken in: its outcome is unknown
        (``fulfillment.unknown``, once). An entry that has had its `most` attempts is parked.
        """
        ...

    def put_off(self, topic: str, reasons: Mapping[int, str], *, now: int, until: int) -> int:
        """Due entries of these nodes (id -> why they cannot be told) wait until then, with the
        reason as their note and no attempt counted; returns how many, of the oldest ones."""
        ...

    def reschedule(self, *, now: int, latest: int) -> Rescheduled | None:
        """Look whether the clock is behind the newest event that it has dated, or anything is due
        after `latest`, which no wait explains; None where all is well.

        What is due too late - work, orders, tasks, events for consumers - is moved by as much as
        the clock is behind, and at most to `latest`, in one transaction, and told as
        ``work.rescheduled``.
        """
        ...

    def put_back(self, leases: Sequence[Lease], *, now: int, retry_at: int, note: str = "") -> None:
        """Give leases back whose partner was not called: the attempt does not count. What somebody
        else has leased since is left alone."""
        ...

    def told_change(self, fulfillment_order: str, *, now: int) -> None:
        """A node works by the new data of its order (`Store.capture` asks for it, outbox
        ``change``): what a person was shown of it is settled, unless there is more to tell.

        Raises: NotFound: no such fulfillment order.
        """
        ...

    def stop_instead(self, fulfillment_order: str, *, now: int) -> None:
        """A node cannot change the work that it has: it is asked to stop, so that it can be handed
        over anew; nothing where it is over, or asked to stop already.

        Raises: NotFound: no such fulfillment order.
        """
        ...

    def recall(self, *, now: int, limit: int, after: int = 0) -> int:
        """Take work back that nobody has begun at nodes that are switched off or not in the network
        any more, of at most so many orders with an id above `after`: what it reserved is free, its
        word is withdrawn, and the orders queue (``order.recalled``). Returns the last id looked at,
        0 where there was none."""
        ...

    def recall_due(self, *, now: int) -> int:
        """The same for what is about to be handed over; returns the units that were taken back."""
        ...

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
        """Done (no `retry_at`), or to be tried again then. Settling twice is harmless.

        Args:
            attempt: the lease's; where it is given, an entry that somebody else has leased since is
                not put off.
            called_at: when the partner was called whose answer is not known: the outcome of the
                release is unknown (``fulfillment.unknown``, once).

        Raises: NotFound: there is no such entry.
        """
        ...

    def park(
        self,
        entry: int,
        *,
        now: int,
        note: str,
        attempt: int = 0,
        called_at: int | None = None,
    ) -> None:
        """Set an entry aside for a person (``work.parked``). Arguments as for `settle`."""
        ...

    def parked(self, *, limit: int = 1000) -> list[Parked]:
        """What was set aside for a person, oldest first."""
        ...

    def pending(self, *, limit: int = 1000) -> list[Parked]:
        """Words to nodes that are neither done nor parked; their `parked_at` is None."""
        ...

    def find_parked(self, name: str) -> Parked:
        """Raises: NotFound: nothing that is parked is called so."""
        ...

    def revive(self, name: str, *, now: int) -> None:
        """Try something parked, or failing, again, at once and with all its attempts. The page of a
        setback is read again from its beginning.

        Raises:
            NotFound: nothing that is parked or fails is called so.
            ConflictError: it is a setback whose content is not kept.
        """
        ...

    def give_up(self, name: str, *, now: int, note: str = "given up") -> None:
        """Be done with something parked. Raises: NotFound."""
        ...

    def set_aside(
        self, task: str, *, error: str, now: int, position: str = "", number: int = 0
    ) -> bool:
        """Keep that a task could not take in something (``work.parked``); False where it is kept
        already. `position` is the cursor before its page, `number` its place there."""
        ...

    def keep_unread(self, unread: Unread, *, now: int) -> tuple[str, bool] | None:
        """Keep something that could not be read (``work.parked``): what it is called among what is
        parked, and whether it is news. A later whole revision of the same order takes its place.
        None where so many of its task are kept that no more is."""
        ...

    def unread(self, name: str) -> Unread | None:
        """What is kept of a setback; None where its sender must send it again.

        Raises: NotFound: nothing that is parked is called so.
        """
        ...

    def forget_superseded(self, *, now: int) -> int:
        """Be done with what could not be read of orders that the channel has told whole since, as
        late or later, or that are cancelled; returns how many."""
        ...

    def lease_task(self, name: str, *, now: int, until: int) -> Task | None:
        """Take a task that is due (a new one is) until `until`; None where it is not, or somebody
        has it. Attempts are counted before the work is done."""
        ...

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
        """Done, and due again then; False, changing nothing, where the lease is not ours any more.
        `cursor` None leaves it where it was."""
        ...

    def hurry_task(self, name: str, *, now: int) -> None:
        """Have a task done at once; one that is being done is done again after that, and one that
        failed is tried again when it is due."""
        ...

    def tasks(self) -> list[Task]:
        """Every task there has been, by name."""
        ...
