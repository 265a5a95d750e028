"""Promises about words to nodes, repeated tasks, and events that are not taken."""

from __future__ import annotations

from typing import Any

from domcore.errors import ConflictError, NotFound
from domcore.model import CancelOrder
from domcore.store.protocol import Lease, Parked, Straggler, Task
from domcore.store.rows import NEVER
from domcore.testing.store_suite.kit import NOW, KitSuite, StoreKit, order_of, raises

LATER = NOW + 100


def released(kit: StoreKit, external_id: str = "1") -> int:
    """An order whose node is to be told."""
    kit.count("bolt", "east", 50)
    order_id = kit.take_in(order_of(external_id, bolt=1))
    kit.route(order_id, "east")
    return order_id


def lease(kit: StoreKit, topic: str = "release", *, now: int = NOW, most: int = 9) -> Lease:
    """The one entry that is due, leased for ten microseconds."""
    (found,) = kit.store.lease_due(topic, now=now, until=now + 10, limit=9, most=most)
    return found


def kinds(kit: StoreKit) -> list[str]:
    """What happened, without the orders' own story."""
    told = [event.kind for event in kit.store.events()]
    return [kind for kind in told if kind in ("fulfillment.unknown", "work.parked")]


def handed_over(kit: StoreKit, order_id: int) -> list[bool]:
    """Whether each piece of work may be at its node."""
    return [work.handed_over for work in kit.store.order(order_id).fulfillment_orders]


class OutboxPromises(KitSuite):
    """Part of `StoreSuite`."""

    # --- leases ----------------------------------------------------------------------------------

    def test_what_was_tried_before_is_leased_alone(self) -> None:
        with self.kit() as kit:
            for number in range(4):
                released(kit, str(number))
            fresh = kit.store.lease_due("release", now=NOW, until=NOW + 1, limit=2)
            assert [each.attempts for each in fresh] == [1, 1]
            for each in fresh:
                kit.store.settle(each.entry, now=NOW, retry_at=NOW, attempt=1)
            found = []
            while leases := kit.store.lease_due("release", now=NOW, until=LATER, limit=9):
                found.append([each.attempts for each in leases])
            assert sorted(found) == [[1, 1], [2], [2]]

    def test_an_attempt_that_was_not_made_does_not_count(self) -> None:
        with self.kit() as kit:
            order_id = released(kit)
            first = lease(kit)
            assert handed_over(kit, order_id) == [True]
            kit.store.put_back([first], now=NOW, retry_at=NOW + 5, note="later")
            assert handed_over(kit, order_id) == [False]
            assert kit.store.lease_due("release", now=NOW + 4, until=LATER, limit=9) == []
            again = lease(kit, now=NOW + 5)
            assert (again.attempts, again.called_at) == (1, None)
            kit.store.put_back([first._replace(attempts=9)], now=NOW, retry_at=NOW)
            assert kit.store.lease_due("release", now=NOW + 6, until=LATER, limit=9) == []
            assert kinds(kit) == []

    def test_a_release_that_is_given_back_after_a_cancellation_leaves_no_doubt(self) -> None:
        with self.kit() as kit:
            released(kit)
            first = lease(kit)
            kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
            assert lease(kit, "cancel").called_at == NOW + 10
            kit.store.put_back([first], now=NOW, retry_at=NOW)
            assert kit.store.lease_due("release", now=LATER, until=LATER + 1, limit=9) == []
            assert lease(kit, "cancel", now=NOW + 10).called_at is None

    def test_work_of_nodes_that_cannot_be_told_is_put_off(self) -> None:
        with self.kit() as kit:
            order_id = released(kit)
            east = {kit.node["east"]: "no plugin"}
            assert kit.store.put_off("release", {kit.node["west"]: "x"}, now=NOW, until=LATER) == 0
            assert kit.store.put_off("release", east, now=NOW, until=LATER) == 1
            assert kit.store.put_off("release", east, now=NOW, until=LATER) == 0
            assert kit.store.lease_due("release", now=NOW, until=LATER, limit=9) == []
            (waiting,) = kit.store.pending()
            assert (waiting.note, waiting.attempts, waiting.parked_at) == ("no plugin", 0, None)
            assert handed_over(kit, order_id) == [False]
            assert lease(kit, now=LATER).attempts == 1

    # --- doubts ----------------------------------------------------------------------------------

    def test_a_release_whose_lease_runs_out_is_of_unknown_outcome(self) -> None:
        with self.kit() as kit:
            released(kit)
            assert lease(kit).called_at is None
            assert lease(kit, now=NOW + 10).called_at == NOW + 10
            assert lease(kit, now=NOW + 20).called_at == NOW + 20
            assert kinds(kit) == ["fulfillment.unknown"]

    def test_a_doubt_stays_until_there_is_an_answer(self) -> None:
        with self.kit() as kit:
            released(kit)
            one = lease(kit)
            doubt = {"now": NOW + 1, "attempt": 1, "called_at": NOW + 1}
            kit.store.settle(one.entry, retry_at=NOW + 2, note="time-out", **doubt)
            two = lease(kit, now=NOW + 2)
            assert two.called_at == NOW + 1
            kit.store.put_back([two], now=NOW + 2, retry_at=NOW + 3)
            assert lease(kit, now=NOW + 3).called_at == NOW + 1
            kit.store.settle(one.entry, now=NOW + 3, retry_at=NOW + 4, attempt=2)
            assert lease(kit, now=NOW + 4).called_at is None
            assert kinds(kit) == ["fulfillment.unknown"]

    def test_who_is_late_puts_nothing_off_that_somebody_else_has(self) -> None:
        with self.kit() as kit:
            released(kit)
            one = lease(kit)
            lease(kit, now=NOW + 10)
            kit.store.settle(one.entry, now=NOW + 11, retry_at=NOW + 11, attempt=1)
            kit.store.park(one.entry, now=NOW + 11, note="x", attempt=1)
            assert kit.store.lease_due("release", now=NOW + 12, until=LATER, limit=9) == []
            assert kit.store.parked() == []
            kit.store.settle(one.entry, now=NOW + 12, attempt=1)
            assert kit.store.pending() == []

    def test_a_cancel_knows_until_when_its_release_may_be_under_way(self) -> None:
        with self.kit() as kit:
            released(kit)
            one = lease(kit)
            kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW)
            assert lease(kit, "cancel").called_at == NOW + 10
            kit.store.settle(
                one.entry, now=NOW, retry_at=LATER, note="", attempt=1, called_at=NOW + 3
            )
            assert lease(kit, "cancel", now=NOW + 10).called_at == NOW + 3

    # --- what is set aside -----------------------------------------------------------------------

    def test_what_is_parked_waits_for_a_person(self) -> None:
        with self.kit() as kit:
            order_id = released(kit)
            one = lease(kit)
            kit.store.park(one.entry, now=NOW + 1, note="refused", attempt=1)
            name = f"outbox/{one.entry}"
            work = f"{order_id}-1-east"
            assert kit.store.parked() == [
                Parked(name, "release", order_id, "refused", 1, NOW + 1, False, work)
            ]
            assert kit.store.find_parked(name) == kit.store.parked()[0]
            assert kit.store.lease_due("release", now=NEVER - 1, until=NEVER, limit=9) == []
            assert (kit.store.pending(), kinds(kit)) == ([], ["work.parked"])
            kit.store.revive(name, now=NOW + 2)
            assert kit.store.parked() == []
            assert handed_over(kit, order_id) == [False], "nobody has it"
            again = lease(kit, now=NOW + 2)
            assert (again.attempts, again.called_at) == (1, None)
            raises(NotFound, kit.store.revive, name, now=NOW)
            raises(NotFound, kit.store.give_up, name, now=NOW)

    def test_a_parked_doubt_is_still_one_when_it_is_tried_again(self) -> None:
        with self.kit() as kit:
            order_id = released(kit)
            one = lease(kit)
            kit.store.park(one.entry, now=NOW + 1, note="?", attempt=1, called_at=NOW + 1)
            assert kit.store.parked()[0].unknown
            kit.store.revive(f"outbox/{one.entry}", now=NOW + 2)
            assert handed_over(kit, order_id) == [True]
            assert lease(kit, now=NOW + 2).called_at == NOW + 1

    def test_an_entry_that_has_had_its_attempts_is_parked_instead_of_leased(self) -> None:
        with self.kit() as kit:
            released(kit)
            for number in range(3):
                lease(kit, now=NOW + 10 * number, most=3)
            options = {"until": LATER + 1, "limit": 9, "most": 3}
            assert kit.store.lease_due("release", now=LATER, **options) == []
            (parked,) = kit.store.parked()
            assert (parked.attempts, parked.unknown) == (3, True)
            assert kinds(kit) == ["fulfillment.unknown", "work.parked"]

    def test_a_late_word_that_nobody_was_called_ends_the_doubt_of_others(self) -> None:
        with self.kit() as kit:
            order_id = released(kit)
            slow = lease(kit)
            fast = lease(kit, now=NOW + 20)
            assert fast.called_at == NOW + 10
            kit.store.put_back([fast], now=NOW + 20, retry_at=NOW + 20)
            kit.store.put_back([slow], now=NOW + 21, retry_at=NOW + 21)
            (entry,) = [row for row in kit.store.audit("outbox") if row[2] == order_id]
            assert (entry[6], entry[9], entry[11]) == (0, 0, None)
            assert handed_over(kit, order_id) == [False]
            assert lease(kit, now=NOW + 22).called_at is None

    def test_a_worker_that_answers_after_its_entry_was_set_aside_does_not_bring_it_back(
        self,
    ) -> None:
        with self.kit() as kit:
            for number, answer in enumerate(("retry", "park", "give back")):
                released(kit, str(number))
                first = lease(kit)
                kit.store.lease_due("release", now=LATER, until=LATER + 1, limit=9, most=1)
                (before,) = kit.store.parked()
                told: dict[str, Any] = {"now": LATER, "attempt": first.attempts, "note": "late"}
                if answer == "retry":
                    kit.store.settle(first.entry, retry_at=LATER, **told)
                elif answer == "park":
                    kit.store.park(first.entry, **told)
                else:
                    kit.store.put_back([first], now=LATER, retry_at=LATER)
                assert kit.store.lease_due("release", now=LATER, until=NEVER, limit=9) == []
                assert kit.store.parked() == [before._replace(unknown=False)]
                kit.store.revive(before.id, now=LATER)
                kit.store.settle(first.entry, now=LATER, attempt=first.attempts)
            assert kinds(kit).count("work.parked") == 3
            done = [row for row in kit.store.audit("outbox") if row[7] is not None]
            assert [row[6] > 0 for row in done] == [True] * 3

    def test_work_that_is_over_is_not_parked_any_more(self) -> None:
        with self.kit() as kit:
            released(kit)
            one = lease(kit)
            kit.store.park(one.entry, now=NOW + 1, note="refused", attempt=1)
            kit.store.cancel(CancelOrder("main", "web", "1", 2), now=NOW + 2)
            assert kit.store.parked() == []
            kit.store.settle(lease(kit, "cancel", now=NOW + 3).entry, now=NOW + 3)
            assert kit.store.pending() == []

    def test_a_setback_is_kept_once_and_its_page_can_be_read_again(self) -> None:
        with self.kit() as kit:
            task = kit.store.lease_task("poll:x", now=NOW, until=NOW + 10)
            assert task is not None
            kit.store.settle_task(task, now=NOW, due_at=LATER, cursor="p2")
            told: dict[str, Any] = {"error": "no such line", "position": "p1", "number": 3}
            for new in (True, False):
                assert kit.store.set_aside("poll:x", now=NOW, **told) is new
            (parked,) = kit.store.parked()
            assert (parked.kind, parked.id) == ("setback", "setback/poll:x/1")
            assert parked.note == "no such line (number 3 after p1)"
            assert kinds(kit) == ["work.parked"]
            kit.store.revive(parked.id, now=NOW + 1)
            again = kit.store.lease_task("poll:x", now=NOW + 1, until=LATER)
            assert again is not None
            assert again.cursor == "p1"
            kit.store.set_aside("receive:x", error="odd", now=NOW)
            (parked,) = kit.store.parked()
            raises(ConflictError, kit.store.revive, parked.id, now=NOW)
            kit.store.give_up(parked.id, now=NOW)
            assert kit.store.parked() == []

    # --- tasks -----------------------------------------------------------------------------------

    def test_a_task_that_somebody_is_in_a_hurry_for_is_due_at_once(self) -> None:
        with self.kit() as kit:
            store = kit.store
            store.hurry_task("pull:x", now=NOW)
            task = store.lease_task("pull:x", now=NOW, until=NOW + 10)
            assert task is not None
            assert store.settle_task(task, now=NOW + 1, due_at=LATER)
            assert store.lease_task("pull:x", now=NOW + 2, until=NOW + 10) is None
            store.hurry_task("pull:x", now=NOW + 2)
            assert store.lease_task("pull:x", now=NOW + 2, until=NOW + 10) is not None

    def test_a_task_that_is_being_done_is_done_again_for_who_is_in_a_hurry(self) -> None:
        with self.kit() as kit:
            store = kit.store
            task = store.lease_task("pull:x", now=NOW, until=NOW + 10)
            assert task is not None
            store.hurry_task("pull:x", now=NOW + 1)
            assert store.lease_task("pull:x", now=NOW + 1, until=NOW + 10) is None
            assert store.settle_task(task, now=NOW + 2, due_at=LATER, cursor="c")
            again = store.lease_task("pull:x", now=NOW + 2, until=NOW + 10)
            assert again is not None
            assert again.cursor == "c"
            store.settle_task(again, now=NOW + 3, due_at=LATER)
            assert store.lease_task("pull:x", now=NOW + 4, until=NOW + 10) is None

    def test_a_task_that_failed_waits_for_its_time_in_spite_of_a_hurry(self) -> None:
        with self.kit() as kit:
            store = kit.store
            task = store.lease_task("pull:x", now=NOW, until=NOW + 10)
            assert task is not None
            store.settle_task(task, now=NOW + 1, due_at=NOW + 50, well=False, note="down")
            store.hurry_task("pull:x", now=NOW + 2)
            assert store.lease_task("pull:x", now=NOW + 3, until=NOW + 10) is None
            again = store.lease_task("pull:x", now=NOW + 50, until=NOW + 60)
            assert again is not None
            store.settle_task(again, now=NOW + 51, due_at=LATER)
            assert store.lease_task("pull:x", now=NOW + 51, until=NOW + 60) is not None

    def test_a_task_is_one_workers_until_its_lease_ends(self) -> None:
        with self.kit() as kit:
            store = kit.store
            first = store.lease_task("poll:x", now=NOW, until=NOW + 10)
            assert first == Task("poll:x", NOW + 10, 1, "", None, "")
            assert store.lease_task("poll:x", now=NOW + 9, until=LATER) is None
            second = store.lease_task("poll:x", now=NOW + 10, until=NOW + 20)
            assert second is not None
            assert second.attempts == 2, "whoever had it did not come back"
            assert not store.settle_task(first, now=NOW + 11, due_at=NOW + 12, cursor="late")
            assert store.settle_task(second, now=NOW + 11, due_at=NOW + 12, cursor="c")
            assert store.tasks() == [Task("poll:x", NOW + 12, 0, "c", NOW + 11, "")]
            third = store.lease_task("poll:x", now=NOW + 12, until=NOW + 20)
            assert third is not None
            assert store.settle_task(third, now=NOW + 13, due_at=NOW + 14, well=False, note="down")
            down = Task("poll:x", NOW + 14, 1, "c", NOW + 11, "down", NOW + 13)
            assert store.tasks() == [down]

    # --- events ----------------------------------------------------------------------------------

    def test_a_consumer_leaves_stragglers_behind_and_catches_up(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=1))
            row = Straggler("mail", 1, order_id, NOW + 5, 1, None, "down")
            kit.store.advance_cursor("mail", 1, stragglers=[row], now=NOW)
            assert (kit.store.read_cursor("mail"), kit.store.stragglers("mail")) == (1, [row])
            assert kit.store.stragglers("other") == []
            parked = row._replace(attempts=5, due_at=NEVER, parked_at=NOW)
            for _ in range(2):
                kit.store.advance_cursor("mail", 0, stragglers=[parked], now=NOW)
            (found,) = kit.store.parked()
            assert (found.id, found.order_id, found.kind) == ("event/mail/1", order_id, "event")
            assert kinds(kit) == ["work.parked"], "once"
            kit.store.revive("event/mail/1", now=NOW + 9)
            assert kit.store.stragglers("mail") == [row._replace(due_at=NOW + 9, attempts=0)]
            kit.store.advance_cursor("mail", 0, caught_up=[1, 7], now=NOW)
            assert kit.store.stragglers("mail") == []

    def test_orders_are_identified_by_their_ids(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of("7", bolt=1))
            assert kit.store.identities([order_id, 99]) == {order_id: ("main", "web", "7")}
            assert kit.store.identities([]) == {}
