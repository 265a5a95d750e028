"""Text of the whole world means the same in CSV and in JSON Lines, coming in and going out."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

LINES = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40)
    .map(str.strip)
    .filter(bool)
)
WORDS = LINES.filter(lambda text: text.isprintable() and text.isascii() == text.isalnum())
"""What a code may be, and no partner's table of words needs to know."""

PERSONAL = ("name", "company", "email", "phone", "street", "street2", "city")
ORDER = {"order": "1", "line": "1", "sku": "A", "placed_at": "2026-01-05T08:00:00Z"}
NEWS = {"key": "1-1-NYC", "status": "shipped", "at": "2026-01-05T08:00:00Z"}


def sheet(row: dict[str, str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().encode()


def taken(kit: Any, make: Any, name: str, body: bytes) -> Any:
    """What a channel or connector makes of one file in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        kit.put(Path(folder), name, body)
        adapter = make(Path(folder))
        shop = hasattr(adapter, "pull")
        items = adapter.pull("").commands if shop else adapter.poll("").notices
        said = [each.read_text() for each in Path(folder, "failed").glob("*.reason.txt")]
        assert said == []
        (one,) = items
        return one


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def texts_in(value: Any) -> list[str]:
    """Every text of a command, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for each in value for text in texts_in(each)]
    names = getattr(value, "__attrs_attrs__", ())
    return [text for each in names for text in texts_in(getattr(value, each.name))]


@given(text=LINES, word=WORDS)
@example(text="Rue de l'Église 1, 東京\u3000港区", word="Größe")
@example(text="Zu\u0308rich", word="Öl")
def test_an_order_says_the_same_in_both_formats(kit, text, word):
    row = {**ORDER, **dict.fromkeys(PERSONAL, text), "quantity": "2", "country": "CH"}
    row |= {"order": word, "line": word, "sku": word, "number": text, "tier": text}
    line = {name: row.pop(name) for name in ("line", "sku", "quantity")}
    told = {**row, "lines": [{**line, "quantity": 2}]}
    by_row = taken(kit, kit.make_channel, "1.csv", sheet({**row, **line}))
    by_line = taken(kit, kit.make_channel, "1.jsonl", json.dumps(told).encode())
    assert evolve(by_row, key="") == evolve(by_line, key="")
    assert (by_row.person.name, by_row.person.street) == (composed(text), (composed(text),) * 2)
    assert by_row.order.external_id == composed(word)
    assert {type(each) for each in texts_in(by_row)} == {str}


@given(text=LINES, word=WORDS)
@example(text="Größer Karton", word="Österreichische")
def test_news_says_the_same_in_both_formats(kit, text, word):
    row = {**NEWS, "package": text, "carrier": text, "tracking": text, "detail": text}
    row |= {"reference": text, "message": text, "line": word}
    by_row = taken(kit, kit.make_connector, "1.csv", sheet({**row, "quantity": "2"}))
    body = json.dumps({**row, "quantity": 2}, ensure_ascii=False).encode()
    assert by_row == taken(kit, kit.make_connector, "1.jsonl", body)
    assert (by_row.detail, by_row.packages[0].carrier) == (composed(text), composed(text))
    assert {type(each) for each in texts_in(by_row)} == {str}


@given(WORDS)
@example("Größe")
def test_a_count_says_the_same_in_both_formats(kit, word):
    row = {"sku": word, "node": word}
    by_row = taken(kit, kit.make_channel, "1.csv", sheet({**row, "on_hand": "2"}))
    body = json.dumps({**row, "on_hand": 2}).encode()
    assert by_row.counts == taken(kit, kit.make_channel, "1.jsonl", body).counts
    assert {type(each) for each in texts_in(by_row.counts)} == {str}
