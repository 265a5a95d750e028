"""Whether a condition can be true at all.

A condition is multiplied out into conjunctions. In each, what is asked of one fact is put to values
that stand for all others: the constants it is compared with, their neighbours, and no value. What
cannot be told this way - two facts compared, loops over lines, too many branches - is taken to be
possible, so a condition that is called impossible is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any, Final

from domcore.rules.lists import PackList
from domcore.rules.tree import (
    COMPARE,
    All,
    Any_,
    Condition,
    FactRef,
    ForLines,
    Leaf,
    Not,
    holds,
)
from domcore.rules.vocabulary import CLOCK, CLOSED

MOST_BRANCHES: Final = 256
MOST_SAMPLES: Final = 5_000

Literal = tuple[Leaf | ForLines, bool]
"""A leaf or loop, and whether it must be true."""

_HOURS: Final = range(24)
_SIZES: Final = frozenset({"lt", "lte", "gt", "gte"})
_PARTS: Final = frozenset({"starts", "ends", "contains"})


def is_possible(condition: Condition, *, nullable: frozenset[str] | None = None) -> bool:
    """Whether there may be an order for which it is true.

    Args:
        nullable: names of the facts that may be missing; None takes any for one.
    """
    branches = _branches(condition, positive=True)
    if branches is None:
        return True
    return any(not conflict(branch, nullable) for branch in branches)


def conflict(branch: Sequence[Literal], nullable: frozenset[str] | None) -> tuple[str, ...]:
    """The parts of a conjunction that can never be true together, as written; or none."""
    asked: dict[str, list[Literal]] = {}
    seen: dict[Leaf | ForLines, bool] = {}
    for literal, positive in branch:
        if seen.setdefault(literal, positive) is not positive:
            return (_told(literal, positive=True), _told(literal, positive=False))
        if isinstance(literal, ForLines):
            inner = literal.body if positive else Not(literal.body)
            needed = positive or literal.kind == "all"
            if needed and not is_possible(inner, nullable=nullable):
                return (_told(literal, positive=positive),)
        elif literal.other is None and not isinstance(literal.value, PackList):
            asked.setdefault(literal.fact.key, []).append((literal, positive))
    for literals in asked.values():
        if not _some_value(literals, nullable):
            return tuple(
                dict.fromkeys(_told(each, positive=positive) for each, positive in literals)
            )
    return ()


def branches_of(condition: Condition) -> list[list[Literal]]:
    """The conjunctions it is true in; none told where they are too many."""
    return _branches(condition, positive=True) or []


def _told(literal: Leaf | ForLines, *, positive: bool) -> str:
    return literal.text if positive else f"not ({literal.text})"


def _branches(condition: Condition, *, positive: bool) -> list[list[Literal]] | None:
    """None where there would be too many."""
    if isinstance(condition, Not):
        return _branches(condition.part, positive=not positive)
    if isinstance(condition, Leaf | ForLines):
        return [[(condition, positive)]]
    parts = [_branches(part, positive=positive) for part in condition.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if isinstance(condition, All) is positive:
        found: list[list[Literal]] = [[]]
        for part in known:
            if len(found) * len(part) > MOST_BRANCHES:
                return None
            found = [left + right for left, right in product(found, part)]
        return found
    assert isinstance(condition, All | Any_)
    joined = [branch for part in known for branch in part]
    return joined if len(joined) <= MOST_BRANCHES else None


def _some_value(literals: Sequence[Literal], nullable: frozenset[str] | None) -> bool:
    """Whether one fact can have a value, or none, for which all of this is so."""
    fact = literals[0][0].fact  # type: ignore[union-attr]  # only leaves come here
    leaves = [(leaf, positive) for leaf, positive in literals if isinstance(leaf, Leaf)]
    samples = _samples(fact, leaves)
    if samples is None:
        return True
    if nullable is None or fact.name in nullable:
        samples = [*samples, None]
    return any(
        all(bool(holds(leaf, value, None)) is positive for leaf, positive in leaves)
        for value in samples
    )


def _samples(fact: FactRef, leaves: Sequence[tuple[Leaf, bool]]) -> list[Any] | None:
    """Values that stand for all values of a fact; None where there are too many to try."""
    exact = [leaf for leaf, positive in leaves if positive and leaf.op in ("eq", "in")]
    if exact and fact.type != "texts":
        fewest = min((_constants(leaf) for leaf in exact), key=len)
        found: Iterable[Any] = [each for each in fewest if _within(fact, each)]
    elif fact.type == "bool":
        found = (True, False)
    elif fact.name in CLOSED:
        found = CLOSED[fact.name]
    elif fact.name == "now.clock":
        found = CLOCK
    elif fact.name == "now.hour":
        found = _HOURS
    elif fact.type == "texts":
        wanted = tuple(leaf.value for leaf, positive in leaves if positive and leaf.op == "has")
        found = (wanted,)
    elif fact.type == "text":
        ops = {leaf.op for leaf, _ in leaves}
        if ops & _SIZES and ops & _PARTS:
            return None  # texts with such a part lie anywhere in the order of texts
        found = _texts(fact, leaves)
    else:
        constants = {each for leaf, _ in leaves for each in _constants(leaf)} or {0}
        near = {each + step for each in constants for step in (-1, 0, 1)}
        found = [each for each in near if _within(fact, each)]
    samples = list(found)
    return samples if len(samples) <= MOST_SAMPLES else None


def _within(fact: FactRef, value: Any) -> bool:
    """Whether a fact can have a value; amounts and counts are never below nothing."""
    if fact.name in CLOSED:
        return value in CLOSED[fact.name]
    if fact.name == "now.clock":
        return value in CLOCK
    if fact.name == "now.hour":
        return value in _HOURS
    counts = fact.type in ("int", "decimal", "money") and "(" not in fact.key
    built_in = fact.name.count(".") == 1 and fact.name in _NEVER_NEGATIVE
    return not (counts and built_in and value < 0)


_NEVER_NEGATIVE: Final = frozenset(
    {
        "order.value", "order.units", "order.line_count", "order.weight", "line.quantity",
        "line.open", "line.price", "line.unit_weight", "line.weight", "line.longest_side",
        "candidate.distance_km", "candidate.available", "candidate.lines_covered",
    }
)  # fmt: skip


def _constants(leaf: Leaf) -> tuple[Any, ...]:
    if isinstance(leaf.value, tuple | frozenset):
        return tuple(leaf.value)
    return () if leaf.value is None else (leaf.value,)


def _texts(fact: FactRef, leaves: Sequence[tuple[Leaf, bool]]) -> list[str]:
    """Texts beside every constant, and texts made of all that they are to begin with, hold and
    end with."""
    compared = {
        each for leaf, _ in leaves if leaf.op in (*COMPARE, "in") for each in _constants(leaf)
    }
    found = {"\U0010ffff"} | {text for each in compared for text in _beside(fact, each)}
    parts: list[tuple[str, ...]] = []
    for op in ("starts", "contains", "ends"):
        given = [_constants(leaf) for leaf, positive in leaves if positive and leaf.op == op]
        parts += given
    made = ["".join(each) for each in _some(product(*parts))] if parts else []
    edges = [
        each for leaf, _ in leaves if leaf.op in ("starts", "ends") for each in _constants(leaf)
    ]
    around = [form.format(each) for each in (*made, *edges) for form in ("{}?", "?{}", "?{}?")]
    return [*found, *made, *edges, *around]


def _beside(fact: FactRef, constant: str) -> Iterator[str]:
    yield constant
    if fact.name == "now.date":
        try:
            day = date.fromisoformat(constant)
            yield from ((day + timedelta(days=step)).isoformat() for step in (-1, 1))
        except (ValueError, OverflowError):
            return
        return
    yield constant + "\x01"
    if constant:
        yield constant[:-1] + chr(max(1, ord(constant[-1]) - 1)) + "\uffff"
        yield constant[:-1] or "\x01"


def _some(products: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for number, each in enumerate(products):
        if number >= MOST_BRANCHES:
            return
        yield each
