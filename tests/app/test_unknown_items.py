"""Orders whose items are not known yet, or are called otherwise by now."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore import Domcore
from domcore.model import Alias, Item, Notice, ObserveStock, ShippedElsewhere, StockCount
from domcore.settings import Settings
from domcore.testing.builder import World


@pytest.fixture(params=["memory:", "file"])
def url(request, tmp_path) -> str:
    return str(tmp_path / "store.db") if request.param == "file" else request.param


def one_node() -> World:
    world = World().node("NYC", at=(40.71, -74.0)).item("MUG", weight=400).item("POT", weight=900)
    return world.stock("MUG", NYC=9).stock("POT", NYC=9)


def opened(world: World, url: str) -> Domcore:
    return world.open(Settings(store=url, owners={"main": "USD"}))


def told(dom: Domcore, order: str) -> str:
    return "\n".join(each.text for each in dom.timeline(order).entries)


def test_the_rest_of_an_order_ships_and_the_unknown_line_is_shown(url):
    world = one_node()
    with opened(world, url) as dom:
        outcome = dom.capture(world.order("1", MUG=2, NEW=1))
        assert (outcome.outcome, "'NEW'" in outcome.detail) == ("captured", True)
        dom.work()
        view = dom.order("#1")
        assert view.summary.status == "partly allocated"
        assert [each.allocated for each in view.lines] == [2, 0]
        (shown,) = dom.exceptions()
        assert (shown.kind, shown.order) == ("short", "#1")
        assert shown.reason == "1 open: unknown SKU ('NEW')"
        assert shown.command == "domcore load items ITEMS.csv"
        assert "line 1-2 waits for an unknown SKU, NEW" in told(dom, "#1")
        assert list(dom.verify()) == []


def test_an_unknown_line_is_not_routed_by_the_clock(url):
    world = one_node()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=2, NEW=1))
        dom.work()
        for _ in range(3):
            world.clock.forward(hours=2)
            assert dom.work().routed == 0


def test_the_line_goes_on_by_itself_when_its_item_is_loaded(url):
    world = one_node()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=2, NEW=1))
        dom.work()
        dom.load_items([Item("NEW", weight=5)])
        dom.work()
        assert [each.reason for each in dom.exceptions()] == ["1 open: not enough stock"]
        dom.load_items((), [Alias("web", "NEWER", "POT")])
        dom.capture(world.order("2", NEWER=1))
        dom.work()
        assert dom.order("#2").summary.status == "allocated"
        assert list(dom.verify()) == []


def test_the_line_goes_on_by_itself_when_an_alias_is_loaded(url):
    world = one_node()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=2, ODD=1))
        dom.work()
        dom.load_items((), [Alias("web", "ODD", "POT")])
        dom.work()
        assert dom.order("#1").summary.status == "allocated"
        assert "ODD is known now as POT" in told(dom, "#1")
        assert dom.exceptions() == []
        assert dom.explain("#1")
        assert list(dom.verify()) == []


def test_what_others_sent_of_a_line_before_its_item_was_known_is_not_sent_again(url):
    world = one_node()
    with opened(world, url) as dom:
        dom.capture_all([world.order(name, MUG=1, NEW=2) for name in ("1", "2")])
        for name in ("1", "2"):
            lines = ((f"{name}-2", 2),)
            sent = ShippedElsewhere("main", "web", name, "f", 1, dom.now(), lines, node="NYC")
            dom.apply([sent])
        dom.load_items([Item("NEW", weight=5)])
        dom.observe(ObserveStock("main", (StockCount("NEW", "NYC", on_hand=9),)))
        dom.work()
        assert [each.shipped for each in dom.order("#1").lines] == [0, 2]
        assert [each.allocated for each in dom.order("#2").lines] == [1, 0]
        assert "others have sent 2 x NEW" in told(dom, "#1")
        assert list(dom.verify()) == []


def test_an_order_of_nothing_that_is_known_is_short_until_it_is(url):
    world = one_node()
    with opened(world, url) as dom:
        assert dom.capture(world.order("1", NEW=1)).outcome == "captured"
        dom.work()
        assert dom.order("#1").summary.status == "short"
        assert "'NEW'" in dom.exceptions()[0].reason
        dom.load_items((), [Alias("web", "NEW", "POT")])
        dom.work()
        assert dom.order("#1").summary.status == "allocated"


def test_an_edit_with_an_unknown_item_takes_off_what_it_takes_off(url):
    world = one_node()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=2))
        dom.work()
        edited = world.order("1", MUG=0, NEW=1)
        dom.capture(evolve(edited, revision=edited.revision + 1))
        dom.work()
        view = dom.order("#1")
        assert [(each.open, each.allocated) for each in view.lines] == [(0, 0), (1, 0)]
        assert dom.exceptions()[0].order == "#1"
        assert list(dom.verify()) == []


def test_a_product_renamed_in_the_shop_keeps_its_goods_and_says_so(url):
    world = one_node()
    with opened(world, url) as dom:
        order = world.order("1", MUG=2, POT=1)
        dom.capture(order)
        dom.work()
        dom.record(Notice(dom.order("#1").fulfillment_orders[0].id, "accepted", world.clock()))
        names = (evolve(order.lines[0], sku="CUP"), evolve(order.lines[1], quantity=0))
        dom.capture(evolve(order, revision=order.revision + 1, lines=names))
        view = dom.order("#1")
        assert view.order.lines[0].sku == "MUG"
        assert view.fulfillment_orders[0].status == "cancel_requested"
        assert "line 1-1 stays MUG though it is called CUP now" in told(dom, "#1")
        assert list(dom.verify()) == []


def test_a_cart_with_an_unknown_item_reserves_the_rest(url):
    world = one_node()
    with opened(world, url) as dom:
        dom.capture(world.order("1", MUG=2, ODD=1), queue=False)
        dom.reserve("#1", minutes=5)
        assert [each.allocated for each in dom.order("#1").lines] == [2, 0]
        dom.load_items((), [Alias("web", "ODD", "POT")])
        dom.work()
        assert [each.allocated for each in dom.order("#1").lines] == [2, 0], "nobody asked"
        assert list(dom.verify()) == []
