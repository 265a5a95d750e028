"""From a plan in local numbers to the `Solution`: prices in micros, parcels, bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domcore.sourcing.planner.instance import Instance, Take, Units, terms
from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.planner.whole_lines import Group, lines_of

Parcels = tuple[tuple[int, tuple[int, ...]], ...]


def nothing(problem: Problem, *, proven: bool, method: str, steps: int = 0) -> Solution:
    """Everything short, at no cost."""
    return Solution((), (), tuple(problem.quantities), 0, 0, proven, method, steps)


def whole(problem: Problem, groups: Sequence[Group], cost: int, method: str) -> Solution:
    """Whole lines from full holders at fixed parcel costs: proven optimal, nothing short."""
    quantities = problem.quantities
    if len(groups) > 1:
        # A node may own two groups where its parcel costs nothing.
        masks: dict[int, int] = {}
        for node, mask in groups:
            masks[node] = masks.get(node, 0) | mask
        groups = sorted(masks.items())
    parcels = tuple([(node, lines_of(mask)) for node, mask in groups])
    take = tuple([(node, line, quantities[line]) for node, lines in parcels for line in lines])
    return _settled(problem, take, parcels, (0,) * len(quantities), cost, method)


def single_line(problem: Problem, taken: Sequence[tuple[int, int]], cost: int) -> Solution:
    """The only line split over ``[(node, units)]``, ascending: proven optimal."""
    take = tuple([(node, 0, units) for node, units in taken])
    short = problem.quantities[0] - sum([units for _, units in taken])
    parcels = tuple([(node, (0,)) for node, _ in taken])
    return _settled(problem, take, parcels, (short,), cost, "one line")


def split_lines(
    problem: Problem, taken: Sequence[tuple[int, int, int]], cost: int, steps: int
) -> Solution:
    """Lines that may be split, nothing short, one parcel a node: proven optimal."""
    take = sorted(taken)
    lines: dict[int, list[int]] = {}
    for node, line, _ in take:
        lines.setdefault(node, []).append(line)
    parcels = tuple([(node, tuple(group)) for node, group in lines.items()])
    short = (0,) * len(problem.quantities)
    return _settled(problem, tuple(take), parcels, short, cost, "split lines", steps)


def parcels_answer(problem: Problem, groups: Sequence[Group], cost: int) -> Solution:
    """Single units, every group a parcel of its own: proven optimal, nothing short."""
    lines = range(len(problem.quantities))
    parcels = [
        (node, tuple([line for line in lines if mask >> line & 1])) for node, mask in sorted(groups)
    ]
    take = sorted((node, line, 1) for node, group in parcels for line in group)
    return _settled(problem, tuple(take), tuple(parcels), (0,) * len(lines), cost, "whole lines")


def _settled(
    problem: Problem,
    take: tuple[tuple[int, int, int], ...],
    parcels: Parcels,
    short: tuple[int, ...],
    cost: int,
    method: str,
    steps: int = 0,
) -> Solution:
    """A proven plan at fixed parcel costs."""
    new, joined = _apart(parcels, problem.opened) if problem.opened else (parcels, ())
    return Solution(take, new, short, cost, cost, True, method, steps, joined)


def _apart(parcels: Parcels, opened: Mapping[int, int]) -> tuple[Parcels, Parcels]:
    """New parcels, and those that join what is open (where weight costs by the unit)."""
    return (
        tuple(parcel for parcel in parcels if parcel[0] not in opened),
        tuple(parcel for parcel in parcels if parcel[0] in opened),
    )


def answer(
    problem: Problem,
    instance: Instance,
    take: Take,
    cost: int,
    floor: int,
    *,
    proven: bool,
    method: str,
    steps: int,
) -> Solution:
    """The solution for a plan of weighted `cost`; `floor` is a weighted lower bound."""
    short = list(problem.quantities)
    by_node: dict[int, Units] = {}
    for node, line, count in sorted(take):
        by_node.setdefault(node, []).append((line, count))
        short[instance.lines[line]] -= count
    parcels: list[tuple[int, tuple[int, ...]]] = []
    joined: list[tuple[int, tuple[int, ...]]] = []
    nodes = 0
    for node, units in by_node.items():
        number = instance.nodes[node]
        packer = instance.packers[node]
        groups = [(number in problem.opened, [line for line, _ in units])]
        if packer is not None:
            groups = packer.cheapest(units)[1]
        for joins, group in groups:
            entry = (number, tuple(sorted([instance.lines[line] for line in group])))
            (joined if joins else parcels).append(entry)
        nodes += instance.counts[node]
    weight = instance.weight
    total = cost - len(parcels) * weight["parcels"] - nodes * weight["nodes"]
    unplaced = sum(instance.need) - sum([count for _, _, count in take])
    total -= unplaced * instance.penalty
    counted = {"cost": total // weight["cost"], "parcels": len(parcels), "nodes": nodes}
    bound = counted["cost"] if proven else _cost_bound(problem, instance, counted, unplaced, floor)
    return Solution(
        tuple(sorted([(instance.nodes[node], instance.lines[at], n) for node, at, n in take])),
        tuple(sorted(parcels)),
        tuple(short),
        counted["cost"],
        bound,
        proven,
        method,
        steps,
        tuple(sorted(joined)),
    )


def _cost_bound(
    problem: Problem, instance: Instance, counted: dict[str, int], unplaced: int, floor: int
) -> int:
    """The least cost of a plan no worse in shortage and in the terms before cost.

    Such a plan's weighted figure is at least `floor`; what the earlier terms may contribute is
    taken off, and the later ones together are less than one unit of cost.
    """
    room = floor - unplaced * instance.penalty
    for term in terms(problem.objective):
        if term == "cost":
            break
        room -= counted[term] * instance.weight[term]
    # The later terms come to less than one micro, so the quotient is rounded down.
    return min(counted["cost"], max(0, room // instance.weight["cost"]))
