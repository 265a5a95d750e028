"""Promises about what persons change by hand."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from domcore.errors import ConflictError, NotFound, PayloadError
from domcore.model.command import AmendOrder, CancelOrder
from domcore.model.correction import CorrectOrder, MoveWork, RerouteOrder
from domcore.model.order import Person
from domcore.model.place import Destination
from domcore.testing.store_suite.kit import NOW, KitSuite, StoreKit, order_of, raises
from domcore.testing.store_suite.recalling import close

ORDER = ("main", "web", "1")
ODD: Any = (3,)
ADA = Person("Ada", street=("1 Old St",), postal="10", country="DE")


def wants(units: Any, sku: str = "bolt", **more: Any) -> CorrectOrder:
    """So many units of a line."""
    return CorrectOrder(*ORDER, ((f"L-{sku}", units),), **more)


class CorrectingPromises(KitSuite):
    """`Store.correct_order`, `Store.move` and `Store.reroute`."""

    def _decided(self, kit: StoreKit, node: str = "east", **lines: int) -> int:
        """An order routed to a node that has plenty."""
        for sku in lines:
            for each in ("east", "west"):
                kit.count(sku, each, 90)
        order_id = kit.take_in(order_of("1", 1, **lines), person=ADA)
        kit.route(order_id, node)
        return order_id

    def _kinds(self, kit: StoreKit, order_id: int) -> list[str]:
        return [event.kind for event in kit.store.events(order_id=order_id)]

    # --- corrections -----------------------------------------------------------------------------

    def test_a_smaller_line_is_freed_and_a_larger_one_is_open(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4, nut=1)
            assert kit.store.correct_order(wants(1), now=NOW).outcome == "amended"
            assert kit.shelf("bolt", "east") == (90, 1, 0)
            more = CorrectOrder(*ORDER, changes=(("L-nut", 2),))
            assert kit.store.correct_order(more, now=NOW).outcome == "amended"
            assert kit.lines(order_id) == [(0, 1, 0, 0), (2, 1, 0, 0)]
            assert kit.store.correct_order(wants(1), now=NOW).outcome == "nothing"

    def test_a_correction_with_a_key_is_made_once(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            command = CorrectOrder(*ORDER, changes=(("L-bolt", 1),), key="k")
            assert kit.store.correct_order(command, now=NOW).outcome == "amended"
            assert kit.store.correct_order(command, now=NOW).outcome == "duplicate"
            assert kit.lines(order_id) == [(1, 4, 0, 0)]
            other = evolve(command, changes=(("L-bolt", 2),))
            raises(ConflictError, kit.store.correct_order, other, now=NOW)

    def test_what_has_left_is_not_corrected_and_nothing_bad_changes_anything(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            (name,) = kit.hand_over()
            kit.hear(name, "partially_shipped", ("L-bolt", 2))
            before = list(kit.store.audit("event"))
            for bad in (
                wants(1), wants(-1), wants(10**10), wants(1, "saw"), CorrectOrder(*ORDER),
                CorrectOrder(*ORDER, changes=(("L-bolt", -5),)),
                CorrectOrder(*ORDER, (("L-bolt", 3), ("L-bolt", 4))),
                wants("2"), wants(True), wants(2, reason=7),
                evolve(wants(3), person=Person(*ODD)),
            ):  # fmt: skip
                raises(PayloadError, kit.store.correct_order, bad, now=NOW)
            raises(ConflictError, kit.store.correct_order, wants(3, revision=7), now=NOW)
            nobody = evolve(wants(3), owner="other")
            raises(NotFound, kit.store.correct_order, nobody, now=NOW)
            assert list(kit.store.audit("event")) == before
            assert kit.lines(order_id) == [(0, 2, 2, 0)]

    def test_a_node_that_has_more_than_is_wanted_is_asked_to_stop(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            (name,) = kit.hand_over()
            kit.store.correct_order(wants(3), now=NOW)
            assert kit.work(order_id) == [(name, "cancel_requested")]
            kit.hear(name, "cancelled", minutes=1)
            assert kit.lines(order_id) == [(3, 0, 0, 0)]

    def test_a_cancelled_order_is_not_corrected(self) -> None:
        with self.kit() as kit:
            self._decided(kit, bolt=4)
            kit.store.cancel(CancelOrder(*ORDER, 2), now=NOW)
            raises(ConflictError, kit.store.correct_order, wants(3), now=NOW)

    def test_a_correction_outlives_revisions_that_tell_the_same_line(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4, nut=1)
            kit.store.correct_order(wants(2), now=NOW)
            kit.take_in(order_of(revision=2, bolt=4, nut=3))
            assert [sum(line) for line in kit.lines(order_id)] == [2, 3]
            # The channel comes nearer to what was said: its own edits are on their way.
            kit.take_in(order_of(revision=3, bolt=3, nut=3))
            assert [sum(line) for line in kit.lines(order_id)] == [2, 3]
            kit.take_in(order_of(revision=4, bolt=2, nut=3))
            assert list(kit.store.audit("correction")) == []

    def test_the_channel_wins_where_it_tells_something_else(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            for revision, told in ((2, 5), (3, 1)):
                kit.store.correct_order(wants(2), now=NOW)
                kit.take_in(order_of(revision=revision, bolt=told))
                assert [sum(line) for line in kit.lines(order_id)] == [told]
                assert list(kit.store.audit("correction")) == []
                (last,) = list(kit.store.events(order_id=order_id))[-1:]
                assert last.body["over"] == ["line:L-bolt"]

    def test_what_a_person_has_taken_off_is_not_taken_off_twice(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            kit.store.correct_order(wants(2), now=NOW)
            for number, left in ((1, 2), (2, 2), (3, 1)):
                edit = AmendOrder(*ORDER, f"edit-{number}", number + 1, (("L-bolt", 1),))
                kit.store.amend(edit, now=NOW)
                assert sum(kit.lines(order_id)[0]) == left, number

    def test_a_refund_takes_off_what_a_person_has_added_to(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            kit.store.correct_order(wants(6), now=NOW)
            kit.store.amend(AmendOrder(*ORDER, "edit", 2, (("L-bolt", 1),)), now=NOW)
            assert sum(kit.lines(order_id)[0]) == 5

    # --- addresses -------------------------------------------------------------------------------

    def test_another_place_frees_what_is_not_handed_over_and_keeps_it_from_going(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            moved = CorrectOrder(*ORDER, destination=Destination("FR", postal="75"))
            assert kit.store.correct_order(moved, now=NOW).outcome == "amended"
            assert kit.lines(order_id) == [(4, 0, 0, 0)]
            assert kit.store.order(order_id).order.destination == Destination("FR", postal="75")

    def test_an_address_outlives_revisions_until_the_channel_tells_another(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            new = evolve(ADA, street=("9 New St",), postal="75", country="FR", phone="1")
            place = Destination("FR", postal="75")
            kit.store.correct_order(CorrectOrder(*ORDER, destination=place, person=new), now=NOW)
            again = evolve(ADA, email="ada@example.com")
            kit.take_in(order_of(revision=2, bolt=4), person=again)
            view = kit.store.order(order_id)
            assert view.person == evolve(new, email="ada@example.com")
            assert view.order.destination == place
            kit.take_in(order_of(revision=3, bolt=4))
            assert kit.store.order(order_id).order.destination == place
            elsewhere = evolve(again, street=("7 Third St",))
            kit.take_in(order_of(revision=4, bolt=4), person=elsewhere)
            view = kit.store.order(order_id)
            assert view.person == evolve(elsewhere, phone="1")
            assert view.order.destination == Destination("DE", postal="10")

    def test_nodes_that_have_the_work_are_told_of_another_street(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            (name,) = kit.hand_over()
            kit.hear(name, "accepted")
            new = evolve(ADA, street=("9 New St",))
            kit.store.correct_order(CorrectOrder(*ORDER, person=new), now=NOW)
            due = kit.store.lease_due("change", now=NOW, until=NOW + 1, limit=9)
            assert [lease.order_id for lease in due] == [order_id]
            assert [each.kind for each in kit.store.troubles(order_id)] == ["changed"]

    def test_erasing_forgets_what_was_told_and_what_was_said(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            new = evolve(ADA, street=("9 New St",))
            kit.store.correct_order(CorrectOrder(*ORDER, person=new), now=NOW)
            assert kit.store.erase(order_id)
            assert list(kit.store.audit("person")) == []
            kit.take_in(order_of(revision=2, bolt=4), person=ADA)
            assert kit.store.order(order_id).person == ADA

    # --- moves -----------------------------------------------------------------------------------

    def test_work_that_nobody_has_begun_is_open_again_and_the_node_is_noted(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            told = kit.store.move(MoveWork(f"{order_id}-1-east", "west"), now=NOW)
            assert told.outcome == "moved"
            assert kit.lines(order_id) == [(4, 0, 0, 0)]
            assert kit.hand_over() == []
            found = kit.open(order_id)
            assert (found.chosen, found.excluded) == (((0, kit.node["west"]),), ())
            assert "work.moved" in self._kinds(kit, order_id)

    def test_work_that_is_moved_away_does_not_come_back_and_counts_as_no_rejection(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            kit.store.move(MoveWork(f"{order_id}-1-east"), now=NOW)
            found = kit.open(order_id)
            assert found.excluded == ((0, kit.node["east"], "moved"),)
            assert (found.chosen, found.rejections) == ((), 0)
            assert kit.store.waiting("rejected", before=NOW, limit=9) == []

    def test_a_node_that_has_the_work_is_asked_to_stop_first(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            (name,) = kit.hand_over()
            told = kit.store.move(MoveWork(name, "west"), now=NOW)
            assert told.outcome == "asked"
            assert kit.lines(order_id) == [(0, 4, 0, 0)]
            asked = kit.store.lease_due("cancel", now=NOW, until=NOW + 1, limit=9)
            assert [lease.order_id for lease in asked] == [order_id]
            kit.hear(name, "cancelled", minutes=1)
            assert kit.open(order_id).chosen == ((0, kit.node["west"]),)
            assert kit.open(order_id).excluded == ()

    def test_what_was_said_of_work_before_is_no_news(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            (name,) = kit.hand_over()
            for to in ("", "west"):
                assert kit.store.move(MoveWork(name, to), now=NOW).outcome in ("asked", "moved")
                before = self._kinds(kit, order_id)
                again = kit.store.move(MoveWork(name, to), now=NOW + 1)
                assert again.outcome == "nothing"
                assert "asked to stop" in again.detail
                assert self._kinds(kit, order_id) == before
            assert before.count("work.moved") == 2

    def test_a_node_that_was_chosen_and_rejects_is_not_chosen_any_more(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            kit.store.move(MoveWork(f"{order_id}-1-east", "west"), now=NOW)
            kit.route(order_id, "west")
            (name,) = kit.hand_over()
            kit.hear(name, "rejected", reason="closed", minutes=1)
            found = kit.open(order_id)
            assert (found.chosen, found.rejections) == ((), 1)
            assert found.excluded == ((0, kit.node["west"], "closed"),)

    def test_what_cannot_be_moved_is_refused(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            work = f"{order_id}-1-east"
            odd: Any = 3
            for to in ("east", "mars", "x" * 9999, odd):
                raises(PayloadError, kit.store.move, MoveWork(work, to), now=NOW)
            close(kit, "west")
            raises(PayloadError, kit.store.move, MoveWork(work, "west"), now=NOW)
            for name in ("99-1-east", f"{order_id}-2-east", f"{order_id}-1-mars", "x"):
                raises(NotFound, kit.store.move, MoveWork(name), now=NOW)
            kit.hand_over()
            kit.hear(work, "shipped")
            raises(ConflictError, kit.store.move, MoveWork(work), now=NOW)
            assert kit.lines(order_id) == [(0, 0, 4, 0)]

    def test_a_move_with_a_key_is_made_once(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            command = MoveWork(f"{order_id}-1-east", key="k")
            assert kit.store.move(command, now=NOW).outcome == "moved"
            assert kit.store.move(command, now=NOW).outcome == "duplicate"
            raises(ConflictError, kit.store.move, evolve(command, to="west"), now=NOW)

    # --- routing again ---------------------------------------------------------------------------

    def test_what_nobody_has_begun_is_open_again(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4, nut=1)
            command = RerouteOrder(*ORDER, key="k")
            assert kit.store.reroute(command, now=NOW).outcome == "rerouted"
            assert kit.lines(order_id) == [(4, 0, 0, 0), (1, 0, 0, 0)]
            assert kit.store.reroute(command, now=NOW).outcome == "duplicate"
            assert self._kinds(kit, order_id).count("order.rerouted") == 1

    def test_what_nodes_have_stays_with_them(self) -> None:
        with self.kit() as kit:
            order_id = self._decided(kit, bolt=4)
            kit.hand_over()
            assert kit.store.reroute(RerouteOrder(*ORDER), now=NOW).outcome == "nothing"
            assert kit.lines(order_id) == [(0, 4, 0, 0)]

    def test_carts_and_cancelled_orders_are_not_routed_again(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of(bolt=4), queue=False)
            raises(ConflictError, kit.store.reroute, RerouteOrder(*ORDER), now=NOW)
            kit.store.cancel(CancelOrder(*ORDER, 2), now=NOW)
            raises(ConflictError, kit.store.reroute, RerouteOrder(*ORDER), now=NOW)
            nobody = RerouteOrder("main", "web", "99")
            raises(NotFound, kit.store.reroute, nobody, now=NOW)
