"""Pages of what could not be taken in are read again when a person retries it, all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from domcore import Domcore, hookimpl
from domcore.model import (
    CaptureOrder,
    Envelope,
    Item,
    ObserveStock,
    Polled,
    Pulled,
    StockCount,
    Unreadable,
)
from domcore.store.protocol import StockFilter

NEW = ("N1", "N2", "N3", "N4")


class Channel:
    """A channel with pages of orders or stock."""

    name = "web"

    def __init__(self, pages: list[Any]) -> None:
        self.pages = pages

    def receive(self, envelope: Envelope) -> list[Any]:
        return []

    def pull(self, cursor: str) -> Pulled:
        place = int(cursor or 0)
        page = (self.pages[place],) if place < len(self.pages) else ()
        return Pulled(page, str(place + len(page)), place + 1 < len(self.pages))


class Sells:
    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    @hookimpl
    def register_channels(self, dom: Domcore) -> list[Any]:
        return [self.channel]


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: Any, make: Any, tmp_path: Any) -> Iterator[Any]:
    """A shop on either engine."""
    memory = request.param == "memory"
    found = make.Shop("memory:" if memory else f"sqlite:///{tmp_path / 'shop.db'}")
    yield found
    for dom in found.opened:
        assert [str(each) for each in dom.verify()] == []
        assert dom.store.stragglers("pull:web") == dom.store.stragglers("poll:acme") == []
        dom.close()


@pytest.fixture(params=["pull", "poll"])
def dom(request: Any, shop: Any, make: Any) -> Domcore:
    """It has been told of stock of four items that nobody knows, each on a page of its own."""
    pages = [
        ObserveStock("main", (StockCount(sku, "NYC", on_hand=4),), key=f"count {sku}")
        for sku in NEW
    ]

    class Polls(make.Partner):
        def poll(self, cursor: str) -> Polled:
            page = channel.pull(cursor)
            return Polled(page.commands, page.cursor, page.more)

    channel = Channel(pages)
    if request.param == "poll":
        opened = shop.open(Polls())
    else:
        opened = shop.open(plugins={"sells": Sells(channel)})
    opened.work()
    assert len(opened.parked()) == 4
    return opened


def counted(dom: Domcore) -> set[str]:
    return {sku for sku in NEW if dom.stock(StockFilter(sku=sku))}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_all_that_is_retried_is_read_again_in_whatever_order(dom, order):
    names = [each.id for each in dom.parked()]
    dom.load_items([Item(sku) for sku in NEW])
    for number in order:
        dom.retry(names[number])
    assert dom.parked() == []
    dom.work()
    assert counted(dom) == set(NEW)
    assert dom.parked() == []


def test_what_is_retried_while_earlier_pages_are_read_again_is_read_too(dom):
    first, second, third, fourth = (each.id for each in dom.parked())
    dom.load_items([Item(sku) for sku in NEW[1:]])
    dom.retry(third)
    dom.retry(first)
    dom.work(limit=1)
    assert counted(dom) == set()
    dom.retry(fourth)
    dom.retry(second)
    dom.work()
    assert counted(dom) == set(NEW[1:])
    (again,) = dom.parked()
    assert again.note.endswith("no such item (number 1)"), "the first page still holds what it did"
    dom.load_items([Item("N1")])
    dom.retry(again.id)
    dom.work()
    assert counted(dom) == set(NEW)
    assert dom.parked() == []


def test_orders_that_could_not_be_read_are_all_asked_for_again(shop):
    channel = Channel([Unreadable("a price is missing", each, each) for each in ("1", "2")])
    dom = shop.open(plugins={"sells": Sells(channel)})
    dom.work()
    channel.pages = [CaptureOrder(shop.world.order(each, MUG=1)) for each in ("1", "2")]
    for each in dom.parked():
        dom.retry(each.id)
    dom.work()
    assert {dom.order(f"web/{each}").summary.external_id for each in ("1", "2")} == {"1", "2"}
    assert [each for each in dom.parked() if each.kind == "setback"] == []
