"""Promises about goods that others have sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from domcore.errors import ConflictError, NotFound, PayloadError
from domcore.model import AuthorizeReturn, Item, Notice, Package, ShippedElsewhere
from domcore.testing.store_suite.kit import MINUTE, NOW, START, KitSuite, StoreKit, order_of, raises

LINE: Final = "L-bolt"


def _sent(units: int, name: str = "f1", *, revision: int = 1, **more: Any) -> ShippedElsewhere:
    lines = ((LINE, units),) if units else ()
    at = START + timedelta(minutes=5)
    return ShippedElsewhere("main", "web", "1", name, revision, at, lines, **more)


def _tell(kit: StoreKit, units: int, name: str = "f1", **more: Any) -> str:
    command = _sent(units, name, **more)
    return kit.store.ship_elsewhere(command, now=NOW + 60 * MINUTE).outcome


class ElsewherePromises(KitSuite):
    """What others have sent counts as gone, once."""

    def test_what_others_have_sent_is_taken_off_and_told_once(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            assert [_tell(kit, 3), _tell(kit, 3)] == ["recorded", "duplicate"]
            assert kit.lines(order_id) == [(0, 1, 3, 0)]
            assert kit.shelf("bolt", "east") == (9, 1, 0)
            kinds = [event.kind for event in kit.store.events(order_id=order_id)]
            assert kinds.count("order.shipped_elsewhere") == 1

    def test_a_node_that_works_on_what_others_have_sent_is_asked_to_stop(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            kit.hand_over()
            _tell(kit, 4)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "cancel_requested")]
            kit.hear(f"{order_id}-1-east", "cancelled", minutes=9)
            assert kit.lines(order_id) == [(0, 0, 4, 0)]
            assert kit.shelf("bolt", "east") == (9, 0, 0)

    def test_the_node_whose_goods_others_have_sent_counts_where_it_is_known(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "west", 9)
            order_id = kit.take_in(order_of(bolt=4))
            _tell(kit, 1)
            assert kit.open(order_id)[-2:] == ((1,), ())
            _tell(kit, 2, "f2", node="west")
            assert kit.open(order_id)[-2:] == ((3,), (kit.node["west"],))

    def test_what_comes_before_its_order_is_kept_and_what_is_taken_back_is_open(self) -> None:
        with self.kit() as kit:
            assert _tell(kit, 3) == "recorded"
            order_id = kit.take_in(order_of(bolt=4))
            assert kit.lines(order_id) == [(1, 0, 3, 0)]
            _tell(kit, 0, revision=2)
            assert kit.lines(order_id) == [(4, 0, 0, 0)]
            assert _tell(kit, 3) == "duplicate"

    def test_what_others_sent_before_its_item_was_known_counts_when_it_is(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=1, gear=2))
            at = START + timedelta(minutes=5)
            sent = ShippedElsewhere("main", "web", "1", "f1", 1, at, (("L-gear", 2),))
            kit.store.ship_elsewhere(sent, now=NOW + 60 * MINUTE)
            back = AuthorizeReturn("main", "web", "1", "R1", (("L-gear", 2),), "east")
            assert kit.store.authorize_return(back, now=NOW, keep=True).outcome == "kept"
            kit.store.save_items("main", [Item("gear")], now=NOW + 61 * MINUTE)
            assert kit.lines(order_id) == [(1, 0, 0, 0), (0, 0, 2, 0)]
            assert [one.return_id for one in kit.store.returns(order_id)] == ["R1"]
            kinds = [event.kind for event in kit.store.events(order_id=order_id)]
            assert kinds.count("order.shipped_elsewhere") == 1

    def test_goods_of_our_nodes_are_known_again_by_number_and_in_totals(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            box = Package("b", ((LINE, 2),), tracking="1Z1")
            notice = Notice(f"{order_id}-1-east", "partially_shipped", START, packages=(box,))
            kit.store.record(notice, now=NOW)
            _tell(kit, 2, tracking=("1z1",))
            _tell(kit, 2, "all", total=True)
            assert kit.lines(order_id) == [(0, 2, 2, 0)]
            _tell(kit, 3, "all", total=True, revision=2)
            assert kit.lines(order_id) == [(0, 2, 3, 0)]

    def test_goods_that_others_took_from_a_shelf_are_not_on_it(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            kit.take_in(order_of(bolt=4))
            _tell(kit, 3, node="east")
            assert kit.shelf("bolt", "east") == (6, 0, 0)
            kit.count("bolt", "east", 8, minutes=9)
            _tell(kit, 1, revision=2, node="east")
            assert kit.shelf("bolt", "east") == (8, 0, 0)

    def test_a_shipment_that_cannot_be_meant_is_refused_and_nothing_kept(self) -> None:
        with self.kit() as kit:
            bad = (_sent(1, ""), _sent(1, node="nowhere"), _sent(-1), _sent(1, revision=-1))
            for command in bad:
                raises(PayloadError, kit.store.ship_elsewhere, command, now=NOW + 60 * MINUTE)
            assert list(kit.store.audit("elsewhere")) == []

    def test_a_person_is_asked_at_once_where_a_channel_is_believed(self) -> None:
        with self.kit() as kit:
            order_id, now = kit.take_in(order_of(bolt=4)), NOW + 60 * MINUTE
            tell = kit.store.ship_elsewhere
            raises(ConflictError, tell, _sent(5), now=now, by_hand=True)
            raises(NotFound, tell, _sent(0), now=now, by_hand=True)
            assert list(kit.store.audit("elsewhere")) == []
            assert tell(_sent(1, ""), now=now, by_hand=True).detail.endswith("called by-hand-1")
            assert tell(_sent(1, ""), now=now, by_hand=True).detail.endswith("called by-hand-2")
            tell(_sent(2, "by-hand-1", revision=0), now=now, by_hand=True)
            assert kit.lines(order_id) == [(1, 0, 3, 0)]
            raises(ConflictError, tell, _sent(2, ""), now=now, by_hand=True)
