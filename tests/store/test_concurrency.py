"""Many writers at once: nothing oversold, no floor broken, nobody starved."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from domcore.errors import ConflictError, StaleSupply
from domcore.store import open_store
from domcore.store.protocol import Commit, Draw
from domcore.testing.store_suite.kit import NOW, StoreKit, order_of

WORKERS = 8


def try_to_route(kit: StoreKit, order_id: int, draws: tuple[Draw, ...]) -> bool:
    try:
        kit.store.commit([Commit(order_id, 1, 1, NOW, b'{"format":1}', draws)])
    except StaleSupply:
        return False
    return True


def test_threads_share_the_last_units(kit: StoreKit):
    kit.count("bolt", "east", 10)
    ids = [kit.take_in(order_of(str(n), bolt=1)) for n in range(40)]
    draw = Draw(0, kit.item["bolt"], kit.node["east"], 1, 0)
    won: list[int] = []

    def work(mine: list[int]) -> None:
        won.extend(i for i in mine if try_to_route(kit, i, (draw,)))

    threads = [threading.Thread(target=work, args=(ids[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 10
    assert kit.shelf("bolt", "east") == (10, 10, 0)


def test_threads_that_decide_the_same_order_collide(kit: StoreKit):
    kit.count("bolt", "east", 100)
    order_id = kit.take_in(order_of(bolt=1))
    decision = kit.decide(order_id, "east")
    words: Counter[str] = Counter()

    def work() -> None:
        try:
            kit.store.commit([decision])
            words["done"] += 1
        except ConflictError:
            words["conflict"] += 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert words == {"done": 1, "conflict": 5}
    assert kit.shelf("bolt", "east") == (100, 1, 0)


def fight(path: str, orders: list[int], hot: Draw, guarded: Draw, start, results) -> None:
    """One process: two lines an order, in an order that differs from process to process."""
    store = open_store(path)
    draws = (hot, guarded) if orders[0] % 2 else (guarded, hot)
    start.wait()
    won = 0
    for order_id in orders:
        try:
            store.commit([Commit(order_id, 1, 1, NOW, b'{"format":1}', draws)])
            won += 1
        except StaleSupply:
            pass
    results.put(won)
    store.close()


def run_workers(target, arguments: list[tuple[object, ...]]) -> list[int]:
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    start, results = context.Barrier(len(arguments)), context.Queue()
    workers = [
        context.Process(target=target, args=(*argument, start, results)) for argument in arguments
    ]
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=50) for _ in workers]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * len(workers)
    return answers


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock")
def test_processes_fighting_for_the_last_units_never_oversell(path: Path):
    kit = StoreKit(open_store(path))
    kit.count("bolt", "east", 60)
    kit.count("nut", "east", 100)
    ids = [kit.take_in(order_of(str(n), bolt=1, nut=2)) for n in range(WORKERS * 20)]
    hot = Draw(0, kit.item["bolt"], kit.node["east"], 1, 0)
    # 100 units with 10 protected: 45 orders of 2 may go, though 60 bolts are there.
    guarded = Draw(1, kit.item["nut"], kit.node["east"], 2, 10)
    kit.store.close()  # a SQLite connection must not be carried across a fork
    won = run_workers(
        fight, [(str(path), ids[n * 20 : n * 20 + 20], hot, guarded) for n in range(WORKERS)]
    )
    kit = StoreKit(open_store(path))
    assert sum(won) == 45
    assert kit.shelf("bolt", "east") == (60, 45, 0)
    assert kit.shelf("nut", "east") == (100, 90, 0)
    taken = sum(row[6] for row in kit.store.audit("reservation"))
    ledger = sum(row[4] for row in kit.store.audit("ledger"))
    assert taken == ledger == 45 + 90
    assert sum(1 for _ in kit.store.audit("decision")) == 45
    kit.store.close()


def hurry(path: str, start, results) -> None:
    """One process: write as often as it can for a while."""
    store = open_store(path)
    start.wait()
    until, done = time.monotonic() + 2.0, 0
    while time.monotonic() < until:
        done += 1
        store.advance_cursor(f"worker-{multiprocessing.current_process().pid}", done)
    results.put(done)
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock")
def test_eight_writers_get_a_fair_turn_each(path: Path):
    open_store(path).close()
    done = run_workers(hurry, [(str(path),)] * WORKERS)
    mean = sum(done) / len(done)
    assert min(done) >= mean / 2, sorted(done)
