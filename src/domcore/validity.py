"""Nouns handed over from Python are looked at before they are stored: files have their own checks.

A stored noun of the wrong type would stop everybody who reads it later, and a negative weight
would make parcels earn money.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domcore.codec.text import is_text
from domcore.errors import ConfigurationError, PayloadError, Problem
from domcore.model import NODE_KINDS, Item, Network, Node, Point

LONGEST: Final = 1_000
HEAVIEST: Final = 100_000_000
"""Grams per unit: a hundred tonnes."""

LARGEST: Final = 1_000_000
"""Millimetres per side: a kilometre."""

MOST_MONEY: Final = 10**15
"""Micros of handling: a thousand million of the currency unit."""


def checked_items(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each looked at as it passes.

    Raises:
        PayloadError: an item that is none; nothing of the whole load is kept.
    """
    for number, item in enumerate(items):
        problems = list(_of_item(item, f"$[{number}]"))
        if problems:
            raise PayloadError("these items cannot be taken in", problems)
        yield item


def _of_item(item: Item, path: str) -> Iterator[Problem]:
    if not isinstance(item, Item):
        yield Problem(path, "is not an Item")
        return
    if not _is_word(item.sku):
        yield Problem(f"{path}.sku", "must be a text that is not empty")
    for name in ("name", "category"):
        if not _is_text(getattr(item, name)):
            yield Problem(f"{path}.{name}", "must be a text")
    if not _is_whole(item.weight, HEAVIEST):
        yield Problem(f"{path}.weight", f"must be whole grams from 0 to {HEAVIEST}")
    sides = item.dimensions
    if not (type(sides) is tuple and len(sides) == 3 and all(_is_whole(s, LARGEST) for s in sides)):
        yield Problem(f"{path}.dimensions", f"must be three lengths of 0 to {LARGEST} millimetres")
    yield from _of_labels(item, path)


def _of_labels(noun: Item | Node, path: str) -> Iterator[Problem]:
    if not (type(noun.tags) is tuple and all(_is_word(tag) for tag in noun.tags)):
        yield Problem(f"{path}.tags", "must be a tuple of texts")
    if not (
        type(noun.attributes) is tuple
        and all(
            type(pair) is tuple
            and len(pair) == 2
            and _is_word(pair[0])
            and (type(pair[1]) in (int, bool) or _is_text(pair[1]))
            for pair in noun.attributes
        )
    ):
        yield Problem(f"{path}.attributes", "must be (name, text, int or bool) pairs")


def check_network(network: Network) -> None:
    """Look at a network before it is stored.

    Raises:
        ConfigurationError: naming the first node that is none, and what is wrong with it.
    """
    if not isinstance(network, Network):
        raise ConfigurationError("give a Network", source="network")
    seen: set[str] = set()
    for node in network.nodes:
        if not isinstance(node, Node):
            raise ConfigurationError(f"{type(node).__name__} is no Node", source="network")
        wrong = _wrong_with(node) or ("occurs twice" if node.id in seen else "")
        if wrong:
            raise ConfigurationError(wrong, source="network", place=f"node {node.id!r}")
        seen.add(node.id)


def _wrong_with(node: Node) -> str:
    texts = ("name", "country", "region", "postal", "rate_card", "connector")
    handling = node.handling
    if not _is_word(node.id):
        return "its id must be a text that is not empty"
    if node.kind not in NODE_KINDS:
        return f"kind {node.kind!r} is none of {', '.join(NODE_KINDS)}"
    if not all(_is_text(getattr(node, name)) for name in texts):
        return f"{', '.join(texts)} must be texts"
    if not _is_point(node.point):
        return "its point must be on earth, in whole millionths of a degree"
    if not all(
        _is_whole(amount, MOST_MONEY) for amount in (handling.parcel, handling.line, handling.unit)
    ):
        return "its handling must be micros, 0 or more"
    if not _is_whole(node.priority, LARGEST) or type(node.enabled) is not bool:
        return "priority is a whole number and enabled True or False"
    if not (type(node.owners) is tuple and all(_is_word(owner) for owner in node.owners)):
        return "its owners must be a tuple of names"
    problems = [problem.message for problem in _of_labels(node, node.id)]
    return problems[0] if problems else _wrong_zone(node.timezone)


def _wrong_zone(timezone: str) -> str:
    try:
        ZoneInfo(timezone)
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
        return f"timezone {timezone!r} is not in the time zone database"
    return ""


def _is_text(value: Any) -> bool:
    return is_text(value, LONGEST)


def _is_word(value: Any) -> bool:
    return _is_text(value) and bool(value.strip())


def _is_whole(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, Point)
        and type(value.lat) is int
        and type(value.lon) is int
        and abs(value.lat) <= 90_000_000
        and abs(value.lon) <= 180_000_000
    )
