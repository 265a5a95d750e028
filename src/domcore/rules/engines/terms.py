"""Checks a test and brings it into the one shape every engine starts from.

The shape: negation pushed down to the leaves, groups that alternate between "all" and "any",
constants folded away. Because each engine reads this shape and not the tree, an input that one
engine refuses is refused by all of them in the same words.

Everything here walks with an explicit stack: the depth of a tree somebody wrote must never be
the depth of the Python stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import define, frozen

from domcore.errors import ConfigurationError
from domcore.rules.engines.protocol import All, Any, FieldType, Leaf, Not, Test

MAX_DEPTH: Final = 48
"""Levels of alternating groups. CPython refuses expressions nested twice as deep."""

MAX_PARTS: Final = 50_000
"""Parts of one test, counted where they are used: a part shared n times counts n times."""

PRESENCE: Final = ("exists", "missing")
EQUALITY: Final = ("eq", "ne")
ORDER: Final = ("lt", "lte", "gt", "gte")

_PYTHON_TYPES: Final[Mapping[str, type]] = {"int": int, "str": str, "bool": bool}


@frozen(slots=True)
class Literal:
    """A leaf, or its negation: true exactly when the leaf is false."""

    leaf: Leaf
    negated: bool


@frozen(slots=True)
class Group:
    """`every`: true when all parts are; otherwise when some part is.

    Only a whole test can be an empty group: the constants true (`every`) and false.
    """

    every: bool
    parts: tuple[Node, ...]


Node = Literal | Group


@define(slots=True)
class _Open:
    """A group under construction."""

    every: bool
    parts: list[Literal | _Open]


def normal_forms(tests: Sequence[Test], fields: Mapping[str, FieldType]) -> list[Group]:
    """Check every test against `fields` and return its normal form, in the same order.

    Raises:
        ConfigurationError: with the number of the test as its place.
    """
    for field, kind in fields.items():
        if kind not in _PYTHON_TYPES:
            raise ConfigurationError(f"field {field!r}: unknown type {kind!r}")
    return [_normal_form(test, fields, f"test {index}") for index, test in enumerate(tests)]


def _normal_form(test: Test, fields: Mapping[str, FieldType], place: str) -> Group:
    """One test. Chains of equal groups and of negations vanish, however long they are."""
    root = _Open(every=True, parts=[])
    opened = [root]
    waiting: list[tuple[Test, bool, _Open]] = [(test, False, root)]
    seen = 0
    while waiting:
        part, negated, into = waiting.pop()
        seen += 1
        if seen > MAX_PARTS:
            raise ConfigurationError(
                f"the test has more than {MAX_PARTS} parts; split it into several rules",
                place=place,
            )
        if isinstance(part, Leaf):
            check_leaf(part, fields, place)
            into.parts.append(Literal(part, negated))
        elif isinstance(part, Not):
            waiting.append((part.part, not negated, into))
        elif isinstance(part, All | Any):
            every = isinstance(part, All) is not negated
            if every is not into.every:
                inner = _Open(every=every, parts=[])
                opened.append(inner)
                into.parts.append(inner)
                into = inner
            waiting.extend((child, negated, into) for child in reversed(part.parts))
        else:
            raise ConfigurationError(f"{type(part).__name__} is not a test", place=place)
    return _close(opened, place)


def _close(opened: list[_Open], place: str) -> Group:
    """Freeze the groups, innermost first (an inner group is always opened after its outer)."""
    done: dict[int, tuple[Node, int]] = {}
    for group in reversed(opened):
        parts: dict[Node, None] = {}
        depth = 0
        decided = False
        for part in group.parts:
            node, below = (part, 0) if isinstance(part, Literal) else done.pop(id(part))
            if isinstance(node, Literal):
                parts[node] = None
            elif not node.parts:
                # True inside "all" and false inside "any" change nothing; the other way round
                # they decide.
                decided = decided or node.every is not group.every
            elif node.every is group.every:
                parts.update(dict.fromkeys(node.parts))
                depth = max(depth, below - 1)
            else:
                parts[node] = None
                depth = max(depth, below)
        if depth >= MAX_DEPTH:
            raise ConfigurationError(
                f"the test nests all and any more than {MAX_DEPTH} levels deep; "
                "derive a fact for the inner part",
                place=place,
            )
        if decided:
            done[id(group)] = (Group(not group.every, ()), 0)
        elif len(parts) == 1 and group is not opened[0]:
            # A group of one is that one, so that wrapping costs no depth.
            done[id(group)] = (next(iter(parts)), depth)
        else:
            done[id(group)] = (Group(group.every, tuple(parts)), depth + 1)
    (root, _) = done[id(opened[0])]
    assert isinstance(root, Group)
    return root


def check_leaf(leaf: Leaf, fields: Mapping[str, FieldType], place: str) -> None:
    """Refuse a leaf that could mean different things to different engines.

    Raises:
        ConfigurationError: undeclared field, operator that does not suit the type, value or
            other field of another type, or both or neither of them given.
    """
    kind = _kind_of(leaf.field, fields, place)
    if leaf.op in PRESENCE:
        if leaf.value is not None or leaf.ref is not None:
            raise ConfigurationError(f"{leaf.op} {leaf.field!r} takes no value", place=place)
        return
    if leaf.op not in EQUALITY and leaf.op not in ORDER:
        raise ConfigurationError(f"unknown operator {leaf.op!r} on {leaf.field!r}", place=place)
    if kind == "bool" and leaf.op in ORDER:
        raise ConfigurationError(
            f"{leaf.field!r} is a bool; it takes eq, ne, exists and missing, not {leaf.op}",
            place=place,
        )
    if (leaf.value is None) is (leaf.ref is None):
        raise ConfigurationError(
            f"{leaf.op} on {leaf.field!r} needs either a value or another field", place=place
        )
    if leaf.ref is not None:
        other = _kind_of(leaf.ref, fields, place)
        if other != kind:
            raise ConfigurationError(
                f"{leaf.field!r} is {kind} and {leaf.ref!r} is {other}: they never compare",
                place=place,
            )
    elif type(leaf.value) is not _PYTHON_TYPES[kind]:
        given = type(leaf.value).__name__
        raise ConfigurationError(
            f"{leaf.field!r} is {kind}, the value it is compared with is {given}", place=place
        )


def _kind_of(field: str, fields: Mapping[str, FieldType], place: str) -> FieldType:
    try:
        return fields[field]
    except KeyError:
        raise ConfigurationError(f"unknown field {field!r}", place=place) from None
