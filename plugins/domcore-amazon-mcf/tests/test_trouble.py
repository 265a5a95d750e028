"""Answers that are wrong in themselves: strange orders, dates to come, words that say too much."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from domcore import Settings
from domcore.errors import ConnectorError
from domcore.settings import ConnectorSettings, RoutingSettings
from domcore.testing import Reply, World, make_handover
from domcore_amazon_mcf.plugin import AmazonMcfPlugin
from domcore_amazon_mcf.polling import _text

ENVIRON = {
    "AMAZON_CLIENT_ID": "amzn1.canary-client-id",
    "AMAZON_CLIENT_SECRET": "canary-client-secret",
    "AMAZON_REFRESH_TOKEN": "Atzr|canary-refresh-token",
}
ONE, TWO, THREE = "7-1-NYC", "8-1-NYC", "9-1-NYC"


@pytest.fixture
def released(vendor):
    vendor.connector().release(make_handover(ONE))
    return vendor


def told(page):
    return [(each.fulfillment_order, each.status, dict(each.lines)) for each in page.notices]


def everything(connector, cursor=""):
    found, more = [], True
    while more:
        page = connector.poll(cursor)
        found += told(page)
        cursor, more = page.cursor, page.more
    return found, cursor


# --- words that say too much -------------------------------------------------------------------


@pytest.mark.parametrize("word", ["Cancelled", "Unfulfillable", "Invalid"])
def test_what_has_left_is_told_first_of_work_that_will_not_ship(released, word):
    """A word about all the units would send those that have left once more."""
    released.ship(ONE, {"L1": 1}, status=word)
    last = "cancelled" if word == "Cancelled" else "rejected"
    for answer in (
        released.connector().reconcile(make_handover()),
        released.connector().cancel(make_handover()),
    ):
        assert answer.status == "in_progress"
        assert [(each.status, dict(each.lines)) for each in answer.notices] == [
            ("partially_shipped", {"L1": 1}),
            (last, {}),
        ]
    assert told(released.connector().poll("")) == [
        (ONE, "partially_shipped", {"L1": 1}),
        (ONE, last, {}),
    ]


@pytest.mark.parametrize("items", [[], "zero"])
def test_a_shipment_of_nothing_is_not_taken_for_everything(released, items):
    released.ship(ONE, {"L1": 1}, status="Processing")
    (shipment,) = released.orders[f"dc-{ONE}"].shipments
    if items == "zero":
        shipment["fulfillmentShipmentItem"][0]["quantity"] = 0
    else:
        shipment["fulfillmentShipmentItem"] = []
    found = told(released.connector().poll(""))
    assert all(each == (ONE, "in_progress", {}) for each in found)
    assert found


def test_a_box_of_nothing_is_left_out(released):
    released.ship(ONE)
    (shipment,) = released.orders[f"dc-{ONE}"].shipments
    empty = {**shipment["fulfillmentShipmentItem"][0], "quantity": 0, "packageNumber": 5}
    shipment["fulfillmentShipmentItem"].append(empty)
    shipment["fulfillmentShipmentPackage"].append({"packageNumber": 5, "carrierCode": "UPS"})
    (notice,) = released.connector().reconcile(make_handover()).notices
    assert all(box.lines for box in notice.packages)
    assert len(notice.packages) == 1


# --- one bad order among good ones -------------------------------------------------------------


def _garbled(call):
    return Reply.json({"payload": {"fulfillmentOrder": 1}})


def _unknown_word(vendor):
    def answer(call):
        reply = type(vendor)._getFulfillmentOrder(vendor, call)
        value = json.loads(reply.body)
        value["payload"]["fulfillmentOrder"]["fulfillmentOrderStatus"] = "Teleported"
        return Reply.json(value)

    return answer


def _gone(call):
    return Reply.json({"errors": [{"code": "InvalidInput", "message": "no"}]}, 400)


@pytest.mark.parametrize("kind", ["garbled", "unknown word", "gone"])
def test_an_order_nobody_can_read_keeps_no_other_news_back(vendor, kind):
    vendor.validated = False
    for key in (ONE, TWO, THREE):
        vendor.connector().release(make_handover(key))
    for key in (ONE, TWO, THREE):
        vendor.ship(key)
    good = vendor._getFulfillmentOrder
    bad = {"garbled": _garbled, "gone": _gone, "unknown word": _unknown_word(vendor)}[kind]
    vendor._getFulfillmentOrder = lambda call: bad(call) if TWO in call.path else good(call)
    found, cursor = everything(vendor.connector())
    assert {key for key, _, _ in found} == {ONE, THREE}
    vendor._getFulfillmentOrder = good
    found, _ = everything(vendor.connector(), cursor)
    assert TWO in {key for key, _, _ in found}


def test_a_key_that_may_read_nothing_is_an_error_and_loses_no_news(released):
    released.validated = False
    released.ship(ONE)
    good = released._getFulfillmentOrder
    denied = {"errors": [{"code": "Unauthorized", "message": "no"}]}
    released._getFulfillmentOrder = lambda call: Reply.json(denied, 403)
    with pytest.raises(ConnectorError, match="403"):
        released.connector().poll("")
    released._getFulfillmentOrder = good
    assert told(released.connector().poll(""))


def test_a_package_nobody_can_read_keeps_no_other_back(vendor):
    vendor.validated = False
    for key in (ONE, TWO):
        vendor.connector().release(make_handover(key))
    first, second = vendor.ship(ONE), vendor.ship(TWO)
    _, cursor = everything(vendor.connector())
    vendor.deliver(first)
    vendor.deliver(second)
    good = vendor._getPackageTrackingDetails
    vendor._getPackageTrackingDetails = lambda call: (
        Reply.json({"payload": 7}) if call.asked("packageNumber") == str(first) else good(call)
    )
    found, _ = everything(vendor.connector(), cursor)
    assert (TWO, "delivered") in [(key, status) for key, status, _ in found]


# --- dates and pages ---------------------------------------------------------------------------


def test_a_date_to_come_hides_no_later_news(vendor):
    for key in (ONE, TWO):
        vendor.connector().release(make_handover(key))
    vendor.orders[f"dc-{ONE}"].updated += timedelta(days=3650)
    _, cursor = everything(vendor.connector())
    vendor.clock.forward(hours=2)
    vendor.set(TWO, "Processing")
    found, _ = everything(vendor.connector(), cursor)
    assert (TWO, "in_progress", {}) in found


def test_a_cursor_from_the_future_is_brought_back(released):
    _, cursor = everything(released.connector())
    value = json.loads(cursor)
    value["since"] = value["high"] = _text(released.clock() + timedelta(days=3650))
    released.clock.forward(hours=1)
    released.set(ONE, "Processing")
    _, cursor = everything(released.connector(), json.dumps(value))
    assert json.loads(cursor)["since"] <= _text(released.clock())


@pytest.mark.parametrize("field", ["since", "high", "told", "round_at"])
@pytest.mark.parametrize("value", [None, 7, [], {"a": []}, "x", "2026-01-01", -5])
def test_a_cursor_that_somebody_spoiled_raises_nothing_strange(released, field, value):
    _, cursor = everything(released.connector())
    spoiled = json.dumps({**json.loads(cursor), field: value})
    everything(released.connector(), spoiled)


def test_a_page_that_follows_itself_is_the_last(released):
    released.validated = False
    row = released._row(released.orders[f"dc-{ONE}"])
    page = {"payload": {"fulfillmentOrders": [row], "nextToken": "again"}}
    released._listAllFulfillmentOrders = lambda call: Reply.json(page)
    connector, cursor, pages = released.connector(), "", 0
    while pages < 20:
        page_read = connector.poll(cursor)
        cursor, pages = page_read.cursor, pages + 1
        if not page_read.more:
            break
    assert pages <= 3


# --- quotes ------------------------------------------------------------------------------------


def opened(vendor, *, currency="USD", seconds=5):
    world = World(currency)
    vendor.clock = world.clock
    world.node("MCF", at=(40.71, -74.0), kind="3pl", connector="amazon", rate_card="")
    world.item("MUG").stock("MUG", MCF=5)
    options = {
        "client_id": "env:AMAZON_CLIENT_ID",
        "client_secret": "env:AMAZON_CLIENT_SECRET",
        "refresh_token": "env:AMAZON_REFRESH_TOKEN",
        "marketplace_id": "ATVPDKIKX0DER",
    }
    plugin = AmazonMcfPlugin(
        transport=vendor.server.as_transport(),
        environ=ENVIRON,
        ticks=vendor.ticks,
        sleep=vendor.sleep,
    )
    settings = Settings(
        store="memory:",
        owners={"main": currency},
        connectors=(ConnectorSettings("amazon", "amazon-mcf", options),),
        routing=RoutingSettings(prepare_seconds=seconds),
    )
    return world, world.open(settings, plugins={"amazon-mcf": plugin})


def test_a_fee_in_a_currency_that_is_not_the_owners_is_not_charged(vendor):
    vendor.currency = "EUR"
    world, application = opened(vendor)
    with application as dom:
        dom.capture(world.order("1", MUG=1, currency="EUR"))
        story = dom.plan("#1").plan
        assert story.nodes == ()


def test_the_budget_covers_the_login_and_every_try(vendor):
    """Each call gets what is left of the budget, and nothing begins after its end."""
    patience = []
    inner = vendor.server.as_transport()

    class Slow(httpx.BaseTransport):
        def handle_request(self, request):
            patience.append((vendor.seconds, request.extensions["timeout"]["read"]))
            vendor.seconds += 0.75 * request.extensions["timeout"]["read"]
            return inner.handle_request(request)

    connector = vendor.connector()
    connector._api._client._transport = Slow()
    order = World().order("1", MUG=1)

    def ask_until_it_is_over():
        while True:
            connector.preview(order, patience=2 - vendor.seconds)

    with pytest.raises(ConnectorError):
        ask_until_it_is_over()
    assert vendor.seconds <= 2
    assert all(begun + allowed <= 2.001 for begun, allowed in patience)
    assert not vendor.taken


def test_an_answer_that_drips_is_not_waited_for(vendor):
    class Dripping(httpx.BaseTransport):
        def handle_request(self, request):
            def parts():
                for _ in range(1000):
                    vendor.seconds += 5
                    yield b" "

            headers = {"content-type": "application/json"}
            return httpx.Response(200, headers=headers, content=parts())

    connector = vendor.connector()
    connector._api._client._transport = Dripping()
    with pytest.raises(ConnectorError):
        connector.reconcile(make_handover())
    assert vendor.seconds < 200
