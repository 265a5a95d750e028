"""A planning plugin's plan, priced again by the core and held against policy and stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from domcore.errors import PluginError
from domcore.model import Parcel, Plan, Policy
from domcore.sourcing.assemble import Prices, assemble
from domcore.sourcing.outcome import parcels_of
from domcore.sourcing.passes import Box, Pass
from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.question import Past
from domcore.sourcing.supply import Supply
from domcore.sourcing.survey import Survey

HOOK = "make_plan"


def foreign_pass(
    plugin: str,
    plan: Plan,
    seen: Survey,
    supply: Supply,
    policy: Policy,
    prices: Prices,
    past: Past | None = None,
) -> tuple[Pass, list[Box]]:
    """Turn a foreign plan into a pass of our own, at our own prices.

    A plan may break soft rules, never others. Its parcels are kept where they hold just what it
    allocates; otherwise each node packs one.

    Raises:
        PluginError: an unknown node, SKU or line, more than is open or offered, too many nodes,
            or a part of an order that ships complete.
    """
    terms = policy.second or policy.first
    wanted = [pool.quantity for pool in seen.pools]
    problem = assemble(seen, supply, terms, prices, ("cost",), wanted, {}, {}, past)
    take = _take(plugin, plan, seen, supply)
    _refuse_breaches(plugin, take, problem)
    boxes = _boxes(plan.parcels, take, seen, supply)
    cost = sum(parcel.cost for parcel in parcels_of(seen, supply, prices, boxes))
    short = tuple(
        quantity - sum(units for (_, pool), units in take.items() if pool == number)
        for number, quantity in enumerate(wanted)
    )
    solution = Solution(
        tuple(sorted((at, pool, units) for (at, pool), units in take.items())),
        tuple((box.at, tuple(sorted(box.units))) for box in boxes),
        short,
        cost,
        0,
        False,
        f"plugin {plugin}",
    )
    return Pass(terms, problem, solution), boxes


def _take(plugin: str, plan: Plan, seen: Survey, supply: Supply) -> Counter[tuple[int, int]]:
    numbers = {pool.item.sku: number for number, pool in enumerate(seen.pools)}
    lines = {line.line.id: line.line.sku for line in seen.lines}
    take: Counter[tuple[int, int]] = Counter()
    for each in plan.allocations:
        at = supply.field.position.get(each.node)
        if at is None:
            raise PluginError(plugin, HOOK, f"allocates from unknown node {each.node!r}")
        if lines.get(each.line) != each.sku:
            raise PluginError(plugin, HOOK, f"allocates line {each.line!r}, which is not open")
        if type(each.quantity) is not int or each.quantity <= 0:
            raise PluginError(plugin, HOOK, f"allocates {each.quantity!r} units")
        take[at, numbers[each.sku]] += each.quantity
    return take


def _refuse_breaches(plugin: str, take: Counter[tuple[int, int]], problem: Problem) -> None:
    offered = {
        (offer[0], number): offer[1]
        for number, offers in enumerate(problem.offers)
        for offer in offers
    }
    totals: Counter[int] = Counter()
    for (at, number), units in take.items():
        most = offered.get((at, number), 0)
        if units > most:
            raise PluginError(
                plugin, HOOK, f"takes {units} units where policy and stock allow {most}"
            )
        totals[number] += units
    for number, quantity in enumerate(problem.quantities):
        if totals[number] > quantity:
            raise PluginError(plugin, HOOK, "allocates more than is open")
        if problem.ship_complete and take and totals[number] < quantity:
            raise PluginError(plugin, HOOK, "splits an order that ships complete")
    nodes = len(problem.used.union(at for at, _ in take))
    if problem.max_nodes is not None and nodes > problem.max_nodes:
        raise PluginError(plugin, HOOK, f"uses {nodes} nodes where {problem.max_nodes} may ship")


def _boxes(
    parcels: Sequence[Parcel], take: Counter[tuple[int, int]], seen: Survey, supply: Supply
) -> list[Box]:
    numbers = {pool.item.sku: number for number, pool in enumerate(seen.pools)}
    boxes: list[Box] = []
    packed: Counter[tuple[int, int]] = Counter()
    for parcel in parcels:
        at = supply.field.position.get(parcel.node, -1)
        units = {numbers.get(sku, -1): count for sku, count in parcel.contents}
        boxes.append(Box(at, units))
        for number, count in units.items():
            packed[at, number] += count
    if packed == take and all(box.units for box in boxes):
        return boxes
    by_node: dict[int, dict[int, int]] = {}
    for (at, number), count in sorted(take.items()):
        by_node.setdefault(at, {})[number] = count
    return [Box(at, units) for at, units in by_node.items()]
