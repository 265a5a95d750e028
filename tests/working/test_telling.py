"""Partners tell stock, shops say that something is new, and hear what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from domcore import PayloadError, hookimpl
from domcore.model import (
    AskPull,
    CaptureOrder,
    Command,
    Envelope,
    Handover,
    ObserveStock,
    Polled,
    Pulled,
    Receipt,
    ShipmentNews,
    StockCount,
)
from domcore.settings import ChannelSettings
from domcore.store.protocol import StockFilter
from domcore.testing.connector_suite import ConnectorSuite
from domcore.verify import verify


class Counts:
    """A partner that tells what is on its shelves, by poll and by delivery."""

    name = "acme"

    def __init__(self, *pages: tuple[object, ...], work: dict[str, str] | None = None) -> None:
        self.pages = pages
        self.work: dict[str, str] = {} if work is None else work

    def release(self, handover: Handover) -> Receipt:
        self.work.setdefault(handover.key, "accepted")
        return self.reconcile(handover)

    def cancel(self, handover: Handover) -> Receipt:
        if handover.key in self.work:
            self.work[handover.key] = "cancelled"
        return self.reconcile(handover)

    def reconcile(self, handover: Handover) -> Receipt:
        return Receipt(self.work.get(handover.key, "unknown_here"))

    def poll(self, cursor: str) -> Polled:
        place = int(cursor or 0)
        if place >= len(self.pages):
            return Polled((), cursor)
        return Polled(self.pages[place], str(place + 1), place + 1 < len(self.pages))

    def receive(self, envelope: Envelope) -> Sequence[object]:
        words = envelope.body.split()
        if len(words) != 3 or not words[2].isdigit():
            raise PayloadError("no line of stock")
        sku, node, units = (word.decode("utf-8", "replace") for word in words)
        at = envelope.received_at
        return [ObserveStock("main", (StockCount(sku, node, on_hand=int(units), as_of=at),))]


class Serves:
    def __init__(self, *channels: object) -> None:
        self.channels = channels

    @hookimpl
    def register_channels(self, dom):
        return list(self.channels)


def on_hand(dom, sku: str = "MUG") -> dict[str, int]:
    return {each.node: each.on_hand for each in dom.stock(StockFilter(sku=sku))}


# --- stock of partners -------------------------------------------------------------------------


def test_a_partner_tells_the_stock_of_its_nodes(shop):
    shop.clock.forward(minutes=1)
    counted = ObserveStock("main", (StockCount("MUG", "NYC", on_hand=7, as_of=shop.clock()),))
    dom = shop.open(Counts((counted,)))
    assert dom.work().news == 1
    assert on_hand(dom) == {"LAX": 1_000, "NYC": 7}
    assert dom.parked() == []


def test_stock_that_is_delivered_is_taken_in(shop):
    dom = shop.open(Counts())
    shop.clock.forward(minutes=1)
    (outcome,) = dom.receive("acme", b"MUG NYC 12")
    assert outcome.outcome == "observed"
    assert on_hand(dom)["NYC"] == 12
    with pytest.raises(PayloadError, match="cannot be taken in"):
        dom.receive("acme", b"MUG LAX 12")
    assert on_hand(dom)["LAX"] == 1_000


@pytest.mark.parametrize(
    ("count", "key", "why"),
    [
        (StockCount("MUG", "LAX", delta=5), "k", "serves no such node"),
        (StockCount("MUG", "BOS", delta=5), "k", "serves no such node"),
        (StockCount("MUG", "NYC", delta=5), "", "needs a key"),
        (StockCount("MUG", "NYC", on_hand=5), "", "as of when"),
        (StockCount("CUP", "NYC", delta=5), "k", "no such item"),
    ],
)
def test_what_a_partner_may_not_tell_is_set_aside_and_the_rest_is_taken(shop, count, key, why):
    bad = ObserveStock("main", (count,), key)
    good = ObserveStock("main", (StockCount("MUG", "NYC", delta=-1),), "good")
    dom = shop.open(Counts((bad, good)))
    dom.work()
    assert on_hand(dom) == {"LAX": 1_000, "NYC": 999}
    (parked,) = dom.parked()
    assert why in parked.note


def test_a_delta_that_is_told_twice_counts_once_and_says_who_told_it(shop):
    delta = ObserveStock("main", (StockCount("MUG", "NYC", delta=-10),), "page 3")
    dom = shop.open(Counts((delta, delta)))
    dom.work()
    assert on_hand(dom)["NYC"] == 990


def test_stock_that_a_partner_tells_wakes_who_waits(shop):
    shop.world.item("CUP").stock("CUP", NYC=0)
    delta = ObserveStock("main", (StockCount("CUP", "NYC", delta=1),), "k")
    partner = Counts()
    dom = shop.open(partner)
    dom.capture(shop.world.order("1", CUP=1))
    dom.work()
    assert dom.order("1").summary.status == "short"
    partner.pages = ((delta,),)
    shop.clock.forward(minutes=1)
    dom.work()
    assert dom.order("1").summary.status == "allocated"


class TestTellsStock(ConnectorSuite):
    """The suite knows news of stock."""

    @pytest.fixture(autouse=True)
    def _partner(self):
        self.work: dict[str, str] = {}

    def connector(self):
        return Counts(work=self.work)

    def deliveries(self):
        return [Envelope("acme", b"MUG NYC 3", received_at=datetime(2026, 1, 5, tzinfo=UTC))]

    def test_stock_that_cannot_be_told_twice_is_found(self):
        for count in (StockCount("MUG", "NYC", delta=1), StockCount("MUG", "NYC", on_hand=1)):
            with pytest.raises(AssertionError, match="would refuse"):
                self._assert_notices([ObserveStock("main", (count,))])


# --- thin webhooks -----------------------------------------------------------------------------


class Thin:
    """A shop whose webhooks say only that there is something new."""

    name = "web"

    def __init__(self, world) -> None:
        self.world = world
        self.new: list[str] = []
        self.pulls = 0
        self.during: object = None

    def receive(self, envelope: Envelope) -> Sequence[Command]:
        return [AskPull("web", f"order {envelope.body.decode()} has changed")]

    def pull(self, cursor: str) -> Pulled:
        self.pulls += 1
        names, self.new = self.new, []
        if self.during:
            during, self.during = self.during, None
            during()
        return Pulled(tuple(CaptureOrder(self.world.order(name, MUG=1)) for name in names), "x")


def test_a_thin_webhook_has_the_shop_asked_at_once(shop):
    channel = Thin(shop.world)
    dom = shop.open(plugins={"sells": Serves(channel)})
    dom.work()
    dom.work()
    assert channel.pulls == 1, "not due again yet"
    channel.new = ["218"]
    (outcome,) = dom.receive("web", b"218")
    assert outcome == ("asked", None, "order 218 has changed")
    dom.work()
    assert dom.order("218").summary.channel == "web"
    dom.work()
    assert channel.pulls == 2
    assert not list(verify(dom.store))


def test_what_comes_while_the_shop_is_asked_has_it_asked_again(shop):
    channel = Thin(shop.world)
    dom = shop.open(plugins={"sells": Serves(channel)})

    def tell() -> None:
        channel.new = ["219"]
        dom.receive("web", b"219")

    channel.during = tell
    dom.work()
    assert [each.external_id for each in dom.orders()] == ["219"]
    assert channel.pulls == 2
    dom.work()
    assert channel.pulls == 2
    assert not list(verify(dom.store))


def test_a_shop_that_fails_is_not_asked_more_often_for_its_webhooks(shop):
    channel = Thin(shop.world)

    def fail() -> None:
        raise ConnectionError("down")

    dom = shop.open(plugins={"sells": Serves(channel)})
    channel.during = fail
    dom.work()
    dom.receive("web", b"1")
    dom.work()
    assert channel.pulls == 1
    shop.clock.forward(minutes=5)
    dom.work()
    dom.work()
    assert channel.pulls == 3, "once as it is due, and once as it was asked"
    dom.work()
    assert channel.pulls == 3


def test_who_cannot_be_asked_is_refused(shop):
    channel = Thin(shop.world)
    off = (ChannelSettings("web", "fake", pull=False),)
    dom = shop.open(plugins={"sells": Serves(channel)}, channels=off)
    with pytest.raises(PayloadError, match="nobody can be asked"):
        dom.receive("web", b"1")
    with pytest.raises(PayloadError):
        dom.apply([AskPull("nowhere")])


# --- what was decided --------------------------------------------------------------------------


class Marketplace:
    """A shop in which each order must be accepted or refused."""

    name = "web"
    hears: object = ("order.routed", "order.short")

    def __init__(self) -> None:
        self.told: list[ShipmentNews] = []

    def receive(self, envelope: Envelope) -> Sequence[Command]:
        return ()

    def notify(self, news: ShipmentNews) -> None:
        self.told.append(news)


def told_of(shop, hears: object) -> list[tuple[str, str, tuple[tuple[str, int], ...]]]:
    channel = Marketplace()
    channel.hears = hears
    dom = shop.open(plugins={"sells": Serves(channel)})
    dom.capture(shop.world.order("1", MUG=2, PEN=1))
    dom.capture(shop.world.order("2", MUG=5_000))
    dom.capture(shop.world.order("3", CUP=3))
    dom.capture(shop.world.order("other", channel="elsewhere", MUG=1))
    shop.rounds(dom, 2)
    return [(each.kind, each.order.external_id, each.lines) for each in channel.told]


@pytest.fixture
def scarce(shop):
    shop.world.item("CUP").stock("CUP", NYC=0)
    return shop


def test_a_channel_that_asks_for_it_hears_what_was_decided(scarce):
    assert told_of(scarce, ("order.routed", "order.short")) == [
        ("order.routed", "1", (("1-1", 2), ("1-2", 1))),
        ("order.routed", "2", (("2-1", 2_000 - 2),)),
        ("order.short", "3", (("3-1", 3),)),
    ]


@pytest.mark.parametrize("hears", ["order.short", ["order.short", 7], {"order.short", "x"}])
def test_a_channel_hears_the_kinds_it_names(scarce, hears):
    assert [kind for kind, *_ in told_of(scarce, hears)] == ["order.short"]


@pytest.mark.parametrize("hears", [(), None, 7, "order.captured"])
def test_other_channels_hear_nothing_of_it(scarce, hears):
    assert told_of(scarce, hears) == []


def test_news_of_one_decision_has_one_key(scarce):
    channel = Marketplace()
    dom = scarce.open(plugins={"sells": Serves(channel)})
    dom.capture(scarce.world.order("1", MUG=1))
    scarce.rounds(dom, 2)
    assert len({each.key for each in channel.told}) == len(channel.told) == 1
    assert channel.told[0].at - scarce.clock() < timedelta(0)
