"""Counting, watching, and what channels may sell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

NETWORK = """
[[rate_card]]
id = "parcel"
currency = "USD"
band = [{ base = "4.00", per_km = "0.002", per_kg = "0.50" }]

[[node]]
id = "NYC"
kind = "dc"
lat = 40.71
lon = -74.0
rate_card = "parcel"

[[node]]
id = "LAX"
kind = "dc"
lat = 34.05
lon = -118.24
rate_card = "parcel"
"""


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def stock_of(run, sku: str) -> dict[str, tuple[int, int, int]]:
    found = rows(run("stock", "--sku", sku, "--json").stdout)
    return {row["node"]: (row["on_hand"], row["reserved"], row["blocked"]) for row in found}


@pytest.fixture
def small(empty: Path, run) -> Path:
    """Two nodes with five mugs each, and an empty order book."""
    (empty / "network.toml").write_text(NETWORK)
    (empty / "items.csv").write_text("sku,weight_g\nMUG,400\nPOT,900\n")
    (empty / "stock.csv").write_text("sku,node,on_hand\nMUG,NYC,5\nMUG,LAX,5\n")
    for words in (("network", "network.toml"), ("items", "items.csv"), ("stock", "stock.csv")):
        result = run("load", *words)
        assert result.exit_code == 0, result.output
    return empty


def test_stock_alone_lists_and_its_commands_are_named(small: Path, run) -> None:
    assert run("stock", "--json").stdout == run("stock", "list", "--json").stdout
    assert len(rows(run("stock", "--json").stdout)) == 2
    assert "Commands:" in run("stock", "--help").stdout
    assert run("stock", "--store", "x.db", "count", "MUG", "NYC", "1").exit_code == 2


def test_one_place_is_counted(small: Path, run) -> None:
    result = run("stock", "count", "MUG", "NYC", 7, "--blocked", 2)
    assert result.exit_code == 0, result.output
    assert "Counted MUG at NYC: 7 units." in result.stdout
    assert stock_of(run, "MUG")["NYC"] == (7, 0, 2)
    (row,) = rows(run("stock", "count", "POT", "LAX", 0, "--json").stdout)
    assert (row["outcome"], row["sku"], row["node"], row["on_hand"]) == (
        "observed",
        "POT",
        "LAX",
        0,
    )


def test_a_count_older_than_the_last_says_so(small: Path, run) -> None:
    result = run("stock", "count", "MUG", "NYC", 70, "--as-of", "2020-01-01T08:00:00Z")
    assert result.stdout == "Nothing changed: a later count of it is known.\n"
    assert stock_of(run, "MUG")["NYC"] == (5, 0, 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("MUGS", "NYC", 1), "no such item"),
        (("MUG", "NYX", 1), "no such node"),
        (("MUG", "NYC", "many"), "not a valid integer"),
        (("MUG", "NYC", 2_000_000_000), "not in the range"),
        (("MUG", "NYC", 1, "--blocked", 2), "is part of on_hand"),
        (("MUG", "NYC", 1, "--as-of", "yesterday"), "must be a time such as"),
        (("MUG", "NYC", 1, "--as-of", "2999-01-01T00:00:00Z"), "lies in the future"),
        (("MUG", "NYC", 1, "--owner", "nobody"), "owner 'nobody' is not configured"),
    ],
)
def test_a_count_that_cannot_be_is_refused(small: Path, run, words, message: str) -> None:
    result = run("stock", "count", *words)
    assert result.exit_code != 0
    assert message in result.output
    assert "$" not in result.output
    assert stock_of(run, "MUG")["NYC"] == (5, 0, 0)


def test_fewer_than_promised_are_counted_and_the_order_goes_to_another_node(
    small: Path, run
) -> None:
    from domcore import Domcore
    from domcore.model import Destination, Order, OrderLine, Point

    place = Destination("US", "NY", "10001", Point.from_degrees(40.75, -74.0))
    lines = (OrderLine("1", "MUG", 2, price=10_000_000),)
    with Domcore.open("domcore.db") as dom:
        for number in ("1", "2"):
            order = Order(
                "main", "web", number, revision=1, placed_at=dom.now(), currency="USD",
                lines=lines, destination=place, number=f"#{number}",
            )  # fmt: skip
            dom.capture(order)
    assert run("route", "--all").exit_code == 0
    assert stock_of(run, "MUG") == {"NYC": (5, 4, 0), "LAX": (5, 0, 0)}
    result = run("stock", "count", "MUG", "NYC", 3)
    assert "There are 1 short of what is promised, 1 freed" in result.stdout
    assert stock_of(run, "MUG")["NYC"] == (3, 3, 0)
    assert run("route", "--all").exit_code == 0
    assert stock_of(run, "MUG") == {"NYC": (3, 3, 0), "LAX": (5, 1, 0)}
    with Domcore.open("domcore.db") as dom:
        assert dom.order("#1").summary.nodes == ("NYC",)
        assert dom.order("#2").summary.nodes == ("LAX", "NYC")
        assert [event.kind for event in dom.events() if event.order_id is None] == [
            "stock.shortfall"
        ]
        assert list(dom.verify()) == []


def test_blocked_units_come_in_files(small: Path, run) -> None:
    (small / "more.csv").write_text(
        "sku,node,on_hand,delta,blocked,safety\nMUG,NYC,9,,4,\nMUG,LAX,,-1,1,\nPOT,NYC,,,,3\n"
    )
    assert run("load", "stock", "more.csv").exit_code == 0
    assert stock_of(run, "MUG") == {"NYC": (9, 0, 4), "LAX": (4, 0, 1)}
    (row,) = rows(run("stock", "--sku", "POT", "--json").stdout)
    assert (row["on_hand"], row["safety"]) == (0, 3)


def test_what_a_channel_may_sell_is_listed(small: Path, run) -> None:
    with (small / "domcore.toml").open("a") as file:
        file.write('\n[channels.web]\nkind = "none"\nshare = 50\nnodes = ["NYC"]\n')
    found = rows(run("stock", "--channel", "web", "--json").stdout)
    assert [(row["sku"], row["node"], row["available"], row["told"]) for row in found] == [
        ("MUG", "", 2, None), ("POT", "", 0, None),
    ]  # fmt: skip
    assert "MAY SELL" in run("stock", "--channel", "web").stdout
    result = run("stock", "--channel", "web", "--limit", 1)
    cursor = result.stderr.split("--after ")[1].strip()
    assert "POT" in run("stock", "--channel", "web", "--after", cursor).stdout
    assert "there is no channel 'ebay'" in run("stock", "--channel", "ebay").output
    assert run("stock", "--channel", "web", "--node", "NYC").exit_code == 2


@contextmanager
def watching(*words: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """``domcore stock --watch`` in a process of its own, past its first page."""
    process = subprocess.Popen(
        [sys.executable, "-m", "domcore", "stock", "--watch", "--every", "0.05", "--json", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process, process.stdout
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if process.stderr is not None:
            process.stderr.close()


def test_changes_are_shown_as_they_happen_until_ctrl_c(small: Path, run) -> None:
    with watching("--node", "NYC") as (process, out):
        assert json.loads(out.readline())["on_hand"] == 5
        run("stock", "count", "MUG", "LAX", 1)
        run("stock", "count", "MUG", "NYC", 8)
        seen = json.loads(out.readline())
        assert (seen["sku"], seen["node"], seen["on_hand"]) == ("MUG", "NYC", 8)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "Traceback" not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="there is no poll on it")
def test_a_watcher_stops_when_its_reader_is_gone(small: Path) -> None:
    with watching() as (process, out):
        out.readline()
        out.close()
        assert process.wait(timeout=20) == 0
