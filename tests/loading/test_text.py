"""Text of the whole world means the same in CSV, JSON Lines, JSON and TOML."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domcore import Domcore, Settings
from domcore.loading import Source, load_items, load_network, load_stock, read_items, read_stock
from domcore.loading.items import ITEM
from domcore.loading.network import BAND, HANDLING, NODE, RATE_CARD, STEP, read_network
from domcore.loading.problems import Problems
from domcore.loading.shape import Cell, Field, Shape
from domcore.loading.stock import STOCK

SHAPES = (ITEM, NODE, HANDLING, RATE_CARD, BAND, STEP, STOCK)

LINES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=40
).map(str.strip)
"""What free text may be: one line in any script. Cells lose the blanks around them."""

WORDS = LINES.filter(lambda text: text.isprintable() and "|" not in text)
"""What a code may be: nothing in it that nobody can see."""

SAMPLES = ("Zürich", "Zu\u0308rich", "東京都\u3000港区", "Smørrebrød", "علی\u200cرضا", "👩\u200d🚀")

RATES = '[[rate_card]]\nid = "ground"\ncurrency = "USD"\n[[rate_card.band]]\nbase = "4.00"\n'


def text_fields() -> Iterator[Field]:
    """Every field of every file that takes free text or a code."""
    for shape in SHAPES:
        for field in shape.fields:
            try:
                if type(field.read("Zürich")) is str:
                    yield field
            except ValueError:
                continue


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def write_csv(folder: Path, name: str, row: Mapping[str, str]) -> Source:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    return write(folder, name, text.getvalue())


def write(folder: Path, name: str, text: str) -> Source:
    path = folder / name
    path.write_bytes(text.encode())
    return Source.of(path)


def written_everywhere(folder: Path, kind: str, values: dict[str, Any], row: dict[str, str]):
    """The same record as a file of each format."""
    line = json.dumps({"type": kind, **values}, ensure_ascii=False)
    yield write_csv(folder, "file.csv", row)
    yield write(folder, "file.jsonl", line + "\n")
    yield write(folder, "file.json", json.dumps({kind: [values]}))
    yield write(folder, "file.toml", f"[[{kind}]]\n" + "".join(toml_of(values)))


def toml_of(values: Mapping[str, Any]) -> Iterator[str]:
    """JSON's escapes are TOML's, halves of pairs apart; only tables differ."""
    for name, value in values.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{quoted(key)} = {quoted(each)}" for key, each in value.items())
            yield f"{name} = {{ {inner} }}\n"
        elif isinstance(value, list):
            yield f"{name} = [{', '.join(map(quoted, value))}]\n"
        else:
            yield f"{name} = {quoted(value) if isinstance(value, str) else value}\n"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_one(read: Any, source: Source) -> Any:
    problems = Problems("file")
    found = list(read(source, problems))
    problems.check()
    (one,) = found
    return one


def test_there_are_text_fields_in_every_file() -> None:
    names = {field.name for field in text_fields()}
    assert {"sku", "name", "category", "id", "node", "rate_card", "connector"} <= names


@pytest.mark.parametrize("text", SAMPLES)
def test_a_cell_is_read_as_the_same_plain_text(text: str) -> None:
    for field in text_fields():
        try:
            told = field.read(text)
        except ValueError as error:  # codes take nothing that cannot be seen
            with pytest.raises(ValueError, match=str(error)):
                field.read(Cell(text))
            continue
        read = field.read(Cell(text))
        assert (read, type(read)) == (told, str) == (composed(text), str), field.name


@given(LINES.filter(bool), WORDS.filter(bool))
@example("Café 東京\u3000港区", "Größe")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_item_is_the_same_in_every_format(tmp_path: Path, name: str, word: str) -> None:
    code = composed(word).strip()
    values = {
        "sku": word,
        "name": name,
        "category": name,
        "tags": [word],
        "aliases": {"shop": [word]},
        "attributes": {"größe": name},
    }
    row = {"sku": word, "name": name, "category": name, "tags": word}
    row |= {"aliases.shop": word, "attributes.gro\u0308ße": name}
    found = [
        read_one(read_items, each) for each in written_everywhere(tmp_path, "item", values, row)
    ]
    for one in found:
        assert (one.item, one.aliases) == (found[1].item, found[1].aliases)
        assert (one.item.sku, one.item.name) == (code, composed(name))
        assert dict(one.item.attributes) == {"größe": composed(name)}
        assert all(type(each) is str for each in (one.item.sku, one.item.name, *one.item.tags))


@given(LINES.filter(bool), WORDS.filter(bool))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_node_is_the_same_in_every_format(tmp_path: Path, name: str, word: str) -> None:
    rates = write(tmp_path, "rates.toml", RATES)
    values = {"id": word, "name": name, "kind": "dc", "lat": 47, "lon": 8, "rate_card": "ground"}
    row = {key: str(value) for key, value in values.items()}
    found = [
        read_network([rates, each]).nodes[0]
        for each in written_everywhere(tmp_path, "node", values, row)
    ]
    assert found == [found[0]] * 4
    assert (found[0].id, found[0].name) == (composed(word), composed(name))


@given(WORDS.filter(bool), WORDS.filter(bool))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_count_is_the_same_in_every_format(tmp_path: Path, sku: str, node: str) -> None:
    values = {"sku": sku, "node": node, "on_hand": 3}
    row = {key: str(value) for key, value in values.items()}
    found = [
        read_one(read_stock, each).stock
        for each in written_everywhere(tmp_path, "stock", values, row)
    ]
    assert found == [found[0]] * 4
    assert (found[0].sku, found[0].node) == (composed(sku), composed(node))


@pytest.mark.parametrize("text", ["a\nb", "a\u2028b", "a\x07b", "\x7f"])
def test_what_is_no_line_is_refused_in_free_text_too(text: str) -> None:
    (name,) = (field for field in Shape(ITEM.fields).fields if field.name == "name")
    with pytest.raises(ValueError, match="control or unprintable"):
        name.read(text)


def test_a_shop_in_zurich_is_loaded_from_csv(tmp_path: Path) -> None:
    rates = write(tmp_path, "rates.toml", RATES)
    node = {"id": "ZÜRI", "name": "Zürich", "kind": "dc", "lat": "47.37", "lon": "8.54"}
    nodes = write_csv(tmp_path, "nodes.csv", {**node, "rate_card": "ground", "attributes.né": "é"})
    items = write_csv(tmp_path, "items.csv", {"sku": "CAFÉ", "name": "Café mug", "tags": "größe"})
    stock = write_csv(tmp_path, "stock.csv", {"sku": "CAFÉ", "node": "ZÜRI", "on_hand": "4"})
    with Domcore(Settings(store="memory:"), load_plugins=False) as dom:
        load_network(dom, [rates, nodes])
        load_items(dom, items, owner="main")
        load_stock(dom, stock, owner="main")
        assert [each.name for each in dom.network().nodes] == ["Zürich"]
        (row,) = dom.stock()
        assert (row.sku, row.node, row.on_hand) == ("CAFÉ", "ZÜRI", 4)
