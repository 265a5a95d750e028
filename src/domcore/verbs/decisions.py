"""Deciding, and saying why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from attrs import evolve, field, frozen

from domcore.errors import ConfigurationError, NotFound
from domcore.model import (
    Hold,
    Order,
    Plan,
)
from domcore.packs import PackInfo
from domcore.routing import Errand, Routed, Router, RouteReport
from domcore.sourcing.decide import decide
from domcore.store.protocol import (
    OpenOrder,
    Outcome,
)

if TYPE_CHECKING:
    from domcore.explanation import Explanation
    from domcore.rule_story import RuleStory

from domcore.telemetry import traced
from domcore.verbs.core import Core

MOST_MINUTES: Final = 366 * 24 * 60
"""The longest reservation."""


@frozen
class Planned:
    """A plan that was made and not committed. Its explanation is worked out when it is first asked
    for, from what was read when it was made."""

    order_id: int
    order: Order
    plan: Plan
    holds: tuple[Hold, ...]
    _explain: Callable[[], Explanation] = field(repr=False, eq=False)

    @cached_property
    def explanation(self) -> Explanation:
        """Why it is this plan, as `Domcore.explain` tells it of a decision."""
        return self._explain()


class DecisionVerbs(Core):
    """Who ships what."""

    def plan(self, reference: str) -> Planned:
        """What routing would decide now. Nothing is changed."""
        self._kit.programs.refresh(at_once=False)
        self._kit.require_judges()
        order = self._open(self.find(reference))
        self._kit.look([order])
        question = self._kit.question(order, self.now(), "route")
        skus = {line.sku for line in order.order.lines if line.ships}
        question = evolve(question, supply=question.supply.copied(order.order.owner, skus))
        program, state = self._kit.program(order.order)
        prepared = self._kit.prepare([order], question.now).get(order.order_id)
        decided = decide(question, program, state, self._kit.outside(question, prepared))

        def explained() -> Explanation:
            from domcore.explaining import explain_plan  # explaining is not on the routing path

            return explain_plan(question, decided, program, state, self._kit.programs.facts)

        return Planned(order.order_id, order.order, decided.plan, decided.holds, explained)

    @traced
    def route(
        self,
        references: Sequence[str] | None = None,
        *,
        limit: int | None = None,
        baseline: bool = False,
        progress: Callable[[Routed], None] | None = None,
        by: str = "",
    ) -> RouteReport:
        """Decide and reserve: the orders named, or all that are due.

        What is reserved of a named order for a while (see `reserve`) is kept, and the rest decided.

        Args:
            references: orders; None is every order that is open, not held, and due.
            limit: at most so many orders.
            baseline: also price nearest-node routing.
            progress: called for each order once its batch is committed.
            by: who causes it.

        Raises:
            NotFound, ConflictError: a reference means no order, or several.
            StoreError: the store failed; what was committed stays.
        """
        report = RouteReport()
        order_ids = self._ids(references)
        with self.acting(by):
            self._heed_packs(at_once=references is None)
            for routed in self._routed(self._errand(baseline=baseline), order_ids, limit):
                report.add(routed)
                if progress is not None:
                    progress(routed)
        return report

    def _routed(
        self, errand: Errand, order_ids: Sequence[int] | None, limit: int | None
    ) -> Iterator[Routed]:
        """What routing does, and with the named orders of which all that is wanted was kept."""
        kept = {}
        for order_id in order_ids or ():
            outcome = self.store.keep(order_id, now=self._micros())
            if outcome.outcome == "kept":
                kept[order_id] = f"{outcome.detail} kept"
        for routed in Router(self._kit).run(errand, order_ids, limit):
            kept.pop(routed.order_id, None)
            yield routed
        for order_id, detail in kept.items():
            yield self._standing(order_id, detail)

    @traced
    def reserve(self, reference: str, *, minutes: int, by: str = "") -> Routed:
        """Plan and reserve with an expiry, without asking any node to ship.

        Reserving again reserves what is open by now, and all of it expires at the new time. See
        `keep` and `free` for what comes next.
        """
        if type(minutes) is not int or not 0 < minutes <= MOST_MINUTES:
            raise ConfigurationError(
                f"a reservation lasts from a minute to {MOST_MINUTES}", place="minutes"
            )
        with self.acting(by):
            self._heed_packs(at_once=False)
            return self._reserve(self.find(reference), minutes)

    def _reserve(self, order_id: int, minutes: int) -> Routed:
        expires = self._micros() + minutes * 60_000_000
        longer = self.store.extend(order_id, expires_at=expires, now=self._micros())
        detail = f"{longer.detail} stay reserved" if longer.outcome == "recorded" else ""
        errand = evolve(self._errand(), purpose="reserve", expires_at=expires)
        for routed in Router(self._kit).run(errand, [order_id], None):
            told = "; ".join(part for part in (detail, routed.detail) if part)
            return evolve(routed, detail=told)
        return self._standing(order_id, detail)

    def _standing(self, order_id: int, detail: str) -> Routed:
        """An order of which nothing is open; `detail` says what was done, empty where nothing."""
        view = self.store.order(order_id)
        holds, nodes = view.summary.holds, view.summary.nodes
        outcome = "held" if holds else "split" if len(nodes) > 1 else "routed"
        number = view.order.number
        return Routed(order_id, number, outcome if detail else "nothing", Plan(), holds, detail)

    @traced
    def keep(self, reference: str, *, by: str = "") -> Outcome:
        """Make work of what is reserved for a while: the checkout is done, the nodes may ship.

        Outcome ``kept``; or ``nothing``, where nothing is reserved or its time is over.
        """
        with self.acting(by):
            return self.store.keep(self.find(reference), now=self._micros())

    @traced
    def free(self, reference: str, *, by: str = "") -> Outcome:
        """Let go of what is reserved for a while: ``freed``, or ``nothing``."""
        with self.acting(by):
            outcome = self.store.free(self.find(reference), now=self._micros())
        self._kit.stock_changed()
        return outcome

    def _errand(self, *, baseline: bool = False) -> Errand:
        routing = self.settings.routing
        return Errand(
            self.now(),
            baseline=baseline,
            batch=routing.batch,
            max_replans=routing.max_replans,
            retry=timedelta(minutes=routing.retry_minutes),
        )

    def _ids(self, references: Sequence[str] | None) -> list[int] | None:
        if isinstance(references, str):
            references = [references]
        return None if references is None else [self.find(each) for each in references]

    def explain(
        self, reference: str, *, why_not: str | None = None, decision: int | None = None
    ) -> Explanation:
        """A decision on an order with its reasons, replayed from what it read.

        Args:
            reference: which order.
            why_not: a node: why it does not ship (more).
            decision: which of the order's decisions, from 1; None is the last.

        Raises:
            NotFound: no such order, decision or node, or nothing has been decided yet.
        """
        from domcore.explaining import explain_stored  # explaining is not on the routing path

        return explain_stored(self._kit, self.find(reference), why_not, decision)

    def explain_rule(
        self,
        reference: str,
        rule: str,
        *,
        node: str | None = None,
        decision: int | None = None,
    ) -> RuleStory:
        """What one rule said of an order, and where and why it was silent: the part of its
        condition that failed, with the values that were read.

        Args:
            reference: which order; one that is not decided yet is put to the rules of now.
            rule: ``pack/id``.
            node: ask about this node; None asks about every node that holds some of the order.
            decision: which of the order's decisions, from 1; None is the last.

        Raises:
            NotFound: no such order, rule, decision or node.
        """
        from domcore.explaining import explain_rule  # explaining is not on the routing path

        return explain_rule(self._kit, self.find(reference), rule, node, decision)

    def packs(self) -> list[PackInfo]:
        """Every rule pack that can be found, and whether it is active."""
        return self._kit.programs.packs()

    def _open(self, order_id: int) -> OpenOrder:
        found = self.store.open_orders(now=self._micros(), limit=1, order_ids=[order_id])
        if not found:
            raise NotFound("nothing is open on this order; see 'domcore explain'")
        return found[0]
