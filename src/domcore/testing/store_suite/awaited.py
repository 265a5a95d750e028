"""Promises about lines whose item is not known, or called otherwise than it was."""

from __future__ import annotations

from attrs import evolve

from domcore.model import Alias, AmendOrder, CancelOrder, CaptureOrder, Hold, Item, Order
from domcore.store.protocol import Store
from domcore.testing.store_suite.kit import MINUTE, NOW, KitSuite, StoreKit, order_of


def _waits(store: Store) -> list[tuple[object, ...]]:
    return list(store.audit("awaited_item"))


def _due(store: Store, now: int = NOW + MINUTE) -> list[int]:
    return [order.order_id for order in store.open_orders(now=now, limit=9)]


def _called(order: Order, *names: str) -> Order:
    """The order with its lines called otherwise; their ids stay."""
    lines = tuple(evolve(line, sku=sku) for line, sku in zip(order.lines, names, strict=True))
    return evolve(order, lines=lines)


def _route_first_line(kit: StoreKit, order_id: int) -> None:
    commit = kit.decide(order_id, "east", reason="item")
    kit.store.commit([evolve(commit, draws=tuple(each for each in commit.draws if each.item_id))])


class AwaitedPromises(KitSuite):
    """Unknown names, items that come later, products that are renamed."""

    def test_a_line_of_an_unknown_item_is_kept_and_open(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=2, rare=3))
            assert kit.lines(order_id) == [(2, 0, 0, 0), (3, 0, 0, 0)]
            assert kit.open(order_id).item_ids == (kit.item["bolt"], 0)
            assert kit.store.order(order_id).order == order_of(bolt=2, rare=3)
            assert _waits(kit.store) == [(order_id, 1, "rare")]

    def test_the_outcome_and_the_event_name_what_is_not_known(self) -> None:
        with self.kit() as kit:
            (outcome,) = kit.store.capture([CaptureOrder(order_of(rare=3))], now=NOW)
            assert "'rare'" in outcome.detail
            (event,) = kit.store.events(order_id=outcome.order_id)
            assert event.body["unknown"] == [["L-rare", "rare"]]

    def test_the_other_lines_ship(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=2, rare=3))
            _route_first_line(kit, order_id)
            assert kit.lines(order_id) == [(0, 2, 0, 0), (3, 0, 0, 0)]
            kit.hear(f"{order_id}-1-east", "shipped")
            assert kit.lines(order_id) == [(0, 0, 2, 0), (3, 0, 0, 0)]
            assert _due(kit.store) == [], "nothing can be done before the item is there"

    def test_the_line_goes_on_when_its_item_is_saved(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=2, rare=3))
            _route_first_line(kit, order_id)
            kit.store.save_items("main", [Item("rare"), Item("other")], now=NOW + 1)
            assert _due(kit.store) == [order_id]
            assert _waits(kit.store) == []
            item_id = kit.store.items("main", ["rare"])["rare"].item_id
            assert kit.open(order_id).item_ids == (kit.item["bolt"], item_id)
            assert kit.lines(order_id) == [(0, 2, 0, 0), (3, 0, 0, 0)]
            kit.store.save_items("main", [Item("rare", weight=5)], now=NOW + 2)
            assert kit.store.order(order_id).order.revision == 2, "once"

    def test_the_line_goes_on_when_an_alias_is_saved(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=2, rare=3))
            kit.store.save_items("main", [], [Alias("shop", "rare", "saw")], now=NOW)
            assert kit.open(order_id).item_ids[1] == 0, "another channel's word for it"
            kit.store.save_items("main", [], [Alias("web", "rare", "saw")], now=NOW)
            assert kit.open(order_id).item_ids == (kit.item["bolt"], kit.item["saw"])
            view = kit.store.order(order_id)
            assert [line.sku for line in view.order.lines] == ["bolt", "saw"]
            assert [line.sku for line in kit.store.revision(order_id, 1).lines] == ["bolt", "rare"]

    def test_another_owners_item_is_none(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(rare=3))
            kit.store.save_items("other", [Item("rare")], now=NOW)
            assert kit.open(order_id).item_ids == (0,)

    def test_what_came_is_known_again_and_later_revisions_are_later(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(rare=3))
            kit.store.save_items("main", [Item("rare")], now=NOW)
            (again,) = kit.store.capture([CaptureOrder(order_of(rare=3))], now=NOW)
            assert again.outcome == "duplicate"
            (later,) = kit.store.capture([CaptureOrder(order_of(revision=2, rare=1))], now=NOW)
            assert later.outcome == "amended"
            assert kit.lines(order_id) == [(1, 0, 0, 0)]
            assert kit.store.order(order_id).order.revision > 2

    def test_what_was_approved_stays_approved(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(rare=3))
            found = kit.open(order_id)
            held = kit.decide(order_id, "east", holds=(Hold("fraud", "who?", "route"),))
            kit.store.commit([evolve(held, draws=(), version=found.version)])
            kit.store.approve(order_id, by="Grace", now=NOW)
            kit.store.save_items("main", [Item("rare")], now=NOW)
            assert kit.open(order_id).approved == ("fraud",)

    def test_an_edit_with_an_unknown_item_takes_off_what_it_takes_off(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=2))
            kit.route(order_id, "east")
            kit.take_in(order_of(revision=2, bolt=0, rare=1))
            assert kit.lines(order_id) == [(0, 0, 0, 0), (1, 0, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 0, 0)
            assert _waits(kit.store) == [(order_id, 1, "rare")]

    def test_a_line_that_is_not_wanted_any_more_waits_for_nothing(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(rare=3, odd=1))
            taken = AmendOrder("main", "web", "1", "refund", 2, (("L-odd", 1),))
            kit.store.amend(taken, now=NOW)
            assert _waits(kit.store) == [(order_id, 0, "rare")]
            kit.take_in(order_of(revision=3, bolt=1))
            assert _waits(kit.store) == []

    def test_a_line_may_learn_its_item_from_a_later_revision(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(rare=3))
            kit.take_in(_called(order_of(revision=2, rare=3), "odd"))
            assert _waits(kit.store) == [(order_id, 0, "odd")]
            kit.take_in(_called(order_of(revision=3, rare=2), "saw"))
            assert _waits(kit.store) == []
            assert kit.open(order_id).item_ids == (kit.item["saw"],)
            assert kit.lines(order_id) == [(2, 0, 0, 0)]

    def test_a_cancelled_order_takes_nothing_up(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(rare=3))
            kit.store.cancel(CancelOrder("main", "web", "1", 1), now=NOW)
            kit.store.save_items("main", [Item("rare")], now=NOW)
            assert kit.lines(order_id) == [(0, 0, 0, 3)]
            assert kit.store.order(order_id).order.revision == 1

    def test_a_known_line_keeps_the_item_it_was_captured_with(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=2, nut=1))
            kit.take_in(_called(order_of(revision=2, bolt=2, nut=1), "saw", "rare"))
            assert kit.open(order_id).item_ids == (kit.item["bolt"], kit.item["nut"])
            order = kit.store.order(order_id).order
            assert [line.sku for line in order.lines] == ["bolt", "nut"]
            assert _waits(kit.store) == []
            kept = [["L-bolt", "bolt", "saw"], ["L-nut", "nut", "rare"]]
            assert kit.store.events(order_id=order_id)[-1].body["kept"] == kept

    def test_a_rename_lets_no_goods_go(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=5))
            kit.route(order_id, "east")
            kit.take_in(_called(order_of(revision=2, bolt=5), "saw"))
            assert kit.shelf("bolt", "east") == (9, 5, 0)
            kit.take_in(_called(order_of(revision=3, bolt=3), ""))
            assert kit.lines(order_id) == [(0, 3, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 3, 0)

    def test_a_rename_stops_no_edit_of_what_is_handed_over(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            kit.count("nut", "east", 9)
            order_id = kit.take_in(order_of(bolt=2, nut=1))
            kit.route(order_id, "east")
            kit.hand_over()
            kit.take_in(_called(order_of(revision=2, bolt=2, nut=0), "saw", "nut"))
            assert [status for _, status in kit.work(order_id)] == ["cancel_requested"]

    def test_an_alias_that_means_another_item_now_changes_no_line(self) -> None:
        with self.kit() as kit:
            kit.store.save_items("main", [], [Alias("web", "gid/7", "bolt")], now=NOW)
            order_id = kit.take_in(_called(order_of(bolt=2), "gid/7"))
            kit.store.save_items("main", [], [Alias("web", "gid/7", "saw")], now=NOW)
            kit.take_in(_called(order_of(revision=2, bolt=1), "gid/7"))
            assert kit.open(order_id).item_ids == (kit.item["bolt"],)
