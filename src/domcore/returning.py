"""Returns: choosing the node that takes goods back, and writing down what arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from domcore.errors import NotFound
from domcore.model import AuthorizeReturn, Order, ReceiveReturn
from domcore.model.clock import to_micros
from domcore.planning import PlanningKit
from domcore.sourcing.returns import Incoming, Placed, place_return
from domcore.store.operations.returns import check_lines, line_numbers
from domcore.store.protocol import Outcome, StoredItem

DAY: Final = 86_400_000_000
SHOWN: Final = 5
"""Nodes that lost, named in the event with what they would have cost."""


class Returning:
    """The returns of one application."""

    def __init__(self, kit: PlanningKit) -> None:
        self._kit = kit
        self._store = kit.store

    def authorize(self, command: AuthorizeReturn, *, keep: bool = False) -> Outcome:
        """Let units come back, to the node named or the cheapest that takes them.

        ``nothing``, with the reason, where no node takes them. With `keep`, what comes before its
        order, or before the news that its goods have left, is kept.
        """
        now = to_micros(self._kit.now())
        self._kit.currency(command.owner)
        try:
            order_id, order = self._find(command)
        except NotFound:
            if not keep:
                raise
            return self._store.authorize_return(command, now=now, keep=True)
        about: dict[str, Any] = {}
        known = [
            each for each in self._store.returns(order_id) if each.return_id == command.return_id
        ]
        if known:
            command = evolve(command, node=known[0].node)
        elif not command.node:
            numbers = line_numbers(order)
            if keep:
                check_lines(command.lines, None)
                if any(line not in numbers for line, _ in command.lines):
                    return self._store.authorize_return(command, now=now, keep=True)
            check_lines(command.lines, numbers)
            placed = self._place(command, order)
            if placed.node is None:
                return Outcome("nothing", order_id, placed.reason)
            nodes = self._kit.field.nodes
            command = evolve(command, node=nodes[placed.node].id)
            about = {
                "cost": placed.cost,
                "currency": self._kit.currency(order.owner),
                "instead_of": [
                    (nodes[at].id, cost) for at, cost in placed.costs if at != placed.node
                ][:SHOWN],
            }
        outcome = self._store.authorize_return(command, now=now, about=about, keep=keep)
        if outcome.outcome == "authorized":
            # What was kept until then has arrived, perhaps.
            self._kit.stock_changed()
        return outcome

    def receive(self, command: ReceiveReturn, *, keep: bool = False) -> Outcome:
        """Units have arrived; with `keep`, before what it needs is known."""
        if keep:
            self._kit.currency(command.owner)
        now = to_micros(self._kit.now())
        outcome = self._store.receive_return(command, now=now, keep=keep)
        self._kit.stock_changed()
        return outcome

    def _find(self, command: AuthorizeReturn) -> tuple[int, Order]:
        name = f"{command.owner}/{command.channel}/{command.external_id}"
        for order_id in self._store.find_order(name, owner=command.owner):
            order = self._store.order(order_id).order
            if order.key == (command.owner, command.channel, command.external_id):
                return order_id, order
        raise NotFound(f"there is no order {command.channel}/{command.external_id}")

    def _place(self, command: AuthorizeReturn, order: Order) -> Placed:
        """What the planner says."""
        kit, settings = self._kit, self._kit.settings
        kit.catch_up()
        field = kit.field
        waiting = self._store.open_returns(field.node_ids)
        position = field.by_node_id
        return place_return(
            field,
            kit.placed(order),
            self._incoming(command, order),
            {position[node_id]: units for node_id, units in waiting.items()},
            settings.returns,
            currency=kit.currency(order.owner),
            demand_days=settings.stock.demand_days,
        )

    def _incoming(self, command: AuthorizeReturn, order: Order) -> list[Incoming]:
        by_line = line_numbers(order)
        wanted: dict[str, list[tuple[int, int]]] = {}
        for line, units in command.lines:
            at = by_line[line]
            wanted.setdefault(order.lines[at].sku, []).append((at, units))
        items = self._store.items(order.owner, wanted)
        shipped, held = self._demand(items)
        return [
            Incoming(
                entry.item_id,
                entry.item,
                tuple(wanted[sku]),
                shipped.get(entry.item_id, {}),
                held.get(entry.item_id, {}),
            )
            for sku, entry in items.items()
        ]

    def _demand(
        self, items: Mapping[str, StoredItem]
    ) -> tuple[dict[int, dict[int, int]], dict[int, dict[int, int]]]:
        """Units shipped lately and units available, by item and node position."""
        ids = [entry.item_id for entry in items.values()]
        position = self._kit.field.by_node_id
        since = to_micros(self._kit.now()) - self._kit.settings.stock.demand_days * DAY
        shipped: dict[int, dict[int, int]] = {}
        held: dict[int, dict[int, int]] = {}
        for (item_id, node_id), units in self._store.shipped_since(ids, since).items():
            if node_id in position:
                shipped.setdefault(item_id, {})[position[node_id]] = units
        for row in self._store.stock_of(ids):
            if row.node_id in position:
                free = row.on_hand - row.reserved - row.blocked
                held.setdefault(row.item_id, {})[position[row.node_id]] = free
        return shipped, held
