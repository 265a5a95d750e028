"""Promises about carts, and about reservations that are kept, let go or run out."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from domcore.errors import NotFound
from domcore.model import CaptureOrder, Hold
from domcore.testing.store_suite.amendments import amendment
from domcore.testing.store_suite.kit import NOW, KitSuite, StoreKit, order_of, raises

SOON = NOW + 10
HELD: tuple[Hold, ...] = (Hold("fraud", "looks odd", "release"),)


def a_cart(kit: StoreKit) -> int:
    """A cart of four bolts with nine on the shelf, nothing reserved yet."""
    kit.count("bolt", "east", 9)
    return kit.take_in(order_of(bolt=4), queue=False)


def reserve(kit: StoreKit, order_id: int, **more: Any) -> None:
    """Reserve what is open at the node ``east`` until `SOON`."""
    more = {"expires_at": SOON, "event": ("order.reserved", b'{"format":1}'), **more}
    kit.route(order_id, "east", purpose="reserve", **more)


def due(kit: StoreKit, now: int = NOW) -> list[int]:
    """Orders that would be routed now."""
    return [found.order_id for found in kit.store.open_orders(now=now, limit=9)]


class CartPromises(KitSuite):
    """Carts: captured without a place in the queue."""

    def test_a_cart_is_routed_only_by_name(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            assert due(kit, NOW * 2) == []
            kit.route(order_id, "east")
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]

    def test_a_later_revision_may_queue_a_cart_or_leave_it_one(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            kit.take_in(order_of(revision=2, bolt=3), queue=False)
            kit.store.amend(amendment("r", 3, bolt=1), now=NOW)
            assert due(kit) == []
            kit.take_in(order_of(revision=4, bolt=3))
            assert due(kit) == [order_id]

    def test_a_cart_stays_one_while_it_is_reserved_runs_out_and_is_let_go(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            reserve(kit, order_id)
            assert kit.store.order(order_id).summary.status == "reserved"
            assert kit.store.expire(now=SOON, limit=9) == 1
            assert due(kit, SOON) == []
            reserve(kit, order_id, expires_at=SOON + 10)
            assert kit.store.free(order_id, now=SOON)[:2] == ("freed", order_id)
            assert due(kit, SOON) == []
            assert kit.lines(order_id) == [(4, 0, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 0, 0)

    def test_what_an_ordinary_order_lets_go_is_queued_again(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=4))
            reserve(kit, order_id)
            assert due(kit) == []
            assert kit.store.free(order_id, now=NOW).detail == "4 units"
            assert due(kit) == [order_id]
            assert kit.store.events()[-1].kind == "order.freed"
            assert kit.store.free(order_id, now=NOW).outcome == "nothing"

    def test_what_is_kept_becomes_work_in_place(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            reserve(kit, order_id)
            assert kit.store.keep(order_id, now=NOW) == ("kept", order_id, "4 units")
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]
            assert kit.lines(order_id) == [(0, 4, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 4, 0)
            assert kit.store.order(order_id).summary.status == "allocated"
            assert kit.store.events()[-1].kind == "order.kept"
            assert kit.hand_over() == [f"{order_id}-1-east"]
            assert kit.store.keep(order_id, now=NOW).outcome == "nothing"
            assert kit.store.expire(now=SOON * 2, limit=9) == 0

    def test_a_kept_cart_queues_what_is_still_open(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            reserve(kit, order_id, units=3, reason="no stock", retry_at=NOW + 1)
            assert due(kit, NOW * 2) == []
            kit.store.keep(order_id, now=NOW)
            assert due(kit) == [order_id]

    def test_time_that_is_over_is_not_kept(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            reserve(kit, order_id)
            assert kit.store.keep(order_id, now=SOON).outcome == "nothing"
            assert kit.store.expire(now=SOON, limit=9) == 1
            assert kit.store.keep(order_id, now=NOW).outcome == "nothing"
            assert kit.lines(order_id) == [(4, 0, 0, 0)]

    def test_a_hold_before_release_stands_over_what_is_kept(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            reserve(kit, order_id, holds=HELD)
            kit.store.keep(order_id, now=NOW)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "on_hold")]
            assert kit.hand_over() == []
            assert kit.store.approve(order_id, by="ann", now=NOW) == HELD
            assert kit.hand_over() == [f"{order_id}-1-east"]

    def test_an_approved_cart_is_still_one(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            reserve(kit, order_id, units=1, holds=HELD)
            kit.store.approve(order_id, by="ann", now=NOW)
            assert due(kit) == []
            kit.store.keep(order_id, now=NOW)
            assert due(kit) == [order_id]
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]

    def test_a_reservation_is_given_more_time(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            assert kit.store.extend(order_id, expires_at=SOON, now=NOW).outcome == "nothing"
            reserve(kit, order_id)
            outcome = kit.store.extend(order_id, expires_at=SOON + 5, now=NOW)
            assert outcome == ("recorded", order_id, "4 units")
            assert kit.store.expire(now=SOON, limit=9) == 0
            assert kit.store.keep(order_id, now=SOON).outcome == "kept"

    def test_a_cart_gives_up_what_is_taken_off_it(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            reserve(kit, order_id)
            kit.store.amend(amendment("r", 2, bolt=3), now=NOW)
            assert kit.lines(order_id) == [(0, 1, 0, 0)]
            assert kit.store.keep(order_id, now=NOW).detail == "1 unit"
            assert kit.shelf("bolt", "east") == (9, 1, 0)

    def test_only_what_expires_is_kept_freed_or_given_time(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            for outcome in (
                kit.store.keep(order_id, now=NOW),
                kit.store.free(order_id, now=NOW),
                kit.store.extend(order_id, expires_at=SOON, now=NOW),
            ):
                assert outcome.outcome == "nothing"
            assert kit.lines(order_id) == [(0, 4, 0, 0)]
            raises(NotFound, kit.store.keep, 99, now=NOW)
            raises(NotFound, kit.store.free, 99, now=NOW)

    def test_the_same_revision_is_the_same_queued_or_not(self) -> None:
        with self.kit() as kit:
            order_id = a_cart(kit)
            (again,) = kit.store.capture([CaptureOrder(order_of(bolt=4))], now=NOW)
            assert again[:2] == ("duplicate", order_id)
            moved = evolve(order_of(bolt=4), revision=2)
            assert kit.store.capture([CaptureOrder(moved)], now=NOW)[0].outcome == "amended"
            assert due(kit) == [order_id]
