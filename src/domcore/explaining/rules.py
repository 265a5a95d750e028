"""Why a rule spoke, or was silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve, frozen

from domcore.errors import NotFound
from domcore.explaining.nodes import dropped_rules
from domcore.explaining.recorded import made_by
from domcore.explaining.replaying import question_of, workings
from domcore.packs import Packs
from domcore.planning import PlanningKit
from domcore.rule_story import RuleFinding, RuleStory, shown_value
from domcore.rules.explain import Verdict
from domcore.rules.layers import CompiledRule
from domcore.rules.node_state import NodeState
from domcore.rules.problems import suggestion
from domcore.rules.program import Program
from domcore.rules.scopes import reads_line
from domcore.rules.tree import entities
from domcore.sourcing import record as records
from domcore.sourcing.decide import Decided, Working, request_of, work_out
from domcore.sourcing.generation import CURRENT


@frozen(slots=True)
class _Asked:
    """One decision made again, and what was decided."""

    program: Program
    state: NodeState
    decided: Decided
    working: Working
    sequence: int
    remarks: tuple[str, ...] = ()


def explain_rule(
    kit: PlanningKit, order_id: int, rule: str, node: str | None, sequence: int | None
) -> RuleStory:
    """What a rule said of an order in one of its decisions, the last unless told otherwise; of an
    order that is not decided yet, what it says now.

    Raises:
        NotFound: there is no such rule, node or decision.
    """
    asked = _asked(kit, order_id, sequence)
    question = asked.working.question
    order = question.order
    story = RuleStory(
        order.key, order.number, asked.sequence, question.now, question.currency, rule,
        remarks=asked.remarks,
    )  # fmt: skip
    found = [each for each in asked.program.rules if each.address == rule]
    if not found:
        silent = why_not_in_force(kit.programs.all_packs, rule, order.owner, order.channel)
        return evolve(story, silent=silent)
    if node is not None and node not in question.supply.field.position:
        raise NotFound(f"there is no node {node!r} in the network of this decision")
    return _told(story, asked, found, node)


def _asked(kit: PlanningKit, order_id: int, sequence: int | None) -> _Asked:
    decisions = {each.sequence: each for each in kit.store.decisions(order_id)}
    if not decisions and sequence is None:
        return _now(kit, order_id)
    if not decisions or (sequence is not None and sequence not in decisions):
        last = f"; the last is {max(decisions)}" if decisions else ""
        raise NotFound(f"there is no decision {sequence}{last}")
    stored = decisions[max(decisions) if sequence is None else sequence]
    record = records.decode(stored.record)
    question = question_of(kit, record, kit.store.revision(order_id, record["revision"]))
    program, state, decided, working = workings(kit, question, record)
    remarks: tuple[str, ...] = ()
    if question.generation != CURRENT and decided.record != stored.record:
        earlier = made_by(question.generation)
        remarks = (f"{earlier}: this is what its rules say as they are read now",)
    return _Asked(program, state, decided, working, stored.sequence, remarks)


def _now(kit: PlanningKit, order_id: int) -> _Asked:
    now = kit.now()
    found = kit.store.open_orders(now=2**62, limit=1, order_ids=[order_id])
    if not found:
        raise NotFound("nothing is open on this order, and nothing has been decided")
    kit.look(found)
    question = kit.question(found[0], now, "route")
    program, state = kit.program(found[0].order)
    prepared = kit.prepare(found, now).get(order_id)
    decided, working = work_out(question, program, state, kit.outside(question, prepared))
    return _Asked(program, state, decided, working, 0)


def _told(
    story: RuleStory, asked: _Asked, found: list[CompiledRule], node: str | None
) -> RuleStory:
    rule = found[0]
    version = asked.program.packs[rule.source][0].version
    verdicts = list(_verdicts(asked, rule, node))
    silent = next((each.silent for _, _, each in verdicts if each.silent), "")
    partner = all(each.silent for _, _, each in verdicts)
    return evolve(
        story,
        version=version,
        verb=rule.rule.verb,
        condition=rule.rule.when,
        reason=rule.rule.reason,
        soft=rule.rule.soft,
        silent=silent if partner else "",
        dropped=rule.number in dropped_rules(asked.program, asked.decided, asked.working),
        amount=_amount(asked, rule),
        findings=tuple(_alike(rule, verdicts)),
        remarks=(*story.remarks, *_more(asked, found, verdicts)),
    )


def _more(asked: _Asked, found: list[CompiledRule], verdicts: list[Any]) -> Iterator[str]:
    if len(found) > 1:
        yield "the pack is activated more than once for this order; this is the first of them"
    if not asked.working.seen.lines:
        yield "nothing of the order was open, so no rule was asked"
    elif not verdicts:
        yield "no node could ship any of it; name one to ask about it all the same"


def _verdicts(
    asked: _Asked, rule: CompiledRule, node: str | None
) -> Iterator[tuple[str, str, Verdict]]:
    """``(node, line, verdict)`` wherever the rule can say something of its own."""
    request, field = request_of(asked.working), asked.working.question.supply.field
    lines = [each.line.id for each in request.lines]
    of_nodes = bool(entities(rule.condition) & {"node", "candidate"})
    if not reads_line(rule.condition):
        lines = lines[:1]
    nodes = [node] if node is not None else _candidates(asked)
    if not of_nodes and node is None:
        nodes = [each.id for each in field.nodes[:1]]
    explained = asked.program.explainer(request, asked.state, rule.number)
    for each in nodes:
        for line in lines:
            (verdict,) = explained(line, each)
            yield each if of_nodes or node is not None else "", line, verdict


def _candidates(asked: _Asked) -> list[str]:
    """The nodes that hold some of the order, nearest first."""
    seen, field = asked.working.seen, asked.working.question.supply.field
    return [field.nodes[at].id for at in sorted(seen.distances, key=seen.distances.__getitem__)]


def _alike(rule: CompiledRule, verdicts: list[tuple[str, str, Verdict]]) -> Iterator[RuleFinding]:
    """Places of which the rule says the same, having read the same, together."""
    of_lines = reads_line(rule.condition)
    together: dict[Any, tuple[dict[str, None], dict[str, None]]] = {}
    for node, line, verdict in verdicts:
        values = tuple(
            (name, shown_value(kind, value))
            for (name, value), kind in zip(verdict.values, verdict.types, strict=True)
        )
        # What parameters decide is gone from the condition: all of it has failed.
        failing = rule.rule.when if verdict.failing == "False" else verdict.failing
        key = (verdict.spoke, verdict.bars, failing, values)
        nodes, lines = together.setdefault(key, ({}, {}))
        if node:
            nodes[node] = None
        if of_lines:
            lines[line] = None
    for (spoke, bars, failing, values), (nodes, lines) in together.items():
        yield RuleFinding(tuple(nodes), tuple(lines), spoke, bars, failing, values)


def _amount(asked: _Asked, rule: CompiledRule) -> int | None:
    if rule.rule.verb != "cost":
        return None
    amounts = [
        term.amount
        for parcel in asked.decided.plan.parcels
        for term in parcel.terms
        if term.name == rule.address
    ]
    return sum(amounts) if amounts else None


def why_not_in_force(packs: Packs, rule: str, owner: str, channel: str) -> str:
    """Why a rule is not among those that were asked about an order.

    Raises:
        NotFound: no pack has such a rule.
    """
    name = rule.partition("/")[0]
    known = {
        f"{info.name}/{each.id}": (info, each)
        for info in packs.all()
        if info.pack
        for each in info.pack.rules
    }
    if rule not in known:
        raise NotFound(f"there is no rule {rule!r}{suggestion(rule, known)}")
    info, written = known[rule]
    if not written.enabled:
        return "it is switched off (enabled = false)"
    if not info.active:
        return f"pack {name} is not activated"
    if not any(each.covers(owner, channel) for each in info.active):
        return (
            f"pack {name} is not activated for owner {owner!r} on channel {channel!r}, only for "
            + "; ".join(
                f"owner {each.owner or 'any'}, channels {', '.join(each.channels) or 'any'}"
                for each in info.active
            )
        )
    return "it was not there when this was decided"
