"""What every channel owes the core, as tests: subclass `ChannelSuite` in a plugin's own tests.

::

    class TestMyChannel(ChannelSuite):
        def channel(self) -> Channel:
            return MyChannel("shop")

        def deliveries(self) -> list[Envelope]:
            return [Envelope("shop", Path("order.json").read_bytes())]

        def personal_data(self) -> list[str]:
            return ["Jane Doe", "jane@example.com"]
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, get_args
from unittest import SkipTest

import attrs

from domcore.contracts import Channel, PullsOrders
from domcore.errors import DomcoreError, SignatureError
from domcore.model import AmendOrder, AskPull, CancelOrder, CaptureOrder, Command, Envelope, Ignore
from domcore.testing.hostile import GARBAGE, HOSTILE_HEADERS
from domcore.testing.pulling_suite import assert_codes
from domcore.testing.receiving_suite import ReceivingTests
from domcore.testing.selling_suite import SellingTests

_COMMANDS: Final = get_args(Command)


class ChannelSuite(SellingTests, ReceivingTests):
    """Tests for a channel; `channel` and `deliveries` must be given, the rest may be.

    For a channel that is also asked and told things, see the hooks of `PullingTests` and
    `SellingTests`.
    """

    mutations: int = 200
    """How many damaged copies of each delivery are tried."""

    def channel(self) -> Channel:
        """A new channel, configured the same each time."""
        raise NotImplementedError("give a channel to test")

    def deliveries(self) -> Sequence[Envelope]:
        """Deliveries that the channel accepts, at least one of them with an order."""
        raise NotImplementedError("give deliveries that the channel accepts")

    def personal_data(self) -> Sequence[str]:
        """Texts in the deliveries that tell who somebody is: names, streets, mail addresses."""
        return ()

    def deliver(self, body: bytes) -> Envelope:
        """Any body as a delivery. A channel that checks signatures signs it here."""
        return attrs.evolve(self.deliveries()[0], body=body)

    def receiver(self) -> Channel:
        """The channel."""
        return self.channel()

    def test_codes_are_codes(self) -> None:
        """Currencies are three capital letters and countries two; an order has an owner."""
        for command in self._commands():
            if isinstance(command, CaptureOrder):
                assert_codes(command.order)

    def test_it_is_a_channel(self) -> None:
        """It has a name and receives."""
        channel = self.channel()
        assert isinstance(channel, Channel)
        assert channel.name

    def test_deliveries_become_commands(self) -> None:
        """Good deliveries are read as commands; at least one captures an order."""
        commands = list(self._commands())
        assert all(isinstance(command, _COMMANDS) for command in commands)
        assert any(isinstance(command, CaptureOrder) for command in commands)

    def test_commands_carry_the_names_of_the_channel(self) -> None:
        """Orders and cancellations belong to this channel."""
        name = self.channel().name
        for command in self._commands():
            if isinstance(command, CaptureOrder):
                assert command.order.channel == name
            if isinstance(command, CancelOrder | AmendOrder | AskPull):
                assert command.channel == name
            if isinstance(command, AskPull):
                assert isinstance(self.channel(), PullsOrders), "it asks for a pull, and has none"

    def test_line_ids_are_unique_within_an_order(self) -> None:
        """A line's identity is its id, never its SKU."""
        for command in self._commands():
            if isinstance(command, CaptureOrder):
                ids = [line.id for line in command.order.lines]
                assert len(ids) == len(set(ids))

    def test_times_are_aware(self) -> None:
        """Times are aware UTC."""
        for command in self._commands():
            if isinstance(command, CaptureOrder):
                assert command.order.placed_at.utcoffset() == UTC.utcoffset(None)

    def test_a_delivery_reads_the_same_again(self) -> None:
        """The same channel, and another one configured alike, give equal commands."""
        channel = self.channel()
        for delivery in self.deliveries():
            first = tuple(channel.receive(delivery))
            assert tuple(channel.receive(delivery)) == first
            assert tuple(self.channel().receive(delivery)) == first

    def test_the_clock_does_not_matter(self) -> None:
        """Receiving the same thing at another time gives equal commands."""
        for delivery in self.deliveries():
            late = attrs.evolve(delivery, received_at=datetime(2099, 1, 1, tzinfo=UTC))
            assert tuple(self.channel().receive(late)) == tuple(self.channel().receive(delivery))

    def test_the_envelope_is_left_alone(self) -> None:
        """It works on an envelope that cannot be changed."""
        for delivery in self.deliveries():
            sealed = attrs.evolve(delivery, headers=MappingProxyType(dict(delivery.headers)))
            assert tuple(self.channel().receive(sealed)) == tuple(self.channel().receive(delivery))

    def test_garbage_raises_only_domcore_errors(self) -> None:
        """Any body at all is read, or refused with a `DomcoreError`."""
        channel = self.channel()
        for body in GARBAGE:
            self._attempt(channel, self.deliver(body))

    def test_damaged_deliveries_raise_only_domcore_errors(self) -> None:
        """Bytes lost, changed or put in on the way do no harm, signed or not."""
        channel = self.channel()
        for delivery in self.deliveries():
            for body in _damaged(delivery.body, self.mutations):
                self._attempt(channel, self.deliver(body))
                self._attempt(channel, attrs.evolve(delivery, body=body))

    def test_headers_of_any_kind_raise_only_domcore_errors(self) -> None:
        """Headers are other people's text, too: odd ones, huge ones, none at all."""
        channel = self.channel()
        for delivery in self.deliveries():
            self._attempt(channel, attrs.evolve(delivery, headers={}))
            for name in delivery.headers:
                for text in HOSTILE_HEADERS:
                    headers = {**delivery.headers, name: text}
                    self._attempt(channel, attrs.evolve(delivery, headers=headers))

    def test_what_was_changed_on_the_way_is_not_read(self) -> None:
        """A signature is of the raw body; another body, or no signature, is nobody's."""
        if not self.signed:
            raise SkipTest("deliveries are not signed: say signed = True if they are")
        channel = self.channel()
        for delivery in self.deliveries():
            changed = [attrs.evolve(delivery, body=delivery.body + b" ")]
            changed.append(attrs.evolve(delivery, headers={}))
            half = len(delivery.body) // 2
            for at in (0, half, len(delivery.body) - 1):
                flipped = bytes([delivery.body[at] ^ 1])
                body = delivery.body[:at] + flipped + delivery.body[at + 1 :]
                changed.append(attrs.evolve(delivery, body=body))
            for each in changed:
                try:
                    answer = channel.receive(each)
                except SignatureError:
                    continue
                acted = [command for command in answer if not isinstance(command, Ignore)]
                assert not acted, f"read though it was changed: {acted!r:.200}"

    def test_personal_data_stays_in_the_person(self) -> None:
        """Orders, cancellations and reasons are stored for good: nobody may be named in them."""
        bodies = b"\n".join(delivery.body for delivery in self.deliveries())
        for word in self.personal_data():
            assert word.encode() in bodies, f"{word!r} is in none of the deliveries"
        for command in self._commands():
            kept = repr(command.order if isinstance(command, CaptureOrder) else command)
            for word in self.personal_data():
                assert word not in kept

    def test_errors_repeat_no_personal_data(self) -> None:
        """Errors end in logs."""
        channel = self.channel()
        for delivery in self.deliveries():
            for body in _damaged(delivery.body, self.mutations):
                text = self._attempt(channel, self.deliver(body))
                for word in self.personal_data():
                    assert word not in text

    def _commands(self) -> Iterator[Command]:
        channel = self.channel()
        for delivery in self.deliveries():
            yield from channel.receive(delivery)

    def _attempt(self, channel: Channel, delivery: Envelope) -> str:
        """Receive; the text of a `DomcoreError`, or nothing. All else gets out."""
        try:
            channel.receive(delivery)
        except DomcoreError as error:
            return f"{error}{error!r}"
        return ""


def _damaged(body: bytes, count: int) -> Iterator[bytes]:
    """Copies of `body` with something wrong in each; the same ones every time."""
    chance = random.Random(len(body))
    for _ in range(count):
        at = chance.randrange(len(body))
        to = min(len(body), at + chance.randrange(1, 30))
        put = chance.choice((b"", b'"', b"0", b"-1", b"{}", b"[]", b"null", b"\xff", b"\\ud800"))
        yield chance.choice((body[:at], body[:at] + put + body[to:], body[:at] + put + body[at:]))
