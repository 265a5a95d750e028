"""Promises about returns that come before what they need."""

from __future__ import annotations

from itertools import permutations
from typing import Any, Final

from domcore.errors import ConflictError, NotFound, PayloadError
from domcore.model import AuthorizeReturn, Notice, ReceiveReturn, ShippedElsewhere
from domcore.testing.store_suite.kit import (
    MINUTE,
    NOW,
    START,
    KitSuite,
    StoreKit,
    order_of,
    raises,
)

LINE: Final = "L-bolt"
_UNMEANT: Final[tuple[dict[str, Any], ...]] = (
    {"units": 0},
    {"lines": ()},
    {"lines": ((LINE, 1), (LINE, 1))},
    {"node": "nowhere"},
    {"return_id": ""},
)


def _authorize(kit: StoreKit, units: int = 2, *, order: str = "1", **more: Any) -> str:
    fields = {"return_id": "R1", "lines": ((LINE, units),), "node": "west", **more}
    asked = AuthorizeReturn("main", "web", order, **fields)
    return kit.store.authorize_return(asked, now=NOW, keep=True).outcome


def _receive(kit: StoreKit, units: int = 2, *, order: str = "1", **more: Any) -> str:
    fields = {"return_id": "R1", "lines": ((LINE, units, "sellable"),), "key": "k", **more}
    arrived = ReceiveReturn("main", "web", order, **fields)
    return kit.store.receive_return(arrived, now=NOW, keep=True).outcome


def _ship(kit: StoreKit, order_id: int, *lines: tuple[str, int], key: str = "n") -> None:
    status = "partially_shipped" if lines else "shipped"
    notice = Notice(f"{order_id}-1-east", status, START, lines, key=key)
    kit.store.record(notice, now=NOW + 5 * MINUTE)


class KeptReturnPromises(KitSuite):
    """A refund may overtake the parcel's news, and the order."""

    def _routed(self, kit: StoreKit, units: int = 3) -> int:
        kit.count("bolt", "east", 5)
        order_id = kit.take_in(order_of(bolt=units))
        kit.route(order_id, "east")
        return order_id

    def test_a_return_before_the_news_of_shipping_is_kept_until_that_comes(self) -> None:
        with self.kit() as kit:
            order_id = self._routed(kit)
            assert [_authorize(kit), _receive(kit)] == ["kept", "kept"]
            assert kit.store.returns(order_id) == []
            assert kit.shelf("bolt", "west") == (0, 0, 0)
            _ship(kit, order_id)
            (each,) = kit.store.returns(order_id)
            assert (each.return_id, each.node, each.status) == ("R1", "west", "received")
            assert kit.shelf("bolt", "west") == (2, 0, 0)

    def test_the_end_is_the_same_whatever_comes_first(self) -> None:
        with self.kit() as kit:
            turns = list(permutations(("authorize", "receive", "one", "two")))
            kit.count("bolt", "east", 3 * len(turns))
            for number, turn in enumerate(turns, 1):
                order_id = kit.take_in(order_of(str(number), bolt=3))
                kit.route(order_id, "east")
                for word in turn:
                    if word == "authorize":
                        _authorize(kit, 3, order=str(number))
                    elif word == "receive":
                        _receive(kit, 3, order=str(number), key=f"k{number}")
                    else:
                        _ship(
                            kit, order_id, (LINE, 1 if word == "one" else 2), key=f"{word} {number}"
                        )
                (each,) = kit.store.returns(order_id)
                assert (each.status, each.lines[0].restocked) == ("received", 3), turn
                assert kit.shelf("bolt", "west") == (3 * number, 0, 0), turn

    def test_a_return_waits_for_its_order_too_and_for_goods_that_others_sent(self) -> None:
        with self.kit() as kit:
            assert [_receive(kit), _authorize(kit)] == ["kept", "kept"]
            order_id = kit.take_in(order_of(bolt=3))
            assert kit.store.returns(order_id) == []
            sent = ShippedElsewhere("main", "web", "1", "f1", 1, START, ((LINE, 3),))
            kit.store.ship_elsewhere(sent, now=NOW + MINUTE)
            assert [each.status for each in kit.store.returns(order_id)] == ["received"]

    def test_what_came_of_an_order_before_it_is_carried_out_with_it(self) -> None:
        with self.kit() as kit:
            sent = ShippedElsewhere("main", "web", "1", "f1", 1, START, ((LINE, 3),))
            kit.store.ship_elsewhere(sent, now=NOW)
            assert [_authorize(kit), _receive(kit)] == ["kept", "kept"]
            order_id = kit.take_in(order_of(bolt=3))
            assert [each.status for each in kit.store.returns(order_id)] == ["received"]

    def test_the_same_again_changes_nothing_before_and_after(self) -> None:
        with self.kit() as kit:
            order_id = self._routed(kit)
            for _ in range(2):
                _authorize(kit)
                _receive(kit)
            assert [_authorize(kit), _receive(kit)] == ["duplicate", "duplicate"]
            raises(ConflictError, _authorize, kit, 1)
            raises(ConflictError, _receive, kit, 1)
            _ship(kit, order_id)
            assert [_authorize(kit), _receive(kit)] == ["duplicate", "duplicate"]
            raises(ConflictError, _authorize, kit, 1)
            assert kit.shelf("bolt", "west") == (2, 0, 0)

    def test_several_are_carried_out_as_they_came_as_far_as_goods_have_left(self) -> None:
        with self.kit() as kit:
            order_id = self._routed(kit)
            for name, units in (("R1", 2), ("R2", 2), ("R3", 1)):
                assert _authorize(kit, units, return_id=name) == "kept"
            _ship(kit, order_id)
            assert [each.return_id for each in kit.store.returns(order_id)] == ["R1", "R3"]
            (waits,) = kit.store.failing(before=NOW)
            assert (waits.kind, waits.order_id) == ("return", order_id)
            assert "R2" in waits.note

    def test_a_return_that_ends_early_makes_room_for_one_that_waits(self) -> None:
        with self.kit() as kit:
            order_id = self._routed(kit)
            _ship(kit, order_id)
            assert _authorize(kit, 3, return_id="R0") == "authorized"
            assert _authorize(kit, 2) == "kept"
            assert _receive(kit, 1, return_id="R0", close=True) == "received"
            assert [each.return_id for each in kit.store.returns(order_id)] == ["R0", "R1"]

    def test_a_line_that_a_later_revision_brings_is_waited_for(self) -> None:
        with self.kit() as kit:
            order_id = self._routed(kit)
            _ship(kit, order_id)
            assert _authorize(kit, lines=(("L-later", 1),)) == "kept"
            assert kit.store.returns(order_id) == []

    def test_without_a_node_it_goes_to_the_one_that_has_shipped(self) -> None:
        with self.kit() as kit:
            order_id = self._routed(kit)
            assert _authorize(kit, node="") == "kept"
            _ship(kit, order_id)
            assert [each.node for each in kit.store.returns(order_id)] == ["east"]

    def test_units_that_a_count_has_seen_since_they_arrived_count_once(self) -> None:
        with self.kit() as kit:
            order_id = self._routed(kit)
            _authorize(kit)
            _receive(kit)
            kit.count("bolt", "west", 7, minutes=3)
            _ship(kit, order_id)
            assert [each.status for each in kit.store.returns(order_id)] == ["received"]
            assert kit.shelf("bolt", "west") == (7, 0, 0)

    def test_what_waits_for_long_is_shown_and_can_be_given_up(self) -> None:
        with self.kit() as kit:
            assert _authorize(kit) == "kept"
            assert kit.store.failing(before=NOW - 1) == []
            (waits,) = kit.store.failing(before=NOW)
            assert (waits.order_id, waits.parked_at) == (None, NOW)
            assert kit.store.find_parked(waits.id) == waits
            kit.store.give_up(waits.id, now=NOW)
            assert kit.store.failing(before=NOW) == []
            raises(NotFound, kit.store.give_up, waits.id, now=NOW)
            assert _authorize(kit) == "duplicate"
            order_id = self._routed(kit)
            _ship(kit, order_id)
            assert kit.store.returns(order_id) == []

    def test_who_does_not_ask_to_have_it_kept_is_told_at_once(self) -> None:
        with self.kit() as kit:
            asked = AuthorizeReturn("main", "web", "1", "R1", ((LINE, 1),), "west")
            arrived = ReceiveReturn("main", "web", "1", "R1", ((LINE, 1, "sellable"),))
            raises(NotFound, kit.store.authorize_return, asked, now=NOW)
            self._routed(kit)
            raises(ConflictError, kit.store.authorize_return, asked, now=NOW)
            raises(NotFound, kit.store.receive_return, arrived, now=NOW)
            assert list(kit.store.audit("kept_return")) == []

    def test_what_can_never_be_carried_out_is_refused_and_not_kept(self) -> None:
        with self.kit() as kit:
            for bad in _UNMEANT:
                raises(PayloadError, _authorize, kit, **bad)
            bad_receipts: tuple[dict[str, Any], ...] = (
                {"units": -1},
                {"lines": ((LINE, 1, "melted"),)},
                {"node": "nowhere"},
            )
            for bad in bad_receipts:
                raises(PayloadError, _receive, kit, **bad)
            assert list(kit.store.audit("kept_return")) == []
