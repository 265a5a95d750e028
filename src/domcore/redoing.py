"""What a person changes of an order, decided anew: the effect first, then exactly that.

A change (`Act`) is carried out in a transaction that is taken back, which shows the order as it
would be; that is planned without any lock. What was seen is done by carrying out the change again
together with the decision, in one transaction: if anything has come between, it is seen anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from domcore.codec.stored import Bodies
from domcore.errors import ConflictError, StaleSupply
from domcore.model import Plan, decimal_text
from domcore.model.clock import to_micros
from domcore.planning import PlanningKit
from domcore.routing import Errand, Routed, Router
from domcore.sourcing.field import Field
from domcore.sourcing.record import decode
from domcore.store.operations.order_work import FINISHED
from domcore.store.protocol import Commit, OpenOrder, OrderView, Outcome, StockRow, Trouble

UNCHANGED: Final = ("nothing", "duplicate")
"""Outcomes of changes that change nothing."""

Act = Callable[[], Outcome]


@frozen(slots=True)
class Standing:
    """Where an order stands: its work that is not over, and the units nobody has.

    `nodes` are ``(node, units)``; `cost` is what the decisions said that this work costs, micros.
    """

    nodes: tuple[tuple[str, int], ...]
    cost: int
    open: int
    shipped: int

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "nodes": dict(self.nodes),
            "cost": decimal_text(self.cost),
            "open": self.open,
            "shipped": self.shipped,
        }


@frozen(slots=True)
class Effect:
    """What a change does, or would do.

    Args:
        outcome: that of the change; `done` says whether it was carried out.
        before, after: where the order stands; what nodes are asked to stop counts until they have.
        asked: ``(fulfillment order, what its node is asked)``: ``stop`` or ``change``.
        decision: the decision that goes with it: ``routed``, ``split``, ``short`` ... as routing
            says it; empty where nothing is decided now. `detail` says why not.
        reasons: why units stay open, and the holds.
    """

    order_id: int
    order: str
    outcome: Outcome
    done: bool
    currency: str
    before: Standing
    after: Standing
    asked: tuple[tuple[str, str], ...] = ()
    decision: str = ""
    detail: str = ""
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "order": self.order,
            "outcome": self.outcome.outcome,
            "detail": self.outcome.detail or self.detail,
            "done": self.done,
            "currency": self.currency,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "asked": [{"fulfillment_order": name, "to": what} for name, what in self.asked],
            "decision": self.decision,
            "reasons": list(self.reasons),
        }


class _TakenBackError(Exception):
    """Ends a transaction that only looked."""


@frozen(slots=True)
class _Seen:
    """An order as it would be after a change."""

    outcome: Outcome
    before: OrderView
    after: OrderView
    asked: tuple[tuple[str, str], ...]
    open: OpenOrder | None
    stock: tuple[StockRow, ...]
    overtakes: bool
    """Whether older orders have been woken for what it has open."""


class Redoing:
    """Shows changes of one order, and carries them out."""

    def __init__(self, kit: PlanningKit, errand: Errand) -> None:
        self._kit: Final = kit
        self._store: Final = kit.store
        self._errand: Final = errand
        self._router: Final = Router(kit)

    def redo(self, order_id: int, act: Act, *, dry_run: bool, whole: str = "") -> Effect:
        """Show what a change does; without `dry_run` it is done.

        Args:
            whole: the node that must be able to ship all that is opened, if there is one.

        Raises:
            StaleSupply, ConflictError: the order or the stock has changed each time it was tried.
            DomcoreError: what the change itself refuses; nothing is changed.
        """
        for left in reversed(range(self._errand.max_replans)):
            seen = self._look(order_id, act)
            routed, commit, why = self._plan(seen)
            shown = self._effect(seen, routed, why, done=False)
            if dry_run:
                return shown
            _check_whole(shown, whole)
            try:
                outcome = self._carry_out(act, commit)
            except (StaleSupply, ConflictError):
                self._kit.catch_up()
                if commit is None or not left:
                    raise
            else:
                self._kit.stock_changed()
                return evolve(shown, done=outcome.outcome not in UNCHANGED)
        raise AssertionError("unreachable")

    # --- looking --------------------------------------------------------------------------------

    def _look(self, order_id: int, act: Act) -> _Seen:
        store, found = self._store, list[_Seen]()
        now = to_micros(self._errand.now)
        before, troubles = store.order(order_id), store.troubles(order_id)
        try:
            with store.together():
                outcome = act()
                after = store.order(order_id)
                open_orders = store.open_orders(now=now, limit=1, order_ids=[order_id])
                items = [item for each in open_orders for item in each.item_ids if item]
                stock = tuple(store.stock_of(items)) if items else ()
                opened = open_orders[0] if open_orders else None
                woken = opened is not None and opened.others_woken
                ahead = bool(woken and store.ahead([order_id], limit=1))
                stops = _asked(before, after)
                names = {name for name, _ in stops}
                told = _told(store.troubles(order_id), troubles)
                asked = stops + tuple(each for each in told if each[0] not in names)
                found.append(_Seen(outcome, before, after, asked, opened, stock, ahead))
                raise _TakenBackError
        except _TakenBackError:
            return found[0]

    def _plan(self, seen: _Seen) -> tuple[Routed | None, Commit | None, str]:
        """What routing would decide of it, and why it is left to its turn where it is."""
        order = seen.open
        if order is None or not any(order.open) or seen.outcome.outcome in UNCHANGED:
            return None, None, ""
        if order.held:
            return None, None, "it is held: what is open is decided when it is approved"
        if not seen.before.sequence:
            return None, None, "it has not been routed yet: its turn comes"
        if seen.overtakes:
            return None, None, "older orders wait for the same: its turn comes after theirs"
        self._kit.look([order])
        prepared = self._kit.prepare([order], self._errand.now).get(order.order_id)
        self._kit.look([order])
        supply = self._kit.supply
        supply.put_rows(seen.stock)
        try:
            routed, commit = self._router.attempt(order, self._errand, prepared)
        finally:
            ids = sorted({row.item_id for row in seen.stock})
            supply.put_rows(self._store.stock_of(ids))
        return routed, commit, ""

    # --- doing ----------------------------------------------------------------------------------

    def _carry_out(self, act: Act, commit: Commit | None) -> Outcome:
        if commit is None:
            return act()
        self._kit.programs.keep()
        with self._store.together():
            outcome = act()
            if outcome.outcome != "duplicate":
                self._store.commit([commit])
        return outcome

    # --- telling --------------------------------------------------------------------------------

    def _effect(self, seen: _Seen, routed: Routed | None, why: str, *, done: bool) -> Effect:
        view = seen.before
        plan = Plan() if routed is None else routed.plan
        reasons = [] if routed is None else [f"{h.code}: {h.reason}" for h in routed.holds]
        reasons += sorted({each.reason for each in plan.shortages})
        return Effect(
            view.summary.order_id,
            view.order.number or f"id:{view.summary.order_id}",
            seen.outcome,
            done,
            self._kit.currency(view.order.owner),
            self._standing(view, Plan()),
            self._standing(seen.after, plan),
            seen.asked,
            "" if routed is None else routed.outcome,
            why or ("" if routed is None else routed.detail),
            tuple(reasons),
        )

    def _standing(self, view: OrderView, plan: Plan) -> Standing:
        units: dict[str, int] = {}
        alive = set()
        for work in view.fulfillment_orders:
            left = sum(each for _, _, each in work.lines)
            if work.status not in FINISHED and left:
                alive.add((work.sequence, work.node))
                units[work.node] = units.get(work.node, 0) + left
        for each in plan.allocations:
            units[each.node] = units.get(each.node, 0) + each.quantity
        buckets = view.summary.buckets
        placed = sum(each.quantity for each in plan.allocations)
        cost = plan.cost + self._cost_of(view.summary.order_id, alive)
        return Standing(tuple(sorted(units.items())), cost, buckets.open - placed, buckets.shipped)

    def _cost_of(self, order_id: int, alive: set[tuple[int, str]]) -> int:
        """What the parcels of this work cost, by the decisions that made them."""
        cost = 0
        for decision in self._store.decisions(order_id) if alive else ():
            nodes = {node for sequence, node in alive if sequence == decision.sequence}
            if nodes:
                cost += parcel_cost(decode(decision.record), nodes, self._codes)
        return cost

    def _codes(self, digest: str) -> Sequence[str]:
        """The nodes of a network by position."""
        field = self._kit.field
        if digest != field.digest:
            field = Field(Bodies().network.load(self._store.blob(digest)), digest=digest)
        return [node.id for node in field.nodes]


def _check_whole(effect: Effect, node: str) -> None:
    missing = effect.after.open - effect.before.open
    if node and effect.decision and missing > 0:
        raise ConflictError(
            f"{node} cannot ship {missing:,} of the units ({', '.join(effect.reasons)});"
            " nothing was moved"
        )


def parcel_cost(
    record: dict[str, Any], nodes: set[str], codes: Callable[[str], Sequence[str]]
) -> int:
    """Micros that a decision's parcels from some nodes cost."""
    names = codes(str(record["network"]))
    return sum(
        amount
        for at, _, _, _, terms in record["parcels"]
        if names[at] in nodes
        for _, amount in terms
    )


def _asked(before: OrderView, after: OrderView) -> tuple[tuple[str, str], ...]:
    """What nodes are asked that had the work before."""
    was = {work.id: work.status for work in before.fulfillment_orders}
    return tuple(
        (work.id, "stop")
        for work in after.fulfillment_orders
        if work.status == "cancel_requested" and was.get(work.id) != work.status
    )


def _told(troubles: Sequence[Trouble], known: Sequence[Trouble]) -> tuple[tuple[str, str], ...]:
    """The nodes that are to be told of another address or person."""
    before = {each.id for each in known}
    return tuple(
        (each.fulfillment_order, "change")
        for each in troubles
        if each.id not in before and each.kind == "changed"
    )
