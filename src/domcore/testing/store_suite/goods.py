"""Promises about configuration, stock and what is kept."""

from __future__ import annotations

from attrs import evolve

from domcore.errors import (
    ConflictError,
    NotFound,
    PayloadError,
    StoreError,
)
from domcore.model import (
    Alias,
    CancelOrder,
    Item,
    Network,
    ObserveStock,
    Person,
    StockCount,
)
from domcore.store.rows import TABLES
from domcore.testing.store_suite.kit import (
    MINUTE,
    NODES,
    NOW,
    KitSuite,
    order_of,
    raises,
)


class GoodsPromises(KitSuite):
    """Networks, items, stock, events, keeping."""

    # --- configuration ---------------------------------------------------------------------------

    def test_an_equal_network_changes_nothing(self) -> None:
        with self.kit() as kit:
            before = kit.store.network()
            assert kit.store.save_network(before.network, now=NOW + 1) == before

    def test_a_node_that_is_gone_stays_disabled_while_it_holds_goods(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 1)
            nodes = tuple(n for n in kit.store.network().network.nodes if n.id == "west")
            saved = kit.store.save_network(Network(nodes), now=NOW)
            assert [(n.id, n.enabled) for n in saved.network.nodes] == [
                ("east", False),
                ("west", True),
            ]
            assert saved.node_ids == (kit.node["east"], kit.node["west"])
            assert kit.store.save_network(Network(nodes), now=NOW) == saved

    def test_items_are_replaced_and_keep_their_ids(self) -> None:
        with self.kit() as kit:
            new = Item("bolt", name="Bolt", weight=12)
            assert kit.store.save_items("main", [new, Item("file")], now=NOW) == 2
            found = kit.store.items("main", ["bolt", "file", "none"])
            assert found["bolt"] == (kit.item["bolt"], new)
            assert sorted(found) == ["bolt", "file"]

    def test_owners_do_not_see_each_others_items(self) -> None:
        with self.kit() as kit:
            kit.store.save_items("other", [Item("bolt", weight=9)], now=NOW)
            mine, theirs = kit.store.items("main", ["bolt"]), kit.store.items("other", ["bolt"])
            assert mine["bolt"].item_id != theirs["bolt"].item_id
            assert kit.store.items("nobody", ["bolt"]) == {}

    def test_an_alias_of_no_item_is_refused_and_nothing_is_written(self) -> None:
        with self.kit() as kit:
            alias = Alias("web", "77", "missing")
            raises(PayloadError, kit.store.save_items, "main", [Item("new")], [alias], now=NOW)
            assert kit.store.items("main", ["new"]) == {}

    def test_a_blob_is_kept_once_under_its_digest(self) -> None:
        with self.kit() as kit:
            digest = kit.store.put_blob("pack", b"abc")
            assert kit.store.put_blob("pack", b"abc") == digest
            assert kit.store.blob(digest) == b"abc"
            raises(NotFound, kit.store.blob, "0" * 64)

    # --- stock -----------------------------------------------------------------------------------

    def test_a_count_sets_what_is_on_hand(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 7)
            kit.count("bolt", "east", 4, minutes=1)
            assert kit.shelf("bolt", "east") == (4, 0, 0)

    def test_a_count_older_than_the_last_is_dropped(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 7, minutes=5)
            kit.count("bolt", "east", 99, minutes=4)
            assert kit.shelf("bolt", "east") == (7, 0, 0)

    def test_units_shipped_after_a_count_are_reapplied(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 10)
            order_id = kit.take_in(order_of(bolt=3))
            kit.route(order_id, "east")
            name = kit.work(order_id)[0][0]
            kit.hear(name, "shipped", minutes=10)
            assert kit.shelf("bolt", "east") == (7, 0, 0)
            kit.count("bolt", "east", 9, minutes=5)
            assert kit.shelf("bolt", "east") == (6, 0, 0)

    def test_a_delta_adds_and_its_key_makes_it_safe_to_repeat(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            news = ObserveStock("main", (StockCount("bolt", "east", delta=-2),), key="d1")
            assert kit.store.observe_stock(news, now=NOW + 1).outcome == "observed"
            assert kit.store.observe_stock(news, now=NOW + 2).outcome == "duplicate"
            assert kit.shelf("bolt", "east") == (3, 0, 0)
            other = evolve(news, counts=(StockCount("bolt", "east", delta=-1),))
            raises(ConflictError, kit.store.observe_stock, other, now=NOW + 3)

    def test_bad_news_of_stock_lists_every_problem_and_writes_nothing(self) -> None:
        with self.kit() as kit:
            counts = (
                StockCount("bolt", "east", on_hand=1),
                StockCount("none", "nowhere", on_hand=1),
                StockCount("bolt", "east", on_hand=1, delta=1),
                StockCount("bolt", "east", on_hand=-1),
                StockCount("bolt", "east", on_hand=10**9 + 1),
                StockCount("bolt", "east", on_hand=True),
            )
            error = raises(
                PayloadError, kit.store.observe_stock, ObserveStock("main", counts), now=NOW
            )
            assert isinstance(error, PayloadError)
            assert [problem.path for problem in error.problems] == [
                "$.counts[1].sku",
                "$.counts[1].node",
                "$.counts[2]",
                "$.counts[3].on_hand",
                "$.counts[4].on_hand",
                "$.counts[5].on_hand",
            ]
            assert kit.store.stock_cursor() == 0

    def test_a_count_below_what_is_reserved_frees_the_youngest(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            first, second = kit.take_in(order_of("1", bolt=3)), kit.take_in(order_of("2", bolt=2))
            kit.route(first, "east")
            kit.route(second, "east")
            kit.count("bolt", "east", 4, minutes=1)
            assert kit.shelf("bolt", "east") == (4, 4, 0)
            assert kit.lines(first) == [(0, 3, 0, 0)]
            assert kit.lines(second) == [(1, 1, 0, 0)]
            assert "stock.shortfall" in [event.kind for event in kit.store.events()]
            queue = kit.store.open_orders(now=NOW + MINUTE, limit=9)
            assert [found.order_id for found in queue] == [second]

    def test_a_count_never_takes_units_that_are_handed_over(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 3)
            order_id = kit.take_in(order_of(bolt=3))
            kit.route(order_id, "east")
            kit.hand_over()
            kit.count("bolt", "east", 1, minutes=1)
            assert kit.shelf("bolt", "east") == (3, 3, 0)
            assert kit.lines(order_id) == [(0, 3, 0, 0)]

    def test_changed_balances_are_found_by_cursor(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            cursor = kit.store.stock_cursor()
            assert kit.store.stock_since(cursor) == (cursor, [])
            kit.count("nut", "west", 2, safety=1)
            now_at, rows = kit.store.stock_since(cursor)
            assert now_at == kit.store.stock_cursor() > cursor
            assert rows == [(kit.item["nut"], kit.node["west"], 2, 0, 0, 1)]

    # --- events and outbox -----------------------------------------------------------------------

    def test_events_come_in_order_and_never_carry_personal_data(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order_id = kit.take_in(order_of(bolt=1), person=Person("Ada Canary"))
            kit.route(order_id, "east")
            events = kit.store.events(order_id=order_id)
            assert [event.kind for event in events] == ["order.captured", "order.routed"]
            assert "Canary" not in repr(events)
            assert kit.store.events(after=events[0].seq, limit=1) == events[1:]

    def test_a_consumers_cursor_never_moves_backwards(self) -> None:
        with self.kit() as kit:
            assert kit.store.read_cursor("mail") == 0
            kit.store.advance_cursor("mail", 5)
            kit.store.advance_cursor("mail", 3)
            assert kit.store.read_cursor("mail") == 5

    def test_a_leased_entry_is_nobody_elses_until_the_lease_ends(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            kit.route(kit.take_in(order_of(bolt=1)), "east")
            (lease,) = kit.store.lease_due("release", now=NOW, until=NOW + 10, limit=9)
            assert lease.attempts == 1
            assert kit.store.lease_due("release", now=NOW + 9, until=NOW + 20, limit=9) == []
            (again,) = kit.store.lease_due("release", now=NOW + 10, until=NOW + 20, limit=9)
            assert (again.key, again.attempts) == (lease.key, 2)
            kit.store.settle(again.entry, now=NOW + 11, retry_at=NOW + 15)
            (third,) = kit.store.lease_due("release", now=NOW + 15, until=NOW + 20, limit=9)
            kit.store.settle(third.entry, now=NOW + 16)
            assert kit.store.lease_due("release", now=NOW + 99, until=NOW + 100, limit=9) == []

    # --- keeping ---------------------------------------------------------------------------------

    def test_what_the_store_wrote_is_as_it_was_written(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 5)
            order = kit.take_in(order_of("1", bolt=1), person=Person(name="Ada"), key="k")
            kit.route(order, "east")
            kit.hand_over()
            kit.store.cancel(CancelOrder("main", "web", "1", 1), now=NOW)
            assert {table: list(kit.store.unsealed(table)) for table in TABLES} == {
                table: [] for table in TABLES
            }

    def test_every_table_can_be_audited_in_key_order(self) -> None:
        with self.kit() as kit:
            for node in NODES:
                kit.count("nut", node, 5)
                kit.count("bolt", node, 5)
            rows = list(kit.store.audit("stock"))
            assert rows == sorted(rows)
            assert len(rows) == 6
            totals = [sum(row[3] for row in kit.store.audit("ledger")), sum(r[2] for r in rows)]
            assert totals == [30, 30]
            raises(StoreError, lambda: list(kit.store.audit("sqlite_master")))

    def test_nothing_is_written_inside_a_snapshot(self) -> None:
        with self.kit() as kit, kit.store.snapshot():
            assert kit.store.stock_cursor() == 0
            raises(StoreError, kit.count, "bolt", "east", 1)

    def test_a_closed_store_refuses_to_work(self) -> None:
        store = self.make_store()
        store.close()
        raises(StoreError, store.network)
        store.close()
