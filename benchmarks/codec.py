"""What the codec costs: msgspec against cattrs with json, on orders and decision records.

Run: python benchmarks/codec.py. Times are CPU, microseconds a piece, best of several rounds.
Reason for docs/design/0007-msgspec.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import cattrs
import msgspec
from cattrs.preconf.json import make_converter as json_converter
from cattrs.preconf.msgspec import make_converter as msgspec_converter

from domcore.codec.stored import Bodies
from domcore.model import Order
from domcore.testing.builder import World

ROUNDS, TIMES = 7, 2_000


def per_call(work: Callable[[], object]) -> float:
    """Best CPU microseconds of one call."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(TIMES):
            work()
        best = min(best, time.process_time() - start)
    return best / TIMES * 1e6


def sample() -> tuple[Order, bytes]:
    """An order of three lines, and the record of the decision on it."""
    world = World()
    for number in range(20):
        world.node(f"N{number:02}", at=(30 + number, -80.0 - number))
    for sku in ("A", "B", "C"):
        world.item(sku, weight=500)
        world.stock(sku, **{f"N{number:02}": 5 for number in range(0, 20, 2)})
    with world.open() as dom:
        order = world.order("1", A=2, B=1, C=3)
        dom.capture(order)
        dom.route()
        return order, dom.store.decisions(1)[0].record


def main() -> None:
    order, record = sample()
    bodies = Bodies()
    stored = bodies.order.dump(order)
    values: Mapping[str, Any] = msgspec.json.decode(record)
    plain, preconf = json_converter(), msgspec_converter()
    plain_text = plain.dumps(order)
    preconf_text = preconf.dumps(order)
    rows = [
        ("read an order", "msgspec into attrs", lambda: bodies.order.load(stored)),
        ("", "cattrs + msgspec preconf", lambda: preconf.loads(preconf_text, Order)),
        ("", "cattrs + json", lambda: plain.loads(plain_text, Order)),
        ("write an order", "msgspec from attrs", lambda: bodies.order.dump(order)),
        ("", "cattrs + msgspec preconf", lambda: preconf.dumps(order)),
        ("", "cattrs + json", lambda: plain.dumps(order)),
        (f"write a record, {len(record)} B", "msgspec", lambda: msgspec.json.encode(values)),
        ("", "json", lambda: json.dumps(values, separators=(",", ":"))),
        ("read a record", "msgspec", lambda: msgspec.json.decode(record)),
        ("", "json", lambda: json.loads(record)),
    ]
    print(f"msgspec {msgspec.__version__}, cattrs {_version(cattrs)}")
    for what, how, work in rows:
        print(f"{what:24} {how:26} {per_call(work):8.1f} us")


def _version(module: Any) -> str:
    from importlib.metadata import version

    return version(module.__name__)


if __name__ == "__main__":
    main()
