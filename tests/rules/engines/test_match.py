"""What a matcher promises, of every engine."""

import pytest

from domcore.errors import ConfigurationError
from domcore.rules.engines.protocol import All, Any, Leaf, Not, RuleEngine, Test
from domcore.rules.engines.terms import MAX_DEPTH

FIELDS = {"n": "int", "m": "int", "s": "str", "t": "str", "b": "bool", "c": "bool"}


def masks(engine: RuleEngine, tests: list[Test], facts: list[dict]) -> list[int]:
    matcher = engine.compile(tests, FIELDS)
    try:
        return matcher.match(facts)
    finally:
        matcher.close()


def truths(engine: RuleEngine, test: Test, *facts: dict) -> list[bool]:
    return [bool(mask) for mask in masks(engine, [test], list(facts))]


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [
        ("eq", False, True, False),
        ("ne", True, False, True),
        ("lt", True, False, False),
        ("lte", True, True, False),
        ("gt", False, False, True),
        ("gte", False, True, True),
    ],
)
def test_an_operator_compares_a_field_with_a_value_and_with_a_field(
    engine, op, below, equal, above
):
    expected = [below, equal, above]
    numbers = [{"n": 4, "m": 5}, {"n": 5, "m": 5}, {"n": 6, "m": 5}]
    words = [{"s": "a", "t": "b"}, {"s": "b", "t": "b"}, {"s": "b ", "t": "b"}]
    assert truths(engine, Leaf("n", op, 5), *numbers) == expected
    assert truths(engine, Leaf("n", op, ref="m"), *numbers) == expected
    assert truths(engine, Leaf("s", op, "b"), *words) == expected
    assert truths(engine, Leaf("s", op, ref="t"), *words) == expected
    assert truths(engine, Not(Leaf("n", op, 5)), *numbers) == [not e for e in expected]


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "lte", "gt", "gte"])
def test_a_comparison_with_a_missing_side_is_false_and_its_not_is_true(engine, op):
    for leaf, facts in [
        (Leaf("n", op, 5), [{}, {"m": 5}]),
        (Leaf("n", op, ref="m"), [{}, {"n": 5}, {"m": 5}]),
    ]:
        assert truths(engine, leaf, *facts) == [False] * len(facts)
        assert truths(engine, Not(leaf), *facts) == [True] * len(facts)


def test_exists_and_missing_see_presence_only(engine):
    facts = [{"s": ""}, {"n": 0}, {"b": False}, {}]
    assert truths(engine, Leaf("s", "exists"), *facts) == [True, False, False, False]
    assert truths(engine, Leaf("n", "missing"), *facts) == [True, False, True, True]
    assert truths(engine, Not(Leaf("b", "exists")), *facts) == [True, True, False, True]


def test_bools_compare_by_equality(engine):
    facts = [{"b": True, "c": True}, {"b": False, "c": True}, {"c": False}]
    assert truths(engine, Leaf("b", "eq", True), *facts) == [True, False, False]
    assert truths(engine, Leaf("b", "ne", True), *facts) == [False, True, False]
    assert truths(engine, Leaf("b", "eq", ref="c"), *facts) == [True, False, False]


def test_groups_nest(engine):
    test = All((Leaf("n", "gt", 1), Any((Leaf("s", "eq", "a"), Not(Leaf("b", "eq", True))))))
    assert truths(
        engine, test, {"n": 2, "s": "a", "b": True}, {"n": 2}, {"n": 2, "b": True}, {"s": "a"}
    ) == [True, True, False, False]


def test_empty_groups_are_constants_wherever_they_stand(engine):
    assert truths(engine, All(()), {}) == [True]
    assert truths(engine, Any(()), {}) == [False]
    assert truths(engine, Not(Any(())), {"n": 1}) == [True]
    leaf = Leaf("n", "eq", 1)
    for test, expected in [
        (All((leaf, Any((All(()),)))), [True, False]),
        (All((leaf, Any(()))), [False, False]),
        (Any((leaf, All(()))), [True, True]),
        (Any((leaf, Not(All(())))), [True, False]),
    ]:
        assert truths(engine, test, {"n": 1}, {}) == expected


def test_bit_i_stands_for_test_i(engine):
    tests = [Leaf("n", "gte", i) for i in range(70)]
    assert masks(engine, tests, [{"n": 2}, {}, {"n": 68}]) == [7, 0, 2**69 - 1]


def test_nothing_to_match_is_harmless(engine):
    assert masks(engine, [], [{"n": 1}, {}]) == [0, 0]
    assert masks(engine, [], []) == []
    assert masks(engine, [Leaf("n", "missing")], []) == []
    assert masks(engine, [Leaf("n", "missing")], [{}]) == [1]


def test_equal_facts_in_a_batch_get_equal_masks_in_their_places(engine):
    facts = [{"n": 1}, {"n": 2}, {"n": 1}, {"n": 1, "other": "x"}]
    assert masks(engine, [Leaf("n", "eq", 1)], facts) == [1, 0, 1, 1]


def test_text_is_never_read_as_number_or_syntax(engine):
    words = ["", "5", "5.0", "null", "true", '"', "\\", "\n", "é", "😀", "z"]
    facts = [{"s": word} for word in words]
    for i, word in enumerate(words):
        assert masks(engine, [Leaf("s", "eq", word)], facts) == [
            int(i == j) for j in range(len(words))
        ]
    for word in words:
        below = [int(other < word) for other in words]
        assert masks(engine, [Leaf("s", "lt", word)], facts) == below


def test_long_text_compares_to_its_last_character(engine):
    long = "x" * 5_000
    facts = [{"s": long}, {"s": long + "a"}, {"s": long[:-1]}, {"s": long, "t": long}]
    assert masks(engine, [Leaf("s", "eq", long)], facts) == [1, 0, 0, 1]
    assert masks(engine, [Leaf("s", "gt", long)], facts) == [0, 1, 0, 0]
    assert masks(engine, [Leaf("s", "eq", ref="t")], facts) == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "edge",
    [2**53, -(2**53), 9_200_000_000_000_000, -9_200_000_000_000_000],
    ids=["2**53", "-2**53", "money", "-money"],
)
def test_large_ints_are_exact(engine, edge):
    facts = [{"n": edge - 1}, {"n": edge}, {"n": edge + 1}, {"n": edge, "m": edge + 1}]
    assert masks(engine, [Leaf("n", "eq", edge)], facts) == [0, 1, 0, 1]
    assert masks(engine, [Leaf("n", "lt", edge)], facts) == [1, 0, 0, 0]
    assert masks(engine, [Leaf("n", "lt", ref="m")], facts) == [0, 0, 0, 1]


def test_field_names_are_any_text(engine):
    names = ["z", "f0", "a.b", "", '"', "import os", "é", "kind", "x y"]
    matcher = engine.compile([Leaf(n, "eq", "x") for n in names], dict.fromkeys(names, "str"))
    assert matcher.match([dict.fromkeys(names, "x"), {}]) == [2 ** len(names) - 1, 0]
    assert matcher.match([{name: "x"} for name in names]) == [1 << i for i in range(len(names))]
    matcher.close()


def test_a_value_of_the_wrong_type_is_treated_as_python_would(engine):
    assert truths(engine, Leaf("n", "eq", 1), {"n": "1"}, {"n": True}) == [False, True]
    with pytest.raises(TypeError):
        masks(engine, [Leaf("n", "lt", 1)], [{"n": "1"}])
    assert truths(engine, Leaf("n", "eq", 1), {"n": []}) == [False]


def test_close_is_final_and_harmless_twice(engine):
    matcher = engine.compile([Leaf("n", "eq", 1)], FIELDS)
    assert matcher.match([{"n": 1}]) == [1]
    matcher.close()
    matcher.close()
    with pytest.raises(ValueError, match="closed"):
        matcher.match([{"n": 1}])


def test_changing_the_lists_after_compiling_changes_nothing(engine):
    tests, fields = [Leaf("n", "eq", 1)], dict(FIELDS)
    matcher = engine.compile(tests, fields)
    tests[:] = [Leaf("n", "eq", 2)]
    fields.clear()
    assert matcher.match([{"n": 1}, {"n": []}]) == [1, 0]
    matcher.close()


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        (Leaf("x", "eq", 1), "unknown field 'x'"),
        (Leaf("n", "eq", ref="x"), "unknown field 'x'"),
        (Leaf("n", "eq", "1"), "is int, the value it is compared with is str"),
        (Leaf("n", "eq", True), "is int, the value it is compared with is bool"),
        (Leaf("b", "eq", 1), "is bool, the value it is compared with is int"),
        (Leaf("s", "eq", 1.5), "is str, the value it is compared with is float"),
        (Leaf("n", "eq", ref="s"), "never compare"),
        (Leaf("b", "lt", True), "takes eq, ne, exists and missing"),
        (Leaf("n", "like", 1), "unknown operator 'like'"),
        (Leaf("n", "eq"), "either a value or another field"),
        (Leaf("n", "eq", 1, "m"), "either a value or another field"),
        (Leaf("n", "exists", 1), "takes no value"),
        ("n == 1", "str is not a test"),
        (None, "NoneType is not a test"),
    ],
)
def test_a_test_that_does_not_fit_is_refused_with_its_place(engine, leaf, says):
    for test in (leaf, Not(All((Leaf("n", "eq", 1), leaf)))):
        with pytest.raises(ConfigurationError, match="test 1") as error:
            engine.compile([Leaf("n", "eq", 1), test], FIELDS)
        assert says in error.value.message


def test_an_unknown_field_type_is_refused(engine):
    with pytest.raises(ConfigurationError, match="unknown type 'float'"):
        engine.compile([], {"n": "float"})


def test_long_chains_of_wrappers_vanish(engine):
    test = Leaf("n", "eq", 1)
    for i in range(3 * MAX_DEPTH):
        test = (Not(test), All((test,)), Any((test,)))[i % 3]
    assert truths(engine, test, {"n": 1}, {}) == [True, False]


def test_true_nesting_has_a_limit(engine):
    def tower(levels: int) -> Test:
        test: Test = Leaf("n", "eq", 0)
        for i in range(1, levels):
            test = (All, Any)[i % 2]((Leaf("n", "eq", i), test))
        return test

    assert truths(engine, tower(40), {"n": 1}, {"n": 39}) == [False, True]
    with pytest.raises(ConfigurationError, match="nests all and any more than 48"):
        engine.compile([tower(MAX_DEPTH + 2)], FIELDS)


def test_a_part_that_is_shared_counts_wherever_it_stands(engine):
    test: Test = Leaf("n", "eq", 1)
    for _ in range(15):
        test = All((test, test))
    with pytest.raises(ConfigurationError, match="more than 50000 parts"):
        engine.compile([test], FIELDS)


def test_a_long_or_over_one_field(engine):
    many = Any(tuple(Leaf("n", "eq", i) for i in range(100)))
    facts = [{"n": 99}, {"n": 100}, {}]
    assert truths(engine, many, *facts) == [True, False, False]
    assert truths(engine, Not(many), *facts) == [False, True, True]
