"""A shop at its worst: wrong dates, hosts that are none, answers without end, odd tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from domcore.codec.strict import make_converter
from domcore.errors import ConfigurationError, ConnectorError, PayloadError
from domcore.model import CaptureOrder
from domcore.settings import ChannelSettings
from domcore_shopify.api import Api
from domcore_shopify.options import read_options


def pulled(fake: Any, cursor: str = "") -> tuple[list[Any], str]:
    commands: list[Any] = []
    for _ in range(50):
        page = fake.channel().pull(cursor)
        commands += page.commands
        cursor = page.cursor
        if not page.more:
            return commands, cursor
    raise AssertionError("it never ends")


def ids(commands: list[Any]) -> set[str]:
    return {each.order.external_id for each in commands if isinstance(each, CaptureOrder)}


def place(fake: Any, updated_at: str) -> int:
    id: int = fake.place()
    fake.orders[id]["updated_at"] = updated_at
    return id


def test_an_order_dated_in_the_future_hides_no_other(fake) -> None:
    fake.place()
    place(fake, "2399-01-01T00:00:00+00:00")
    first, cursor = pulled(fake)
    assert len(ids(first)) == 2
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    late = place(fake, now.isoformat())
    later, cursor = pulled(fake, cursor)
    assert ids(later) == {str(late)}
    assert pulled(fake, cursor)[0] == []


@pytest.mark.parametrize("country", ["", " ", None])
def test_an_address_without_a_country_is_no_destination(shop, country: Any) -> None:
    order = shop.order(lambda body: body["shipping_address"].update(country_code=country))
    assert order.destination is None


@pytest.mark.parametrize("country", ["U", "U1", "\u00e9\u00e9", "USA"])
def test_a_country_that_is_none_is_named(shop, country: str) -> None:
    with pytest.raises(PayloadError, match="country_code"):
        shop.order(lambda body: body["shipping_address"].update(country_code=country))


def options_of(**options: Any) -> Any:
    settings = ChannelSettings("shop", "shopify", options=options)
    return read_options(settings, {"TOKEN": "shpat_\u20ac-canary"}, make_converter())


@pytest.mark.parametrize(
    "shop",
    [
        "http://acme.myshopify.com", "acme.myshopify.com/admin", "acme.myshopify.com@evil.example",
        "evil.example#.myshopify.com", "evil.example?.myshopify.com", "a b", "acme\\evil", "[::1]",
        "acme.myshopify.com:x", "-acme", "../x", "",
    ],
)  # fmt: skip
def test_the_token_goes_to_no_host_that_is_spelt_oddly(shop: str) -> None:
    with pytest.raises(ConfigurationError, match="shop"):
        options_of(shop=shop, token="shpat_x")


@pytest.mark.parametrize("token", ["env:TOKEN", "two\nlines", "\u20ac"])
def test_a_token_that_fits_no_header_is_refused_unseen(token: str) -> None:
    with pytest.raises(ConfigurationError, match="token") as caught:
        options_of(shop="acme.myshopify.com", token=token)
    assert "canary" not in str(caught.value)
    assert "\u20ac" not in str(caught.value)


def test_an_answer_that_drips_is_not_waited_for() -> None:
    ticks = count(0, 30)

    def drip(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=(b" " for _ in range(10_000)))

    api = Api(
        "acme.myshopify.com",
        "t",
        "2026-07",
        transport=httpx.MockTransport(drip),
        clock=lambda: float(next(ticks)),
    )
    with pytest.raises(ConnectorError, match="ReadTimeout"):
        api.get("orders.json")


def test_the_token_follows_nobody_elsewhere(fake) -> None:
    asked: list[httpx.Request] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"location": "https://evil.example/"})

    channel = fake.channel()
    channel._connected()._client._transport = httpx.MockTransport(away)
    with pytest.raises(ConnectorError, match="302"):
        channel.pull("")
    assert "evil.example" not in {each.url.host for each in asked}


def test_a_next_page_elsewhere_is_asked_of_the_shop_itself(fake) -> None:
    """And one that follows itself ends the pull as soon as nothing new comes of it."""
    asked: list[httpx.Request] = []
    link = '<https://evil.example/admin/orders.json?page_info=again>; rel="next"'

    def same(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"orders": []}, headers={"link": link})

    channel = fake.channel()
    channel._connected()._client._transport = httpx.MockTransport(same)
    first = channel.pull("")
    again = channel.pull(first.cursor)
    assert first.more
    assert again.cursor == first.cursor
    assert "evil.example" not in {each.url.host for each in asked}
