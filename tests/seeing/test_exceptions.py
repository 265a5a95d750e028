"""What waits for a person is listed with its age, its reason, and a command that works."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from domcore import (
    ConfigurationError,
    ConnectorError,
    NotFound,
    PayloadError,
    Settings,
    hookimpl,
)
from domcore.model import AuthorizeReturn, Hold, Notice, Receipt
from domcore.seeing.exceptions import KINDS
from domcore.settings import WorkSettings
from domcore.testing.builder import World


def a_world(**node) -> World:
    world = World().node("NYC", at=(40.71, -74.0), **node).node("LAX", at=(34.05, -118.24))
    world.item("MUG", weight=400)
    return world.stock("MUG", NYC=5)


class Suspicious:
    """Holds orders of more than three units before they are routed."""

    @hookimpl
    def review_plan(self, plan):
        if sum(each.quantity for each in plan.allocations) > 3:
            return [Hold("suspicious", "more than three", "route")]
        return []


class Deaf:
    """A partner that never answers."""

    name = "deaf"

    def release(self, handover):
        raise ConnectorError("no answer", unknown=True)

    def cancel(self, handover):
        raise ConnectorError("no answer", unknown=True)

    def reconcile(self, handover):
        raise ConnectorError("no answer", unknown=True)


class Refusing(Deaf):
    """A partner that takes nothing."""

    def release(self, handover):
        raise ConnectorError("HTTP 500", unknown=False)


class Slow(Deaf):
    """A partner that takes everything and says nothing more."""

    def release(self, handover):
        return Receipt("requested")


class Partner:
    def __init__(self, connector):
        self._connector = connector

    @hookimpl
    def register_connectors(self):
        return [self._connector]


def impatient() -> Settings:
    work = WorkSettings(attempts=1, backoff_seconds=0)
    return Settings(store="memory:", owners={"main": "USD"}, work=work)


def told(dom, *kinds, **more) -> list[tuple[str, str, str, str]]:
    return [
        (each.kind, each.order, each.reason, each.command)
        for each in dom.exceptions(kinds or None, **more)
    ]


def test_nothing_waits_where_all_is_well():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        assert dom.exceptions() == []


def test_a_held_order_is_to_be_approved():
    world = a_world()
    with world.open(plugins={"careful": Suspicious()}) as dom:
        dom.capture(world.order("1", MUG=4))
        dom.route()
        world.clock.forward(hours=5)
        (found,) = dom.exceptions(["held"])
        assert (found.reason, found.command) == ("more than three", "domcore approve '#1'")
        assert found.age == timedelta(hours=5)
        dom.approve("#1")
        assert dom.exceptions() == []


def test_a_short_order_waits_since_it_first_was():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=7))
        dom.route()
        since = world.clock()
        for _ in range(3):
            world.clock.forward(hours=2)
            dom.route(["#1"])
        (found,) = dom.exceptions(["short"])
        assert (found.reason, found.command) == ("2 open: not enough stock", "domcore route '#1'")
        assert found.since == since
        assert found.age == timedelta(hours=6)


def test_a_release_of_unknown_outcome_is_looked_up_by_work_and_by_hand_once_parked():
    world = a_world(connector="deaf")
    with world.open(impatient(), plugins={"partner": Partner(Deaf())}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.work()
        world.clock.forward(minutes=10)
        (found,) = dom.exceptions(["unknown"])
        assert found.subject == "outbox/1"
        assert found.node == "NYC"
        assert found.command in ("domcore work --once", "domcore retry outbox/1")
        for _ in range(5):
            world.clock.forward(hours=2)
            dom.work()
        (found,) = dom.exceptions(["unknown"])
        assert found.command == "domcore retry outbox/1"
        (parked,) = dom.exceptions(["parked"])
        assert parked.command == "domcore retry outbox/1"
        assert "outcome not known" in parked.reason
        assert dom.kpi().exceptions["unknown"] == dom.kpi().exceptions["parked"] == 1


def test_what_was_set_aside_is_to_be_retried():
    world = a_world(connector="deaf")
    with world.open(impatient(), plugins={"partner": Partner(Refusing())}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.work()
        (found,) = dom.exceptions(["parked"])
        assert (found.order, found.subject) == ("#1", "outbox/1")
        assert "HTTP 500" in found.reason
        assert dom.exceptions(["parked"], owner="nobody") == []
        dom.retry(found.subject)
        assert dom.exceptions(["parked"]) == []


def test_rejected_units_wait_until_they_find_another_node():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.route()
        dom.record(Notice("1-1-NYC", "rejected", world.clock(), reason="not_found"))
        (found,) = dom.exceptions(["rejected"])
        assert (found.reason, found.command) == (
            "NYC: not found on the shelf",
            "domcore route '#1'",
        )


def test_work_that_nobody_has_taken_up_is_stuck():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        world.clock.forward(hours=23)
        assert dom.exceptions() == []
        assert len(dom.exceptions(stuck_after=timedelta(hours=4))) == 1
        world.clock.forward(hours=2)
        (found,) = dom.exceptions(["stuck"])
        assert found.subject == "1-1-NYC"
        assert found.command == "domcore record 1-1-NYC accepted"
        assert "no connector" in found.reason
        dom.record(Notice("1-1-NYC", "accepted", world.clock()))
        assert dom.exceptions() == []


def test_work_whose_partner_says_nothing_more_is_stuck():
    world = a_world(connector="deaf")
    with world.open(impatient(), plugins={"partner": Partner(Slow())}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        world.clock.forward(hours=25)
        (waiting,) = dom.exceptions(["stuck"])
        assert waiting.command == "domcore work --once"
        dom.work()
        assert dom.exceptions(["stuck"]) == []
        world.clock.forward(hours=25)
        (found,) = dom.exceptions(["stuck"])
        assert "says nothing" in found.reason


def test_promises_that_pass_are_late_until_the_goods_have_left():
    world = a_world()
    with world.open() as dom:
        due = world.clock() + timedelta(hours=4)
        dom.capture(evolve(world.order("1", MUG=1), ship_by=due))
        assert dom.exceptions(["late"]) == []
        (near,) = dom.exceptions(["late"], late_within=timedelta(hours=4))
        assert near.age == -timedelta(hours=4)
        assert near.command == "domcore route '#1'"
        world.clock.forward(hours=5)
        dom.route()
        (found,) = dom.exceptions(["late"])
        assert (found.since, found.command) == (due, "domcore move 1-1-NYC")
        dom.record(Notice("1-1-NYC", "shipped", world.clock()))
        assert dom.exceptions(["late"]) == []


def test_a_partner_s_trouble_is_shown_at_once_with_its_words_and_settled():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        news = Notice("1-1-NYC", "exception", world.clock(), detail="backordered")
        dom.record(news)
        (found,) = dom.exceptions()
        assert (found.kind, found.subject, found.node) == ("trouble", "trouble/1-1", "NYC")
        assert found.reason == "NYC tells trouble: backordered"
        assert found.command == "domcore settle trouble/1-1"
        assert dom.exceptions(owner="nobody") == []
        assert dom.settle(found.subject, by="kim", note="waits").settled_by == "kim"
        assert dom.exceptions() == []
        assert "trouble 1 settled (waits)" in str(dom.timeline("#1"))
        with pytest.raises(NotFound):
            dom.settle(found.subject)
        with pytest.raises(PayloadError):
            dom.settle(found.subject, by="\ud800")
        assert list(dom.verify()) == []


def test_a_parcel_that_came_back_leads_to_its_return():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=3))
        dom.route()
        dom.record(Notice("1-1-NYC", "shipped", world.clock()))
        dom.record(Notice("1-1-NYC", "returned", world.clock(), detail="unknown"))
        (found,) = dom.exceptions()
        assert found.command == "domcore returns authorize --line=1-1=3 --node=NYC '#1'"
        line = dom.order("#1").order.lines[0].id
        key = dom.order("#1").order.key
        dom.authorize_return(AuthorizeReturn(*key, "R1", ((line, 3),), node="NYC"))
        assert dom.exceptions() == []
        assert list(dom.verify()) == []


class Closed:
    """A shop that has not answered for a while."""

    name = "bazaar"

    def receive(self, envelope):
        return []

    def pull(self, cursor):
        raise ConnectorError("the page cannot be read")

    def publish_stock(self, levels):
        raise ConnectorError("not now")

    def notify(self, news):
        raise ConnectorError("deaf")

    @hookimpl
    def register_channels(self):
        return [self]


def test_what_has_failed_for_an_hour_is_named_until_it_works_or_is_retried():
    world = a_world(connector="deaf")
    work = WorkSettings(attempts=50, backoff_seconds=60)
    settings = Settings(store="memory:", owners={"main": "USD"}, work=work)
    plugins = {"bazaar": Closed(), "partner": Partner(Refusing())}
    with world.open(settings, plugins=plugins) as dom:
        order = evolve(world.order("1", MUG=1), channel="bazaar")
        dom.capture(order)
        dom.work()
        dom.cancel("bazaar/1")
        dom.capture(evolve(order, external_id="2", number="#2"))
        dom.work()
        assert dom.exceptions(["failing"]) == []
        warned = {each.message for each in dom.doctor() if each.subject == "channel bazaar"}
        assert any("pull has failed 1 time since" in each for each in warned)
        assert any("publish has failed 1 time since" in each for each in warned)
        for _ in range(3):
            world.clock.forward(minutes=30)
            dom.work()
        found = {each.subject: each for each in dom.exceptions(["failing"])}
        assert set(found) == {
            "event/notify:bazaar/3", "outbox/2", "outbox/3",
            "task/publish:bazaar", "task/pull:bazaar",
        }  # fmt: skip
        pull = found["task/pull:bazaar"]
        assert "the page cannot be read" in pull.reason
        assert pull.age == timedelta(minutes=90)
        assert dom.kpi().exceptions["failing"] == 5
        pages, cursor = [], ""
        while page := dom.exceptions(["failing"], limit=2, after=cursor):
            pages += page
            cursor = page[-1].cursor
        assert [each.subject for each in pages] == list(found)
        assert dom.exceptions(["failing"], failing_after=timedelta(hours=9)) == []
        for each in found.values():
            assert each.command == f"domcore retry {each.subject}"
            dom.retry(each.subject)
        assert dom.exceptions(["failing"]) == []
        assert list(dom.verify()) == []


def test_every_page_joins_to_the_whole():
    world = a_world()
    with world.open() as dom:
        for number in range(1, 8):
            due = world.clock() - timedelta(hours=1)
            dom.capture(evolve(world.order(str(number), MUG=2), ship_by=due))
        dom.route()
        world.clock.forward(days=2)
        every = dom.exceptions(limit=100)
        assert {each.kind for each in every} == {"short", "stuck", "late"}
        pages, cursor = [], ""
        while page := dom.exceptions(limit=3, after=cursor):
            pages += page
            cursor = page[-1].cursor
        assert pages == every
        assert {kind: n for kind, n in dom.kpi().exceptions.items() if n} == {
            kind: sum(each.kind == kind for each in every) for kind in ("short", "stuck", "late")
        }


@pytest.mark.parametrize(
    "after", ["held", "nonsense:1", "held:1", "held:a.b.c.d", ":", "held:-1.0.0.0"]
)
def test_a_cursor_that_is_none_is_refused(after):
    with a_world().open() as dom, pytest.raises(ConfigurationError, match="cursor"):
        dom.exceptions(after=after)


def test_a_kind_that_is_none_is_refused():
    with a_world().open() as dom, pytest.raises(ConfigurationError, match="held, short"):
        dom.exceptions(["holding"])


def test_owners_see_their_own():
    world = a_world()
    settings = Settings(store="memory:", owners={"main": "USD", "acme": "USD"})
    with world.open(settings) as dom:
        dom.load_items(world.items, owner="acme")
        dom.capture(world.order("1", MUG=9))
        dom.capture(world.order("2", owner="acme", MUG=9))
        dom.route()
        assert [each.order for each in dom.exceptions(owner="acme")] == ["#2"]
        assert dom.exceptions(owner="nobody") == []
        assert dom.kpi(owner="acme").exceptions["short"] == 1


HOSTILE = ["#1; rm -rf /", "$(date)", "-5", "a 'quoted' one", "--all", "`x`", "x" * 250, "é ñ"]


@pytest.mark.parametrize("number", HOSTILE)
def test_a_reference_is_quoted_for_a_shell(number):
    import shlex

    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", number=number, MUG=9))
        dom.route()
        (found,) = dom.exceptions(["short"])
        words = [word for word in shlex.split(found.command) if word != "--"]
        assert words == ["domcore", "route", number]


def test_orders_of_one_number_are_told_apart():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", number="#7", MUG=9))
        dom.capture(world.order("2", number="#7", MUG=9))
        dom.capture(world.order("3", number="broken\nnumber", MUG=9))
        dom.route()
        found = dom.exceptions(["short"])
        assert [each.order for each in found] == ["web/1", "web/2", "web/3"]
        assert [dom.find(each.order) for each in found] == [each.order_id for each in found]


def test_the_kinds_are_those_of_the_page_for_operators():
    assert KINDS == (
        "held", "short", "unknown", "rejected", "trouble", "stuck", "failing", "parked", "late",
    )  # fmt: skip
