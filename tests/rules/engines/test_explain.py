from domcore.rules.engines.explain import Failure, first_failing, holds
from domcore.rules.engines.protocol import All, Any, Leaf, Not

DC = Leaf("kind", "eq", "dc")
NEAR = Leaf("distance", "lt", 100)
OPEN = Leaf("open", "eq", True)


def test_a_true_test_has_nothing_to_explain():
    assert first_failing(All((DC, NEAR)), {"kind": "dc", "distance": 5}) is None
    assert first_failing(All(()), {}) is None


def test_the_first_false_part_of_an_all_is_named_with_what_it_read():
    failure = first_failing(All((DC, NEAR, OPEN)), {"kind": "dc", "distance": 250})
    assert failure == Failure(leaf=NEAR, expected=True, value=250, other=100)


def test_a_missing_value_reads_as_none():
    assert first_failing(DC, {}) == Failure(leaf=DC, expected=True, value=None, other="dc")


def test_of_an_any_the_first_branch_answers():
    test = Any((All((DC, OPEN)), NEAR))
    failure = first_failing(test, {"kind": "dc", "distance": 250, "open": False})
    assert failure == Failure(leaf=OPEN, expected=True, value=False, other=True)


def test_below_a_not_the_leaf_that_should_have_been_false_is_named():
    failure = first_failing(Not(All((DC, Not(OPEN)))), {"kind": "dc"})
    assert failure == Failure(leaf=DC, expected=False, value="dc", other="dc")
    failure = first_failing(Not(Any((DC, NEAR))), {"kind": "store", "distance": 5})
    assert failure == Failure(leaf=NEAR, expected=False, value=5, other=100)


def test_two_fields_show_both_values():
    same = Leaf("node.country", "eq", ref="order.country")
    failure = first_failing(same, {"node.country": "DE", "order.country": "FR"})
    assert failure == Failure(leaf=same, expected=True, value="DE", other="FR")


def test_an_empty_any_has_no_leaf_to_blame():
    assert first_failing(All((DC, Any(()))), {"kind": "dc"}) == Failure(
        leaf=None, expected=True, value=None, other=None
    )


def test_a_long_chain_of_wrappers_is_seen_through():
    test = DC
    for i in range(201):
        test = Not(All((test,))) if i % 2 else Any((test,))
    assert holds(test, {"kind": "dc"})
    failure = first_failing(test, {"kind": "x"})
    assert failure is not None
    assert failure.leaf == DC
