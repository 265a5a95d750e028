"""Promises about what channels are told of stock, and about days of cover."""

from __future__ import annotations

from domcore.model import Alias, CancelOrder, Item
from domcore.store.protocol import CoverNote, Publication, Told
from domcore.store.values import UNSURE
from domcore.testing.store_suite.kit import MINUTE, NOW, KitSuite, order_of

FIRST = Publication(1, 77)


class SellingPromises(KitSuite):
    """Publishing and cover."""

    def test_items_are_sellable_with_their_names_balances_and_what_was_told(self) -> None:
        with self.kit() as kit:
            aliases = [Alias("web", "b-2", "bolt"), Alias("web", "b-1", "bolt")]
            kit.store.save_items("main", (), [*aliases, Alias("eu", "x", "bolt")], now=NOW)
            kit.store.save_items("other", [Item("bolt")], now=NOW)
            kit.count("bolt", "east", 5)
            bolt, east = kit.item["bolt"], kit.node["east"]
            told = [Told(bolt, 0, None, 5), Told(bolt, east, None, 5)]
            kit.store.publish("web", told, before=Publication(), after=FIRST)
            page = kit.store.sellable("web", limit=9)
            assert [(each.owner, each.sku) for each in page] == [
                ("main", "bolt"), ("main", "nut"), ("main", "saw"), ("other", "bolt"),
            ]  # fmt: skip
            assert page[0].names == ("b-1", "b-2")
            assert page[0].balances == ((bolt, east, 5, 0, 0, 0),)
            assert page[0].told == ((0, "", 5), (east, "east", 5))
            assert kit.store.sellable("eu", limit=1)[0].names == ("x",)
            assert kit.store.sellable("eu", limit=1)[0].told == ()
            assert kit.store.sellable("web", after=bolt, limit=1)[0].sku == "nut"
            assert kit.store.publication("web") == FIRST
            assert kit.store.publication("eu") == Publication()

    def test_changes_are_found_by_item_and_in_parts(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            kit.count("bolt", "west", 5)
            kit.count("nut", "west", 2)
            cursor, first = kit.store.sellable_changes("web", 0, limit=2)
            assert [(each.sku, len(each.balances)) for each in first] == [("bolt", 2)]
            last, second = kit.store.sellable_changes("web", cursor, limit=2)
            assert [each.sku for each in second] == ["nut"]
            assert kit.store.sellable_changes("web", last, limit=2) == (last, [])

    def test_items_carry_what_is_waited_for_and_who_refuses_them(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            waiting = kit.take_in(order_of("1", bolt=2))
            assert kit.store.undecided(now=NOW) == {kit.item["bolt"]: 2}
            kit.route(waiting, "east", draws=(), reason="stock", retry_at=NOW + 60 * MINUTE)
            assert kit.store.undecided(now=NOW) == {}
            (bolt,) = kit.store.sellable_items("web", [kit.item["bolt"]])
            assert (bolt.waiting, bolt.excluded) == (2, ())
            bound = kit.take_in(order_of("2", bolt=1))
            kit.route(bound, "east")
            (key,) = kit.hand_over()
            kit.hear(key, "rejected", reason="closed", exclude_until=NOW + MINUTE)
            (bolt,) = kit.store.sellable_items("web", [kit.item["bolt"]])
            assert bolt.excluded == ((kit.node["east"], NOW + MINUTE),)

    def test_changes_of_what_may_be_sold_are_found_besides_those_of_stock(self) -> None:
        with self.kit() as kit:
            bolt, nut = kit.item["bolt"], kit.item["nut"]
            first = kit.take_in(order_of("1", bolt=2, nut=1))
            assert kit.store.offer_cursor() == 0
            kit.route(first, "east", draws=(), reason="stock", retry_at=NOW + 60 * MINUTE)
            second = kit.take_in(order_of("2", saw=1))
            kit.store.cancel(CancelOrder(*kit.store.order(second).order.key, 1), now=NOW)
            cursor, items = kit.store.offer_changes(0, limit=1)
            assert items == [bolt, nut]
            last, items = kit.store.offer_changes(cursor, limit=9)
            assert items == [kit.item["saw"]]
            assert last == kit.store.offer_cursor()
            assert kit.store.offer_changes(last, limit=9) == (last, [])
            kit.take_in(order_of("1", 2, bolt=2, nut=3))
            assert kit.store.offer_changes(last, limit=9)[1] == [bolt, nut]

    def test_a_refusal_ends_with_its_time_and_wakes_who_waits(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            bound = kit.take_in(order_of("1", bolt=1))
            kit.route(bound, "east")
            (key,) = kit.hand_over()
            kit.hear(key, "rejected", reason="closed", exclude_until=NOW + MINUTE)
            other = kit.take_in(order_of("2", bolt=1))
            kit.route(other, "east", draws=(), reason="rejected", retry_at=NOW + 60 * MINUTE)
            before = kit.store.offer_cursor()
            assert kit.store.lift_exclusions(now=NOW, limit=9) == 0
            due = kit.store.open_orders(now=NOW + MINUTE, limit=9)
            assert [each.order_id for each in due] == [bound]
            assert kit.store.lift_exclusions(now=NOW + MINUTE, limit=9) == 1
            assert kit.store.lift_exclusions(now=NOW + MINUTE, limit=9) == 0
            due = kit.store.open_orders(now=NOW + MINUTE, limit=9)
            assert [each.order_id for each in due] == [bound, other]
            assert kit.store.offer_changes(before, limit=9)[1] == [kit.item["bolt"]]

    def test_another_basis_wakes_all_that_wait_a_page_at_a_time(self) -> None:
        with self.kit() as kit:
            ids = [kit.take_in(order_of(str(at), bolt=1)) for at in range(5)]
            for order_id in ids:
                kit.route(order_id, "east", draws=(), reason="rules", retry_at=NOW + 60 * MINUTE)

            def wake(basis: int) -> int:
                return kit.store.wake_all(basis=basis, limit=2, now=NOW)

            assert [wake(7), wake(7)] == [0, 0]
            assert kit.store.open_orders(now=NOW, limit=9) == []
            assert wake(8) == 2
            due = kit.store.open_orders(now=NOW, limit=9)
            assert [each.order_id for each in due] == ids[:2]
            assert [wake(8), wake(8), wake(8), wake(8)] == [2, 1, 0, 0]
            assert len(kit.store.open_orders(now=NOW, limit=9)) == 5

    def test_what_two_have_told_at_once_is_unsure_and_compared_anew(self) -> None:
        with self.kit() as kit:
            bolt = kit.item["bolt"]
            kit.store.publish("web", [Told(bolt, 0, None, 5)], before=Publication(), after=FIRST)
            kit.store.publish("web", [Told(bolt, 0, None, 3)], before=FIRST, after=FIRST)
            assert kit.store.sellable("web", limit=1)[0].told == ((0, "", UNSURE),)
            assert kit.store.publication("web").basis == 0
            kit.store.publish("web", [Told(bolt, 0, UNSURE, None)], before=Publication(1, 0))
            assert kit.store.sellable("web", limit=1)[0].told == ()

    def test_a_new_name_has_the_channel_told_anew(self) -> None:
        with self.kit() as kit:
            kit.store.save_items("main", (), [Alias("web", "b", "bolt")], now=NOW)
            told = [Told(kit.item[sku], 0, None, 5) for sku in ("bolt", "nut", "saw")]
            kit.store.publish("web", told, before=Publication(), after=FIRST)
            kit.store.save_items("main", (), [Alias("web", "b", "bolt")], now=NOW)
            assert kit.store.publication("web") == FIRST
            kit.store.save_items("main", (), [Alias("web", "b", "nut")], now=NOW)
            assert kit.store.publication("web").basis == 0
            told_last = [each.told[0][2] for each in kit.store.sellable("web", limit=3)]
            assert told_last == [UNSURE, UNSURE, 5]
            kit.store.publish("web", (), before=FIRST, after=FIRST)
            assert kit.store.publication("web").basis == 0

    def test_a_balance_is_noted_once_for_each_change_of_its_cover(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            key = (kit.item["bolt"], kit.node["east"])
            assert not kit.store.has_cover()
            low = CoverNote(key, "low", {"sku": "bolt"})
            assert kit.store.note_cover([low], now=NOW) == 1
            assert kit.store.note_cover([low], now=NOW) == 0
            assert kit.store.has_cover()
            (row,) = kit.store.cover(since=NOW, limit=9)
            assert (row.key, row.sku, row.node, row.available) == (key, "bolt", "east", 5)
            assert (row.shipped, row.tried, row.counted, row.state) == (0, True, True, "low")
            assert kit.store.note_cover([low._replace(state="over")], now=NOW) == 1
            assert kit.store.note_cover([low._replace(state="steady")], now=NOW) == 1
            assert kit.store.note_cover([low._replace(state="steady")], now=NOW) == 0
            assert not kit.store.has_cover()
            kinds = [event.kind for event in kit.store.events()]
            assert kinds == ["stock.low", "stock.over", "stock.steady"]

    def test_balances_are_covered_page_by_page(self) -> None:
        with self.kit() as kit:
            for sku in kit.item:
                for node in kit.node:
                    kit.count(sku, node, 1, minutes=5)
            first = kit.store.cover(since=NOW, limit=4)
            second = kit.store.cover(since=NOW, after=first[-1].key, limit=9)
            keys = [row.key for row in (*first, *second)]
            assert keys == sorted(keys)
            assert len(keys) == 9
            assert not any(row.tried for row in first)
