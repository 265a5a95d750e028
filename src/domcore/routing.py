"""The routing loop: read open orders, decide each on the snapshot, commit a batch at a time.

* a batch is planned without any lock; each plan takes its stock from the snapshot at once, so the
  next order of the batch sees what is left;
* the batch is committed in one short transaction; the store checks every floor and version again;
* when something has changed underneath, the batch is planned again order by order, each at most
  `max_replans` times; then the order stays open and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from attrs import define, evolve, field, frozen

from domcore.errors import ConfigurationError, ConflictError, PluginError, StaleSupply
from domcore.late_units import late_units
from domcore.model import Hold, Plan
from domcore.model.clock import to_micros
from domcore.planning import PlanningKit
from domcore.preparing import Prepared
from domcore.sourcing.baseline import nearest_node_cost
from domcore.sourcing.decide import Decided, spread, work_out
from domcore.sourcing.question import Question
from domcore.store.protocol import BEFORE_ALL, Commit, Draw, OpenOrder

OUTCOMES: Final = ("routed", "split", "partial", "short", "held", "nothing", "failed")
READ_AHEAD: Final = 100
"""Orders read at once, at least; they are planned and committed in batches as asked."""
ROUSED_AT_ONCE: Final = 500
"""Orders that a run wakes because the network or the rules have changed."""
_encode: Final = msgspec.json.Encoder().encode

STALE: Final = "stock kept changing while the order was planned"


@frozen(slots=True)
class Routed:
    """What routing did with one order.

    `outcome` is ``routed`` (whole, one node), ``split`` (whole, several nodes over all its
    decisions), ``partial`` (some units stay open), ``short`` (all of them do), ``held``,
    ``nothing`` (nothing was open) or ``failed``. `nearest_cost` is what nearest-node routing would
    have cost, where asked for and comparable.
    """

    order_id: int
    number: str
    outcome: str
    plan: Plan
    holds: tuple[Hold, ...] = ()
    detail: str = ""
    nearest_cost: int | None = None
    sequence: int = 0
    currency: str = ""

    @property
    def name(self) -> str:
        """What people call the order: its number, or ``id:15`` where it has none."""
        return self.number or f"id:{self.order_id}"


class Spent(NamedTuple):
    """Micros of one currency: of all that was placed; of what can be compared with nearest-node
    routing, and what that would have cost."""

    cost: int = 0
    compared_cost: int = 0
    nearest_cost: int = 0

    def plus(self, cost: int, compared: int = 0, nearest: int = 0) -> Spent:
        """With one order more."""
        return Spent(self.cost + cost, self.compared_cost + compared, self.nearest_cost + nearest)


@define
class RouteReport:
    """Counts and costs over a run.

    `costs` has the amounts by currency; `cost`, `compared_cost` and `nearest_cost` are their plain
    sums, which mean something where all the orders are costed in one currency. `placed` are the
    orders of which something was reserved, those that wait for release among them. `compared_cost`
    covers the orders that `nearest_cost` covers. `errors` says of each failed order why;
    `incidents` where plugins failed and the order went on without them.
    """

    orders: int = 0
    routed: int = 0
    split: int = 0
    partial: int = 0
    short: int = 0
    held: int = 0
    nothing: int = 0
    failed: int = 0
    placed: int = 0
    units: int = 0
    parcels: int = 0
    cost: int = 0
    proven: int = 0
    compared_cost: int = 0
    nearest_cost: int = 0
    costs: dict[str, Spent] = field(factory=dict)
    errors: list[str] = field(factory=list)
    incidents: list[str] = field(factory=list)

    def add(self, routed: Routed) -> None:
        """Count one order."""
        self.orders += 1
        setattr(self, routed.outcome, getattr(self, routed.outcome) + 1)
        plan = routed.plan
        if plan.allocations:
            self.placed += 1
            cost = plan.cost
            for each in plan.allocations:
                self.units += each.quantity
            self.parcels += len(plan.parcels)
            self.cost += cost
            self.proven += plan.proven
            spent = self.costs.get(routed.currency) or Spent()
            if routed.nearest_cost is None:
                self.costs[routed.currency] = spent.plus(cost)
            else:
                self.compared_cost += cost
                self.nearest_cost += routed.nearest_cost
                self.costs[routed.currency] = spent.plus(cost, cost, routed.nearest_cost)
        if routed.outcome == "failed":
            self.errors.append(f"{routed.name}: {routed.detail}")
        elif routed.detail and routed.sequence:
            self.incidents.append(f"{routed.name}: {routed.detail}")


@define(slots=True)
class Errand:
    """How this run routes.

    Args:
        purpose: ``route``, or ``reserve`` with `expires_at`.
        baseline: also price nearest-node routing.
        batch: orders per transaction.
        by_name: whether somebody asked for these very orders.
    """

    now: datetime
    purpose: str = "route"
    expires_at: int | None = None
    baseline: bool = False
    batch: int = 100
    max_replans: int = 3
    retry: timedelta = timedelta(hours=1)
    by_name: bool = False

    def at(self, now: datetime) -> Errand:
        """The same at another time."""
        return Errand(
            now,
            self.purpose,
            self.expires_at,
            self.baseline,
            self.batch,
            self.max_replans,
            self.retry,
            self.by_name,
        )


class Router:
    """Routes orders for one application.

    Args:
        kit: the application's planning side: snapshot, programs, plugins.
    """

    def __init__(self, kit: PlanningKit) -> None:
        self._kit = kit
        self._store = kit.store
        self._roused = False

    def run(
        self, errand: Errand, order_ids: Sequence[int] | None, limit: int | None
    ) -> Iterator[Routed]:
        """Route the orders named, or all that are due, a batch at a time.

        More are read at once than a small batch needs; the commit checks each order's version, and
        when somebody else turns out to be at work on these orders the queue is read anew.
        """
        self._kit.require_judges()
        errand = evolve(errand, by_name=order_ids is not None)
        after, left = BEFORE_ALL, limit
        done: set[int] = set()
        chosen = None if order_ids is None else list(order_ids)
        now, most = to_micros(errand.now), max(errand.batch, READ_AHEAD)
        while left is None or left > 0:
            size = most if left is None else min(most, left)
            if chosen is None:
                page = self._store.open_orders(now=now, limit=size, after=after)
            else:
                part, chosen = chosen[:size], chosen[size:]
                page = self._store.open_orders(now=now, limit=size, order_ids=part)
                self._older_first(page, errand)
            orders = sorted((each for each in page if each.order_id not in done), key=_age)
            self._kit.look(orders)
            if chosen is None and not done and self._rouse(now):
                continue
            for start in range(0, len(orders), errand.batch):
                batch = orders[start : start + errand.batch]
                routed, alone = self._routed(batch, errand)
                yield from routed
                done.update(each.order_id for each in batch)
                if left is not None:
                    # An order that fails stays due; it must not use up the places of the others.
                    left -= sum(each.outcome != "failed" for each in routed)
                if chosen is None and not alone:
                    break
            else:
                if (chosen is None and len(page) < size) or (chosen is not None and not chosen):
                    return
                if page:
                    after = max((each.due, each.order_id) for each in page)
                done.clear()

    def _rouse(self, now: int) -> bool:
        """Where the network or the rules have changed since, wake some of those that wait: what
        they could not have they may be given now. Whether any was woken."""
        basis = self._kit.basis()
        if self._roused or basis == self._kit.roused:
            return False
        self._roused = True
        if self._store.wake_all(basis=basis, limit=ROUSED_AT_ONCE, now=now):
            return True
        self._kit.roused = basis
        return False

    def _routed(self, batch: Sequence[OpenOrder], errand: Errand) -> tuple[list[Routed], bool]:
        """Route some orders now; also whether nobody came in between."""
        routed, alone = self._batch(batch, errand.at(self._kit.now()))
        for each in routed:
            self._kit.telemetry.routed(each, errand.purpose)
        return routed, alone

    def _older_first(self, named: Sequence[OpenOrder], errand: Errand) -> None:
        """Before orders that are asked for by name, decide older ones that have been woken for what
        these want: who asks by name does not overtake those who wait."""
        if not any(each.others_woken for each in named):
            return
        older = self._store.ahead([each.order_id for each in named], limit=READ_AHEAD)
        orders = self._store.open_orders(
            now=to_micros(errand.now), limit=len(older), order_ids=older
        )
        route = evolve(errand, purpose="route", expires_at=None, baseline=False, by_name=False)
        waiting = sorted((each for each in orders if not each.held), key=_age)
        for start in range(0, len(waiting), errand.batch):
            self._routed(waiting[start : start + errand.batch], route)

    def _batch(self, orders: Sequence[OpenOrder], errand: Errand) -> tuple[list[Routed], bool]:
        """Route some orders in one transaction; also whether nobody came in between."""
        self._kit.look(orders)
        prepared = self._prepare(orders, errand)
        made: list[Routed] = []
        commits: list[Commit] = []
        try:
            for order in orders:
                routed, commit = self.attempt(order, errand, prepared.get(order.order_id))
                made.append(routed)
                if commit is not None:
                    commits.append(commit)
            self._write(commits)
        except (StaleSupply, ConflictError):
            self._undo(commits)
            again = [self._again(order, errand, prepared.get(order.order_id)) for order in orders]
            return [routed for routed in again if routed is not None], False
        except BaseException:
            self._undo(commits)
            raise
        self._look_back(orders, commits)
        return made, True

    def _prepare(self, orders: Sequence[OpenOrder], errand: Errand) -> dict[int, Prepared]:
        """What plugins fetch for these orders; fetching takes time, so stock is looked at again."""
        prepared = self._kit.prepare(orders, errand.now)
        if prepared:
            self._kit.look(orders)
        return prepared

    def _write(self, commits: Sequence[Commit]) -> None:
        if commits:
            self._kit.programs.keep()
            self._kit.note_judges()
            self._store.commit(commits)
            self._kit.committed()

    def _look_back(self, orders: Sequence[OpenOrder], commits: Sequence[Commit]) -> None:
        """Wake orders that were decided short of units that came while they were planned."""
        for commit in commits:
            if commit.reason:
                break
        else:
            return
        gained = late_units(self._kit, orders, commits)
        if gained:
            self._store.wake(gained, now=to_micros(self._kit.now()))

    def attempt(
        self, order: OpenOrder, errand: Errand, prepared: Prepared | None
    ) -> tuple[Routed, Commit | None]:
        """Plan one order on the snapshot, and take from it what the plan draws; what is wrong with
        the order, its rules or a plugin stops no other."""
        try:
            return self._plan(order, errand, prepared)
        except (PluginError, ConfigurationError) as error:
            return _failed(order, str(error)), None

    def _plan(
        self, order: OpenOrder, errand: Errand, prepared: Prepared | None
    ) -> tuple[Routed, Commit | None]:
        if not any(order.open):
            return Routed(order.order_id, order.order.number, "nothing", Plan()), None
        if order.held or (order.standing and any(hold.stage == "route" for hold in order.standing)):
            detail = "it is held: approve it, or let a later revision of it come in"
            return Routed(order.order_id, order.order.number, "held", Plan(), detail=detail), None
        if order.order.owner not in self._kit.settings.owners:
            return _failed(order, f"owner {order.order.owner!r} is not configured"), None
        question = self._kit.question(order, errand.now, errand.purpose)
        program, state = self._kit.program(order.order)
        outside = self._kit.outside(question, prepared)
        with self._kit.telemetry.timing("domcore.plan.duration"):
            decided, working = work_out(question, program, state, outside)
        standing = _standing(order, decided)
        nearest = nearest_node_cost(working) if errand.baseline else None
        self._take(decided.draws, 1)
        routed = Routed(
            order.order_id,
            order.order.number,
            outcome_of(decided, standing, spread(question, decided.plan)),
            decided.plan,
            (*decided.holds, *standing),
            "; ".join(decided.incidents),
            nearest,
            question.sequence,
            question.currency,
        )
        return routed, self._commit(order, question, decided, errand, standing)

    def _commit(
        self,
        order: OpenOrder,
        question: Question,
        decided: Decided,
        errand: Errand,
        standing: tuple[Hold, ...],
    ) -> Commit:
        plan, draws = decided.plan, tuple(map(Draw._make, decided.draws))
        short = sum([each.quantity for each in plan.shortages]) if plan.shortages else 0
        now = to_micros(errand.now)
        kind, reason, retry = _event_kind(decided, errand), "", None
        if short and not decided.held:
            reasons = {each.reason for each in plan.shortages}
            reason = ",".join(sorted(reasons))
            if reasons != {"item"}:  # an item that is not known is not waited for by the clock
                retry = now + int(errand.retry.total_seconds()) * 1_000_000
        return Commit(
            order.order_id,
            order.version,
            question.sequence,
            now,
            decided.record,
            draws,
            decided.holds,
            self._told(draws) if errand.purpose == "route" else (),
            errand.purpose,
            errand.expires_at,
            retry,
            reason,
            order.reason,
            (kind, _event_body(question, decided, short, standing)),
            standing,
        )

    def _told(self, draws: Iterable[Draw]) -> tuple[int, ...]:
        """The nodes that something is drawn from and that a connector serves."""
        field, told = self._kit.field, set()
        for draw in draws:
            node_id = draw.node_id
            if field.nodes[field.by_node_id[node_id]].connector:
                told.add(node_id)
        return tuple(sorted(told)) if told else ()

    def _again(self, before: OpenOrder, errand: Errand, prepared: Prepared | None) -> Routed | None:
        """Plan one order anew on fresh stock, until it is committed or the tries are used up.

        What was fetched for the batch still counts, unless the order itself has changed.

        None where somebody else has decided it meanwhile and nobody asked for it by name.
        """
        order_id = before.order_id
        for _ in range(errand.max_replans):
            self._kit.catch_up()
            found = self._store.open_orders(
                now=to_micros(errand.now), limit=1, order_ids=[order_id]
            )
            taken = not found or found[0].sequence != before.sequence
            if taken and not errand.by_name:
                return None
            if not found:
                return Routed(order_id, before.order.number, "nothing", Plan())
            self._kit.look(found)
            if found[0].version != before.version:
                prepared = self._prepare(found, errand).get(order_id)
                before = found[0]
            routed, commit = self.attempt(found[0], errand, prepared)
            if commit is None:
                return routed
            try:
                self._write([commit])
            except (StaleSupply, ConflictError):
                self._undo([commit])
            except BaseException:
                self._undo([commit])
                raise
            else:
                self._look_back(found, [commit])
                return routed
        return Routed(order_id, before.order.number, "failed", Plan(), detail=STALE)

    def _take(self, draws: Sequence[tuple[int, ...]], sign: int) -> None:
        self._kit.planned(draws, sign)

    def _undo(self, commits: Iterable[Commit]) -> None:
        for commit in commits:
            self._take(commit.draws, -1)


def _age(order: OpenOrder) -> tuple[datetime, int]:
    """Those who compete for the same units are decided in this order."""
    return order.order.placed_at, order.order_id


def _standing(order: OpenOrder, decided: Decided) -> tuple[Hold, ...]:
    """The holds that were asked for, where they stop something: work that is made of the plan."""
    if not (order.standing and decided.plan.allocations):
        return ()
    found = {hold.code for hold in decided.holds}
    return tuple(hold for hold in order.standing if hold.code not in found)


def outcome_of(decided: Decided, standing: Sequence[Hold], nodes: int) -> str:
    """One of `OUTCOMES`. `nodes` ship for the order, those of earlier decisions included."""
    plan = decided.plan
    if decided.holds and decided.held:
        return "held"
    if not plan.allocations:
        return "short" if plan.shortages else "nothing"
    if plan.shortages:
        return "partial"
    if standing or (decided.holds and any(hold.stage == "release" for hold in decided.holds)):
        return "held"
    return "split" if nodes > 1 else "routed"


def _failed(order: OpenOrder, message: str) -> Routed:
    return Routed(order.order_id, order.order.number, "failed", Plan(), detail=message)


def _event_kind(decided: Decided, errand: Errand) -> str:
    if decided.holds and decided.held:
        return "order.held"
    if not decided.plan.allocations:
        return "order.short"
    return "order.reserved" if errand.purpose == "reserve" else "order.routed"


def _event_body(
    question: Question, decided: Decided, short: int, standing: Sequence[Hold]
) -> bytes:
    plan = decided.plan
    by_node: dict[str, int] = {}
    for each in plan.allocations:
        by_node[each.node] = by_node.get(each.node, 0) + each.quantity
    body: dict[str, object] = {
        "format": 1,
        "decision": question.sequence,
        "nodes": by_node,
        "cost": plan.cost,
        "currency": question.currency,
        "parcels": len(plan.parcels),
        "short": short,
    }
    holds = (*decided.holds, *standing)
    if holds:
        body["holds"] = [(hold.code, hold.reason, hold.stage) for hold in holds]
    if decided.incidents:
        body["incidents"] = decided.incidents
    return _encode(body)
