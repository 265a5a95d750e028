"""Better prices where plain ascent leaves a wide gap: Lagrangian steps.

At given prices each node opens by itself when it earns more than its opening. Lines that are
oversold that way get cheaper, undersold ones dearer (Held, Wolfe and Crowder 1974), and a last
ascent uses up what the best prices left. All integers.
"""

from __future__ import annotations

from collections.abc import Sequence

from domcore.sourcing.planner.duals import Dual, ascend
from domcore.sourcing.planner.instance import Instance

ROUNDS = 60
"""Lagrangian steps at most; each looks at every offer once."""

_PATIENCE = 4
"""Steps without a better bound after which steps are halved."""


def tighten(
    instance: Instance,
    dual: Dual,
    target: int,
    ceiling: int | None,
    step_limit: int,
) -> Dual:
    """Prices at least as good as those of `dual`; `target` is the cost of a plan."""
    offers = sum([len(rows) for rows in instance.held])
    rounds = min(ROUNDS, step_limit // offers)
    if rounds <= 0:
        return Dual(dual.prices, dual.slack, dual.floor, 0)
    prices = _lagrange(instance, dual.prices, target, ceiling, rounds)
    better = ascend(instance, instance.opening, 0, prices, ceiling)
    steps = better.steps + rounds * offers
    if better.floor > dual.floor:
        return Dual(better.prices, better.slack, better.floor, steps)
    return Dual(dual.prices, dual.slack, dual.floor, steps)


def _lagrange(
    instance: Instance, prices: Sequence[int], target: int, ceiling: int | None, rounds: int
) -> list[int]:
    """The prices with the best bound met."""
    prices = list(prices)
    best, least = list(prices), None
    # The step length is a fraction of the gap: halved by doubling what it is divided by.
    divisor, waited = 1, 0
    for _ in range(rounds):
        left, value = _respond(instance, prices)
        if least is None or value > least:
            best, least, waited = list(prices), value, 0
        else:
            waited += 1
            if waited == _PATIENCE:
                divisor, waited = divisor * 2, 0
        norm = sum([units * units for units in left])
        step = max(0, target - value) // (divisor * norm) if norm else 0
        if not step:
            break
        for line, units in enumerate(left):
            price = max(0, prices[line] + step * units)
            prices[line] = price if ceiling is None or price < ceiling else ceiling
    return best


def _respond(instance: Instance, prices: list[int]) -> tuple[list[int], int]:
    """What the nodes leave unsold (negative: oversold) at these prices, by line, and the bound."""
    left = list(instance.need)
    value = sum([price * units for price, units in zip(prices, left, strict=True)])
    for opening, rows in zip(instance.opening, instance.held, strict=True):
        earned = 0
        sold = []
        for line, units, touch, each in rows:
            profit = (prices[line] - each) * units - touch
            if profit > 0:
                earned += profit
                sold.append((line, units))
        if earned > opening:
            value += opening - earned
            for line, units in sold:
                left[line] -= units
    return left, value
