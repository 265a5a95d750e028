"""Orders and deliveries for the tests: a fixture of our own, changed as each test needs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from domcore.model import CaptureOrder, Command, Envelope, Order
from domcore.settings import ChannelSettings
from domcore_shopify.channel import ShopifyChannel, build_channels
from domcore_shopify.signing import signed_headers

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "a-secret-of-the-app"

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
    def deliver(body: object, topic: str = "orders/create", **headers: str) -> Envelope:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Envelope("web", raw, signed_headers(raw, SECRET, topic=topic, **headers))

    def read(self, body: object, topic: str = "orders/create", **headers: str) -> Command:
        (command,) = self.channel.receive(self.deliver(body, topic, **headers))
        return command

    def captured(self, change: Change | None = None, **headers: str) -> CaptureOrder:
        command = self.read(self.body(change), **headers)
        assert isinstance(command, CaptureOrder)
        return command

    def order(self, change: Change | None = None, **headers: str) -> Order:
        return self.captured(change, **headers).order


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
