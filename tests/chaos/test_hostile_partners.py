"""A fifth of all calls to plugins goes wrong in every way there is: no order is stuck."""

from __future__ import annotations

import random
from typing import Any

import pytest

from domcore import DomcoreError, RoutingSettings, Settings, WorkSettings, hookimpl
from domcore.model import Notice, Polled, Receipt
from domcore.testing.builder import World

HOSTILE = 0.2
GARBAGE = (
    None, 17, "accepted", b"x", [], {}, object(), Receipt("dancing"), Receipt("accepted", "\0"),
    Receipt("accepted", reference="x" * 100_000), Receipt(None), Receipt("accepted", notices=[1]),
    Receipt("accepted", "\ud800"),
    Receipt("unknown_here"), float("nan"),
)  # fmt: skip
ERRORS = (
    ValueError, RuntimeError, MemoryError, RecursionError, SystemExit, GeneratorExit, StopIteration,
    KeyError, DomcoreError, AssertionError,
)  # fmt: skip


class Hostile:
    """A partner, a plugin and a channel; a fifth of their calls is ill-behaved."""

    name = "partner"
    certain_after = 30

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.calls = 0
        self.books: dict[str, str] = {}
        self.dom: Any = None
        self.heard: list[tuple[int | None, int]] = []

    # --- the misbehaviour

    def _misbehaves(self, *given: Any) -> tuple[bool, Any]:
        """Whether this call goes wrong, and with what answer, where it does not raise."""
        self.calls += 1
        if self.dice.random() >= HOSTILE:
            return False, None
        how = self.dice.randrange(4)
        if how == 0:
            raise self.dice.choice(ERRORS)("no")
        if how == 1:
            return True, self.dice.choice(GARBAGE)
        if how == 2:
            self._vandalize(given)
            return True, None
        return True, self._recurse()

    def _vandalize(self, given: Any) -> None:
        for each in given:
            for name in ("key", "order", "lines", "kind", "body"):
                try:
                    setattr(each, name, None)
                except (AttributeError, TypeError):
                    pass
                else:
                    raise AssertionError(f"{name} could be changed")

    def _recurse(self) -> Any:
        verb = self.dice.choice(("work", "route", "parked", "connectors", "close the door"))
        return getattr(self.dom, verb)()

    # --- a connector

    def release(self, handover: Any) -> Any:
        before = self.dice.random() < 0.5
        if before:
            self.books.setdefault(handover.key, "accepted")
        bad, answer = self._misbehaves(handover)
        if bad:
            return answer
        self.books.setdefault(handover.key, "accepted")
        strange = (Notice("", "", None),) if self.dice.random() < 0.05 else ()
        return Receipt("accepted", f"R-{handover.key}", notices=strange)

    def reconcile(self, handover: Any) -> Any:
        bad, answer = self._misbehaves(handover)
        if bad and answer != Receipt("unknown_here"):
            return answer
        return Receipt(self.books.get(handover.key, "unknown_here"))

    def cancel(self, handover: Any) -> Any:
        bad, answer = self._misbehaves(handover)
        if bad and answer != Receipt("unknown_here"):
            return answer
        if handover.key in self.books:
            self.books[handover.key] = "cancelled"
        return Receipt(self.books.get(handover.key, "unknown_here"))

    def poll(self, cursor: str) -> Any:
        bad, answer = self._misbehaves(cursor)
        return answer if bad else Polled((), cursor)

    # --- a plugin

    @hookimpl
    def register_connectors(self, dom: Any) -> list[Any]:
        self.dom = dom
        return [self]

    @hookimpl
    def handle_event(self, event: Any, dom: Any) -> Any:
        bad, answer = self._misbehaves(event)
        self.heard.append((event.order_id, event.seq))
        return answer if bad else None


def live(seed: int, orders: int) -> Hostile:
    """So many orders, until all have ended; what the hostile one has seen."""
    world = World().node("NYC", at=(40.7, -74.0), connector="partner")
    world.item("MUG", weight=300).stock("MUG", NYC=orders)
    hostile = Hostile(seed)
    settings = Settings(
        store="memory:",
        engine="python",
        work=WorkSettings(attempts=6, lease_seconds=60, backoff_most_seconds=120),
        routing=RoutingSettings(batch=50),
    )
    cancelled = set()
    with world.open(settings, plugins={"hostile": hostile}) as dom:
        dom.capture_all(world.order(str(number), MUG=1) for number in range(orders))
        for number in range(200):
            dom.work()
            world.clock.forward(seconds=45)
            if number == 3:
                cancelled = {str(each) for each in range(0, orders, 10)}
                for name in cancelled:
                    dom.cancel(f"web/{name}")
            for each in dom.parked():
                dom.drop(each.id) if each.kind in ("event", "setback") else dom.retry(each.id)
            if number > 20 and not (dom.store.pending() or dom.store.stragglers("hostile")):
                break
        for order in range(orders):
            (work,) = dom.order(f"web/{order}").fulfillment_orders
            wanted = "cancelled" if str(order) in cancelled else "accepted"
            assert work.status == wanted, f"order {order} is stuck"
            if hostile.books.get(work.id, "cancelled") != wanted:
                raise AssertionError(f"{work.id}: the partner thinks {hostile.books.get(work.id)}")
        assert list(dom.verify()) == []
    return hostile


@pytest.mark.filterwarnings("ignore")
def test_no_order_is_stuck_among_hostile_calls() -> None:
    assert live(seed=1, orders=120).calls > 500


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_no_order_is_stuck_among_ten_thousand_hostile_calls() -> None:
    calls = 0
    for seed in range(2, 100):
        calls += live(seed, orders=300).calls
        if calls >= 10_000:
            return
    raise AssertionError(f"only {calls} calls")
