"""Orders in: deliveries are read by channels, the commands they hold are carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from attrs import evolve

from domcore.codec.text import is_text
from domcore.contracts import Channel, PullsOrders
from domcore.errors import (
    ConfigurationError,
    DomcoreError,
    NotFound,
    PayloadError,
    PluginError,
    Problem,
    SignatureError,
)
from domcore.model import (
    AmendOrder,
    ApproveOrder,
    AskPull,
    AuthorizeReturn,
    CancelOrder,
    CaptureOrder,
    Command,
    Envelope,
    Hold,
    HoldOrder,
    Ignore,
    Notice,
    ObserveStock,
    Order,
    ReceiveReturn,
    ShippedElsewhere,
    Unreadable,
    postal_prefix,
)
from domcore.model.actor import actor, brought
from domcore.model.clock import to_micros
from domcore.model.currencies import DIGITS
from domcore.model.order import PICKUP
from domcore.model.territories import COUNTRY_WORDS
from domcore.planning import PlanningKit
from domcore.plugins import Plugins, describe
from domcore.returning import Returning
from domcore.store.operations.notices import split_id
from domcore.store.operations.partly import left_out, with_kept, without
from domcore.store.protocol import Outcome
from domcore.told_stock import check_told
from domcore.unreadable import WORD, keep, read_again, unread_of, unreadable_of

MOST_OF_NAME: Final = 255

PULL: Final = "pull:"
"""What the tasks that ask channels for orders are called, before the channel's name."""

T = TypeVar("T")


class Intake:
    """The inward side of one application."""

    def __init__(
        self, dom: Any, kit: PlanningKit, plugins: Plugins, now: Callable[[], datetime]
    ) -> None:
        self._dom = dom
        self._kit = kit
        self._store = kit.store
        self._plugins = plugins
        self._now = now
        self._channels: dict[str, Channel] | None = None
        self._served_by: dict[str, str] = {}
        returning = Returning(kit)
        self.authorize_return = returning.authorize
        self.receive_return = returning.receive
        self._carried_out_by: dict[type, Callable[[Any], Outcome]] = {
            CaptureOrder: lambda command: self.capture([command])[0],
            AmendOrder: self.amend,
            CancelOrder: self.cancel,
            ShippedElsewhere: self.ship_elsewhere,
            HoldOrder: self.hold,
            ApproveOrder: self.hold,
            ObserveStock: self.observe,
            Notice: self.record,
            AuthorizeReturn: partial(returning.authorize, keep=True),
            ReceiveReturn: partial(returning.receive, keep=True),
            AskPull: self.ask_pull,
            Ignore: lambda command: Outcome("ignored", None, command.reason),
            Unreadable: self._set_aside,
        }

    def channels(self) -> dict[str, Channel]:
        """The channels that plugins serve, by name."""
        if self._channels is None:
            self._channels = {}
            found = self._plugins.collect("register_channels", Channel, dom=self._dom)
            for plugin, channel in found:
                if not is_text(channel.name) or not channel.name:
                    error = ConfigurationError("a channel's name must be a text that is not empty")
                    self._plugins.failed(plugin, "register_channels", error)
                    continue
                if channel.name in self._channels:
                    error = ConfigurationError(
                        f"channel {channel.name!r} is served by another plugin already"
                    )
                    self._plugins.failed(plugin, "register_channels", error)
                    continue
                self._channels[channel.name] = channel
                self._served_by[channel.name] = plugin
        return self._channels

    def plugin_of(self, channel: str) -> str:
        """The plugin that serves a channel."""
        return self._served_by.get(channel, channel)

    def receive(self, channel: str, body: bytes, headers: Mapping[str, str]) -> list[Outcome]:
        """Have a channel read a delivery, and carry out what it says."""
        served = self.channels().get(channel)
        if served is None:
            raise NotFound(self._no_channel(channel))
        lowered = {name.lower(): value for name, value in headers.items()}
        return self._receive(served, Envelope(channel, body, lowered, self._now()))

    def read_again(self, name: str) -> bool:
        """Read a delivery that was kept once more; False where nothing was kept under the name."""

        def read(envelope: Envelope) -> list[Outcome]:
            served = self.channels().get(envelope.channel)
            if served is None:
                raise NotFound(self._no_channel(envelope.channel))
            return self._receive(served, envelope)

        def observe(news: ObserveStock, task: str) -> Outcome:
            way, _, partner = task.partition(":")
            return self.hear(news, partner, task) if way == "poll" else self.observe(news, task)

        return read_again(self._store, name, read, observe, self._now())

    def _receive(self, served: Channel, envelope: Envelope) -> list[Outcome]:
        """Carry out what a delivery says. What cannot be read of it is kept, and the rest goes on.

        Raises:
            SignatureError: it is nobody's, and nothing of it is kept.
            PayloadError: there are too many that cannot be read.
        """
        now, by = self._micros(), actor("channel", envelope.channel)
        try:
            commands = self._read(served, envelope)
        except SignatureError:
            raise
        except PayloadError as error:
            return [keep(self._store, envelope, unreadable_of(error), now, error)]
        outcomes = []
        for command in [brought(command, by) for command in commands]:
            if isinstance(command, Unreadable):
                outcomes.append(keep(self._store, envelope, command, now))
                continue
            try:
                outcomes += self.apply([command])
            except PayloadError as error:
                if not isinstance(command, CaptureOrder | AmendOrder | CancelOrder):
                    raise
                told = unreadable_of(error, command)
                outcomes.append(keep(self._store, envelope, told, now, error))
        return outcomes

    def _read(self, served: Channel, envelope: Envelope) -> list[Command]:
        """The commands of a delivery.

        Raises:
            PluginError: the channel raised something of its own, or returned no commands.
        """
        plugin = self._served_by[envelope.channel]
        try:
            commands = list(served.receive(envelope))
        except DomcoreError:
            raise
        except Exception as error:
            self._plugins.failed(plugin, "register_channels", error)
            message = f"channel {envelope.channel!r} failed: {describe(error)}"
            raise PluginError(plugin, "register_channels", message) from error
        for command in commands:
            if type(command) not in self._carried_out_by:
                message = f"channel {envelope.channel!r} gave {type(command).__name__}, no command"
                raise PluginError(plugin, "register_channels", message)
        return commands

    def _no_channel(self, channel: str) -> str:
        for each in self._kit.settings.channels:
            if each.name == channel:
                for status in self._plugins.status():
                    if status.error.startswith((f"channels.{channel}.", f"channels.{channel}:")):
                        return f"plugin {status.name!r} refuses channel {channel!r}: {status.error}"
                return (
                    f"channel {channel!r} is of kind {each.kind!r}, and no plugin serves that;"
                    f" install domcore-{each.kind} (see 'domcore plugins')"
                )
        named = ", ".join(sorted(self.channels())) or "none"
        return (
            f"there is no channel {channel!r} (there are: {named});"
            f" add [channels.{channel}] to the project file"
        )

    def apply(self, commands: Iterable[Command]) -> list[Outcome]:
        """Carry out commands in order, each in its own transaction."""
        return [self._carried_out_by[type(command)](command) for command in commands]

    def _set_aside(self, command: Unreadable) -> Outcome:
        """Something that a caller of `apply` could not read, and keeps itself."""
        unread = unread_of(command, "receive:apply")
        self._store.keep_unread(unread, now=self._micros())
        return Outcome(WORD, None, unread.error)

    def capture(self, commands: Sequence[CaptureOrder]) -> list[Outcome]:
        """Take orders in, all of them or none."""
        for owner in {command.order.owner for command in commands}:
            self._kit.currency(owner)
        for command in commands:
            _check_names(command.order)
        digits = self._kit.settings.postal_digits
        if digits:
            commands = [_shorten(command, digits) for command in commands]
        if any(command.order.service == PICKUP for command in commands):
            commands = [_held_for_pickup(command) for command in commands]
        outcomes = self._store.capture(commands, now=self._micros())
        if any(outcome.outcome == "amended" for outcome in outcomes):
            self._kit.stock_changed()
        return outcomes

    def capture_all(self, orders: Iterable[Order], batch: int) -> int:
        """Take orders in, `batch` to a transaction; returns how many were new or amended."""
        return sum(
            outcome.outcome in ("captured", "amended")
            for part in _batches(orders, batch)
            for outcome in self.capture([CaptureOrder(order) for order in part])
        )

    def amend(self, command: AmendOrder) -> Outcome:
        """Take units off an order."""
        self._kit.currency(command.owner)
        outcome = self._store.amend(command, now=self._micros())
        if outcome.outcome == "amended":
            self._kit.stock_changed()
        return outcome

    def cancel(self, command: CancelOrder) -> Outcome:
        """Cancel what has not left."""
        self._kit.currency(command.owner)
        outcome = self._store.cancel(command, now=self._micros())
        self._kit.stock_changed()
        return outcome

    def hold(self, command: HoldOrder | ApproveOrder) -> Outcome:
        """Stop an order, or lift what stopped it."""
        self._kit.currency(command.owner)
        outcome = self._store.hold(command, now=self._micros())
        self._kit.stock_changed()
        return outcome

    def ask_pull(self, command: AskPull) -> Outcome:
        """Have a channel asked for its orders at the next opportunity.

        Raises:
            PayloadError: it is not one that is asked.
        """
        served = self.channels().get(command.channel) if is_text(command.channel) else None
        wanted = {each.name: each.pull for each in self._kit.settings.channels}
        if not isinstance(served, PullsOrders) or not wanted.get(command.channel, True):
            problem = Problem("$.channel", "no such channel is asked for orders (see its 'pull')")
            raise PayloadError("nobody can be asked", [problem])
        self._store.hurry_task(f"{PULL}{command.channel}", now=self._micros())
        return Outcome("asked", None, command.reason)

    def hear(self, news: Notice | ObserveStock, connector: str, task: str = "") -> Outcome:
        """Take in what a connector tells: of work, or of stock at its own nodes."""
        if isinstance(news, Notice):
            return self.record(news, connector)
        network = self._store.network().network
        foreign = check_told(news, connector, network, partly=bool(task))
        if not foreign:
            return self.observe(news, task)
        outcome = self.observe(without(news, foreign), task)
        kept = None
        if outcome.outcome != "duplicate":
            aside = left_out(news, foreign, task, self._micros())
            kept = self._store.keep_unread(aside, now=self._micros())
        return outcome if kept is None else with_kept(outcome, len(foreign), kept[0])

    def ship_elsewhere(self, command: ShippedElsewhere, *, by_hand: bool = False) -> Outcome:
        """Take in that others have sent goods of an order; `by_hand`: a person says so."""
        self._kit.currency(command.owner)
        outcome = self._store.ship_elsewhere(command, now=self._micros(), by_hand=by_hand)
        self._kit.telemetry.count("domcore.elsewhere", outcome=outcome.outcome)
        self._kit.stock_changed()
        return outcome

    def observe(self, command: ObserveStock, task: str = "") -> Outcome:
        """Take in news of stock; what a `task` has brought and cannot be taken in is kept."""
        self._kit.currency(command.owner)
        outcome = self._store.observe_stock(command, now=self._micros(), task=task)
        counts = len(command.counts)
        self._kit.telemetry.count("domcore.stock.observations", counts, outcome=outcome.outcome)
        self._kit.stock_changed()
        return outcome

    def record(self, notice: Notice, connector: str = "") -> Outcome:
        """Take in news of a node's work; with `connector`, of work at a node of its own."""
        if connector:
            self._check_connector(notice, connector)
        now, minutes = self._micros(), self._kit.settings.routing.rejection_minutes
        until = now + minutes * 60_000_000 if minutes else None
        outcome = self._store.record(notice, now=now, exclude_until=until)
        told = {"status": notice.status, "outcome": outcome.outcome}
        self._kit.telemetry.count("domcore.notices", **told)
        self._kit.stock_changed()
        return outcome

    def _check_connector(self, notice: Notice, connector: str) -> None:
        _, _, node = split_id(notice.fulfillment_order)
        nodes = {each.id: each for each in self._store.network().network.nodes}
        known = node in nodes and nodes[node].connector == connector
        if not known and self._store.released_to(notice.fulfillment_order) != connector:
            problem = Problem("$.fulfillment_order", f"connector {connector!r} serves no such node")
            raise PayloadError("this notice cannot be taken in", [problem])

    def _micros(self) -> int:
        return to_micros(self._now())


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch


def _check_names(order: Order) -> None:
    """Refuse names that no person could tell apart or type again, and codes that no currency or
    country has; channels check their own.

    Raises:
        PayloadError: a name that must be there is not, or one is no text or far too long; a code
            is none.
    """
    names = [("$.external_id", order.external_id, 1), ("$.number", order.number, 0)]
    names += [(f"$.lines[{n}].id", line.id, 1) for n, line in enumerate(order.lines)]
    problems = [
        Problem(path, f"must be text of {least} to {MOST_OF_NAME} characters")
        for path, name, least in names
        if not (is_text(name) and least <= len(name) <= MOST_OF_NAME)
    ]
    if order.currency not in DIGITS:
        problems.append(Problem("$.currency", "must be an ISO 4217 code such as USD"))
    if order.destination is not None and not _is_country(order.destination.country):
        told = "must be an ISO 3166 code of two letters such as US"
        problems.append(Problem("$.destination.country", told))
    if problems:
        raise PayloadError(f"order of channel {order.channel!r} cannot be taken in", problems)


def _is_country(code: object) -> bool:
    """Whether it can be a country's code, or says that the country is not known."""
    if not isinstance(code, str):
        return True  # what is of a wrong type is refused by its type
    word = code.strip()
    return (len(word) == 2 and word.isascii() and word.isalpha()) or (
        not word or word.upper() in COUNTRY_WORDS
    )


def _held_for_pickup(command: CaptureOrder) -> CaptureOrder:
    """An order that its customer fetches is not sent by a carrier."""
    if command.order.service != PICKUP or any(h.code == PICKUP for h in command.holds):
        return command
    hold = Hold(PICKUP, "the customer picks it up, which no node serves yet", "route")
    return evolve(command, holds=(*command.holds, hold))


def _shorten(command: CaptureOrder, digits: int) -> CaptureOrder:
    """Keep only the configured prefix of the postal code in what planning sees."""
    order, destination = command.order, command.order.destination
    if destination is None or len(destination.postal) <= digits:
        return command
    return evolve(
        command,
        order=evolve(
            order,
            destination=evolve(destination, postal=postal_prefix(destination.postal, digits)),
        ),
    )
