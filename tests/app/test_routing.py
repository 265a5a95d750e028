"""An order goes in, a decision with its reasons and a reservation come out."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore import Domcore, NotFound, PayloadError, Settings
from domcore.model import Destination, ObserveStock, OrderLine, StockCount
from domcore.settings import RoutingSettings
from domcore.store.protocol import StockFilter
from domcore.testing.builder import World


@pytest.fixture(params=["memory:", "file"])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    return "memory:" if request.param == "memory:" else str(tmp_path / "dom.db")


def two_coasts() -> World:
    world = World().node("LAX", at=(34.05, -118.24)).node("NYC", at=(40.71, -74.0))
    world.item("MUG", weight=400).item("POT", weight=900)
    return world.stock("MUG", NYC=5, LAX=5).stock("POT", LAX=3)


def settings(url: str, **routing) -> Settings:
    return Settings(store=url, routing=RoutingSettings(**routing))


def reserved(dom: Domcore, sku: str) -> dict[str, int]:
    return {view.node: view.reserved for view in dom.stock(StockFilter(sku=sku)) if view.reserved}


def test_an_order_ships_from_the_nearest_node_that_has_it(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=2))
        report = dom.route()
        assert (report.routed, report.units) == (1, 2)
        assert reserved(dom, "MUG") == {"NYC": 2}
        assert dom.order("#1").summary.status == "allocated"


def test_planning_changes_nothing(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=2))
        planned = dom.plan("#1")
        assert planned.plan.nodes == ("NYC",)
        assert reserved(dom, "MUG") == {}
        assert dom.order("#1").summary.status == "open"


def test_planning_and_routing_decide_alike(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=2, POT=1))
        planned = dom.plan("#1").plan
        report = dom.route()
        assert report.cost == planned.cost
        assert {(r.node, r.sku, r.quantity) for r in dom.order("#1").reservations} == {
            (a.node, a.sku, a.quantity) for a in planned.allocations
        }


def test_one_parcel_from_afar_beats_two_when_it_is_cheaper(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=1, POT=1))
        dom.route()
        assert reserved(dom, "MUG") == {"LAX": 1}
        assert reserved(dom, "POT") == {"LAX": 1}


def test_a_line_is_split_over_nodes_when_no_node_has_enough(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=8))
        assert dom.route().split == 1
        assert reserved(dom, "MUG") == {"NYC": 5, "LAX": 3}


def test_what_is_short_stays_open_with_its_reason_and_is_tried_again_later(url):
    world = two_coasts()
    with world.open(settings(url, retry_minutes=30)) as dom:
        dom.capture(world.order("1", POT=5))
        assert dom.route().partial == 1
        summary = dom.order("#1").summary
        assert (summary.status, summary.reason) == ("partly allocated", "stock")
        assert summary.buckets.open == 2
        assert dom.route().orders == 0
        world.clock.forward(minutes=31)
        assert dom.route().short == 1


def test_two_lines_of_one_sku_share_its_stock(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        lines = (OrderLine("a", "POT", 2), OrderLine("b", "POT", 2))
        dom.capture(evolve(world.order("1"), lines=lines))
        dom.route()
        assert reserved(dom, "POT") == {"LAX": 3}
        assert dom.order("#1").summary.buckets.open == 1


def test_lines_that_need_no_shipping_are_kept_and_never_sourced(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        order = world.order("1", MUG=1)
        card = OrderLine("card", "GIFT-CARD", 1, ships=False)
        dom.capture(evolve(order, lines=(*order.lines, card)))
        assert dom.route().routed == 1
        view = dom.order("#1")
        assert [line.id for line in view.order.lines] == ["1-1", "card"]
        assert view.summary.buckets.ordered == 1


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        (None, "no shipping address"),
        (Destination("US", "", "00000"), "no geocoder can place"),
        (Destination("ZZ", "", "1"), "no geocoder can place"),
    ],
)
def test_an_order_that_nobody_can_place_is_held_with_that_reason(url, destination, words):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=1, destination=destination))
        assert dom.route().held == 1
        summary = dom.order("#1").summary
        assert summary.status == "held"
        assert words in summary.holds[0].reason
        assert reserved(dom, "MUG") == {}


def test_an_order_in_another_currency_is_held(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=1, currency="EUR"))
        assert dom.route().held == 1
        assert dom.order("#1").summary.holds[0].code == "domcore/currency"


def test_a_us_postal_code_is_placed_by_the_builtin_table(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=1, destination=Destination("US", "CA", "90012-1234")))
        dom.route()
        assert reserved(dom, "MUG") == {"LAX": 1}


def test_a_quantity_below_zero_is_refused_and_nothing_is_captured(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        with pytest.raises(PayloadError, match="between 0"):
            dom.capture(world.order("1", MUG=-1))
        assert dom.orders() == []


def test_an_order_nobody_knows_is_not_found(url):
    with two_coasts().open(settings(url)) as dom, pytest.raises(NotFound, match="'#9'"):
        dom.route(["#9"])


def test_a_plan_over_too_many_nodes_waits_for_approval(url):
    world = two_coasts()
    with world.open(settings(url, review_nodes_over=1)) as dom:
        dom.capture(world.order("1", MUG=8))
        assert dom.route().held == 1
        view = dom.order("#1")
        assert {work.status for work in view.fulfillment_orders} == {"on_hold"}
        assert reserved(dom, "MUG") == {"NYC": 5, "LAX": 3}
        assert [hold.code for hold in dom.approve("#1", by="ann")] == ["domcore/split-ceiling"]
        assert {work.status for work in dom.order("#1").fulfillment_orders} == {"requested"}


def test_a_reservation_lapses_and_its_units_are_open_again(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=2), queue=False)
        assert dom.reserve("#1", minutes=15).outcome == "routed"
        assert dom.order("#1").summary.status == "reserved"
        assert dom.order("#1").fulfillment_orders == ()
        world.clock.forward(minutes=16)
        assert dom.work().expired == 1
        assert reserved(dom, "MUG") == {}
        assert dom.order("#1").summary.status == "open"


def test_a_cancelled_order_gives_everything_back(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        assert dom.cancel("#1", reason="changed their mind").outcome == "cancelled"
        assert reserved(dom, "MUG") == {}
        assert dom.order("#1").summary.status == "cancelled"
        assert dom.route().orders == 0


def test_a_later_revision_frees_the_difference(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=3))
        dom.route()
        assert dom.capture(world.order("1", MUG=1, revision=2)).outcome == "amended"
        assert reserved(dom, "MUG") == {"NYC": 1}
        dom.capture(world.order("1", MUG=4, revision=3))
        dom.route()
        assert reserved(dom, "MUG") == {"NYC": 4}


def test_two_applications_on_one_database_never_sell_a_unit_twice(tmp_path):
    world = two_coasts()
    path = str(tmp_path / "dom.db")
    with world.open(settings(path)) as one:
        for number in range(1, 5):
            one.capture(world.order(str(number), POT=1))
        with Domcore(settings(path), load_plugins=False, clock=world.clock) as other:
            assert one.route(["#1"]).placed == 1
            assert other.route(["#2"]).placed == 1
            assert one.route(["#3"]).placed == 1
            assert other.route(["#4"]).short == 1
        assert reserved(one, "POT") == {"LAX": 3}


def test_a_snapshot_that_has_gone_stale_is_planned_anew(tmp_path):
    world = two_coasts()
    path = str(tmp_path / "dom.db")
    with world.open(settings(path)) as one:
        one.capture(world.order("1", POT=2))
        one.capture(world.order("2", POT=3))
        one.plan("#2")
        with Domcore(settings(path), load_plugins=False, clock=world.clock) as other:
            other.route(["#1"])
        report = one.route(["#2"])
        assert (report.partial, report.units) == (1, 1)


def test_an_edited_away_line_of_a_deleted_product_does_not_block_its_order(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        order = world.order("1", MUG=1)
        gone = OrderLine("gone", "DELETED", 0)
        assert dom.capture(evolve(order, lines=(*order.lines, gone))).outcome == "captured"
        assert dom.route().routed == 1


def test_what_another_application_says_of_an_item_is_noticed(tmp_path):
    world = two_coasts()
    path = str(tmp_path / "dom.db")
    with world.open(settings(path)) as one:
        one.capture(world.order("1", MUG=1))
        before = one.plan("#1").plan.parcels[0].weight
        with Domcore(settings(path), load_plugins=False, clock=world.clock) as other:
            other.load_items([evolve(world.items[0], weight=5_000)])
        assert (before, one.plan("#1").plan.parcels[0].weight) == (400, 5_000)


def test_the_network_another_application_loads_is_noticed(tmp_path):
    world = two_coasts()
    path = str(tmp_path / "dom.db")
    with world.open(settings(path)) as one:
        one.capture(world.order("1", MUG=1))
        assert one.plan("#1").plan.nodes == ("NYC",)
        network = world.network()
        with Domcore(settings(path), load_plugins=False, clock=world.clock) as other:
            other.load_network(
                evolve(network, nodes=(network.nodes[0], evolve(network.nodes[1], enabled=False)))
            )
        assert one.plan("#1").plan.nodes == ("LAX",)


def test_an_order_waiting_for_release_is_not_decided_on_again(url):
    world = two_coasts()
    with world.open(settings(url, review_nodes_over=1)) as dom:
        dom.capture(world.order("1", MUG=12))
        dom.route()
        assert dom.route(["#1"]).held == 1
        summary = dom.order("#1").summary
        assert [hold.code for hold in summary.holds] == ["domcore/split-ceiling"]
        assert list(dom.verify()) == []
        dom.approve("#1")
        dom.observe(ObserveStock("main", (StockCount("MUG", "NYC", on_hand=9),)))
        assert dom.route(["#1"]).units == 2


def test_a_held_order_is_routed_once_it_is_approved(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=1, destination=None))
        dom.route()
        assert dom.route(["#1"]).held == 1
        assert len(dom.store.decisions(1)) == 1
        assert [hold.code for hold in dom.approve("#1")] == ["domcore/address"]
        assert dom.route().held == 1
        dom.capture(world.order("1", MUG=1, revision=2))
        assert dom.route().routed == 1


def test_reserving_what_is_routed_already_does_nothing(url):
    world = two_coasts()
    with world.open(settings(url)) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        assert dom.reserve("#1", minutes=5).outcome == "nothing"
