"""Figure 4: the policy for one order, by number of rules and nodes.

    python benchmarks/rules.py

The node state is warm and two nodes have changed since the last order; what is timed is taking
those changes in and judging one order of three lines over every node. Cold is the first order
after the nodes are loaded; compiling is done once per pack.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from attrs import frozen
from measure import cpu_of, machine, median, parser, table
from rules_mix import LOAD, NOW, Ask, asks, loads, nodes, pack, rules

from domcore.rules import Activation, NodeState, Program, Request, compile_program
from domcore.rules.engines.durable import DurableEngine, available
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.engines.python import PythonEngine
from domcore.rules.facts import FactRegistry

SIZES = ((20, 20), (150, 20), (200, 500))
TARGETS = {
    ((20, 20), "python"): 0.1, ((20, 20), "durable"): 0.4,
    ((150, 20), "python"): 0.4, ((150, 20), "durable"): 1.5,
    ((200, 500), "python"): 6.0, ((200, 500), "durable"): 15.0,
}  # fmt: skip


@frozen(slots=True)
class Timing:
    """Milliseconds of one size under one engine, and what the rules said."""

    warm: float
    cold: float
    compiling: float
    said: int


def engines() -> list[RuleEngine]:
    """Those that run here."""
    found: list[RuleEngine] = [PythonEngine()]
    if available():
        found.append(DurableEngine())
    return found


def request_of(ask: Ask) -> Request:
    """The question, every node being a candidate."""
    return Request(ask.order, ask.lines, NOW, distances=ask.distances)


def time_engine(engine: RuleEngine, size: tuple[int, int], orders: int, rounds: int) -> Timing:
    """Compile, load the nodes, judge."""
    rule_count, node_count = size
    facts = FactRegistry([LOAD])
    written, places = pack(rules(rule_count)), nodes(node_count)
    made: list[Program] = []

    def compiling() -> None:
        made.append(
            compile_program([(written, Activation("mix"))], engine=engine, facts=facts,
                            currency="USD")
        )  # fmt: skip

    compiled = median(cpu_of(compiling) for _ in range(rounds))
    program, extra, questions = made[0], loads(places), asks(orders, places)
    states: list[NodeState] = []

    def first_order() -> None:
        states.append(program.node_state(places, extra))
        program.judge(request_of(questions[0]), states[-1])

    cold = median(cpu_of(first_order) for _ in range(max(3, rounds)))
    warm = median(time_orders(program, states[0], questions) for _ in range(rounds))
    said = sum(len(program.judge(request_of(ask), states[0]).fired) for ask in questions)
    for each in made:
        each.close()
    return Timing(warm * 1e3, cold * 1e3, compiled * 1e3, said)


def time_orders(program: Program, state: NodeState, questions: Sequence[Ask]) -> float:
    """CPU seconds per order, two nodes changing before each."""
    draw = random.Random(7)
    changes = []
    for _ in questions:
        pair = draw.sample(range(len(state.nodes)), 2)
        changes.append({state.nodes[at].id: {LOAD.name: draw.randrange(100)} for at in pair})
    requests = [request_of(ask) for ask in questions]

    def judge_all() -> None:
        for request, changed in zip(requests, changes, strict=True):
            state.refresh(changed)
            program.judge(request, state)

    return cpu_of(judge_all) / len(questions)


def main() -> None:
    """Every size under every engine."""
    arguments = parser(__doc__)
    arguments.add_argument("--orders", type=int, default=200)
    asked = arguments.parse_args()
    sizes = SIZES[:1] if asked.smoke else SIZES
    orders, rounds = (20, 1) if asked.smoke else (asked.orders, asked.rounds)
    print(f"{machine()}\n")
    rows = []
    for size in sizes:
        few = max(3, orders // (1 + size[0] * size[1] // 10_000))
        said = set()
        for engine in engines():
            timing = time_engine(engine, size, few, rounds)
            said.add(timing.said)
            rows.append(
                (
                    f"{size[0]} x {size[1]}", engine.name, f"{timing.warm:.3f}",
                    TARGETS[size, engine.name], f"{timing.cold:.2f}", f"{timing.compiling:.1f}",
                    f"{timing.said / few:.0f}",
                )
            )  # fmt: skip
        if len(said) > 1:
            raise SystemExit(f"the engines disagree at {size}: {said}")
    table(
        ("rules x nodes", "engine", "warm ms", "target", "cold ms", "compile ms", "rules heard"),
        rows,
    )  # fmt: skip


if __name__ == "__main__":
    main()
