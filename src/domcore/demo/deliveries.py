"""The demo's webhooks: the shop's orders as signed deliveries, awkward ones among them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from domcore.demo.catalog import Good
from domcore.demo.shop import Body, Place, Shop, cancelled, changed

DOMAIN: Final = "domcore-demo.myshopify.com"
NOWHERE: Final = Place("Nowhere", "WY", "00009")


class Delivery(NamedTuple):
    """One webhook as it would arrive."""

    body: str
    headers: dict[str, str]


class Sender:
    """Signs bodies and numbers them, as the shop's server does."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._count = 0

    def send(self, topic: str, body: Body, *, secret: str = "") -> Delivery:
        """A delivery of `body`; with `secret`, one that somebody else has signed."""
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        self._count += 1
        key = secret.encode() or self._secret
        signature = hmac.new(key, text.encode(), hashlib.sha256).digest()
        return Delivery(
            text,
            {
                "Content-Type": "application/json",
                "X-Shopify-Topic": topic,
                "X-Shopify-Hmac-Sha256": base64.b64encode(signature).decode(),
                "X-Shopify-Shop-Domain": DOMAIN,
                "X-Shopify-API-Version": "2026-07",
                "X-Shopify-Webhook-Id": f"b54557e4-bdd9-4b37-8a5f-{self._count:012d}",
                "X-Shopify-Triggered-At": body["updated_at"],
            },
        )


def make_deliveries(
    goods: Sequence[Good], random: Random, *, secret: str, orders: int
) -> list[Delivery]:
    """Webhooks for some `orders` orders, in the order in which they arrive."""
    shop, sender = Shop(goods, random), Sender(secret)
    usual = [
        sender.send("orders/create", shop.order(shop.basket())) for _ in range(max(0, orders - 34))
    ]
    awkward = [list(story) for story in _stories(shop, sender)]
    random.shuffle(awkward)
    slots = sorted(random.sample(range(len(usual) + 1), min(len(awkward), len(usual) + 1)))
    arrived: list[Delivery] = []
    for at, delivery in enumerate([*usual, None]):
        while slots and slots[0] == at:
            slots.pop(0)
            arrived += awkward.pop(0)
        if delivery is not None:
            arrived.append(delivery)
    return arrived + [each for story in awkward for each in story]


def _stories(shop: Shop, sender: Sender) -> Iterator[list[Delivery]]:
    """What goes wrong in the life of a shop: each story is a few deliveries in a row."""
    yield from _scarce(shop, sender)
    yield from _odd_orders(shop, sender)
    yield from _odd_deliveries(shop, sender)
    yield from _cancellations(shop, sender)


def _scarce(shop: Shop, sender: Sender) -> Iterator[list[Delivery]]:
    """Goods of which two stores have a few: splits, and in the end shortages."""
    for at in range(10):
        lines = [(shop.scarce[at], 2), *shop.basket()[:2]]
        yield [sender.send("orders/create", shop.order(lines))]
    for _ in range(6):
        yield [sender.send("orders/create", shop.order([(shop.scarce[0], 3)]))]
    for at in range(20, 24):
        both = [(shop.scarce[at], 1), (shop.scarce[at + 8], 1)]
        yield [sender.send("orders/create", shop.order(both))]


def _odd_orders(shop: Shop, sender: Sender) -> Iterator[list[Delivery]]:
    """Orders that are not like the others."""
    nameless = shop.order(shop.basket()[:1])
    nameless["line_items"][0]["sku"] = ""
    for body in (
        nameless,
        shop.gift_card(shop.order([])),
        shop.gift_card(shop.order(shop.basket())),
        {**shop.order(shop.basket()), "shipping_address": None},
        {**shop.order(shop.basket()), "test": True},
        shop.order(shop.basket(), NOWHERE),
        changed(shop.order(shop.basket() + shop.basket()), shop.now, 0),
    ):
        yield [sender.send("orders/create", body)]


def _odd_deliveries(shop: Shop, sender: Sender) -> Iterator[list[Delivery]]:
    """Repeated, overtaken, forged."""
    once = sender.send("orders/create", shop.order(shop.basket()))
    yield [once, once, once]
    body = shop.order(shop.basket())
    yield [sender.send("orders/create", body), sender.send("orders/create", body)]
    body = shop.order(shop.basket())
    later = changed(body, shop.now + timedelta(minutes=3), 2)
    yield [sender.send("orders/updated", later), sender.send("orders/create", body)]
    body = shop.order(shop.basket())
    more = changed(body, shop.now + timedelta(minutes=9), 3)
    yield [sender.send("orders/create", body), sender.send("orders/updated", more)]
    yield [sender.send("orders/create", shop.order(shop.basket()), secret="not the shop")]
    yield [sender.send("orders/create", shop.unknown(shop.order(shop.basket())))]
    honest = sender.send("orders/create", shop.order([(shop.scarce[1], 1)]))
    yield [honest._replace(body=honest.body.replace('"quantity":1', '"quantity":9'))]


def _cancellations(shop: Shop, sender: Sender) -> Iterator[list[Delivery]]:
    """Cancelled after, and cancelled before anybody has heard of the order."""
    body = shop.order(shop.basket())
    gone = cancelled(body, shop.now + timedelta(minutes=20))
    yield [sender.send("orders/create", body), sender.send("orders/cancelled", gone)]
    body = shop.order(shop.basket())
    gone = cancelled(body, shop.now + timedelta(minutes=1))
    yield [sender.send("orders/cancelled", gone), sender.send("orders/create", body)]


def write_deliveries(path: Path, deliveries: Sequence[Delivery]) -> None:
    """A file of deliveries: JSON Lines, each with its raw body and headers."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for delivery in deliveries:
            file.write(json.dumps(delivery._asdict(), ensure_ascii=False) + "\n")
