"""Words to nodes: work is released, or asked to stop. The law of unknown outcomes lives here.

A partner is called outside any transaction; the attempt is committed before, and the answers of
several calls are written together soon after (`domcore.working.together`). When nobody knows
whether a release was taken in, it is neither tried again nor given to another node before the
partner has been asked by key (`reconcile`), or has confirmed that it stopped. "Never heard of it"
is believed only some time after the last call, for a call may still be under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from attrs import evolve

from domcore.connecting import HOOK
from domcore.contracts import ChangesWork, Connector
from domcore.errors import DomcoreError, StoreError
from domcore.model import FulfillmentOrder, Handover, Node, Notice, Receipt
from domcore.store.protocol import Lease
from domcore.working.receipts import UNKNOWN_HERE, checked, notice_of
from domcore.working.round import SECOND, TRIPPED, Round, Trouble, call, refused, words_of
from domcore.working.together import Answers

BATCH: Final = 50
"""Fresh entries leased in one transaction."""

CERTAIN_AFTER: Final = 60
"""Seconds, where a connector does not say."""

LOOK_AGAIN: Final = 10 * SECOND
"""How soon a wish to stop looks again at a release that is under way."""


class Outbox:
    """Hands over what is due, for one round."""

    def __init__(self, round: Round) -> None:
        self._round: Final = round
        self._dom: Final = round.dom
        self._store: Final = round.dom.store
        self._connecting: Final = round.dom._connecting
        self._answers: Final = Answers(round)
        self._met_down = False
        self._until = 0
        stored = self._store.network()
        nodes = zip(stored.node_ids, stored.network.nodes, strict=True)
        self._nodes: Final[dict[int, Node]] = dict(nodes)

    def run(self) -> None:
        """Ask to stop first: what is not wanted any more should not be begun."""
        if not all(node.enabled for node in self._nodes.values()):
            self._store.recall_due(now=self._round.now())
        for topic in ("cancel", "change", "release"):
            self._put_off(topic)
            left = self._round.limit
            while left > 0 and not self._round.stopped():
                until = self._round.lease_end()
                leases = self._store.lease_due(
                    topic,
                    now=self._round.now(),
                    until=until,
                    limit=min(left, BATCH),
                    most=self._dom.settings.work.attempts,
                )
                if not leases:
                    break
                left -= len(leases)
                self._met_down = False
                self._work_off(leases, until)
                if self._met_down:
                    self._put_off(topic)

    def _put_off(self, topic: str) -> None:
        """What waits for a connector that is not there, or down, is named and left alone for a
        while."""
        served = self._connecting.connectors()
        missing = {
            node_id: self._connecting.missing(node.connector)
            for node_id, node in self._nodes.items()
            if node.connector not in served
        }
        now, until = self._round.now(), self._round.lease_end()
        waiting = self._store.put_off(topic, missing, now=now, until=until)
        for name in filter(self._round.tripped, sorted(served)):
            nodes = [each for each, node in self._nodes.items() if node.connector == name]
            until = self._round.retry_at(name, 1)
            waiting += self._store.put_off(
                topic, dict.fromkeys(nodes, _down(name)), now=now, until=until
            )
        self._round.tally.add("waiting", waiting)

    def _work_off(self, leases: Sequence[Lease], until: int) -> None:
        """One after the other; what is not begun in time is given back."""
        waiting = deque(leases)
        self._until = until
        try:
            self._one(waiting.popleft())
            while waiting and not (self._round.stopped() or self._round.half_over(until)):
                self._one(waiting.popleft())
        finally:
            self._answers.add(0, self._give_back, list(waiting), self._round.now())
            self._answers.write()

    def _one(self, lease: Lease) -> None:
        self._answers.expect(lease.order_id)
        node = self._nodes.get(lease.node_id or 0)
        if node is None:
            self._later(lease, "its node is not in the network any more")
            return
        if lease.connector and lease.connector != node.connector:
            # Who has been called with it may be working on it, whatever the node names by now.
            node = evolve(node, connector=lease.connector)
        name = node.connector
        connector = self._connecting.connectors().get(name)
        if connector is None:
            self._later(lease, self._connecting.missing(name))
            return
        if self._round.tripped(name):
            self._met_down = True
            self._later(lease, _down(name))
            return
        try:
            handover = self._handover(lease, node)
        except StoreError as error:
            # What is kept of one order cannot be read; if it is the store itself, settling says so.
            trouble = Trouble(words_of(error), unknown=False)
            called_at = lease.called_at
            self._answers.add(lease.order_id, self._failed, lease, name, trouble, called_at)
            return
        self._carry_out(lease, handover, connector)

    def _carry_out(self, lease: Lease, handover: Handover, connector: Connector) -> None:
        if lease.topic == "cancel":
            self._stop(lease, handover, connector)
        elif lease.topic == "change":
            self._change(lease, handover, connector)
        elif not handover.fulfillment_order.lines:
            self._answers.add(lease.order_id, self._settle, lease, "nothing is left of it")
        elif lease.called_at is not None:
            self._reconcile(lease, handover, connector, lease.called_at)
        else:
            self._release(lease, handover, connector)

    def _handover(self, lease: Lease, node: Node) -> Handover:
        view = self._store.order(lease.order_id)
        work: FulfillmentOrder = next(
            each
            for each in view.fulfillment_orders
            if (each.sequence, each.node) == (lease.sequence, node.id)
        )
        return Handover(
            work.id,
            work,
            view.order,
            node,
            view.person,
            work.reference,
            lease.attempts,
            self._dom.now(),
        )

    # --- release --------------------------------------------------------------------------------

    def _release(self, lease: Lease, handover: Handover, connector: Connector) -> None:
        answer = self._ask("release", handover, connector)
        called_at = self._round.now()
        if isinstance(answer, Receipt):
            self._answered(lease, handover, answer, called_at, new=True)
            return
        self._round.tally.add("unknown", int(answer.unknown))
        self._troubled(lease, handover, answer, called_at if answer.unknown else None)

    def _reconcile(
        self, lease: Lease, handover: Handover, connector: Connector, called_at: int
    ) -> None:
        """Ask by key what became of a release; only what the partner certainly does not have is
        released again, under the same key."""
        answer = self._ask("reconcile", handover, connector)
        if isinstance(answer, Receipt) and answer.status == UNKNOWN_HERE:
            self._round.tally.add("reconciled")
            if not self._is_certain(connector, called_at):
                self._until_certain(lease, connector, called_at)
            elif self._round.half_over(self._until):
                trouble = Trouble(
                    "looking it up left too little of work.lease_seconds to release it"
                )
                self._troubled(lease, handover, trouble, called_at)
            else:
                self._release(lease, handover, connector)
            return
        if isinstance(answer, Receipt):
            self._round.tally.add("reconciled")
            self._answered(lease, handover, answer, called_at)
        else:
            self._troubled(lease, handover, answer, called_at)

    # --- cancel ---------------------------------------------------------------------------------

    def _stop(self, lease: Lease, handover: Handover, connector: Connector) -> None:
        called_at = lease.called_at
        if called_at is not None and called_at > self._round.now():
            at = min(called_at, self._round.now() + LOOK_AGAIN)
            self._put_back(lease, at, "its release is under way")
            return
        answer = self._ask("cancel", handover, connector)
        if isinstance(answer, Receipt) and answer.status == UNKNOWN_HERE:
            if called_at is not None and not self._is_certain(connector, called_at):
                self._until_certain(lease, connector, called_at)
                return
            answer = _never_begun(answer, handover)
        if isinstance(answer, Receipt):
            self._answered(lease, handover, answer, None)
        else:
            self._troubled(lease, handover, answer, None)

    # --- change ---------------------------------------------------------------------------------

    def _change(self, lease: Lease, handover: Handover, connector: Connector) -> None:
        """Tell a partner that the work it has is for somebody else; one that cannot be told, or
        for which it is too late, is asked to stop, and the work is handed over anew."""
        if lease.called_at is not None:
            at = self._round.now() + LOOK_AGAIN
            self._put_back(lease, at, "its release is under way")
        elif not handover.fulfillment_order.lines:
            self._answers.add(lease.order_id, self._settle, lease, "nothing is left of it")
        elif not isinstance(connector, ChangesWork):
            self._answers.add(lease.order_id, self._stop_instead, lease, handover.key)
        else:
            answer = self._ask("change", handover, connector)
            if isinstance(answer, Trouble):
                self._troubled(lease, handover, answer, None)
            elif answer.status in ("rejected", UNKNOWN_HERE):
                self._answers.add(lease.order_id, self._stop_instead, lease, handover.key)
            else:
                self._answers.add(lease.order_id, self._changed, lease, handover, answer)

    def _stop_instead(self, lease: Lease, key: str) -> None:
        now = self._round.now()
        self._settle(lease, "asked to stop instead")
        self._store.stop_instead(key, now=now)

    def _changed(self, lease: Lease, handover: Handover, receipt: Receipt) -> None:
        """It works by the new data. One that has stopped over it has done what it was asked to."""
        name, key, now = handover.node.connector, handover.key, self._round.now()
        if receipt.status == "cancelled":
            self._store.stop_instead(key, now=now)
        notice = notice_of(receipt, key, self._dom.now())
        trouble = self._record(name, key, notice, receipt.notices)
        if trouble is not None:
            self._failed(lease, name, trouble, None)
            return
        self._settle(lease, receipt.status)
        self._store.told_change(key, now=now)
        self._round.tally.add("changed")

    # --- answers --------------------------------------------------------------------------------

    def _ask(self, verb: str, handover: Handover, connector: Connector) -> Receipt | Trouble:
        plugin = self._connecting.plugin_of(handover.node.connector)
        name, function = handover.node.connector, getattr(connector, verb)
        function = self._dom._telemetry.watched(name, verb, function)
        answer = call(self._dom.plugins, plugin, HOOK, function, handover)
        found = checked(answer, verb)
        self._round.went(handover.node.connector, well=isinstance(found, Receipt))
        return found

    def _answered(
        self,
        lease: Lease,
        handover: Handover,
        receipt: Receipt,
        called_at: int | None,
        *,
        new: bool = False,
    ) -> None:
        """Have an answer written. One that cannot be taken in leaves the outcome unknown since
        `called_at`; `new` where that is not known yet."""
        name, key = handover.node.connector, handover.key
        notice: Notice | None = notice_of(receipt, key, self._dom.now())
        if lease.topic == "cancel" and receipt.status == "cancel_requested":
            notice = None  # That is our own word for it already.

        def write() -> None:
            trouble = self._record(name, key, notice, receipt.notices)
            if trouble is None:
                self._settle(lease, receipt.status)
                self._round.tally.add("cancelled" if lease.topic == "cancel" else "released")
                return
            self._round.tally.add("unknown", int(new))
            self._failed(lease, name, trouble, called_at)

        self._answers.add(lease.order_id, write)

    def _troubled(
        self, lease: Lease, handover: Handover, trouble: Trouble, called_at: int | None
    ) -> None:
        """Have a failure written."""
        name = handover.node.connector
        self._answers.add(lease.order_id, self._failed, lease, name, trouble, called_at)

    def _record(
        self, name: str, key: str, notice: Notice | None, others: Sequence[Notice]
    ) -> Trouble | None:
        """Take an answer in as news, and other news that came with it; one that cannot be is no
        answer."""
        try:
            if notice is not None:
                self._dom.record(notice, connector=name)
        except DomcoreError as error:
            return Trouble(f"its answer cannot be taken in: {refused(error)}"[:300])
        for number, other in enumerate(others, 1):
            try:
                self._dom.record(other, connector=name)
            except DomcoreError as error:
                task, words = f"release:{name}", refused(error)
                position = f"the answer on {key}"
                new = self._store.set_aside(
                    task, error=words, now=self._round.now(), position=position, number=number
                )
                self._round.tally.add("parked", int(new))
                self._round.tally.fail(f"{task}: {words}")
        return None

    def _settle(self, lease: Lease, note: str) -> None:
        self._store.settle(lease.entry, now=self._round.now(), note=note, attempt=lease.attempts)

    def _failed(self, lease: Lease, name: str, trouble: Trouble, called_at: int | None) -> None:
        """Try again later, or set aside for a person."""
        round = self._round
        round.tally.fail(f"connector {name!r}, {lease.topic} {lease.key}: {trouble.words}")
        told: dict[str, Any] = {
            "now": round.now(),
            "note": trouble.words,
            "attempt": lease.attempts,
            "called_at": called_at,
        }
        if lease.attempts >= self._dom.settings.work.attempts:
            self._store.park(lease.entry, **told)
            round.tally.add("parked")
            return
        at = round.retry_at(lease.key, lease.attempts, trouble.retry_after)
        self._store.settle(lease.entry, retry_at=at, **told)

    # --- later ----------------------------------------------------------------------------------

    def _later(self, lease: Lease, note: str) -> None:
        self._put_back(lease, self._round.retry_at(lease.key, 1), note)

    def _put_back(self, lease: Lease, at: int, note: str) -> None:
        self._round.tally.add("waiting")
        at = max(at, self._round.now() + SECOND)
        self._answers.add(lease.order_id, self._give_back, [lease], at, note)

    def _give_back(self, leases: Sequence[Lease], at: int, note: str = "") -> None:
        self._store.put_back(leases, now=self._round.now(), retry_at=at, note=note)

    def _is_certain(self, connector: Connector, called_at: int) -> bool:
        return self._round.now() >= called_at + certain_after(connector)

    def _until_certain(self, lease: Lease, connector: Connector, called_at: int) -> None:
        note = "the partner has not heard of it yet; asked again when that can be believed"
        self._put_back(lease, called_at + certain_after(connector), note)


def certain_after(connector: object) -> int:
    """Microseconds after a call until the partner's "never heard of it" can be believed."""
    seconds: object = getattr(connector, "certain_after", CERTAIN_AFTER)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return CERTAIN_AFTER * SECOND
    if not 0 <= seconds <= 10**7:
        return CERTAIN_AFTER * SECOND
    return int(seconds * SECOND)


def _down(name: str) -> str:
    return f"connector {name!r} failed {TRIPPED} times in a row"


def _never_begun(answer: Receipt, handover: Handover) -> Receipt | Trouble:
    """Work that the partner does not know will not ship, unless it has told us of it before."""
    work = handover.fulfillment_order
    if work.reference or work.vendor_status or work.packages:
        return Trouble("the partner has never heard of work that it has told us of", unknown=False)
    return Receipt("cancelled", detail=answer.detail or "the partner has never heard of it")
