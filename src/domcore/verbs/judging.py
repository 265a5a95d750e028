"""Judging held orders anew, by the rules of now."""

from __future__ import annotations

from attrs import frozen

from domcore.model import Hold
from domcore.routing import Router
from domcore.telemetry import traced
from domcore.verbs.decisions import DecisionVerbs

NOTHING = "nothing"


@frozen(slots=True)
class Rejudged:
    """What came of it.

    `outcome` is ``nothing`` (no hold stood), ``held`` (it is still, or again) or ``let go``; for
    an order of which nothing was reserved it is that of routing, as in `domcore.routing.Routed`,
    unless it is a cart: that is let go, and waits until somebody asks for it.
    `lifted` are the holds that are gone, `holds` those that stand.
    """

    order_id: int
    number: str
    outcome: str
    lifted: tuple[Hold, ...] = ()
    holds: tuple[Hold, ...] = ()


class JudgingVerbs(DecisionVerbs):
    """For holds that were mistakes."""

    @traced
    def rejudge(self, reference: str, *, by: str = "") -> Rejudged:
        """Judge a held order anew, by the rules, network and plugins of now.

        A hold that nothing asks for any more is lifted; nobody has approved it, so a later
        decision may place it again. What a channel or a person asked for stays. An order that was
        held before anything was reserved is routed at once; one that was held with its stock
        reserved keeps it, and what the last decision was asked is judged. A cart is judged and
        never routed.

        Raises:
            NotFound, ConflictError: no such order, or several.
            ConfigurationError: the rules cannot be used, or a plugin that is to judge is missing;
                every hold stays.
        """
        order_id = self.find(reference)
        with self.acting(by):
            self._heed_packs(at_once=False)
            self._kit.require_judges()
            return self._rejudge(order_id)

    def _rejudge(self, order_id: int) -> Rejudged:
        from domcore.explaining import holds_now  # explaining is not on the routing path

        before = self.store.order(order_id)
        standing = before.summary.holds
        number = before.summary.number
        opened = self.store.open_orders(now=self._micros(), limit=1, order_ids=[order_id])
        cart = any(each.cart for each in opened)
        codes = frozenset(hold.code for hold in standing)
        if not any(hold.stage == "route" for hold in standing):
            self._kit.look([])
            codes -= holds_now(self._kit, order_id)
        elif cart:
            codes -= {hold.code for hold in self.plan(f"id:{order_id}").holds}
        taken = self.store.rejudge(order_id, codes=codes, now=self._micros())
        outcome = "held" if standing else NOTHING
        if taken and opened and not cart:
            # Not as by name: what is reserved for a while stays so, and is no work yet.
            routed = [*Router(self._kit).run(self._errand(), [order_id], None)]
            outcome = routed[0].outcome if routed else outcome
        holds = self.store.order(order_id).summary.holds
        if taken and not holds and outcome == "held":
            outcome = "let go"
        still = {hold.code for hold in holds}
        lifted = tuple(hold for hold in taken if hold.code not in still)
        return Rejudged(order_id, number, outcome, lifted, holds)
