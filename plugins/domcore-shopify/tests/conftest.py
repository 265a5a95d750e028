"""Orders and deliveries for the tests: a fixture of our own, changed as each test needs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from domcore.codec.strict import make_converter
from domcore.model import CaptureOrder, Command, Envelope, Order, ShippedElsewhere
from domcore.plugin_kit import Bucket
from domcore.settings import ChannelSettings
from domcore.testing import Call, MisbehavingServer, Reply
from domcore_shopify.api import Api
from domcore_shopify.building import build_channels
from domcore_shopify.channel import ShopifyChannel
from domcore_shopify.options import Options, read_options
from domcore_shopify.shop import ShopifyShop
from domcore_shopify.signing import signed_headers

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "a-secret-of-the-app"
TOKEN = "shpat_canary_0123456789"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

Change = Callable[[dict[str, Any]], object]


class Shop:
    """One channel under test, and the deliveries it gets."""

    def __init__(self, options: Mapping[str, Any] | None = None, postal_digits: int = 0) -> None:
        given = {"secrets": [SECRET], **(options or {})}
        settings = ChannelSettings("web", "shopify", "main", given)
        self.channel: ShopifyChannel
        (self.channel,) = build_channels([settings], {}, postal_digits)

    @staticmethod
    def body(change: Change | None = None) -> dict[str, Any]:
        order: dict[str, Any] = json.loads((FIXTURES / "order_created.json").read_bytes())
        if change:
            change(order)
        return order

    @staticmethod
    def refund(
        lines: list[tuple[int, int, str]],
        *,
        id: int = 71,
        at: str = "2026-03-02T09:30:00+01:00",
        location: int | None = 11,
        status: str | None = None,
    ) -> dict[str, Any]:
        """A refund of lines (id, units, restock type); `status` is the lines' own afterwards."""
        return {
            "id": id,
            "order_id": 5501,
            "created_at": at,
            "note": "Mira changed her mind",
            "refund_line_items": [
                {
                    "id": at_line,
                    "line_item_id": line,
                    "quantity": units,
                    "restock_type": kind,
                    "location_id": location,
                    "line_item": {"id": line, "fulfillment_status": status, "sku": "MUG-BLUE"},
                }
                for at_line, (line, units, kind) in enumerate(lines, 1)
            ],
        }

    @staticmethod
    def deliver(body: object, topic: str = "orders/create", **headers: str) -> Envelope:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Envelope("web", raw, signed_headers(raw, SECRET, topic=topic, **headers))

    def read(self, body: object, topic: str = "orders/create", **headers: str) -> Command:
        """What a delivery says besides of goods that have left."""
        told = self.channel.receive(self.deliver(body, topic, **headers))
        (command,) = [each for each in told if not isinstance(each, ShippedElsewhere)]
        return command

    def sent(self, body: object, topic: str = "orders/updated") -> list[ShippedElsewhere]:
        """What a delivery says of goods that have left."""
        told = self.channel.receive(self.deliver(body, topic))
        return [each for each in told if isinstance(each, ShippedElsewhere)]

    def captured(self, change: Change | None = None, **headers: str) -> CaptureOrder:
        command = self.read(self.body(change), **headers)
        assert isinstance(command, CaptureOrder)
        return command

    def order(self, change: Change | None = None, **headers: str) -> Order:
        return self.captured(change, **headers).order


class FakeShopify:
    """The part of the Admin API that is used, in this process; it misbehaves on order."""

    def __init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.open: dict[int, list[dict[str, Any]]] = {}
        self.fulfillments: dict[int, list[dict[str, Any]]] = {}
        self.cancelled: list[int] = []
        self.available: dict[tuple[int, int], int] = {}
        self.page_size = 2
        self.limits = {"X-Shopify-Shop-Api-Call-Limit": "1/40"}
        self.server = MisbehavingServer(self.answer, retry_after=0)
        self._pages: dict[str, list[dict[str, Any]]] = {}

    def place(self, change: Change | None = None) -> int:
        """A new order, a minute after the last, with fulfillment orders at two locations."""
        body = Shop.body(change)
        id = body["id"] = 5501 + len(self.orders)
        body["name"] = f"#{id}"
        changed = START + timedelta(minutes=len(self.orders))
        body["updated_at"] = changed.isoformat()
        self.orders[id] = body
        self.open[id] = [
            self._fulfillment_order(id, 1, 11, [(101, 2), (102, 1)]),
            self._fulfillment_order(id, 2, 22, [(103, 1)]),
        ]
        self.fulfillments[id] = []
        return id

    @staticmethod
    def _fulfillment_order(
        order: int, number: int, location: int, lines: list[tuple[int, int]]
    ) -> dict[str, Any]:
        id = order * 10 + number
        return {
            "id": id,
            "order_id": order,
            "status": "open",
            "assigned_location_id": location,
            "line_items": [
                {"id": id * 1000 + line, "line_item_id": line, "fulfillable_quantity": units}
                for line, units in lines
            ],
        }

    def answer(self, call: Call) -> Reply:
        if call.headers.get("x-shopify-access-token") != TOKEN:
            return Reply.json({"errors": "[API] Invalid API key or access token"}, 401)
        path = call.path.removeprefix("/admin/api/2026-07/").removesuffix(".json")
        reply = self._answer(call, path.split("/"))
        return Reply(reply.status, reply.body, {**reply.headers, **self.limits})

    def _answer(self, call: Call, path: list[str]) -> Reply:
        match (call.method, *path):
            case ("GET", "orders"):
                return self._list(call)
            case ("GET", "orders", id):
                return Reply.json({"order": self.orders[int(id)]})
            case ("GET", "orders", id, "fulfillments"):
                return Reply.json({"fulfillments": self.fulfillments[int(id)]})
            case ("GET", "orders", id, "fulfillment_orders"):
                return Reply.json({"fulfillment_orders": self.open[int(id)]})
            case ("POST", "orders", id, "cancel"):
                return self._cancel(int(id))
            case ("POST", "fulfillments"):
                return self._fulfill(call.json()["fulfillment"])
            case ("POST", "inventory_levels", "set"):
                level = call.json()
                place = (level["inventory_item_id"], level["location_id"])
                self.available[place] = level["available"]
                return Reply.json({"inventory_level": level})
        return Reply.json({"errors": "Not Found"}, 404)

    def _list(self, call: Call) -> Reply:
        page = call.asked("page_info")
        if page:
            if page not in self._pages:
                return Reply.json({"errors": {"page_info": "Invalid value."}}, 400)
            found = self._pages[page]
        else:
            since = datetime.fromisoformat(call.asked("updated_at_min") or "2000-01-01T00:00:00Z")
            found = [
                order
                for order in self.orders.values()
                if datetime.fromisoformat(order["updated_at"]) >= since
            ]
            found.sort(key=lambda order: (datetime.fromisoformat(order["updated_at"]), order["id"]))
        rest = found[self.page_size :]
        headers = {}
        if rest:
            name = f"page{len(self._pages)}"
            self._pages[name] = rest
            url = f"https://acme.myshopify.com/admin/api/2026-07/orders.json?page_info={name}"
            headers["Link"] = f'<{url}x>; rel="previous", <{url}&limit=2>; rel="next"'
        return Reply.json({"orders": found[: self.page_size]}, **headers)

    def _cancel(self, id: int) -> Reply:
        if id in self.cancelled:
            return Reply.json({"errors": "Cannot cancel"}, 422)
        self.cancelled.append(id)
        self.orders[id]["cancelled_at"] = START.isoformat()
        return Reply.json({"order": self.orders[id]})

    def _fulfill(self, told: dict[str, Any]) -> Reply:
        groups = told["line_items_by_fulfillment_order"]
        orders = {each["id"]: each for some in self.open.values() for each in some}
        places = {orders[group["fulfillment_order_id"]]["assigned_location_id"] for group in groups}
        if len(places) != 1:
            return Reply.json({"errors": ["must be of one location"]}, 422)
        lines = []
        for group in groups:
            order = orders[group["fulfillment_order_id"]]
            known = {line["id"]: line for line in order["line_items"]}
            for wanted in group["fulfillment_order_line_items"]:
                line = known[wanted["id"]]
                if wanted["quantity"] > line["fulfillable_quantity"]:
                    return Reply.json({"errors": ["Invalid fulfillment order line item"]}, 422)
                line["fulfillable_quantity"] -= wanted["quantity"]
                lines.append({"id": line["line_item_id"], "quantity": wanted["quantity"]})
        number = told["tracking_info"]["number"]
        made = {
            "id": 900 + sum(map(len, self.fulfillments.values())),
            "order_id": order["order_id"],
            "status": "success",
            "location_id": places.pop(),
            "tracking_company": told["tracking_info"].get("company"),
            "tracking_number": number,
            "tracking_numbers": [number],
            "tracking_urls": [told["tracking_info"].get("url")],
            "line_items": lines,
        }
        self.fulfillments[order["order_id"]].append(made)
        return Reply.json({"fulfillment": made}, 201)

    def channel(self, **options: Any) -> ShopifyShop:
        """A channel to this shop."""
        given = {
            "secrets": [SECRET],
            "shop": "acme.myshopify.com",
            "token": TOKEN,
            "locations": {"11": "NYC", "22": "LAX"},
            **options,
        }
        settings = ChannelSettings("web", "shopify", "main", given)
        strict, lenient = make_converter(), make_converter(forbid_extra_keys=False)
        read = read_options(settings, {}, strict)
        return ShopifyShop(
            "web", "main", read, postal_digits=0, converter=lenient, open_api=self.open_api
        )

    def open_api(self, options: Options) -> Api:
        transport = self.server.as_transport()
        bucket = Bucket(40, 2, clock=lambda: 0.0, sleep=lambda _: None)
        return Api(
            options.shop, options.token, options.api_version, transport=transport, bucket=bucket
        )


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def fake() -> FakeShopify:
    return FakeShopify()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def shop_with() -> Callable[..., Shop]:
    return lambda application_digits=0, **options: Shop(options, application_digits)


@pytest.fixture
def samples() -> Path:
    """Bodies of Shopify's own client library, where they are at hand."""
    for folder in Path(__file__).resolve().parents:
        found = folder.parent / "shared" / "samples" / "shopify"
        if found.is_dir():
            return found
    pytest.skip("the sample folder is not here")
