"""Promises about who caused what."""

from __future__ import annotations

import threading
from typing import Final

from attrs import evolve

from domcore.errors import PayloadError
from domcore.model import (
    AmendOrder,
    AuthorizeReturn,
    CancelOrder,
    CaptureOrder,
    Notice,
    ObserveStock,
    ReceiveReturn,
    StockCount,
)
from domcore.testing.store_suite.kit import NOW, START, KitSuite, StoreKit, order_of, raises

ILL_NAMED: Final = ("x" * 101, "two\nlines", "\udfff", None, 7)


def told(kit: StoreKit, after: int = 0) -> list[tuple[str, str]]:
    """Kind and cause of every event."""
    return [(event.kind, event.by) for event in kit.store.events(after=after)]


def a_life(kit: StoreKit) -> list[tuple[str, str]]:
    """One order lives through every command, each caused by another; what its events say."""
    store = kit.store
    kit.count("bolt", "east", 9)
    order = kit.take_in(order_of("1", bolt=5), by="person:anna")
    amendment = AmendOrder("main", "web", "1", "E1", 2, (("L-bolt", 1),), by="channel:web")
    store.amend(amendment, now=NOW)
    with store.acting("worker"):
        kit.route(order, "east")
    ((name, _),) = kit.work(order)
    store.record(Notice(name, "shipped", START, by="connector:east"), now=NOW)
    asked = AuthorizeReturn("main", "web", "1", "R1", (("L-bolt", 1),), "east", by="person:ben")
    store.authorize_return(asked, now=NOW)
    lines = (("L-bolt", 1, "sellable"),)
    store.receive_return(ReceiveReturn("main", "web", "1", "R1", lines, by="host"), now=NOW)
    other = kit.take_in(order_of("2", bolt=1))
    store.cancel(CancelOrder("main", "web", "2", 1, by="person:cleo"), now=NOW)
    assert other != order
    return told(kit)


class ActingPromises(KitSuite):
    """`by`."""

    def test_an_event_says_who_its_command_says_caused_it(self) -> None:
        with self.kit() as kit:
            assert a_life(kit) == [
                ("order.captured", "person:anna"),
                ("order.amended", "channel:web"),
                ("order.routed", "worker"),
                ("fulfillment.shipped", "connector:east"),
                ("return.authorized", "person:ben"),
                ("return.received", "host"),
                ("return.closed", "host"),
                ("order.captured", ""),
                ("order.cancelled", "person:cleo"),
            ]

    def test_a_store_acts_for_whom_it_is_told_until_the_block_ends(self) -> None:
        with self.kit() as kit:
            with kit.store.acting("worker"):
                kit.take_in(order_of("1", bolt=1))
                with kit.store.acting("plugin:fraud"):
                    kit.take_in(order_of("2", bolt=1))
                kit.take_in(order_of("3", bolt=1))
            kit.take_in(order_of("4", bolt=1))
            assert [by for _, by in told(kit)] == ["worker", "plugin:fraud", "worker", ""]

    def test_orders_of_one_batch_keep_apart_who_brought_them(self) -> None:
        with self.kit() as kit:
            commands = [
                CaptureOrder(order_of(str(number), bolt=1), by=by)
                for number, by in enumerate(("person:anna", "", "channel:web"))
            ]
            with kit.store.acting("host"):
                kit.store.capture(commands, now=NOW)
            assert [by for _, by in told(kit)] == ["person:anna", "host", "channel:web"]

    def test_one_thread_does_not_act_for_another(self) -> None:
        with self.kit() as kit:
            with kit.store.acting("person:anna"):
                thread = threading.Thread(target=kit.take_in, args=(order_of("1", bolt=1),))
                thread.start()
                thread.join()
            assert told(kit) == [("order.captured", "")]

    def test_news_that_is_told_again_by_another_is_the_same_news(self) -> None:
        with self.kit() as kit:
            kit.count("bolt", "east", 9)
            order = kit.take_in(order_of("1", bolt=1), key="k")
            again = CaptureOrder(order_of("1", bolt=1), key="k", by="person:anna")
            assert kit.store.capture([again], now=NOW)[0].outcome in ("captured", "duplicate")
            kit.route(order, "east")
            notice = Notice(kit.work(order)[0][0], "accepted", START, key="n")
            assert kit.store.record(notice, now=NOW).outcome == "recorded"
            repeat = kit.store.record(evolve(notice, by="person:anna"), now=NOW)
            count = ObserveStock("main", (StockCount("bolt", "east", delta=1),), key="d")
            kit.store.observe_stock(count, now=NOW)
            kit.store.observe_stock(evolve(count, by="connector:erp"), now=NOW)
            assert repeat.outcome in ("recorded", "duplicate")
            assert len(told(kit)) == 3
            assert kit.shelf("bolt", "east")[0] == 10

    def test_what_is_no_name_is_refused_and_changes_nothing(self) -> None:
        with self.kit() as kit:
            order = kit.take_in(order_of("1", bolt=1))
            before = told(kit)
            for name in ILL_NAMED:
                raises(PayloadError, kit.take_in, order_of("2", bolt=1), by=name)
                cancel = CancelOrder("main", "web", "1", 1, by=name)  # type: ignore[arg-type]
                raises(PayloadError, kit.store.cancel, cancel, now=NOW)
                raises(PayloadError, _act_for, kit, name)
            assert told(kit) == before
            assert kit.open(order).version == 1


def _act_for(kit: StoreKit, name: str) -> None:
    with kit.store.acting(name):
        kit.take_in(order_of("3", bolt=1))
