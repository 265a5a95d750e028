"""Events reach everybody who follows them: in order per order, at least once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import ConnectorError, hookimpl
from domcore.model import Notice, Package
from domcore.settings import ChannelSettings


class Follower:
    """A plugin that follows the events; `trouble` says which it cannot take."""

    def __init__(self, trouble=lambda event: None):
        self.trouble = trouble
        self.heard = []

    @hookimpl
    def handle_event(self, event, dom):
        error = self.trouble(event)
        if error is not None:
            raise error
        self.heard.append((event.order_id, event.seq))


def fails_for(order_id):
    return lambda event: RuntimeError("no") if event.order_id == order_id else None


def in_order(heard):
    by_order = {}
    for order_id, seq in heard:
        by_order.setdefault(order_id, []).append(seq)
    return all(each == sorted(each) for each in by_order.values())


def test_an_order_whose_event_fails_waits_and_the_others_go_on(shop):
    follower = Follower(fails_for(2))
    dom = shop.open(plugins={"follower": follower})
    for name in ("1", "2", "3"):
        shop.order(dom, name)
    dom.work()
    assert {order for order, _ in follower.heard} == {1, 3}
    assert [row.attempts for row in dom.store.stragglers("follower")] == [1, 0]
    follower.trouble = lambda event: None
    shop.clock.forward(minutes=1)
    dom.work()
    assert len([order for order, _ in follower.heard if order == 2]) == 2
    assert in_order(follower.heard)
    assert dom.store.stragglers("follower") == []


def test_an_event_that_fails_too_often_is_set_aside_and_its_order_goes_on(shop, partners):
    follower = Follower(
        lambda event: RuntimeError("no") if event.kind == "order.captured" else None
    )
    dom = shop.open(*partners, plugins={"follower": follower})
    shop.order(dom)
    reports = shop.rounds(dom, 12, minutes=20)
    assert sum(report.parked for report in reports) == 1
    (parked,) = dom.parked()
    assert (parked.id, parked.order_id, parked.attempts) == ("event/follower/1", 1, 5)
    assert "RuntimeError" in parked.note
    heard = [seq for _, seq in follower.heard]
    assert heard == [2, 3], "not told of its own trouble"
    follower.trouble = lambda event: None
    dom.retry(parked.id)
    dom.work()
    assert [seq for _, seq in follower.heard] == [2, 3, 1]
    assert dom.parked() == []


def test_a_parked_event_can_be_skipped(shop, partners):
    dom = shop.open(*partners, plugins={"follower": Follower(fails_for(1))})
    shop.order(dom)
    shop.rounds(dom, 30, minutes=20)
    assert len(dom.parked()) == 3
    for each in dom.parked():
        dom.drop(each.id)
    shop.rounds(dom, 3)
    assert dom.parked() == []


@pytest.mark.parametrize("name", ["receive", "poll", "release"])
def test_a_plugin_that_is_named_like_a_task_is_a_follower_all_the_same(shop, partners, name):
    moods = {1: RuntimeError("no")}
    follower = Follower(lambda event: moods.get(event.seq))
    dom = shop.open(*partners, plugins={name: follower})
    shop.order(dom)
    shop.rounds(dom, 30, minutes=20)
    moods.clear()
    (parked,) = dom.parked()
    dom.retry(parked.id)
    shop.rounds(dom, 2)
    assert dom.parked() == []
    assert 1 in [seq for _, seq in follower.heard]


@pytest.mark.parametrize(
    "error", [RuntimeError("no"), SystemExit(1), MemoryError(), GeneratorExit()]
)
def test_a_plugin_that_fails_at_everything_takes_no_other_down(error, shop):
    polite = Follower()
    dom = shop.open(plugins={"rude": Follower(lambda event: error), "polite": polite})
    for number in range(30):
        shop.order(dom, str(number))
    dom.work()
    assert len(polite.heard) == 60
    assert len(dom.store.stragglers("rude")) <= 10, "it is left alone, not buried"
    shop.rounds(dom, 5)
    assert len(polite.heard) >= 60


DEADLY = """
import os, sys
from datetime import UTC, datetime, timedelta
from domcore import Domcore, Settings, WorkSettings, hookimpl

class Deadly:
    @hookimpl
    def handle_event(self, event):
        if event.order_id == 2 and event.kind == "order.captured":
            os._exit(9)
        print(event.order_id, event.seq, flush=True)

settings = Settings(
    store=sys.argv[1], engine="python",
    work=WorkSettings(attempts=3, lease_seconds=60, route=False),
)
now = datetime(2026, 1, 5, 10, 0, tzinfo=UTC) + timedelta(minutes=int(sys.argv[2]))
with Domcore(
    settings, plugins={"deadly": Deadly()}, load_plugins=False, clock=lambda: now
) as dom:
    dom.work()
    print("parked", *[each.id for each in dom.parked()])
"""


def test_an_event_that_kills_the_process_is_set_aside(make, tmp_path):
    path = tmp_path / "shop.db"
    here = make.Shop(str(path))
    with here.open() as dom:
        for name in ("1", "2", "3"):
            here.order(dom, name)
    said, deaths = "", 0
    for life in range(12):
        done = subprocess.run(
            [sys.executable, "-c", DEADLY, str(path), str(life * 10)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, 9), done.stderr
        deaths += done.returncode == 9
        said += done.stdout
        if "parked event" in said:
            break
    assert deaths == 4, "once in company, and three times alone"
    assert {"1 1", "3 3"} <= set(said.splitlines())
    with here.open() as dom:
        (parked,) = dom.parked()
        assert (parked.id, parked.attempts) == ("event/deadly/2", 3)
        assert list(dom.verify()) == []


def test_two_workers_do_not_hand_over_one_event_twice(shop, make, tmp_path):
    here = make.Shop(str(tmp_path / "shop.db"))
    heard = []

    class Slow:
        @hookimpl
        def handle_event(self, event):
            heard.append(event.seq)
            if other is not None:
                other.work()

    other = None
    second = here.open(plugins={"slow": Slow()})
    first = here.open(plugins={"slow": Slow()})
    here.order(first)
    first.route()
    other = second
    first.work()
    assert heard == [1, 2]
    for dom in here.opened:
        dom.close()


@given(st.lists(st.sampled_from(["1", "2", "3", "gone"]), max_size=25), st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_every_order_is_told_in_order_whatever_fails(make, bad, seed):
    left = list(bad)

    def trouble(event):
        if left and left[0] == str(event.order_id):
            left.pop(0)
            return RuntimeError("no")
        if left and left[0] == "gone":
            left.pop(0)
        return None

    shop, follower = make.Shop(), Follower(trouble)
    with shop.open(plugins={"follower": follower}) as dom:
        for name in ("1", "2", "3"):
            shop.order(dom, name)
        shop.rounds(dom, 3)
        for name in ("1", "3"):
            dom.cancel(f"web/{name}")
        shop.rounds(dom, 25, hours=1)
        told = {seq for _, seq in follower.heard}
        parked = {int(each.id.rpartition("/")[2]) for each in dom.parked()}
        own = {each.seq for each in dom.events() if each.kind == "work.parked"}
        assert told | parked | own >= {each.seq for each in dom.events()}
        assert in_order(follower.heard)
        assert list(dom.verify()) == []


# --- channels ----------------------------------------------------------------------------------


class Hears:
    """Two channels; each hears of its own orders."""

    def __init__(self, name):
        self.name = name
        self.news = []
        self.trouble = []

    def receive(self, envelope):
        return []

    def notify(self, news):
        if self.trouble:
            raise self.trouble.pop()
        self.news.append(news)

    @hookimpl
    def register_channels(self, dom):
        return [self]


def test_channels_hear_of_their_own_orders(shop, partner):
    web, other = Hears("web"), Hears("other")
    dom = shop.open(partner, plugins={"web": web, "other": other})
    shop.order(dom)
    dom.work()
    dom.cancel("web/1")
    shop.rounds(dom, 2)
    assert [each.kind for each in web.news] == [
        "fulfillment.accepted",
        "order.cancelled",
        "fulfillment.cancelled",
    ]
    accepted = web.news[0]
    assert (accepted.fulfillment_order, accepted.node) == ("1-1-NYC", "NYC")
    assert accepted.order.external_id == "1"
    assert len({each.key for each in web.news}) == 3
    assert web.news[2].lines == (("1-1", 2),)
    assert other.news == []


def test_tracking_reaches_the_channel(shop, partner):
    web = Hears("web")
    dom = shop.open(partner, plugins={"web": web})
    shop.order(dom)
    dom.work()
    box = Package("B1", (("1-1", 2),), "UPS", "1Z999")
    dom.record(Notice("1-1-NYC", "shipped", shop.clock(), packages=(box,)))
    dom.work()
    (shipped,) = [each for each in web.news if each.kind == "fulfillment.shipped"]
    assert [each.tracking for each in shipped.packages] == ["1Z999"]
    assert shipped.lines == (("1-1", 2),)


def test_a_channel_that_cannot_be_reached_is_told_later_under_the_same_key(shop, partner):
    web = Hears("web")
    web.trouble = [ConnectorError("down", retry_after=90)]
    dom = shop.open(partner, plugins={"web": web})
    shop.order(dom)
    dom.work()
    assert web.news == []
    shop.clock.forward(seconds=91)
    assert dom.work().notified >= 1
    assert [each.kind for each in web.news] == ["fulfillment.accepted"]


def test_a_channel_that_wants_no_news_gets_none(shop, partner):
    web = Hears("web")
    channels = (ChannelSettings("web", "x", notify=False),)
    dom = shop.open(partner, plugins={"web": web}, channels=channels)
    shop.order(dom)
    shop.rounds(dom, 2)
    assert web.news == []
