"""A problem made ready for search: local numbers, and one integer for every objective.

Lexicographic objectives become one sum: each term is weighted so that one unit of it outweighs
all later terms together, and a unit left short outweighs everything. Python's integers make that
exact. Where a node has a tariff, `held`, `offers` and `opening` carry a straight line that lies
nowhere above it, so whatever bounds those figures bounds the true cost.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define

from domcore.sourcing.planner.packing import Packer, minorant
from domcore.sourcing.planner.problem import TERMS, Offer, Problem, Tariff
from domcore.sourcing.planner.whole_lines import MOST_LINES

Units = list[tuple[int, int]]
"""``[(line, units)]`` for one node, local numbers, ascending."""

Take = list[tuple[int, int, int]]
"""``[(node, line, units)]``, local numbers."""


@define(slots=True)
class Instance:
    """One order with local node and line numbers and all costs weighted.

    `need` is what can be placed at all, by line; `offers[line]` lists
    ``(node, units, if touched, per unit)`` and `held[node]` ``(line, units, if touched, per
    unit)``, units never above the need. `opening[node]` is what using a node costs, `counts[node]`
    is 1 where it counts against `limit` (None: no limit), 0 where it counts already.
    `packers[node]` prices a node with a tariff truly and is None elsewhere; `true_unit[node][line]`
    are then the unit costs without the straight line (empty if all is `linear`). `weight` is the
    factor of each term, `penalty` that of a unit short, `grams` the weight of a unit, by line.
    """

    nodes: list[int]
    lines: list[int]
    need: list[int]
    offers: list[list[tuple[int, int, int, int]]]
    held: list[list[tuple[int, int, int, int]]]
    opening: list[int]
    counts: list[int]
    limit: int | None
    packers: list[Packer | None]
    true_unit: list[dict[int, int]]
    weight: dict[str, int]
    penalty: int
    linear: bool
    grams: list[int]

    def node_cost(self, node: int, units: Units) -> int:
        """The true weighted cost of shipping `units` from `node`."""
        packer = self.packers[node]
        fixed = {line: (touch, each) for line, _, touch, each in self.held[node]}
        if packer is None:
            return self.opening[node] + sum(
                fixed[line][0] + fixed[line][1] * count for line, count in units
            )
        each = self.true_unit[node]
        total = packer.cheapest(units)[0] + self.counts[node] * self.weight["nodes"]
        return total + sum(fixed[line][0] + each[line] * count for line, count in units)

    def one_parcel(self, node: int, units: Units) -> int:
        """The true weighted cost of shipping `units` from `node` in one parcel."""
        packer = self.packers[node]
        if packer is None:
            return self.node_cost(node, units)
        touch = {line: fixed for line, _, fixed, _ in self.held[node]}
        each = self.true_unit[node]
        total = packer.single(units) + self.counts[node] * self.weight["nodes"]
        return total + sum(touch[line] + each[line] * count for line, count in units)

    def cost(self, take: Take) -> int:
        """The true weighted cost of a plan, units short included."""
        by_node: dict[int, Units] = {}
        placed = 0
        for node, line, units in sorted(take):
            by_node.setdefault(node, []).append((line, units))
            placed += units
        total = sum(self.node_cost(node, units) for node, units in by_node.items())
        return total + (sum(self.need) - placed) * self.penalty

    def allows(self, take: Take) -> bool:
        """Whether the plan keeps to the limit of nodes."""
        if self.limit is None:
            return True
        return sum(self.counts[node] for node in {node for node, _, _ in take}) <= self.limit


def compile_instance(problem: Problem) -> Instance:
    """Drop what cannot matter, number the rest locally and weight the objective's terms."""
    lines, need, rows = _placeable(problem)
    used = sorted({offer[0] for row in rows for offer in row})
    local = {node: at for at, node in enumerate(used)}
    weight, penalty = _weights(problem, lines, need, rows)
    money, new_parcel, new_node = weight["cost"], weight["parcels"], weight["nodes"]
    opened = problem.opened
    counted = problem.used.union(opened)
    limit = problem.max_nodes
    parcel = problem.parcel
    instance = Instance(
        nodes=used,
        lines=lines,
        need=need,
        offers=[[] for _ in lines],
        held=[[] for _ in used],
        opening=[
            0
            if node in opened
            else money * parcel[node] + new_parcel + (0 if node in counted else new_node)
            for node in used
        ],
        counts=[0 if node in counted else 1 for node in used],
        limit=None if limit is None else max(0, limit - len(counted)),
        packers=[None] * len(used),
        true_unit=[],
        weight=weight,
        penalty=penalty,
        linear=not any(node in problem.tariffs for node in used),
        grams=[problem.weights[line] for line in lines] if problem.tariffs else [],
    )
    slopes = None if instance.linear else _set_tariffs(problem, instance)
    held = instance.held
    for at, row in enumerate(rows):
        most = need[at]
        offers = instance.offers[at]
        for number, available, touch, each in row:
            node = local[number]
            units = available if available < most else most
            touch *= money
            each *= money
            if slopes is not None:
                instance.true_unit[node][at] = each
                each += slopes[node] * problem.weights[lines[at]]
            offers.append((node, units, touch, each))
            held[node].append((at, units, touch, each))
    return instance


def shortage(problem: Problem) -> list[int]:
    """Units that no plan can place, by line, however many nodes it may use."""
    short = []
    for quantity, row in zip(problem.quantities, problem.offers, strict=True):
        held = sum(offer[1] for offer in row if offer[1] > 0)
        short.append(quantity - held if held < quantity else 0)
    return short


def terms(objective: Sequence[str]) -> list[str]:
    """The objective's terms in order, each once, with cost added last where it is not named."""
    unknown = set(objective) - set(TERMS)
    if unknown:
        raise ValueError(f"unknown objective {sorted(unknown)[0]!r}; known: {', '.join(TERMS)}")
    return list(dict.fromkeys([*objective, "cost"]))


def _placeable(problem: Problem) -> tuple[list[int], list[int], list[list[Offer]]]:
    """The lines of which anything can be placed, how much of each, and who holds it."""
    lines, need, rows = [], [], []
    for line, (quantity, row) in enumerate(zip(problem.quantities, problem.offers, strict=True)):
        live = [offer for offer in row if offer[1] > 0]
        units = min(quantity, sum([offer[1] for offer in live]))
        if units > 0:
            lines.append(line)
            need.append(units)
            rows.append(live)
    return lines, need, rows


def _weights(
    problem: Problem, lines: list[int], need: list[int], rows: list[list[Offer]]
) -> tuple[dict[str, int], int]:
    """The factor of each term and of a unit short (big-M, from the largest value of each)."""
    parcel = problem.parcel
    most_cost = touches = 0
    for units, row in zip(need, rows, strict=True):
        touches += min(units, len(row))
        for node, available, touch, each in row:
            most_cost += parcel[node] + touch + each * min(units, available)
    if problem.tariffs:
        grams = sum(problem.weights[line] * units for line, units in zip(lines, need, strict=True))
        for row in rows:
            for node, _, _, _ in row:
                tariff = problem.tariffs.get(node)
                if tariff is not None:
                    most_cost += tariff.price(problem.opened.get(node, 0) + grams)
    most = {"cost": most_cost, "parcels": touches, "nodes": touches}
    weight = dict.fromkeys(TERMS, 0)
    factor = 1
    for term in reversed(terms(problem.objective)):
        weight[term] = factor
        factor *= most[term] + 1
    return weight, factor


def _set_tariffs(problem: Problem, instance: Instance) -> list[int]:
    """Give the tariff nodes their packers and straight lines; returns the price per gram."""
    slopes = [0] * len(instance.nodes)
    instance.true_unit = [{} for _ in instance.nodes]
    money, new_parcel = instance.weight["cost"], instance.weight["parcels"]
    per_line = instance.grams
    most = sum(w * units for w, units in zip(per_line, instance.need, strict=True))
    least = min(per_line)
    # Short orders mostly ship in one parcel, long ones in many: the line is laid closest there.
    target = most if len(per_line) <= MOST_LINES else most // 4
    # Nodes of one band have equal tariffs: what is worked out for one serves them all.
    known: dict[tuple[Tariff, int, int | None], tuple[Packer, int, int]] = {}
    for node, number in enumerate(instance.nodes):
        tariff = problem.tariffs.get(number)
        if tariff is None:
            continue
        grams = problem.opened.get(number)
        parcel = money * problem.parcel[number] + new_parcel
        key = (tariff, parcel, grams)
        if key not in known:
            line = minorant(tariff, least, most, target, grams)
            known[key] = Packer(tariff, money, parcel, grams, per_line, line, most), *line
        instance.packers[node], start, slope = known[key]
        slopes[node] = money * slope
        if grams is None:
            instance.opening[node] += money * start
    return slopes
