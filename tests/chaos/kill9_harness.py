"""Kills a working domcore at random moments, again and again, and holds the store to its word.

    python tests/chaos/kill9_harness.py DATABASE --kills 300 --seed 1

Each round forks a child that opens the database, takes orders in, routes them, cancels, amends,
counts stock and hands work over, and writes down what was acknowledged in a log beside the
database. The parent kills it after some milliseconds. Every so often, and at the end, the store
must verify clean and hold everything that was acknowledged. Prints one JSON report; exit code 1
says that something was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve

from domcore import Domcore, DomcoreError, RoutingSettings, Settings
from domcore.model import CancelOrder, CaptureOrder, ObserveStock, StockCount
from domcore.store.audit import columns
from domcore.testing.builder import World

SKUS = tuple(f"SKU-{number:02}" for number in range(12))
NODES = ("ATL", "LAX", "NYC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def build(url: str) -> None:
    world = World()
    for name, at in zip(NODES, ((33.7, -84.4), (34.0, -118.2), (40.7, -74.0)), strict=True):
        world.node(name, at=at, connector="fake")
    for sku in SKUS:
        world.item(sku, weight=300).stock(sku, safety=2, ATL=40, LAX=40, NYC=40)
    with world.open(settings(url)) as dom:
        if url == "memory:":
            # Whatever is loaded when it is first used is loaded before the children are forked.
            dom.capture(world.order("warm", lines={SKUS[0]: 1}))
            dom.route()


def settings(url: str | Path) -> Settings:
    return Settings(store=str(url), engine="python", routing=RoutingSettings(batch=8))


class Worker:
    """One life: works until it is killed, and logs what it was told is done."""

    def __init__(self, path: Path, log: int, name: str) -> None:
        self._dom = Domcore(settings(path), load_plugins=False)
        self._log = log
        self._name = name
        self._dice = random.Random(name)
        self._made = 0
        self._world = World()

    def live(self) -> None:
        jobs = (self.capture, self.route, self.route, self.change, self.count, self.hand_over)
        while True:
            with suppress(DomcoreError):
                self._dice.choice(jobs)()

    def _say(self, *words: object) -> None:
        os.write(self._log, (json.dumps(words) + "\n").encode())

    def _key(self) -> str:
        self._made += 1
        return f"{self._name}-{self._made}"

    def capture(self) -> None:
        commands = []
        for _ in range(self._dice.randrange(1, 9)):
            key = self._key()
            lines = {sku: self._dice.randrange(1, 4) for sku in self._dice.sample(SKUS, 2)}
            commands.append(CaptureOrder(self._world.order(key, lines=lines), None, key))
        self._dom.store.capture(commands, now=self._micros())
        for command in commands:
            self._say("captured", command.key)

    def route(self) -> None:
        self._dom.route(
            limit=24,
            progress=lambda routed: self._say(
                "decided", routed.order_id, routed.sequence, routed.outcome
            ),
        )

    def change(self) -> None:
        known = self._dom.orders(limit=1, after=self._dice.randrange(200))
        if not known:
            return
        reference = f"web/{known[0].external_id}"
        order = self._dom.order(reference).order
        if self._dice.randrange(2):
            key = self._key()
            self._dom.apply([CancelOrder(*order.key, order.revision, "changed", key)])
            self._say("cancelled", order.external_id, key)
        else:
            later = evolve(order, revision=order.revision + 1, lines=order.lines[:1])
            self._dom.capture(later)
            self._say("amended", order.external_id, later.revision)

    def count(self) -> None:
        key = self._key()
        counts = tuple(
            StockCount(sku, self._dice.choice(NODES), delta=self._dice.randrange(-4, 12))
            for sku in self._dice.sample(SKUS, 3)
        )
        self._dom.observe(ObserveStock("main", counts, key))
        self._say("observed", key)

    def hand_over(self) -> None:
        store, now = self._dom.store, self._micros()
        for lease in store.lease_due("release", now=now, until=now + 60_000_000, limit=3):
            self._say("leased", lease.entry)
            store.settle(lease.entry, now=now)
            self._say("settled", lease.entry)

    def _micros(self) -> int:
        return (self._dom.now() - EPOCH) // MICROSECOND

    def finish(self) -> None:
        """Route what is left, as a restarted application would."""
        self.route()
        self._dom.route()


def one_round(path: Path, log: int, dice: random.Random, name: str) -> bool:
    """Fork, let it work for a moment, kill; whether it had begun to work."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ready)
            worker = Worker(path, log, name)
            worker.capture()
            worker.route()
            os.write(tell, b".")
            worker.live()
        except BaseException as error:
            os.write(log, (json.dumps(["broken", name, repr(error)]) + "\n").encode())
        finally:
            os._exit(1)
    os.close(tell)
    begun = False
    if dice.random() < 0.7:
        begun = os.read(ready, 1) == b"."
        time.sleep(dice.uniform(0, 0.04))
    else:
        time.sleep(dice.uniform(0, 0.06))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    return begun


class Kept:
    """What the store holds of everything that may have been acknowledged."""

    def __init__(self, dom: Domcore) -> None:
        self._store = dom.store
        self._keys = {key for (key,) in self._table("inbox", "key")}
        self._decisions = set(self._table("decision", "order_id", "sequence"))
        names = dict(self._table("orders", "id", "external_id"))
        states = self._table("order_state", "order_id", "cancelled", "revision")
        self._cancelled = {names[order_id] for order_id, gone, _ in states if gone}
        self._revisions = {names[order_id]: number for order_id, _, number in states}
        outbox = self._table("outbox", "id", "attempts", "done_at")
        self._tried = {entry for entry, attempts, _ in outbox if attempts}
        self._done = {entry for entry, _, done in outbox if done is not None}

    def _table(self, name: str, *wanted: str) -> list[tuple[Any, ...]]:
        places = [columns(name).index(column) for column in wanted]
        return [tuple(row[place] for place in places) for row in self._store.audit(name)]

    def holds(self, word: str, *said: Any) -> bool:
        """Whether what was acknowledged is there."""
        if word in ("captured", "observed"):
            return said[0] in self._keys
        if word == "cancelled":
            return said[1] in self._keys and said[0] in self._cancelled
        if word == "amended":
            return bool(self._revisions.get(said[0], 0) >= said[1])
        if word == "decided":
            return said[2] in ("nothing", "failed") or said[:2] in self._decisions
        if word in ("leased", "settled"):
            return said[0] in (self._tried if word == "leased" else self._done)
        return False


def broken_promises(path: Path, log: Path) -> list[str]:
    """What was acknowledged and is not there, and whatever `verify` finds."""
    with Domcore(settings(path), load_plugins=False) as dom:
        found = [str(violation) for violation in dom.verify()]
        kept = Kept(dom)
    said = log.read_text().splitlines()
    lost = [line for line in said if not kept.holds(*json.loads(line))]
    return found + [f"acknowledged, but not there: {line}" for line in lost]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check-every", type=int, default=100)
    parser.add_argument("--lie", action="store_true", help="claim something that was never done")
    asked = parser.parse_args()
    path, dice = asked.database, random.Random(asked.seed)
    notes = path.with_suffix(".log")
    build("memory:")
    build(str(path))
    log = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    began, at_work = time.perf_counter(), 0
    found: list[str] = []
    for number in range(1, asked.kills + 1):
        at_work += one_round(path, log, dice, f"s{asked.seed}r{number}")
        if number % asked.check_every == 0 and not found:
            found = broken_promises(path, notes)
    if asked.lie:
        os.write(log, b'["captured", "never"]\n')
    Worker(path, log, "last").finish()
    found += broken_promises(path, notes)
    seconds = time.perf_counter() - began
    words = [json.loads(line)[0] for line in notes.read_text().splitlines()]
    report = {
        "seed": asked.seed,
        "kills": asked.kills,
        "at work": at_work,
        "acknowledged": {word: words.count(word) for word in sorted(set(words))},
        "violations": found[:20],
        "kills per second": round(asked.kills / seconds, 1),
    }
    print(json.dumps(report))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
