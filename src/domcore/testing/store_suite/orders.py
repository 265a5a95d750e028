"""Promises about taking orders in and finding them."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from domcore.errors import (
    ConflictError,
    NotFound,
    PayloadError,
)
from domcore.model import (
    Alias,
    CaptureOrder,
    Destination,
    OrderLine,
    Person,
)
from domcore.store.protocol import (
    OpenOrder,
    OrderFilter,
    StockFilter,
)
from domcore.testing.store_suite.kit import (
    NODES,
    NOW,
    KitSuite,
    order_of,
    raises,
)


class OrderPromises(KitSuite):
    """Capture, amend, find, erase."""

    # --- capture and amend -----------------------------------------------------------------------

    def test_a_captured_order_waits_to_be_routed(self) -> None:
        with self.kit() as kit:
            order = order_of(bolt=2, nut=1)
            order_id = kit.take_in(order)
            (found,) = kit.store.open_orders(now=NOW, limit=9)
            assert found == OpenOrder(
                order_id, 1, 0, order, (2, 1), (), (kit.item["bolt"], kit.item["nut"]), due=NOW
            )

    def test_a_repeated_delivery_changes_nothing(self) -> None:
        with self.kit() as kit:
            command = CaptureOrder(order_of(bolt=1), key="w1")
            words = [o.outcome for o in kit.store.capture([command, command], now=NOW)]
            again = kit.store.capture([evolve(command, key="w2")], now=NOW)
            assert [*words, again[0].outcome] == ["captured", "duplicate", "duplicate"]
            assert len(kit.store.events()) == 1

    def test_the_same_key_with_other_content_is_a_conflict(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of("1", bolt=1), key="w1")
            other = CaptureOrder(order_of("2", bolt=1), key="w1")
            raises(ConflictError, kit.store.capture, [other], now=NOW)
            assert kit.store.find_order("2") == [2] or kit.store.find_order("web/2") == []

    def test_the_same_revision_with_other_content_is_a_conflict(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of(bolt=1))
            raises(ConflictError, kit.store.capture, [CaptureOrder(order_of(bolt=2))], now=NOW)
            assert kit.lines(1) == [(1, 0, 0, 0)]

    def test_an_older_revision_is_stale(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of(revision=5, bolt=1))
            (outcome,) = kit.store.capture([CaptureOrder(order_of(revision=4, bolt=9))], now=NOW)
            assert outcome.outcome == "stale"
            assert kit.lines(1) == [(1, 0, 0, 0)]

    def test_one_bad_order_refuses_the_whole_batch(self) -> None:
        with self.kit() as kit:
            batch = [CaptureOrder(order_of("1", bolt=1)), CaptureOrder(order_of("2", nut=-1))]
            error = raises(PayloadError, kit.store.capture, batch, now=NOW)
            assert "$.lines[0].quantity" in str(error)
            assert kit.store.find_orders(OrderFilter(), limit=9) == []

    def test_a_channels_own_item_ids_become_skus(self) -> None:
        with self.kit() as kit:
            kit.store.save_items("main", [], [Alias("web", "gid/77", "bolt")], now=NOW)
            order = order_of(bolt=1)
            aliased = evolve(order, lines=(evolve(order.lines[0], sku="gid/77"),))
            assert kit.store.order(kit.take_in(aliased)).order == order
            (outcome,) = kit.store.capture([CaptureOrder(aliased)], now=NOW)
            assert outcome.outcome == "duplicate"

    def test_lines_that_need_no_shipping_are_kept_and_have_no_units(self) -> None:
        with self.kit() as kit:
            gift = OrderLine("L-gift", "a gift card", 2, ships=False)
            order = evolve(order_of(bolt=1), lines=(gift, *order_of(bolt=1).lines))
            order_id = kit.take_in(order)
            assert kit.lines(order_id) == [(0, 0, 0, 0), (1, 0, 0, 0)]
            assert kit.open(order_id).item_ids == (0, kit.item["bolt"])

    def test_an_amended_order_keeps_the_place_of_every_line(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=2, nut=2))
            kit.take_in(order_of(revision=2, saw=1, nut=3))
            found = kit.store.order(order_id)
            assert [(line.sku, line.quantity) for line in found.order.lines] == [
                ("bolt", 0),
                ("nut", 3),
                ("saw", 1),
            ]
            assert kit.lines(order_id) == [(0, 0, 0, 0), (3, 0, 0, 0), (1, 0, 0, 0)]

    def test_a_line_that_shrinks_gives_up_open_units_first(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=5))
            kit.route(order_id, "east", units=3)
            kit.take_in(order_of(revision=2, bolt=4))
            assert kit.lines(order_id) == [(1, 3, 0, 0)]
            kit.take_in(order_of(revision=3, bolt=2))
            assert kit.lines(order_id) == [(0, 2, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 2, 0)

    def test_another_destination_frees_what_is_not_handed_over(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=5))
            kit.route(order_id, "east")
            moved = evolve(order_of(revision=2, bolt=5), destination=Destination("FR"))
            kit.take_in(moved)
            assert kit.lines(order_id) == [(5, 0, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 0, 0)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "cancelled")]
            assert kit.hand_over() == []
            assert len(kit.store.open_orders(now=NOW, limit=9)) == 1

    def test_units_handed_over_stay_until_the_node_answers(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=5))
            kit.route(order_id, "east")
            name = f"{order_id}-1-east"
            assert kit.hand_over() == [name]
            kit.take_in(order_of(revision=2, bolt=1))
            assert kit.lines(order_id) == [(0, 5, 0, 0)]
            assert kit.work(order_id) == [(name, "cancel_requested")]
            (lease,) = kit.store.lease_due("cancel", now=NOW, until=NOW + 1, limit=9)
            assert lease.key == f"{name}-cancel"

    # --- finding ---------------------------------------------------------------------------------

    def test_orders_are_found_by_every_name_people_use(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of("A-9", bolt=1))
            for name in ("A-9", "web/A-9", "#A-9", "main/web/A-9", f"id:{order_id}"):
                assert kit.store.find_order(name) == [order_id], name
                assert kit.store.find_order(name, owner="main") == [order_id]
                assert kit.store.find_order(name, owner="other") == []
            assert kit.store.find_order("nothing") == []
            raises(NotFound, kit.store.order, 99)

    def test_a_bare_number_is_never_the_stores_own_id(self) -> None:
        """Channels count their orders from 1, and so does the store: 2 is the shop's order 2."""
        with self.kit() as kit:
            warm, second = kit.take_in(order_of("warm", bolt=1)), kit.take_in(order_of("1", bolt=1))
            odd = kit.take_in(order_of(f"id:{warm}", bolt=1))
            assert (warm, second) == (1, 2)
            assert kit.store.find_order("1") == [second]
            for bare in ("2", "3", "02", "2 ", "+2", "-2", "٢", "9" * 18, "9" * 40):
                assert kit.store.find_order(bare) == [], bare
            assert kit.store.find_order(f"id:{warm}") == [warm]
            assert kit.store.find_order(f"web/id:{warm}") == [odd]
            for none in ("id:", "id:99", "id:-1", "id: 1", "id:1x", "ID:1", f"id:{'9' * 40}"):
                assert kit.store.find_order(none) == [], none

    def test_orders_are_listed_by_what_is_asked_for(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            ids = [kit.take_in(order_of(str(n), bolt=1, nut=1)) for n in range(3)]
            kit.take_in(order_of("saws", saw=1))
            kit.count("nut", "east", 9)
            kit.route(ids[0], "east")

            def found(**wanted: Any) -> list[int]:
                rows = kit.store.find_orders(evolve(OrderFilter(), **wanted), limit=9)
                return [row.order_id for row in rows]

            assert found() == [1, 2, 3, 4]
            assert found(status="allocated") == [1]
            assert found(status="open", sku="nut") == [2, 3]
            assert found(node="east") == [1]
            assert found(node="nowhere") == found(owner="nobody") == found(channel="x") == []
            assert found(number="#1") == [2]
            assert found(placed_from=NOW + 1) == []
            assert found(placed_until=NOW + 1, channel="web", owner="main") == [1, 2, 3, 4]
            page = kit.store.find_orders(OrderFilter(), limit=2, after=1)
            assert [row.order_id for row in page] == [2, 3]

    def test_filters_are_values_never_code(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of(bolt=1))
            for text in ("' OR 1=1 --", "x'; DROP TABLE orders; --", '"', "%", "\\"):
                assert kit.store.find_order(text) == []
                assert kit.store.find_orders(OrderFilter(channel=text), limit=9) == []
                assert kit.store.find_stock(StockFilter(sku=text), limit=9) == []

    def test_stock_is_listed_page_by_page(self) -> None:
        with self.kit() as kit:
            for node in NODES:
                kit.count("bolt", node, 5)
            kit.count("nut", "east", 1)
            first = kit.store.find_stock(StockFilter(), limit=3)
            rest = kit.store.find_stock(StockFilter(), limit=3, after=first[-1].key)
            assert [(row.sku, row.node) for row in (*first, *rest)] == [
                ("bolt", "east"),
                ("bolt", "north"),
                ("bolt", "west"),
                ("nut", "east"),
            ]
            low = kit.store.find_stock(StockFilter(below=2, owner="main"), limit=9)
            assert [(row.sku, row.available) for row in low] == [("nut", 1)]

    def test_erased_personal_data_is_gone(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=1), person=Person("Ada Canary"))
            assert kit.store.order(order_id).person == Person("Ada Canary")
            assert kit.store.erase(order_id)
            assert kit.store.order(order_id).person is None
            assert not kit.store.erase(order_id)
