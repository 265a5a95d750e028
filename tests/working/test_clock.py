"""A clock that is wrong, or was wrong for a minute, keeps no work waiting."""

from __future__ import annotations

import pytest

from domcore.model import Pulled
from domcore.settings import ChannelSettings


class Channel:
    """Counts how often it is asked and told."""

    name = "web"

    def __init__(self):
        self.asked = 0
        self.told = 0

    def receive(self, envelope):
        return []

    def pull(self, cursor):
        self.asked += 1
        return Pulled((), cursor)

    def publish_stock(self, levels):
        self.told += 1


@pytest.mark.parametrize("back", [{"minutes": 10}, {"hours": 1}, {"days": 400}])
def test_a_clock_that_is_set_back_stops_nothing_and_somebody_is_told(shop, partners, back):
    channel = Channel()
    settings = (ChannelSettings("web", "", publish="total"),)
    dom = shop.open(*partners, plugins={"web": channel_plugin(channel)}, channels=settings)
    shop.order(dom, "A")
    dom.work()
    shop.order(dom, "B")
    dom.route(["web/B"])
    shop.order(dom, "C")
    asked = channel.asked
    shop.clock.forward(**{unit: -number for unit, number in back.items()})
    first, *_, last = shop.rounds(dom, 4, minutes=2)
    assert "seconds behind the newest event" in first.failures[0]
    assert last.failures == ()
    assert {dom.order(f"web/{each}").summary.status for each in "ABC"} == {"allocated"}
    assert [key for _, key in partners[0].calls].count("2-1-NYC") == 1
    assert [verb for verb, _ in partners[0].calls].count("release") == 3
    assert channel.asked >= asked + 3


@pytest.mark.parametrize("days", [1, 400, 70 * 365])
def test_a_minute_in_which_the_clock_was_ahead_delays_nothing(shop, partners, days):
    partners[0].mood = lambda verb, handover: "refuses" if broken else "well"
    broken = True
    dom = shop.open(*partners)
    shop.order(dom, "A")
    shop.clock.forward(days=days)
    shop.order(dom, "B")
    dom.work()
    broken = False
    shop.clock.forward(days=-days)
    shop.rounds(dom, 30, minutes=2)
    assert [verb for verb, _ in partners[0].calls].count("release") >= 2
    assert {dom.order(f"web/{each}").fulfillment_orders[0].handed_over for each in "AB"} == {True}


def test_a_clock_that_is_right_is_not_spoken_of(shop, partners):
    dom = shop.open(*partners)
    shop.order(dom, "A")
    reports = shop.rounds(dom, 3, minutes=2)
    shop.clock.forward(seconds=-30)
    reports += shop.rounds(dom, 3, minutes=2)
    assert [each.failures for each in reports] == [()] * 6
    assert [each for each in dom.events() if each.kind == "work.rescheduled"] == []


def channel_plugin(channel):
    from domcore import hookimpl

    class Sells:
        @hookimpl
        def register_channels(self, dom):
            return [channel]

    return Sells()
