"""Promises about holds that channels and persons ask for."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any, Final

from attrs import evolve

from domcore.errors import ConflictError, PayloadError
from domcore.model import AmendOrder, ApproveOrder, CancelOrder, CaptureOrder, Hold, HoldOrder
from domcore.store.protocol import OrderFilter
from domcore.testing.store_suite.kit import NOW, KitSuite, StoreKit, order_of, raises

UNPAID: Final = Hold("unpaid", "no payment has come")
IDENTITY: Final = ("main", "web", "1")


def hold(revision: int | None, code: str = "fraud", **more: Any) -> HoldOrder:
    """Ask for a hold of order 1."""
    return HoldOrder(*IDENTITY, revision, code, "somebody looks at it", **more)


def lift(revision: int | None, code: str = "fraud", **more: Any) -> ApproveOrder:
    """Lift it."""
    return ApproveOrder(*IDENTITY, revision, code, **more)


def routed(kit: StoreKit, **options: Any) -> int:
    """Order 1, with its work for a node that is to be told."""
    kit.count("bolt", "east", 50)
    order_id = kit.take_in(order_of(bolt=2), **options)
    kit.route(order_id, "east", standing=kit.open(order_id).standing)
    return order_id


def standing(kit: StoreKit, order_id: int) -> list[str]:
    """The codes of the holds that stand."""
    return [each.code for each in kit.store.order(order_id).summary.holds]


def end(kit: StoreKit) -> tuple[Any, ...]:
    """What counts of order 1 in the end."""
    (order_id,) = kit.store.find_order("web/1")
    asked = [row[:9] for row in kit.store.audit("asked_hold")]
    queue = [each.order_id for each in kit.store.open_orders(now=NOW, limit=9)]
    return standing(kit, order_id), kit.lines(order_id), asked, queue


class HoldPromises(KitSuite):
    """Hold, lift, and revisions that tell of holds."""

    # --- one order -------------------------------------------------------------------------------

    def test_a_hold_stops_work_that_is_not_handed_over_and_lifting_it_hands_it_over_once(
        self,
    ) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            assert kit.store.hold(hold(5), now=NOW)[:2] == ("held", order_id)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "on_hold")]
            assert kit.hand_over() == []
            assert kit.shelf("bolt", "east") == (50, 2, 0)
            assert kit.store.hold(lift(6), now=NOW)[:2] == ("lifted", order_id)
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]
            assert kit.hand_over() == [f"{order_id}-1-east"]

    def test_a_hold_at_route_frees_what_is_reserved_and_lifting_it_queues_the_order(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            kit.store.hold(hold(5, stage="route"), now=NOW)
            assert kit.lines(order_id) == [(2, 0, 0, 0)]
            assert kit.shelf("bolt", "east") == (50, 0, 0)
            assert kit.store.order(order_id).summary.status == "held"
            assert kit.store.open_orders(now=NOW, limit=9) == []
            kit.store.hold(lift(6), now=NOW)
            assert [each.order_id for each in kit.store.open_orders(now=NOW, limit=9)] == [order_id]

    def test_a_node_that_has_the_work_is_asked_to_stop(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            kit.hand_over()
            assert "1 node is asked" in kit.store.hold(hold(5), now=NOW).detail
            assert kit.work(order_id) == [(f"{order_id}-1-east", "cancel_requested")]
            assert len(kit.store.lease_due("cancel", now=NOW, until=NOW + 9, limit=9)) == 1
            kit.hear(f"{order_id}-1-east", "cancelled")
            assert kit.lines(order_id) == [(2, 0, 0, 0)]
            assert kit.store.open_orders(now=NOW, limit=9) == []
            kit.store.hold(lift(6), now=NOW)
            assert kit.open(order_id).open == (2,)
            assert len(kit.store.open_orders(now=NOW, limit=9)) == 1

    def test_a_hold_survives_later_revisions_and_amendments(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            kit.store.hold(hold(1), now=NOW)
            kit.take_in(order_of(revision=2, bolt=3))
            assert standing(kit, order_id) == ["fraud"]
            kit.store.amend(AmendOrder(*IDENTITY, "r", 3, (("L-bolt", 2),)), now=NOW)
            assert standing(kit, order_id) == ["fraud"]
            assert kit.hand_over() == []
            kit.store.hold(lift(4), now=NOW)
            assert (standing(kit, order_id), len(kit.hand_over())) == ([], 1)

    def test_of_two_holds_each_is_lifted_by_its_own_code(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            kit.store.hold(hold(2, "fraud"), now=NOW)
            kit.store.hold(hold(2, "credit"), now=NOW)
            kit.store.hold(lift(3, "fraud"), now=NOW)
            assert (standing(kit, order_id), kit.hand_over()) == (["credit"], [])
            found = kit.store.find_orders(OrderFilter(hold="credit"), limit=9)
            assert [each.order_id for each in found] == [order_id]
            assert kit.store.find_orders(OrderFilter(hold="fraud"), limit=9) == []
            assert [each.code for each in kit.store.approve(order_id, by="kim", now=NOW)] == [
                "credit"
            ]
            assert len(kit.hand_over()) == 1

    def test_a_person_approves_one_code_or_all(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            for code in ("fraud", "credit", "look"):
                kit.store.hold(hold(2, code), now=NOW)
            lifted = kit.store.approve(order_id, by="kim", now=NOW, code="fraud")
            assert [each.code for each in lifted] == ["fraud"]
            assert kit.store.approve(order_id, by="kim", now=NOW, code="fraud") == ()
            assert kit.hand_over() == []
            assert len(kit.store.approve(order_id, by="kim", now=NOW)) == 2
            assert len(kit.hand_over()) == 1

    def test_what_a_person_said_with_an_approval_is_corrected_until_it_is_decided_by(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=2))
            first, second = (Hold(f"look@{value}", "said", "route") for value in "12")
            raises(ConflictError, kit.store.correct, order_id, second, by="kim", now=NOW)
            kit.store.hold(hold(2, "look"), now=NOW)
            kit.store.approve(order_id, by="kim", now=NOW, granted=(first,))
            for said in (second, first, second):
                kit.store.correct(order_id, said, by="kim", now=NOW)
            approved = kit.store.order(order_id).approved
            assert [each for each in approved if "@" in each] == ["look@2"]
            kit.route(order_id, "east")
            raises(ConflictError, kit.store.correct, order_id, first, by="kim", now=NOW)

    def test_what_a_person_approved_stays_approved_while_it_is_told_and_no_longer(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit, holds=(UNPAID,))
            kit.store.approve(order_id, by="kim", now=NOW)
            kit.take_in(order_of(revision=2, bolt=2), holds=(UNPAID,))
            assert standing(kit, order_id) == []
            kit.take_in(order_of(revision=3, bolt=2))
            kit.take_in(order_of(revision=4, bolt=2), holds=(UNPAID,))
            assert standing(kit, order_id) == ["unpaid"]

    def test_a_cancelled_order_is_not_held(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            kit.store.cancel(CancelOrder(*IDENTITY, 2), now=NOW)
            assert kit.store.hold(hold(3), now=NOW).outcome == "recorded"
            assert kit.store.order(order_id).summary.status == "cancelled"
            assert standing(kit, order_id) == []

    # --- revisions that tell of holds ------------------------------------------------------------

    def test_an_order_that_comes_with_a_hold_is_reserved_and_waits(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit, holds=(UNPAID,))
            assert kit.work(order_id) == [(f"{order_id}-1-east", "on_hold")]
            assert (kit.shelf("bolt", "east"), kit.hand_over()) == ((50, 2, 0), [])
            kit.take_in(order_of(revision=2, bolt=2))
            assert kit.work(order_id) == [(f"{order_id}-1-east", "requested")]
            assert (kit.lines(order_id), len(kit.hand_over())) == ([(0, 2, 0, 0)], 1)

    def test_an_order_that_comes_with_a_hold_at_route_is_not_routed(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=2), holds=(evolve(UNPAID, stage="route"),))
            assert kit.store.open_orders(now=NOW, limit=9) == []
            assert kit.open(order_id).held
            kit.take_in(order_of(revision=2, bolt=2), holds=())
            assert len(kit.store.open_orders(now=NOW, limit=9)) == 1

    def test_a_revision_lifts_what_revisions_told_and_nothing_else(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit, holds=(UNPAID,))
            kit.store.hold(hold(1), now=NOW)
            kit.take_in(order_of(revision=2, bolt=2))
            assert standing(kit, order_id) == ["fraud"]

    def test_one_revision_told_before_and_after_the_payment_is_paid(self) -> None:
        unpaid, paid = (
            CaptureOrder(order_of(bolt=2), holds=(UNPAID,)),
            CaptureOrder(order_of(bolt=2)),
        )
        found = []
        for commands in ((unpaid, paid), (paid, unpaid), (unpaid, paid, unpaid)):
            with self.kit() as kit:
                for command in commands:
                    kit.store.capture([command], now=NOW)
                found.append(standing(kit, 1))
        assert found == [[], [], []]

    def test_work_waits_while_a_revision_takes_the_order_out_of_the_queue(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            kit.take_in(order_of(revision=2, bolt=2), queue=False)
            assert kit.hand_over() == []
            assert kit.lines(order_id) == [(0, 2, 0, 0)]
            kit.take_in(order_of(revision=3, bolt=2), queue=True)
            assert len(kit.hand_over()) == 1

    def test_a_cart_stays_a_cart_whatever_is_held(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=2), queue=False)
            kit.store.hold(hold(2), now=NOW)
            kit.store.hold(lift(3), now=NOW)
            assert kit.store.open_orders(now=NOW, limit=9) == []
            assert kit.open(order_id).open == (2,)

    # --- in any order ----------------------------------------------------------------------------

    def test_a_hold_before_its_order_waits_for_it(self) -> None:
        with self.kit() as kit:
            assert kit.store.hold(hold(5), now=NOW)[:2] == ("recorded", None)
            order_id = routed(kit)
            assert (standing(kit, order_id), kit.hand_over()) == (["fraud"], [])

    def test_words_about_one_code_may_come_in_any_order(self) -> None:
        told: tuple[Any, ...] = (hold(2), lift(3), hold(4), lift(5, "credit"), hold(5, "credit"))
        ends = []
        for words in permutations(told):
            with self.kit() as kit:
                kit.take_in(order_of(bolt=2))
                for word in words:
                    kit.store.hold(word, now=NOW)
                ends.append(end(kit))
        assert ends[0][0] == ["fraud"]
        assert all(each == ends[0] for each in ends)

    def test_a_later_word_of_a_standing_hold_counts_in_any_order(self) -> None:
        with self.kit() as kit:
            number = 0
            for last in (evolve(hold(7), reason="z"), hold(7, stage="route"), hold(6)):
                told = (hold(5), evolve(hold(5), reason="b"), hold(6, stage="route"), last)
                stage = "release" if last.reason == "z" else "route"
                ends = set()
                for words in permutations(told):
                    number += 1
                    order_id = kit.take_in(order_of(str(number), bolt=2))
                    for word in words:
                        kit.store.hold(evolve(word, external_id=str(number)), now=NOW)
                    (stands,) = kit.store.order(order_id).summary.holds
                    queue = kit.store.open_orders(now=NOW, limit=99)
                    queued = order_id in {each.order_id for each in queue}
                    ends.add((stands.stage, stands.reason, queued))
                assert ends == {(stage, last.reason, stage == "release")}, ends

    def test_a_hold_that_is_told_with_another_stage_frees_stock_or_queues_the_order(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            kit.store.hold(hold(None), now=NOW)
            assert kit.shelf("bolt", "east") == (50, 2, 0)
            assert kit.store.hold(hold(None, stage="route"), now=NOW).outcome == "held"
            assert kit.shelf("bolt", "east") == (50, 0, 0)
            assert kit.store.open_orders(now=NOW, limit=9) == []
            assert kit.store.hold(hold(None), now=NOW).outcome == "held"
            assert [each.order_id for each in kit.store.open_orders(now=NOW, limit=9)] == [order_id]
            assert kit.store.hold(hold(None), now=NOW).outcome == "stale"
            assert kit.store.hold(hold(99), now=NOW).detail == "it stands already"

    def test_one_revision_told_with_two_stages_is_held_at_route(self) -> None:
        for number, stages in enumerate(permutations(("release", "route"))):
            with self.kit() as kit:
                for stage in stages:
                    order, told = order_of(str(number), bolt=2), evolve(UNPAID, stage=stage)
                    kit.store.capture([CaptureOrder(order, holds=(told,))], now=NOW)
                (order_id,) = kit.store.find_order(f"web/{number}")
                (stands,) = kit.store.order(order_id).summary.holds
                assert stands.stage == "route"
                assert kit.store.open_orders(now=NOW, limit=9) == []

    def test_orders_holds_and_revisions_may_come_in_any_order(self) -> None:
        told: tuple[Any, ...] = (
            CaptureOrder(order_of(revision=1, bolt=2), holds=(UNPAID,)),
            hold(2),
            CaptureOrder(order_of(revision=3, bolt=1)),
            lift(4),
            hold(5, "look"),
        )
        ends = []
        for words in permutations(told):
            with self.kit() as kit:
                self._tell(kit, words)
                ends.append((end(kit)[0], end(kit)[1][0][:2]))
        assert ends[0] == (["look"], (1, 0))
        assert all(each == ends[0] for each in ends)

    def _tell(self, kit: StoreKit, words: Iterable[Any]) -> None:
        for word in words:
            if isinstance(word, CaptureOrder):
                kit.store.capture([word], now=NOW)
            else:
                kit.store.hold(word, now=NOW)

    def test_a_repeated_hold_changes_nothing_and_a_key_is_for_one_hold(self) -> None:
        with self.kit() as kit:
            routed(kit)
            told = [
                kit.store.hold(word, now=NOW).outcome
                for word in (hold(2, key="k"), hold(2, key="k"), hold(2), hold(1))
            ]
            assert told == ["held", "duplicate", "stale", "stale"]
            raises(ConflictError, kit.store.hold, hold(3, key="k"), now=NOW)
            kinds = [event.kind for event in kit.store.events()]
            assert kinds.count("hold.placed") == 1

    def test_a_hold_without_a_revision_is_said_now(self) -> None:
        with self.kit() as kit:
            order_id = routed(kit)
            for word in (hold(None), lift(None), hold(None), hold(None)):
                kit.store.hold(word, now=NOW)
            assert standing(kit, order_id) == ["fraud"]
            kit.store.hold(lift(None), now=NOW)
            assert standing(kit, order_id) == []

    def test_a_hold_that_cannot_be_is_refused(self) -> None:
        with self.kit() as kit:
            routed(kit)
            for bad in (
                hold(2, ""),
                hold(2, "a/b"),
                hold(2, "x" * 101),
                hold(2, " x"),
                hold(2, "x\n"),
                hold(-1),
                hold(2**63),
                hold(2, stage="never"),
                evolve(hold(2), reason="x" * 1001),
                evolve(hold(2), code=5),  # type: ignore[arg-type]
                evolve(lift(2), external_id=""),
            ):
                raises(PayloadError, kit.store.hold, bad, now=NOW)
            for holds in ((Hold("a/b", ""),), (Hold("x", "", "never"),), ("x",), [UNPAID]):
                command = CaptureOrder(order_of("9", bolt=1), holds=holds)  # type: ignore[arg-type]
                raises(PayloadError, kit.store.capture, [command], now=NOW)
            assert kit.store.find_order("web/9") == []
            assert [event.kind for event in kit.store.events()][-1] == "order.routed"
