"""The plugin in an application: handed over, followed to the door, priced by live quotes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from attrs import evolve

from domcore import ActivationSettings, Settings
from domcore.model import Person, micros
from domcore.settings import ConnectorSettings, RoutingSettings, WorkSettings
from domcore.testing import World
from domcore.testing.builder import START
from domcore_amazon_mcf.plugin import AmazonMcfPlugin

BUYER = Person(
    name="Ottilie Quist",
    email="ottilie@quist.example",
    street=("17 Juniper Row",),
    city="Hudson",
    region="NY",
    postal="12534",
    country="US",
)
ENVIRON = {
    "AMAZON_CLIENT_ID": "amzn1.canary-client-id",
    "AMAZON_CLIENT_SECRET": "canary-client-secret",
    "AMAZON_REFRESH_TOKEN": "Atzr|canary-refresh-token",
}
OPTIONS = {
    "client_id": "env:AMAZON_CLIENT_ID",
    "client_secret": "env:AMAZON_CLIENT_SECRET",
    "refresh_token": "env:AMAZON_REFRESH_TOKEN",
    "marketplace_id": "ATVPDKIKX0DER",
}


def told(*, routing=None, packs=(), rulesets=("rulesets",), **options) -> Settings:
    return Settings(
        store="memory:",
        connectors=(ConnectorSettings("amazon", "amazon-mcf", {**OPTIONS, **options}),),
        routing=routing or RoutingSettings(),
        work=WorkSettings(attempts=50),
        activate=tuple(ActivationSettings(each) for each in packs),
        rulesets=rulesets,
    )


@pytest.fixture
def world(vendor) -> World:
    """Amazon's node has everything; our own, on the other coast, has mugs only."""
    world = World()
    vendor.clock = world.clock
    world.node("MCF", at=(40.71, -74.0), kind="3pl", connector="amazon", rate_card="")
    world.node("LAX", at=(34.05, -118.24))
    world.item("MUG", weight=400).item("KETTLE", weight=900)
    return world.stock("MUG", MCF=5000, LAX=5).stock("KETTLE", MCF=5000)


@pytest.fixture
def plugin(vendor) -> AmazonMcfPlugin:
    return AmazonMcfPlugin(
        transport=vendor.server.as_transport(),
        environ=ENVIRON,
        ticks=vendor.ticks,
        sleep=vendor.sleep,
    )


def opened(world, plugin, settings=None):
    return world.open(settings or told(), plugins={"amazon-mcf": plugin})


def work(dom, world, rounds=1):
    for _ in range(rounds):
        dom.work(limit=200)
        world.clock.forward(minutes=10)


def sources(dom, reference="#1"):
    return dict(dom.explain(reference).lines[0].sources)


# --- handed over and followed ------------------------------------------------------------------


def test_an_order_is_routed_handed_over_and_followed_to_the_door(vendor, world, plugin):
    with opened(world, plugin) as dom:
        dom.capture(world.order("1", MUG=2, KETTLE=1), BUYER)
        dom.route()
        dom.work()
        (name,) = vendor.taken
        key = name.removeprefix("dc-")
        sent = vendor.orders[name].body
        assert sent["destinationAddress"]["name"] == "Ottilie Quist"
        assert sent["displayableOrderId"] == "#1"
        assert [(row["sellerSku"], row["quantity"]) for row in sent["items"]] == [
            ("MUG", 2),
            ("KETTLE", 1),
        ]
        world.clock.forward(minutes=2)
        number = vendor.ship(key)
        world.clock.forward(minutes=2)
        dom.work()
        (task,) = dom.order("#1").fulfillment_orders
        assert (task.status, task.vendor_status) == ("shipped", "Complete")
        (box,) = task.packages
        assert (box.id, box.carrier, box.tracking) == (str(number), "UPS", f"1Z{number}")
        assert dom.order("#1").summary.status == "shipped"
        vendor.deliver(number)
        work(dom, world, 2)
        (task,) = dom.order("#1").fulfillment_orders
        assert task.status == "delivered"
        assert task.packages[0].url == f"https://www.swiship.com/t?id={number}"
        assert list(dom.verify()) == []


def test_what_amazon_cancels_by_itself_goes_to_another_node(vendor, world, plugin):
    with opened(world, plugin, told(quotes=False)) as dom:
        dom.capture(world.order("1", MUG=2), BUYER)
        for _ in range(5):
            work(dom, world)
            for name in vendor.taken:
                vendor.set(name.removeprefix("dc-"), "Cancelled")
        assert len(vendor.taken) == 1
        assert sources(dom) == {"LAX": 2}
        assert [each.node for each in dom.order("#1").fulfillment_orders] == ["MCF", "LAX"]


def test_parts_leave_one_after_the_other_and_what_is_missing_is_routed_anew(vendor, world, plugin):
    with opened(world, plugin, told(quotes=False)) as dom:
        dom.capture(world.order("1", MUG=3, KETTLE=2), BUYER)
        dom.route()
        dom.work()
        key = vendor.taken[0].removeprefix("dc-")
        mugs, kettles = (
            row["sellerFulfillmentOrderItemId"] for row in vendor.orders["dc-" + key].body["items"]
        )
        vendor.ship(key, {mugs: 1}, status="Processing")
        world.clock.forward(minutes=2)
        dom.work()
        assert dom.order("#1").summary.buckets.shipped == 1
        vendor.ship(key, {kettles: 2}, status="CompletePartialled")
        vendor.orders["dc-" + key].items[mugs] = {"unfulfillableQuantity": 2}
        world.clock.forward(minutes=2)
        dom.work()
        view = dom.order("#1")
        assert view.summary.buckets.shipped == 3
        assert len(view.fulfillment_orders[0].packages) == 2
        dom.route()
        reserved = [each for each in dom.order("#1").reservations if each.state == "open"]
        assert [(each.node, each.sku, each.quantity) for each in reserved] == [("LAX", "MUG", 2)]
        assert list(dom.verify()) == []


def test_work_that_amazon_refuses_goes_elsewhere(vendor, world, plugin):
    with opened(world, plugin, told(quotes=False)) as dom, vendor.refusing():
        dom.capture(world.order("1", MUG=1), BUYER)
        dom.route()
        dom.work()
        dom.route()
        view = dom.order("#1")
        assert [each.status for each in view.fulfillment_orders] == ["rejected", "requested"]
        assert view.fulfillment_orders[1].node == "LAX"
        assert "Ottilie" not in repr(dom.events())


def _nothing_twice_and_nothing_lost(vendor, world, plugin, count):
    vendor.validated = count <= 1000
    vendor.server.by_chance(
        {"lost": 0.3, "500": 0.03, "429": 0.03, "dropped": 0.03, "garbage": 0.02, "slow": 0.02},
        seed=11,
    )
    settings = told(quotes=False, burst=1000, checks=0, certain_after=1)
    with opened(world, plugin, settings) as dom:
        for number in range(count):
            dom.capture(world.order(str(number), MUG=1), BUYER)
        dom.route()
        while len(vendor.taken) < count and world.clock.now < START + timedelta(days=60):
            work(dom, world)
        assert len(vendor.taken) == len(set(vendor.taken)) == count
        for name in vendor.taken[: count // 2]:
            vendor.ship(name.removeprefix("dc-"))
        work(dom, world, 20)
        vendor.server.by_chance({})
        for name in vendor.taken[count // 2 :]:
            vendor.ship(name.removeprefix("dc-"))
        work(dom, world, 10 + count // 200)
        assert len(vendor.taken) == count
        wanted = range(0, count, max(1, count // 100))
        assert {dom.order(f"#{number}").summary.status for number in wanted} == {"shipped"}
        assert dom.parked() == []
        assert list(dom.verify()) == []


def test_with_three_answers_in_ten_lost_nothing_ships_twice_and_nothing_is_lost(
    vendor, world, plugin
):
    _nothing_twice_and_nothing_lost(vendor, world, plugin, 200)


@pytest.mark.long
def test_ten_thousand_dispatches_with_three_answers_in_ten_lost(vendor, world, plugin):
    world.stock("MUG", MCF=20_000)
    _nothing_twice_and_nothing_lost(vendor, world, plugin, 10_000)


def test_notifications_come_in_by_the_application(vendor, world, plugin):
    with opened(world, plugin, told(quotes=False, notifications="accept")) as dom:
        dom.capture(world.order("1", MUG=1), BUYER)
        dom.route()
        dom.work()
        payload = {
            "StatusUpdatedDateTime": "2026-01-05T09:00:01Z",
            "SellerFulfillmentOrderId": vendor.taken[0],
            "FulfillmentOrderStatus": "PLANNING",
        }
        body = {
            "NotificationType": "FULFILLMENT_ORDER_STATUS",
            "Payload": {"FulfillmentOrderStatusNotification": payload},
            "NotificationMetadata": {"NotificationId": "n-1"},
        }
        for _ in range(2):
            dom.receive("amazon", json.dumps({"detail": body}).encode())
        (task,) = dom.order("#1").fulfillment_orders
        assert (task.status, task.vendor_status) == ("accepted", "PLANNING")


# --- priced by live quotes ---------------------------------------------------------------------


def test_the_plan_costs_what_amazon_quotes(vendor, world, plugin):
    with opened(world, plugin) as dom:
        dom.capture(world.order("1", MUG=2, KETTLE=1))
        plan = dom.plan("#1").plan
        assert plan.nodes == ("MCF",)
        assert plan.cost == micros("6.75")
        assert plan.proven
        (asked,) = [call.json() for call in vendor.server.calls if "preview" in call.path]
        assert asked["address"] == {
            "name": "Quote",
            "addressLine1": "General Delivery",
            "city": "Unknown",
            "stateOrRegion": "NY",
            "postalCode": "10001",
            "countryCode": "US",
        }


def test_a_dear_quote_sends_it_elsewhere(vendor, world, plugin):
    vendor.fee = {"FBAPerOrderFulfillmentFee": "90.00"}
    with opened(world, plugin) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        assert sources(dom) == {"LAX": 1}
        story = dom.explain("#1", why_not="MCF").asked
        assert story.verdict == "dearer"


def test_a_decision_replays_to_the_same_bytes_after_the_fee_has_changed(vendor, world, plugin):
    with opened(world, plugin) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        before = dom.explain("#1", why_not="LAX")
        vendor.fee = {"FBAPerOrderFulfillmentFee": "90.00"}
        calls = len(vendor.server.calls)
        after = dom.explain("#1", why_not="LAX")
        assert before.replayed
        assert after == before
        assert after.cost == micros("6.75")
        assert len(vendor.server.calls) == calls


def test_what_amazon_cannot_ship_is_left_out_and_the_rest_is_quoted(vendor, world, plugin):
    vendor.cannot_ship = {"MUG"}
    with opened(world, plugin) as dom:
        dom.capture(world.order("1", MUG=2, KETTLE=1))
        dom.capture(world.order("2", MUG=1))
        plan = dom.plan("#1").plan
        assert {(each.sku, each.node) for each in plan.allocations} == {
            ("MUG", "LAX"),
            ("KETTLE", "MCF"),
        }
        assert dom.plan("#2").plan.nodes == ("LAX",)
        second = [call.json() for call in vendor.server.calls if "preview" in call.path][1]
        assert [row["sellerSku"] for row in second["items"]] == ["KETTLE"]


def test_without_a_quote_amazon_is_not_asked_unless_there_is_a_fee_for_that(vendor, world, plugin):
    with opened(world, plugin) as dom, vendor.server.down():
        dom.capture(world.order("1", MUG=1))
        dom.capture(world.order("2", KETTLE=1))
        report = dom.route()
        assert (report.routed, report.short, report.held) == (1, 1, 0)
        assert sources(dom, "#1") == {"LAX": 1}
    fallback = AmazonMcfPlugin(transport=vendor.server.as_transport(), environ=ENVIRON)
    with opened(world, fallback, told(fallback_fee="7.50")) as dom, vendor.server.down():
        dom.capture(world.order("2", KETTLE=1))
        assert dom.plan("#2").plan.cost == micros("7.50")


def test_quotes_are_remembered_for_a_while_and_only_asked_for_what_amazon_holds(
    vendor, world, plugin
):
    world.item("VASE").stock("VASE", LAX=3)
    with opened(world, plugin) as dom:
        for number in range(5):
            dom.capture(world.order(str(number), lines={"MUG": 1}))
        dom.capture(world.order("9", VASE=1))
        dom.plan("#9")
        assert vendor.asked("getFulfillmentPreview") == 0
        dom.route()
        first = vendor.asked("getFulfillmentPreview")
        dom.capture(world.order("0", lines={"MUG": 1}, revision=2))
        dom.plan("#0") if dom.order("#0").summary.buckets.open else None
        assert first == 5
        world.clock.forward(minutes=20)
        dom.capture(world.order("6", MUG=1))
        dom.plan("#6")
        dom.plan("#6")
        assert vendor.asked("getFulfillmentPreview") == first + 1
        world.clock.forward(minutes=20)
        dom.plan("#6")
        assert vendor.asked("getFulfillmentPreview") == first + 2


def test_the_budget_is_kept(vendor, world, plugin):
    settings = told(burst=1, rate=1, routing=RoutingSettings(prepare_seconds=3))
    with opened(world, plugin, settings) as dom:
        for number in range(20):
            dom.capture(world.order(str(number), KETTLE=1))
        report = dom.route()
        asked = vendor.asked("getFulfillmentPreview")
        assert 3 <= asked <= 8
        assert report.short == 20 - asked
        assert vendor.seconds <= 3.5
        assert report.incidents == []


def test_facts_tell_the_fee_and_the_days(vendor, world, plugin, tmp_path):
    (tmp_path / "patient").mkdir()
    (tmp_path / "patient" / "ruleset.toml").write_text(
        'format = 1\nname = "patient"\nversion = "1.0.0"\ncurrency = "USD"\n\n'
        "[[rule]]\nid = 'slow'\nwhen = 'candidate.amazon_mcf.days > 3'\nthen = 'exclude'\n\n"
        "[[rule]]\nid = 'dear'\nwhen = 'candidate.amazon_mcf.fee > 6.00'\nthen = 'exclude'\n"
    )
    settings = told(packs=("patient",), rulesets=(str(tmp_path),))
    with opened(world, plugin, settings) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        assert sources(dom) == {"LAX": 1}
        told_of = dom.explain("#1", why_not="MCF").asked
        read = {pair for word in told_of.rules for pair in word.values}
        assert ("candidate.amazon_mcf.days", 4) in read


def test_a_broken_configuration_holds_what_would_be_shipped_for_nothing(vendor, world, plugin):
    with opened(world, plugin, told(speed="Overnight")) as dom:
        dom.capture(world.order("1", KETTLE=1))
        report = dom.route()
        assert report.held == 1
        assert "connectors.amazon: speed: must be one of 'Standard'" in report.incidents[0]


def test_an_application_without_amazon_is_left_alone(vendor, world, plugin):
    world.nodes = [evolve(node, connector="") for node in world.nodes]
    with world.open(plugins={"amazon-mcf": plugin}) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.plan("#1").plan.nodes == ("MCF",)
        assert vendor.server.calls == []
