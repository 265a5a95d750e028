"""Promises about nodes that close: they get no work that they have not begun."""

from __future__ import annotations

from attrs import evolve

from domcore.testing.store_suite.kit import MINUTE, NOW, KitSuite, StoreKit, order_of


def close(kit: StoreKit, code: str, *, gone: bool = False) -> None:
    """Switch a node off, or take it out of the network."""
    network = kit.store.network().network
    nodes = [evolve(node, enabled=False) if node.id == code else node for node in network.nodes]
    kept = tuple(node for node in nodes if not (gone and node.id == code))
    kit.store.save_network(evolve(network, nodes=kept), now=NOW)


class RecallPromises(KitSuite):
    """`Store.recall`, `Store.recall_due`, and `Store.keep` at nodes that are closed."""

    def ordered(self, kit: StoreKit, external_id: str) -> int:
        """An order routed to the east node."""
        if not any(kit.shelf("bolt", "east")):
            kit.count("bolt", "east", 90)
        order_id = kit.take_in(order_of(external_id, bolt=2))
        kit.route(order_id, "east")
        return order_id

    def test_work_that_nobody_has_begun_is_taken_back_from_a_closed_node(self) -> None:
        for number, gone in enumerate((False, True)):
            with self.kit() as kit:
                first, second = (self.ordered(kit, f"{number}-{each}") for each in "ab")
                close(kit, "east", gone=gone)
                last = kit.store.recall(now=NOW, limit=1, after=first - 1)
                assert last == first
                assert kit.store.recall(now=NOW, limit=1, after=last) == second
                assert kit.store.recall(now=NOW, limit=9, after=second) == 0
                assert kit.shelf("bolt", "east")[1:] == (0, 0)
                for order_id in (first, second):
                    assert kit.work(order_id)[0][1] == "cancelled"
                    assert kit.lines(order_id) == [(2, 0, 0, 0)]
                    kinds = [event.kind for event in kit.store.events(order_id=order_id)]
                    assert kinds[-1] == "order.recalled"
                assert kit.hand_over() == []
                due = kit.store.open_orders(now=NOW, limit=99)
                assert {first, second} <= {each.order_id for each in due}
                open_again = kit.store.network().network
                nodes = tuple(evolve(node, enabled=True) for node in open_again.nodes)
                kit.store.save_network(evolve(open_again, nodes=nodes), now=NOW)

    def test_what_a_partner_may_have_stays_with_it(self) -> None:
        with self.kit() as kit:
            order_id = self.ordered(kit, "1")
            (name,) = kit.hand_over()
            close(kit, "east")
            kit.store.recall(now=NOW, limit=9)
            assert kit.work(order_id) == [(name, "requested")]
            kit.hear(name, "accepted", minutes=1)
            kit.store.recall(now=NOW, limit=9)
            assert kit.lines(order_id) == [(0, 2, 0, 0)]

    def test_what_certainly_never_reached_its_node_is_taken_back_when_it_is_due(self) -> None:
        with self.kit() as kit:
            order_id = self.ordered(kit, "1")
            assert kit.store.recall_due(now=NOW) == 0
            (lease,) = kit.store.lease_due("release", now=NOW, until=NOW + MINUTE, limit=9)
            kit.store.settle(lease.entry, now=NOW, retry_at=NOW, note="refused", attempt=1)
            close(kit, "east")
            assert kit.store.recall_due(now=NOW) == 2
            assert kit.lines(order_id) == [(2, 0, 0, 0)]
            assert kit.hand_over() == []

    def test_a_cart_at_a_closed_node_is_kept_and_planned_anew(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order_id = kit.take_in(order_of(bolt=2), queue=False)
            kit.route(order_id, "east", purpose="reserve", expires_at=NOW + MINUTE, release=())
            close(kit, "east")
            outcome = kit.store.keep(order_id, now=NOW)
            assert (outcome.outcome, outcome.detail) == ("kept", "2 units to be planned anew")
            assert kit.work(order_id) == []
            assert kit.lines(order_id) == [(2, 0, 0, 0)]
            assert [each.order_id for each in kit.store.open_orders(now=NOW, limit=9)] == [order_id]
            assert kit.store.keep(order_id, now=NOW).outcome == "nothing"
