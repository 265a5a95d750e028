"""Commands on a routed shop."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def orders(run, *filters: str) -> list[dict[str, object]]:
    return lines(run("orders", "--limit", 1000, "--json", *filters).stdout)


def number(run, status: str) -> str:
    return str(orders(run, "--status", status)[0]["number"])


def alone_in_line(run) -> tuple[dict[str, object], str]:
    """A short order, and its item, for which nobody else waits any more: what comes is its own."""
    row = orders(run, "--status", "short")[0]
    sku = lines(run("plan", row["number"], "--json").stdout)[0]["lines"][0]["sku"]
    for other in orders(run, "--sku", sku):
        if other["open"] and other["number"] != row["number"]:
            assert run("cancel", other["number"]).exit_code == 0
    return row, sku


ORDER_KEYS = [
    "order_id", "owner", "channel", "external_id", "number", "placed_at", "status", "ordered",
    "open", "allocated", "shipped", "cancelled", "nodes", "holds", "reason",
]  # fmt: skip
STOCK_KEYS = [
    "owner", "sku", "node", "on_hand", "reserved", "blocked", "safety", "available", "cursor",
]  # fmt: skip
NODE_KEYS = [
    "id", "kind", "name", "lat", "lon", "country", "region", "rate_card", "priority", "tags",
    "owners", "connector", "enabled",
]  # fmt: skip


def test_the_keys_of_json_lines_stay(shop: Path, run) -> None:
    assert list(orders(run)[0]) == ORDER_KEYS
    assert list(lines(run("stock", "--limit", 1, "--json").stdout)[0]) == STOCK_KEYS
    assert list(lines(run("nodes", "--limit", 1, "--json").stdout)[0]) == NODE_KEYS


def test_orders_are_filtered(shop: Path, run) -> None:
    every = orders(run)
    allocated = orders(run, "--status", "allocated")
    assert 0 < len(allocated) < len(every)
    assert {row["status"] for row in allocated} == {"allocated"}
    node = allocated[0]["nodes"][0]
    assert all(node in row["nodes"] for row in orders(run, "--node", node))
    assert [row["number"] for row in orders(run, "--number", "#1001")] == ["#1001"]
    assert orders(run, "--channel", "nope") == []
    assert orders(run, "--since", "2030-01-01") == []
    assert len(orders(run, "--until", "2030-01-01")) == len(every)
    sku = lines(run("stock", "--limit", 1, "--json").stdout)[0]["sku"]
    assert len(orders(run, "--sku", sku)) < len(every)


def test_pages_join_to_the_whole(shop: Path, run) -> None:
    every = [row["order_id"] for row in orders(run)]
    seen: list[object] = []
    cursor = "0"
    while True:
        page = lines(run("orders", "--limit", 50, "--after", cursor, "--json").stdout)
        seen += [row["order_id"] for row in page]
        if len(page) < 50:
            break
        cursor = str(page[-1]["order_id"])
    assert seen == every


def test_tables_are_aligned_and_name_nobody(shop: Path, run) -> None:
    shown = run("orders", "--limit", 5).stdout.splitlines()
    assert shown[0].split()[:3] == ["ID", "NUMBER", "CHANNEL"]
    assert len(shown) == 6
    at = shown[0].index("NUMBER")
    assert all(line[at] == "#" for line in shown[1:])


def test_nothing_printed_names_a_person(shop: Path, run, routed) -> None:
    people = set()
    for line in (shop / "deliveries.jsonl").read_text().splitlines():
        address = json.loads(json.loads(line)["body"])["shipping_address"] or {}
        people |= {str(address[name]) for name in ("name", "address1", "phone") if name in address}
    assert len(people) > 100
    split = number(run, "allocated")
    short = number(run, "short")
    printed = [
        routed[1].output,
        run("orders", "--limit", 1000).output,
        run("orders", "--limit", 1000, "--json").output,
        run("explain", split).output,
        run("explain", split, "--json").output,
        run("plan", short).output,
        run("receive", "shop", "deliveries.jsonl", "--json").output,
        run("doctor").output,
        run("config").output,
    ]
    for text in printed:
        assert not [person for person in people if person in text]


def test_explain_tells_lines_parcels_and_proof(shop: Path, run) -> None:
    result = run("explain", number(run, "allocated"))
    assert result.exit_code == 0
    for word in ("Lines", "Parcels", "rate", "proven least cost", "replays to the same bytes"):
        assert word in result.stdout


def test_explain_answers_why_not(shop: Path, run) -> None:
    row = orders(run, "--status", "allocated")[0]
    other = next(each for each in ("DC-WEST", "DC-EAST") if each not in row["nodes"])
    result = run("explain", row["number"], "--why-not", other)
    assert result.exit_code == 0
    assert f"Why not {other}?" in result.stdout
    asked = lines(run("explain", row["number"], "--why-not", other, "--json").stdout)[0]["asked"]
    assert asked["node"] == other
    refused = run("explain", row["number"], "--why-not", "DC-NORTH")
    assert refused.exit_code == 1
    assert "DC-NORTH" in refused.stderr


def test_plan_changes_nothing(shop: Path, run) -> None:
    before = (orders(run), lines(run("stock", "--limit", 10000, "--json").stdout))
    result = run("plan", number(run, "short"))
    assert result.exit_code == 3
    assert "Lines" in result.stdout
    assert (orders(run), lines(run("stock", "--limit", 10000, "--json").stdout)) == before


def test_plan_of_a_finished_order_says_that_nothing_is_open(shop: Path, run) -> None:
    allocated = number(run, "allocated")
    for command in ("plan", "route"):
        result = run(command, allocated)
        assert result.exit_code == 3
        assert "nothing is open: all of it is allocated" in result.output


def test_a_cancelled_order_is_said_to_be_cancelled(shop: Path, run) -> None:
    order = number(run, "cancelled")
    short = number(run, "short")
    for command in ("plan", "route", "explain"):
        result = run(command, order)
        assert result.exit_code == (1 if command == "explain" else 3)
        assert "it is cancelled" in result.output
    told = lines(run("route", order, short, "--json").stdout)
    assert [row["outcome"] for row in told[:-1]] == ["short", "nothing"]
    assert told[1]["detail"] == "it is cancelled"
    assert told[2]["total"]["nothing"] == 1


def test_a_held_order_says_how_it_goes_on(shop: Path, run) -> None:
    held = number(run, "held")
    for command in ("plan", "route"):
        result = run(command, held)
        assert result.exit_code == 3
        assert "it is held" in result.output
        assert "approve" in result.output


def test_a_number_is_found_without_its_hash(shop: Path, run) -> None:
    assert run("explain", "1001").stdout == run("explain", "#1001").stdout
    assert "'9999'" in run("explain", "9999").stderr
    for command in ("plan", "route"):
        assert run(command, "1001").exit_code == 3


def test_times_are_taken_as_json_prints_them(shop: Path, run) -> None:
    every = orders(run)
    placed = sorted(str(row["placed_at"]) for row in every)
    assert len(orders(run, "--since", placed[10])) == len(every) - 10
    assert len(orders(run, "--until", placed[10].replace("+00:00", "Z"))) == 10
    assert len(orders(run, "--since", placed[0][:19].replace("T", " "))) == len(every)
    refused = run("orders", "--since", "yesterday")
    assert refused.exit_code == 2
    assert "ISO 8601" in refused.stderr


def test_filters_nobody_answers_to_are_named(shop: Path, run) -> None:
    said = run("orders", "--node", "dc-eats").stderr
    assert said == "No such orders (no node dc-eats is known; did you mean 'DC-EAST'?)\n"
    assert "no SKU NOPE is known" in run("stock", "--sku", "NOPE").stderr
    assert "no channel nope is known" in run("orders", "--channel", "nope").stderr
    assert run("orders", "--since", "2030-01-01").stderr == "No such orders.\n"


def test_why_is_in_words(shop: Path, run) -> None:
    shown = run("orders", "--status", "short").stdout
    assert {row["reason"] for row in orders(run, "--status", "short")} <= {"stock", "rules"}
    assert "rules leave too little" in shown or "not enough stock" in shown
    assert "held: domcore/address" in run("orders", "--status", "held").stdout


def test_routing_with_nothing_due_ends_with_3(shop: Path, run) -> None:
    waiting = len(orders(run, "--status", "short"))
    for _ in range(waiting):  # what one of them cannot take, the next in line is asked to
        result = run("route", "--all")
        assert result.exit_code == 3
        if not result.stdout:
            break
    assert "No order is open and due." in result.stderr
    assert run("route", number(run, "short")).exit_code == 3


def test_more_stock_lets_a_short_order_go(shop: Path, run) -> None:
    row = orders(run, "--status", "short")[0]
    told = lines(run("plan", row["number"], "--json").stdout)[0]
    sku = told["lines"][0]["sku"]
    (shop / "more.csv").write_text(f"sku,node,delta\n{sku},DC-EAST,50\n{sku},DC-WEST,50\n")
    assert run("load", "stock", "more.csv").exit_code == 0
    planned = run("plan", row["number"])
    assert planned.exit_code == 0
    result = run("route", row["number"])
    assert result.exit_code == 0
    assert f"{row['number']}  routed" in result.stdout
    assert run("verify").exit_code == 0


def test_route_in_json_tells_each_order_and_the_total(shop: Path, run) -> None:
    row = orders(run, "--status", "short")[0]
    told = lines(run("route", row["number"], "--json").stdout)
    assert told[0]["order_id"] == row["order_id"]
    assert told[0]["outcome"] == "short"
    assert list(told[0]) == [
        "order_id", "number", "outcome", "nodes", "parcels", "cost", "proven", "short", "holds",
        "detail",
    ]  # fmt: skip
    assert told[1]["total"]["short"] == 1


def test_a_partial_order_ends_with_4(shop: Path, run) -> None:
    row, sku = alone_in_line(run)
    (shop / "one.csv").write_text(f"sku,node,delta\n{sku},DC-EAST,1\n")
    assert run("load", "stock", "one.csv").exit_code == 0
    assert run("plan", row["number"]).exit_code == 4
    assert run("route", row["number"]).exit_code == 4
    assert orders(run, "--number", row["number"])[0]["status"] == "partly allocated"


def test_an_order_is_held_by_hand_and_let_go_by_its_code(shop: Path, run) -> None:
    every = lines(run("orders", "--json").stdout)
    order = next(each["number"] for each in every if each["status"] == "allocated")
    done = run("hold", order, "--code", "fraud-check", "--reason", "a look at the card")
    assert done.stdout == f"{order}: held. 1 node is asked to stop.\n"
    assert run("hold", order, "--code", "fraud-check").stdout == f"{order}: is held already.\n"
    listed = lines(run("orders", "--hold", "fraud-check", "--json").stdout)
    assert [each["number"] for each in listed] == [order]
    assert run("approve", order, "--code", "credit").exit_code == 3
    assert (
        "Lifted fraud-check: a look at the card"
        in run("approve", order, "--code", "fraud-check").stdout
    )
    assert run("approve", order, "--code", "fraud-check").exit_code == 3
    assert run("hold", order).exit_code == 0
    assert "Lifted by-hand\n" in run("approve", order).stdout
    assert run("hold", order, "--code", "a/b").exit_code == 1
    assert run("hold", "#nowhere").exit_code == 1


def test_a_held_order_is_approved_and_goes(shop: Path, run) -> None:
    held = number(run, "held")
    assert run("plan", held).exit_code == 3
    result = run("approve", held, "--by", "kim")
    assert result.exit_code == 0
    assert "Lifted domcore/address" in result.stdout
    assert f'domcore route "{held}"' in result.stdout
    assert "it is held again" in result.stdout
    again = run("approve", held, "--json")
    assert again.exit_code == 3
    assert lines(again.stdout) == [{"order": held, "lifted": [], "corrected": []}]


def test_cancel_frees_the_stock(shop: Path, run) -> None:
    row, sku = alone_in_line(run)
    (shop / "more.csv").write_text(f"sku,node,delta\n{sku},DC-EAST,50\n{sku},DC-WEST,50\n")
    assert run("load", "stock", "more.csv").exit_code == 0
    assert run("route", row["number"]).exit_code == 0
    row = orders(run, "--number", row["number"])[0]
    assert row["allocated"]

    def reserved() -> int:
        rows = lines(run("stock", "--sku", sku, "--json").stdout)
        return sum(each["reserved"] for each in rows)

    before = reserved()
    assert before >= row["allocated"]
    result = run("cancel", row["number"], "--reason", "changed their mind")
    assert result.exit_code == 0
    assert "cancelled" in result.stdout
    assert reserved() == before - row["allocated"]
    assert orders(run, "--number", row["number"])[0]["status"] == "cancelled"
    assert lines(run("cancel", row["number"], "--json").stdout)[0]["order"] == row["number"]


def test_cancelling_what_has_left_says_that_nothing_was_cancelled(shop: Path, run) -> None:
    order = number(run, "shipped")
    (row,) = orders(run, "--number", order)
    result = run("cancel", order, "--json")
    assert result.exit_code == 3
    (told,) = lines(result.stdout)
    units, verb = row["shipped"], "has" if row["shipped"] == 1 else "have"
    assert told["outcome"] == "nothing"
    assert told["detail"].startswith("nothing of it was left to cancel; ")
    assert told["detail"].endswith(f"{verb} left already")
    assert told["units"] == {"open": 0, "allocated": 0, "shipped": units, "cancelled": 0}
    assert lines(run("orders", "--number", order, "--json").stdout)[0]["status"] == "shipped"
    assert "nothing was left to cancel" in run("timeline", order).stdout
    again = run("cancel", order)
    assert again.exit_code == 3
    assert "nothing was cancelled; it was cancelled before; 0 units cancelled" in again.stdout


def test_cancelling_what_a_node_works_on_asks_it_to_stop(shop: Path, run) -> None:
    row = orders(run, "--status", "allocated")[0]
    result = run("cancel", row["number"])
    assert result.exit_code == 0
    assert "asked to stop" in result.stdout
    assert run("work", "--once").exit_code == 0
    assert "asked to stop" in run("timeline", row["number"]).stdout


def test_erase_asks_first_and_reports(shop: Path, run) -> None:
    order = number(run, "allocated")
    assert run("erase", order, stdin="n\n").exit_code == 1
    assert "Erased." in run("erase", order, stdin="y\n").stdout
    result = run("erase", order, "--yes", "--json")
    assert result.exit_code == 3
    assert lines(result.stdout)[0]["erased"] is False


def test_work_delivers_events_once(shop: Path, run) -> None:
    run("cancel", orders(run, "--status", "allocated")[0]["number"])
    first = lines(run("work", "--json").stdout)[0]
    assert first["events"] > 0
    again = lines(run("work", "--json").stdout)[0]
    assert {again.pop("failures") == [], *again.values()} == {True, 0}


def test_verify_finds_a_tampered_balance(shop: Path, run) -> None:
    assert run("verify").stdout == "Every invariant holds.\n"
    assert lines(run("verify", "--json").stdout) == [{"violations": 0, "clean": True}]
    connection = sqlite3.connect(shop / "domcore.db")
    connection.execute("UPDATE stock SET on_hand = on_hand + 1 WHERE item_id = 1")
    connection.commit()
    connection.close()
    result = run("verify")
    assert result.exit_code == 1
    assert "I1" in result.stdout
    assert "violation" in result.stderr
    row, total = lines(run("verify", "--json", "--limit", 1).stdout)
    assert row.keys() == {"invariant", "place", "message"}
    assert total == {"violations": 1, "clean": False}


def test_doctor_reports_and_fails_where_something_will_not_work(shop: Path, run) -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "rule engine" in result.stdout
    rows = lines(run("doctor", "--json").stdout)
    assert {row["level"] for row in rows} <= {"ok", "warn"}
    assert rows[0].keys() == {"level", "subject", "message", "fix"}
    (shop / "domcore.db").write_bytes(b"not a database " * 100)
    broken = run("doctor")
    assert broken.exit_code == 1
    assert "FAIL" in broken.stdout
    for word in ("python", "sqlite", "plugin shopify", "rule packs"):
        assert word in broken.stdout
    (shop / "domcore.toml").write_text("sotre = 1\nengin = 2\n")
    first = run("doctor").stdout.splitlines()[0]
    assert "2 settings are wrong: line 1, sotre: is not a known field" in first


def test_rulesets_are_listed_checked_and_tested(shop: Path, run) -> None:
    rows = {row["name"]: row for row in lines(run("rulesets", "list", "--json").stdout)}
    assert rows["ship-from-store"]["active"][0]["layer"] == "retailer"
    assert rows["cost-first"]["error"] == ""
    assert "ship-from-store" in run("rulesets", "list").stdout
    assert "cases" in run("rulesets", "test", "cost-first").stdout.split(": ")[1]
    for command in ("check", "test"):
        result = run("rulesets", command)
        assert result.exit_code == 0, result.output
        assert "cost-first" in result.stdout
        named = lines(run("rulesets", command, "cost-first", "--json").stdout)
        assert [(row["pack"], row["failures"]) for row in named] == [("cost-first", [])]


PACK = """\
format = 1
name = "mine"
version = "1.0.0"
currency = "USD"
description = "Mine."

[[rule]]
id = "no-stores"
when = "node.kindd == 'store'"
then = "exclude"
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("", ""), "kindd"),
        (("node.kindd ==", "node.kind =="), None),
        (("format = 1", "x"), "ruleset"),
    ],
)
def test_a_pack_with_a_typo_is_named(change, message, shop: Path, run) -> None:
    folder = shop / "rulesets" / "mine"
    folder.mkdir(parents=True)
    (folder / "ruleset.toml").write_text(PACK.replace(*change))
    for result in (run("rulesets", "check"), run("rulesets", "check", folder)):
        assert result.exit_code == (1 if message else 0)
        assert (message or "ok    mine") in result.output
    checked = run("rulesets", "check", folder).stdout
    assert ("mine: cannot be read" if change[1] == "x" else "mine: 1 rule\n") in checked
    assert ("1 of 3 packs failed" in run("rulesets", "check").stderr) == bool(message)
    without_cases = run("rulesets", "test", "mine")
    assert without_cases.exit_code == 1
    assert run("rulesets", "list").exit_code == 0


def test_an_activated_pack_that_is_missing_stops_routing(shop: Path, run) -> None:
    file = shop / "domcore.toml"
    file.write_text(file.read_text().replace('"cost-first"', '"cost-frist"'))
    for command in (["plan", number(run, "short")], ["rulesets", "check"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "'cost-frist' is not there" in result.output


def test_a_bare_number_never_names_another_shops_order(shop: Path, run) -> None:
    before = orders(run)
    refused = run("cancel", "2")
    assert refused.exit_code == 1
    assert "'id:2'" in refused.stderr
    assert orders(run) == before
    shown = json.loads(run("timeline", "id:2", "--json").stdout.splitlines()[0])
    assert shown["order_id"] == 2
    assert "id:2" in run("orders", "--limit", 2).stdout
    assert orders(run, "--after", "id:2")[0]["order_id"] == 3
