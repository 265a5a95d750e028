"""Deliveries that cannot be read: kept, shown, read again; and the rest goes on."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from domcore import NotFound, PayloadError, Settings, hookimpl
from domcore.errors import Problem, SignatureError
from domcore.model import (
    AmendOrder,
    AuthorizeReturn,
    CaptureOrder,
    Envelope,
    Ignore,
    Item,
    Unreadable,
)
from domcore.testing.builder import World
from domcore.unreadable import unread_of

CANARY = "Zephyrine Quackenbush"


class Market:
    """A channel whose bodies are lists of ``[order id, units]``, signed with a header."""

    name = "web"

    def __init__(self, world: World) -> None:
        self.world = world
        self.strict = True

    def receive(self, envelope: Envelope) -> list[object]:
        if envelope.headers.get("x-signed") != "yes":
            raise SignatureError("is not signed", source="web")
        try:
            value = json.loads(envelope.body)
        except ValueError:
            raise PayloadError("is no JSON", [Problem("$", "is no JSON")]) from None
        if isinstance(value, dict):
            raise PayloadError("odd", [Problem("$.who", "is odd")]).about(value["id"], "#9", 3)
        return [self._command(*each) for each in value]

    def _command(self, id: str, units: object, *_: object) -> object:
        if type(units) is not int and self.strict:
            return Unreadable("$.units: must be whole", id, f"#{id}", 1)
        return CaptureOrder(self.world.order(id, MUG=int(str(units)[0]) if units else 1))

    @hookimpl
    def register_channels(self) -> list[Market]:
        return [self]


SIGNED = {"X-Signed": "yes"}


@pytest.fixture(params=["memory:", "file"])
def shop(request, tmp_path):
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG", weight=400).stock("MUG", NYC=99)
    url = str(tmp_path / "store.db") if request.param == "file" else request.param
    market = Market(world)
    with world.open(Settings(store=url), plugins={"market": market}) as dom:
        dom.market, dom.world = market, world
        yield dom


def tell(dom, value, headers=SIGNED):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return dom.receive("web", body, headers)


def test_what_cannot_be_read_of_a_delivery_stops_none_of_the_rest(shop):
    outcomes = tell(shop, [["1", 1], ["2", 1.5, CANARY], ["3", 2]])
    assert [each.outcome for each in outcomes] == ["captured", "unreadable", "captured"]
    (waiting,) = shop.exceptions()
    assert "order #2: $.units: must be whole" in waiting.reason
    assert waiting.command == f"domcore retry {shop.parked()[0].id}"
    assert list(shop.verify()) == []


def test_a_delivery_that_cannot_be_read_at_all_is_kept(shop):
    (outcome,) = tell(shop, b"\xff no json, " + CANARY.encode())
    assert outcome.outcome == "unreadable"
    assert "is no JSON" in outcome.detail
    assert CANARY not in repr([outcome, shop.parked(), shop.events()])


def test_a_channel_may_say_of_which_order_an_error_is(shop):
    tell(shop, {"id": "9"})
    assert shop.parked()[0].note == "order #9: $.who: is odd"


def test_an_order_that_the_store_refuses_is_kept_too(shop):
    shop.market._command = lambda id, units: CaptureOrder(shop.world.order(id, MUG=units))
    outcomes = tell(shop, [["5", -1], ["6", 1]])
    assert [each.outcome for each in outcomes] == ["unreadable", "captured"]
    assert "order #5" in shop.parked()[0].note


def test_what_is_not_signed_is_an_error_and_nothing_is_kept(shop):
    with pytest.raises(SignatureError):
        tell(shop, [["1", 1.5]], {})
    assert shop.parked() == []


def test_it_is_read_again_with_the_channel_as_it_is_by_then(shop):
    tell(shop, [["1", 1], ["2", 1.5]])
    name = shop.parked()[0].id
    with pytest.raises(PayloadError, match="still cannot be read"):
        shop.retry(name)
    assert [each.id for each in shop.parked()] == [name]
    shop.market.strict = False
    shop.retry(name)
    assert shop.parked() == []
    assert {each.number for each in shop.orders()} == {"#1", "#2"}
    with pytest.raises(NotFound):
        shop.retry(name)
    assert list(shop.verify()) == []


def test_a_later_revision_makes_an_end_of_it(shop):
    tell(shop, [["2", 1.5]])
    assert shop.capture(evolve(shop.world.order("2", MUG=1), revision=2)).outcome == "captured"
    shop.work()
    assert shop.parked() == []
    assert shop.exceptions() == []


def test_who_drops_it_or_erases_the_order_leaves_nothing_of_it(tmp_path):
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)
    settings = Settings(store=str(tmp_path / "dom.db"))
    with world.open(settings, plugins={"market": Market(world)}) as dom:
        tell(dom, [["1", 1], ["1", 1.5, CANARY], ["2", 1.5, CANARY]])
        assert any(CANARY.encode() in file.read_bytes() for file in tmp_path.iterdir())
        assert dom.erase("#1")
        for parked in dom.parked():
            dom.drop(parked.id)
        for file in tmp_path.iterdir():
            assert CANARY.encode() not in file.read_bytes(), file.name
        assert list(dom.verify()) == []


def test_no_more_than_a_thousand_are_kept_of_a_channel(shop):
    for number in range(1000):
        told = Unreadable("odd", str(number))
        shop.store.keep_unread(unread_of(told, "receive:web"), now=0)
    with pytest.raises(PayloadError, match="must be whole"):
        tell(shop, [["x", 1.5]])
    assert tell(shop, [["7", 1]])[0].outcome == "captured"


def test_what_a_channel_says_of_it_is_not_believed(shop):
    odd = Unreadable("\ud800", "\0", "x" * 999, revision=-1)
    shop.market._command = lambda id, units: odd
    (outcome,) = tell(shop, [["1", 1]])
    assert outcome.outcome == "unreadable"
    (parked,) = shop.parked()
    assert parked.note == f"order {'x' * 300}: it cannot be read"


def test_a_caller_of_apply_can_say_so_too(shop):
    commands = [Unreadable("odd", "1"), Ignore("nothing")]
    assert [each.outcome for each in shop.apply(commands)] == ["unreadable", "ignored"]
    assert len(shop.parked()) == 1


def test_news_of_a_return_is_told_to_who_sent_it(shop):
    shop.market._command = lambda id, units: AuthorizeReturn("main", "web", id, "R", (("1", 1),))
    assert [each.outcome for each in tell(shop, [["1", 1]])] == ["kept"]


@pytest.fixture
def told(shop):
    """An order of two items, one not known, and then a delivery about it that cannot be read."""
    shop.capture(shop.world.order("1", MUG=5, NEW=1))
    shop.market._command = lambda id, units: Unreadable("odd", id)
    assert tell(shop, [["1", 1]])[0].outcome == "unreadable"
    return shop


def still_waits(shop):
    shop.work()
    return [each.note for each in shop.parked()] == ["order 1: odd"]


def test_what_domcore_finds_out_of_an_order_itself_is_no_news_of_its_channel(told):
    told.load_items([Item("NEW")])
    assert "order.amended" in [event.kind for event in told.events()]
    assert still_waits(told)


def test_another_refund_makes_no_end_of_one_that_cannot_be_read(told):
    line = told.world.order("1", MUG=5).lines[0].id
    refund = AmendOrder("main", "web", "1", "r9", 9, ((line, 1),))
    assert told.apply([refund])[0].outcome == "amended"
    assert still_waits(told)
    told.capture(evolve(told.world.order("1", MUG=4), revision=10))
    assert not still_waits(told)


def test_an_order_that_comes_late_makes_no_end_of_what_came_before_it(shop):
    shop.market._command = lambda id, units: Unreadable("odd", id)
    tell(shop, [["1", 1]])
    assert shop.capture(shop.world.order("1", MUG=5)).outcome == "captured"
    assert still_waits(shop)
    shop.capture(evolve(shop.world.order("1", MUG=4), revision=10))
    assert not still_waits(shop)


def test_every_refund_that_cannot_be_read_waits(shop):
    """Those that are refused, and those that the channel cannot read."""
    lines = (("1", -1),)
    refunds = [AmendOrder("main", "web", "1", name, 7, lines) for name in ("r1", "r2")]
    for command in [*refunds, Unreadable("odd", "1"), Unreadable("odd", "1"), refunds[0]]:
        shop.market._command = lambda id, units, command=command: command
        number = 1 if command is refunds[0] else len(shop.parked()) + 1
        tell(shop, [["1", number]])
    assert len(shop.parked()) == 4
    shop.capture(evolve(shop.world.order("1", MUG=5), revision=6))
    shop.work()
    assert len(shop.parked()) == 4
    assert list(shop.verify()) == []
