"""The common channel suite, structure fuzzing, and the samples of Shopify's own library."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domcore.contracts import Channel
from domcore.errors import DomcoreError
from domcore.model import CancelOrder, CaptureOrder, Envelope, ShippedElsewhere
from domcore.testing.channel_suite import ChannelSuite


class TestShopify(ChannelSuite):
    """`domcore.testing`'s suite on a channel that accepts webhooks and API bodies."""

    permutations = 100

    @pytest.fixture(autouse=True)
    def _shop(self, shop, shop_with) -> None:
        self.shop = shop
        self.shop_with = shop_with

    def channel(self) -> Channel:
        channel: Channel = self.shop_with(
            api_bodies="accept",
            tiers={"vip": "gold"},
            services={"DHL-EXP": "express"},
            line_properties={"Gift wrap": "gift_wrap"},
            locations={"11": "NYC"},
            stock="counts",
        ).channel
        return channel

    def deliveries(self) -> list[Envelope]:
        shop = self.shop
        cancelled = shop.body(lambda order: order.update(cancelled_at=order["updated_at"]))
        return [
            shop.deliver(shop.body()),
            shop.deliver(cancelled, topic="orders/cancelled"),
            shop.deliver({"id": 1}, topic="products/update"),
            shop.deliver(shop.refund([(101, 1, "cancel"), (102, 1, "return")]), "refunds/create"),
            Envelope("web", json.dumps({"orders": [shop.body()]}).encode()),
        ]

    def deliver(self, body: bytes) -> Envelope:
        envelope: Envelope = self.shop.deliver(body)
        return envelope

    def life(self) -> list[Envelope]:
        """Placed, tagged, refunded in part, told whole again, and counted."""
        shop = self.shop
        stock = {
            "inventory_item_id": 77,
            "location_id": 11,
            "available": 5,
            "updated_at": "2026-01-05T08:00:00Z",
        }
        refund = shop.refund([(101, 1, "cancel"), (103, 1, "no_restock")])

        def tagged(order: dict[str, Any]) -> None:
            order.update(updated_at="2026-03-02T09:16:00+01:00", tags="vip")

        def refunded(order: dict[str, Any]) -> None:
            order.update(updated_at="2026-03-02T09:30:01+01:00", tags="vip")
            order["line_items"][0]["current_quantity"] = 1
            order["line_items"][2]["current_quantity"] = 0

        return [
            shop.deliver(shop.body()),
            shop.deliver(shop.body(tagged), "orders/updated"),
            shop.deliver(refund, "refunds/create"),
            shop.deliver(shop.body(refunded), "orders/updated"),
            shop.deliver(
                shop.refund([(102, 1, "cancel")], id=72, at="2026-03-02T09:40:00+01:00"),
                "refunds/create",
            ),
            shop.deliver(stock, "inventory_levels/update"),
            shop.deliver({"id": 1}, "products/update"),
        ]

    def golden(self) -> list[tuple[Envelope, dict[str, object]]]:
        """An order as the shop's admin shows it, and a count."""
        order: dict[str, object] = {
            "order.external_id": "5501",
            "order.number": "#2044",
            "order.currency": "EUR",
            "order.placed_at": datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC),
            "order.lines.0.id": "101",
            "order.lines.0.sku": "MUG-BLUE",
            "order.lines.0.quantity": 2,
            "order.lines.0.price": 12_500_000,
            "order.destination.country": "AT",
        }
        level = {"inventory_item_id": 77, "location_id": 11, "available": 5}
        count = {**level, "updated_at": "2026-01-05T08:00:00Z"}
        counted: dict[str, object] = {"counts.0.node": "NYC", "counts.0.on_hand": 5}
        return [
            (self.shop.deliver(self.shop.body()), order),
            (self.shop.deliver(count, "inventory_levels/update"), counted),
        ]

    def personal_data(self) -> list[str]:
        return ["Mira", "Okafor", "Seilergasse", "mira.okafor@post.example", "Bregenz", "5574"]


_leaf = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**65)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["1.50", "EUR", "fulfilled", "2026-03-02T09:15:03Z", "\x00", "é"])
)
_value = st.recursive(
    _leaf,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "amount", "tags", "name", "value", "shop_money"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        inner = []
    return [path] + [place for key, each in inner for place in places(each, (*path, key))]


@pytest.fixture
def curious(shop_with) -> Any:
    return shop_with(
        test_orders="capture",
        fulfilled_orders="capture",
        tiers={"vip": "gold"},
        services={"x": "y"},
        line_properties={"Gift wrap": "wrap"},
        note_attributes={"gift": "gift"},
    )


@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_structure_is_read_or_refused(curious, data: st.DataObject) -> None:
    body = curious.body()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(body)[1:]))
        holder = body
        for step in place[:-1]:
            holder = holder[step]
        if data.draw(st.booleans()):
            holder[place[-1]] = data.draw(_value)
        else:
            del holder[place[-1]]
    try:
        command = curious.read(body)
    except DomcoreError as error:
        text = str(error)
        assert "Okafor" not in text
        assert "Seilergasse" not in text
    else:
        assert isinstance(command, CaptureOrder | CancelOrder)


DEEP = b"[" * 500 + b"]" * 500


@pytest.mark.parametrize(
    ("mangle", "match"),
    [
        (lambda raw: raw[: len(raw) // 2], "at byte"),
        (
            lambda raw: raw.replace(b'"id": 5501', b'"id": 5501, "id": 5502'),
            r"\$\.id: the same key",
        ),
        (lambda raw: raw.replace(b"Seilergasse", b"\xfc\xff"), "not UTF-8"),
        (lambda raw: raw.replace(b'"Seilergasse 4"', b'"\\ud800"'), "surrogate"),
        (
            lambda raw: raw.replace(b'"refunds": []', b'"refunds": ' + b"[" * 500 + b"]" * 500),
            "deep",
        ),
        (lambda raw: raw.replace(b"5501", b"9" * 30), "64 bits"),
        (lambda raw: raw.replace(b'"grams": 350', b'"grams": NaN'), "finite"),
        (lambda raw: raw.replace(b'"grams": 350', b'"grams": 1e999999'), r"grams"),
    ],
)
def test_bodies_that_are_not_quite_json_are_refused(shop, mangle, match: str) -> None:
    with pytest.raises(DomcoreError, match=match):
        shop.read(mangle(json.dumps(shop.body()).encode()))


def test_a_byte_order_mark_does_no_harm(shop) -> None:
    assert shop.read(b"\xef\xbb\xbf" + json.dumps(shop.body()).encode())


def test_the_samples_of_shopifys_library_are_read(shop_with, samples) -> None:
    shop = shop_with(api_bodies="accept")
    seen = []
    for file in sorted(samples.glob("*-order-order*.json")):
        raw = file.read_bytes()
        told = shop.channel.receive(Envelope("web", raw))
        commands = [each for each in told if not isinstance(each, ShippedElsewhere)]
        value = json.loads(raw)
        bodies = value.get("orders") or [value["order"]]
        assert len(commands) == len(bodies)
        seen += commands
        signed = [shop.read(body, topic="orders/updated") for body in bodies]
        assert [type(each) for each in signed] == [type(each) for each in commands]
        for word in ("Bob", "Norman", "Chestnut", "mail.example.com", "557734881234"):
            for command in commands:
                kept = command.order if isinstance(command, CaptureOrder) else command
                assert word not in repr(kept)
    cancelled = [each for each in seen if isinstance(each, CancelOrder)]
    captured = [each for each in seen if isinstance(each, CaptureOrder)]
    assert cancelled
    assert captured
    assert [line.quantity for line in captured[0].order.lines] == [0, 1, 0]
    assert captured[0].order.lines[1].price == 199_000_000
    assert captured[0].order.destination.region == "KY"


def test_a_large_webhook_costs_little(shop) -> None:
    def grow(order: dict[str, Any]) -> None:
        lines = order["line_items"]
        order["line_items"] = [{**lines[at % 3], "id": at + 1} for at in range(42)]

    envelope = shop.deliver(shop.body(grow))
    assert 28_000 < len(envelope.body) < 36_000
    best = min(_timed(shop, envelope) for _ in range(30))
    assert best < 0.02


def _timed(shop: Any, envelope: Envelope) -> float:
    started = time.process_time()
    shop.channel.receive(envelope)
    return time.process_time() - started
