"""An application is not alone: others write to its database, orders and plugins are unruly."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from attrs import evolve

from domcore import (
    ActivationSettings,
    ConfigurationError,
    ConflictError,
    Domcore,
    PayloadError,
    Settings,
    hookimpl,
)
from domcore.model import (
    Band,
    Directive,
    FactSpec,
    Notice,
    ObserveStock,
    OrderLine,
    RateCard,
    StockCount,
)
from domcore.settings import RoutingSettings
from domcore.testing.builder import World


def shop(**stock: int) -> World:
    world = World().node("NYC", at=(40.7, -74.0))
    for sku, units in stock.items():
        world.item(sku, weight=100).stock(sku, NYC=units)
    return world


def pack(tmp_path, *rules: str) -> Settings:
    folder = tmp_path / "packs" / "house"
    folder.mkdir(parents=True)
    head = 'format = 1\nname = "house"\nversion = "1"\ncurrency = "USD"\n'
    (folder / "ruleset.toml").write_text(head + "\n".join(rules), encoding="utf-8")
    return Settings(
        store=str(tmp_path / "dom.db"),
        rulesets=("packs",),
        root=str(tmp_path),
        activate=(ActivationSettings("house"),),
    )


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_news_in_the_middle_of_a_run_makes_no_item_unknown(tmp_path, batch):
    world = shop(**{f"S{number}": 5 for number in range(7)})
    settings = Settings(store=str(tmp_path / "dom.db"), routing=RoutingSettings(batch=batch))
    with world.open(settings) as dom, Domcore(settings, load_plugins=False) as other:
        for number in range(6):
            dom.capture(world.order(str(number), lines={f"S{number}": 1}))

        def interrupt(routed):
            if routed.number == "#1":
                other.capture(world.order("late", S6=1))
                other.load_items([world.items[0]])

        report = dom.route(progress=interrupt)
        assert report.routed >= 6
        assert report.short == 0


def test_two_lines_of_one_sku_may_both_draw_below_a_soft_floor(tmp_path):
    keep = '[[rule]]\nid = "keep"\nwhen = "node.kind == \'dc\'"\nsoft = true\n'
    settings = pack(tmp_path, keep + "then = { protect = { quantity = 5 } }")
    world = shop(MUG=8)
    with world.open(settings) as dom:
        lines = (OrderLine("a", "MUG", 3), OrderLine("b", "MUG", 3))
        dom.capture(evolve(world.order("1"), lines=lines))
        report = dom.route()
        assert (report.failed, report.units) == (0, 6)
        assert dom.explain("#1").replayed


@pytest.mark.parametrize("wrong", [{"service": None}, {"number": 7}, {"tags": None}])
def test_an_order_with_a_field_of_the_wrong_type_is_refused_and_stops_nobody(wrong):
    world = shop(MUG=8)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        with pytest.raises(PayloadError):
            dom.capture(evolve(world.order("2", MUG=1), **wrong))
        assert dom.route().routed == 1


def test_a_node_may_leave_with_its_rate_card_while_goods_are_there():
    world = shop(MUG=8).node("OLD", at=(41.0, -75.0), rate_card="old")
    world.rate_cards.append(RateCard("old", "USD", (Band(base=1),)))
    world.stock("MUG", OLD=3)
    with world.open() as dom:
        network = world.network()
        dom.load_network(
            evolve(network, nodes=network.nodes[:1], rate_cards=network.rate_cards[:1])
        )
        dom.capture(world.order("1", MUG=1))
        assert dom.route().routed == 1
        assert [node.enabled for node in dom.network().nodes] == [True, False]


def test_rules_that_cannot_be_found_for_one_channel_stop_no_other(tmp_path):
    world = shop(MUG=5)
    settings = Settings(
        store=str(tmp_path / "dom.db"),
        activate=(ActivationSettings("nowhere", channels=("lost",)),),
    )
    with world.open(settings) as dom:
        dom.capture(world.order("1", MUG=5))
        dom.capture(world.order("2", MUG=1, channel="lost"))
        report = dom.route()
        assert (report.routed, report.failed) == (1, 1)
        assert "nowhere" in report.errors[0]


def test_orders_that_fail_leave_room_for_those_that_do_not():
    world = shop(MUG=5)
    settings = Settings(
        store="memory:", activate=(ActivationSettings("nowhere", channels=("lost",)),)
    )
    with world.open(settings) as dom:
        for number in range(3):
            dom.capture(world.order(str(number), MUG=1, channel="lost"))
        dom.capture(world.order("good", MUG=1))
        assert dom.route(limit=1).routed == 1


def test_an_error_while_planning_gives_back_what_the_batch_had_taken():
    world = shop(MUG=5)

    class Impatient:
        seen = 0

        @hookimpl
        def review_plan(self, order):
            self.seen += 1
            if order.number == "#2" and self.seen == 2:
                raise KeyboardInterrupt
            return []

    with world.open(plugins={"impatient": Impatient()}) as dom:
        dom.capture(world.order("1", MUG=4))
        dom.capture(world.order("2", MUG=1))
        with pytest.raises(KeyboardInterrupt):
            dom.route()
        assert dom.route(["#1"]).routed == 1


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize("error", [HostileError(), ValueError("\ud800")])
def test_an_error_that_cannot_be_printed_is_contained(error):
    world = shop(MUG=5)

    class Plugin:
        @hookimpl
        def judge(self):
            raise error

    with world.open(plugins={"hostile": Plugin()}) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.route().held == 1
        assert dom.explain("#1").replayed


def test_a_plugin_cannot_change_the_facts_that_are_written_down(tmp_path):
    far = '[[rule]]\nid = "busy"\nwhen = "node.acme.backlog > 5"\nthen = "exclude"'
    settings = pack(tmp_path, far)
    world = shop(MUG=5)

    class Acme:
        @hookimpl
        def register_facts(self):
            return [FactSpec("node.acme.backlog", "node", "int", nullable=True)]

        @hookimpl
        def gather_facts(self, candidates):
            return {each.key: {"node.acme.backlog": 1} for each in candidates}

        @hookimpl
        def judge(self, facts):
            facts["NYC"]["node.acme.backlog"] = 99
            return [Directive("acme/x", "exclude")]

    with world.open(settings, plugins={"acme": Acme()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        told = dom.explain("#1")
        assert told.replayed
        assert told.lines[0].sources == (("NYC", 1),)


def test_a_rate_card_in_another_currency_is_no_rate():
    world = shop(MUG=5).node("OSAKA", at=(34.7, 135.5), rate_card="yen", country="JP")
    world.rate_cards.append(RateCard("yen", "JPY", (Band(base=1),)))
    world.stock("MUG", OSAKA=9)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        told = dom.explain("#1", why_not="OSAKA")
        assert told.lines[0].sources == (("NYC", 1),)
        assert "JPY" in told.asked.reason


def test_what_is_written_through_the_store_is_seen_by_the_next_plan():
    world = shop(MUG=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=5))
        dom.route()
        (work,) = dom.order("#1").fulfillment_orders
        now = int(world.clock().timestamp() * 1_000_000)
        news = Notice(work.id, "partially_shipped", world.clock(), (("MUG", 1),))
        dom.store.record(news, now=now)
        (stock,) = dom.stock()
        assert (stock.on_hand, stock.reserved) == (4, 4)
        for status in ("cancel_requested", "cancelled"):
            dom.store.record(Notice(work.id, status, world.clock()), now=now)
        assert dom.route().routed == 1


def test_planning_writes_nothing(tmp_path):
    world = shop(MUG=5)
    path = tmp_path / "dom.db"
    settings = Settings(store=str(path), activate=(ActivationSettings("cost-first"),))
    with world.open(settings) as dom:
        dom.capture(world.order("1", MUG=1))
        before = dom.store.writes()
        dom.plan("#1")
        assert dom.store.writes() == before
        dom.route()
        assert dom.explain("#1").replayed


def test_nothing_is_delivered_inside_a_callers_transaction(tmp_path):
    world = shop(MUG=5)
    path = tmp_path / "dom.db"
    with world.open(Settings(store=str(path))) as dom:
        caller = sqlite3.connect(path, isolation_level=None)
        caller.execute("PRAGMA secure_delete = ON")
        caller.execute("BEGIN IMMEDIATE")
        with dom.joined(caller) as inner, pytest.raises(ConfigurationError, match="after its"):
            inner.work()
        caller.execute("ROLLBACK")
        caller.close()


def test_a_count_from_the_future_is_refused():
    world = shop(MUG=5)
    with world.open() as dom:
        ahead = StockCount("MUG", "NYC", on_hand=1, as_of=world.clock() + timedelta(days=1))
        with pytest.raises(PayloadError, match="future"):
            dom.observe(ObserveStock("main", (ahead,)))


def test_stock_at_a_node_that_has_left_the_network_is_refused():
    world = shop(MUG=5).node("GONE", at=(1.0, 1.0))
    with world.open() as dom:
        network = world.network()
        dom.load_network(evolve(network, nodes=network.nodes[:1]))
        with pytest.raises(PayloadError, match="no such node"):
            dom.observe(ObserveStock("main", (StockCount("MUG", "GONE", on_hand=1),)))


def test_fewer_parcels_first_explains_itself_by_parcels():
    world = World().node("A", at=(40.7, -74.0)).node("B", at=(34.0, -118.0))
    world.item("MUG", weight=100).item("POT", weight=100)
    world.stock("MUG", A=5, B=5).stock("POT", B=5)
    settings = Settings(store="memory:", routing=RoutingSettings(objective=("parcels", "cost")))
    with world.open(settings) as dom:
        dom.capture(world.order("1", MUG=1, POT=1))
        dom.route()
        asked = dom.explain("#1", why_not="A").asked
        assert asked.verdict == "parcels"
        assert "1 more parcel" in asked.reason


def test_finished_work_is_never_released_again():
    world = shop(MUG=5)
    world.nodes[0] = evolve(world.nodes[0], connector="acme")
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        (work,) = dom.order("#1").fulfillment_orders
        now = int(world.clock().timestamp() * 1_000_000)
        (lease,) = dom.store.lease_due("release", now=now, until=now + 1, limit=9)
        dom.store.record(Notice(work.id, "rejected", world.clock(), reason="closed"), now=now)
        assert lease.key == work.id
        assert dom.store.lease_due("release", now=now + 9, until=now + 99, limit=9) == []
        assert list(dom.verify()) == []


def test_two_owners_orders_of_one_name_can_be_told_apart():
    world = shop(MUG=5)
    settings = Settings(store="memory:", owners={"main": "USD", "acme": "USD"})
    with world.open(settings) as dom:
        dom.load_items(world.items, owner="acme")
        dom.capture(world.order("1", MUG=1))
        dom.capture(world.order("1", MUG=1, owner="acme"))
        with pytest.raises(ConflictError, match="owner/channel"):
            dom.route(["web/1"])
        assert dom.order("acme/web/1").order.owner == "acme"
        assert dom.route(["main/web/1"]).routed == 1


def test_two_routers_on_one_queue_decide_each_order_once(tmp_path):
    world = shop(**{f"S{number}": 1 for number in range(8)})
    settings = Settings(store=str(tmp_path / "dom.db"), routing=RoutingSettings(batch=2))
    with world.open(settings) as one:
        other = Domcore(settings, load_plugins=False, clock=world.clock)
        for number in range(8):
            one.capture(world.order(str(number), lines={f"S{number}": 2}))
        reports = []

        def interrupt(routed):
            if not reports:
                reports.append(other.route())

        mine = one.route(progress=interrupt)
        other.close()
        assert mine.orders + reports[0].orders == 8
        assert mine.nothing == reports[0].nothing == 0
        assert all(len(one.store.decisions(number)) == 1 for number in range(1, 9))


def test_a_savepoint_the_caller_takes_back_leaves_nothing_behind(tmp_path):
    world = shop(MUG=20)
    path = tmp_path / "dom.db"
    settings = Settings(store=str(path), activate=(ActivationSettings("cost-first"),))
    with world.open(settings) as dom:
        dom.capture(world.order("1", MUG=20))
        dom.capture(world.order("2", MUG=20))
        caller = sqlite3.connect(path, isolation_level=None)
        caller.execute("PRAGMA secure_delete = ON")
        caller.execute("BEGIN IMMEDIATE")
        with dom.joined(caller) as inner:
            caller.execute("SAVEPOINT mine")
            assert inner.route(["#1"]).routed == 1
            caller.execute("ROLLBACK TO mine")
            assert inner.route(["#2"]).routed == 1
        caller.execute("COMMIT")
        caller.close()
        assert dom.explain("#2").replayed
        assert list(dom.verify()) == []


def test_a_plugin_whose_hook_failed_still_has_its_name():
    world = shop(MUG=5)

    class Plugin:
        @hookimpl
        def register_facts(self):
            raise ConfigurationError("badly set up")

        @hookimpl
        def review_plan(self):
            return []

    with world.open(plugins={"p": Plugin()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        with pytest.raises(ConfigurationError, match="registered already"):
            dom.plugins.register(Plugin(), "p")
        assert [one.plugin for one in dom.plugins.implementations("review_plan")] == ["p"]


def test_a_node_is_not_said_to_be_empty_where_nobody_looked():
    world = shop(MUG=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1, destination=None))
        dom.route()
        assert dom.explain("#1", why_not="NYC").asked.verdict == "held"


def test_why_not_asks_the_pass_in_which_a_node_was_offered(tmp_path):
    soft = '[[rule]]\nid = "r"\nwhen = "node.kind == \'store\'"\nthen = "exclude"\nsoft = true'
    settings = pack(tmp_path, soft)
    world = World().node("A", at=(40.7, -74.0)).node("B", at=(34.0, -118.0))
    world.node("S", at=(40.0, -74.0), kind="store").item("MUG").item("POT")
    world.stock("MUG", A=5, B=5).stock("POT", S=5)
    with world.open(settings) as dom:
        dom.capture(world.order("1", MUG=1, POT=1))
        dom.route()
        told = dom.explain("#1", why_not="B")
        assert len(told.certificates) == 2
        assert told.asked.verdict == "dearer"
