"""Why, and why not: what every rule says of one line at one node.

Worked out anew from the request, never recorded while routing: the condition tree is walked with
the values that were read, and a rule that is silent names the first leaf that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from domcore.errors import NotFound
from domcore.rules.readers import Readers
from domcore.rules.scopes import CONTEXT, conjuncts, native_leaves
from domcore.rules.tree import (
    All,
    Condition,
    FactRef,
    ForLines,
    Leaf,
    Not,
    entities,
    holds,
    leaves,
)

if TYPE_CHECKING:
    from domcore.rules.judge import Judging
    from domcore.rules.layers import CompiledRule, Reach

Read = Callable[[FactRef, int], Any]


@frozen(slots=True)
class Verdict:
    """What one rule says of one line at one node.

    Args:
        rule: ``pack/id``.
        spoke: whether it is in force and its condition is true here; a ``require`` speaks too
            where only its node part is false, which is where it bars the node.
        bars: whether it keeps this node from this line.
        silent: when it is not in force: why; else empty.
        failing: when its condition is false: the first part that failed, as written.
        values: the facts it reads and their values here; None is missing.
        types: the types of these facts, in the same order.
        native: the parts that no rule engine sees: they compare two entities or read a candidate.
    """

    rule: str
    version: str
    verb: str
    reason: str
    condition: str
    spoke: bool
    bars: bool = False
    silent: str = ""
    failing: str = ""
    values: tuple[tuple[str, Any], ...] = ()
    native: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


def explain(
    rules: Sequence[CompiledRule],
    readers: Readers,
    reach: Reach,
    judging: Judging,
    active: int,
    line: str,
    node: str,
    only: int | None = None,
) -> tuple[Verdict, ...]:
    """A verdict for every rule of a program, by number; with `only` for that one.

    Raises:
        NotFound: no such line in the request, or no such node.
    """
    request = judging.sitting.request
    ids = [open_line.line.id for open_line in request.lines]
    if line not in ids:
        raise NotFound(f"no open line {line!r} in this order")
    if node not in judging.state.positions:
        raise NotFound(f"no node {node!r} in this network")
    number, position = ids.index(line), judging.state.positions[node]
    cache: dict[tuple[str, int], Any] = {}

    def read(fact: FactRef, at: int) -> Any:
        key = (fact.key, at)
        if key not in cache:
            cache[key] = _value(fact, readers, judging, at, position)
        return cache[key]

    wanted = rules if only is None else [rules[only]]
    return tuple(_verdict(rule, reach, judging, active, read, number, position) for rule in wanted)


def _verdict(
    rule: CompiledRule,
    reach: Reach,
    judging: Judging,
    active: int,
    read: Read,
    line: int,
    position: int,
) -> Verdict:
    lines = len(judging.sitting.lines)
    true, failing = _walk(rule.condition, read, line, lines)
    silent = "" if active >> rule.number & 1 else reach.why_silent(rule, judging.sitting.request)
    beyond = not judging.state.own[rule.source] >> position & 1
    if beyond and not silent:
        silent = "a partner's rule speaks of the partner's own nodes only"
    spoke = true
    if rule.rule.verb == "require":
        guards = [part for part in conjuncts(rule.condition) if entities(part) <= CONTEXT]
        spoke = all(_walk(part, read, line, lines)[0] for part in guards)
    spoke = spoke and not silent
    facts = {
        fact.name if fact.key.partition("@")[0] == fact.name else fact.key: fact
        for leaf in leaves(rule.condition)
        for fact in leaf.facts
    }
    return Verdict(
        rule=rule.address,
        version=rule.version,
        verb=rule.rule.verb,
        reason=rule.rule.reason,
        condition=rule.rule.when,
        spoke=spoke,
        bars=spoke and (rule.rule.verb == "exclude" or not true),
        silent=silent,
        failing="" if true else failing,
        values=tuple((name, read(fact, line)) for name, fact in facts.items()),
        native=native_leaves(rule.condition),
        types=tuple(fact.type for fact in facts.values()),
    )


def _walk(condition: Condition, read: Read, line: int, lines: int) -> tuple[bool, str]:
    """Whether a condition is true, and the part that decided it."""
    if isinstance(condition, Leaf):
        right = None if condition.other is None else read(condition.other, line)
        return bool(holds(condition, read(condition.fact, line), right)), condition.text
    if isinstance(condition, Not):
        true, text = _walk(condition.part, read, line, lines)
        return not true, f"not ({text})" if text else "True" if not true else "False"
    if isinstance(condition, ForLines):
        found = [_walk(condition.body, read, other, lines)[0] for other in range(lines)]
        return any(found) if condition.kind == "any" else all(found), condition.text
    every = isinstance(condition, All)
    first = ""
    for part in condition.parts:
        true, text = _walk(part, read, line, lines)
        if true is not every:
            return true, text
        first = first or text
    return every, first or ("True" if every else "False")


def _value(fact: FactRef, readers: Readers, judging: Judging, line: int, position: int) -> Any:
    if fact.entity == "node":
        return judging.state.value(readers.node(fact), position)
    if fact.entity == "candidate":
        return judging.candidate_value(fact, line, position)
    if fact.entity == "line":
        return readers.line(fact)(judging.sitting, line)
    return readers.order(fact)(judging.sitting)
