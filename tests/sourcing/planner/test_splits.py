"""The direct search for split lines against every plan there is and against the longer way."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.sourcing.planner import Problem, Solution, solve
from domcore.sourcing.planner.splits import MOST_STEPS, Splits, TooWide
from domcore.sourcing.planner.whole_lines import cheapest_partition, partition

from .problems import AMOUNTS, problems, tight_order
from .reference import best_terms, terms_of


@contextmanager
def the_longer_way() -> Iterator[None]:
    """Without the answers that need no prices."""
    # The package's own name `solve` is the function, so the module is asked for by name.
    module: Any = importlib.import_module("domcore.sourcing.planner.solve")
    quick = module.quick_answer
    module.quick_answer = lambda problem, step_limit: (None, None)
    try:
        yield
    finally:
        module.quick_answer = quick


@settings(max_examples=500, deadline=None)
@given(problems(lines=4, nodes=5, options=False))
def test_the_search_finds_the_cheapest_of_all_plans(problem: Problem) -> None:
    relaxed = cheapest_partition(problem.quantities, problem.offers, problem.parcel)
    if relaxed is None:
        return
    search = Splits(problem, problem.parcel, relaxed, 1_000_000)
    if not search.first_plan():
        return
    short, best, _ = best_terms(problem)
    assert short == 0
    assert relaxed.table()[0] <= best <= search.cost
    if not relaxed.table()[2]:
        search.run()
        assert search.cost == best


@pytest.mark.parametrize("lines", [2, 4, 6])
@pytest.mark.parametrize("seed", range(8))
def test_tight_orders_cost_the_same_the_longer_way(seed: int, lines: int) -> None:
    problem = tight_order(seed, lines=lines, nodes=12)
    solution = solve(problem)
    with the_longer_way():
        other = solve(problem)
    assert solution.proven
    assert other.proven
    assert terms_of(problem, solution) == terms_of(problem, other)


def test_a_search_that_gets_too_wide_leaves_the_order_to_the_longer_way() -> None:
    problem = tight_order(3, lines=8, nodes=40)
    assert method_of(problem) != "split lines"
    relaxed = cheapest_partition(problem.quantities, problem.offers, problem.parcel)
    assert relaxed is not None
    search = Splits(problem, problem.parcel, relaxed, MOST_STEPS)
    assert search.first_plan()
    with pytest.raises(TooWide):
        search.run()


def method_of(problem: Problem) -> str:
    """How an order is answered; always with a proof."""
    solution: Solution = solve(problem)
    assert solution.proven
    return solution.method


def test_the_second_line_rides_on_the_node_that_the_first_one_opened() -> None:
    # Node 1 alone is cheapest for line 0 but short of it; node 2 is opened for the rest anyway.
    offers = (((1, 1, 0, 1), (2, 1, 0, 2)), ((2, 5, 0, 3), (3, 5, 0, 1)))
    problem = Problem((2, 4), offers, {1: 10, 2: 10, 3: 10})
    solution = solve(problem)
    assert solution.take == ((1, 0, 1), (2, 0, 1), (2, 1, 4))
    assert solution.cost == 20 + 1 + 2 + 12
    assert solution.method == "split lines"


def test_an_order_that_cannot_ship_complete_is_answered_without_a_search() -> None:
    offers = (((1, 1, 0, 1), (2, 1, 0, 2)), ((2, 5, 0, 3),))
    problem = Problem((3, 4), offers, {1: 10, 2: 10}, ship_complete=True)
    solution = solve(problem)
    assert solution.method == "incomplete"
    assert solution.short == (3, 4)
    assert solution.steps == 0
    none = solve(evolve(problem, offers=(offers[0], ())))
    assert none.short == (3, 4)
    assert none.proven


@given(st.integers(1, 4), st.data())
def test_partition_is_the_cheapest_of_all_partitions(count: int, data: st.DataObject) -> None:
    size = 1 << count
    prices = st.one_of(st.just(-1), AMOUNTS)
    group = [data.draw(AMOUNTS if mask & (mask - 1) == 0 else prices) for mask in range(size)]
    cost, parts = partition(group)
    assert cost == sum(group[part] for part in parts) == _cheapest(group, size - 1)
    assert sum(parts) == size - 1


def _cheapest(group: list[int], lines: int) -> int:
    if not lines:
        return 0
    return min(
        group[part] + _cheapest(group, lines ^ part)
        for part in range(1, lines + 1)
        if part & lines == part and part & (lines & -lines) and group[part] >= 0
    )
