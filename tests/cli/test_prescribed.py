"""What ``domcore exceptions`` prescribes works the trouble off, or asks for the value it needs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from click.testing import Result

from domcore import Domcore, Settings
from domcore.model import Destination, Notice, ObserveStock, StockCount
from domcore.testing import World

Run = Callable[..., Result]
NOWHERE = Destination("US", postal="00009")
SETTINGS = Settings(store="shop.db", owners={"main": "USD"})


def nothing(dom: Domcore) -> None:
    """Nothing more has happened."""


@frozen
class Story:
    """How an order came to wait for a person, and what must happen besides for the command to help.

    Args:
        order: makes the order.
        then: what happens to it once it was routed.
        besides: what somebody else does first, such as bringing goods; `after`: or then.
        wants: the value that the command asks for, and the words in which it does.
        stays: a promise that is past stays late until the goods have left; the command is another.
    """

    kind: str
    order: Callable[[World], Any]
    then: Callable[[Domcore], object] = nothing
    besides: Callable[[Domcore], object] = nothing
    wants: tuple[tuple[str, ...], str] | None = None
    stays: bool = False
    after: Callable[[Domcore], object] = nothing


def three(world: World, **more: Any) -> Any:
    return evolve(world.order("1", MUG=3), **more)


def late(world: World, units: int = 3, **more: Any) -> Any:
    past = datetime.now(UTC) - timedelta(minutes=1)
    return evolve(world.order("1", MUG=units), ship_by=past, **more)


def hear(statuses: str, **more: Any) -> Callable[[Domcore], object]:
    def told(dom: Domcore) -> None:
        for status in statuses.split():
            work = dom.order("1").fulfillment_orders[0]
            dom.record(Notice(work.id, status, dom.now(), **more))

    return told


def more_mugs(dom: Domcore) -> None:
    dom.observe(ObserveStock("main", (StockCount("MUG", "LAX", on_hand=9),)))


POSTAL = (("--postal", "10001", "--yes"), "say what is to be corrected")
PLACE = (("--country", "US", "--at", "40.7,-74", "--yes"), "say what is to be corrected")
STORIES = {
    "held by a person": Story("held", three, lambda dom: dom.hold("1", code="look")),
    "held for its address": Story("held", lambda w: three(w, destination=NOWHERE), wants=POSTAL),
    "held without an address": Story("held", lambda w: three(w, destination=None), wants=PLACE),
    "held for its currency": Story(
        "held", lambda w: three(w, currency="CAD"), wants=(("0.75",), "rate")
    ),
    "short": Story("short", lambda w: w.order("1", MUG=9), besides=more_mugs),
    "short of an unknown item": Story(
        "short", lambda w: w.order("1", NEW=1), wants=(("items.csv",), "ITEMS.csv"),
        after=lambda dom: dom.observe(ObserveStock("main", (StockCount("NEW", "LAX", on_hand=9),))),
    ),
    "rejected": Story("rejected", three, hear("rejected", reason="closed"), more_mugs),
    "trouble": Story("trouble", three, hear("accepted exception", detail="torn")),
    "returned": Story("trouble", three, hear("shipped returned")),
    "stuck": Story("stuck", three),
    "late and open": Story("late", lambda w: late(w, 9), besides=more_mugs, stays=True),
    "late at a node": Story(
        "late", late, besides=more_mugs, stays=True,
        wants=(("--away", "--yes"), "say --to NODE, or --away"),
    ),
    "late and held for its address": Story(
        "late", lambda w: late(w, destination=NOWHERE), wants=POSTAL, stays=True
    ),
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Story]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text('store = "shop.db"\n', encoding="utf-8")
    (tmp_path / "items.csv").write_text("sku,name\nNEW,New\n", encoding="utf-8")

    def open_shop(name: str) -> Story:
        story = STORIES[name]
        world = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
        world.item("MUG", weight=400).stock("MUG", NYC=3)
        with world.open(SETTINGS) as dom:
            dom.capture(story.order(world))
            dom.route()
            story.then(dom)
        return story

    return open_shop


def waiting(run: Run, kind: str) -> list[dict[str, Any]]:
    result = run("exceptions", "--kind", kind, "--json")
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("name", STORIES)
def test_the_command_that_is_prescribed_works_it_off(name: str, shop: Any, run: Run) -> None:
    story = shop(name)
    (found,) = waiting(run, story.kind)
    words = shlex.split(found["command"])[1:]
    if story.wants is not None:
        values, asked = story.wants
        refused = run(*words)
        assert refused.exit_code in (1, 2), refused.output
        assert asked in refused.output
        words = [word for word in words if word not in ("RATE", "ITEMS.csv")] + list(values)
    with Domcore(SETTINGS, load_plugins=False) as dom:
        story.besides(dom)
    done = run(*words)
    assert done.exit_code == 0, done.output
    with Domcore(SETTINGS, load_plugins=False) as dom:
        story.after(dom)
    if words[0] in ("approve", "load"):
        run("route", "--all")
    if story.stays:
        assert [each["command"] == found["command"] for each in waiting(run, "late")] == [False]
        assert waiting(run, "held") + waiting(run, "short") == []
    else:
        assert waiting(run, story.kind) == []
    assert run("verify").exit_code == 0


def test_approving_an_address_that_nobody_can_place_does_not_make_it_younger(
    shop: Any, run: Run
) -> None:
    shop("held for its address")
    (first,) = waiting(run, "held")
    assert "is held again; correct it: domcore address" in run("approve", "1").stdout
    run("route", "--all")
    (again,) = waiting(run, "held")
    assert (again["since"], again["command"]) == (first["since"], first["command"])


def test_in_bulk_only_what_a_word_lifts_is_approved(shop: Any, run: Run) -> None:
    shop("held for its address")
    told = run("exceptions", "--kind", "held", "--approve", "--yes")
    assert told.exit_code == 3
    assert "1 other wants another command" in told.stderr
