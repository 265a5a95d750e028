"""Eight processes, each with an application of its own, fight for the last units.

    python tests/chaos/fight_harness.py DATABASE --processes 8

Two SKUs are scarce: of one, every unit may go; of the other, a pack keeps some back at each node.
Every process captures and routes orders of its own, and now and then routes everybody's, until
nothing is left to get. Prints one JSON report.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from attrs import evolve

from domcore import ActivationSettings, Domcore, RoutingSettings, Settings
from domcore.testing.builder import World

NODES = ("ATL", "LAX", "NYC")
EACH = 150
KEPT = 7

PACK = f"""
format = 1
name = "keep-some"
version = "1.0.0"
description = "Some units of the protected item stay where they are."

[[rule]]
id = "keep"
when = "line.sku == 'GUARDED'"
then = {{ protect = {{ quantity = {KEPT} }} }}
reason = "kept for the counter"
"""


def build(path: Path) -> Settings:
    pack = path.parent / "rulesets" / "keep-some"
    pack.mkdir(parents=True)
    (pack / "ruleset.toml").write_text(PACK, encoding="utf-8")
    settings = Settings(
        store=str(path),
        root=str(path.parent),
        activate=(ActivationSettings("keep-some"),),
        engine="python",
        routing=RoutingSettings(batch=10),
    )
    world = World()
    for name, at in zip(NODES, ((33.7, -84.4), (34.0, -118.2), (40.7, -74.0)), strict=True):
        world.node(name, at=at)
    for sku in ("HOT", "GUARDED"):
        world.item(sku, weight=300).stock(sku, ATL=EACH, LAX=EACH, NYC=EACH)
    world.open(settings).close()
    return settings


def fight(settings: Settings, number: int, seconds: float, go: int) -> dict[str, int]:
    """One process: how many of its own orders got something, and how often it came away empty."""
    world, served, empty, turns = World(), 0, 0, 0
    with Domcore(settings, load_plugins=False) as dom:
        os.read(go, 1)
        until = time.monotonic() + seconds
        while time.monotonic() < until and empty < 5:
            turns += 1
            name = f"p{number}-{turns}"
            order = world.order(name, lines={"HOT": 1, "GUARDED": 1})
            dom.capture(evolve(order, placed_at=dom.now()))
            report = dom.route([f"web/{name}"])
            served += report.placed
            empty += report.short
            if turns % 10 == 0:
                dom.route(limit=30)
    return {"served": served, "turns": turns}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    settings = build(asked.database)
    go, start = os.pipe()
    children = []
    for number in range(asked.processes):
        answer, say = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(start)
                os.write(say, json.dumps(fight(settings, number, asked.seconds, go)).encode())
                code = 0
            except BaseException as error:
                os.write(say, json.dumps({"broken": repr(error)}).encode())
            finally:
                os._exit(code)
        os.close(say)
        children.append((child, answer))
    os.write(start, b"." * asked.processes)
    reports = []
    for child, answer in children:
        with open(answer, "rb") as pipe:
            reports.append(json.loads(pipe.read()))
        os.waitpid(child, 0)
    with Domcore(settings, load_plugins=False) as dom:
        left = {f"{row.sku} {row.node}": row.available for row in dom.stock(limit=100)}
        sold = {"HOT": 0, "GUARDED": 0}
        for row in dom.stock(limit=100):
            sold[row.sku] += row.reserved
        violations = [str(each) for each in dom.verify()]
    print(json.dumps({"processes": reports, "left": left, "sold": sold, "violations": violations}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
