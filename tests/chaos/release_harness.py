"""Kills a worker between any two steps of handing work over and hearing of it.

    python tests/chaos/release_harness.py FOLDER

One life of three orders is lived without a kill: one whose release loses its answer, one that its
first node rejects, one that is cancelled after it was taken in; the others ship, and news of it is
polled. Then it is lived again and again, killed at each store commit (before and after) and at each
edge of a call to the partner, in turn; a second worker finishes it. The end must be the same: of
every order, of the stock, and at the partner, which keeps its books in a file. Prints one JSON
report; exit code 1 says that something was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from domcore import ConnectorError, Domcore, Settings, WorkSettings, hookimpl
from domcore.model import Handover, Notice, Package, Polled, Receipt
from domcore.store.sqlite.backend import SqliteBackend
from domcore.testing.builder import World

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NODES = {"NYC": (40.7, -74.0), "LAX": (34.0, -118.2)}
LOSES, REJECTED, CANCELLED = "1", "2", "3"
ROUNDS = 16
STEP = timedelta(seconds=50)
PACKING = timedelta(minutes=4)


class Switch:
    """Counts the points that are passed, and kills this process at one of them."""

    def __init__(self, at: int = 0) -> None:
        self.passed = 0
        self._at = at

    def point(self) -> None:
        self.passed += 1
        if self.passed == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)


class Partner:
    """A node's system; what it knows is in a file, one line for each thing it has done."""

    name = "partner"
    certain_after = 60

    def __init__(self, books: Path, switch: Switch, now: Callable[[], datetime]) -> None:
        self._books = books
        self._switch = switch
        self._now = now

    def read(self) -> list[list[str]]:
        if not self._books.exists():
            return []
        return [json.loads(line) for line in self._books.read_text().splitlines()]

    def _write(self, *words: str) -> None:
        with self._books.open("a", encoding="utf-8") as file:
            file.write(json.dumps(words) + "\n")

    def _status(self, key: str) -> str:
        words = [word for word, about, *_ in self.read() if about == key and word != "asked"]
        return words[-1] if words else ""

    def _call(self, act: Callable[[Handover], Receipt], handover: Handover) -> Receipt:
        self._switch.point()
        answer = act(handover)
        self._switch.point()
        return answer

    def release(self, handover: Handover) -> Receipt:
        return self._call(self._release, handover)

    def reconcile(self, handover: Handover) -> Receipt:
        return self._call(lambda given: self._answer(given.key), handover)

    def cancel(self, handover: Handover) -> Receipt:
        return self._call(self._cancel, handover)

    def _release(self, handover: Handover) -> Receipt:
        key, order = handover.key, handover.order.external_id
        if order == REJECTED and handover.node.id == "NYC":
            return Receipt("rejected", reason="no_capacity")
        first = not self._status(key)
        # Work that is taken in twice is written twice: it would be shipped twice.
        self._write("accepted", key, order)
        if first and order == LOSES:
            raise ConnectorError("time-out", unknown=True)
        return self._answer(key)

    def _cancel(self, handover: Handover) -> Receipt:
        if self._status(handover.key) == "accepted":
            self._write("cancelled", handover.key)
        return self._answer(handover.key)

    def _answer(self, key: str) -> Receipt:
        return Receipt(self._status(key) or "unknown_here", reference=f"R-{key}")

    def poll(self, cursor: str) -> Polled:
        self._switch.point()
        taken = [key for word, key, *order in self.read() if order and order[0] != CANCELLED]
        packed = self._now() >= START + PACKING
        keys = list(dict.fromkeys(taken))[int(cursor or 0) :][:1] if packed else []
        notices = tuple(
            Notice(
                key,
                "shipped",
                START,
                packages=(Package(f"B-{key}", tracking="1Z"),),
                reference=f"R-{key}",
            )
            for key in keys
        )
        self._switch.point()
        return Polled(notices, str(int(cursor or 0) + len(keys)), bool(keys))


class Life:
    """One worker's life with the three orders, on the books of those before it."""

    def __init__(self, folder: Path, url: str, number: int, switch: Switch) -> None:
        self.world = world_of()
        self.world.clock.now = START + timedelta(hours=2 * number)
        self.partner = Partner(folder / "partner.jsonl", switch, self.world.clock)
        plugin = type("Plugin", (), {"register_connectors": hookimpl(lambda _: [self.partner])})()
        self.dom = Domcore(
            settings_of(url),
            plugins={"partner": plugin},
            load_plugins=False,
            clock=self.world.clock,
        )

    def live(self) -> None:
        placed, self.world.clock.now = self.world.clock.now, START
        for name in (LOSES, REJECTED, CANCELLED):
            self.dom.capture(self.world.order(name, MUG=2))
        self.world.clock.now = placed
        for _ in range(ROUNDS):
            self.dom.work()
            work = self.dom.order(f"web/{CANCELLED}").fulfillment_orders
            if work and work[-1].status == "accepted":
                self.dom.cancel(f"web/{CANCELLED}")
            self.world.clock.now += STEP

    def end(self) -> dict[str, Any]:
        """Everything that must be the same however it came about."""
        orders = {}
        for name in (LOSES, REJECTED, CANCELLED):
            view = self.dom.order(f"web/{name}")
            orders[name] = [
                view.summary.status,
                [list(line) for line in view.lines],
                [
                    [work.id, work.status, work.reference, [box.id for box in work.packages]]
                    for work in view.fulfillment_orders
                ],
            ]
        return {
            "orders": orders,
            "stock": [list(row) for row in self.dom.stock()],
            "partner": sorted(row[:2] for row in self.partner.read()),
            "parked": [each.id for each in self.dom.parked()],
            "violations": [str(each) for each in self.dom.verify()],
        }


def world_of() -> World:
    world = World()
    for name, at in NODES.items():
        world.node(name, at=at, connector="partner")
    return world.item("MUG", weight=300).stock("MUG", NYC=50, LAX=50)


def settings_of(url: str) -> Settings:
    return Settings(
        store=url,
        engine="python",
        synchronous="NORMAL",
        work=WorkSettings(lease_seconds=60, backoff_seconds=5, poll_seconds=45),
    )


def with_points(switch: Switch) -> None:
    """Every commit of the store is a point before and after."""
    real = SqliteBackend._commit

    def commit(self: SqliteBackend, connection: Any) -> None:
        switch.point()
        real(self, connection)
        switch.point()

    SqliteBackend._commit = commit  # type: ignore[method-assign]


def in_a_child(work: Callable[[], object]) -> tuple[int, str]:
    """Run in a forked process; how it ended, and the JSON of what came out."""
    answer, say = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(answer)
            os.write(say, json.dumps(work()).encode())
            code = 0
        except BaseException as error:
            os.write(say, json.dumps(repr(error)).encode())
        finally:
            os._exit(code)
    os.close(say)
    with open(answer, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said


def lived(folder: Path, lives: int, kill_at: int = 0) -> Callable[[], object]:
    """The work of one child: the first life counts points and may be killed; any other ends it."""

    def work() -> object:
        switch = Switch(kill_at)
        with_points(switch)
        life = Life(folder, str(folder / "shop.db"), lives, switch)
        if lives == 0:
            switch.passed = 0
        life.live()
        return {"end": life.end(), "points": switch.passed}

    return work


def fresh(folder: Path, template: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every so many points")
    parser.add_argument("--first", type=int, default=1, help="the first point")
    parser.add_argument("--forget", action="store_true", help="lose the partner's books: must fail")
    asked = parser.parse_args()
    template = asked.folder / "template"
    template.mkdir(parents=True)
    world_of().open(settings_of(str(template / "shop.db"))).close()
    # Whatever loads when it is first used is loaded before the children are forked.
    warm = Life(asked.folder, "memory:", 0, Switch())
    warm.dom.load_network(warm.world.network())
    warm.dom.load_items(warm.world.items)
    warm.live()
    (asked.folder / "partner.jsonl").unlink(missing_ok=True)
    code, said = in_a_child(lived(fresh(asked.folder / "whole", template), 0))
    whole = json.loads(said)
    if code:
        print(json.dumps({"broken": whole}))
        return 1
    wrong, killed = [], 0
    for point in range(asked.first, whole["points"] + 1, asked.every):
        folder = fresh(asked.folder / "killed", template)
        code, said = in_a_child(lived(folder, 0, point))
        if code != -signal.SIGKILL:
            wrong.append({"point": point, "killed": False, "said": said})
            continue
        killed += 1
        if asked.forget:
            (folder / "partner.jsonl").unlink(missing_ok=True)
        code, said = in_a_child(lived(folder, 1))
        end = json.loads(said)
        if code or end["end"] != whole["end"]:
            wrong.append({"point": point, "end": end if code else end["end"]})
    report = {
        "points": whole["points"],
        "killed": killed,
        "end": whole["end"],
        "wrong": wrong[:5],
        "wrong points": len(wrong),
    }
    print(json.dumps(report))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
