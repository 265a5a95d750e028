"""A whole life: pulled, routed, shipped, told back."""

from __future__ import annotations

from domcore import hookimpl
from domcore.model import Notice, Package, Point
from domcore.settings import ChannelSettings, Settings
from domcore.testing import World


class Plugin:
    """Serves a channel, and knows where Bergen lies."""

    name = "bergen"

    def __init__(self, channel) -> None:
        self._channel = channel

    @hookimpl
    def register_channels(self):
        return [self._channel]

    @hookimpl
    def register_geocoders(self):
        return [self]

    def locate(self, destination):
        return Point.from_degrees(60.4, 5.3)


def test_an_order_is_pulled_routed_shipped_and_told_back(fake) -> None:
    world = World("EUR").node("A", at=(60.4, 5.3), country="NO")
    for sku in ("MUG", "product:22/23", "PATTERN"):
        world.item(sku).stock(sku, A=9)
    settings = Settings(
        store="memory:",
        owners={"main": "EUR"},
        channels=(ChannelSettings("blog", "woocommerce", publish="off"),),
    )
    fake.place()
    fake.refund(727, (315, 1))
    with world.open(settings, plugins={"woocommerce": Plugin(fake.channel())}) as dom:
        dom.work()
        assert [line.quantity for line in dom.order("727").order.lines] == [1, 1, 3]
        dom.route()
        (work,) = dom.order("727").fulfillment_orders
        assert work.node == "A"
        dom.record(Notice(work.id, "shipped", dom.now(), packages=(Package("1", tracking="NO77"),)))
        for _ in range(3):
            dom.work()
            world.clock.forward(minutes=5)
        assert dom.order("727").summary.status == "shipped"
    (note,) = fake.notes[727]
    assert note["note"].startswith("Shipped: NO77 (domcore ")
    assert fake.orders[727]["status"] == "completed"
