"""What every explanation of one decision says, however its plan came to be known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve

from domcore.explaining.remarks import remarks
from domcore.explanation import Explanation, LineStory, RuleWord
from domcore.model import Hold, Plan
from domcore.sourcing.question import Question


def explanation_of(
    question: Question,
    plan: Plan,
    holds: tuple[Hold, ...],
    *,
    rules: Iterable[RuleWord],
    told_first: tuple[str, ...] = (),
    **more: Any,
) -> Explanation:
    """The explanation of a plan.

    Args:
        rules: the rules that spoke.
        told_first: remarks that come before those on the numbers.
        more: the fields of `Explanation` that depend on how the plan is known.
    """
    return Explanation(
        order=question.order.key,
        number=question.order.number,
        sequence=question.sequence,
        at=question.now,
        currency=question.currency,
        lines=_lines(question, plan, held=any(hold.stage == "route" for hold in holds)),
        parcels=plan.parcels,
        cost=plan.cost,
        holds=holds,
        certificates=plan.certificates,
        rules=tuple(_with_amounts(rules, plan)),
        made=question.made,
        planner=question.generation.planner,
        facts=question.generation.facts,
        remarks=(*told_first, *remarks(question, plan)),
        **more,
    )


def _with_amounts(words: Iterable[RuleWord], plan: Plan) -> Iterator[RuleWord]:
    """The rules, each with what it adds to the parcels."""
    sums: dict[str, int] = {}
    for parcel in plan.parcels:
        for term in parcel.terms:
            sums[term.name] = sums.get(term.name, 0) + term.amount
    for word in words:
        yield evolve(word, amount=sums.get(word.rule)) if word.verb == "cost" else word


def _lines(question: Question, plan: Plan, *, held: bool) -> tuple[LineStory, ...]:
    short = {each.line: each for each in plan.shortages}
    sources: dict[str, list[tuple[str, int]]] = {}
    for each in plan.allocations:
        sources.setdefault(each.line, []).append((each.node, each.quantity))
    stories = []
    for units, line in zip(question.open, question.order.lines, strict=True):
        missing = short.get(line.id)
        silent = "" if line.ships else "needs no shipping"
        if held and units:
            silent = "not planned, the order is held"
        stories.append(
            LineStory(
                line.id,
                line.sku,
                units,
                tuple(sources.get(line.id, ())),
                missing.quantity if missing else 0,
                missing.reason if missing else silent,
            )
        )
    return tuple(stories)
