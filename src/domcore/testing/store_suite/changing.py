"""Promises about a person that changes while nodes have the work."""

from __future__ import annotations

from attrs import evolve

from domcore.model import CancelOrder, CaptureOrder, Destination, Person
from domcore.store.protocol import Lease
from domcore.testing.store_suite.kit import MINUTE, NOW, KitSuite, StoreKit, order_of

ADA = Person(name="Ada", street=("1 Old St",))
MOVED = Person(name="Ada", street=("9 New St",))


class ChangingPromises(KitSuite):
    """`Store.capture` of another person, `Store.told_change`, `Store.stop_instead`."""

    def at_work(self, kit: StoreKit, external_id: str = "1") -> str:
        """An order that the east node works on; its work's name."""
        kit.count("bolt", "east", 9)
        kit.route(kit.take_in(order_of(external_id, bolt=2), person=ADA), "east")
        (lease,) = kit.store.lease_due("release", now=NOW, until=NOW + MINUTE, limit=9)
        kit.store.settle(lease.entry, now=NOW)
        kit.hear(lease.key, "accepted")
        return lease.key

    def words(self, kit: StoreKit) -> list[Lease]:
        """What nodes are to be told of changes."""
        return kit.store.lease_due("change", now=NOW, until=NOW + MINUTE, limit=9)

    def standing(self, kit: StoreKit) -> list[str]:
        """What people are shown."""
        return [each.note for each in kit.store.waiting("trouble", before=NOW, limit=9)]

    def test_a_node_is_told_once_of_each_change(self) -> None:
        with self.kit() as kit:
            name = self.at_work(kit)
            kit.take_in(order_of(revision=2, bolt=2), person=ADA)
            assert (self.words(kit), self.standing(kit)) == ([], [])
            for revision in (3, 4):
                kit.take_in(order_of(revision=revision, bolt=2), person=MOVED)
            (lease,) = self.words(kit)
            assert lease.key == f"{name}-change"
            assert self.standing(kit) == [
                "east had the work before street changed (revision 3), and may ship to the old one"
            ]
            # Again while the word is on its way: that one carries the old street.
            kit.take_in(order_of(revision=5, bolt=2), person=ADA)
            kit.store.settle(lease.entry, now=NOW)
            kit.store.told_change(name, now=NOW)
            assert len(self.standing(kit)) == 1
            (again,) = self.words(kit)
            kit.store.settle(again.entry, now=NOW)
            kit.store.told_change(name, now=NOW)
            assert self.standing(kit) == []

    def test_a_node_that_cannot_is_asked_to_stop_and_then_all_is_well(self) -> None:
        with self.kit() as kit:
            name = self.at_work(kit)
            kit.take_in(order_of(revision=2, bolt=2), person=MOVED)
            for _ in range(2):
                kit.store.stop_instead(name, now=NOW)
            ((_, status),) = kit.work(int(name.partition("-")[0]))
            assert status == "cancel_requested"
            assert self.words(kit) == []
            stops = kit.store.lease_due("cancel", now=NOW, until=NOW + MINUTE, limit=9)
            assert len(stops) == len(self.standing(kit)) == 1
            kit.hear(name, "cancelled", exclude_until=NOW + 9 * MINUTE, minutes=1)
            assert self.standing(kit) == []
            (found,) = kit.store.open_orders(now=NOW + MINUTE, limit=9)
            assert (found.open, found.excluded) == ((2,), ())

    def test_where_the_destination_moves_the_node_is_asked_to_stop(self) -> None:
        with self.kit() as kit:
            name = self.at_work(kit)
            moved = evolve(order_of(revision=2, bolt=2), destination=Destination("FR", postal="75"))
            kit.take_in(moved, person=MOVED)
            assert kit.work(int(name.partition("-")[0])) == [(name, "cancel_requested")]
            assert (self.words(kit), len(self.standing(kit))) == ([], 1)

    def test_a_cancelled_order_that_comes_in_with_other_data_is_two_troubles(self) -> None:
        with self.kit() as kit:
            for external_id, revisions, place, person in (
                ("1", (2,), "10", MOVED), ("2", (2,), "75", ADA), ("3", (2, 3), "10", MOVED)
            ):  # fmt: skip
                name = self.at_work(kit, external_id)
                kit.store.cancel(CancelOrder("main", "web", external_id, 1), now=NOW)
                orders = [order_of(external_id, revision=each, bolt=2) for each in revisions]
                where = Destination("DE", postal=place)
                commands = [CaptureOrder(evolve(o, destination=where), person) for o in orders]
                told = kit.store.capture(commands, now=NOW)
                assert {each.outcome for each in told} == {"amended"}
                order_id = int(name.partition("-")[0])
                found = [(each.number, each.kind) for each in kit.store.troubles(order_id)]
                assert found == [(1, "changed"), (2, "revived")]
                assert kit.work(order_id) == [(name, "cancel_requested")]
                kit.hear(name, "cancelled", minutes=1)
                left = [t.kind for t in kit.store.troubles(order_id) if t.settled_at is None]
                assert left == ["revived"]

    def test_work_that_is_over_is_told_nothing(self) -> None:
        with self.kit() as kit:
            name = self.at_work(kit)
            kit.hear(name, "shipped", minutes=1)
            kit.take_in(order_of(revision=2, bolt=2), person=MOVED)
            kit.store.stop_instead(name, now=NOW)
            assert (self.words(kit), self.standing(kit)) == ([], [])
