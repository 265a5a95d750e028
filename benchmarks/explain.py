"""Looking at a plan: what `plan` and `explain` cost beside `route`, from small networks to large.

    python benchmarks/explain.py

The yardstick is `route` of one order by name in the same run, on the same network and of the same
kind of order. Nodes lie about the United States and hold 0, 1, 2 or 5 of each SKU, so that few have
a whole line and orders of five lines are split. `plan` is what a shop asks at checkout, `explain`
what a person asks about a decision, and `--why-not` looks for the best plan with one node.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from measure import cpu_of, machine, median, parser, table

from domcore import Domcore
from domcore.model import StockCount
from domcore.testing import World

SIZES: Final = (
    (20, 2, 1), (100, 2, 1), (1_000, 2, 1), (20, 5, 3), (100, 5, 3), (1_000, 5, 3), (100, 30, 2),
)  # fmt: skip
"""Nodes, lines of an order, units of each."""

SMALL: Final = ((20, 2, 1), (50, 5, 3))
MOST: Final = 20
"""How many times `route` the others may cost."""


def world_of(nodes: int, lines: int) -> World:
    """The same network and stock each time."""
    dice = random.Random(f"{nodes} {lines}")
    world = World()
    for number in range(nodes):
        place = dice.uniform(26, 48), dice.uniform(-122, -70)
        world.node(f"N{number:04}", at=(f"{place[0]:.3f}", f"{place[1]:.3f}"))
    for line in range(lines):
        world.item(f"S{line:02}", weight=300)
        world.counts += [
            StockCount(f"S{line:02}", f"N{number:04}", on_hand=dice.choice((0, 0, 1, 2, 5)))
            for number in range(nodes)
        ]
    return world


def asked_of(dom: Domcore, order: str) -> str:
    """A node that holds some of an order and does not ship it, as far away as one is told of."""
    others = dom.explain(order).others
    return others[-1].node if others else "N0000"


def measure(nodes: int, lines: int, units: int, orders: int) -> list[object]:
    """One row: medians over the orders, each of which takes the stock of the one before away."""
    world = world_of(nodes, lines)
    spent: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> None:
        spent.setdefault(name, []).append(cpu_of(work))

    with world.open() as dom:
        for number in range(orders + 1):
            wanted = {f"S{line:02}": units for line in range(lines)}
            dom.capture(world.order(str(number), lines=wanted))
        dom.route(["0"])
        asked_of(dom, "0")  # modules are loaded once
        for number in range(1, orders + 1):
            name = str(number)
            before = dom.plan(name)
            timed("plan", lambda name=name: dom.plan(name))
            timed("plan and why", lambda name=name: dom.plan(name).explanation)
            timed("route", lambda name=name: dom.route([name]))
            told = dom.explain(name)
            if not told.replayed or told.cost != before.plan.cost:
                raise SystemExit(f"order {name} of {nodes} nodes was not decided as it was planned")
            node = asked_of(dom, name)
            timed("explain", lambda name=name: dom.explain(name))
            timed("why not", lambda name=name, node=node: dom.explain(name, why_not=node))
    route = median(spent["route"])
    ratios = (
        f"{median(spent[each]) / route:.1f}"
        for each in ("plan", "plan and why", "explain", "why not")
    )
    return [f"{nodes:,}", lines, units, f"{route * 1_000:.1f} ms", *ratios, MOST]


def main() -> None:
    """Print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, default=5, help="orders of each size")
    asked = arguments.parse_args()
    print(machine(), "\n")
    sizes, orders = (SMALL, 2) if asked.smoke else (SIZES, asked.orders)
    heads = (
        "nodes", "lines", "units", "route", "plan", "plan, explained", "explain", "--why-not",
        "at most",
    )  # fmt: skip
    table(heads, [measure(*size, orders) for size in sizes])


if __name__ == "__main__":
    main()
