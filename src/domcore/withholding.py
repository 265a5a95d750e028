"""What rules and plugins keep from every order alike, so that channels are not told of it.

Each item is judged as an order of one unit of it, from the channel, would be: by the rules that
look at items, nodes and the hour only (`domcore.rules.standing`), and by judging plugins, of which
nobody knows what they look at. What a rule that looks at the order withholds - from a country, from
a tier - it does not withhold from all, and is not taken off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from domcore.model import Candidate, Item, Order, OrderLine, Quantities
from domcore.model.policy import Policy
from domcore.planning import PlanningKit
from domcore.rules.request import OpenLine, Request
from domcore.sourcing.decide import spread_facts
from domcore.sourcing.question import Question
from domcore.store.protocol import Sellable

JUDGES: Final = ("judge", "gather_facts")
"""Hooks by which plugins may withhold."""


@frozen(slots=True)
class Withheld:
    """Of one item: nodes (by id) that may not ship it, and units that stay at others."""

    barred: frozenset[int] = frozenset()
    floors: Mapping[int, int] = {}


NOTHING: Final = Withheld()


class Withholding:
    """What is withheld from one owner's orders of one channel at one time.

    Raises:
        ConfigurationError: the rules cannot be used; nothing can be routed either.
    """

    def __init__(self, kit: PlanningKit, owner: str, channel: str, now: datetime) -> None:
        kit.require_judges()
        self._kit: Final = kit
        self._now: Final = now
        currency = kit.settings.owners.get(owner, "")
        self._order: Final = Order(owner, channel, "", 0, now, currency, ())
        field = kit.field
        self._program, self._state = kit.programs.for_orders_of(owner, channel, field)
        self._outside: Final = any(map(kit.is_foreign, JUDGES))
        self._silent: Final = not (self._program.standing or self._outside)
        self._ids: Final = {at: node_id for node_id, at in field.by_node_id.items()}

    @property
    def basis(self) -> tuple[object, ...]:
        """Changes whenever all items must be judged anew; by the hour where that may matter."""
        if self._silent:
            return ()
        program = self._program
        active = program.reach.active(self._order.owner, self._order.channel, self._now)
        timed = self._outside or program.standing_by_time
        hour = self._now.strftime("%Y%m%d%H") if timed else ""
        return program.digest, active & program.standing, hour

    def of(self, page: Sequence[Sellable]) -> dict[int, Withheld]:
        """What is withheld of these items, by item id; those of which nothing is are left out."""
        mine = [each for each in page if each.owner == self._order.owner]
        if self._silent or not mine:
            return {}
        items = self._kit.store.items(self._order.owner, [each.sku for each in mine])
        found = ((each.item_id, self._judge(each, items[each.sku].item)) for each in mine)
        return {item_id: told for item_id, told in found if told != NOTHING}

    def _judge(self, sellable: Sellable, item: Item) -> Withheld:
        field = self._kit.field
        held = {
            field.by_node_id[row.node_id]: row.on_hand - row.reserved - row.blocked
            for row in sellable.balances
            if row.node_id in field.by_node_id and row.on_hand > row.reserved + row.blocked
        }
        allowed = field.owner_mask(self._order.owner)
        holders = {at: units for at, units in sorted(held.items()) if allowed >> at & 1}
        if not holders:
            return NOTHING
        line = OrderLine("1", sellable.sku, 1)
        order = evolve(self._order, lines=(line,))
        request = Request(
            order,
            (OpenLine(line, item, 1),),
            self._now,
            sum(1 << at for at in holders),
            {},
            [holders],
            safety=[
                {
                    field.by_node_id[row.node_id]: row.safety
                    for row in sellable.balances
                    if row.safety and row.node_id in field.by_node_id
                }
            ],
        )
        if self._outside:
            request = self._asked(request, order, holders)
        policy = self._program.judge(request, self._state, only=self._program.standing)
        return _withheld(policy, self._ids, holders)

    def _asked(self, request: Request, order: Order, holders: Mapping[int, int]) -> Request:
        """The request with what plugins say."""
        kit = self._kit
        question = Question(order, (1,), kit.supply, self._now, order.currency)
        outside = kit.outside(question)
        if outside is None:
            return request
        nodes, sku = kit.field.nodes, order.lines[0].sku
        candidates = tuple(
            Candidate(nodes[at], Quantities({sku: units}), 0) for at, units in holders.items()
        )
        facts = outside.facts(order, candidates)
        return evolve(
            request,
            directives=outside.directives(order, candidates, facts),
            extra=spread_facts(facts, candidates, self._state),
        )


def _withheld(policy: Policy, ids: Mapping[int, int], holders: Iterable[int]) -> Withheld:
    """What stays withheld when soft rules have given way, as the second pass of planning lets
    them."""
    terms = policy.second or policy.first
    barred, floors = set[int](), dict[int, int]()
    for at in holders:
        node_id = ids[at]
        if terms.barred[0] >> at & 1:
            barred.add(node_id)
        units = max((most for _, mask, most in terms.floors if mask >> at & 1), default=0)
        if units:
            floors[node_id] = units
    return Withheld(frozenset(barred), floors)
