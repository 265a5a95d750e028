"""Files and partners at their worst: huge, unreadable, taken away at the wrong moment."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest

from domcore.errors import ConnectorError
from domcore.model import StockLevel
from domcore.testing import make_handover


@pytest.mark.parametrize("name", ["wide.csv", "wide.jsonl"])
def test_a_file_of_countless_columns_is_set_aside_at_once(kit, folder, name):
    columns = [f"order{number}" for number in range(60_000)]
    if name.endswith("csv"):
        text = f"{','.join(columns)}\n{',' * (len(columns) - 1)}x\n"
    else:
        text = json.dumps(dict.fromkeys(columns, "x")) + "\n"
    kit.put(folder, name, text)
    began = time.process_time()
    (told,) = kit.make_channel(folder).pull("").commands
    assert "was set aside" in str(told)
    assert time.process_time() - began < 5
    failed = [each for each in kit.files(folder, "failed") if each.endswith(".reason.txt")]
    assert len((folder / "failed" / failed[0]).read_text()) < 20_000


def test_a_file_that_may_not_be_read_keeps_no_other_back(kit, folder):
    class Denied(kit.Calls):
        def __getattr__(self, name):
            function = super().__getattr__(name)

            def call(*args):
                if name == "open" and "secret" in str(args[0]) and "failed" not in str(args[0]):
                    raise PermissionError(13, "Permission denied")
                return function(*args)

            return call

    kit.put(folder, "a-secret.csv", kit.ORDERS)
    kit.put(folder, "b.csv", kit.ORDERS)
    channel = kit.make_channel(folder, Denied())
    page = channel.pull("")
    *taken, told = page.commands
    assert len(taken) == 2
    assert "a-secret.csv: was set aside" in str(told)
    (reason,) = [each for each in kit.files(folder, "failed") if each.endswith(".reason.txt")]
    assert "may not be read" in (folder / "failed" / reason).read_text() or "secret" in reason


@pytest.mark.parametrize("sku", ["a" * 900, " spaced ", "line\nbreak", "=1+1", "a|b", "\u202e"])
def test_levels_of_any_sku_are_published_again_and_again(kit, folder, sku):
    ids = tuple(f"{number}|{'x' * 50}" for number in range(400))
    channel = kit.make_channel(folder)
    channel.publish_stock([StockLevel(sku, ids, "NYC", 3)])
    channel.publish_stock([StockLevel("MUG", (), "", 1)])
    kit.make_channel(folder).publish_stock([StockLevel(sku, ids, "NYC", 2)])
    kept = (folder / "state" / "levels.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in kept]
    assert {(row["sku"], row["available"]) for row in rows} == {(sku, 2), ("MUG", 1)}
    assert tuple(next(row for row in rows if row["sku"] == sku)["external_ids"]) == ids


@pytest.mark.parametrize(
    "line", ['{"sku": 1}', '{"sku": "A", "external_ids": 1, "node": "", "available": 1}', "[]"]
)
def test_levels_that_somebody_has_spoiled_are_no_levels(kit, folder, line):
    channel = kit.make_channel(folder)
    channel.publish_stock([StockLevel("MUG", (), "", 1)])
    (folder / "state" / "levels.jsonl").write_text(line + "\n")
    with pytest.raises(ConnectorError, match="is damaged"):
        channel.publish_stock([StockLevel("MUG", (), "", 1)])


def test_a_label_printed_before_anything_left_is_no_box(kit, folder):
    rows = "key,status,at,tracking\n"
    rows += "7-1-NYC,in_progress,2026-01-06T10:00:00Z,1Z1\n"
    rows += "7-1-NYC,shipped,2026-01-06T11:00:00Z,1Z1\n"
    kit.put(folder, "a.csv", rows)
    first, second = kit.make_connector(folder).poll("").notices
    assert (first.status, first.packages) == ("in_progress", ())
    assert [box.tracking for box in second.packages] == ["1Z1"]


def test_a_draft_left_by_a_crash_is_no_work_that_was_handed_over(kit, folder):
    """And neither is one that is being written anew."""
    work = make_handover()
    for at in range(1, 60):
        calls = kit.Calls(at)
        place = folder / str(at)
        place.mkdir()
        with suppress(kit.Crash):
            kit.make_connector(place, calls).release(work)
        there = "7-1-NYC.csv" in kit.files(place, "out")
        known = kit.make_connector(place).reconcile(work).status
        assert known == ("requested" if there else "unknown_here"), at
        again = kit.Calls(at)
        if not there:
            with suppress(kit.Crash):
                kit.make_connector(place, again).release(work)
            there = "7-1-NYC.csv" in kit.files(place, "out")
            known = kit.make_connector(place).reconcile(work).status
            assert known == ("requested" if there else "unknown_here"), at


def test_an_order_of_countless_lines_is_refused_at_once(kit, folder):
    head = "order,line,sku,quantity,price,placed_at\n"
    row = "1,{},MUG,1,1.00,2026-01-05T08:00:00Z\n"
    kit.put(folder, "a.csv", head + "".join(row.format(at) for at in range(20_000)))
    began = time.process_time()
    (told,) = kit.make_channel(folder).pull("").commands
    assert "was set aside" in str(told)
    assert time.process_time() - began < 20
    (reason,) = [each for each in kit.files(folder, "failed") if each.endswith(".reason.txt")]
    assert "one of more than 10,000" in (folder / "failed" / reason).read_text()


def test_a_reason_is_never_longer_than_a_person_would_read(kit, folder):
    lines = ",".join(["0"] * 100_000)
    order = f'{{"order": "1", "placed_at": "2026-01-05T08:00:00Z", "lines": [{lines}]}}\n'
    kit.put(folder, "a.jsonl", order)
    kit.make_channel(folder).pull("")
    (reason,) = [each for each in kit.files(folder, "failed") if each.endswith(".reason.txt")]
    assert (folder / "failed" / reason).stat().st_size < 200_000
