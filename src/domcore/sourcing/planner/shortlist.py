"""Large networks: the nodes worth a search.

A node whose slack at some prices reaches the gap between a plan and the bound is part of no better
plan, so leaving it out loses nothing. Where more are left than a search can look at, the nearest
stay, and the bound is that of the whole network.
"""

from __future__ import annotations

from attrs import evolve, frozen

from domcore.sourcing.planner.duals import ascend
from domcore.sourcing.planner.instance import Instance, Take
from domcore.sourcing.planner.open_sets import greedy_cover

MOST_NODES = 120
"""Nodes up to which an order is searched as it is, and that stay of a larger network."""

MOST_OF_A_LINE = 8
"""Holders of each line that prices are worked out from at first."""

ROUNDS = 4
"""How often nodes may join those that prices are worked out from."""


@frozen(slots=True)
class Shortlist:
    """The instance of some `nodes` of a larger one, and a first plan of that, in its numbers.

    `whole` says that no better plan uses any other node; `floor` bounds every plan of all nodes.
    """

    instance: Instance
    nodes: list[int]
    take: Take
    cost: int
    floor: int
    whole: bool
    steps: int

    def in_full(self, take: Take) -> Take:
        """A plan of the shortlist in the numbers of all nodes."""
        return [(self.nodes[node], line, units) for node, line, units in take]


def shortlist(instance: Instance) -> Shortlist:
    """The nodes that may be part of a plan better than the greedy cover, or the nearest of them.

    Prices come from a few nodes at first; nodes that would earn something at those prices join
    them, as in column generation.
    """
    ceiling = None if instance.limit is None else instance.penalty
    take = greedy_cover(instance)
    cost = instance.cost(take)
    used = {node for node, _, _ in take}
    offers = sum([len(rows) for rows in instance.held])
    few = _promising(instance) | used
    floor, slack, steps = 0, list(instance.opening), offers
    for _ in range(ROUNDS):
        some = of_nodes(instance, sorted(few))
        dual = ascend(some, some.opening, ceiling=ceiling)
        steps += dual.steps + offers // 4
        found, proved = _slack_at(instance, dual.prices)
        if proved > floor:
            floor, slack = proved, found
        ranked = [(left, node) for node, left in enumerate(found) if left < 0 and node not in few]
        if not ranked:
            break
        few.update(node for _, node in sorted(ranked)[: MOST_NODES // 2])
    near = sorted([(left, node) for node, left in enumerate(slack) if left < cost - floor])
    kept = sorted(used.union(node for _, node in near[:MOST_NODES]))
    whole = len(near) <= MOST_NODES
    return Shortlist(of_nodes(instance, kept), kept, take, cost, floor, whole, steps)


def _promising(instance: Instance) -> set[int]:
    """Of every line the holders that are cheapest by the unit, and those cheapest for all."""
    opening = instance.opening
    found: set[int] = set()
    for row in instance.offers:
        ranked = sorted(
            [((opening[node] + touch) // units + each, node) for node, units, touch, each in row]
        )
        found.update(node for _, node in ranked[:MOST_OF_A_LINE])
    together = []
    for node, rows in enumerate(instance.held):
        total = opening[node] + sum([touch + each * units for _, units, touch, each in rows])
        together.append((total // sum([row[1] for row in rows]), node))
    found.update(node for _, node in sorted(together)[: MOST_NODES // 2])
    return found


def _slack_at(instance: Instance, prices: list[int]) -> tuple[list[int], int]:
    """Every node's slack at some prices, and the bound they prove."""
    slack = []
    for opening, rows in zip(instance.opening, instance.held, strict=True):
        for line, units, touch, each in rows:
            earned = (prices[line] - each) * units - touch
            if earned > 0:
                opening -= earned
        slack.append(opening)
    floor = sum([price * units for price, units in zip(prices, instance.need, strict=True)])
    return slack, floor + sum([left for left in slack if left < 0])


def of_nodes(instance: Instance, kept: list[int]) -> Instance:
    """The same order for some of the nodes, numbered anew."""
    local = {node: at for at, node in enumerate(kept)}
    return evolve(
        instance,
        nodes=[instance.nodes[node] for node in kept],
        offers=[
            [(local[node], units, touch, each) for node, units, touch, each in row if node in local]
            for row in instance.offers
        ],
        held=[instance.held[node] for node in kept],
        opening=[instance.opening[node] for node in kept],
        counts=[instance.counts[node] for node in kept],
        packers=[instance.packers[node] for node in kept],
        true_unit=[instance.true_unit[node] for node in kept] if instance.true_unit else [],
        linear=all(instance.packers[node] is None for node in kept),
    )
