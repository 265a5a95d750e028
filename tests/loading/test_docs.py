"""The examples of docs/files.md are loaded, and its tables name every field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domcore import Domcore, Settings
from domcore.cli.deliveries import arrivals
from domcore.loading import (
    Problems,
    Source,
    items,
    load_orders,
    network,
    read_items,
    read_network,
    stock,
)
from domcore.loading.order_rows import ROW
from domcore.loading.shape import Shape
from domcore.loading.stock import read_stock

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))

_OF_LINE = ("line", "sku", "quantity", "price", "ships", "discount", "tax")
OF_LINE = Shape(tuple(field for field in ROW.fields if field.name in _OF_LINE))
OF_ORDER = Shape(tuple(field for field in ROW.fields if field.name not in _OF_LINE))


def example(folder: Path, name: str) -> Source:
    path = folder / name
    path.write_text(EXAMPLES[name], encoding="utf-8")
    return Source.of(path)


@pytest.mark.parametrize("name", ["network.toml", "nodes.csv"])
def test_network_examples_load(tmp_path: Path, name: str) -> None:
    found = read_network([example(tmp_path, name)])
    assert [node.id for node in found.nodes] == ["DC-EAST", "ST-NYC"]


@pytest.mark.parametrize("name", ["items.csv", "items.jsonl"])
def test_item_examples_load(tmp_path: Path, name: str) -> None:
    problems = Problems(name)
    rows = list(read_items(example(tmp_path, name), problems))
    problems.check()
    assert [(row.item.sku, row.item.weight) for row in rows] == [
        ("KIT-0001", 1250),
        ("PNT-0002", 2400),
    ]


@pytest.mark.parametrize("name", ["stock.csv", "stock.jsonl"])
def test_stock_examples_load(tmp_path: Path, name: str) -> None:
    problems = Problems(name)
    rows = list(read_stock(example(tmp_path, name), problems))
    problems.check()
    assert {row.stock.sku for row in rows} == {"KIT-0001", "PNT-0002"}


def test_the_example_of_deliveries_is_read(tmp_path: Path) -> None:
    found = list(arrivals(example(tmp_path, "deliveries.jsonl").path, None, {}))
    assert [(each.body, each.error) for each in found] == [(b'{"id": 1}', ""), (b'{"id": 2}', "")]


@pytest.mark.parametrize("name", ["orders.csv", "orders.jsonl"])
def test_order_examples_load(tmp_path: Path, name: str) -> None:
    source = example(tmp_path, name)
    with Domcore(Settings(store="memory:"), load_plugins=False) as dom:
        told = load_orders(dom, source)
        assert (told.problems, sum(told.counts.values())) == ((), 2)


@pytest.mark.parametrize(
    ("heading", "shape"),
    [
        ("node", network.NODE),
        ("handling", network.HANDLING),
        ("rate_card", network.RATE_CARD),
        ("rate_card.band", network.BAND),
        ("steps", network.STEP),
        ("item", items.ITEM),
        ("stock", stock.STOCK),
        ("order", OF_ORDER),
        ("line", OF_LINE),
    ],
)
def test_the_tables_name_every_field(heading: str, shape: Shape) -> None:
    section = PAGE.split(f"\n### {heading}\n")[1].split("\n#")[0]
    for field in shape.fields:
        needed = " **Needed.**" if field.needed else ""
        assert f"| `{field.name}` | {field.summary}.{needed} |" in section
    assert section.count("\n| `") == len(shape.fields)
