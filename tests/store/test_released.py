"""A store that a released version made is brought up to date when opened, and loses nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from domcore import ConflictError, Domcore, Settings
from domcore.store.protocol import OrderFilter, StockFilter
from domcore.testing.builder import Clock

RELEASED = Path(__file__).parent / "released"
NAMES = sorted(file.name.removesuffix(".db.gz") for file in RELEASED.glob("*.db.gz"))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def said(name: str) -> dict[str, Any]:
    """What the version that made it said of it."""
    return json.loads((RELEASED / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def dom(name: str, said: dict[str, Any], path: Path) -> Iterator[Domcore]:
    path.write_bytes(gzip.decompress((RELEASED / f"{name}.db.gz").read_bytes()))
    settings = Settings(store=str(path), owners={"main": "USD"}, engine="python")
    clock = Clock(datetime.fromisoformat(said["now"]))
    with Domcore(settings, clock=clock, load_plugins=False) as opened:
        yield opened


def complaints(dom: Domcore) -> list[str]:
    return [str(violation) for violation in dom.verify()]


def again(dom: Domcore, external_id: str) -> str:
    try:
        return dom.capture(dom.order(f"web/{external_id}").order).outcome
    except ConflictError:
        return "conflict"  # lines were amended, so this is not what the channel had said


def known(dom: Domcore) -> dict[str, list[Any]]:
    return {
        order.external_id: [order.status, list(order.buckets)] for order in dom.orders(limit=1000)
    }


def test_its_orders_and_its_stock_are_what_they_were(dom: Domcore, said: dict[str, Any]) -> None:
    # What waits for a person says so by now where stock is reserved, or was looked for, too.
    waits = {order.external_id for order in dom.orders(OrderFilter(status="held"), limit=1000)}
    then = {
        external_id: ["held" if external_id in waits else status, buckets]
        for external_id, (status, buckets) in said["orders"].items()
    }
    assert known(dom) == then
    changed = {said["orders"][each][0] for each in waits} - {"held"}
    assert changed <= {"allocated", "partly allocated", "short"}
    assert all(dom.order(f"web/{each}").summary.holds for each in waits)
    stock = dom.store.find_stock(StockFilter(), limit=1000)
    assert {f"{row.sku} {row.node}": list(row[3:7]) for row in stock} == said["stock"]


def test_it_verifies(dom: Domcore) -> None:
    assert complaints(dom) == []


def test_its_decisions_are_told_as_they_were_made(dom: Domcore, said: dict[str, Any]) -> None:
    """Where today's planner would decide otherwise, too."""
    decided = [each for each in said["orders"] if dom.order(f"web/{each}").sequence]
    assert len(decided) > 20
    for each in decided:
        for decision in dom.store.decisions(dom.order(f"web/{each}").summary.order_id):
            told = dom.explain(f"web/{each}", decision=decision.sequence)
            record = json.loads(decision.record)
            assert record["format"] == 1
            assert told.cost == record["cost"]
            assert sum(units for line in told.lines for _, units in line.sources) == sum(
                units for _, _, units in record["take"]
            )
            assert [line.short for line in told.lines if line.short] == [
                units for _, units, _ in record["short"]
            ]
            assert (told.planner, told.facts) == (1, 1)
            text = told.to_text()
            earlier = "made by an earlier planner" in text
            assert ("replays to the same bytes" in text) is not earlier, each


def test_what_it_took_in_is_still_known_when_it_comes_again(
    dom: Domcore, said: dict[str, Any]
) -> None:
    orders = [order.external_id for order in dom.orders(limit=1000)]
    told = {each: again(dom, each) for each in orders}
    assert told == said["repeats"]
    assert list(told.values()).count("duplicate") > 20


def test_life_goes_on_in_it(dom: Domcore, said: dict[str, Any]) -> None:
    for _ in range(3):
        dom.work()
        dom.route()
    for external_id, (status, _) in said["orders"].items():
        if status not in ("shipped", "cancelled"):
            dom.cancel(f"web/{external_id}")
    dom.work()
    assert complaints(dom) == []
