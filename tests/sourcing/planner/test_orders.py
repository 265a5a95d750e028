"""Orders small enough to check by hand, and long ones that must end in bounded steps."""

from __future__ import annotations

import random

import pytest

from domcore.sourcing.planner import Problem, Tariff, solve

from .reference import greedy_terms, terms_of


def test_one_node_that_holds_everything_ships_everything() -> None:
    problem = Problem((1, 2), (((3, 5, 0, 10), (8, 5, 0, 9)), ((3, 5, 0, 10),)), {3: 50, 8: 50})
    solution = solve(problem)
    assert solution.take == ((3, 0, 1), (3, 1, 2))
    assert solution.parcels == ((3, (0, 1)),)
    assert solution.cost == 50 + 30
    assert solution.proven


def test_a_line_is_split_where_no_node_holds_all_of_it() -> None:
    problem = Problem((3,), (((1, 2, 0, 1), (2, 2, 0, 5), (3, 1, 0, 4)),), {1: 10, 2: 10, 3: 10})
    solution = solve(problem)
    assert solution.take == ((1, 0, 2), (3, 0, 1))
    assert solution.cost == 10 + 2 + 10 + 4


def test_a_line_is_split_where_that_is_cheaper_than_its_full_holder() -> None:
    problem = Problem(
        (2, 1),
        (((1, 1, 0, 1), (2, 1, 0, 1), (3, 2, 0, 90)), ((1, 1, 0, 1), (2, 1, 0, 9))),
        {1: 5, 2: 5, 3: 5},
    )
    solution = solve(problem)
    assert solution.take == ((1, 0, 1), (1, 1, 1), (2, 0, 1))
    assert solution.cost == 13


def test_ties_go_to_the_lowest_node() -> None:
    offers = (tuple((node, 1, 0, 1) for node in (4, 7, 9)),)
    assert solve(Problem((1,), offers, {4: 2, 7: 2, 9: 2})).take == ((4, 0, 1),)


def test_what_nobody_holds_is_short_and_the_rest_ships() -> None:
    solution = solve(Problem((2, 1, 1), (((0, 1, 0, 3),), (), ((0, 0, 0, 1),)), {0: 4}))
    assert solution.short == (1, 1, 1)
    assert solution.take == ((0, 0, 1),)
    assert solution.cost == 7
    assert solution.proven


def test_ship_complete_takes_nothing_where_one_unit_is_missing() -> None:
    solution = solve(Problem((2,), (((0, 1, 0, 3),),), {0: 4}, ship_complete=True))
    assert solution.take == ()
    assert solution.short == (2,)
    assert solution.cost == 0
    assert solution.proven


def test_a_limit_of_nodes_leaves_the_fewest_units_short_before_it_saves() -> None:
    offers = (((0, 3, 0, 99), (1, 2, 0, 1)), ((1, 1, 0, 1), (2, 1, 0, 1)))
    problem = Problem((3, 1), offers, {0: 9, 1: 9, 2: 9}, max_nodes=1)
    solution = solve(problem)
    # Node 0 leaves one unit of line 1 short, node 1 one of line 0: node 1 is cheaper.
    assert solution.take == ((1, 0, 2), (1, 1, 1))
    assert sum(solution.short) == 1
    assert solution.proven


def test_a_limit_of_nodes_holds_for_whole_lines_too() -> None:
    offers = (((0, 1, 0, 1), (1, 1, 0, 50)), ((2, 1, 0, 1), (1, 1, 0, 50)))
    problem = Problem((1, 1), offers, {0: 9, 1: 9, 2: 9}, max_nodes=1)
    assert solve(problem).take == ((1, 0, 1), (1, 1, 1))


def test_nine_lines_that_two_nodes_hold_are_placed_on_them() -> None:
    held = ["PPQQ", "PPQQQQ", "R", "PR", "PQ", "RR", "PPPPPPRRRRRR", "PPRR", "PPQRR"]
    offers = tuple(
        tuple((at, row.count(node), 60_000, 20_000) for at, node in enumerate("PQR") if node in row)
        for row in held
    )
    steps = ((2_000, 0), (5_000, 6_200_000), (15_000, 17_500_000), (30_000, 39_000_000))
    problem = Problem(
        (2, 4, 1, 1, 1, 2, 6, 2, 2),
        offers,
        dict.fromkeys(range(3), 900_000),
        (100,) * 9,
        {
            at: Tariff(base, steps=steps)
            for at, base in enumerate((11_500_000, 2_100_000, 11_500_000))
        },
        max_nodes=2,
        ship_complete=True,
    )
    assert not any(solve(problem, step_limit=200_000).short)


def test_an_open_parcel_is_joined_without_paying_for_a_new_one() -> None:
    tariff = Tariff(steps=((10, 5), (20, 50)))
    offers = (((0, 1, 0, 0), (1, 1, 0, 0)), ((0, 1, 0, 0), (1, 1, 0, 0)))
    problem = Problem(
        (1, 1), offers, {0: 7, 1: 6}, weights=(3, 9), tariffs={0: tariff, 1: tariff}, opened={0: 6}
    )
    solution = solve(problem)
    # Three grams fit into the step that is paid; nine more would start the next one.
    assert solution.joined == ((0, (0,)),)
    assert solution.parcels == ((1, (1,)),)
    assert solution.cost == 11


def test_fewest_parcels_first_costs_more_than_least_cost() -> None:
    offers = (((0, 1, 0, 90), (1, 1, 0, 1)), ((0, 1, 0, 90), (2, 1, 0, 1)))
    cheapest = Problem((1, 1), offers, {0: 5, 1: 5, 2: 5})
    fewest = Problem((1, 1), offers, {0: 5, 1: 5, 2: 5}, objective=("parcels", "cost"))
    assert solve(cheapest).cost == 12
    assert solve(fewest).cost == 185
    assert len(solve(fewest).parcels) == 1


def test_an_unknown_objective_is_refused() -> None:
    problem = Problem((1,), (((0, 1, 0, 1),),), {0: 1}, objective=("speed",))
    with pytest.raises(ValueError, match="unknown objective 'speed'"):
        solve(problem)


def long_order(lines: int, nodes: int, seed: int, with_tariffs: bool = False) -> Problem:
    """An order as long as real ones get, every line at about a fifth of the nodes."""
    draw = random.Random(seed)
    weights = tuple(draw.randint(100, 8_000) for _ in range(lines))
    zone = [draw.randint(200, 500) for _ in range(nodes)]
    offers = []
    for grams in weights:
        holders = [node for node in range(nodes) if draw.random() < 0.2] or [0]
        each = [0 if with_tariffs else grams * zone[node] for node in holders]
        row = [
            (node, draw.randint(1, 5), 0, cost) for node, cost in zip(holders, each, strict=True)
        ]
        offers.append(tuple(row))
    steps = tuple((454 * pound, 4_000_000 + 900_000 * pound) for pound in range(1, 71))
    return Problem(
        tuple(draw.choice([1, 1, 1, 2, 3]) for _ in range(lines)),
        tuple(offers),
        {node: draw.randint(2_000_000, 8_000_000) for node in range(nodes)},
        weights=weights,
        tariffs=dict.fromkeys(range(nodes), Tariff(steps=steps, over_per_gram=2_500))
        if with_tariffs
        else {},
    )


@pytest.mark.parametrize(("lines", "nodes"), [(15, 30), (40, 50), (300, 20), (1_106, 20)])
def test_a_long_order_ends_in_bounded_steps_near_its_bound(lines: int, nodes: int) -> None:
    problem = long_order(lines, nodes, seed=lines)
    solution = solve(problem)
    assert solution.steps <= 800_000
    assert terms_of(problem, solution)[-1] == solution.cost
    assert solution.bound <= solution.cost
    assert solution.cost - solution.bound <= solution.cost // 10
    assert terms_of(problem, solution) <= greedy_terms(problem)


@pytest.mark.parametrize(("lines", "nodes"), [(15, 30), (300, 20)])
def test_a_long_order_under_tariffs_ends_in_bounded_steps(lines: int, nodes: int) -> None:
    problem = long_order(lines, nodes, seed=lines, with_tariffs=True)
    solution = solve(problem)
    assert solution.steps <= 800_000
    assert terms_of(problem, solution)[-1] == solution.cost
    assert solution.bound <= solution.cost
    assert terms_of(problem, solution) <= greedy_terms(problem)


def test_a_long_order_within_a_limit_of_nodes_keeps_it() -> None:
    problem = long_order(60, 20, seed=3)
    limited = Problem(
        problem.quantities, problem.offers, problem.parcel, problem.weights, max_nodes=3
    )
    solution = solve(limited)
    assert len({node for node, _, _ in solution.take}) <= 3
    assert solution.steps <= 800_000


def test_large_quantities_need_no_more_steps_than_small_ones() -> None:
    draw = random.Random(5)
    offers = tuple(
        tuple((node, draw.randint(1, 50_000), 0, draw.randint(100, 900)) for node in range(8))
        for _ in range(3)
    )
    problem = Problem((60_000, 90_000, 40_000), offers, dict.fromkeys(range(8), 5000000))
    solution = solve(problem)
    assert solution.proven
    assert sum(units for _, line, units in solution.take if line == 1) == 90_000
    assert solution.steps <= 100_000
