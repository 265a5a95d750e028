"""A timeline tells all that happened to an order, in order, in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domcore import NotFound
from domcore.model import Event, Notice, ObserveStock, Package, StockCount
from domcore.model.status import FULFILLMENT_STATUSES
from domcore.seeing.words import Background, told
from domcore.testing.builder import World
from domcore.verify.movements import EVENT_KINDS

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def two_coasts() -> World:
    world = World().node("LAX", at=(34.05, -118.24)).node("NYC", at=(40.71, -74.0))
    world.item("MUG", weight=400).item("CAP", weight=900)
    return world.stock("MUG", NYC=2).stock("CAP", LAX=3)


def texts(dom, reference="#1") -> list[str]:
    return [entry.text for entry in dom.timeline(reference).entries]


def test_a_decision_is_told_with_places_cost_and_proof():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2, CAP=1))
        dom.route()
        story = dom.timeline("#1")
        came, routed = story.entries
        assert came.text == "came in from web: 3 units on 2 lines, worth 30.00 USD"
        assert routed.text.startswith("routed: 1 x CAP from LAX, 2 x MUG from NYC, ")
        assert routed.text.endswith(", proven least cost")
        assert routed.decision == 1
        assert routed.lines == (("LAX", "CAP", 1), ("NYC", "MUG", 2))
        assert "2026-01-05 09:00 UTC  routed: " in story.to_text()
        assert story.to_text().endswith("(decision 1, by host)")
        assert [entry.by for entry in story.entries] == ["host", "host"]
        assert dom.explain("#1", decision=routed.decision)


def test_units_that_stay_open_are_told_with_their_reason():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=5))
        dom.capture(world.order("2", MUG=5))
        dom.route()
        assert texts(dom)[-1].endswith("3 units stay open (not enough stock)")
        assert dom.timeline("#1").entries[-1].reason == "stock"
        assert texts(dom, "#2")[-1] == (
            "nothing could be routed, 5 units stay open (not enough stock)"
        )


def test_one_unit_stays_open_and_several_stay():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=3))
        dom.route()
        assert texts(dom)[-1].endswith("1 unit stays open (not enough stock)")


def test_news_of_nodes_is_told_with_units_and_tracking():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2, CAP=1))
        dom.route()
        box = Package("B1", (("MUG", 2),), carrier="UPS", tracking="1Z999")
        world.clock.forward(hours=3)
        dom.record(Notice("1-1-NYC", "shipped", world.clock(), packages=(box,)))
        dom.record(Notice("1-1-LAX", "rejected", world.clock(), reason="not_found"))
        shipped, rejected = dom.timeline("#1").entries[2:4]
        assert shipped.text == "NYC shipped: 2 x MUG, tracking 1Z999"
        assert (shipped.node, shipped.tracking) == ("NYC", ("1Z999",))
        assert (shipped.fulfillment_order, shipped.at) == ("1-1-NYC", world.clock())
        assert rejected.text == (
            "LAX rejected: 1 x CAP, kept out of stock until the next count, not found on the shelf"
        )
        assert rejected.reason == "not_found"


def test_holds_cancellations_and_reservations_are_told():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.reserve("#1", minutes=30)
        world.clock.forward(hours=1)
        dom.work()
        dom.cancel("#1", reason="customer called")
        story = texts(dom)
        assert story[1].startswith("reserved for a while: 1 x MUG from NYC, ")
        assert "reservation ran out: 1 unit free again" in story
        assert story[-1].startswith("cancelled: 1 unit")
        assert story[-1].endswith("(customer called)")


def test_a_shortfall_of_its_stock_is_part_of_an_order():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.capture(world.order("2", CAP=1))
        dom.route()
        world.clock.forward(hours=1)
        dom.observe(ObserveStock("main", (StockCount("MUG", "NYC", on_hand=0),)))
        assert texts(dom)[-1] == (
            "stock fell short at NYC: 2 x MUG promised to orders are not there, 2 units taken back"
            " to be routed again"
        )
        assert not [text for text in texts(dom, "#2") if "short" in text]


def test_entries_come_in_the_order_of_things_and_whole_as_json():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        story = dom.timeline("#1")
        table = story.to_dict()
        assert [e["seq"] for e in table["entries"]] == sorted(e.seq for e in story.entries)
        assert table["status"] == "allocated"
        assert table["entries"][0]["at"] == START.isoformat()
        assert table["entries"][1]["body"]["decision"] == 1


def test_no_such_order_is_said():
    with two_coasts().open() as dom, pytest.raises(NotFound):
        dom.timeline("#404")


def background(world: World, dom) -> Background:
    dom.capture(world.order("1", MUG=1))
    dom.route()
    return Background(dom.order("#1"), dom.store.decisions(1))


def an_event(kind: str, **body) -> Event:
    return Event(1, kind, 1, START, {"format": 1, **body})


def test_an_event_of_a_kind_nobody_knows_is_shown_plainly():
    world = two_coasts()
    with world.open() as dom:
        words = told(
            an_event("drone.landed", node="NYC", units=3, reason="wind"), background(world, dom)
        )
        assert words.text == "drone.landed: node NYC, units 3, reason wind"
        assert (words.node, words.reason) == ("NYC", "wind")
        assert told(an_event("drone.gone"), background(two_coasts(), two_coasts().open())).text == (
            "drone.gone"
        )


@pytest.mark.parametrize("kind", EVENT_KINDS)
@pytest.mark.parametrize(
    "body",
    [{}, {"units": "many", "lines": 7, "nodes": [], "decision": None, "holds": [[]], "codes": 1}],
    ids=["empty", "ill-typed"],
)
def test_a_body_of_another_shape_is_shown_plainly_too(kind, body):
    world = two_coasts()
    with world.open() as dom:
        words = told(an_event(kind, **body), background(world, dom))
        assert words.text


@pytest.mark.parametrize("status", FULFILLMENT_STATUSES)
def test_every_status_of_work_has_words(status):
    world = two_coasts()
    with world.open() as dom:
        event = an_event(
            f"fulfillment.{status}", fulfillment_order="1-1-NYC", node="NYC", lines=[], packages=[],
            reason="", vendor_status="ACK", detail="",
        )  # fmt: skip
        text = told(event, background(world, dom)).text
        assert "NYC" in text
        assert text.endswith("(ACK)")
        assert "fulfillment." not in text


SAID = [
    ("order.kept", {"units": 2, "nodes": {"NYC": 2}},
     "kept: 2 reserved units will be shipped: 2 at NYC"),
    ("order.freed", {"units": 1}, "let go: 1 reserved unit free again"),
    ("reservation.extended", {"units": 1, "expires_at": 1_767_607_200_000_000},
     "reservation of 1 unit extended until 2026-01-05 10:00 UTC"),
    ("order.approved", {"by": "kim", "codes": ["fraud"]}, "approved by kim: fraud"),
    ("order.held", {"holds": [["fraud", "looks odd", "route"]], "decision": 1},
     "held, nothing is reserved yet: looks odd"),
    ("work.parked", {"task": "release", "fulfillment_order": "1-1-NYC", "node": "NYC",
                     "attempts": 5, "error": "HTTP 500"},
     "set aside for a person: release 1-1-NYC after 5 attempts (HTTP 500)"),
    ("return.authorized", {"return": "R1", "node": "NYC", "lines": [["1-1", 1]], "reason": "size"},
     "return R1 authorized: 1 x MUG, back to NYC (size)"),
    ("return.received", {"return": "R1", "node": "NYC", "lines": [["1-1", 1, "sellable"]]},
     "return R1: 1 x MUG arrived at NYC (sellable)"),
    ("return.closed", {"return": "R1", "missing": 2}, "return R1 closed; 2 units never came"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "text"), SAID, ids=[each[0] for each in SAID])
def test_kinds_are_told_in_the_words_of_a_shop(kind, body, text):
    world = two_coasts()
    with world.open() as dom:
        assert told(an_event(kind, **body), background(world, dom)).text == text


def test_a_thousand_events_are_told_whole():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        for _ in range(505):
            dom.reserve("#1", minutes=5)
            dom.free("#1")
        seqs = [entry.seq for entry in dom.timeline("#1").entries]
        assert len(seqs) == len(set(seqs)) == 1011


def test_nothing_told_steers_a_terminal():
    world = two_coasts()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.cancel("#1", reason="\x1b[31mred\nand more")
        lines = dom.timeline("#1").to_text().splitlines()
        assert len(lines) == 3
        assert all(line.isprintable() for line in lines)
