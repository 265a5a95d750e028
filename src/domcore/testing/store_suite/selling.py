"""Promises about what channels are told of stock, and about days of cover."""

from __future__ import annotations

from domcore.model import Alias, Item
from domcore.store.protocol import CoverNote, Publication, Told
from domcore.store.values import UNSURE
from domcore.testing.store_suite.kit import NOW, KitSuite

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
