"""A European network for the real baskets: nodes, rate cards, weights and stock, all invented.

Everything is worked out from names and counts alone, so every run plans the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from domcore.model import Band, Handling, Item, Network, Node, Point, RateCard, StockCount, micros

CURRENCY = "GBP"
POSITIONS = (
    # id, kind, city, country, latitude, longitude, part of the demand held there
    ("DC-ANTWERP", "dc", "Antwerp", "BE", "51.2194", "4.4025", 10),
    ("DC-DAVENTRY", "dc", "Daventry", "GB", "52.2573", "-1.1625", 60),
    ("DC-DUBLIN", "dc", "Dublin", "IE", "53.3498", "-6.2603", 8),
    ("DC-DUISBURG", "dc", "Duisburg", "DE", "51.4344", "6.7623", 14),
    ("DC-LYON", "dc", "Lyon", "FR", "45.7640", "4.8357", 10),
    ("DC-WARRINGTON", "dc", "Warrington", "GB", "53.3900", "-2.5970", 30),
    ("PL-GDANSK", "3pl", "Gdansk", "PL", "54.3520", "18.6466", 4),
    ("PL-MADRID", "3pl", "Madrid", "ES", "40.4168", "-3.7038", 6),
    ("PL-MALMO", "3pl", "Malmo", "SE", "55.6050", "13.0038", 5),
    ("PL-MILAN", "3pl", "Milan", "IT", "45.4642", "9.1900", 5),
    ("ST-BRISTOL", "store", "Bristol", "GB", "51.4545", "-2.5879", 4),
    ("ST-EDINBURGH", "store", "Edinburgh", "GB", "55.9533", "-3.1883", 4),
    ("ST-LEEDS", "store", "Leeds", "GB", "53.8008", "-1.5491", 4),
    ("ST-LONDON", "store", "London", "GB", "51.5074", "-0.1278", 6),
)
CARDS = {"dc": "contract", "3pl": "contract", "store": "counter"}
WORK = {"dc": ("0.90", "0.06", "0.02"), "3pl": ("1.20", "0.08", "0.03"),
        "store": ("1.60", "0.25", "0.05")}  # fmt: skip
STOCK_PERCENT = 112
"""Units in the network to units ever ordered, besides a few of everything."""


def network() -> Network:
    """Fourteen nodes; parcels priced by distance band and weight step."""
    nodes = tuple(
        Node(
            name, kind, Point.from_degrees(lat, lon), name=city, country=country,
            rate_card=CARDS[kind], handling=Handling(*(micros(amount) for amount in WORK[kind])),
        )
        for name, kind, city, country, lat, lon, _ in POSITIONS
    )  # fmt: skip
    return Network(nodes, (_card("contract", 100), _card("counter", 135)))


def _card(name: str, percent: int) -> RateCard:
    bands = (
        (150_000, "2.10", ("0.00", "0.90", "2.20", "4.60"), "0.24"),
        (600_000, "2.80", ("0.00", "1.20", "2.90", "6.10"), "0.33"),
        (1_800_000, "6.40", ("0.00", "2.60", "6.80", "14.20"), "0.85"),
        (None, "11.50", ("0.00", "6.20", "17.50", "39.00"), "2.60"),
    )
    limits = (2_000, 5_000, 15_000, 30_000)
    return RateCard(
        name,
        CURRENCY,
        tuple(
            Band(
                up_to,
                base=micros(base) * percent // 100,
                steps=tuple(
                    (limit, micros(price) * percent // 100)
                    for limit, price in zip(limits, steps, strict=True)
                ),
                over_per_kg=micros(over),
            )
            for up_to, base, steps, over in bands
        ),
    )


def items(skus: Iterable[Mapping[str, str]]) -> list[Item]:
    """Items with weights that fit their price: between 20 g and 6 kg, a dear thing is heavier."""
    made = []
    for row in skus:
        spread = 40 + _draw("weight", row["sku"], 120)
        pence = round(float(row["median_price_gbp"]) * 100)
        grams = 20 + min(5_980, pence * spread * 6 // 1000)
        made.append(Item(row["sku"], row["description"], grams))
    return made


def stock(sku: str, demand: int) -> list[StockCount]:
    """Stock of one SKU, in proportion to what will ever be ordered of it.

    The largest node holds everything; another holds it or not, by a draw that favors large ones.
    """
    holders = [
        (name, share)
        for name, *_, share in POSITIONS
        if _draw(name, sku, 100) < 25 + share * 5 // 4
    ]
    total = sum(share for _, share in holders)
    units = demand * STOCK_PERCENT // 100 + 6
    return [StockCount(sku, name, on_hand=1 + units * share // total) for name, share in holders]


def _draw(what: str, name: str, sides: int) -> int:
    """A number below `sides` that depends on the two words alone."""
    digest = hashlib.sha256(f"{what}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % sides
