"""Single moves at true tariffs: some units of one line from one node to another.

All of them, as many as fit, or as many as bring the one node below a step of its tariff or keep
the other below its own.
"""

from __future__ import annotations

from bisect import bisect_left

from domcore.sourcing.planner.draft import Draft
from domcore.sourcing.planner.instance import Instance


def single_moves(instance: Instance, draft: Draft, step_limit: int) -> int:
    """Make moves while any saves; returns the steps, one for every node a line is offered to."""
    steps = 0
    moved = True
    while moved:
        moved = False
        for node in sorted(draft.opened):
            for line in sorted(draft.units[node]):
                steps += len(draft.offers[line])
                if steps > step_limit:
                    return steps
                moved = _move(instance, draft, node, line) or moved
    return steps


def _move(instance: Instance, draft: Draft, node: int, line: int) -> bool:
    """Make the best move of a line away from a node, if it saves."""
    units = draft.units[node].get(line, 0)
    if not units:
        return False
    touch, each = draft.terms[line][node]
    grams = draft.weights[line]
    load, paid = draft.load[node], draft.paid[node]
    alone = len(draft.units[node]) == 1
    down = _down(instance, node, load, grams)
    best, found = 0, (-1, 0)
    for other, available, other_touch, other_each in draft.offers[line]:
        there = draft.units[other]
        before = there.get(line, 0)
        most = min(units, available - before)
        if other == node or most <= 0:
            continue
        closes_first = False
        if instance.limit is not None and not there:
            free = instance.limit - draft.used - instance.counts[other]
            if free < 0:
                # There is room only where the node that gives is left with nothing.
                if not alone or most < units or free + instance.counts[node] < 0:
                    continue
                closes_first = True
        weight = draft.load[other]
        counts = {most}
        if not closes_first and ((grams and most > 1) or down <= most):
            if 0 < down < most:
                counts.add(down)
            up = _up(instance, other, weight, grams)
            if 0 < up < most:
                counts.add(up)
        for count in counts:
            saved = each * count - other_each * count
            if count == units:
                saved += touch
            if not before:
                saved -= other_touch
            after = 0 if alone and count == units else draft.price(node, load - grams * count)
            saved += paid - after
            if saved <= best:
                continue
            saved -= draft.price(other, weight + grams * count) - draft.paid[other]
            if saved > best:
                best, found = saved, (other, count)
    other, count = found
    if other < 0:
        return False
    before_cost = draft.cost
    draft.add(node, line, -count)
    draft.add(other, line, count)
    draft.settle()
    if draft.cost < before_cost:
        draft.keep()
        return True
    draft.undo()
    return False


def _down(instance: Instance, node: int, load: int, grams: int) -> int:
    """How many units must go for the node to come below its step; 0 where none is lower."""
    packer = instance.packers[node]
    if packer is None or not grams:
        return 0
    at = bisect_left(packer.limits, load)
    return -(-(load - packer.limits[at - 1]) // grams) if at else 0


def _up(instance: Instance, node: int, load: int, grams: int) -> int:
    """How many units more the node takes on its step; 0 where it has no more steps."""
    packer = instance.packers[node]
    if packer is None or not grams:
        return 0
    at = bisect_left(packer.limits, load)
    return (packer.limits[at] - load) // grams if at < len(packer.limits) else 0
