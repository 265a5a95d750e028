"""Promises about goods that come back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domcore.errors import ConflictError, NotFound, PayloadError
from domcore.model import AuthorizeReturn, Notice, ReceiveReturn
from domcore.testing.store_suite.kit import (
    MINUTE,
    NOW,
    START,
    KitSuite,
    StoreKit,
    order_of,
    raises,
)


def _asked(units: int = 2, **more: Any) -> AuthorizeReturn:
    fields = {"return_id": "R1", "lines": (("L-bolt", units),), "node": "west", **more}
    return AuthorizeReturn("main", "web", "1", **fields)


def _arrived(units: int, condition: str = "sellable", **more: Any) -> ReceiveReturn:
    fields = {"return_id": "R1", "lines": (("L-bolt", units, condition),), **more}
    return ReceiveReturn("main", "web", "1", **fields)


class ReturnPromises(KitSuite):
    """Authorized, received, closed."""

    def _shipped(self, kit: StoreKit) -> int:
        """An order of three bolts that have shipped from the east; its id."""
        kit.count("bolt", "east", 5)
        order_id = kit.take_in(order_of(bolt=3))
        kit.route(order_id, "east")
        (work,) = kit.store.order(order_id).fulfillment_orders
        kit.store.record(Notice(work.id, "shipped", START), now=NOW)
        return order_id

    def test_only_what_has_shipped_can_come_back_and_only_once(self) -> None:
        with self.kit() as kit:
            order_id = self._shipped(kit)
            assert kit.store.authorize_return(_asked(2), now=NOW).outcome == "authorized"
            second = _asked(2, return_id="R2")
            raises(ConflictError, kit.store.authorize_return, second, now=NOW)
            assert kit.store.authorize_return(_asked(1, return_id="R2"), now=NOW).outcome == (
                "authorized"
            )
            assert [each.return_id for each in kit.store.returns(order_id)] == ["R1", "R2"]
            assert kit.store.open_returns([kit.node["west"]]) == {kit.node["west"]: 3}

    def test_what_comes_back_has_left_whatever_its_node_says_later(self) -> None:
        with self.kit() as kit:
            order_id = self._shipped(kit)
            (work,) = kit.store.order(order_id).fulfillment_orders
            kit.store.authorize_return(_asked(2), now=NOW)
            lines = (("L-bolt", 2),)
            news = Notice(work.id, "rejected", START + timedelta(minutes=1), lines, reason="closed")
            raises(ConflictError, kit.store.record, news, now=NOW + MINUTE)
            assert kit.lines(order_id) == [(0, 0, 3, 0)]
            kit.store.receive_return(_arrived(1, close=True), now=NOW + MINUTE)
            assert kit.store.record(news, now=NOW + MINUTE).outcome == "recorded"
            assert kit.lines(order_id) == [(2, 0, 1, 0)]

    def test_the_same_return_twice_is_one_and_other_content_is_refused(self) -> None:
        with self.kit() as kit:
            order_id = self._shipped(kit)
            kit.store.authorize_return(_asked(), now=NOW)
            assert kit.store.authorize_return(_asked(), now=NOW).outcome == "duplicate"
            raises(ConflictError, kit.store.authorize_return, _asked(1), now=NOW)
            assert len(kit.store.returns(order_id)) == 1

    def test_received_units_are_restocked_blocked_or_written_off(self) -> None:
        with self.kit() as kit:
            self._shipped(kit)
            kit.store.authorize_return(_asked(3), now=NOW)
            kit.store.receive_return(_arrived(1), now=NOW)
            kit.store.receive_return(_arrived(1, "damaged"), now=NOW)
            outcome = kit.store.receive_return(_arrived(1, "scrap"), now=NOW)
            assert (outcome.outcome, outcome.detail) == ("received", "received")
            assert kit.shelf("bolt", "west") == (2, 0, 1)
            assert kit.shelf("bolt", "east") == (2, 0, 0)
            ((_, each),) = kit.store.find_returns(waiting=False, limit=5)
            assert each.status == "received"
            assert [line.received for line in each.lines] == [3]
            assert not kit.store.find_returns(limit=5)

    def test_no_more_arrives_than_is_waited_for(self) -> None:
        with self.kit() as kit:
            self._shipped(kit)
            kit.store.authorize_return(_asked(2), now=NOW)
            raises(ConflictError, kit.store.receive_return, _arrived(3), now=NOW)
            assert kit.shelf("bolt", "west") == (0, 0, 0)

    def test_a_closed_return_takes_nothing_and_its_missing_units_may_come_back_later(self) -> None:
        with self.kit() as kit:
            self._shipped(kit)
            kit.store.authorize_return(_asked(3), now=NOW)
            outcome = kit.store.receive_return(_arrived(1, close=True), now=NOW)
            assert outcome.detail == "closed; 1 taken in, 2 of 3 never came"
            raises(ConflictError, kit.store.receive_return, _arrived(1), now=NOW)
            again = _asked(2, return_id="R2")
            assert kit.store.authorize_return(again, now=NOW).outcome == "authorized"

    def test_a_receipt_under_a_key_or_a_time_counts_once(self) -> None:
        with self.kit() as kit:
            self._shipped(kit)
            kit.store.authorize_return(_asked(3), now=NOW)
            for same in (_arrived(1, key="k"), _arrived(1, at=START)):
                kit.store.receive_return(same, now=NOW)
                assert kit.store.receive_return(same, now=NOW).outcome == "duplicate"
            assert kit.shelf("bolt", "west")[0] == 2
            raises(ConflictError, kit.store.receive_return, _arrived(2, key="k"), now=NOW)

    def test_units_that_a_later_count_has_seen_do_not_count_twice(self) -> None:
        with self.kit() as kit:
            self._shipped(kit)
            kit.store.authorize_return(_asked(2), now=NOW)
            kit.count("bolt", "west", 9, minutes=10)
            later = NOW + 20 * MINUTE
            kit.store.receive_return(_arrived(1, at=START + timedelta(minutes=5)), now=later)
            assert kit.shelf("bolt", "west")[0] == 9
            kit.store.receive_return(_arrived(1, at=START + timedelta(minutes=15)), now=later)
            assert kit.shelf("bolt", "west")[0] == 10

    def test_what_cannot_be_meant_is_refused_and_changes_nothing(self) -> None:
        with self.kit() as kit:
            order_id = self._shipped(kit)
            store = kit.store
            for bad in (
                _asked(0),
                _asked(10**10),
                _asked(lines=()),
                _asked(lines=(("nothing", 1),)),
                _asked(lines=(("L-bolt", 1), ("L-bolt", 1))),
                _asked(node="nowhere"),
                _asked(return_id=""),
            ):
                raises(PayloadError, store.authorize_return, bad, now=NOW)
            unknown = AuthorizeReturn("main", "web", "no", "R1", (("L-bolt", 1),), "west")
            raises(NotFound, store.authorize_return, unknown, now=NOW)
            raises(NotFound, store.receive_return, _arrived(1), now=NOW)
            store.authorize_return(_asked(), now=NOW)
            for bad_receipt in (
                _arrived(1, "melted"),
                _arrived(-1),
                _arrived(1, node="nowhere"),
                _arrived(1, at=START + timedelta(days=9)),
                _arrived(1, at=START.replace(tzinfo=None)),
            ):
                raises(PayloadError, store.receive_return, bad_receipt, now=NOW)
            assert [line.received for line in store.returns(order_id)[0].lines] == [0]
