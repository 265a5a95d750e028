"""From the planner's numbers back to the order's words: allocations, parcels, shortages, draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domcore.model import Allocation, Certificate, CostTerm, Parcel, Plan, Shortage
from domcore.sourcing.assemble import Prices, floors_for
from domcore.sourcing.charges import by_rule
from domcore.sourcing.passes import Box, Pass
from domcore.sourcing.supply import Supply
from domcore.sourcing.survey import Survey

Draw = tuple[int, int, int, int, int]
"""line position in the order, item id, node id, units, the rules' floor there."""


def parcels_of(seen: Survey, supply: Supply, prices: Prices, boxes: Iterable[Box]) -> list[Parcel]:
    """Price each box: its rate, the node's handling, and what each rule adds."""
    nodes, quotes = supply.field.nodes, seen.quotes
    touched: set[tuple[int, int]] = set()
    parcels: list[Parcel] = []
    for box in boxes:
        at = box.at
        node, (fixed, per_gram, tariff) = nodes[at], quotes[at]
        handling = node.handling
        grams, work = 0, handling.parcel
        contents: list[tuple[str, int]] = []
        first: list[int] = []
        for pool, units in sorted(box.units.items()):
            item = seen.pools[pool].item
            contents.append((item.sku, units))
            grams += item.weight * units
            work += handling.unit * units
            if (pool, at) not in touched:
                touched.add((pool, at))
                first.append(pool)
                work += handling.line
        rate = fixed + per_gram * grams if tariff is None else tariff.price(grams)
        terms = [CostTerm("rate", rate)]
        if work:
            terms.append(CostTerm("handling", work))
        if prices.charges[0]:
            added = by_rule(prices.charges, seen, at, box.units, first)
            terms += [CostTerm(rule, amount) for rule, amount in added.items()]
        parcels.append(Parcel(node.id, tuple(contents), grams, seen.distances[at], tuple(terms)))
    return parcels


def plan_of(
    seen: Survey,
    supply: Supply,
    prices: Prices,
    passes: Sequence[Pass],
    boxes: Sequence[Box],
) -> tuple[Plan, tuple[Draw, ...]]:
    """The plan, and the stock it takes."""
    allocations, draws, left = _allocate(seen, supply, passes)
    return (
        Plan(
            tuple(allocations),
            tuple(parcels_of(seen, supply, prices, boxes)),
            tuple(_shortages(seen, supply, passes, left)),
            tuple([
                Certificate(each.solution.method, each.solution.cost, each.solution.bound,
                            each.solution.proven)
                for each in passes
            ]),
        ),
        tuple(draws),
    )  # fmt: skip


def _allocate(
    seen: Survey, supply: Supply, passes: Sequence[Pass]
) -> tuple[list[Allocation], list[Draw], list[list[int]]]:
    """Deal what each pool takes out to its lines, first line first, nodes ascending.

    All draws of one item at one node leave the same floor: the lowest that a pass applied, since
    the order takes their sum. Also the units each line of each pool is left without.
    """
    left = [[units for _, units in pool.lines] for pool in seen.pools]
    dealt: dict[tuple[int, int], list[int]] = {}
    floors: dict[tuple[int, int], int] = {}
    for each in passes:
        floored = bool(each.terms.floors)
        for at, number, units in each.solution.take:
            pool = seen.pools[number]
            floor = floors_for(pool, each.terms, at) if floored else 0
            known = floors.get((number, at))
            floors[number, at] = floor if known is None or floor < known else known
            deal(units, at, number, pool.lines, left[number], dealt)
    nodes, node_ids = supply.field.nodes, supply.field.node_ids
    allocations: list[Allocation] = []
    draws: list[Draw] = []
    for (line, at), (units, number) in sorted(dealt.items()):
        wanted, item_id = seen.lines[line].line, seen.pools[number].item_id
        allocations.append(Allocation(wanted.id, wanted.sku, nodes[at].id, units))
        draws.append((seen.positions[line], item_id, node_ids[at], units, floors[number, at]))
    return allocations, draws, left


def deal(
    units: int,
    at: int,
    number: int,
    lines: Sequence[tuple[int, int]],
    left: list[int],
    dealt: dict[tuple[int, int], list[int]],
) -> None:
    """Give the units that one node ships of one pool to the lines that still want some.

    Args:
        lines: the pool's lines, as `Pool.lines`.
        left: what each of them still wants.
        dealt: ``[units, pool]`` by ``(line, node)``, added to.
    """
    for slot, (line, _) in enumerate(lines):
        some = left[slot] if left[slot] < units else units
        if some:
            left[slot] -= some
            units -= some
            known = dealt.get((line, at))
            if known is None:
                dealt[line, at] = [some, number]
            else:
                known[0] += some


def _shortages(
    seen: Survey, supply: Supply, passes: Sequence[Pass], left: Sequence[Sequence[int]]
) -> list[Shortage]:
    shortages: list[Shortage] = []
    for number, pool in enumerate(seen.pools):
        if not any(left[number]):
            continue
        held = sum(
            units for at, units in supply.available[pool.item_id].items() if seen.holders >> at & 1
        )
        offered = sum(units for _, units, _, _ in passes[-1].problem.offers[number])
        offered += sum(
            units for each in passes[:-1] for _, other, units in each.solution.take
            if other == number
        )  # fmt: skip
        reason = (
            "stock" if held < pool.quantity else "rules" if offered < pool.quantity else "split"
        )
        for slot, (line, _) in enumerate(pool.lines):
            if left[number][slot]:
                wanted = seen.lines[line].line
                shortages.append(Shortage(wanted.id, wanted.sku, left[number][slot], reason))
    return shortages
