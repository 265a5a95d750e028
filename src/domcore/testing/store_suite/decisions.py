"""Promises about decisions and what becomes of them."""

from __future__ import annotations

from attrs import evolve

from domcore.errors import (
    ConflictError,
    NotFound,
    StaleSupply,
)
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Hold,
)
from domcore.store.protocol import (
    Commit,
)
from domcore.testing.store_suite.kit import (
    NOW,
    KitSuite,
    order_of,
    raises,
)


class DecisionPromises(KitSuite):
    """Commit, holds, cancel, expire, news."""

    # --- decisions -------------------------------------------------------------------------------

    def test_a_decision_reserves_and_asks_the_node(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=3))
            kit.route(order_id, "east")
            assert kit.shelf("bolt", "east") == (5, 3, 0)
            found = kit.store.order(order_id)
            assert (found.version, found.sequence, found.summary.status) == (2, 1, "allocated")
            assert [(r.node, r.sku, r.quantity) for r in found.reservations] == [
                ("east", "bolt", 3)
            ]
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]
            assert kit.store.open_orders(now=NOW, limit=9) == []
            (decision,) = kit.store.decisions(order_id)
            assert (decision.sequence, decision.record) == (1, b'{"format":1}')

    def test_stock_that_is_gone_is_stale_supply_and_nothing_is_written(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 3)
            kit.count("nut", "east", 9)
            order_id = kit.take_in(order_of(bolt=4, nut=1))
            before = (kit.store.order(order_id), kit.store.stock_cursor())
            error = raises(StaleSupply, kit.route, order_id, "east")
            assert isinstance(error, StaleSupply)
            assert error.keys == ((kit.item["bolt"], kit.node["east"]),)
            assert (kit.store.order(order_id), kit.store.stock_cursor()) == before

    def test_floors_and_safety_stock_are_never_broken(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5, safety=2)
            order_id = kit.take_in(order_of(bolt=3))
            raises(StaleSupply, kit.route, order_id, "east", floor=3)
            kit.route(order_id, "east", floor=2)
            other = kit.take_in(order_of("2", bolt=1))
            raises(StaleSupply, kit.route, other, "east")

    def test_a_batch_counts_as_one_after_the_other(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 7)
            guarded, free = kit.take_in(order_of("1", bolt=2)), kit.take_in(order_of("2", bolt=5))
            careful = kit.decide(guarded, "east", floor=5)
            greedy = kit.decide(free, "east")
            raises(StaleSupply, kit.store.commit, [greedy, careful])
            kit.store.commit([careful, greedy])
            assert kit.shelf("bolt", "east") == (7, 7, 0)

    def test_two_deciders_of_one_order_collide(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=1))
            decision = kit.decide(order_id, "east")
            kit.store.commit([decision])
            raises(ConflictError, kit.store.commit, [decision])
            assert kit.shelf("bolt", "east") == (9, 1, 0)

    def test_an_order_amended_meanwhile_is_a_conflict(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=1))
            decision = kit.decide(order_id, "east")
            kit.take_in(order_of(revision=2, bolt=2))
            raises(ConflictError, kit.store.commit, [decision])
            assert kit.shelf("bolt", "east") == (9, 0, 0)

    def test_no_more_is_allocated_than_is_open(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=1))
            good = kit.decide(order_id, "east")
            greedy = evolve(good, draws=(good.draws[0]._replace(quantity=2),))
            foreign = evolve(good, draws=(good.draws[0]._replace(item_id=kit.item["nut"]),))
            kit.count("nut", "east", 9)
            for bad in (greedy, foreign):
                raises(ConflictError, kit.store.commit, [bad])
            assert kit.lines(order_id) == [(1, 0, 0, 0)]

    def test_open_units_wait_for_their_retry_time(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 1)
            order_id = kit.take_in(order_of(bolt=3))
            kit.route(order_id, "east", units=1, retry_at=NOW + 5, reason="no stock")
            assert kit.store.open_orders(now=NOW + 4, limit=9) == []
            (found,) = kit.store.open_orders(now=NOW + 5, limit=9)
            assert (found.sequence, found.open) == (1, (2,))
            assert kit.open(order_id) == found
            summary = kit.store.order(order_id).summary
            assert (summary.status, summary.reason) == ("partly allocated", "no stock")

    # --- holds -----------------------------------------------------------------------------------

    def test_a_hold_at_route_reserves_nothing_until_it_is_approved(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=1))
            hold = Hold("shop/fraud", "looks odd", "route")
            kit.store.commit([Commit(order_id, 1, 1, NOW, b"{}", holds=(hold,))])
            assert kit.store.open_orders(now=NOW, limit=9) == []
            summary = kit.store.order(order_id).summary
            assert (summary.status, summary.holds) == ("held", (hold,))
            assert kit.store.approve(order_id, by="ann", now=NOW) == (hold,)
            (found,) = kit.store.open_orders(now=NOW, limit=9)
            assert found.approved == ("shop/fraud",)
            assert kit.store.approve(order_id, by="ann", now=NOW) == ()

    def test_a_hold_at_release_reserves_and_waits(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=1))
            kit.route(order_id, "east", holds=(Hold("shop/check", "look"),))
            assert kit.shelf("bolt", "east") == (5, 1, 0)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "on_hold")]
            assert kit.hand_over() == []
            kit.store.approve(order_id, by="ann", now=NOW)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]
            assert kit.hand_over() == [f"{order_id}-1-east"]

    def test_an_amendment_is_judged_anew(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=1))
            kit.route(order_id, "east", holds=(Hold("shop/check", "look"),))
            kit.take_in(order_of(revision=2, bolt=1, nut=1))
            assert kit.shelf("bolt", "east") == (5, 0, 0)
            assert kit.open(order_id).open == (1, 1)
            assert kit.store.order(order_id).summary.holds == ()

    # --- cancel, expire, news --------------------------------------------------------------------

    def test_a_cancelled_order_frees_what_is_not_handed_over(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east", units=3)
            cancel = CancelOrder("main", "web", "1", 2)
            assert kit.store.cancel(cancel, now=NOW).outcome == "cancelled"
            assert kit.lines(order_id) == [(0, 0, 0, 4)]
            assert kit.shelf("bolt", "east") == (5, 0, 0)
            assert kit.hand_over() == []
            assert kit.store.cancel(cancel, now=NOW).outcome == "duplicate"
            assert kit.store.order(order_id).summary.status == "cancelled"

    def test_cancelling_work_that_is_handed_over_asks_the_node(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            (name,) = kit.hand_over()
            kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
            assert kit.lines(order_id) == [(0, 4, 0, 0)]
            kit.hear(name, "cancelled")
            assert kit.lines(order_id) == [(0, 0, 0, 4)]
            assert kit.shelf("bolt", "east") == (5, 0, 0)

    def test_cancelling_says_what_was_cancelled_and_what_had_left(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east", units=3)
            (name,) = kit.hand_over()
            kit.hear(name, "partially_shipped", ("L-bolt", 2))
            told = kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
            assert told.outcome == "cancelled"
            assert told.detail == (
                "1 unit cancelled; 1 node is asked to stop (1 unit); 2 units have left already"
            )
            again = kit.store.cancel(CancelOrder("main", "web", "1", 3), now=NOW)
            assert again.outcome == "duplicate"
            assert "1 unit at nodes that are asked to stop; 2 units have left" in again.detail

    def test_nothing_is_cancelled_of_an_order_that_has_left(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            (name,) = kit.hand_over()
            kit.hear(name, "shipped")
            kit.hear(name, "delivered")
            told = kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
            assert told.outcome == "nothing"
            assert "4 units have left already" in told.detail
            assert kit.store.order(order_id).summary.status == "shipped"

    def test_a_cancellation_may_come_before_its_order(self) -> None:
        with self.kit() as kit:
            assert kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW).order_id is None
            (outcome,) = kit.store.capture([CaptureOrder(order_of(bolt=1))], now=NOW)
            assert outcome.outcome == "cancelled"
            assert kit.lines(1) == [(0, 0, 0, 1)]
            assert kit.store.open_orders(now=NOW, limit=9) == []

    def test_a_cancelled_order_opens_nothing_any_more(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=1))
            kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
            kit.take_in(order_of(revision=3, bolt=5))
            assert kit.lines(order_id) == [(0, 0, 0, 5)]

    def test_reservations_run_out(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=2))
            kit.route(order_id, "east", purpose="reserve", expires_at=NOW + 10)
            assert kit.store.order(order_id).summary.status == "reserved"
            assert kit.work(order_id) == []
            assert kit.store.expire(now=NOW + 9, limit=9) == 0
            assert kit.store.expire(now=NOW + 10, limit=9) == 1
            assert kit.store.expire(now=NOW + 10, limit=9) == 0
            assert kit.lines(order_id) == [(2, 0, 0, 0)]
            assert kit.shelf("bolt", "east") == (5, 0, 0)
            assert len(kit.store.open_orders(now=NOW + 10, limit=9)) == 1

    def test_a_partial_shipment_splits_the_reservation(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            name = f"{order_id}-1-east"
            for outcome in ("recorded", "duplicate"):
                told = kit.hear(name, "partially_shipped", ("L-bolt", 3), key="k")
                assert told.outcome == outcome
            assert kit.lines(order_id) == [(0, 1, 3, 0)]
            assert kit.shelf("bolt", "east") == (2, 1, 0)
            parts = kit.store.order(order_id).reservations
            assert [(r.part, r.quantity, r.state) for r in parts] == [
                (0, 1, "open"),
                (1, 3, "shipped"),
            ]
            raises(ConflictError, kit.hear, name, "partially_shipped", ("L-bolt", 2))
            kit.hear(name, "shipped")
            assert kit.store.order(order_id).summary.status == "shipped"
            assert kit.hear(name, "rejected", reason="closed").outcome == "stale"

    def test_units_not_found_are_blocked_until_the_next_count(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            name = f"{order_id}-1-east"
            kit.hear(name, "rejected", ("L-bolt", 1), reason="not_found")
            kit.hear(name, "rejected", reason="no_capacity")
            assert kit.lines(order_id) == [(4, 0, 0, 0)]
            assert kit.shelf("bolt", "east") == (5, 0, 1)
            kit.count("bolt", "east", 4, minutes=1)
            assert kit.shelf("bolt", "east") == (4, 0, 0)

    def test_what_is_unknown_is_not_found(self) -> None:
        with self.kit() as kit:
            for name in ("", "x", "1-1", "9-1-east", "1-x-east"):
                raises(NotFound, kit.hear, name, "shipped")
            raises(NotFound, kit.store.approve, 9, by="ann", now=NOW)
            raises(NotFound, kit.store.settle, 9, now=NOW)
