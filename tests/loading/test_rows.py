"""Item and stock files: rows, places, bounds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domcore.errors import ConfigurationError, PayloadError
from domcore.loading import Problems, Source, read_items, read_stock
from domcore.model import Alias, Item, StockCount


def source(folder: Path, text: str | bytes, name: str) -> Source:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Source.of(path)


def items(at: Source) -> tuple[list[Item], list[Alias], str]:
    problems = Problems("file")
    rows = list(read_items(at, problems))
    said = ""
    try:
        problems.check()
    except PayloadError as error:
        said = str(error)
    return [row.item for row in rows], [each for row in rows for each in row.aliases], said


def counts(at: Source) -> tuple[list[StockCount], str]:
    problems = Problems("file")
    rows = [row.stock for row in read_stock(at, problems)]
    try:
        problems.check()
    except PayloadError as error:
        return rows, str(error)
    return rows, ""


def test_items_from_csv(tmp_path: Path) -> None:
    text = (
        "\ufeffsku,name,weight_kg,length_mm,tags,aliases.shop,attributes.brand\r\n"
        '"A,1","Kettle ""red""",1.25,240,,variant:1|old,Meadow\r\n'
        "\r\n"
        "B,,,,hazmat|fragile,,\r\n"
    )
    found, aliases, said = items(source(tmp_path, text, "items.csv"))
    assert said == ""
    assert found[0] == Item(
        "A,1", 'Kettle "red"', 1250, (240, 0, 0), attributes=(("brand", "Meadow"),)
    )
    assert found[1] == Item("B", tags=("fragile", "hazmat"))
    assert aliases == [Alias("shop", "variant:1", "A,1"), Alias("shop", "old", "A,1")]


def test_items_from_json_lines_and_toml_are_the_same(tmp_path: Path) -> None:
    line = '{"sku": "A", "weight_g": 5, "aliases": {"shop": "1"}, "attributes": {"n": 2}}'
    toml = '[[item]]\nsku = "A"\nweight_g = 5\naliases = { shop = ["1"] }\nattributes.n = 2\n'
    expected = ([Item("A", weight=5, attributes=(("n", 2),))], [Alias("shop", "1", "A")], "")
    assert items(source(tmp_path, line, "i.jsonl")) == expected
    assert items(source(tmp_path, toml, "i.toml")) == expected
    assert items(source(tmp_path, f'{{"item": [{line}]}}', "i.json")) == expected


def test_bad_rows_are_named_by_line_and_the_good_ones_still_read(tmp_path: Path) -> None:
    text = (
        "sku,weight_g,weight_kg\nA,1,\nB,x,\nC,1,1.0\nD,,1.2345\n"
        '"E\nE",-1,\nF,1\nG,1000000001,\n ,1,\n'
    )
    found, _, said = items(source(tmp_path, text, "i.csv"))
    name = tmp_path / "i.csv"
    assert [item.sku for item in found] == ["A"]
    assert f"{name}:3 weight_g: must be a whole number" in said
    assert f"{name}:4 weight_g: give weight_g or weight_kg, not both" in said
    assert f"{name}:5 weight_kg: must have at most three decimals" in said
    assert f"{name}:7 sku: has control" in said
    assert f"{name}:7 weight_g: must be from 0" in said
    assert f"{name}:8: has 2 cells where 3 columns are named" in said
    assert f"{name}:9 weight_g: must be from 0 to 1,000,000,000" in said
    assert f"{name}:10 sku: is missing" in said


def test_the_header_is_checked(tmp_path: Path) -> None:
    _, _, said = items(source(tmp_path, "sku,wieght_g\nA,1\n", "i.csv"))
    assert "wieght_g: is not a known field; did you mean 'weight_g'?" in said
    rows = "A,1\n" * 50
    _, _, said = items(source(tmp_path, f"SKU,weight,aliases.a,alias.b,alias.c\n{rows}", "i.csv"))
    assert said.count("\n") == 4
    assert "i.csv:1 SKU: is not a known field; did you mean 'sku'?" in said
    assert "i.csv:1 sku: is missing" in said
    assert "i.csv:1 alias: is not a known field; did you mean 'aliases'?" in said
    assert "a column is named twice" in items(source(tmp_path, "sku,sku\nA,A\n", "i.csv"))[2]


def test_json_is_typed_and_csv_is_text(tmp_path: Path) -> None:
    for bad in ('"5"', "true", "5.5", "null", "[5]"):
        line = f'{{"sku": "A", "weight_g": {bad}}}'
        assert "must be a whole number" in items(source(tmp_path, line, "i.jsonl"))[2]
    assert "must be text" in items(source(tmp_path, '{"sku": 5}', "i.jsonl"))[2]
    assert items(source(tmp_path, "sku,weight_g\n5,5\n", "i.csv"))[0] == [Item("5", weight=5)]


def test_text_is_composed_so_that_equal_codes_are_equal(tmp_path: Path) -> None:
    assert items(source(tmp_path, "sku\ncafe\u0301\n", "i.csv"))[0] == [Item("caf\u00e9")]


def test_a_json_line_that_is_none_is_named(tmp_path: Path) -> None:
    text = '{"sku": "A"}\n[1]\n{"sku": \n{"type": "node"}\n'
    found, _, said = items(source(tmp_path, text, "i.jsonl"))
    name = tmp_path / "i.jsonl"
    assert [item.sku for item in found] == ["A"]
    assert f"{name}:2: must be an object" in said
    assert f"{name}:3" in said
    assert f"{name}:4: type must be one of item" in said


def test_stock_counts_and_deltas(tmp_path: Path) -> None:
    text = "sku,node,on_hand,delta,safety,as_of\nA,N,5,,1,2026-11-02T08:00:00-05:00\nA,M,,-2,,\n"
    found, said = counts(source(tmp_path, text, "s.csv"))
    assert said == ""
    as_of = datetime(2026, 11, 2, 13, tzinfo=UTC)
    assert found == [StockCount("A", "N", 5, None, 1, as_of), StockCount("A", "M", delta=-2)]


def test_a_count_below_zero_is_none(tmp_path: Path) -> None:
    text = "sku,node,on_hand,blocked\nA,N,-3,\nA,M,-1,2\n"
    found, said = counts(source(tmp_path, text, "s.csv"))
    assert (found, said) == ([StockCount("A", "N", 0), StockCount("A", "M", 0, blocked=0)], "")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A,N,,,,", "give on_hand, delta, blocked or safety"),
        ("A,N,1,1,,", "give on_hand or delta"),
        ("A,N,1000000001,,,", "on_hand: must be from -1,000,000,000 to"),
        ("A,N,-1000000001,,,", "on_hand: must be from -1,000,000,000 to"),
        ("A,N,99999999999999999999,,,", "on_hand: must be a whole number"),
        ("A,N,1.0,,,", "on_hand: must be a whole number"),
        ("A,N,\u0661,,,", "on_hand: must be a whole number"),
        ("A,N,1,,,2026-11-02T08:00:00", "as_of: must be a time with an offset"),
        ("A,N,1,,,yesterday", "as_of: must be a time such as"),
        (",N,1,,,", "sku: is missing"),
    ],
)
def test_bad_counts_are_refused(tmp_path: Path, row: str, message: str) -> None:
    text = f"sku,node,on_hand,delta,safety,as_of\n{row}\n"
    found, said = counts(source(tmp_path, text, "s.csv"))
    assert found == []
    assert message in said


def test_toml_times_are_times(tmp_path: Path) -> None:
    text = '[[stock]]\nsku = "A"\nnode = "N"\non_hand = 1\nas_of = 2026-11-02T08:00:00Z\n'
    found, _ = counts(source(tmp_path, text, "s.toml"))
    assert found[0].as_of == datetime(2026, 11, 2, 8, tzinfo=UTC)


def test_reading_stops_at_a_thousand_problems(tmp_path: Path) -> None:
    rows = "".join(f"S{number},N,x\n" for number in range(5000))
    problems = Problems("s.csv")
    with pytest.raises(PayloadError) as caught:
        list(read_stock(source(tmp_path, f"sku,node,on_hand\n{rows}", "s.csv"), problems))
    assert len(caught.value.problems) == 1001
    assert "stopped reading" in caught.value.problems[-1].message
    assert len(str(caught.value).splitlines()) < 30


def test_an_open_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    rows = "".join(f"S{number},N,1\n" for number in range(30_000))
    _, said = counts(source(tmp_path, f'sku,node,on_hand\n"A,N,1\n{rows}', "s.csv"))
    assert "is not CSV" in said


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    at = source(tmp_path, b'{"sku": "' + b"x" * 2_000_000, "i.jsonl")
    with pytest.raises(ConfigurationError, match="line 1: the line is longer than 1 MB"):
        items(at)


def test_a_large_file_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write("sku,node,on_hand\n")
        file.writelines(f"SKU-{number},N-{number % 7},{number % 100}\n" for number in range(30_000))

    def size(rows: Iterator[object]) -> int:
        return sum(1 for _ in rows)

    tracemalloc.start()
    try:
        assert size(read_stock(Source.of(path), Problems("big.csv"))) == 30_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_may_end_as_any_system_ends_them(tmp_path: Path, end: str, last: bool) -> None:
    lines = ["sku,name", "A,one", '"B","t""wo"', "C,"]
    text = end.join(lines) + (end if last else "")
    found, _, said = items(source(tmp_path, text, "i.csv"))
    assert ([each.sku for each in found], said) == (["A", "B", "C"], "")
    assert found[1].name == 't"wo'


def test_a_long_file_of_lone_carriage_returns_is_read_line_by_line(tmp_path: Path) -> None:
    """CR LF may be torn apart where a stretch of the file ends."""
    for end in ("\r", "\r\n"):
        text = f"sku,name{end}" + "".join(f"S{n},n{n}{end}" for n in range(60_000))
        found, _, said = items(source(tmp_path, text, "i.csv"))
        assert (len(found), said) == (60_000, "")


def test_a_stray_carriage_return_in_the_header_is_refused_in_words(tmp_path: Path) -> None:
    found, said = counts(source(tmp_path, b"sku,node\r,on_hand\nMUG,NYC,4\n", "s.csv"))
    assert found == []
    assert "s.csv:3" in said


def test_a_header_that_no_csv_reader_takes_is_refused_in_words(tmp_path: Path) -> None:
    said = items(source(tmp_path, "sku," + "x" * 200_000 + "\n", "i.csv"))[2]
    assert "i.csv:1: is not CSV: field larger than field limit" in said
