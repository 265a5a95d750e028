"""Single orders to hold the planner against: real baskets with stock cut short, and long ones.

Both kinds are made from seeds alone. A real basket is one of the Online Retail data set's against
the network of `europe.py`, each position cut to 0 to 3 thirds of its stock by a draw. A long order
is invented: weight steps, many nodes, every line held by some of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from hashlib import sha256

import europe
import online_retail
from attrs import frozen

from domcore.model import Destination, Handling, Network, Node, Order, Point
from domcore.sourcing.distance import from_place
from domcore.sourcing.field import Field
from domcore.sourcing.planner import Offer, Problem, Tariff

CLASSES = ((2, 5), (6, 10), (11, 15), (16, 25), (26, 40), (41, 80))
"""Least and most lines of a basket, one class after the other."""

LONG = tuple((lines, nodes) for lines in (15, 30, 60, 120, 200) for nodes in (20, 50))
"""Lines and nodes of the long orders."""


@frozen
class Basket:
    """One order: its class, its seed or number, and what the planner is asked."""

    kind: str
    name: str
    problem: Problem

    @property
    def digest(self) -> str:
        """What the question is, for a file of answers."""
        asked = self.problem
        tariffs = sorted((node, _figures(tariff)) for node, tariff in asked.tariffs.items())
        offers = [list(row) for row in asked.offers]
        figures = (asked.quantities, offers, sorted(asked.parcel.items()), asked.weights, tariffs)
        return sha256(repr(figures).encode()).hexdigest()[:24]


def _figures(tariff: Tariff) -> tuple[object, ...]:
    return (tariff.base, tariff.per_gram, tariff.steps, tariff.over_per_gram, tariff.minimum)


def real_baskets(count: int, seed: int) -> Iterator[Basket]:
    """So many baskets of every class; a larger count only adds to each."""
    every = online_retail.orders(None)
    demand = online_retail.demand(every)
    items = {item.sku: item.weight for item in europe.items(online_retail.rows("skus"))}
    field = Field(europe.network())
    placed = [order for order in every if order.destination is not None]
    for least, most in CLASSES:
        found = [order for order in placed if least <= len(_pooled(order)) <= most]
        dice = random.Random(f"baskets {seed} {least}-{most}")
        dice.shuffle(found)
        for order in found[:count]:
            name = f"{order.number} of seed {seed}"
            yield Basket(f"{least}-{most} lines", name, _real(order, field, items, demand, seed))


def _pooled(order: Order) -> dict[str, int]:
    """Units by SKU."""
    units: dict[str, int] = {}
    for line in order.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def _real(
    order: Order, field: Field, items: dict[str, int], demand: dict[str, int], seed: int
) -> Problem:
    dice = random.Random(f"stock {seed} {order.number}")
    wanted = _pooled(order)
    held = []
    for sku in wanted:
        there = {}
        for count in europe.stock(sku, demand[sku]):
            units = (count.on_hand or 0) * dice.randint(0, 3) // 3
            if units:
                there[field.position[count.node]] = units
        held.append(there)
    assert order.destination is not None
    weights = [items[sku] for sku in wanted]
    return problem_of(field, order.destination, list(wanted.values()), weights, held)


def problem_of(
    field: Field,
    destination: Destination,
    quantities: Sequence[int],
    weights: Sequence[int],
    held: Sequence[dict[int, int]],
) -> Problem:
    """What the planner is asked for units held by line and node position."""
    assert destination.point is not None
    nodes = sorted({at for there in held for at in there})
    distances = from_place(destination.point, field.vectors, nodes)
    quotes = field.rates.quotes("", europe.CURRENCY, destination, distances)
    handling = field.rates.handling
    offers: list[list[Offer]] = [
        [
            (at, units, handling[at][1], handling[at][2] + quotes[at][1] * grams)
            for at, units in sorted(there.items())
            if at in quotes
        ]
        for there, grams in zip(held, weights, strict=True)
    ]
    used = {offer[0] for row in offers for offer in row}
    parcel = {at: quotes[at][0] + handling[at][0] for at in sorted(used)}
    tariffs = {at: tariff for at in sorted(used) if (tariff := quotes[at][2]) is not None}
    return Problem(tuple(quantities), offers, parcel, tuple(weights), tariffs)


def long_orders(seeds: Sequence[int], sizes: Sequence[tuple[int, int]] = LONG) -> Iterator[Basket]:
    """One order of each size and seed."""
    cards = europe.network().rate_cards
    for lines, nodes in sizes:
        for seed in seeds:
            dice = random.Random(f"long {lines} {nodes} {seed}")
            yield Basket(f"{lines} x {nodes}", f"seed {seed}", _long(dice, lines, nodes, cards))


def _long(dice: random.Random, lines: int, nodes: int, cards: tuple) -> Problem:
    carry = dice.choice([0.25, 0.4, 0.6])
    large = max(3, nodes // 5)
    places = []
    for at in range(nodes):
        kind = "dc" if at < large else "store"
        point = Point.from_degrees(f"{dice.uniform(36, 60):.2f}", f"{dice.uniform(-9, 25):.2f}")
        work = (900_000, 60_000, 20_000) if kind == "dc" else (1_600_000, 250_000, 50_000)
        card = "contract" if kind == "dc" else "counter"
        places.append(Node(f"N{at:03}", kind, point, rate_card=card, handling=Handling(*work)))
    weights, quantities, held = [], [], []
    for _ in range(lines):
        weights.append(int(min(6_000, 20 + dice.expovariate(1 / 350))))
        units = dice.choice([1, 1, 1, 2, 2, 3, 6])
        chance = [carry * (1.4 if at < large else 0.8) for at in range(nodes)]
        there = [at for at in range(nodes) if dice.random() < chance[at]]
        there = there or [dice.randrange(nodes)]
        counts = {at: dice.randint(1, 2 * units + 1) for at in there}
        if sum(counts.values()) < units:
            counts[there[0]] = units
        quantities.append(units)
        held.append(counts)
    place = Point.from_degrees(f"{dice.uniform(36, 60):.2f}", f"{dice.uniform(-9, 25):.2f}")
    field = Field(Network(tuple(places), cards))
    return problem_of(field, Destination("DE", point=place), quantities, weights, held)
