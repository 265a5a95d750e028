"""The part of the suites that is the same for whoever receives: channels, and connectors that do.

Each hook here is optional: a test that needs one which is not given is skipped, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol
from unittest import SkipTest

import attrs

from domcore.errors import SignatureError
from domcore.model import Envelope
from domcore.testing.hostile import GARBAGE, HOSTILE_HEADERS

TOO_BIG: Final = 33 * 1024 * 1024
"""Bytes that no delivery needs."""


class Receives(Protocol):
    """A channel, or a connector that is told news."""

    def receive(self, envelope: Envelope) -> Sequence[Any]:
        """Read a delivery."""


class ReceivingTests:
    """Tests for `receive`: what comes out of a delivery, and whose deliveries are read at all."""

    signed: bool = False
    """Whether deliveries are signed, or carry a secret: then nobody else's may be read."""

    def deliveries(self) -> Sequence[Envelope]:
        """Deliveries that are accepted."""
        raise not_given("deliveries")

    def golden(self) -> Sequence[tuple[Envelope, Mapping[str, object]]]:
        """Deliveries and the values that must come out of each, by where they stand in the first
        thing that it is read as: ``{"order.number": "#7", "order.lines.0.price": 10_000_000}`` of
        a command, ``{"status": "shipped", "packages.0.tracking": "1Z1"}`` of a notice. Write them
        down from what the shop or partner shows, not from what your code says."""
        raise not_given("golden")

    def receiver(self) -> Receives:
        """A new one of whom is tested, configured the same each time."""
        raise NotImplementedError("say who receives")

    def test_golden_values_come_out(self) -> None:
        """What people know to be in a delivery is what is read from it."""
        receiver = self.receiver()
        golden = self.golden()
        assert golden, "golden() holds nothing"
        for delivery, wanted in golden:
            read = receiver.receive(delivery)
            assert read, f"nothing is read from {delivery.body!r:.200}"
            for path, value in wanted.items():
                found = _value_at(read[0], path)
                assert found == value, f"{path} is {found!r}, not {value!r}"

    def test_what_nobody_signed_is_a_signature_error(self) -> None:
        """Whatever else is wrong with it: who it is from is looked at before it is read, and a
        stranger hears nothing of what we can read."""
        if not self.signed:
            raise SkipTest("deliveries are not signed: say signed = True if they are")
        receiver = self.receiver()
        for delivery in _forged(self.deliveries()):
            shape = f"{len(delivery.body)} bytes {delivery.body[:40]!r}, {dict(delivery.headers)!r}"
            try:
                read: object = receiver.receive(delivery)
            except SignatureError:
                continue
            except Exception as error:
                read = error
            raise AssertionError(f"a SignatureError is wanted, not {read!r:.200}: {shape:.300}")


def _forged(deliveries: Sequence[Envelope]) -> Iterator[Envelope]:
    """Bodies of every kind, without a header and with headers of which none is right."""
    signed = [each for each in deliveries if each.headers]
    assert signed, "none of the deliveries has a header, so where is the signature?"
    first = signed[0]
    for body in (first.body, *GARBAGE, b" " * TOO_BIG):
        yield attrs.evolve(first, body=body, headers={})
        altered = {name: f"x{text}" for name, text in first.headers.items()}
        yield attrs.evolve(first, body=body, headers=altered)
    for text in HOSTILE_HEADERS:
        yield attrs.evolve(first, body=b"", headers=dict.fromkeys(first.headers, text))


def _value_at(read: object, path: str) -> object:
    """What stands at a path of attributes and positions."""
    found: Any = read
    for step in path.split("."):
        found = found[int(step)] if step.isdecimal() else getattr(found, step)
    return found


def not_given(hook: str) -> SkipTest:
    """What skips a test that needs a hook."""
    return SkipTest(f"the suite is not told how: give {hook}()")
