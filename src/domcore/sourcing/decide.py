"""The one pure function: a question in, a plan with its record out. Nothing is changed anywhere.

* find what is open and who holds it (`survey`);
* stop where no plan can be right: no address, no rate between currencies;
* gather foreign facts, judge: rule packs and judging plugins merge into one policy;
* plan: the exact planner, or a planning plugin whose answer is priced again and checked;
* review: reasons to stop before the work is handed over;
* write down what was read and what was decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from attrs import define, evolve, field

from domcore.model import (
    Candidate,
    Directive,
    FactValue,
    Hold,
    Order,
    Plan,
    Policy,
    Shortage,
    Terms,
)
from domcore.model.correction import CHOSEN, MOVED
from domcore.model.exchange import in_other_currency
from domcore.model.order import PICKUP
from domcore.model.postal import doubtful
from domcore.rules.node_state import NodeState
from domcore.rules.program import Program
from domcore.rules.request import Request
from domcore.sourcing import record as records
from domcore.sourcing.assemble import Prices, rule_prices
from domcore.sourcing.check import foreign_pass
from domcore.sourcing.outcome import Draw, plan_of
from domcore.sourcing.passes import Box, Pass, run_passes
from domcore.sourcing.question import Facts, Outside, Question
from domcore.sourcing.survey import Survey, candidates_of, survey

ADDRESS_HOLD = "domcore/address"
CURRENCY_HOLD = "domcore/currency"
SPLIT_HOLD = "domcore/split-ceiling"
ATTEMPTS_HOLD = "domcore/attempts"
REJECTED = "domcore/rejected"

_FIRST_HALF = "AE AG AO AW BF BI BJ BO BS BW BZ CD CF CG CI CM DJ DM ER FJ GD GH GM GQ GY HK"
_OTHER_HALF = "JM KI KM KP ML MO MR NR QA RW SB SC SL SR ST SY TD TG TK TL TO TV UG VU YE ZW"
WITHOUT_CODES = frozenset(f"{_FIRST_HALF} {_OTHER_HALF}".split())
"""Countries whose addresses have no postal code."""

_NO_POLICY = Policy(Terms(()))
_NO_DRAWS: tuple[Draw, ...] = ()
_NOWHERE: Mapping[int, int] = MappingProxyType({})
_NO_SAFETY: Sequence[Mapping[int, int]] = ()


@define(slots=True)  # not frozen: every order builds one, and that doubles the cost
class Decided:
    """What came of a question. `draws` is the stock it takes, none where it was held at route."""

    plan: Plan
    holds: tuple[Hold, ...]
    draws: tuple[Draw, ...]
    record: bytes
    policy: Policy
    incidents: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Stopped before anything was planned."""
        return any(hold.stage == "route" for hold in self.holds)


@define(slots=True)
class Working:
    """A decision while it is being made; kept whole for explaining."""

    question: Question
    seen: Survey
    policy: Policy = _NO_POLICY
    prices: Prices = field(factory=lambda: Prices({}, {}, {}))
    passes: list[Pass] = field(factory=list)
    boxes: list[Box] = field(factory=list)
    candidates: tuple[Candidate, ...] = ()
    directives: tuple[Directive, ...] = ()
    extra: dict[str, Any] = field(factory=dict)


def decide(
    question: Question, program: Program, state: NodeState, outside: Outside | None = None
) -> Decided:
    """Decide one order.

    Args:
        program: the rule packs in force for this owner and channel.
        state: the node side of `program` for the question's network.
        outside: foreign plugins, or their recorded answers; None when there are none.
    """
    return work_out(question, program, state, outside)[0]


def work_out(
    question: Question, program: Program, state: NodeState, outside: Outside | None = None
) -> tuple[Decided, Working]:
    """`decide`, with the workings."""
    seen = survey(question, question.order.destination)
    working = Working(question, seen)
    holds = _cannot_plan(question, seen)
    if not holds and seen.pools:
        _judge(working, program, state, outside)
        holds = [hold for hold in working.policy.holds if hold.stage == "route"]
    plan, draws = Plan(shortages=_unknown(question, seen)), _NO_DRAWS
    if not holds and seen.pools:
        plan, draws = _plan(working, outside)
        holds = _reviewed(working, plan, outside)
        if any(hold.stage == "route" for hold in holds):
            plan, draws, working.passes, working.boxes = Plan(), _NO_DRAWS, [], []
    return _written(working, plan, holds, draws, outside), working


def _cannot_plan(question: Question, seen: Survey) -> list[Hold]:
    order = question.order
    if not seen.pools:
        return []
    if order.destination is None:
        reason = "the order has no shipping address"
        return [Hold(ADDRESS_HOLD, _unplaced(order, reason), "route")]
    if order.destination.point is None:
        reason = doubtful(order.destination) if question.normal else ""
        reason = reason or (
            f"no geocoder can place postal code {order.destination.postal!r}"
            f" in country {order.destination.country!r}"
        )
        return [Hold(ADDRESS_HOLD, _unplaced(order, reason), "route")]
    if order.currency != question.currency and not question.exchange:
        return [
            Hold(
                CURRENCY_HOLD,
                f"the order is in {order.currency}, costs are counted in {question.currency},"
                " and no rate between them is configured",
                "route",
            )
        ]
    return _worn_out(question)


def _worn_out(question: Question) -> list[Hold]:
    """Whether nodes have rejected it so often that a person should look at it."""
    most, times = question.options.max_attempts, question.rejections
    if not most or times < most or ATTEMPTS_HOLD in question.approved:
        return []
    reason = f"nodes have rejected it {times} times; approve it to have it tried again"
    return [Hold(ATTEMPTS_HOLD, reason, "route")]


_SAID: Final = {
    MOVED: "a person has moved this line away from here",
    CHOSEN: "a person wants this line from another node",
}
"""Why a node is not asked that has rejected nothing."""


def _rejections(question: Question) -> tuple[Directive, ...]:
    """Nodes that have rejected a line are not asked for it again, nor for its SKU for a while."""
    lines, nodes = question.order.lines, question.supply.field.nodes
    told: dict[tuple[int, str], list[str]] = {}
    for rows, what in ((question.excluded, "this line"), (question.avoided, "this SKU lately")):
        for line, at, reason in rows:
            word = _SAID.get(reason) or f"rejected {what}: {reason}"
            told.setdefault((at, word), []).append(lines[line].id)
    return tuple(
        Directive(REJECTED, "exclude", reason, (nodes[at].id,), tuple(ids))
        for (at, reason), ids in sorted(told.items())
    )


def _judge(working: Working, program: Program, state: NodeState, outside: Outside | None) -> None:
    if outside is not None:
        question = working.question
        working.candidates = candidates_of(working.seen, question.supply)
        facts = outside.facts(question.order, working.candidates)
        working.extra = spread_facts(facts, working.candidates, state)
        working.directives = outside.directives(question.order, working.candidates, facts)
    if working.question.excluded or working.question.avoided:
        working.directives = (*working.directives, *_rejections(working.question))
    working.policy = program.judge(request_of(working, floors=program.reads_floors), state)


def request_of(working: Working, *, floors: bool = True) -> Request:
    """What the rules are asked; safety stock is told where they read what `floors` leave."""
    question, seen = working.question, working.seen
    available = question.supply.available
    order, lines, rest = question.order, seen.lines, seen.rest
    if question.exchange:
        order = in_other_currency(order, question.exchange)
        by_id = {line.id: line for line in order.lines}
        rest = tuple(evolve(each, line=by_id[each.line.id]) for each in rest)
        lines = tuple(
            evolve(each, line=order.lines[at])
            for each, at in zip(lines, seen.positions, strict=True)
        )
    held: list[Mapping[int, int]] = [_NOWHERE] * len(seen.lines)
    for pool in seen.pools:
        for line, _ in pool.lines:
            held[line] = available[pool.item_id]
    kept, safety = question.supply.safety, _NO_SAFETY
    if floors and kept and any(pool.item_id in kept for pool in seen.pools):
        of_line = {line: pool.item_id for pool in seen.pools for line, _ in pool.lines}
        safety = [kept.get(of_line[number], _NOWHERE) for number in range(len(seen.lines))]
    return Request(
        order,
        lines,
        question.now,
        seen.holders,
        seen.distances,
        held,
        frozenset(question.approved),
        working.directives,
        working.extra,
        question.currency,
        rest,
        safety,
        question.sequence - 1,
        question.rejections,
        () if question.past is None else question.past.nodes,
        0 if question.past is None else question.past.beyond,
        question.signals,
    )


def spread_facts(
    facts: Facts, candidates: tuple[Candidate, ...], state: NodeState
) -> dict[str, Any]:
    """Foreign facts to where rules read them: node facts to the node state, the rest by name.

    Every candidate's node facts are set anew, so nothing an earlier order was told is left.
    """
    extra: dict[str, Any] = {}
    of_nodes: dict[str, dict[str, FactValue]] = {each.key: {} for each in candidates}
    for key, values in facts.items():
        for name, value in values.items():
            if key not in of_nodes:
                extra[name] = value
            elif name.startswith("node."):
                of_nodes[key][name] = value
            else:
                extra.setdefault(name, {})[key] = value
    state.refresh(of_nodes)
    return extra


def _plan(working: Working, outside: Outside | None) -> tuple[Plan, tuple[Draw, ...]]:
    question, seen, policy = working.question, working.seen, working.policy
    supply, options = question.supply, question.options
    working.prices = prices = rule_prices(seen, policy)
    working.passes = []
    if outside is not None:

        def check(plugin: str, plan: Plan) -> None:
            found = foreign_pass(plugin, plan, seen, supply, policy, prices, question.past)
            working.passes, working.boxes = [found[0]], found[1]

        outside.plan(question.order, working.candidates, policy, check)
    if not working.passes:
        working.passes, working.boxes = run_passes(
            seen, supply, policy, prices, options, question.past
        )
    plan, draws = plan_of(seen, supply, prices, working.passes, working.boxes)
    if plan.shortages and (question.excluded or question.avoided):
        plan = evolve(plan, shortages=_for_rejections(question, plan.shortages))
    missing = _unknown(question, seen)
    return (evolve(plan, shortages=(*plan.shortages, *missing)) if missing else plan), draws


def _for_rejections(question: Question, shortages: tuple[Shortage, ...]) -> tuple[Shortage, ...]:
    """Where rules leave too little, and nodes have rejected the line, people are told so."""
    lines = question.order.lines
    lost: dict[str, str] = {}
    for rows in (question.excluded, question.avoided):
        for at, _, reason in rows:
            if reason not in _SAID:
                lost[lines[at].id] = "rejected"
            lost.setdefault(lines[at].id, "moved")
    return tuple(
        evolve(each, reason=lost[each.line])
        if each.reason == "rules" and each.line in lost
        else each
        for each in shortages
    )


def _unplaced(order: Order, reason: str) -> str:
    """Why it has no place; also once its pickup has been approved, people see that it is one."""
    return f"the customer picks it up, and {reason}" if order.service == PICKUP else reason


def _reviewed(working: Working, plan: Plan, outside: Outside | None) -> list[Hold]:
    question = working.question
    if not plan.allocations:
        return []
    holds = list(working.policy.holds)
    ceiling = question.options.review_nodes_over
    nodes = spread(question, plan) if ceiling else 0
    if nodes > ceiling:
        reason = f"{nodes} nodes would ship it; more than {ceiling} want a second look"
        holds.append(Hold(SPLIT_HOLD, reason))
    word = question.coarse.partition(" ")[0]
    if word in ("region", "country") and _is_to_come(question):
        reason = f"only its {word} is known: the address is still to come"
        holds.append(Hold(ADDRESS_HOLD, reason))
    if outside is not None:
        holds += outside.review(question.order, plan)
    return [hold for hold in holds if hold.code not in question.approved]


def spread(question: Question, plan: Plan) -> int:
    """How many nodes ship for the order under a plan, those of earlier decisions included."""
    past = question.past
    if past is None:
        return len(plan.nodes)
    nodes = question.supply.field.nodes
    return len({*plan.nodes, *(nodes[at].id for at in past.nodes)}) + past.beyond


def _is_to_come(question: Question) -> bool:
    """Whether an address without a postal code is not all of it: marketplaces show the rest once
    the order is accepted. Some countries have no postal codes."""
    place = question.order.destination
    return place is not None and not place.postal and place.country not in WITHOUT_CODES


def _unknown(question: Question, seen: Survey) -> tuple[Shortage, ...]:
    lines = question.order.lines
    return tuple(
        Shortage(lines[at].id, lines[at].sku, question.open[at], "item") for at in seen.unknown
    )


def _written(
    working: Working,
    plan: Plan,
    holds: list[Hold],
    draws: tuple[Draw, ...],
    outside: Outside | None,
) -> Decided:
    seen, policy = working.seen, working.policy
    answers = outside.answers if outside is not None else None
    values = records.inputs(working.question, seen, answers)
    rules = sorted({number for number, _, _ in policy.fired})
    passes, boxes = working.passes, working.boxes
    charged, format = working.prices.charges[1], working.question.format
    values.update(records.outputs(plan, holds, rules, passes, boxes, charged, format))
    incidents = policy.unread if outside is None else (*policy.unread, *outside.incidents)
    return Decided(plan, tuple(holds), draws, records.encode(values), policy, incidents)
