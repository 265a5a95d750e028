"""Strategies for small sourcing problems: scarce stock, awkward costs, every option."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from domcore.sourcing.planner import Offer, Problem, Tariff

AMOUNTS = st.sampled_from([0, 1, 2, 3, 5, 7, 11, 20, 33])
QUANTITIES = st.sampled_from([1, 1, 1, 2, 2, 3, 4])
STOCK = st.sampled_from([0, 1, 1, 2, 2, 3, 5])
OBJECTIVES = st.sampled_from(
    [
        ("cost",),
        ("cost",),
        ("parcels", "cost"),
        ("nodes", "cost"),
        ("cost", "parcels"),
        ("parcels",),
        ("nodes", "parcels", "cost"),
        ("cost", "nodes", "parcels"),
    ]
)


@st.composite
def tariffs(draw: st.DrawFn, scale: int = 1) -> Tariff:
    """Steps, a minimum charge, rates by the gram: any of them may be absent."""
    steps = []
    limit = price = 0
    for _ in range(draw(st.integers(0, 3))):
        limit += draw(st.integers(1, 15))
        price += draw(AMOUNTS) * scale
        steps.append((limit, price))
    return Tariff(
        base=draw(AMOUNTS) * scale,
        per_gram=draw(st.sampled_from([0, 0, 1, 3])),
        steps=tuple(steps),
        over_per_gram=draw(st.sampled_from([0, 1, 5])),
        minimum=draw(st.sampled_from([0, 0, 10, 40])) * scale,
    )


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    lines: int = 3,
    nodes: int = 4,
    with_tariffs: bool = False,
    options: bool = True,
) -> Problem:
    """A problem of up to `lines` x `nodes`; `options` adds limits, open parcels, objectives."""
    count = draw(st.integers(1, lines))
    numbers = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=nodes)))
    offers = [_row(draw, numbers) for _ in range(count)]
    extra: dict[str, Any] = {}
    if with_tariffs:
        extra["weights"] = tuple(draw(st.sampled_from([0, 1, 5, 10, 17])) for _ in range(count))
        extra["tariffs"] = _some(draw, numbers, tariffs())
    if options:
        if draw(st.integers(0, 2)) == 0:
            extra["opened"] = _some(draw, numbers, st.integers(0, 20))
        if draw(st.integers(0, 2)) == 0:
            extra["used"] = draw(st.frozensets(st.sampled_from([*numbers, 41, 42]), max_size=2))
        extra["max_nodes"] = draw(st.sampled_from([None, None, 1, 2, 3]))
        extra["ship_complete"] = draw(st.integers(0, 4)) == 0
        extra["objective"] = draw(OBJECTIVES)
    return Problem(
        quantities=tuple(draw(QUANTITIES) for _ in range(count)),
        offers=tuple(offers),
        parcel={number: draw(AMOUNTS) for number in numbers},
        **extra,
    )


@st.composite
def orders_some_nodes_hold(draw: st.DrawFn, *, lines: int = 14, nodes: int = 9) -> Problem:
    """An order under a limit of nodes that some nodes within it hold together, with tariffs."""
    dice = random.Random(draw(st.integers(0, 2**32)))
    count = draw(st.integers(2, lines))
    limit = draw(st.integers(1, 3))
    able = sorted(dice.sample(range(nodes), limit))
    quantities = tuple(dice.choice([1, 1, 2, 2, 4, 6]) for _ in range(count))
    offers = []
    for quantity in quantities:
        held = {node: dice.randint(1, quantity) for node in range(nodes) if dice.random() < 0.4}
        owner = dice.choice(able)
        others = sum(held.get(node, 0) for node in able if node != owner)
        held[owner] = max(held.get(owner, 0), quantity - others, 1)
        offers.append(tuple((node, held[node], 60, dice.choice([0, 20])) for node in sorted(held)))
    return Problem(
        quantities,
        tuple(offers),
        {node: dice.choice([900, 1600]) for node in range(nodes)},
        weights=tuple(dice.choice([1, 5, 20, 45]) for _ in range(count)),
        tariffs={node: draw(tariffs(scale=200)) for node in range(nodes)},
        max_nodes=limit,
    )


def placeable_order(seed: int) -> Problem:
    """A long order whose stock lies exactly on as many nodes as it may use, among decoys."""
    draw = random.Random(f"placeable {seed}")
    lines, nodes = draw.randint(9, 20), draw.randint(3, 12)
    limit = draw.randint(2, min(4, nodes))
    able = sorted(draw.sample(range(nodes), limit))
    quantities, offers, weights = [], [], []
    decoys = draw.choice([0.2, 0.4, 0.6])
    for _ in range(lines):
        units = draw.choice([1, 1, 2, 2, 4, 6, 12])
        others = [node for node in range(nodes) if node not in able]
        held = {node: draw.randint(1, units) for node in others if draw.random() < decoys}
        for _ in range(units):
            node = draw.choice(able)
            held[node] = held.get(node, 0) + 1
        quantities.append(units)
        offers.append(tuple((node, held[node], 60_000, 20_000) for node in sorted(held)))
        weights.append(draw.choice([50, 100, 400, 900]))
    steps = ((2_000, 0), (5_000, 6_200_000), (15_000, 17_500_000), (30_000, 39_000_000))
    tariffs = {
        node: Tariff(draw.choice([2_100_000, 11_500_000]), steps=steps, over_per_gram=900)
        for node in range(nodes)
    }
    parcel = dict.fromkeys(range(nodes), 900_000)
    return Problem(
        tuple(quantities), tuple(offers), parcel, tuple(weights), tariffs,
        max_nodes=limit, ship_complete=True,
    )  # fmt: skip


def stepped_order(seed: int, lines: int, nodes: int, **extra: Any) -> Problem:
    """An order as people have them: weight steps by distance, every line at some of the nodes."""
    draw = random.Random(seed)
    steps = ((2_000, 0), (5_000, 1_200_000), (15_000, 2_900_000), (30_000, 6_100_000))
    tariffs = {}
    for node in range(nodes):
        far = draw.choice([1, 1, 2, 4])
        dearer = tuple((limit, price * far) for limit, price in steps)
        tariffs[node] = Tariff(2_800_000 * far, steps=dearer, over_per_gram=330 * far)
    quantities, offers, weights = [], [], []
    for _ in range(lines):
        units = draw.choice([1, 1, 2, 3, 6, 12])
        holders = [node for node in range(nodes) if draw.random() < 0.4] or [0]
        offers.append(tuple((at, draw.randint(1, 2 * units), 60_000, 20_000) for at in holders))
        quantities.append(min(units, sum(offer[1] for offer in offers[-1])))
        weights.append(min(6_000, 20 + int(draw.expovariate(1 / 350))))
    parcel = dict.fromkeys(range(nodes), 900_000)
    return Problem(tuple(quantities), tuple(offers), parcel, tuple(weights), tariffs, **extra)


def tight_order(seed: int, lines: int = 6, nodes: int = 15, **extra: Any) -> Problem:
    """An order that is hard to prove: units ordered in threes, one or two of them at a node."""
    draw = random.Random(seed)
    zone = [draw.randint(200, 500) for _ in range(nodes)]
    offers = []
    for _ in range(lines):
        grams = draw.randint(100, 4_000)
        holders = [node for node in range(nodes) if draw.random() < 0.4] or [0]
        touch = draw.choice([0, 300_000])
        offers.append(
            tuple((node, draw.randint(1, 2), touch, grams * zone[node]) for node in holders)
        )
    return Problem(
        tuple(draw.choice([1, 2, 3, 4]) for _ in range(lines)),
        tuple(offers),
        {node: draw.randint(1_000_000, 3_000_000) for node in range(nodes)},
        **extra,
    )


def _row(draw: st.DrawFn, numbers: list[int]) -> tuple[Offer, ...]:
    holders = draw(st.lists(st.sampled_from(numbers), unique=True, max_size=len(numbers)))
    return tuple((node, draw(STOCK), draw(AMOUNTS), draw(AMOUNTS)) for node in sorted(holders))


def _some(draw: st.DrawFn, numbers: list[int], values: st.SearchStrategy[Any]) -> Mapping[int, Any]:
    chosen = draw(st.sets(st.sampled_from(numbers)))
    return {number: draw(values) for number in sorted(chosen)}
