"""The typed condition tree: what a checked condition is made of, and what its leaves mean.

A leaf reads one fact and compares it with a constant or with another fact. A missing fact makes
any leaf false, and so its negation true; only ``exists`` asks whether there is a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from domcore.model.facts import FactValue
from domcore.rules.lists import PackList

COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = MappingProxyType(
    {"eq": eq, "ne": ne, "lt": lt, "lte": le, "gt": gt, "gte": ge}
)
MIRRORED: Final[Mapping[str, str]] = MappingProxyType(
    {"eq": "eq", "ne": "ne", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}
)
"""The operator with its two sides swapped."""


@frozen(slots=True)
class FactRef:
    """A fact as one condition reads it.

    Args:
        key: what tells it from every other reading in a program.
        name: the fact's name; for an elapsed time the name of the time it measures from.
        type: its type, one of `FACT_TYPES`.
        entity: the entity it is a fact of.
        setting: the time zone of a ``now`` fact, or the function of an elapsed time.
    """

    key: str
    name: str
    type: str
    entity: str
    setting: str = ""


@frozen(slots=True)
class Leaf:
    """``fact op value`` or ``fact op other``; `text` is how the author wrote it.

    Operators: ``eq ne lt lte gt gte``; ``in`` (value is a tuple, or a list of the pack); ``has``
    (a list fact has the text); ``starts``, ``ends``, ``contains`` (value is a tuple of texts);
    ``exists``; ``true``.
    """

    op: str
    fact: FactRef
    value: FactValue | tuple[int | str, ...] | PackList | None = None
    other: FactRef | None = None
    text: str = field(default="", eq=False)

    @property
    def facts(self) -> tuple[FactRef, ...]:
        """The facts it reads."""
        return (self.fact,) if self.other is None else (self.fact, self.other)


@frozen(slots=True)
class All:
    """True when every part is; with no parts the constant true."""

    parts: tuple[Condition, ...]


@frozen(slots=True)
class Any_:  # noqa: N801 - `Any` is taken by typing
    """True when some part is; with no parts the constant false."""

    parts: tuple[Condition, ...]


@frozen(slots=True)
class Not:
    """True when the part is not."""

    part: Condition


@frozen(slots=True)
class ForLines:
    """True when `body` is true of ``any`` line of the order, or of ``all`` of them."""

    kind: str
    body: Condition
    text: str = field(default="", eq=False)


Condition = Leaf | All | Any_ | Not | ForLines

TRUE: Final = All(())
FALSE: Final = Any_(())


def holds(leaf: Leaf, left: Any, right: Any) -> bool:
    """Whether a leaf is true of the values read; None is missing."""
    if left is None or (leaf.other is not None and right is None):
        return False
    if leaf.other is None:
        right = leaf.value
    op = leaf.op
    if op in COMPARE:
        return COMPARE[op](left, right)
    return PROBES[op](left, right)


PROBES: Final[Mapping[str, Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        "in": lambda left, right: left in right,
        "has": lambda left, right: right in left,
        "starts": lambda left, right: left.startswith(right),
        "ends": lambda left, right: left.endswith(right),
        "contains": lambda left, right: any(part in left for part in right),
        "exists": lambda _left, _right: True,
        "true": lambda left, _right: left,
    }
)


def negated(condition: Condition) -> Condition:
    """The negation, with double negations and constants folded."""
    if isinstance(condition, Not):
        return condition.part
    if condition == TRUE:
        return FALSE
    if condition == FALSE:
        return TRUE
    return Not(condition)


def joined(parts: list[Condition], *, every: bool) -> Condition:
    """All (`every`) or any of the parts, flattened, with constants folded."""
    group, neutral, final = (All, TRUE, FALSE) if every else (Any_, FALSE, TRUE)
    flat: list[Condition] = []
    for part in parts:
        if part == final:
            return final
        flat += part.parts if isinstance(part, group) else [part]
    flat = list(dict.fromkeys(flat))
    if len(flat) == 1:
        return flat[0]
    return group(tuple(flat)) if flat else neutral


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf, in the order in which the author wrote them."""
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    elif isinstance(condition, ForLines):
        yield from leaves(condition.body)
    else:
        for part in condition.parts:
            yield from leaves(part)


def entities(condition: Condition) -> frozenset[str]:
    """The entities it speaks of; lines within ``any(... for line in lines)`` do not count."""
    if isinstance(condition, Leaf):
        return frozenset(fact.entity for fact in condition.facts)
    if isinstance(condition, Not):
        return entities(condition.part)
    if isinstance(condition, ForLines):
        return (entities(condition.body) - {"line"}) | {"order"}
    return frozenset().union(*(entities(part) for part in condition.parts))
