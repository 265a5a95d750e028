"""Orders in: deliveries are read by channels, the commands they hold are carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

from attrs import evolve

from domcore.contracts import Channel
from domcore.errors import ConfigurationError, DomcoreError, NotFound, PluginError
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Command,
    Envelope,
    Ignore,
    ObserveStock,
    Order,
)
from domcore.model.clock import to_micros
from domcore.planning import PlanningKit
from domcore.plugins import Plugins, describe
from domcore.store.protocol import Outcome

T = TypeVar("T")

COMMANDS: Final = (CaptureOrder, CancelOrder, ObserveStock, Ignore)


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

    def channels(self) -> dict[str, Channel]:
        """The channels that plugins serve, by name."""
        if self._channels is None:
            self._channels = {}
            found = self._plugins.collect("register_channels", Channel, dom=self._dom)
            for plugin, channel in found:
                if channel.name in self._channels:
                    error = ConfigurationError(
                        f"channel {channel.name!r} is served by another plugin already"
                    )
                    self._plugins.failed(plugin, "register_channels", error)
                    continue
                self._channels[channel.name] = channel
                self._served_by[channel.name] = plugin
        return self._channels

    def receive(self, channel: str, body: bytes, headers: Mapping[str, str]) -> list[Outcome]:
        """Have a channel read a delivery, and carry out what it says."""
        served = self.channels().get(channel)
        if served is None:
            raise NotFound(self._no_channel(channel))
        lowered = {name.lower(): value for name, value in headers.items()}
        return self.apply(self._read(served, Envelope(channel, body, lowered, self._now())))

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
            if not isinstance(command, COMMANDS):
                message = f"channel {envelope.channel!r} gave {type(command).__name__}, no command"
                raise PluginError(plugin, "register_channels", message)
        return commands

    def _no_channel(self, channel: str) -> str:
        for each in self._kit.settings.channels:
            if each.name == channel:
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
        outcomes: list[Outcome] = []
        for command in commands:
            if isinstance(command, CaptureOrder):
                outcomes += self.capture([command])
            elif isinstance(command, CancelOrder):
                outcomes.append(self.cancel(command))
            elif isinstance(command, ObserveStock):
                outcomes.append(self.observe(command))
            else:
                outcomes.append(Outcome("ignored", None, command.reason))
        return outcomes

    def capture(self, commands: Sequence[CaptureOrder]) -> list[Outcome]:
        """Take orders in, all of them or none."""
        for owner in {command.order.owner for command in commands}:
            self._kit.currency(owner)
        digits = self._kit.settings.postal_digits
        if digits:
            commands = [_shorten(command, digits) for command in commands]
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

    def cancel(self, command: CancelOrder) -> Outcome:
        """Cancel what has not left."""
        self._kit.currency(command.owner)
        outcome = self._store.cancel(command, now=self._micros())
        self._kit.stock_changed()
        return outcome

    def observe(self, command: ObserveStock) -> Outcome:
        """Take in news of stock."""
        self._kit.currency(command.owner)
        outcome = self._store.observe_stock(command, now=self._micros())
        self._kit.stock_changed()
        return outcome

    def _micros(self) -> int:
        return to_micros(self._now())


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch


def _shorten(command: CaptureOrder, digits: int) -> CaptureOrder:
    """Keep only the configured prefix of the postal code in what planning sees."""
    order, destination = command.order, command.order.destination
    if destination is None or len(destination.postal) <= digits:
        return command
    return evolve(
        command,
        order=evolve(order, destination=evolve(destination, postal=destination.postal[:digits])),
    )
