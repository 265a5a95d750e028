"""Why a node ships, or why it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from domcore.explaining.comparing import compared
from domcore.explanation import NodeStory, RuleWord, counted
from domcore.model import Directive
from domcore.rule_story import shown_value
from domcore.rules.explain import Verdict
from domcore.rules.facts import FactRegistry
from domcore.rules.node_state import NodeState
from domcore.rules.program import Program
from domcore.sourcing.alternatives import Alternatives
from domcore.sourcing.assemble import barred_for, floors_for
from domcore.sourcing.decide import REJECTED, Decided, Working, request_of

MOST_TOLD: Final = 20
"""Nodes that are told of without being asked about."""

HELD: Final = "the order was held before it was planned"


class NodeTeller:
    """Tells of the nodes of one decision's network, and of the rules that spoke."""

    def __init__(
        self,
        program: Program,
        state: NodeState,
        decided: Decided,
        working: Working,
        facts: FactRegistry,
    ) -> None:
        self._decided = decided
        self._program = program
        self._working = working
        self._request = request_of(working)
        self._field = working.question.supply.field
        self._facts = facts
        self._explained = program.explainer(self._request, state)
        limit = working.question.options.step_limit
        self._offering = [
            {offer[0] for row in each.problem.offers for offer in row} for each in working.passes
        ]
        self._alternatives = [
            Alternatives(each.problem, each.solution, step_limit=limit) for each in working.passes
        ]

    def others(self, asked: NodeStory | None) -> tuple[tuple[NodeStory, ...], int]:
        """The nearest nodes that hold some of it and ship nothing, and how many more there are.

        Args: asked: the story of a node that is told in detail; it is not looked at again.
        """
        shipping = set(self._decided.plan.nodes)
        others = sorted(
            (distance, node.id)
            for node, distance in (
                (self._field.nodes[at], distance)
                for at, distance in self._working.seen.distances.items()
            )
            if node.id not in shipping
        )
        stories = tuple(
            asked if asked is not None and asked.node == name else self.node(name, whole=False)
            for _, name in others[:MOST_TOLD]
        )
        return stories, max(0, len(others) - MOST_TOLD)

    def rules(self) -> tuple[RuleWord, ...]:
        """The rules that spoke, once each, and what plugins add to the cost."""
        rules, told = self._program.rules, self._working.directives
        dropped = dropped_rules(self._program, self._decided, self._working)
        words: dict[tuple[str, ...], RuleWord] = {}
        for number in sorted({number for number, _, _ in self._decided.policy.fired}):
            if number < len(rules):
                rule = rules[number]
                version = self._program.packs[rule.source][0].version
                word = RuleWord(rule.address, version, rule.rule.verb, rule.rule.reason)
                word = evolve(word, dropped=number in dropped)
            else:
                said = told[number - len(rules)]
                if said.verb != "cost":
                    continue
                word = RuleWord(said.rule, "", said.verb, said.reason)
            words.setdefault((word.rule, word.version, word.verb, word.reason), word)
        return (*words.values(), *self._rejections())

    def _directives(self) -> tuple[Directive, ...]:
        """What judging plugins said, and which nodes have rejected what."""
        open_lines = {each.line.id for each in self._request.lines}
        return tuple(
            told
            for told in self._working.directives
            if told.lines is None or open_lines.intersection(told.lines)
        )

    def _rejections(self) -> Iterator[RuleWord]:
        for told in self._directives():
            if told.rule == REJECTED and told.nodes:
                yield RuleWord(told.rule, "", told.verb, f"{told.nodes[0]} {told.reason}")

    def node(self, name: str, *, whole: bool = True) -> NodeStory:
        """Why a node ships, or why it does not.

        Args: whole: look for the best plan with it in the whole network, not among few nodes.
        """
        at = self._field.position[name]
        seen = self._working.seen
        node = self._field.nodes[at]
        distance = seen.distances.get(at)
        story = NodeStory(name, distance, "", "")
        if name in self._decided.plan.nodes:
            units = sum(a.quantity for a in self._decided.plan.allocations if a.node == name)
            reason = f"ships {counted(units, 'unit')} of this order"
            return evolve(story, verdict="ships", reason=reason)
        if not node.enabled:
            return evolve(story, verdict="disabled", reason="switched off in the network")
        owner = self._working.question.order.owner
        if node.owners and owner not in node.owners:
            return evolve(story, verdict="owner", reason=f"holds no goods of {owner}")
        if at not in seen.distances:
            place = self._working.question.order.destination
            if seen.pools and (place is None or place.point is None):
                return evolve(story, verdict="held", reason=HELD)
            words, reasons = self._barring(at)
            told = [reason for reason in reasons if reason.startswith(REJECTED)]
            none = "has none of what is open"
            if told:
                return evolve(story, verdict="rules", reason="; ".join([*told, none]), rules=words)
            return evolve(story, verdict="stock", reason=none)
        if at not in seen.quotes:
            question = self._working.question
            currency = self._field.rates.currency(node.rate_card)
            reason = (
                f"rate card {node.rate_card!r} has no rate for {question.order.service!r} to there"
                if currency == question.currency
                else f"rate card {node.rate_card!r} is in {currency}, costs are counted in"
                f" {question.currency}"
            )
            return evolve(story, verdict="rate", reason=reason)
        return self._of_holder(story, at, whole=whole)

    def _of_holder(self, story: NodeStory, at: int, *, whole: bool) -> NodeStory:
        """A node that holds some of it and has a rate: rules, floors, or cost."""
        passes = self._working.passes
        offered = any(at in nodes for nodes in self._offering)
        words: tuple[RuleWord, ...] = ()
        reasons: list[str] = []
        if whole or not offered or self._is_barred(at):
            words, reasons = self._barring(at)
        if reasons and passes and self._would_have_helped(at):
            return evolve(story, verdict="rules", reason="; ".join(reasons), rules=words)
        if not passes:
            return evolve(story, verdict="held", reason=HELD, rules=words)
        if not offered:
            verdict = "rules" if reasons else "floor"
            reason = "; ".join(reasons) or self._floor(at)
            return evolve(story, verdict=verdict, reason=reason, rules=words)
        return self._compared(story, at, words, whole=whole)

    def _is_barred(self, at: int) -> bool:
        """From some line, in the first pass, where soft rules count."""
        return any(mask >> at & 1 for mask in self._decided.policy.first.barred)

    def _barring(self, at: int) -> tuple[tuple[RuleWord, ...], list[str]]:
        """The rules that bar a node from some line, with the values they read; and what others
        than rules say that excludes it."""
        name = self._field.nodes[at].id
        words: dict[str, RuleWord] = {}
        for told in self._directives():
            if told.verb == "exclude" and (told.nodes is None or name in told.nodes):
                word = RuleWord(told.rule, "", told.verb, told.reason)
                words[f"{told.rule} {told.reason}"] = word
        for line in self._request.lines:
            for verdict in self._explained(line.line.id, name):
                if verdict.spoke and verdict.verb in ("exclude", "require", "protect", "cost"):
                    words.setdefault(verdict.rule, self._word(verdict))
        barring = [
            f"{word.rule}: {word.reason or word.condition}"
            for word in words.values()
            if word.verb in ("exclude", "require")
        ]
        return tuple(words.values()), barring

    def _sku_of(self, number: int) -> str:
        return self._working.seen.pools[number].item.sku

    def _word(self, verdict: Verdict) -> RuleWord:
        return RuleWord(
            verdict.rule,
            verdict.version,
            verdict.verb,
            verdict.reason,
            verdict.condition,
            tuple(
                (name, shown_value(kind, value))
                for (name, value), kind in zip(verdict.values, verdict.types, strict=True)
            ),
        )

    def _would_have_helped(self, at: int) -> bool:
        """Whether the node holds something that stayed short, and is barred from shipping it."""
        working = self._working
        terms, short = working.passes[-1].terms, working.passes[-1].solution.short
        available = working.question.supply.available
        return any(
            short[number] and available[pool.item_id].get(at) and barred_for(pool, terms) >> at & 1
            for number, pool in enumerate(working.seen.pools)
        )

    def _floor(self, at: int) -> str:
        """What safety stock and protection leave of a node."""
        parts = []
        supply, terms = self._working.question.supply, self._working.passes[-1].terms
        for pool in self._working.seen.pools:
            units = supply.available[pool.item_id].get(at, 0)
            if not units:
                continue
            safety = supply.safety.get(pool.item_id, {}).get(at, 0)
            floor = max(safety, floors_for(pool, terms, at))
            parts.append(f"{pool.item.sku}: {units} there, {floor} must stay")
        return "; ".join(parts)

    def _compared(
        self, story: NodeStory, at: int, words: tuple[RuleWord, ...], *, whole: bool
    ) -> NodeStory:
        """Against the plan: at a glance, or looking at the whole network."""
        number = next(
            number
            for number, each in reversed(list(enumerate(self._working.passes)))
            if at in self._offering[number]
        )
        asked, alternatives = self._working.passes[number], self._alternatives[number]
        other = alternatives.look(at) if whole else alternatives.glance(at)
        found = compared(asked.problem, asked.solution, other)
        if found.verdict in ("split", "short"):
            words = (*words, *(word for word in self.rules() if word.verb == "split"))
        story = evolve(
            story,
            verdict=found.verdict,
            reason=found.reason,
            extra=found.extra,
            rules=words,
            proven=other.proven,
        )
        if other.solution is None:
            return story
        return evolve(
            story,
            alternative=tuple(
                (self._field.nodes[node].id, self._sku_of(number), units)
                for node, number, units in other.solution.take
            ),
            alternative_cost=other.solution.cost,
        )


def dropped_rules(program: Program, decided: Decided, working: Working) -> frozenset[int]:
    """The soft rules that spoke and gave way: planning went on without them, for what would have
    stayed short."""
    if len(working.passes) < 2:
        return frozenset()
    rules = program.rules
    spoke = {number for number, _, _ in decided.policy.fired if number < len(rules)}
    return frozenset(number for number in spoke if rules[number].rule.soft)
