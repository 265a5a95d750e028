"""Looking at a plan costs little, answers for every node, and claims nothing that is not proven."""

from __future__ import annotations

import json
import random
import time

import pytest
from attrs import evolve

from domcore import Settings, hookimpl
from domcore.explaining.comparing import compared
from domcore.explaining.nodes import MOST_TOLD
from domcore.model import Directive, OrderLine, RateCard, StockCount, micros
from domcore.model.network import Band
from domcore.settings import RoutingSettings
from domcore.sourcing.alternatives import Alternative, Alternatives
from domcore.sourcing.planner.problem import Problem
from domcore.sourcing.planner.solve import solve
from domcore.testing.builder import World


def wide_world(nodes: int, lines: int) -> World:
    dice = random.Random(f"{nodes} {lines}")
    world = World()
    for number in range(nodes):
        world.node(f"N{number:03}", at=(dice.uniform(26, 48), dice.uniform(-122, -70)))
    for line in range(lines):
        world.item(f"S{line}", weight=300)
        world.counts += [
            StockCount(f"S{line}", f"N{number:03}", on_hand=dice.choice((0, 0, 1, 2, 5)))
            for number in range(nodes)
        ]
    return world


class AtMostTwoNodes:
    """All of it from at most two nodes, or nothing."""

    @hookimpl
    def judge(self) -> list[Directive]:
        arguments = {"max_nodes": 2, "ship_complete": True}
        return [Directive("two/nodes", "split", arguments=arguments)]


def test_explaining_costs_a_few_plannings_however_many_nodes_there_are():
    world = wide_world(100, 5)
    with world.open() as dom:
        for number in "0", "1":
            dom.capture(world.order(number, lines={f"S{line}": 3 for line in range(5)}))
        dom.route(["0"])
        dom.explain("0")
        started = time.process_time()
        dom.route(["1"])
        routed = time.process_time() - started
        started = time.process_time()
        dom.explain("1")
        assert time.process_time() - started < 20 * routed
        started = time.process_time()
        dom.explain("1", why_not="N001")
        assert time.process_time() - started < 20 * routed


def test_the_nearest_nodes_are_told_the_others_counted_and_each_can_be_asked_about():
    world = wide_world(60, 2)
    with world.open() as dom:
        dom.capture(world.order("1", S0=2, S1=1))
        dom.route()
        told = dom.explain("1")
        assert len(told.others) == MOST_TOLD
        distances = [story.distance for story in told.others]
        assert distances == sorted(distances)
        assert told.others_untold > 0
        assert f"and {told.others_untold} more nodes farther away" in told.to_text()
        assert json.loads(json.dumps(told.to_dict()))["others_untold"] == told.others_untold
        for node in world.nodes:
            asked = dom.explain("1", why_not=node.id).asked
            assert asked.node == node.id
            assert asked.reason


def test_a_node_that_is_asked_about_is_told_alike_among_the_others():
    world = wide_world(30, 3)
    with world.open() as dom:
        dom.capture(world.order("1", S0=3, S1=3, S2=3))
        dom.route()
        name = dom.explain("1").others[5].node
        told = dom.explain("1", why_not=name)
        assert told.others[5] == told.asked


def test_a_glance_is_never_better_than_a_look_and_says_so():
    world = wide_world(40, 3)
    seen = set()
    with world.open() as dom:
        dom.capture(world.order("1", S0=3, S1=3, S2=3))
        dom.route()
        told = dom.explain("1")
        for story in told.others:
            asked = dom.explain("1", why_not=story.node).asked
            if asked.alternative_cost is None:
                continue
            seen.add(story.proven)
            if asked.proven and story.alternative_cost is not None:
                assert asked.alternative_cost <= story.alternative_cost
            assert ("found" in story.reason) is not story.proven or story.verdict == "tie"
        assert False in seen


def test_among_few_nodes_a_glance_is_proven():
    world = wide_world(4, 1)
    with world.open() as dom:
        dom.capture(world.order("1", S0=1))
        dom.route()
        told = dom.explain("1")
        assert told.others
        assert all(story.proven for story in told.others if story.alternative)


def test_a_plan_is_explained_as_it_was_made_whatever_comes_later():
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", NYC=2, LAX=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=2))
        dom.capture(world.order("2", MUG=2))
        planned = dom.plan("1")
        dom.route(["2"])
        assert dom.plan("1").plan.nodes == ("LAX",)
    told = planned.explanation
    assert told.replayed
    assert told.lines[0].sources == (("NYC", 2),)
    assert told is planned.explanation


def test_a_plan_does_not_say_that_something_was_decided():
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=2)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        told = dom.plan("1").explanation
        assert told.to_text().splitlines()[0].endswith("; nothing is decided")
        assert "decision" not in told.to_text()
        assert told.to_dict()["sequence"] is None
        dom.route()
        assert ", decision 1, " in dom.explain("1").to_text()


def test_what_is_short_for_a_limit_is_called_impossible_only_where_that_is_proven():
    """Two nodes hold it all, and one step is too few to find out."""
    world = World()
    steps = ((2_000, 0), (5_000, micros("6.20")), (15_000, micros("17.50")))
    world.rate_cards = [
        RateCard(
            "parcel", "USD", (Band(base=micros("2.10"), steps=steps, over_per_kg=micros("1")),)
        )
    ]
    dice = random.Random(3)
    for number in range(8):
        world.node(
            f"N{number}", at=(40 + number / 10, -75 - number), handling=("0.90", "0.06", "0")
        )
    wanted = {}
    for line in range(9):
        held = {f"N{at}": dice.randint(1, 6) for at in range(6) if dice.random() < 0.5}
        held |= {"N6": 2, "N7": 2}
        world.item(f"S{line}", weight=300).stock(f"S{line}", **held)
        wanted[f"S{line}"] = 4
    for limit in (1, 200_000):
        routing = RoutingSettings(step_limit=limit)
        settings = Settings(store="memory:", owners={"main": "USD"}, routing=routing)
        with world.open(settings, plugins={"two": AtMostTwoNodes()}) as dom:
            dom.capture(world.order("1", lines=wanted))
            dom.route()
            told = dom.explain("1")
            proven = all(each.proven for each in told.certificates)
            short = any(line.short for line in told.lines)
            assert ("cannot" in told.to_text()) == (short and proven)
            if short and not proven:
                assert "no plan within the allowed split was found" in told.to_text()


def test_a_limit_that_no_plan_keeps_is_said_to_be_one():
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.node("ORD", at=(41.9, -87.6)).item("MUG").item("POT").item("PAN")
    world.stock("MUG", NYC=2).stock("POT", LAX=2).stock("PAN", ORD=2)
    with world.open(plugins={"two": AtMostTwoNodes()}) as dom:
        dom.capture(world.order("1", MUG=1, POT=1, PAN=1))
        dom.route()
        assert "the allowed split cannot cover it" in dom.explain("1").to_text()


def two_nodes() -> Problem:
    offers = [[(0, 2, 0, 5), (1, 2, 0, 9)], [(0, 2, 0, 5), (1, 2, 0, 9)]]
    return Problem((2, 1), offers, {0: 10, 1: 10})


@pytest.mark.parametrize(
    ("proven", "words"),
    [(True, "the cheapest plan that uses it"), (False, "the best plan found that uses it")],
)
def test_what_was_not_proven_is_not_called_the_best(proven, words):
    problem = two_nodes()
    ours = solve(problem)
    other = Alternatives(problem, ours, step_limit=1_000).look(1)
    assert other.proven
    found = compared(problem, ours, evolve(other, proven=proven))
    assert found.verdict == "dearer"
    assert found.reason.startswith(words)
    nothing = compared(problem, ours, Alternative(None, proven))
    assert ("allow" in nothing.reason) is proven


def test_a_better_plan_than_the_one_that_was_chosen_is_admitted():
    problem = two_nodes()
    best = Alternatives(problem, solve(problem), step_limit=1_000)
    worse = best.look(1).solution
    found = compared(problem, worse, Alternative(solve(problem), True))
    assert (found.verdict, found.extra) == ("better", solve(problem).cost - worse.cost)
    assert "costs less" in found.reason
    short = evolve(worse, short=(1, 1))
    assert "leaves 2 fewer units unshipped" in compared(problem, short, best.look(1)).reason


def test_an_alternative_ships_the_line_of_which_it_takes_most_from_the_node():
    problem = two_nodes()
    found = Alternatives(problem, solve(problem), step_limit=1_000).look(1)
    assert any(at == 1 for at, _, _ in found.solution.take)
    assert sum(found.solution.short) == 0


BAD = "evil\x1b[31m\nHELD by nobody\u202e"


@pytest.mark.parametrize("why_not", [None, "NYC", "LAX"])
def test_what_strangers_wrote_makes_no_line_of_its_own_and_steers_no_terminal(why_not):
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", NYC=2, LAX=5)
    lines = (OrderLine(f"1{BAD}", "MUG", 1), OrderLine("2", f"MUG{BAD}", 1))
    with world.open() as dom:
        dom.capture(evolve(world.order("1", MUG=1), number=f"#1{BAD}", lines=lines))
        planned = dom.plan("web/1").explanation
        dom.route()
        told = dom.explain("web/1", why_not=why_not)
        for text in (told.to_text(), planned.to_text()):
            assert all(line.isprintable() for line in text.split("\n"))
            assert not any(line.startswith("HELD") for line in text.split("\n"))
        tree = json.loads(json.dumps(told.to_dict()))
        assert [line["line"] for line in tree["lines"]] == [f"1{BAD}", "2"]


def test_lines_of_one_sku_are_told_one_by_one_and_compared_together():
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=400).stock("MUG", NYC=9, LAX=9)
    lines = (OrderLine("1", "MUG", 1), OrderLine("2", "MUG", 2))
    with world.open() as dom:
        dom.capture(evolve(world.order("1", MUG=1), lines=lines))
        dom.route()
        told = dom.explain("1", why_not="LAX")
        assert [line.sources for line in told.lines] == [(("NYC", 1),), (("NYC", 2),)]
        assert told.asked.alternative == (("LAX", "MUG", 3),)


def test_why_not_answers_where_units_stay_short_and_where_the_order_is_held():
    world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    world.node("ORD", at=(41.9, -87.6))
    world.item("MUG", weight=400).stock("MUG", NYC=2, LAX=1)
    with world.open() as dom:
        dom.capture(world.order("short", MUG=9))
        dom.capture(world.order("held", MUG=1, destination=None))
        dom.route()
        for node, verdict in (("NYC", "ships"), ("LAX", "ships"), ("ORD", "stock")):
            assert dom.explain("short", why_not=node).asked.verdict == verdict
        asked = dom.explain("held", why_not="NYC").asked
        assert (asked.verdict, asked.proven) == ("held", None)
