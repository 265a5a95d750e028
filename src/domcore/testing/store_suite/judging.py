"""Promises about holds that are taken back to judge an order anew."""

from __future__ import annotations

from domcore.model import Hold
from domcore.store.protocol import Commit
from domcore.testing.store_suite.holds import hold
from domcore.testing.store_suite.kit import NOW, KitSuite, order_of


class JudgingPromises(KitSuite):
    """Part of `StoreSuite`."""

    def test_a_hold_at_route_that_is_taken_back_was_never_approved(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=1))
            placed = Hold("shop/fraud", "looks odd", "route")
            kit.store.commit([Commit(order_id, 1, 1, NOW, b"{}", holds=(placed,))])
            assert kit.store.rejudge(order_id, codes={"shop/fraud", "x"}, now=NOW) == (placed,)
            (found,) = kit.store.open_orders(now=NOW, limit=9)
            assert (found.approved, found.standing, found.held) == ((), (), False)
            assert kit.store.order(order_id).approved == ()
            assert [each.kind for each in kit.store.events()][-1] == "order.rejudged"
            again = Commit(order_id, found.version, 2, NOW, b"{}", holds=(placed,))
            kit.store.commit([again])
            assert kit.store.order(order_id).summary.holds == (placed,)
            assert kit.store.open_orders(now=NOW, limit=9) == []

    def test_a_hold_at_release_that_is_taken_back_keeps_the_stock_and_lets_work_go(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=1))
            kit.route(order_id, "east", holds=(Hold("shop/check", "look"),))
            kit.store.rejudge(order_id, codes={"shop/check"}, now=NOW)
            assert kit.shelf("bolt", "east") == (5, 1, 0)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]
            assert kit.hand_over() == [f"{order_id}-1-east"]

    def test_the_other_holds_stay(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=1))
            kept = Hold("shop/other", "look")
            kit.route(order_id, "east", holds=(Hold("shop/check", "look"), kept))
            kit.store.rejudge(order_id, codes={"shop/check"}, now=NOW)
            assert kit.store.order(order_id).summary.holds == (kept,)
            assert kit.hand_over() == []

    def test_a_hold_that_was_asked_for_is_not_taken_back(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of("1", bolt=1))
            kit.store.hold(hold(5, stage="route"), now=NOW)
            (standing,) = kit.store.order(order_id).summary.holds
            told = kit.store.events()
            assert kit.store.rejudge(order_id, codes={standing.code}, now=NOW) == ()
            assert kit.store.order(order_id).summary.holds == (standing,)
            assert kit.store.events() == told
