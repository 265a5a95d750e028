"""Looking things up on a routed shop, and working off what waits."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from domcore import Domcore


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def orders(run, *filters: str) -> list[str]:
    found = lines(run("orders", "--limit", 1000, "--json", *filters).stdout)
    return [str(row["number"]) for row in found]


def waiting(run, *options: str) -> list[dict[str, object]]:
    return lines(run("exceptions", "--limit", 1000, "--json", *options).stdout)


# --- orders -------------------------------------------------------------------------------------


def test_orders_are_found_by_age(troubled: Path, run) -> None:
    assert len(orders(run, "--older-than", "2d")) == 6
    assert orders(run, "--older-than", "4d") == []
    assert orders(run, "--newer-than", "2d") == []
    assert len(orders(run, "--newer-than", "1w", "--older-than", "36h")) == 6
    since = (datetime.now(UTC) - timedelta(days=4)).isoformat()
    assert len(orders(run, "--since", since, "--newer-than", "96h")) == 6


def test_orders_are_found_by_hold_and_by_promise(troubled: Path, run) -> None:
    held = lines(run("orders", "--status", "held", "--json").stdout)
    assert [row["number"] for row in held] == ["#nowhere"]
    assert orders(run, "--hold", held[0]["holds"][0]["code"]) == ["#nowhere"]
    assert orders(run, "--hold", "no-such-hold") == []
    assert orders(run, "--late") == ["#late 1"]
    assert orders(run, "--late", "4h", "--node", "NYC", "--sku", "MUG") == ["#late 1"]
    assert orders(run, "--late", "--status", "shipped") == []


@pytest.mark.parametrize("command", ["orders", "exceptions", "kpi"])
def test_lists_are_shown_again_and_again_until_somebody_stops_them(
    command: str, troubled: Path, run, monkeypatch
) -> None:
    once = run(command, "--json").stdout
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("domcore.cli.verb.time.sleep", sleep)
    watched = run(command, "--watch", "--every", "2", "--json")
    assert watched.exit_code == 130
    assert len(watched.stdout.splitlines()) == 3 * len(once.splitlines())
    assert slept == [2.0, 2.0, 2.0]


def test_what_works_trouble_off_is_not_watched(troubled: Path, run) -> None:
    before = [(row["kind"], row["order"]) for row in waiting(run)]
    result = run("exceptions", "--kind", "held", "--approve", "--yes", "--watch")
    assert result.exit_code == 2
    assert "only looks" in result.stderr
    assert [(row["kind"], row["order"]) for row in waiting(run)] == before


def test_nothing_is_said_of_routing_where_nothing_is_open(troubled: Path, run) -> None:
    assert run("hold", "#gone", "--stage", "route").exit_code == 0
    result = run("approve", "#gone")
    assert "Lifted by-hand" in result.stdout
    assert "Next" not in result.stdout


def test_orders_are_found_by_words_and_come_newest_first(troubled: Path, run) -> None:
    every = orders(run)
    assert orders(run, "--newest") == every[::-1]
    first = lines(run("orders", "--newest", "--limit", 2, "--json").stdout)
    rest = orders(run, "--newest", "--after", f"id:{first[-1]['order_id']}")
    assert [row["number"] for row in first] + rest == every[::-1]
    assert orders(run, "late", "mug", "nyc") == ["#late 1"]
    assert orders(run, "late", "--node", "LAX") == []
    assert run("orders", " ").exit_code == 2


@pytest.mark.parametrize(
    "option",
    [
        ("--older-than", "2"),
        ("--older-than", "2 days"),
        ("--newer-than", "-2d"),
        ("--late", "soon"),
        ("--older-than", "99999999999d"),
        ("--after", "x"),
        ("--after", "9" * 30),
        ("--after", "٣"),
    ],
)
def test_what_is_no_age_and_no_id_is_refused(troubled: Path, run, option) -> None:
    assert run("orders", *option).exit_code == 2


def test_hostile_filters_find_nothing(troubled: Path, run) -> None:
    for text in ("' OR 1=1 --", '"; DROP TABLE orders', "%", "*", "\x00", "é" * 300):
        for name in ("--number", "--sku", "--hold", "--channel", "--owner", "--node"):
            assert orders(run, name, text) == []
    assert len(orders(run)) == 6


# --- timeline -----------------------------------------------------------------------------------


def test_a_timeline_is_told_to_people_and_to_programs(troubled: Path, run) -> None:
    result = run("timeline", "#gone")
    assert result.exit_code == 0
    assert "came in from web: 1 unit on 1 line" in result.stdout
    assert "routed: 1 x MUG from NYC, " in result.stdout
    assert "(decision 1, by " in result.stdout
    assert "NYC shipped: 1 x MUG" in result.stdout
    told = json.loads(run("timeline", "gone", "--json").stdout)
    kinds = [entry["kind"] for entry in told["entries"]]
    assert kinds == ["order.captured", "order.routed", "fulfillment.shipped"]
    assert told["status"] == "shipped"
    assert run("explain", "#gone", "--decision", told["entries"][1]["decision"]).exit_code == 0


def test_a_timeline_of_no_order_says_so(troubled: Path, run) -> None:
    result = run("timeline", "#404")
    assert result.exit_code == 1
    assert "no order" in result.stderr


# --- exceptions ---------------------------------------------------------------------------------


def test_everything_that_waits_is_listed_with_its_age(troubled: Path, run) -> None:
    found = {(row["kind"], row["order"]) for row in waiting(run)}
    assert found == {
        ("held", "#nowhere"),
        ("short", "#$(short)"),
        ("rejected", "#rejected"),
        ("stuck", "#late 1"),
        ("stuck", "#-5"),
        ("stuck", "#$(short)"),
        ("late", "#late 1"),
    }
    table = run("exceptions").stdout
    assert "3d" in table
    assert "domcore address '#nowhere'" in table
    assert {row["kind"] for row in waiting(run, "--kind", "held", "--kind", "late")} == {
        "held",
        "late",
    }
    assert waiting(run, "--kind", "stuck", "--stuck-after", "30d") == []
    assert waiting(run, "--owner", "nobody") == []


def test_every_command_works_when_it_is_pasted(troubled: Path, run) -> None:
    for row in waiting(run):
        words = shlex.split(str(row["command"]))
        assert words[0] == "domcore"
        result = run(*words[1:])
        asks = words[1] in ("address", "move") and "Error: say " in result.output
        assert asks or result.exit_code in (0, 3, 4), f"{row['command']}: {result.output}"
    left = waiting(run)
    assert not [row for row in left if row["kind"] in ("stuck", "rejected")]


def test_pages_of_exceptions_join_to_the_whole(troubled: Path, run) -> None:
    every, seen, cursor = waiting(run), [], ""
    while page := lines(
        run("exceptions", "--limit", 2, "--json", *(["--after", cursor] if cursor else [])).stdout
    ):
        seen += page
        cursor = str(page[-1]["cursor"])
    assert [row["cursor"] for row in seen] == [row["cursor"] for row in every]
    assert f"--after {seen[1]['cursor']}" in run("exceptions", "--limit", 2).stderr
    assert run("exceptions", "--after", "rubbish").exit_code == 1


def test_a_dry_run_only_tells(troubled: Path, run) -> None:
    run("hold", "#-5")
    result = run("exceptions", "--kind", "held", "--approve", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout == "would approve #-5\n"
    assert "Would approve 1 order." in result.stderr
    assert len(waiting(run, "--kind", "held")) == 2


def test_holds_are_approved_in_bulk_once_their_number_is_confirmed(troubled: Path, run) -> None:
    run("hold", "#-5")
    refused = run("exceptions", "--kind", "held", "--approve", stdin="n\n")
    assert refused.exit_code == 1
    assert "Approve 1 order?" in refused.output
    assert len(waiting(run, "--kind", "held")) == 2
    assert run("exceptions", "--kind", "held", "--approve").exit_code == 1
    done = run("exceptions", "--kind", "held", "--approve", stdin="y\n")
    assert done.exit_code == 0
    assert "1 of 1 done." in done.stdout
    assert [row["order"] for row in waiting(run, "--kind", "held")] == ["#nowhere"]
    assert run("exceptions", "--kind", "held", "--approve", "--yes").exit_code == 3


def test_orders_are_routed_in_bulk_each_on_its_own(troubled: Path, run) -> None:
    result = run("exceptions", "--kind", "short", "--kind", "rejected", "--route", "--yes")
    assert result.exit_code == 4
    assert "#$(short)  " in result.stdout
    assert "1 of 2 done." in result.stdout
    assert waiting(run, "--kind", "rejected") == []
    told = lines(run("exceptions", "--kind", "short", "--route", "--yes", "--json").stdout)
    assert [(row["name"], row["done"]) for row in told] == [("#$(short)", False)]


@pytest.mark.parametrize(
    "options",
    [
        ("--approve",),
        ("--kind", "short", "--approve"),
        ("--kind", "held", "--kind", "short", "--route"),
        ("--kind", "stuck", "--retry"),
        ("--dry-run",),
        ("--yes",),
        ("--kind", "nonsense"),
    ],
)
def test_ways_that_do_not_fit_the_kind_are_refused(troubled: Path, run, options) -> None:
    assert run("exceptions", *options).exit_code == 2


def test_a_well_run_shop_has_nothing_to_tell(empty: Path, run) -> None:
    result = run("exceptions")
    assert result.exit_code == 0
    assert "Nothing waits for a person." in result.stderr


# --- record -------------------------------------------------------------------------------------


def test_a_nodes_word_is_recorded_by_hand(troubled: Path, run) -> None:
    told = run("record", "2-1-NYC", "shipped", "--line", "MUG=1", "--tracking", "1Z9")
    assert told.exit_code == 0, told.output
    assert told.stdout == "2-1-NYC: recorded; the work is partially shipped now.\n"
    story = run("timeline", "#-5").stdout
    assert "1 x MUG, tracking 1Z9" in story
    rest = run("record", "2-1-NYC", "rejected", "--reason", "damaged", "--json")
    assert json.loads(rest.stdout)["outcome"] == "recorded"
    assert lines(run("orders", "--number", "#-5", "--json").stdout)[0]["shipped"] == 1


def test_goods_that_others_have_sent_are_told_by_hand(troubled: Path, run) -> None:
    told = run("record", "#-5", "--elsewhere", "--line", "MUG=1", "--name", "call-17")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("#-5: recorded; 1 unit left")
    assert "others have sent 1 x MUG" in run("timeline", "#-5").stdout
    assert lines(run("orders", "--number", "#-5", "--json").stdout)[0]["shipped"] == 1
    back = run("record", "#-5", "--elsewhere", "--name", "call-17", "--taken-back", "--json")
    assert json.loads(back.stdout)["detail"] == "1 unit has not left after all"
    more = run("record", "#-5", "--elsewhere")
    assert more.exit_code == 0
    assert more.stdout.endswith("; called by-hand-1.\n")
    assert lines(run("orders", "--number", "#-5", "--json").stdout)[0]["open"] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("2-1-NYC",), 2),
        (("#-5", "shipped", "--elsewhere"), 2),
        (("2-1-NYC", "shipped", "--node", "NYC"), 2),
        (("#-5", "--elsewhere", "--reason", "closed"), 2),
        (("#-5", "--elsewhere", "--taken-back"), 1),
        (("#-5", "--elsewhere", "--taken-back", "--name", "nobody-told"), 1),
        (("#-5", "--elsewhere", "--line", "MUG=99"), 1),
        (("#-5", "--elsewhere", "--line", "MUG=0"), 1),
        (("#-5", "--elsewhere", "--node", "MARS"), 1),
        (("#-5", "--elsewhere", "--line", "POT=1"), 1),
        (("#-99", "--elsewhere"), 1),
        (("2-1-NYC", "lost"), 2),
        (("2-1-NYC", "shipped", "--line", "MUG"), 2),
        (("2-1-NYC", "shipped", "--line", "MUG=-1"), 2),
        (("2-1-NYC", "shipped", "--carrier", "UPS"), 2),
        (("2-1-NYC", "shipped", "--line", "MUG=99"), 1),
        (("2-1-NYC", "shipped", "--line", "POT=1"), 1),
        (("2-1-MARS", "shipped"), 1),
        (("nonsense", "shipped"), 1),
    ],
)
def test_a_word_that_cannot_be_meant_changes_nothing(troubled: Path, run, arguments, code) -> None:
    before = run("timeline", "#-5", "--json").stdout
    assert run("record", *arguments).exit_code == code
    assert run("timeline", "#-5", "--json").stdout == before


# --- kpi ----------------------------------------------------------------------------------------


def test_figures_are_a_table_for_people(shop: Path, run) -> None:
    result = run("kpi")
    assert result.exit_code == 0
    for word in ("fill rate", "split rate", "cost per order", "captured to routed", "held"):
        assert word in result.stdout
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


def test_figures_are_those_of_the_application(shop: Path, run) -> None:
    told = json.loads(run("kpi", "--json").stdout)
    with Domcore.open("domcore.db") as dom:
        kpi = dom.kpi()
    expected = json.loads(json.dumps(kpi.to_dict()))
    assert {**told, "at": ""} == {**expected, "at": ""}
    assert told["orders"] == len(orders(run))
    assert told["fill_rate"]["rate"] == pytest.approx(kpi.fill.rate)


def test_figures_are_of_a_period_and_an_owner(troubled: Path, run) -> None:
    def count(*options: str) -> int:
        return json.loads(run("kpi", "--json", *options).stdout)["orders"]

    assert count() == count("--since", "4d") == count("--owner", "main") == 6
    assert count("--since", "2d") == count("--until", "4d") == count("--owner", "nobody") == 0
    assert count("--since", "2000-01-01", "--until", "2030-01-01") == 6
    assert "nobody" in run("kpi", "--owner", "nobody").stderr
    assert run("kpi", "--since", "yesterday").exit_code == 2
    wrong = run("kpi", "--since", "1d", "--until", "2d")
    assert (wrong.exit_code, "--until is before --since" in wrong.stderr) == (2, True)


def test_a_chart_is_drawn_as_svg_or_as_vega_lite(troubled: Path, run) -> None:
    assert run("kpi", "--chart", "kpi.svg").exit_code == 0
    assert ET.parse("kpi.svg").getroot().tag.endswith("svg")
    result = run("kpi", "--chart", "kpi.vl.json", "--json")
    assert json.loads(result.stdout)["orders"] == 6
    assert "vega-lite" in json.loads(Path("kpi.vl.json").read_text())["$schema"]
    assert run("kpi", "--chart", "kpi.gif").exit_code == 2
    assert not Path("kpi.gif").exists()
    refused = run("kpi", "--chart", "no/such/folder/kpi.svg")
    assert refused.exit_code == 1
    assert "no/such/folder" in refused.stderr


def test_figures_are_told_for_each_day_as_rows_and_as_lines(troubled: Path, run) -> None:
    table = run("kpi", "--by", "day", "--chart", "days.svg")
    assert table.exit_code == 0
    rows = table.stdout.splitlines()
    assert rows[0].split()[:3] == ["FROM", "(UTC)", "ORDERS"]
    told = lines(run("kpi", "--by", "day", "--json").stdout)
    assert [row.split()[1] for row in rows[1:]] == [str(each["orders"]) for each in told]
    assert sum(each["orders"] for each in told) == 6
    assert "<polyline" in Path("days.svg").read_text()
    assert run("kpi", "--by", "day", "--since", "2000-01-01").exit_code == 1
    assert run("kpi", "--by", "year").exit_code == 2


def test_an_empty_store_has_figures_too(empty: Path, run) -> None:
    result = run("kpi", "--chart", "kpi.svg")
    assert result.exit_code == 0
    assert "No orders came in then." in result.stderr


def test_a_command_says_who_ran_it(troubled: Path, run, monkeypatch) -> None:
    monkeypatch.setenv("LOGNAME", "anna")
    assert run("cancel", "#-5").exit_code == 0
    assert run("cancel", "#nowhere", "--by", "job:nightly").exit_code == 0
    told = json.loads(run("timeline", "#-5", "--json").stdout)
    assert [entry["by"] for entry in told["entries"]] == ["host", "host", "person:anna"]
    told = json.loads(run("timeline", "#nowhere", "--json").stdout)
    assert told["entries"][-1]["by"] == "job:nightly"
    assert "by person:anna)" in run("timeline", "#-5").stdout


@pytest.mark.parametrize(
    "name",
    ["channel:web", "Channel:web/kim", "connector:north", " plugin :fraud", "worker", "WORKER:1"],
)
def test_nobody_signs_as_a_part_of_the_system(troubled: Path, run, name: str) -> None:
    refused = run("cancel", "#-5", "--by", name)
    assert refused.exit_code == 2
    assert "is no person's" in refused.stderr
    told = json.loads(run("timeline", "#-5", "--json").stdout)
    assert {entry["by"] for entry in told["entries"]} == {"host"}


def test_a_name_that_cannot_be_kept_is_refused(troubled: Path, run) -> None:
    result = run("cancel", "#gone", "--by", "x" * 200)
    assert result.exit_code == 1
    assert "at most 100" in result.stderr
