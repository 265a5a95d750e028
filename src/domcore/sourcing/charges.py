"""What each rule adds to the cost: spread over pools and nodes, and told rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domcore.model import Policy, half_even
from domcore.sourcing.survey import Survey

EVERY_POOL: Final = -1

Charge = tuple[str, int, int, int]
"""``(basis, pool or EVERY_POOL, node mask, micros)``. Charges add up."""

RuleName = tuple[int, str]
"""``(number, pack/rule)``. A judging plugin's directives of one name are one rule."""

Charges = tuple[Sequence[Charge], Sequence[RuleName]]


def charges_of(seen: Survey, policy: Policy) -> Charges:
    """The policy's costs by pool, and beside each the rule that says it.

    Units of one pool are alike to the planner, so what a rule says of one of its lines it says of
    every unit. What it says of several lines of a pool is charged once, the dearest of it.
    """
    if len(seen.pools) == len(seen.lines):
        return policy.costs, policy.cost_rules  # each line is the pool of the same number
    pool_of = {line: number for number, pool in enumerate(seen.pools) for line, _ in pool.lines}
    charges: list[Charge] = []
    rules: list[RuleName] = []
    of_pools: dict[tuple[RuleName, str, int], dict[int, list[tuple[int, int]]]] = {}
    for charge, rule in zip(policy.costs, policy.cost_rules, strict=True):
        basis, line, mask, amount = charge
        if line < 0:
            charges.append(charge)
            rules.append(rule)
        else:
            said = of_pools.setdefault((rule, basis, pool_of[line]), {})
            said.setdefault(line, []).append((mask, amount))
    for (rule, basis, number), lines in of_pools.items():
        for mask, amount in _dearest(list(lines.values())):
            charges.append((basis, number, mask, amount))
            rules.append(rule)
    return charges, rules


def _dearest(lines: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """``(node mask, micros)``: at each node the most that is said of any one line."""
    if len(lines) == 1:
        return list(lines[0])
    amounts = {amount for line in lines for _, amount in line}
    if len(amounts) == 1 and all(len(line) == 1 for line in lines):
        union = 0
        for ((mask, _),) in lines:
            union |= mask
        return [(union, amounts.pop())]
    most: dict[int, int] = {}
    for line in lines:
        sums: dict[int, int] = {}
        for mask, amount in line:
            for at in _nodes(mask):
                sums[at] = sums.get(at, 0) + amount
        for at, amount in sums.items():
            most[at] = max(amount, most.get(at, 0))
    return [(1 << at, amount) for at, amount in sorted(most.items())]


def _nodes(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def by_rule(
    charges: Charges, seen: Survey, at: int, units: Mapping[int, int], first: Sequence[int]
) -> dict[str, int]:
    """Micros that each rule adds to one parcel, by the rules' names.

    Args:
        charges: at least those that speak of its node.
        at: the node it leaves from.
        units: what is in it, by pool.
        first: the pools of which no earlier parcel from this node has any.
    """
    found: dict[str, int] = {}
    for (basis, pool, mask, amount), (_, rule) in zip(*charges, strict=True):
        if not mask >> at & 1:
            continue
        if basis == "parcel":
            more = amount
        elif basis == "km":
            more = half_even(amount * seen.distances[at], 1000)
        elif basis == "line":
            more = amount * (len(first) if pool < 0 else pool in first)
        elif pool >= 0:
            more = per_unit(basis, amount, seen.pools[pool].item.weight) * units.get(pool, 0)
        else:
            more = sum(
                per_unit(basis, amount, seen.pools[each].item.weight) * count
                for each, count in units.items()
            )
        if more:
            found[rule] = found.get(rule, 0) + more
    return found


def per_unit(basis: str, amount: int, grams: int) -> int:
    """Micros for one unit of so many grams; rules' amounts per kilogram are whole per gram."""
    return amount // 1000 * grams if basis == "kg" else amount
