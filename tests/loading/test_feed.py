"""Feeds of stock: large ones, interrupted ones, repeated ones, while routing goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from domcore import ConfigurationError, Domcore, PayloadError, Settings
from domcore.loading import Source, check_stock, load_stock, write_stock
from domcore.loading.apply import BATCH
from domcore.model import Item, ObserveStock, StockCount
from domcore.store.protocol import StockFilter
from domcore.testing.builder import World

NODES = ("ATL", "LAX", "NYC", "ORD", "SEA")

MAIN = "import sys; from domcore.cli import main; sys.exit(main())"


def world() -> World:
    made = World()
    for place, node in enumerate(NODES):
        made.node(node, at=(30.0 + place, -80.0 - place))
    return made


def shop(path: Path, skus: int) -> Domcore:
    dom = world().open(Settings(store=str(path), synchronous="NORMAL"))
    dom.load_items(Item(f"S{number:06}") for number in range(skus))
    return dom


def feed(path: Path, skus: int, units: int, as_of: str = "") -> Source:
    """A count of every SKU at every node."""
    with path.open("w") as file:
        file.write("sku,node,on_hand,as_of\n")
        for number in range(skus):
            file.writelines(f"S{number:06},{node},{units},{as_of}\n" for node in NODES)
    return Source.of(path)


def on_hand(dom: Domcore) -> Iterator[int]:
    return (row[2] for row in dom.store.audit("stock"))


def route_while(dom: Domcore, going: subprocess.Popen[bytes], skus: int) -> list[float]:
    """Capture and route orders until the process ends; the seconds each took."""
    orders, spent = world(), []
    while going.poll() is None:
        number = str(len(spent))
        dom.capture(orders.order(number, lines={f"S{len(spent) % skus:06}": 1}))
        started = time.perf_counter()
        assert dom.route([f"web/{number}"]).routed == 1
        spent.append(time.perf_counter() - started)
    return spent


def load_and_route(tmp_path: Path, skus: int) -> tuple[list[float], float]:
    """Load a feed by the command line, routing meanwhile; what routing took, and the seconds."""
    path = tmp_path / "dom.db"
    with shop(path, skus) as dom:
        load_stock(dom, feed(tmp_path / "first.csv", skus, 1000), owner="main")
        feed(tmp_path / "second.csv", skus, 2000)
        started = time.perf_counter()
        going = subprocess.Popen(
            [sys.executable, "-c", MAIN, "load", "stock", "second.csv", "--store", "dom.db"],
            cwd=tmp_path, stdout=subprocess.PIPE,
        )  # fmt: skip
        spent = route_while(dom, going, skus)
        took = time.perf_counter() - started
        told, _ = going.communicate()
        assert going.returncode == 0
        assert told.decode() == f"Loaded {skus * len(NODES):,} counts from second.csv.\n"
        assert set(on_hand(dom)) == {2000}
        reserved = sum(row[3] for row in dom.store.audit("stock"))
        assert reserved == len(spent)
        assert list(dom.verify()) == []
    return spent, took


def test_routing_goes_on_while_a_feed_is_loaded(tmp_path: Path) -> None:
    spent, _ = load_and_route(tmp_path, skus=1000)
    assert len(spent) >= 3


@pytest.mark.long
def test_a_hundred_thousand_positions_are_loaded_while_routing_goes_on(tmp_path: Path) -> None:
    spent, took = load_and_route(tmp_path, skus=20_000)
    waits = sorted(spent)
    print(f"{took:.1f} s, {len(spent)} routed, slowest {waits[-1]:.3f} s")
    assert len(spent) > 50
    assert waits[len(waits) * 95 // 100] < 0.5


@pytest.mark.parametrize("as_of", ["", "2026-01-05T08:00:00Z"], ids=["now", "dated"])
def test_an_interrupted_feed_is_simply_loaded_again(tmp_path: Path, as_of: str) -> None:
    with shop(tmp_path / "dom.db", 1000) as dom:
        source = feed(tmp_path / "stock.csv", 1000, 7, as_of)

        def stop(rows: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_stock(dom, check_stock(dom, source, owner="main"), progress=stop)
        assert len(list(on_hand(dom))) == BATCH
        loaded = load_stock(dom, source, owner="main")
        assert (loaded.count, loaded.already) == ((3000, BATCH) if as_of else (5000, 0))
        assert set(on_hand(dom)) == {7}
        assert len(list(on_hand(dom))) == 5000


def test_changes_of_an_interrupted_feed_count_once(tmp_path: Path) -> None:
    path = tmp_path / "changes.csv"
    with shop(tmp_path / "dom.db", 1000) as dom, path.open("w") as file:
        file.write("sku,node,delta\n")
        for number in range(1000):
            file.writelines(f"S{number:06},{node},3\n" for node in NODES)
        file.close()
        parts = iter(range(9))

        def stop(rows: int) -> None:
            if next(parts) == 1:
                raise KeyboardInterrupt

        source = Source.of(path)
        with pytest.raises(KeyboardInterrupt):
            write_stock(dom, check_stock(dom, source, owner="main"), progress=stop)
        assert load_stock(dom, source, owner="main").already == 2 * BATCH
        assert load_stock(dom, source, owner="main").count == 0
        assert set(on_hand(dom)) == {3}
        assert load_stock(dom, source, owner="main", again=True).count == 5000
        assert set(on_hand(dom)) == {6}


def test_one_bad_row_at_the_end_stops_all_where_that_is_wanted(tmp_path: Path) -> None:
    with shop(tmp_path / "dom.db", 1000) as dom:
        source = feed(tmp_path / "stock.csv", 1000, 7)
        with source.path.open("a") as file:
            file.write("S000000,NYX,1,\nS999999,NYC,1,\n")
        with pytest.raises(PayloadError) as refused:
            load_stock(dom, source, owner="main", bad_rows="refuse")
        assert "stock.csv:5002: node 'NYX'" in str(refused.value)
        assert "stock.csv:5003: SKU 'S999999'" in str(refused.value)
        assert dom.store.stock_cursor() == 0
        assert not list(tmp_path.glob("*.bad*"))


def test_a_file_that_changes_while_it_is_loaded_is_not_read_on(tmp_path: Path) -> None:
    with shop(tmp_path / "dom.db", 1000) as dom:
        source = feed(tmp_path / "stock.csv", 1000, 7)

        def meddle(rows: int) -> None:
            with source.path.open("a") as file:
                file.write("S000000,NYX,1,\n")

        with pytest.raises(ConfigurationError, match="2000 rows had been"):
            write_stock(dom, check_stock(dom, source, owner="main"), progress=meddle)
        assert len(list(on_hand(dom))) == BATCH


def test_what_ships_while_a_feed_is_loaded_is_taken_off(tmp_path: Path) -> None:
    made = world()
    settings = Settings(store=str(tmp_path / "dom.db"), synchronous="NORMAL")
    with made.open(settings) as dom:
        dom.load_items(Item(f"S{number:06}") for number in range(1000))
        last = StockCount("S000999", "SEA", on_hand=7)
        dom.observe(ObserveStock("main", (last,)))
        made.clock.forward(minutes=1)
        source = feed(tmp_path / "stock.csv", 1000, 7)

        def sell(rows: int) -> None:
            made.clock.forward(seconds=1)
            gone = StockCount("S000999", "SEA", delta=-1)
            dom.observe(ObserveStock("main", (gone,)))

        write_stock(dom, check_stock(dom, source, owner="main"), progress=sell)
        (view,) = dom.stock(StockFilter(sku="S000999", node="SEA"))
        # Two parts were written before its own, and one after it.
        assert view.on_hand == 4


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    with shop(tmp_path / "dom.db", 4000) as dom:
        for skus in (1000, 4000):
            source = feed(tmp_path / f"{skus}.csv", skus, 7)
            tracemalloc.start()
            load_stock(dom, source, owner="main")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    # A row costs the eight bytes or so by which it is known to be counted once.
    assert peaks[1] - peaks[0] < 15_000 * 150


def test_progress_is_told_by_rows(tmp_path: Path) -> None:
    with shop(tmp_path / "dom.db", 1000) as dom:
        source, seen = feed(tmp_path / "stock.csv", 1000, 7), list[int]()
        checked = check_stock(dom, source, owner="main", progress=seen.append)
        assert checked.rows == sum(seen) == 5000
        write_stock(dom, checked, progress=seen.append)
        assert sum(seen) == 10_000


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_a_bar_shows_on_a_terminal(tmp_path: Path) -> None:
    shop(tmp_path / "dom.db", 1000).close()
    feed(tmp_path / "stock.csv", 1000, 7)
    screen, terminal = os.openpty()
    patient = (
        "import domcore.cli.progress as shown;"
        "shown.Progress.__init__.__defaults__ = (None, 0, None);" + MAIN
    )
    done = subprocess.run(
        [sys.executable, "-c", patient, "load", "stock", "stock.csv", "--store", "dom.db"],
        cwd=tmp_path, stderr=terminal, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    os.close(terminal)
    shown = os.read(screen, 100_000).decode()
    os.close(screen)
    assert b"Loaded 5,000 counts" in done.stdout
    assert "5000/5000" in shown
