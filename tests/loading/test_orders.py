"""``domcore load orders``: lines grouped by order, errors per row, the same file twice is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domcore import ConfigurationError, Domcore, PayloadError, Settings
from domcore.cli.root import build
from domcore.loading import Source, load_orders
from domcore.testing import World

HEAD = (
    "order,placed_at,revision,currency,line,sku,quantity,price,name,street,postal,country,cancelled"
)


@pytest.fixture
def dom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text('store = "shop.db"\n')
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").item("CUP").stock("MUG", NYC=9)
    with world.open(Settings(store="shop.db", owners={"main": "USD"})) as opened:
        yield opened


def csv(*rows: str) -> Source:
    Path("orders.csv").write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    return Source.of(Path("orders.csv"))


def first(order: str, units: object = 2, revision: str = "1") -> str:
    placed = "2026-01-05T09:00:00Z"
    return f"{order},{placed},{revision},USD,1,MUG,{units},10.00,Ada,1 St,10001,US,"


def test_rows_of_one_order_are_one_order(dom: Domcore) -> None:
    told = load_orders(dom, csv(first("1"), first("2"), "1,,,,2,CUP,1,5.00,,,,,"))
    assert (told.counts, told.taken, told.problems) == ({"captured": 2}, 2, ())
    view = dom.order("file/1")
    assert [(each.sku, each.quantity) for each in view.order.lines] == [("MUG", 2), ("CUP", 1)]
    assert view.person is not None
    assert view.person.street == ("1 St",)
    assert list(dom.verify()) == []


def test_the_same_file_twice_changes_nothing_and_a_later_revision_amends(dom: Domcore) -> None:
    load_orders(dom, csv(first("1"), first("2")))
    events = len(dom.events())
    assert load_orders(dom, csv(first("1"), first("2"))).counts == {"duplicate": 2}
    # The same orders in a file of other bytes.
    again = load_orders(dom, csv(first("2"), first("1")))
    assert (again.counts, again.taken, len(dom.events())) == ({"duplicate": 2}, 0, events)
    told = load_orders(dom, csv(first("1", 3, "2"), "2,,2,,,,,,,,,,true"))
    assert told.counts == {"amended": 1, "cancelled": 1}
    assert dom.order("file/1").order.lines[0].quantity == 3


def test_an_order_with_a_bad_row_is_left_out_whole_and_every_bad_row_is_named(dom: Domcore) -> None:
    rows = [
        first("1"),
        first("2", "x"),
        "2,,,,2,CUP,1,5.00,,,,,",
        "1,,,,2,,1,5.00,,,,,",
        first("3"),
    ]
    told = load_orders(dom, csv(*rows))
    assert (told.counts, told.left_out) == ({"captured": 1}, 2)
    assert [str(each).partition(":")[2] for each in told.problems] == [
        "3 quantity: must be a whole number",
        "2 sku: is missing",
    ]
    assert [each.external_id for each in dom.orders()] == ["3"]


def test_one_bad_row_may_refuse_the_whole_file(dom: Domcore) -> None:
    with pytest.raises(PayloadError, match="nothing was changed"):
        load_orders(dom, csv(first("1"), first("2", -1)), refuse=True)
    assert dom.orders() == []


def test_the_same_revision_with_other_content_is_named_and_changes_nothing(dom: Domcore) -> None:
    load_orders(dom, csv(first("1")))
    told = load_orders(dom, csv(first("1", 7), first("2")))
    assert (told.counts, told.left_out) == ({"captured": 1}, 1)
    assert "came twice with different content" in str(told.problems[0])
    assert dom.order("file/1").order.lines[0].quantity == 2


ORDER = {
    "order": "1", "placed_at": "2026-01-05T09:00:00Z", "currency": "USD",
    "lines": [{"line": "1", "sku": "MUG", "quantity": 2, "price": "10.00"}],
}  # fmt: skip


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_holds_an_object_for_each_order(form: str, dom: Domcore) -> None:
    good, bad = ORDER, {**ORDER, "order": "2", "lines": [{"line": "1"}]}
    text = json.dumps([good, bad]) if form == "json" else f"{json.dumps(good)}\n{json.dumps(bad)}"
    Path(f"o.{form}").write_text(text)
    told = load_orders(dom, Source.of(Path(f"o.{form}")), channel="phone")
    assert (told.counts, told.left_out) == ({"captured": 1}, 1)
    assert str(told.problems[0]).startswith("o.json: order[1]" if form == "json" else "o.jsonl:2")
    assert dom.order("phone/1").order.lines[0].quantity == 2


@pytest.mark.parametrize(
    "text",
    [
        "", "order\n1\n", "nonsense\n1\n", f"{HEAD}\n{'=' * 20}\n", f"{HEAD}\n,,,,,,,,,,,,\n",
        f"{HEAD}\n{first('1', 10**12)}\n", f"{HEAD}\n{first('a' * 101)}\n",
        f"{HEAD}\n{first('1')},more\n", f"{HEAD}\n{first('1').replace('Ada', 'A' * 301)}\n",
    ],
)  # fmt: skip
def test_bad_files_take_in_nothing(text: str, dom: Domcore) -> None:
    Path("bad.csv").write_text(text)
    try:
        told = load_orders(dom, Source.of(Path("bad.csv")))
    except (PayloadError, ConfigurationError):
        pass
    else:
        assert told.taken == 0
    assert dom.orders() == []


def test_the_command_tells_what_became_of_the_file(dom: Domcore) -> None:
    csv(first("1"), first("2", "x"))

    def run(*words: str) -> Result:
        return CliRunner().invoke(build(), list(words))

    told = run("load", "orders", "orders.csv")
    assert told.exit_code == 4
    assert "1 order of orders.csv: 1 captured." in told.stdout
    assert "orders.csv:3 quantity" in told.stderr
    row = json.loads(run("load", "orders", "orders.csv", "--json").stdout)
    assert (row["loaded"], row["duplicate"], row["left_out"]) == (0, 1, 1)
    assert run("load", "orders", "orders.csv", "--refuse").exit_code == 1
