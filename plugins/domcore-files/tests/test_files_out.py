"""Files that go out: whole, safe to open in a spreadsheet, and read back as they were."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.errors import ConfigurationError, ConnectorError, PayloadError, SignatureError
from domcore.model import Envelope, Package, Person, ShipmentNews, StockLevel
from domcore.settings import ChannelSettings, ConnectorSettings, Settings
from domcore.testing import make_handover
from domcore.testing.handovers import HANDED_OVER_AT
from domcore_files.building import build_channels, build_connectors
from domcore_files.disk import name_of
from domcore_files.tables import export_csv, parse_csv

TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_cell = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.builds(
    lambda marks, trigger, rest: f"{marks}{trigger}{rest}",
    st.text("'", max_size=3),
    st.sampled_from(TRIGGERS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
_rows = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(_cell, min_size=width, max_size=width), max_size=5)
)


@given(_rows, st.booleans())
def test_what_is_exported_is_read_back_exactly(rows, plain):
    columns = [f"c{at}" for at in range(len(rows[0]) if rows else 2)]
    assert parse_csv(export_csv(columns, rows, plain=plain), plain=plain) == [columns, *rows]


@given(_rows)
def test_no_cell_begins_a_formula(rows):
    columns = [f"c{at}" for at in range(len(rows[0]) if rows else 2)]
    text = export_csv(columns, rows).decode()
    for row in list(csv.reader(io.StringIO(text, newline="")))[1:]:
        assert not [cell for cell in row if cell.startswith(TRIGGERS)]


def test_an_apostrophe_that_guards_nothing_stays():
    rows = [["'s-Hertogenbosch", "'", "''", "O'Hara"]]
    assert b"\r\n's-Hertogenbosch," in export_csv("abcd", rows)
    assert parse_csv(export_csv("abcd", rows))[1:] == rows


HOSTILE = Person(
    name="=HYPERLINK(\"http://x\")", company="@SUM(A1)", street=("+1", "-2\n=3"), city="\tTroy"
)  # fmt: skip


def test_a_spreadsheet_runs_nothing_of_a_work_file_that_people_open(kit, folder):
    work = attrs.evolve(make_handover(), person=HOSTILE)
    kit.make_connector(folder, csv_plain=False).release(work)
    body = (folder / "out" / "7-1-NYC.csv").read_bytes()
    head, row, _ = parse_csv(body)
    told = dict(zip(head, row, strict=True))
    assert (told["name"], told["company"]) == (HOSTILE.name, HOSTILE.company)
    assert (told["street"], told["street2"], told["city"]) == ("+1", "-2\n=3", "\tTroy")
    assert b"'=HYPERLINK" in body
    for each in list(csv.reader(io.StringIO(body.decode(), newline="")))[1]:
        assert not each.startswith(TRIGGERS)


PHONES = (
    "+1 555 0100",
    "-1",
    "@home",
    "=1+1",
    "'+1",
    'a "b", c',
    "two\r\nlines",
    " a ",
    "a\rb",
    "é",
)


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_machine_is_told_what_the_order_says(kit, folder, phone, format):
    work = attrs.evolve(make_handover(), person=Person(name="A B", phone=phone))
    kit.make_connector(folder, format=format).release(work)
    text = (folder / "out" / f"7-1-NYC.{format}").read_bytes().decode()
    if format == "jsonl":
        told = [json.loads(text)]
    else:
        told = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert [each["phone"] for each in told] == [phone] * len(told)
    assert {each["name"] for each in told} == {"A B"}


def test_a_work_file_says_what_to_ship_and_where_to(kit, folder):
    kit.make_connector(folder).release(make_handover())
    head, *rows = parse_csv((folder / "out" / "7-1-NYC.csv").read_bytes())
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(row["line"], row["sku"], row["quantity"]) for row in told] == [
        ("L1", "MUG", "2"),
        ("L2", "KETTLE", "1"),
    ]
    assert {row["key"] for row in told} == {"7-1-NYC"}
    assert told[0]["name"] == "Ottilie Quist"
    assert told[0]["street2"] == "Flat 4"


def test_json_lines_hold_one_piece_of_work_in_one_object(kit, folder):
    receipt = kit.make_connector(folder, format="jsonl").release(make_handover())
    assert receipt.reference == "7-1-NYC.jsonl"
    (line,) = (folder / "out" / "7-1-NYC.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["lines"][1] == {"line": "L2", "sku": "KETTLE", "quantity": 1}


def test_personal_data_lies_in_out_alone_and_is_its_owners_alone(kit, folder):
    connector = kit.make_connector(folder)
    work = make_handover()
    connector.release(work)
    assert stat.S_IMODE((folder / "out" / "7-1-NYC.csv").stat().st_mode) == 0o600
    assert connector.cancel(work).status == "cancelled"
    for path in folder.rglob("*"):
        assert not path.is_file() or b"Quist" not in path.read_bytes()


def test_others_may_read_it_where_they_are_meant_to(kit, folder):
    kit.make_connector(folder, private=False).release(make_handover())
    mode = stat.S_IMODE((folder / "out" / "7-1-NYC.csv").stat().st_mode)
    assert mode & 0o077 == 0o044 or mode & 0o077 == 0


def test_work_without_units_is_refused(kit, folder):
    answer = kit.make_connector(folder).release(make_handover(lines={}))
    assert (answer.status, answer.reason) == ("rejected", "other")
    assert kit.files(folder, "out") == []


KEYS = (
    "7-1-../../etc/passwd",
    "7-1-/abs",
    "..",
    ".",
    "",
    "7-1-NUL",
    "7-1-a b",
    "7-1-\0\n",
    "7-1-é",
)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_never_a_path(key):
    name = name_of(key)
    assert set(name) & {"/", "\\", "\0", "\n", "."} == set()
    assert name.isascii()


@given(st.lists(st.text(max_size=400), min_size=2, max_size=20, unique=True))
def test_two_keys_are_never_one_file(keys):
    names = {name_of(key) for key in keys}
    assert len(names) == len(keys)
    assert max(map(len, names)) < 200


def test_the_cancel_file_of_one_node_is_not_the_work_of_another(kit, folder):
    connector = kit.make_connector(folder)
    connector.release(make_handover("7-1-NYC"))
    (folder / "out" / "7-1-NYC.csv").rename(folder / "taken" / "7-1-NYC.csv")
    assert connector.cancel(make_handover("7-1-NYC")).status == "cancel_requested"
    assert kit.files(folder, "out") == ["7-1-NYC.stop.csv"]
    assert connector.reconcile(make_handover("7-1-NYC.stop")).status == "unknown_here"


def test_work_that_nobody_has_taken_is_taken_back(kit, folder):
    connector, work = kit.make_connector(folder), make_handover()
    connector.release(work)
    assert connector.cancel(work).status == "cancelled"
    assert kit.files(folder, "out") == []
    for again in (connector.cancel, connector.reconcile, connector.release):
        assert again(work).status == "cancelled"
    assert kit.files(folder, "out") == []


def test_work_is_taken_back_or_taken_but_never_both(kit, folder):
    """The node takes the file between our look and our move."""
    work = make_handover()

    class Meanwhile:
        def __getattr__(self, name):
            def call(*args):
                if name == "replace" and Path(args[0]) == folder / "out" / "7-1-NYC.csv":
                    os.rename(args[0], folder / "taken" / "7-1-NYC.csv")
                return getattr(os, name)(*args)

            return call

    kit.make_connector(folder).release(work)
    assert kit.make_connector(folder, Meanwhile()).cancel(work).status == "cancel_requested"
    assert kit.make_connector(folder).reconcile(work).status == "cancel_requested"
    assert kit.files(folder, "out") == ["7-1-NYC.stop.csv"]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("key", ["7-1-NYC", "7-1-NYC-2", "7-1-é", "7-1-" + "N" * 300])
def test_the_wish_to_stop_stands_behind_its_work(kit, folder, key, format):
    connector = kit.make_connector(folder, format=format, withdraw=False)
    connector.release(make_handover(key))
    assert connector.cancel(make_handover(key)).status == "cancel_requested"
    work, stop = kit.files(folder, "out")
    assert (".stop." in work, ".stop." in stop) == (False, True)
    assert sorted([stop.upper(), work.upper()]) == [work.upper(), stop.upper()]


def test_how_far_the_work_is(kit, folder):
    connector, work = kit.make_connector(folder), make_handover()
    assert connector.reconcile(work).status == "unknown_here"
    assert connector.cancel(work).status == "unknown_here"
    assert connector.release(work).status == "requested"
    assert connector.reconcile(work).status == "requested"
    (folder / "out" / "7-1-NYC.csv").rename(folder / "taken" / "7-1-NYC.csv")
    assert connector.reconcile(work).status == "accepted"
    (folder / "taken" / "7-1-NYC.csv").unlink()
    assert connector.reconcile(work).status == "accepted"
    assert connector.cancel(work).status == "cancel_requested"
    assert connector.release(work).status == "cancel_requested"
    assert "7-1-NYC.csv" not in kit.files(folder, "out")


# --- notices --------------------------------------------------------------------------------------


def test_rows_of_one_message_are_one_notice_with_its_boxes(kit, folder):
    kit.put(folder, "n.csv", kit.NOTICES)
    shipped, rejected = kit.make_connector(folder).poll("").notices
    assert shipped.lines == (("L1", 2), ("L2", 1))
    assert [(box.id, box.lines, box.tracking) for box in shipped.packages] == [
        ("BOX1", (("L1", 2),), "1Z1"),
        ("BOX2", (("L2", 1),), "1Z2"),
    ]
    assert (rejected.status, rejected.reason, rejected.lines) == ("rejected", "other", ())


def test_the_partners_own_words_are_translated_and_kept(kit, folder):
    row = "key,status,at,reason\n7-1-NYC,STORNO,2026-01-06T10:00:00+01:00,FEHLT\n"
    kit.put(folder, "n.csv", row)
    connector = kit.make_connector(
        folder, statuses={"STORNO": "rejected"}, reasons={"FEHLT": "not_found"}
    )
    (notice,) = connector.poll("").notices
    assert (notice.status, notice.reason, notice.vendor_status) == (
        "rejected",
        "not_found",
        "STORNO",
    )
    assert notice.at == datetime(2026, 1, 6, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("7-1-NYC,shiped,2026-01-06T10:00:00Z,,", "n.csv:2 status: is not a status we know"),
        ("7-1-NYC,shipped,2026-01-06T10:00:00,,", "n.csv:2 at: must be a time with an offset"),
        (",shipped,2026-01-06T10:00:00Z,,", "n.csv:2 key: is missing"),
        ("7-1-NYC,shipped,2026-01-06T10:00:00Z,L1,", "n.csv:2 quantity: give line and quantity"),
        ("7-1-NYC,shipped,2026-01-06T10:00:00Z,L1,-2", "n.csv:2 quantity: must be from 0"),
    ],
)
def test_a_bad_notice_sets_the_file_aside(kit, folder, row, reason):
    kit.put(folder, "n.csv", f"key,status,at,line,quantity\n{row}\n")
    (aside,) = kit.make_connector(folder).poll("").notices
    assert isinstance(aside, PayloadError)
    assert reason in str(aside)
    _, told = kit.files(folder, "failed")
    assert reason in (folder / "failed" / told).read_text()


def test_the_same_news_in_two_files_is_the_same_notice(kit, folder):
    connector = kit.make_connector(folder)
    kit.put(folder, "a.csv", kit.NOTICES)
    kit.put(folder, "b.csv", kit.NOTICES.replace(",UPS,", ",UPS ,"))
    first = connector.poll("")
    second = connector.poll(first.cursor)
    assert first.notices == second.notices
    assert first.more
    assert not second.more


# --- stock and news -------------------------------------------------------------------------------


def test_the_stock_file_tells_every_level_though_only_changes_come(kit, folder):
    channel = kit.make_channel(folder)
    channel.publish_stock([StockLevel("MUG", ("v1", "v2"), "", 4), StockLevel("=CUP", (), "", 1)])
    kit.make_channel(folder).publish_stock([StockLevel("MUG", ("v1", "v2"), "", 3)])
    assert parse_csv((folder / "out" / "stock.csv").read_bytes())[1:] == [
        ["=CUP", "", "", "1"],
        ["MUG", "v1|v2", "", "3"],
    ]


def test_the_stock_file_may_be_taken_away(kit, folder):
    channel = kit.make_channel(folder, format="jsonl")
    channel.publish_stock([StockLevel("A", (), "", 4)])
    (folder / "out" / "stock.jsonl").unlink()
    channel.publish_stock([StockLevel("B", (), "", 1)])
    lines = (folder / "out" / "stock.jsonl").read_text().splitlines()
    assert [json.loads(line)["sku"] for line in lines] == ["A", "B"]


def test_a_damaged_memory_of_levels_is_said_and_not_guessed(kit, folder):
    channel = kit.make_channel(folder)
    channel.publish_stock([StockLevel("A", (), "", 4)])
    (folder / "state" / "levels.jsonl").write_text('{"sku": "A"')
    with pytest.raises(ConnectorError, match="is damaged; delete it, and publish all levels"):
        channel.publish_stock([StockLevel("B", (), "", 1)])


def test_news_of_an_order_is_a_file_for_the_shop(kit, folder):
    work = make_handover()
    box = Package("BOX1", (("L1", 2),), "UPS", "1Z1", "https://ups.example/1Z1")
    news = ShipmentNews(
        "event/12", work.order, "fulfillment.shipped", work.key, "NYC", HANDED_OVER_AT,
        lines=(("L1", 2),), packages=(box,),
    )  # fmt: skip
    channel = kit.make_channel(folder)
    channel.notify(news)
    channel.notify(news)
    (name,) = kit.files(folder, "out")
    assert name == "news-event%2F12.csv"
    head, row = parse_csv((folder / "out" / name).read_bytes())
    told = dict(zip(head, row, strict=True))
    assert (told["order"], told["line"], told["quantity"]) == ("ext-7", "L1", "2")
    assert (told["tracking"], told["at"]) == ("1Z1", "2026-01-05T09:00:00Z")


# --- settings -------------------------------------------------------------------------------------


def test_folders_are_found_beside_the_project_file(tmp_path):
    settings = Settings(
        root=str(tmp_path),
        channels=(ChannelSettings("shop", "files", options={"folder": "exchange/shop"}),),
        connectors=(ConnectorSettings("north", "files", {"folder": "exchange/north"}),),
    )
    (channel,) = build_channels(settings)
    (connector,) = build_connectors(settings)
    assert channel._disk.root == tmp_path / "exchange" / "shop"
    assert connector._disk.root == tmp_path / "exchange" / "north"
    assert (channel.name, connector.name) == ("shop", "north")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "folder: is missing"),
        ({"folder": "x", "fromat": "csv"}, "did you mean 'format'"),
        ({"folder": "x", "format": "xml"}, "must be one of 'csv', 'jsonl'"),
        ({"folder": "x", "settle_seconds": "soon"}, "must be a whole number"),
        ({"folder": "x", "statuses": {"GONE": "shiped"}}, "statuses.GONE: must be one of"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, message):
    settings = Settings(
        root=str(tmp_path), connectors=(ConnectorSettings("north", "files", options),)
    )
    with pytest.raises(ConfigurationError, match=message) as raised:
        build_connectors(settings)
    assert "connectors.north" in str(raised.value)


def test_two_of_them_may_not_share_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    settings = Settings(
        root=str(tmp_path),
        channels=(ChannelSettings("shop", "files", options={"folder": "a"}),),
        connectors=(ConnectorSettings("north", "files", {"folder": "b"}),),
    )
    for build in (build_channels, build_connectors):
        with pytest.raises(ConfigurationError, match=r"is the folder of channels\.shop already"):
            build(settings)


def test_a_delivery_that_is_too_large_is_refused(kit, folder):
    for made in (
        kit.make_channel(folder, most_bytes=10, deliveries="accept"),
        kit.make_connector(folder, most_bytes=10, deliveries="accept"),
    ):
        with pytest.raises(PayloadError, match="larger than 10 bytes"):
            made.receive(Envelope("shop", b"x" * 11))


@pytest.mark.parametrize("what", ["ORDERS", "STOCK", "NOTICES"])
@pytest.mark.parametrize("headers", [{}, {"x-signature": "believe me"}])
def test_a_file_that_nobody_vouches_for_is_refused_before_it_is_read(kit, folder, what, headers):
    shop, node = kit.make_channel(folder), kit.make_connector(folder)
    body = getattr(kit, what).encode()
    for made in (shop, node):
        for each in (body, b"", b"\xff" * 100):
            with pytest.raises(SignatureError, match="deliveries = 'accept'"):
                made.receive(Envelope(made.name, each, headers))


def test_what_lies_in_the_folder_is_read_whatever_is_said_of_deliveries(kit, folder):
    kit.put(folder, "1.csv", kit.ORDERS)
    assert len(kit.make_channel(folder, deliveries="refuse").pull("").commands) == 2
