"""The planner's way through one order.

* Whole lines first: a table over line sets, which counts partial holders as full. Where its plan
  uses full holders only, it is the optimum, and that is most orders.
* Where that plan wants a line split: a short search over that line's ways, with the table as the
  bound for the other lines.
* Where that is too wide: a good plan by descent on the set of open nodes, prices by dual ascent,
  and the walk over the nodes that keeps every state which could still be better.
* Long orders and large quantities, where the walk is too wide: branch and bound over the set of
  open nodes.
* A limit of nodes is ignored first; only where that breaks it, the same is done within it, with
  units allowed to stay short. Where the greedy cover leaves some short, sets of nodes that hold
  everything are looked for by quantities alone, and a plan is made with the first of them.

Every search counts steps. When they run out the best plan so far is the answer, with what has
been proven about it.
"""

from __future__ import annotations

from attrs import evolve

from domcore.sourcing.planner.answer import answer, nothing
from domcore.sourcing.planner.instance import Instance, compile_instance, shortage
from domcore.sourcing.planner.linear import Found, linear_plan
from domcore.sourcing.planner.node_sets import covering_nodes
from domcore.sourcing.planner.open_sets import greedy_cover
from domcore.sourcing.planner.problem import Problem, Solution
from domcore.sourcing.planner.quick import quick_answer
from domcore.sourcing.planner.quick_tariffs import quick_tariff_answer
from domcore.sourcing.planner.shortlist import MOST_NODES, of_nodes, shortlist
from domcore.sourcing.planner.tariffs import tariff_plan
from domcore.sourcing.planner.whole_lines import Table

STEP_LIMIT = 400_000
"""Steps one order may take: well under a second."""

FREE_STEPS = 50_000
"""Steps of the search that leaves a limit of nodes out of account."""

COVERING_STEPS = 30_000
"""Steps of the search for a plan with nodes that hold everything within the limit."""

_COST_ONLY = ("cost",)


def solve(problem: Problem, *, step_limit: int = STEP_LIMIT) -> Solution:
    """The plan with the least (units short, then the objective's terms in order)."""
    table = None
    if problem.objective == _COST_ONLY:
        if problem.tariffs:
            quick = quick_tariff_answer(problem)
        else:
            quick, table = quick_answer(problem, step_limit)
        if quick is not None:
            return quick
    if problem.ship_complete and any(shortage(problem)):
        return nothing(problem, proven=True, method="incomplete")
    instance = compile_instance(problem)
    if not instance.need:
        return nothing(problem, proven=True, method="nothing to place")
    if instance.limit is None:
        found = _search(instance, step_limit, _local(instance, table, problem))
    else:
        found = _within_limit(instance, step_limit, problem.ship_complete)
    if not found.proven:
        found = _no_worse_than_greedy(instance, problem, found)
    placed = sum(units for _, _, units in found.take)
    if problem.ship_complete and placed < sum(problem.quantities):
        return nothing(problem, proven=found.proven, method="incomplete", steps=found.steps)
    return answer(
        problem,
        instance,
        found.take,
        found.cost,
        found.floor,
        proven=found.proven,
        method=found.method,
        steps=found.steps,
    )


def _within_limit(instance: Instance, step_limit: int, ship_complete: bool) -> Found:
    """Without the limit of nodes first; where that is no proof, anew within it.

    Where the greedy cover leaves units short, a set of nodes that holds them all is looked for as
    well, in steps of its own and whatever the budget, and where there is none nothing is proven to
    ship complete.

    A first search that was cut short counts for nothing: its plan might keep to the limit where
    that of a longer one does not, and more steps would make the answer dearer.
    """
    found = _search(evolve(instance, limit=None), min(step_limit, FREE_STEPS))
    left = max(0, step_limit - found.steps)
    free = found if left and instance.allows(found.take) else None
    if free is not None and free.proven:
        return free
    found = evolve(found, steps=step_limit - left)
    plans = [] if free is None else [free]
    if instance.cost(greedy_cover(instance)) >= instance.penalty:
        covering = covering_nodes(instance)
        found = evolve(found, steps=found.steps + covering.steps)
        if covering.nodes is not None:
            plans.append(_on_nodes(instance, covering.nodes, min(step_limit, COVERING_STEPS)))
            found = evolve(found, steps=found.steps + plans[-1].steps)
        elif covering.proven and ship_complete:
            return Found([], 0, 0, "node sets", found.steps)
    within = _search(instance, left)
    best = min([within, *plans], key=lambda plan: plan.cost)
    floor = min(best.cost, max(found.floor, within.floor))
    return Found(best.take, best.cost, floor, best.method, found.steps + within.steps)


def _on_nodes(instance: Instance, nodes: list[int], step_limit: int) -> Found:
    """The best plan with nodes that hold everything and keep to the limit."""
    some = evolve(of_nodes(instance, nodes), limit=None)
    found = _search(some, step_limit)
    take = [(nodes[node], line, units) for node, line, units in found.take]
    return evolve(found, take=take, method="node sets")


def _no_worse_than_greedy(instance: Instance, problem: Problem, found: Found) -> Found:
    """Where the steps were too few, the usual heuristic on what is wanted may still be better."""
    wanted = [problem.quantities[line] for line in instance.lines]
    take = greedy_cover(instance, wanted)
    cost = instance.cost(take)
    return found if cost >= found.cost else Found(take, cost, found.floor, "greedy", found.steps)


def _search(instance: Instance, step_limit: int, table: Table | None = None) -> Found:
    """The best plan of an instance, exactly as far as the steps reach."""
    if len(instance.nodes) > MOST_NODES:
        return _of_many(instance, step_limit)
    return _of_few(instance, step_limit, table)


def _of_few(instance: Instance, step_limit: int, table: Table | None = None) -> Found:
    if instance.linear:
        return linear_plan(instance, step_limit, table)
    return tariff_plan(instance, step_limit)


def _of_many(instance: Instance, step_limit: int) -> Found:
    """The same for a large network: the search is for the nodes worth it."""
    short = shortlist(instance)
    found = _of_few(short.instance, max(0, step_limit - short.steps))
    steps = short.steps + found.steps
    floor = found.floor if short.whole else short.floor
    if found.cost >= short.cost:
        return Found(short.take, short.cost, min(floor, short.cost), "greedy", steps)
    take = short.in_full(found.take)
    return Found(take, found.cost, min(floor, found.cost), found.method, steps)


def _local(instance: Instance, table: Table | None, problem: Problem) -> Table | None:
    """The whole-line table in local numbers, if it was for the same units."""
    if table is None or tuple(instance.need) != problem.quantities:
        return None
    bound, groups, full = table
    local = {number: node for node, number in enumerate(instance.nodes)}
    return bound, [(local[number], lines) for number, lines in groups], full
