"""What is odd about rules that can be used: they never speak, always do, or contradict others.

Nothing here is an error: rules that say nothing decide as they always have. But whoever wrote
them meant something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import combinations
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from domcore.model.clock import from_micros, to_micros
from domcore.model.facts import FactSpec
from domcore.model.money import MOST
from domcore.rules.layers import CompiledRule
from domcore.rules.lists import PackList
from domcore.rules.pack import Activation
from domcore.rules.problems import listed, shown, suggestion
from domcore.rules.program import Program
from domcore.rules.satisfiable import branches_of, conflict, is_possible
from domcore.rules.scopes import CONTEXT, NODE, conjuncts
from domcore.rules.tree import FALSE, TRUE, Any_, Condition, Leaf, entities, joined, leaves, negated
from domcore.rules.vocabulary import word_fault

WRONG: Final = "wrong"
ODD: Final = "odd"
NOTE: Final = "note"
"""How sure it is that something else was meant: it cannot be otherwise; it looks like it; it is as
well to know."""

MOST_PAIRS: Final = 20_000
"""Pairs of rules that are held against each other."""

_TEXTS: Final = ("eq", "ne", "in", "lt", "lte", "gt", "gte")
_SURER: Final[Mapping[str, str]] = MappingProxyType({"order.total": "order.value"})
"""Facts that are missing where a channel does not tell them, and what is always there beside."""


@frozen(slots=True)
class Remark:
    """Something odd: `rule` is ``pack/id``, or empty where it is about an activation."""

    level: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.message}" if self.rule else self.message


@frozen(slots=True)
class Known:
    """What there is where the rules are used.

    Args:
        values: by fact, every value it can have here; a fact that is not named may have any.
        never_set: facts that rules could set and none that is activated does.
        skus: those of the SKUs that rules name which are in the catalog; None where nobody looked.
    """

    values: Mapping[str, AbstractSet[str]] = field(factory=dict)
    skus: AbstractSet[str] | None = None
    never_set: AbstractSet[str] = frozenset()


def remarks_on(program: Program, known: Known, now: datetime) -> list[Remark]:
    """Everything odd about the rules of a program, rule by rule, then about pairs of them."""
    found: list[Remark] = []
    nullable = frozenset(name for name, spec in program.specs.items() if spec.nullable)
    for rule in program.rules:
        told = list(dict.fromkeys(_words(rule, known)))
        # A word that there is not explains why a part can never be true.
        told += [] if any(level == WRONG for level, _ in told) else _truth(rule, nullable)
        told += [*_window(rule, now), *_notes(rule, program.specs), *_never_set(rule, known)]
        found += [Remark(level, rule.address, message) for level, message in told]
    found += _contradictions(program.rules, nullable)
    return list(dict.fromkeys(found))


def named_skus(programs: Iterable[Program]) -> set[str]:
    """The SKUs that rules name."""
    return {
        value
        for program in programs
        for rule in program.rules
        for leaf in leaves(rule.condition)
        if leaf.fact.name == "line.sku" and leaf.op in ("eq", "ne", "in")
        for value in _values(leaf)
    }


def activation_remarks(
    activations: Sequence[Activation], owners: AbstractSet[str], known: Known
) -> list[Remark]:
    """What is odd about what is switched on: nobody's orders, or the same ones twice."""
    found: list[Remark] = []
    channels, nodes = known.values.get("order.channel"), known.values.get("node.id")
    for each in activations:
        place = f"[[activate]] of {each.pack}"
        if each.owner and each.owner not in owners:
            why = f"there is no owner {each.owner!r}{suggestion(each.owner, owners)}"
            found.append(Remark(WRONG, "", f"{place}: {why}"))
        for channel in each.channels:
            if channels is not None and channel not in channels:
                hint = suggestion(channel, channels) or f"; there are {listed(sorted(channels))}"
                why = f"no channel {channel!r} is configured{hint}"
                found.append(Remark(ODD, "", f"{place}: {why}"))
        for node in each.nodes:
            if nodes is not None and node not in nodes:
                why = f"there is no node {node!r} in the network{suggestion(node, nodes)}"
                found.append(Remark(ODD, "", f"{place}: {why}"))
    return [*found, *_twice(activations)]


def _twice(activations: Sequence[Activation]) -> Iterator[Remark]:
    for one, other in combinations(activations, 2):
        if one.pack != other.pack or not _meet(one, other):
            continue
        if repr(one) == repr(other):
            message = f"[[activate]] of {one.pack} stands there twice; it counts once"
            yield Remark(WRONG, "", message)
        elif not (set(one.nodes) and set(other.nodes) and not set(one.nodes) & set(other.nodes)):
            message = (
                f"{one.pack} is activated more than once for the same orders:"
                " its costs count twice there"
            )
            yield Remark(ODD, "", message)


def _meet(one: Activation, other: Activation) -> bool:
    """Whether there may be orders that both speak of."""
    owners = not one.owner or not other.owner or one.owner == other.owner
    channels = not one.channels or not other.channels or set(one.channels) & set(other.channels)
    versions = not one.version or not other.version or one.version == other.version
    return bool(owners and channels and versions)


Told = tuple[str, str]
"""Level and message."""


def _words(rule: CompiledRule, known: Known) -> Iterator[Told]:
    """Words that a fact can never have, anywhere or here."""
    for leaf in leaves(rule.condition):
        name = leaf.fact.name
        for value in _values(leaf):
            if leaf.op in _TEXTS and leaf.fact.type == "text":
                fault = word_fault(name, value)
                if fault:
                    yield WRONG, fault
                    continue
            there = known.skus if name == "line.sku" else known.values.get(name)
            if there is not None and leaf.op in ("eq", "ne", "in", "has") and value not in there:
                hint = suggestion(value, there)
                level, form = _HERE.get(name, (NOTE, f"{name} is nowhere {{}} here"))
                yield level, form.format(shown(value)) + hint


_HERE: Final[Mapping[str, Told]] = MappingProxyType(
    {
        "node.id": (ODD, "there is no node {} in the network"),
        "order.channel": (ODD, "no channel {} is configured"),
        "order.owner": (WRONG, "there is no owner {}"),
        "line.sku": (ODD, "there is no SKU {} in the catalog"),
        "node.tags": (NOTE, "no node has the tag {}"),
        "node.rate_card": (NOTE, "no node has the rate card {}"),
        "node.connector": (NOTE, "no node has the connector {}"),
        "order.service": (NOTE, "no rate card covers the service {}"),
    }
)
"""How a value is told that a fact does not have here."""


MOST_LOOKED_AT: Final = 1_000
"""Values of a list from a file that are looked at, the first ones."""


def _values(leaf: Leaf) -> tuple[str, ...]:
    if isinstance(leaf.value, PackList):
        return leaf.value.values[:MOST_LOOKED_AT]
    values = leaf.value if isinstance(leaf.value, tuple | frozenset) else (leaf.value,)
    return tuple(value for value in values if isinstance(value, str))


def _truth(rule: CompiledRule, nullable: frozenset[str]) -> Iterator[Told]:
    condition = rule.condition
    if condition == FALSE:
        return  # written so, or switched off by a parameter
    if not is_possible(condition, nullable=nullable):
        parts = [conflict(branch, nullable) for branch in branches_of(condition)]
        told = list(dict.fromkeys(" and ".join(part) for part in parts if part))
        yield WRONG, f"can never be true{f': {listed(told, 3)}' if told else ''}"
        return
    for part in conjuncts(condition):
        if isinstance(part, Any_):
            for side in part.parts:
                if not is_possible(side, nullable=nullable):
                    yield WRONG, f"one side of its 'or' can never be true: {_text(side)}"
    if condition != TRUE and not is_possible(negated(condition), nullable=nullable):
        yield ODD, "is true of every order; write True if that is meant"
    if rule.rule.verb == "exclude" and _every_node(condition, nullable):
        yield ODD, "excludes every node"


def _every_node(condition: Condition, nullable: frozenset[str]) -> bool:
    """Whether no node is left by an exclusion that speaks of every order."""
    return entities(condition) <= NODE and not is_possible(negated(condition), nullable=nullable)


def _text(condition: Condition) -> str:
    return " and ".join(dict.fromkeys(leaf.text for leaf in leaves(condition)))


def _window(rule: CompiledRule, now: datetime) -> Iterator[Told]:
    until = rule.window[1]
    if until != MOST and until <= to_micros(now):
        yield ODD, f"has been over since {from_micros(until):%Y-%m-%d %H:%M} UTC"


def _notes(rule: CompiledRule, specs: Mapping[str, FactSpec]) -> Iterator[Told]:
    for leaf in leaves(rule.condition):
        for fact in leaf.facts:
            sure = _SURER.get(fact.name)
            if sure and leaf.op != "exists":
                what = specs[sure].summary.partition(",")[0].lower()
                message = (
                    f"reads {fact.name}, which is missing where a channel does not tell it;"
                    f" {sure} ({what}) is always there"
                )
                yield NOTE, message


def _never_set(rule: CompiledRule, known: Known) -> Iterator[Told]:
    read = {fact.name for leaf in leaves(rule.condition) for fact in leaf.facts}
    for name in sorted(read & set(known.never_set)):
        yield ODD, f"reads {name}, which no activated pack sets: it is always missing"


def _contradictions(rules: Sequence[CompiledRule], nullable: frozenset[str]) -> Iterator[Remark]:
    """Pairs that leave no node wherever both speak, or give one fact two values."""
    bars = [(rule, *_sides(rule.condition)) for rule in rules if _bars(rule)]
    for number, (one, other) in enumerate(combinations(bars, 2)):
        if number >= MOST_PAIRS:
            break
        verbs = {one[0].rule.verb, other[0].rule.verb}
        if "require" not in verbs or one[1] != other[1]:
            continue
        left = [
            side if rule.rule.verb == "require" else negated(side) for rule, _, side in (one, other)
        ]
        alone = all(is_possible(side, nullable=nullable) for side in left)
        if alone and not is_possible(joined(left, every=True), nullable=nullable):
            message = f"together with {other[0].address} it leaves no node at all"
            yield Remark(WRONG, one[0].address, message)
    yield from _two_values(rules)


def _bars(rule: CompiledRule) -> bool:
    mixed = [part for part in conjuncts(rule.condition) if not _one_side(part)]
    return rule.rule.verb in ("require", "exclude") and not rule.rule.soft and not mixed


def _one_side(part: Condition) -> bool:
    found = entities(part)
    return found <= CONTEXT or found == NODE


def _sides(condition: Condition) -> tuple[frozenset[Condition], Condition]:
    """What it asks of the order, and of the node."""
    parts = list(conjuncts(condition))
    return (
        frozenset(part for part in parts if entities(part) <= CONTEXT),
        joined([part for part in parts if entities(part) == NODE], every=True),
    )


def _two_values(rules: Sequence[CompiledRule]) -> Iterator[Remark]:
    setters: dict[tuple[str, tuple[int, int], Condition], CompiledRule] = {}
    for rule in rules:
        if rule.rule.verb != "set":
            continue
        for fact, value in rule.arguments.items():
            first = setters.setdefault((fact, rule.rank, rule.condition), rule)
            if first.arguments[fact] != value:
                message = (
                    f"sets {fact} to another value than {first.address} does, for the same orders"
                    " and at equal rank: they are held"
                )
                yield Remark(WRONG, rule.address, message)
