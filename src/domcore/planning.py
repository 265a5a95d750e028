"""What one application plans with: snapshot, programs, geocoders, foreign plugins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from attrs import evolve

from domcore.contracts import Geocoder
from domcore.errors import ConfigurationError
from domcore.model import COARSENESS, Destination, Node, Order, Placed, Point, normal_destination
from domcore.model.correction import CHOSEN
from domcore.model.exchange import rate_on, read_rate
from domcore.model.postal import doubtful
from domcore.outside import PLANNING_HOOKS, LiveOutside
from domcore.plugins import Plugins
from domcore.preparing import HOOK, Prepared, Preparer, Wanted
from domcore.programs import Programs
from domcore.rules.node_state import NodeState
from domcore.rules.program import Program
from domcore.rules.signals import Signals
from domcore.settings import Settings
from domcore.signalling import Signaller
from domcore.sourcing.field import Field
from domcore.sourcing.question import Options, Past, Question
from domcore.sourcing.supply import Supply
from domcore.store.protocol import OpenOrder, Store
from domcore.supply_cache import SupplyCache
from domcore.telemetry import Telemetry

if TYPE_CHECKING:
    from domcore.app import Domcore

ROUNDING: Final = 10_000
"""Millionths of a degree: planning sees points to a hundredth of a degree."""

PLACES_KEPT: Final = 10_000
"""Placed postal codes remembered."""


class PlanningKit:
    """The planning side of one application; it reads the store and never writes orders."""

    def __init__(
        self,
        dom: Domcore,
        store: Store,
        plugins: Plugins,
        settings: Settings,
        *,
        joined: bool = False,
    ) -> None:
        """Args: joined: inside a caller's transaction, which may take back any part of itself."""
        self.store = store
        self.settings = settings
        self.programs = Programs(dom, store, plugins, settings, joined=joined)
        self._dom = dom
        self._joined = joined
        self._plugins = plugins
        self._cache = SupplyCache(store)
        self._geocoders: list[tuple[str, Geocoder]] | None = None
        self._places: dict[Destination, tuple[Destination, str]] = {}
        self._has_foreign: bool | None = None
        self._preparer = Preparer(plugins, settings)
        self._signaller = Signaller(store, settings.stock.demand_days)
        routing = settings.routing
        self._options = Options(
            routing.objective,
            routing.step_limit,
            routing.seed,
            routing.review_nodes_over,
            routing.max_attempts,
        )
        self.roused: int | None = None
        """The basis for which all orders that wait have been woken, as far as is known here."""
        self.ended_rules: set[tuple[str, int]] = set()
        """Holding rules, each with its end, for whose end all held orders have been looked at."""

    @property
    def supply(self) -> Supply:
        """The snapshot."""
        return self._cache.supply

    @property
    def telemetry(self) -> Telemetry:
        """Where the application says what it does."""
        return self._dom._telemetry

    @property
    def field(self) -> Field:
        """The network, compiled."""
        return self._cache.field

    def require_judges(self) -> None:
        """Stop where a plugin that is to judge is missing.

        Raises:
            ConfigurationError: naming it, and how to go on.
        """
        self._dom._judges.require_all(self.store)

    def note_judges(self) -> None:
        """Have the store remember the plugins that judge here."""
        self._dom._judges.note(self.store, lasting=not self._joined)

    def forget(self) -> None:
        """The network, items or stock were written: read them anew."""
        self._cache.forget()
        self.programs.forget_nodes()

    def stock_changed(self) -> None:
        """The application wrote stock other than by a decision."""
        self._cache.reread()

    def catch_up(self) -> None:
        """Take in whatever anybody has written, this application included."""
        if self._joined:
            self._cache.forget()
        self._cache.refresh()
        self._cache.reread()

    def committed(self) -> None:
        """A decision that the snapshot knows already has been written."""
        self._cache.committed()

    def now(self) -> datetime:
        """The time by the application's clock."""
        return self._dom.now()

    def look(self, orders: Iterable[OpenOrder]) -> None:
        """Refresh the snapshot and have every SKU of these orders in it."""
        if self._joined:
            # A savepoint that the caller rolls back leaves no trace to notice it by.
            self._cache.forget()
        self._cache.refresh()
        self._signaller.forget()
        known = self._cache.supply.items
        wanted: dict[str, set[str]] = {}
        for each in orders:
            order = each.order
            owner = order.owner
            for line in order.lines:
                if (owner, line.sku) not in known and line.ships:
                    wanted.setdefault(owner, set()).add(line.sku)
        for owner, skus in wanted.items():
            self._cache.fetch(owner, skus)

    def question(self, order: OpenOrder, now: datetime, purpose: str) -> Question:
        """The sourcing question that an open order is now. `look` has been called."""
        demand, programs = self.placed(order.order), self.programs
        destination, currency = order.order.destination, self.currency(demand.owner)
        digest, asks = programs.asked_for(demand.owner, demand.channel)
        return Question(
            demand,
            order.open,
            self._cache.supply,
            now,
            currency,
            order.approved,
            order.sequence + 1,
            purpose,
            self._options,
            programs.made,
            digest,
            self._refused(order) if order.excluded or order.chosen else (),
            self._positions(order, order.avoided) if order.avoided else (),
            order.rejections,
            coarse=self._coarse(destination),
            rate=("", "") if demand.currency == currency else self._rate(demand, currency),
            past=self._past(order) if order.placed else None,
            signals=self._signals(asks, demand, order.open, now) if asks else None,
        )

    def _signals(
        self, asks: frozenset[str], order: Order, units: Sequence[int], now: datetime
    ) -> Signals | None:
        """What the rules read of nodes besides their stock."""
        known = (
            (line.sku, self.supply.items.get((order.owner, line.sku)))
            for line, some in zip(order.lines, units, strict=True)
            if some and line.ships
        )
        items = list(dict.fromkeys((sku, entry[0]) for sku, entry in known if entry is not None))
        return self._signaller.of(asks, items, self.supply, now)

    def planned(self, draws: Iterable[tuple[int, ...]], sign: int) -> None:
        """An order takes this stock from the snapshot, and is work for its nodes; -1 takes back."""
        supply = self._cache.supply
        position, nodes, take = supply.field.by_node_id, supply.field.nodes, supply.take
        for _, item_id, node_id, units, _ in draws:
            take(item_id, position[node_id], sign * units)
        if self._signaller.knows_work:
            self._signaller.take(((nodes[position[draw[2]]].id, draw[3]) for draw in draws), sign)

    def _past(self, order: OpenOrder) -> Past:
        """What earlier decisions have placed, in this network's positions."""
        position = self.field.by_node_id
        nodes = sorted(position[node_id] for node_id in order.used if node_id in position)
        return Past(order.placed, tuple(nodes), len(order.used) - len(nodes))

    def _rate(self, order: Order, currency: str) -> tuple[str, str]:
        """The rate in force on the day the order was placed, and since when it is."""
        day = order.placed_at.astimezone(UTC).date()
        found = rate_on(self.settings.exchange_rates, order.currency, currency, day)
        return ("", "") if found is None else (read_rate(found.rate), found.since.isoformat())

    def _positions(
        self, order: OpenOrder, rows: Iterable[tuple[int, int, str]]
    ) -> tuple[tuple[int, int, str], ...]:
        """Rejections of lines that are open, by nodes that are in the network."""
        position = self.field.by_node_id
        return tuple(
            sorted(
                (line, position[node_id], reason)
                for line, node_id, reason in rows
                if order.open[line] and node_id in position
            )
        )

    def _refused(self, order: OpenOrder) -> tuple[tuple[int, int, str], ...]:
        """Nodes that are not asked for a line, by their positions, and why."""
        return self._positions(order, (*order.excluded, *self._passed_over(order)))

    def _passed_over(self, order: OpenOrder) -> Iterable[tuple[int, int, str]]:
        """Nodes that hold what a person wants from another node. One that is closed by now, or not
        in the network, is not waited for."""
        if not order.chosen:
            return ()
        field, available = self.field, self.supply.available
        known = {(line, node_id) for line, node_id, _ in order.excluded}
        found = []
        for line, chosen in order.chosen:
            at = field.by_node_id.get(chosen)
            if at is None or not field.nodes[at].enabled:
                continue
            for other in available.get(order.item_ids[line], ()):
                node_id = field.node_ids[other]
                if other != at and (line, node_id) not in known:
                    found.append((line, node_id, CHOSEN))
        return found

    def currency(self, owner: str) -> str:
        """The costing currency of an owner.

        Raises:
            ConfigurationError: the owner is not configured.
        """
        try:
            return self.settings.owners[owner]
        except KeyError:
            raise ConfigurationError(
                f"owner {owner!r} is not configured; add it under [owners] with its currency"
            ) from None

    def program(self, order: Order) -> tuple[Program, NodeState]:
        """The rules in force for an order, and their node side."""
        return self.programs.for_orders_of(order.owner, order.channel, self.field)

    def prepare(self, orders: Sequence[OpenOrder], now: datetime) -> dict[int, Prepared]:
        """What plugins fetch before these orders are planned, by order id. `look` has been called.

        Nothing is fetched inside a caller's transaction, which holds the write lock.
        """
        if self._joined or not self._plugins.foreign(HOOK):
            return {}
        wanted: dict[int, Wanted] = {}
        for each in {each.order.key_text: each for each in orders}.values():
            if any(each.open) and not each.held and each.order.owner in self.settings.owners:
                order = _still_open(self.placed(each.order), each.open)
                wanted[each.order_id] = Wanted(order, self._holders(each))
        if not wanted or not self.programs.facts:
            return {}
        found = self._preparer.ask(list(wanted.values()), now)
        return {order_id: found[each.order.key_text] for order_id, each in wanted.items()}

    def _holders(self, each: OpenOrder) -> tuple[Node, ...]:
        """The nodes that hold some of an order and may serve its owner."""
        field, available = self.field, self.supply.available
        allowed, found = field.owner_mask(each.order.owner), set[int]()
        for line, units in zip(each.order.lines, each.open, strict=True):
            known = self.supply.items.get((each.order.owner, line.sku))
            if units and known is not None:
                found.update(available[known[0]])
        return tuple(field.nodes[at] for at in sorted(found) if allowed >> at & 1)

    def basis(self) -> int:
        """A digest of the network and the rules, above 0 and below 2^60. `look` has been called."""
        text = json.dumps([self.field.digest, self.programs.active_digests()]).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % 2**60 or 1

    def is_foreign(self, hook: str) -> bool:
        """Whether a plugin that is not built in implements a hook."""
        return self._plugins.foreign(hook)

    def outside(self, question: Question, prepared: Prepared | None = None) -> LiveOutside | None:
        """The foreign plugins at the planning hooks; None where there are none."""
        if self._has_foreign is None:
            self._has_foreign = any(self._plugins.foreign(hook) for hook in PLANNING_HOOKS)
        if not self._has_foreign:
            return None
        return LiveOutside(
            self._plugins,
            self.programs.facts,
            self.settings.plugin_options,
            givers=self.programs.givers,
            reads=self.program(question.order)[0].reads,
            now=question.now,
            owner=question.order.owner,
            seed=question.options.seed,
            prepared=prepared or Prepared(),
        )

    def placed(self, order: Order) -> Order:
        """The order with its destination in its normal form, and on the map if any geocoder knows
        where that is."""
        destination = order.destination
        if destination is None:
            return order
        if destination.point is not None:
            placed = normal_destination(destination)
        else:
            placed = self._placed(destination)[0]
        return order if placed is destination else evolve(order, destination=placed)

    def _coarse(self, destination: Destination | None) -> str:
        """How its point was found, if neither the channel nor its code told it."""
        if destination is None or destination.point is not None:
            return ""
        return self._placed(destination)[1]

    def _placed(self, destination: Destination) -> tuple[Destination, str]:
        """A destination without a point as planning sees it, and how its point was found if not by
        its code."""
        known = self._places.get(destination)
        if known is None:
            if len(self._places) >= PLACES_KEPT:
                self._places.clear()
            known = self._locate(normal_destination(destination))
            self._places[destination] = known
        return known

    def _locate(self, destination: Destination) -> tuple[Destination, str]:
        if doubtful(destination):
            return destination, ""
        for plugin, geocoder in self.geocoders():
            try:
                found = geocoder.locate(destination)
            except Exception as error:
                self._plugins.failed(plugin, "register_geocoders", error)
                continue
            placed = Placed(found) if isinstance(found, Point) else found
            if isinstance(placed, Placed) and placed.coarseness in COARSENESS:
                point = Point(_rounded(placed.point.lat), _rounded(placed.point.lon))
                coarse = f"{placed.coarseness} {geocoder.name}"
                exact = placed.coarseness == COARSENESS[0]
                return evolve(destination, point=point), "" if exact else coarse
        return destination, ""

    def geocoders(self) -> list[tuple[str, Geocoder]]:
        """The geocoders in the order they are asked in, each with its plugin's name."""
        if self._geocoders is None:
            self._geocoders = self._plugins.collect("register_geocoders", Geocoder, dom=self._dom)
        return self._geocoders


def _still_open(order: Order, open: tuple[int, ...]) -> Order:
    """The order as it is to be planned: each line's quantity is what is still open of it."""
    lines = zip(order.lines, open, strict=True)
    return evolve(order, lines=tuple(evolve(line, quantity=units) for line, units in lines))


def _rounded(millionths: int) -> int:
    return (millionths + ROUNDING // 2) // ROUNDING * ROUNDING
