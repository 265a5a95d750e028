"""Who a delivery is from."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import attrs
import pytest

from domcore.errors import PayloadError, SignatureError
from domcore.model import CaptureOrder, Envelope, Ignore
from domcore_shopify.signing import NEWER_PREFIX, PREFIX, is_signed, sign, signed_headers

SMALL = b'{"id":1,"test":true}'
UNREAD = "app/uninstalled"


def test_the_signature_is_base64_of_hmac_sha256() -> None:
    expected = base64.b64encode(hmac.new(b"key", b"body", hashlib.sha256).digest()).decode()
    assert sign(b"body", "key") == expected
    assert is_signed(b"body", f" {expected}\n", ["other", "key"])
    assert not is_signed(b"body", expected, [])
    assert not is_signed(b"body", "\ud800\u00e9", ["key"])


def test_a_signed_delivery_is_read(shop) -> None:
    assert isinstance(shop.read(shop.body()), CaptureOrder)


@pytest.mark.parametrize("prefix", [PREFIX, NEWER_PREFIX])
def test_both_spellings_of_the_headers_are_read(shop, prefix: str) -> None:
    command = shop.read(shop.body(), prefix=prefix, delivery_id="d-1")
    assert command.key == "d-1"
    envelope = shop.deliver(shop.body(), prefix=prefix)
    shouted = {name.upper(): value for name, value in envelope.headers.items()}
    assert shop.channel.receive(attrs.evolve(envelope, headers=shouted))


def test_no_bit_of_the_body_may_be_changed(shop) -> None:
    headers = shop.deliver(SMALL).headers
    for at in range(len(SMALL)):
        for bit in range(8):
            forged = bytearray(SMALL)
            forged[at] ^= 1 << bit
            with pytest.raises(SignatureError):
                shop.channel.receive(Envelope("web", bytes(forged), headers))


def test_no_character_of_the_signature_may_be_changed(shop) -> None:
    envelope = shop.deliver(SMALL)
    name = "x-shopify-hmac-sha256"
    signature = envelope.headers[name]
    forgeries = [signature[:at] + "!" + signature[at + 1 :] for at in range(len(signature))]
    forgeries += [
        "",
        " ",
        signature[:-1],
        signature + "=",
        signature.lower(),
        "\u00e9\ud800",
        "A" * 999,
    ]
    for forged in forgeries:
        with pytest.raises(SignatureError):
            shop.channel.receive(attrs.evolve(envelope, headers={**envelope.headers, name: forged}))


def test_shorter_and_longer_bodies_are_refused(shop) -> None:
    headers = shop.deliver(SMALL).headers
    for body in (SMALL[:-1], SMALL + b" ", SMALL * 2, b"", b"\xef\xbb\xbf" + SMALL):
        with pytest.raises(SignatureError):
            shop.channel.receive(Envelope("web", body, headers))


def test_several_secrets_are_accepted_during_a_rotation(shop_with) -> None:
    shop = shop_with(secrets=["new", "old"])
    for secret, known in (("new", True), ("old", True), ("older", False), ("", False)):
        envelope = Envelope("web", SMALL, signed_headers(SMALL, secret, topic=UNREAD))
        if known:
            assert shop.channel.receive(envelope)
        else:
            with pytest.raises(SignatureError):
                shop.channel.receive(envelope)


@pytest.mark.parametrize("api_bodies", ["accept", "refuse"])
def test_a_webhook_without_signature_is_refused_whatever_the_options(shop_with, api_bodies) -> None:
    shop = shop_with(api_bodies=api_bodies)
    for name in ("topic", "webhook-id", "event-id", "triggered-at"):
        for prefix in (PREFIX, NEWER_PREFIX):
            envelope = Envelope("web", b'{"orders": []}', {prefix + name: "orders/create"})
            with pytest.raises(SignatureError, match="not signed"):
                shop.channel.receive(envelope)


def test_a_channel_without_secrets_believes_no_webhook(shop_with) -> None:
    shop = shop_with(secrets=[], api_bodies="accept")
    with pytest.raises(SignatureError):
        shop.channel.receive(Envelope("web", SMALL, signed_headers(SMALL, "")))


def test_two_spellings_that_differ_are_refused(shop) -> None:
    envelope = shop.deliver(SMALL, topic=UNREAD)
    for name, error in (("hmac-sha256", SignatureError), ("topic", PayloadError)):
        headers = {**envelope.headers, NEWER_PREFIX + name: "another"}
        with pytest.raises(error):
            shop.channel.receive(attrs.evolve(envelope, headers=headers))
    same = {**envelope.headers, "shopify-topic": UNREAD}
    assert shop.channel.receive(attrs.evolve(envelope, headers=same))


def test_an_unsigned_topic_cannot_cancel_an_order(shop) -> None:
    with pytest.raises(PayloadError, match="cancelled_at") as caught:
        shop.read(shop.body(), topic="orders/cancelled")
    assert not isinstance(caught.value, SignatureError)


def test_a_delivery_for_another_shop_is_refused(shop_with) -> None:
    shop = shop_with(shop="acme.myshopify.com")
    assert shop.read(shop.body(), shop="ACME.myshopify.com")
    with pytest.raises(PayloadError, match="another shop"):
        shop.read(shop.body(), shop="evil.myshopify.com")


@pytest.mark.parametrize("value", ["x" * 256, "a\nb", "a\x00b", "\ud800"])
def test_odd_headers_are_refused_unrepeated(shop, value: str) -> None:
    for name in ("topic", "webhook-id", "event-id", "shop-domain"):
        envelope = shop.deliver(SMALL)
        headers = {**envelope.headers, f"x-shopify-{name}": value}
        with pytest.raises(PayloadError) as caught:
            shop.channel.receive(attrs.evolve(envelope, headers=headers))
        assert value not in str(caught.value)


def test_a_missing_topic_is_named(shop) -> None:
    envelope = shop.deliver(SMALL)
    headers = {k: v for k, v in envelope.headers.items() if k != "x-shopify-topic"}
    with pytest.raises(PayloadError, match="x-shopify-topic: is missing"):
        shop.channel.receive(attrs.evolve(envelope, headers=headers))


def test_fifty_megabytes_are_refused_at_once(shop) -> None:
    envelope = Envelope("web", b"[" * 50_000_000, {"x-shopify-hmac-sha256": "x"})
    started = time.perf_counter()
    with pytest.raises(SignatureError):
        shop.channel.receive(envelope)
    assert time.perf_counter() - started < 1
    with pytest.raises(PayloadError, match="larger than"):
        shop.channel.receive(shop.deliver(b"[" * 50_000_000))


def test_secrets_are_in_no_repr(shop) -> None:
    assert "a-secret" not in repr(shop.channel)
    assert "a-secret" not in repr(shop.channel._options)


def test_the_key_is_the_id_of_the_delivery(shop) -> None:
    envelope = shop.deliver(SMALL, topic="app/uninstalled", delivery_id="")
    headers = {k: v for k, v in envelope.headers.items() if k != "x-shopify-webhook-id"}
    read = shop.channel.receive
    assert read(attrs.evolve(envelope, headers=headers)) == (
        Ignore("topic app/uninstalled is not followed", ""),
    )
    headers["x-shopify-event-id"] = "e-1"
    (command,) = read(attrs.evolve(envelope, headers=headers))
    assert command.key == "e-1:app/uninstalled"
    headers["x-shopify-webhook-id"] = "w-1"
    (command,) = read(attrs.evolve(envelope, headers=headers))
    assert command.key == "w-1"
