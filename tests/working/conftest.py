"""A partner that remembers what it was told, and a shop whose nodes work with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve

from domcore import ConnectorError, Domcore, Settings, WorkSettings, hookimpl
from domcore.model import Handover, Person, Receipt
from domcore.testing.builder import World

Mood = Callable[[str, Handover], str]


class Partner:
    """Works for nodes. `mood` says how each call goes; `boxes` is what it would ship, by key."""

    certain_after = 60

    def __init__(self, name: str = "acme", mood: Mood | None = None) -> None:
        self.name = name
        self.mood: Mood = mood or (lambda verb, handover: "well")
        self.boxes: dict[str, str] = {}
        self.taken_in: list[str] = []
        self.calls: list[tuple[str, str]] = []
        self.handovers: list[Handover] = []
        self.late: dict[str, Any] = {}

    def release(self, handover: Handover) -> Receipt:
        return self._do("release", handover)

    def cancel(self, handover: Handover) -> Receipt:
        return self._do("cancel", handover)

    def reconcile(self, handover: Handover) -> Receipt:
        return self._do("reconcile", handover)

    def _do(self, verb: str, handover: Handover) -> Any:
        self.calls.append((verb, handover.key))
        self.handovers.append(handover)
        how = self.mood(verb, handover)
        if how == "refuses":
            raise ConnectorError("no room on the line")
        if how == "lost call":
            raise ConnectorError("connection reset", unknown=True)
        if how == "raises":
            raise ValueError("Ada, 1 Road")
        if how == "exits":
            raise SystemExit(3)
        if how == "garbage":
            return {"status": "accepted"}
        answer = getattr(self, f"_{verb}")(handover.key, how)
        if how == "lost answer":
            raise ConnectorError("time-out", unknown=True)
        return answer

    def _release(self, key: str, how: str) -> Receipt:
        if how == "rejects":
            return Receipt("rejected", reason="no_capacity")
        if key not in self.boxes:
            self.taken_in.append(key)
            self.boxes[key] = "accepted"
        return Receipt(self.boxes[key], reference=f"R-{key}", vendor_status="Received")

    def _cancel(self, key: str, how: str) -> Receipt:
        if key not in self.boxes:
            return Receipt("unknown_here")
        if self.boxes[key] == "accepted":
            self.boxes[key] = "cancelled"
        return Receipt(self.boxes[key])

    def _reconcile(self, key: str, how: str) -> Receipt:
        if key not in self.boxes:
            return Receipt("unknown_here")
        return Receipt(self.boxes[key], reference=f"R-{key}")


class Serves:
    """A plugin that serves connectors."""

    def __init__(self, *connectors: object) -> None:
        self.connectors = connectors

    @hookimpl
    def register_connectors(self, dom: Domcore) -> list[Any]:
        return list(self.connectors)


class Shop:
    """Two nodes, each with a connector, and as many applications as a test wants."""

    def __init__(self, url: str = "memory:") -> None:
        self.world = World()
        self.world.node("NYC", at=(40.7, -74.0), connector="acme")
        self.world.node("LAX", at=(34.0, -118.2), connector="bolt")
        self.world.item("MUG", weight=300).stock("MUG", NYC=1_000, LAX=1_000)
        self.world.item("PEN", weight=20).stock("PEN", LAX=1_000)
        self.clock = self.world.clock
        self.settings = Settings(store=url, engine="python", work=WorkSettings(lease_seconds=60))
        self.opened: list[Domcore] = []

    def open(self, *connectors: object, **more: Any) -> Domcore:
        plugins = {"partners": Serves(*connectors), **more.pop("plugins", {})}
        settings = evolve(self.settings, **more)
        self.opened.append(self.world.open(settings, plugins=plugins))
        return self.opened[-1]

    def order(
        self, dom: Domcore, name: str = "1", person: Person | None = None, **lines: int
    ) -> str:
        dom.capture(self.world.order(name, **(lines or {"MUG": 2})), person)
        return f"web/{name}"

    def rounds(self, dom: Domcore, number: int = 20, **step: float) -> list[Any]:
        """Work, again and again, while the clock moves on."""
        reports = []
        for _ in range(number):
            reports.append(dom.work())
            self.clock.forward(**(step or {"minutes": 2}))
        return reports


@pytest.fixture
def shop() -> Iterator[Shop]:
    found = Shop()
    yield found
    for dom in found.opened:
        assert [str(each) for each in dom.verify()] == []
        dom.close()


@pytest.fixture
def partner() -> Partner:
    return Partner()


@pytest.fixture
def partners() -> tuple[Partner, Partner]:
    """One for each node."""
    return Partner("acme"), Partner("bolt")


@pytest.fixture(scope="session")
def make() -> Any:
    """The classes of this module, for tests that need more of them."""
    return type("Make", (), {"Partner": Partner, "Serves": Serves, "Shop": Shop})


def status_of(dom: Domcore, reference: str) -> list[tuple[str, str]]:
    return [(work.node, work.status) for work in dom.order(reference).fulfillment_orders]


@pytest.fixture
def status() -> Any:
    """``status(dom, "web/1")``: the node and status of each fulfillment order."""
    return status_of
