"""``domcore load items|stock``: the good rows are taken, the bad ones written aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

NETWORK = """
[[node]]
id = "N1"
kind = "dc"
lat = 40.5
lon = -74

[[node]]
id = "N2"
kind = "store"
lat = 41
lon = -75
"""


@pytest.fixture
def loaded(empty: Path, run) -> Path:
    (empty / "network.toml").write_text(NETWORK)
    (empty / "items.csv").write_text("sku,weight_g\nA,100\nB,200\n")
    for what, file in (("network", "network.toml"), ("items", "items.csv")):
        assert run("load", what, file).exit_code == 0
    return empty


def on_hand(run) -> Mapping[tuple[str, str], int]:
    rows = [json.loads(line) for line in run("stock", "--json").stdout.splitlines()]
    return {(row["sku"], row["node"]): row["on_hand"] for row in rows}


def known_skus(run, *skus: str) -> list[str]:
    """Which of these may be counted."""
    return [sku for sku in skus if run("stock", "count", sku, "N1", "0").exit_code == 0]


BAD = (
    'sku,node,on_hand\r\nA,N1,1\r\nC,N1,1\r\n"A",N3,"1"\r\nB,N2,3\r\nB,N1,x\r\n'
    "A,N2,2,9\r\nB,N2,4\r\n"
)


def test_the_good_rows_are_taken_and_the_bad_ones_written_aside(loaded: Path, run) -> None:
    (loaded / "stock.csv").write_bytes(BAD.encode())
    result = run("load", "stock", "stock.csv")
    assert result.exit_code == 4
    assert result.stdout == (
        "Loaded 1 count from stock.csv.\n"
        "Left out 6 bad rows, written to stock.bad.csv; stock.bad.csv.reasons.txt says why."
        " Mend them there and load that file.\n"
    )
    assert on_hand(run) == {("A", "N1"): 1}
    said = [line.strip() for line in result.stderr.splitlines()]
    assert [each.split()[0] for each in said] == [
        "stock.csv:3:", "stock.csv:4:", "stock.csv:5:", "stock.csv:6", "stock.csv:7:",
        "stock.csv:8:",
    ]  # fmt: skip
    assert said[0] == "stock.csv:3: SKU 'C' is not known; load the items first"
    assert said[1].startswith("stock.csv:4: node 'N3' is not in the network")
    assert said[3] == "stock.csv:6 on_hand: must be a whole number"
    assert said[4] == "stock.csv:7: has 4 cells where 3 columns are named"
    assert run("verify").exit_code == 0


def test_of_what_is_counted_twice_nothing_is_taken(loaded: Path, run) -> None:
    (loaded / "stock.csv").write_text("sku,node,on_hand\nB,N2,3\nA,N1,1\nB,N2,4\n")
    result = run("load", "stock", "stock.csv")
    assert result.exit_code == 4
    assert on_hand(run) == {("A", "N1"): 1}
    assert "stock.csv:2: 'B' at 'N2' is counted again, further down" in result.stderr
    assert "stock.csv:4: 'B' at 'N2' is counted twice" in result.stderr
    assert (loaded / "stock.bad.csv").read_text() == "sku,node,on_hand\nB,N2,3\nB,N2,4\n"


def test_bad_rows_are_kept_as_they_were_written(loaded: Path, run) -> None:
    (loaded / "stock.csv").write_bytes(BAD.encode())
    run("load", "stock", "stock.csv")
    assert (loaded / "stock.bad.csv").read_bytes().decode() == BAD.replace("A,N1,1\r\n", "")
    reasons = (loaded / "stock.bad.csv.reasons.txt").read_text().splitlines()
    assert reasons[0] == (
        "stock.bad.csv:2 was stock.csv:3: SKU 'C' is not known; load the items first"
    )
    assert reasons[3] == "stock.bad.csv:5 was stock.csv:6 on_hand: must be a whole number"


def test_the_file_of_bad_rows_is_mended_and_loaded(loaded: Path, run) -> None:
    text = "sku;node;on_hand\nA;N1;1\nB;N1;x\nB;N2;y\n"
    (loaded / "stock.csv").write_text(text)
    assert run("load", "stock", "stock.csv").exit_code == 4
    aside = loaded / "stock.bad.csv"
    aside.write_text(aside.read_text().replace("x", "7"))
    result = run("load", "stock", "stock.bad.csv")
    assert result.exit_code == 4
    assert on_hand(run) == {("A", "N1"): 1, ("B", "N1"): 7}
    again = loaded / "stock.bad-2.csv"
    assert again.read_text() == "sku;node;on_hand\nB;N2;y\n"
    again.write_text(again.read_text().replace("y", "8"))
    assert run("load", "stock", again.name).exit_code == 0
    assert on_hand(run) == {("A", "N1"): 1, ("B", "N1"): 7, ("B", "N2"): 8}


def test_items_are_taken_likewise(loaded: Path, run) -> None:
    (loaded / "new.csv").write_text(
        'sku,name,weight_g\nC,"two\nlines",1\nD,one,5\nE,,-1\nF,,1\nF,,2\n'
    )
    result = run("load", "items", "new.csv")
    assert result.exit_code == 4
    assert result.stdout.startswith("Loaded 1 item from new.csv.\nLeft out 4 bad rows")
    assert "new.csv:6: SKU 'F' is in the file again, further down" in result.stderr
    assert "new.csv:7: SKU 'F' is in the file already" in result.stderr
    assert (loaded / "new.bad.csv").read_text() == (
        'sku,name,weight_g\nC,"two\nlines",1\nE,,-1\nF,,1\nF,,2\n'
    )
    reasons = (loaded / "new.bad.csv.reasons.txt").read_text()
    assert "new.bad.csv:3 was new.csv:3 name: has control" in reasons
    assert "new.bad.csv:4 was new.csv:5 weight_g:" in reasons
    assert known_skus(run, "C", "D", "E", "F") == ["D"]


def test_json_lines_stay_json_lines(loaded: Path, run) -> None:
    rows = ['{"sku": "C", "weight_kg": 1.50}', '{"sku": "D"}', "{", '{"type": "node", "sku": "E"}']
    (loaded / "new.ndjson").write_text("\n".join(rows))
    assert run("load", "items", "new.ndjson").exit_code == 4
    bad = [rows[0], rows[2], rows[3]]
    assert (loaded / "new.bad.ndjson").read_text() == "".join(f"{each}\n" for each in bad)
    assert known_skus(run, "C", "D", "E") == ["D"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("new.json", '{"item": [{"sku": "C"}, {"sku": "D", "weight_kg": 1.50}, 7]}'),
        (
            "new.toml",
            'item = [{ sku = "C" }, { sku = "D", weight_kg = 1.50 }, { sku = "E", on = 1 }]',
        ),
    ],
)
def test_bad_records_of_documents_become_json_lines(name, text, loaded: Path, run) -> None:
    (loaded / name).write_text(text)
    result = run("load", "items", name)
    assert result.exit_code == 4, result.output
    first, second = map(json.loads, (loaded / "new.bad.jsonl").read_text().splitlines())
    assert (first["sku"], float(first["weight_kg"])) == ("D", 1.5)
    assert second in (7, {"sku": "E", "on": 1})
    assert known_skus(run, "C", "D", "E") == ["C"]
    assert run("load", "items", "new.bad.jsonl").exit_code == 1


def test_times_of_a_toml_file_are_written_aside_as_they_are_read(loaded: Path, run) -> None:
    (loaded / "stock.toml").write_text(
        '[[stock]]\nsku = "A"\nnode = "N1"\non_hand = 1\n'
        '[[stock]]\nsku = "C"\nnode = "N1"\non_hand = 5\nas_of = 2026-11-02T08:00:00Z\n'
    )
    assert run("load", "stock", "stock.toml").exit_code == 4
    aside = loaded / "stock.bad.jsonl"
    aside.write_text(aside.read_text().replace('"C"', '"B"'))
    assert run("load", "stock", aside.name).exit_code == 0
    assert on_hand(run) == {("A", "N1"): 1, ("B", "N1"): 5}


def test_one_bad_row_refuses_the_file_where_that_is_wanted(loaded: Path, run) -> None:
    (loaded / "stock.csv").write_bytes(BAD.encode())
    result = run("load", "stock", "stock.csv", "--bad-rows", "refuse")
    assert result.exit_code == 1
    assert "stock.csv: cannot be loaded, and nothing was changed" in result.stderr
    (loaded / "new.csv").write_text("sku,weight_g\nC,1\nD,x\n")
    assert run("load", "items", "new.csv", "--bad-rows", "refuse").exit_code == 1
    assert on_hand(run) == {}
    assert known_skus(run, "C") == []
    assert not list(loaded.glob("*.bad*"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sku,node,on_hnd\nA,N1,1\n", "on_hnd: is not a known field"),
        ("sku,on_hand\nA,1\n", "node: is missing"),
        ("sku,node,on_hand\nC,N1,1\nA,N1,x\n", "SKU 'C' is not known"),
        ("sku,node,on_hand\nA,N1,1\nA,N1,2\n", "'A' at 'N1' is counted twice"),
        ('sku,node,on_hand\nA,N1,1\n"A,N2,1\nB,N1,1\n', "is not CSV"),
    ],
    ids=["wrong column", "no column", "only bad rows", "only twice", "open quote"],
)
def test_a_file_of_which_nothing_can_be_taken_is_refused(text, said, loaded: Path, run) -> None:
    (loaded / "stock.csv").write_text(text)
    result = run("load", "stock", "stock.csv")
    assert result.exit_code == 1
    assert "stock.csv: cannot be loaded, and nothing was changed" in result.stderr
    assert said in result.stderr
    assert on_hand(run) == {}
    assert not list(loaded.glob("*.bad*"))


def test_a_line_that_is_no_text_refuses_the_file(loaded: Path, run) -> None:
    (loaded / "stock.csv").write_bytes(b"sku,node,on_hand\nA,N1,1\n\xe9,N1,1\n")
    result = run("load", "stock", "stock.csv")
    assert (result.exit_code, "line 3: is not UTF-8" in result.stderr) == (1, True)
    assert on_hand(run) == {}


def test_beyond_a_thousand_faults_nothing_is_taken(loaded: Path, run) -> None:
    rows = "A,N1,1\n" + "B,N1,x\n" * 1000
    (loaded / "stock.csv").write_text(f"sku,node,on_hand\n{rows}")
    result = run("load", "stock", "stock.csv")
    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr
    assert on_hand(run) == {}
    assert not list(loaded.glob("*.bad*"))


def test_bad_rows_that_cannot_be_written_refuse_the_file(loaded: Path, run) -> None:
    name = f"{'s' * 250}.csv"
    (loaded / name).write_text("sku,node,on_hand\nA,N1,1\nB,N1,x\n")
    result = run("load", "stock", name)
    assert result.exit_code == 1
    assert "nothing was changed: its bad rows cannot be written to" in result.stderr
    assert "File name too long" in result.stderr
    assert f"{name}:3 on_hand: must be a whole number" in result.stderr
    assert on_hand(run) == {}


def test_bad_rows_of_standard_input_are_written_where_one_stands(loaded: Path, run) -> None:
    result = run(
        "load", "stock", "-", "--format", "csv", stdin="sku,node,on_hand\nA,N1,1\nB,N1,x\n"
    )
    assert result.exit_code == 4
    assert "written to standard-input.bad.csv" in result.stdout
    assert "standard input:3 on_hand: must be a whole number" in result.stderr
    assert (loaded / "standard-input.bad.csv").read_text() == "sku,node,on_hand\nB,N1,x\n"


def test_a_name_without_a_suffix_gets_the_one_of_its_format(loaded: Path, run) -> None:
    (loaded / "counts").write_text("sku,node,on_hand\nA,N1,1\nB,N1,x\n")
    assert run("load", "stock", "counts", "--format", "csv").exit_code == 4
    assert (loaded / "counts.bad.csv").exists()


def test_the_same_bad_rows_are_written_once_and_other_files_left_alone(loaded: Path, run) -> None:
    source = loaded / "stock.csv"
    source.write_text("sku,node,on_hand\nA,N1,1\nB,N1,x\n")
    for _ in range(2):
        assert run("load", "stock", "stock.csv").exit_code == 4
    assert [path.name for path in loaded.glob("stock.bad*.csv")] == ["stock.bad.csv"]
    mended = "sku,node,on_hand\nB,N1,7\n"
    (loaded / "stock.bad.csv").write_text(mended)
    result = run("load", "stock", "stock.csv")
    assert "written to stock.bad-2.csv; stock.bad-2.csv.reasons.txt says why" in result.stdout
    assert (loaded / "stock.bad.csv").read_text() == mended
    assert (loaded / "stock.bad-2.csv").read_text() == "sku,node,on_hand\nB,N1,x\n"


def test_programs_are_told_what_was_left_out(loaded: Path, run) -> None:
    (loaded / "stock.csv").write_text("sku,node,on_hand\nA,N1,1\nB,N1,x\n")
    result = run("load", "stock", "stock.csv", "--json")
    assert result.exit_code == 4
    told = json.loads(result.stdout)
    assert (told["loaded"], told["left_out"]) == (1, 1)
    assert (told["aside"], told["reasons"]) == ("stock.bad.csv", "stock.bad.csv.reasons.txt")
    assert told["problems"] == ["stock.csv:3 on_hand: must be a whole number"]


def test_changes_count_once_whatever_was_left_out(loaded: Path, run) -> None:
    (loaded / "delta.csv").write_text("sku,node,delta\nA,N1,5\nC,N1,2\n")
    assert run("load", "stock", "delta.csv").exit_code == 4
    again = run("load", "stock", "delta.csv")
    assert again.exit_code == 4
    assert "loaded already, and nothing changed" in again.stdout
    (loaded / "c.csv").write_text("sku,weight_g\nC,1\n")
    assert run("load", "items", "c.csv").exit_code == 0
    # All of its rows are good now, but one of them has been taken in.
    third = run("load", "stock", "delta.csv")
    assert third.exit_code == 4
    assert "had been loaded before with other rows left out" in third.stdout
    assert on_hand(run) == {("A", "N1"): 5}
    assert run("load", "stock", "delta.bad.csv").exit_code == 0
    assert on_hand(run) == {("A", "N1"): 5, ("C", "N1"): 2}


def test_dated_counts_may_come_again_with_fewer_left_out(loaded: Path, run) -> None:
    (loaded / "stock.csv").write_text(
        "sku,node,on_hand,as_of\nA,N1,5,2026-11-02T08:00:00Z\nC,N1,2,2026-11-02T08:00:00Z\n"
    )
    assert run("load", "stock", "stock.csv").exit_code == 4
    (loaded / "c.csv").write_text("sku,weight_g\nC,1\n")
    assert run("load", "items", "c.csv").exit_code == 0
    assert run("load", "stock", "stock.csv").exit_code == 0
    assert on_hand(run) == {("A", "N1"): 5, ("C", "N1"): 2}


def test_a_network_is_loaded_whole_or_not_at_all(loaded: Path, run) -> None:
    (loaded / "nodes.csv").write_text("id,kind,lat,lon\nN7,dc,40,-74\nN8,dc,400,-74\n")
    result = run("load", "network", "nodes.csv")
    assert result.exit_code == 1
    assert "nodes.csv:3 lat:" in result.stderr
    assert "N7" not in run("nodes", "--json").stdout
    assert not list(loaded.glob("*.bad*"))
