"""The demo's shop: order bodies as Shopify's webhooks carry them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from random import Random
from typing import Any, Final, NamedTuple

from domcore.demo.catalog import SCARCE, Good

OPENED: Final = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
_GIVEN: Final = (
    "Alex", "Brook", "Casey", "Devon", "Ellis", "Frances", "Gray", "Harper", "Indigo", "Jules",
    "Kai", "Lane", "Morgan", "Noel", "Oakley", "Parker", "Quinn", "Reese", "Sage", "Taylor",
)  # fmt: skip
_FAMILY: Final = (
    "Abbott", "Bell", "Carver", "Dale", "Everett", "Frost", "Glenn", "Hale", "Irving", "Jordan",
    "Keller", "Lowe", "Mercer", "North", "Osborn", "Page", "Rowe", "Stone", "Turner", "Vance",
)  # fmt: skip
_STREETS: Final = ("Oak St", "Maple Ave", "2nd St", "Lakeview Dr", "Hill Rd", "Park Blvd")
_TIERS: Final = (("", 80), ("gold", 15), ("platinum", 5))

Body = dict[str, Any]


class Place(NamedTuple):
    """A postal area that people order from."""

    city: str
    state: str
    zip: str


class Shop:
    """Writes orders, one after the other, each a little later than the last."""

    def __init__(self, goods: Sequence[Good], random: Random) -> None:
        self._random = random
        self._usual = goods[:-SCARCE]
        self._weights = [1 / rank**0.65 for rank in range(1, len(self._usual) + 1)]
        self.scarce = goods[-SCARCE:]
        text = resources.files("domcore.demo").joinpath("cities.csv").read_text("utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        self._places = [Place(row["city"], row["state"], row["zip"]) for row in rows]
        self._shares = [int(row["weight"]) for row in rows]
        self._number = 1000
        self.now = OPENED

    def basket(self) -> list[tuple[Good, int]]:
        """A few goods, popular ones more often."""
        size = self._random.choices((1, 2, 3, 4, 5), (42, 27, 17, 9, 5))[0]
        goods = {
            good.sku: good for good in self._random.choices(self._usual, self._weights, k=size)
        }
        return [(good, self._random.choices((1, 2, 3), (82, 13, 5))[0]) for good in goods.values()]

    def order(self, lines: Sequence[tuple[Good, int]], place: Place | None = None) -> Body:
        """The body of a new order for these goods."""
        self._number += 1
        self.now += timedelta(seconds=self._random.randint(20, 240))
        when, number = written(self.now), self._number
        person = self._person(place or self._random.choices(self._places, self._shares)[0])
        tier = self._random.choices([name for name, _ in _TIERS], [each for _, each in _TIERS])[0]
        order_id = 5_600_000_000_000 + number * 1117
        body: Body = {
            "id": order_id,
            "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
            "name": f"#{number}",
            "order_number": number,
            "created_at": when,
            "processed_at": when,
            "updated_at": when,
            "cancelled_at": None,
            "cancel_reason": None,
            "closed_at": None,
            "currency": "USD",
            "presentment_currency": "USD",
            "financial_status": "paid",
            "fulfillment_status": None,
            "test": False,
            "tags": tier,
            "note": None,
            "email": person["email"],
            "phone": None,
            "customer": {"id": order_id + 7, "email": person["email"], "tags": tier},
            "shipping_address": person["address"],
            "shipping_lines": [{"code": "Standard", "title": "Standard", "price": "0.00"}],
            "line_items": [
                self._line(order_id, at, good, units) for at, (good, units) in enumerate(lines)
            ],
        }
        return priced(body)

    def gift_card(self, body: Body) -> Body:
        """The order with a gift card on it, which nobody ships."""
        line = {
            "id": body["id"] * 10 + 9,
            "variant_id": None,
            "sku": "",
            "title": "Gift card",
            "name": "Gift card - $50",
            "quantity": 1,
            "current_quantity": 1,
            "fulfillable_quantity": 1,
            "grams": 0,
            "price": "50.00",
            "gift_card": True,
            "requires_shipping": False,
            "properties": [],
        }
        return priced({**body, "line_items": [*body["line_items"], line]})

    def unknown(self, body: Body) -> Body:
        """The order with a SKU that nobody has told domcore of."""
        first = {**body["line_items"][0], "sku": "NEW-0001"}
        return {**body, "line_items": [first, *body["line_items"][1:]]}

    def _line(self, order_id: int, at: int, good: Good, units: int) -> Body:
        return {
            "id": order_id * 10 + at,
            "variant_id": good.variant_id,
            "product_id": good.variant_id - 11,
            "sku": good.sku,
            "title": good.name,
            "name": good.name,
            "quantity": units,
            "current_quantity": units,
            "fulfillable_quantity": units,
            "grams": good.grams,
            "price": money(good.cents),
            "gift_card": False,
            "requires_shipping": True,
            "fulfillment_status": None,
            "properties": [],
        }

    def _person(self, place: Place) -> Body:
        given, family = self._random.choice(_GIVEN), self._random.choice(_FAMILY)
        street = f"{self._random.randint(1, 999)} {self._random.choice(_STREETS)}"
        return {
            "email": f"{given}.{family}@example.com".lower(),
            "address": {
                "first_name": given,
                "last_name": family,
                "name": f"{given} {family}",
                "company": None,
                "phone": f"555-01{self._random.randint(0, 99):02d}",
                "address1": street,
                "address2": None,
                "city": place.city,
                "province": place.state,
                "province_code": place.state,
                "zip": place.zip,
                "country": "United States",
                "country_code": "US",
            },
        }


def changed(body: Body, now: datetime, units: int) -> Body:
    """A later revision of an order: so many units of its first line."""
    first = body["line_items"][0]
    line = {**first, "current_quantity": units, "fulfillable_quantity": units}
    if units > first["quantity"]:
        line["quantity"] = units
    lines = [line, *body["line_items"][1:]]
    return priced({**body, "updated_at": written(now), "line_items": lines})


def cancelled(body: Body, now: datetime) -> Body:
    """The order as it looks when it is cancelled."""
    when = written(now)
    return {**body, "updated_at": when, "cancelled_at": when, "cancel_reason": "customer"}


def priced(body: Body) -> Body:
    """The order with its totals, as decimal text in both money fields."""
    lines = body["line_items"]
    cents = sum(int(line["price"].replace(".", "")) * line["current_quantity"] for line in lines)
    total = money(cents)
    both = {"amount": total, "currency_code": "USD"}
    return {
        **body,
        "subtotal_price": total,
        "total_price": total,
        "current_total_price": total,
        "total_price_set": {"shop_money": both, "presentment_money": both},
    }


def money(cents: int) -> str:
    """Cents as decimal text."""
    return f"{cents // 100}.{cents % 100:02d}"


def written(moment: datetime) -> str:
    """A time as the shop writes it, in its own offset."""
    local = moment - timedelta(hours=5)
    return f"{local:%Y-%m-%dT%H:%M:%S}-05:00"
