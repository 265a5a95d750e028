"""A node that exchanges files tells what is on its shelves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from domcore import ConnectorSettings, Settings, SignatureError
from domcore.errors import PayloadError
from domcore.model import Envelope, Item, ObserveStock, StockCount
from domcore.model.clock import to_micros
from domcore.store.protocol import StockFilter
from domcore.testing import World
from domcore_files.connector import FilesConnector
from domcore_files.disk import Disk
from domcore_files.options import ConnectorOptions

from .conftest import LATER, NOTICES, put


@pytest.fixture
def dom(folder: Path, tmp_path: Path):
    """A shop with one node that exchanges files and one that does not."""
    world = World().node("NYC", at=(40.7, -74.0), connector="north").node("LAX", at=(34.0, -118.2))
    world.item("MUG").item("POT").stock("MUG", NYC=5, LAX=5)
    options = {"folder": str(folder), "settle_seconds": 0}
    told = Settings(
        store=str(tmp_path / "dom.db"),
        owners={"main": "USD"},
        connectors=(ConnectorSettings("north", "files", options),),
    )
    world.clock.forward(minutes=1)
    with world.open(told, load_plugins=True) as found:
        yield found


def on_hand(dom, sku: str) -> dict[str, int]:
    return {each.node: each.on_hand for each in dom.stock(StockFilter(sku=sku))}


def test_a_nodes_counts_are_taken_in(dom, folder: Path) -> None:
    put(folder, "stock.csv", "sku,node,on_hand\nMUG,NYC,7\nPOT,NYC,3\n")
    dom.work()
    assert on_hand(dom, "MUG") == {"LAX": 5, "NYC": 7}
    assert on_hand(dom, "POT") == {"NYC": 3}
    assert dom.parked() == []


def test_a_nodes_changes_count_once_however_often_they_are_read(dom, folder: Path) -> None:
    text = '{"sku": "MUG", "node": "NYC", "delta": -2}\n'
    for _ in range(2):
        put(folder, "changes-1.jsonl", text)
        dom.work()
        dom.work()
    assert on_hand(dom, "MUG")["NYC"] == 3


def test_a_node_tells_of_no_other_nodes_shelves(dom, folder: Path) -> None:
    put(folder, "1.csv", "sku,node,delta\nMUG,LAX,90\n")
    put(folder, "2.csv", "sku,node,delta\nMUG,NYC,1\n")
    for _ in range(4):
        dom.work()
    assert on_hand(dom, "MUG") == {"LAX": 5, "NYC": 6}
    (parked,) = dom.parked()
    assert "serves no such node" in parked.note


@pytest.mark.parametrize(
    ("header", "mug", "bad", "after"),
    [("on_hand", 7, "JAR,NYC,4", 7), ("delta", 2, "JAR,NYC,4", 7), ("on_hand", 7, "MUG,MARS,4", 7)],
)
def test_rows_of_what_nobody_knows_keep_no_others_waiting(
    dom, folder: Path, header: str, mug: int, bad: str, after: int
) -> None:
    put(folder, "stock.csv", f"sku,node,{header}\nMUG,NYC,{mug}\n{bad}\nPOT,NYC,3\n")
    dom.work()
    assert (on_hand(dom, "MUG")["NYC"], on_hand(dom, "POT")) == (after, {"NYC": 3})
    (parked,) = dom.parked()
    assert "stock.csv:3" in parked.note
    assert "1 of 3 counts are left out" in parked.note
    assert list(dom.verify()) == []
    with pytest.raises(PayloadError):
        dom.retry(parked.id)
    assert [each.id for each in dom.parked()] == [parked.id]


def test_rows_that_were_left_out_are_taken_in_once_their_item_is_there(dom, folder: Path) -> None:
    rows = "JAR,NYC,4\nMUG,NYC,-1\nLID,NYC,6\nPOT,NYC,3\n"
    put(folder, "stock.csv", f"sku,node,delta\n{rows}")
    dom.work()
    dom.store.save_items("main", [Item("JAR")], now=to_micros(dom.now()))
    (parked,) = dom.parked()
    dom.retry(parked.id)
    assert on_hand(dom, "JAR") == {"NYC": 4}
    (left,) = dom.parked()
    assert "stock.csv:4.sku" in left.note
    assert "stock.csv:2" not in left.note
    dom.store.save_items("main", [Item("LID")], now=to_micros(dom.now()))
    dom.retry(left.id)
    assert (on_hand(dom, "LID"), on_hand(dom, "MUG")["NYC"]) == ({"NYC": 6}, 4)
    assert dom.parked() == []
    assert list(dom.verify()) == []


def test_a_count_that_was_left_out_is_no_newer_when_it_is_taken_in(dom, folder: Path) -> None:
    put(folder, "stock.csv", "sku,node,on_hand\nJAR,NYC,4\nMUG,NYC,1\n")
    dom.work()
    dom.store.save_items("main", [Item("JAR")], now=to_micros(dom.now()))
    later = StockCount("JAR", "NYC", on_hand=9, as_of=dom.now() + timedelta(minutes=1))
    dom.observe(ObserveStock("main", (later,)))
    (parked,) = dom.parked()
    dom.retry(parked.id)
    assert on_hand(dom, "JAR") == {"NYC": 9}


def connector(folder: Path, **more) -> FilesConnector:
    options = ConnectorOptions(folder=str(folder), **more)
    return FilesConnector("north", options, Disk(folder), clock=lambda: LATER)


def test_news_and_stock_may_share_a_file_of_json_lines(folder: Path) -> None:
    rows = (
        '{"key": "7-1-NYC", "status": "accepted", "at": "2026-01-06T10:00:00Z"}\n'
        '{"sku": "MUG", "node": "NYC", "on_hand": 4}\n'
    )
    put(folder, "a.jsonl", rows)
    told = connector(folder, owner="acme").poll("").notices
    assert [type(each).__name__ for each in told] == ["Notice", "ObserveStock"]
    assert told[1].owner == "acme"
    assert told[1].key


@pytest.mark.parametrize("text", [NOTICES, "sku,node,on_hand\nMUG,NYC,7\n"])
def test_a_csv_file_holds_the_one_or_the_other(folder: Path, text: str) -> None:
    put(folder, "a.csv", text)
    told = connector(folder).poll("").notices
    assert len({type(each) for each in told}) == 1


@pytest.mark.parametrize(
    "text",
    ["sku,node,on_hand\nMUG,NYC,many\n", "sku,node\nMUG,NYC\n", "sku,place,on_hand\nM,N,1\n"],
)
def test_a_bad_file_of_stock_is_set_aside(folder: Path, text: str) -> None:
    put(folder, "a.csv", text)
    (told,) = connector(folder).poll("").notices
    assert isinstance(told, PayloadError)
    aside = sorted(path.suffix for path in (folder / "failed").iterdir())
    assert aside == [".csv", ".txt"], "the file, and the reason beside it"


def test_stock_that_came_another_way_is_believed_only_where_that_is_switched_on(folder) -> None:
    body = b"sku,node,delta\nMUG,NYC,7\n"
    with pytest.raises(SignatureError):
        connector(folder).receive(Envelope("north", body))
    (news,) = connector(folder, deliveries="accept").receive(Envelope("north", body))
    assert isinstance(news, ObserveStock)
    assert news.key
    with pytest.raises(PayloadError):
        connector(folder, deliveries="accept").receive(Envelope("north", b"sku,node,delta\n"))
