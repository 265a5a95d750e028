"""Deliveries: who they are from, and those that are no order."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from domcore.contracts import Channel, PullsOrders
from domcore.errors import ConfigurationError, PayloadError, SignatureError
from domcore.model import CancelOrder, CaptureOrder, Envelope, Ignore
from domcore.plugins import Plugins
from domcore.settings import ChannelSettings, Settings
from domcore_woocommerce import plugin
from domcore_woocommerce.building import build_channels
from domcore_woocommerce.signing import SIGNATURE, sign, signed_headers

SECRET = "a-webhook-secret"


def built(environ=None, publish="total", **options):
    settings = ChannelSettings("blog", "woocommerce", "acme", options, publish=publish)
    (channel,) = build_channels([settings], environ or {}, 0)
    return channel


def test_a_signed_delivery_is_believed_with_any_of_the_secrets(shop_with, shop) -> None:
    both = shop_with(webhook_secrets=["newer", SECRET])
    assert isinstance(both.read(shop.body()), CaptureOrder)
    with pytest.raises(SignatureError, match="none of the channel's secrets"):
        shop_with(webhook_secrets=["newer"]).read(shop.body())


def test_every_changed_byte_breaks_the_signature(shop) -> None:
    body = b'{"id": 1}'
    delivery = shop.deliver(body, "product.updated")
    for at in range(len(body)):
        forged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        with pytest.raises(SignatureError):
            shop.channel.receive(Envelope("blog", forged, delivery.headers))


@pytest.mark.parametrize("signature", ["", "  ", "x", "é", "\ud800", "=" * 1000])
def test_anything_else_is_no_signature(shop, signature: str) -> None:
    headers = {**shop.deliver(b"{}").headers, SIGNATURE: signature}
    with pytest.raises(SignatureError):
        shop.channel.receive(Envelope("blog", b"{}", headers))


def test_without_webhook_secrets_no_delivery_is_believed(fake, shop) -> None:
    with pytest.raises(SignatureError):
        fake.channel(webhook_secrets=[]).receive(shop.deliver(shop.body()))
    empty = signed_headers(b"{}", "")
    with pytest.raises(SignatureError):
        fake.channel(webhook_secrets=[]).receive(Envelope("blog", b"{}", empty))


def test_the_ping_that_saving_a_webhook_sends_is_neither_signed_nor_json(shop) -> None:
    (command,) = shop.channel.receive(Envelope("blog", b"webhook_id=142"))
    assert isinstance(command, Ignore)
    assert isinstance(shop.read(b"webhook_id=142"), Ignore)
    for body in (b"webhook_id=", b"webhook_id=1&x=2", b" webhook_id=1", b"webhook_id=" + b"9" * 99):
        with pytest.raises(SignatureError):
            shop.channel.receive(Envelope("blog", body))
    with pytest.raises(SignatureError):
        shop.channel.receive(Envelope("blog", b"webhook_id=1", {SIGNATURE: sign(b"x", SECRET)}))


def test_headers_may_be_spelt_in_any_case(shop) -> None:
    delivery = shop.deliver(shop.body(), delivery_id="d-1")
    headers = {name.upper(): value for name, value in delivery.headers.items()}
    (command,) = shop.channel.receive(Envelope("blog", delivery.body, headers))
    assert command.key == "d-1"


def test_a_deleted_order_is_cancelled_for_good(shop, shop_with) -> None:
    command = shop.read({"id": 727}, "order.deleted")
    assert isinstance(command, CancelOrder)
    assert (command.external_id, command.reason) == ("727", "deleted")
    kept = shop_with(statuses={"trash": "ignore"})
    assert isinstance(kept.read({"id": 727}, "order.deleted"), Ignore)
    with pytest.raises(PayloadError, match=r"\$\.id"):
        shop.read({"id": "../1"}, "order.deleted")


@pytest.mark.parametrize("topic", ["product.updated", "coupon.created", "customer.created"])
def test_other_topics_are_ignored_with_a_reason_and_unread(shop, topic: str) -> None:
    command = shop.read(b"not even JSON", topic)
    assert command.reason == f"topic {topic} is not followed"


def test_a_delivery_without_a_topic_is_refused(shop) -> None:
    delivery = shop.deliver(b"{}")
    headers = {name: value for name, value in delivery.headers.items() if "topic" not in name}
    with pytest.raises(PayloadError, match="x-wc-webhook-topic: is missing"):
        shop.channel.receive(Envelope("blog", b"{}", headers))


def test_an_order_with_refunds_waits_for_the_pull_that_knows_their_units(fake, shop) -> None:
    refunded = shop.body(refunds=[{"id": 9, "reason": "", "total": "-1.00"}])
    assert isinstance(shop.read(refunded), CaptureOrder)
    (command,) = fake.channel().receive(shop.deliver(refunded))
    assert isinstance(command, Ignore)
    assert "next pull" in command.reason


def test_a_body_larger_than_wanted_is_refused_unread(shop_with) -> None:
    shop = shop_with(most_bytes=10)
    with pytest.raises(PayloadError, match="larger than 10 bytes"):
        shop.read(b"x" * 11)


def test_register_channels(monkeypatch) -> None:
    monkeypatch.setenv("WOO", "s")
    plugins = Plugins()
    plugins.register(plugin, "woocommerce")
    channels = (
        ChannelSettings("blog", "woocommerce", "main", {"webhook_secrets": ["env:WOO"]}),
        ChannelSettings("edi", "x12"),
        ChannelSettings(
            "outlet",
            "woocommerce",
            "other",
            {"url": "https://o.example", "key": "env:WOO", "secret": "env:WOO"},
        ),
    )
    dom = SimpleNamespace(settings=Settings(channels=channels))
    found = [each for _, each in plugins.collect("register_channels", Channel, dom=dom)]
    assert [each.name for each in found] == ["blog", "outlet"]
    assert [isinstance(each, PullsOrders) for each in found] == [False, True]
    nobody = SimpleNamespace(settings=Settings())
    assert plugins.collect("register_channels", Channel, dom=nobody) == []


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys, domcore_woocommerce.plugin\n"
        "assert not {'cattrs', 'msgspec', 'httpx', 'stamina'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "needs key and secret"),
        ({"key": "ck"}, "go together"),
        ({"secret": "cs_canary"}, "go together"),
        ({"key": "ck", "secret": "cs_canary"}, "nothing is sent unencrypted"),
        ({"key": "ck", "secret": "cs_canary", "url": "http://a.example"}, "unencrypted"),
        ({"key": "ck", "secret": "cs_canary", "url": "https://u:p@a.example"}, "url must be"),
        ({"key": "ck", "secret": "cs_canary", "url": "https://a.example/?q"}, "url must be"),
        ({"webhook_secrets": ["env:NOT_SET"]}, "NOT_SET is not set"),
        ({"webhook_secrets": ["s"], "statuses": {"x": "sell"}}, "statuses.x"),
        ({"webhook_secrets": ["s"], "status": {}}, "did you mean 'statuses'"),
        ({"webhook_secrets": ["s"], "calls_per_second": 0}, "calls_per_second"),
    ],
)
def test_wrong_options_say_what_is_wrong(options, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match) as caught:
        built(**options)
    assert str(caught.value).startswith("channels.blog")
    assert "canary" not in str(caught.value)


def test_a_product_has_one_stock_so_levels_by_node_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="publish must be 'total' or 'off'"):
        built(key="ck", secret="cs", url="https://a.example", publish="nodes")


def test_secrets_are_not_shown() -> None:
    channel = built({"S": "canary"}, webhook_secrets=["env:S"])
    assert "canary" not in repr(channel) + repr(channel._options)
    assert channel._options.webhook_secrets == ("canary",)


def test_bodies_that_are_not_quite_json_are_refused(shop) -> None:
    for raw in (b'{"id": 1, "id": 2}', b"[" * 500, b"NaN", json.dumps(shop.body()).encode()[:-9]):
        with pytest.raises(PayloadError):
            shop.read(raw)
