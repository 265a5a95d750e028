"""Multiplies a test out into branches: "any" of "all"s of atoms, few enough for the engine."""

from __future__ import annotations

from itertools import chain
from typing import Final

from attrs import define, frozen

from domcore.errors import ConfigurationError
from domcore.rules.engines.codes import Atom, Coder
from domcore.rules.engines.terms import Group, Literal, Node

MAX_BRANCHES: Final = 64
"""Branches of one test."""

MAX_ATOMS: Final = 512
"""Atoms of one branch: each is a node of some kilobytes in the engine."""

MAX_COLUMNS: Final = 200
"""Distinct numbers one branch may read: a fact of the engine holds 252 properties."""

_WORKING_LIMIT: Final = 256
"""Branches allowed while multiplying, before absorption has had its say."""

_STEPS: Final = 50_000
"""Pairs of branches joined for one test: a test that needs more is refused in about a second."""

_FEW: Final = 8
"""Up to here the test as written is preferred to its negation: it matches less often."""

Branch = frozenset[Atom]


class _TooManyError(Exception):
    """Written this way, the test needs more branches than we hold."""


@frozen(slots=True)
class Branches:
    """What makes a test true, or, when `flipped`, what makes it false."""

    flipped: bool
    branches: tuple[Branch, ...]


def multiply_out(form: Group, coder: Coder, place: str) -> Branches:
    """The test or its negation, whichever is shorter; constants have no branches.

    Raises:
        ConfigurationError: both ways exceed the limits.
    """
    direct = _attempt(form, False, coder)
    if direct is not None and len(direct) <= _FEW:
        return _constant_or(direct, flipped=False)
    flipped = _attempt(form, True, coder)
    if direct is not None and (flipped is None or len(direct) <= len(flipped)):
        return _constant_or(direct, flipped=False)
    if flipped is not None:
        return _constant_or(flipped, flipped=True)
    raise ConfigurationError(
        f"the test needs more than {MAX_BRANCHES} alternatives when multiplied out (or more "
        f"than {MAX_COLUMNS} fields in one); split the rule, derive a fact for the inner part, "
        "or use the python engine",
        place=place,
    )


def _constant_or(branches: list[Branch], *, flipped: bool) -> Branches:
    """A branch without atoms is always true, and with it the whole list."""
    if any(not branch for branch in branches):
        return Branches(not flipped, ())
    return Branches(flipped, tuple(branches))


def _attempt(form: Group, negated: bool, coder: Coder) -> list[Branch] | None:
    try:
        branches = _Multiplier(coder).expand(form, negated)
        if len(branches) > MAX_BRANCHES:
            branches = _absorb(branches)
    except _TooManyError:
        return None
    return branches if len(branches) <= MAX_BRANCHES and all(map(_fits, branches)) else None


def _fits(branch: Branch) -> bool:
    columns = {(atom.source, atom.down) for atom in branch}
    return len(branch) <= MAX_ATOMS and len(columns) <= MAX_COLUMNS


@define(slots=True)
class _Multiplier:
    """Multiplies one test out and gives up in time."""

    coder: Coder
    steps: int = _STEPS

    def expand(self, node: Node, negated: bool) -> list[Branch]:
        """The branches of the node or of its negation. Recursion: the normal form is shallow."""
        if isinstance(node, Literal):
            return self.coder.branches(Literal(node.leaf, node.negated is not negated))
        if node.every is not negated:
            return self.product([self.expand(part, negated) for part in node.parts])
        found: dict[Branch, None] = {}
        for part in node.parts:
            found.update(dict.fromkeys(self.expand(part, negated)))
            if len(found) > _WORKING_LIMIT:
                raise _TooManyError
        return list(found)

    def product(self, factors: list[list[Branch]]) -> list[Branch]:
        """Each way to take one branch of every factor, unless it contradicts itself."""
        if not all(factors):
            return []
        # The factors without a choice first, all in one go: most of a long "all" is such.
        certain = frozenset(chain.from_iterable(f[0] for f in factors if len(f) == 1))
        product = [certain] if _possible(certain, certain) else []
        for factor in sorted((f for f in factors if len(f) > 1), key=len):
            self.steps -= len(product) * len(factor)
            if self.steps < 0:
                raise _TooManyError
            joined = {a | b: None for a in product for b in factor if _possible(a, b)}
            product = list(joined)
            if len(product) > MAX_BRANCHES:
                product = _absorb(product)
        return product


def _possible(left: Branch, right: Branch) -> bool:
    """Whether no atom of `right` is the negation of one in `left`."""
    return not any(atom.negated() in left for atom in right)


def _absorb(branches: list[Branch]) -> list[Branch]:
    """Drop each branch that asks for all that another asks for, and more."""
    kept: list[Branch] = []
    for branch in sorted(branches, key=len):
        if not any(other <= branch for other in kept):
            kept.append(branch)
            if len(kept) > _WORKING_LIMIT:
                raise _TooManyError
    return kept
