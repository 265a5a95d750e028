"""Doing what is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from domcore.contracts import Connector
from domcore.errors import (
    ConfigurationError,
    ConflictError,
    DomcoreError,
    NotFound,
    StoreError,
)
from domcore.intake import PULL
from domcore.model import Event, Notice
from domcore.model.actor import WORKER, actor, brought
from domcore.model.clock import from_micros
from domcore.store.protocol import Outcome, Parked, Trouble
from domcore.store.writing.plugins import GONE
from domcore.telemetry import traced
from domcore.verbs.core import Core
from domcore.working.events import Events
from domcore.working.outbox import Outbox, certain_after
from domcore.working.parking import drop, waiting
from domcore.working.report import WorkReport
from domcore.working.round import SECOND, Round
from domcore.working.rules import heed
from domcore.working.tasks import Tasks
from domcore.working.windows import lift_ended

if TYPE_CHECKING:
    from domcore.app import Domcore


DAY: Final = 24 * 60 * 60


class WorkVerbs(Core):
    """The outward side."""

    _working = False

    def connectors(self) -> dict[str, Connector]:
        """The connectors that plugins serve, by name."""
        return self._connecting.connectors()

    @traced
    def work(
        self, *, limit: int = 1000, stop: Callable[[], bool] | None = None, by: str = WORKER
    ) -> WorkReport:
        """Do what is due: free expired reservations, lift holds of rules that have ended, ask for
        news, route, hand work to nodes, deliver events, publish stock. What fails is named in the
        report, and the rest goes on.

        Args:
            limit: at most so many of each kind.
            stop: asked between two pieces of work; True ends the round early.
            by: who works; what is news of a channel or partner is by them.

        Raises:
            ConfigurationError: inside a caller's transaction nothing may be delivered; and a plugin
                that is called by `work` must not call it.
            StoreError: the store failed; what was committed stays.
        """
        if self._inside:
            raise ConfigurationError(
                "nothing is delivered inside a caller's transaction; call work() after its commit"
            )
        if self._working:
            raise ConfigurationError("work() is running already; a plugin must not call it")
        self._working = True
        try:
            with self.acting(by):
                return self._round(Round(cast("Domcore", self), limit, stop or (lambda: False)))
        finally:
            self._working = False

    @traced
    def pull(self, channel: str = "", *, limit: int = 1000, by: str = "") -> WorkReport:
        """Ask channels for their orders now, whenever they would be due.

        The one named, or all that are asked. Nothing else is done; the report names what fails.

        A channel that another worker asks at this moment is left to it.

        Raises:
            NotFound: no such channel is asked for orders (see its ``pull``).
            ConfigurationError: inside a caller's transaction, or while `work` runs.
        """
        if self._inside or self._working:
            raise ConfigurationError(
                "nothing is pulled inside a caller's transaction, nor by a plugin that work() calls"
            )
        round = Round(cast("Domcore", self), limit, lambda: False)
        tasks = Tasks(round)
        names = tasks.pulled_channels()
        if channel and channel not in names:
            raise NotFound(
                f"channel {channel[:100]!r} is not asked for orders"
                f" (there are: {', '.join(sorted(names)) or 'none'}); see 'domcore plugins'"
            )
        chosen = [channel] if channel else names
        with self.acting(by):
            failing = {task.name for task in self.store.tasks() if task.attempts}
            for name in chosen:
                if PULL + name in failing:
                    self.store.revive(f"task/{PULL}{name}", now=self._micros())
                else:
                    self.store.hurry_task(PULL + name, now=self._micros())
            tasks.pull(chosen)
        return round.tally.report()

    def _round(self, round: Round) -> WorkReport:
        self._judges.look_again()
        self._heed_clock(round)
        heed(round)
        expired = self.store.expire(now=self._micros(), limit=round.limit)
        if expired:
            self._kit.stock_changed()
            round.tally.add("expired", expired)
        lift_ended(round)
        self.store.lift_exclusions(now=self._micros(), limit=round.limit)
        tasks = Tasks(round)
        tasks.ask()
        if self.settings.work.route and not round.stopped():
            self._route_due(round)
        Outbox(round).run()
        Events(round).deliver()
        tasks.tell()
        self.store.forget_superseded(now=round.now())
        return round.tally.report()

    def _heed_clock(self, round: Round) -> None:
        """Nothing waits for a time that comes late only because a clock was wrong."""
        moved = self.store.reschedule(now=round.now(), latest=round.now() + self._longest_wait())
        if moved is None:
            return
        pieces = moved.work + moved.orders + moved.tasks
        due = f"{pieces} {'piece' if pieces == 1 else 'pieces'} of work that waited for it"
        if moved.behind:
            newest = from_micros(moved.newest).isoformat(timespec="seconds")
            round.tally.fail(
                f"the clock is {moved.behind // SECOND:,} seconds behind the newest event, of"
                f" {newest}: set it right if it is wrong; {due} counts from now"
            )
        else:
            round.tally.fail(
                f"{due.removesuffix(' that waited for it')} was due later than any wait explains,"
                " as if a clock had been wrong; it is due now"
            )

    def _longest_wait(self) -> int:
        """Microseconds; nothing that domcore puts off is put off for longer."""
        work, stock, routing = self.settings.work, self.settings.stock, self.settings.routing
        seconds = (
            work.lease_seconds,
            work.backoff_most_seconds,
            work.poll_seconds,
            work.pull_seconds,
            work.publish_seconds,
            stock.check_minutes * 60,
            routing.retry_minutes * 60,
            *(certain_after(each) // SECOND for each in self.connectors().values()),
        )
        return (DAY + max(seconds)) * SECOND

    def _route_due(self, round: Round) -> None:
        try:
            report = round.dom.route(limit=round.limit)
        except StoreError:
            raise
        except DomcoreError as error:
            # Packs that cannot be read must not keep work that is decided from its nodes.
            round.tally.fail(f"routing: {error}")
            return
        round.tally.add("routed", report.orders - report.failed)
        round.tally.add("placed", report.placed)
        for message in report.errors:
            round.tally.fail(f"routing: {message}")

    @traced
    def record(self, notice: Notice, *, connector: str = "", by: str = "") -> Outcome:
        """Take in news of a fulfillment order: ``recorded``, ``duplicate``, or ``stale`` where it
        says nothing new. In whatever order news comes, the end is the same.

        Args:
            connector: who brings it; the node must be one that this connector serves.
            by: who causes it; with `connector`, that is ``connector:NAME``.

        Raises:
            NotFound: no such fulfillment order.
            PayloadError: an unknown status, reason, line or SKU, or a node of another connector.
            ConflictError: more units than there are, or the key came with other content.
        """
        if connector:
            by = actor("connector", connector)
            notice = brought(notice, by)
        with self.acting(by):
            return self._intake.record(notice, connector)

    def parked(self, *, limit: int = 1000) -> list[Parked]:
        """What was set aside for a person; and work that waits for a plugin that is not there."""
        found = self.store.parked(limit=limit)
        return found + waiting(cast("Domcore", self), limit - len(found))

    def retry(self, name: str, *, by: str = "") -> None:
        """Try something parked, or something that keeps failing (``task/pull:web``), again: at
        once, with all its attempts. A release of unknown outcome is looked up at the partner first;
        a delivery that could not be read is read again, and the page of another setback by the
        next `work`.

        Raises:
            NotFound: nothing that is parked or fails is called so.
            PayloadError: it still cannot be read; it stays.
            ConflictError: what was set aside is not kept here; its sender must send it again.
        """
        with self.acting(by):
            if self._intake.read_again(name):
                return
            self.store.revive(name, now=self._micros())

    def settle(self, name: str, *, by: str = "", note: str = "") -> Trouble:
        """Be done with trouble that `exceptions` shows (``trouble/12-1``): somebody has seen to it.

        Args:
            by: who, see `domcore.model.actor`; kept with the event, as is the note.

        Raises:
            NotFound: no trouble that stands is called so.
            PayloadError: what is given cannot be kept.
        """
        with self.acting(by):
            return self.store.settle_trouble(name, by=self._by, note=note, now=self._micros())

    def drop(self, name: str, *, by: str = "") -> None:
        """Give up on something parked: an event is skipped; a release counts as rejected for
        ``other``, so its units are routed again.

        Raises:
            NotFound: nothing that is parked is called so.
            ConflictError: a release of which nobody knows whether the node has it.
        """
        with self.acting(by):
            drop(cast("Domcore", self), name)

    def forget_plugin(self, name: str) -> None:
        """Say that a plugin which judged orders of this store is gone for good: what is routed from
        now on is routed without it. Where it comes back it judges again.

        Raises:
            NotFound: no plugin of that name is missed here.
            ConflictError: it is loaded; take it out first.
        """
        if any(each.name == name and each.origin for each in self.plugins.status()):
            raise ConflictError(f"plugin {name!r} is loaded here: uninstall it, or take it out")
        self._judges.look_again()
        missing = self._judges.missing(self.store)
        if name not in missing and name not in self.store.known_plugins():
            named = f"(missing are: {', '.join(missing) or 'none'})"
            raise NotFound(f"no plugin {name!r} has judged here {named}")
        self.store.note_plugins({name: GONE})
        self._judges.look_again()

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events in order."""
        return self.store.events(after=after, limit=limit)
