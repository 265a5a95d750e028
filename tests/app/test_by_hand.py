"""What people change by hand: the effect is shown first, and then it is what happens."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import (
    ConfigurationError,
    ConflictError,
    Domcore,
    DomcoreError,
    NotFound,
    PayloadError,
    Settings,
    hookimpl,
)
from domcore.model import CancelOrder, Destination, Notice, Person, Receipt
from domcore.testing import World

ADA = Person("Ada", street=("1 Old St",), city="New York", postal="10001", country="US")


class Partner:
    """Takes all work, and stops when it is asked to."""

    name = "partner"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def release(self, handover: Any) -> Receipt:
        self.calls.append(f"release {handover.key}")
        return Receipt("accepted")

    def cancel(self, handover: Any) -> Receipt:
        self.calls.append(f"cancel {handover.key}")
        return Receipt("cancelled")

    def reconcile(self, handover: Any) -> Receipt:
        return Receipt("accepted")

    @hookimpl
    def register_connectors(self) -> list[Any]:
        return [self]


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A shop with two orders: #1 is routed to NYC, where it waits; #2 has not been routed."""
    made: Any = World().node("CHI", at=(41.9, -87.6)).node("LAX", at=(34.0, -118.2))
    made.node("NYC", at=(40.7, -74.0), connector="partner")
    made.item("MUG", weight=400).item("CUP", weight=200)
    made.stock("MUG", NYC=5, LAX=5, CHI=5).stock("CUP", NYC=1, LAX=3)
    store = "memory:" if request.param == "memory" else str(tmp_path / "shop.db")
    made.partner = Partner()
    made.dom = made.open(
        Settings(store=store, owners={"main": "USD", "other": "USD"}),
        plugins={"partner": made.partner},
    )
    made.dom.capture(made.order("1", MUG=2, CUP=1), ADA)
    made.dom.route()
    made.dom.capture(made.order("2", MUG=1), ADA)
    yield made
    assert [str(each) for each in made.dom.verify()] == []
    made.dom.close()


def everything(dom: Domcore) -> list[Any]:
    """All rows that a change could touch."""
    tables = ("event", "reservation", "stock", "order_line", "order_body", "decision", "outbox")
    tables += ("correction", "line_exclusion", "order_state", "ledger")
    return [(table, list(dom.store.audit(table))) for table in tables]


def nodes_of(dom: Domcore, order: str) -> dict[str, int]:
    """Units by node of work that is not over."""
    found: dict[str, int] = {}
    for work in dom.order(order).fulfillment_orders:
        for _, _, units in work.lines:
            found[work.node] = found.get(work.node, 0) + units
    return found


CHANGES: dict[str, Callable[..., Any]] = {
    "amend": lambda dom, **more: dom.amend("1", {"MUG": 4}, **more),
    "address": lambda dom, **more: dom.address("1", postal="90001", region="CA", **more),
    "move": lambda dom, **more: dom.move("1-1-NYC", to="LAX", **more),
    "move away": lambda dom, **more: dom.move("1-1-NYC", away=True, **more),
    "reroute": lambda dom, **more: dom.reroute("1", **more),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_shown_changes_nothing_and_is_what_happens_then(name: str, world: Any) -> None:
    dom, before = world.dom, everything(world.dom)
    shown = CHANGES[name](dom, dry_run=True)
    assert not shown.done
    assert everything(dom) == before
    told = CHANGES[name](dom, by="person:kim")
    assert told.done
    assert evolve(told, done=False) == shown
    assert nodes_of(dom, "1") == dict(told.after.nodes)
    assert dom.order("1").summary.buckets.open == told.after.open
    assert {each.by for each in dom.events()[-2:]} == {"person:kim"}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_with_a_key_is_made_once(name: str, world: Any) -> None:
    assert CHANGES[name](world.dom, key="k").done
    after = everything(world.dom)
    try:
        again = CHANGES[name](world.dom, key="k")
    except ConflictError:
        assert name == "address"  # it is told by what it was seen to change
    else:
        assert (again.done, again.outcome.outcome) == (False, "duplicate")
    assert everything(world.dom) == after


def test_a_larger_line_is_decided_at_once_and_says_what_it_costs(world: Any) -> None:
    told = world.dom.amend("1", change={"MUG": 1}, reason="called")
    assert (told.before.nodes, told.after.nodes) == ((("NYC", 3),), (("NYC", 4),))
    assert told.after.cost > told.before.cost > 0
    assert told.decision == "routed"
    (last,) = [each for each in world.dom.events() if each.kind == "order.amended"]
    assert (last.body["by_hand"], last.body["reason"]) == (True, "called")


def test_an_order_that_was_not_routed_yet_keeps_its_turn(world: Any) -> None:
    told = world.dom.amend("2", {"MUG": 3})
    assert (told.done, told.decision) == (True, "")
    assert "its turn comes" in told.detail
    assert world.dom.order("2").summary.buckets == (3, 0, 0, 0)


def test_more_than_there_is_stays_open_and_says_why(world: Any) -> None:
    told = world.dom.amend("1", {"CUP": 99})
    assert (told.decision, told.after.open) == ("partial", 95)
    assert "stock" in told.reasons


@pytest.mark.parametrize(
    ("lines", "change", "message"),
    [
        ({"MUG": -1}, {}, "units are on the line"),
        ({}, {"MUG": -3}, "only 2 units"),
        ({"NOPE": 1}, {}, "is no line; there are 1-1 (MUG)"),
        ({"\x1b[2J": 1}, {}, "is no line"),
        ({"MUG": 10**10}, {}, "must be from 0"),
        ({"MUG": "2"}, {}, "whole numbers"),
        ({"MUG": 1}, {"MUG": 1}, "named twice"),
        ({}, {}, "nothing that is to change"),
    ],
)
def test_bad_amendments_change_nothing(lines: Any, change: Any, message: str, world: Any) -> None:
    before = everything(world.dom)
    with pytest.raises(PayloadError) as refused:
        world.dom.amend("1", lines, change=change)
    assert message in str(refused.value)
    assert everything(world.dom) == before


def test_what_has_left_is_not_amended_away(world: Any) -> None:
    world.dom.record(Notice("1-1-NYC", "shipped", world.clock()))
    with pytest.raises(PayloadError, match="2 units have left"):
        world.dom.amend("1", {"MUG": 1})
    told = world.dom.amend("1", {"MUG": 3})
    assert (told.after.shipped, dict(told.after.nodes)) == (3, {"NYC": 1})


def test_the_order_of_another_owner_is_left_alone(world: Any) -> None:
    world.dom.load_items(world.items, owner="other")
    world.dom.capture(world.order("1", MUG=2, owner="other"))
    with pytest.raises(ConflictError, match="2 orders answer"):
        world.dom.amend("1", {"MUG": 1})
    world.dom.amend("other/web/1", {"1-1": 1})
    assert world.dom.order("main/web/1").order.lines[0].quantity == 2


def test_a_cart_is_amended_and_stays_one(world: Any) -> None:
    world.dom.capture(world.order("3", MUG=1), queue=False)
    world.dom.reserve("3", minutes=5)
    told = world.dom.amend("3", {"MUG": 2})
    assert told.done
    assert [each.order_id for each in world.dom.store.open_orders(now=2**61, limit=9)] == [2]


def test_cancelled_orders_are_not_changed(world: Any) -> None:
    world.dom.apply([CancelOrder("main", "web", "1", 1)])
    for name in CHANGES:
        with pytest.raises(ConflictError):
            CHANGES[name](world.dom)


# --- addresses ---------------------------------------------------------------------------------


def test_an_address_that_nobody_can_place_is_corrected_and_the_order_goes(world: Any) -> None:
    dom = world.dom
    dom.capture(evolve(world.order("3", MUG=1), destination=Destination("US", postal="00009")), ADA)
    dom.route()
    assert dom.order("3").summary.holds[0].code == "domcore/address"
    told = dom.address("3", postal="10001")
    assert (told.decision, dom.order("3").summary.nodes) == ("routed", ("NYC",))
    dom.capture(evolve(world.order("4", MUG=1), destination=None))
    dom.route()
    told = dom.address("4", country="us", at=("40.71", -74))
    assert told.decision == "routed"
    assert dom.exceptions(["held"]) == []


def test_only_a_name_and_a_number_change_nothing_of_the_plan(world: Any) -> None:
    told = world.dom.address("1", name="Ada L.", phone="+1 555 0100")
    assert (told.before, told.asked, told.decision) == (told.after, (), "")
    person = world.dom.order("1").person
    assert (person.name, person.phone, person.street) == ("Ada L.", "+1 555 0100", ADA.street)
    assert "Ada L." not in str(everything(world.dom))


def test_a_node_that_has_the_work_is_told_or_asked_to_stop(world: Any) -> None:
    world.dom.work()
    assert world.dom.address("1", phone="1", dry_run=True).asked == (("1-1-NYC", "change"),)
    told = world.dom.address("1", postal="90001", region="CA")
    assert told.asked == (("1-1-NYC", "stop"),)
    world.dom.work()
    world.dom.work()
    assert nodes_of(world.dom, "1") == {"LAX": 3}


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"country": ""}, {"country": "USA"}, {"country": "1!"}, {"name": "a\nb"},
        {"street": []}, {"street": [""]}, {"street": ["x"] * 6}, {"city": "x" * 256},
        {"postal": "\ud800"}, {"name": "a\x00b"}, {"at": ("x", 1)}, {"at": (91, 0)}, {"at": (1,)},
        {"name": 7}, {"street": ["ok", "bad\x1b"]},
    ],
)  # fmt: skip
def test_bad_addresses_change_nothing(fields: dict[str, Any], world: Any) -> None:
    before = everything(world.dom)
    with pytest.raises(PayloadError):
        world.dom.address("1", **fields)
    assert everything(world.dom) == before


def test_what_was_said_outlives_revisions_until_the_channel_tells_another(world: Any) -> None:
    dom = world.dom
    dom.address("2", street="9 New St", postal="10002")
    dom.amend("2", {"MUG": 2})
    first = world.order("2", MUG=1)
    dom.capture(evolve(first, revision=2, tags=("gift",)), evolve(ADA, email="a@b.example"))
    view = dom.order("2")
    assert (view.person.street, view.person.email) == (("9 New St",), "a@b.example")
    assert (view.order.destination.postal, view.order.lines[0].quantity) == ("10002", 2)
    dom.capture(evolve(first, revision=3), evolve(ADA, street=("3 Third St",)))
    view = dom.order("2")
    assert (view.person.street, view.order.destination.postal) == (("3 Third St",), "10001")
    assert "its channel says otherwise" in dom.timeline("2").to_text()


# --- moves and routing again -------------------------------------------------------------------


def test_work_that_a_node_has_is_moved_once_the_node_has_stopped(world: Any) -> None:
    world.dom.work()
    told = world.dom.move("1-1-NYC", to="LAX")
    assert (told.outcome.outcome, told.asked) == ("asked", (("1-1-NYC", "stop"),))
    assert told.before.nodes == told.after.nodes
    world.dom.work()
    world.dom.work()
    assert "cancel 1-1-NYC" in world.partner.calls
    assert nodes_of(world.dom, "1") == {"LAX": 3}


def test_a_node_that_cannot_ship_all_of_it_is_refused(world: Any) -> None:
    before = everything(world.dom)
    with pytest.raises(ConflictError, match="CHI cannot ship 1 of the units"):
        world.dom.move("1-1-NYC", to="CHI")
    assert everything(world.dom) == before
    assert world.dom.move("1-1-NYC", to="CHI", dry_run=True).after.open == 1


def test_what_was_moved_away_does_not_come_back(world: Any) -> None:
    world.dom.move("1-1-NYC", away=True)
    world.dom.reroute("1")
    assert "NYC" not in nodes_of(world.dom, "1")
    told = world.dom.explain("1", why_not="NYC").to_text()
    assert "a person has moved this line away from here" in told


@pytest.mark.parametrize(
    ("work", "more", "error"),
    [
        ("1-1-NYC", {}, ConfigurationError),
        ("1-1-NYC", {"to": "LAX", "away": True}, ConfigurationError),
        ("1-1-NYC", {"to": "NYC"}, PayloadError),
        ("1-1-NYC", {"to": "MARS"}, PayloadError),
        ("1-1-NYC", {"to": "\x1b[2J"}, PayloadError),
        ("9-1-NYC", {"away": True}, NotFound),
        ("1-2-NYC", {"away": True}, NotFound),
        ("#1", {"away": True}, NotFound),
        ("", {"away": True}, NotFound),
    ],
)
def test_bad_moves_change_nothing(work: str, more: Any, error: Any, world: Any) -> None:
    before = everything(world.dom)
    with pytest.raises(error):
        world.dom.move(work, **more)
    assert everything(world.dom) == before


def test_a_closed_node_is_refused_and_one_that_closes_later_is_not_waited_for(world: Any) -> None:
    world.dom.move("1-1-NYC", to="LAX")
    nodes = tuple(evolve(node, enabled=node.id != "LAX") for node in world.dom.network().nodes)
    world.dom.load_network(evolve(world.dom.network(), nodes=nodes))
    world.dom.route()
    assert set(nodes_of(world.dom, "1")) == {"NYC"}
    work = next(each for each in world.dom.order("1").fulfillment_orders if each.lines)
    with pytest.raises(PayloadError, match="closed"):
        world.dom.move(work.id, to="LAX")


def test_what_is_delivered_is_not_moved(world: Any) -> None:
    world.dom.record(Notice("1-1-NYC", "shipped", world.clock()))
    world.dom.record(Notice("1-1-NYC", "delivered", world.clock()))
    with pytest.raises(ConflictError, match="over"):
        world.dom.move("1-1-NYC", away=True)
    assert world.dom.reroute("1").outcome.outcome == "nothing"


def test_routing_again_follows_the_stock_of_now_and_loses_none_of_it(world: Any) -> None:
    told = world.dom.reroute("1")
    assert (told.outcome.outcome, told.before.nodes) == ("rerouted", told.after.nodes)
    assert told.after.cost == told.before.cost


def test_inside_a_callers_transaction_the_callers_rollback_leaves_nothing(tmp_path: Path) -> None:
    made = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=5)
    path = str(tmp_path / "shop.db")
    with made.open(Settings(store=path, owners={"main": "USD"})) as dom:
        dom.capture(made.order("1", MUG=2))
        dom.route()
        before = everything(dom)
        raw = sqlite3.connect(path, isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        with dom.joined(raw) as inside:
            assert inside.amend("1", {"MUG": 3}, dry_run=True).after.open == 0
            assert inside.amend("1", {"MUG": 3}).done
        raw.execute("ROLLBACK")
        raw.close()
        assert everything(dom) == before
        assert dom.order("1").order.lines[0].quantity == 2


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["amend", "address", "move", "reroute", "revise", "work", "ship", "route"]),
        st.integers(0, 4),
        st.integers(0, 4),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(_STEPS)
def test_whatever_is_changed_in_whatever_order_the_books_are_right(steps: Any) -> None:
    made: Any = World().node("CHI", at=(41.9, -87.6)).node("NYC", at=(40.7, -74.0))
    made.item("MUG").stock("MUG", NYC=5, CHI=5)
    dom = made.open()
    dom.capture(made.order("1", MUG=3), ADA)
    for number, (what, a, b) in enumerate(steps, 2):
        made.clock.forward(minutes=1)
        works = dom.order("1").fulfillment_orders
        try:
            if what == "amend":
                dom.amend("1", {"MUG": a})
            elif what == "address":
                dom.address("1", postal=f"1000{a}", region="NY")
            elif what == "move" and works:
                dom.move(works[a % len(works)].id, **({"away": True} if b % 2 else {"to": "CHI"}))
            elif what == "reroute":
                dom.reroute("1")
            elif what == "revise":
                dom.capture(evolve(made.order("1", MUG=a), revision=number), ADA)
            elif what == "work":
                dom.work()
            elif what == "ship" and works:
                status = ("shipped", "cancelled", "rejected")[b % 3]
                reason = "closed" if status == "rejected" else ""
                dom.record(Notice(works[a % len(works)].id, status, made.clock(), reason=reason))
            else:
                dom.route()
        except DomcoreError:
            pass
        assert [str(each) for each in dom.verify()] == []
    dom.close()
