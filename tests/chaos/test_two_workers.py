"""Two worker processes share one store: each piece of work is done once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from domcore import Settings
from domcore.testing.builder import World

ORDERS = 120

WORKER = """
import sys
from domcore import Domcore, Settings, hookimpl
from domcore.model import Receipt

class Partner:
    name = "partner"

    def release(self, handover):
        with open(sys.argv[2], "a") as books:
            books.write(f"released {handover.key}\\n")
        return Receipt("accepted")

    cancel = reconcile = release

    @hookimpl
    def register_connectors(self, dom):
        return [self]

    @hookimpl
    def handle_event(self, event):
        with open(sys.argv[2], "a") as books:
            books.write(f"heard {event.seq}\\n")

settings = Settings(store=sys.argv[1], engine="python", synchronous="NORMAL")
with Domcore(settings, plugins={"partner": Partner()}, load_plugins=False) as dom:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(30):
        report = dom.work(limit=15)
        assert not report.unknown and not report.failures, report
"""


def test_two_workers_never_do_one_thing_twice(tmp_path: Path) -> None:
    store, books = tmp_path / "shop.db", tmp_path / "books.txt"
    world = World().node("NYC", at=(40.7, -74.0), connector="partner")
    world.item("MUG", weight=300).stock("MUG", NYC=ORDERS)
    settings = Settings(store=str(store), engine="python")
    with world.open(settings) as dom:
        dom.capture_all(world.order(str(number), MUG=1) for number in range(ORDERS))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(store), str(books)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for each in workers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in workers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in workers:
        _, complaint = each.communicate(timeout=120)
        assert each.returncode == 0, complaint
    done = Counter(books.read_text().splitlines())
    assert set(done.values()) == {1}
    with world.open(settings) as dom:
        assert sum(line.startswith("released") for line in done) == ORDERS
        assert list(dom.verify()) == []
        assert {each.status for each in dom.orders(limit=500)} == {"allocated"}
