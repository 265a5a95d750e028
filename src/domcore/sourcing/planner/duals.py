"""A price per unit of each line: the lower bound everything else is pruned with.

Relaxing "every line gets its units" at a price per unit leaves each node on its own. A node's
`slack` is its opening less what it could earn by selling all it has at those prices, each line
only where it earns anything. For any prices, ``sum price * need + sum min(0, slack)`` is a lower
bound on every plan, split lines included (Lagrangian duality); a node that is used costs at least
its slack more than that if positive, one that is not used costs ``-slack`` more if negative. So a
search may drop a partial plan as soon as these reduced costs reach the gap.

Prices are found by dual ascent (Erlenkotter 1978, here with stock limits): raise one line's price
after another to the next node's threshold or until a node's slack is used up, as long as the
nodes without slack hold less than the line needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from domcore.sourcing.planner.instance import Instance

_Row = list[tuple[int, int, int, int, int]]


@frozen(slots=True)
class Dual:
    """Prices by line, slack by node, and the bound they prove."""

    prices: list[int]
    slack: list[int]
    floor: int
    steps: int


def ascend(
    instance: Instance,
    opening: Sequence[int],
    closed: int = 0,
    start: Sequence[int] | None = None,
    ceiling: int | None = None,
) -> Dual:
    """Good prices, from `start` upwards.

    `closed` is a bit mask of nodes that may not be used, `opening` stands in for the instance's
    own; `ceiling` is the most a price may be (where units may stay short).
    """
    slack = list(opening)
    prices = []
    rows: list[_Row] = []
    for line, offers in enumerate(instance.offers):
        # Up to its threshold a node earns nothing with this line.
        row = sorted(
            [
                (each + touch // units, each, touch, units, node)
                for node, units, touch, each in offers
                if not closed >> node & 1
            ]
        )
        rows.append(row)
        if start is None:
            price = row[0][0] if row else (ceiling or 0)
            prices.append(price if ceiling is None or price < ceiling else ceiling)
            continue
        price = start[line]
        prices.append(price)
        for threshold, each, touch, units, node in row:
            if threshold >= price:
                break
            earned = (price - each) * units - touch
            if earned > 0:
                slack[node] -= earned
    steps = _climb(instance, rows, prices, slack, ceiling)
    floor = sum([price * units for price, units in zip(prices, instance.need, strict=True)])
    floor += sum([left for left in slack if left < 0])
    return Dual(prices, slack, floor, steps)


def _climb(
    instance: Instance, rows: list[_Row], prices: list[int], slack: list[int], ceiling: int | None
) -> int:
    """Raise the lines in turn, those with fewest holders first, until none can; counts steps."""
    steps = 0
    waiting = sorted(range(len(rows)), key=lambda line: (len(rows[line]), line))
    while waiting:
        raised = []
        for line in waiting:
            price, seen = _raise(rows[line], prices[line], slack, instance.need[line], ceiling)
            steps += seen
            if price > prices[line]:
                prices[line] = price
                raised.append(line)
        waiting = raised
    return steps


def _raise(
    row: _Row, price: int, slack: list[int], need: int, ceiling: int | None
) -> tuple[int, int]:
    """One line's price as far as the next threshold or the next node's slack allows.

    Also how many offers were looked at.
    """
    target = ceiling
    seen = 0
    for threshold, each, touch, units, node in row:
        if threshold > price:
            if target is None or threshold < target:
                target = threshold
            break
        seen += 1
        earned = (price - each) * units - touch
        most = ((earned if earned > 0 else 0) + slack[node] + touch) // units + each
        if most <= price:
            # This node's stock pays no more: every further micro is handed back for its units.
            need -= units
            if need <= 0:
                return price, seen
        elif target is None or most < target:
            target = most
    if target is None or target <= price:
        return price, seen
    for _, each, touch, units, node in row[:seen]:
        now = (target - each) * units - touch
        if now > 0:
            before = (price - each) * units - touch
            slack[node] -= now - before if before > 0 else now
    return target, seen
