"""Evaluates a test as it is written and says which leaf decided: the answer to "why not?".

It reads the tree itself, not an engine's compiled form, so it is also the yardstick the engines
are tested against. It walks with an explicit stack, so depth is no concern.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from attrs import define, frozen

from domcore.rules.engines.protocol import All, Any, FlatFact, FlatValue, Leaf, Not, Test

_COMPARE: Final[Mapping[str, Callable[..., bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


@frozen(slots=True)
class Failure:
    """Why a test is false.

    Attributes:
        leaf: the leaf that decided; None when the test has no leaf to blame (an empty `Any`).
        expected: what the leaf would have had to be (False below an odd number of `Not`).
        value: what the fact held in the leaf's field; None where it is missing.
        other: the other side: the leaf's constant, or what the fact held in its `ref`.
    """

    leaf: Leaf | None
    expected: bool
    value: FlatValue | None
    other: FlatValue | None


@define(slots=True)
class _Level:
    """A group on the way down; `parts` is None for a `Not`."""

    every: bool
    parts: Iterator[Test] | None
    first: Leaf | None = None
    started: bool = False


def holds(test: Test, fact: FlatFact) -> bool:
    """Whether the test is true of the fact."""
    return _decide(test, fact)[0]


def first_failing(test: Test, fact: FlatFact) -> Failure | None:
    """The first leaf, in written order, that makes the test false; None when it is true.

    Where every branch of an `Any` fails, the first branch answers for all of them.
    """
    truth, leaf = _decide(test, fact)
    if truth:
        return None
    if leaf is None:
        return Failure(leaf=None, expected=True, value=None, other=None)
    other = fact.get(leaf.ref) if leaf.ref is not None else leaf.value
    return Failure(
        leaf=leaf, expected=not _leaf_holds(leaf, fact), value=fact.get(leaf.field), other=other
    )


def _decide(test: Test, fact: FlatFact) -> tuple[bool, Leaf | None]:
    """The truth of the test and the leaf that decided it."""
    levels: list[_Level] = []
    node: Test | None = test
    truth, leaf = False, None
    while True:
        if isinstance(node, Not):
            levels.append(_Level(every=False, parts=None))
            node = node.part
            continue
        if isinstance(node, All | Any):
            levels.append(_Level(every=isinstance(node, All), parts=iter(node.parts)))
            # A group starts as the answer it has when nothing contradicts it.
            truth, leaf = isinstance(node, All), None
        elif node is not None:
            truth, leaf = _leaf_holds(node, fact), node
        node, truth, leaf = _climb(levels, truth, leaf)
        if node is None:
            return truth, leaf


def _climb(
    levels: list[_Level], truth: bool, leaf: Leaf | None
) -> tuple[Test | None, bool, Leaf | None]:
    """Carry an answer upwards until a group needs another part; None when the walk is over."""
    while levels:
        level = levels[-1]
        if level.parts is None:
            levels.pop()
            truth = not truth
            continue
        if level.started and level.first is None:
            level.first = leaf
        if truth is level.every:
            level.started = True
            following = next(level.parts, None)
            if following is not None:
                return following, truth, leaf
            leaf = level.first
        levels.pop()
    return None, truth, leaf


def _leaf_holds(leaf: Leaf, fact: FlatFact) -> bool:
    value = fact.get(leaf.field)
    if leaf.op == "exists":
        return value is not None
    if leaf.op == "missing":
        return value is None
    other = fact.get(leaf.ref) if leaf.ref is not None else leaf.value
    if value is None or other is None:
        return False
    return _COMPARE[leaf.op](value, other)
