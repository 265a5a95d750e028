"""A small shop to put rules to: three nodes, one order of two lines, everything replaceable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, evolve, field

from domcore.model.item import Item
from domcore.model.network import Node
from domcore.model.order import Order, OrderLine
from domcore.model.place import Destination, Point
from domcore.model.policy import Policy
from domcore.rules import (
    Activation,
    FactRegistry,
    NodeState,
    OpenLine,
    Pack,
    Program,
    Request,
    Verdict,
    compile_program,
    parse_pack,
)
from domcore.rules.engines.durable import DurableEngine, available, load_module
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.engines.python import PythonEngine

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)  # a Friday
HERE = Point(0, 0)

EAST = Node(
    "east", "dc", HERE, country="US", region="NY", postal="10001", priority=1,
    tags=("hazmat-licence", "nights"), attributes=(("docks", 4), ("cold", True)),
)  # fmt: skip
SOHO = Node("soho", "store", HERE, country="US", region="NY", postal="10012", priority=3)
TORONTO = Node("toronto", "store", HERE, country="CA", region="ON", tags=("nights",))

PAINT = Item("PAINT", weight=5_000, category="garden/paint", tags=("hazmat",))
LAMP = Item("LAMP", weight=900, dimensions=(200, 200, 600), category="home/lamps")


def order_line(item: Item, quantity: int, price: int, **more: Any) -> OpenLine:
    line = OrderLine(item.sku.lower(), item.sku, quantity, price, **more)
    return OpenLine(line, item, quantity)


ORDER = Order(
    "main", "web", "1001", 1, NOON, "USD", (), Destination("US", "NY", "10014"),
    number="#1001", service="express", customer_tier="gold", tags=("rush", "gift"),
    attributes=(("gift_wrap", True), ("ship_by", "2026-11-28T12:00")),
)  # fmt: skip


@define
class Shop:
    """Judges the shop's order by some rules."""

    engine: RuleEngine
    nodes: tuple[Node, ...] = (EAST, SOHO, TORONTO)
    order: Order = ORDER
    lines: tuple[OpenLine, ...] = (
        order_line(PAINT, 2, 30_000_000),
        order_line(LAMP, 1, 80_500_000, tags=("sale",)),
    )
    now: datetime = NOON
    distances: Mapping[int, int] = field(factory=lambda: {0: 12_500, 1: 300_000})
    available: Sequence[Mapping[int, int]] = ({0: 5, 1: 1}, {0: 1, 1: 9})
    facts: FactRegistry = field(factory=FactRegistry)
    node_facts: Mapping[str, Mapping[str, Any]] = field(factory=dict)

    def but(self, **changes: Any) -> Shop:
        return evolve(self, **changes)

    def ordering(self, **changes: Any) -> Shop:
        return evolve(self, order=evolve(self.order, **changes))

    def request(self, **more: Any) -> Request:
        return Request(
            evolve(self.order, lines=tuple(line.line for line in self.lines)),
            self.lines,
            self.now,
            **{"distances": self.distances, "available": self.available, **more},
        )

    def program(self, *rules: Any, activation: Activation | None = None, **top: Any) -> Program:
        return self.programs((pack_of(*rules, **top), activation or Activation("p")))

    def programs(self, *packs: tuple[Pack, Activation]) -> Program:
        return compile_program(packs, engine=self.engine, facts=self.facts)

    def state(self, program: Program) -> NodeState:
        return program.node_state(self.nodes, self.node_facts)

    def judge(self, *rules: Any, request: Request | None = None, **more: Any) -> Policy:
        return self.ask(self.program(*rules, **more), request)

    def ask(self, program: Program, request: Request | None = None) -> Policy:
        return program.judge(request or self.request(), self.state(program))

    def barred(self, *rules: Any, **more: Any) -> dict[str, set[str]]:
        """The nodes barred in the first pass, by line id."""
        program = self.program(*rules, **more)
        state = self.state(program)
        policy = program.judge(self.request(), state)
        return {
            line.line.id: set(state.ids(mask))
            for line, mask in zip(self.lines, policy.first.barred, strict=True)
        }

    def true_of(self, condition: str, **top: Any) -> set[tuple[str, str]]:
        """The (line, node) pairs a condition is true of."""
        barred = self.barred(rule(condition), **top)
        return {(line, node) for line, nodes in barred.items() for node in nodes}

    def holds(self, condition: str, **top: Any) -> bool:
        """Whether a condition of the order is true."""
        return bool(self.judge(rule(condition, "hold"), **top).holds)

    def verdict(self, *rules: Any, line: str = "paint", node: str = "soho", **top: Any) -> Verdict:
        program = self.program(*rules, **top)
        return program.explain(self.request(), self.state(program), line, node)[-1]


def rule(when: str, then: Any = "exclude", **more: Any) -> dict[str, Any]:
    return {"when": when, "then": then, **more}


def pack_of(*rules: Mapping[str, Any], name: str = "p", **top: Any) -> Pack:
    named = [{"id": f"r{number}", **found} for number, found in enumerate(rules, start=1)]
    tree = {"format": 1, "name": name, "version": "1.0.0", "currency": "USD", "rule": named}
    whole = {key: value for key, value in {**tree, **top}.items() if value is not None}
    return parse_pack(whole, source=f"{name}.toml")


@pytest.fixture(scope="session")
def durable_engine() -> RuleEngine:
    """The durable engine; tests that need it are skipped where it cannot be loaded."""
    usable, reason = available()
    if not usable:
        pytest.skip(reason)
    return DurableEngine(load_module())


@pytest.fixture(params=["python", "durable"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """The shop, once with every rule engine."""
    if request.param == "python":
        return Shop(PythonEngine())
    return Shop(request.getfixturevalue("durable_engine"))


@pytest.fixture
def plain_shop() -> Shop:
    """The shop with the engine that is always there, for tests that do not depend on it."""
    return Shop(PythonEngine())


@pytest.fixture(scope="session")
def example_shop() -> Shop:
    """The same, for many examples at once."""
    return Shop(PythonEngine())


@pytest.fixture(scope="session")
def make() -> Builders:
    """Builders: ``make.rule``, ``make.pack``, ``make.line``."""
    return Builders()


class Builders:
    rule = staticmethod(rule)
    pack = staticmethod(pack_of)
    line = staticmethod(order_line)
