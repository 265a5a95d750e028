"""What is sent: our work and our orders in the vendor's words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen

from domcore.model import Handover, Order, Person
from domcore_amazon_mcf.options import Options
from domcore_amazon_mcf.text import latin, one_line

MOST_ID: Final = 40
MOST_ITEM_ID: Final = 50
MOST_SKU: Final = 50
MOST_LINES: Final = 100
MOST_UNITS: Final = 250
MOST_COMMENT: Final = 750
MOST_ADDRESS: Final = 180
HASHED: Final = "~"

_OURS = re.compile(r"\d{1,19}-\d{1,9}-[A-Za-z0-9._-]+\Z", re.ASCII)


class Unfit(Exception):  # noqa: N818 - reads as the outcome it names
    """The vendor does not take such work. The text is for people and names nobody."""


@frozen(slots=True)
class Names:
    """Our keys, lines and SKUs, and what they are called at the vendor."""

    options: Options

    def order(self, key: str) -> str:
        """The seller's order id for a key.

        Raises:
            Unfit: it would be too long, or has characters that belong in no URL.
        """
        name = self.options.prefix + key
        if len(name) > MOST_ID or not _OURS.match(key):
            raise Unfit(
                f"the order id would be longer than {MOST_ID} characters, or not made of letters,"
                " digits, '.', '_' and '-': give the node a shorter, plainer id"
            )
        return name

    def key(self, name: str) -> str | None:
        """The key behind a seller's order id; None for an order that is not ours."""
        key = name.removeprefix(self.options.prefix)
        return key if name.startswith(self.options.prefix) and _OURS.match(key) else None

    def sku(self, sku: str) -> str:
        """The seller SKU for ours.

        Raises:
            Unfit: it is too long.
        """
        name = self.options.skus.get(sku, sku)
        if not 0 < len(name) <= MOST_SKU:
            raise Unfit(f"a seller SKU has at most {MOST_SKU} characters: map it in skus")
        return name

    def line(self, item: str, sku: str) -> str:
        """The line id behind an item id; where that is a digest, our SKU for the vendor's."""
        if not item.startswith(HASHED):
            return item
        return next((ours for ours, theirs in self.options.skus.items() if theirs == sku), sku)


def item_id(line: str) -> str:
    """A line's id as the vendor may know it: itself, or a digest where it is too long or odd."""
    plain = line.isascii() and line.isprintable() and line == line.strip()
    if plain and 0 < len(line) <= MOST_ITEM_ID and not line.startswith(HASHED):
        return line
    return HASHED + hashlib.sha256(line.encode("utf-8")).hexdigest()[: MOST_ITEM_ID - 2]


def order_body(handover: Handover, names: Names) -> dict[str, Any]:
    """The body of createFulfillmentOrder.

    Raises:
        Unfit: the vendor does not take such work.
    """
    options, order = names.options, handover.order
    lines = handover.fulfillment_order.lines
    name = names.order(handover.key)
    shown = latin(order.number or order.external_id, MOST_ID)
    body: dict[str, Any] = {
        "marketplaceId": options.marketplace_id,
        "sellerFulfillmentOrderId": name,
        "displayableOrderId": shown or name,
        "displayableOrderDate": order.placed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "displayableOrderComment": _comment(handover.person, options.comment),
        "shippingSpeedCategory": options.speed_of(order.service),
        "fulfillmentAction": "Ship",
        "fulfillmentPolicy": options.policy,
        "destinationAddress": address(handover.person),
        "items": items(((line, sku, units) for line, sku, units in lines), names),
    }
    return _with_features(body, options.features)


def _comment(person: Person | None, comment: str) -> str:
    """What stands on the packing slip: the customer's own words, where there are any."""
    words = latin(one_line(person.gift_message), MOST_COMMENT) if person else ""
    return words or comment


def preview_body(order: Order, names: Names) -> dict[str, Any]:
    """The body of getFulfillmentPreview: where it goes to, but not to whom.

    Raises:
        Unfit: the vendor does not take such work.
    """
    options, place = names.options, order.destination
    if place is None or not place.postal or len(place.country) != 2:
        raise Unfit("the order has no postal code to quote for")
    wanted = [(each.id, each.sku, each.quantity) for each in order.lines if each.ships]
    body: dict[str, Any] = {
        "marketplaceId": options.marketplace_id,
        "address": {
            "name": options.quote_name,
            "addressLine1": options.quote_street,
            "city": options.quote_city,
            "stateOrRegion": place.region,
            "postalCode": place.postal,
            "countryCode": place.country,
        },
        "items": items(wanted, names),
        "shippingSpeedCategories": [options.speed_of(order.service)],
        "includeCODFulfillmentPreview": False,
    }
    return _with_features(body, options.features)


def items(wanted: Iterable[tuple[str, str, int]], names: Names) -> list[dict[str, Any]]:
    """Lines as the vendor's items.

    Raises:
        Unfit: there are none, or more than the vendor takes.
    """
    rows = [
        {
            "sellerSku": names.sku(sku),
            "sellerFulfillmentOrderItemId": item_id(line),
            "quantity": units,
        }
        for line, sku, units in wanted
        if units > 0
    ]
    if not 0 < len(rows) <= MOST_LINES or sum(int(str(row["quantity"])) for row in rows) > (
        MOST_UNITS
    ):
        raise Unfit(f"an order has 1 to {MOST_LINES} lines and at most {MOST_UNITS} units")
    return rows


def address(person: Person | None) -> dict[str, str]:
    """Where it goes to, and to whom.

    Raises:
        Unfit: too little is known of it, or too much is said.
    """
    if person is None:
        raise Unfit("there is no address: it was never given, or has been erased")
    name, company = one_line(person.name), one_line(person.company)
    street = [line for line in map(one_line, (company if name else "", *person.street)) if line]
    if len(street) > 3:
        street[2:] = [", ".join(street[2:])]
    found = {
        "name": name or company,
        "city": one_line(person.city),
        "stateOrRegion": one_line(person.region),
        "postalCode": one_line(person.postal),
        "countryCode": one_line(person.country).upper(),
        "phone": one_line(person.phone),
        **{f"addressLine{number}": line for number, line in enumerate(street, 1)},
    }
    missing = [
        field
        for field in ("name", "addressLine1", "postalCode", "countryCode")
        if not found.get(field)
    ]
    if missing:
        raise Unfit(f"the address has no {', '.join(missing)}")
    if len(found["countryCode"]) != 2 or not found["countryCode"].isalpha():
        raise Unfit("the address names no country by its two letters")
    if any(len(text) > MOST_ADDRESS for text in found.values()):
        raise Unfit(f"a line of the address is longer than {MOST_ADDRESS} characters")
    return {field: text for field, text in found.items() if text}


def _with_features(body: dict[str, Any], features: Mapping[str, str]) -> dict[str, Any]:
    if features:
        body["featureConstraints"] = [
            {"featureName": name, "featureFulfillmentPolicy": wanted}
            for name, wanted in sorted(features.items())
        ]
    return body
