"""A vendor to test against: Multi-Channel Fulfillment in this process, after the vendor's document.

Every request and reply is held against that document where it is there: ``../shared`` beside the
checkout. It is nowhere in this package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import stamina
from attrs import define, field

from domcore.settings import ConnectorSettings
from domcore.testing import Call, Clock, MisbehavingServer, Reply
from domcore_amazon_mcf.connector import AmazonMcf, build_connectors

DOCUMENT = (
    Path(__file__).parents[4] / "shared/samples/openapi/amazon-fulfillmentOutbound_2020-07-01.json"
)
ROOT = "/fba/outbound/2020-07-01"
CANARIES = {
    "AMAZON_CLIENT_ID": "amzn1.canary-client-id",
    "AMAZON_CLIENT_SECRET": "canary-client-secret",
    "AMAZON_REFRESH_TOKEN": "Atzr|canary-refresh-token",
    "AMAZON_NOTIFICATIONS": "canary-notification-secret",
}
TOKEN = "Atza|canary-access-token-"
MARKETPLACE = "ATVPDKIKX0DER"
OPTIONS: dict[str, Any] = {
    "client_id": "env:AMAZON_CLIENT_ID",
    "client_secret": "env:AMAZON_CLIENT_SECRET",
    "refresh_token": "env:AMAZON_REFRESH_TOKEN",
    "marketplace_id": MARKETPLACE,
    "services": {"express": "Expedited"},
}


@define
class Order:
    """An order at the vendor."""

    body: dict[str, Any]
    status: str
    updated: datetime
    received: datetime
    shipments: list[dict[str, Any]] = field(factory=list)
    items: dict[str, dict[str, int]] = field(factory=dict)


class Vendor:
    """The vendor: takes orders once per id, ships when told to, and quotes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = MisbehavingServer(self.answer, slow_seconds=60, retry_after=1)
        self.orders: dict[str, Order] = {}
        self.taken: list[str] = []
        self.statuses: dict[int, tuple[str, datetime]] = {}
        self.tokens: list[str] = []
        self.valid: set[str] = set()
        self.lasts = 3600
        self.login_fails: str = ""
        self.page_size = 50
        self.fee = {"FBAPerUnitFulfillmentFee": "5.50", "FBATransportationFee": "1.25"}
        self.currency = "USD"
        self.cannot_ship: set[str] = set()
        self.refuses = False
        self.rate = "2.0"
        self.slept: list[float] = []
        self.seconds = 0.0
        self.validated = True
        self._boxes = 1000

    # --- what a test does -------------------------------------------------------------------

    def connector(self, name: str = "amazon", **more: Any) -> AmazonMcf:
        """A connector to this vendor, without sockets."""
        settings = ConnectorSettings(name, "amazon-mcf", {**OPTIONS, **more})
        (made,) = build_connectors(
            [settings],
            CANARIES,
            transport=self.server.as_transport(),
            clock=self.clock,
            ticks=self.ticks,
            sleep=self.sleep,
        )
        return made

    def ticks(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def set(self, key: str, status: str, *, prefix: str = "dc-") -> Order:
        order = self.orders[prefix + key]
        self.clock.forward(seconds=1)
        order.status, order.updated = status, self.clock()
        return order

    def ship(
        self,
        key: str,
        lines: Mapping[str, int] | None = None,
        *,
        status: str = "Complete",
        tracking: str | None = None,
    ) -> int:
        """Ship some lines in one box, or everything; the box's number."""
        order = self.set(key, status)
        self._boxes += 1
        number = self._boxes
        contents = lines or {
            row["sellerFulfillmentOrderItemId"]: row["quantity"] for row in order.body["items"]
        }
        skus = {
            row["sellerFulfillmentOrderItemId"]: row["sellerSku"] for row in order.body["items"]
        }
        order.shipments.append(
            {
                "amazonShipmentId": f"S{number}",
                "fulfillmentCenterId": "RNO1",
                "fulfillmentShipmentStatus": "SHIPPED",
                "shippingDate": _text(self.clock()),
                "fulfillmentShipmentItem": [
                    {
                        "sellerSku": skus[line],
                        "sellerFulfillmentOrderItemId": line,
                        "quantity": units,
                        "packageNumber": number,
                    }
                    for line, units in contents.items()
                ],
                "fulfillmentShipmentPackage": [
                    {
                        "packageNumber": number,
                        "carrierCode": "UPS",
                        "trackingNumber": tracking or f"1Z{number}",
                    }
                ],
            }
        )
        self.statuses[number] = ("IN_TRANSIT", self.clock())
        return number

    def deliver(self, number: int, word: str = "DELIVERED") -> None:
        self.clock.forward(days=1)
        self.statuses[number] = (word, self.clock())

    def asked(self, operation: str) -> int:
        """How often an operation was called."""
        return sum(_operation(call) == operation for call in self.server.calls)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.refuses = True
        try:
            yield
        finally:
            self.refuses = False

    # --- what the vendor does ---------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        if call.path == "/auth/o2/token":
            return self._login(call)
        if call.headers.get("x-amz-access-token") not in self.valid:
            return _refusal(403, "Unauthorized", "Access to requested resource is denied.")
        operation = _operation(call)
        reply = getattr(self, f"_{operation}")(call)
        headers = {"x-amzn-ratelimit-limit": self.rate, "x-amzn-requestid": str(call.number)}
        return Reply(reply.status, reply.body, {**reply.headers, **headers})

    def _login(self, call: Call) -> Reply:
        if self.login_fails:
            return Reply.json({"error": self.login_fails, "error_description": "no"}, 400)
        form = dict(pair.split("=") for pair in call.body.decode().split("&"))
        assert unquote(form["refresh_token"]) == CANARIES["AMAZON_REFRESH_TOKEN"]
        assert unquote(form["client_secret"]) == CANARIES["AMAZON_CLIENT_SECRET"]
        assert form["grant_type"] == "refresh_token"
        token = TOKEN + str(len(self.tokens))
        self.tokens.append(token)
        self.valid = {token}
        return Reply.json({"access_token": token, "token_type": "bearer", "expires_in": self.lasts})

    def _createFulfillmentOrder(self, call: Call) -> Reply:  # noqa: N802 - the vendor's spelling
        body = call.json()
        name = body["sellerFulfillmentOrderId"]
        if self.refuses:
            return _refusal(400, "InvalidInput", f"Invalid address: {body['destinationAddress']}")
        if name in self.orders:
            return _refusal(400, "InvalidInput", f"{name} already exists")
        self.taken.append(name)
        now = self.clock()
        self.orders[name] = Order(body, "Received", now, now)
        return Reply.json({})

    def _cancelFulfillmentOrder(self, call: Call) -> Reply:  # noqa: N802
        order = self.orders.get(call.path.split("/")[-2])
        if order is None:
            return _refusal(404, "ResourceNotFound", "not there")
        if order.status not in ("New", "Received", "Planning"):
            return _refusal(400, "InvalidInput", "cannot be cancelled any more")
        order.status, order.updated = "Cancelled", self.clock()
        return Reply.json({})

    def _getFulfillmentOrder(self, call: Call) -> Reply:  # noqa: N802
        name = unquote(call.path.split("/")[-1])
        order = self.orders.get(name)
        if order is None:
            return _refusal(404, "ResourceNotFound", "not there")
        return Reply.json(
            {
                "payload": {
                    "fulfillmentOrder": self._row(order),
                    "fulfillmentOrderItems": [
                        {
                            **row,
                            "cancelledQuantity": 0,
                            "unfulfillableQuantity": 0,
                            **order.items.get(row["sellerFulfillmentOrderItemId"], {}),
                        }
                        for row in order.body["items"]
                    ],
                    "fulfillmentShipments": order.shipments,
                    "returnItems": [],
                    "returnAuthorizations": [],
                }
            }
        )

    def _listAllFulfillmentOrders(self, call: Call) -> Reply:  # noqa: N802
        token = call.asked("nextToken")
        since, _, start = (token or f"{call.asked('queryStartDate')}|0").partition("|")
        rows = sorted(
            (
                each
                for each in self.orders.values()
                if each.updated >= datetime.fromisoformat(since)
            ),
            key=lambda each: each.updated,
        )
        at = int(start)
        page: dict[str, Any] = {
            "fulfillmentOrders": [self._row(each) for each in rows[at : at + self.page_size]]
        }
        if at + self.page_size < len(rows):
            page["nextToken"] = f"{since}|{at + self.page_size}"
        return Reply.json({"payload": page})

    def _getPackageTrackingDetails(self, call: Call) -> Reply:  # noqa: N802
        number = int(call.asked("packageNumber"))
        if number not in self.statuses:
            return _refusal(404, "ResourceNotFound", "not there")
        word, at = self.statuses[number]
        place = {"city": "Hudson", "state": "NY", "country": "US"}
        event = {
            "eventDate": _text(at),
            "eventAddress": place,
            "eventCode": "EVENT_301",
            "eventDescription": word,
        }
        return Reply.json(
            {
                "payload": {
                    "packageNumber": number,
                    "trackingNumber": f"1Z{number}",
                    "customerTrackingLink": f"https%3A%2F%2Fwww.swiship.com%2Ft%3Fid%3D{number}%0A",
                    "carrierCode": "UPS",
                    "currentStatus": word,
                    "trackingEvents": [event],
                }
            }
        )

    def _getFulfillmentPreview(self, call: Call) -> Reply:  # noqa: N802
        body = call.json()
        missing = [row for row in body["items"] if row["sellerSku"] in self.cannot_ship]
        arrives = _text(self.clock() + timedelta(days=3, hours=2))
        preview = {
            "shippingSpeedCategory": body["shippingSpeedCategories"][0],
            "isFulfillable": not missing,
            "isCODCapable": False,
            "marketplaceId": body["marketplaceId"],
            "estimatedFees": [
                {"name": name, "amount": {"currencyCode": self.currency, "value": value}}
                for name, value in self.fee.items()
            ],
            "fulfillmentPreviewShipments": [
                {
                    "latestArrivalDate": arrives,
                    "fulfillmentPreviewItems": [
                        {name: row[name] for name in row} for row in body["items"]
                    ],
                }
            ],
            "unfulfillablePreviewItems": [
                {**row, "itemUnfulfillableReasons": ["NoInventory"]} for row in missing
            ],
        }
        return Reply.json({"payload": {"fulfillmentPreviews": [preview]}})

    def _row(self, order: Order) -> dict[str, Any]:
        sent = {name: value for name, value in order.body.items() if name != "items"}
        return {
            **sent,
            "receivedDate": _text(order.received),
            "fulfillmentOrderStatus": order.status,
            "statusUpdatedDate": _text(order.updated),
        }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(status: int, code: str, message: str) -> Reply:
    return Reply.json({"errors": [{"code": code, "message": message}]}, status)


def _operation(call: Call) -> str:
    path = call.path.removeprefix(ROOT)
    if path == "/tracking":
        return "getPackageTrackingDetails"
    if path == "/fulfillmentOrders/preview":
        return "getFulfillmentPreview"
    if path == "/fulfillmentOrders":
        return {"POST": "createFulfillmentOrder"}.get(call.method, "listAllFulfillmentOrders")
    if path.endswith("/cancel"):
        return "cancelFulfillmentOrder"
    return "getFulfillmentOrder" if path.startswith("/fulfillmentOrders/") else ""


# --- the vendor's document ---------------------------------------------------------------------


def _newer(document: dict[str, Any]) -> dict[str, Any]:
    """Swagger 2 as OpenAPI 3, which is what there is a validator for."""
    text = json.dumps(document).replace("#/definitions/", "#/components/schemas/")
    old = json.loads(text)
    paths: dict[str, Any] = {}
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "put", "post") and "responses" in operation:
                paths.setdefault(path, {})[method] = _newer_operation(operation)
    return {
        "openapi": "3.0.3",
        "info": old["info"],
        "servers": [{"url": f"https://{old['host']}"}],
        "paths": paths,
        "components": {"schemas": old["definitions"]},
    }


def _newer_operation(operation: dict[str, Any]) -> dict[str, Any]:
    def content(schema: Any) -> dict[str, Any]:
        return {"content": {"application/json": {"schema": schema}}}

    made: dict[str, Any] = {"operationId": operation["operationId"], "parameters": []}
    for each in operation.get("parameters", []):
        if each["in"] == "body":
            made["requestBody"] = {"required": each["required"], **content(each["schema"])}
        else:
            known = ("name", "in", "required", "description")
            schema = {name: value for name, value in each.items() if name not in known}
            made["parameters"].append(
                {"name": each["name"], "in": each["in"], "required": each["required"]}
                | {"schema": schema}
            )
    made["responses"] = {
        status: {"description": "", **(content(told["schema"]) if "schema" in told else {})}
        for status, told in operation["responses"].items()
    }
    return made


@pytest.fixture(scope="session")
def validate() -> Callable[[Vendor], None] | None:
    """Holds what went to and fro against the vendor's document; None where it is not there."""
    if not DOCUMENT.exists():
        return None
    openapi_core = pytest.importorskip("openapi_core")
    testing = pytest.importorskip("openapi_core.testing")
    document = json.loads(DOCUMENT.read_text("utf-8"))
    api = openapi_core.OpenAPI.from_dict(_newer(document))
    host = "https://sellingpartnerapi-na.amazon.com"

    def check(vendor: Vendor) -> None:
        for exchange in vendor.server.exchanges:
            call, reply = exchange.call, exchange.handled
            if not call.path.startswith(ROOT):
                continue
            request = testing.MockRequest(
                host,
                call.method,
                call.path,
                args=dict(call.query),
                headers=dict(call.headers),
                data=call.body,
            )
            api.validate_request(request)
            if reply is not None and reply.status != 500:
                response = testing.MockResponse(reply.body, reply.status, dict(reply.headers))
                api.validate_response(request, response)

    check.document = document  # type: ignore[attr-defined]
    return check


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tier out unless it is asked for: ``-m long``."""
    if "long" in config.option.markexpr:
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="the long tier; run with -m long"))


@pytest.fixture(autouse=True)
def _quick_retries() -> Iterator[None]:
    """As many retries as there are, but no waiting between them."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture
def vendor(validate: Callable[[Vendor], None] | None) -> Iterator[Vendor]:
    """The vendor; at the end everything that was said is held against its document."""
    vendor = Vendor()
    yield vendor
    assert vendor.server.errors == []
    if validate is not None and vendor.validated:
        validate(vendor)


@pytest.fixture
def over_sockets(vendor: Vendor) -> Iterator[Callable[[], AmazonMcf]]:
    """Makes connectors to this vendor on a socket of the loopback interface."""
    vendor.server.slow_seconds = 2.0
    with vendor.server as server:

        def make() -> AmazonMcf:
            hosts = {"endpoint": server.url, "login_endpoint": f"{server.url}/auth/o2/token"}
            options = {**OPTIONS, **hosts, "other_hosts": True, "timeout_seconds": 1}
            settings = ConnectorSettings("amazon", "amazon-mcf", options)
            (made,) = build_connectors(
                [settings], CANARIES, clock=vendor.clock, ticks=vendor.ticks, sleep=vendor.sleep
            )
            return made

        yield make
