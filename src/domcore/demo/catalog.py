"""The demo's goods: items with weights and tags, and where how many of them lie."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

ITEMS: Final = 2400
SCARCE: Final = 40
"""The last so many SKUs lie in small numbers at two stores."""


class Range(NamedTuple):
    """One shelf of the shop: what is on it, how heavy (grams) and how dear (cents)."""

    code: str
    category: str
    nouns: tuple[str, ...]
    grams: tuple[int, int]
    cents: tuple[int, int]
    tags: tuple[str, ...] = ()


RANGES: Final = (
    Range("GRD", "garden/tools", ("trowel", "rake", "shears", "hose"), (180, 2600), (900, 6400)),
    Range("KIT", "kitchen", ("skillet", "kettle", "board", "jar set"), (250, 3200), (1200, 8900)),
    Range("TOY", "toys", ("puzzle", "kite", "train", "blocks"), (120, 1800), (800, 4900)),
    Range("APP", "apparel", ("jacket", "scarf", "apron", "gloves"), (90, 900), (1500, 9900)),
    Range("LGT", "home/lighting", ("lamp", "lantern"), (300, 2800), (1900, 12900), ("fragile",)),
    Range("PNT", "home/paint", ("primer", "varnish"), (900, 4800), (1400, 5200), ("hazmat",)),
    Range("BAT", "electronics/power", ("power pack",), (350, 1500), (2900, 11900), ("hazmat",)),
    Range("BKS", "books", ("atlas", "cookbook", "almanac"), (300, 1700), (1100, 5900)),
)
_SHARES: Final = (16, 18, 14, 18, 10, 7, 5, 12)
_STYLES: Final = (
    "amber", "birch", "cobalt", "copper", "forest", "granite", "harbor", "heather",
    "linen", "maple", "meadow", "midnight", "ochre", "pebble", "saffron", "willow",
)  # fmt: skip


class Good(NamedTuple):
    """One item of the catalog, as the shop and the item file need it."""

    number: int
    sku: str
    name: str
    grams: int
    cents: int
    category: str
    tags: tuple[str, ...]

    @property
    def variant_id(self) -> int:
        """What the shop calls it."""
        return 44_000_000_000_000 + self.number * 37

    @property
    def alias(self) -> str:
        """What its order lines are known by where they carry no SKU."""
        return f"variant:{self.variant_id}"


class Shelf(NamedTuple):
    """How a node is stocked: the chance that it has an item, and how many then."""

    node: str
    chance: float
    units: tuple[int, int]
    safety: int = 0


SHELVES: Final = (
    Shelf("DC-EAST", 0.78, (8, 60)),
    Shelf("DC-CENTRAL", 0.82, (10, 80)),
    Shelf("DC-WEST", 0.76, (8, 60)),
    Shelf("3PL-RENO", 0.35, (4, 25)),
    Shelf("ST-NYC", 0.45, (2, 8), 1),
    Shelf("ST-CHI", 0.40, (2, 8), 1),
    Shelf("ST-DAL", 0.38, (2, 8), 1),
    Shelf("ST-SEA", 0.32, (2, 7), 1),
    Shelf("ST-ATL", 0.38, (2, 8), 1),
    Shelf("ST-DEN", 0.30, (2, 7), 1),
    Shelf("ST-MIA", 0.30, (2, 7), 1),
)
VENDOR: Final = ("VENDOR-GR", ("home/lighting", "garden/tools"))


class Count(NamedTuple):
    """Units of an item at a node."""

    sku: str
    node: str
    on_hand: int
    safety: int


def make_goods(random: Random) -> list[Good]:
    """The catalog, in order of SKU number; the most popular come first."""
    goods = []
    for number in range(1, ITEMS + 1):
        shelf = random.choices(RANGES, _SHARES)[0]
        name = f"{random.choice(_STYLES).capitalize()} {random.choice(shelf.nouns)}"
        grams = random.randrange(*shelf.grams, 10)
        cents = random.randrange(*shelf.cents, 50) + 49
        sku = f"{shelf.code}-{number:04d}"
        goods.append(Good(number, sku, name, grams, cents, shelf.category, shelf.tags))
    return goods


def make_stock(goods: Sequence[Good], random: Random) -> list[Count]:
    """What lies where."""
    counts = []
    stores = [shelf.node for shelf in SHELVES if shelf.node.startswith("ST-")]
    for good in goods[:-SCARCE]:
        for shelf in SHELVES:
            if random.random() < shelf.chance:
                units = random.randint(*shelf.units)
                counts.append(Count(good.sku, shelf.node, units, shelf.safety))
        if good.category in VENDOR[1]:
            counts.append(Count(good.sku, VENDOR[0], random.randint(5, 40), 0))
    for good in goods[-SCARCE:]:
        two = sorted(random.sample(stores, 2))
        counts += [Count(good.sku, node, random.randint(3, 5), 0) for node in two]
    return counts


def write_goods(path: Path, goods: Sequence[Good], channel: str) -> None:
    """The item file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["sku", "name", "weight_g", "category", "tags", f"aliases.{channel}"])
        for good in goods:
            tags = "|".join(good.tags)
            rows.writerow([good.sku, good.name, good.grams, good.category, tags, good.alias])


def write_stock(path: Path, counts: Sequence[Count]) -> None:
    """The stock file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Count._fields)
        rows.writerows(counts)
