"""What is there to choose from: open lines pooled by item, and the nodes that hold them."""

from __future__ import annotations

from attrs import define, evolve

from domcore.model import Candidate, Destination, Item, Order, Quantities
from domcore.rules.request import OpenLine
from domcore.sourcing.distance import from_place
from domcore.sourcing.question import Past, Question
from domcore.sourcing.rates import Quote
from domcore.sourcing.supply import Supply


@define(slots=True)  # not frozen: every order builds some, and that doubles the cost
class Pool:
    """Open units of one item, over all lines that want it.

    `lines` holds ``(number of the line in the survey, units)``.
    """

    item_id: int
    item: Item
    quantity: int
    lines: tuple[tuple[int, int], ...]


@define(slots=True)
class Survey:
    """The order as the planner will see it.

    `lines` are those to be sourced; a line's number here is its number in the policy, and
    `positions` gives its position in the order. `unknown` are positions of lines whose SKU is not
    an item. `holders` is the mask of nodes that hold any of it and may serve the owner; `distances`
    (metres) and `quotes` are by node position, for holders only. A holder without a quote has no
    rate to this destination and cannot ship. `rest` are lines that earlier decisions have placed
    whole.
    """

    order: Order
    lines: tuple[OpenLine, ...]
    positions: tuple[int, ...]
    pools: tuple[Pool, ...]
    unknown: tuple[int, ...]
    holders: int
    distances: dict[int, int]
    quotes: dict[int, Quote]
    rest: tuple[OpenLine, ...] = ()


def survey(question: Question, destination: Destination | None) -> Survey:
    """Find who holds what, how far it is and what a parcel would cost.

    Without a destination that has a point there are no holders: nothing can be priced.
    """
    supply, order = question.supply, question.order
    lines, positions, unknown = _open_lines(question)
    rest: tuple[OpenLine, ...] = ()
    if question.past is not None:
        lines, rest = _whole(question, question.past, lines, positions)
    pools = _pool(lines, supply.items, order.owner)
    if destination is None or destination.point is None:
        return Survey(order, lines, positions, pools, unknown, 0, {}, {}, rest)
    field, available = supply.field, supply.available
    allowed = field.owner_mask(order.owner)
    found: set[int] = set()
    for pool in pools:
        found.update(available[pool.item_id])
    holders = [at for at in sorted(found) if allowed >> at & 1]
    distances = from_place(destination.point, field.vectors, holders)
    quotes = field.rates.quotes(
        order.service, question.currency, destination, distances, normal=question.normal
    )
    mask = sum([1 << at for at in holders])
    return Survey(order, lines, positions, pools, unknown, mask, distances, quotes, rest)


def _open_lines(
    question: Question,
) -> tuple[tuple[OpenLine, ...], tuple[int, ...], tuple[int, ...]]:
    order, items = question.order, question.supply.items
    owner = order.owner
    lines: list[OpenLine] = []
    positions: list[int] = []
    unknown: list[int] = []
    for position, (line, units) in enumerate(zip(order.lines, question.open, strict=True)):
        if units <= 0 or not line.ships:
            continue
        entry = items.get((owner, line.sku))
        if entry is None:
            unknown.append(position)
        else:
            lines.append(OpenLine(line, entry[1], units))
            positions.append(position)
    return tuple(lines), tuple(positions), tuple(unknown)


def _whole(
    question: Question, past: Past, lines: tuple[OpenLine, ...], positions: tuple[int, ...]
) -> tuple[tuple[OpenLine, ...], tuple[OpenLine, ...]]:
    """The open lines with what is placed of them, and the lines that are placed whole."""
    order, items = question.order, question.supply.items
    begun = tuple(
        evolve(line, placed=past.units[at]) for line, at in zip(lines, positions, strict=True)
    )
    rest = [
        OpenLine(line, items[order.owner, line.sku][1], 0, past.units[at])
        for at, line in enumerate(order.lines)
        if line.ships and past.units[at] and not question.open[at]
        if (order.owner, line.sku) in items
    ]
    return begun, tuple(rest)


def _pool(
    lines: tuple[OpenLine, ...], items: dict[tuple[str, str], tuple[int, Item]], owner: str
) -> tuple[Pool, ...]:
    """Pool lines of one item: to the planner their units are alike."""
    pools: dict[str, Pool] = {}
    for number, line in enumerate(lines):
        sku = line.line.sku
        known = pools.get(sku)
        if known is None:
            item_id, item = items[owner, sku]
            pools[sku] = Pool(item_id, item, line.open, ((number, line.open),))
        else:
            pools[sku] = evolve(
                known,
                quantity=known.quantity + line.open,
                lines=(*known.lines, (number, line.open)),
            )
    return tuple(pools.values())


def candidates_of(seen: Survey, supply: Supply) -> tuple[Candidate, ...]:
    """The holders as objects, for hooks that want to see them."""
    nodes = supply.field.nodes
    held: dict[int, dict[str, int]] = {at: {} for at in seen.distances}
    for pool in seen.pools:
        for at, units in supply.available[pool.item_id].items():
            if at in held:
                held[at][pool.item.sku] = units
    return tuple(
        Candidate(nodes[at], Quantities(held[at]), distance)
        for at, distance in seen.distances.items()
    )
