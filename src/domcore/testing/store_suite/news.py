"""Promises about the news of nodes: twice, late and in any order, the end is the same."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

from domcore.errors import ConflictError, PayloadError
from domcore.model import AmendOrder, CancelOrder, Notice, Package
from domcore.store.protocol import OrderFilter, Store
from domcore.testing.store_suite.kit import (
    MINUTE,
    NOW,
    START,
    KitSuite,
    StoreKit,
    order_of,
    raises,
)


def state_of(kit: StoreKit) -> dict[str, Any]:
    """What news may change: buckets, reservations summed up, work, boxes, stock, exclusions."""
    store: Store = kit.store
    orders = [store.order(row[0]) for row in store.audit("orders")]
    taken: dict[tuple[Any, ...], int] = {}
    for each in orders:
        for row in each.reservations:
            key = (row.order_id, row.sequence, row.line, row.node, row.state)
            taken[key] = taken.get(key, 0) + row.quantity
    return {
        "lines": [each.lines for each in orders],
        "status": [each.summary.status for each in orders],
        "taken": taken,
        "work": [each.fulfillment_orders for each in orders],
        "stock": [row[:6] for row in store.audit("stock")],
        "lines excluded": list(store.audit("line_exclusion")),
        "items excluded": list(store.audit("item_exclusion")),
    }


class NewsPromises(KitSuite):
    """`Store.record`."""

    def work_of(self, kit: StoreKit, external_id: str = "1", **lines: int) -> str:
        """An order's work at the east node, handed over; its name. Ten are on each shelf."""
        for sku in lines:
            if not any(kit.shelf(sku, "east")):
                kit.count(sku, "east", 10)
        order_id = kit.take_in(order_of(external_id, **lines))
        kit.route(order_id, "east")
        (name,) = kit.hand_over()
        return name

    def order_id(self, name: str) -> int:
        """The order that work belongs to."""
        return int(name.partition("-")[0])

    # --- shipping --------------------------------------------------------------------------------

    def test_lines_of_no_units_stay_behind(self) -> None:
        with self.kit() as kit:
            for sku in ("bolt", "nut"):
                kit.count(sku, "east", 9)
            order_id = kit.take_in(order_of(bolt=4, nut=2))
            kit.route(order_id, "east")
            (name,) = kit.hand_over()
            boxes = (Package("A", (("bolt", 3), ("nut", 0))), Package("B", (("nut", 0),)))
            told = (("bolt", 3), ("nut", 0))
            kit.hear(name, "partially_shipped", *told, packages=boxes, minutes=1)
            assert kit.lines(order_id) == [(0, 1, 3, 0), (0, 2, 0, 0)]
            (work,) = kit.store.order(order_id).fulfillment_orders
            assert [box.id for box in work.packages] == ["A"]
            nothing = (("bolt", 0), ("nut", 0))
            raises(PayloadError, kit.hear, name, "shipped", *nothing, minutes=2)
            assert kit.lines(order_id) == [(0, 1, 3, 0), (0, 2, 0, 0)]

    def test_boxes_leave_one_after_the_other_and_are_shown(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            kit.hear(name, "accepted", reference="P-7", vendor_status="ACK")
            first = Package("box-1", (("bolt", 3),), "ups", "1Z")
            kit.hear(name, "shipped", packages=(first,), minutes=1)
            (work,) = kit.store.order(self.order_id(name)).fulfillment_orders
            assert (work.status, work.reference, work.vendor_status) == (
                "partially_shipped", "P-7", "ACK",
            )  # fmt: skip
            assert work.handed_over
            assert work.lines == (("L-bolt", "bolt", 1),)
            assert [(box.id, box.tracking, box.status) for box in work.packages] == [
                ("box-1", "1Z", "shipped")
            ]
            kit.hear(name, "shipped", packages=(Package("box-2"),), minutes=2)
            assert kit.lines(self.order_id(name)) == [(0, 0, 4, 0)]
            assert kit.shelf("bolt", "east") == (6, 0, 0)
            assert kit.work(self.order_id(name)) == [(name, "shipped")]

    def test_a_box_ships_its_units_once_whatever_is_told_of_it_later(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            for minute, tracking in enumerate(("", "1Z", "2Z")):
                box = Package("box", (("L-bolt", 3),), tracking=tracking)
                kit.hear(name, "partially_shipped", packages=(box,), minutes=minute)
            assert kit.lines(self.order_id(name)) == [(0, 1, 3, 0)]
            (work,) = kit.store.order(self.order_id(name)).fulfillment_orders
            assert work.packages[0].tracking == "2Z"

    def test_work_is_delivered_when_all_its_boxes_are(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            order_id = self.order_id(name)
            boxes = tuple(Package(f"box-{n}", (("bolt", 2),)) for n in range(2))
            kit.hear(name, "shipped", packages=boxes)
            kit.hear(name, "delivered", packages=(Package("box-1"),), minutes=1)
            assert kit.work(order_id) == [(name, "shipped")]
            kit.hear(name, "delivered", packages=(Package("box-0"),), minutes=2)
            assert kit.work(order_id) == [(name, "delivered")]

    def test_delivered_before_anything_else_means_that_all_has_left(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            kit.hear(name, "delivered", minutes=5)
            kit.hear(name, "shipped", packages=(Package("box", (("bolt", 4),)),), minutes=2)
            assert kit.lines(self.order_id(name)) == [(0, 0, 4, 0)]
            assert kit.work(self.order_id(name)) == [(name, "delivered")]
            assert kit.shelf("bolt", "east") == (6, 0, 0)

    def test_a_late_word_of_less_changes_nothing_and_is_kept(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=1)
            kit.hear(name, "shipped", minutes=2)
            before = state_of(kit)
            assert kit.hear(name, "accepted", minutes=1).outcome == "stale"
            assert state_of(kit) == before
            kinds = [event.kind for event in kit.store.events(order_id=self.order_id(name))]
            assert kinds[-1] == "fulfillment.accepted"

    def test_a_word_from_a_far_future_is_refused(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=1)
            ahead = Notice(name, "accepted", START + timedelta(days=2))
            raises(PayloadError, kit.store.record, ahead, now=NOW)
            astray = Notice(name, "accepted", START + timedelta(hours=2))
            assert kit.store.record(astray, now=NOW).outcome == "recorded"

    def test_an_exception_stands_until_later_news(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=1)
            order_id = self.order_id(name)
            kit.hear(name, "exception", minutes=2, detail="the address is odd")
            assert kit.work(order_id) == [(name, "exception")]
            kit.hear(name, "in_progress", minutes=1)
            assert kit.work(order_id) == [(name, "exception")]
            kit.hear(name, "in_progress", minutes=3)
            assert kit.work(order_id) == [(name, "in_progress")]

    def test_a_count_that_has_seen_goods_gone_is_not_told_of_them_again(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            kit.count("bolt", "east", 6, minutes=10)
            kit.hear(name, "shipped", minutes=5)
            assert kit.shelf("bolt", "east") == (6, 0, 0)

    # --- rejection -------------------------------------------------------------------------------

    def test_what_is_not_found_is_blocked_and_the_node_not_asked_again(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4, nut=2)
            until = NOW + 60 * MINUTE
            kit.hear(
                name, "rejected", ("bolt", 1), reason="not_found", exclude_until=until, minutes=1
            )
            assert kit.shelf("bolt", "east") == (10, 3, 1)
            assert kit.work(self.order_id(name)) == [(name, "accepted")]
            (found,) = kit.store.open_orders(now=NOW + MINUTE, limit=9)
            assert (found.open, found.rejections) == ((1, 0), 1)
            assert found.excluded == ((0, kit.node["east"], "not_found"),)
            other = kit.take_in(order_of("2", bolt=1))
            (fresh,) = kit.store.open_orders(now=NOW, limit=1, order_ids=[other])
            assert (fresh.excluded, fresh.rejections) == ((), 0)
            assert fresh.avoided == ((0, kit.node["east"], "not_found"),)
            (later,) = kit.store.open_orders(now=until, limit=1, order_ids=[other])
            assert later.avoided == ()
            kit.hear(name, "shipped", minutes=2)
            assert kit.lines(self.order_id(name)) == [(1, 0, 3, 0), (0, 0, 2, 0)]
            assert kit.work(self.order_id(name)) == [(name, "shipped")]

    def test_a_router_sees_which_nodes_an_order_is_shipped_from_already(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4, nut=2)
            order_id = self.order_id(name)
            fresh = kit.open(kit.take_in(order_of("2", bolt=1)))
            assert (fresh.placed, fresh.used) == ((), ())
            kit.hear(name, "rejected", ("bolt", 1), reason="not_found", minutes=1)
            found = kit.open(order_id)
            assert (found.open, found.placed) == ((1, 0), (3, 2))
            assert found.used == (kit.node["east"],)
            kit.hear(name, "shipped", minutes=2)
            assert kit.open(order_id)[-2:] == ((3, 2), (kit.node["east"],))
            (facts,) = [each for each in kit.store.facts(OrderFilter(), limit=9) if each.nodes]
            assert (facts.order_id, facts.nodes) == (order_id, 1)

    def test_a_node_that_gave_everything_back_does_not_count(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            kit.hear(name, "rejected", reason="closed", minutes=1)
            found = kit.open(self.order_id(name))
            assert (found.placed, found.used) == ((), ())

    def test_other_reasons_free_the_units(self) -> None:
        with self.kit() as kit:
            for reason in ("no_capacity", "closed", "other", ""):
                name = self.work_of(kit, reason, bolt=4)
                kit.hear(name, "rejected", reason=reason)
                assert kit.shelf("bolt", "east") == (10, 0, 0)
                assert kit.lines(self.order_id(name)) == [(4, 0, 0, 0)]
                assert kit.work(self.order_id(name)) == [(name, "rejected")]

    def test_a_node_that_cancels_by_itself_is_not_asked_again(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4, nut=2)
            until, east = NOW + 60 * MINUTE, kit.node["east"]
            kit.hear(name, "cancelled", ("bolt", 1), exclude_until=until, minutes=1)
            (found,) = kit.store.open_orders(now=NOW + MINUTE, limit=9)
            assert (found.open, found.rejections) == ((1, 0), 1)
            assert found.excluded == ((0, east, "other"),)
            kit.hear(name, "cancelled", exclude_until=until, minutes=2)
            (found,) = kit.store.open_orders(now=NOW + 2 * MINUTE, limit=9)
            assert found.excluded == ((0, east, "other"), (1, east, "other"))
            assert kit.work(self.order_id(name)) == [(name, "cancelled")]
            assert kit.shelf("bolt", "east") == (10, 0, 0)
            other = kit.take_in(order_of("2", bolt=1))
            (fresh,) = kit.store.open_orders(now=NOW, limit=1, order_ids=[other])
            assert fresh.avoided == ((0, east, "other"),)

    def test_a_node_that_cancels_what_it_did_not_find_blocks_it(self) -> None:
        with self.kit() as kit:
            kit.hear(self.work_of(kit, bolt=4), "cancelled", reason="not_found")
            assert kit.shelf("bolt", "east") == (10, 0, 4)

    def test_a_node_that_stops_when_it_is_asked_to_may_be_asked_again(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            order_id = self.order_id(name)
            kit.take_in(order_of(revision=2, bolt=3))  # The node is asked to stop.
            assert kit.work(order_id) == [(name, "cancel_requested")]
            kit.hear(name, "in_progress", minutes=1)
            for minutes in (2, 3):  # It may say so twice.
                until = NOW + 60 * MINUTE
                kit.hear(name, "cancelled", exclude_until=until, minutes=minutes)
                (found,) = kit.store.open_orders(now=NOW + 3 * MINUTE, limit=9)
                assert (found.open, found.excluded, found.avoided) == ((3,), (), ())
                assert kit.work(order_id) == [(name, "cancelled")]

    def test_people_who_asked_a_node_to_stop_may_say_so_late(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 10)
            for statuses in permutations(("cancel_requested", "cancelled")):
                order_id = kit.take_in(order_of(statuses[0], bolt=4))
                kit.route(order_id, "east", release=())  # It has no connector.
                ((name, _),) = kit.work(order_id)
                for status in statuses:
                    minutes = 1 if status == "cancel_requested" else 2
                    kit.hear(name, status, exclude_until=NOW + MINUTE * 60, minutes=minutes)
                found = state_of(kit)
                assert (found["lines excluded"], found["items excluded"]) == ([], [])
                assert kit.lines(order_id) == [(4, 0, 0, 0)]
                assert kit.work(order_id) == [(name, "cancelled")]

    def test_a_rejection_that_a_count_has_seen_blocks_nothing(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            kit.count("bolt", "east", 9, minutes=10)
            kit.hear(name, "rejected", reason="damaged", minutes=5)
            assert kit.shelf("bolt", "east") == (9, 0, 0)

    # --- what should not happen, and does --------------------------------------------------------

    def test_goods_that_left_after_they_were_rejected_are_taken_from_who_has_not_begun(
        self,
    ) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            order_id = self.order_id(name)
            kit.hear(name, "rejected", reason="closed", exclude_until=NOW + MINUTE)
            kit.count("bolt", "west", 9)
            kit.route(order_id, "west")
            kit.hear(name, "shipped", minutes=1)
            assert kit.lines(order_id) == [(0, 0, 4, 0)]
            assert kit.shelf("bolt", "east") == (6, 0, 0)
            assert kit.shelf("bolt", "west") == (9, 0, 0)
            assert kit.hand_over() == []
            assert [status for _, status in kit.work(order_id)] == ["shipped", "cancelled"]
            last = kit.store.events(order_id=order_id)[-2]
            assert last.kind == "fulfillment.exception"
            assert last.body["lines"] == [["L-bolt", "shipped", 4]]
            assert state_of(kit)["lines excluded"] == []

    def test_who_has_begun_is_asked_to_stop_and_may_ship_all_the_same(self) -> None:
        with self.kit() as kit:
            for answer in ("cancelled", "shipped"):
                name = self.work_of(kit, answer, bolt=4)
                order_id = self.order_id(name)
                kit.hear(name, "rejected", reason="closed")
                kit.count("bolt", "west", 9)
                kit.route(order_id, "west")
                (other,) = kit.hand_over()
                kit.hear(name, "shipped", minutes=1)
                assert kit.lines(order_id) == [(0, 4, 4, 0)]
                assert kit.work(order_id)[1] == (other, "cancel_requested")
                kit.hear(other, answer, minutes=2)
                both = 8 if answer == "shipped" else 4
                assert kit.lines(order_id) == [(0, 0, both, 0)]

    def test_goods_that_left_after_the_order_was_cancelled_have_left(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            order_id = self.order_id(name)
            kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
            kit.hear(name, "cancelled")
            assert kit.lines(order_id) == [(0, 0, 0, 4)]
            kit.hear(name, "shipped", ("bolt", 3), minutes=1)
            assert kit.lines(order_id) == [(0, 0, 3, 1)]
            assert kit.shelf("bolt", "east") == (7, 0, 0)

    def test_goods_that_left_and_were_promised_to_others_are_a_shortfall(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 4)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            (name,) = kit.hand_over()
            kit.hear(name, "rejected", reason="no_capacity")
            other = kit.take_in(order_of("2", bolt=3))
            kit.route(other, "east")
            kit.hear(name, "shipped", minutes=1)
            assert kit.lines(other) == [(3, 0, 0, 0)]
            assert kit.shelf("bolt", "east") == (0, 0, 0)
            assert "stock.shortfall" in [event.kind for event in kit.store.events()]

    def test_goods_that_left_twice_never_make_the_books_negative(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 4)
            order_id = kit.take_in(order_of(bolt=4))
            kit.route(order_id, "east")
            (name,) = kit.hand_over()
            kit.hear(name, "rejected", reason="no_capacity")
            other = kit.take_in(order_of("2", bolt=3))
            kit.route(other, "east")
            kit.hand_over()
            kit.hear(name, "shipped", minutes=1)
            assert kit.lines(other) == [(0, 3, 0, 0)]
            assert kit.shelf("bolt", "east") == (3, 3, 0)

    # --- what is refused -------------------------------------------------------------------------

    def test_news_that_cannot_be_meant_is_refused_and_changes_nothing(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            before = (state_of(kit), kit.store.events())
            bad: list[tuple[Any, ...]] = [
                ("vanished", {}),
                ("rejected", {"reason": "bored"}),
                ("shipped", {"lines": (("saw", 1),)}),
                ("shipped", {"lines": (("bolt", 0),)}),
                ("shipped", {"lines": (("bolt", "1"),)}),
                ("shipped", {"packages": (Package(""),)}),
                ("shipped", {"packages": (Package("a"), Package("a"))}),
                ("shipped", {"packages": (Package("a", status="lost"),)}),
                ("accepted", {"packages": (Package("a"),)}),
                ("shipped", {"detail": "x" * 100_000}),
                ("shipped", {"at": START.replace(tzinfo=None)}),
                (7, {}),
            ]
            for status, more in bad:
                notice = Notice(name, status, **{"at": START, **more})
                raises(PayloadError, kit.store.record, notice, now=NOW)
            for lines in ((("bolt", 5),), (("bolt", 3), ("L-bolt", 3))):
                for status in ("shipped", "rejected", "delivered"):
                    notice = Notice(name, status, START, lines)
                    raises(ConflictError, kit.store.record, notice, now=NOW)
            assert (state_of(kit), kit.store.events()) == before

    def test_news_is_told_twice_by_its_key_or_by_its_content(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            for outcome in ("recorded", "duplicate"):
                assert kit.hear(name, "shipped", ("bolt", 1)).outcome == outcome
            assert kit.hear(name, "shipped", ("bolt", 1), key="k").outcome == "recorded"
            raises(ConflictError, kit.hear, name, "shipped", ("bolt", 2), key="k")
            assert kit.lines(self.order_id(name)) == [(0, 2, 2, 0)]

    def test_a_node_is_asked_to_stop_once(self) -> None:
        with self.kit() as kit:
            name = self.work_of(kit, bolt=4)
            for revision, units in ((2, 3), (3, 2)):
                kit.take_in(order_of(revision=revision, bolt=units))
                kit.hear(name, "in_progress", minutes=revision)
            rows = [row for row in kit.store.audit("outbox") if row[1] == "cancel"]
            assert len(rows) == 1
            command = AmendOrder("main", "web", "1", "edit", 4, (("L-bolt", 1),))
            kit.store.amend(command, now=NOW)
            rows = [row for row in kit.store.audit("outbox") if row[1] == "cancel"]
            assert len(rows) == 1

    def test_an_item_stays_excluded_while_another_order_has_been_rejected_for_it(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 50)
            names = []
            for external_id in "12":
                kit.route(kit.take_in(order_of(external_id, bolt=2)), "east")
                names += kit.hand_over()
            until = NOW + 60 * MINUTE
            for minute, name in enumerate(names, 1):
                kit.hear(name, "rejected", reason="closed", minutes=minute, exclude_until=until)
            told = {"exclude_until": until + 10 * MINUTE}
            kit.hear(names[0], "shipped", minutes=10, **told)
            assert [row[:2] for row in kit.store.audit("item_exclusion")] == [
                (kit.item["bolt"], kit.node["east"])
            ]
            kit.hear(names[1], "shipped", minutes=11, **told)
            assert list(kit.store.audit("item_exclusion")) == []

    def test_an_old_rejection_of_another_order_does_not_keep_an_item_excluded(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 50)
            names = []
            for external_id in "12":
                kit.route(kit.take_in(order_of(external_id, bolt=2)), "east")
                names += kit.hand_over()
            for name, minute in zip(names, (1, 200), strict=True):
                until = NOW + (minute + 60) * MINUTE
                kit.hear(name, "rejected", reason="closed", minutes=minute, exclude_until=until)
            kit.hear(names[1], "shipped", minutes=201, exclude_until=NOW + 261 * MINUTE)
            assert list(kit.store.audit("item_exclusion")) == []

    def test_a_node_that_ships_after_all_stays_excluded_for_what_else_it_has_rejected(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 50)
            order_id = kit.take_in(order_of(bolt=3))
            for units in (1, 2):
                kit.store.commit([kit.decide(order_id, "east", units=units)])
            first, second = (name for name, _ in kit.work(order_id))
            kit.hear(first, "rejected", reason="damaged", minutes=2)
            kit.hear(second, "rejected", reason="closed", minutes=1)
            kit.hear(first, "shipped", minutes=3)
            assert kit.open(order_id).excluded == ((0, kit.node["east"], "closed"),)
            kit.hear(second, "shipped", minutes=4)
            assert list(kit.store.audit("line_exclusion")) == []

    # --- any order -------------------------------------------------------------------------------

    def test_any_order_of_a_short_pick_and_its_boxes_ends_alike(self) -> None:
        news = (
            ("rejected", (("nut", 1),), {"reason": "damaged"}),
            ("partially_shipped", (), {"packages": (Package("a", (("bolt", 3),)),)}),
            ("delivered", (), {"packages": (Package("a", tracking="1Z"),)}),
            ("shipped", (), {"reference": "R"}),
        )
        with self.kit() as kit:
            ends = []
            kit.count("bolt", "east", 500)
            kit.count("nut", "east", 500)
            for order in permutations(range(len(news))):
                name = self.work_of(kit, repr(order), bolt=4, nut=2)
                for place in order:
                    status, lines, more = news[place]
                    kit.hear(name, status, *lines, **more, minutes=place + 1)
                found = kit.store.order(self.order_id(name))
                (work,) = found.fulfillment_orders
                excluded = [row[1:] for row in kit.store.audit("line_exclusion")][-1]
                ends.append((found.lines, work.status, work.reference, work.packages, excluded))
            assert all(end == ends[0] for end in ends)
            assert ends[0][:2] == (((0, 0, 4, 0), (1, 0, 1, 0)), "delivered")
