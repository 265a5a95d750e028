"""The suite for channels that receive bites: each broken reader is found by the law about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import SkipTest

import pytest
from attrs import evolve

from domcore.errors import PayloadError, Problem, SignatureError
from domcore.model import (
    AskPull,
    CancelOrder,
    CaptureOrder,
    Envelope,
    Order,
    OrderLine,
    Person,
)
from domcore.testing import ChannelSuite

AT = datetime(2026, 1, 5, tzinfo=UTC)
BUYER = "Ottilie Quist"
BODY = {"id": 1, "buyer": BUYER, "lines": [["a", "MUG", 2], ["b", "MUG", 1]]}
HEADERS = {"x-sent-at": "2026-01-05"}
WHOLE = json.dumps(BODY).encode()


class Good:
    """Reads orders in JSON, without a fault."""

    name = "stall"

    def receive(self, envelope):
        try:
            body = json.loads(envelope.body)
            if body["id"] is None:
                raise TypeError
            number = str(body["id"])
            lines = tuple(OrderLine(str(id), str(sku), int(n)) for id, sku, n in body["lines"])
            if len({line.id for line in lines}) != len(lines):
                raise ValueError
            person = Person(name=str(body["buyer"]))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise PayloadError("cannot be read", [Problem("$", "is no order")]) from None
        return self.read(CaptureOrder(Order("main", "stall", number, 1, AT, "USD", lines), person))

    def read(self, command):
        return [command]


def changed(command: CaptureOrder, **fields: Any) -> CaptureOrder:
    return evolve(command, order=evolve(command.order, **fields))


class Nameless(Good):
    name = ""


class OnlyCancels(Good):
    def read(self, command):
        return [CancelOrder("main", "stall", command.order.external_id, 1)]


class AnswersInWords(Good):
    def read(self, command):
        return [command, "thank you"]


class SpeaksForOthers(Good):
    def read(self, command):
        return [changed(command, channel="market")]


class CancelsForOthers(Good):
    def read(self, command):
        return [command, CancelOrder("main", "market", "1", 2)]


class AsksForNoPull(Good):
    def read(self, command):
        return [command, AskPull("stall")]


class NamesLinesBySku(Good):
    def read(self, command):
        lines = tuple(evolve(line, id=line.sku) for line in command.order.lines)
        return [changed(command, lines=lines)]


class NaiveTimes(Good):
    def read(self, command):
        return [changed(command, placed_at=AT.replace(tzinfo=None))]


class CountsDeliveries(Good):
    count = 0

    def read(self, command):
        type(self).count += 1
        return [changed(command, revision=type(self).count)]


class LooksAtTheClock(Good):
    def receive(self, envelope):
        (command,) = super().receive(envelope)
        return [changed(command, placed_at=envelope.received_at)]


class WritesIntoHeaders(Good):
    def receive(self, envelope):
        envelope.headers["x-seen"] = "yes"
        return super().receive(envelope)


class ChokesOnGarbage(Good):
    def receive(self, envelope):
        json.loads(envelope.body)
        return super().receive(envelope)


class ChokesOnDamage(Good):
    def receive(self, envelope):
        body = json.loads(envelope.body) if envelope.body.startswith(b'{"id": 1, "bu') else {}
        if body:
            body["lines"][0][2] + 1
        return super().receive(envelope)


class ChokesOnHeaders(Good):
    def receive(self, envelope):
        datetime.fromisoformat(envelope.headers["x-sent-at"])
        return super().receive(envelope)


class NamesTheBuyer(Good):
    def receive(self, envelope):
        (command,) = super().receive(envelope)
        return [changed(command, number=command.person.name)]


class TellsTheBody(Good):
    def receive(self, envelope):
        try:
            return super().receive(envelope)
        except PayloadError:
            text = envelope.body.decode(errors="replace")
            raise PayloadError(f"cannot be read: {text}", [Problem("$", "is no order")]) from None


class SmallCodes(Good):
    def read(self, command):
        return [changed(command, currency="usd")]


class OneTooMany(Good):
    def read(self, command):
        lines = tuple(evolve(line, quantity=line.quantity + 1) for line in command.order.lines)
        return [changed(command, lines=lines)]


class Suite(ChannelSuite):
    __test__ = False

    def __init__(self, cls: type[Good]) -> None:
        self.cls = cls

    def channel(self):
        return self.cls()

    def deliveries(self):
        return [Envelope("stall", WHOLE, dict(HEADERS), AT + timedelta(days=1))]

    def personal_data(self):
        return [BUYER]

    def golden(self):
        return [(self.deliveries()[0], {"order.lines.0.quantity": 2, "person.name": BUYER})]


BAD = {
    Nameless: "test_it_is_a_channel",
    OnlyCancels: "test_deliveries_become_commands",
    AnswersInWords: "test_deliveries_become_commands",
    SpeaksForOthers: "test_commands_carry_the_names_of_the_channel",
    CancelsForOthers: "test_commands_carry_the_names_of_the_channel",
    AsksForNoPull: "test_commands_carry_the_names_of_the_channel",
    NamesLinesBySku: "test_line_ids_are_unique_within_an_order",
    NaiveTimes: "test_times_are_aware",
    CountsDeliveries: "test_a_delivery_reads_the_same_again",
    LooksAtTheClock: "test_the_clock_does_not_matter",
    WritesIntoHeaders: "test_the_envelope_is_left_alone",
    ChokesOnGarbage: "test_garbage_raises_only_domcore_errors",
    ChokesOnDamage: "test_damaged_deliveries_raise_only_domcore_errors",
    ChokesOnHeaders: "test_headers_of_any_kind_raise_only_domcore_errors",
    NamesTheBuyer: "test_personal_data_stays_in_the_person",
    TellsTheBody: "test_errors_repeat_no_personal_data",
    SmallCodes: "test_codes_are_codes",
    OneTooMany: "test_golden_values_come_out",
}


@pytest.mark.parametrize("name", sorted(set(BAD.values())))
def test_a_good_channel_keeps_the_law(name: str) -> None:
    getattr(Suite(Good), name)()


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_a_broken_promise_is_found(bad: type[Good]) -> None:
    law = getattr(Suite(bad), BAD[bad])
    with pytest.raises(Exception) as found:
        law()
    assert not isinstance(found.value, PayloadError | SkipTest)


def test_every_law_about_receiving_is_proved_to_bite() -> None:
    signed = {
        "test_what_was_changed_on_the_way_is_not_read",
        "test_what_nobody_signed_is_a_signature_error",
    }
    own = {name for name in vars(ChannelSuite) if name.startswith("test_")}
    assert own <= set(BAD.values()) | signed


class Sealed(Good):
    """Signed, and it looks."""

    def receive(self, envelope):
        if envelope.headers.get("seal") != f"{len(envelope.body)}:{sum(envelope.body)}":
            raise SignatureError("the seal is broken")
        return super().receive(envelope)


class NeverLooks(Good):
    """Signed, and it does not look."""

    def receive(self, envelope):
        return super().receive(evolve(envelope, body=WHOLE))


class LooksAtHalf(Good):
    """Signed, and it only asks whether anything is there."""

    def receive(self, envelope):
        if not envelope.headers:
            raise SignatureError("there is no seal")
        return super().receive(evolve(envelope, body=WHOLE))


class SealedSuite(Suite):
    __test__ = False
    signed = True

    def deliveries(self):
        return [Envelope("stall", WHOLE, {"seal": f"{len(WHOLE)}:{sum(WHOLE)}"})]


class ReadsBeforeItLooks(Sealed):
    """Signed, and it says what is wrong with a body before it asks who sent it."""

    def receive(self, envelope):
        if not envelope.body.isascii():
            raise PayloadError("cannot be read", [Problem("$", "is not text")])
        return super().receive(envelope)


class WeighsBeforeItLooks(Sealed):
    def receive(self, envelope):
        if len(envelope.body) > 1_000_000:
            raise PayloadError("cannot be read", [Problem("$", "is too big")])
        return super().receive(envelope)


class PassesOverWhatIsEmpty(Sealed):
    def receive(self, envelope):
        return super().receive(envelope) if envelope.body else []


class BelievesASeal(Sealed):
    """Asks only whether there is a seal."""

    def receive(self, envelope):
        if "seal" not in envelope.headers:
            raise SignatureError("there is no seal")
        return []


def test_a_channel_that_looks_at_its_seals_passes() -> None:
    SealedSuite(Sealed).test_what_nobody_signed_is_a_signature_error()
    SealedSuite(Sealed).test_what_was_changed_on_the_way_is_not_read()
    SealedSuite(Sealed).test_headers_of_any_kind_raise_only_domcore_errors()


@pytest.mark.parametrize("cls", [NeverLooks, LooksAtHalf])
def test_a_channel_that_reads_what_was_changed_is_found(cls: type[Good]) -> None:
    with pytest.raises(AssertionError, match="though it was changed"):
        SealedSuite(cls).test_what_was_changed_on_the_way_is_not_read()


@pytest.mark.parametrize(
    "cls", [ReadsBeforeItLooks, WeighsBeforeItLooks, PassesOverWhatIsEmpty, BelievesASeal, Good]
)
def test_a_channel_that_reads_before_it_asks_who_sent_it_is_found(cls: type[Good]) -> None:
    with pytest.raises(AssertionError, match="a SignatureError is wanted"):
        SealedSuite(cls).test_what_nobody_signed_is_a_signature_error()


def test_without_a_header_nothing_is_signed() -> None:
    class Headless(SealedSuite):
        __test__ = False

        def deliveries(self):
            return [Envelope("stall", WHOLE)]

    with pytest.raises(AssertionError, match="where is the signature"):
        Headless(Sealed).test_what_nobody_signed_is_a_signature_error()
