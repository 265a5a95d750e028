"""Promises about news of stock: every combination, blocked units, and that units are conserved."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any, Final

from domcore.errors import PayloadError
from domcore.model import Notice, ObserveStock, StockCount
from domcore.store.protocol import Store
from domcore.testing.store_suite.kit import (
    MINUTE,
    NOW,
    START,
    KitSuite,
    StoreKit,
    order_of,
    raises,
)

LATER: Final = 60 * MINUTE


Place = tuple[str, str]
"""A SKU and a node."""

EAST: Final[Place] = ("bolt", "east")


def tell(
    kit: StoreKit, place: Place = EAST, *, minutes: int | None = None, key: str = "", **told: Any
) -> str:
    """News of a shelf, as of so many minutes after `START`; the outcome's word."""
    as_of = None if minutes is None else START + timedelta(minutes=minutes)
    command = ObserveStock("main", (StockCount(*place, as_of=as_of, **told),), key)
    return kit.store.observe_stock(command, now=NOW + LATER).outcome


def shelf(kit: StoreKit, place: Place = EAST) -> tuple[int, int, int, int]:
    """On hand, reserved, blocked, safety of a shelf."""
    sku, node = place
    for row in kit.store.stock_of([kit.item[sku]]):
        if row.node_id == kit.node[node]:
            return row.on_hand, row.reserved, row.blocked, row.safety
    return 0, 0, 0, 0


def promised(kit: StoreKit, place: Place, units: int) -> int:
    """An order whose work the node has in hand; its id."""
    sku, node = place
    order_id = kit.take_in(order_of(f"{sku}-{node}-{units}", **{sku: units}))
    kit.route(order_id, node)
    kit.hand_over()
    return order_id


def ship(kit: StoreKit, order_id: int, minutes: int, units: int = 0) -> None:
    """The node says that it has shipped so many units (0: all) so many minutes after `START`."""
    view = kit.store.order(order_id)
    lines = ((view.order.lines[0].id, units),) if units else ()
    at = START + timedelta(minutes=minutes)
    notice = Notice(view.fulfillment_orders[0].id, "shipped", at, lines=lines)
    kit.store.record(notice, now=NOW + LATER)


def ledger_sums(store: Store) -> dict[tuple[int, int], tuple[int, ...]]:
    """On hand, reserved, blocked, safety of every balance by the ledger."""
    sums: dict[tuple[int, int], list[int]] = {}
    for row in store.audit("ledger"):
        total = sums.setdefault((row[1], row[2]), [0, 0, 0, 0])
        for place in range(4):
            total[place] += row[3 + place]
    return {key: tuple(total) for key, total in sums.items()}


def assert_conserved(store: Store) -> None:
    """Every balance is the sum of its ledger, and holds what it has promised."""
    sums = ledger_sums(store)
    for item_id, node_id, on_hand, reserved, blocked, safety, _ in store.audit("stock"):
        known = sums.get((item_id, node_id), (0, 0, 0, 0))
        assert known == (on_hand, reserved, blocked, safety)
        assert 0 <= reserved + blocked <= on_hand


def _places(kit: StoreKit) -> list[Place]:
    return [(sku, node) for sku in kit.item for node in kit.node]


def _live(kit: StoreKit, place: Place, random: Random) -> None:
    """Counts, deltas and a shipment of one shelf, each at a minute of its own, told in any order;
    there are always goods enough."""
    tell(kit, place, on_hand=100, minutes=0)
    units = random.randint(1, 5)
    order_id = promised(kit, place, units)
    minutes = random.sample(range(1, 50), 7)
    shipped, counts, deltas = minutes[0], sorted(minutes[1:4]), minutes[4:]
    counted = {at: random.randint(50, 100) for at in counts}
    moved = {at: random.randint(-4, 9) for at in deltas}
    steps = [
        ("ship", shipped),
        *(("count", at) for at in counts),
        *(("delta", at) for at in deltas),
    ]
    random.shuffle(steps)
    for step, at in steps:
        if step == "ship":
            ship(kit, order_id, at)
        elif step == "count":
            tell(kit, place, on_hand=counted[at], minutes=at)
        else:
            tell(kit, place, delta=moved[at], minutes=at, key=f"{place} {at}")
    last = counts[-1]
    expected = counted[last] + sum(amount for at, amount in moved.items() if at > last)
    assert shelf(kit, place) == (expected - units * (shipped > last), 0, 0, 0)


class StockPromises(KitSuite):
    """Counts, deltas, blocked units, safety stock."""

    def test_units_that_cannot_be_sold_are_told_with_a_count(self) -> None:
        with self.kit() as kit:
            assert tell(kit, on_hand=9, blocked=4) == "observed"
            assert shelf(kit) == (9, 0, 4, 0)
            tell(kit, on_hand=8, blocked=1)
            assert shelf(kit) == (8, 0, 1, 0)
            assert_conserved(kit.store)

    def test_a_count_without_a_word_on_them_has_found_none_blocked(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=9, blocked=4)
            tell(kit, on_hand=9)
            assert shelf(kit) == (9, 0, 0, 0)
            assert_conserved(kit.store)

    def test_blocked_units_alone_leave_what_is_on_hand(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=9)
            tell(kit, blocked=3)
            assert shelf(kit) == (9, 0, 3, 0)
            tell(kit, blocked=0)
            assert shelf(kit) == (9, 0, 0, 0)
            tell(kit, blocked=50)
            assert shelf(kit) == (9, 0, 9, 0)
            assert_conserved(kit.store)

    def test_a_delta_may_say_how_many_are_blocked_now(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=9, blocked=4)
            order_id = kit.take_in(order_of(bolt=5))
            kit.route(order_id, "east")
            tell(kit, delta=-4, blocked=0)
            assert shelf(kit) == (5, 5, 0, 0)
            assert kit.lines(order_id) == [(0, 5, 0, 0)]
            tell(kit, delta=3, blocked=2)
            assert shelf(kit) == (8, 5, 2, 0)
            assert_conserved(kit.store)

    def test_safety_stock_may_be_told_alone(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=9)
            assert tell(kit, safety=2) == "observed"
            assert shelf(kit) == (9, 0, 0, 2)
            tell(kit, safety=0, blocked=1)
            assert shelf(kit) == (9, 0, 1, 0)
            assert_conserved(kit.store)

    def test_news_of_nothing_or_of_too_much_at_once_is_refused(self) -> None:
        with self.kit() as kit:
            bad = (
                StockCount("bolt", "east"),
                StockCount("bolt", "east", on_hand=1, delta=1, blocked=0),
                StockCount("bolt", "east", on_hand=3, blocked=4),
                StockCount("bolt", "east", blocked=-1),
                StockCount("bolt", "east", blocked=True),
                StockCount("bolt", "east", safety=10**9 + 1),
            )
            error = raises(
                PayloadError, kit.store.observe_stock, ObserveStock("main", bad), now=NOW
            )
            assert isinstance(error, PayloadError)
            assert [problem.path for problem in error.problems] == [
                "$.counts[0]",
                "$.counts[1]",
                "$.counts[2].blocked",
                "$.counts[3].blocked",
                "$.counts[4].blocked",
                "$.counts[5].safety",
            ]
            assert kit.store.stock_cursor() == 0

    def test_orders_give_way_to_blocked_units_unless_they_are_handed_over(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=5)
            first, second = kit.take_in(order_of("1", bolt=2)), kit.take_in(order_of("2", bolt=2))
            kit.route(first, "east")
            kit.hand_over()
            kit.route(second, "east")
            tell(kit, blocked=4)
            assert shelf(kit) == (5, 2, 3, 0)
            assert kit.lines(first) == [(0, 2, 0, 0)]
            assert kit.lines(second) == [(2, 0, 0, 0)]
            (event,) = [each for each in kit.store.events() if each.kind == "stock.shortfall"]
            assert event.body["units"] == 3
            assert event.body["freed"] == 2
            assert (event.body["sku"], event.body["node"]) == ("bolt", "east")
            assert_conserved(kit.store)

    def test_what_a_count_found_missing_stays_gone_when_the_work_ends(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=5)
            order_id = promised(kit, EAST, 5)
            tell(kit, on_hand=1)
            assert shelf(kit) == (5, 5, 0, 0)
            kit.hear(kit.work(order_id)[0][0], "rejected", ("L-bolt", 3), reason="closed")
            assert shelf(kit) == (2, 2, 0, 0)
            kit.hear(kit.work(order_id)[0][0], "cancelled")
            assert shelf(kit) == (1, 0, 0, 0)
            assert list(kit.store.audit("shortfall")) == []
            assert_conserved(kit.store)

    def test_units_called_unsellable_while_they_are_promised_are_blocked_afterwards(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=5)
            order_id = promised(kit, EAST, 5)
            tell(kit, blocked=3)
            assert shelf(kit) == (5, 5, 0, 0)
            kit.hear(kit.work(order_id)[0][0], "cancelled")
            assert shelf(kit) == (5, 0, 3, 0)
            assert_conserved(kit.store)

    def test_goods_that_come_are_first_what_was_missing(self) -> None:
        with self.kit() as kit:
            tell(kit, on_hand=5)
            promised(kit, EAST, 5)
            tell(kit, delta=-3)
            tell(kit, delta=4)
            assert shelf(kit) == (6, 5, 0, 0)
            assert_conserved(kit.store)

    def test_one_command_may_speak_of_a_shelf_twice(self) -> None:
        with self.kit() as kit:
            counts = (
                StockCount("bolt", "east", delta=2, as_of=START + timedelta(minutes=9)),
                StockCount("bolt", "east", on_hand=5, as_of=START + timedelta(minutes=5)),
                StockCount("bolt", "east", delta=1, as_of=START + timedelta(minutes=3)),
            )
            kit.store.observe_stock(ObserveStock("main", counts), now=NOW + LATER)
            assert shelf(kit) == (7, 0, 0, 0)
            assert_conserved(kit.store)

    def test_what_the_books_could_not_follow_still_moved(self) -> None:
        with self.kit() as kit:
            tell(kit, delta=-2, minutes=30)
            assert shelf(kit) == (0, 0, 0, 0)
            tell(kit, on_hand=5, minutes=10)
            assert shelf(kit) == (3, 0, 0, 0)
            assert_conserved(kit.store)

    def test_a_count_a_shipment_and_a_delta_end_alike_in_any_order(self) -> None:
        """They happened at 10, 20 and 30 minutes, on shelves of 20 counted at 0."""
        with self.kit() as kit:
            ends = set()
            for place, order in zip(_places(kit), permutations(range(3)), strict=False):
                tell(kit, place, on_hand=20, minutes=0)
                order_id = promised(kit, place, 3)
                for step in order:
                    if step == 0:
                        tell(kit, place, on_hand=18, minutes=10)
                    elif step == 1:
                        ship(kit, order_id, 20)
                    else:
                        tell(kit, place, delta=4, minutes=30, key=f"{place}")
                ends.add(shelf(kit, place))
            assert ends == {(19, 0, 0, 0)}
            assert_conserved(kit.store)

    def test_units_are_conserved_whatever_comes_in_whatever_order(self) -> None:
        """What is on a shelf at the end is the last count and what moved after it."""
        with self.kit() as kit:
            for seed, place in enumerate(_places(kit)):
                _live(kit, place, Random(seed))
            assert_conserved(kit.store)

    def test_a_key_makes_every_kind_of_news_safe_to_repeat(self) -> None:
        with self.kit() as kit:
            news: list[dict[str, Any]] = [
                {"delta": 7}, {"delta": -2, "blocked": 1}, {"safety": 3}, {"on_hand": 9},
            ]  # fmt: skip
            for number, told in enumerate(news):
                assert tell(kit, key=f"k{number}", **told) == "observed"
            assert shelf(kit) == (9, 0, 0, 3)
            tell(kit, delta=-4)
            assert tell(kit, key="k3", on_hand=9) == "duplicate"
            assert tell(kit, key="k0", delta=7) == "duplicate"
            assert shelf(kit) == (5, 0, 0, 3)

    def test_changes_come_in_words_and_in_parts(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            kit.count("nut", "west", 2, safety=1)
            cursor, first = kit.store.stock_changes(0, limit=1)
            assert [(view.sku, view.node, view.on_hand) for view in first] == [("bolt", "east", 5)]
            seen = []
            while True:
                last, views = kit.store.stock_changes(cursor, limit=1)
                seen += [(view.owner, view.sku, view.safety) for view in views]
                if last == cursor:
                    break
                cursor = last
            assert set(seen) == {("main", "nut", 1)}
            assert cursor == kit.store.stock_cursor()
