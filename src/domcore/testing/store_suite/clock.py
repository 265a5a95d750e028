"""Promises about what is due later than any wait explains: a clock was wrong, or is wrong now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domcore.model import AuthorizeReturn, Notice, ObserveStock, ReceiveReturn, StockCount
from domcore.store.protocol import Straggler
from domcore.testing.store_suite.kit import MINUTE, NOW, START, KitSuite, StoreKit, order_of

HOUR = 3600 * 1_000_000
DAY = 24 * HOUR
BACK = NOW - HOUR
"""The clock has been set back by an hour."""


def released(kit: StoreKit, external_id: str = "1") -> int:
    """An order whose node is to be told."""
    kit.count("bolt", "east", 50)
    order_id = kit.take_in(order_of(external_id, bolt=1))
    kit.route(order_id, "east")
    return order_id


def counted(kit: StoreKit, now: int, **told: Any) -> bool:
    """Whether a count or delta of bolts in the east is applied."""
    count = StockCount("bolt", "east", **told)
    outcome = kit.store.observe_stock(ObserveStock("main", (count,)), now=now)
    return outcome.detail.startswith("1 applied")


def told(kit: StoreKit) -> list[dict[str, object]]:
    """What was said of the clock."""
    events = [each for each in kit.store.events() if each.kind == "work.rescheduled"]
    return [{k: v for k, v in each.body.items() if k != "format"} for each in events]


class ClockPromises(KitSuite):
    """Part of `StoreSuite`."""

    def test_where_the_clock_is_right_nothing_is_moved(self) -> None:
        with self.kit() as kit:
            released(kit)
            for now in (NOW, NOW + DAY, NOW - 30_000_000):
                written = kit.store.writes()
                assert kit.store.reschedule(now=now, latest=now + DAY) is None
                assert kit.store.writes() == written, "it was only looked"
            assert told(kit) == []

    def test_what_waits_for_a_clock_that_was_set_back_waits_no_longer_than_before(self) -> None:
        with self.kit() as kit:
            released(kit)
            open_id = kit.take_in(order_of("2", bolt=1))
            task = kit.store.lease_task("poll:x", now=NOW, until=NOW + 10)
            assert task is not None
            kit.store.settle_task(task, now=NOW, due_at=NOW + 60, cursor="p")
            behind = kit.store.reschedule(now=BACK, latest=BACK + DAY)
            assert behind is not None
            assert (behind.newest, behind.behind) == (NOW, HOUR)
            assert kit.store.lease_due("release", now=BACK, until=BACK + 9, limit=9)
            due = kit.store.open_orders(now=BACK, limit=9)
            assert [each.order_id for each in due] == [open_id]
            assert kit.store.lease_task("poll:x", now=BACK + 59, until=BACK + 99) is None
            again = kit.store.lease_task("poll:x", now=BACK + 60, until=BACK + 99)
            assert again is not None
            assert (again.cursor, again.well_at) == ("p", BACK)

    def test_it_is_moved_once_and_told_once(self) -> None:
        with self.kit() as kit:
            released(kit)
            (entry,) = kit.store.lease_due("release", now=NOW, until=NOW + 50, limit=9)
            kit.store.settle(entry.entry, now=NOW, retry_at=NOW + HOUR, attempt=1)
            assert kit.store.reschedule(now=BACK, latest=BACK + DAY) is not None
            assert kit.store.reschedule(now=BACK + 1, latest=BACK + DAY) is None
            assert kit.store.lease_due("release", now=NOW - 1, until=NOW, limit=9) == []
            assert kit.store.lease_due("release", now=NOW, until=NOW + 1, limit=9)
            (once,) = told(kit)
            assert (once["behind_seconds"], once["work"]) == (3600, 1)

    def test_what_is_due_in_the_far_future_is_due_now(self) -> None:
        with self.kit() as kit:
            released(kit)
            (entry,) = kit.store.lease_due("release", now=NOW, until=NOW + 50, limit=9)
            kit.store.settle(entry.entry, now=NOW, retry_at=NOW + 9 * DAY, attempt=1)
            task = kit.store.lease_task("pull:x", now=NOW, until=NOW + 10)
            assert task is not None
            kit.store.settle_task(task, now=NOW, due_at=NOW + 9 * DAY)
            straggler = Straggler("plugin", 1, None, NOW + 9 * DAY, 1, None, "later")
            kit.store.advance_cursor("plugin", 1, stragglers=[straggler], now=NOW)
            moved = kit.store.reschedule(now=NOW, latest=NOW + DAY)
            assert moved is not None
            assert (moved.behind, moved.work, moved.tasks) == (0, 1, 1)
            assert kit.store.lease_due("release", now=NOW, until=NOW + 1, limit=9)
            assert kit.store.lease_task("pull:x", now=NOW, until=NOW + 1)
            assert [each.due_at for each in kit.store.stragglers("plugin")] == [NOW]
            assert kit.store.reschedule(now=NOW, latest=NOW + DAY) is None

    def test_carts_and_what_is_set_aside_stay_where_they_are(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 50)
            kit.take_in(order_of("cart", bolt=1), queue=False)
            released(kit)
            (entry,) = kit.store.lease_due("release", now=NOW, until=NOW + 50, limit=9)
            kit.store.park(entry.entry, now=NOW, note="given up")
            kit.store.reschedule(now=BACK, latest=BACK + DAY)
            assert len(kit.store.parked()) == 1
            assert kit.store.open_orders(now=NOW + DAY, limit=9) == []
            assert kit.store.lease_due("release", now=NOW + DAY, until=NOW + DAY, limit=9) == []

    def test_a_count_of_now_is_never_older_than_one_that_a_wrong_clock_dated(self) -> None:
        with self.kit() as kit:
            assert counted(kit, NOW + DAY, on_hand=9)
            assert counted(kit, NOW, on_hand=2)
            assert kit.shelf("bolt", "east") == (2, 0, 0)
            assert not counted(kit, NOW, on_hand=7, as_of=START - timedelta(minutes=1))
            assert counted(kit, NOW + MINUTE, on_hand=3)
            assert kit.shelf("bolt", "east") == (3, 0, 0)

    def test_what_moves_after_the_clock_is_right_again_is_not_in_a_count_from_before(self) -> None:
        with self.kit() as kit:
            counted(kit, NOW + DAY, on_hand=9)
            assert counted(kit, NOW, delta=-1)
            order_id = kit.take_in(order_of(bolt=3))
            kit.route(order_id, "east")
            (work,) = kit.store.order(order_id).fulfillment_orders
            kit.store.record(Notice(work.id, "shipped", START), now=NOW)
            assert kit.shelf("bolt", "east") == (5, 0, 0)
            lines = (("L-bolt", 2),)
            asked = AuthorizeReturn("main", "web", "1", return_id="R1", lines=lines, node="east")
            kit.store.authorize_return(asked, now=NOW)
            back = (("L-bolt", 2, "sellable"),)
            kit.store.receive_return(
                ReceiveReturn("main", "web", "1", return_id="R1", lines=back), now=NOW
            )
            assert kit.shelf("bolt", "east") == (7, 0, 0)

    def test_a_count_has_seen_what_a_wrong_clock_dated_after_it(self) -> None:
        with self.kit() as kit:
            counted(kit, NOW, on_hand=9)
            counted(kit, NOW + DAY, delta=-4)
            assert counted(kit, NOW + MINUTE, on_hand=5)
            assert kit.shelf("bolt", "east") == (5, 0, 0)
