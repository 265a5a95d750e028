"""A node that exchanges files tells what is on its shelves."""

from __future__ import annotations

from pathlib import Path

import pytest

from domcore import ConnectorSettings, Settings, SignatureError
from domcore.errors import PayloadError
from domcore.model import Envelope, ObserveStock
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
