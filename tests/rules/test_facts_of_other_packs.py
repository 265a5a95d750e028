"""A fact that another pack sets can be read, given by a case, and be missing."""

from __future__ import annotations

import pytest

from domcore.errors import ConfigurationError
from domcore.rules import Activation, compile_program
from domcore.rules.case_reading import parse_cases
from domcore.rules.cases import run_cases
from domcore.rules.compiler import facts_set_by
from domcore.rules.engines.python import PythonEngine


@pytest.fixture
def classes(make):
    return make.pack(
        make.rule("True", {"set": {"order.vip": True}}),
        make.rule("line.price > 50.00", {"set": {"line.dear": True}}),
        name="classes",
    )


@pytest.fixture
def policy(make):
    return make.pack(
        make.rule("order.vip", "hold", id="vips"),
        make.rule("order.vip is None and line.dear is None", id="nobody"),
        name="policy",
    )


def test_where_nobody_sets_it_it_is_missing(shop, classes, policy):
    known = facts_set_by([(classes, Activation("classes"))])
    program = compile_program([(policy, Activation("policy"))], engine=shop.engine, elsewhere=known)
    found = shop.ask(program)
    assert not found.holds
    assert found.first.barred == (7, 7)
    assert {spec.name for spec in program.elsewhere} == {"order.vip", "line.dear"}


def test_where_it_is_set_it_is_read(shop, classes, policy):
    active = [(classes, Activation("classes")), (policy, Activation("policy"))]
    program = compile_program(active, engine=shop.engine, elsewhere=facts_set_by(active))
    assert [hold.code for hold in shop.ask(program).holds] == ["policy/vips"]
    assert program.elsewhere == ()


def test_where_no_pack_sets_it_it_is_not_known(plain_shop, policy):
    with pytest.raises(ConfigurationError, match=r"no fact 'order\.vip'"):
        plain_shop.programs((policy, Activation("policy")))


def test_its_type_is_that_of_the_pack_that_sets_it(shop, classes, make):
    known = facts_set_by([(classes, Activation("classes"))])
    wrong = make.pack(make.rule("order.vip > 3"), name="wrong")
    with pytest.raises(ConfigurationError, match=r"order\.vip is bool"):
        compile_program([(wrong, Activation("wrong"))], engine=shop.engine, elsewhere=known)


def cases(pack, known, *found):
    read = parse_cases({"format": 1, "case": list(found)}, pack, elsewhere=known)
    return run_cases(pack, read, engine=PythonEngine(), elsewhere=known)


def test_a_case_gives_it_or_leaves_it_out(classes, policy):
    known = facts_set_by([(classes, Activation("classes"))])
    node = [{"id": "dc"}]
    vip = {
        "name": "a vip", "node": node, "facts": {"order.vip": True},
        "line": [{"sku": "A", "facts": {"line.dear": False}}], "expect": [{"rule": "vips"}],
    }  # fmt: skip
    plain = {
        "name": "nobody", "node": node, "line": [{"sku": "A"}],
        "expect": [{"rule": "nobody", "lines": ["A"]}],
    }  # fmt: skip
    assert cases(policy, known, vip, plain) == ()


@pytest.mark.parametrize(
    ("facts", "why"),
    [({"order.vip": "yes"}, "is bool where it is set"), ({"order.vip2": True}, "did you mean")],
)
def test_what_a_case_gives_is_checked(classes, policy, facts, why):
    known = facts_set_by([(classes, Activation("classes"))])
    case = {"name": "c", "line": [{"sku": "A"}], "facts": facts}
    with pytest.raises(ConfigurationError, match=why):
        cases(policy, known, case)
