"""What the planner is asked, in integers only.

A `Problem` is one order (or what is still open of it) against the nodes that may ship it. Lines
are pooled by SKU, nodes are the caller's own node numbers (ascending = the order in which ties
are settled), money is micros, weights are grams. Floors, eligibility and every cost directive
have been applied already, so a solver needs nothing else and any other solver can be held
against the same numbers.

The layout is sparse because an order meets few nodes: a line lists the nodes that hold it, and a
node's own figures are looked up by its number, so building a problem costs one tuple per
(line, holder) and one dictionary entry per node.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from attrs import define, frozen

Offer = tuple[int, int, int, int]
"""What one node offers for one line: ``(node, available units, micros if touched, per unit)``."""

TERMS = ("cost", "parcels", "nodes")
"""What an objective may name."""

_NONE: Mapping[int, Any] = MappingProxyType({})


@frozen(slots=True)
class Tariff:
    """What one parcel costs by weight, where that is not simply "so much per gram".

    ``price(grams) = max(minimum, base + per_gram * grams + step)`` where ``step`` is the price of
    the first entry of `steps` whose limit holds the parcel; beyond the last limit it is the last
    price plus ``over_per_gram`` for every gram above that limit. A heavier parcel never costs
    less: limits ascend, step prices do not fall and no rate is negative.
    """

    base: int = 0
    per_gram: int = 0
    steps: tuple[tuple[int, int], ...] = ()
    over_per_gram: int = 0
    minimum: int = 0

    def __attrs_post_init__(self) -> None:
        """Refuse a tariff under which adding weight would make a parcel cheaper."""
        if min(self.base, self.per_gram, self.over_per_gram, self.minimum) < 0:
            raise ValueError("a tariff has no negative amounts")
        last_limit, last_price = -1, 0
        for limit, price in self.steps:
            if limit <= last_limit or price < last_price:
                raise ValueError("tariff steps must ascend in grams and never fall in price")
            last_limit, last_price = limit, price

    def price(self, grams: int) -> int:
        """Micros for one parcel of `grams`."""
        total = self.base + self.per_gram * grams
        steps = self.steps
        if steps:
            # (grams,) sorts before (grams, price), so this is the first limit >= grams.
            at = bisect_left(steps, (grams,))
            if at < len(steps):
                total += steps[at][1]
            else:
                limit, price = steps[-1]
                total += price + self.over_per_gram * (grams - limit)
        return total if total > self.minimum else self.minimum


@define(slots=True)  # not frozen: every order builds one, and that doubles the cost
class Problem:
    """One sourcing question.

    * `quantities` are the units ordered, by line;
    * `offers` holds for each line the `Offer` of every node that may ship it, ascending by node;
      an offer of no units is the same as none. Costs are >= 0;
    * `parcel` is the micros each new parcel costs, for every node that occurs in `offers`;
    * `weights` are grams per unit, by line; needed only where there are `tariffs`.

    The cost of the units ``x`` that a node ships is the cheapest packing of its touched lines into
    one or more parcels (a line's units at one node stay together)::

        sum over parcels (parcel[node] + tariffs[node].price(grams in it))
          + sum over touched lines (micros if touched + per unit * x[line])

    A node without an entry in `tariffs` has its whole weight price in the offers' unit costs, so
    one parcel is always cheapest there. `opened` holds the grams of a parcel that is already
    committed at a node (a first pass): joining it costs no `parcel`, only the tariff's difference,
    and the node counts towards `max_nodes` whether it is used again or not.

    `used` are nodes that earlier decisions ship from: they count towards `max_nodes` whether they
    are used again or not, and no node is added by using them again; a parcel there is a new one.

    `objective` names terms of `TERMS` by falling importance; cost settles what they leave open.
    "parcels" counts new parcels, "nodes" the nodes that are neither `opened` nor `used`.
    """

    quantities: tuple[int, ...]
    offers: Sequence[Sequence[Offer]]
    parcel: Mapping[int, int]
    weights: tuple[int, ...] = ()
    tariffs: Mapping[int, Tariff] = _NONE
    opened: Mapping[int, int] = _NONE
    max_nodes: int | None = None
    ship_complete: bool = False
    objective: tuple[str, ...] = ("cost",)
    used: frozenset[int] = frozenset()


@define(slots=True)  # not frozen: every order builds one, and that doubles the cost
class Solution:
    """The answer: least (short units, then the objective's terms in order).

    `take` holds ``(node, line, units)`` in ascending order; `parcels` are the new parcels as
    ``(node, lines)`` and `joined` the lines that go into the parcel already open at a node;
    `short` is indexed by line. `cost` is in micros. `bound` is a proven lower bound on the cost
    of any plan that leaves no more units short and, where `objective` puts other terms before
    cost, is as good in those. `proven` says that no plan is better: `cost` equals the bound and
    the shortage and the terms before cost are least too. `method` names how the answer was found,
    `steps` how much of the step budget it took.
    """

    take: tuple[tuple[int, int, int], ...]
    parcels: tuple[tuple[int, tuple[int, ...]], ...]
    short: tuple[int, ...]
    cost: int
    bound: int
    proven: bool
    method: str
    steps: int = 0
    joined: tuple[tuple[int, tuple[int, ...]], ...] = ()
