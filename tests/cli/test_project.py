"""init, load, and the lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NETWORK = """
[[node]]
id = "N1"
kind = "dc"
lat = 40.5
lon = -74

[[node]]
id = "N2"
kind = "store"
lat = 41
lon = -75
tags = ["late"]
"""
ITEMS = "sku,weight_g,aliases.shop\nA,100,variant:1\nB,200,\n"
STOCK = "sku,node,on_hand\nA,N1,5\nB,N1,7\nB,N2,1\n"


@pytest.fixture
def loaded(empty: Path, run) -> Path:
    (empty / "network.toml").write_text(NETWORK)
    (empty / "items.csv").write_text(ITEMS)
    (empty / "stock.csv").write_text(STOCK)
    for what, file in (("network", "network.toml"), ("items", "items.csv"), ("stock", "stock.csv")):
        result = run("load", what, file)
        assert result.exit_code == 0, result.output
    return empty


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_init_makes_a_project_and_keeps_what_is_there(tmp_path: Path, run) -> None:
    folder = tmp_path / "a" / "shop"
    result = run("init", folder)
    assert result.exit_code == 0
    assert {path.name for path in folder.iterdir()} >= {"domcore.toml", "domcore.db", "rulesets"}
    (folder / "domcore.toml").write_text('store = "mine.db"\n')
    again = run("init", folder, "--json")
    assert lines(again.stdout)[0]["written"] is False
    assert (folder / "mine.db").exists()


def test_what_init_writes_is_a_project_file(empty: Path, run) -> None:
    result = run("config", "--json")
    assert result.exit_code == 0
    assert {"name": "activate[0].pack", "value": "cost-first"}.items() <= next(
        row for row in lines(result.stdout) if row["name"] == "activate[0].pack"
    ).items()
    assert {"name": "activate[0].layer", "value": "core"}.items() <= next(
        row for row in lines(result.stdout) if row["name"] == "activate[0].layer"
    ).items()
    assert run("rulesets", "check").exit_code == 0


def test_dates_in_plugin_options_are_shown(empty: Path, run) -> None:
    (empty / "domcore.toml").write_text(
        '[channels.shop]\nkind = "shopify"\nsince = 2026-11-02\ntiers = { at = 08:00:00, '
        "all = [2026-11-02T08:00:00Z] }\n"
    )
    rows = {row["name"]: row["value"] for row in lines(run("config", "--json").stdout)}
    assert rows["channels.shop.since"] == "2026-11-02"
    assert rows["channels.shop.tiers.at"] == "08:00:00"
    assert rows["channels.shop.tiers.all"] == ["2026-11-02T08:00:00+00:00"]
    assert run("config").exit_code == 0


def test_commands_without_a_store_say_what_to_do(tmp_path: Path, run, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["orders"], ["route", "--all"], ["verify"], ["load", "stock", "x.csv"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "there is no store at domcore.db; run 'domcore init'" in result.stderr
    assert not (tmp_path / "domcore.db").exists()


def test_loading_fills_network_items_and_stock(loaded: Path, run) -> None:
    nodes = lines(run("nodes", "--json").stdout)
    assert [(node["id"], node["kind"], node["lat"]) for node in nodes] == [
        ("N1", "dc", 40.5),
        ("N2", "store", 41.0),
    ]
    stock = lines(run("stock", "--json").stdout)
    assert {(row["sku"], row["node"], row["available"]) for row in stock} == {
        ("A", "N1", 5),
        ("B", "N1", 7),
        ("B", "N2", 1),
    }


def test_loading_tells_how_much(loaded: Path, run) -> None:
    assert run("load", "items", "items.csv").stdout == "Loaded 2 items from items.csv.\n"
    told = lines(run("load", "network", "network.toml", "--json").stdout)
    assert told == [{"loaded": 2, "what": "nodes", "files": ["network.toml"]}]


def on_hand(run, sku: str) -> object:
    return lines(run("stock", "--sku", sku, "--json").stdout)[0]["on_hand"]


def test_the_same_changes_twice_are_left_out_and_said_to_be(loaded: Path, run) -> None:
    (loaded / "delta.csv").write_text("sku,node,delta\nA,N1,3\n")
    assert run("load", "stock", "delta.csv").stdout == "Loaded 1 count from delta.csv.\n"
    again = run("load", "stock", "delta.csv")
    assert again.exit_code == 0
    assert "delta.csv had been loaded already, and nothing changed; --again" in again.stdout
    told = lines(run("load", "stock", "delta.csv", "--json").stdout)[0]
    assert (told["loaded"], told["older"], told["already"]) == (0, 0, 1)
    assert on_hand(run, "A") == 8
    assert "Loaded 1 count" in run("load", "stock", "delta.csv", "--again").stdout
    assert on_hand(run, "A") == 11


def test_a_count_of_now_is_news_whatever_was_loaded_before(loaded: Path, run) -> None:
    for name, units in (("a.csv", 10), ("b.csv", 8), ("a.csv", 10)):
        (loaded / name).write_text(f"sku,node,on_hand\nA,N1,{units}\n")
        assert run("load", "stock", name).stdout == f"Loaded 1 count from {name}.\n"
        assert on_hand(run, "A") == units


def test_counts_older_than_the_last_are_dropped_and_said_to_be(loaded: Path, run) -> None:
    (loaded / "old.csv").write_text(
        "sku,node,on_hand,as_of\nA,N1,1,2020-01-01T00:00:00Z\nB,N2,9,\n"
    )
    said = run("load", "stock", "old.csv").stdout
    assert said == (
        "Loaded 1 count from old.csv.\nDropped 1 older count: a later count is known.\n"
    )
    told = lines(run("load", "stock", "old.csv", "--json").stdout)[0]
    assert told == {
        "loaded": 1, "what": "counts", "files": ["old.csv"], "older": 1, "already": 0, "partly": 0,
        "left_out": 0, "aside": "", "reasons": "", "problems": [],
    }  # fmt: skip
    assert on_hand(run, "A") == 5


@pytest.mark.parametrize(
    ("what", "name", "text"),
    [
        ("items", "none.csv", "sku,weight_g\n"),
        ("items", "none.jsonl", "\n"),
        ("items", "none.json", "[]"),
        ("stock", "none.csv", "sku,node,on_hand\n"),
        ("stock", "none.toml", ""),
        ("network", "none.toml", ""),
    ],
)
def test_a_file_with_nothing_in_it_is_an_error(what, name, text, loaded: Path, run) -> None:
    (loaded / name).write_text(text)
    result = run("load", what, name)
    assert result.exit_code == 1
    assert name in result.stderr
    assert len(lines(run("nodes", "--json").stdout)) == 2


def test_standard_input_is_loaded(loaded: Path, run) -> None:
    result = run(
        "load", "items", "-", "--format", "jsonl", stdin='{"sku": "C", "weight_kg": "2"}\n'
    )
    assert result.exit_code == 0
    assert result.stdout == "Loaded 1 item from standard input.\n"


def test_an_owner_must_be_known(loaded: Path, run) -> None:
    result = run("load", "items", "items.csv", "--owner", "acme")
    assert result.exit_code == 1
    assert "acme" in result.stderr


def test_many_rows_are_loaded(loaded: Path, run) -> None:
    skus = [f"S-{number:05d}" for number in range(6000)]
    (loaded / "many.csv").write_text("sku,weight_g\n" + "".join(f"{sku},5\n" for sku in skus))
    (loaded / "counts.csv").write_text(
        "sku,node,on_hand\n" + "".join(f"{sku},N1,2\n" for sku in skus)
    )
    assert "6,000 items" in run("load", "items", "many.csv").stdout
    assert "6,000 counts" in run("load", "stock", "counts.csv").stdout
    assert run("verify").exit_code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("load", "network", "none.toml"), "none.toml: there is no such file"),
        (("load", "items", "none.csv"), "none.csv: there is no such file"),
        (("load", "items", "rulesets", "--format", "csv"), "is a folder"),
        (("load", "items", "domcore.db", "--format", "csv"), "is not UTF-8 text: it holds NUL"),
        (("load", "stock", "domcore.db", "--format", "jsonl"), "is not UTF-8 text: it holds NUL"),
        (("load", "items", "domcore.db", "--format", "json"), "is not UTF-8 text: it holds NUL"),
        (("load", "network", "domcore.db", "--format", "toml"), "is not UTF-8 text: it holds NUL"),
        (("receive", "shop", "none.json"), "none.json: No such file or directory"),
        (("receive", "shop", "rulesets"), "rulesets: Is a directory"),
        (("receive", "nope", "domcore.toml"), "there is no channel 'nope'"),
        (("plan", "#1"), "there is no order '#1'"),
        (("explain", "#1"), "there is no order '#1'"),
        (("route", "#1"), "there is no order '#1'"),
        (("approve", "#1"), "there is no order '#1'"),
        (("cancel", "#1"), "there is no order '#1'"),
        (("erase", "#1", "--yes"), "there is no order '#1'"),
        (("rulesets", "check", "cost-frist"), "did you mean 'cost-first'?"),
        (("orders", "--store", "mysql://host/db"), "mysql"),
        (("orders", "--store", "none/x.db"), "there is no store at none/x.db"),
        (("orders", "--config", "none.toml"), "none.toml: there is no such file"),
    ],
)
def test_what_is_not_there_fails_with_a_message(args, message, loaded: Path, run) -> None:
    result = run(*args)
    assert result.exit_code == 1, result.output
    assert message in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_an_unknown_engine_is_named(loaded: Path, run) -> None:
    result = run("rulesets", "check", "--engine", "drools")
    assert result.exit_code == 1
    assert "drools" in result.output


def test_lists_that_are_empty_say_so_on_standard_error(loaded: Path, run) -> None:
    for command in ("orders", "stock --sku none", "nodes --tag none"):
        result = run(*command.split())
        assert (result.exit_code, result.stdout) == (0, "")
        assert "No such" in result.stderr


def test_nodes_are_filtered_and_paged(loaded: Path, run) -> None:
    assert [row["id"] for row in lines(run("nodes", "--tag", "late", "--json").stdout)] == ["N2"]
    assert [row["id"] for row in lines(run("nodes", "--kind", "dc", "--json").stdout)] == ["N1"]
    first = run("nodes", "--limit", 1, "--json")
    assert [row["id"] for row in lines(first.stdout)] == ["N1"]
    assert "--after N1" in first.stderr
    rest = run("nodes", "--limit", 1, "--after", "N1", "--json")
    assert [row["id"] for row in lines(rest.stdout)] == ["N2"]
    assert rest.stderr == ""


def test_stock_is_filtered_and_paged(loaded: Path, run) -> None:
    below = lines(run("stock", "--below", 2, "--json").stdout)
    assert [(row["sku"], row["node"]) for row in below] == [("B", "N2")]
    first = lines(run("stock", "--limit", 2, "--json").stdout)
    rest = lines(run("stock", "--limit", 2, "--after", first[-1]["cursor"], "--json").stdout)
    assert {(row["sku"], row["node"]) for row in first + rest} == {
        ("A", "N1"), ("B", "N1"), ("B", "N2"),
    }  # fmt: skip
    assert run("stock", "--after", "x").exit_code == 2
