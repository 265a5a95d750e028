"""The rules, nodes and orders of the rules benchmark, as plain data and as domcore's nouns.

40 % of the rules speak of the order or a line, 40 % of a node, 20 % of both.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from domcore.model import Destination, FactSpec, Item, Node, Order, OrderLine, Point, micros
from domcore.rules import OpenLine, Pack, parse_pack
from domcore.sourcing.distance import metres

LOAD = FactSpec("node.bench.load", "node", "int", "", True, "Work waiting, in percent")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GROUPS, CATEGORIES = 8, 10
COUNTRIES = ("US", "US", "US", "CA", "MX")
KINDS = ("dc", "store", "store", "3pl")

Leaf = tuple[str, str, Any]
"""fact, operator, value; the operator ``has`` is ``'value' in fact``."""


@frozen(slots=True)
class MixRule:
    """One rule: leaves that must all hold, and what follows."""

    leaves: tuple[Leaf, ...]
    then: Any

    @property
    def when(self) -> str:
        """In the pack language."""
        return " and ".join(
            f"{value!r} in {fact}" if op == "has" else f"{fact} {op} {_literal(fact, value)}"
            for fact, op, value in self.leaves
        )


@frozen(slots=True)
class Ask:
    """One order to be judged, and what is known of its candidates."""

    order: Order
    lines: tuple[OpenLine, ...]
    distances: dict[int, int]


def _literal(fact: str, value: Any) -> str:
    if isinstance(value, str):
        return value if "." in value else repr(value)
    return f"{value}.00" if fact.endswith("value") else str(value)


def rules(count: int, seed: int = 7) -> list[MixRule]:
    """`count` rules in the mix, some of each kind of consequence."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        place = number % 10
        if place < 2:
            leaves = _order_leaves(draw)
        elif place < 4:
            leaves = _line_leaves(draw)
        elif place < 8:
            leaves = _node_leaves(draw)
        else:
            leaves = _mixed_leaves(draw, number // 10)
        made.append(MixRule(tuple(leaves), _consequence(draw, place)))
    return made


def _order_leaves(draw: random.Random) -> list[Leaf]:
    return [
        ("order.value", ">=", draw.randrange(10, 400)),
        draw.choice(
            [
                ("order.customer_tier", "==", draw.choice(("gold", "silver"))),
                ("order.tags", "has", f"o{draw.randrange(GROUPS)}"),
                ("order.service", "==", "express"),
            ]
        ),
    ]


def _line_leaves(draw: random.Random) -> list[Leaf]:
    return [
        ("line.unit_weight", ">", draw.randrange(500, 8000)),
        draw.choice(
            [
                ("line.tags", "has", f"t{draw.randrange(GROUPS)}"),
                ("line.category", "==", f"c{draw.randrange(CATEGORIES)}"),
            ]
        ),
    ]


def _node_leaves(draw: random.Random) -> list[Leaf]:
    return [
        draw.choice(
            [
                ("node.kind", "==", draw.choice(KINDS)),
                ("node.tags", "has", f"g{draw.randrange(GROUPS)}"),
                ("node.country", "==", draw.choice(COUNTRIES)),
            ]
        ),
        ("node.bench.load", ">", draw.randrange(20, 100)),
    ]


def _mixed_leaves(draw: random.Random, turn: int) -> list[Leaf]:
    if turn % 3 == 0:
        return [_line_leaves(draw)[1], _node_leaves(draw)[0]]
    if turn % 3 == 1:
        return [
            ("candidate.distance_km", ">", draw.randrange(300, 3000)),
            _node_leaves(draw)[0],
            ("order.value", "<", draw.randrange(100, 500)),
        ]
    return [("node.country", "!=", "destination.country"), _line_leaves(draw)[1]]


def _consequence(draw: random.Random, place: int) -> Any:
    if place < 2:
        return draw.choice(
            [{"split": {"max_nodes": draw.randrange(2, 5)}}, {"hold": {"stage": "release"}}]
        )
    if place == 2 or draw.random() < 0.1:
        return {"protect": {"quantity": draw.randrange(1, 4)}}
    if draw.random() < 0.3:
        return "exclude"
    return {"cost": {"amount": f"{draw.randrange(5, 300) / 100:.2f}", "per": "unit"}}


def pack(made: list[MixRule]) -> Pack:
    """The rules as a pack."""
    rows = [
        {"id": f"r{number}", "when": rule.when, "then": rule.then}
        for number, rule in enumerate(made)
    ]
    return parse_pack({"format": 1, "name": "mix", "version": "1", "currency": "USD", "rule": rows})


def nodes(count: int, seed: int = 7) -> list[Node]:
    """Nodes over North America."""
    draw = random.Random(seed)
    return [
        Node(
            f"N{number:04d}",
            draw.choice(KINDS),
            _somewhere(draw),
            country=draw.choice(COUNTRIES),
            tags=tuple(f"g{group}" for group in range(GROUPS) if draw.random() < 0.25),
        )
        for number in range(count)
    ]


def loads(made: list[Node], seed: int = 7) -> dict[str, dict[str, Any]]:
    """A plugin's fact of every node."""
    draw = random.Random(seed)
    return {node.id: {LOAD.name: draw.randrange(100)} for node in made}


def asks(count: int, made: list[Node], seed: int = 7) -> list[Ask]:
    """Orders of three lines."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        lines = tuple(_line(draw, number, at) for at in range(3))
        place = _somewhere(draw)
        order = Order(
            "main", "bench", f"O{number}", 1, NOW, "USD",
            tuple(line.line for line in lines),
            Destination(draw.choice(COUNTRIES), point=place),
            service=draw.choice(("standard", "express")),
            customer_tier=draw.choice(("", "silver", "gold")),
            tags=(f"o{draw.randrange(GROUPS)}",),
        )  # fmt: skip
        distances = {at: metres(node.point, place) for at, node in enumerate(made)}
        found.append(Ask(order, lines, distances))
    return found


def _line(draw: random.Random, order: int, at: int) -> OpenLine:
    sku, quantity = f"S{draw.randrange(5000)}", draw.randrange(1, 4)
    item = Item(
        sku,
        weight=draw.randrange(100, 9000),
        category=f"c{draw.randrange(CATEGORIES)}",
        tags=tuple(f"t{group}" for group in range(GROUPS) if draw.random() < 0.2),
    )
    line = OrderLine(f"{order}-{at}", sku, quantity, micros(f"{draw.randrange(500, 9000) / 100}"))
    return OpenLine(line, item, quantity)


def _somewhere(draw: random.Random) -> Point:
    return Point.from_degrees(30 + draw.random() * 18, -120 + draw.random() * 45)
