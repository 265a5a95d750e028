"""What must hold between answers: more stock, fewer limits, other numbering."""

from __future__ import annotations

from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domcore.sourcing.planner import Problem, solve

from .problems import orders_some_nodes_hold, problems, stepped_order, tight_order
from .reference import greedy_terms, keeps_the_rules, terms_of


@settings(max_examples=250, deadline=None)
@given(problems(lines=4, nodes=5, with_tariffs=True), st.data())
def test_more_stock_never_makes_the_answer_worse(problem: Problem, data: st.DataObject) -> None:
    line = data.draw(st.integers(0, len(problem.quantities) - 1))
    more = data.draw(st.integers(1, 4))
    row = list(problem.offers[line])
    if row:
        at = data.draw(st.integers(0, len(row) - 1))
        node, available, touch, each = row[at]
        row[at] = (node, available + more, touch, each)
    offers = [*problem.offers[:line], tuple(row), *problem.offers[line + 1 :]]
    richer = evolve(problem, offers=tuple(offers))
    assert terms_of(richer, solve(richer)) <= terms_of(problem, solve(problem))


@settings(max_examples=150, deadline=None)
@given(problems(lines=4, nodes=5, with_tariffs=True))
def test_a_wider_limit_never_makes_the_answer_worse(problem: Problem) -> None:
    tight, wide = evolve(problem, max_nodes=1), evolve(problem, max_nodes=2)
    free = evolve(problem, max_nodes=None)
    figures = [terms_of(each, solve(each)) for each in (free, wide, tight)]
    assert figures == sorted(figures)


@settings(max_examples=200, deadline=None)
@given(problems(lines=5, nodes=6), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_the_numbers_of_nodes_do_not_matter(problem, random) -> None:
    lines = list(range(len(problem.quantities)))
    random.shuffle(lines)
    numbers = sorted(problem.parcel)
    renamed = dict(zip(numbers, random.sample(range(100), len(numbers)), strict=True))
    other = evolve(
        problem,
        quantities=tuple(problem.quantities[line] for line in lines),
        offers=tuple(
            tuple(sorted((renamed[o[0]], *o[1:]) for o in problem.offers[line])) for line in lines
        ),
        parcel={renamed[node]: cost for node, cost in problem.parcel.items()},
        opened={renamed[node]: grams for node, grams in problem.opened.items()},
        used=frozenset(renamed.get(node, 100 + node) for node in problem.used),
    )
    assert terms_of(other, solve(other)) == terms_of(problem, solve(problem))


@settings(max_examples=250, deadline=None)
@given(
    problems(lines=12, nodes=9, options=False),
    st.sampled_from([None, None, 1, 2]),
    st.sampled_from([0, 20, 400_000]),
)
@example(
    problem=Problem(
        quantities=(1, 2, 3),
        offers=(((0, 0, 0, 0), (2, 1, 0, 0)), ((2, 1, 0, 0),), ((0, 3, 0, 0),)),
        parcel={0: 0, 2: 0},
    ),
    max_nodes=1,
    step_limit=0,
)
def test_never_dearer_than_the_greedy_cover(
    problem: Problem, max_nodes: int | None, step_limit: int
) -> None:
    problem = evolve(problem, max_nodes=max_nodes)
    solution = solve(problem, step_limit=step_limit)
    assert terms_of(problem, solution) <= greedy_terms(problem)


@settings(max_examples=250, deadline=None)
@given(
    problems(lines=10, nodes=7, with_tariffs=True, options=False),
    st.sampled_from([None, None, 1, 2]),
    st.sampled_from([0, 20, 3_000, 400_000]),
)
def test_never_dearer_than_the_greedy_cover_under_tariffs(
    problem: Problem, max_nodes: int | None, step_limit: int
) -> None:
    problem = evolve(problem, max_nodes=max_nodes)
    solution = solve(problem, step_limit=step_limit)
    assert terms_of(problem, solution) <= greedy_terms(problem)


@settings(max_examples=150, deadline=None)
@given(orders_some_nodes_hold(), st.booleans())
def test_an_order_that_the_allowed_nodes_hold_is_placed(problem: Problem, whole: bool) -> None:
    solution = solve(evolve(problem, ship_complete=whole))
    keeps_the_rules(problem, solution)
    assert not any(solution.short)


BUDGETS = (0, 1, 30, 300, 1_000, 3_000, 8_000, 20_000, 50_000, 100_000, 200_000, 400_000)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(2, 30), st.integers(2, 12), st.sampled_from([None, None, 2])
)
def test_more_steps_never_make_a_plan_dearer_at_weight_steps(
    seed: int, lines: int, nodes: int, max_nodes: int | None
) -> None:
    problem = stepped_order(seed, lines, nodes, max_nodes=max_nodes)
    figures = [terms_of(problem, solve(problem, step_limit=steps)) for steps in BUDGETS]
    assert figures == sorted(figures, reverse=True)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(2, 14), st.integers(2, 20), st.sampled_from([None, None, 3])
)
def test_more_steps_never_make_a_plan_dearer_at_fixed_parcel_costs(
    seed: int, lines: int, nodes: int, max_nodes: int | None
) -> None:
    problem = tight_order(seed, lines, nodes, max_nodes=max_nodes)
    figures = [terms_of(problem, solve(problem, step_limit=steps)) for steps in BUDGETS]
    assert figures == sorted(figures, reverse=True)


@settings(max_examples=150, deadline=None)
@given(problems(lines=6, nodes=6, with_tariffs=True), st.lists(st.integers(0, 4_000), min_size=5))
def test_more_steps_never_make_any_plan_dearer(problem: Problem, budgets: list[int]) -> None:
    figures = [terms_of(problem, solve(problem, step_limit=each)) for each in sorted(budgets)]
    assert figures == sorted(figures, reverse=True)
