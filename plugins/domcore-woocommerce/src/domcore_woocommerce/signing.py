"""Signatures of WooCommerce deliveries: base64 of the HMAC-SHA256 of the raw body.

Only the body is signed; what stands in headers beside it is believed of nothing that matters.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

PREFIX = "x-wc-webhook-"
SIGNATURE = PREFIX + "signature"
TOPIC = PREFIX + "topic"
SOURCE = PREFIX + "source"
DELIVERY = PREFIX + "delivery-id"


def sign(body: bytes, secret: str) -> str:
    """The signature of `body`, as the header carries it."""
    digest = hmac.digest(secret.encode("utf-8"), body, hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def is_signed(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Whether `signature` is that of `body` under any of `secrets`, in constant time."""
    given = signature.strip().encode("utf-8", "surrogatepass")
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(sign(body, secret).encode("ascii"), given)
    return found


def signed_headers(
    body: bytes,
    secret: str,
    *,
    topic: str = "order.updated",
    source: str = "https://shop.example/",
    delivery_id: str = "",
) -> dict[str, str]:
    """Headers of a delivery as WooCommerce sends it; the id is made from topic and body when it is
    not given."""
    made = uuid5(NAMESPACE_URL, f"{topic}:{hashlib.sha256(body).hexdigest()}").hex
    resource, _, event = topic.partition(".")
    return {
        "content-type": "application/json",
        SOURCE: source,
        TOPIC: topic,
        PREFIX + "resource": resource,
        PREFIX + "event": event,
        SIGNATURE: sign(body, secret),
        PREFIX + "id": "1",
        DELIVERY: delivery_id or made,
    }
