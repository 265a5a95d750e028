"""Files come in: in order, whole, at least once, and put away only when they were taken in."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from domcore.errors import ConnectorError
from domcore.model import CaptureOrder, ObserveStock
from domcore_files.inbox import Delivered, Inbox
from domcore_files.work import WORK_COLUMNS


def drain(channel: Any, cursor: str = "") -> tuple[list[Any], str]:
    """Everything that waits, as a core would ask for it."""
    commands: list[Any] = []
    while True:
        page = channel.pull(cursor)
        commands += page.commands
        if page.cursor == cursor and not page.more:
            return commands, cursor
        cursor = page.cursor


def orders(commands: list[Any]) -> list[str]:
    return [each.order.external_id for each in commands if isinstance(each, CaptureOrder)]


def one(id: str) -> str:
    return f"order,line,sku,quantity,placed_at,country\n{id},1,MUG,1,2026-01-05T08:00:00Z,US\n"


def test_files_are_taken_in_the_order_of_their_names(kit, folder):
    for name, id in (("b.csv", "2"), ("a.csv", "1"), ("c.jsonl", "")):
        kit.put(folder, name, one(id) if id else '{"sku": "MUG", "node": "NYC", "on_hand": 3}\n')
    commands, _ = drain(kit.make_channel(folder))
    assert orders(commands) == ["1", "2"]
    assert isinstance(commands[-1], ObserveStock)


def test_a_count_below_zero_is_none_and_stops_no_other(kit, folder):
    kit.put(folder, "stock.csv", "sku,node,on_hand\nMUG,LAX,7\nPOT,NYC,-3\n")
    ((observed,), _) = drain(kit.make_channel(folder))
    assert [(each.sku, each.on_hand) for each in observed.counts] == [("MUG", 7), ("POT", 0)]


def test_a_file_is_put_away_when_its_cursor_comes_back_and_not_before(kit, folder):
    kit.put(folder, "a.csv", one("1"))
    channel = kit.make_channel(folder)
    page = channel.pull("")
    assert kit.files(folder, "done") == []
    assert channel.pull("").commands == page.commands
    assert kit.make_channel(folder).pull("").cursor == page.cursor
    assert channel.pull(page.cursor).commands == ()
    assert len(kit.files(folder, "done")) == 1
    assert kit.files(folder, "working") == kit.files(folder, "in") == []


def test_the_same_name_may_come_every_day(kit, folder):
    channel = kit.make_channel(folder)
    cursor = ""
    for id in ("1", "2", "2"):
        kit.put(folder, "orders.csv", one(id))
        commands, cursor = drain(channel, cursor)
        assert orders(commands) == [id]
    assert len(kit.files(folder, "done")) == 3


def test_an_old_cursor_does_not_put_a_new_file_of_the_same_name_away(kit, folder):
    channel = kit.make_channel(folder)
    kit.put(folder, "orders.csv", one("1"))
    _, cursor = drain(channel)
    kit.put(folder, "orders.csv", one("2"))
    assert orders(list(channel.pull(cursor).commands)) == ["2"]
    assert orders(list(channel.pull(cursor).commands)) == ["2"]


def test_an_older_cursor_brings_again_what_came_after_it(kit, folder):
    """A person retries what was set aside, or a backup of the store was put back."""
    channel = kit.make_channel(folder)
    cursors = [""]
    for id in ("1", "2", "3"):
        kit.put(folder, f"{id}.csv", one(id))
        commands, cursor = drain(channel, cursors[-1])
        cursors.append(cursor)
    kit.put(folder, "4.csv", one("4"))
    kit.put(folder, "bad.csv", "order\n")
    for at, cursor in enumerate(cursors):
        commands, _ = drain(kit.make_channel(folder), cursor)
        assert orders(commands) == [str(id) for id in range(at + 1, 5)]


def test_a_claimed_file_follows_whatever_cursor_the_core_has(kit, folder):
    """Two workers have claimed at once, and the cursor of one of them was kept."""
    channel = kit.make_channel(folder)
    kit.put(folder, "a.csv", one("1"))
    kit.put(folder, "b.csv", one("2"))
    first = channel.pull("")
    (folder / "in" / "b.csv").rename(
        folder / "working" / kit.files(folder, "working")[0].replace("a.", "b.", 1)
    )
    commands, cursor = drain(channel, first.cursor)
    assert orders(commands) == ["2"]
    assert orders(drain(channel)[0]) == ["1", "2"]
    assert drain(channel, cursor)[0] == []


def test_a_file_that_is_still_being_written_is_left_alone(kit, folder):
    for name in (
        ".a.csv",
        "~a.csv",
        "a.csv.tmp",
        "a.csv.part",
        "a.csv.filepart",
        "a.csv~",
        "_a.csv",
    ):
        kit.put(folder, name, one("1"))
    (folder / "in" / "sub.csv").mkdir()
    assert drain(kit.make_channel(folder)) == ([], "")
    assert kit.files(folder, "failed") == []


def test_a_file_settles_before_it_is_taken(kit, folder):
    path = kit.put(folder, "a.csv", one("1"))
    now = [path.stat().st_mtime + 4]
    inbox = Inbox(
        kit.make_channel(folder)._disk, lambda file: [file.name],
        settle_seconds=5, most_bytes=1000, clock=lambda: now[0],
    )  # fmt: skip
    assert inbox.take("").items == ()
    now[0] += 1
    assert inbox.take("").items == ("a.csv",)


def test_a_file_that_is_written_on_after_it_was_taken_is_read_again(kit, folder):
    kit.put(folder, "a.csv", one("1"))
    channel = kit.make_channel(folder)
    page = channel.pull("")
    (name,) = kit.files(folder, "working")
    with (folder / "working" / name).open("a") as file:
        file.write("2,1,MUG,1,2026-01-05T08:00:00Z,US\n")
    again = channel.pull(page.cursor)
    assert orders(list(again.commands)) == ["1", "2"]
    assert channel.pull(again.cursor).commands == ()
    assert len(kit.files(folder, "done")) == 1


def test_without_keep_files_are_deleted_once_they_are_taken_in(kit, folder):
    kit.put(folder, "a.csv", one("1"))
    channel = kit.make_channel(folder, keep=False)
    page = channel.pull("")
    assert kit.files(folder, "working") != []
    channel.pull(page.cursor)
    assert kit.files(folder, "working") == kit.files(folder, "done") == []


BAD = {
    "empty.csv": (b"", "the first line must name the columns"),
    "header.csv": (b"order,line,sku,quantity,placed_at\n", "not one order"),
    "half.csv": (b'order,line,sku,quantity,placed_at\n1,1,"MUG\n', "half.csv:2: is not CSV"),
    "latin.csv": ("order,line,sku,quantity\nStraße".encode("latin-1"), "latin.csv:2: is not UTF-8"),
    "cells.csv": (b"order,line,sku,quantity\n1,2\n", "cells.csv:2: has 2 cells where 4"),
    "columns.csv": (b"order,lin,sku\n1,1,MUG\n", "column 2: is not a known one; did you mean"),
    "money.csv": (
        b"order,line,sku,quantity,price,placed_at\n1,1,MUG,2,free,2026-01-05T08:00:00Z\n",
        "money.csv:2 price: ",
    ),
    "order.csv": (
        b"order,line,sku,quantity,placed_at,city\n1,1,A,2,2026-01-05T08:00:00Z,Troy\n1,2,A,2,,Rome\n",
        "order.csv:3 city: differs from line 2",
    ),
    "lines.csv": (
        b"order,line,sku,quantity,placed_at\n1,1,A,2,2026-01-05T08:00:00Z\n1,1,B,2,\n",
        "lines.csv:2 line: stands in this order twice",
    ),
    "deep.jsonl": (b"[" * 100_000, "nested more than"),
    "twice.jsonl": (b'{"order": "1", "order": "2"}\n', "twice.jsonl:1 $.order: the same key"),
    "list.jsonl": (b"[]\n", "list.jsonl:1: must be an object"),
    "stock.csv": (b"sku,node,on_hand,delta\nMUG,NYC,1,1\n", "stock.csv:2 on_hand: give on_hand or"),
    "stock2.csv": (b"sku,node,on_hand\nMUG,NYC,1\nMUG,NYC,2\n", "stock2.csv:3 sku: is counted"),
    "notes.txt": (b"hello", "must end in one of .csv"),
    "README": (b"hello", "must end in one of .csv"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_set_aside_with_the_reason_and_the_rest_goes_on(kit, folder, name, caplog):
    body, reason = BAD[name]
    kit.put(folder, name, body)
    kit.put(folder, "zz.csv", one("1"))
    commands, _ = drain(kit.make_channel(folder))
    assert orders(commands) == ["1"]
    failed, told = kit.files(folder, "failed")
    assert told == f"{failed}.reason.txt"
    assert (folder / "failed" / failed).read_bytes() == body
    assert reason in (folder / "failed" / told).read_text()
    assert failed in caplog.text
    assert "failed" in caplog.text


def test_files_set_aside_are_told_once_each_and_the_cursor_stays_what_it_was(kit, folder):
    channel = kit.make_channel(folder)
    kit.put(folder, "a.csv", one("1"))
    _, cursor = drain(channel)
    seen = [cursor]
    for name in ("b.csv", "c.csv"):
        kit.put(folder, name, "nothing,like,orders\n")
        page = channel.pull(cursor)
        (told,) = page.commands
        assert f"{name}: was set aside, and stands in failed/" in str(told)
        assert page.cursor not in seen, "else the second were taken for the first"
        seen.append(cursor := page.cursor)
        assert channel.pull(cursor).commands == ()
    kit.put(folder, "d.csv", one("2"))
    for each in seen:
        assert orders(drain(kit.make_channel(folder), each)[0]) == ["2"]
    assert orders(drain(kit.make_channel(folder))[0]) == ["1", "2"]


def test_a_hundred_bad_files_keep_a_good_one_waiting_for_one_page(kit, folder):
    for number in range(130):
        kit.put(folder, f"{number:03}.csv", "nothing,like,orders\n")
    kit.put(folder, "z.csv", one("1"))
    commands, _ = drain(kit.make_channel(folder))
    assert (len(commands), orders(commands)) == (131, ["1"])


def test_files_set_aside_are_told_when_the_disk_is_back(kit, folder):
    class Gone(kit.Calls):
        broken = False

        def __getattr__(self, name):
            if name == "listdir" and self.broken:
                raise OSError(5, "Input/output error")
            found = super().__getattr__(name)
            if name != "replace":
                return found

            def replace(*args):
                found(*args)
                self.broken = "failed" in str(args[1]) and not str(args[1]).endswith(".txt")

            return replace

    calls = Gone()
    channel = kit.make_channel(folder, calls)
    kit.put(folder, "a.csv", "nothing,like,orders\n")
    with pytest.raises(ConnectorError):
        channel.pull("")
    calls.broken = False
    assert "a.csv: was set aside" in str(channel.pull("").commands[0])


def test_files_set_aside_and_a_folder_that_has_gone_are_trouble(kit, folder):
    channel = kit.make_channel(folder)
    assert channel.trouble() == []
    kit.put(folder, "a.csv", "nothing,like,orders\n")
    kit.put(folder, "b.csv", one("1"))
    drain(channel)
    (told,) = channel.trouble()
    assert "failed: 1 file was set aside" in told
    folder.rename(folder.with_name("away"))
    (told,) = channel.trouble()
    assert "no such folder" in told


def test_one_bad_row_can_refuse_the_whole_file(kit, folder):
    kit.put(folder, "a.csv", one("1") + "2,1,MUG,many,2026-01-05T08:00:00Z,US\n")
    (told,), _ = drain(kit.make_channel(folder, bad_rows="refuse"))
    assert "a.csv:3 quantity: must be a whole number" in str(told)
    assert len(kit.files(folder, "failed")) == 2


def test_a_repaired_file_can_be_put_back(kit, folder):
    kit.put(folder, "a.csv", one("1") + "2,1,MUG,many,2026-01-05T08:00:00Z,US\n")
    channel = kit.make_channel(folder, bad_rows="refuse")
    drain(channel)
    name = kit.files(folder, "failed")[0]
    text = (folder / "failed" / name).read_text().replace("many", "4")
    kit.put(folder, name, text)
    assert orders(drain(channel)[0]) == ["1", "2"]


def test_files_that_are_too_large_are_set_aside_unread(kit, folder):
    kit.put(folder, "a.csv", one("1") * 100)
    ((refused,), _) = drain(kit.make_channel(folder, most_bytes=200))
    assert "is larger than 200 bytes" in str(refused)
    (_, told) = kit.files(folder, "failed")
    assert "is larger than 200 bytes" in (folder / "failed" / told).read_text()


def test_links_and_pipes_are_never_opened(kit, folder, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(one("1"))
    kit.put(folder, "z.csv", one("2"))
    (folder / "in" / "link.csv").symlink_to(secret)
    os.mkfifo(folder / "in" / "pipe.csv")
    started = time.monotonic()
    commands, _ = drain(kit.make_channel(folder))
    assert time.monotonic() - started < 5
    assert orders(commands) == ["2"]
    assert secret.read_text() == one("1")
    reasons = [name for name in kit.files(folder, "failed") if name.endswith("reason.txt")]
    assert len(reasons) == 2
    assert "put the file itself" in (folder / "failed" / reasons[0]).read_text()


@pytest.mark.parametrize("sub", ["in", "working", "done", "failed"])
def test_a_subfolder_that_is_a_link_is_refused(kit, folder, tmp_path, sub):
    (tmp_path / "elsewhere").mkdir()
    (folder / sub).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConnectorError, match="must be a folder, not a link"):
        kit.make_channel(folder).pull("")


def test_a_folder_that_is_not_there_is_not_made(kit, tmp_path):
    with pytest.raises(ConnectorError, match="there is no such folder; make it, or mount it"):
        kit.make_channel(tmp_path / "share").pull("")
    assert not (tmp_path / "share").exists()


@pytest.mark.parametrize("cursor", ["../../etc/passwd:1", ":", "a" * 5000, "done/x:y", ".x:y", "x"])
def test_a_cursor_of_any_kind_does_no_harm(kit, folder, cursor):
    kit.put(folder, "a.csv", one("1"))
    assert orders(list(kit.make_channel(folder).pull(cursor).commands)) == ["1"]


@pytest.mark.parametrize("name", ["a b\nc.csv", "ü-é.csv", "x" * 240 + ".csv", "-rf.csv", "a..csv"])
def test_names_of_any_kind_are_taken(kit, folder, name):
    kit.put(folder, name, one("1"))
    channel = kit.make_channel(folder)
    page = channel.pull("")
    assert orders(list(page.commands)) == ["1"]
    page.cursor.encode("ascii")
    channel.pull(page.cursor)
    assert len(kit.files(folder, "done")) == 1


def test_a_name_that_is_no_text_is_taken(kit, folder):
    (folder / "in").mkdir()
    try:
        Path(os.fsdecode(os.fsencode(folder / "in") + b"/\xff\xfe.csv")).write_text(one("1"))
    except OSError:
        pytest.skip("this disk has no such names")
    channel = kit.make_channel(folder)
    commands, cursor = drain(channel)
    assert orders(commands) == ["1"]
    cursor.encode("ascii")


def test_byte_order_marks_and_other_separators_are_read(kit, folder):
    text = "\ufeff" + one("1").replace(",", ";")
    kit.put(folder, "a.csv", text.encode())
    assert orders(drain(kit.make_channel(folder))[0]) == ["1"]


def test_a_hundred_thousand_counts_are_one_file(kit, folder):
    rows = "".join(f"SKU{at},NYC,{at % 50}\n" for at in range(100_000))
    kit.put(folder, "stock.csv", f"sku,node,on_hand\n{rows}")
    page = kit.make_channel(folder).pull("")
    assert sum(len(each.counts) for each in page.commands) == 100_000
    assert max(len(each.counts) for each in page.commands) == 2000
    assert len({each.key for each in page.commands}) == 50


def test_the_same_counts_another_day_are_news_and_the_same_changes_are_not(kit, folder):
    channel = kit.make_channel(folder)
    keys: list[set[str]] = []
    cursor = ""
    for day in (1, 2):
        for name, text in (("counts.csv", kit.STOCK), ("delta.csv", "sku,node,delta\nMUG,NYC,5\n")):
            path = kit.put(folder, name, text)
            os.utime(path, (1_700_000_000 + day * 86_400,) * 2)
        commands, cursor = drain(channel, cursor)
        keys.append({each.key for each in commands})
    assert len(keys[0] & keys[1]) == 1
    assert all(":deltas:" in key for key in keys[0] & keys[1])


def test_the_inbox_reads_whatever_its_reader_reads(kit, folder):
    def read(file: Delivered) -> list[str]:
        return [file.name, str(len(file.body))]

    kit.put(folder, "a.csv", "12345")
    inbox: Inbox[str] = Inbox(
        kit.make_channel(folder)._disk, read, settle_seconds=0, most_bytes=10, clock=lambda: 4e9
    )
    assert inbox.take("").items == ("a.csv", "5")


def test_an_order_that_is_not_paid_or_is_not_to_go_is_held(kit, folder):
    head = "order,line,sku,quantity,placed_at,payment,hold\n"
    rows = ["1,1,MUG,1,{0},pending,", "2,1,MUG,1,{0},Paid,", "3,1,MUG,1,{0},,a look first"]
    rows = [row.format("2026-01-05T08:00:00Z") for row in rows]
    kit.put(folder, "o.csv", head + "\n".join(rows) + "\n")
    commands = kit.make_channel(folder, currency="USD").pull("").commands
    told = [[(hold.code, hold.stage) for hold in command.holds] for command in commands]
    assert told == [[("unpaid", "route")], [], [("shop", "release")]]
    kit.put(folder, "p.csv", head + rows[0] + "\n")
    options = {"currency": "USD", "ship_when": ("pending",)}
    assert kit.make_channel(folder, **options).pull("").commands[0].holds == ()


def test_what_the_customer_paid_and_wrote_is_read_and_handed_on(kit, folder):
    head = (
        "order,line,sku,quantity,price,placed_at,discount,tax,shipping,total,name,gift_message,"
        "instructions\n"
    )
    rows = (
        "1,1,MUG,2,10.00,2026-01-05T08:00:00Z,1.50,,0,24.10,Ann,Happy day,ring twice\n"
        "1,2,POT,1,3.00,,,0.20,,,,,\n"
    )
    kit.put(folder, "o.csv", head + rows)
    (command,) = kit.make_channel(folder, currency="USD").pull("").commands
    order = command.order
    amounts = [(line.discount, line.tax) for line in order.lines]
    assert amounts == [(1_500_000, None), (None, 200_000)]
    assert (order.shipping, order.shipping_tax, order.total) == (0, None, 24_100_000)
    assert command.person.gift_message == "Happy day"
    assert command.person.instructions == "ring twice"
    assert {"gift_message", "instructions"} < set(WORK_COLUMNS)
