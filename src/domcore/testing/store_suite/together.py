"""Promises about several operations in one transaction."""

from __future__ import annotations

from domcore.errors import ConflictError, NotFound, PayloadError, StoreError
from domcore.testing.store_suite.kit import KitSuite, order_of, raises
from domcore.testing.store_suite.news import state_of


class TogetherPromises(KitSuite):
    """`Store.together`."""

    def test_what_is_written_together_is_one_transaction(self) -> None:
        with self.kit() as kit:
            before = kit.store.writes()
            with kit.store.together():
                kit.count("bolt", "east", 5)
                order_id = kit.take_in(order_of(bolt=3))
                kit.route(order_id, "east")
                (name,) = kit.hand_over()
                kit.hear(name, "shipped", minutes=1)
                assert kit.shelf("bolt", "east") == (2, 0, 0), "what is written is seen inside"
            assert kit.store.writes() == before + 1
            assert kit.lines(order_id) == [(0, 0, 3, 0)]
            assert kit.work(order_id) == [(name, "shipped")]

    def test_what_is_refused_undoes_only_itself(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            first, second = (kit.take_in(order_of(each, bolt=2)) for each in "12")
            for order_id in (first, second):
                kit.route(order_id, "east")
            one, two = sorted(kit.hand_over())
            with kit.store.together():
                kit.hear(one, "shipped", ("bolt", 1), minutes=1)
                raises(ConflictError, kit.hear, one, "shipped", ("bolt", 9), minutes=2)
                raises(PayloadError, kit.hear, one, "shipped", ("saw", 1), minutes=2)
                raises(NotFound, kit.hear, "9-1-east", "shipped")
                raises(ConflictError, kit.take_in, order_of("1", bolt=1))
                kit.hear(two, "shipped", minutes=3)
            assert kit.lines(first) == [(0, 1, 1, 0)]
            assert kit.lines(second) == [(0, 0, 2, 0)]
            assert kit.shelf("bolt", "east") == (2, 1, 0)
            told = [each.kind for each in kit.store.events() if each.kind.startswith("fulfill")]
            assert told == ["fulfillment.shipped"] * 2

    def test_a_block_that_fails_leaves_nothing(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=2))
            kit.route(order_id, "east")
            (name,) = kit.hand_over()
            before, events = state_of(kit), kit.store.events()

            def fails() -> None:
                with kit.store.together():
                    kit.hear(name, "shipped", minutes=1)
                    raises(NotFound, kit.hear, "9-1-east", "shipped")
                    kit.take_in(order_of("2", bolt=1))
                    raise NotFound("the block")

            raises(NotFound, fails)
            assert (state_of(kit), kit.store.events()) == (before, events)
            assert kit.store.find_order("web/2") == []
            kit.hear(name, "shipped", minutes=1)
            assert kit.lines(order_id) == [(0, 0, 2, 0)]

    def test_a_block_is_in_no_other_block(self) -> None:
        with self.kit() as kit:

            def inside_another() -> None:
                with kit.store.together(), kit.store.together():
                    pass

            def inside_a_snapshot() -> None:
                with kit.store.snapshot(), kit.store.together():
                    pass

            raises(StoreError, inside_another)
            raises(StoreError, inside_a_snapshot)
            with kit.store.together():
                kit.count("bolt", "east", 5)
            assert kit.shelf("bolt", "east") == (5, 0, 0)
