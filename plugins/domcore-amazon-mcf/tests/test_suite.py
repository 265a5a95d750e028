"""What every connector owes the core."""

from __future__ import annotations

import json

import pytest

from domcore.model import Envelope
from domcore.testing import ConnectorSuite

CREATES = "/fulfillmentOrders"


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

    def deliveries(self):
        bodies = [notification("dc-7-1-NYC", "PLANNING"), notification("dc-7-1-NYC", "INVALID")]
        return [Envelope("amazon", json.dumps(each).encode()) for each in bodies]
