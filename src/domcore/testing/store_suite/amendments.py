"""Promises about what is told of an order: revisions, differences, cancellations, in any order."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, Final

from attrs import evolve

from domcore.errors import ConflictError, PayloadError
from domcore.model import AmendOrder, CancelOrder, CaptureOrder, Person
from domcore.testing.store_suite.histories import End, a_history, ends, rows, tell
from domcore.testing.store_suite.kit import NODES, NOW, KitSuite, StoreKit, order_of, raises

_MUCH: Final = 1000


def amendment(name: str, revision: int, /, external_id: str = "1", **lines: int) -> AmendOrder:
    """Take units off lines that are called ``L-sku``."""
    taken = tuple((f"L-{sku}", units) for sku, units in lines.items())
    return AmendOrder("main", "web", external_id, name, revision, taken)


class AmendmentPromises(KitSuite):
    """Differences, permutations."""

    def test_an_amendment_takes_its_units_off(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=5, nut=2))
            assert kit.store.amend(amendment("r", 2, bolt=3), now=NOW)[:2] == ("amended", order_id)
            view = kit.store.order(order_id)
            assert kit.lines(order_id) == [(2, 0, 0, 0), (2, 0, 0, 0)]
            assert [line.quantity for line in view.order.lines] == [2, 2]
            assert view.order.revision == 2
            assert kit.store.revision(order_id, 1) == order_of(bolt=5, nut=2)

    def test_the_same_amendment_twice_is_one(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=5))
            command = amendment("r", 2, bolt=3)
            words = [
                kit.store.amend(evolve(command, key=key), now=NOW).outcome
                for key in ("", "k", "k", "")
            ]
            assert words == ["amended", "duplicate", "duplicate", "duplicate"]
            assert kit.lines(order_id) == [(2, 0, 0, 0)]

    def test_a_name_or_key_with_other_content_is_a_conflict(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=5))
            kit.store.amend(evolve(amendment("r", 2, bolt=1), key="k"), now=NOW)
            for other in (
                amendment("r", 2, bolt=2),
                amendment("r", 3, bolt=1),
                evolve(amendment("s", 2, bolt=1), key="k"),
            ):
                raises(ConflictError, kit.store.amend, other, now=NOW)
            assert kit.lines(order_id) == [(4, 0, 0, 0)]

    def test_an_amendment_before_its_order_waits_for_it(self) -> None:
        with self.kit() as kit:
            outcome = kit.store.amend(amendment("r", 2, bolt=3, saw=1), now=NOW)
            assert outcome[:2] == ("recorded", None)
            order_id = kit.take_in(order_of(bolt=5))
            assert kit.lines(order_id) == [(2, 0, 0, 0)]
            words = [
                kit.store.amend(amendment("r", 2, bolt=3, saw=1), now=NOW).outcome,
                tell(kit.store, CaptureOrder(order_of(bolt=5))),
            ]
            assert words == ["duplicate", "duplicate"]

    def test_a_whole_revision_knows_of_what_came_before_it(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(revision=3, bolt=5))
            assert kit.store.amend(amendment("r", 3, bolt=3), now=NOW).outcome == "stale"
            kit.store.amend(amendment("s", 9, bolt=1), now=NOW)
            assert kit.lines(order_id) == [(4, 0, 0, 0)]
            kit.take_in(order_of(revision=5, bolt=8))
            assert kit.lines(order_id) == [(7, 0, 0, 0)]
            kit.take_in(order_of(revision=9, bolt=7))
            assert kit.lines(order_id) == [(7, 0, 0, 0)]

    def test_every_change_makes_a_revision_of_its_own(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(revision=3, bolt=5))
            kit.store.amend(amendment("r", 10, bolt=1), now=NOW)
            kit.store.amend(amendment("s", 8, bolt=1), now=NOW)
            kit.take_in(order_of(revision=7, bolt=9))
            assert kit.lines(order_id) == [(7, 0, 0, 0)]
            kept = [row["revision"] for row in rows(kit.store, "order_revision")]
            (body,) = rows(kit.store, "order_body")
            assert [*kept, body["revision"]] == [3, 10, 11, 12]
            assert body["heard"] == 7
            assert kit.store.order(order_id).order.revision == 12
            same = kit.store.capture([CaptureOrder(order_of(revision=7, bolt=9))], now=NOW)
            assert same[0].outcome == "duplicate"
            other = [CaptureOrder(order_of(revision=7, bolt=8))]
            raises(ConflictError, kit.store.capture, other, now=NOW)

    def test_an_amendment_of_an_unknown_line_waits_for_the_line(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=5))
            assert kit.store.amend(amendment("r", 9, saw=2), now=NOW).outcome == "recorded"
            assert kit.store.order(order_id).order.revision == 1
            kit.take_in(order_of(revision=2, bolt=5, saw=3))
            assert kit.lines(order_id) == [(5, 0, 0, 0), (1, 0, 0, 0)]

    def test_more_than_is_wanted_leaves_nothing_and_no_debt(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=2))
            kit.store.amend(amendment("r", 5, bolt=9), now=NOW)
            assert kit.lines(order_id) == [(0, 0, 0, 0)]
            assert kit.store.order(order_id).summary.status == "empty"

    def test_what_cannot_be_meant_is_refused_and_nothing_kept(self) -> None:
        with self.kit() as kit:
            good = amendment("r", 2, bolt=1)
            bad: list[dict[str, Any]] = [
                {"name": ""},
                {"revision": -1},
                {"revision": 2**63},
                {"revision": "2"},
                {"lines": (("L-bolt", -1),)},
                {"lines": (("L-bolt", 10**10),)},
                {"lines": (("L-bolt", True),)},
                {"lines": (("L-bolt", 10**9), ("L-bolt", 1))},
                {"lines": ((7, 1),)},
                {"lines": (("L-bolt",),)},
                {"lines": ("ab",)},
                {"lines": None},
                {"lines": (("L-\ud800", 1),)},
                {"external_id": None},
                {"reason": "\ud800"},
            ]
            for change in bad:
                raises(PayloadError, kit.store.amend, evolve(good, **change), now=NOW)
            assert rows(kit.store, "amendment") == rows(kit.store, "owner")[1:] == []

    # --- before and after release ----------------------------------------------------------------

    def test_before_release_the_difference_is_freed(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=5))
            kit.route(order_id, "east")
            kit.store.amend(amendment("r", 2, bolt=3), now=NOW)
            assert kit.lines(order_id) == [(0, 2, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 2, 0)
            kit.store.amend(amendment("s", 3, bolt=2), now=NOW)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "cancelled")]
            assert kit.hand_over() == []

    def test_after_release_the_node_is_asked_and_keeps_its_units_meanwhile(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=5))
            kit.route(order_id, "east")
            (name,) = kit.hand_over()
            kit.store.amend(amendment("r", 2, bolt=3), now=NOW)
            assert kit.lines(order_id) == [(0, 5, 0, 0)]
            assert kit.shelf("bolt", "east") == (9, 5, 0)
            assert kit.work(order_id) == [(name, "cancel_requested")]

    # --- any order -------------------------------------------------------------------------------

    permutations = 300
    """How many random orders of arrival are tried."""

    def test_any_order_of_arrival_ends_in_the_same_state(self) -> None:
        random = Random(20)
        with self.kit() as kit:
            expected: dict[str, End] = {}
            while len(expected) < self.permutations:
                history = a_history(random)
                for _ in range(5):
                    name = str(len(expected) + 1)
                    for command in history.shuffled(random, name):
                        tell(kit.store, command)
                    expected[name] = history.end
            assert ends(kit.store) == expected

    def test_whatever_is_routed_meanwhile_no_unit_is_lost_or_made(self) -> None:
        random = Random(21)
        with self.kit() as kit:
            for sku in kit.item:
                for node in NODES:
                    kit.count(sku, node, _MUCH)
            for number in range(self.permutations // 5):
                history = a_history(random)
                for command in history.shuffled(random, str(number)):
                    tell(kit.store, command)
                    _work_at_random(kit, random)
            _check_books(kit)

    def test_a_late_older_revision_leaves_the_person_of_the_latest(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(revision=5, bolt=1), person=Person("Ada New"))
            late = CaptureOrder(order_of(revision=4, bolt=1), Person("Ada Old"))
            assert tell(kit.store, late) == "stale"
            assert kit.store.order(order_id).person == Person("Ada New")
            kit.store.erase(order_id)
            assert tell(kit.store, late) == "stale"
            assert kit.store.order(order_id).person is None

    def test_a_cancellation_and_amendments_may_both_come_first(self) -> None:
        with self.kit() as kit:
            kit.store.amend(amendment("r", 2, bolt=3), now=NOW)
            kit.store.cancel(CancelOrder("main", "web", "1", 3), now=NOW)
            order_id = kit.take_in(order_of(bolt=5))
            assert kit.lines(order_id) == [(0, 0, 0, 2)]
            kit.store.amend(amendment("s", 4, bolt=1), now=NOW)
            assert kit.lines(order_id) == [(0, 0, 0, 1)]


def _work_at_random(kit: StoreKit, random: Random) -> None:
    """Route what is open, reserve it for a while, keep it, hand it over, let it expire."""
    due = kit.store.open_orders(now=NOW, limit=99)
    for found in due:
        if random.random() < 0.6:
            timed: dict[str, Any] = {"purpose": "reserve", "expires_at": NOW + random.randint(1, 3)}
            units = random.choice((None, 1, 2))
            options = timed if random.random() < 0.5 else {}
            kit.route(found.order_id, random.choice(NODES), units=units, **options)
        if random.random() < 0.3:
            kit.store.keep(found.order_id, now=NOW)
        if random.random() < 0.2:
            kit.store.free(found.order_id, now=NOW)
    if random.random() < 0.2:
        kit.hand_over()
    if random.random() < 0.2:
        kit.store.expire(now=NOW + 2, limit=99)


def _check_books(kit: StoreKit) -> None:
    """Units by line are where they should be, and the shelves agree with the reservations."""
    held: Counter[tuple[int, int]] = Counter()
    by_line: Counter[tuple[int, int]] = Counter()
    for row in rows(kit.store, "reservation"):
        if row["state"] == 0:
            held[row["item_id"], row["node_id"]] += row["quantity"]
            by_line[row["order_id"], row["line_no"]] += row["quantity"]
    for line in rows(kit.store, "order_line"):
        spread = line["open"] + line["allocated"] + line["shipped"] + line["cancelled"]
        assert spread == line["ordered"] >= line["wanted"]
        assert line["allocated"] == by_line[line["order_id"], line["line_no"]]
        assert spread == line["wanted"] or not line["open"]
    for stock in kit.store.stock_of(kit.item.values()):
        assert (stock.on_hand, stock.reserved) == (_MUCH, held[stock.item_id, stock.node_id])
