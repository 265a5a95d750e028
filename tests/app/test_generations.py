"""Decisions name the planner and the facts that made them, and are told whoever made them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from domcore import Domcore, NotFound, Settings
from domcore.explaining import replay
from domcore.model import OrderLine
from domcore.sourcing import record as records
from domcore.sourcing.decide import decide
from domcore.sourcing.generation import CURRENT, RELEASED
from domcore.store.protocol import Commit, Draw
from domcore.testing.builder import World

EARLIER = "made by an earlier planner"
MADE = 2


def world() -> World:
    made = World().node("NEAR", at=(40.73, -73.99)).node("FAR", at=(34.05, -118.24))
    return made.item("MUG", weight=400).stock("MUG", NEAR=5, FAR=5)


def commit_decision(dom: Domcore, change: Callable[[dict[str, Any]], None]) -> None:
    """Decide the next open order as it was once, when only FAR had any, and store it changed."""
    kit = dom._kit
    (order,) = dom.store.open_orders(now=2**62, limit=1)
    kit.look([order])
    question = kit.question(order, dom.now(), "route")
    near, far = kit.field.position["NEAR"], kit.field.position["FAR"]
    item_id = kit.supply.items["main", "MUG"][0]
    known = dict(kit.supply.available[item_id])
    kit.supply.available[item_id] = {far: known[far]}
    decided = decide(question, *kit.program(question.order))
    kit.supply.available[item_id] = known
    record = json.loads(decided.record)
    record["stock"] = [[[near, 5, 0], [far, 5, 0]]]
    record["stock"][0].sort()
    change(record)
    kit.programs.keep()
    draws = tuple(Draw(*each) for each in decided.draws)
    body = {
        "format": 1, "decision": 1, "cost": decided.plan.cost, "currency": "USD",
        "nodes": {"FAR": 3}, "parcels": 1, "short": 0, "lines": [], "holds": [],
    }  # fmt: skip
    event = ("order.routed", json.dumps(body).encode())
    at = record["at"]
    dom.store.commit(
        [Commit(order.order_id, order.version, 1, at, records.encode(record), draws, event=event)]
    )


def made_by(planner: int, facts: int) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        record["made"][MADE:] = [planner, facts]

    return change


def of_format_1(record: dict[str, Any]) -> None:
    record["format"] = 1
    del record["made"][MADE:]


def ours(record: dict[str, Any]) -> None:
    assert record["made"][MADE:] == list(CURRENT)


def keep(dom: Domcore, kind: str, tree: dict[str, Any]) -> str:
    """Store a body; its digest."""
    body = json.dumps(tree).encode()
    dom.store.put_blob(kind, body)
    return hashlib.sha256(body).hexdigest()


OTHERS = [of_format_1, made_by(*RELEASED), made_by(CURRENT.planner, CURRENT.facts - 1)]


@pytest.fixture
def shop(tmp_path, request):
    made = world()
    with made.open(Settings(store=str(tmp_path / "shop.db"), owners={"main": "USD"})) as dom:
        lines = (OrderLine("1", "MUG", 2), OrderLine("2", "MUG", 1))
        dom.capture(evolve(made.order("1", MUG=3), lines=lines))
        commit_decision(dom, request.param)
        yield dom


def test_a_record_names_the_planner_and_the_facts_that_made_it():
    made = world()
    with made.open() as dom:
        dom.capture(made.order("1", MUG=1))
        dom.route()
        (decision,) = dom.store.decisions(1)
        record = json.loads(decision.record)
        assert record["format"] == 2
        assert record["made"][MADE:] == list(CURRENT)
        told = dom.explain("#1").to_dict()
        assert (told["planner"], told["facts"], told["told_from"]) == (*CURRENT, "replay")


@pytest.mark.parametrize("shop", OTHERS, indirect=True)
def test_an_earlier_decision_that_would_come_out_otherwise_is_told_from_its_record(shop):
    told = shop.explain("#1")
    assert not told.replayed
    assert [line.sources for line in told.lines] == [(("FAR", 2),), (("FAR", 1),)]
    (parcel,) = told.parcels
    assert (parcel.node, parcel.contents) == ("FAR", (("MUG", 3),))
    assert told.cost == parcel.cost > 0
    assert told.certificates[0].proven
    assert told.others == ()
    assert told.remarks[0].startswith(EARLIER)
    text = told.to_text()
    assert EARLIER in text
    assert "DOES NOT replay" not in text
    tree = json.loads(json.dumps(told.to_dict()))
    assert tree["told_from"] == "record"
    assert EARLIER in tree["remarks"][0]


@pytest.mark.parametrize("shop", OTHERS, indirect=True)
def test_no_reason_is_made_up_for_a_node_that_lost_an_earlier_decision(shop):
    asked = shop.explain("#1", why_not="NEAR").asked
    assert asked.verdict == "earlier"
    assert asked.reason.startswith(EARLIER)
    assert (asked.extra, asked.alternative, asked.rules) == (None, (), ())
    assert shop.explain("#1", why_not="FAR").asked.reason == "ships 3 units of this order"
    with pytest.raises(NotFound, match="'MOON'"):
        shop.explain("#1", why_not="MOON")


@pytest.mark.parametrize("shop", OTHERS[:1], indirect=True)
def test_an_earlier_decision_by_rules_that_would_be_refused_today_is_told(shop):
    rules = [
        {"id": "off", "when": "True", "then": "exclude", "enabled": False},
        {"id": "dear", "when": "order.aura > 3", "then": {"cost": {"amount": "1", "per": "unit"}}},
    ]
    pack = {"format": 1, "name": "old", "version": "7", "currency": "USD", "rule": rules}
    digest = keep(shop, "pack", pack)
    active = {
        "pack": digest, "name": "old", "version": "", "layer": "retailer", "owner": "",
        "channels": [], "parameters": {}, "nodes": [],
    }  # fmt: skip
    body = {"format": 1, "currency": "USD", "active": [active], "facts": []}
    program = keep(shop, "program", body)

    def by_old_rules(record: dict[str, Any]) -> None:
        of_format_1(record)
        record["program"], record["rules"] = program, [0]
        record["parcels"][0][4].append(["rules", 3_000_000])

    shop.capture(world().order("2", MUG=2))
    commit_decision(shop, by_old_rules)
    told = shop.explain("2")
    assert [(word.rule, word.version, word.verb) for word in told.rules] == [
        ("old/dear", "7", "cost")
    ]
    assert [term.name for term in told.parcels[0].terms] == ["rate", "rules"]
    assert told.remarks[0].startswith(EARLIER)


@pytest.mark.parametrize("shop", [*OTHERS, ours], indirect=True)
def test_a_decision_is_not_corrupt_because_it_would_come_out_otherwise_today(shop):
    assert [str(violation) for violation in shop.verify()] == []


@pytest.mark.parametrize("shop", [ours], indirect=True)
def test_one_of_ours_that_does_not_replay_says_so(shop):
    told = shop.explain("#1")
    assert "DOES NOT replay" in told.to_text()
    assert told.told_from == "replay"


@pytest.mark.parametrize("shop", OTHERS, indirect=True)
def test_an_earlier_decision_has_its_place_in_the_timeline(shop):
    assert any("routed" in entry.text for entry in shop.timeline("#1").entries)


def test_an_earlier_decision_that_comes_out_alike_is_told_with_all_its_reasons():
    made = world()
    with made.open() as dom:
        dom.capture(made.order("1", MUG=2))
        dom.route()
        (decision,) = dom.store.decisions(1)
        order = dom.order("#1").order
        for change in OTHERS:
            record = json.loads(decision.record)
            change(record)
            before = records.encode(record)
            again = replay(dom._kit, records.decode(before), order)
            assert again.decided.record == before
            told = again.tell(replayed=True, why_not="FAR")
            assert told.asked.verdict == "dearer"
            assert told.planner == (RELEASED.planner if change != OTHERS[-1] else CURRENT.planner)
