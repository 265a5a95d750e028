"""Orders and deliveries for the tests, and a shop in this process that misbehaves on order."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from domcore.codec.strict import make_converter
from domcore.model import CaptureOrder, Command, Envelope, Order
from domcore.plugin_kit import Bucket
from domcore.settings import ChannelSettings
from domcore.testing import Call, MisbehavingServer, Reply
from domcore_woocommerce.api import Api
from domcore_woocommerce.channel import WooChannel
from domcore_woocommerce.options import Options, read_options
from domcore_woocommerce.shop import WooShop
from domcore_woocommerce.signing import signed_headers

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "a-webhook-secret"
KEY, KEY_SECRET = "ck_canary_1", "cs_canary_2"
START = datetime(2026, 3, 2, 9, 0)

Change = Callable[[dict[str, Any]], object]


def options_of(given: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Options:
    settings = ChannelSettings("blog", "woocommerce", "main", given)
    return read_options(settings, environ or {}, make_converter())


class Shop:
    """One channel that gets webhooks, and the deliveries it gets."""

    def __init__(self, options: Mapping[str, Any] | None = None, postal_digits: int = 0) -> None:
        read = options_of({"webhook_secrets": [SECRET], **(options or {})})
        lenient = make_converter(forbid_extra_keys=False, most_characters=100_000)
        self.channel = WooChannel(
            "blog", "main", read, postal_digits=postal_digits, converter=lenient
        )

    @staticmethod
    def body(change: Change | None = None, **fields: Any) -> dict[str, Any]:
        order: dict[str, Any] = json.loads((FIXTURES / "order.json").read_bytes())
        order.update(fields)
        if change:
            change(order)
        return order

    @staticmethod
    def deliver(body: object, topic: str = "order.updated", **headers: str) -> Envelope:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Envelope("blog", raw, signed_headers(raw, SECRET, topic=topic, **headers))

    def read(self, body: object, topic: str = "order.updated", **headers: str) -> Command:
        (command,) = self.channel.receive(self.deliver(body, topic, **headers))
        return command

    def captured(self, change: Change | None = None, **fields: Any) -> CaptureOrder:
        command = self.read(self.body(change, **fields))
        assert isinstance(command, CaptureOrder)
        return command

    def order(self, change: Change | None = None, **fields: Any) -> Order:
        return self.captured(change, **fields).order


class FakeWoo:
    """The part of the REST API that is used."""

    def __init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.refunds: dict[int, list[dict[str, Any]]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.stock: dict[int, int] = {22: 0, 23: 0, 93: 0}
        self.parents = {23: 22}
        self.skus = {"MUG": 93, "CUP-RED": 23}
        self.locked: set[int] = set()
        self.page_size = 2
        self.server = MisbehavingServer(self.answer, retry_after=0)

    def place(self, change: Change | None = None, **fields: Any) -> int:
        """A new order, a minute after the last."""
        body = Shop.body(None, **fields)
        id = body["id"] = 727 + len(self.orders)
        body["number"] = str(id)
        changed = START + timedelta(minutes=len(self.orders))
        body["date_modified_gmt"] = changed.isoformat()
        if change:
            change(body)
        self.orders[id] = body
        self.refunds[id], self.notes[id] = [], []
        return id

    def refund(self, order: int, *lines: tuple[int, int]) -> None:
        """Refund (line id, units) of an order, as WooCommerce writes it down."""
        id = 9000 + sum(map(len, self.refunds.values()))
        self.refunds[order].append(
            {
                "id": id,
                "amount": "1.00",
                "reason": "Nils was unhappy",
                "line_items": [
                    {
                        "id": id * 10 + line,
                        "quantity": -units,
                        "product_id": 0,
                        "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": str(line)}],
                    }
                    for line, units in lines
                ],
            }
        )
        body = self.orders[order]
        body["refunds"] = [{"id": each["id"], "total": "-1.00"} for each in self.refunds[order]]
        modified = datetime.fromisoformat(body["date_modified_gmt"]) + timedelta(seconds=30)
        body["date_modified_gmt"] = modified.isoformat()

    def answer(self, call: Call) -> Reply:
        token = base64.b64encode(f"{KEY}:{KEY_SECRET}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {token}":
            return Reply.json({"code": "woocommerce_rest_cannot_view", "message": "Sorry"}, 401)
        path = call.path.removeprefix("/blog/wp-json/wc/v3/").split("/")
        match (call.method, *path):
            case ("GET", "orders"):
                return self._list(call)
            case ("GET", "orders", id):
                return Reply.json(self.orders[int(id)])
            case ("PUT", "orders", id):
                return self._change(self.orders[int(id)], call.json())
            case ("GET", "orders", id, "refunds"):
                return self._paged(call, self.refunds[int(id)])
            case ("GET", "orders", id, "notes"):
                return Reply.json(self.notes[int(id)])
            case ("POST", "orders", id, "notes"):
                self.notes[int(id)].append({"id": len(self.notes[int(id)]) + 1, **call.json()})
                return Reply.json(self.notes[int(id)][-1], 201)
            case ("GET", "products"):
                return self._search(call.asked("sku"))
            case ("POST", "products", "batch"):
                return self._batch(call.json()["update"], 0)
            case ("POST", "products", parent, "variations", "batch"):
                return self._batch(call.json()["update"], int(parent))
        return Reply.json({"code": "rest_no_route"}, 404)

    def _list(self, call: Call) -> Reply:
        assert call.asked("orderby") == "modified"
        assert call.asked("dates_are_gmt") == "true"
        after = call.asked("modified_after", "2000-01-01T00:00:00")
        found = [each for each in self.orders.values() if each["date_modified_gmt"] > after]
        found.sort(key=lambda each: (each["date_modified_gmt"], each["id"]))
        return self._paged(call, found)

    def _paged(self, call: Call, found: list[dict[str, Any]]) -> Reply:
        page = int(call.asked("page", "1"))
        pages = -(-len(found) // self.page_size)
        some = found[(page - 1) * self.page_size : page * self.page_size]
        return Reply.json(some, X_WP_TotalPages=str(pages), X_WP_Total=str(len(found)))

    @staticmethod
    def _change(order: dict[str, Any], change: dict[str, Any]) -> Reply:
        for meta in change.pop("meta_data", []):
            kept = [each for each in order["meta_data"] if each["key"] != meta["key"]]
            order["meta_data"] = [*kept, meta]
        order.update(change)
        return Reply.json(order)

    def _search(self, sku: str) -> Reply:
        id = self.skus.get(sku)
        if id is None:
            return Reply.json([])
        parent = self.parents.get(id, 0)
        kind = "variation" if parent else "simple"
        return Reply.json([{"id": id, "sku": sku, "type": kind, "parent_id": parent}])

    def _batch(self, updates: list[dict[str, Any]], parent: int) -> Reply:
        assert len(updates) <= 100
        done: list[dict[str, Any]] = []
        for each in updates:
            id = each["id"]
            if id not in self.stock or self.parents.get(id, 0) != parent:
                code = "woocommerce_rest_product_invalid_id"
                done.append({"id": id, "error": {"code": code, "message": "Invalid ID."}})
            elif id in self.locked:
                done.append({"id": id, "error": {"code": "locked", "message": "Try later."}})
            else:
                assert each["manage_stock"] is True
                self.stock[id] = each["stock_quantity"]
                done.append({"id": id, "stock_quantity": each["stock_quantity"]})
        return Reply.json({"update": done})

    def channel(self, **options: Any) -> WooShop:
        """A channel to this shop."""
        given = {
            "url": "https://shop.example/blog/",
            "key": KEY,
            "secret": KEY_SECRET,
            "webhook_secrets": [SECRET],
            **options,
        }
        lenient = make_converter(forbid_extra_keys=False)
        return WooShop(
            "blog",
            "main",
            options_of(given),
            postal_digits=0,
            converter=lenient,
            open_api=self.open_api,
        )

    def open_api(self, options: Options) -> Api:
        bucket = Bucket(20, 5, clock=lambda: 0.0, sleep=lambda _: None)
        transport = self.server.as_transport()
        return Api(options.url, options.key, options.secret, bucket, transport=transport)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def fake() -> FakeWoo:
    return FakeWoo()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def shop_with() -> Callable[..., Shop]:
    return lambda application_digits=0, **options: Shop(options, application_digits)


@pytest.fixture
def samples() -> Path:
    """Bodies of WooCommerce's own documentation, where they are at hand."""
    for folder in Path(__file__).resolve().parents:
        found = folder.parent / "shared" / "samples" / "woocommerce"
        if found.is_dir():
            return found
    pytest.skip("the sample folder is not here")
