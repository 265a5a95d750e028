"""From a survey and a policy's terms to the planner's integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from attrs import define

from domcore.model import Policy, Terms, half_even
from domcore.sourcing.charges import Charges, charges_of, per_unit
from domcore.sourcing.planner.problem import Offer, Problem, Tariff
from domcore.sourcing.question import Past
from domcore.sourcing.supply import Supply
from domcore.sourcing.survey import Pool, Survey

_NOWHERE: Final[Mapping[int, int]] = MappingProxyType({})
_NO_NODES: Final[frozenset[int]] = frozenset()


_UNCHARGED: Final[Charges] = ((), ())


@define(slots=True)
class Prices:
    """What the rules add to the rates and the nodes' own handling, in micros.

    `parcel` is by node position; `line` and `unit` are what is added for one pool at one node, by
    ``(pool, node position)``. All of it is the sum of `charges`, which say it rule by rule.
    """

    parcel: dict[int, int]
    line: dict[tuple[int, int], int]
    unit: dict[tuple[int, int], int]
    charges: Charges = _UNCHARGED


def rule_prices(seen: Survey, policy: Policy) -> Prices:
    """Spread the policy's costs over nodes and pools."""
    return prices_of(seen, charges_of(seen, policy) if policy.costs else _UNCHARGED)


def prices_of(seen: Survey, charges: Charges) -> Prices:
    """The sum of the charges."""
    parcel: dict[int, int] = dict.fromkeys(seen.distances, 0)
    prices = Prices(parcel, {}, {}, charges)
    for basis, only, mask, amount in charges[0]:
        nodes = [at for at in seen.distances if mask >> at & 1]
        if basis == "parcel":
            for at in nodes:
                parcel[at] += amount
        elif basis == "km":
            for at in nodes:
                parcel[at] += half_even(amount * seen.distances[at], 1000)
        else:
            table = prices.line if basis == "line" else prices.unit
            for number in range(len(seen.pools)) if only < 0 else (only,):
                more = per_unit(basis, amount, seen.pools[number].item.weight)
                for at in nodes:
                    table[number, at] = table.get((number, at), 0) + more
    return prices


def barred_for(pool: Pool, terms: Terms) -> int:
    """The nodes that may not ship a pool: those barred for any of its lines."""
    mask = 0
    for number, _ in pool.lines:
        mask |= terms.barred[number]
    return mask


def floors_for(pool: Pool, terms: Terms, at: int) -> int:
    """What the rules keep back of a pool at a node."""
    floor = 0
    for line, mask, quantity in terms.floors:
        if (
            quantity > floor
            and mask >> at & 1
            and (line < 0 or any(each == line for each, _ in pool.lines))
        ):
            floor = quantity
    return floor


def offers_for(
    number: int,
    pool: Pool,
    seen: Survey,
    supply: Supply,
    terms: Terms,
    prices: Prices,
    taken: Mapping[tuple[int, int], int],
) -> list[Offer]:
    """What each node offers of one pool: availability above the floor, and its prices."""
    barred = barred_for(pool, terms) if terms.barred else 0
    safety = supply.safety.get(pool.item_id, _NOWHERE)
    handling, quotes, weight = supply.field.rates.handling, seen.quotes, pool.item.weight
    floor = safety.get
    offers: list[Offer] = [
        (at, free, handling[at][1], handling[at][2] + quotes[at][1] * weight)
        for at, units in supply.available[pool.item_id].items()
        if (free := units - floor(at, 0)) > 0 and at in quotes and not barred >> at & 1
    ]
    if terms.floors or taken or prices.line or prices.unit:
        offers = _as_ruled(offers, number, pool, safety, terms, prices, taken)
    offers.sort()
    return offers


def _as_ruled(
    offers: Iterable[Offer],
    number: int,
    pool: Pool,
    safety: Mapping[int, int],
    terms: Terms,
    prices: Prices,
    taken: Mapping[tuple[int, int], int],
) -> list[Offer]:
    """The offers under the rules' floors and prices, and after what an earlier pass takes."""
    found: list[Offer] = []
    for at, units, touch, each in offers:
        if terms.floors:
            units -= max(0, floors_for(pool, terms, at) - safety.get(at, 0))
        already = taken.get((number, at), 0)
        units -= already
        if units > 0:
            touch += prices.line.get((number, at), 0)
            each += prices.unit.get((number, at), 0)
            # What an earlier pass takes there has touched the line already.
            found.append((at, units, 0 if already else touch, each))
    return found


def assemble(
    seen: Survey,
    supply: Supply,
    terms: Terms,
    prices: Prices,
    objective: tuple[str, ...],
    quantities: Sequence[int],
    taken: Mapping[tuple[int, int], int],
    opened: Mapping[int, int],
    past: Past | None = None,
) -> Problem:
    """The planner's question for one pass.

    Args:
        quantities: units wanted, by pool (0 where an earlier pass has them all).
        taken: units an earlier pass takes, by ``(pool, node position)``.
        opened: grams in the parcel an earlier pass opened, by node position.
        past: what earlier decisions have placed; their nodes count towards the limit.
    """
    handling, rule_parcel = supply.field.rates.handling, prices.parcel
    offers = [
        offers_for(number, pool, seen, supply, terms, prices, taken) if quantities[number] else []
        for number, pool in enumerate(seen.pools)
    ]
    parcel: dict[int, int] = {}
    tariffs: dict[int, Tariff] = {}
    for row in offers:
        for offer in row:
            at = offer[0]
            if at not in parcel:
                fixed, _, tariff = seen.quotes[at]
                parcel[at] = fixed + handling[at][0] + rule_parcel[at]
                if tariff is not None:
                    tariffs[at] = tariff
    most = terms.split.max_nodes
    return Problem(
        tuple(quantities),
        offers,
        parcel,
        tuple(pool.item.weight for pool in seen.pools),
        tariffs,
        opened,
        most if most is None or past is None else most - past.beyond,
        terms.split.ship_complete,
        objective,
        _NO_NODES if past is None else frozenset(past.nodes),
    )
