"""What became of orders: read back, polled, notified; the vendor's words and ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domcore.errors import ConnectorError, PayloadError, SignatureError
from domcore.model import FULFILLMENT_STATUSES, Envelope
from domcore.testing import Reply, make_handover
from domcore_amazon_mcf.polling import LONGEST, State
from domcore_amazon_mcf.words import ORDER, PACKAGE, known_status, order_status, plain

KEY = "7-1-NYC"
NAME = f"dc-{KEY}"


@pytest.fixture
def released(vendor):
    vendor.connector().release(make_handover())
    return vendor


def polled(vendor, cursor="", **options):
    page = vendor.connector(**options).poll(cursor)
    return [(each.status, dict(each.lines)) for each in page.notices], page.cursor


# --- words -------------------------------------------------------------------------------------


def test_every_word_of_the_vendor_has_one_of_ours():
    assert set(ORDER.values()) | set(PACKAGE.values()) <= set(FULFILLMENT_STATUSES)
    assert len(PACKAGE) == 18


@pytest.mark.parametrize(
    "word", ["CompletePartialled", "COMPLETE_PARTIALLED", "completePartialled"]
)
def test_words_are_known_however_they_are_spelt(word):
    assert order_status(word) == "partially_shipped"


def test_the_documents_words_are_all_known(validate):
    if validate is None:
        pytest.skip("the vendor's document is not here")
    kinds = validate.document["definitions"]
    assert {plain(word) for word in kinds["FulfillmentOrderStatus"]["enum"]} <= set(ORDER)
    assert {plain(word) for word in kinds["CurrentStatus"]["enum"]} == set(PACKAGE)


def test_the_document_is_really_held_against_what_is_said(released, validate):
    if validate is None:
        pytest.skip("the vendor's document is not here")
    validate(released)
    released.validated = False
    released.orders[NAME].status = "Teleported"
    with pytest.raises(ConnectorError):
        released.connector().reconcile(make_handover())
    with pytest.raises(Exception, match=r"(?i)invalid|valid"):
        validate(released)


def test_a_word_nobody_knows_is_an_error_and_no_guess():
    with pytest.raises(ConnectorError, match="not known here: 'TELEPORTED'"):
        known_status("Teleported")


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("New", "requested", ""),
        ("Received", "accepted", ""),
        ("Planning", "accepted", ""),
        ("Processing", "in_progress", ""),
        ("Cancelled", "cancelled", ""),
        ("Unfulfillable", "rejected", "no_capacity"),
        ("Invalid", "rejected", "other"),
    ],
)
def test_a_status_is_read_back_and_polled_alike(released, word, status, reason):
    released.set(KEY, word)
    receipt = released.connector().reconcile(make_handover())
    assert (receipt.status, receipt.vendor_status, receipt.reason) == (status, word, reason)
    (notice,) = {each.status: each for each in released.connector().poll("").notices}.values()
    assert (notice.status, notice.vendor_status, notice.reason) == (status, word, reason)
    assert (notice.fulfillment_order, notice.reference) == (KEY, NAME)


# --- what has left -----------------------------------------------------------------------------


def test_everything_left_in_one_box(released):
    number = released.ship(KEY)
    receipt = released.connector().reconcile(make_handover())
    assert (receipt.status, receipt.vendor_status) == ("in_progress", "Complete")
    (notice,) = receipt.notices
    assert (notice.status, notice.lines) == ("shipped", ())
    (box,) = notice.packages
    assert (box.id, box.lines) == (str(number), (("L1", 2), ("L2", 1)))
    assert (box.carrier, box.tracking) == ("UPS", f"1Z{number}")
    assert box.shipped_at == released.clock()


def test_parts_are_told_by_their_boxes_and_the_same_each_time(released):
    first = released.ship(KEY, {"L1": 1}, status="Processing")
    told = released.connector().reconcile(make_handover()).notices
    assert [each.status for each in told] == ["in_progress", "partially_shipped"]
    released.ship(KEY, {"L2": 1}, status="CompletePartialled")
    released.orders[NAME].items["L1"] = {"unfulfillableQuantity": 1}
    later = released.connector().reconcile(make_handover()).notices
    assert later[0] == told[1]
    assert [(each.status, dict(each.lines), each.reason) for each in later] == [
        ("partially_shipped", {"L1": 1}, ""),
        ("partially_shipped", {"L2": 1}, ""),
        ("rejected", {"L1": 1}, "no_capacity"),
    ]
    assert later[0].packages[0].id == str(first)


def test_units_taken_back_are_cancelled_and_those_that_left_are_not(released):
    released.ship(KEY, {"L2": 1}, status="CompletePartialled")
    released.orders[NAME].items["L1"] = {"cancelledQuantity": 2}
    told = released.connector().reconcile(make_handover()).notices
    assert [(each.status, dict(each.lines)) for each in told] == [
        ("partially_shipped", {"L2": 1}),
        ("cancelled", {"L1": 2}),
    ]


def test_shipments_that_have_not_left_tell_nothing(released):
    released.ship(KEY, status="Processing")
    for word in ("PENDING", "CANCELLED_BY_FULFILLER", "CANCELLED_BY_SELLER"):
        released.orders[NAME].shipments[0]["fulfillmentShipmentStatus"] = word
        told = released.connector().reconcile(make_handover()).notices
        assert [each.status for each in told] == ["in_progress"]


def test_a_shipment_without_packages_is_a_box_of_its_own(released):
    released.ship(KEY)
    shipment = released.orders[NAME].shipments[0]
    del shipment["fulfillmentShipmentPackage"]
    for item in shipment["fulfillmentShipmentItem"]:
        item["packageNumber"] = 0
    (notice,) = released.connector().reconcile(make_handover()).notices
    (box,) = notice.packages
    assert (box.id, box.tracking) == (shipment["amazonShipmentId"], "")
    assert box.lines == (("L1", 2), ("L2", 1))


def test_two_boxes_of_one_shipment_hold_what_they_hold(released):
    released.ship(KEY)
    shipment = released.orders[NAME].shipments[0]
    shipment["fulfillmentShipmentPackage"].append(
        {"packageNumber": 5, "carrierCode": "USPS", "amazonFulfillmentTrackingNumber": "TBA5"}
    )
    shipment["fulfillmentShipmentItem"][1]["packageNumber"] = 5
    (notice,) = released.connector().reconcile(make_handover()).notices
    boxes = {box.tracking: box.lines for box in notice.packages}
    assert boxes["TBA5"] == (("L2", 1),)
    assert len(boxes) == 2


def test_lines_with_odd_ids_are_told_by_their_skus(vendor):
    work = make_handover()
    lines = (("gid://shop/" + "9" * 60, "MUG", 2), ("~odd", "KETTLE", 1))
    work = evolve(work, fulfillment_order=evolve(work.fulfillment_order, lines=lines))
    connector = vendor.connector(skus={"MUG": "AMZ-MUG"})
    connector.release(work)
    sent = vendor.orders[NAME].body["items"]
    assert [row["sellerSku"] for row in sent] == ["AMZ-MUG", "KETTLE"]
    assert all(row["sellerFulfillmentOrderItemId"][0] == "~" for row in sent)
    assert len({row["sellerFulfillmentOrderItemId"] for row in sent}) == 2
    vendor.ship(KEY)
    (notice,) = connector.reconcile(work).notices
    assert notice.packages[0].lines == (("KETTLE", 1), ("MUG", 2))


# --- cancelling --------------------------------------------------------------------------------


def test_a_cancel_in_time_is_confirmed(released):
    assert released.connector().cancel(make_handover()).status == "cancelled"


def test_a_cancel_that_comes_too_late_says_how_far_it_is(released):
    released.set(KEY, "Processing")
    assert released.connector().cancel(make_handover()).status == "in_progress"


def test_a_cancel_that_is_not_carried_out_at_once_is_awaited(released):
    released._cancelFulfillmentOrder = lambda call: Reply.json({})
    receipt = released.connector().cancel(make_handover())
    assert (receipt.status, receipt.vendor_status) == ("cancel_requested", "Received")


# --- polling -----------------------------------------------------------------------------------


def test_news_is_told_once_and_then_only_what_is_new(released):
    assert polled(released)[0] == [("accepted", {})]
    _, cursor = polled(released)
    news, cursor = polled(released, cursor)
    assert news == []
    released.set(KEY, "Planning")
    news, cursor = polled(released, cursor)
    assert news == [("accepted", {})]
    released.ship(KEY)
    news, _ = polled(released, cursor, checks=0)
    assert news == [("shipped", {})]


def test_two_changes_within_a_second_are_both_told(released):
    _, cursor = polled(released)
    released.orders[NAME].status = "Cancelled"
    assert polled(released, cursor)[0] == [("cancelled", {})]


def test_pages_are_read_to_the_end_and_nothing_is_missed(vendor):
    vendor.page_size = 3
    for number in range(10):
        vendor.connector().release(make_handover(f"{number}-1-NYC"))
        vendor.clock.forward(seconds=1)
    seen, cursor, more, pages = [], "", True, 0
    while more:
        page = vendor.connector(checks=0).poll(cursor)
        seen += [each.fulfillment_order for each in page.notices]
        cursor, more, pages = page.cursor, page.more, pages + 1
    assert pages == 4
    assert seen == [f"{number}-1-NYC" for number in range(10)]


def test_a_page_that_has_expired_is_begun_anew(vendor):
    vendor.page_size = 1
    for number in range(2):
        vendor.connector().release(make_handover(f"{number}-1-NYC"))
    page = vendor.connector().poll("")
    assert page.more
    original = vendor._listAllFulfillmentOrders

    def expired(call):
        if call.asked("nextToken"):
            return Reply.json({"errors": [{"code": "InvalidInput", "message": "expired"}]}, 400)
        return original(call)

    vendor._listAllFulfillmentOrders = expired
    assert vendor.connector().poll(page.cursor).more


def test_orders_of_others_and_strange_ones_spoil_nothing(released):
    others = {
        "902-6018020-0202003": {},
        "dc-x": {},
        "dc-8-1-NYC": {"fulfillmentOrderStatus": 7},
        "dc-9-1-NYC": {"fulfillmentOrderStatus": "Teleported"},
        "dc-10-1-NYC": {"statusUpdatedDate": "yesterday"},
    }
    released.validated = False
    row = released._row(released.orders[NAME])
    rows = [{**row, "sellerFulfillmentOrderId": name, **odd} for name, odd in others.items()]
    rows += [None, [], {"sellerFulfillmentOrderId": 3}, row]
    released._listAllFulfillmentOrders = lambda call: Reply.json(
        {"payload": {"fulfillmentOrders": rows, "nextToken": None}}
    )
    assert polled(released)[0] == [("accepted", {})]


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {"nextToken": 7}}])
def test_a_page_that_is_none_is_an_error(released, payload):
    released.validated = False
    released._listAllFulfillmentOrders = lambda call: Reply.json(payload)
    with pytest.raises(ConnectorError, match="cannot be read"):
        polled(released)


@pytest.mark.parametrize("cursor", ["x", "[]", '{"format":1}', '{"format":9}', "null", '"a"'])
def test_a_cursor_of_somebody_else_begins_anew(released, cursor):
    assert polled(released, cursor)[0] == [("accepted", {})]


@given(st.integers(0, 3000), st.integers(0, 20_000))
def test_a_cursor_is_never_too_long(orders, token):
    state = State("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z")
    state.told = {f"dc-{number}-1-NYC": "2026-01-05T00:00:00Z" for number in range(orders)}
    state.round_token = "x" * token
    text = state.write()
    assert len(text) <= LONGEST
    assert (
        State.read(text, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)).since
        == state.since
    )


def test_part_shipments_and_deliveries_are_found_by_turns(vendor):
    for number in range(5):
        vendor.connector().release(make_handover(f"{number}-1-NYC"))
    boxes = [vendor.ship(f"{number}-1-NYC") for number in range(4)]
    vendor.ship("4-1-NYC", {"L1": 1}, status="Processing")
    cursor = ""
    for _ in range(6):
        _, cursor = polled(vendor, cursor, checks=2)
    vendor.clock.forward(hours=1)
    for box in boxes:
        vendor.deliver(box)
    delivered = []
    for _ in range(4):
        page = vendor.connector(checks=2).poll(cursor)
        cursor = page.cursor
        delivered += [each for each in page.notices if each.status == "delivered"]
    assert {each.packages[0].id for each in delivered} == {str(box) for box in boxes}
    assert delivered[0].packages[0].url == f"https://www.swiship.com/t?id={boxes[0]}"
    assert delivered[0].packages[0].delivered_at is not None
    before = vendor.asked("getFulfillmentOrder")
    polled(vendor, cursor, checks=2)
    assert vendor.asked("getFulfillmentOrder") - before <= 2


@pytest.mark.parametrize(
    ("word", "status"),
    [("DELIVERED", "delivered"), ("UNDELIVERABLE", "exception"), ("RETURNED", "returned"),
     ("DELAYED", "exception"), ("IN_TRANSIT", None), ("UNKNOWN", None)],
)  # fmt: skip
def test_where_a_package_is(released, word, status):
    number = released.ship(KEY)
    released.deliver(number, word)
    notices = [
        each
        for each in released.connector().poll("").notices
        if each.status not in ("shipped", "accepted")
    ]
    assert [each.status for each in notices] == ([status] if status else [])
    assert [each.vendor_status for each in notices] == ([word] if status else [])


def test_a_failure_on_the_way_round_loses_no_news(released):
    number = released.ship(KEY)
    released.deliver(number)
    with released.server.misbehaving("503", when=lambda call: call.path.endswith("/tracking")):
        assert polled(released)[0] == [("shipped", {})]


# --- notifications -----------------------------------------------------------------------------


def notification(status="PLANNING", name=NAME, camel=False):
    told = {
        "SellerId": "SELLER",
        "StatusUpdatedDateTime": "2026-01-05T10:00:00.284Z",
        "SellerFulfillmentOrderId": name,
        "FulfillmentOrderStatus": status,
    }
    row = {
        "NotificationType": "FULFILLMENT_ORDER_STATUS",
        "Payload": {"FulfillmentOrderStatusNotification": told},
        "NotificationMetadata": {"NotificationId": "n-1"},
    }
    return json.loads(_camel(json.dumps(row))) if camel else row


def _camel(text):
    for name in ("NotificationType", "NotificationMetadata", "NotificationId", "Payload",
                 "FulfillmentOrderStatusNotification", "SellerFulfillmentOrderId",
                 "StatusUpdatedDateTime", "FulfillmentOrderStatus"):  # fmt: skip
        text = text.replace(f'"{name}"', f'"{name[0].lower()}{name[1:]}"')
    return text


def received(vendor, value, headers=None, **options):
    options = options or {"notifications": "accept"}
    envelope = Envelope("amazon", json.dumps(value).encode(), headers or {})
    return vendor.connector(**options).receive(envelope)


@pytest.mark.parametrize("camel", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda row: row,
        lambda row: {"version": "0", "detail-type": row.get("NotificationType"), "detail": row},
        lambda row: {"Messages": [{"MessageId": "1", "Body": json.dumps(row)}]},
        lambda row: {"Records": [{"messageId": "1", "body": json.dumps({"detail": row})}]},
    ],
    ids=["plain", "event bus", "queue", "queue behind a bus"],
)
def test_a_notification_is_read_however_it_is_wrapped(vendor, wrap, camel):
    (notice,) = received(vendor, wrap(notification(camel=camel)))
    assert (notice.fulfillment_order, notice.status, notice.key) == (KEY, "accepted", "n-1")
    assert notice.at == datetime(2026, 1, 5, 10, 0, 0, 284_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "status"),
    [("RECEIVED", "accepted"), ("PROCESSING", "in_progress"), ("COMPLETE", "in_progress"),
     ("COMPLETE_PARTIALLED", "in_progress"), ("CANCELLED", None),
     ("UNFULFILLABLE", "rejected"), ("INVALID", "rejected"), ("TELEPORTED", None)],
)  # fmt: skip
def test_a_notification_says_no_more_than_it_knows(vendor, word, status):
    notices = received(vendor, notification(word))
    assert [(each.status, each.lines, each.packages) for each in notices] == (
        [(status, (), ())] if status else []
    )


def test_notifications_of_others_are_no_news(vendor):
    assert received(vendor, notification(name="902-6018020-0202003")) == ()
    assert received(vendor, {"NotificationType": "FBA_OUTBOUND_SHIPMENT_STATUS"}) == ()


def test_nobody_is_believed_without_a_secret(vendor):
    secret = {"notification_secrets": ["env:AMAZON_NOTIFICATIONS"]}
    good = {"x-api-key": "canary-notification-secret"}
    assert len(received(vendor, notification(), good, **secret)) == 1
    for headers in ({}, {"x-api-key": ""}, {"x-api-key": "canary"}, {"x-api-key": "\udcff"}):
        with pytest.raises(SignatureError) as caught:
            received(vendor, notification(), headers, **secret)
        assert "canary" not in str(caught.value)
    with pytest.raises(SignatureError, match="notifications = 'accept'"):
        received(vendor, notification(), notifications="refuse")


def test_a_notification_without_its_fields_names_them(vendor):
    row = notification()
    del row["Payload"]["FulfillmentOrderStatusNotification"]["FulfillmentOrderStatus"]
    with pytest.raises(PayloadError, match=r"\$\.FulfillmentOrderStatus: is missing"):
        received(vendor, row)


def test_wrapping_without_end_is_refused(vendor):
    value = notification()
    for _ in range(10):
        value = {"detail": value}
    with pytest.raises(PayloadError, match="is no notification"):
        received(vendor, value)
