"""Which node takes goods back: the planner's question, asked the other way round.

A node that takes returns is offered as if it held what is coming back: what a parcel between it
and the customer costs, its handling, and what the operator adds where there is plenty already.
The exact planner then chooses one node for all of it; ties end in the node's id, as always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from domcore.model import Destination, Item, Order, Policy, Split, Terms
from domcore.rules.request import OpenLine
from domcore.settings import ReturnSettings
from domcore.sourcing.assemble import Prices, prices_of
from domcore.sourcing.charges import Charge
from domcore.sourcing.distance import from_place
from domcore.sourcing.field import Field
from domcore.sourcing.outcome import parcels_of
from domcore.sourcing.passes import run_passes
from domcore.sourcing.question import Options
from domcore.sourcing.supply import Supply
from domcore.sourcing.survey import Pool, Survey

SERVICE: Final = "return"
"""Rate cards that name this service price returns; where a node's card does not, the order's own
service does."""

CAPACITY: Final = "return_capacity"
"""The attribute of a node that says how many units it may be waiting for."""


NO_TAKER: Final = "no node of the network takes returns of this owner; see [returns] kinds and tag"


@frozen(slots=True)
class Incoming:
    """What comes back of one item.

    Args:
        lines: ``(line position in the order, units)``.
        shipped: units of it that nodes have shipped lately, by node position.
        held: units that are available at nodes already, by node position.
    """

    item_id: int
    item: Item
    lines: tuple[tuple[int, int], ...]
    shipped: Mapping[int, int]
    held: Mapping[int, int]

    @property
    def units(self) -> int:
        """Units over all lines."""
        return sum(units for _, units in self.lines)


@frozen(slots=True)
class Placed:
    """The answer: `node` is its position, None where nobody takes it; `costs` prices every node
    that could, each alone, in micros and cheapest first."""

    node: int | None
    cost: int
    costs: tuple[tuple[int, int], ...] = ()
    reason: str = ""


def takers(field: Field, owner: str, settings: ReturnSettings) -> list[int]:
    """Positions of the nodes that take goods of an owner back."""
    mask = field.owner_mask(owner)
    return [
        at
        for at, node in enumerate(field.nodes)
        if mask >> at & 1
        and (node.kind in settings.kinds or (settings.tag and settings.tag in node.tags))
    ]


def place_return(
    field: Field,
    order: Order,
    incoming: Sequence[Incoming],
    waiting: Mapping[int, int],
    settings: ReturnSettings,
    *,
    currency: str,
    demand_days: int,
) -> Placed:
    """Choose the node that all of it goes to.

    Args:
        waiting: units that nodes wait for already, by node position.
        demand_days: the days that `Incoming.shipped` covers.
    """
    nodes = takers(field, order.owner, settings)
    if not nodes:
        return Placed(None, 0, reason=NO_TAKER)
    units = sum(each.units for each in incoming)
    roomy = [at for at in nodes if _room(field, at, waiting) >= units]
    if not roomy:
        return Placed(None, 0, reason="every node that takes returns waits for too many already")
    destination = order.destination
    if destination is None or destination.point is None:
        if len(roomy) == 1:
            return Placed(roomy[0], 0, ((roomy[0], 0),), "the only node that takes it")
        return Placed(None, 0, reason="the order's address cannot be placed; name a node")
    seen = _survey(field, order, destination, incoming, roomy, currency)
    if not seen.quotes:
        return Placed(None, 0, reason="no node that takes returns has a rate to that address")
    prices = _prices(seen, incoming, settings, demand_days)
    costs = sorted((_alone(field, seen, prices, incoming, at), at) for at in seen.quotes)
    supply = _supply(field, incoming, list(seen.quotes))
    policy = Policy(Terms((), split=Split(max_nodes=1, ship_complete=True)))
    _, boxes = run_passes(seen, supply, policy, prices, Options())
    if not boxes:
        return Placed(None, 0, reason="no single node can take all of it")
    cost = sum(parcel.cost for parcel in parcels_of(seen, supply, prices, boxes))
    return Placed(boxes[0].at, cost, tuple((at, amount) for amount, at in costs))


def _room(field: Field, at: int, waiting: Mapping[int, int]) -> int:
    most = dict(field.nodes[at].attributes).get(CAPACITY)
    if not isinstance(most, int) or isinstance(most, bool):
        return 2**62
    return most - waiting.get(at, 0)


def _survey(
    field: Field,
    order: Order,
    destination: Destination,
    incoming: Sequence[Incoming],
    nodes: Sequence[int],
    currency: str,
) -> Survey:
    """The order as the planner sees it, with the takers in place of the holders."""
    assert destination.point is not None
    distances = from_place(destination.point, field.vectors, list(nodes))
    quotes = field.rates.quotes(order.service, currency, destination, distances)
    quotes |= field.rates.quotes(SERVICE, currency, destination, distances)
    pools: list[Pool] = []
    lines: list[OpenLine] = []
    positions: list[int] = []
    for each in incoming:
        numbered = []
        for position, units in each.lines:
            numbered.append((len(lines), units))
            lines.append(OpenLine(order.lines[position], each.item, units))
            positions.append(position)
        pools.append(Pool(each.item_id, each.item, each.units, tuple(numbered)))
    mask = sum(1 << at for at in nodes)
    return Survey(order, tuple(lines), tuple(positions), tuple(pools), (), mask, distances, quotes)


def _supply(field: Field, incoming: Sequence[Incoming], nodes: Sequence[int]) -> Supply:
    supply = Supply(field)
    for each in incoming:
        supply.available[each.item_id] = dict.fromkeys(nodes, each.units)
    return supply


def _prices(
    seen: Survey, incoming: Sequence[Incoming], settings: ReturnSettings, demand_days: int
) -> Prices:
    """What a unit costs more where there is plenty of it: more days of cover than the setting."""
    charges: list[Charge] = []
    if settings.overstock_cost and settings.overstock_days:
        for number, each in enumerate(incoming):
            mask = 0
            for at in seen.quotes:
                enough = each.shipped.get(at, 0) * settings.overstock_days
                if each.held.get(at, 0) * demand_days > enough:
                    mask |= 1 << at
            if mask:
                charges.append(("unit", number, mask, settings.overstock_cost))
    return prices_of(seen, (charges, [(0, "overstock")] * len(charges)))


def _alone(
    field: Field, seen: Survey, prices: Prices, incoming: Sequence[Incoming], at: int
) -> int:
    """What it costs to send all of it to one node."""
    supply = _supply(field, incoming, [at])
    _, boxes = run_passes(seen, supply, Policy(Terms(())), prices, Options())
    return sum(parcel.cost for parcel in parcels_of(seen, supply, prices, boxes))
