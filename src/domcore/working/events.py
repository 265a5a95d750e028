"""Events out: to plugins and to channels, in order per order, at least once.

Each consumer has a cursor. An event it cannot take becomes a straggler: it is tried again later,
and the later events of its order wait behind it, while those of other orders go on. After too many
attempts it is parked for a person, and its order goes on without it.

Attempts are committed before an event is handled, cheaply: while all is well, one lease stands for
a whole chunk. When a worker has died over a chunk, its events are handled one by one, each noted
beforehand, so that one that kills the process is parked like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from domcore.contracts import HearsNews
from domcore.errors import StoreError
from domcore.model import Event
from domcore.model.actor import actor
from domcore.plugins import Failure, Implementation
from domcore.store.protocol import Straggler, Task
from domcore.store.rows import NEVER
from domcore.working.news import Listener
from domcore.working.round import Round, Trouble, words_of

CHUNK: Final = 100
"""Events handled under one marker."""

MOST_BEHIND: Final = 1_000
"""Stragglers, parked ones among them, after which a consumer gets nothing new."""


class Consumer(Protocol):
    """Somebody who follows the events."""

    name: str
    counted: str

    def look(self, events: Sequence[Event]) -> None:
        """These come next."""
        ...

    def handle(self, event: Event) -> Trouble | None:
        """Take one event."""
        ...


class PluginConsumer:
    """A plugin's `handle_event`."""

    counted = "events"

    def __init__(self, round: Round, one: Implementation) -> None:
        self.name = one.plugin
        self._dom = round.dom
        self._one = one

    def look(self, events: Sequence[Event]) -> None:
        """Nothing to prepare."""

    def handle(self, event: Event) -> Trouble | None:
        """Hand it over; what the plugin itself could not take is not told to it again."""
        if event.kind == "work.parked" and event.body.get("task") == f"events:{self.name}":
            return None
        arguments = {"event": event, "dom": self._dom}
        with self._dom.acting(actor("plugin", self.name)):
            answer = self._dom.plugins.attempt(self._one, "handle_event", arguments)
        if isinstance(answer, Failure):
            return Trouble(f"plugin {self.name!r}, hook 'handle_event': {words_of(answer.error)}")
        return None


class Events:
    """Delivers events, for one round."""

    def __init__(self, round: Round) -> None:
        self._round: Final = round
        self._dom: Final = round.dom

    def deliver(self) -> None:
        """To plugins, then to channels, at most so many events each."""
        for one in self._dom.plugins.implementations("handle_event"):
            if one.builtin:
                self._log(one)
            else:
                _Delivery(self._round, PluginConsumer(self._round, one)).run()
        wanted = {each.name: each.notify for each in self._dom.settings.channels}
        for name, channel in self._dom.channels().items():
            if isinstance(channel, HearsNews) and wanted.get(name, True):
                plugin = self._dom._intake.plugin_of(name)
                _Delivery(self._round, Listener(self._round, channel, plugin)).run()

    def _log(self, one: Implementation) -> None:
        """The built-in event log: logging an event twice after a crash does no harm; a transaction
        per event would."""
        store = self._dom.store
        last = first = store.read_cursor(one.plugin)
        for event in store.events(after=first, limit=self._round.limit):
            if self._round.stopped():
                break
            arguments = {"event": event, "dom": self._dom}
            answer = self._dom.plugins.attempt(one, "handle_event", arguments)
            if isinstance(answer, Failure):
                self._round.tally.fail(f"{event.seq}: {answer}")
                break
            last = event.seq
            self._round.tally.add("events")
        if last > first:
            store.advance_cursor(one.plugin, last)


class _Delivery:
    """One consumer's turn: first what is new, then its stragglers."""

    def __init__(self, round: Round, consumer: Consumer) -> None:
        self._round: Final = round
        self._consumer: Final = consumer
        self._name: Final = consumer.name
        self._key: Final = f"events:{consumer.name}"
        self._store: Final = round.dom.store
        self._until = 0

    def run(self) -> None:
        """Do what is due, where nobody else is doing it."""
        first = self._store.read_cursor(self._name)
        now = self._round.now()
        behind = self._store.stragglers(self._name)
        if not _ready(behind, now) and not self._store.events(after=first, limit=1):
            return
        self._until = self._round.lease_end()
        task = self._store.lease_task(self._key, now=now, until=self._until)
        if task is None:
            return
        try:
            self._new(died=task.attempts > 1)
            self._round.failing.pop(self._key, None)
            self._stragglers()
        except StoreError:
            # Nothing can be settled; the lease runs out by itself.
            raise
        except BaseException:
            self._give_back(task)
            raise
        self._give_back(task)

    def _give_back(self, task: Task) -> None:
        now = self._round.now()
        self._store.settle_task(task, now=now, due_at=now)

    def _over(self) -> bool:
        round = self._round
        return round.stopped() or round.tripped(self._key) or round.half_over(self._until)

    # --- what is new ----------------------------------------------------------------------------

    def _new(self, *, died: bool) -> None:
        left = self._round.limit
        while left > 0 and not self._over():
            if len(self._store.stragglers(self._name)) >= MOST_BEHIND:
                message = f"{self._name} is {MOST_BEHIND} events behind; it gets no new ones"
                self._round.tally.fail(message, count=False)
                return
            after = self._store.read_cursor(self._name)
            events = self._store.events(after=after, limit=min(left, CHUNK))
            if not events:
                return
            self._consumer.look(events)
            if died:
                self._one_by_one(events)
            else:
                self._chunk(events)
            died = False
            left -= len(events)

    def _waiting(self) -> set[int]:
        """Orders of which an event waits to be tried again."""
        return {
            row.order_id
            for row in self._store.stragglers(self._name)
            if row.order_id is not None and row.parked_at is None
        }

    def _chunk(self, events: Sequence[Event]) -> None:
        waiting, behind, last = self._waiting(), list[Straggler](), 0
        try:
            for event in events:
                if self._over():
                    break
                if event.order_id in waiting:
                    behind.append(self._straggler(event, 0, self._round.now(), "waits"))
                else:
                    trouble = self._handle(event)
                    if trouble is not None:
                        behind.append(self._after_failure(event, 1, trouble))
                        if event.order_id is not None and behind[-1].parked_at is None:
                            waiting.add(event.order_id)
                last = event.seq
        finally:
            if last:
                now = self._round.now()
                self._store.advance_cursor(self._name, last, stragglers=behind, now=now)

    def _one_by_one(self, events: Sequence[Event]) -> None:
        """After a worker died: each event is noted before it is handled."""
        for event in events:
            if self._over():
                return
            now, waits = self._round.now(), event.order_id in self._waiting()
            noted = self._straggler(
                event, 0 if waits else 1, now if waits else self._until, "being handled"
            )
            self._store.advance_cursor(self._name, event.seq, stragglers=[noted], now=now)
            if not waits:
                self._try(event, noted)

    # --- stragglers -----------------------------------------------------------------------------

    def _stragglers(self) -> None:
        """Those that are due, and behind each the others of its order."""
        blocked: set[int | None] = set()
        most = self._round.dom.settings.work.attempts
        for row in _ready(self._store.stragglers(self._name), self._round.now()):
            if self._over():
                return
            if row.order_id in blocked:
                continue
            if row.attempts >= most:
                self._park(row)
            elif not self._again(row) and row.order_id is not None:
                blocked.add(row.order_id)

    def _again(self, row: Straggler) -> bool:
        """Try an event once more; whether its order may go on."""
        (event,) = self._store.events(after=row.seq - 1, limit=1)
        self._consumer.look([event])
        noted = row._replace(attempts=row.attempts + 1, due_at=self._until)
        now = self._round.now()
        self._store.advance_cursor(self._name, 0, stragglers=[noted], now=now)
        return self._try(event, noted)

    def _try(self, event: Event, noted: Straggler) -> bool:
        now = self._round.now()
        trouble = self._handle(event)
        if trouble is None:
            self._store.advance_cursor(self._name, 0, caught_up=[event.seq], now=now)
            return True
        row = self._after_failure(event, noted.attempts, trouble)
        self._store.advance_cursor(self._name, 0, stragglers=[row], now=self._round.now())
        return row.parked_at is not None

    def _park(self, row: Straggler) -> None:
        """Its attempts have all ended with the worker."""
        now = self._round.now()
        parked = row._replace(due_at=NEVER, parked_at=now)
        self._store.advance_cursor(self._name, 0, stragglers=[parked], now=now)
        self._round.tally.add("parked")
        self._round.tally.fail(f"{row.seq}: {self._name} never came back from it; it is parked")

    # --- one event ------------------------------------------------------------------------------

    def _handle(self, event: Event) -> Trouble | None:
        trouble = self._consumer.handle(event)
        self._round.went(self._key, well=trouble is None)
        if trouble is None:
            self._round.tally.add(self._consumer.counted)
        return trouble

    def _after_failure(self, event: Event, attempts: int, trouble: Trouble) -> Straggler:
        round = self._round
        round.tally.fail(f"{event.seq}: {trouble.words}")
        if attempts >= round.dom.settings.work.attempts:
            round.tally.add("parked")
            row = self._straggler(event, attempts, NEVER, trouble.words)
            return row._replace(parked_at=round.now())
        key = f"event/{self._name}/{event.seq}"
        at = round.retry_at(key, attempts, trouble.retry_after)
        return self._straggler(event, attempts, at, trouble.words)

    def _straggler(self, event: Event, attempts: int, due_at: int, note: str) -> Straggler:
        return Straggler(self._name, event.seq, event.order_id, due_at, attempts, None, note)


def _ready(rows: Sequence[Straggler], now: int) -> list[Straggler]:
    """The stragglers that may be tried: due, and behind none of their order that is not."""
    blocked: set[int] = set()
    ready = []
    for row in rows:
        if row.parked_at is not None or row.order_id in blocked:
            continue
        if row.due_at <= now:
            ready.append(row)
        elif row.order_id is not None:
            blocked.add(row.order_id)
    return ready
