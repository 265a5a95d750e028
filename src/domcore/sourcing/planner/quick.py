"""The orders of every day: fixed parcel costs, cost alone, everything in stock somewhere.

Straight from the problem to the solution, because most orders end here: one line, whole lines from
full holders, or a short search over the lines that have to be split.
"""

from __future__ import annotations

from collections.abc import Mapping

from domcore.sourcing.planner.answer import nothing, single_line, split_lines, whole
from domcore.sourcing.planner.cover import cover
from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.planner.splits import MOST_STEPS, Splits, TooWide
from domcore.sourcing.planner.whole_lines import (
    MOST_LINES,
    SHIFT,
    Relaxed,
    Table,
    cheapest_holder,
    cheapest_partition,
)


def quick_answer(problem: Problem, step_limit: int) -> tuple[Solution | None, Table | None]:
    """The proven optimum where it takes little, else what the whole-line table found.

    Only without tariffs, at cost alone. The table is that of the full quantities.
    """
    quantities = problem.quantities
    count = len(quantities)
    if not 0 < count <= MOST_LINES or 0 in quantities:
        return None, None
    opening = problem.parcel
    if problem.opened:
        opening = {**opening, **dict.fromkeys(problem.opened, 0)}
    if count == 1:
        return _one_line(problem, opening), None
    relaxed = cheapest_partition(quantities, problem.offers, opening)
    if relaxed is None:
        if problem.ship_complete:
            return nothing(problem, proven=True, method="incomplete"), None
        return None, None
    table = relaxed.table()
    cost, groups, full = table
    if full:
        if _allowed(problem, {node for node, _ in groups}):
            return whole(problem, groups, cost, "whole lines"), None
        return None, table
    return _split(problem, opening, relaxed, step_limit), table


def _split(
    problem: Problem, opening: Mapping[int, int], relaxed: Relaxed, step_limit: int
) -> Solution | None:
    """An order with lines that may have to be split, unless it is a hard one."""
    search = Splits(problem, opening, relaxed, min(step_limit, MOST_STEPS))
    if not search.first_plan():
        if problem.ship_complete:
            return nothing(problem, proven=True, method="incomplete")
        return None
    if search.cost > relaxed.best[-1] >> SHIFT:
        try:
            search.run()
        except TooWide:
            return None
    if not _allowed(problem, {node for node, _, _ in search.take}):
        return None
    return split_lines(problem, search.take, search.cost, search.steps)


def _one_line(problem: Problem, opening: Mapping[int, int]) -> Solution | None:
    """One line: its cheapest holder, or the cheapest cover of its quantity by several."""
    quantity = problem.quantities[0]
    offers = problem.offers[0]
    cost, node, full = cheapest_holder(quantity, offers, opening)
    if full:
        if problem.max_nodes is None and not problem.opened:
            # Nearly half of all orders: nothing is left to work out.
            take, parcels = ((node, 0, quantity),), ((node, (0,)),)
            return Solution(take, parcels, (0,), cost, cost, True, "one line")
        if not _allowed(problem, {node}):
            return None
        return whole(problem, [(node, 1)], cost, "one line")
    rows = sorted(
        (each, touch + opening[node], units, node)
        for node, units, touch, each in offers
        if units > 0
    )
    held = sum(row[2] for row in rows)
    if not held or (held < quantity and problem.ship_complete):
        return nothing(problem, proven=True, method="nothing to place")
    need = min(quantity, held)
    # Everything can be placed, so any price above all costs together keeps units from being left.
    dearest = 1 + sum(row[1] + row[0] * need for row in rows)
    cost, taken, floor = cover(need, rows, dearest)
    if floor < cost or not _allowed(problem, {node for node, _ in taken}):
        return None
    return single_line(problem, sorted(taken), cost)


def _allowed(problem: Problem, nodes: set[int]) -> bool:
    """Whether the nodes, with those that count already, keep to the limit."""
    return (
        problem.max_nodes is None
        or len(nodes.union(problem.opened, problem.used)) <= problem.max_nodes
    )
