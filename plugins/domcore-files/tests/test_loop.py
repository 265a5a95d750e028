"""The whole loop in an application, with the disk failing at each call in turn."""

from __future__ import annotations

from typing import Any

import pytest

from domcore import Settings
from domcore.hookspecs import hookimpl
from domcore.settings import WorkSettings
from domcore.testing import World

MOST = 2000
ORDER = (
    "order,line,sku,quantity,price,placed_at,name,region,postal,country\n"
    "1001,1,MUG,2,10.00,2026-01-05T08:00:00Z,Ottilie Quist,NY,12534,US\n"
)
SHIPPED = "key,status,at,line,quantity,package,tracking\n{key},shipped,{at},MUG,2,B1,1Z9\n"


class Folders:
    """The plugin, on a disk of our own."""

    def __init__(self, channel: Any, connector: Any) -> None:
        self.channel, self.connector = channel, connector

    @hookimpl
    def register_channels(self) -> list[Any]:
        return [self.channel]

    @hookimpl
    def register_connectors(self) -> list[Any]:
        return [self.connector]


class Story:
    """A shop and a node that exchange files with an application."""

    def __init__(self, kit: Any, base: Any, calls: Any) -> None:
        self.kit, self.shop, self.node = kit, base / "shop", base / "node"
        for folder in (base, self.shop, self.node):
            folder.mkdir()
        self.world = World().node("NYC", at=(40.7, -74.0), kind="3pl", connector="partner")
        self.world.item("MUG", weight=400)
        self.seen: list[str] = []
        plugin = Folders(kit.make_channel(self.shop, calls), kit.make_connector(self.node, calls))
        seconds = WorkSettings(backoff_seconds=1, backoff_most_seconds=1, attempts=9)
        settings = Settings(store="memory:", owners={"main": "USD"}, work=seconds)
        self.dom = self.world.open(settings, plugins={"files": plugin})

    def works(self, rounds: int) -> None:
        for _ in range(rounds):
            self.dom.work()
            self.node_works()
            self.world.clock.forward(minutes=10)

    def node_works(self) -> None:
        """The node takes what is whole, once, and ships it."""
        for name in self.kit.files(self.node, "out"):
            if name.startswith("."):
                continue
            (self.node / "taken").mkdir(exist_ok=True)
            (self.node / "out" / name).rename(self.node / "taken" / name)
            self.seen.append(name)
            text = SHIPPED.format(key=name.removesuffix(".csv"), at=self.world.clock().isoformat())
            self.kit.put(self.node, f"{name}.news.csv", text)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("trouble", ["error", "crash"])
@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.long)])
def test_whatever_the_disk_fails_at_the_order_ships_once(kit, tmp_path, after, trouble, step):
    for at in range(1, MOST, step):
        error = OSError(5, "Input/output error") if trouble == "error" else kit.Crash()
        calls = kit.Calls(at, error, after=after)
        story = Story(kit, tmp_path / str(at), calls)
        kit.put(story.shop, "1-stock.csv", "sku,node,on_hand\nMUG,NYC,5\n")
        kit.put(story.shop, "2-order.csv", ORDER)
        with story.dom as dom:
            story.works(6)
            assert story.seen == ["1-1-NYC.csv"], (at, story.seen)
            assert dom.order("1001").summary.status == "shipped", at
            assert [row.on_hand for row in dom.stock()] == [3], at
            assert dom.parked() == []
            assert list(dom.verify()) == []
        stock = (story.shop / "out" / "stock.csv").read_text().splitlines()
        assert stock[1:] == ["MUG,,,3"], (at, stock)
        assert len(list((story.shop / "out").glob("news-*shipped*"))) <= 1
        assert sum("1Z9" in path.read_text() for path in (story.shop / "out").glob("news-*")) == 1
        if calls.count < at:
            return
    raise AssertionError("the story is longer than the test thinks")
