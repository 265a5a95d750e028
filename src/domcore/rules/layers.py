"""Which rules speak at all: layers, channels, windows of validity, overrides and disables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from attrs import frozen

from domcore.model.clock import to_micros
from domcore.model.money import MOST
from domcore.rules.builtin_facts import zone
from domcore.rules.checker import instant
from domcore.rules.pack import Activation, Pack, Rule
from domcore.rules.problems import Problems, suggestion
from domcore.rules.request import Request
from domcore.rules.tree import Condition, leaves


@frozen(slots=True)
class CompiledRule:
    """One enabled rule of one activation, checked and with its parameters filled in.

    Args:
        number: its number in the program, the one a `Policy` speaks of.
        address: ``pack/id``.
        source: index of its activation in the program.
        rank: ``(layer, priority)``.
        arguments: as `Directive.arguments`; for ``set`` the facts and their values.
        window: microseconds since 1970, from inclusive and until exclusive.
    """

    number: int
    address: str
    version: str
    rule: Rule
    source: int
    rank: tuple[int, int]
    condition: Condition
    arguments: Mapping[str, Any]
    window: tuple[int, int]

    @property
    def reason(self) -> str:
        """Why, in words: the author's, else the condition itself."""
        return self.rule.reason or self.rule.when


def window(rule: Rule, timezone: str) -> tuple[int, int]:
    """When a rule is valid: from inclusive, until exclusive."""
    since = instant(rule.since, timezone) if rule.since else -MOST
    if not rule.until:
        return since, MOST
    if len(rule.until) == len("2026-12-24"):
        day = date.fromisoformat(rule.until) + timedelta(days=1)
        return since, to_micros(datetime.combine(day, time(), zone(timezone)))
    return since, instant(rule.until, timezone)


class Reach:
    """Answers which rules speak of an order: a mask over rule numbers."""

    def __init__(
        self, packs: Sequence[tuple[Pack, Activation]], rules: Sequence[CompiledRule]
    ) -> None:
        self._everything = (1 << len(rules)) - 1
        self._sources = [
            (activation, sum(1 << rule.number for rule in rules if rule.source == source))
            for source, (_, activation) in enumerate(packs)
        ]
        self._windowed = [
            (1 << rule.number, *rule.window) for rule in rules if rule.window != (-MOST, MOST)
        ]
        by_address: dict[str, list[CompiledRule]] = {}
        for rule in rules:
            by_address.setdefault(rule.address, []).append(rule)
        self._packs = tuple(packs)
        self._disables = [
            (activation, _earlier(by_address, pack.disables, activation.rank))
            for pack, activation in packs
            if pack.disables
        ]
        self._overrides = [
            (1 << rule.number, _earlier(by_address, (rule.rule.overrides,), rule.rank[0]))
            for rule in reversed(rules)
            if rule.rule.overrides
        ]
        self._constant = not (
            self._windowed
            or self._disables
            or self._overrides
            or any(activation.owner or activation.channels for activation, _ in self._sources)
        )

    def active(self, owner: str, channel: str, now: datetime) -> int:
        """The rules that speak of this owner's orders from this channel at this moment."""
        if self._constant:
            return self._everything
        active = 0
        for activation, rules in self._sources:
            if activation.covers(owner, channel):
                active |= rules
        if self._windowed:
            moment = to_micros(now)
            for rule, since, until in self._windowed:
                if not since <= moment < until:
                    active &= ~rule
        for activation, disabled in self._disables:
            if activation.covers(owner, channel):
                active &= ~disabled
        replaced = 0
        for rule, overridden in self._overrides:  # later layers first: a chain replaces all of it
            if active & rule:
                replaced |= overridden
        return active & ~replaced

    def why_silent(self, rule: CompiledRule, request: Request) -> str:
        """Why a rule that is not active for this order is not."""
        order = request.order
        pack, activation = self._packs[rule.source]
        if not activation.covers(order.owner, order.channel):
            return f"not active for owner {order.owner!r} on channel {order.channel!r}"
        since, until = rule.window
        if not since <= to_micros(request.now) < until:
            return "outside its from/until window"
        for other, switch in self._packs:
            if rule.address in other.disables and switch.covers(order.owner, order.channel):
                return f"disabled by {other.name}"
        if reads_money(rule.condition) and pack.currency != order.currency:
            return f"compares amounts in {pack.currency}, the order is in {order.currency}"
        return "overridden by a later layer"


def check_addresses(
    packs: Sequence[tuple[Pack, Activation]], problems: Mapping[int, Problems]
) -> None:
    """Every override and disable names a rule of an earlier layer."""
    lowest: dict[str, int] = {}
    for pack, activation in packs:
        for rule in pack.rules:
            address = f"{pack.name}/{rule.id}"
            lowest[address] = min(activation.rank, lowest.get(address, activation.rank))
    for source, (pack, activation) in enumerate(packs):
        named = [(f"rule {rule.id}, overrides", rule.overrides) for rule in pack.rules]
        named += [("disables", address) for address in pack.disables]
        for place, address in named:
            if not address:
                continue
            if activation.layer == "partner":
                problems[source].add("a partner's pack leaves other packs' rules alone", place)
            elif address not in lowest:
                hint = suggestion(address, lowest)
                problems[source].add(f"no rule {address!r} in any active pack{hint}", place)
            elif lowest[address] >= activation.rank:
                message = f"{address!r} is not in an earlier layer than {activation.layer!r}"
                problems[source].add(message, place)


def _earlier(
    rules: Mapping[str, Sequence[CompiledRule]], addresses: Sequence[str], rank: int
) -> int:
    mask = 0
    for address in addresses:
        for rule in rules.get(address, ()):
            if rule.rank[0] < rank:
                mask |= 1 << rule.number
    return mask


def reads_money(condition: Condition) -> bool:
    """Whether a condition compares an amount of the order with one of the pack."""
    return any(fact.type == "money" for leaf in leaves(condition) for fact in leaf.facts)
