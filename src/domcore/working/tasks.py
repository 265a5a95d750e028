"""What is done again and again: partners and channels are asked for news, told about stock.

Each is a task with a lease, a cursor and a time when it is due. What a page holds is taken in piece
by piece, many to a transaction: a bad piece is set aside for a person, and the page goes on. A
piece that could not even be read stands in its page as the `PayloadError` that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from domcore.codec.text import is_text
from domcore.connecting import HOOK
from domcore.contracts import Channel, PollsNews, PublishesStock, PullsOrders
from domcore.covering import check_cover
from domcore.errors import ConfigurationError, DomcoreError, PayloadError
from domcore.intake import PULL
from domcore.model import (
    AmendOrder,
    AuthorizeReturn,
    CancelOrder,
    CaptureOrder,
    Command,
    Notice,
    ObserveStock,
    Polled,
    Pulled,
    Unreadable,
)
from domcore.model.actor import actor, brought
from domcore.publishing import StockPublisher
from domcore.settings import ChannelSettings
from domcore.store.operations.partly import kept_as
from domcore.store.protocol import Outcome, Task
from domcore.unreadable import unread_of, unreadable_of
from domcore.working.round import SECOND, Round, Trouble, call, refused, words_of
from domcore.working.together import take_together

TakeIn = Callable[[Any], Outcome | None]
"""Takes one piece of a page in."""

LONGEST_CURSOR: Final = 10_000
CHANNELS: Final = "register_channels"

TOO_MANY: Final = (
    "too many records cannot be read: {} more of this page than are kept; see 'domcore parked',"
    " mend the mapping, then retry or drop what waits there"
)
"""Why a page is not passed."""

MOST_LEVELS: Final = 5000
"""Levels of stock a channel is told in one go, so that it does not outlast its lease."""


class Tasks:
    """The tasks of one application, for one round."""

    def __init__(self, round: Round) -> None:
        self._round: Final = round
        self._dom: Final = round.dom
        self._store: Final = round.dom.store
        self._not_kept = 0

    # --- news in --------------------------------------------------------------------------------

    def ask(self) -> None:
        """Pull from the channels and poll the connectors that are due."""
        work = self._dom.settings.work
        self.pull(self.pulled_channels())
        for name, connector in self._dom.connectors().items():
            if isinstance(connector, PollsNews):
                plugin = self._dom._connecting.plugin_of(name)
                pages = _Pages(
                    f"poll:{name}", plugin, HOOK, connector.poll, Polled, "notices", "news"
                )
                self._read(pages, self._recorder(name, pages.task), work.poll_seconds)

    def pulled_channels(self) -> list[str]:
        """The channels that are asked for orders."""
        settings = self._by_channel()
        return [
            name
            for name, channel in self._dom.channels().items()
            if isinstance(channel, PullsOrders) and settings(name).pull
        ]

    def pull(self, names: Sequence[str]) -> None:
        """Pull from those of these channels that are due."""
        for name in names:
            channel: Any = self._dom.channels()[name]
            plugin = self._dom._intake.plugin_of(name)
            pages = _Pages(
                f"{PULL}{name}", plugin, CHANNELS, channel.pull, Pulled, "commands", "pulled"
            )
            apply = self._applier(name, pages.task)
            self._read(pages, apply, self._dom.settings.work.pull_seconds)

    def _by_channel(self) -> Callable[[str], ChannelSettings]:
        known = {each.name: each for each in self._dom.settings.channels}
        return lambda name: known.get(name) or ChannelSettings(name, "")

    def _applier(self, channel: str, task: str) -> TakeIn:
        by = actor("channel", channel)

        def apply(command: Any) -> Outcome | None:
            if isinstance(command, PayloadError):
                raise command
            if not isinstance(command, Command):
                raise DomcoreError(f"{type(command).__name__} is no command")
            if isinstance(command, ObserveStock):
                with self._dom.acting(by):
                    return self._dom._intake.observe(brought(command, by), task)
            self._dom.apply([brought(command, by)], by=by)
            return None

        return apply

    def _recorder(self, connector: str, task: str) -> TakeIn:
        by = actor("connector", connector)

        def record(news: Any) -> Outcome | None:
            if isinstance(news, PayloadError):
                raise news
            if not isinstance(news, Notice | ObserveStock):
                raise DomcoreError(f"{type(news).__name__} is no notice")
            with self._dom.acting(by):
                return self._dom._intake.hear(brought(news, by), connector, task)

        return record

    def _read(self, pages: _Pages, take_in: TakeIn, seconds: int) -> None:
        """Read page after page for as long as there are more, within the limit."""
        left = self._round.limit
        while left > 0 and not self._round.stopped():
            task = self._lease(pages.task)
            if task is None:
                return
            answer = self._page(pages, task.cursor)
            if isinstance(answer, Trouble):
                self._failed(task, answer)
                return
            pieces, cursor, more = answer
            self._not_kept = 0
            self._take_all(task, pieces, take_in)
            self._round.tally.add(pages.counted, len(pieces))
            if self._not_kept:
                self._failed(task, Trouble(TOO_MANY.format(self._not_kept)))
                return
            left -= max(1, len(pieces))
            again = more and cursor != task.cursor
            self._well(task, 0 if again else seconds, cursor)
            # Somebody may have had an earlier page read again: then it is due at once.
            if not (again or seconds):
                return

    def _page(self, pages: _Pages, cursor: str) -> tuple[Sequence[Any], str, bool] | Trouble:
        word, _, name = pages.task.partition(":")
        read = self._dom._telemetry.watched(name, word, pages.read)
        answer = call(self._dom.plugins, pages.plugin, pages.hook, read, cursor)
        if isinstance(answer, Trouble):
            return answer
        if type(answer) is not pages.kind:
            return Trouble(f"gave {type(answer).__name__}, not a {pages.kind.__name__}")
        page: Any = answer
        pieces, after = getattr(page, pages.field), page.cursor
        if not isinstance(pieces, tuple | list):
            return Trouble(f"gave a page whose {pages.field} are none")
        if type(after) is not str or len(after) > LONGEST_CURSOR or not is_text(after):
            return Trouble(f"gave a cursor that is no text of {LONGEST_CURSOR} letters")
        return pieces, after, bool(page.more)

    def _take_all(self, task: Task, pieces: Sequence[Any], take_in: TakeIn) -> None:
        """All pieces of a page. A return is planned from the stock as it stands: it goes alone."""
        take_together(
            self._round,
            enumerate(pieces, 1),
            lambda each: self._take_in(task, each[0], each[1], take_in),
            lambda each: isinstance(each[1], AuthorizeReturn),
        )

    def _take_in(self, task: Task, number: int, piece: Any, take_in: TakeIn) -> None:
        """One piece; what cannot be taken in is set aside."""
        if isinstance(piece, Unreadable):
            self._keep(task, number, piece)
            return
        try:
            outcome = take_in(piece)
            if outcome is not None and isinstance(piece, ObserveStock) and kept_as(outcome):
                self._round.tally.add("parked", 1)
                self._round.tally.fail(f"{task.name}: {outcome.detail}")
            return
        except PayloadError as error:
            if isinstance(piece, CaptureOrder | AmendOrder | CancelOrder):
                self._keep(task, number, unreadable_of(error, piece))
                return
            words, number = refused(error), number if error.again else 0
        except DomcoreError as error:
            words = refused(error)
        except Exception as error:
            # A piece of the wrong types inside: its page must go on all the same.
            words = type(error).__name__
        new = self._store.set_aside(
            task.name, error=words, now=self._round.now(), position=task.cursor, number=number
        )
        self._round.tally.add("parked", int(new))
        self._round.tally.fail(f"{task.name}: {words}")

    def _keep(self, task: Task, number: int, told: Unreadable) -> None:
        """Keep that a record cannot be read. What it says is not kept: it is asked for again. Where
        no more are kept, its page is not passed."""
        unread = unread_of(told, task.name, position=task.cursor, place=number)
        kept = self._store.keep_unread(unread, now=self._round.now())
        self._not_kept += kept is None
        self._round.tally.add("parked", int(kept is not None and kept[1]))
        self._round.tally.fail(f"{task.name}: {unread.error}")

    # --- stock ----------------------------------------------------------------------------------

    def tell(self) -> None:
        """Publish stock to the channels that are due, and look at the days of cover."""
        settings, work = self._by_channel(), self._dom.settings.work
        for name, channel in self._dom.channels().items():
            if isinstance(channel, PublishesStock) and settings(name).publish != "off":
                publish = self._publisher(channel, settings(name))
                self._repeat(f"publish:{name}", publish, work.publish_seconds, "published")
        stock = self._dom.settings.stock
        if stock.low_days or stock.over_days:
            self._repeat("cover", self._cover, stock.check_minutes * 60, "cover")

    def _publisher(
        self, channel: Channel, settings: ChannelSettings
    ) -> Callable[[], int | Trouble]:
        plugin, publisher = self._dom._intake.plugin_of(channel.name), StockPublisher(self._dom)

        def tell() -> int | Trouble:
            try:
                return publisher.publish(channel, settings, most=MOST_LEVELS)
            except ConfigurationError as error:
                return Trouble(words_of(error))

        told = self._dom._telemetry.watched(channel.name, "publish_stock", tell)
        return lambda: call(self._dom.plugins, plugin, CHANNELS, told)

    def _cover(self) -> int | Trouble:
        try:
            return check_cover(self._dom)
        except DomcoreError as error:
            return Trouble(refused(error))

    def _repeat(
        self, name: str, run: Callable[[], int | Trouble], seconds: int, counted: str
    ) -> None:
        if self._round.stopped():
            return
        task = self._lease(name)
        if task is None:
            return
        answer = run()
        if isinstance(answer, Trouble):
            self._failed(task, answer)
        else:
            self._round.tally.add(counted, answer)
            # A channel that has more to be told is due again at once.
            more = counted == "published" and answer >= MOST_LEVELS
            self._well(task, 0 if more else seconds)

    # --- the task itself ------------------------------------------------------------------------

    def _lease(self, name: str) -> Task | None:
        return self._store.lease_task(name, now=self._round.now(), until=self._round.lease_end())

    def _well(self, task: Task, seconds: int, cursor: str | None = None) -> None:
        now = self._round.now()
        self._store.settle_task(task, now=now, due_at=now + seconds * SECOND, cursor=cursor)

    def _failed(self, task: Task, trouble: Trouble) -> None:
        self._round.tally.fail(f"{task.name}: {trouble.words}")
        at = self._round.retry_at(task.name, task.attempts, trouble.retry_after)
        now = self._round.now()
        self._store.settle_task(task, now=now, due_at=at, well=False, note=trouble.words)


class _Pages:
    """Where pages come from, and what they hold."""

    def __init__(
        self,
        task: str,
        plugin: str,
        hook: str,
        read: Callable[[str], Any],
        kind: type,
        field: str,
        counted: str,
    ) -> None:
        self.task = task
        self.plugin = plugin
        self.hook = hook
        self.read = read
        self.kind = kind
        self.field = field
        self.counted = counted
