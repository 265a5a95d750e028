"""Network files: nodes, and the rate cards their parcels are priced by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final

from domcore.loading.fields import (
    amount,
    amount_per_kg,
    attribute,
    choice,
    code,
    degrees,
    flag,
    pattern,
    text,
    timezone,
    whole,
    words,
)
from domcore.loading.formats import Record, Source, records
from domcore.loading.problems import Problems
from domcore.loading.shape import Faults, Field, Shape, many, suggestion, table_of
from domcore.model import NODE_KINDS, Band, Handling, Network, Node, Point, RateCard

MOST_NODES: Final = 100_000

HANDLING: Final = Shape(
    (
        Field("parcel", amount, "money per parcel", 0),
        Field("line", amount, "money per order line touched", 0),
        Field("unit", amount, "money per unit picked", 0),
    )
)

NODE: Final = Shape(
    (
        Field("id", code(), "the node's code, unique", needed=True),
        Field("kind", choice(NODE_KINDS), ", ".join(NODE_KINDS), needed=True),
        Field("lat", degrees(90), "latitude in degrees, north positive", needed=True),
        Field("lon", degrees(180), "longitude in degrees, east positive", needed=True),
        Field("name", text(), "what people call it", ""),
        Field("country", pattern("[A-Z]{2}", "two capital letters"), "ISO 3166-1 code", ""),
        Field("region", pattern("[A-Z0-9]{1,3}", "a subdivision code"), "state or province", ""),
        Field("postal", text(20), "its postal code", ""),
        Field("timezone", timezone, "IANA time zone", "UTC"),
        Field("rate_card", code(), "id of the rate card its parcels are priced by", ""),
        Field("handling", HANDLING, "what the work there costs", None),
        Field("priority", whole(0, 1_000_000), "your own ranking, 1 is first; 0 is none", 0),
        Field("tags", words, "words that rules may ask for", ()),
        Field("owners", words, "whose goods it may hold; none is everyone's", ()),
        Field("connector", code(), "the connector that takes its work", ""),
        Field("enabled", flag, "whether orders may be sourced there", True),
        Field("attributes", table_of(attribute), "free named values", None),
    )
)

STEP: Final = Shape(
    (
        Field("up_to_g", whole(1), "grams", needed=True),
        Field("amount", amount, "money for a parcel of at most so many grams", needed=True),
    )
)

_ZONE: Final = pattern(
    r"[A-Z]{2}(-[A-Z0-9]{1,3}|:[A-Z0-9][A-Z0-9 -]{0,11})?",
    'a country "US", a region "US-NY" or a postal prefix "US:100"',
)

BAND: Final = Shape(
    (
        Field("up_to_km", whole(1, 50_000), "farthest distance in km; absent is any", None),
        Field("zones", many(_ZONE), "destinations; none is everywhere", ()),
        Field("base", amount, "money per parcel", 0),
        Field("per_km", amount, "money per kilometre", 0),
        Field("per_kg", amount_per_kg, "money per kilogram, a multiple of 0.001", 0),
        Field("steps", many(STEP), "money by weight step, rising", ()),
        Field("over_per_kg", amount_per_kg, "money per kilogram beyond the last step", 0),
    )
)

RATE_CARD: Final = Shape(
    (
        Field("id", code(), "the card's id, unique", needed=True),
        Field("currency", pattern("[A-Z]{3}", "three capital letters"), "ISO 4217", needed=True),
        Field("band", many(BAND), "the first band that fits is the one that counts", needed=True),
        Field("services", words, "delivery services it covers; none is every one", ()),
        Field("minimum", amount, "what a parcel costs at the least", 0),
    )
)

TYPES: Final = {"node": NODE, "rate_card": RATE_CARD}

_Cards = dict[tuple[str, str], RateCard]
"""Rate cards by id and service; the service is empty for a card that covers every one."""


def read_network(sources: Sequence[Source]) -> Network:
    """One network from one or more files (rate cards in one, nodes in another, say).

    Raises:
        ConfigurationError: a file cannot be read.
        PayloadError: every bad record with its place.
    """
    problems = Problems(", ".join(source.name for source in sources))
    nodes: dict[str, tuple[str, Node]] = {}
    cards: _Cards = {}
    for source in sources:
        for record in records(source, TYPES, problems):
            try:
                _take(record, nodes, cards)
            except ValueError as error:
                problems.add(record.place, error)
    _check(
        nodes.values(),
        {card.id for card in cards.values()},
        problems,
        sources[0].name if sources else "network",
    )
    problems.check()
    return Network(
        tuple(nodes[each][1] for each in sorted(nodes)),
        tuple({id(card): card for _, card in sorted(cards.items(), key=itemgetter(0))}.values()),
    )


def _take(record: Record, nodes: dict[str, tuple[str, Node]], cards: _Cards) -> None:
    if record.type == "node":
        node = _node(NODE(record.values))
        if node.id in nodes:
            raise ValueError(f"node {node.id!r} stands in {nodes[node.id][0]} already")
        if len(nodes) >= MOST_NODES:
            raise ValueError(f"a network has at most {MOST_NODES:,} nodes")
        nodes[node.id] = (record.place, node)
    else:
        card = _rate_card(RATE_CARD(record.values))
        for service in card.services or ("",):
            if (card.id, service) in cards:
                raise ValueError(f"rate card {card.id!r} is there twice for the same service")
            cards[card.id, service] = card


def _check(nodes: Iterable[tuple[str, Node]], ids: set[str], problems: Problems, name: str) -> None:
    for place, node in nodes:
        if node.rate_card and node.rate_card not in ids:
            hint = suggestion(node.rate_card, ids)
            problems.add(place, f"rate card {node.rate_card!r} is not in the network{hint}")
    if not nodes and not problems.found:
        problems.add(name, "there are no nodes in it")


def _node(values: dict[str, Any]) -> Node:
    point = Point.from_degrees(values.pop("lat"), values.pop("lon"))
    handling = Handling(**(values.pop("handling") or {}))
    attributes = tuple(sorted((values.pop("attributes") or {}).items()))
    return Node(point=point, handling=handling, attributes=attributes, **values)


def _rate_card(values: dict[str, Any]) -> RateCard:
    bands = tuple(_band(each, f"band[{at}]") for at, each in enumerate(values.pop("band")))
    if not bands:
        raise Faults([("band", "must have at least one band")])
    for at, (nearer, farther) in enumerate(pairwise(bands), start=1):
        if nearer.up_to is None and not nearer.zones:
            raise Faults([(f"band[{at}]", "can never count: the band before it fits everything")])
        same = nearer.zones == farther.zones
        if same and nearer.up_to and farther.up_to and farther.up_to <= nearer.up_to:
            raise Faults([(f"band[{at}].up_to_km", "must be farther than the band before it")])
    return RateCard(bands=bands, **values)


def _band(values: dict[str, Any], path: str) -> Band:
    steps = tuple((step["up_to_g"], step["amount"]) for step in values.pop("steps"))
    grams = [up_to for up_to, _ in steps]
    if grams != sorted(set(grams)):
        raise Faults([(f"{path}.steps", "must rise in up_to_g")])
    up_to = values.pop("up_to_km")
    return Band(up_to=up_to * 1000 if up_to else None, steps=steps, **values)
