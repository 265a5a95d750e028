"""Rules in durable_rules' own JSON form load into the same pack where they fit."""

from __future__ import annotations

import json

import pytest

from domcore.errors import ConfigurationError
from domcore.rules import load_pack, parse_pack

HEAD = {"format": 1, "name": "p", "version": "1", "currency": "USD"}


def durable(**rules: object):
    return parse_pack({**HEAD, "durable": rules})


def when(condition: object) -> str:
    return durable(r={"all": [{"m": condition}], "run": "exclude"}).rules[0].when


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"order.channel": "web"}, "order.channel == 'web'"),
        ({"$neq": {"order.channel": "it's"}}, 'order.channel != "it\'s"'),
        ({"$lt": {"order.units": 5}}, "order.units < 5"),
        ({"$gte": {"line.price": {"m": "order.value"}}}, "line.price >= order.value"),
        ({"$ex": {"node.priority": 1}}, "node.priority is not None"),
        ({"$nex": {"node.priority": 1}}, "node.priority is None"),
        (
            {"$and": [{"order.units": 1}, {"$or": [{"node.cold": True}, {"line.sku": "A"}]}]},
            "(order.units == 1) and ((node.cold == True) or (line.sku == 'A'))",
        ),
    ],
)
def test_conditions_become_conditions(condition, text):
    assert when(condition) == text


def test_the_same_rule_in_both_forms_is_the_same_pack(tmp_path):
    written = json.dumps(
        {**HEAD, "durable": {"big": {
            "any": [{"m": {"$gt": {"order.value": 99.5}}}, {"o": {"order.tags": "x"}}],
            "run": {"hold": {"stage": "route"}}, "pri": 3,
        }}}
    )  # fmt: skip
    (tmp_path / "ruleset.json").write_text(written)
    own = {
        "id": "big", "when": "(order.value > 99.5) or (order.tags == 'x')",
        "then": {"hold": {"stage": "route"}}, "priority": -3,
    }  # fmt: skip
    assert load_pack(tmp_path) == parse_pack({**HEAD, "rule": [own]})


def test_a_rule_from_that_form_judges(shop):
    from domcore.rules import Activation

    pack = durable(
        far={"all": [{"m": {"$and": [{"node.kind": "store"}, {"$gt": {"order.units": 2}}]}}],
             "run": "exclude"}
    )  # fmt: skip
    assert shop.ask(shop.programs((pack, Activation("p")))).first.barred == (6, 6)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"all": [{"m": {"a.b": 1}}]}, "'run' naming a verb"),
        ({"run": "hold"}, "either 'all' or 'any'"),
        ({"all": [{"m": {"a.b": 1}}], "any": [], "run": "hold"}, "either 'all' or 'any'"),
        ({"all": [{"m": {"a.b": 1}}, {"n": {"a.b": 1}}], "run": "hold"}, "join of several facts"),
        ({"all": [{"m": {"$mt": {"a.b": "x.*"}}}], "run": "hold"}, "pattern matching"),
        ({"all": [{"m": {"$and": [{"a.b": 1}, {"$s": 1}]}}], "run": "hold"}, "engine state"),
        (
            {"all": [{"m": {"$lt": {"a.b": {"$add": {"$l": 1, "$r": 2}}}}}], "run": "hold"},
            "arithmetic",
        ),
        ({"all": [{"m": {"a.b": {"other": "c.d"}}}], "run": "hold"}, "joins of several facts"),
        ({"all": [{"m$not": {"a.b": 1}}], "run": "hold"}, "nested all, any and not"),
        ({"all": [{"m": {"a.b": 1}}], "run": "hold", "count": 3}, "counting facts"),
        ({"all": [{"m": {"a.b": 1, "c.d": 2}}], "run": "hold"}, "exactly one key"),
        ({"all": [{"m": {"amount": 1}}], "run": "hold"}, "not a fact's name"),
        ({"all": [{"m": {"a.b": None}}], "run": "hold"}, "not a constant"),
        ({"all": [{"m": {"a.b": 1.5}}], "run": "hold"}, "not a constant"),
        ({"all": [{"m": {"a.b": "'\""}}], "run": "hold"}, "cannot be written"),
        ({"all": [{"m": {"a.b": "' or True or '"}}], "run": "\u00e9"}, "no verb"),
        ({"all": [], "run": "hold"}, "list of conditions"),
        ({"all": [{"m": {"a.b": 1}}], "run": "notify"}, "no verb 'notify'"),
        ([], "is a table"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(rule, why):
    with pytest.raises(ConfigurationError) as refused:
        durable(r=rule)
    assert why in str(refused.value)
    assert "rule r" in str(refused.value)


def test_endless_nesting_is_refused():
    condition: object = {"order.units": 1}
    for _ in range(30):
        condition = {"$and": [condition]}
    with pytest.raises(ConfigurationError, match="nested"):
        when(condition)
