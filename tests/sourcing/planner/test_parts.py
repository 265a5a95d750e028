"""The pieces of the planner, each against its own plain definition."""

from __future__ import annotations

import random
from itertools import product

import pytest
from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domcore.sourcing.planner import Problem, Tariff, solve
from domcore.sourcing.planner.branch import branch
from domcore.sourcing.planner.columns import Layout
from domcore.sourcing.planner.cover import cover
from domcore.sourcing.planner.draft import Draft
from domcore.sourcing.planner.duals import ascend
from domcore.sourcing.planner.instance import compile_instance
from domcore.sourcing.planner.labels import walk
from domcore.sourcing.planner.moves import single_moves
from domcore.sourcing.planner.open_sets import OpenSets, greedy_cover, opened_by
from domcore.sourcing.planner.packing import Packer, minorant
from domcore.sourcing.planner.reinsert import Reinsertion
from domcore.sourcing.planner.shortlist import shortlist
from domcore.sourcing.planner.steps import StepBound
from domcore.sourcing.planner.subgradient import tighten

from .problems import AMOUNTS, problems, stepped_order, tariffs, tight_order
from .reference import best_terms, keeps_the_rules

ENOUGH = 10_000_000


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(AMOUNTS, AMOUNTS, st.integers(1, 4)), max_size=5),
    st.integers(1, 6),
    st.sampled_from([100, 1_000]),
)
def test_cover_takes_the_cheapest_units_of_all_choices(offers, need: int, penalty: int) -> None:
    rows = sorted((each, touch, units, node) for node, (each, touch, units) in enumerate(offers))
    cost, taken, floor = cover(need, rows, penalty)
    assert floor == cost
    by_node = {node: (each, touch, units) for each, touch, units, node in rows}
    costs = []
    for counts in product(*(range(by_node[node][2] + 1) for node in sorted(by_node))):
        if sum(counts) <= need:
            total = penalty * (need - sum(counts))
            for node, count in zip(sorted(by_node), counts, strict=True):
                each, touch, _ = by_node[node]
                total += touch + each * count if count else 0
            costs.append(total)
    assert cost == min(costs)
    again = sum(by_node[node][1] + by_node[node][0] * count for node, count in taken)
    assert again + penalty * (need - sum(count for _, count in taken)) == cost


def test_cover_needs_no_table_over_units() -> None:
    rows = [(1, 0, 400_000, 0), (2, 50, 500_000, 1), (3, 0, 10_000_000, 2)]
    cost, taken, _ = cover(1_000_000, rows, 10**9)
    assert cost == 400_000 + 50 + 2 * 500_000 + 3 * 100_000
    assert sorted(taken) == [(0, 400_000), (1, 500_000), (2, 100_000)]


@settings(max_examples=200, deadline=None)
@given(tariffs(), st.integers(0, 20), st.integers(0, 60), st.integers(0, 80), st.none())
def test_the_straight_line_lies_nowhere_above_the_tariff(
    tariff: Tariff, least: int, width: int, target: int, opened: None
) -> None:
    start, slope = minorant(tariff, least, least + width, target, opened)
    assert start >= 0
    assert slope >= 0
    for grams in range(least, least + width + 1):
        assert start + slope * grams <= tariff.price(grams)


@settings(max_examples=200, deadline=None)
@given(tariffs(), st.integers(0, 20), st.integers(0, 60), st.integers(0, 30))
def test_the_straight_line_lies_nowhere_above_the_price_of_joining(
    tariff: Tariff, least: int, width: int, opened: int
) -> None:
    start, slope = minorant(tariff, least, least + width, width, opened)
    assert start == 0
    for grams in range(least, least + width + 1):
        assert slope * grams <= tariff.price(grams)
        assert slope * grams <= tariff.price(opened + grams) - tariff.price(opened)


def test_a_tariff_step_makes_two_parcels_cheaper_than_one() -> None:
    tariff = Tariff(steps=((10, 5), (20, 50)))
    packer = Packer(tariff, money=1, parcel=1, opened=None, weights=[6, 4, 8])
    cost, parcels = packer.cheapest([(0, 1), (1, 1), (2, 1)])
    assert cost == 12
    assert sorted(lines for _, lines in parcels) == [[0, 1], [2]]


@settings(max_examples=200, deadline=None)
@given(tariffs(), st.integers(0, 9), st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_the_straight_line_shortens_the_packing_without_changing_it(
    tariff: Tariff, parcel: int, weights: list[int]
) -> None:
    line = minorant(tariff, min(weights), sum(weights), sum(weights), None)
    units = [(at, 1) for at in range(len(weights))]
    # A line far below the tariff never ends the search early.
    plain = Packer(tariff, 1, parcel, None, weights, (-(10**9), 0)).cheapest(units)
    assert Packer(tariff, 1, parcel, None, weights, line).cheapest(units) == plain


def test_many_lines_at_one_node_are_packed_by_filling() -> None:
    tariff = Tariff(steps=((10, 5), (20, 50)), over_per_gram=100)
    packer = Packer(tariff, money=1, parcel=1, opened=None, weights=[5] * 20)
    cost, parcels = packer.cheapest([(line, 1) for line in range(20)])
    assert cost == 10 * 6
    assert sorted(line for _, lines in parcels for line in lines) == list(range(20))


def test_a_tariff_that_would_make_heavier_parcels_cheaper_is_refused() -> None:
    with pytest.raises(ValueError, match="never fall"):
        Tariff(steps=((10, 50), (20, 40)))
    with pytest.raises(ValueError, match="ascend"):
        Tariff(steps=((10, 50), (10, 60)))
    with pytest.raises(ValueError, match="negative"):
        Tariff(per_gram=-1)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.data())
def test_packed_units_unpack_to_themselves(need: list[int], data: st.DataObject) -> None:
    units = [data.draw(st.integers(0, most)) for most in need]
    layout = Layout.of(need, 3)
    packed = sum(count << shift for count, shift in zip(units, layout.shifts, strict=False))
    assert layout.unpack(packed) == [(at, count) for at, count in enumerate(units) if count]


@settings(max_examples=200, deadline=None)
@given(problems(lines=4, nodes=5))
def test_the_prices_bound_every_plan(problem: Problem) -> None:
    problem = evolve(problem, objective=("cost",), ship_complete=False)
    instance = compile_instance(problem)
    assume(instance.need)
    ceiling = None if instance.limit is None else instance.penalty
    dual = ascend(instance, instance.opening, ceiling=ceiling)
    best = _weighted(problem)
    assert dual.floor <= best
    closer = tighten(instance, dual, best, ceiling, ENOUGH)
    assert dual.floor <= closer.floor <= best


@settings(max_examples=300, deadline=None)
@given(problems(lines=4, nodes=5))
def test_branch_and_bound_finds_the_optimum_by_itself(problem: Problem) -> None:
    problem = evolve(problem, objective=("cost",), ship_complete=False)
    instance = compile_instance(problem)
    assume(instance.need)
    sets = OpenSets(instance)
    opened = opened_by(greedy_cover(instance))
    ceiling = None if instance.limit is None else instance.penalty
    tree = branch(sets, opened, sets.cost(opened), ceiling, ENOUGH)
    assert tree.finished
    assert tree.cost == tree.bound == _weighted(problem)
    assert sets.cost(tree.opened) == tree.cost


@settings(max_examples=200, deadline=None)
@given(problems(lines=4, nodes=5), st.integers(0, 60))
def test_branch_and_bound_cut_short_still_bounds_the_optimum(
    problem: Problem, step_limit: int
) -> None:
    problem = evolve(problem, objective=("cost",), ship_complete=False)
    instance = compile_instance(problem)
    assume(instance.need)
    sets = OpenSets(instance)
    opened = opened_by(greedy_cover(instance))
    ceiling = None if instance.limit is None else instance.penalty
    tree = branch(sets, opened, sets.cost(opened), ceiling, step_limit)
    assert tree.bound <= _weighted(problem) <= tree.cost


@settings(max_examples=200, deadline=None)
@given(problems(lines=4, nodes=5))
def test_the_walk_finds_the_optimum_from_any_plan(problem: Problem) -> None:
    problem = evolve(problem, objective=("cost",), ship_complete=False)
    instance = compile_instance(problem)
    assume(instance.need)
    limited = instance.limit is not None
    dual = ascend(instance, instance.opening, ceiling=instance.penalty if limited else None)
    best = _weighted(problem)
    walked = walk(instance, dual, best + 1, limited, ENOUGH)
    assert walked.finished
    assert walked.cost == walked.bound == best
    assert walked.take is not None
    assert instance.cost(walked.take) == best
    assert instance.allows(walked.take)
    # Asked for something better than the best there is, it proves that there is none.
    none = walk(instance, dual, best, limited, ENOUGH)
    assert none.finished
    assert none.take is None
    assert none.bound == best


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("max_nodes", [None, 3])
def test_the_walk_and_branch_and_bound_agree_on_tight_orders(
    seed: int, max_nodes: int | None
) -> None:
    instance = compile_instance(tight_order(seed, max_nodes=max_nodes))
    sets = OpenSets(instance)
    opened = opened_by(greedy_cover(instance))
    start = sets.cost(opened)
    ceiling = None if max_nodes is None else instance.penalty
    tree = branch(sets, opened, start, ceiling, ENOUGH)
    dual = ascend(instance, instance.opening, ceiling=ceiling)
    walked = walk(instance, dual, start, max_nodes is not None, ENOUGH)
    assert tree.finished
    assert walked.finished
    assert tree.cost == walked.cost


def _weighted(problem: Problem) -> int:
    """The reference's optimum as the instance weighs it (units nobody holds are left out)."""
    instance = compile_instance(problem)
    short, cost, _ = best_terms(problem)
    unplaceable = sum(problem.quantities) - sum(instance.need)
    return (short - unplaceable) * instance.penalty + cost


def test_units_that_moved_on_during_a_sweep_are_not_lost() -> None:
    # The unit of node 0 joins the one at node 1; a sweep that listed that one beforehand would
    # then move it on alone and leave the other nowhere.
    steps = ((1, 0), (2, 5), (4, 11))
    tariffs = {0: Tariff(9), 1: Tariff(steps=steps), 2: Tariff(9, steps=steps)}
    offers = (((0, 1, 0, 0), (1, 2, 0, 3), (2, 1, 0, 0)),)
    instance = compile_instance(Problem((2,), offers, {0: 0, 1: 0, 2: 0}, (1,), tariffs))
    draft = Draft(instance)
    draft.load_plan([(0, 0, 1), (1, 0, 1)])
    single_moves(instance, draft, ENOUGH)
    assert sum(units for _, _, units in draft.take()) == 2


def test_units_of_a_line_move_until_a_parcel_is_under_its_step() -> None:
    # Ten units from node 1 are 50 grams, one too many for its step: one of them goes to node 0,
    # whose parcel has room.
    tariff = Tariff(10, steps=((46, 0), (90, 100)))
    offers = (((0, 1, 0, 0),), ((0, 9, 0, 1), (1, 10, 0, 0)))
    problem = Problem((1, 10), offers, {0: 0, 1: 0}, (40, 5), {0: tariff, 1: tariff})
    draft = Draft(compile_instance(problem))
    draft.load_plan([(0, 0, 1), (1, 1, 10)])
    single_moves(compile_instance(problem), draft, ENOUGH)
    assert draft.take() == [(0, 0, 1), (0, 1, 1), (1, 1, 9)]
    assert draft.cost == 20 + 1


@settings(max_examples=200, deadline=None)
@given(problems(lines=6, nodes=5, with_tariffs=True), st.integers(0, 60))
def test_reinserting_lines_keeps_the_limit_and_prices_every_plan_truly(
    problem: Problem, tries: int
) -> None:
    instance = compile_instance(problem)
    assume(instance.need and not instance.linear)
    take = greedy_cover(instance)
    search = Reinsertion(instance, take, [0] * len(instance.nodes), ENOUGH)
    search.run(tries)
    assert instance.cost(search.take) == search.cost <= instance.cost(take)
    assert instance.allows(search.take)
    held = {
        (node, line): units for line, row in enumerate(instance.offers) for node, units, *_ in row
    }
    for node, line, units in search.take:
        assert 0 < units <= held[node, line]
    for line, need in enumerate(instance.need):
        assert sum(units for _, each, units in search.take if each == line) <= need


@settings(max_examples=300, deadline=None)
@given(
    problems(lines=3, nodes=4, with_tariffs=True, options=False),
    st.lists(st.integers(0, 120), min_size=3, max_size=3),
)
def test_no_prices_prove_more_than_the_best_plan_costs(problem: Problem, prices: list[int]) -> None:
    instance = compile_instance(problem)
    assume(instance.need and not instance.linear)
    bound = StepBound(instance)
    placeable = evolve(problem, quantities=_placeable(problem))
    best = best_terms(placeable)[-1]
    assert bound.at(prices[: len(instance.need)]).floor <= best
    assert bound.tighten([0] * len(instance.need), best, None, 40).floor <= best


def _placeable(problem: Problem) -> tuple[int, ...]:
    return tuple(
        min(quantity, sum(offer[1] for offer in row))
        for quantity, row in zip(problem.quantities, problem.offers, strict=True)
    )


@settings(max_examples=300, deadline=None)
@given(tariffs(), AMOUNTS, st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_what_ships_in_one_parcel_is_cheaper_in_no_other_way(
    tariff: Tariff, parcel: int, weights: list[int]
) -> None:
    load = sum(weights)
    line = minorant(tariff, min(weights), load, load, None)
    packer = Packer(tariff, 1, parcel, None, weights, line, load)
    plain = Packer(tariff, 1, parcel, None, weights, (-(10**9), 0))
    units = [(line, 1) for line in range(len(weights))]
    if packer.in_one(load):
        assert plain.cheapest(units)[0] == packer.new(load)
    assert packer.cheapest(units)[0] == plain.cheapest(units)[0]


@pytest.mark.parametrize("seed", range(12))
def test_a_shortlist_of_a_large_network_keeps_the_best_plan_and_its_bound_holds(seed: int) -> None:
    draw = random.Random(seed)
    offers = tuple(
        tuple((node, 1, 5, draw.randint(0, 90)) for node in range(400) if draw.random() < 0.5)
        for _ in range(4)
    )
    parcel = {node: draw.randint(50, 400) for node in range(400)}
    problem = Problem((1, 1, 1, 1), offers, parcel)
    best = solve(problem)
    assert best.proven
    short = shortlist(compile_instance(problem))
    assert short.floor <= best.cost <= short.cost
    numbers = {short.instance.nodes[node] for node in range(len(short.nodes))}
    if short.whole and best.cost < short.cost:
        assert {node for node, _, _ in best.take} <= numbers


@pytest.mark.parametrize("max_nodes", [None, 2])
def test_a_step_takes_no_longer_in_a_large_network(max_nodes: int | None) -> None:
    for nodes in (300, 1_500):
        problem = stepped_order(nodes, 6, nodes, max_nodes=max_nodes)
        solution = solve(problem, step_limit=20_000)
        keeps_the_rules(problem, solution)
        # What has to be done whatever the budget is one look at every offer, a few times.
        assert solution.steps < 20_000 + 4 * sum(len(row) for row in problem.offers)
