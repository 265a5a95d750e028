"""Signatures of Shopify deliveries: base64 of the HMAC-SHA256 of the raw body.

Only the body is signed. Topic, delivery id and shop stand in headers that anybody could change on
the way, so nothing that matters may be believed of them alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

SIGNATURE = "hmac-sha256"
TOPIC = "topic"
DELIVERY = "webhook-id"
EVENT = "event-id"
SHOP = "shop-domain"
TRIGGERED = "triggered-at"

PREFIX = "x-shopify-"
NEWER_PREFIX = "shopify-"


def sign(body: bytes, secret: str) -> str:
    """The signature of `body`, as the header carries it."""
    digest = hmac.digest(secret.encode("utf-8"), body, hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def is_signed(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Whether `signature` is that of `body` under any of `secrets`.

    The time it takes tells neither how much of a signature was right nor which secret fitted.
    """
    given = signature.strip().encode("utf-8", "surrogatepass")
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(sign(body, secret).encode("ascii"), given)
    return found


def signed_headers(
    body: bytes,
    secret: str,
    *,
    topic: str = "orders/create",
    shop: str = "",
    delivery_id: str = "",
    triggered_at: str = "",
    prefix: str = PREFIX,
) -> dict[str, str]:
    """Headers of a delivery as Shopify sends it.

    Args:
        delivery_id: the webhook id; made from the body and the topic when it is not given, so
            that the same call gives the same delivery.
        prefix: `PREFIX`, or `NEWER_PREFIX` for the spelling without ``x-``.
    """
    made = str(uuid5(NAMESPACE_URL, f"{topic}:{hashlib.sha256(body).hexdigest()}"))
    headers = {
        "content-type": "application/json",
        prefix + SIGNATURE: sign(body, secret),
        prefix + TOPIC: topic,
        prefix + DELIVERY: delivery_id or made,
    }
    if shop:
        headers[prefix + SHOP] = shop
    if triggered_at:
        headers[prefix + TRIGGERED] = triggered_at
    return headers
