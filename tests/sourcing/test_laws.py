"""Laws of a decision, over random small worlds: what is shipped, from where, at what cost."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.model import (
    Band,
    Destination,
    Handling,
    Item,
    Network,
    Node,
    Order,
    OrderLine,
    Point,
    RateCard,
)
from domcore.rules import Activation, compile_program, parse_pack
from domcore.rules.engines.python import PythonEngine
from domcore.sourcing.decide import Decided, decide, work_out
from domcore.sourcing.field import Field
from domcore.sourcing.question import Options, Question
from domcore.sourcing.record import decode, question_from
from domcore.sourcing.supply import Supply

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
HERE = Destination("US", "NY", "10001", Point(40_750_000, -74_000_000))
SKUS = ("A", "B", "C")

FLAT = Band(base=3_000_000, per_km=1_500, per_kg=400_000)
STEPS = Band(base=1_000_000, steps=((500, 2_000_000), (2_000, 5_000_000)), over_per_kg=3_000_000)


def pack(*rules: dict) -> dict:
    return {
        "format": 1,
        "name": "law",
        "version": "1",
        "currency": "USD",
        "rule": [{"id": f"r{number}", **rule} for number, rule in enumerate(rules)],
    }


def program(*rules: dict):
    packs = [(parse_pack(pack(*rules)), Activation("law"))] if rules else []
    return compile_program(packs, engine=PythonEngine())


@st.composite
def worlds(draw):
    """(field, stock by SKU and node, safety, units wanted by line)."""
    count = draw(st.integers(1, 4))
    band = draw(st.sampled_from((FLAT, STEPS)))
    nodes = tuple(
        Node(
            f"N{number}",
            draw(st.sampled_from(("dc", "store"))),
            Point(draw(st.integers(30, 45)) * 1_000_000, -draw(st.integers(74, 120)) * 1_000_000),
            rate_card="card",
            handling=Handling(draw(st.integers(0, 3)) * 500_000, 200_000, 50_000),
        )
        for number in range(count)
    )
    field = Field(Network(nodes, (RateCard("card", "USD", (band,), minimum=1_500_000),)))
    stock = {
        sku: {at: units for at in range(count) if (units := draw(st.integers(0, 4)))}
        for sku in SKUS
    }
    safety = {sku: {at: draw(st.integers(0, 1)) for at in range(count)} for sku in SKUS}
    wanted = draw(
        st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 3)), min_size=1, max_size=3)
    )
    return field, stock, safety, wanted


def ask(world, *, more: int = 0, **options) -> Question:
    field, stock, safety, wanted = world
    supply = Supply(field)
    for item_id, sku in enumerate(SKUS):
        supply.put_items("main", [(sku, (item_id, Item(sku, weight=300 * (item_id + 1))))])
        supply.available[item_id] = {at: units + more for at, units in stock[sku].items()}
        supply.safety[item_id] = safety[sku]
    order = Order(
        "main", "web", "1", 1, NOW, "USD",
        tuple(OrderLine(f"l{n}", sku, units) for n, (sku, units) in enumerate(wanted)),
        HERE,
    )  # fmt: skip
    return Question(
        order, tuple(units for _, units in wanted), supply, NOW, "USD",
        options=Options(**options), made=("0", "python"),
    )  # fmt: skip


def decided(world, *rules: dict, **more) -> Decided:
    rulebook = program(*rules)
    question = ask(world, **more)
    return decide(question, rulebook, rulebook.node_state(question.supply.field.nodes))


def short(outcome: Decided) -> int:
    return sum(each.quantity for each in outcome.plan.shortages)


@given(worlds())
def test_every_unit_is_allocated_or_short(world):
    plan = decided(world).plan
    for number, (_, units) in enumerate(world[3]):
        line = f"l{number}"
        shipped = sum(a.quantity for a in plan.allocations if a.line == line)
        missing = sum(s.quantity for s in plan.shortages if s.line == line)
        assert shipped + missing == units


@given(worlds())
def test_nothing_is_taken_from_below_the_floor(world):
    field, stock, safety, _ = world
    outcome = decided(world, {"when": "node.kind == 'store'", "then": {"protect": {"quantity": 2}}})
    taken: dict[tuple[str, str], int] = {}
    for each in outcome.plan.allocations:
        taken[each.sku, each.node] = taken.get((each.sku, each.node), 0) + each.quantity
    for (sku, name), units in taken.items():
        at = field.position[name]
        floor = max(safety[sku][at], 2 if field.nodes[at].kind == "store" else 0)
        assert units <= stock[sku][at] - floor


@given(worlds())
def test_draws_are_what_is_allocated(world):
    outcome = decided(world)
    assert sum(draw[3] for draw in outcome.draws) == sum(
        each.quantity for each in outcome.plan.allocations
    )


@given(worlds())
def test_a_forbidden_node_is_never_used(world):
    outcome = decided(world, {"when": "node.kind == 'store'", "then": "exclude"})
    kinds = {node.id: node.kind for node in world[0].nodes}
    assert all(kinds[each.node] != "store" for each in outcome.plan.allocations)


@given(worlds())
def test_an_order_that_ships_complete_ships_whole_or_not_at_all(world):
    rule = {"when": "order.units >= 0", "then": {"split": {"ship_complete": True}}}
    plan = decided(world, rule).plan
    assert not plan.allocations or not plan.shortages


@given(worlds(), st.integers(1, 2))
def test_no_more_nodes_ship_than_may(world, most):
    rule = {"when": "order.units >= 0", "then": {"split": {"max_nodes": most}}}
    assert len(decided(world, rule).plan.nodes) <= most


@given(worlds())
def test_the_same_question_has_the_same_answer(world):
    assert decided(world).record == decided(world).record


@given(worlds())
def test_deciding_again_from_the_record_gives_the_same_bytes(world):
    rules = (
        {"when": "node.kind == 'store'", "then": {"cost": {"amount": "0.75", "per": "line"}}},
        {"when": "node.kind == 'store'", "then": "exclude", "soft": True},
    )
    first = decided(world, *rules)
    question = ask(world)
    again = question_from(decode(first.record), question.order, world[0])
    rulebook = program(*rules)
    assert decide(again, rulebook, rulebook.node_state(world[0].nodes)).record == first.record


@given(worlds())
def test_more_stock_never_makes_it_worse(world):
    before, after = decided(world), decided(world, more=1)
    assert (short(after), after.plan.cost if short(after) == short(before) else 0) <= (
        short(before),
        before.plan.cost,
    )


@given(worlds())
def test_a_plan_costs_what_its_parcels_cost(world):
    outcome, working = work_out(ask(world), program(), program().node_state(world[0].nodes))
    assert outcome.plan.cost == sum(each.solution.cost for each in working.passes)


@given(worlds())
@settings(max_examples=60)
def test_no_way_of_shipping_the_same_units_is_cheaper(world):
    """Brute force over every spread of every SKU, priced here and not by the planner."""
    outcome = decided(world)
    best = cheapest(world)
    assert (short(outcome), outcome.plan.cost) == best


def cheapest(world) -> tuple[int, int]:
    field, stock, safety, wanted = world
    units = {sku: sum(n for s, n in wanted if s == sku) for sku in SKUS}
    names = [sku for sku in SKUS if units[sku]]
    spreads = []
    for sku in names:
        room = [
            range(max(0, min(units[sku], stock[sku].get(at, 0) - safety[sku][at])) + 1)
            for at in range(len(field.nodes))
        ]
        spreads.append([s for s in itertools.product(*room) if sum(s) <= units[sku]])
    best = None
    for choice in itertools.product(*spreads):
        missing = sum(units.values()) - sum(map(sum, choice))
        if best is not None and missing > best[0]:
            continue
        cost = sum(
            node_cost(field, at, {sku: choice[n][at] for n, sku in enumerate(names)})
            for at in range(len(field.nodes))
        )
        best = min(best or (missing, cost), (missing, cost))
    return best


def node_cost(field: Field, at: int, units: dict[str, int]) -> int:
    """The cheapest packing of the SKUs a node ships into parcels, by trying every partition."""
    touched = [sku for sku, count in units.items() if count]
    if not touched:
        return 0
    node = field.nodes[at]
    work = sum(node.handling.line + node.handling.unit * units[sku] for sku in touched)
    return work + min(
        sum(parcel_cost(field, at, {sku: units[sku] for sku in part}) for part in partition)
        for partition in partitions(touched)
    )


def partitions(names: list[str]):
    if not names:
        yield []
        return
    first, rest = names[0], names[1:]
    for partition in partitions(rest):
        yield [[first], *partition]
        for number in range(len(partition)):
            yield [*partition[:number], [first, *partition[number]], *partition[number + 1 :]]


def parcel_cost(field: Field, at: int, units: dict[str, int]) -> int:
    from domcore.sourcing.distance import metres

    node, card = field.nodes[at], field.network.rate_cards[0]
    band = card.bands[0]
    grams = sum(300 * (SKUS.index(sku) + 1) * count for sku, count in units.items())
    price = band.base + round(band.per_km * metres(node.point, HERE.point) / 1000)
    price += band.per_kg * grams // 1000
    if band.steps:
        for limit, step in band.steps:
            if grams <= limit:
                price += step
                break
        else:
            price += band.steps[-1][1] + band.over_per_kg * (grams - band.steps[-1][0]) // 1000
    return node.handling.parcel + max(card.minimum, price)
