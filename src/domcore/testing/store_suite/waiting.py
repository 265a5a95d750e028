"""Orders that wait: whatever makes units available wakes the oldest of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from attrs import evolve

from domcore.errors import ConflictError
from domcore.model import (
    AuthorizeReturn,
    CancelOrder,
    Hold,
    ObserveStock,
    ReceiveReturn,
    StockCount,
)
from domcore.store.protocol import BEFORE_ALL
from domcore.testing.store_suite.kit import (
    MINUTE,
    NOW,
    START,
    KitSuite,
    StoreKit,
    order_of,
    raises,
)

HOUR: Final = 60 * MINUTE
LATER: Final = NOW + 10 * MINUTE

Way = Callable[[StoreKit, int], Callable[[], None]]
"""Prepares with an order of two bolts, and answers what is then to happen."""


def placed(number: str, minutes: int, **lines: int) -> Any:
    """An order that was placed so many minutes after `START`."""
    return evolve(order_of(number, **lines), placed_at=START + timedelta(minutes=minutes))


def short(kit: StoreKit, number: str, minutes: int = 0, **lines: int) -> int:
    """An order that was decided short and is tried again in an hour; its id."""
    order_id = kit.take_in(placed(number, minutes, **lines))
    kit.route(order_id, "east", draws=(), reason="stock", retry_at=NOW + HOUR)
    return order_id


def due(kit: StoreKit, now: int = LATER) -> list[int]:
    """The orders that are due, in the order of the queue."""
    return [each.order_id for each in kit.store.open_orders(now=now, limit=99)]


def told(kit: StoreKit, sku: str, node: str, **units: Any) -> None:
    """News of one shelf."""
    kit.store.observe_stock(ObserveStock("main", (StockCount(sku, node, **units),)), now=LATER)


def _returned(kit: StoreKit, bound: int) -> Callable[[], None]:
    kit.route(bound, "east")
    (key,) = kit.hand_over()
    kit.hear(key, "shipped")
    key_of = kit.store.order(bound).order.key
    kit.store.authorize_return(
        AuthorizeReturn(*key_of, "R", (("L-bolt", 1),), node="west"), now=NOW + MINUTE
    )
    units = (("L-bolt", 1, "sellable"),)
    command = ReceiveReturn(*key_of, "R", units, node="west", key="k")
    return lambda: _ignore(kit.store.receive_return(command, now=LATER))


def _routed(then: Callable[[StoreKit, int], Any]) -> Way:
    def way(kit: StoreKit, bound: int) -> Callable[[], None]:
        kit.route(bound, "east")
        return lambda: _ignore(then(kit, bound))

    return way


def _counted(**units: Any) -> Way:
    return _routed(lambda kit, _: told(kit, "bolt", "east", **units))


def _handed_over(status: str, **more: Any) -> Way:
    def way(kit: StoreKit, bound: int) -> Callable[[], None]:
        kit.route(bound, "east")
        (key,) = kit.hand_over()
        return lambda: _ignore(kit.hear(key, status, minutes=1, **more))

    return way


def _kept_for(
    then: Callable[[StoreKit, int], Any],
) -> Way:
    def way(kit: StoreKit, bound: int) -> Callable[[], None]:
        kit.route(bound, "east", purpose="reserve", expires_at=NOW + MINUTE, release=())
        return lambda: _ignore(then(kit, bound))

    return way


def _unblocked(kit: StoreKit, _: int) -> Callable[[], None]:
    told(kit, "bolt", "east", on_hand=4, blocked=2)
    return lambda: told(kit, "bolt", "east", blocked=0)


def _ignore(_: object) -> None:
    return None


class WaitingPromises(KitSuite):
    """The queue, and who is woken when there is more to be had."""

    def test_of_all_that_is_due_the_order_that_was_placed_first_stands_first(self) -> None:
        with self.kit() as kit:
            young = kit.take_in(placed("2", -5, bolt=1))
            old = kit.take_in(placed("3", -9, bolt=1))
            same = kit.take_in(placed("1", -5, bolt=1))
            assert due(kit) == [old, young, same]

    def test_the_queue_is_read_in_pages(self) -> None:
        with self.kit() as kit:
            ids = [kit.take_in(placed(str(at), at % 3 - 9, bolt=1)) for at in range(7)]
            after, found = BEFORE_ALL, list[int]()
            while page := kit.store.open_orders(now=NOW, limit=2, after=after):
                found += [each.order_id for each in page]
                after = (page[-1].due, page[-1].order_id)
            assert found == due(kit)
            assert sorted(found) == ids

    def test_a_count_wakes_the_oldest_that_it_can_serve_and_a_few_more(self) -> None:
        with self.kit() as kit:
            ids = [short(kit, str(at), -at, bolt=2) for at in range(30)]
            assert due(kit) == []
            told(kit, "bolt", "west", on_hand=5)
            woken = due(kit)
            assert woken[:3] == ids[:-4:-1]
            assert woken == ids[: -len(woken) - 1 : -1]
            assert 3 <= len(woken) < 20

    def test_however_much_comes_no_more_are_woken_than_wait(self) -> None:
        with self.kit() as kit:
            ids = [short(kit, str(at), bolt=1) for at in range(25)]
            other = short(kit, "other", nut=1)
            told(kit, "bolt", "west", on_hand=1_000_000_000)
            assert due(kit) == ids
            assert other not in ids

    def test_less_than_before_wakes_nobody(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "west", 9, safety=1)
            short(kit, "1", bolt=1)
            told(kit, "bolt", "west", delta=-1)
            told(kit, "bolt", "west", on_hand=7)
            told(kit, "bolt", "west", safety=3)
            told(kit, "bolt", "west", blocked=2)
            assert due(kit) == []

    def _wakes(self, way: Way) -> None:
        """Whether an order that waits is due after, and only after, something has happened."""
        with self.kit() as kit:
            kit.count("bolt", "east", 4, minutes=-60, safety=2)
            happen = way(kit, kit.take_in(order_of("bound", bolt=2)))
            waiting = short(kit, "waiting", bolt=1)
            assert waiting not in due(kit)
            happen()
            assert waiting in due(kit)

    def test_a_higher_count_wakes_who_waits(self) -> None:
        self._wakes(_counted(on_hand=6))

    def test_a_delta_wakes_who_waits(self) -> None:
        self._wakes(_counted(delta=1))

    def test_less_safety_stock_wakes_who_waits(self) -> None:
        self._wakes(_counted(safety=0))

    def test_what_can_be_sold_again_wakes_who_waits(self) -> None:
        self._wakes(_unblocked)

    def test_a_cancelled_order_wakes_who_waits(self) -> None:
        self._wakes(
            _routed(
                lambda kit, _: kit.store.cancel(CancelOrder("main", "web", "bound", 1), now=LATER)
            )
        )

    def test_an_order_that_shrank_wakes_who_waits(self) -> None:
        self._wakes(_routed(lambda kit, _: kit.take_in(order_of("bound", 2, bolt=1))))

    def test_a_rejection_wakes_who_waits(self) -> None:
        self._wakes(_handed_over("rejected", reason="no_capacity"))

    def test_a_node_that_cancels_wakes_who_waits(self) -> None:
        self._wakes(_handed_over("cancelled"))

    def test_a_reservation_that_ran_out_wakes_who_waits(self) -> None:
        self._wakes(_kept_for(lambda kit, _: kit.store.expire(now=LATER, limit=9)))

    def test_a_cart_that_was_let_go_wakes_who_waits(self) -> None:
        self._wakes(_kept_for(lambda kit, bound: kit.store.free(bound, now=LATER)))

    def test_a_return_that_is_restocked_wakes_who_waits(self) -> None:
        self._wakes(_returned)

    def test_what_is_freed_by_an_order_wakes_others_and_itself(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 2)
            bound = kit.take_in(placed("bound", -1, bolt=2))
            kit.route(bound, "east")
            (key,) = kit.hand_over()
            waiting = short(kit, "waiting", -2, bolt=1)
            kit.hear(key, "rejected", reason="other")
            assert due(kit) == [waiting, bound]

    def test_a_held_order_is_not_woken_and_stands_in_nobodys_way(self) -> None:
        with self.kit() as kit:
            held = kit.take_in(placed("held", -9, bolt=1))
            hold = Hold("fraud", "odd", "route")
            kit.route(held, "east", draws=(), holds=(hold,))
            waiting = short(kit, "waiting", bolt=1)
            told(kit, "bolt", "west", on_hand=1)
            assert due(kit) == [waiting]
            kit.store.approve(held, by="me", now=LATER)
            assert due(kit) == [held, waiting]

    def test_who_could_not_be_served_passes_it_on(self) -> None:
        with self.kit() as kit:
            ids = [short(kit, str(at), at - 50, bolt=1) for at in range(40)]
            told(kit, "bolt", "west", on_hand=1)
            seen: list[int] = []
            now = LATER
            while woken := due(kit, now):
                assert len(woken) < 20
                seen += woken
                for order_id in woken:
                    retry = {"reason": "stock", "retry_at": now + HOUR, "at": now}
                    kit.route(order_id, "east", draws=(), **retry)
                now += MINUTE
            assert seen == ids

    def test_who_was_served_passes_nothing_on(self) -> None:
        with self.kit() as kit:
            ids = [short(kit, str(at), at - 50, bolt=1) for at in range(40)]
            told(kit, "bolt", "west", on_hand=1)
            woken = due(kit)
            kit.route(ids[0], "west")
            for order_id in woken[1:]:
                kit.route(order_id, "east", draws=(), reason="stock", retry_at=NOW + HOUR)
            assert due(kit, LATER + 9 * MINUTE) == []

    def test_those_ahead_of_an_order_are_the_older_that_were_woken(self) -> None:
        with self.kit() as kit:
            old = short(kit, "old", -9, bolt=1)
            other = short(kit, "other", -9, nut=1)
            young = short(kit, "young", 5, bolt=1)
            new = kit.take_in(placed("new", 0, bolt=1))
            assert not kit.open(new).others_woken
            assert kit.store.ahead([new], limit=9) == []
            told(kit, "bolt", "west", on_hand=1)
            assert kit.open(new).others_woken
            assert kit.store.ahead([new], limit=9) == [old]
            assert kit.store.ahead([new, old], limit=9) == []
            assert kit.store.ahead([other], limit=9) == []
            assert kit.store.ahead([young], limit=9) == [old]

    def test_who_decides_on_another_reason_than_the_orders_is_refused(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 1)
            order_id = short(kit, "1", bolt=1)
            raises(ConflictError, kit.route, order_id, "east", reason_before="")
            kit.route(order_id, "east")
            assert kit.lines(order_id) == [(0, 1, 0, 0)]

    def test_a_later_revision_takes_an_order_out_of_the_line(self) -> None:
        with self.kit() as kit:
            order_id = short(kit, "1", bolt=1)
            kit.take_in(evolve(order_of("1", 2, bolt=3), placed_at=START - timedelta(days=1)))
            assert due(kit, NOW) == [order_id]
            kit.route(order_id, "east", draws=(), reason="stock", retry_at=NOW + HOUR)
            told(kit, "bolt", "west", on_hand=1)
            (found,) = kit.store.open_orders(now=LATER, limit=9)
            assert (found.order_id, found.due) == (order_id, NOW - 24 * HOUR)
