"""Promises about trouble that a person must look at: raised at once, and gone when seen to."""

from __future__ import annotations

from itertools import permutations

from domcore.errors import NotFound
from domcore.model import AuthorizeReturn, CancelOrder, Package
from domcore.testing.store_suite.kit import MINUTE, NOW, KitSuite, StoreKit, order_of, raises


def standing(kit: StoreKit, order_id: int) -> list[tuple[str, str]]:
    """Kind and words of the trouble of an order that stands."""
    return [(t.kind, t.note) for t in kit.store.troubles(order_id) if t.settled_at is None]


def listed(kit: StoreKit) -> list[tuple[str, str]]:
    """Work and words of all trouble that stands."""
    assert kit.store.count_waiting("trouble", before=NOW) == len(
        kit.store.waiting("trouble", before=NOW, limit=99)
    )
    found = kit.store.waiting("trouble", before=NOW, limit=99)
    return [(each.fulfillment_order, each.note) for each in found]


class TroublePromises(KitSuite):
    """`Store.troubles`, `Store.settle_trouble`, `Store.failing`."""

    def handed(self, kit: StoreKit, external_id: str = "1", **lines: int) -> tuple[int, str]:
        """An order, and its work at the east node."""
        for sku in lines:
            if not any(kit.shelf(sku, "east")):
                kit.count(sku, "east", 10)
        order_id = kit.take_in(order_of(external_id, **lines))
        kit.route(order_id, "east")
        (name,) = kit.hand_over()
        return order_id, name

    # --- what nodes tell -------------------------------------------------------------------------

    def test_trouble_stands_in_the_partner_s_words_until_its_work_goes_on(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            assert listed(kit) == []
            kit.hear(name, "exception", detail="backordered", vendor_status="BO", minutes=1)
            kit.hear(name, "on_hold", detail="waits for a label", minutes=2)
            words = [
                ("exception", "east tells trouble: backordered (BO)"),
                ("on_hold", "east has put the work on hold: waits for a label"),
            ]
            assert standing(kit, order_id) == words
            assert listed(kit) == [(name, note) for _, note in words]
            kit.hear(name, "in_progress", minutes=3)
            assert (standing(kit, order_id), listed(kit)) == ([], [])

    def test_trouble_after_goods_have_left_is_told_too(self) -> None:
        with self.kit() as kit:
            for number, last in enumerate(("shipped", "delivered"), 1):
                order_id, name = self.handed(kit, last, bolt=1)
                kit.hear(name, "shipped", minutes=1)
                kit.hear(name, last, minutes=2, key=last)
                kit.hear(name, "exception", detail="undeliverable", minutes=3)
                words = ("exception", "east tells trouble: undeliverable")
                assert standing(kit, order_id) == [words]
                assert len(listed(kit)) == number

    def test_two_boxes_in_trouble_are_two_troubles(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            boxes = (Package("A", (("bolt", 1),)), Package("B", (("bolt", 3),)))
            kit.hear(name, "shipped", packages=boxes, minutes=1)
            for box, words in (("A", "lost"), ("B", "damaged")):
                kit.hear(name, "exception", packages=(Package(box),), detail=words, minutes=2)
            assert [note for _, note in standing(kit, order_id)] == [
                "east tells trouble with package A: lost",
                "east tells trouble with package B: damaged",
            ]
            kit.hear(name, "delivered", packages=(Package("B", status="delivered"),), minutes=3)
            assert [note for _, note in standing(kit, order_id)] == [
                "east tells trouble with package A: lost"
            ]

    def test_in_whatever_order_news_comes_the_same_trouble_stands(self) -> None:
        news = (
            ("accepted", 1, ""), ("exception", 2, "backordered"), ("on_hold", 3, "a label"),
            ("exception", 4, "backordered"), ("in_progress", 3, ""),
        )  # fmt: skip
        with self.kit() as kit:
            kit.count("bolt", "east", 999)
            for number, order in enumerate(permutations(news)):
                order_id, name = self.handed(kit, f"n{number}", bolt=1)
                for status, minutes, words in order:
                    kit.hear(name, status, detail=words, minutes=minutes)
                kinds = sorted(kind for kind, _ in standing(kit, order_id))
                assert kinds == ["exception", "on_hold"]

    def test_trouble_of_work_that_was_given_back_is_over(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            kit.hear(name, "exception", detail="backordered", minutes=2)
            kit.hear(name, "rejected", minutes=1)
            assert standing(kit, order_id) == []

    # --- worked off ------------------------------------------------------------------------------

    def test_what_somebody_has_seen_to_is_gone_until_it_happens_again(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            kit.hear(name, "exception", detail="lost", minutes=1)
            (found,) = kit.store.troubles(order_id)
            assert (found.fulfillment_order, found.node) == (name, "east")
            settled = kit.store.settle_trouble(found.id, by="kim", now=NOW + 2 * MINUTE)
            assert (settled.settled_by, settled.settled_at) == ("kim", NOW + 2 * MINUTE)
            assert standing(kit, order_id) == []
            kit.hear(name, "exception", detail="lost", minutes=1, key="again")
            assert standing(kit, order_id) == []
            kit.hear(name, "exception", detail="lost", minutes=3)
            assert len(standing(kit, order_id)) == 1
            raises(NotFound, kit.store.settle_trouble, found.id, by="kim", now=NOW)
            kinds = [event.kind for event in kit.store.events(order_id=order_id)]
            assert kinds.count("trouble.raised") == 2
            assert kinds.count("trouble.settled") == 1

    def test_what_is_no_trouble_cannot_be_settled(self) -> None:
        with self.kit() as kit:
            for name in ("trouble/1-1", "trouble/x", "", "outbox/1", "trouble/1-1-1", "trouble/-1"):
                raises(NotFound, kit.store.settle_trouble, name, by="kim", now=NOW)

    # --- what came back, and what should not have left -------------------------------------------

    def test_goods_that_came_back_wait_for_a_return(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4, nut=1)
            kit.hear(name, "shipped", minutes=1)
            kit.hear(name, "delivered", ("bolt", 4), minutes=2)
            box = Package("A", (("bolt", 3),))
            for minutes in (3, 4):
                words = "address unknown"
                kit.hear(name, "returned", packages=(box,), detail=words, minutes=minutes)
            ((kind, note),) = standing(kit, order_id)
            assert kind == "returned"
            assert "3 x bolt (address unknown)" in note
            (found,) = kit.store.troubles(order_id)
            assert found.lines == (("L-bolt", 3),)
            some = AuthorizeReturn("main", "web", "1", "R1", (("L-nut", 1),), node="west")
            kit.store.authorize_return(some, now=NOW)
            assert standing(kit, order_id)
            back = AuthorizeReturn("main", "web", "1", "R2", (("L-bolt", 3),), node="east")
            kit.store.authorize_return(back, now=NOW)
            assert standing(kit, order_id) == []

    def test_goods_of_which_a_return_knows_are_no_trouble(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            kit.hear(name, "shipped", minutes=1)
            back = AuthorizeReturn("main", "web", "1", "R1", (("L-bolt", 3),), node="east")
            kit.store.authorize_return(back, now=NOW)
            kit.hear(name, "returned", minutes=2)
            (found,) = kit.store.troubles(order_id)
            assert found.lines == (("L-bolt", 1),)

    def test_goods_of_a_cancelled_order_that_left_are_told(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            kit.hear(name, "partially_shipped", ("bolt", 1), minutes=1)
            kit.store.cancel(CancelOrder("main", "web", "1", 1), now=NOW + MINUTE)
            assert standing(kit, order_id) == []
            kit.hear(name, "shipped", minutes=2)
            assert standing(kit, order_id) == [
                ("left", "3 x bolt left east although the order was cancelled")
            ]
            kit.hear(name, "delivered", minutes=3)
            assert len(standing(kit, order_id)) == 1

    def test_units_that_were_taken_off_and_left_are_told(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            kit.take_in(order_of(revision=2, bolt=1))
            kit.hear(name, "shipped", minutes=2)
            assert standing(kit, order_id) == [
                ("left", "3 x bolt left east although they were taken off")
            ]

    def test_goods_that_left_after_they_were_given_back_are_told(self) -> None:
        with self.kit() as kit:
            order_id, name = self.handed(kit, bolt=4)
            kit.hear(name, "rejected", minutes=1)
            kit.hear(name, "shipped", minutes=2)
            ((kind, note),) = standing(kit, order_id)
            assert (kind, "4 units have left that had been rejected" in note) == ("left", True)

    # --- paid after all --------------------------------------------------------------------------

    def test_a_cancelled_order_that_comes_in_again_is_told_once(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of(bolt=4), queue=False)
            cancel = CancelOrder("main", "web", "1", 1)
            kit.store.cancel(cancel, now=NOW)
            kit.take_in(order_of(revision=2, bolt=4), queue=False)
            assert standing(kit, order_id) == []
            for revision in (3, 4):
                kit.take_in(order_of(revision=revision, bolt=4))
                ((kind, note),) = standing(kit, order_id)
                assert (kind, "(revision 3) and wants 4 units" in note) == ("revived", True)
            kit.store.cancel(cancel, now=NOW)  # It is told again, late.
            assert standing(kit, order_id)
            kit.store.cancel(CancelOrder("main", "web", "1", 4), now=NOW)
            assert standing(kit, order_id) == []
            kit.take_in(order_of(revision=5, bolt=4))
            assert len(standing(kit, order_id)) == 1

    def test_an_order_that_was_cancelled_before_it_came_is_told_if_it_is_later(self) -> None:
        with self.kit() as kit:
            for external_id, revision, troubles in (("1", 3, 0), ("2", 2, 1), ("3", 0, 0)):
                cancel = CancelOrder("main", "web", external_id, revision)
                kit.store.cancel(cancel, now=NOW)
                order_id = kit.take_in(order_of(external_id, revision=3, bolt=1))
                assert len(standing(kit, order_id)) == troubles

    # --- what keeps failing ----------------------------------------------------------------------

    def test_a_task_that_fails_is_told_with_since_when_until_it_works_or_is_retried(self) -> None:
        with self.kit() as kit:
            store, hour = kit.store, 60 * MINUTE
            for time in (0, 2, 4):
                now = NOW + time * hour
                task = store.lease_task("pull:web", now=now, until=now + MINUTE)
                assert task is not None
                store.settle_task(task, now=now, due_at=now, well=False, note="no answer")
            (found,) = store.failing(before=NOW)
            assert (found.id, found.note, found.attempts) == ("task/pull:web", "no answer", 3)
            assert found.parked_at == NOW
            assert store.failing(before=NOW - 1) == []
            store.revive("task/pull:web", now=NOW + 5 * hour)
            assert store.failing(before=NOW + 9 * hour) == []
            task = store.lease_task("pull:web", now=NOW + 5 * hour, until=NOW + 6 * hour)
            assert task is not None
            store.settle_task(task, now=NOW + 5 * hour, due_at=NOW + 6 * hour)
            assert store.failing(before=NOW + 9 * hour) == []
            raises(NotFound, store.revive, "task/pull:web", now=NOW)
            raises(NotFound, store.revive, "task/nobody", now=NOW)

    def test_a_task_whose_worker_dies_each_time_fails(self) -> None:
        with self.kit() as kit:
            for minute in (0, 10, 20):
                now = NOW + minute * MINUTE
                assert kit.store.lease_task("poll:x", now=now, until=now + MINUTE)
            (found,) = kit.store.failing(before=NOW + 10 * MINUTE)
            assert (found.id, found.parked_at) == ("task/poll:x", NOW + 10 * MINUTE)

    def test_a_word_to_a_node_that_fails_is_told_since_it_was_decided(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=1))
            kit.route(order_id, "east")
            assert kit.store.failing(before=NOW) == []
            (lease,) = kit.store.lease_due("release", now=NOW, until=NOW + MINUTE, limit=9)
            later = NOW + 90 * MINUTE
            kit.store.settle(lease.entry, now=NOW, retry_at=later, note="no", attempt=1)
            (found,) = kit.store.failing(before=NOW)
            assert (found.id, found.kind, found.order_id) == ("outbox/1", "release", order_id)
            assert found.fulfillment_order == f"{order_id}-1-east"
            kit.store.revive("outbox/1", now=NOW)
            kit.store.settle(lease.entry, now=NOW, note="accepted")
            assert kit.store.failing(before=later) == []
