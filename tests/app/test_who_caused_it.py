"""Every event says who caused it: a person, a channel, a partner, a plugin, a worker, the host."""

from __future__ import annotations

from typing import Any

import pytest

from domcore import Domcore, PayloadError, Settings
from domcore.hookspecs import hookimpl
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Envelope,
    Event,
    Handover,
    Notice,
    Polled,
    Pulled,
    Receipt,
)
from domcore.settings import WorkSettings
from domcore.store.operations.typed import content_of
from domcore.testing.builder import World

AT_ONCE = WorkSettings(poll_seconds=0, pull_seconds=0, publish_seconds=0)


def shop(**more: Any) -> World:
    world = World().node("NYC", at=(40.7, -74.0), **more)
    return world.item("MUG", weight=400).stock("MUG", NYC=10)


def causes(dom: Domcore, reference: str = "#1") -> list[tuple[str, str]]:
    return [(entry.kind, entry.by) for entry in dom.timeline(reference).entries]


class Bazaar:
    """A channel whose deliveries name whoever is written in them, and that has orders to pull."""

    name = "bazaar"

    def __init__(self, world: World) -> None:
        self.world = world

    def receive(self, envelope: Envelope) -> list[Any]:
        order = self.world.order(envelope.body.decode(), channel="bazaar", MUG=1)
        return [CaptureOrder(order, by=envelope.headers.get("x-staff", ""))]

    def pull(self, cursor: str) -> Pulled:
        if cursor:
            return Pulled((), cursor)
        return Pulled((CaptureOrder(self.world.order("pulled", channel="bazaar", MUG=1)),), "1")


class North:
    """A partner that takes work at once and tells, when asked, that it has shipped."""

    name = "north"

    def __init__(self, world: World) -> None:
        self.world = world
        self.works: list[str] = []

    def release(self, handover: Handover) -> Receipt:
        self.works.append(handover.key)
        return Receipt("accepted")

    def cancel(self, handover: Handover) -> Receipt:
        return Receipt("cancelled")

    def reconcile(self, handover: Handover) -> Receipt:
        return Receipt("accepted")

    def poll(self, cursor: str) -> Polled:
        told = [Notice(key, "shipped", self.world.clock(), by="person:boss") for key in self.works]
        self.works = []
        return Polled(tuple(told), cursor)


class Everything:
    """A plugin that serves both, and calls off every second order it hears of."""

    def __init__(self, world: World) -> None:
        self.world = world

    @hookimpl
    def register_channels(self) -> list[Any]:
        return [Bazaar(self.world)]

    @hookimpl
    def register_connectors(self) -> list[Any]:
        return [North(self.world)]

    @hookimpl
    def handle_event(self, event: Event, dom: Domcore) -> None:
        if event.kind == "order.captured" and event.order_id == 2:
            dom.cancel("#2", reason="an odd one")


def opened(world: World, **more: Any) -> Domcore:
    settings = Settings(store="memory:", owners={"main": "USD"}, work=AT_ONCE)
    return world.open(settings, plugins={"everything": Everything(world)}, **more)


def test_what_a_host_does_is_by_the_host_or_by_whom_it_says():
    world = shop()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route(by="person:anna")
        dom.cancel("#1", by="person:ben")
        assert causes(dom) == [
            ("order.captured", "host"),
            ("order.routed", "person:anna"),
            ("order.cancelled", "person:ben"),
        ]
    with world.open(by="job:nightly") as dom:
        dom.capture(world.order("1", MUG=1))
        assert causes(dom) == [("order.captured", "job:nightly")]


def test_everything_in_a_block_is_by_whom_it_acts_for():
    world = shop()
    with world.open() as dom:
        with dom.acting("person:anna"):
            dom.capture(world.order("1", MUG=1))
            dom.reserve("#1", minutes=5)
            dom.keep("#1")
            (work,) = dom.order("#1").fulfillment_orders
            dom.record(Notice(work.id, "shipped", dom.now()))
            dom.capture(world.order("2", MUG=1))
            dom.apply([CancelOrder("main", "web", "2", 1, by="person:ben")])
        dom.capture(world.order("3", MUG=1))
        assert {by for _, by in causes(dom)} == {"person:anna"}
        assert causes(dom, "#2")[-1] == ("order.cancelled", "person:ben")
        assert causes(dom, "#3") == [("order.captured", "host")]


def test_a_worker_a_channel_a_partner_and_a_plugin_are_told_apart():
    world = shop(connector="north")
    with opened(world) as dom:
        dom.receive("bazaar", b"1")
        dom.receive("bazaar", b"2")
        for _ in range(4):
            dom.work()
            world.clock.forward(minutes=1)
        assert causes(dom, "#1") == [
            ("order.captured", "channel:bazaar"),
            ("order.routed", "worker"),
            ("fulfillment.accepted", "connector:north"),
            ("fulfillment.shipped", "connector:north/person:boss"),
        ]
        assert causes(dom, "pulled")[0] == ("order.captured", "channel:bazaar")
        assert ("order.cancelled", "plugin:everything") in causes(dom, "#2")


def test_a_stranger_cannot_speak_in_the_name_of_a_person():
    world = shop()
    with opened(world) as dom:
        dom.receive("bazaar", b"1", {"X-Staff": "person:boss"})
        assert causes(dom) == [("order.captured", "channel:bazaar/person:boss")]
        with pytest.raises(PayloadError, match="by"):
            dom.receive("bazaar", b"2", {"X-Staff": "\x1b[2J"})
        assert [order.external_id for order in dom.orders()] == ["1"]


def test_a_hold_is_approved_by_whoever_acts():
    world = shop()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1, currency="EUR"))
        dom.route()
        with dom.acting("person:anna"):
            dom.approve("#1")
        assert causes(dom)[-1] == ("order.approved", "person:anna")
        assert "approved by person:anna" in dom.timeline("#1").to_text()


@pytest.mark.parametrize("name", ["x" * 101, "two\nlines", "\udc80"])
def test_what_is_no_name_is_refused_before_anything_is_done(name: str):
    world = shop()
    with world.open() as dom:
        with pytest.raises(PayloadError):
            dom.capture(world.order("1", MUG=1), by=name)
        assert dom.orders() == []
    with pytest.raises(PayloadError):
        world.open(by=name)


def test_what_was_taken_in_before_there_was_a_name_is_known_when_it_comes_again():
    """The content that a key stands for is the one of the released version, byte for byte."""
    command = CancelOrder("main", "web", "1", 7, "no more", "hook-1", by="person:anna")
    assert content_of(command) == (
        b'{"owner":"main","channel":"web","external_id":"1","revision":7,"reason":"no more",'
        b'"key":"hook-1"}'
    )
