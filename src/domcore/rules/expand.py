"""From a policy's compact record of what fired to `Directive` objects, on demand."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from domcore.model.policy import Directive, Policy
from domcore.rules.layers import CompiledRule
from domcore.rules.node_state import NodeState
from domcore.rules.request import Request


def expand(
    rules: Sequence[CompiledRule], policy: Policy, request: Request, state: NodeState
) -> tuple[Directive, ...]:
    """One directive per rule and set of nodes; lines a rule treats alike are joined."""
    joined: dict[tuple[int, int], list[int]] = {}
    for number, line, mask in policy.fired:
        joined.setdefault((number, mask), []).append(line)
    return tuple(
        _directive(rules, number, mask, lines, request, state)
        for (number, mask), lines in joined.items()
    )


def _directive(
    rules: Sequence[CompiledRule],
    number: int,
    mask: int,
    lines: Sequence[int],
    request: Request,
    state: NodeState,
) -> Directive:
    nodes = None if mask < 0 else state.ids(mask)
    named = None if -1 in lines else tuple(request.lines[line].line.id for line in lines)
    if number >= len(rules):
        return evolve(request.directives[number - len(rules)], nodes=nodes, lines=named)
    rule = rules[number]
    return Directive(
        rule=rule.address,
        verb=rule.rule.verb,
        reason=rule.rule.reason,
        nodes=nodes,
        lines=named,
        arguments={key: value for key, value in rule.arguments.items() if value is not None},
        soft=rule.rule.soft,
        rank=rule.rank,
    )
