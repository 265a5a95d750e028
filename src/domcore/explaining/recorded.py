"""A decision of an earlier planner, told from what its record stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from domcore.explaining.story import explanation_of
from domcore.explanation import RECORDED, Explanation, NodeStory, RuleWord, counted
from domcore.model import Plan
from domcore.planning import PlanningKit
from domcore.rules.pack import LAYERS
from domcore.sourcing.generation import CURRENT, Generation
from domcore.sourcing.question import Question
from domcore.sourcing.recorded import recorded_holds, recorded_plan
from domcore.store.protocol import Store

TOLD: Final = (
    "told from what was stored with it, and why other nodes did not ship is not known any more"
)


def made_by(generation: Generation) -> str:
    """Says whose decision it is, in words."""
    if generation.planner > CURRENT.planner or generation.facts > CURRENT.facts:
        return "made by a later planner"
    if generation.planner < CURRENT.planner:
        return "made by an earlier planner"
    return "made by an earlier planner, whose rules read other facts"


def tell_recorded(
    kit: PlanningKit, question: Question, record: Mapping[str, Any], why_not: str | None
) -> Explanation:
    """The story of a decision that cannot be made again; `why_not` is a node of its network."""
    field = question.supply.field
    words = _rules(kit.store, record)

    def name(number: int) -> str:
        return words[number].rule if number < len(words) else f"rule {number}"

    plan = recorded_plan(record, question.order, [node.id for node in field.nodes], name)
    earlier = made_by(question.generation)
    return explanation_of(
        question,
        plan,
        recorded_holds(record),
        told_first=(f"{earlier}: {TOLD}",),
        others=(),
        rules=[words[number] for number in record["rules"] if number < len(words)],
        replayed=False,
        told_from=RECORDED,
        incidents=tuple(record.get("outside", {}).get("incidents", ())),
        asked=None if why_not is None else _asked(question, plan, why_not, earlier),
    )


def _asked(question: Question, plan: Plan, name: str, earlier: str) -> NodeStory:
    """What is certain of a node without deciding anew."""
    field, supply = question.supply.field, question.supply
    at = field.position[name]
    units = sum(each.quantity for each in plan.allocations if each.node == name)
    if units:
        distance = next(each.distance for each in plan.parcels if each.node == name)
        return NodeStory(name, distance, "ships", f"ships {counted(units, 'unit')} of this order")
    if not field.nodes[at].enabled:
        return NodeStory(name, None, "disabled", "switched off in the network")
    if not any(held.get(at) for held in supply.available.values()):
        return NodeStory(name, None, "stock", "has none of what is open")
    return NodeStory(
        name, None, "earlier", f"{earlier}: why it was not chosen is not known any more"
    )


def _rules(store: Store, record: Mapping[str, Any]) -> list[RuleWord]:
    """What the numbers of rules in a record stand for: rules of packs, then plugins' directives.

    The packs are not compiled: a later version may refuse what an earlier one took.
    """
    body: Mapping[str, Any] = msgspec.json.decode(store.blob(str(record["program"])))
    rows = sorted(body["active"], key=lambda row: (LAYERS.index(row["layer"]), row["name"]))
    words: list[RuleWord] = []
    for row in rows:
        tree: Mapping[str, Any] = msgspec.json.decode(store.blob(row["pack"]))
        words += [
            RuleWord(
                f"{row['name']}/{rule['id']}",
                tree["version"],
                rule["then"] if isinstance(rule["then"], str) else next(iter(rule["then"])),
                rule.get("reason", ""),
            )
            for rule in tree["rule"]
            if rule.get("enabled", True)
        ]
    directives: Sequence[Sequence[Any]] = record.get("outside", {}).get("directives", ())
    return [*words, *(RuleWord(row[0], "", row[1], row[2]) for row in directives)]
