"""The demo itself: load, receive, route, explain one split order, verify."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Final, Protocol

from attrs import define, field, frozen

from domcore.app import Domcore
from domcore.config import PROJECT_FILE, read_settings
from domcore.demo import folder as files
from domcore.demo.deliveries import Delivery
from domcore.demo.nodes import Nodes, Told
from domcore.errors import ConfigurationError, PayloadError
from domcore.loading import Source, load_items, load_network, load_stock
from domcore.model import Plan
from domcore.routing import Routed, RouteReport
from domcore.settings import ChannelSettings, Settings
from domcore.store.protocol import Outcome

ORDERS: Final = 320
MOST_EVENTS: Final = 100_000
MOST_WAITING: Final = 10_000
SEED: Final = 7


class Stepper(Protocol):
    """Something that is told of each step."""

    def step(self) -> None: ...


Watch = Callable[[str, int], AbstractContextManager[Stepper]]
"""``watch(label, steps)``: a context whose `step` is called for each."""


@define
class NodeTally:
    """What one node ships."""

    orders: int = 0
    parcels: int = 0
    units: int = 0
    cost: int = 0


@define
class Received:
    """What became of the deliveries; `refused` has the places and reasons of those, `noted` the
    places and words of what was taken in all the same."""

    outcomes: Counter[str] = field(factory=Counter)
    refused: list[tuple[str, str]] = field(factory=list)
    noted: list[tuple[str, str]] = field(factory=list)
    seconds: float = 0.0


@define
class RouteTally:
    """What routing did, by node and by reason of a hold; the orders worth a closer look."""

    by_node: dict[str, NodeTally] = field(factory=dict)
    holds: Counter[str] = field(factory=Counter)
    split: Routed | None = None
    short: Routed | None = None
    compared: int = 0
    seconds: float = 0.0

    def add(self, routed: Routed) -> None:
        """Count one order."""
        self.compared += routed.nearest_cost is not None and bool(routed.plan.allocations)
        self.holds.update(hold.reason for hold in routed.holds)
        for parcel in routed.plan.parcels:
            tally = self.by_node.setdefault(parcel.node, NodeTally())
            tally.parcels += 1
            tally.units += sum(units for _, units in parcel.contents)
            tally.cost += parcel.cost
        for node in routed.plan.nodes:
            self.by_node[node].orders += 1
        if routed.outcome == "split" and _telling(routed.plan) > (
            _telling(self.split.plan) if self.split else 0
        ):
            self.split = routed
        if routed.outcome in ("short", "partial") and self.short is None:
            self.short = routed


def _telling(plan: Plan) -> int:
    """How well a split explains itself: a few lines from two nodes do best."""
    return min(len(plan.allocations), 4) if len(plan.nodes) == 2 else 1


@define
class Worked:
    """What became of the work: what the nodes said, and how the books stand after it."""

    told: Told
    story: str = ""
    waiting: Counter[str] = field(factory=Counter)
    seconds: float = 0.0


@frozen(slots=True)
class DemoReport:
    """Everything the demo has to tell."""

    folder: Path
    seed: int
    settings: Settings
    nodes: Counter[str]
    skus: int
    counts: int
    units: int
    packs: tuple[str, ...]
    received: Received
    route: RouteReport
    tally: RouteTally
    explanation: str
    why_not: str
    worked: Worked
    violations: tuple[str, ...]
    verify_seconds: float
    seconds: float


def run(folder: Path, *, seed: int, orders: int, force: bool, watch: Watch) -> DemoReport:
    """Make the demo in `folder`.

    Raises:
        ConfigurationError: something is in the way, or domcore-shopify is not installed.
    """
    started = time.monotonic()
    _require_plugins()
    files.prepare(folder, force=force)
    made = files.write(folder, seed=seed, orders=orders)
    with Domcore(read_settings(config=(folder / PROJECT_FILE).absolute())) as dom:
        load_network(dom, [Source.of(folder / files.NETWORK)])
        load_items(dom, Source.of(folder / files.ITEMS), owner="main")
        load_stock(dom, Source.of(folder / files.STOCK), owner="main")
        received = _receive(dom, made.deliveries, watch)
        route, tally = _route(dom, received, watch)
        explanation, why_not = _explain(dom, tally)
        worked = _work(dom, folder, seed)
        before = time.monotonic()
        violations = tuple(str(each) for each in dom.verify())
        return DemoReport(
            folder=folder,
            seed=seed,
            settings=dom.settings,
            nodes=Counter(node.kind for node in dom.network().nodes),
            skus=len(made.goods),
            counts=len(made.counts),
            units=sum(count.on_hand for count in made.counts),
            packs=_active_packs(dom),
            received=received,
            route=route,
            tally=tally,
            explanation=explanation,
            why_not=why_not,
            worked=worked,
            violations=violations,
            verify_seconds=time.monotonic() - before,
            seconds=time.monotonic() - started,
        )


def _active_packs(dom: Domcore) -> tuple[str, ...]:
    found = [info for info in dom.packs() if info.active]
    return tuple(f"{info.name} {info.pack.version}" for info in found if info.pack)


def _require_plugins() -> None:
    """Look for the plugins of the demo before anything is written."""
    channel = ChannelSettings(files.CHANNEL, "shopify", options={"secrets": [files.SECRET]})
    with Domcore(Settings(store="memory:", channels=(channel,))) as dom:
        there = {each.name: each.error for each in dom.plugins.status()}
        served = files.CHANNEL in dom.channels()
    for name, what, missing in (
        ("shopify", "orders come from Shopify", not served),
        ("files", "nodes work by files", there.get("files", "missing") != ""),
    ):
        if missing:
            why = f" ({there[name]})" if there.get(name) else ""
            raise ConfigurationError(
                f"the demo's {what}, and domcore-{name} is not there{why}; install it:"
                f" in a checkout of domcore, python -m pip install ./plugins/domcore-{name}"
            )


def _receive(dom: Domcore, deliveries: Sequence[Delivery], watch: Watch) -> Received:
    received = Received()
    started = time.monotonic()
    with watch("Receiving", len(deliveries)) as progress:
        for number, delivery in enumerate(deliveries, start=1):
            try:
                found = dom.receive(files.CHANNEL, delivery.body.encode(), delivery.headers)
                received.outcomes.update(outcome.outcome for outcome in found)
                place = f"{files.DELIVERIES}:{number}"
                received.noted += [(place, each.detail) for each in found if worth_telling(each)]
            except PayloadError as error:
                received.outcomes["refused"] += 1
                received.refused.append((f"{files.DELIVERIES}:{number}", _reason(error)))
            progress.step()
    received.seconds = time.monotonic() - started
    return received


def worth_telling(outcome: Outcome) -> bool:
    """Whether a delivery that was taken in leaves something for a person to do."""
    return outcome.outcome in ("captured", "amended", "unreadable") and bool(outcome.detail)


def _reason(error: PayloadError) -> str:
    """What was wrong, in one line."""
    return str(error.problems[0]) if error.problems else error.message


def _route(dom: Domcore, received: Received, watch: Watch) -> tuple[RouteReport, RouteTally]:
    tally = RouteTally()
    started = time.monotonic()
    with watch("Routing  ", received.outcomes["captured"]) as progress:

        def told(routed: Routed) -> None:
            tally.add(routed)
            progress.step()

        report = dom.route(baseline=True, progress=told)
    tally.seconds = time.monotonic() - started
    return report, tally


def _work(dom: Domcore, folder: Path, seed: int) -> Worked:
    """Hand the work over, have the nodes do it, route anew what they reject, and do that too."""
    started = time.monotonic()
    nodes = Nodes(folder, Random(f"{seed}-nodes"), dom.now)
    worked = Worked(nodes.told)
    for willing in (False, True):
        dom.work()  # asks for news, routes what is open again, hands work over
        nodes.work(willing=willing)
    dom.work()
    worked.story = _story(dom)
    worked.waiting.update(each.kind for each in dom.exceptions(limit=MOST_WAITING))
    worked.seconds = time.monotonic() - started
    return worked


def _story(dom: Domcore) -> str:
    """The life of the order that tells most: rejected by one node, shipped by another."""
    rejected = {
        event.order_id
        for event in dom.store.events(limit=MOST_EVENTS)
        if event.kind == "fulfillment.rejected"
    }
    views = [dom.store.order(order_id) for order_id in sorted(filter(None, rejected))]
    told = [
        view
        for view in views
        if view.summary.status == "shipped" and len(view.order.lines) <= 2 and view.sequence > 1
    ]
    return dom.timeline(told[0].order.number).to_text() if told else ""


def _explain(dom: Domcore, tally: RouteTally) -> tuple[str, str]:
    """The story of the most telling split, and a node that might have shipped it but does not."""
    if tally.split is None:
        return "", ""
    ships = set(tally.split.plan.nodes)
    others = [node.id for node in dom.network().nodes if node.id not in ships]
    return dom.explain(tally.split.number).to_text(), others[0] if others else ""
