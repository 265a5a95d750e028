"""What somebody meant who names a fact that does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from domcore.rules.problems import shown, suggestion

MEANT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "order.amount": "order.value", "order.subtotal": "order.value",
        "order.price": "order.value", "order.sum": "order.value",
        "order.items": "order.units", "order.quantity": "order.units",
        "order.lines": "order.line_count", "order.sku": "line.sku", "order.id": "order.number",
        "order.shipping_method": "order.service", "order.delivery": "order.service",
        "order.vip": "order.customer_tier", "order.customer": "order.customer_tier",
        "order.source": "order.channel", "order.date": "order.placed_at",
        "order.created_at": "order.placed_at", "order.zip": "destination.postal",
        "order.postcode": "destination.postal", "order.state": "destination.region",
        "order.province": "destination.region", "destination.zip": "destination.postal",
        "destination.postcode": "destination.postal", "destination.state": "destination.region",
        "line.qty": "line.quantity", "line.units": "line.quantity", "line.amount": "line.value",
        "line.product": "line.sku", "item.sku": "line.sku", "item.tags": "line.tags",
        "item.category": "line.category", "item.weight": "line.unit_weight",
        "node.type": "node.kind", "node.name": "node.id", "node.code": "node.id",
        "node.stock": "candidate.available", "node.available": "candidate.available",
        "node.distance": "candidate.distance_km", "node.distance_km": "candidate.distance_km",
        "candidate.distance": "candidate.distance_km", "now.day": "now.weekday",
        "now.time_of_day": "now.clock",
    }
)  # fmt: skip
"""Names that people expect, and the fact that is meant."""

_FIRST: Final = ("destination", "order", "line", "node", "candidate", "now")
"""Whose fact of the same name is meant most often."""


def fact_hint(name: str, facts: Iterable[str]) -> str:
    """What to write in place of a fact that there is not, after a semicolon; or nothing.

    A word without a dot was meant as text; a fact of another entity is known by its last part.
    """
    known = list(facts)
    if "." not in name:
        return f"; text is written in quotes: {shown(name)}"
    meant = MEANT.get(name)
    if meant in known:
        return f"; did you mean {meant!r}?"
    last = name.rpartition(".")[2]
    same = [fact for fact in known if fact.count(".") == 1 and fact.endswith(f".{last}")]
    same.sort(key=lambda fact: _rank(fact.partition(".")[0]))
    if same:
        return f"; did you mean {' or '.join(map(repr, same[:2]))}?"
    return suggestion(name, known)


def _rank(entity: str) -> int:
    return _FIRST.index(entity) if entity in _FIRST else len(_FIRST)
