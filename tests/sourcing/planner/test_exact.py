"""The planner against every plan there is, to the micro."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.sourcing.planner import Problem, solve

from .problems import problems, tight_order
from .reference import best_terms, keeps_the_rules, terms_of


def is_the_best(problem: Problem) -> None:
    """The solution is proven and no plan there is does better."""
    solution = solve(problem)
    keeps_the_rules(problem, solution)
    assert terms_of(problem, solution) == best_terms(problem)
    assert solution.proven
    assert solution.bound == solution.cost


@settings(max_examples=400, deadline=None)
@given(problems(lines=4, nodes=5, options=False))
def test_no_plan_is_cheaper_at_fixed_parcel_costs(problem: Problem) -> None:
    is_the_best(problem)


@settings(max_examples=400, deadline=None)
@given(problems(lines=3, nodes=5))
def test_no_plan_is_better_under_limits_open_parcels_and_objectives(problem: Problem) -> None:
    is_the_best(problem)


@settings(max_examples=300, deadline=None)
@given(problems(lines=3, nodes=3, with_tariffs=True, options=False))
def test_no_plan_is_cheaper_under_weight_tariffs(problem: Problem) -> None:
    is_the_best(problem)


@settings(max_examples=400, deadline=None)
@given(problems(lines=3, nodes=4, with_tariffs=True))
def test_no_plan_is_better_under_tariffs_with_every_option(problem: Problem) -> None:
    is_the_best(problem)


@settings(max_examples=300, deadline=None)
@given(problems(lines=3, nodes=4, with_tariffs=True), st.integers(0, 40))
def test_a_search_cut_short_still_keeps_the_rules_and_its_bound_holds(
    problem: Problem, step_limit: int
) -> None:
    solution = solve(problem, step_limit=step_limit)
    keeps_the_rules(problem, solution)
    best, found = best_terms(problem), terms_of(problem, solution)
    assert best <= found
    assert solution.bound <= best[-1]
    if solution.proven:
        assert best == found


@pytest.mark.parametrize("objective", [("cost",), ("parcels", "cost"), ("cost", "nodes")])
@pytest.mark.parametrize("max_nodes", [None, 3])
def test_bounds_of_searches_cut_short_hold_on_tight_orders(
    objective: tuple[str, ...], max_nodes: int | None
) -> None:
    unproven = 0
    for seed in range(12):
        problem = tight_order(seed, objective=objective, max_nodes=max_nodes)
        best = solve(problem, step_limit=10_000_000)
        assert best.proven
        for step_limit in (0, 100, 1_000, 4_000):
            solution = solve(problem, step_limit=step_limit)
            keeps_the_rules(problem, solution)
            assert terms_of(problem, best) <= terms_of(problem, solution)
            assert solution.bound <= best.cost
            unproven += not solution.proven
    assert unproven > 10


@settings(max_examples=150, deadline=None)
@given(problems(lines=4, nodes=5, with_tariffs=True), st.integers(0, 200))
def test_the_same_problem_has_the_same_answer(problem: Problem, step_limit: int) -> None:
    assert solve(problem, step_limit=step_limit) == solve(evolve(problem), step_limit=step_limit)
