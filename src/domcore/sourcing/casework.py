"""Plans a pack's cases for real, so that a case may expect who ships what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from attrs import evolve

from domcore.model import Band, Destination, FactSpec, Network, Plan, Point, Policy, RateCard
from domcore.rules.cases import Case, Planner
from domcore.rules.compiler import Active
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.facts import FactRegistry
from domcore.rules.pack import Pack
from domcore.rules.program import compile_program
from domcore.rules.request import OpenLine, Request
from domcore.sourcing.decide import decide
from domcore.sourcing.field import Field
from domcore.sourcing.question import Past, Question
from domcore.sourcing.supply import Supply

CUSTOMER: Final = Point(0, 0)
METRES_PER_DEGREE: Final = 111_195
"""Along a meridian, on the sphere that distances are measured on."""


def case_planner(
    pack: Pack,
    *,
    engine: RuleEngine,
    facts: FactRegistry | None = None,
    others: Sequence[Active] = (),
    elsewhere: Mapping[str, FactSpec] = MappingProxyType({}),
) -> Planner:
    """A planner for `domcore.rules.cases.run_cases`.

    The case's nodes stand due north of the customer at the distances it gives, and postage is
    free, so only the costs and limits of the pack (and of the `others` it builds on) tell plans
    apart.
    """

    def plan(case: Case, _: Policy) -> Plan:
        program = compile_program(
            [*others, (pack, case.activation)], engine=engine, facts=facts, elsewhere=elsewhere
        )
        try:
            question = _question(case)
            state = program.node_state(question.supply.field.nodes, case.node_facts)
            return decide(question, program, state).plan
        finally:
            program.close()

    return plan


def _question(case: Case) -> Question:
    request = case.request
    order = request.order
    free = RateCard("free", order.currency, (Band(),))
    nodes = tuple(
        evolve(
            node,
            rate_card=free.id,
            point=Point(request.distances.get(at, 0) * 1_000_000 // METRES_PER_DEGREE, 0),
        )
        for at, node in enumerate(case.nodes)
    )
    supply = Supply(Field(Network(nodes, (free,))))
    item_ids: dict[str, int] = {}
    every = (*request.lines, *request.rest)
    for line in every:
        sku = line.item.sku
        item_id = item_ids.setdefault(sku, len(item_ids))
        supply.put_items(order.owner, [(line.line.sku, (item_id, line.item))])
        supply.available[item_id] = {
            at: case.stock[node.id, sku]
            for at, node in enumerate(nodes)
            if case.stock.get((node.id, sku))
        }
    destination = order.destination or Destination("")
    return Question(
        evolve(
            order,
            lines=tuple(line.line for line in every),
            destination=evolve(destination, point=CUSTOMER),
        ),
        tuple(line.open for line in every),
        supply,
        request.now,
        order.currency,
        sequence=request.attempts + 1,
        rejections=request.rejections,
        past=_past(request, every),
        signals=request.signals,
    )


def _past(request: Request, every: Sequence[OpenLine]) -> Past | None:
    """What the case says was placed before."""
    units = tuple(line.placed for line in every)
    return Past(units, request.used) if any(units) or request.used else None
