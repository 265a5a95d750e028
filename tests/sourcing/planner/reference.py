"""What the planner is held against: every plan there is, priced term by term, no pruning."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from domcore.sourcing.planner import Problem, Solution

Terms = tuple[int, ...]


def best_terms(problem: Problem) -> Terms:
    """Least (short, objective's terms ..., cost) over every plan, by trying all of them."""
    none = _vector(problem, sum(problem.quantities), 0, 0, 0)
    free = None
    if problem.max_nodes is not None:
        free = max(0, problem.max_nodes - len(_counted(problem)))
    # (units placed by line, new nodes used) -> the least terms so far, shortage apart
    zero = (0,) * len(problem.quantities)
    states: dict[tuple[Terms, int], Terms] = {(zero, 0): _vector(problem, 0, 0, 0, 0)}
    for node in sorted({offer[0] for row in problem.offers for offer in row}):
        choices = list(_node_choices(problem, node))
        grown = dict(states)
        for (placed, used), terms in states.items():
            for units, counts, price in choices:
                total = tuple(a + b for a, b in zip(placed, units, strict=True))
                if any(a > q for a, q in zip(total, problem.quantities, strict=True)):
                    continue
                if free is not None and used + counts > free:
                    continue
                key = (total, used + counts)
                sums = tuple(a + b for a, b in zip(terms, price, strict=True))
                if key not in grown or sums < grown[key]:
                    grown[key] = sums
        states = grown
    best = min(
        (sum(problem.quantities) - sum(placed), *terms[1:]) for (placed, _), terms in states.items()
    )
    if problem.ship_complete and best[0]:
        return none
    return best


def terms_of(problem: Problem, solution: Solution) -> Terms:
    """The same figures for a solution, from its parcels, priced here and not by the planner."""
    cost = 0
    taken: dict[tuple[int, int], int] = {}
    for node, line, units in solution.take:
        assert (node, line) not in taken
        taken[node, line] = units
        _, _, touch, each = next(o for o in problem.offers[line] if o[0] == node)
        cost += touch + each * units
    packed = []
    for node, lines in solution.parcels:
        assert lines
        packed += [(node, line) for line in lines]
        cost += problem.parcel[node] + _price(problem, node, _grams(problem, taken, node, lines))
    for node, lines in solution.joined:
        packed += [(node, line) for line in lines]
        cost += _joined(problem, node, _grams(problem, taken, node, lines))
    assert len({node for node, _ in solution.joined}) == len(solution.joined)
    assert sorted(packed) == sorted(taken)
    nodes = {node for node, _ in taken} - _counted(problem)
    return _vector(problem, sum(solution.short), cost, len(solution.parcels), len(nodes))


def nodes_counted(problem: Problem, solution: Solution) -> int:
    """Nodes that count towards the limit: those taken from, and those that count already."""
    return len({node for node, _, _ in solution.take} | _counted(problem))


def _counted(problem: Problem) -> set[int]:
    """Nodes that count before anything is taken: with an open parcel, or of earlier decisions."""
    return {*problem.opened, *problem.used}


def keeps_the_rules(problem: Problem, solution: Solution) -> None:
    """Buckets add up, stock and the limit of nodes are kept, parcels carry what is taken."""
    placed = dict.fromkeys(range(len(problem.quantities)), 0)
    for node, line, units in solution.take:
        available = next(o[1] for o in problem.offers[line] if o[0] == node)
        assert 0 < units <= available
        placed[line] += units
    for line, quantity in enumerate(problem.quantities):
        assert placed[line] + solution.short[line] == quantity
    assert solution.take == tuple(sorted(solution.take))
    assert terms_of(problem, solution)[-1] == solution.cost
    if problem.max_nodes is not None:
        assert nodes_counted(problem, solution) <= max(problem.max_nodes, len(_counted(problem)))
    if problem.ship_complete and any(solution.short):
        assert solution.short == problem.quantities
    assert solution.bound <= solution.cost


def _vector(problem: Problem, short: int, cost: int, parcels: int, nodes: int) -> Terms:
    value = {"cost": cost, "parcels": parcels, "nodes": nodes}
    return (short, *(value[term] for term in problem.objective), cost)


def _grams(
    problem: Problem, taken: dict[tuple[int, int], int], node: int, lines: tuple[int, ...]
) -> int:
    if not problem.weights:
        return 0
    return sum(problem.weights[line] * taken[node, line] for line in lines)


def _price(problem: Problem, node: int, grams: int) -> int:
    tariff = problem.tariffs.get(node)
    return tariff.price(grams) if tariff else 0


def _joined(problem: Problem, node: int, grams: int) -> int:
    opened = problem.opened[node]
    return _price(problem, node, opened + grams) - _price(problem, node, opened)


def _node_choices(problem: Problem, node: int) -> Iterator[tuple[Terms, int, Terms]]:
    """Every way to use a node: (units by line, 1 if it counts as new, terms)."""
    offers = {
        line: offer
        for line, row in enumerate(problem.offers)
        for offer in row
        if offer[0] == node and offer[1] > 0
    }
    ranges = [
        range(min(problem.quantities[line], offers[line][1]) + 1 if line in offers else 1)
        for line in range(len(problem.quantities))
    ]
    new = 0 if node in _counted(problem) else 1
    for units in product(*ranges):
        touched = [line for line, count in enumerate(units) if count]
        if not touched:
            continue
        fixed = sum(offers[line][2] + offers[line][3] * units[line] for line in touched)
        yield (
            units,
            new,
            min(
                _vector(problem, 0, fixed + cost, parcels, new)
                for cost, parcels in _packings(problem, node, units, touched)
            ),
        )


def _packings(
    problem: Problem, node: int, units: Terms, touched: list[int]
) -> Iterator[tuple[int, int]]:
    """(cost, new parcels) of every packing; without a tariff more than one is never cheaper."""
    taken = {(node, line): units[line] for line in touched}
    for groups in _set_partitions(touched):
        grams = [_grams(problem, taken, node, tuple(group)) for group in groups]
        new = [problem.parcel[node] + _price(problem, node, load) for load in grams]
        if node not in problem.opened:
            yield sum(new), len(new)
            continue
        yield sum(new), len(new)
        for at, load in enumerate(grams):
            yield sum(new) - new[at] + _joined(problem, node, load), len(new) - 1


def _set_partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, *rest = items
    for groups in _set_partitions(rest):
        yield [[first], *groups]
        for at in range(len(groups)):
            yield [*groups[:at], [first, *groups[at]], *groups[at + 1 :]]


def greedy_terms(problem: Problem) -> Terms:
    """The greedy cover at cost alone: most lines served whole, then most units, then cheapest.

    Every node it takes ships one parcel.
    """
    left = list(problem.quantities)
    cost = used = 0
    nodes = {offer[0] for row in problem.offers for offer in row}
    while nodes and used != problem.max_nodes:
        ranks = []
        for node in sorted(nodes):
            whole = units = grams = 0
            price = problem.parcel[node]
            for line, row in enumerate(problem.offers):
                for number, available, touch, each in row:
                    count = min(available, left[line])
                    if number == node and count:
                        whole += count == left[line]
                        units += count
                        grams += count * (problem.weights[line] if problem.weights else 0)
                        price += touch + each * count
            if units:
                ranks.append((-whole, -units, price + _price(problem, node, grams), node))
        if not ranks:
            break
        _, _, price, node = min(ranks)
        nodes.discard(node)
        cost += price
        used += 1
        for line, row in enumerate(problem.offers):
            left[line] -= sum(min(o[1], left[line]) for o in row if o[0] == node)
    return (sum(left), cost, cost)
