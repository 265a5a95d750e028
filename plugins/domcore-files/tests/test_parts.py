"""Good rows are taken and bad ones are not lost; large files take little memory; a file that ends
its readers is set aside."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import ConflictError, PayloadError, Settings, WorkSettings
from domcore.model import CaptureOrder, ObserveStock
from domcore.settings import ChannelSettings
from domcore.testing import World
from domcore_files.parts import Delivered, Seen

HEAD = "order,line,sku,quantity,placed_at,country\n"


def drain(adapter: Any, cursor: str = "") -> tuple[list[Any], list[Any], int]:
    """Everything that waits, what was left out, and in how many pages it came."""
    found: list[Any] = []
    pages = 0
    while True:
        if hasattr(adapter, "pull"):
            page = adapter.pull(cursor)
            found += page.commands
        else:
            page = adapter.poll(cursor)
            found += page.notices
        pages += 1
        if page.cursor == cursor and not page.more:
            taken = [each for each in found if not isinstance(each, PayloadError)]
            return taken, [each for each in found if isinstance(each, PayloadError)], pages
        cursor = page.cursor


def ids(commands: list[Any]) -> list[str]:
    return [each.order.external_id for each in commands if isinstance(each, CaptureOrder)]


def row(order: object, line: object = 1, units: object = 1, placed: bool = True) -> str:
    at = "2026-01-05T08:00:00Z,US" if placed else ","
    return f"{order},{line},MUG,{units},{at}\n"


def aside(kit: Any, folder: Any) -> tuple[str, str]:
    """The rows that were written aside, and the reasons."""
    rows, reasons = kit.files(folder, "failed")
    assert reasons == f"{rows}.reason.txt"
    failed = folder / "failed"
    return (failed / rows).read_text(), (failed / reasons).read_text()


def test_five_hundred_good_orders_do_not_wait_for_a_bad_one(kit, folder):
    rows = [row(number) for number in range(500)]
    rows[250] = row(250, units="many")
    kit.put(folder, "a.csv", HEAD + "".join(rows))
    taken, left_out, _ = drain(kit.make_channel(folder))
    assert ids(taken) == [str(each) for each in range(500) if each != 250]
    (told,) = left_out
    assert "1 row left out" in str(told)
    text, reasons = aside(kit, folder)
    assert text.splitlines() == [HEAD.strip(), rows[250].strip()]
    assert "a.csv:252 quantity: must be a whole number" in reasons
    assert len(kit.files(folder, "done")) == 1


def test_an_order_is_left_out_with_all_its_lines(kit, folder):
    """Half an order would ship."""
    text = row(1) + row(1, 2, "x", placed=False) + row(2) + row(1, 3, placed=False) + row(3)
    kit.put(folder, "a.csv", HEAD + text)
    taken, _, _ = drain(kit.make_channel(folder))
    assert ids(taken) == ["2", "3"]
    written, _ = aside(kit, folder)
    assert [line.split(",")[:2] for line in written.splitlines()[1:]] == [
        ["1", "1"], ["1", "2"], ["1", "3"],
    ]  # fmt: skip


def test_a_line_that_does_not_say_whose_it_is_refuses_the_file(kit, folder):
    """It may be of the order above, which would ship without it."""
    kit.put(folder, "a.csv", HEAD + row(1) + row(2) + ",2,MUG,1,,\n")
    assert drain(kit.make_channel(folder))[0] == []
    assert "a.csv:4" in aside(kit, folder)[1]


def test_rows_that_were_left_out_are_mended_and_put_back(kit, folder):
    kit.put(folder, "a.csv", HEAD + row("Zürich") + row("+2", units='"1,5"') + row(3))
    channel = kit.make_channel(folder)
    taken, _, _ = drain(channel)
    assert ids(taken) == ["Zürich", "3"]
    name, _ = kit.files(folder, "failed")
    text = (folder / "failed" / name).read_text()
    kit.put(folder, name, text.replace('"1,5"', "15"))
    assert ids(drain(channel, channel.pull("").cursor)[0])[-1:] == ["+2"]


def test_stock_and_news_are_taken_row_by_row_too(kit, folder):
    kit.put(folder, "s.csv", "sku,node,on_hand\nMUG,NYC,4\nPOT,NYC,x\nPEN,NYC\nCUP,NYC,1\n")
    taken, left_out, _ = drain(kit.make_channel(folder))
    (counts,) = taken
    assert [each.sku for each in counts.counts] == ["MUG", "CUP"]
    assert len(left_out) == 1
    written, reasons = aside(kit, folder)
    assert written.splitlines() == ["sku,node,on_hand", "POT,NYC,x", "PEN,NYC"]
    assert "s.csv:4: has 2 cells where 3" in reasons
    other = folder.with_name("node")
    other.mkdir()
    head = "key,status,at\n"
    good, bad = "1-1-NYC,shipped,2026-01-05T09:00:00Z\n", "1-1-NYC,vanished,2026-01-05T09:00:00Z\n"
    kit.put(other, "n.csv", head + good + bad)
    notices, left_out, _ = drain(kit.make_connector(other))
    assert [each.status for each in notices] == ["shipped"]
    assert len(left_out) == 1
    assert aside(kit, other)[0] == head + bad


def test_what_contradicts_itself_is_left_out_whole(kit, folder):
    kit.put(folder, "s.csv", "sku,node,on_hand\nMUG,NYC,4\nPOT,NYC,3\nMUG,NYC,5\n")
    ((counts,), _, _) = drain(kit.make_channel(folder))
    assert [each.sku for each in counts.counts] == ["POT"]
    assert aside(kit, folder)[0].splitlines()[1:] == ["MUG,NYC,4", "MUG,NYC,5"]


def test_lines_of_json_that_are_none_are_left_out_as_they_stand(kit, folder):
    good = '{"sku": "MUG", "node": "NYC", "delta": 3}\n'
    kit.put(folder, "a.jsonl", good + '{"sku": "MUG", \n' + "[1]\n" + good)
    taken, left_out, _ = drain(kit.make_channel(folder))
    assert sum(len(each.counts) for each in taken) == 2
    assert len(left_out) == 1
    assert aside(kit, folder)[0] == '{"sku": "MUG", \n[1]\n'


def test_a_crash_after_the_bad_rows_were_written_loses_and_doubles_nothing(kit, folder):
    kit.put(folder, "a.csv", HEAD + row(1) + row(2, units="x"))
    first = kit.make_channel(folder).pull("")
    again = kit.make_channel(folder).pull("")
    assert [str(each) for each in first.commands] == [str(each) for each in again.commands]
    assert first.cursor == again.cursor
    assert len(kit.files(folder, "failed")) == 2
    assert kit.make_channel(folder).pull(first.cursor).commands == ()


def test_an_application_takes_the_good_and_shows_the_bad(kit, folder):
    (folder / "in").mkdir()
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)
    settings = Settings(
        store="memory:",
        work=WorkSettings(pull_seconds=0),
        channels=(
            ChannelSettings("shop", "files", "main", {"folder": str(folder), "settle_seconds": 0}),
        ),
    )
    with world.open(settings, load_plugins=True) as dom:
        kit.put(folder, "a.csv", HEAD + row(1) + row(2, units="x") + row(3))
        report = dom.work()
        assert sorted(each.external_id for each in dom.orders()) == ["1", "3"]
        assert report.parked == 1
        (parked,) = dom.parked()
        assert "1 row left out" in parked.note
        assert "failed/a." in parked.note
        (waiting,) = (each for each in dom.exceptions() if each.kind == "parked")
        assert waiting.command == f"domcore drop {parked.id}"
        with pytest.raises(ConflictError, match="mend it where it lies, then drop this"):
            dom.retry(parked.id)
        assert dom.parked() == [parked]
        dom.drop(parked.id)
        assert dom.parked() == []
        assert list(dom.verify()) == []


def test_an_application_shows_files_that_were_set_aside_whole(kit, folder):
    (folder / "in").mkdir()
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)
    told = {"folder": str(folder), "settle_seconds": 0}
    settings = Settings(
        store="memory:",
        work=WorkSettings(pull_seconds=0),
        channels=(ChannelSettings("shop", "files", "main", told),),
    )
    with world.open(settings, load_plugins=True) as dom:
        for name in ("a.csv", "b.csv"):
            kit.put(folder, name, "nothing,like,orders\n")
            assert dom.work().parked == 1
        kit.put(folder, "c.csv", HEAD + row(1))
        assert dom.work().parked == 0
        assert [each.external_id for each in dom.orders()] == ["1"]
        first, second = sorted(each.note for each in dom.parked())
        assert "a.csv: was set aside, and stands in failed/a." in first
        assert "b.csv: was set aside, and stands in failed/b." in second
        waiting = [each.command for each in dom.exceptions() if each.kind == "parked"]
        assert waiting == [f"domcore drop {each.id}" for each in dom.parked()]
        assert list(dom.verify()) == []


@pytest.mark.parametrize("rows", [1000, 5000])
def test_reading_stops_at_a_thousand_faults(kit, folder, rows):
    kit.put(folder, "a.csv", HEAD + row(1) + row(2, units="x") * rows)
    taken, _, _ = drain(kit.make_channel(folder))
    assert taken == []
    failed, told = kit.files(folder, "failed")
    assert (folder / "failed" / failed).stat().st_size > rows * 20, "the whole file is set aside"
    assert (folder / "failed" / told).read_text().count("\n") == 1002


# --- parts ----------------------------------------------------------------------------------------


def smaller(adapter: Any, size: int = 300) -> Any:
    adapter._parts._most = size
    return adapter


@given(
    lines=st.lists(st.integers(1, 4), min_size=1, max_size=30),
    bad=st.sets(st.integers(0, 29), max_size=5),
    size=st.integers(1, 900),
    shuffled=st.booleans(),
)
@settings(deadline=None)
def test_parts_hold_what_the_whole_holds(kit, tmp_path_factory, lines, bad, size, shuffled):
    rows = [
        row(order, line, "x" if order in bad else 1, placed=line == 0)
        for order, many in enumerate(lines)
        for line in range(many)
    ]
    if shuffled:
        rows.sort(key=lambda each: each.split(",")[1])
    found = []
    for part in (size, 10**9):
        folder = tmp_path_factory.mktemp("exchange")
        kit.put(folder, "a.csv", HEAD + "".join(rows))
        taken, _, pages = drain(smaller(kit.make_channel(folder), part))
        found.append((taken, sorted(kit.files(folder, "failed")) != []))
        assert shuffled or part > size or pages >= 1
    assert found[0] == found[1]


def test_a_part_is_read_on_after_a_crash_and_a_file_that_has_changed_from_its_start(kit, folder):
    kit.put(folder, "a.csv", HEAD + "".join(row(number) for number in range(60)))
    page = smaller(kit.make_channel(folder)).pull("")
    assert page.more
    rest, _, pages = drain(smaller(kit.make_channel(folder)), page.cursor)
    assert ids([*page.commands, *rest]) == [str(each) for each in range(60)]
    assert pages > 2
    assert len(kit.files(folder, "done")) == 1


def test_a_file_that_was_written_on_between_two_parts_is_read_from_its_start(kit, folder):
    kit.put(folder, "a.csv", HEAD + "".join(row(number) for number in range(60)))
    page = smaller(kit.make_channel(folder)).pull("")
    (name,) = kit.files(folder, "working")
    with (folder / "working" / name).open("a") as file:
        file.write(row(60))
    taken, _, _ = drain(smaller(kit.make_channel(folder)), page.cursor)
    assert ids(taken) == [str(each) for each in range(61)]
    assert len(kit.files(folder, "done")) == 1


def test_an_old_cursor_brings_every_part_again(kit, folder):
    for name in ("a", "b"):
        rows = "".join(row(f"{name}{number}") for number in range(30))
        kit.put(folder, f"{name}.csv", HEAD + rows)
    first, _, _ = drain(smaller(kit.make_channel(folder)))
    again, _, _ = drain(smaller(kit.make_channel(folder)))
    assert ids(first) == ids(again)
    assert len(ids(first)) == 60


def test_keys_of_parts_are_never_the_same(kit, folder):
    rows = "".join(f"SKU{number},NYC,{number % 9}\n" for number in range(200))
    kit.put(folder, "s.csv", f"sku,node,on_hand\n{rows}")
    taken, _, _ = drain(smaller(kit.make_channel(folder)))
    keys = [each.key for each in taken if isinstance(each, ObserveStock)]
    assert len(set(keys)) == len(keys) > 5
    assert sum(len(each.counts) for each in taken) == 200


def peak_of(kit: Any, make: Any, folder: Any, name: str, body: bytes) -> float:
    """How many times its size a file takes at most."""
    adapter, cursor = make(folder), ""
    kit.put(folder, "0.csv", kit.NOTICES if hasattr(adapter, "poll") else kit.STOCK)
    _, _, _ = drain(adapter)
    cursor = (adapter.poll if hasattr(adapter, "poll") else adapter.pull)("").cursor
    kit.put(folder, name, body)
    tracemalloc.start()
    try:
        while True:
            page = adapter.pull(cursor) if hasattr(adapter, "pull") else adapter.poll(cursor)
            if page.cursor == cursor:
                return tracemalloc.get_traced_memory()[1] / len(body)
            cursor = page.cursor
            del page
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("head", "line", "make"),
    [
        (b"order,line,sku,quantity\n", b"x,y,zzzzzzzzzz,-1\n", "make_channel"),
        (b"sku,node,on_hand\n", b"MUG,NYC,-3,,,,,,\n", "make_channel"),
        (b"key,status,at\n", b"1-1-NYC,nonsense,2026-01-05T09:00:00Z\n", "make_connector"),
    ],
)
def test_a_bad_file_takes_no_more_than_four_times_its_size(kit, folder, head, line, make):
    body = head + line * (3_000_000 // len(line))
    assert peak_of(kit, getattr(kit, make), folder, "a.csv", body) < 4
    assert len(kit.files(folder, "failed")) == 2


@pytest.mark.parametrize("what", ["orders", "changes"])
def test_a_good_file_takes_no_more_than_four_times_its_size(kit, folder, what):
    if what == "orders":
        head = "order,line,sku,quantity,placed_at,country,name,street,city\n"
        rest = ",1,MUG,1,2026-01-05T08:00:00Z,US,Ottilie Quist-Marchbanks,17 Juniper Row,Hudson\n"
        body = head + "".join(f"order-{number:030}{rest}" for number in range(10_000))
    else:
        body = "sku,node,delta\n" + "".join(f"SKU-{n:040},NYC,1\n" for n in range(20_000))

    def make(folder: Any) -> Any:
        return smaller(kit.make_channel(folder), 150_000)

    assert peak_of(kit, make, folder, "a.csv", body.encode()) < 4
    assert kit.files(folder, "failed") == []


# --- readers that end -----------------------------------------------------------------------------


@pytest.mark.parametrize("death", ["crash", "memory"])
def test_a_file_that_ends_its_readers_is_set_aside_and_the_rest_goes_on(kit, folder, death):
    kit.put(folder, "a.csv", HEAD + row(1))
    kit.put(folder, "b.csv", HEAD + row(2))
    ended = 0
    for _ in range(5):
        channel = kit.make_channel(folder)
        read = channel._parts.read

        def dies(file: Delivered, read: Any = read) -> Any:
            if file.name == "a.csv":
                raise kit.Crash if death == "crash" else MemoryError
            return read(file)

        channel._inbox._read = dies
        try:
            page = channel.pull("")
        except (kit.Crash, MemoryError):
            ended += 1
            continue
        assert ids(list(page.commands)) == ["2"]
        break
    assert ended == 3
    _, told = kit.files(folder, "failed")
    assert "ended while reading, 3 times" in (folder / "failed" / told).read_text()


def test_a_disk_that_fails_now_and_then_sets_no_file_aside(kit, folder):
    kit.put(folder, "a.csv", HEAD + row(1))
    for _ in range(6):
        channel = kit.make_channel(folder)

        def fails(file: Delivered) -> Any:
            raise OSError(5, "Input/output error")

        channel._inbox._read = fails
        with pytest.raises(Exception, match="Input/output"):
            channel.pull("")
    assert ids(drain(kit.make_channel(folder))[0]) == ["1"]
    assert [name for name in kit.files(folder, "working") if name.startswith(".")] == []


def test_seen_knows_earlier_parts_and_this_one():
    seen = Seen({hash("a")})
    assert [seen.again(each) for each in ("a", "b", "b")] == [True, False, True]
