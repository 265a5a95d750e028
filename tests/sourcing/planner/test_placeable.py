"""What some nodes within the limit hold is placed; what none of them do is proven not to be."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore.sourcing.planner import solve

from .problems import placeable_order
from .reference import keeps_the_rules

MISSED_ONCE = (561, 591, 911)
"""The smallest orders of a thousand that searches by cost alone leave short."""


def _is_placed(seed: int, step_limit: int = 200_000) -> int:
    problem = placeable_order(seed)
    solution = solve(problem, step_limit=step_limit)
    keeps_the_rules(problem, solution)
    assert not any(solution.short), f"seed {seed}"
    return solution.cost


@pytest.mark.parametrize("seed", MISSED_ONCE)
def test_an_order_that_few_sets_of_nodes_fill_is_placed(seed: int) -> None:
    costs = [_is_placed(seed, steps) for steps in (0, 1_000, 20_000, 60_000, 200_000)]
    assert costs == sorted(costs, reverse=True)


def test_fifty_placeable_orders_are_placed() -> None:
    for seed in range(50):
        _is_placed(seed)


@pytest.mark.long
def test_a_thousand_placeable_orders_are_placed() -> None:
    for seed in range(1_000):
        _is_placed(seed)


@pytest.mark.parametrize("seed", MISSED_ONCE)
def test_nodes_that_ship_already_count_in_the_limit(seed: int) -> None:
    problem = placeable_order(seed)
    assert problem.max_nodes is not None
    elsewhere = frozenset({99})
    wider = evolve(problem, used=elsewhere, max_nodes=problem.max_nodes + 1)
    assert not any(solve(wider).short)
    solution = solve(evolve(problem, used=elsewhere, max_nodes=1))
    assert solution.take == ()
    assert solution.proven
