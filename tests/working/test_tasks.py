"""Partners and channels are asked for news and told about stock, again and again."""

from __future__ import annotations

import pytest

from domcore import ConnectorError, NotFound, WorkSettings, hookimpl
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Envelope,
    Item,
    Notice,
    ObserveStock,
    Polled,
    Pulled,
    StockCount,
    Unreadable,
)
from domcore.settings import ChannelSettings, StockSettings
from domcore.store.protocol import StockFilter


class Channel:
    """A channel that is asked for orders, and told what it may sell and what became of them."""

    name = "web"

    def __init__(self, pages=()):
        self.pages = list(pages)
        self.cursors = []
        self.levels = []

    def receive(self, envelope: Envelope):
        return []

    def pull(self, cursor):
        self.cursors.append(cursor)
        place = int(cursor or 0)
        if place >= len(self.pages):
            return Pulled((), cursor)
        page = self.pages[place]
        if isinstance(page, Exception):
            self.pages[place] = ()
            raise page
        if not isinstance(page, tuple):
            return page
        return Pulled(page, str(place + 1), place + 1 < len(self.pages))

    def publish_stock(self, levels):
        self.levels += levels


class Sells:
    def __init__(self, *channels):
        self.channels = channels

    @hookimpl
    def register_channels(self, dom):
        return list(self.channels)


def task(dom, name):
    (found,) = [each for each in dom.store.tasks() if each.name == name]
    return found


def orders_of(shop, *names):
    return tuple(CaptureOrder(shop.world.order(name, MUG=1)) for name in names)


# --- pulling -----------------------------------------------------------------------------------


def test_pages_are_pulled_while_there_are_more_and_then_after_a_while(shop):
    channel = Channel([orders_of(shop, "1", "2"), orders_of(shop, "3")])
    dom = shop.open(plugins={"sells": Sells(channel)})
    report = dom.work()
    assert (report.pulled, report.routed) == (3, 3)
    assert channel.cursors == ["", "1"]
    dom.work()
    assert channel.cursors == ["", "1"], "not due yet"
    shop.clock.forward(seconds=60)
    dom.work()
    assert channel.cursors == ["", "1", "2"]
    assert task(dom, "pull:web").well_at is not None


def test_a_pull_that_is_forced_does_not_wait_for_its_time(shop):
    channel = Channel([orders_of(shop, "1"), orders_of(shop, "2")])
    dom = shop.open(plugins={"sells": Sells(channel)})
    assert dom.pull("web").pulled == 2
    channel.pages.append(orders_of(shop, "3"))
    assert dom.work().pulled == 0, "not due yet"
    report = dom.pull()
    assert (report.pulled, report.routed) == (1, 0)
    with pytest.raises(NotFound, match="there are: web"):
        dom.pull("shop")


def test_a_pull_that_is_forced_does_not_wait_for_one_that_failed_either(shop):
    channel = Channel([ConnectorError("down"), orders_of(shop, "1")])
    dom = shop.open(plugins={"sells": Sells(channel)})
    assert dom.pull().failures
    assert dom.work().failures == ()
    assert task(dom, "pull:web").attempts == 1
    dom.pull()
    assert task(dom, "pull:web").attempts == 0


def test_a_bad_command_is_set_aside_and_its_page_goes_on(shop, partners):
    bad = CaptureOrder(shop.world.order("2", MUG=-1))
    channel = Channel([(*orders_of(shop, "1"), bad, "no command", *orders_of(shop, "3"))])
    dom = shop.open(*partners, plugins={"sells": Sells(channel)})
    report = dom.work()
    assert {each.external_id for each in dom.orders()} == {"1", "3"}
    assert report.parked == 2
    first, second = dom.parked()
    assert "must be between 0" in first.note
    assert "str is no command" in second.note
    bodies = [each.body for each in dom.events() if each.kind == "work.parked"]
    assert bodies[0].keys() == {"format", "task", "error", "position", "number"}
    assert (bodies[0]["task"], bodies[0]["number"]) == ("pull:web", 2)


def test_a_page_that_holds_more_than_is_kept_is_not_passed(shop):
    odd = tuple(Unreadable("odd", f"u{n}", revision=1) for n in range(1002))
    channel = Channel([(*odd, *orders_of(shop, "1")), orders_of(shop, "2")])
    dom = shop.open(plugins={"sells": Sells(channel)})
    dom.work()
    assert len(dom.parked()) == 1000
    pull = task(dom, "pull:web")
    assert (pull.cursor, pull.attempts) == ("", 1)
    assert [each.external_id for each in dom.orders()] == ["1"], "the rest of the page goes on"
    shop.clock.forward(hours=2)
    (failing,) = dom.exceptions(["failing"])
    assert "2 more of this page" in failing.reason
    for waiting in dom.parked():
        if waiting.note.startswith(("order u0:", "order u1:")):
            dom.drop(waiting.id)
    channel.pages[0] = (*odd[2:], *orders_of(shop, "1"))
    for _ in range(2):
        dom.work()
    assert len(dom.parked()) == 1000
    assert {each.external_id for each in dom.orders()} == {"1", "2"}
    assert task(dom, "pull:web").cursor == "2"


def test_what_was_set_aside_is_read_again_once_its_cause_is_gone(shop):
    counted = ObserveStock("main", (StockCount("NEW", "NYC", on_hand=4),))
    channel = Channel([(counted,), ()])
    dom = shop.open(plugins={"sells": Sells(channel)})
    dom.work()
    dom.load_items([Item("NEW")])
    (parked,) = dom.parked()
    dom.retry(parked.id)
    assert dom.parked() == []
    dom.work()
    assert [(each.sku, each.on_hand) for each in dom.stock(StockFilter(sku="NEW"))] == [("NEW", 4)]
    assert dom.parked() == []


def test_a_page_that_comes_again_is_not_set_aside_twice(shop):
    channel = Channel([(CaptureOrder(shop.world.order("1", MUG=-1)),)])
    dom = shop.open(plugins={"sells": Sells(channel)})
    dom.work()
    for again in range(3):
        (parked,) = dom.parked()
        dom.retry(parked.id)
        dom.work()
        assert len(dom.parked()) == 1, again
    dom.drop(dom.parked()[0].id)
    assert dom.parked() == []


@pytest.mark.parametrize(
    "page",
    [
        None,
        [],
        17,
        "words",
        Pulled(None, "1"),
        Pulled((), None),
        Pulled((), "\0"),
        Pulled((), "x" * 20_000),
        Pulled((), "\ud800"),
        Polled(),
    ],
    ids=repr,
)
def test_garbage_in_place_of_a_page_is_a_failure_of_the_task(page, shop):
    channel = Channel([page, orders_of(shop, "1")])
    dom = shop.open(plugins={"sells": Sells(channel)})
    report = dom.work()
    assert report.failures[0].startswith("pull:web: ")
    assert (task(dom, "pull:web").cursor, task(dom, "pull:web").attempts) == ("", 1)


def test_a_shop_that_is_down_is_left_alone_longer_and_longer(shop):
    channel = Channel([ConnectorError("down", retry_after=120), orders_of(shop, "1")])
    dom = shop.open(plugins={"sells": Sells(channel)})
    dom.work()
    shop.clock.forward(seconds=119)
    dom.work()
    assert len(channel.cursors) == 1
    shop.clock.forward(seconds=2)
    dom.work()
    assert channel.cursors[1] == ""
    assert task(dom, "pull:web").attempts == 0


def test_a_page_that_points_to_itself_ends_the_round(shop):
    class Endless(Channel):
        def pull(self, cursor):
            self.cursors.append(cursor)
            return Pulled((), "here", True)

    channel = Endless()
    dom = shop.open(plugins={"sells": Sells(channel)})
    dom.work()
    assert channel.cursors == ["", "here"]


def test_cancellations_that_come_before_their_order_are_taken_in(shop):
    channel = Channel([(CancelOrder("main", "web", "1", 2), *orders_of(shop, "1"))])
    dom = shop.open(plugins={"sells": Sells(channel)})
    assert dom.work().pulled == 2
    assert dom.order("web/1").summary.status == "cancelled"


# --- polling -----------------------------------------------------------------------------------


@pytest.fixture
def polled(make):
    class Asked(make.Partner):
        pages = ()
        seen = ()

        def poll(self, cursor):
            self.seen = (*self.seen, cursor)
            place = int(cursor or 0)
            page = self.pages[place] if place < len(self.pages) else ()
            return Polled(tuple(page), str(place + bool(page)), bool(page))

    return Asked


def test_news_is_polled_and_recorded(shop, polled, status):
    partner = polled()
    dom = shop.open(partner)
    shop.order(dom)
    dom.work()
    shop.clock.forward(minutes=5)
    partner.pages = [[Notice("1-1-NYC", "shipped", shop.clock())]]
    assert dom.work().news == 1
    assert status(dom, "web/1") == [("NYC", "shipped")]


def test_a_bad_notice_is_set_aside_and_the_cursor_goes_on(shop, polled, status):
    partner = polled()
    dom = shop.open(partner)
    shop.order(dom)
    dom.work()
    shop.clock.forward(minutes=5)
    at = shop.clock()
    partner.pages = [
        [Notice("7-1-NYC", "shipped", at), Notice("1-1-NYC", "vanished", at), None],
        [Notice("1-1-NYC", 5, at), Notice("1-1-NYC", "shipped", at)],
    ]
    report = dom.work()
    assert (report.news, report.parked) == (5, 4)
    assert status(dom, "web/1") == [("NYC", "shipped")]
    assert task(dom, "poll:acme").cursor == "2"


def test_news_of_another_partners_work_is_refused(shop, polled, make, status):
    partner = polled("bolt")
    dom = shop.open(partner, make.Partner("acme"))
    shop.order(dom)
    partner.pages = [[Notice("1-1-NYC", "shipped", shop.clock())]]
    shop.rounds(dom, 2)
    assert status(dom, "web/1") == [("NYC", "accepted")]
    assert len(dom.parked()) == 1


def test_a_connector_may_be_told_news_by_its_partner(shop, make, status):
    class Hook(make.Partner):
        def receive(self, envelope):
            assert envelope.headers == {"x-sign": "1"}
            return [Notice(envelope.body.decode(), "shipped", envelope.received_at)]

    dom = shop.open(Hook())
    shop.order(dom)
    dom.work()
    (outcome,) = dom.receive("acme", b"1-1-NYC", {"X-Sign": "1"})
    assert outcome.outcome == "recorded"
    assert status(dom, "web/1") == [("NYC", "shipped")]
    with pytest.raises(NotFound, match="nobody"):
        dom.receive("nobody", b"")


# --- stock -------------------------------------------------------------------------------------


def test_stock_is_published_where_it_has_changed(shop):
    channel = Channel()
    dom = shop.open(plugins={"sells": Sells(channel)})
    shop.order(dom)
    dom.work()
    told = {level.sku: level.available for level in channel.levels}
    assert told == {"MUG": 1_998, "PEN": 1_000}
    shop.clock.forward(minutes=2)
    assert dom.work().published == 0


def test_a_channel_that_takes_no_stock_is_tried_again(shop):
    class Refuses(Channel):
        def publish_stock(self, levels):
            self.levels += levels
            raise RuntimeError("no")

    channel = Refuses()
    dom = shop.open(plugins={"sells": Sells(channel)})
    report = dom.work()
    assert any(each.startswith("publish:web") for each in report.failures)
    shop.rounds(dom, 3)
    assert task(dom, "publish:web").attempts > 1


def test_days_of_cover_are_looked_at(shop):
    dom = shop.open(stock=StockSettings(low_days=5))
    dom.work()
    assert task(dom, "cover").well_at is not None


def test_nothing_is_asked_where_the_settings_say_no(shop):
    channel = Channel([orders_of(shop, "1")])
    off = (ChannelSettings("web", "x", pull=False, publish="off"),)
    dom = shop.open(plugins={"sells": Sells(channel)}, channels=off)
    dom.work()
    assert (channel.cursors, channel.levels) == ([], [])


def test_without_the_setting_nothing_is_routed(shop):
    dom = shop.open(work=WorkSettings(route=False))
    shop.order(dom)
    assert dom.work().routed == 0
    assert dom.order("web/1").summary.status == "open"
