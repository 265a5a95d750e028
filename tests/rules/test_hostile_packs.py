"""Packs that do not fit, or are one beyond a limit: each is refused, in words."""

from __future__ import annotations

import json

import pytest

from domcore.errors import ConfigurationError, PluginError
from domcore.model.facts import FactSpec
from domcore.rules import FactRegistry, load_pack, parse_pack
from domcore.rules.expression import DEEPEST, LONGEST, MOST_IN_LIST, MOST_LEAVES
from domcore.rules.loader import MOST_RULES
from domcore.rules.tables import DEEPEST_TREE, LARGEST_FILE, MOST_DOTS, MOST_TABLES

ESCAPES = [
    "__import__('os').system('true')",
    "(lambda: True)()",
    "(x := 5) > 4",
    "order.__class__ == 'x'",
    "order.channel.__len__() > 1",
    "order.channel.upper() == 'WEB'",
    "order['channel'] == 'web'",
    "order.tags[0] == 'rush'",
    "[x for x in order.tags] == 'rush'",
    "{'a': 1} == order.value",
    "f'{order.channel}' == 'web'",
    "b'web' == order.channel",
    "u'web' == order.channel",
    "order.value + 1 > 2",
    "order.value if order.units else 1",
    "order.value > 1j",
    "order.value > ...",
    "order.value > nan",
    "order.value > 1e3",
    "order.value > -order.units",
    "order.value > 2**3",
    "order.value > 99999999999999999999",
    "await order.value",
    "yield",
    "any(True for line in lines for line in lines)",
    "any(line.open for line in [1])",
    "any(line.open > 1 for x in lines)",
    "any([line.open > 1])",
    "any(*lines)",
    "hours_since(order.placed_at, 5) > 1",
    "order.channel.startswith(prefix='w')",
    "order.channel.startswith(order.service)",
    "eval('True')",
    "print",
    "order.channel is",
    "order.channel == 'web",
    "order.channel == 'we\\x62'",
    "order.channel == '\0'",
    "order.a.b.c.d == 1",
    "1and order.units",
    "",
    "   ",
    "order.units > 1 # really?\nor True",
    "order.units == 1; True",
    "True) or (True",
]


@pytest.mark.parametrize("condition", ESCAPES)
def test_what_is_not_in_the_language_is_refused(plain_shop, make, condition):
    with pytest.raises(ConfigurationError, match=r"column|empty"):
        plain_shop.program(make.rule(condition))


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("not (" * (DEEPEST + 1) + "True" + ")" * (DEEPEST + 1), "nested more than 24 levels"),
        ("(True and " * 13 + "(True or " * 13 + "True" + ")" * 26, "nested more than 24 levels"),
        ("a or " * MOST_LEAVES + "a", "more than 500 comparisons"),
        ("order.units in [" + "1," * (MOST_IN_LIST + 1) + "]", "more than 1,000 values"),
        ("order" + ".a" * 4 + " == 1", "at most four parts"),
        ("True" + " " * (LONGEST - 3), "at most 4,000 characters"),
    ],
    ids=["nots", "groups", "comparisons", "list", "name", "text"],
)
def test_a_condition_one_beyond_a_limit_is_refused_by_its_name(make, condition, why):
    with pytest.raises(ConfigurationError, match=why):
        make.pack(make.rule(condition))


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_one_rule_more_than_a_pack_may_have_is_refused(tmp_path, suffix):
    most = MOST_RULES
    if suffix == "toml":
        text = 'format = 1\nname = "p"\nversion = "1"\n' + "[[rule]]\n" * (most + 1)
    else:
        text = '{"format": 1, "name": "p", "version": "1", "rule": [' + "{}," * most + "{}]}"
    file = tmp_path / f"ruleset.{suffix}"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="10,001 entries; a pack has at most 10,000"):
        load_pack(file)


def test_more_tables_than_a_file_may_have_are_counted_before_it_is_read(tmp_path):
    file = tmp_path / "ruleset.toml"
    file.write_text("[[rule]]\n" * (MOST_TABLES + 1))
    with pytest.raises(ConfigurationError, match="30,001 tables; a file has at most 30,000"):
        load_pack(file)


def test_a_file_beyond_the_largest_is_refused_unread(tmp_path):
    (tmp_path / "ruleset.json").write_bytes(b" " * (LARGEST_FILE + 1))
    with pytest.raises(ConfigurationError, match="at most 16,777,216"):
        load_pack(tmp_path)


DEEP = "[" * (DEEPEST_TREE + 1) + "]" * (DEEPEST_TREE + 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ruleset.toml", b"\xff\xfe"),
        ("ruleset.toml", b"= 5"),
        ("ruleset.toml", b"a" + b".a" * (MOST_DOTS + 1) + b" = 1"),
        ("ruleset.toml", b"a = " + DEEP.encode()),
        ("ruleset.toml", b"format = 1\nformat = 1"),
        ("ruleset.json", b'{"a": ' + DEEP.encode() + b"}"),
        ("ruleset.json", b'{"format": 1, "format": 1}'),
        ("ruleset.json", b"5"),
        ("ruleset.json", b"NaN"),
        ("ruleset.json", b'{"format": ' + b"9" * 21 + b"}"),
        ("ruleset.json", b""),
    ],
)
def test_an_unreadable_file_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        load_pack(tmp_path)
    assert name in refused.value.source


def good() -> dict:
    return {
        "format": 1,
        "name": "p",
        "version": "1",
        "currency": "USD",
        "rule": [{"id": "a", "when": "True", "then": "exclude"}],
    }


def changed(path: str, value: object) -> dict:
    tree = good()
    *parents, last = path.split(".")
    spot: object = tree
    for part in parents:
        spot = spot[int(part) if part.isdigit() else part]
    spot[last] = value
    return tree


WRONG = [
    ("format", 2, "format = 1"),
    ("format", True, "format = 1"),
    ("format", "1", "format = 1"),
    ("name", "Ship From Store", "lower case"),
    ("name", "a" * 65, "lower case"),
    ("name", 5, "text in quotes"),
    ("version", "1 0", "1.0.0"),
    ("currency", "usd", "ISO 4217"),
    ("timezone", "Mars/Base", "no time zone"),
    ("timezone", "../../../etc/passwd", "no time zone"),
    ("timezone", "", "no time zone"),
    ("ruels", [], "did you mean 'rule'"),
    ("rule", {}, "[[rule]]"),
    ("rule", [5], "not a table"),
    ("disables", ["a"], "pack/rule"),
    ("rule.0.id", "A", "lower case"),
    ("rule.0.id", "ä", "lower case"),
    ("rule.0.wehn", "True", "did you mean 'when'"),
    ("rule.0.when", True, "text in quotes"),
    ("rule.0.when", None, "is missing"),
    ("rule.0.then", "exlude", "did you mean 'exclude'"),
    ("rule.0.then", {"exclude": {}, "require": {}}, "exactly one consequence"),
    ("rule.0.then", {}, "exactly one consequence"),
    ("rule.0.then", None, "exactly one consequence"),
    ("rule.0.then", {"exclude": {"why": 1}}, "exclude has no 'why'"),
    ("rule.0.then", {"cost": {"amount": "1"}}, "needs 'per'"),
    ("rule.0.then", {"cost": {"amount": 1.5, "per": "line"}}, "in quotes"),
    ("rule.0.then", {"cost": {"amount": "-1", "per": "line"}}, "never negative"),
    ("rule.0.then", {"cost": {"amount": "NaN", "per": "line"}}, "plain decimal"),
    ("rule.0.then", {"cost": {"amount": "1", "per": "lines"}}, "did you mean 'line'"),
    ("rule.0.then", {"cost": {"amount": "9" * 15, "per": "line"}}, "larger than"),
    ("rule.0.then", {"protect": {"quantity": -1}}, "whole number from 0"),
    ("rule.0.then", {"protect": {"quantity": True}}, "whole number from 0"),
    ("rule.0.then", {"protect": {"quantity": 10**30}}, "whole number from 0"),
    ("rule.0.then", {"split": {"max_nodes": 0}}, "whole number from 1"),
    ("rule.0.then", {"split": {}}, "needs"),
    ("rule.0.then", {"hold": {"stage": "later"}}, "route, release"),
    ("rule.0.then", {"hold": {"stage": "parameters.x"}}, "route, release"),
    ("rule.0.then", {"set": {}}, "names a fact"),
    ("rule.0.then", {"set": {"node.x": True}}, "order.<name>"),
    ("rule.0.then", {"set": {"order.x": 1.5}}, "whole number"),
    ("rule.0.soft", "yes", "true or false"),
    ("rule.0.enabled", 1, "true or false"),
    ("rule.0.priority", 1_001, "whole number from -1,000"),
    ("rule.0.priority", True, "whole number from -1,000"),
    ("rule.0.from", "soon", "not a date"),
    ("rule.0.from", 5, "not a date"),
    ("rule.0.overrides", "x", "pack/rule"),
    ("rule.0.reason", "x" * 1_001, "1,000 characters"),
    ("rule.0.reason", "\ud800", "Unicode"),
    ("parameters", {"X": {"type": "int", "default": 1}}, "lower case"),
    ("parameters", {"x": 1}, "is written"),
    ("parameters", {"x": {"type": "itn", "default": 1}}, "did you mean 'int'"),
    ("parameters", {"x": {"type": "money", "default": 1.5}}, "not money"),
    ("parameters", {"x": {"type": "int"}}, "not int"),
    ("fact", [{"name": "basket.x", "type": "bool"}], "order.x"),
    ("fact", [{"name": "order.x", "type": "boolean"}], "did you mean 'bool'"),
    ("fact", [{"name": "order.x", "type": "bool"}] * 2, "there twice"),
]


@pytest.mark.parametrize(("path", "value", "why"), WRONG)
def test_a_wrong_entry_is_refused_in_words(path, value, why):
    with pytest.raises(ConfigurationError) as refused:
        parse_pack(changed(path, value), source="ruleset.toml")
    assert why in str(refused.value)
    assert "ruleset.toml" in str(refused.value)


@pytest.mark.parametrize("tree", [None, [], "x", {5: 6}, {"rule": [{"then": {1: 2}}]}])
def test_what_is_no_pack_at_all_is_refused(tree):
    with pytest.raises(ConfigurationError):
        parse_pack(tree)


def test_a_tree_that_contains_itself_is_refused():
    tree = good()
    tree["rule"][0]["then"] = {"set": tree}
    with pytest.raises(ConfigurationError, match="nested"):
        parse_pack(tree)


def test_every_problem_of_a_pack_is_told_at_once(make):
    with pytest.raises(ConfigurationError) as refused:
        make.pack(
            make.rule("order.value >", id="one"),
            make.rule("True", "exlude", id="two"),
            make.rule("True", id="two"),
        )
    told = str(refused.value)
    assert "3 problems" in told
    assert "rule one, column" in told
    assert "rule two, then" in told
    assert "there twice" in told


def test_soft_is_refused_where_it_means_nothing(make):
    with pytest.raises(ConfigurationError, match="hold cannot be soft"):
        make.pack(make.rule("True", "hold", soft=True))


def test_until_before_from_is_refused(make):
    with pytest.raises(ConfigurationError, match="not after"):
        make.pack(make.rule("True", **{"from": "2026-12-24", "until": "2026-12-23"}))


def test_as_many_rules_as_a_pack_may_have_are_no_trouble(make):
    pack = make.pack(*[make.rule("True") for _ in range(MOST_RULES)])
    assert pack.rules[-1].id == "r10000"


def test_the_same_content_is_the_same_pack_wherever_it_was_read():
    assert parse_pack(json.loads(json.dumps(good())), source="x") == parse_pack(good())


def test_the_largest_condition_is_matched_by_every_engine(shop, make):
    either = " or ".join(f"order.units=={n}" for n in range(190, -1, -1))
    assert 3_700 < len(either) < 4_000
    assert shop.holds(either)


def test_what_is_beyond_an_engine_names_the_rule(shop, make):
    both = " and ".join(f"({n}<order.units<9 or line.open=={n})" for n in range(33))
    rules = [make.rule("line.open > 1"), make.rule(f"not ({both})", id="tangle")]
    if shop.engine.name == "python":
        assert shop.judge(*rules).first.barred == (7, 7)
    else:
        with pytest.raises(
            ConfigurationError, match="engine durable, rule p/tangle: the test needs"
        ):
            shop.judge(*rules)


def test_text_of_any_kind_is_only_text(shop, make):
    for text in ("' or True or '", "\u202e", "\U0001f680", "ﬁ", "é", "a" * 900):
        named = shop.ordering(number=text)
        quoted = f'"{text}"'
        assert named.holds(f"order.number == {quoted}")
        assert named.holds(f"order.number.startswith({quoted})")


def test_the_time_of_a_request_has_a_zone(plain_shop, make):
    naive = plain_shop.but(now=plain_shop.now.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        naive.judge(make.rule("True"))


def test_a_plugins_line_facts_come_by_line(plain_shop, make):
    facts = FactRegistry([FactSpec("line.acme.x", "line", "int")])
    given = plain_shop.but(facts=facts)
    with pytest.raises(PluginError, match="for each line"):
        given.judge(make.rule("line.acme.x > 1"), request=given.request(extra={"line.acme.x": 5}))
