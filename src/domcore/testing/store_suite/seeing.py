"""Promises about finding orders, what waits for a person, and what figures are made of."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from domcore.model import CancelOrder, Hold, ObserveStock, Person, StockCount
from domcore.model.clock import to_micros
from domcore.model.status import ORDER_STATUSES
from domcore.store.protocol import OrderFilter
from domcore.testing.store_suite.kit import MINUTE, NOW, START, KitSuite, StoreKit, order_of

HOUR = 60 * MINUTE


def a_bit_of_everything(kit: StoreKit) -> dict[str, int]:
    """One order of each status that needs no news, by status."""
    kit.count("bolt", "east", 50)
    found = {
        "open": kit.take_in(order_of("open", bolt=2)),
        "empty": kit.take_in(order_of("empty")),
        "allocated": kit.take_in(order_of("allocated", bolt=2)),
        "partly allocated": kit.take_in(order_of("part", bolt=3)),
        "reserved": kit.take_in(order_of("reserved", bolt=1)),
        "short": kit.take_in(order_of("short", nut=1)),
        "held": kit.take_in(order_of("held", bolt=1)),
        "cancelled": kit.take_in(order_of("cancelled", bolt=1)),
    }
    kit.route(found["allocated"], "east")
    kit.route(found["partly allocated"], "east", units=2, reason="stock")
    kit.route(found["reserved"], "east", purpose="reserve", expires_at=NOW + HOUR)
    kit.route(found["short"], "east", draws=(), reason="stock", retry_at=NOW + HOUR)
    hold = Hold("fraud", "looks odd", "route")
    kit.route(found["held"], "east", draws=(), holds=(hold,), event=("order.held", b'{"format":1}'))
    kit.store.cancel(CancelOrder("main", "web", "cancelled", 1), now=NOW)
    return found


class SeeingPromises(KitSuite):
    """Search, exceptions, figures."""

    def test_a_filter_by_status_finds_what_the_summaries_say(self) -> None:
        with self.kit() as kit:
            made = a_bit_of_everything(kit)
            every = kit.store.find_orders(OrderFilter(), limit=99)
            assert {order.order_id: order.status for order in every} == {
                order_id: status for status, order_id in made.items()
            }
            for status in ORDER_STATUSES:
                found = kit.store.find_orders(OrderFilter(status=status), limit=99)
                assert [order.order_id for order in found] == [
                    order.order_id for order in every if order.status == status
                ]

    def test_a_filter_by_hold_finds_standing_ones_only(self) -> None:
        with self.kit() as kit:
            held = a_bit_of_everything(kit)["held"]
            wanted = OrderFilter(hold="fraud")
            assert [o.order_id for o in kit.store.find_orders(wanted, limit=9)] == [held]
            assert not kit.store.find_orders(OrderFilter(hold="other"), limit=9)
            kit.store.approve(held, by="kim", now=NOW)
            assert not kit.store.find_orders(wanted, limit=9)

    def test_words_find_orders_by_what_people_say_of_them(self) -> None:
        with self.kit() as kit:
            made = a_bit_of_everything(kit)
            person = Person(name="Zoë O'Hara", email="Zoe@Shop.example", street=("5 Elm St",))
            hers = kit.take_in(order_of("A-77", bolt=1), person=person)

            def found(*words: str) -> list[int]:
                orders = kit.store.find_orders(OrderFilter(words=words), limit=99)
                return [order.order_id for order in orders]

            assert found("a-77") == found("zoë o'hara") == found("ZOE@", "elm") == [hers]
            assert found("7", "BOLT", "shop.EXAMPLE", "5 elm") == [hers]
            assert found("EAST") == sorted(
                made[status] for status in ("allocated", "partly allocated", "reserved")
            )
            assert found("elm", "nobody") == found("street") == found("%") == found("_-77") == []
            kit.store.erase(hers)
            assert found("elm") == []
            assert found("a-77") == [hers]

    def test_the_newest_orders_come_first_where_that_is_asked_for(self) -> None:
        with self.kit() as kit:
            ids = sorted(a_bit_of_everything(kit).values(), reverse=True)

            def page(after: int) -> list[int]:
                orders = kit.store.find_orders(OrderFilter(), limit=3, after=after, newest=True)
                return [order.order_id for order in orders]

            assert page(0) == ids[:3]
            assert page(ids[2]) == ids[3:6]
            assert page(ids[-1]) == []

    def test_a_filter_by_promise_finds_what_has_not_left(self) -> None:
        with self.kit() as kit:
            due = START + timedelta(hours=5)
            ship = kit.take_in(evolve(order_of("ship", bolt=1), ship_by=due))
            both = kit.take_in(
                evolve(
                    order_of("both", bolt=1),
                    ship_by=due + timedelta(days=1),
                    deliver_by=due - timedelta(hours=1),
                )
            )
            kit.take_in(order_of("none", bolt=1))
            gone = kit.take_in(evolve(order_of("gone", bolt=1), ship_by=due))
            kit.store.cancel(CancelOrder("main", "web", "gone", 1), now=NOW)

            def late(at: int) -> list[int]:
                found = kit.store.find_orders(OrderFilter(late=at), limit=9)
                waits = kit.store.waiting("late", before=at, limit=9)
                assert [order.order_id for order in found] == [wait.key[0] for wait in waits]
                assert len(waits) == kit.store.count_waiting("late", before=at)
                return [order.order_id for order in found]

            assert late(to_micros(due)) == [ship, both]
            assert late(to_micros(due) - HOUR) == [both]
            assert late(to_micros(due) - 2 * HOUR) == []
            assert gone not in late(to_micros(due) + 99 * HOUR)

    def test_what_waits_is_found_by_kind_a_page_at_a_time(self) -> None:
        with self.kit() as kit:
            made = a_bit_of_everything(kit)
            short = kit.store.waiting("short", before=NOW, limit=9)
            assert [wait.key[0] for wait in short] == [made["partly allocated"], made["short"]]
            assert {wait.note for wait in short} == {"stock"}
            first = kit.store.waiting("short", before=NOW, limit=1)
            rest = kit.store.waiting("short", before=NOW, limit=9, after=first[0].key)
            assert first + rest == short
            (held,) = kit.store.waiting("held", before=NOW, limit=9)
            assert (held.key[0], held.since) == (made["held"], NOW)
            assert not kit.store.waiting("held", before=NOW, limit=9, owner="nobody")
            assert kit.store.count_waiting("held", before=NOW, owner="main") == 1
            assert kit.store.count_waiting("held", before=NOW, owner="nobody") == 0
            for kind in ("unknown", "rejected"):
                assert not kit.store.waiting(kind, before=NOW, limit=9)

    def test_work_without_news_is_stuck_after_a_while(self) -> None:
        with self.kit() as kit:
            made = a_bit_of_everything(kit)
            assert not kit.store.waiting("stuck", before=NOW - 1, limit=9)
            stuck = kit.store.waiting("stuck", before=NOW, limit=9)
            assert [wait.fulfillment_order for wait in stuck] == [
                f"{made['allocated']}-1-east",
                f"{made['partly allocated']}-1-east",
            ]
            assert {(wait.node, wait.since, wait.note) for wait in stuck} == {
                ("east", NOW, "requested")
            }

    def test_shortfalls_are_told_of_the_orders_they_touch(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            kit.count("nut", "east", 5)
            touched = kit.take_in(order_of("1", bolt=4))
            other = kit.take_in(order_of("2", nut=4))
            kit.route(touched, "east")
            kit.route(other, "east")
            count = StockCount("bolt", "east", on_hand=1, as_of=START + timedelta(minutes=5))
            kit.store.observe_stock(ObserveStock("main", (count,)), now=NOW + 5 * MINUTE)
            (event,) = kit.store.shortfalls(touched)
            assert (event.kind, event.body["sku"], event.body["node"]) == (
                "stock.shortfall",
                "bolt",
                "east",
            )
            assert kit.store.shortfalls(other) == []

    def test_backlog_and_words_to_nodes_are_summed_by_node(self) -> None:
        with self.kit() as kit:
            a_bit_of_everything(kit)
            assert kit.store.backlog() == [("east", 2, 4, NOW)]
            assert kit.store.backlog(owner="main") == kit.store.backlog()
            assert kit.store.backlog(owner="nobody") == []
            assert kit.store.outgoing() == [("east", 2, 0, 0)]

    def test_facts_hold_every_order_with_its_events(self) -> None:
        with self.kit() as kit:
            made = a_bit_of_everything(kit)
            every = kit.store.facts(OrderFilter(), limit=99)
            assert [facts.order_id for facts in every] == sorted(made.values())
            by_id = {facts.order_id: facts for facts in every}
            mine = by_id[made["allocated"]]
            assert [kind for kind, _, _ in mine.events] == ["order.captured", "order.routed"]
            assert mine.work == {f"{made['allocated']}-1-east": "requested"}
            assert (mine.captured_at, mine.buckets) == (NOW, (0, 2, 0, 0))
            paged = kit.store.facts(OrderFilter(), limit=3, after=mine.order_id)
            assert [facts.order_id for facts in paged] == [
                facts.order_id for facts in every if facts.order_id > mine.order_id
            ][:3]
            assert kit.store.facts(OrderFilter(captured_from=NOW + 1), limit=9) == []
            assert kit.store.facts(OrderFilter(captured_until=NOW), limit=9) == []
