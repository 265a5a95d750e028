"""Lists too long for a condition come from a file beside the pack."""

from __future__ import annotations

import json
import os
import time

import pytest

from domcore.errors import ConfigurationError
from domcore.model.facts import FactSpec
from domcore.rules import Activation, FactRegistry, load_pack, pack_bytes, parse_pack
from domcore.rules.lists import LARGEST_LIST, MOST_LISTED, MOST_LISTS

HEAD = 'format = 1\nname = "p"\nversion = "1.0.0"\ncurrency = "USD"\n'


@pytest.fixture
def written(tmp_path):
    """``written(when, files, lists)``: the folder of a pack with one rule and these files."""

    def write(when="destination.postal in lists.x", then='"hold"', lists="", **files):
        lists = lists or 'x = { file = "x.txt" }'
        for name, text in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        rule = f'[[rule]]\nid = "r"\nwhen = """{when}"""\nthen = {then}\n'
        (tmp_path / "ruleset.toml").write_text(f"{HEAD}[lists]\n{lists}\n{rule}")
        return tmp_path

    return write


@pytest.fixture
def holds(shop):
    def ask(folder) -> bool:
        return bool(shop.ask(shop.programs((load_pack(folder), Activation("p")))).holds)

    return ask


def test_a_value_a_line_and_any_kind_of_line_end(holds, written):
    assert holds(written(x__txt="\ufeff10011\r\n\r\n  10014 \r10015\n"))
    assert not holds(written(x__txt="10011\n10015\n"))
    assert not holds(written(x__txt="\n\n"))


def test_a_column_of_a_csv_file(holds, written):
    lists = 'x = { file = "x.csv", column = "zip" }'
    body = 'name,zip\n"a, b",10014\nc,10015\nd\n'
    assert holds(written(lists=lists, x__csv=body))
    assert not holds(written(lists=lists, x__csv=body.replace("10014", "10013")))


def test_not_in_is_false_of_what_is_missing(shop, written):
    folder = written("order.customer_tier not in lists.x", x__txt="gold\n")
    program = shop.programs((load_pack(folder), Activation("p")))
    for tier, held in (("gold", False), ("silver", True), ("", False)):
        asked = shop.ordering(customer_tier=tier)
        assert bool(asked.ask(program, asked.request()).holds) is held


@pytest.mark.parametrize(
    ("when", "barred"),
    [
        ("line.sku in lists.x", (7, 0)),
        ("node.id in lists.x", (2, 2)),
        ("node.id not in lists.x", (5, 5)),
        ("line.sku in lists.x and node.id in lists.x", (2, 0)),
        ("line.sku in lists.x or node.id in lists.x", (7, 2)),
        ("any(line.sku in lists.x for line in lines)", (7, 7)),
    ],
)
def test_facts_of_lines_and_nodes_are_looked_for(shop, written, when, barred):
    pack = load_pack(written(when, '"exclude"', x__txt="PAINT\nsoho\n"))
    assert shop.ask(shop.programs((pack, Activation("p")))).first.barred == barred


def test_a_candidates_own_fact_is_looked_for(shop, written):
    spec = FactSpec("candidate.acme.zone", "candidate", "text", "", True, "A zone")
    asked = shop.but(facts=FactRegistry([spec]))
    pack = load_pack(written("candidate.acme.zone in lists.x", '"exclude"', x__txt="a\nb\n"))
    request = asked.request(extra={spec.name: {"east": "a", "soho": "c"}})
    assert asked.ask(asked.programs((pack, Activation("p"))), request).first.barred == (1, 1)


def test_a_hundred_thousand_values_cost_an_order_nothing(shop, written):
    values = "\n".join(f"{number:06}" for number in range(100_000))
    pack = load_pack(written(x__txt=values + "\n10014\n"))
    assert len(pack.lists[0]) == 100_001
    program = shop.programs((pack, Activation("p")))
    state, request = shop.state(program), shop.request()
    assert program.judge(request, state).holds
    start = time.process_time()
    for _ in range(100):
        program.judge(request, state)
    # Looking through all of them would take a second.
    assert time.process_time() - start < 0.2


def test_the_values_are_content_and_the_file_is_not(written):
    first = load_pack(written(x__txt="b\na\na\n"))
    assert first.lists[0].values == ("a", "b")
    moved = load_pack(written(lists='x = { file = "y.txt" }', y__txt="a\nb\n"))
    assert moved == first
    assert moved.digest == first.digest
    other = load_pack(written(x__txt="a\nc\n"))
    assert other != first
    assert other.digest != first.digest


def test_a_pack_is_read_back_from_its_own_bytes_without_its_files(shop, written, tmp_path):
    pack = load_pack(written(x__txt="10014\n", lists='x = { file = "x.txt", summary = "West" }'))
    body = pack_bytes(pack)
    (tmp_path / "x.txt").unlink()
    again = parse_pack(json.loads(body))
    assert again == pack
    assert pack_bytes(again) == body
    assert shop.ask(shop.programs((again, Activation("p")))).holds


@pytest.mark.parametrize(
    ("lists", "files", "why"),
    [
        ('x = { file = "../x.txt" }', {}, "beside the pack, without a folder"),
        ('x = { file = "/etc/x.txt" }', {}, "beside the pack, without a folder"),
        ('x = { file = "sub/x.txt" }', {}, "beside the pack, without a folder"),
        ('x = { file = "x.toml" }', {}, ".txt or .csv"),
        ('x = { file = ".x.txt" }', {}, ".txt or .csv"),
        ("x = { file = 5 }", {}, ".txt or .csv"),
        ("x = {}", {}, ".txt or .csv"),
        ('x = "x.txt"', {}, "is written { file"),
        ('X = { file = "x.txt" }', {"x.txt": "a"}, "lower case"),
        ('x = { file = "x.txt" }', {}, "there is no file x.txt"),
        ('x = { fiel = "x.txt" }', {}, "did you mean 'file'"),
        ('x = { file = "x.csv" }', {"x.csv": "a\n"}, "'column' named"),
        ('x = { file = "x.txt", column = "a" }', {"x.txt": "a\n"}, "'column' named"),
        ('x = { file = "x.csv", column = "zpi" }', {"x.csv": "zip,b\n"}, "did you mean 'zip'"),
        ('x = { file = "x.csv", column = "a" }', {"x.csv": "a,a\n"}, "or has it twice"),
        ('x = { file = "x.csv", column = "a" }', {"x.csv": ""}, "no column 'a'"),
        ('x = { file = "x.csv", column = "a" }', {"x.csv": 'a\n"b'}, "line 2"),
        ('x = { file = "x.txt" }', {"x.txt": b"ok\n\xff"}, "line 2: is not UTF-8"),
        ('x = { file = "x.txt" }', {"x.txt": "a\0b"}, "null character"),
        ('x = { file = "x.txt" }', {"x.txt": "ok\n" + "a" * 1_001}, "line 2: 1,001 characters"),
        ('x = { file = "x.txt", values = ["a"] }', {"x.txt": "a"}, "either a file, or values"),
        ("x = { values = [5] }", {}, "value 1: 5 is not text"),
    ],
)
def test_a_wrong_list_is_refused_in_words(written, lists, files, why):
    folder = written(lists=lists, **{key.replace(".", "__"): text for key, text in files.items()})
    with pytest.raises(ConfigurationError) as refused:
        load_pack(folder)
    assert why in str(refused.value)


def test_a_link_that_leads_out_of_the_folder_is_refused(written, tmp_path):
    outside = tmp_path.parent / "outside.txt"
    outside.write_text("10014\n")
    folder = written()
    os.symlink(outside, folder / "x.txt")
    with pytest.raises(ConfigurationError, match="leads out of the pack's folder"):
        load_pack(folder)


def test_what_is_beyond_a_limit_is_told_by_its_number(written, make):
    values = "\n".join(map(str, range(MOST_LISTED + 1)))
    with pytest.raises(ConfigurationError, match="250,001 values; a list has at most 250,000"):
        load_pack(written(x__txt=values))
    with pytest.raises(ConfigurationError, match="more than 16,777,216 bytes"):
        load_pack(written(x__txt=b"a\n" * (LARGEST_LIST // 2 + 1)))
    many = {f"l{number}": {"values": ["a"]} for number in range(MOST_LISTS + 1)}
    with pytest.raises(ConfigurationError, match="at most 100 lists"):
        make.pack(make.rule("True"), lists=many)


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("destination.postal in lists.y", "no list 'lists.y' in this pack; did you mean"),
        ("order.value in lists.x", "order.value is money"),
        ("line.tags in lists.x", "line.tags is a list"),
        ("destination.postal == lists.x", "compare it with text in quotes"),
        ("destination.postal.startswith(lists.x)", "compare it with text in quotes"),
        ("lists.x", "not true or false"),
        ("'a' in lists.x", "a fact is needed here"),
    ],
)
def test_a_list_stands_behind_in_only(plain_shop, make, when, why):
    rule = make.rule(f"any({when} for line in lines)" if "line." in when else when)
    with pytest.raises(ConfigurationError) as refused:
        plain_shop.program(rule, lists={"x": {"values": ["a"]}})
    assert why in str(refused.value)


def test_a_list_that_is_only_a_tree_has_no_files(make):
    with pytest.raises(ConfigurationError, match="a pack that is no file"):
        make.pack(make.rule("True"), lists={"x": {"file": "x.txt"}})
