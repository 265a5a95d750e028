"""What a record says was decided, in the order's words again; nothing is judged or planned anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domcore.model import Allocation, Certificate, CostTerm, Hold, Order, Parcel, Plan, Shortage
from domcore.sourcing.outcome import deal


def recorded_plan(
    record: Mapping[str, Any],
    order: Order,
    nodes: Sequence[str],
    rule_name: Callable[[int], str],
) -> Plan:
    """The plan that a decision stored.

    Args:
        record: the decoded record.
        order: the order at the record's revision.
        nodes: the ids of the nodes of the network that the record names, by position.
        rule_name: what a rule's number stands for in the program that the record names.
    """
    skus = [row[0] for row in record["items"]]
    return Plan(
        tuple(_allocations(record, order, nodes, skus)),
        tuple(
            Parcel(
                nodes[at],
                tuple((skus[pool], units) for pool, units in contents),
                weight,
                distance,
                tuple(
                    CostTerm(name if isinstance(name, str) else rule_name(name), amount)
                    for name, amount in terms
                ),
            )
            for at, contents, weight, distance, terms in record["parcels"]
        ),
        tuple(_shortages(record, order)),
        tuple(Certificate(*row) for row in record["passes"]),
    )


def recorded_holds(record: Mapping[str, Any]) -> tuple[Hold, ...]:
    """The reasons to stop that a decision stored."""
    return tuple(Hold(*row) for row in record["holds"])


def _allocations(
    record: Mapping[str, Any], order: Order, nodes: Sequence[str], skus: Sequence[str]
) -> list[Allocation]:
    pools: dict[str, list[tuple[int, int]]] = {sku: [] for sku in skus}
    for position, (line, units) in enumerate(zip(order.lines, record["open"], strict=True)):
        if units > 0 and line.ships and line.sku in pools:
            pools[line.sku].append((position, units))
    lines = list(pools.values())
    left = [[units for _, units in pool] for pool in lines]
    dealt: dict[tuple[int, int], list[int]] = {}
    for at, pool, units in record["take"]:
        deal(units, at, pool, lines[pool], left[pool], dealt)
    return [
        Allocation(order.lines[position].id, order.lines[position].sku, nodes[at], units)
        for (position, at), (units, _) in sorted(dealt.items())
    ]


def _shortages(record: Mapping[str, Any], order: Order) -> list[Shortage]:
    skus = {line.id: line.sku for line in order.lines}
    return [Shortage(line, skus[line], units, reason) for line, units, reason in record["short"]]
