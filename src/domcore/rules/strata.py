"""The order in which derived facts become known.

Facts that rules `set` form a graph: an edge from every derived fact a rule reads to every fact it
sets. A level is complete before the next one starts, so a rule never reads a half-made fact. A
cycle is allowed where the facts only ever help each other to become true; a cycle through a
negation has no answer and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from domcore.rules.tree import Condition, ForLines, Leaf, Not


@frozen(slots=True)
class Derivation:
    """One rule that may set one fact: the rule's address and the derived facts it reads."""

    rule: str
    fact: str
    reads: tuple[tuple[str, bool], ...]


@frozen(slots=True)
class Strata:
    """The level of every derived fact, and the levels that need more than one round."""

    levels: Mapping[str, int]
    recursive: frozenset[int]


class NegativeCycle(ValueError):  # noqa: N818 - an outcome, turned into a ConfigurationError
    """Facts that wait for their own absence; `rules` are those on the cycle."""

    def __init__(self, facts: Sequence[str], rules: Sequence[str]) -> None:
        super().__init__(f"{', '.join(facts)} would wait for its own absence")
        self.facts = tuple(facts)
        self.rules = tuple(rules)


def derived_reads(
    condition: Condition, derived: Mapping[str, object], *, negative: bool = False
) -> Iterator[tuple[str, bool]]:
    """The derived facts a condition reads, each with whether it reads it under a negation."""
    if isinstance(condition, Leaf):
        for fact in condition.facts:
            if fact.name in derived:
                yield fact.name, negative
    elif isinstance(condition, Not):
        yield from derived_reads(condition.part, derived, negative=not negative)
    elif isinstance(condition, ForLines):
        yield from derived_reads(condition.body, derived, negative=negative)
    else:
        for part in condition.parts:
            yield from derived_reads(part, derived, negative=negative)


def stratify(derivations: Sequence[Derivation]) -> Strata:
    """Levels for all facts that are set.

    Raises:
        NegativeCycle: a fact depends on its own absence.
    """
    following: dict[str, set[str]] = {derivation.fact: set() for derivation in derivations}
    for derivation in derivations:
        for read, _ in derivation.reads:
            following.setdefault(read, set()).add(derivation.fact)
    home: dict[str, int] = {}
    groups = _components(following)
    for number, group in enumerate(groups):
        for fact in group:
            home[fact] = number
    for derivation in derivations:
        for read, negative in derivation.reads:
            if negative and home[read] == home[derivation.fact]:
                cycle = home[read]
                rules = {d.rule for d in derivations if home[d.fact] == cycle}
                raise NegativeCycle(sorted(groups[cycle]), sorted(rules))
    return _levelled(derivations, groups, home)


def _levelled(
    derivations: Sequence[Derivation], groups: list[list[str]], home: Mapping[str, int]
) -> Strata:
    before: list[set[int]] = [set() for _ in groups]
    looping: set[int] = set()
    for derivation in derivations:
        target = home[derivation.fact]
        for read, _ in derivation.reads:
            if home[read] == target:
                looping.add(target)
            else:
                before[target].add(home[read])
    level: list[int] = []
    for number in range(len(groups)):  # in topological order
        level.append(1 + max((level[earlier] for earlier in before[number]), default=-1))
    return Strata(
        {fact: level[number] for fact, number in home.items()},
        frozenset(level[number] for number in looping),
    )


def _components(following: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected components in topological order (Kosaraju, without recursion)."""
    preceding: dict[str, list[str]] = {fact: [] for fact in following}
    for fact, targets in following.items():
        for target in sorted(targets):
            preceding[target].append(fact)
    forward = {fact: sorted(targets) for fact, targets in following.items()}
    finished = list(_walk(sorted(following), forward, set()))
    seen: set[str] = set()
    return [list(_walk([fact], preceding, seen)) for fact in reversed(finished) if fact not in seen]


def _walk(
    starts: Sequence[str], edges: Mapping[str, Sequence[str]], seen: set[str]
) -> Iterator[str]:
    """Depth first from each start; facts come in the order in which they are finished."""
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(edges[start]))]
        while stack:
            fact, rest = stack[-1]
            target = next((found for found in rest if found not in seen), None)
            if target is None:
                stack.pop()
                yield fact
            else:
                seen.add(target)
                stack.append((target, iter(edges[target])))
