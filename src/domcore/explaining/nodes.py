"""Why a node ships, or why it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve

from domcore.explanation import NodeStory, RuleWord, counted
from domcore.model import Directive, decimal_text
from domcore.model.clock import from_micros
from domcore.rules.explain import Verdict
from domcore.rules.facts import FactRegistry
from domcore.rules.node_state import NodeState
from domcore.rules.program import Program
from domcore.sourcing.alternatives import cheapest_with, terms_of
from domcore.sourcing.assemble import barred_for, floors_for
from domcore.sourcing.decide import REJECTED, Decided, Working, request_of

DEARER = "dearer"
HELD = "the order was held before it was planned"


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
        self._state = state
        self._working = working
        self._request = request_of(working)
        self._field = working.question.supply.field
        self._facts = facts

    def others(self) -> tuple[NodeStory, ...]:
        """The nodes that hold some of it and ship nothing, nearest first."""
        shipping = set(self._decided.plan.nodes)
        others = [
            self._field.nodes[at].id
            for at in self._working.seen.distances
            if self._field.nodes[at].id not in shipping
        ]
        return tuple(sorted((self.node(each) for each in others), key=_by_nearness))

    def rules(self) -> tuple[RuleWord, ...]:
        """The rules and the plugins' directives that spoke, once each."""
        rules, told = self._program.rules, self._working.directives
        words: dict[tuple[str, ...], RuleWord] = {}
        for number in sorted({number for number, _, _ in self._decided.policy.fired}):
            if number < len(rules):
                rule = rules[number]
                version = self._program.packs[rule.source][0].version
                word = RuleWord(rule.address, version, rule.rule.verb, rule.rule.reason)
            else:
                said = told[number - len(rules)]
                if said.rule == REJECTED:
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

    def node(self, name: str) -> NodeStory:
        """Why a node ships, or why it does not."""
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
        return self._of_holder(story, at)

    def _of_holder(self, story: NodeStory, at: int) -> NodeStory:
        """A node that holds some of it and has a rate: rules, floors, or cost."""
        words, reasons = self._barring(at)
        passes = self._working.passes
        if reasons and passes and self._would_have_helped(at):
            return evolve(story, verdict="rules", reason="; ".join(reasons), rules=words)
        offered = any(
            offer[0] == at for each in passes for row in each.problem.offers for offer in row
        )
        if not passes:
            return evolve(story, verdict="held", reason=HELD, rules=words)
        if not offered:
            verdict = "rules" if reasons else "floor"
            reason = "; ".join(reasons) or self._floor(at)
            return evolve(story, verdict=verdict, reason=reason, rules=words)
        return self._dearer(story, at, words)

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
            for verdict in self._program.explain(self._request, self._state, line.line.id, name):
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
            tuple((name, self._shown(name, value)) for name, value in verdict.values),
        )

    def _shown(self, name: str, value: Any) -> Any:
        """A fact's value as people write it: millionths as decimal text, times in ISO 8601."""
        spec = self._facts.get(name)
        if spec is None or type(value) is not int:
            return value
        if spec.type in ("money", "decimal"):
            return decimal_text(value, 0 if spec.type == "decimal" else 2)
        return from_micros(value).isoformat() if spec.type == "time" else value

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

    def _dearer(self, story: NodeStory, at: int, words: tuple[RuleWord, ...]) -> NodeStory:
        asked = next(
            each
            for each in reversed(self._working.passes)
            if any(offer[0] == at for row in each.problem.offers for offer in row)
        )
        limit = self._working.question.options.step_limit
        other = cheapest_with(asked.problem, at, step_limit=limit)
        limits = tuple(word for word in self.rules() if word.verb == "split")
        if other is None:
            reason = "no plan that the rules allow has room for it"
            return evolve(story, verdict="split", reason=reason, rules=(*words, *limits))
        story = evolve(
            story,
            alternative=tuple(
                (self._field.nodes[node].id, self._sku_of(number), units)
                for node, number, units in other.take
            ),
            alternative_cost=other.cost,
        )
        ours = terms_of(asked.problem, asked.solution)
        theirs = terms_of(asked.problem, other)
        more = {name: theirs[name] - ours[name] for name in ours if theirs[name] != ours[name]}
        decisive = next(iter(more), "cost")
        if decisive == "short":
            reason = f"using it would leave {counted(more['short'], 'more unit')} unshipped"
            return evolve(story, verdict="short", reason=reason, rules=(*words, *limits))
        if decisive in ("parcels", "nodes"):
            reason = (
                "the best plan that uses it needs"
                f" {counted(more[decisive], 'more ' + decisive.removesuffix('s'))}"
            )
            return evolve(story, verdict=decisive, reason=reason, rules=words)
        extra = more.get("cost", 0)
        if extra == 0:
            return evolve(
                story, verdict="tie", extra=0, rules=words,
                reason="costs the same; the tie goes to the node that sorts first",
            )  # fmt: skip
        return evolve(
            story, verdict=DEARER, extra=extra, rules=words,
            reason="the cheapest plan that uses it costs more",
        )  # fmt: skip


def _by_nearness(story: NodeStory) -> tuple[int, str]:
    return (story.distance if story.distance is not None else 1 << 60, story.node)
