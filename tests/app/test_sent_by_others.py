"""A person says that others have sent goods of an order: looked at more strictly than a channel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domcore import Domcore
from domcore.errors import ConflictError, NotFound, PayloadError
from domcore.model import AmendOrder, AuthorizeReturn, Notice, ShippedElsewhere
from domcore.testing.builder import World
from domcore.verify import verify


@pytest.fixture
def dom() -> Iterator[Domcore]:
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").item("POT").stock("MUG", NYC=9)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=3, POT=1))
        yield dom
        assert not list(verify(dom.store))


def shipped(dom: Domcore) -> list[int]:
    return [line.shipped for line in dom.order("1").lines]


def kept(dom: Domcore) -> list[str]:
    return [row[3] for row in dom.store.audit("elsewhere")]


def test_more_than_the_order_ever_had_is_refused_with_the_numbers(dom: Domcore) -> None:
    with pytest.raises(ConflictError, match=r"web/1 has 3 of 'MUG' in all: 30 cannot have left"):
        dom.ship_elsewhere("1", [("MUG", 30)])
    assert (kept(dom), shipped(dom)) == ([], [0, 0])


def test_what_was_told_under_other_names_counts_and_under_its_own_does_not(dom: Domcore) -> None:
    dom.ship_elsewhere("1", [("MUG", 2)], name="call")
    with pytest.raises(ConflictError, match=r"3 of 'MUG' in all, and others .* sent 2 of them"):
        dom.ship_elsewhere("1", [("MUG", 2)])
    dom.ship_elsewhere("1", [("MUG", 3)], name="call")
    assert (kept(dom), shipped(dom)) == (["call"], [3, 0])


def test_goods_that_left_before_they_were_taken_off_can_be_told(dom: Domcore) -> None:
    line = dom.order("1").order.lines[0].id
    dom.amend(
        AmendOrder("main", "web", "1", "edit", dom.order("1").order.revision + 1, ((line, 2),))
    )
    dom.ship_elsewhere("1", [("MUG", 3)])
    assert shipped(dom) == [3, 0]


def test_a_channel_may_tell_more_than_the_order_has(dom: Domcore) -> None:
    line = dom.order("1").order.lines[0].id
    sent = ShippedElsewhere("main", "web", "1", "f", 1, dom.now(), ((line, 30),))
    assert [each.outcome for each in dom.apply([sent])] == ["recorded"]


def test_each_shipment_without_a_name_gets_one_that_is_free(dom: Domcore) -> None:
    dom.ship_elsewhere("1", [("MUG", 1)], name="by-hand-2")
    told = [dom.ship_elsewhere("1", [("MUG", 1)]).detail for _ in range(2)]
    assert told == ["1 unit left; called by-hand-1", "1 unit left; called by-hand-3"]
    assert shipped(dom) == [3, 0]


def test_what_nobody_told_of_cannot_be_taken_back(dom: Domcore) -> None:
    dom.ship_elsewhere("1", [("MUG", 1)], name="call-17")
    with pytest.raises(NotFound, match=r"no shipment 'call-71' to take back \(told of: call-17\)"):
        dom.ship_elsewhere("1", name="call-71", taken_back=True)
    assert kept(dom) == ["call-17"]
    dom.ship_elsewhere("1", name="call-17", taken_back=True)
    assert shipped(dom) == [0, 0]


def test_a_later_word_counts_though_the_clock_has_been_set_back() -> None:
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=3))
        line = dom.order("1").order.lines[0].id
        dom.apply([ShippedElsewhere("main", "web", "1", "f", 2**62, dom.now(), ((line, 1),))])
        dom.ship_elsewhere("1", [("MUG", 2)], name="f")
        assert shipped(dom) == [2]


def test_one_number_is_one_number(dom: Domcore) -> None:
    dom.ship_elsewhere("1", [("MUG", 1)], tracking="1Z999")
    (row,) = dom.store.audit("elsewhere")
    assert row[-1] == b'["1z999"]'


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"lines": "MUG"}, "$.lines"),
        ({"lines": 5}, "$.lines"),
        ({"lines": [("MUG", 1), ("POT", "1")]}, "$.lines[1]"),
        ({"lines": [("MUG", True)]}, "$.lines[0]"),
        ({"lines": [("MUG", 0)]}, "$.lines[0]"),
        ({"lines": [("MUG", -1)]}, "$.lines[0]"),
        ({"lines": ["MUG"]}, "$.lines[0]"),
        ({"lines": [("MUG", 1, 2)]}, "$.lines[0]"),
        ({"lines": [(b"MUG", 1)]}, "$.lines[0]"),
        ({"lines": [("JAR", 1)]}, "$.lines[0]"),
        ({"tracking": 5}, "$.tracking"),
        ({"tracking": ["1Z", 5]}, "$.tracking"),
        ({"node": "MARS"}, "$.node"),
        ({"at": "yesterday"}, "$"),
        ({"name": 5}, "$"),
        ({"taken_back": True}, "$.name"),
    ],
)
def test_what_is_of_no_use_is_refused_and_its_place_named(dom: Domcore, more, path) -> None:
    with pytest.raises(PayloadError) as refused:
        dom.ship_elsewhere("1", **more)
    assert [problem.path for problem in refused.value.problems] == [path]
    assert kept(dom) == []


# --- what nodes work on -------------------------------------------------------------------------


def work_at_nyc(dom: Domcore) -> str:
    """Work that NYC, which has no connector, has taken up."""
    dom.route()
    (work,) = dom.order("1").fulfillment_orders
    dom.record(Notice(work.id, "accepted", dom.now()))
    return work.id


def shown(dom: Domcore) -> list[str]:
    return [each.reason for each in dom.exceptions(kinds=("trouble",))]


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_people_are_shown_that_a_node_they_must_call_works_on_it(dom: Domcore, status: str) -> None:
    work = work_at_nyc(dom)
    dom.ship_elsewhere("1", [("MUG", 1)])
    dom.ship_elsewhere("1", [("MUG", 1)])
    (told,) = shown(dom)
    assert told.startswith("NYC still works on goods that others have sent")
    assert list(verify(dom.store)) == []
    dom.record(Notice(work, status, dom.now()))
    assert shown(dom) == []


def test_what_the_node_ships_all_the_same_is_shown_instead(dom: Domcore) -> None:
    work = work_at_nyc(dom)
    dom.ship_elsewhere("1", [("MUG", 2)])
    dom.record(Notice(work, "shipped", dom.now()))
    (told,) = shown(dom)
    assert "although others are said to have sent them" in told


def test_goods_that_are_coming_back_may_have_been_taken_back_before(dom: Domcore) -> None:
    dom.ship_elsewhere("1", [("MUG", 2)], name="call")
    line = dom.order("1").order.lines[0].id
    dom.authorize_return(AuthorizeReturn("main", "web", "1", "R1", ((line, 2),), "NYC"))
    dom.ship_elsewhere("1", name="call", taken_back=True)
    assert shipped(dom) == [0, 0]
    assert list(verify(dom.store)) == []
