"""A rule program: packs compiled once, then asked about one order after another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from attrs import evolve

from domcore.model.facts import FactSpec
from domcore.model.network import Node
from domcore.model.policy import Directive, Hold, Policy, Terms
from domcore.rules.compiler import Active, Checked, check_packs
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.expand import expand
from domcore.rules.explain import Verdict, explain
from domcore.rules.facts import FactRegistry
from domcore.rules.judge import Clause, Judging
from domcore.rules.layers import Reach, reads_money
from domcore.rules.lowering import Lowering, StageTests
from domcore.rules.merge import Merge
from domcore.rules.node_state import NodeState
from domcore.rules.pack import PackFact
from domcore.rules.readers import Readers, Sitting
from domcore.rules.request import EVERYWHERE, Request
from domcore.rules.scopes import Scoping
from domcore.rules.signals import SIGNALS
from domcore.rules.stages import Assignment, Firing, Stage, build_stage, run_stages
from domcore.rules.standing import is_standing
from domcore.rules.strata import Strata
from domcore.rules.stratify import strata_of
from domcore.rules.tree import leaves
from domcore.rules.waves import speak, waves_of

CURRENCY: Final = "domcore/rule-currency"
_NONE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})


def compile_program(
    packs: Sequence[Active],
    *,
    engine: RuleEngine,
    facts: FactRegistry | None = None,
    currency: str = "",
    elsewhere: Mapping[str, FactSpec] = MappingProxyType({}),
) -> Program:
    """Compile packs, each with the activation that switches it on.

    Args:
        engine: what matches order, line and node tests.
        facts: what rules may read; by default the built-in facts.
        currency: the owner's costing currency; packs that add costs must speak it.
        elsewhere: facts that packs set which are not active here: they may be read, and are
            missing. See `facts_set_by`.

    Raises:
        ConfigurationError: naming the pack's file, the rule, the column and what to do.
    """
    known = FactRegistry() if facts is None else facts
    checked = check_packs(packs, known, currency, elsewhere)
    return Program(checked, engine, strata_of(checked))


class Program:
    """Checked rules ready to run. Single-owner, as its engine's matchers are.

    * `rules`: the rules by number, the number a `Policy` speaks of;
    * `reads`: the names of the facts the program reads, so that nobody works out others;
    * `asks`: those of them that the store must be asked for, see `SIGNALS`;
    * `reads_floors`: whether a rule reads what floors leave of a node's stock;
    * `digest`: SHA-256 over packs and activations: equal digests judge alike;
    * `engine`: the name of the engine that matches;
    * `specs`: the facts its rules may read, by name;
    * `elsewhere`: facts it reads that only packs set which are not active here.
    """

    def __init__(self, checked: Checked, engine: RuleEngine, strata: Strata) -> None:
        self.engine: Final = engine.name
        self.packs: Final = checked.packs
        self.rules: Final = checked.rules
        self.specs: Final = checked.specs
        self.elsewhere: Final = tuple(checked.elsewhere.values())
        self.readers: Final = Readers(checked.specs, checked.packed, checked.derived)
        self.reach: Final = Reach(checked.packs, checked.rules)
        self.reads: Final = frozenset(
            fact.name
            for rule in checked.rules
            for leaf in leaves(rule.condition)
            for fact in leaf.facts
        )
        self.asks: Final = self.reads & SIGNALS
        self._partners = [
            activation.nodes if activation.layer == "partner" else ()
            for _, activation in checked.packs
        ]
        lowering = Lowering(self.readers, strata.levels)
        scoping = Scoping(lowering)
        clauses, assignments = self._lower(scoping, strata)
        self._waves = waves_of(clauses)
        self.reads_floors: Final = len(self._waves) > 1
        self._foreign = self._money_rules()
        self._columns = {
            key: self.readers.node(fact)
            for key, fact in scoping.columns.items()
            if fact.entity == "node"
        }
        self._candidates = {
            key: self.readers.candidate(fact)
            for key, fact in scoping.columns.items()
            if fact.entity == "candidate" and fact.name.count(".") == 2
        }
        self._stages = _stages(lowering, strata, assignments, engine)
        nodes = lowering.nodes
        self._node_tests = len(nodes.tests)
        self._node_fields = nodes.of("node")
        self._node_matcher = nodes.compile(engine) if nodes.tests else None

    def node_state(
        self, nodes: Sequence[Node], extra: Mapping[str, Mapping[str, Any]] = _NONE
    ) -> NodeState:
        """What the rules say of the nodes alone; keep it, and `refresh` what changes.

        Args:
            extra: facts plugins give for nodes: ``{node id: {fact: value}}``.
        """
        return NodeState(
            nodes,
            extra,
            matcher=self._node_matcher,
            tests=self._node_tests,
            fields=self._node_fields,
            columns=self._columns,
            partners=self._partners,
            attributes=self.attributes("node"),
        )

    def attributes(self, entity: str) -> tuple[PackFact, ...]:
        """The facts of an entity that the rules read from its free attributes."""
        return tuple(
            fact
            for name, fact in self.readers.packed.items()
            if name in self.reads and name.startswith(f"{entity}.")
        )

    @cached_property
    def standing(self) -> int:
        """The rules, as a mask, that withhold goods whatever the order is: they exclude, require or
        protect, and read facts of the item, the node, the hour, the owner and the channel only."""
        return sum(1 << rule.number for rule in self.rules if is_standing(rule))

    @cached_property
    def standing_by_time(self) -> bool:
        """Whether what those say changes with the hour."""
        return any(
            fact.name.startswith("now.")
            for rule in self.rules
            if self.standing >> rule.number & 1
            for leaf in leaves(rule.condition)
            for fact in leaf.facts
        )

    def judge(self, request: Request, state: NodeState, *, only: int = -1) -> Policy:
        """Everything the rules (those of the mask `only`) and judging plugins say of one order.

        Raises:
            PluginError: a plugin gave a fact or a directive that does not fit.
        ValueError: the request's time has no time zone.
        """
        lines = len(request.lines)
        if not self.rules and not request.directives:
            return _NOTHING_SAID[lines] if lines < len(_NOTHING_SAID) else _nothing(lines)
        within = (
            state.everywhere
            if request.candidates == EVERYWHERE
            else (request.candidates & state.everywhere)
        )
        merge = Merge(lines, within)
        firing, active = self.fire(request, merge)
        judging = Judging(firing, state, within, self._candidates)
        speak(self._waves, judging, merge, active & only, len(self.rules))
        policy = merge.policy()
        if self.reads_floors and any(soft for soft, _ in merge.floors):
            # Without the soft floors more may be taken, and rules that read that may say less.
            hard, again = Merge(lines, within), Judging(firing, state, within, self._candidates)
            speak(self._waves, again, hard, active & only, len(self.rules), hard=True)
            policy = evolve(policy, second=hard.policy().second)
        unread = firing.sitting.unread
        if unread or state.unread_mask & within:
            told = (words for at, words in state.unread.items() if within >> at & 1)
            return evolve(policy, unread=(*unread, *chain.from_iterable(told)))
        return policy

    def fire(self, request: Request, merge: Merge) -> tuple[Firing, int]:
        """Run the stages of chaining; returns what fired and the mask of rules that may speak."""
        order = request.order
        if request.now.tzinfo is None:
            raise ValueError("the time of a request has a time zone")
        firing = Firing(Sitting(request), len(self._stages))
        active = self.reach.active(order.owner, order.channel, request.now)
        counted = request.counted or order.currency
        for currency, rules in self._foreign:
            if active & rules and currency != counted:
                active &= ~rules
                reason = f"rules compare amounts in {currency}, the order is in {counted}"
                merge.hold(Hold(CURRENCY, reason, "route"), request.approved)
        for hold in run_stages(self._stages, firing, active):
            merge.hold(hold, request.approved)
        fired = {
            (found.rule.number, line)
            for (_, line), setters in firing.set_by.items()
            if line < merge.lines
            for found in setters
        }
        merge.fired += [(number, line, EVERYWHERE) for number, line in sorted(fired)]
        return firing, active

    def directives(
        self, policy: Policy, request: Request, state: NodeState
    ) -> tuple[Directive, ...]:
        """The directives behind a policy, rule by rule, as objects for people and plugins."""
        return expand(self.rules, policy, request, state)

    def explain(
        self, request: Request, state: NodeState, line: str, node: str
    ) -> tuple[Verdict, ...]:
        """What every rule says of one line at one node, and why the others are silent.

        Raises:
            NotFound: no such line in the request, or no such node.
        """
        return self.explainer(request, state)(line, node)

    def explainer(
        self, request: Request, state: NodeState, only: int | None = None
    ) -> Callable[[str, str], tuple[Verdict, ...]]:
        """`explain` for many lines and nodes of one request; the rules are put to it once.

        Args:
            only: the number of a rule: what this one says.
        """
        merge = Merge(len(request.lines), state.everywhere)
        firing, active = self.fire(request, merge)
        judging = Judging(firing, state, state.everywhere, self._candidates)
        if self.reads_floors:
            speak(self._waves, judging, merge, active, len(self.rules))

        def explained(line: str, node: str) -> tuple[Verdict, ...]:
            return explain(self.rules, self.readers, self.reach, judging, active, line, node, only)

        return explained

    def close(self) -> None:
        """Give back what the engine holds."""
        for stage in self._stages:
            for probe in (stage.bodies, stage.order, stage.line):
                if probe is not None:
                    probe.close()
        if self._node_matcher is not None:
            self._node_matcher.close()

    @property
    def digest(self) -> str:
        """SHA-256 over packs, versions and activations, in hex."""
        content = [
            [
                pack.digest, activation.layer, activation.owner, sorted(activation.channels),
                sorted(activation.parameters.items()), sorted(activation.nodes),
            ]
            for pack, activation in self.packs
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()

    def _lower(self, scoping: Scoping, strata: Strata) -> tuple[list[Clause], list[Assignment]]:
        clauses: list[Clause] = []
        assignments: list[Assignment] = []
        for rule in self.rules:
            scoping.lowering.author = rule.address
            if rule.rule.verb == "set":
                for fact, value in rule.arguments.items():
                    guard = scoping.assignment_guard(rule.condition, strata.levels[fact])
                    assignments.append(Assignment(rule, fact, value, guard))
            else:
                scope = scoping.split(rule.condition)
                partner = bool(self._partners[rule.source])
                clauses.append(Clause(rule, scope, scope.speaks_of_nodes, partner))
        return clauses, assignments

    def _money_rules(self) -> list[tuple[str, int]]:
        """For each currency the rules that compare amounts in it."""
        masks: dict[str, int] = {}
        for rule in self.rules:
            if reads_money(rule.condition):
                currency = self.packs[rule.source][0].currency
                masks[currency] = masks.get(currency, 0) | 1 << rule.number
        return sorted(masks.items())


def _stages(
    lowering: Lowering, strata: Strata, assignments: Sequence[Assignment], engine: RuleEngine
) -> list[Stage]:
    by_level: dict[int, list[Assignment]] = {}
    for assignment in assignments:
        by_level.setdefault(strata.levels[assignment.fact], []).append(assignment)
    last = max([*lowering.stages, *by_level], default=-1)
    return [
        build_stage(
            lowering.stages.get(number, StageTests()),
            engine,
            by_level.get(number, ()),
            recursive=number in strata.recursive,
        )
        for number in range(last + 1)
    ]


def _nothing(lines: int) -> Policy:
    return Policy(Terms((0,) * lines))


_NOTHING_SAID: Final = tuple(_nothing(lines) for lines in range(33))
