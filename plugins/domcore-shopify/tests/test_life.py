"""A whole life: stock told, an order pulled, routed, shipped and told back, a refund heard."""

from __future__ import annotations

from datetime import UTC, datetime

from domcore import hookimpl
from domcore.model import Alias, Notice, Package, Point
from domcore.settings import ChannelSettings, Settings, WorkSettings
from domcore.testing import World


class Plugin:
    """Serves a channel, and knows where Bregenz lies."""

    name = "bregenz"

    def __init__(self, channel) -> None:
        self._channel = channel

    @hookimpl
    def register_channels(self):
        return [self._channel]

    @hookimpl
    def register_geocoders(self):
        return [self]

    def locate(self, destination):
        return Point.from_degrees(47.5, 9.7)


def test_an_order_lives_its_life(fake, shop) -> None:
    world = World("EUR").node("NYC", at=(47.5, 9.7), country="AT").node("LAX", at=(48.2, 16.4))
    for sku in ("MUG-BLUE", "variant:9103", "SOLD-OFF"):
        world.item(sku)
    world.clock.now = datetime(2026, 3, 5, tzinfo=UTC)
    world.stock("MUG-BLUE", NYC=9).stock("variant:9103", NYC=4)
    settings = Settings(
        store="memory:",
        owners={"main": "EUR"},
        channels=(ChannelSettings("web", "shopify", publish="nodes"),),
        work=WorkSettings(route=False),
    )
    fake.place()
    with world.open(settings, plugins={"shopify": Plugin(fake.channel())}) as dom:
        dom.load_items(world.items, [Alias("web", "inventory_item:71", "MUG-BLUE")])
        dom.work()
        assert fake.available[71, 11] == 9 - 3  # its order waits to be routed
        off = refund(shop, "cancel", 101, at="2026-03-02T10:30:00Z")
        dom.receive("web", off.body, off.headers)
        dom.route(["#5501"])
        (work,) = dom.order("#5501").fulfillment_orders
        box = Package("1", (("MUG-BLUE", 2),), "Post", "AT55")
        rest = Package("2", (("variant:9103", 1),), "Post", "AT56")
        dom.record(Notice(work.id, "shipped", dom.now(), packages=(box, rest)))
        for _ in range(3):
            world.clock.forward(minutes=5)
            dom.work()
        told = {each["tracking_number"]: each["line_items"] for each in fake.fulfillments[5501]}
        assert told == {
            "AT55": [{"id": 101, "quantity": 1}, {"id": 102, "quantity": 1}],
            "AT56": [{"id": 103, "quantity": 1}],
        }
        assert fake.available[71, 11] == 7
        back = refund(shop, "return", 102, id=72, status="fulfilled", at="2026-03-04T10:00:00Z")
        outcomes = dom.receive("web", back.body, back.headers)
        assert [each.outcome for each in outcomes] == ["authorized", "received"]
        assert not list(dom.verify())


def refund(shop, kind: str, line: int, **more):
    return shop.deliver(shop.refund([(line, 1, kind)], **more), "refunds/create")


def test_a_refund_with_restock_that_overtakes_the_parcel_is_not_lost(fake, shop) -> None:
    world = World("EUR").node("NYC", at=(47.5, 9.7), country="AT")
    for sku in ("MUG-BLUE", "variant:9103", "SOLD-OFF"):
        world.item(sku)
    world.clock.now = datetime(2026, 3, 5, tzinfo=UTC)
    world.stock("MUG-BLUE", NYC=9).stock("variant:9103", NYC=4)
    settings = Settings(
        store="memory:",
        owners={"main": "EUR"},
        channels=(ChannelSettings("web", "shopify", publish="off"),),
        work=WorkSettings(route=False),
    )
    fake.place()
    with world.open(settings, plugins={"shopify": Plugin(fake.channel())}) as dom:
        dom.work()
        dom.route(["#5501"])
        (work,) = dom.order("#5501").fulfillment_orders
        back = refund(shop, "return", 102, id=72, status="fulfilled", at="2026-03-04T10:00:00Z")
        outcomes = dom.receive("web", back.body, back.headers)
        assert [each.outcome for each in outcomes] == ["kept", "kept"]
        dom.record(Notice(work.id, "shipped", dom.now()))
        assert [each.status for each in dom.returns("#5501")] == ["received"]
        assert not list(dom.verify())
