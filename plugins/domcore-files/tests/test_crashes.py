"""A crash between any two steps, or in the middle of one, loses nothing and doubles nothing.

Every call to the system is made to fail in turn, before it was carried out and after.
"""

from __future__ import annotations

from typing import Any

import pytest

from domcore.errors import ConnectorError, PayloadError
from domcore.model import CaptureOrder, StockLevel
from domcore.testing import make_handover

MOST = 400
"""More calls than any of the stories makes."""


class Core:
    """What the core does with pages: applies by key, then keeps the cursor, in one transaction."""

    def __init__(self) -> None:
        self.cursor = ""
        self.applied: dict[str, Any] = {}

    def pull(self, channel: Any) -> bool:
        """One pull; whether there is nothing left to do."""
        page = channel.pull(self.cursor)
        for command in page.commands:
            key = command.key if hasattr(command, "key") and command.key else repr(command)
            assert self.applied.setdefault(key, command) == command
        done = not page.more and page.cursor == self.cursor
        self.cursor = page.cursor
        return done


def crashes(kit: Any, after: bool) -> Any:
    """A disk that crashes at its first call, at its second, and so on."""
    for at in range(1, MOST):
        yield at, kit.Calls(at, after=after)
    raise AssertionError("the story is longer than the test thinks")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("keep", [True, False])
def test_a_crash_at_any_step_of_a_pull(kit, tmp_path, after, keep):
    for at, calls in crashes(kit, after):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        kit.put(folder, "a.csv", kit.ORDERS)
        kit.put(folder, "b.csv", kit.STOCK)
        kit.put(folder, "c.csv", "order,line\n1,1\n")
        kit.put(folder, "d.jsonl", '{"sku": "MUG", "node": "NYC", "delta": 3}\n')
        core, crashed = Core(), False
        try:
            channel = kit.make_channel(folder, calls, keep=keep)
            while not core.pull(channel):
                pass
        except kit.Crash:
            crashed = True
        channel = kit.make_channel(folder, keep=keep)
        while not core.pull(channel):
            pass
        taken = [each for each in core.applied.values() if not isinstance(each, PayloadError)]
        assert len(taken) == 4, (at, core.applied)
        assert kit.files(folder, "in") == kit.files(folder, "working") == []
        assert len(kit.files(folder, "done")) == (3 if keep else 0)
        assert [name.split(".")[-1] for name in kit.files(folder, "failed")] == ["csv", "txt"]
        if not crashed:
            return


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_step_of_a_poll(kit, tmp_path, after):
    for at, calls in crashes(kit, after):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        kit.put(folder, "a.csv", kit.NOTICES)
        kit.put(folder, "b.csv", kit.NOTICES)
        told: dict[str, Any] = {}
        cursor, crashed = "", False
        for disk in (calls, None):
            connector = kit.make_connector(folder, *([disk] if disk else []))
            try:
                while True:
                    page = connector.poll(cursor)
                    told |= {repr(each): each for each in page.notices}
                    if page.cursor == cursor and not page.more:
                        break
                    cursor = page.cursor
            except kit.Crash:
                crashed = True
        assert len(told) == 2
        assert len(kit.files(folder, "done")) == 2
        if not crashed:
            return


class Node:
    """A node that takes whatever lies there; by moving files it is known what, else by name."""

    def __init__(self, kit: Any, folder: Any, *, deletes: bool) -> None:
        self.kit, self.folder, self.deletes = kit, folder, deletes
        self.seen: list[str] = []

    def works(self) -> None:
        for name in self.kit.files(self.folder, "out"):
            if name.startswith("."):
                continue
            self.seen.append(name)
            path = self.folder / "out" / name
            if self.deletes:
                path.unlink()
            else:
                (self.folder / "taken").mkdir(exist_ok=True)
                path.rename(self.folder / "taken" / name)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("trouble", ["crash", "error"])
def test_a_crash_at_any_step_of_a_release(kit, tmp_path, after, deletes, trouble):
    """The core does what it must: after an unknown outcome it reconciles, then tries again."""
    work = make_handover()
    for at in range(1, MOST):
        error = kit.Crash() if trouble == "crash" else OSError(5, "Input/output error")
        folder = tmp_path / f"{at}"
        folder.mkdir()
        node, failed = Node(kit, folder, deletes=deletes), True
        try:
            kit.make_connector(folder, kit.Calls(at, error, after=after)).release(work)
            failed = False
        except (kit.Crash, ConnectorError):
            pass
        node.works()  # before anybody has looked
        connector = kit.make_connector(folder)
        if connector.reconcile(work).status == "unknown_here":
            connector.release(work)
        node.works()
        assert connector.reconcile(work).status == "accepted"
        assert connector.release(work).status == "accepted"
        node.works()
        assert node.seen == ["7-1-NYC.csv"], (at, node.seen)
        assert connector.reconcile(make_handover("8-1-NYC")).status == "unknown_here"
        if not failed:
            return
    raise AssertionError("the story is longer than the test thinks")


@pytest.mark.parametrize("after", [False, True])
def test_work_that_may_lie_there_is_an_unknown_outcome(kit, tmp_path, after):
    """Whenever the file has appeared, the error says that the outcome is not known."""
    told = set()
    for at in range(1, MOST):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        calls = kit.Calls(at, OSError(5, "Input/output error"), after=after)
        try:
            kit.make_connector(folder, calls).release(make_handover())
        except ConnectorError as error:
            told.add((error.unknown, "7-1-NYC.csv" in kit.files(folder, "out")))
        else:
            break
    assert (False, True) not in told
    assert {unknown for unknown, _ in told} == {True, False}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("taken", [False, True])
def test_a_crash_at_any_step_of_a_cancel(kit, tmp_path, after, taken):
    work = make_handover()
    expected = "cancel_requested" if taken else "cancelled"
    for at, calls in crashes(kit, after):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        kit.make_connector(folder).release(work)
        if taken:
            (folder / "out" / "7-1-NYC.csv").rename(folder / "taken" / "7-1-NYC.csv")
        crashed = False
        try:
            kit.make_connector(folder, calls).cancel(work)
        except kit.Crash:
            crashed = True
        connector = kit.make_connector(folder)
        assert connector.cancel(work).status == expected
        assert connector.reconcile(work).status == expected
        names = [name for name in kit.files(folder, "out") if not name.startswith(".")]
        assert names == (["7-1-NYC.stop.csv"] if taken else [])
        assert not any(b"Quist" in each.read_bytes() for each in (folder / "sent").iterdir())
        if not crashed:
            return


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_step_of_a_publication(kit, tmp_path, after):
    """What is there is whole, old or new; and the next publication tells everything."""
    for at, calls in crashes(kit, after):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        kit.make_channel(folder).publish_stock([StockLevel("A", (), "", 1)])
        before = (folder / "out" / "stock.csv").read_bytes()
        crashed = False
        try:
            kit.make_channel(folder, calls).publish_stock([StockLevel("B", (), "", 2)])
        except kit.Crash:
            crashed = True
        there = (folder / "out" / "stock.csv").read_bytes()
        assert there == before or there.count(b"\r\n") == 3
        kit.make_channel(folder).publish_stock([StockLevel("B", (), "", 2)])
        text = (folder / "out" / "stock.csv").read_text()
        assert text.splitlines() == ["sku,external_ids,node,available", "A,,,1", "B,,,2"]
        if not crashed:
            return


def test_two_workers_take_nothing_twice_in_effect(kit, folder):
    """The lease of one has run out: the other reads the same file, and the keys are the same."""
    kit.put(folder, "a.csv", kit.ORDERS)
    one, other = kit.make_channel(folder), kit.make_channel(folder)
    first, second = one.pull(""), other.pull("")
    assert first == second
    assert {each.key for each in first.commands if isinstance(each, CaptureOrder)}
    other.pull(second.cursor)
    assert one.pull(first.cursor).commands == ()
    assert len(kit.files(folder, "done")) == 1
