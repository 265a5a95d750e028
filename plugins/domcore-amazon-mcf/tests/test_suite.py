"""What every connector owes the core."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from domcore.model import Envelope
from domcore.testing import ConnectorSuite

CREATES = "/fulfillmentOrders"
CANARY = "canary-notification-secret"


def notification(name: str, status: str, message: str = "n-1") -> dict:
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "FULFILLMENT_ORDER_STATUS",
        "PayloadVersion": "1.0",
        "EventTime": "2026-01-05T10:00:00.284Z",
        "Payload": {
            "FulfillmentOrderStatusNotification": {
                "SellerId": "SELLER",
                "EventType": "Order",
                "StatusUpdatedDateTime": "2026-01-05T10:00:00.284Z",
                "SellerFulfillmentOrderId": name,
                "FulfillmentOrderStatus": status,
            }
        },
        "NotificationMetadata": {"NotificationId": message},
    }


class TestAmazonMcf(ConnectorSuite):
    @pytest.fixture(autouse=True)
    def _partner(self, vendor):
        self.vendor = vendor

    def connector(self):
        return self.vendor.connector(notifications="accept")

    def secrets(self):
        return ["canary", "Atza", "Atzr"]

    def pieces_of_work(self, key):
        return self.vendor.taken.count(f"dc-{key}")

    def partner_is_down(self):
        return self.vendor.server.down()

    def drops_the_answer(self):
        def creates(call):
            return call.method == "POST" and call.path.endswith(CREATES)

        return self.vendor.server.misbehaving("lost", when=creates)

    def refuses(self):
        return self.vendor.refusing()

    def tells(self, handover):
        self.vendor.ship(handover.key)

    def more_than_a_page(self):
        self.vendor.page_size = 2
        return [self.handover(f"{order}-1-NYC") for order in range(1, 6)]

    def golden(self):
        body = notification("dc-7-1-NYC", "INVALID", "n-77")
        values = {
            "fulfillment_order": "7-1-NYC",
            "status": "rejected",
            "at": datetime(2026, 1, 5, 10, 0, 0, 284_000, tzinfo=UTC),
            "reference": "dc-7-1-NYC",
            "vendor_status": "INVALID",
            "key": "n-77",
        }
        return [(Envelope("amazon", json.dumps(body).encode()), values)]

    def deliveries(self):
        bodies = [notification("dc-7-1-NYC", "PLANNING"), notification("dc-7-1-NYC", "INVALID")]
        return [Envelope("amazon", json.dumps(each).encode()) for each in bodies]


class TestAmazonMcfWithASecret(TestAmazonMcf):
    """Where an event bus of one's own shows a secret."""

    signed = True

    def connector(self):
        return self.vendor.connector(notification_secrets=["env:AMAZON_NOTIFICATIONS"])

    def deliver(self, body):
        return Envelope("amazon", body, {"x-api-key": CANARY})

    def deliveries(self):
        return [self.deliver(each.body) for each in super().deliveries()]

    def golden(self):
        return [(self.deliver(each.body), values) for each, values in super().golden()]
